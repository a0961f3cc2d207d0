//! Documents: the definitions of a company. Artifacts of models have their fixtures in `crates/ml/tests/fixtures/artifact`.

use rapport_decide::{Definitions, Promotion};
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
