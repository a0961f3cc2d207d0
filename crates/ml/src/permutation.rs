//! What a model depends on: permutation importance (Breiman 2001; Fisher, Rudin, Dominici 2019) and partial dependence
//! (Friedman 2001), for any model and any metric.
//!
//! Both ask the model about rows that do not exist. Where columns go together, they tell what the model does with such
//! rows, not what would happen in the world.

use serde::{Deserialize, Serialize};

use crate::{Context, Kind, Matrix, MlError, Predict, Random, pieces};

/// How to permute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PermutationOptions {
    /// How often each group of columns is permuted.
    pub repeats: usize,
    /// Draws the permutations.
    pub seed: u64,
}

impl Default for PermutationOptions {
    fn default() -> Self {
        Self { repeats: 5, seed: 0 }
    }
}

/// How much worse a metric becomes when columns are cut off from their rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// The mean fall of the metric over the repeats.
    pub mean: f64,
    /// The standard deviation of the fall between repeats; 0 for one repeat.
    pub deviation: f64,
}

/// The importance of each group of columns, those that come from one raw column (a one-hot coding) being permuted
/// together. `metric` gets the answers for all rows, as [`Predict::predict_rows`] writes them; higher is better.
pub fn permutation_importance(
    model: &(dyn Predict + Sync),
    rows: &Matrix,
    groups: &[Vec<usize>],
    metric: &(dyn Fn(&[f64]) -> f64 + Sync),
    options: &PermutationOptions,
    context: &Context<'_>,
) -> Result<Vec<Importance>, MlError> {
    check_columns(rows, groups.iter().flatten())?;
    if options.repeats == 0 {
        return Err(MlError::Shape("permutation importance needs at least 1 repeat".to_owned()));
    }
    let mut answers = vec![0.0; rows.rows() * model.outputs()];
    model.predict_rows(rows, &mut answers);
    let whole = metric(&answers);
    let falls = pieces::map(context, groups.len() * options.repeats, |piece| {
        let mut order: Vec<usize> = (0..rows.rows()).collect();
        Random::new(options.seed, piece as u64).shuffle(&mut order);
        whole - metric(&permuted(model, rows, &groups[piece / options.repeats], &order))
    })?;
    Ok(falls.chunks_exact(options.repeats).map(importance).collect())
}

/// The answers for rows whose `columns` come from the rows in `order`.
fn permuted(model: &(dyn Predict + Sync), rows: &Matrix, columns: &[usize], order: &[usize]) -> Vec<f64> {
    let mut answers = vec![0.0; rows.rows() * model.outputs()];
    let mut row = vec![0.0; rows.columns()];
    for ((own, other), answer) in order.iter().enumerate().zip(answers.chunks_exact_mut(model.outputs())) {
        row.copy_from_slice(rows.row(own));
        columns.iter().for_each(|column| row[*column] = rows.row(*other)[*column]);
        model.predict(&row, answer);
    }
    answers
}

fn importance(falls: &[f64]) -> Importance {
    let n = falls.len() as f64;
    let mean = falls.iter().sum::<f64>() / n;
    let squares: f64 = falls.iter().map(|fall| (fall - mean).powi(2)).sum();
    Importance { mean, deviation: (squares / (n - 1.0).max(1.0)).sqrt() }
}

/// How to draw partial dependence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DependenceOptions {
    /// Which output of the model.
    pub output: usize,
    /// At most this many rows are averaged over.
    pub sample: usize,
    /// Draws the sample.
    pub seed: u64,
    /// Keep the curve of each row too (individual conditional expectation; Goldstein et al. 2015).
    pub individual: bool,
}

impl Default for DependenceOptions {
    fn default() -> Self {
        Self { output: 0, sample: 500, seed: 0, individual: false }
    }
}

/// The answers when columns are set to given values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartialDependence {
    /// The mean answer over the rows, for each setting.
    pub mean: Vec<f64>,
    /// For each row its answer for each setting, if asked for.
    pub individual: Vec<Vec<f64>>,
}

/// The settings of one column: its quantiles from 5 % to 95 % (at most `points` different ones; beyond them there are too
/// few rows for a mean that says something), or its categories.
pub fn grid(rows: &Matrix, column: usize, kind: Kind, points: usize) -> Vec<Vec<f64>> {
    if let Kind::Category { count } = kind {
        return (0..count).map(|code| vec![f64::from(code)]).collect();
    }
    let mut values: Vec<f64> = rows.column(column).filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return Vec::new() };
    let steps = points.max(2) - 1;
    let share = |step: usize| 0.05 + 0.9 * step as f64 / steps as f64;
    let quantile = |step: usize| values[(share(step) * last as f64).round() as usize];
    let mut grid: Vec<f64> = (0..=steps).map(quantile).collect();
    grid.dedup();
    grid.into_iter().map(|value| vec![value]).collect()
}

/// Sets `columns` to each of `settings` (a value for each column) in a sample of the rows and averages the answers.
pub fn partial_dependence(
    model: &(dyn Predict + Sync),
    rows: &Matrix,
    columns: &[usize],
    settings: &[Vec<f64>],
    options: &DependenceOptions,
    context: &Context<'_>,
) -> Result<PartialDependence, MlError> {
    check_columns(rows, columns.iter())?;
    if options.output >= model.outputs() || settings.iter().any(|setting| setting.len() != columns.len()) {
        return Err(MlError::Shape(
            "every setting needs a value for each column, of an output that there is".to_owned(),
        ));
    }
    let mut places: Vec<usize> = (0..rows.rows()).collect();
    if places.len() > options.sample {
        Random::new(options.seed, 0).shuffle(&mut places);
        places.truncate(options.sample.max(1));
        places.sort_unstable();
    }
    let individual = pieces::map(context, places.len(), |piece| {
        let mut row = rows.row(places[piece]).to_vec();
        let mut answer = vec![0.0; model.outputs()];
        let mut curve = Vec::with_capacity(settings.len());
        for setting in settings {
            columns.iter().zip(setting).for_each(|(column, value)| row[*column] = *value);
            model.predict(&row, &mut answer);
            curve.push(answer[options.output]);
        }
        curve
    })?;
    let mean = |setting: usize| individual.iter().map(|curve| curve[setting]).sum::<f64>() / individual.len() as f64;
    let mean = (0..settings.len()).map(mean).collect();
    Ok(PartialDependence { mean, individual: if options.individual { individual } else { Vec::new() } })
}

fn check_columns<'a>(rows: &Matrix, mut columns: impl Iterator<Item = &'a usize>) -> Result<(), MlError> {
    if rows.rows() == 0 {
        return Err(MlError::Shape("there are no rows to ask the model about".to_owned()));
    }
    match columns.find(|column| **column >= rows.columns()) {
        None => Ok(()),
        Some(column) => Err(MlError::Shape(format!("there is no column {column}; there are {}", rows.columns()))),
    }
}
