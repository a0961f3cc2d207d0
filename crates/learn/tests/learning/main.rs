//! Training sets from a log, and models from histories and tables.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

#[path = "../common/mod.rs"]
mod common;
mod joined;
mod until;

use std::ops::ControlFlow;

use rapport_decide::ScoreDefinition;
use rapport_learn::{Data, LearnError, Task, Threads, TrainOptions, Trained, training_set};
use rapport_profile::{FeatureDefinition, FeatureSet};
use rapport_stream::{Append, Log, MemoryLog};
use rapport_types::{DAY_MS, Entry, Event, EventKind, Object, SourceId, Timestamp, partition_of};

use common::trained_by;

const PARTITIONS: u32 = 3;

fn order(n: u64, user: u64, at: i64) -> Event {
    Event {
        kind: EventKind::Track,
        message_id: format!("m{n}").into(),
        user_id: Some(format!("u{user}").into()),
        anonymous_id: None,
        previous_id: None,
        group_id: None,
        name: Some("Order Completed".into()),
        properties: serde_json::from_str("{\"total\": 5}").unwrap(),
        context: Object::default(),
        integrations: Object::default(),
        timestamp: Timestamp(at),
        original_timestamp: None,
        sent_at: None,
        received_at: Timestamp(at),
        source: SourceId(1),
    }
}

fn log_of(events: &[Event]) -> MemoryLog {
    let log = MemoryLog::new(PARTITIONS).unwrap();
    for event in events {
        let home = partition_of(&event.routing_id(), PARTITIONS);
        log.append(Append::one(home, Entry::Event(event.clone()).encode())).unwrap();
    }
    log
}

fn features() -> FeatureSet {
    let document = r#"[
        {"name": "orders", "event": "Order Completed", "aggregate": "count"},
        {"name": "since_previous", "event": "Order Completed", "aggregate": "recency", "n": 2},
        {"name": "newest", "event": "Order Completed", "aggregate": "sequence", "value": "total", "n": 3}]"#;
    FeatureSet::compile(&serde_json::from_str::<Vec<FeatureDefinition>>(document).unwrap()).unwrap()
}

