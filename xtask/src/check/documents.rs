//! Documents: every relative link leads somewhere, and the README names the two commands.
//!
//! Only links inside the tree are followed; nothing is fetched.

use std::collections::BTreeSet;

use super::Finding;
use crate::tree::File;

const RULE: &str = "documents";

/// The commands that set everything up.
const COMMANDS: &[&str] = &["cargo xtask demo", "cargo xtask test"];
/// Where they must stand.
const READMES: &[&str] = &["README.md", "README.zh.md"];

/// Every dead link, and every README without the commands.
pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let mut places: BTreeSet<&str> = BTreeSet::new();
    for file in files {
        let mut path = file.path.as_str();
        places.insert(path);
        while let Some((folder, _)) = path.rsplit_once('/') {
            places.insert(folder);
            path = folder;
        }
    }
    let mut findings: Vec<Finding> =
        files.iter().filter(|file| file.has_suffix(".md")).flat_map(|file| dead_links(file, files, &places)).collect();
    for readme in READMES {
        match files.iter().find(|file| file.path == *readme) {
            None => findings.push(Finding::new(RULE, *readme, 0, "is missing")),
            Some(file) => {
                for command in COMMANDS.iter().filter(|command| !file.text.contains(**command)) {
                    findings.push(Finding::new(RULE, *readme, 0, format!("does not name `{command}`")));
                }
            }
        }
    }
    findings
}

fn dead_links(file: &File, files: &[File], places: &BTreeSet<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, target) in links(&file.text) {
        let (path, fragment) = target.split_once('#').map_or((target, None), |(path, fragment)| (path, Some(fragment)));
        let Some(resolved) = resolve(&file.path, path) else {
            findings.push(Finding::new(RULE, &file.path, line, format!("'{target}' leads out of the tree")));
            continue;
        };
        if !resolved.is_empty() && !places.contains(resolved.as_str()) {
            findings.push(Finding::new(RULE, &file.path, line, format!("'{target}' leads nowhere")));
            continue;
        }
        let page = files.iter().find(|other| other.path == resolved && other.has_suffix(".md"));
        if let (Some(fragment), Some(page)) = (fragment, page)
            && !headings(&page.text).contains(fragment)
        {
            findings.push(Finding::new(RULE, &file.path, line, format!("'{target}': no such heading")));
        }
    }
    findings
}

/// The relative targets of `[text](target)` outside fenced code and back-ticks, each with its line from 1.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            let Some(end) = rest.find(')') else { continue };
            let target = rest[..end].split_whitespace().next().unwrap_or_default();
            let inside_code = line[..at].matches('`').count() % 2 == 1;
            if !inside_code && !target.contains("://") && !target.starts_with("mailto:") {
                found.push((number, target));
            }
        }
    }
    found
}

/// The lines outside fenced code, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            return None;
        }
        (!fenced).then_some((index + 1, line))
    })
}

/// The anchors that a page's headings make.
fn headings(text: &str) -> BTreeSet<String> {
    prose(text)
        .filter_map(|(_, line)| line.strip_prefix('#'))
        .map(|heading| heading.trim_start_matches('#').trim().to_lowercase())
        .map(|heading| {
            heading
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .collect::<String>()
                .replace(' ', "-")
        })
        .collect()
}

/// The path from the root that `target` means in the file at `from`; `None` when it climbs out of the tree.
fn resolve(from: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    fn findings(text: &str) -> Vec<String> {
        let both = COMMANDS.join("\n");
        let files = [
            file("README.md", &both),
            file("README.zh.md", &both),
            file("docs/guides/a.md", text),
            file("docs/b.md", "# One thing\n## Two: things\n"),
        ];
        check(&files).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        let text = "[b](../b.md) [two](../b.md#two-things) [out](https://example.com/x) [folder](..) `[code](none.md)`\n```\n[c](none.md)\n```\n";
        assert!(findings(text).is_empty(), "{:?}", findings(text));
    }

    #[test]
    fn dead_links_headings_and_climbs_are_found() {
        assert_eq!(findings("[b](c.md)\n").len(), 1);
        assert_eq!(findings("[b](../b.md#three)\n").len(), 1);
        assert_eq!(findings("[b](../../../x.md)\n").len(), 1);
    }

    #[test]
    fn a_readme_must_name_both_commands() {
        let found = check(&[file("README.md", "cargo xtask demo"), file("README.zh.md", "")]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(check(&[]).len(), 2);
    }
}
