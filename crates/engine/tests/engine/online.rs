//! Models that learn in service: what they have learnt is what the log says, whatever happens in between.

use super::*;
use rapport_decide::Lessons;
use rapport_ml::{
    Algorithm, Artifact, Card, Context, Examples, Fitted, Member, Model, References, Task,
    frame::{Column, Frame},
    pipeline::{Pipeline, PipelineOptions},
};

const SCORE: &str = "repeat_purchase";

/// An online model that was fitted on some rows of chance.
fn online() -> Box<[u8]> {
    let columns = ["orders_30d", "days_since_previous_order", "views_7d"].into_iter().zip([5, 7, 3]);
    let values = |step: usize| (0..200).map(|row| ((row * step) % 11) as f64).collect::<Vec<f64>>();
    let frame = Frame::new(columns.map(|(name, step)| Column::numbers(name, values(step))).collect()).unwrap();
    let target: Vec<f64> = (0..200).map(|row| f64::from(u8::from((row * 5) % 11 > 6))).collect();
    let rows: Vec<usize> = (0..200).collect();
    let options = PipelineOptions::new(Algorithm::OnlineLogistic.coding());
    let pipeline = Pipeline::fit(&frame, &rows, Some((&target, Task::Binary)), &options).unwrap();
    let matrix = pipeline.apply_training(&frame, &rows, &target).unwrap();
    let examples = Examples::new(&matrix, pipeline.kinds(), Task::Binary, &target);
    let fitted = Algorithm::OnlineLogistic.learner(1).fit(&examples, None, &Context::serial()).unwrap();
    assert!(matches!(fitted, Fitted::OnlineLogistic(_)));
    let member = Member { pipeline: 0, weight: 1.0, fitted };
    let model = Model::new(Task::Binary, vec![pipeline], vec![member], None).unwrap();
    let artifact = Artifact { card: Card::default(), model, references: References::default(), report: None };
    artifact.to_bytes().unwrap().into()
}

fn activation(version: u32, artifact: Box<[u8]>, at: i64) -> Activation {
    Activation { score: SCORE.into(), version: Some(version), artifact, at: Timestamp(START + at) }
}

fn trial(version: u32, artifact: Box<[u8]>, at: i64) -> Trial {
    let (mode, at) = (TrialMode::Shadow, Timestamp(START + at));
    Trial { score: SCORE.into(), version: Some(version), artifact, mode, at }
}

fn lessons(engine: &Engine, version: u32) -> Lessons {
    engine.reader().lessons(SCORE, version).unwrap()
}

/// Devices that change hands, and customers who come back early or late.
fn mixed(devices: u32) -> Vec<Event> {
    let mut events = history_with(devices);
    events.extend(shop());
    events.sort_by_key(|event| event.timestamp);
    events
}

/// A log with an online model in service from its beginning.
fn begun() -> Arc<dyn Log> {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    define(&log, 1, &Definitions::retail());
    control(&log, &Entry::Activation(activation(1, online(), 1)));
    log
}

#[test]
fn what_a_model_learns_follows_from_the_log() {
    for devices in [23, 31, 5] {
        let log = begun();
        send(&log, &mixed(devices));
        let engine = start(&log, &Arc::default(), &Arc::default()).unwrap();
        engine.wait_until_caught_up().unwrap();
        let (live, learnt) = (engine.digest(), lessons(&engine, 1));
        assert!(learnt.learnt > 100 && learnt.positives < learnt.learnt, "{}", learnt.learnt);
        assert!(learnt.waiting > 0);
        assert_ne!(learnt.said.log_loss(), learnt.as_registered.log_loss(), "it has become another model");
        engine.stop().unwrap();
        assert_eq!(rebuild_digest(&log).unwrap().digest, live, "{devices} devices");
    }
}

#[test]
fn what_was_learnt_survives_a_restart_anywhere() {
    for cut in [0, 3, 200, 500] {
        let (store, log) = (Arc::default(), begun());
        send(&log, &mixed(23)[..cut]);
        run(&log, &store);
        send(&log, &mixed(23)[cut..]);
        // What partitions make for each other stands where the restart left it: only runs of one log can be compared.
        let state = |store: &Arc<MemoryCheckpoint>| {
            let engine = start(&log, store, &Arc::default()).unwrap();
            engine.wait_until_caught_up().unwrap();
            let state = (engine.digest(), lessons(&engine, 1));
            engine.stop().unwrap();
            state
        };
        let restarted = state(&store);
        assert!(restarted.1.learnt > 100);
        assert_eq!(state(&Arc::default()), restarted, "cut at {cut}");
        assert_eq!(state(&store), restarted, "a checkpoint of all");
        assert_eq!(rebuild_digest(&log).unwrap().digest, restarted.0);
    }
}

