//! How many tests passed and failed, read from what each runner prints.

use std::fmt;

/// A count of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

impl Tally {
    /// A step that is a test by itself, such as a lint.
    pub(crate) fn of_step(success: bool) -> Self {
        Self { passed: u32::from(success), failed: u32::from(!success) }
    }

    /// Adds another count.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Whether nothing failed.
    pub(crate) fn is_success(self) -> bool {
        self.failed == 0
    }

    /// The sum of the closing lines of cargo test, nextest, vitest, node's runner, and of the plain `N passed, N failed`. What
    /// nextest shows of a failed test is cargo test's own output with its closing line, so there only the summaries count.
    pub(crate) fn read(lines: &[String]) -> Self {
        let lines = || lines.iter().map(|line| line.trim());
        let is_nextest = lines().any(is_summary);
        let mut sum = Self::default();
        for counts in lines().filter(|line| !is_nextest || is_summary(line)).filter_map(closing_line) {
            sum.add(counts);
        }
        sum
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Whether a line is the closing one of nextest.
fn is_summary(line: &str) -> bool {
    line.starts_with("Summary [")
}

/// The counts in a closing line of one of the runners; `None` for any other line.
fn closing_line(line: &str) -> Option<Tally> {
    if let Some((_, counts)) = line.split_once("test result: ").and_then(|(_, rest)| rest.split_once(". ")) {
        return Some(words(counts.split(';')));
    }
    if is_summary(line) {
        return line.split_once(" run: ").map(|(_, counts)| words(counts.split([',', '('])));
    }
    if let Some(counts) = line.strip_prefix("Tests ") {
        return Some(words(counts.split(['|', '('])));
    }
    for (marker, pass) in [("ℹ pass ", true), ("ℹ fail ", false), ("# pass ", true), ("# fail ", false)] {
        if let Some(count) = line.strip_prefix(marker).and_then(|count| count.parse().ok()) {
            return Some(if pass { Tally { passed: count, failed: 0 } } else { Tally { passed: 0, failed: count } });
        }
    }
    let plain = line.split(", ").all(|part| {
        part.split_once(' ').is_some_and(|(count, word)| {
            count.parse::<u32>().is_ok() && matches!(word, "passed" | "failed" | "skipped")
        })
    });
    plain.then(|| words(line.split(',')))
}

/// Sums parts such as `3 passed`, `1 failed`, `1 timed out`, `1 exec failed`; other words (`skipped`, `slow`) do not count.
fn words<'a>(parts: impl Iterator<Item = &'a str>) -> Tally {
    let mut tally = Tally::default();
    for part in parts {
        let Some((count, word)) = part.trim().split_once(' ') else { continue };
        let Ok(count) = count.parse::<u32>() else { continue };
        match word.trim() {
            "passed" => tally.passed += count,
            "failed" | "timed out" | "exec failed" => tally.failed += count,
            _ => {}
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (u32, u32) {
        let tally = Tally::read(&text.lines().map(str::to_owned).collect::<Vec<_>>());
        (tally.passed, tally.failed)
    }

    #[test]
    fn a_failed_test_that_nextest_shows_is_counted_once() {
        let shown = "        FAIL [   0.005s] (1/9) records tests::a_name\n  stdout ───\n\n    running 1 test\n    \
            test tests::a_name ... FAILED\n\n    3 passed, 2 failed\n    test result: FAILED. 0 passed; 1 failed; 0 ignored; \
            0 measured; 8 filtered out; finished in 0.00s\n\n     Summary [   0.012s] 9 tests run: 8 passed, 1 failed, 0 skipped\n\
            \u{20}       FAIL [   0.005s] (1/9) records tests::a_name\nerror: test run failed";
        assert_eq!(read(shown), (8, 1));
    }

    #[test]
    fn the_closing_lines_of_every_runner_are_read() {
        assert_eq!(
            read("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s"),
            (3, 0)
        );
        assert_eq!(read("test result: FAILED. 3 passed; 2 failed; 0 ignored"), (3, 2));
        assert_eq!(read("     Summary [   0.012s] 9 tests run: 8 passed (1 slow), 1 failed, 0 skipped"), (8, 1));
        assert_eq!(read("     Summary [   0.012s] 4/9 tests run: 3 passed, 1 timed out, 0 skipped"), (3, 1));
        assert_eq!(read("      Tests  1 failed | 11 passed (12)"), (11, 1));
        assert_eq!(read("ℹ pass 5\nℹ fail 1"), (5, 1));
        assert_eq!(read("7 passed, 1 failed, 2 skipped"), (7, 1));
        assert_eq!(read("Test Files  2 passed (2)\n3 passed the gate, 1 failed\nrunning 3 tests"), (0, 0));
    }
}
