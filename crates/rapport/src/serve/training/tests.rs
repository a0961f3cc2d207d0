//! The whole room over a log in memory and a running engine: a shop whose customers come back early or late.

use rapport_decide::Effect;
use rapport_engine::{Engine, EngineOptions, Sink};
use rapport_ml::onnx::{Linear, export_linear};
use rapport_server::{
    api::{JobState, Origin, TrialKind},
    ports::Language,
};
use rapport_stream::{Append, MemoryLog};
use rapport_types::{
    DAY_MS, DefinitionsChanged, Duration, Entry, Event, EventKind, Object, Offset, PartitionId, SourceId, partition_of,
};

use super::*;
use crate::data::append_to_all;

const SCORE: &str = "comes_back";
/// Behind every order.
const NOW: Timestamp = Timestamp(1_000 * DAY_MS);

struct Nobody;

impl Sink for Nobody {
    fn deliver(&self, _: PartitionId, _: &[(Offset, u32, Effect)]) {}

    fn reset(&self) {}
}

struct World {
    trainer: Trainer,
    engine: Engine,
    _folder: tempfile::TempDir,
}

fn order(n: usize, user: u64, at: i64) -> Event {
    Event {
        kind: EventKind::Track,
        message_id: format!("m{n}").into(),
        user_id: Some(format!("u{user}").into()),
        anonymous_id: None,
        previous_id: None,
        group_id: None,
        name: Some("Order Completed".into()),
        properties: Object::default(),
        context: Object::default(),
        integrations: Object::default(),
        timestamp: Timestamp(at),
        original_timestamp: None,
        sent_at: None,
        received_at: Timestamp(at),
        source: SourceId(1),
    }
}

/// Even customers order every 12 days, odd ones every 45, from one day to another.
fn orders(from: u64, to: u64) -> Vec<Event> {
    let mut orders: Vec<(i64, u64)> = (0..60)
        .flat_map(|user| {
            let every = if user % 2 == 0 { 12 } else { 45 };
            (0..to / every).map(move |turn| (turn * every + user % 11, user))
        })
        .filter(|(day, _)| (from..to).contains(day))
        .map(|(day, user)| (day as i64 * DAY_MS + user as i64 * 1_000, user))
        .collect();
    orders.sort_unstable();
    orders.into_iter().map(|(at, user)| order(at as usize, user, at)).collect()
}

impl World {
    /// A shop with a history, and a score that is trained again as told.
    fn new(retrain: &str, days: u64) -> Self {
        let log: Arc<dyn Log> = Arc::new(MemoryLog::new(2).unwrap());
        let document = format!(
            r#"{{"features": [{{"name": "orders", "event": "Order Completed", "aggregate": "count"}},
                {{"name": "since", "event": "Order Completed", "aggregate": "recency", "n": 2}}],
              "scores": [{{"name": "{SCORE}", "event": "Order Completed", "within": "30d", "baseline": "since",
                "retrain": {retrain}}}]}}"#
        );
        let definitions = DefinitionsChanged { version: 1, document: document.into(), at: Timestamp(0) };
        append_to_all(&*log, &Entry::Definitions(definitions)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path()).unwrap());
        let checkpoints: Arc<dyn rapport_store::Checkpoint> = Arc::<SqliteStore>::clone(&store);
        let engine = Engine::start(Arc::clone(&log), checkpoints, Arc::new(Nobody), EngineOptions::default()).unwrap();
        let trainer = Trainer {
            log,
            store,
            reader: engine.reader(),
            calibrations: Arc::default(),
            jobs: Arc::default(),
            measurements: Arc::default(),
            clock: || NOW,
        };
        let world = Self { trainer, engine, _folder: folder };
        world.send(&orders(0, days));
        world
    }

    fn send(&self, events: &[Event]) {
        let partitions = self.trainer.log.partitions();
        let entry =
            |event: &Event| (partition_of(&event.routing_id(), partitions), Entry::Event(event.clone()).encode());
        let entries = events.iter().map(entry).collect();
        self.trainer.log.append(Append { entries }).unwrap().wait().unwrap();
        self.settle();
    }

    /// Everything in the log is applied.
    fn settle(&self) {
        self.engine.wait_until_caught_up().unwrap();
    }

    /// The job as it ended.
    fn ended(&self, id: &str) -> Job {
        let mut watching = self.trainer.job(id).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let job = runtime.block_on(watching.wait_for(|job| job.state != JobState::Running)).unwrap().clone();
        self.settle();
        job
    }

    fn train(&self) -> u32 {
        let job = self.ended(&self.trainer.start(&request()).unwrap());
        assert_eq!((job.state, job.error), (JobState::Done, None));
        job.version.unwrap()
    }

    fn model(&self, version: u32) -> ModelDetail {
        self.trainer.model(SCORE, version).unwrap().unwrap()
    }

    fn activate(&self, version: u32) {
        self.trainer.activate(SCORE, version).unwrap();
        self.settle();
    }

    /// The scheduler's look so long after the models were made; the job that it began.
    fn look_after(&self, span: i64) -> Option<Job> {
        let before = self.trainer.jobs().len();
        self.trainer.look(NOW.plus(Duration(span)), &mut std::collections::BTreeMap::new());
        let jobs = self.trainer.jobs();
        (jobs.len() > before).then(|| self.ended(&jobs[0].id))
    }

    fn trial(&self) -> Option<(u32, TrialKind, Option<u32>)> {
        let models = self.trainer.models().unwrap();
        models.into_iter().find_map(|model| model.trial.map(|trial| (model.version, trial.mode, trial.percent)))
    }
}

