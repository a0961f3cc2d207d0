//! The table: Rapport beside its peers, and what was to be reached.

use std::fmt;

use serde::Serialize;

use crate::report::{Better, number};

/// A peer's figure.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PeerFigure {
    /// Who.
    pub(crate) peer: String,
    /// In the unit of the line.
    pub(crate) measured: f64,
}

/// One line.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Line {
    /// training, serving or quality.
    pub(crate) part: &'static str,
    /// What was measured.
    pub(crate) what: String,
    /// In which unit.
    pub(crate) unit: &'static str,
    /// Which way is good.
    pub(crate) better: Better,
    /// Rapport's figure.
    pub(crate) rapport: f64,
    /// The peers', the best first.
    pub(crate) peers: Vec<PeerFigure>,
    /// Rapport's figure over the best peer's.
    pub(crate) ratio: Option<f64>,
    /// What Rapport's figure should be, if anything.
    pub(crate) target: Option<f64>,
    /// Why that.
    pub(crate) target_is: String,
    /// Whether it was reached.
    pub(crate) reached: Option<bool>,
    /// What else was seen.
    pub(crate) note: String,
}

impl Line {
    /// A line without a figure to reach.
    pub(crate) fn new(
        part: &'static str,
        what: impl Into<String>,
        unit: &'static str,
        better: Better,
        rapport: f64,
        mut peers: Vec<PeerFigure>,
    ) -> Self {
        peers.sort_by(|a, b| match better {
            Better::Less => a.measured.total_cmp(&b.measured),
            Better::More => b.measured.total_cmp(&a.measured),
        });
        let ratio = peers.first().map(|best| rapport / best.measured);
        let (what, target_is, note) = (what.into(), String::new(), String::new());
        Self { part, what, unit, better, rapport, peers, ratio, target: None, target_is, reached: None, note }
    }

    /// What the figure should be at least or at most.
    #[must_use]
    pub(crate) fn reach(mut self, target: f64, is: &str) -> Self {
        self.reached = Some(match self.better {
            Better::More => self.rapport >= target,
            Better::Less => self.rapport <= target,
        });
        self.target = Some(target);
        is.clone_into(&mut self.target_is);
        self
    }

    /// Adds what else was seen.
    #[must_use]
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn figure(&self, value: f64) -> String {
        match self.unit {
            "AUC" | "log-loss" => format!("{value:.4}"),
            _ if value.abs() < 0.095 => format!("{value:.4}"),
            _ => number(value),
        }
    }
}

/// All lines.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    /// Fewer rows and shorter times than the figures are meant for.
    pub(crate) quick: bool,
    /// Processors.
    pub(crate) cores: usize,
    /// The lines.
    pub(crate) lines: Vec<Line>,
    /// What was left out because its data are not there.
    pub(crate) skipped: Vec<String>,
    /// What could not be measured, and why.
    pub(crate) failed: Vec<String>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cores. Peers in the versions of bench/peers/requirements.txt.", self.cores)?;
        if self.quick {
            writeln!(f, "Quick: few rows and short times; the figures are not what they are in a full run.")?;
        }
        let mut part = "";
        for line in &self.lines {
            if part != line.part {
                part = line.part;
                writeln!(f, "\n{part:<66} {:>12} {:>12} {:>7}  to reach", "Rapport", "best peer", "ratio")?;
            }
            let best = line.peers.first().map_or_else(String::new, |best| line.figure(best.measured));
            let ratio = line.ratio.map_or_else(String::new, |ratio| {
                // Two digits that count, however small.
                if ratio < 0.1 { format!("{ratio:.5}") } else { format!("{ratio:.3}") }
            });
            let sign = if line.better == Better::More { "≥" } else { "≤" };
            let target = line.target.map(|target| format!("{sign} {} ({})", line.figure(target), line.target_is));
            let missed = if line.reached == Some(false) { "  NOT REACHED" } else { "" };
            let what = format!("{} [{}]", line.what, line.unit);
            let ours = line.figure(line.rapport);
            writeln!(f, "  {what:<64} {ours:>12} {best:>12} {ratio:>7}  {}{missed}", target.unwrap_or_default())?;
            let of = |peer: &PeerFigure| format!("{} {}", peer.peer, line.figure(peer.measured));
            let peers = line.peers.iter().map(of).collect::<Vec<_>>().join("; ");
            for text in [&peers, &line.note].into_iter().filter(|text| !text.is_empty()) {
                writeln!(f, "      {text}")?;
            }
        }
        let reached = |wanted| self.lines.iter().filter(|line| line.reached == Some(wanted)).count();
        writeln!(f, "\n{} figures reached, {} not", reached(true), reached(false))?;
        self.skipped.iter().try_for_each(|skipped| writeln!(f, "  SKIPPED {skipped}"))?;
        self.failed.iter().try_for_each(|failed| writeln!(f, "  FAILED  {failed}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_compares_with_the_best_peer() {
        let peers = [("slow", 8.0), ("fast", 2.0)].map(|(peer, measured)| PeerFigure { peer: peer.into(), measured });
        let line = Line::new("training", "tree", "s", Better::Less, 1.0, peers.to_vec());
        assert_eq!((line.ratio, line.peers[0].peer.as_str()), (Some(0.5), "fast"));
        let lines = vec![line.clone().reach(2.0, "the fastest"), line.reach(0.2, "a tenth of the fastest")];
        assert_eq!(lines.iter().map(|line| line.reached).collect::<Vec<_>>(), [Some(true), Some(false)]);
        let table = Table { quick: false, cores: 2, lines, skipped: vec!["it".into()], failed: Vec::new() }.to_string();
        assert_eq!(table.matches("NOT REACHED").count(), 1);
        assert!(table.contains("1 figures reached, 1 not") && table.contains("SKIPPED it"), "{table}");
    }
}
