//! Decisions over a profile that the fold makes: scores, segments, timers, effects, and documents that are refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

use std::sync::Arc;

use rapport_decide::{ActivationError, Cause, Decider, Definitions, Effect, LiveModel, Prepared, What};
use rapport_ml::frame::{Column, Frame};
use rapport_ml::onnx::{Linear, export_linear};
use rapport_ml::pipeline::{Coding, Pipeline, PipelineOptions};
use rapport_ml::{
    Artifact, Card, Context, Examples, Fitted, Imported, Kernel, KernelSvmOptions, Learner, Member, Model, References,
    Row, Scorer, Task, Workspace,
};
use rapport_profile::{Changes, PartitionState};
use rapport_types::{
    Activation, CustomerId, DAY_MS, Entry, Event, EventKind, Object, Offset, PartitionId, SourceId, Timestamp, Trial,
    TrialMode,
};

const P: PartitionId = PartitionId(0);
const START: i64 = 1_767_225_600_000;

fn day(day: i64) -> Timestamp {
    Timestamp(START + day * DAY_MS)
}

fn order(n: u32, at: Timestamp, total: u32) -> Entry {
    Entry::Event(Event {
        kind: EventKind::Track,
        message_id: format!("m{n}").into(),
        user_id: Some("u".into()),
        anonymous_id: None,
        previous_id: None,
        group_id: None,
        name: Some("Order Completed".into()),
        properties: serde_json::from_str(&format!("{{\"total\": {total}}}")).unwrap(),
        context: Object::default(),
        integrations: Object::default(),
        timestamp: at,
        original_timestamp: None,
        sent_at: None,
        received_at: at,
        source: SourceId(1),
    })
}

/// A fold with decisions, as the engine runs it.
struct Shop {
    state: PartitionState,
    decider: Decider,
    next: u64,
}

impl Shop {
    fn new(document: &str) -> Self {
        let decider = Decider::compile(1, document).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        Self { state: PartitionState::new(P, 1), decider, next: 0 }
    }

    fn apply(&mut self, entry: Entry) -> Vec<Effect> {
        let (mut changes, mut effects) = (Changes::default(), Vec::new());
        let offset = Offset(self.next);
        self.next += 1;
        self.state.apply(offset, entry, self.decider.features(), &mut changes);
        for touch in &changes.touched {
            self.decide(touch.slot, offset, touch.cause.as_deref(), &mut effects);
        }
        while let Some((slot, _)) = self.state.take_due() {
            self.decide(slot, offset, None, &mut effects);
        }
        effects
    }

    fn decide(&mut self, slot: u32, offset: Offset, message: Option<&str>, effects: &mut Vec<Effect>) {
        let cause = Cause { partition: P, offset, message };
        let due = self.decider.evaluate(self.state.profile_mut(slot), cause, effects);
        self.state.set_due(slot, due);
    }

    fn segments(&self) -> Vec<String> {
        let profile = self.state.find(&CustomerId::User("u".into())).unwrap().unwrap();
        self.decider.segments_of(&profile).map(str::to_owned).collect()
    }
}

fn kinds(effects: &[Effect]) -> Vec<String> {
    let of = |effect: &Effect| match &effect.what {
        What::SegmentEntered { segment } => format!("+{segment}"),
        What::SegmentLeft { segment } => format!("-{segment}"),
        other => other.kind().to_owned(),
    };
    effects.iter().map(of).collect()
}

#[test]
fn the_definitions_of_a_shop_compile() {
    let retail = Definitions::retail();
    let decider = Decider::compile(1, &retail.to_json()).unwrap();
    assert_eq!(decider.declared_features(), retail.features.len());
    assert!(retail.features.iter().all(|feature| feature.title.is_some()));
    assert_eq!(retail.scores[0].within.0, 30 * DAY_MS);
}

#[test]
fn segments_follow_events_and_time() {
    let mut shop = Shop::new(&Definitions::retail().to_json());
    assert_eq!(kinds(&shop.apply(order(1, day(0), 10))), ["profile", "+new_customer"]);
    assert_eq!(kinds(&shop.apply(order(2, day(3), 10))), ["profile", "-new_customer"]);
    // Nothing but time makes a customer lapse, 60 days after the newest order, and stop lapsing after 180.
    assert_eq!(kinds(&shop.apply(Entry::Tick(day(62)))), Vec::<String>::new());
    assert_eq!(kinds(&shop.apply(Entry::Tick(day(64)))), ["+lapsing"]);
    assert_eq!(shop.segments(), ["lapsing"]);
    assert_eq!(kinds(&shop.apply(Entry::Tick(day(200)))), ["-lapsing"]);
}

