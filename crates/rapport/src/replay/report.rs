//! The end of a replay: what happened, for people or for machines, and whether it adds up.

use std::fmt::{self, Write as _};

use rapport_types::Timestamp;
use serde::Serialize;

use super::{
    api::{Ledger, TrainedModel},
    judge::WITHIN_DAYS,
    lanes::LANES,
    latency::Percentiles,
    play::{Played, Speed},
    track::WINDOW,
};

/// Where the traffic came from.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Traffic {
    pub(super) title: String,
    pub(super) synthetic: bool,
    pub(super) customers: u64,
}

/// Whether every applied event's effect came.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Effects {
    pub(super) expected: u64,
    pub(super) received: u64,
    pub(super) scores: u64,
    pub(super) resyncs: u64,
}

/// Everything that a replay tells. Fields are added, never renamed: programs read it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) traffic: Traffic,
    /// What this replay added to the server's ledger.
    pub(super) ledger: Ledger,
    pub(super) events: u64,
    /// Lines of the file that the events stand for; a generated event is one.
    pub(super) lines: u64,
    pub(super) effects: Effects,
    /// Events that the server answered for, a second, the training's time left out.
    pub(super) events_per_second: f64,
    pub(super) seconds: f64,
    /// The load under which the times were measured.
    pub(super) load: String,
    pub(super) behind_plan_s: f64,
    /// From sending a request to the arrival of the event's effect: all of the server's work, the sync of the disk
    /// included.
    pub(super) push_ms: Option<Percentiles>,
    /// From the answer to the request to the arrival of the effect; negative if the effect came first.
    pub(super) accepted_to_push_ms: Option<Percentiles>,
    pub(super) peak_rss_mb: Option<f64>,
    pub(super) model: Option<TrainedModel>,
    /// When the training was to be; the traffic may have ended before.
    pub(super) train_until: Option<Timestamp>,
    pub(super) live_auc: Option<f64>,
    pub(super) recency_auc: Option<f64>,
    pub(super) orders_judged: u64,
    pub(super) orders_followed: u64,
    pub(super) retries: u64,
    /// What does not add up; empty if all is well.
    pub(super) problems: Vec<String>,
}

impl Report {
    pub(super) fn new(traffic: Traffic, speed: Speed, played: Played, peak_rss_mb: Option<f64>) -> Self {
        let Played { ledger, events, lines, counts, seconds, verdict, .. } = played;
        let effects = Effects {
            // On a server that others send to as well, only ours can be expected.
            expected: ledger.applied.min(events),
            received: counts.pushed,
            scores: counts.scores,
            resyncs: counts.resyncs,
        };
        let load = match speed {
            Speed::Max => format!("as fast as it goes: {LANES} connections, up to {WINDOW} events on their way"),
            Speed::Times(times) => format!("{times} times as fast as it happened"),
        };
        let mut report = Self {
            traffic,
            ledger,
            events,
            lines,
            effects,
            events_per_second: if seconds > 0.0 { counts.accepted as f64 / seconds } else { 0.0 },
            seconds,
            load,
            behind_plan_s: played.behind_plan_s,
            push_ms: played.sent_to_push,
            accepted_to_push_ms: played.accept_to_push,
            peak_rss_mb,
            model: played.model,
            train_until: played.train_until,
            live_auc: verdict.live_auc,
            recency_auc: verdict.recency_auc,
            orders_judged: verdict.judged,
            orders_followed: verdict.came_back,
            retries: counts.retries,
            problems: Vec::new(),
        };
        report.problems = report.check(counts.accepted, verdict.without_score);
        report
    }

    fn check(&self, accepted: u64, without_score: u64) -> Vec<String> {
        let mut problems = Vec::new();
        let ledger = self.ledger;
        if !ledger.balances() {
            let Ledger { accepted, applied, deduplicated, dead_lettered, erased } = ledger;
            problems.push(format!(
                "the ledger does not balance: accepted {accepted}, but applied {applied} + deduplicated {deduplicated} \
                 + dead-lettered {dead_lettered} + erased {erased}"
            ));
        }
        if accepted != self.events {
            problems.push(format!("{} events were sent and {accepted} answered", self.events));
        }
        if ledger.accepted < accepted {
            problems
                .push(format!("{accepted} events were answered as durable and {} are in the ledger", ledger.accepted));
        }
        if self.effects.received < self.effects.expected {
            let missing = self.effects.expected - self.effects.received;
            problems.push(format!("{missing} events were applied but their effects never came"));
        }
        if without_score > 0 {
            problems.push(format!("for {without_score} orders no score was pushed"));
        }
        problems
    }
}

