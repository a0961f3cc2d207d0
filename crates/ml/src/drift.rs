//! Whether a feature or a score is still distributed as it was: population stability index and Kolmogorov-Smirnov distance between
//! a reference, kept with the model, and what is seen now.

use serde::{Deserialize, Serialize};

use crate::{MlError, sound};

/// A share is taken to be at least this, so that a bin that is empty on one side has a finite index.
const LEAST_SHARE: f64 = 1e-4;
/// From this index on the distribution has moved.
const MOVED: f64 = 0.1;
/// From this index on it has moved much.
const SHIFTED: f64 = 0.25;

/// How values are put into bins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Bins {
    /// Ascending; a value belongs to the bin after all edges that are not above it. There is one bin more than edges.
    Edges(Vec<f64>),
    /// One bin for each code, and one more for codes that were not known.
    Codes(u32),
}

/// How often values fell into the bins of a [`Reference`]. Counts can be added up while values come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    bins: Vec<u64>,
    missing: u64,
}

impl Counts {
    fn rows(&self) -> f64 {
        (self.bins.iter().sum::<u64>() + self.missing) as f64
    }

    /// The shares of bins, then that of missing values.
    fn shares(&self) -> impl Iterator<Item = f64> {
        let rows = self.rows();
        self.bins.iter().chain([&self.missing]).map(move |count| *count as f64 / rows)
    }

    /// The shares of bins among the values that are there, cumulated.
    fn cumulated(&self) -> impl Iterator<Item = f64> {
        let present = self.bins.iter().sum::<u64>() as f64;
        self.bins.iter().scan(0, move |sum, count| {
            *sum += count;
            Some(*sum as f64 / present)
        })
    }
}

/// The distribution of a feature or score when the model was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    bins: Bins,
    counts: Counts,
}

/// What the index means, by the usual rule of thumb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Below 0.1.
    Steady,
    /// From 0.1: look at it.
    Moved,
    /// From 0.25: the model answers about other customers than it learnt from.
    Shifted,
}

/// How far a distribution has moved.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// How many values were compared.
    pub rows: u64,
    /// The population stability index, missing values being a bin of their own.
    pub psi: f64,
    /// About what the index would be by chance alone with so few values: bins less one, times the sum of the inverse sizes. An
    /// index that is not well above it means nothing (Yurdakul 2018).
    pub psi_by_chance: f64,
    /// The greatest distance between the cumulated shares at the edges of the bins, missing values left out; none for
    /// categories, which have no order.
    pub ks: Option<f64>,
    /// What the index means.
    pub band: Band,
}

impl Reference {
    /// Refuses what is no count of values in bins.
    pub(crate) fn check(&self) -> Result<(), MlError> {
        let bins = match &self.bins {
            Bins::Edges(edges) => {
                // They are only compared with, so they may be as large as a column's values.
                sound::fits(edges.iter().all(|edge| edge.is_finite()), "an edge of a reference is no number")?;
                sound::fits(edges.is_sorted_by(|one, next| one < next), "the edges of a reference do not rise")?;
                Some(edges.len() + 1)
            }
            Bins::Codes(count) => (*count as usize).checked_add(1),
        };
        sound::fits(bins == Some(self.counts.bins.len()), "a reference has not one count for each bin")?;
        let mut counts = self.counts.bins.iter().chain([&self.counts.missing]);
        let sum = counts.try_fold(0_u64, |sum, count| sum.checked_add(*count));
        sound::fits(sum.is_some_and(|sum| sum > 0), "a reference has counted nothing, or more than there can be")
    }

    /// The share of values that were missing.
    pub fn missing_share(&self) -> f64 {
        self.counts.missing as f64 / self.counts.rows().max(1.0)
    }