#[test]
fn a_segment_can_ask_for_another_that_is_declared_later() {
    let document = r#"{"features": [], "scores": [], "segments": [
        {"name": "both", "when": "in_segment(\"big\") && in_segment(\"many\")"},
        {"name": "big", "when": "max(\"Order Completed\", \"total\") >= 100"},
        {"name": "many", "when": "count(\"Order Completed\", \"30d\") >= 2"}]}"#;
    let mut shop = Shop::new(document);
    shop.apply(order(1, day(0), 500));
    assert_eq!(shop.segments(), ["big"]);
    shop.apply(order(2, day(1), 5));
    assert_eq!(shop.segments(), ["both", "big", "many"]);
    shop.apply(Entry::Tick(day(40)));
    assert_eq!(shop.segments(), ["big"]);
}

#[test]
fn documents_that_are_wrong_are_told_with_every_place() {
    let document = r#"{
        "features": [{"name": "a b", "aggregate": "count"}, {"name": "s", "aggregate": "sum"}],
        "segments": [{"name": "x", "when": "cuont(\"A\") > 1"}, {"name": "x", "when": "1 + 1"}],
        "scores": [{"name": "p", "event": "A", "within": "30d", "baseline": "none"}]}"#;
    let mistakes = Decider::compile(1, document).unwrap_err();
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    for words in [
        "segments[0].when",
        "did you mean \"count\"",
        "segments[1].name",
        "segments[1].when",
        "\"a b\"",
        "\"s\": this aggregate needs",
    ] {
        assert!(told.iter().any(|line| line.contains(words)), "{words} is not in {told:#?}");
    }
    let reserved = document.replace("\"name\": \"p\"", "\"name\": \"jobs\"");
    assert!(
        Decider::compile(1, &reserved).unwrap_err().iter().any(|mistake| mistake.what.contains("taken by the API"))
    );
    let circle =
        r#"{"segments": [{"name": "a", "when": "in_segment(\"b\")"}, {"name": "b", "when": "in_segment(\"a\")"}]}"#;
    assert!(Decider::compile(1, circle).unwrap_err()[0].what.contains("circle"));
    assert!(Decider::compile(1, "{\"featurs\": []}").is_err());
    let uncompared = r#"{"segments": [{"name": "a", "when": "recency(\"A\") > recency(\"B\")"}]}"#;
    assert!(Decider::compile(1, uncompared).unwrap_err()[0].what.contains("compared with a span"));
}

/// Of artifact format 1, which is text: one input and its weight.
fn model(input: &str, weight: f64) -> Vec<u8> {
    let document = format!(
        r#"{{"format":1,"algorithm":"logistic_regression","intercept":0.0,"ridge":1.0,"rows":0,"inputs":[{{"name":"{input}",
        "transform":"identity","mean":1.0,"deviation":1.0,"missing_rate":0.0,"weight":{weight:?},"missing_weight":0.0}}]}}"#
    );
    document.into_bytes()
}

fn prepare(artifact: &[u8]) -> Result<Arc<Prepared>, ActivationError> {
    Prepared::new(artifact).map(Arc::new)
}

fn activation(version: u32, artifact: Vec<u8>) -> Activation {
    Activation { score: "repeat_purchase".into(), version: Some(version), artifact: artifact.into(), at: day(0) }
}

#[test]
fn a_score_is_pushed_when_it_changes_with_its_reason_and_version() {
    let mut shop = Shop::new(&Definitions::retail().to_json());
    shop.apply(order(1, day(0), 10));
    shop.decider.activate(&activation(3, model("orders_30d", 2.0)), prepare).unwrap();
    let effects = shop.apply(order(2, day(1), 10));
    let score =
        effects.iter().find_map(|effect| if let What::Score { score } = &effect.what { Some(score) } else { None });
    let score = score.unwrap();
    let expected = 1.0 / (1.0 + (-2.0_f64).exp());
    assert!((score.value - expected).abs() < 1e-12, "{score:?}");
    assert_eq!((score.model_version, score.previous), (3, None));
    assert_eq!((&*score.reasons[0].feature, score.reasons[0].value), ("orders_30d", Some(2.0)));
    assert!(shop.segments().contains(&"likely_to_return".to_owned()), "a segment sees the score of its own event");
    // The same value by another model is pushed again, because its version is part of the answer.
    shop.decider.activate(&activation(4, model("orders_30d", 2.0)), prepare).unwrap();
    let mut effects = Vec::new();
    shop.decide(0, Offset(9), None, &mut effects);
    assert_eq!(kinds(&effects), ["score"]);
    effects.clear();
    shop.decide(0, Offset(9), None, &mut effects);
    assert!(effects.is_empty(), "nothing changed");
    let out = Activation { version: None, artifact: Box::default(), ..activation(0, Vec::new()) };
    shop.decider.activate(&out, prepare).unwrap();
    assert!(shop.decider.champions().is_empty());
}

