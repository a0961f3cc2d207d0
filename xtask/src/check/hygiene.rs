//! Tests that can fail, finish and run: no sleeps, no bare `matches!`, nothing ignored, nothing run alone.

use super::Finding;
use super::source;
use crate::tree::File;

const RULE: &str = "tests";

/// What may not stand in Rust test code, and what to do instead.
const IN_RUST_TESTS: &[(&str, &str)] = &[
    ("thread::sleep", "wait for the thing itself; a sleep is too short on a busy machine and too long on a free one"),
    ("time::sleep", "wait for the thing itself, or pause tokio's clock"),
];

/// What may not stand in browser and unit tests of the pages. In two halves so that no other scan finds it here.
const IN_WEB_TESTS: &[(&str, &str, &str)] = &[
    ("waitFor", "Timeout(", "wait for what the person would see"),
    (".on", "ly(", "runs alone and hides the rest"),
    (".sk", "ip(", "does not run"),
    ("test.fix", "me(", "does not run"),
];

/// Every test that sleeps, cannot fail, or does not run.
pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        if file.has_suffix(".rs") {
            findings.extend(check_rust(file));
        } else if is_web_test(&file.path) {
            findings.extend(check_web(file));
        }
    }
    findings
}

fn check_rust(file: &File) -> Vec<Finding> {
    let code = source::blank(&file.text);
    let whole = source::is_test_file(&file.path);
    let tests = source::test_lines(&code);
    let mut findings = Vec::new();
    for (index, line) in code.lines().enumerate().filter(|(index, _)| whole || tests[*index]) {
        for (call, instead) in IN_RUST_TESTS.iter().filter(|(call, _)| line.contains(call)) {
            findings.push(Finding::new(RULE, &file.path, index + 1, format!("{call} in a test: {instead}")));
        }
        if line.contains("#[ignore") {
            let text = "an ignored test does not run; mend it, or take it out";
            findings.push(Finding::new(RULE, &file.path, index + 1, text));
        }
    }
    for at in bare_matches(&code) {
        let text = "a bare `matches!` checks nothing; write `assert!(matches!(..))`";
        findings.push(Finding::new(RULE, &file.path, source::line_of(&code, at) + 1, text));
    }
    findings
}

/// Where `matches!(..)` stands as a statement of its own.
fn bare_matches(code: &str) -> Vec<usize> {
    code.match_indices("matches!(")
        .map(|(at, _)| at)
        .filter(|at| {
            let before = code[..*at].trim_end().chars().next_back();
            matches!(before, Some(';' | '{' | '}')) && after_call(code, *at).trim_start().starts_with(';')
        })
        .collect()
}

/// What follows the closing parenthesis of the call that begins at `at`.
fn after_call(code: &str, at: usize) -> &str {
    let mut depth = 0_u32;
    for (here, byte) in code.bytes().enumerate().skip(at) {
        match byte {
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return &code[here + 1..];
                }
            }
            _ => {}
        }
    }
    ""
}

fn is_web_test(path: &str) -> bool {
    path.contains(".test.") || path.contains(".spec.") || (path.starts_with("web/") && path.contains("/e2e/"))
}

fn check_web(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for (first, second, instead) in IN_WEB_TESTS {
            if line.contains(&format!("{first}{second}")) {
                findings.push(Finding::new(RULE, &file.path, index + 1, format!("{first}{second}): {instead}")));
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
    fn sleeping_and_ignored_tests_are_found() {
        let text =
            "#[cfg(test)]\nmod tests {\n  #[ignore]\n  fn a() { std::thread::sleep(d); tokio::time::sleep(d); }\n}\n";
        assert_eq!(findings("crates/a/src/lib.rs", text).len(), 3);
        assert_eq!(findings("crates/a/tests/all.rs", "fn a() { std::thread::sleep(d); }").len(), 1);
        assert!(findings("crates/a/src/lib.rs", "fn a() { std::thread::sleep(d); }").is_empty());
    }

    #[test]
    fn a_bare_matches_is_found_and_an_asserted_one_is_not() {
        let bare = "fn a() {\n    matches!(f(x), Some(_));\n}\n";
        assert_eq!(findings("crates/a/tests/all.rs", bare).len(), 1);
        let used = "fn a() -> bool {\n    assert!(matches!(f(x), Some(_)));\n    let y = matches!(x, 1);\n    matches!(x, 2)\n}\n";
        assert!(findings("crates/a/tests/all.rs", used).is_empty());
    }

    #[test]
    fn web_tests_that_wait_or_do_not_run_are_found() {
        let planted = format!("it{}{}'a', f)\nawait page.{}{}500)\n", ".on", "ly(", "waitFor", "Timeout(");
        assert_eq!(findings("web/src/a.test.ts", &planted).len(), 2);
        assert!(findings("web/src/a.ts", &planted).is_empty());
    }
}
