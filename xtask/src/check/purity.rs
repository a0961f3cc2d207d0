//! The pure crates stay pure: the same log makes the same state everywhere, or replay, training and live scoring drift apart.
//!
//! Two looks. The dependency closure of a pure crate must hold no runtime, store, clock or random source. Its own sources
//! must not ask the standard library for them either, and where they walk a hash map a comment must say why the order
//! does not reach the output: the scan cannot see that, a reader can.

use super::Finding;
use super::dependencies::{self, Workspace};
use super::source;
use crate::failure::Failure;
use crate::tree::File;

const RULE: &str = "purity";

/// The crates that hold no I/O, clock or randomness.
const PURE: &[&str] = &["types", "condition", "ml", "profile", "decide"];

/// Packages that bring what a pure crate must not have.
const IMPURE_PACKAGES: &[&str] = &[
    "axum",
    "async-std",
    "fastrand",
    "getrandom",
    "hyper",
    "libsqlite3-sys",
    "mio",
    "rand",
    "rand_core",
    "rusqlite",
    "smol",
    "socket2",
    "tempfile",
    "tokio",
];

/// Calls and types of the standard library, and of libraries that are allowed in, that look outside.
const IMPURE_CODE: &[(&str, &str)] = &[
    ("SystemTime", "time is the entry's"),
    ("Instant::now", "time is the entry's"),
    ("Timestamp::now", "time is the entry's"),
    ("Zoned::now", "time is the entry's"),
    ("thread_rng", "randomness is seeded by the entry's id"),
    ("RandomState", "its order differs from run to run; take FxHashMap or BTreeMap"),
    ("std::fs", "files are read by the binary"),
    ("std::net", "sockets belong to the server"),
    ("std::env", "configuration comes in as a value"),
    ("std::thread", "threads belong to the engine"),
];

/// Ways to walk a hash map.
const WALKS: &[&str] =
    &["iter", "iter_mut", "into_iter", "keys", "into_keys", "values", "values_mut", "into_values", "drain"];

/// What the pure members are compiled from.
pub(crate) fn check_closures(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for name in PURE {
        let name = format!("rapport-{name}");
        let Some(member) = workspace.members.iter().find(|member| member.name == name) else { continue };
        let reached = dependencies::closure(&name)?;
        for package in IMPURE_PACKAGES.iter().filter(|package| reached.contains(**package)) {
            let text = format!("'{name}' is compiled from '{package}' (see `cargo tree -p {name} -i {package}`)");
            findings.push(Finding::new(RULE, format!("{}/Cargo.toml", member.folder), 0, text));
        }
    }
    Ok(findings)
}

/// What the sources of the pure members say. Test code may do as it likes.
pub(crate) fn check_sources(files: &[File]) -> Vec<Finding> {
    files.iter().filter(|file| is_pure_source(&file.path)).flat_map(check_file).collect()
}

fn is_pure_source(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.next() == Some("crates")
        && parts.next().is_some_and(|name| PURE.contains(&name))
        && parts.next() == Some("src")
        && path.rsplit_once('.').is_some_and(|(_, suffix)| suffix == "rs")
        && !source::is_test_file(path)
}

fn check_file(file: &File) -> Vec<Finding> {
    let code = source::blank(&file.text);
    let tests = source::test_lines(&code);
    let maps = hash_maps(&code);
    let original: Vec<&str> = file.text.lines().collect();
    let mut findings = Vec::new();
    for (index, line) in code.lines().enumerate().filter(|(index, _)| !tests[*index]) {
        for (call, instead) in IMPURE_CODE.iter().filter(|(call, _)| has_word(line, call)) {
            findings.push(Finding::new(RULE, &file.path, index + 1, format!("{call} in a pure crate: {instead}")));
        }
        if let Some(map) = maps.iter().find(|map| walks(line, map)) {
            let near = &original[index.saturating_sub(4)..=index];
            if !near.iter().any(|line| line.contains("//") && line.to_lowercase().contains("order")) {
                let text = format!(
                    "walks the hash map '{map}': say in a comment above why its order does not reach the output"
                );
                findings.push(Finding::new(RULE, &file.path, index + 1, text));
            }
        }
    }
    findings
}

/// The names of fields, parameters and locals that are declared as a hash map or hash set.
fn hash_maps(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for kind in ["HashMap", "HashSet"] {
        for (at, _) in code.match_indices(kind) {
            let line = &code[code[..at].rfind('\n').map_or(0, |end| end + 1)..at];
            let declared = line.rsplit_once(['=', ':']).map(|(before, _)| before.trim_end_matches([':', '=', ' ']));
            let before_type = declared.and_then(|text| text.split(':').next()).unwrap_or_default();
            let name: String = before_type
                .chars()
                .rev()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<Vec<_>>()
                .iter()
                .rev()
                .collect();
            if !name.is_empty()
                && !names.contains(&name)
                && line.contains([':', '='])
                && !line.trim_start().starts_with("use ")
            {
                names.push(name);
            }
        }
    }
    names
}

/// Whether the line walks the map of this name.
fn walks(line: &str, map: &str) -> bool {
    let by_call = WALKS.iter().any(|walk| has_word(line, &format!("{map}.{walk}")));
    let by_loop = line.trim_start().starts_with("for ")
        && line.split_once(" in ").is_some_and(|(_, walked)| {
            let walked = walked
                .split('{')
                .next()
                .unwrap_or_default()
                .trim_end()
                .trim_start_matches('&')
                .trim_start_matches("mut ");
            walked == map || walked == format!("self.{map}")
        });
    by_call || by_loop
}

/// Whether `word` stands in the line with no letter, digit or underscore right before or after it.
fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(part) && !line[at + word.len()..].chars().next().is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        check_sources(&[file]).into_iter().map(|finding| format!("{} {}", finding.line, finding.text)).collect()
    }

    #[test]
    fn a_clock_in_a_pure_crate_is_found_and_in_its_tests_is_not() {
        let text = "//! x\nfn a() { let t = std::time::Instant::now(); }\n#[cfg(test)]\nmod t { fn b() { Instant::now(); } }\n";
        let found = findings("crates/profile/src/fold.rs", text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("2 Instant::now"), "{found:?}");
        assert!(findings("crates/server/src/lib.rs", text).is_empty());
    }

    #[test]
    fn walking_a_hash_map_needs_a_word_on_order() {
        let bare =
            "struct S { seen: FxHashMap<u64, u64>, list: Vec<u8> }\nfn a(s: &S) { for x in s.seen.values() {} }\n";
        assert_eq!(findings("crates/ml/src/a.rs", bare).len(), 1);
        let said = "struct S { seen: FxHashMap<u64, u64> }\n// A sum: the order does not matter.\nfn a(s: &S) { s.seen.values(); }\n";
        assert!(findings("crates/ml/src/a.rs", said).is_empty());
        let list = "struct S { seen: FxHashMap<u64, u64>, list: Vec<u8> }\nfn a(s: &S) { for x in s.list.iter() {} }\n";
        assert!(findings("crates/ml/src/a.rs", list).is_empty());
        let looped = "fn a() {\n let mut seen = HashMap::new();\n for x in &seen {}\n}\n";
        assert_eq!(findings("crates/ml/src/a.rs", looped).len(), 1);
    }
}
