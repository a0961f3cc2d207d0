//! Documents: the definitions of a company, and a model's artifact of format 1.

use rapport_decide::{Definitions, Promotion};
use rapport_ml::{Artifact, MlError, Predictor};
use rapport_profile::{Aggregate, Window};
use rapport_types::{DAY_MS, Duration};

use super::fixture;

/// Definitions that use everything that can be said, as a person would write them.
const DEFINITIONS: &str = r#"{
  "features": [
    {"name": "orders", "title": {"en": "Orders", "zh": "订单"}, "event": "Order Completed", "aggregate": "count"},
    {"name": "revenue", "event": "Order Completed", "filter": "properties.total > 0", "aggregate": "sum",
     "value": "total", "window": {"sliding": "30d"}},
    {"name": "mean", "event": "Order Completed", "aggregate": "mean", "value": "total"},
    {"name": "least", "event": "Order Completed", "aggregate": "min", "value": "total"},
    {"name": "most", "event": "Order Completed", "aggregate": "max", "value": "total"},
    {"name": "newest", "event": "Order Completed", "aggregate": "last", "value": "total"},
    {"name": "products", "event": "Order Completed", "aggregate": "distinct", "value": "products.product_id"},
    {"name": "since", "event": "Order Completed", "aggregate": "recency", "n": 2},
    {"name": "age", "aggregate": "age"},
    {"name": "row", "event": "Order Completed", "aggregate": "sequence", "value": "order_id", "n": 5},
    {"name": "pages", "event": "page", "aggregate": "count", "window": {"session": "30m"}}
  ],
  "segments": [{"name": "regular", "title": {"en": "Regular", "zh": "常客"}, "when": "count(\"Order Completed\") >= 2"}],
  "scores": [
    {"name": "again", "event": "Order Completed", "within": "30d", "baseline": "since"},
    {"name": "churn", "title": {"en": "Leaves", "zh": "流失"}, "event": "Order Completed", "when": "properties.total > 0",
     "outcome": {"event": "*", "when": "properties.rating >= 4", "absent": true, "only_answered": true},
     "within": "60d", "baseline": "since", "retrain": {"every": "7d", "on_drift": 0.25, "then": "if_better"}}
  ]
}"#;

#[test]
fn definitions_are_read_and_written() {
    let made = Definitions::from_json(DEFINITIONS).unwrap().to_json();
    let held = fixture("definitions-1.json", &made);
    let read = Definitions::from_json(&held).unwrap();
    assert_eq!(read, Definitions::from_json(DEFINITIONS).unwrap());
    assert_eq!((made, read.features.len(), read.segments.len()), (held, 11, 1));
    let revenue = &read.features[1];
    assert_eq!((revenue.aggregate, revenue.window), (Aggregate::Sum, Window::Sliding(Duration(30 * DAY_MS))));
    let churn = &read.scores[1];
    assert!(churn.outcome.absent && churn.outcome.only_answered);
    assert_eq!((churn.within, churn.retrain.then), (Duration(60 * DAY_MS), Promotion::IfBetter));
    let newer = DEFINITIONS.replacen("\"features\"", "\"flavour\": 1, \"features\"", 1);
    let mistake = Definitions::from_json(&newer).unwrap_err();
    assert!(mistake.to_string().contains("unknown field `flavour`"), "{mistake}");
}

/// What the present writer makes of a model with both kinds of inputs.
fn artifact() -> String {
    let text = r#"{"format":1,"algorithm":"logistic_regression","inputs":[
        {"name":"orders","transform":"log1p","mean":0.5,"deviation":0.25,"missing_rate":0.125,"weight":1.5,"missing_weight":-0.5},
        {"name":"colour = red","transform":"identity","mean":0.5,"deviation":0.5,"missing_rate":0.0,"weight":-0.75,"missing_weight":0.0}],
        "intercept":-1.25,"ridge":1.0,"rows":900,"metrics":{"auc":0.75,"base_rate":0.25},
        "training_range":[1700000000000,1710000000000],"seed":7,"columns":[{"name":"orders","coding":"numeric"},
        {"name":"colour","coding":"one_hot","categories":["red"]}],"target":"bought"}"#;
    String::from_utf8(Artifact::from_json(text.as_bytes()).unwrap().to_json()).unwrap()
}

#[test]
fn artifacts_of_format_1_are_read_and_written_and_answer_the_same() {
    let made = artifact();
    let held = fixture("artifact-1.json", &made);
    let read = Artifact::from_json(held.as_bytes()).unwrap();
    assert_eq!(made, held, "the writer writes something else under the same format");
    assert_eq!((read.rows, read.seed, read.metrics["auc"], read.target.as_deref()), (900, 7, 0.75, Some("bought")));
    // By hand: (ln 4 - 0.5) / 0.25 * 1.5 + (1 - 0.5) / 0.5 * -0.75 - 1.25 + 0.125 * 0.5, the last for not being missing.
    let log_odds = (4.0_f64.ln() - 0.5) / 0.25 * 1.5 - 0.75 - 1.25 + 0.125 * 0.5;
    let expected = 1.0 / (1.0 + (-log_odds).exp());
    assert!((Predictor::new(&read).predict(&[3.0, 1.0]) - expected).abs() < 1e-12);
    let newer = held.replacen("\"format\": 1", "\"format\": 2", 1);
    let error = Artifact::from_json(newer.as_bytes()).unwrap_err();
    assert_eq!(error, MlError::Format(2));
    assert!(error.to_string().contains("install a newer version"), "{error}");
}