impl World {
    /// All labelled moments of the log.
    fn moments(&self) -> rapport_learn::TrainingSet {
        let definitions = self.trainer.definitions().unwrap();
        let features = FeatureSet::compile(&definitions.features).unwrap();
        let task = Task::new(&definitions.scores[0], None).unwrap();
        training_set(&*self.trainer.log, &features, &task, &|_| ControlFlow::Continue(())).unwrap()
    }
}

fn request() -> TrainRequest {
    TrainRequest { score: SCORE.to_owned(), ..TrainRequest::default() }
}

fn challenge(mode: TrialKind, percent: Option<u32>) -> ChallengeRequest {
    ChallengeRequest { mode, percent }
}

#[test]
fn a_model_is_trained_told_and_taken_along() {
    let world = World::new("{}", 300);
    assert!(matches!(world.trainer.start(&TrainRequest::default()), Err(Refusal::Invalid { .. })));
    let odd = TrainRequest { algorithm: Some("guessing".to_owned()), ..request() };
    assert!(matches!(world.trainer.start(&odd), Err(Refusal::Invalid { field, .. }) if field == "algorithm"));
    assert!(world.trainer.jobs().is_empty(), "what is refused is no job");

    let job = world.ended(&world.trainer.start(&request()).unwrap());
    assert_eq!((job.state, job.step, job.progress, job.version), (JobState::Done, JobStep::Ended, 1.0, Some(1)));
    assert!(job.trials == 3 && job.best.is_some_and(|best| best.metric == "log_loss" && best.value > 0.0));
    assert_eq!(job.started_at, NOW);

    let detail = world.model(1);
    let model = &detail.model;
    assert!(["logistic_regression", "gradient_boosting", "ensemble"].contains(&&*model.algorithm), "{model:?}");
    assert_eq!((model.origin, model.active), (Origin::Trained, false));
    assert!(model.rows > 500 && model.training_range.is_some() && model.trial.is_none());
    assert!(detail.card.get("inputs").is_some());
    assert_eq!(world.trainer.models().unwrap(), std::slice::from_ref(model));
    assert!(world.trainer.calibrations.read().of(SCORE, 1).is_some());

    let artifact = world.trainer.document(SCORE, 1, ModelForm::Artifact).unwrap().unwrap();
    let imported = world.trainer.import(SCORE, &artifact, &[]).unwrap();
    assert_eq!((imported.version, imported.inputs), (2, vec!["orders".to_owned(), "since".to_owned()]));
    assert_eq!((world.model(2).model.origin, world.model(2).model.rows), (Origin::Imported, model.rows));
    assert_eq!(world.model(2).card, detail.card);
}

