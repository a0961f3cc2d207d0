//! k-means: groups of similar rows around their means.
//!
//! Seeds far from one another (k-means++; Arthur and Vassilvitskii 2007), then Lloyd's steps with Hamerly's bounds (Making
//! k-means even faster, 2010), which leave out most distances and change no result. The best of some restarts is kept.
//! Columns must be numbers; they are compared in standard deviations, a missing one standing at the mean.

mod batch;
mod lloyd;
mod silhouette;

use std::hint::select_unpredictable;

use fearless_simd::Level;
use serde::{Deserialize, Serialize};

pub use silhouette::silhouette;

use self::lloyd::Rows;
use crate::{Context, Kind, Matrix, MlError, Predict, Random, pieces, standard::Standard};

/// A row is compared with so many means side by side.
const ABREAST: usize = 8;

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KMeansOptions {
    /// How many clusters.
    pub clusters: usize,
    /// How often to begin anew; the result with the least inertia is kept.
    pub restarts: usize,
    /// A restart ends after this many steps at the latest; most end because no row moves any more.
    pub steps: usize,
    /// Draws the seeds.
    pub seed: u64,
}

impl Default for KMeansOptions {
    fn default() -> Self {
        Self { clusters: 8, restarts: 4, steps: 300, seed: 0 }
    }
}

/// Means of clusters. As [`Predict`], the one answer for a row is the number of its nearest cluster; cluster 0 is the
/// largest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KMeans {
    standards: Vec<Standard>,
    /// The means in standard deviations, column by column: those of all clusters, then the next column's.
    centers: Vec<f64>,
    /// The weight of the rows of each cluster.
    sizes: Vec<f64>,
    inertia: f64,
}

impl KMeans {
    /// Finds clusters. `weights`, if there are any, say how much each row counts.
    pub fn fit(
        rows: &Matrix,
        kinds: &[Kind],
        weights: Option<&[f64]>,
        options: &KMeansOptions,
        context: &Context<'_>,
    ) -> Result<Self, MlError> {
        check(rows, kinds, weights, options)?;
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let standards: Vec<Standard> = (0..rows.columns()).map(|column| Standard::of(rows, column, weight)).collect();
        let kept: Vec<usize> = (0..rows.rows()).filter(|row| weight(*row) > 0.0).collect();
        let values = kept
            .iter()
            .flat_map(|row| standards.iter().zip(rows.row(*row)).map(|(standard, value)| standard.apply(*value)));
        let data = Rows {
            columns: rows.columns(),
            values: values.collect(),
            weights: kept.iter().map(|row| weight(*row)).collect(),
        };
        if data.distinct_up_to(options.clusters) < options.clusters {
            let told = format!("there are fewer different rows than the {} clusters asked for", options.clusters);
            return Err(MlError::Shape(format!("{told}; ask for fewer")));
        }
        let restarts = pieces::map(context, options.restarts, |restart| {
            let mut random = Random::new(options.seed, restart as u64);
            lloyd::run(&data, options.clusters, options.steps, &mut random, context)
        })?;
        let restarts = restarts.into_iter().collect::<Result<Vec<_>, _>>()?;
        let best = restarts.into_iter().min_by(|a, b| a.inertia.total_cmp(&b.inertia)).ok_or(MlError::Stopped)?;
        let mut order: Vec<usize> = (0..options.clusters).collect();
        order.sort_by(|a, b| best.sizes[*b].total_cmp(&best.sizes[*a]).then(a.cmp(b)));
        let columns = rows.columns();
        Ok(Self {
            standards,
            centers: (0..columns)
                .flat_map(|column| order.iter().map(move |cluster| (cluster * columns) + column))
                .map(|at| best.centers[at])
                .collect(),
            sizes: order.iter().map(|cluster| best.sizes[*cluster]).collect(),
            inertia: best.inertia,
        })
    }

    /// How many clusters.
    pub fn clusters(&self) -> usize {
        self.sizes.len()
    }

    /// The weight of the rows of each cluster.
    pub fn sizes(&self) -> &[f64] {
        &self.sizes
    }

    /// The weighted sum of the squared distances of rows to their means, in standard deviations.
    pub fn inertia(&self) -> f64 {
        self.inertia
    }

    /// The mean of a cluster in the units of the columns.
    pub fn center(&self, cluster: usize) -> Vec<f64> {
        let own = self.centers[cluster..].iter().step_by(self.clusters());
        let back = |(standard, value): (&Standard, &f64)| {
            if standard.inverse > 0.0 { standard.mean + value / standard.inverse } else { standard.mean }
        };
        self.standards.iter().zip(own).map(back).collect()
    }

    /// The nearest cluster of a row and the distance to its mean, in standard deviations.
    pub fn nearest(&self, row: &[f64]) -> (usize, f64) {
        let clusters = self.clusters();
        let mut best = (0, f64::INFINITY);
        for begin in (0..clusters).step_by(ABREAST) {
            let mut squared = [0.0; ABREAST];
            let centers = self.centers.chunks_exact(clusters);
            for ((standard, value), centers) in self.standards.iter().zip(row).zip(centers) {
                let value = standard.apply(*value);
                let add = |squared: &mut f64, center: f64| *squared += (value - center) * (value - center);
                match centers[begin..].first_chunk::<ABREAST>() {
                    // A length that the compiler knows becomes vector instructions.
                    Some(centers) => (0..ABREAST).for_each(|at| add(&mut squared[at], centers[at])),
                    None => {
                        squared.iter_mut().zip(&centers[begin..]).for_each(|(squared, center)| add(squared, *center));
                    }
                }
            }
            let squared = &squared[..ABREAST.min(clusters - begin)];
            for (cluster, squared) in squared.iter().enumerate() {
                // Which one is nearest cannot be guessed, so there is no branch to guess at.
                let nearer = *squared < best.1;
                let which = select_unpredictable(nearer, begin + cluster, best.0);
                best = (which, select_unpredictable(nearer, *squared, best.1));
            }
        }
        (best.0, best.1.sqrt())
    }
}

impl Predict for KMeans {
    fn outputs(&self) -> usize {
        1
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        out[0] = self.nearest(row).0 as f64;
    }

    fn predict_rows(&self, rows: &Matrix, out: &mut [f64]) {
        batch::clusters(self, Level::new(), rows, out);
    }
}

fn check(rows: &Matrix, kinds: &[Kind], weights: Option<&[f64]>, options: &KMeansOptions) -> Result<(), MlError> {
    let told = |what: &str| Err(MlError::Shape(what.to_owned()));
    if kinds.len() != rows.columns() || weights.is_some_and(|weights| weights.len() != rows.rows()) {
        return told("every column needs a kind, and every row a weight if there are any");
    }
    if kinds.iter().any(|kind| *kind != Kind::Number) {
        return told("k-means needs means, which categories do not have; code them as numbers or leave them out");
    }
    if weights.is_some_and(|weights| weights.iter().any(|weight| !(weight.is_finite() && *weight >= 0.0))) {
        return told("weights must be numbers from 0");
    }
    if options.clusters < 2 || options.restarts == 0 || options.steps == 0 {
        return told("k-means needs at least 2 clusters, 1 restart and 1 step");
    }
    Ok(())
}