/// A number with a comma at each thousand.
fn many(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn times(of: Option<Percentiles>) -> String {
    match of {
        Some(Percentiles { p50, p99, max }) => format!("p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms"),
        None => "nothing was pushed".to_owned(),
    }
}

fn area(auc: Option<f64>) -> String {
    auc.map_or_else(|| "not defined".to_owned(), |auc| format!("{auc:.4}"))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Traffic { title, customers, .. } = &self.traffic;
        let mut row = |name: &str, text: String| writeln!(f, "  {name:<11}{text}");
        row("traffic", title.clone())?;
        let (lines, events, customers) = (many(self.lines), many(self.events), many(*customers));
        row("", format!("{lines} lines became {events} events of {customers} known customers and others"))?;
        let Ledger { accepted, applied, deduplicated, dead_lettered, erased } = self.ledger;
        let sums = [applied, deduplicated, dead_lettered, erased].map(many);
        let [applied, deduplicated, dead_lettered, erased] = sums;
        let sum = format!(
            "applied {applied} + deduplicated {deduplicated} + dead-lettered {dead_lettered} + erased {erased}"
        );
        row("ledger", format!("accepted {} = {sum}", many(accepted)))?;
        let (received, expected) = (many(self.effects.received), many(self.effects.expected));
        row("effects", format!("{received} of {expected} came, and {} scores", many(self.effects.scores)))?;
        row("throughput", format!("{} events/s ({})", many(self.events_per_second as u64), self.load))?;
        if self.behind_plan_s > 1.0 {
            row("", format!("the traffic was up to {:.1} s behind its plan", self.behind_plan_s))?;
        }
        row("latency", format!("request sent -> pushed: {}", times(self.push_ms)))?;
        row("", format!("accepted -> pushed:     {}", times(self.accepted_to_push_ms)))?;
        let memory = self.peak_rss_mb.map_or_else(|| "not known".to_owned(), |peak| format!("{peak:.0} MB"));
        row("memory", format!("the server's peak was {memory}"))?;
        row("model", self.model_text())?;
        if self.model.is_some() {
            row("live", self.live_text())?;
        }
        for problem in &self.problems {
            row("PROBLEM", problem.clone())?;
        }
        Ok(())
    }
}

impl Report {
    fn model_text(&self) -> String {
        let Some(model) = &self.model else {
            let mark = self.train_until.map_or_else(|| "the mark".to_owned(), |mark| mark.to_string());
            return format!("none: the traffic ended before {mark}");
        };
        let TrainedModel { score, version, trained_until, rows, training_seconds, metrics } = model;
        let mut text = format!("{score} version {version}: {} moments before {trained_until}", many(*rows));
        let told = write!(text, ", trained in {training_seconds:.1} s");
        debug_assert!(told.is_ok(), "a text takes everything");
        match metrics.get("auc").and_then(serde_json::Value::as_f64) {
            Some(auc) => format!("{text}; AUC {auc:.4} in its own evaluation"),
            None => text,
        }
    }

    fn live_text(&self) -> String {
        if self.orders_judged == 0 {
            return format!("no order was {WITHIN_DAYS} days before the end of the data");
        }
        let (live, recency) = (area(self.live_auc), area(self.recency_auc));
        let (judged, followed) = (many(self.orders_judged), many(self.orders_followed));
        format!(
            "AUC {live} of what was pushed before the outcome was known, recency alone {recency}\n{:13}\
             {judged} orders, {followed} followed by another within {WITHIN_DAYS} days",
            ""
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{judge::Verdict, track::Counts};

    fn played() -> Played {
        let ledger = Ledger { accepted: 12_345, applied: 12_340, deduplicated: 5, dead_lettered: 0, erased: 0 };
        let verdict =
            Verdict { judged: 1_000, came_back: 400, without_score: 0, live_auc: Some(0.75), recency_auc: Some(0.7) };
        let percentiles = Some(Percentiles { p50: 5.0, p99: 9.0, max: 12.0 });
        Played {
            ledger,
            events: 12_345,
            lines: 541_909,
            counts: Counts { accepted: 12_345, pushed: 12_340, ..Counts::default() },
            seconds: 2.0,
            behind_plan_s: 0.0,
            sent_to_push: percentiles,
            accept_to_push: percentiles,
            model: None,
            train_until: Some(Timestamp(0)),
            verdict,
        }
    }

    fn report(played: Played) -> Report {
        let traffic = Traffic { title: "T".to_owned(), synthetic: false, customers: 4_372 };
        Report::new(traffic, Speed::Max, played, Some(142.3))
    }

    #[test]
    fn the_report_has_the_figures_for_people_and_machines() {
        let report = report(played());
        assert_eq!(report.problems, [""; 0]);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["ledger"]["accepted"], 12_345);
        assert_eq!((&json["push_ms"]["p99"], &json["live_auc"]), (&9.0.into(), &0.75.into()));
        assert_eq!(json["events_per_second"], 6_172.5);
        let text = report.to_string();
        for part in ["541,909 lines", "accepted 12,345 = applied 12,340 + deduplicated 5", "6,172 events/s", "142 MB"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn what_does_not_add_up_is_told() {
        let mut wrong = played();
        wrong.ledger.applied -= 1;
        wrong.counts.pushed -= 3;
        wrong.verdict.without_score = 7;
        let problems = report(wrong).problems;
        assert_eq!(problems.len(), 3, "{problems:#?}");
        assert!(problems[0].contains("does not balance") && problems[1].starts_with("2 events"));
        let mut lost = played();
        lost.ledger = Ledger { accepted: 10, applied: 10, ..Ledger::default() };
        lost.counts.accepted = 12_300;
        assert_eq!(report(lost).problems.len(), 2);
    }

    #[test]
    fn thousands_are_parted() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(many), ["0", "999", "1,000", "1,234,567"]);
    }
}