#[test]
fn what_is_no_model_of_this_shop_is_not_imported() {
    let world = World::new("{}", 40);
    let import = |score: &str, text: &str| world.trainer.import(score, text.as_bytes(), &[]).unwrap_err();
    assert!(matches!(import("other", "{}"), Refusal::NotFound(_)));
    assert!(matches!(import(SCORE, "?"), Refusal::Invalid { field, .. } if field == "body"));
    let foreign = r#"{"format":1,"algorithm":"logistic_regression","intercept":0.0,"ridge":1.0,"rows":9,"inputs":[
        {"name":"weather","transform":"identity","mean":1.0,"deviation":1.0,"missing_rate":0.0,"weight":1.0,
        "missing_weight":0.0}]}"#;
    assert!(matches!(import(SCORE, foreign), Refusal::Invalid { what, .. } if what.contains("weather")));
    assert!(world.trainer.models().unwrap().is_empty());
}

#[test]
fn a_model_leaves_as_onnx_and_as_a_page_and_comes_back_as_one_of_another_program() {
    let world = World::new("{}", 300);
    let boosted = TrainRequest { algorithm: Some("gradient_boosting".to_owned()), ..request() };
    assert_eq!(world.ended(&world.trainer.start(&boosted).unwrap()).error, None);
    let report = world.trainer.document(SCORE, 1, ModelForm::Report(Language::Chinese)).unwrap().unwrap();
    assert!(String::from_utf8(report).unwrap().contains("泄漏"));
    let onnx = world.trainer.document(SCORE, 1, ModelForm::Onnx).unwrap().unwrap();
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
    let one = world.trainer.import(SCORE, &onnx, &named(&["orders"]));
    assert!(matches!(one, Err(Refusal::Invalid { what, .. }) if what.contains("takes 2 columns")));
    let imported = world.trainer.import(SCORE, &onnx, &named(&["orders", "since"])).unwrap();
    assert_eq!((imported.version, imported.inputs), (2, named(&["orders", "since"])));
    assert_eq!(world.model(2).model.algorithm, "onnx");
    world.activate(2);
    assert!(world.model(2).model.active);
    assert!(matches!(
        world.trainer.document(SCORE, 2, ModelForm::Report(Language::English)),
        Err(Refusal::Conflict(_))
    ));
}

#[test]
fn models_in_service_and_on_trial_are_watched() {
    let world = World::new("{}", 300);
    let calm = world.trainer.monitor(SCORE).unwrap();
    assert_eq!((calm.champion, calm.challenger, calm.comparison), (None, None, None));
    world.train();
    world.trainer.import(SCORE, sure(3.0).as_bytes(), &[]).unwrap();
    world.activate(1);
    world.trainer.challenge(SCORE, 2, &challenge(TrialKind::Shadow, None)).unwrap();
    world.settle();
    let watched = world.trainer.monitor(SCORE).unwrap();
    let champion = watched.champion.unwrap();
    assert_eq!((champion.version, watched.challenger.unwrap().version), (1, 2));
    let rows: u64 = champion.weeks.iter().map(|week| week.rows).sum();
    assert!(rows > 100 && champion.weeks.is_sorted_by_key(|week| week.from), "{champion:?}");
    // A Monday.
    assert!(champion.weeks.iter().all(|week| week.from.0.div_euclid(DAY_MS).rem_euclid(7) == 4));
    let names: Vec<&str> = champion.inputs.iter().map(|input| &*input.feature).collect();
    assert!(names.contains(&"orders") && names.contains(&"since"), "{names:?}");
    assert!(champion.drift.unwrap() >= champion.score_psi.unwrap());
    assert_eq!(watched.comparison, None, "no moment is younger than the trial");
}

