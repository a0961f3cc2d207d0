//! Trees serve and explain as LightGBM does: `fixtures/trees/make.py` wrote down a model and its answers.

use rapport_ml::tree::{FlatTrees, ShapScratch, Tree, TreeExplainer};

#[derive(serde::Deserialize)]
struct Fixture {
    trees: Vec<Tree>,
    rows: Vec<Vec<Option<f64>>>,
    margins: Vec<f64>,
    contributions: Vec<Vec<f64>>,
}

#[test]
fn margins_and_contributions_are_those_of_lightgbm() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/trees/lightgbm.json")).unwrap();
    let flat = FlatTrees::new(&fixture.trees, &[0.0]).unwrap();
    let explainer = TreeExplainer::new(&fixture.trees, &[0.0], 1.0).unwrap();
    let mut scratch = ShapScratch::default();
    assert_eq!(fixture.rows.len(), 25);
    for ((row, margin), contributions) in fixture.rows.iter().zip(fixture.margins).zip(fixture.contributions) {
        let row: Vec<f64> = row.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        let mut sum = [0.0];
        flat.sums(&row, &mut sum);
        assert!((sum[0] - margin).abs() < 1e-12, "{row:?}: {} instead of {margin}", sum[0]);
        let mut parts = vec![0.0; row.len()];
        let expected = explainer.contributions(&row, 0, &mut scratch, &mut parts);
        parts.push(expected);
        for (part, expected) in parts.iter().zip(&contributions) {
            assert!((part - expected).abs() < 1e-9, "{row:?}: {parts:?} instead of {contributions:?}");
        }
    }
}