#[test]
fn new_definitions_in_the_middle_leave_live_and_replayed_models_equal() {
    for devices in [23, 5] {
        let log = begun();
        let engine = start(&log, &Arc::default(), &Arc::default()).unwrap();
        // Not settled: what partitions made for each other may be on its way when the definitions come.
        send(&log, &mixed(devices)[..350]);
        let mut definitions = Definitions::retail();
        definitions.segments.truncate(2);
        define(&log, 2, &definitions);
        send(&log, &mixed(devices)[350..]);
        engine.wait_until_caught_up().unwrap();
        let (live, learnt) = (engine.digest(), lessons(&engine, 1));
        assert!(learnt.learnt > 100, "{}", learnt.learnt);
        engine.stop().unwrap();
        assert_eq!(rebuild_digest(&log).unwrap().digest, live, "{devices} devices");
    }
}

/// Customers who order every 10 or every 40 days, for 200 days.
fn shop() -> Vec<Event> {
    let mut orders = Vec::new();
    for day in 0..200_u32 {
        for user in 0..12_u32 {
            let every = if user % 2 == 0 { 10 } else { 40 };
            if day % every == user % every {
                let (n, user) = (1_000 + day * 100 + user, format!("s{user}"));
                orders.push(event(n, Some(&user), None, i64::from(day), EventKind::Track, "Order Completed"));
            }
        }
    }
    orders
}

#[test]
fn outcomes_are_learnt_when_they_come_or_their_time_is_over() {
    let log = begun();
    let engine = start(&log, &Arc::default(), &Arc::default()).unwrap();
    let order = |n, user: &str, day| event(n, Some(user), None, day, EventKind::Track, "Order Completed");
    let told = |events: &[Event]| {
        send(&log, events);
        engine.wait_until_caught_up().unwrap();
        let lessons = lessons(&engine, 1);
        (lessons.learnt, lessons.positives, lessons.waiting)
    };
    assert_eq!(told(&[order(5, "early", 0), order(6, "late", 0)]), (0, 0, 2));
    assert_eq!(told(&[order(4, "early", 30)]), (1, 1, 2), "a millisecond less than 30 days");
    assert_eq!(told(&[order(7, "late", 30)]), (2, 1, 2), "a millisecond more");
    assert_eq!(told(&[order(7, "late", 30)]), (2, 1, 2), "a repeat is nothing");
    let device = event(8, None, Some("d"), 31, EventKind::Track, "Order Completed");
    assert_eq!(told(&[device]), (2, 1, 2), "of people who are not known nobody learns");
    // The time of each partition is that of its newest event.
    let visits: Vec<Event> =
        (0..20).map(|n| event(100 + n, Some(&format!("v{n}")), None, 90, EventKind::Page, "")).collect();
    assert_eq!(told(&visits), (4, 1, 0), "nobody came, and the time is over");
    engine.stop().unwrap();
}

#[test]
fn what_happened_before_a_moment_decides_nothing_of_it_when_it_is_told_late() {
    let log = begun();
    let engine = start(&log, &Arc::default(), &Arc::default()).unwrap();
    let order = |n, day| event(n, Some("u"), None, day, EventKind::Track, "Order Completed");
    let told = |events: &[Event]| {
        send(&log, events);
        engine.wait_until_caught_up().unwrap();
        let lessons = lessons(&engine, 1);
        (lessons.learnt, lessons.positives, lessons.waiting)
    };
    assert_eq!(told(&[order(1, 10)]), (0, 0, 1));
    assert_eq!(told(&[order(2, 5)]), (0, 0, 2), "from before the moment");
    assert_eq!(told(&[order(3, 12)]), (2, 2, 1));
    // The partition's clock is past the time of the moment, so it is closed; what comes late does not open it.
    let view = event(4, Some("u"), None, 50, EventKind::Track, "Product Viewed");
    assert_eq!(told(&[view]), (3, 2, 0));
    assert_eq!(told(&[order(5, 20)]), (3, 2, 1));
    assert_eq!(rebuild_digest(&log).unwrap().digest, engine.digest());
    engine.stop().unwrap();
}

#[test]
fn a_model_that_learns_does_better_than_it_did_when_it_was_registered() {
    let log = begun();
    send(&log, &shop());
    let engine = start(&log, &Arc::default(), &Arc::default()).unwrap();
    engine.wait_until_caught_up().unwrap();
    let learnt = lessons(&engine, 1);
    let figures = (learnt.said.log_loss().unwrap(), learnt.as_registered.log_loss().unwrap());
    assert!(figures.0 < figures.1 * 0.9, "{figures:?}, {:?} without a model", learnt.base_log_loss());
    engine.stop().unwrap();
}