#[test]
fn what_is_not_there_is_told_as_such() {
    let world = World::new("{}", 40);
    assert_eq!(world.trainer.model(SCORE, 1), Ok(None));
    assert_eq!(world.trainer.document(SCORE, 1, ModelForm::Onnx), Ok(None));
    assert!(matches!(world.trainer.activate(SCORE, 1), Err(Refusal::NotFound(_))));
    assert!(matches!(
        world.trainer.challenge(SCORE, 1, &challenge(TrialKind::Shadow, None)),
        Err(Refusal::NotFound(_))
    ));
    assert!(matches!(world.trainer.rollback(SCORE, None), Err(Refusal::Conflict(_))));
    assert!(matches!(world.trainer.end_trial(SCORE), Err(Refusal::Conflict(_))));
    assert!(matches!(world.trainer.monitor("other"), Err(Refusal::NotFound(_))));
    assert!(world.trainer.job("1").is_none() && world.trainer.cancel("1").is_err());
}

#[test]
fn a_model_lives_from_trial_to_service_and_back() {
    let world = World::new("{}", 300);
    assert_eq!((world.train(), world.train(), world.train()), (1, 2, 3));
    let shadow = challenge(TrialKind::Shadow, None);
    let refused = world.trainer.challenge(SCORE, 2, &shadow);
    assert!(matches!(refused, Err(Refusal::Conflict(what)) if what.contains("nothing to challenge")));
    world.activate(1);
    assert!(world.model(1).model.active && !world.model(2).model.active);
    assert!(matches!(world.trainer.challenge(SCORE, 1, &shadow), Err(Refusal::Conflict(_))));
    for (request, told) in [
        (shadow.clone(), (2, TrialKind::Shadow, None)),
        (challenge(TrialKind::Canary, None), (2, TrialKind::Canary, Some(10))),
        (challenge(TrialKind::Canary, Some(25)), (2, TrialKind::Canary, Some(25))),
    ] {
        world.trainer.challenge(SCORE, 2, &request).unwrap();
        world.settle();
        assert_eq!(world.trial(), Some(told));
    }
    assert_eq!(world.model(2).model.trial.unwrap().since, NOW);
    world.trainer.end_trial(SCORE).unwrap();
    world.settle();
    assert_eq!(world.trial(), None);
    assert!(matches!(world.trainer.end_trial(SCORE), Err(Refusal::Conflict(_))));

    world.trainer.challenge(SCORE, 3, &shadow).unwrap();
    world.activate(2);
    assert_eq!(world.trial(), None, "what it was compared with has changed");
    world.activate(3);
    let back = || {
        let answer = world.trainer.rollback(SCORE, None).map(|back| (back.version, back.on_trial));
        world.settle();
        answer
    };
    let stale = world.trainer.rollback(SCORE, Some(2));
    assert!(matches!(stale, Err(Refusal::Conflict(what)) if what.contains("but 3 is")), "an undo of what is over");
    assert_eq!(back(), Ok((2, None)));
    assert_eq!(back(), Ok((1, Some(3))), "what the activation of 2 had ended goes on");
    assert_eq!(world.trial(), Some((3, TrialKind::Shadow, None)));
    assert_eq!(world.model(3).model.trial.unwrap().since, NOW);
    assert!(world.model(1).model.active);
    assert!(matches!(back(), Err(Refusal::Conflict(_))));
}

#[test]
fn a_model_that_learns_in_service_learns_from_the_moments_of_a_training_set() {
    let world = World::new("{}", 200);
    let online = TrainRequest { algorithm: Some("online_logistic".to_owned()), ..request() };
    assert_eq!(world.ended(&world.trainer.start(&online).unwrap()).error, None);
    assert_eq!(world.model(1).model.algorithm, "online_logistic");
    assert!(world.model(1).model.metrics.get("auc").and_then(rapport_types::Value::as_f64).unwrap() > 0.8);
    world.activate(1);
    let begun = world.trainer.monitor(SCORE).unwrap().champion.unwrap().learning.unwrap();
    assert_eq!((begun.outcomes, begun.waiting, begun.auc, begun.log_loss), (0, 0, None, None));
    world.send(&orders(200, 400));
    let learnt = world.trainer.monitor(SCORE).unwrap().champion.unwrap().learning.unwrap();

    let set = world.moments();
    let since = set.at.partition_point(|at| *at < Timestamp(200 * DAY_MS));
    let closed = (set.at.len() - since) as u64;
    let positives = set.labels[since..].iter().filter(|label| **label).count() as u64;
    assert_eq!(learnt.outcomes + learnt.waiting, closed + set.open as u64);
    // What came just now is known to the model and not to the set, as its time is not over; by the machine's clock all is over.
    assert!(learnt.outcomes >= closed && learnt.positives >= positives && learnt.outcomes > 400, "{learnt:?}");
    let (missed, of_set) = (learnt.outcomes - learnt.positives, closed - positives);
    assert!(missed >= of_set && missed <= of_set + set.open as u64, "{learnt:?} {of_set}");
    assert!(learnt.auc.unwrap() > 0.7 && learnt.log_loss < learnt.base_log_loss, "{learnt:?}");
}

