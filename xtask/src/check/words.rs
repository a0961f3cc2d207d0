//! Words that must not stand in the tree, and words that must: a head line in every Rust file.
//!
//! Addresses of package registries and paths of one machine make a tree that builds in one place only. Notes to do
//! something later are work that is not done; they belong in an issue.

use super::Finding;
use super::source;
use crate::tree::File;

const RULE: &str = "words";

/// What may not stand in any file, and why. Written in two halves so that this file does not find itself.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("index.crates", ".io", "a registry's address; name packages, not hosts"),
    ("static.crates", ".io", "a registry's address; name packages, not hosts"),
    ("registry.npm", "js.org", "a registry's address; name packages, not hosts"),
    ("registry.npm", "mirror", "a registry's address; name packages, not hosts"),
    ("pypi", ".org", "a registry's address; name packages, not hosts"),
    ("files.python", "hosted", "a registry's address; name packages, not hosts"),
    ("deb.deb", "ian.org", "a registry's address; name packages, not hosts"),
    ("/wo", "rk/", "a path of one machine; say it from the root of the tree"),
    ("/ro", "ot/", "a path of one machine; say it from the root of the tree"),
    ("/home", "/", "a path of one machine; say it from the root of the tree"),
];

/// What may not stand in source files.
const UNFINISHED: &[(&str, &str)] = &[("TO", "DO"), ("FIX", "ME"), ("todo", "!("), ("unimplem", "ented!(")];

const SOURCES: &[&str] = &[".rs", ".ts", ".tsx", ".js", ".mjs", ".py", ".css", ".sql"];

/// Every forbidden word, every unfinished place, every Rust file without a head, every lint silenced without a reason.
pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    files.iter().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_source = SOURCES.iter().any(|suffix| file.has_suffix(suffix));
    for (index, line) in file.text.lines().enumerate() {
        for (first, second, why) in FORBIDDEN {
            if stands_alone(line, &format!("{first}{second}")) {
                findings.push(Finding::new(RULE, &file.path, index + 1, format!("'{first}{second}': {why}")));
            }
        }
        for (first, second) in UNFINISHED.iter().filter(|_| is_source) {
            if stands_alone(line, &format!("{first}{second}")) {
                let text = format!("'{first}{second}': finish it, or file an issue and take the note out");
                findings.push(Finding::new(RULE, &file.path, index + 1, text));
            }
        }
    }
    if file.has_suffix(".rs") {
        if !file.text.trim_start().starts_with("//!") {
            findings.push(Finding::new(
                RULE,
                &file.path,
                1,
                "open with `//!`: what the file is, is not, and its limits",
            ));
        }
        findings.extend(silenced_without_reason(file));
    }
    findings
}

/// Whether the word stands in the line and is not the tail of a longer path or word.
fn stands_alone(line: &str, word: &str) -> bool {
    let joined = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '}' | ')');
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let open_end = word.ends_with(['/', '(']);
        !before.is_some_and(joined) && (open_end || !after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_'))
    })
}

/// `allow` and `expect` attributes that do not say why.
fn silenced_without_reason(file: &File) -> Vec<Finding> {
    let code = source::blank(&file.text);
    let mut findings = Vec::new();
    for opening in ["#[allow(", "#![allow(", "#[expect(", "#![expect("] {
        for (at, _) in code.match_indices(opening) {
            let end = code[at..].find(")]").map_or(code.len(), |length| at + length);
            if !code[at..end].contains("reason") {
                let text = "a silenced lint says why: `#[expect(lint, reason = \"...\")]`";
                findings.push(Finding::new(RULE, &file.path, source::line_of(&code, at) + 1, text));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<Finding> {
        check(&[File { path: path.to_owned(), text: text.to_owned() }])
    }

    #[test]
    fn hosts_and_machine_paths_are_found_anywhere() {
        for (first, second, _) in FORBIDDEN {
            let planted = format!("see \"{first}{second}x\" there\n");
            let planted = if second.ends_with('/') { planted } else { planted.replace("x\"", "\"") };
            assert_eq!(findings("README.md", &planted).len(), 1, "{planted}");
        }
        assert!(findings("README.md", "docs/home/a.md, ./work/x, network/work\n").is_empty());
    }

    #[test]
    fn unfinished_places_are_found_in_sources_only() {
        let planted = format!("//! x\n// {}{} later\nfn a() {{ {}{}); }}\n", "TO", "DO", "todo", "!(");
        assert_eq!(findings("crates/a/src/lib.rs", &planted).len(), 2);
        assert!(findings("docs/a.md", &format!("a {}{} list\n", "TO", "DO")).is_empty());
    }

    #[test]
    fn a_rust_file_opens_with_its_head_and_silences_with_a_reason() {
        assert_eq!(findings("crates/a/src/lib.rs", "use std::fs;\n//! late\n").len(), 1);
        assert_eq!(findings("crates/a/src/lib.rs", "//! x\n#[allow(dead_code)]\nfn a() {}\n").len(), 1);
        let said = "//! x\n#[expect(\n    dead_code,\n    reason = \"kept for the format\"\n)]\nfn a() {}\n";
        assert!(findings("crates/a/src/lib.rs", said).is_empty());
    }
}