    /// The distribution of numbers (NaN is missing) in at most `bins` bins of about equal count. A value that is frequent gets a bin
    /// that begins with it.
    pub fn of_numbers(values: &[f64], bins: usize) -> Result<Self, MlError> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        if values.is_empty() || bins < 2 {
            return Err(MlError::Shape("a reference needs values, and at least 2 bins".to_owned()));
        }
        sorted.sort_by(f64::total_cmp);
        let quantile = |bin: usize| sorted.get(bin * sorted.len() / bins).copied();
        let mut edges: Vec<f64> = (1..bins).filter_map(quantile).collect();
        edges.dedup();
        // An edge at the least value would leave the first bin empty for ever.
        edges.retain(|edge| sorted.first().is_some_and(|first| edge > first));
        Ok(Self::counted(Bins::Edges(edges), values))
    }

    /// The distribution of `count` categories by their codes (NaN is missing).
    pub fn of_categories(codes: &[f64], count: u32) -> Result<Self, MlError> {
        if codes.is_empty() || count == 0 {
            return Err(MlError::Shape("a reference needs values, and at least 1 category".to_owned()));
        }
        Ok(Self::counted(Bins::Codes(count), codes))
    }

    fn counted(bins: Bins, values: &[f64]) -> Self {
        let count = match &bins {
            Bins::Edges(edges) => edges.len() + 1,
            Bins::Codes(count) => *count as usize + 1,
        };
        let mut reference = Self { bins, counts: Counts { bins: vec![0; count], missing: 0 } };
        let mut counts = reference.nothing();
        values.iter().for_each(|value| reference.count(*value, &mut counts));
        reference.counts = counts;
        reference
    }

    /// Counts to begin with.
    pub fn nothing(&self) -> Counts {
        Counts { bins: vec![0; self.counts.bins.len()], missing: 0 }
    }

    /// Counts one value; what is not finite is missing.
    pub fn count(&self, value: f64, counts: &mut Counts) {
        if !value.is_finite() {
            counts.missing += 1;
            return;
        }
        let bin = match &self.bins {
            Bins::Edges(edges) => edges.partition_point(|edge| *edge <= value),
            Bins::Codes(count) if (0.0..f64::from(*count)).contains(&value) => value as usize,
            Bins::Codes(count) => *count as usize,
        };
        counts.bins[bin] += 1;
    }

    /// Compares values of now with the reference.
    pub fn compare(&self, values: &[f64]) -> Result<Drift, MlError> {
        let mut counts = self.nothing();
        values.iter().for_each(|value| self.count(*value, &mut counts));
        self.drift(&counts)
    }

    /// Compares counts, made by [`Self::count`], with the reference.
    pub fn drift(&self, now: &Counts) -> Result<Drift, MlError> {
        if now.bins.len() != self.counts.bins.len() {
            return Err(MlError::Shape("the counts were made for another reference".to_owned()));
        }
        if now.rows() == 0.0 {
            return Err(MlError::Shape("there are no values to compare with the reference yet".to_owned()));
        }
        let mut psi = 0.0;
        let mut used = 0.0_f64;
        for (before, now) in self.counts.shares().zip(now.shares()) {
            used += f64::from(u8::from(before > 0.0 || now > 0.0));
            let (before, now) = (before.max(LEAST_SHARE), now.max(LEAST_SHARE));
            psi += (now - before) * (now / before).ln();
        }
        let ks = match self.bins {
            Bins::Codes(_) => None,
            Bins::Edges(_) => {
                let apart = self.counts.cumulated().zip(now.cumulated()).map(|(before, now)| (before - now).abs());
                Some(apart.fold(0.0, f64::max)).filter(|_| now.bins.iter().any(|count| *count > 0))
            }
        };
        let band = match psi {
            psi if psi < MOVED => Band::Steady,
            psi if psi < SHIFTED => Band::Moved,
            _ => Band::Shifted,
        };
        let psi_by_chance = (used - 1.0).max(0.0) * (self.counts.rows().recip() + now.rows().recip());
        Ok(Drift { rows: now.rows() as u64, psi, psi_by_chance, ks, band })
    }
}