#[test]
fn a_model_that_learns_is_watched_as_it_had_learnt_by_each_moment() {
    let world = World::new("{}", 200);
    let online = TrainRequest { algorithm: Some("online_logistic".to_owned()), ..request() };
    assert_eq!(world.ended(&world.trainer.start(&online).unwrap()).error, None);
    world.activate(1);
    // All are seen once more when the time of every moment is over, in the log as by the machine's clock.
    let seen = |user: u64| {
        let at = 900 * DAY_MS + user as i64;
        Event { name: Some("Seen".into()), ..order(at as usize, user, at) }
    };
    world.send(&orders(200, 400).into_iter().chain((0..60).map(seen)).collect::<Vec<Event>>());
    let set = world.moments();
    let since = set.at.partition_point(|at| *at < Timestamp(200 * DAY_MS));
    let there: Vec<bool> = set.served.iter().map(|served| served.has(1)).collect();
    assert!(!there[..since].contains(&true) && !there[since..].contains(&false), "it came between two orders");
    let artifact = world.trainer.document(SCORE, 1, ModelForm::Artifact).unwrap().unwrap();
    let artifact = rapport_ml::Artifact::from_bytes(&artifact).unwrap();
    let all: Vec<usize> = (0..set.at.len()).collect();
    let as_registered = answers::answers(&artifact, &set, &all, |_| false).unwrap();
    let told = answers::answers(&artifact, &set, &all, |row| there[row]).unwrap();
    let loss = |answers: &[f64], from: usize| {
        let actual: Vec<f64> = set.labels.iter().map(|label| f64::from(u8::from(*label))).collect();
        rapport_ml::metrics::log_loss(&rapport_ml::metrics::Answers::new(&answers[from..], &actual[from..]))
    };
    let champion = world.trainer.monitor(SCORE).unwrap().champion.unwrap();
    let learning = champion.learning.unwrap();
    assert_eq!(learning.outcomes, (set.at.len() - since) as u64);
    let apart = |told: f64, counted: Option<f64>| (told - counted.unwrap()).abs();
    // A tick that ends a moment's time stands in the log behind what had come meanwhile.
    assert!(apart(loss(&told, since), learning.log_loss) < 1e-5, "{} {learning:?}", loss(&told, since));
    assert!(apart(loss(&as_registered, since), learning.log_loss_as_registered) < 1e-9, "{learning:?}");
    let newest = champion.weeks.last().unwrap();
    let first = set.at.len() - newest.rows as usize;
    assert!((newest.log_loss - loss(&told, first)).abs() < 1e-12);
    assert!((newest.log_loss - loss(&as_registered, first)).abs() > 1e-3, "{newest:?}");
}

#[test]
fn a_training_that_is_ended_before_there_is_a_model_leaves_none() {
    let world = World::new("{}", 300);
    let definitions = world.trainer.definitions().unwrap();
    let work = world.trainer.jobs.begin(SCORE, NOW).unwrap();
    assert!(matches!(world.trainer.start(&request()), Err(Refusal::Conflict(_))));
    world.trainer.cancel(&work.id()).unwrap();
    world.trainer.run(&work, &definitions, &definitions.scores[0], &request(), Purpose::Asked);
    let job = world.ended(&work.id());
    assert_eq!((job.state, job.version, job.error), (JobState::Cancelled, None, None));
    assert!(world.trainer.models().unwrap().is_empty());
    assert_eq!(world.train(), 1, "the next one may begin");
    world.trainer.cancel("2").unwrap();
    assert_eq!(world.ended("2").state, JobState::Done, "what has ended stays so");
}

