//! Sizes: one subject a file, one screen a function.
//!
//! Functions are clippy's (`too-many-lines-threshold`); here are the files, and the door that would let a function out.
//! `xtask/ratchet.toml` may hold files that are longer for now. Each entry is the exact length, so it can only shrink: a
//! shorter file must lower its entry, and a longer one fails.

use std::collections::BTreeMap;
use std::fs;

use super::Finding;
use super::source;
use crate::failure::Failure;
use crate::tree::{self, File};

const RULE: &str = "sizes";
const RATCHET: &str = "xtask/ratchet.toml";

/// Lines of a Rust file, its inline tests left out.
const RUST_LINES_MAX: usize = 500;
/// Lines of a TypeScript file that is no test and not generated.
const TYPESCRIPT_LINES_MAX: usize = 250;

/// Every file that is too long, every stale exception, every function that was let out of its limit.
pub(crate) fn check(files: &[File]) -> Result<Vec<Finding>, Failure> {
    let ratchet = fs::read_to_string(tree::root().join(RATCHET)).unwrap_or_default();
    Ok(check_against(files, &parse(&ratchet)?))
}

fn parse(ratchet: &str) -> Result<BTreeMap<String, usize>, Failure> {
    let table: toml::Table = ratchet.parse().map_err(|error| Failure::new(format!("{RATCHET}: {error}")))?;
    let Some(files) = table.get("files") else { return Ok(BTreeMap::new()) };
    let files = files.as_table().ok_or_else(|| Failure::new(format!("{RATCHET}: [files] must be a table")))?;
    files
        .iter()
        .map(|(path, lines)| match lines.as_integer().and_then(|lines| usize::try_from(lines).ok()) {
            Some(lines) => Ok((path.clone(), lines)),
            None => Err(Failure::new(format!("{RATCHET}: '{path}' must be a number of lines"))),
        })
        .collect()
}

fn check_against(files: &[File], ratchet: &BTreeMap<String, usize>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let Some((lines, limit)) = measure(file) else { continue };
        match ratchet.get(&file.path) {
            None if lines > limit => {
                let text = format!("{lines} lines, at most {limit}: split it by subject");
                findings.push(Finding::new(RULE, &file.path, 0, text));
            }
            Some(allowed) if lines > *allowed => {
                let text = format!("{lines} lines, its exception in {RATCHET} is {allowed} and only shrinks");
                findings.push(Finding::new(RULE, &file.path, 0, text));
            }
            Some(_) if lines <= limit => {
                findings.push(Finding::new(RULE, RATCHET, 0, format!("'{}' needs no exception any more", file.path)));
            }
            Some(allowed) if lines < *allowed => {
                findings.push(Finding::new(RULE, RATCHET, 0, format!("lower '{}' to {lines}", file.path)));
            }
            _ => {}
        }
    }
    for path in ratchet.keys().filter(|path| !files.iter().any(|file| file.path == **path)) {
        findings.push(Finding::new(RULE, RATCHET, 0, format!("'{path}' is not in the tree")));
    }
    findings.extend(files.iter().filter(|file| file.has_suffix(".rs")).flat_map(let_out));
    findings
}

/// The lines that count and the limit for them; `None` for a file without a limit.
fn measure(file: &File) -> Option<(usize, usize)> {
    if file.has_suffix(".rs") && !source::is_test_file(&file.path) {
        let tests = source::test_lines(&source::blank(&file.text));
        return Some((tests.iter().filter(|test| !**test).count(), RUST_LINES_MAX));
    }
    let typescript = file.has_suffix(".ts") || file.has_suffix(".tsx");
    let test =
        file.path.contains(".test.") || file.path.contains(".spec.") || file.path.split('/').any(|part| part == "e2e");
    let generated =
        file.text.lines().take(10).any(|line| line.contains("@generated") || line.contains("auto-generated"));
    // The texts of the pages in one language: a table, which only gets harder to compare with its twin when it is split.
    let texts = file.path.starts_with("web/src/i18n/");
    (typescript && !test && !generated && !texts).then(|| (file.text.lines().count(), TYPESCRIPT_LINES_MAX))
}

/// Attributes that silence the limit for one function.
fn let_out(file: &File) -> Vec<Finding> {
    let code = source::blank(&file.text);
    let silenced =
        |line: &str| line.contains("clippy::too_many_lines") && (line.contains("allow") || line.contains("expect"));
    code.lines()
        .enumerate()
        .filter(|(_, line)| silenced(line))
        .map(|(index, _)| {
            Finding::new(
                RULE,
                &file.path,
                index + 1,
                "a function longer than its limit: cut it where the subject changes",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, lines: usize) -> File {
        File { path: path.to_owned(), text: "x\n".repeat(lines) }
    }

    fn findings(files: &[File], ratchet: &str) -> Vec<String> {
        check_against(files, &parse(ratchet).unwrap()).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn long_files_are_found_and_tests_do_not_count() {
        assert_eq!(findings(&[file("crates/a/src/lib.rs", 501), file("web/src/a.tsx", 251)], "").len(), 2);
        assert!(findings(&[file("crates/a/src/lib.rs", 500), file("web/src/a.tsx", 250)], "").is_empty());
        assert!(findings(&[file("crates/a/tests/all.rs", 900), file("web/src/a.test.tsx", 900)], "").is_empty());
        let with_tests = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "x\n".repeat(400), "y\n".repeat(400));
        assert!(findings(&[File { path: "crates/a/src/lib.rs".to_owned(), text: with_tests }], "").is_empty());
    }

    #[test]
    fn an_exception_only_shrinks() {
        let ratchet = "[files]\n\"crates/a/src/lib.rs\" = 600\n";
        assert!(findings(&[file("crates/a/src/lib.rs", 600)], ratchet).is_empty());
        assert!(findings(&[file("crates/a/src/lib.rs", 601)], ratchet)[0].contains("only shrinks"));
        assert!(findings(&[file("crates/a/src/lib.rs", 599)], ratchet)[0].contains("lower"));
        assert!(findings(&[file("crates/a/src/lib.rs", 500)], ratchet)[0].contains("no exception"));
        assert!(findings(&[], ratchet)[0].contains("not in the tree"));
    }

    #[test]
    fn a_function_cannot_be_let_out() {
        let text = "#[expect(clippy::too_many_lines, reason = \"long\")]\nfn a() {}\n".to_owned();
        assert_eq!(findings(&[File { path: "crates/a/src/lib.rs".to_owned(), text }], "").len(), 1);
    }
}
