//! How far a figure would move on other rows of the same kind: percentile bootstrap (Efron and Tibshirani 1993, ch. 13).
//!
//! A sample with replacement is a weight for each row, the number of times it was drawn, so a metric that knows weights needs no
//! copy of the rows. Rows of one customer are drawn together; else the interval would be too narrow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Context, MlError, Random, pieces};

/// Fewer replicates than this say nothing about the tails.
const LEAST: usize = 20;

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BootstrapOptions {
    /// How many samples.
    pub replicates: usize,
    /// The share of samples inside the interval.
    pub level: f64,
    /// Draws the samples.
    pub seed: u64,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self { replicates: 1000, level: 0.95, seed: 0 }
    }
}

/// A figure and where it would lie on other rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// On the rows as they are.
    pub estimate: f64,
    /// The lower end; NaN if the metric was defined on no sample.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The interval of one metric, which is told the weight of each row. Samples on which it is NaN are left out.
pub fn bootstrap(
    rows: usize,
    weights: Option<&[f64]>,
    groups: Option<&[u32]>,
    options: &BootstrapOptions,
    metric: impl Fn(&[f64]) -> f64 + Sync,
    context: &Context<'_>,
) -> Result<Interval, MlError> {
    let all = bootstrap_all(rows, weights, groups, options, |weights| vec![metric(weights)], context)?;
    Ok(all[0])
}

/// The intervals of metrics that are computed together; `metrics` returns as many figures every time.
pub fn bootstrap_all(
    rows: usize,
    weights: Option<&[f64]>,
    groups: Option<&[u32]>,
    options: &BootstrapOptions,
    metrics: impl Fn(&[f64]) -> Vec<f64> + Sync,
    context: &Context<'_>,
) -> Result<Vec<Interval>, MlError> {
    if options.replicates < LEAST || !(options.level > 0.0 && options.level < 1.0) {
        let told = format!("{} samples at level {}", options.replicates, options.level);
        return Err(MlError::Shape(format!("{told}: take at least {LEAST} samples and a level between 0 and 1")));
    }
    let lengths = [weights.map(<[f64]>::len), groups.map(<[u32]>::len)];
    if rows == 0 || lengths.into_iter().flatten().any(|length| length != rows) {
        return Err(MlError::Shape(format!("{rows} rows need a weight and a group each, if there are any")));
    }
    let own = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let (units, unit_of) = units(rows, groups);
    let figures = pieces::map(context, options.replicates, |replicate| {
        let mut random = Random::new(options.seed, replicate as u64);
        let mut drawn = vec![0.0; units];
        (0..units).for_each(|_| drawn[random.below(units)] += 1.0);
        let sample: Vec<f64> = (0..rows).map(|row| drawn[unit_of(row)] * own(row)).collect();
        metrics(&sample)
    })?;
    let estimates = metrics(&(0..rows).map(own).collect::<Vec<f64>>());
    let tail = (1.0 - options.level) / 2.0;
    let interval = |(at, estimate): (usize, f64)| {
        let mut values: Vec<f64> = figures.iter().map(|all| all[at]).filter(|figure| figure.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        Interval { estimate, low: quantile(&values, tail), high: quantile(&values, 1.0 - tail) }
    };
    Ok(estimates.into_iter().enumerate().map(interval).collect())
}

/// How many units are drawn, and the unit of a row: its group's place, or itself.
fn units(rows: usize, groups: Option<&[u32]>) -> (usize, impl Fn(usize) -> usize + Sync) {
    let mut places = BTreeMap::new();
    let of_row: Option<Vec<usize>> = groups.map(|groups| {
        let place = |group: &u32| {
            let next = places.len();
            *places.entry(*group).or_insert(next)
        };
        groups.iter().map(place).collect()
    });
    let count = if of_row.is_some() { places.len() } else { rows };
    (count, move |row| of_row.as_ref().map_or(row, |of_row| of_row[row]))
}

/// The quantile of sorted values by linear interpolation; NaN of none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = share * last as f64;
    let (below, part) = (at.floor() as usize, at.fract());
    sorted[below] + part * (sorted[(below + 1).min(last)] - sorted[below])
}