#[test]
fn what_was_learnt_on_trial_is_kept_in_service_and_after_a_break() {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    let store = Arc::default();
    define(&log, 1, &Definitions::retail());
    control(&log, &Entry::Activation(activation(1, artifact(1.0), 1)));
    control(&log, &Entry::Trial(trial(2, online(), 2)));
    let (first, second) = (&shop()[..60], &shop()[60..100]);
    send(&log, first);
    run(&log, &store);
    let engine = start(&log, &store, &Arc::default()).unwrap();
    let on_trial = lessons(&engine, 2);
    assert!(on_trial.learnt > 10 && engine.reader().lessons(SCORE, 1).is_none());
    let settle = |entry: &Entry| {
        control(&log, entry);
        engine.wait_until_caught_up().unwrap();
    };
    settle(&Entry::Activation(activation(2, online(), 3)));
    assert_eq!(lessons(&engine, 2), on_trial, "it goes on, and still waits for what it waited for");
    settle(&Entry::Activation(activation(1, artifact(1.0), 4)));
    assert!(engine.reader().lessons(SCORE, 2).is_none());
    send(&log, second);
    settle(&Entry::Trial(trial(2, online(), 5)));
    let after = lessons(&engine, 2);
    assert_eq!((after.learnt, after.waiting), (on_trial.learnt, 0), "it goes on from where it was, and waits anew");
    engine.stop().unwrap();
    send(&log, &shop()[100..]);
    let engine = start(&log, &store, &Arc::default()).unwrap();
    engine.wait_until_caught_up().unwrap();
    assert!(lessons(&engine, 2).learnt > after.learnt);
    let live = engine.digest();
    engine.stop().unwrap();
    assert_eq!(rebuild_digest(&log).unwrap().digest, live);
}

#[test]
fn a_rollback_puts_back_the_trial_that_the_activation_had_ended() {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(PARTITIONS).unwrap());
    let store = Arc::default();
    define(&log, 1, &Definitions::retail());
    control(&log, &Entry::Activation(activation(1, artifact(1.0), 1)));
    control(&log, &Entry::Trial(trial(2, online(), 2)));
    send(&log, &shop()[..80]);
    let engine = start(&log, &store, &Arc::default()).unwrap();
    engine.wait_until_caught_up().unwrap();
    let before = (engine.digest(), lessons(&engine, 2), engine.reader().challenger(SCORE));
    control(&log, &Entry::Activation(activation(2, online(), 3)));
    engine.wait_until_caught_up().unwrap();
    let earlier = engine.reader().earlier(SCORE).unwrap();
    let ended = earlier.trial.unwrap();
    assert_eq!((earlier.version, ended.version, ended.mode), (1, 2, TrialMode::Shadow));
    engine.stop().unwrap();
    let engine = start(&log, &store, &Arc::default()).unwrap();
    assert_eq!(engine.reader().earlier(SCORE), Some(earlier), "a checkpoint keeps it");
    let again = Trial { at: ended.at, ..trial(2, online(), 0) };
    let rollback = Rollback { activation: activation(1, artifact(1.0), 4), trial: Some(again) };
    control(&log, &Entry::Rollback(rollback));
    engine.wait_until_caught_up().unwrap();
    assert_eq!((engine.digest(), lessons(&engine, 2), engine.reader().challenger(SCORE)), before);
    assert_eq!((engine.reader().champion(SCORE), engine.reader().earlier(SCORE)), (Some(1), None));
    engine.stop().unwrap();
    assert_eq!(rebuild_digest(&log).unwrap().digest, before.0);
}

#[test]
fn customers_who_are_joined_and_parted_teach_nothing_wrong() {
    for devices in [23, 5] {
        let (store, log, events) = (Arc::default(), begun(), mixed(devices));
        let same_as_from_the_log = |engine: &Engine, what: &str| {
            engine.wait_until_caught_up().unwrap();
            assert_eq!(rebuild_digest(&log).unwrap().digest, engine.digest(), "{what}, {devices} devices");
            let mut awaited = BTreeMap::new();
            for name in (0..30).flat_map(|n| [format!("u{n}"), format!("s{n}")]) {
                engine.reader().customer(&CustomerId::User(name.into()), |_, _, profile, _| {
                    let moments: usize = profile.awaited.iter().map(|of_model| of_model.moments.len()).sum();
                    awaited.insert(profile.primary.to_string(), moments as i64);
                });
            }
            assert_eq!(lessons(engine, 1).waiting, awaited.values().sum::<i64>(), "{what}, {devices} devices");
        };
        let engine = start(&log, &store, &Arc::default()).unwrap();
        send(&log, &events[..200]);
        join(&log, &["s0", "s1", "s2", "u1"]);
        send(&log, &events[200..300]);
        same_as_from_the_log(&engine, "joined");
        join(&log, &["s1", "s0", "u1"]);
        send(&log, &events[300..350]);
        same_as_from_the_log(&engine, "with another first");
        engine.stop().unwrap();
        let engine = start(&log, &store, &Arc::default()).unwrap();
        send(&log, &events[350..450]);
        same_as_from_the_log(&engine, "after a restart");
        ["s0", "s1", "u1"].iter().for_each(|name| join(&log, &[name]));
        send(&log, &events[450..]);
        same_as_from_the_log(&engine, "taken apart");
        assert!(lessons(&engine, 1).learnt > 50);
        engine.stop().unwrap();
    }
}
