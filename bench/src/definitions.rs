//! The definitions under which the whole path is measured: 30 features, 20 segments, 1 score.

use serde_json::{Value, json};

/// The score that is trained.
pub(crate) const SCORE: &str = "repeat_purchase";

/// The document.
pub(crate) fn document() -> Value {
    let mut features = Vec::new();
    for (name, event) in [("orders", "Order Completed"), ("views", "Product Viewed"), ("carts", "Product Added")] {
        for window in ["1h", "1d", "7d", "30d"] {
            let feature = json!({"name": format!("{name}_{window}"), "event": event, "aggregate": "count",
                "window": {"sliding": window}});
            features.push(feature);
        }
    }
    for (name, event, aggregate, value, window) in [
        ("revenue", "Order Completed", "sum", "total", json!("lifetime")),
        ("revenue_7d", "Order Completed", "sum", "total", json!({"sliding": "7d"})),
        ("revenue_90d", "Order Completed", "sum", "total", json!({"sliding": "90d"})),
        ("order_mean", "Order Completed", "mean", "total", json!("lifetime")),
        ("order_max", "Order Completed", "max", "total", json!("lifetime")),
        ("order_min_90d", "Order Completed", "min", "total", json!({"sliding": "90d"})),
        ("order_last", "Order Completed", "last", "total", json!("lifetime")),
        ("view_price_mean_7d", "Product Viewed", "mean", "price", json!({"sliding": "7d"})),
        ("view_price_max_7d", "Product Viewed", "max", "price", json!({"sliding": "7d"})),
        ("products_viewed", "Product Viewed", "distinct", "product_id", json!("lifetime")),
        ("products_added_30d", "Product Added", "distinct", "product_id", json!({"sliding": "30d"})),
    ] {
        let feature = json!({"name": name, "event": event, "aggregate": aggregate, "value": value, "window": window});
        features.push(feature);
    }
    features.extend([
        json!({"name": "since_order", "event": "Order Completed", "aggregate": "recency"}),
        json!({"name": "since_order_before", "event": "Order Completed", "aggregate": "recency", "n": 2}),
        json!({"name": "since_view", "event": "Product Viewed", "aggregate": "recency"}),
        json!({"name": "since_cart", "event": "Product Added", "aggregate": "recency"}),
        json!({"name": "customer_age", "event": "Order Completed", "aggregate": "age"}),
        json!({"name": "views_session", "event": "Product Viewed", "aggregate": "count", "window": {"session": "30m"}}),
        json!({"name": "orders_sequence", "event": "Order Completed", "aggregate": "sequence", "value": "order_id", "n": 5}),
    ]);
    let score = json!({"name": SCORE, "event": "Order Completed", "within": "30d", "baseline": "since_order_before"});
    json!({"features": features, "segments": segments(), "scores": [score]})
}

fn segments() -> Vec<Value> {
    let mut conditions: Vec<String> = Vec::new();
    for (event, span) in [("Order Completed", "30d"), ("Product Viewed", "7d"), ("Product Added", "7d")] {
        for least in [1, 3, 10, 30] {
            conditions.push(format!("count(\"{event}\", \"{span}\") >= {least}"));
        }
    }
    conditions.extend(
        [
            "sum(\"Order Completed\", \"total\", \"90d\") >= 500",
            "sum(\"Order Completed\", \"total\", \"365d\") >= 5000 && count(\"Order Completed\", \"365d\") >= 5",
            "recency(\"Order Completed\") > duration(\"60d\") && count(\"Order Completed\") >= 2",
            "recency(\"Product Viewed\") <= duration(\"1d\")",
            "count(\"Product Added\", \"30m\") >= 1 && count(\"Order Completed\", \"30m\") == 0",
            "score(\"repeat_purchase\") >= 0.5",
            "score(\"repeat_purchase\") < 0.1 && count(\"Order Completed\", \"365d\") >= 3",
            "in_segment(\"s0\") && in_segment(\"s5\")",
        ]
        .map(str::to_owned),
    );
    let named = |(place, when): (usize, String)| json!({"name": format!("s{place}"), "when": when});
    conditions.into_iter().enumerate().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_as_the_figure_asks_for() {
        let document = document();
        let count = |name: &str| document[name].as_array().unwrap().len();
        assert_eq!((count("features"), count("segments"), count("scores")), (30, 20, 1));
    }
}