fn score(rest: &str) -> ScoreDefinition {
    let document =
        format!(r#"{{"name": "s", "event": "Order Completed", "within": "30d", "baseline": "orders"{rest}}}"#);
    serde_json::from_str(&document).unwrap()
}

fn task(until: Option<i64>) -> Task {
    Task::new(&score(""), until.map(|day| Timestamp(day * DAY_MS))).unwrap()
}

#[test]
fn the_replay_for_a_training_set_can_be_ended() {
    let log = log_of(&[order(1, 7, 0)]);
    let set = training_set(&log, &features(), &task(None), &|_| ControlFlow::Break(()));
    assert!(matches!(set.unwrap_err(), LearnError::Ml(rapport_ml::MlError::Stopped)));
}

#[test]
fn moments_have_the_features_of_then_and_labels_only_where_the_outcome_is_known() {
    let days = [(0, 1), (1, 11), (2, 60), (3, 89), (4, 119)];
    let mut events: Vec<Event> = days.iter().map(|(n, day)| order(*n, 7, day * DAY_MS)).collect();
    events.push(order(9, 8, 100 * DAY_MS));
    events.insert(2, events[1].clone());
    let log = log_of(&events);
    let set = training_set(&log, &features(), &task(None), &|_| ControlFlow::Continue(())).unwrap();
    assert_eq!(set.names, ["orders", "since_previous"], "a sequence is no number");
    let found: Vec<(i64, f64, bool)> =
        (0..set.labels.len()).map(|row| (set.at[row].0 / DAY_MS, set.rows.row(row)[0], set.labels[row])).collect();
    // Day 119 is the last thing known, so orders after day 89 have no outcome yet. The repeat on day 11 is no moment.
    assert_eq!(found, [(1, 1.0, true), (11, 2.0, false), (60, 3.0, true), (89, 4.0, true)]);
    assert_eq!(set.open, 2);
    assert!(set.rows.row(0)[1].is_nan());
    assert!((set.rows.row(1)[1] - 10.0).abs() < 1e-9);
}

/// Labels of the moments by their day.
fn labels(events: &[Event], rest: &str) -> (Vec<(i64, bool)>, usize, usize) {
    let set = training_set(&log_of(events), &features(), &Task::new(&score(rest), None).unwrap(), &|_| {
        ControlFlow::Continue(())
    })
    .unwrap();
    let days = set.at.iter().map(|at| at.0 / DAY_MS).zip(set.labels.iter().copied()).collect();
    (days, set.open, set.unanswered)
}

fn named(n: u64, user: u64, day: i64, name: &str, properties: &str) -> Event {
    let mut event = order(n, user, day * DAY_MS);
    (event.name, event.properties) = (Some(name.into()), serde_json::from_str(properties).unwrap());
    event
}

#[test]
fn churn_is_the_absence_of_any_event() {
    let mut events = vec![order(0, 7, DAY_MS), named(1, 7, 20, "Product Viewed", "{}"), order(2, 7, 30 * DAY_MS)];
    events.push(order(3, 8, 200 * DAY_MS));
    let outcome = r#", "outcome": {"event": "*", "absent": true}"#;
    assert_eq!(labels(&events, outcome), (vec![(1, false), (30, true)], 1, 0));
}

#[test]
fn where_every_event_is_a_moment_a_day_counts_once() {
    let events: Vec<Event> =
        (0..6).map(|n| order(n, 7, (n as i64) * DAY_MS / 3)).chain([order(9, 8, 99 * DAY_MS)]).collect();
    let document = r#"{"name": "s", "event": "*", "within": "30d", "baseline": "orders", "outcome": {"absent": true}}"#;
    let task = Task::new(&serde_json::from_str(document).unwrap(), None).unwrap();
    let set = training_set(&log_of(&events), &features(), &task, &|_| ControlFlow::Continue(())).unwrap();
    assert_eq!(set.at.iter().map(|at| at.0 / DAY_MS).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((set.labels, set.customers), (vec![false, false], vec![0, 0]));
}

#[test]
fn where_only_answers_count_the_first_answer_decides_and_silence_is_no_label() {
    let answered =
        |n, user, day, rating: i64| named(n, user, day, "Survey Answered", &format!("{{\"rating\": {rating}}}"));
    let events = [
        order(0, 1, DAY_MS),
        answered(1, 1, 2, 5),
        answered(2, 1, 3, 1),
        order(3, 2, DAY_MS),
        answered(4, 2, 5, 2),
        order(5, 3, DAY_MS),
        order(6, 4, 300 * DAY_MS),
    ];
    let rest = r#", "outcome": {"event": "Survey Answered", "when": "properties.rating >= 4", "only_answered": true}"#;
    let (mut days, open, unanswered) = labels(&events, rest);
    days.sort_unstable();
    assert_eq!((days, open, unanswered), (vec![(1, false), (1, true)], 1, 1));
}

#[test]
fn nothing_at_or_after_the_limit_is_seen() {
    let events: Vec<Event> = [1, 11, 60, 89].iter().zip(0..).map(|(day, n)| order(n, 7, day * DAY_MS)).collect();
    let whole = training_set(&log_of(&events), &features(), &task(Some(60)), &|_| ControlFlow::Continue(())).unwrap();
    let before = training_set(&log_of(&events[..2]), &features(), &task(None), &|_| ControlFlow::Continue(())).unwrap();
    // Row by row: what is missing is NaN, which equals nothing.
    assert_eq!((whole.at, whole.labels, whole.open), (before.at, before.labels, before.open));
    assert_eq!(whole.rows.rows(), before.rows.rows());
}

#[test]
fn what_came_before_the_moment_in_its_instant_is_no_outcome() {
    let answered = |n| named(n, 7, 5, "Survey Answered", r#"{"rating": 5}"#);
    let outcome = r#", "outcome": {"event": "Survey Answered"}"#;
    for n in 0..8 {
        let mut before = vec![answered(100 + n), order(n, 7, 5 * DAY_MS), order(99, 8, 200 * DAY_MS)];
        assert_eq!(labels(&before, outcome).0, [(5, false)]);
        before.swap(0, 1);
        assert_eq!(labels(&before, outcome).0, [(5, true)]);
    }
}

#[test]
fn an_outcome_counts_by_its_own_time_however_late_it_was_told() {
    let view = named(1, 7, 40, "Product Viewed", "{}");
    let (first, within) = (order(0, 7, 10 * DAY_MS), order(2, 7, 20 * DAY_MS));
    // The late order is a moment, too: its features know of day 40.
    let events = [first.clone(), view, within, order(9, 8, 200 * DAY_MS)];
    assert_eq!(labels(&events, "").0, [(10, true), (40, false)]);
    let events = [first, order(2, 7, 5 * DAY_MS), order(9, 8, 200 * DAY_MS)];
    assert_eq!(labels(&events, "").0, [(10, false), (10, false)], "it was before the moment");
}

/// 300 synthetic customers: even ones order every 12 days, odd ones every 45.
fn shop() -> Vec<Event> {
    let mut events = Vec::new();
    for user in 0..300_u64 {
        let every = if user % 2 == 0 { 12 } else { 45 };
        for turn in 0..300 / every {
            let at = (turn * every + (user % 11)) as i64 * DAY_MS + user as i64 * 1_000;
            events.push(order(events.len() as u64, user, at));
        }
    }
    events.sort_by_key(|event| event.timestamp);
    events
}

fn trained(events: &[Event], options: &TrainOptions) -> Result<Trained, LearnError> {
    let set = training_set(&log_of(events), &features(), &task(None), &|_| ControlFlow::Continue(())).unwrap();
    let data = Data::of_history(&set, "returns", 30 * DAY_MS, "since_previous").unwrap();
    trained_by(Threads::new(2), &data, options)
}

#[test]
fn a_model_learns_who_comes_back_and_says_how_well() {
    let artifact = trained(&shop(), &TrainOptions::default()).unwrap().artifact;
    let (card, metrics) = (&artifact.card, &artifact.card.metrics);
    assert!(metrics["auc"] > 0.99, "{metrics:?}");
    assert!(metrics["log_loss"] < metrics["base_log_loss"], "{metrics:?}");
    let baselines: Vec<&str> = card.baselines.iter().map(|baseline| &*baseline.name).collect();
    assert_eq!((baselines.first(), baselines.contains(&"since_previous")), (Some(&"base_rate"), true));
    assert_eq!((&*card.split, card.groups), ("time", Some(300)));
    assert!(card.train_rows + card.test_rows < card.rows, "moments between are left out");
    let again = trained(&shop(), &TrainOptions::default()).unwrap().artifact;
    assert_eq!(again.to_bytes().unwrap(), artifact.to_bytes().unwrap());
}

#[test]
fn a_short_history_is_refused_with_what_is_missing() {
    let error = trained(&shop()[..60], &TrainOptions::default()).unwrap_err();
    assert!(error.to_string().contains("at least"), "{error}");
}