#[test]
fn a_history_that_is_too_short_fails_with_a_sentence() {
    let world = World::new("{}", 40);
    let job = world.ended(&world.trainer.start(&request()).unwrap());
    assert_eq!((job.state, job.version), (JobState::Failed, None));
    assert!(job.error.unwrap().contains("at least"));
}

#[test]
fn a_score_is_trained_again_when_its_time_has_come() {
    let world = World::new(r#"{"every": "7d"}"#, 300);
    assert_eq!(world.look_after(99 * DAY_MS), None, "the first model is a person's");
    world.train();
    world.activate(1);
    assert_eq!(world.look_after(7 * DAY_MS - 1), None);
    let job = world.look_after(7 * DAY_MS).unwrap();
    assert_eq!((job.state, job.version, &*job.score), (JobState::Done, Some(2), SCORE));
    assert_eq!(world.model(2).model.origin, Origin::Retrained);
    assert_eq!(world.trial(), Some((2, TrialKind::Shadow, None)), "unless it says otherwise it is a shadow");
}

#[test]
fn a_new_model_may_just_wait() {
    let world = World::new(r#"{"every": "7d", "then": "register"}"#, 300);
    world.train();
    world.activate(1);
    assert_eq!(world.look_after(7 * DAY_MS).unwrap().version, Some(2));
    assert_eq!((world.trial(), world.model(1).model.active), (None, true));
}

#[test]
fn a_canary_of_a_person_is_not_pushed_aside() {
    let world = World::new(r#"{"every": "7d"}"#, 300);
    world.train();
    world.train();
    world.activate(1);
    world.trainer.challenge(SCORE, 2, &challenge(TrialKind::Canary, Some(50))).unwrap();
    world.settle();
    assert_eq!(world.look_after(7 * DAY_MS).unwrap().version, Some(3));
    assert_eq!(world.trial(), Some((2, TrialKind::Canary, Some(50))));
}

/// A model that is sure of who comes back by how long ago the order before was: `weight` is negative if it is right.
fn sure(weight: f64) -> String {
    format!(
        r#"{{"format":1,"algorithm":"logistic_regression","intercept":0.0,"ridge":1.0,"rows":9,"inputs":[{{"name":"since",
        "transform":"identity","mean":25.0,"deviation":10.0,"missing_rate":0.0,"weight":{weight},"missing_weight":0.0}}]}}"#
    )
}