#[test]
fn a_model_that_does_not_fit_is_refused() {
    let mut shop = Shop::new(&Definitions::retail().to_json());
    for (artifact, words) in [
        (model("no_such_feature", 1.0), "no_such_feature"),
        (model("recent_orders", 1.0), "recent_orders"),
        (b"{}".to_vec(), "not usable"),
    ] {
        let error = shop.decider.activate(&activation(1, artifact), prepare).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// A model of another program, which has no answer where its one input is missing.
fn foreign(input: &str) -> Vec<u8> {
    let linear = Linear { offset: &[], scale: &[], weights: &[1.0], intercepts: &[0.0] };
    let imported = Imported::try_from(export_linear(linear, 1, Task::Binary).unwrap()).unwrap();
    artifact(Pipeline::plain(&[input]), Fitted::Onnx(imported)).to_bytes().unwrap()
}

fn artifact(pipeline: Pipeline, fitted: Fitted) -> Artifact {
    let member = Member { pipeline: 0, weight: 1.0, fitted };
    let model = Model::new(Task::Binary, vec![pipeline], vec![member], None).unwrap();
    Artifact { card: Card::default(), model, references: References::default(), report: None }
}

#[test]
fn a_model_is_asked_before_it_is_trusted() {
    let features = Definitions::retail();
    let decider = Decider::compile(1, &features.to_json()).unwrap();
    let probed = |artifact: &[u8]| {
        LiveModel::new("repeat_purchase", 1, prepare(artifact).unwrap(), decider.features()).unwrap().probe()
    };
    assert!(probed(&model("orders_30d", 2.0)).is_ok());
    assert!(matches!(probed(&foreign("orders_30d")), Err(ActivationError::Answer)));
}

/// A machine that learnt from numbers so small that ordinary ones are infinite for it, in single precision: of what two of them
/// bring together nothing is left but NaN. Its artifact, and what it says of somebody of whom nothing is known.
fn of_tiny_numbers() -> (Vec<u8>, f64) {
    let column = |name: &str, numbers: [f64; 8]| Column::numbers(name, numbers.map(|number| number * 1e-40).into());
    let mean = column("order_value_mean", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    let frame = Frame::new(vec![mean, column("order_value_max", [5.0, 8.0, 3.0, 4.0, 7.0, 2.0, 1.0, 6.0])]).unwrap();
    let (rows, target) = ([0, 1, 2, 3, 4, 5, 6, 7], [1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    let options = PipelineOptions::new(Coding::Linear);
    let pipeline = Pipeline::fit(&frame, &rows, Some((&target, Task::Binary)), &options).unwrap();
    let matrix = pipeline.apply_training(&frame, &rows, &target).unwrap();
    let examples = Examples::new(&matrix, pipeline.kinds(), Task::Binary, &target);
    let options = KernelSvmOptions { kernel: Kernel::Linear, ..KernelSvmOptions::default() };
    let fitted = Learner::KernelSvm(options).fit(&examples, None, &Context::serial()).unwrap();
    let artifact = artifact(pipeline, fitted);
    let mut of_nobody = [f64::NAN];
    let scorer = Scorer::new(&artifact.model).unwrap();
    scorer.predict(Row::Numbers(&[f64::NAN; 2]), &mut Workspace::default(), &mut of_nobody);
    (artifact.to_bytes().unwrap(), of_nobody[0])
}

#[test]
fn a_model_that_has_no_answer_says_what_it_says_of_anybody() {
    let mut shop = Shop::new(&Definitions::retail().to_json());
    let (artifact, of_nobody) = of_tiny_numbers();
    shop.decider.activate(&activation(1, artifact), prepare).unwrap();
    let effects = shop.apply(order(1, day(0), 10));
    let score = effects.iter().find_map(|effect| match &effect.what {
        What::Score { score } => Some(score),
        _ => None,
    });
    let score = score.unwrap();
    assert_eq!(score.value, of_nobody, "{score:?}");
    assert!(score.reasons.is_empty());
}

#[test]
fn an_effect_has_one_id_for_good() {
    let run = || {
        let mut shop = Shop::new(&Definitions::retail().to_json());
        let mut effects = shop.apply(order(1, day(0), 10));
        effects.extend(shop.apply(Entry::Tick(day(100))));
        effects
    };
    let (one, other) = (run(), run());
    assert_eq!(one, other);
    let mut ids: Vec<_> = one.iter().map(|effect| effect.id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), one.len());
    let json = serde_json::to_value(&one[1]).unwrap();
    assert_eq!(json["kind"], "segment_entered");
    assert_eq!(json["customer"], "user:u");
    assert_eq!(json["cause"], "m1");
}

fn trial(version: Option<u32>, weight: f64, mode: TrialMode) -> Trial {
    let artifact = version.map_or_else(Box::default, |_| model("orders_30d", weight).into());
    Trial { score: "repeat_purchase".into(), version, artifact, mode, at: day(0) }
}

#[test]
fn a_shadow_is_pushed_beside_the_champion_and_decides_nothing() {
    let mut shop = Shop::new(&Definitions::retail().to_json());
    shop.decider.activate(&activation(1, model("orders_30d", 2.0)), prepare).unwrap();
    shop.decider.try_model(&trial(Some(2), -9.0, TrialMode::Shadow), prepare).unwrap();
    let effects = shop.apply(order(1, day(0), 10));
    assert!(kinds(&effects).contains(&"shadow_score".to_owned()), "{effects:?}");
    shop.apply(order(2, day(1), 10));
    let profile = shop.state.profile(0).clone();
    assert_eq!((profile.scores.len(), profile.scores[0].model_version), (1, 1));
    assert!(shop.segments().contains(&"likely_to_return".to_owned()), "the champion's score counts");
    let mut effects = Vec::new();
    shop.decide(0, Offset(9), None, &mut effects);
    assert!(effects.is_empty(), "a timer says nothing of shadows");
    shop.decider.try_model(&trial(None, 0.0, TrialMode::Shadow), prepare).unwrap();
    assert!(!kinds(&shop.apply(order(3, day(2), 10))).contains(&"shadow_score".to_owned()));
}

#[test]
fn a_canary_is_the_score_of_its_share_of_the_customers_and_always_of_the_same() {
    let share = |permille: u16| -> Vec<usize> {
        let mut shop = Shop::new(&Definitions::retail().to_json());
        shop.decider.activate(&activation(1, model("orders_30d", 2.0)), prepare).unwrap();
        shop.decider.try_model(&trial(Some(2), 1.0, TrialMode::Canary { permille }), prepare).unwrap();
        let of = |user: usize| {
            let mut event = order(user as u32, day(0), 10);
            let Entry::Event(inner) = &mut event else { unreachable!() };
            inner.user_id = Some(format!("u{user}").into());
            let effects = shop.apply(event);
            effects.iter().any(|effect| matches!(&effect.what, What::Score { score } if score.model_version == 2))
        };
        let mut of = of;
        (0..500).filter(|user| of(*user)).collect()
    };
    assert!(share(0).is_empty());
    assert_eq!(share(1_000).len(), 500);
    let (some, more) = (share(200), share(400));
    assert!((70..130).contains(&some.len()), "{}", some.len());
    assert!(some.iter().all(|user| more.contains(user)), "a wider canary keeps the customers that it had");
}

#[test]
fn an_activation_ends_the_trial() {
    let mut shop = Shop::new(&Definitions::retail().to_json());
    shop.decider.activate(&activation(1, model("orders_30d", 2.0)), prepare).unwrap();
    shop.decider.try_model(&trial(Some(2), 1.0, TrialMode::Shadow), prepare).unwrap();
    shop.decider.activate(&activation(2, model("orders_30d", 1.0)), prepare).unwrap();
    assert!(!kinds(&shop.apply(order(1, day(0), 10))).contains(&"shadow_score".to_owned()));
}

#[test]
fn labels_that_cannot_be_meant_are_told_with_their_place() {
    let of = |score: &str| {
        let document = format!(
            r#"{{"features": [{{"name": "n", "event": "A", "aggregate": "count"}}], "scores": [{{"name": "p", "event": "A",
            "baseline": "n", {score}}}]}}"#
        );
        match Decider::compile(1, &document) {
            Ok(_) => String::new(),
            Err(mistakes) => mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        }
    };
    assert_eq!(of(r#""within": "30d", "outcome": {"event": "*", "absent": true}, "retrain": {"every": "7d"}"#), "");
    assert_eq!(
        of(r#""within": "9d", "outcome": {"event": "B", "when": "properties.rating >= 4", "only_answered": true}"#),
        ""
    );
    for (score, words) in [
        (r#""within": "1d", "when": "1 + 1""#, "scores[0].when"),
        (r#""within": "1d", "outcome": {"when": "properties."}"#, "scores[0].outcome.when"),
        (r#""within": "1d", "outcome": {"only_answered": true}"#, "needs a condition"),
        (r#""within": "1d", "retrain": {"every": "1m"}"#, "scores[0].retrain.every"),
        (r#""within": "1d", "retrain": {"on_drift": -1}"#, "scores[0].retrain.on_drift"),
    ] {
        let told = of(score);
        assert!(told.contains(words), "{score}: {told}");
    }
}
