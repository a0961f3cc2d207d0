//! The table: what was to be reached and what was measured, beside what the machine itself can do.

use std::{fmt, io::Write as _, sync::LazyLock, time::Instant};

use serde::Serialize;

/// Whether more or less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Better {
    /// At least.
    More,
    /// At most.
    Less,
}

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    /// The name for `--only`.
    pub(crate) name: &'static str,
    /// What was measured.
    pub(crate) what: String,
    /// What it should be.
    pub(crate) target: f64,
    /// Which side of it is good.
    pub(crate) better: Better,
    /// What it was.
    pub(crate) measured: f64,
    /// In which unit both are.
    pub(crate) unit: &'static str,
    /// Whether it was reached.
    pub(crate) reached: bool,
    /// How it was measured, and what else was seen.
    pub(crate) note: String,
}

impl Row {
    /// A line that is reached by `measured >= target` or `measured <= target`.
    pub(crate) fn new(
        name: &'static str,
        what: &str,
        better: Better,
        target: f64,
        measured: f64,
        unit: &'static str,
    ) -> Self {
        let reached = match better {
            Better::More => measured >= target,
            Better::Less => measured <= target,
        };
        Self { name, what: what.to_owned(), target, better, measured, unit, reached, note: String::new() }
    }

    /// Adds how it was measured.
    #[must_use]
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// What the machine can do.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Machine {
    /// Processors.
    pub(crate) cores: usize,
    /// fdatasync after an append of 4 KiB, in milliseconds.
    pub sync_p50_ms: f64,
    /// The same at the 99th percentile.
    pub sync_p99_ms: f64,
    /// Entries of 400 bytes a second, appended and synced by the thousand.
    pub(crate) append_per_second: f64,
    /// Requests a second of the bare server, 64 in flight.
    pub bare_64_per_second: f64,
    /// The bare server's answer to one request in flight, in milliseconds.
    pub bare_p50_ms: f64,
    /// The same at the 99th percentile.
    pub bare_p99_ms: f64,
}

/// Everything.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Smaller loads and shorter times than the figures are meant for.
    pub(crate) quick: bool,
    /// The machine.
    pub(crate) machine: Machine,
    /// The table.
    pub(crate) rows: Vec<Row>,
    /// What could not be measured, and why.
    pub(crate) failed: Vec<String>,
}

/// A number as people read it: three digits that count, thousands apart.
pub(crate) fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What is being done and since when, on standard error, so that standard output is the report alone.
pub(crate) fn say(what: &str) {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let since = BEGUN.elapsed().as_secs();
    let _told = writeln!(std::io::stderr(), "{since:4} s  measuring: {what}").is_ok();
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        writeln!(f, "The machine: {} cores, shared by client and server", machine.cores)?;
        writeln!(
            f,
            "  fdatasync of an append          p50 {:.2} ms, p99 {:.2} ms",
            machine.sync_p50_ms, machine.sync_p99_ms
        )?;
        writeln!(f, "  raw append, 1,000 x 400 B/sync  {} entries/s", number(machine.append_per_second))?;
        writeln!(f, "  bare axum, 64 in flight         {} requests/s", number(machine.bare_64_per_second))?;
        writeln!(
            f,
            "  bare axum, 1 in flight          p50 {:.3} ms, p99 {:.3} ms",
            machine.bare_p50_ms, machine.bare_p99_ms
        )?;
        if self.quick {
            writeln!(f, "\nQuick: short and small; the figures are not what they are in a full run.")?;
        }
        write_rows(f, &self.rows, &self.failed)
    }
}

/// The lines of the table, and what could not be measured.
pub(crate) fn write_rows(f: &mut fmt::Formatter<'_>, rows: &[Row], failed: &[String]) -> fmt::Result {
    writeln!(f, "\n  {:<52} {:>14} {:>14}  {:<9}", "what", "to reach", "measured", "unit")?;
    for row in rows {
        let sign = if row.better == Better::More { "≥" } else { "≤" };
        let target = format!("{sign} {}", number(row.target));
        let mark = if row.reached { "" } else { "  not reached" };
        writeln!(f, "  {:<52} {target:>14} {:>14}  {:<9}{mark}", row.what, number(row.measured), row.unit)?;
        if !row.note.is_empty() {
            writeln!(f, "      {}", row.note)?;
        }
    }
    for failed in failed {
        writeln!(f, "  FAILED  {failed}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_what_was_not_reached() {
        let rows = vec![
            Row::new("a", "events", Better::More, 100_000.0, 123_456.4, "/s"),
            Row::new("b", "start", Better::Less, 2.0, 2.5, "s").note("slow"),
        ];
        assert_eq!(rows.iter().map(|row| row.reached).collect::<Vec<_>>(), [true, false]);
        let text = Report { quick: false, machine: Machine::default(), rows, failed: Vec::new() }.to_string();
        assert!(text.contains("123,456") && text.contains("≤ 2.00") && text.contains("2.50"), "{text}");
        assert_eq!(text.matches("not reached").count(), 1);
    }
}