#[test]
fn a_model_that_is_better_goes_into_service_by_itself() {
    let world = World::new(r#"{"every": "7d", "then": "if_better"}"#, 300);
    world.trainer.import(SCORE, sure(3.0).as_bytes(), &[]).unwrap();
    world.activate(1);
    assert_eq!(world.look_after(7 * DAY_MS).unwrap().version, Some(2));
    assert!(world.model(2).model.active);
    assert_eq!(world.trial(), None);
}

#[test]
fn a_model_that_is_not_better_is_a_shadow() {
    let world = World::new(r#"{"every": "7d", "then": "if_better"}"#, 300);
    world.trainer.import(SCORE, sure(-8.0).as_bytes(), &[]).unwrap();
    world.activate(1);
    assert_eq!(world.look_after(7 * DAY_MS).unwrap().version, Some(2));
    assert_eq!((world.trial(), world.model(1).model.active), (Some((2, TrialKind::Shadow, None)), true));
}

#[test]
fn a_model_that_cannot_be_compared_waits() {
    let world = World::new(r#"{"every": "7d", "then": "if_better"}"#, 300);
    world.train();
    world.activate(1);
    assert_eq!(world.look_after(7 * DAY_MS).unwrap().version, Some(2));
    assert_eq!((world.trial(), world.model(1).model.active), (None, true), "nothing is new since model 1");
}

#[test]
fn a_model_that_cannot_answer_is_neither_imported_nor_put_into_service() {
    let world = World::new("{}", 40);
    let linear = Linear { offset: &[], scale: &[], weights: &[1.0, -1.0], intercepts: &[0.0] };
    let without_missing = export_linear(linear, 2, rapport_ml::Task::Binary).unwrap();
    let names = ["orders".to_owned(), "since".to_owned()];
    let refused = world.trainer.import(SCORE, &without_missing, &names);
    assert!(matches!(refused, Err(Refusal::Invalid { what, .. }) if what.contains("no probability")));
    let model = learner::read(&without_missing, &["orders", "since"]).unwrap();
    let version = world.trainer.register(SCORE, &model, ModelOrigin::Imported).unwrap();
    assert!(matches!(world.trainer.activate(SCORE, version), Err(Refusal::Conflict(_))));
    // What no fit makes is refused as it is read.
    let damaged = sure(1e300);
    let refused = world.trainer.import(SCORE, damaged.as_bytes(), &[]);
    assert!(matches!(refused, Err(Refusal::Invalid { what, .. }) if what.contains("with which it cannot answer")));
    let panics = life::survived(|| panic!("as a damaged model does"));
    assert!(matches!(panics, Err(Refusal::Conflict(what)) if what.contains("damaged")));
}

#[test]
fn a_training_that_is_ended_while_models_are_compared_changes_nothing() {
    let world = World::new("{}", 300);
    world.trainer.import(SCORE, sure(-3.0).as_bytes(), &[]).unwrap();
    world.trainer.import(SCORE, sure(-2.0).as_bytes(), &[]).unwrap();
    world.activate(1);
    let gain = |low| rapport_ml::metrics::Interval { estimate: 0.2, low, high: 0.3 };
    let work = world.trainer.jobs.begin(SCORE, NOW).unwrap();
    world.trainer.cancel(&work.id()).unwrap();
    for low in [0.1, -0.1] {
        world.trainer.place(&work, SCORE, 2, &gain(low)).unwrap();
        world.settle();
        assert_eq!((world.model(1).model.active, world.trial()), (true, None));
    }
    work.end(Ok(Some(2)));
    let other = world.trainer.jobs.begin(SCORE, NOW).unwrap();
    world.trainer.place(&other, SCORE, 2, &gain(0.1)).unwrap();
    world.settle();
    assert!(world.model(2).model.active);
}

#[test]
fn what_is_damaged_is_not_taken_for_another_programs() {
    let own = learner::read(sure(-3.0).as_bytes(), &[]).unwrap().artifact;
    let mut damaged = own.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for (bytes, told) in [(&*damaged, "checksum"), (&sure(-3.0).as_bytes()[..40], "rapport train")] {
        let error = learner::read(bytes, &["orders", "since"]).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    assert!(learner::read(&own, &["orders", "since"]).is_ok());
}

#[test]
fn drift_is_not_known_without_references_or_outcomes() {
    let trained = World::new("{}", 300);
    trained.train();
    let artifact = trained.trainer.document(SCORE, 1, ModelForm::Artifact).unwrap().unwrap();
    // No order is as old as the score looks ahead, so no moment is closed.
    let young = World::new("{}", 20);
    young.trainer.import(SCORE, &artifact, &[]).unwrap();
    young.activate(1);
    let watched = young.trainer.monitor(SCORE).unwrap();
    let champion = watched.champion.unwrap();
    assert_eq!((watched.until, champion.drift, champion.score_psi), (None, None, None));
    assert!(champion.inputs.is_empty() && champion.weeks.is_empty());

    trained.trainer.import(SCORE, sure(-3.0).as_bytes(), &[]).unwrap();
    trained.activate(2);
    let champion = trained.trainer.monitor(SCORE).unwrap().champion.unwrap();
    assert_eq!((champion.version, champion.drift), (2, None));
    assert!(!champion.weeks.is_empty());
}

#[test]
fn what_was_measured_is_shared() {
    let world = World::new("{}", 100);
    world.trainer.import(SCORE, sure(-3.0).as_bytes(), &[]).unwrap();
    world.activate(1);
    let first = world.trainer.monitor(SCORE).unwrap();
    world.send(&orders(100, 200));
    assert_eq!(world.trainer.monitor(SCORE).unwrap(), first, "the minute is not over");
    world.trainer.import(SCORE, sure(-2.0).as_bytes(), &[]).unwrap();
    world.activate(2);
    assert!(world.trainer.monitor(SCORE).unwrap().until > first.until);
}
