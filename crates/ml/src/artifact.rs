//! A trained model as a document: everything that is needed to answer with it, and where it comes from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{MlError, table::Column};

/// The format that this version writes and reads.
pub const FORMAT: u32 = 1;

/// What is done to an input before it is standardised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// Nothing.
    Identity,
    /// `ln(1 + x)`: for amounts and counts with a long tail; negative values count as 0.
    Log1p,
}

/// One input with its preprocessing and its weights. A missing value stands at the mean, and counts by an indicator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// What is done to it first.
    pub transform: Transform,
    /// The mean of the transformed values that were there.
    pub mean: f64,
    /// Their standard deviation; 0 if they were all equal, and the input then has no weight.
    pub deviation: f64,
    /// The share of rows in which it was missing.
    pub missing_rate: f64,
    /// Log-odds for one standard deviation.
    pub weight: f64,
    /// Log-odds for being missing.
    pub missing_weight: f64,
}

impl Input {
    /// The transformed value.
    pub(crate) fn transformed(&self, value: f64) -> f64 {
        match self.transform {
            Transform::Identity => value,
            Transform::Log1p => value.max(0.0).ln_1p(),
        }
    }

    /// The standardised value (0 where it is missing) and the indicator, both with mean 0 in training.
    pub(crate) fn standardised(&self, value: f64) -> (f64, f64) {
        if !value.is_finite() {
            return (0.0, 1.0 - self.missing_rate);
        }
        let centred = self.transformed(value) - self.mean;
        let scaled = if self.deviation > 0.0 { centred / self.deviation } else { 0.0 };
        (scaled, -self.missing_rate)
    }
}

/// A trained model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// [`FORMAT`].
    pub format: u32,
    /// `logistic_regression`.
    pub algorithm: String,
    /// In the order in which values are given.
    pub inputs: Vec<Input>,
    /// Log-odds where every input stands at its mean.
    pub intercept: f64,
    /// The strength of the ridge penalty.
    pub ridge: f64,
    /// How many rows it was fitted on.
    pub rows: u64,
    /// Figures of the evaluation on rows that this or an equal fit did not see.
    #[serde(default)]
    pub metrics: BTreeMap<String, f64>,
    /// The first and last instant of the rows, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_range: Option<(i64, i64)>,
    /// The seed of the split; 0 if nothing was drawn.
    #[serde(default)]
    pub seed: u64,
    /// How the columns of a table become inputs; empty if inputs are given as numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// The name of the table's target; none if inputs are given as numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl Artifact {
    /// Reads an artifact.
    pub fn from_json(bytes: &[u8]) -> Result<Self, MlError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let wrong = |error: serde_json::Error| MlError::Artifact(error.to_string());
        let head: Head = serde_json::from_slice(bytes).map_err(wrong)?;
        if head.format != FORMAT {
            return Err(MlError::Format(head.format));
        }
        let artifact: Self = serde_json::from_slice(bytes).map_err(wrong)?;
        let finite = |input: &Input| {
            [input.mean, input.deviation, input.weight, input.missing_weight, input.missing_rate]
                .iter()
                .all(|n| n.is_finite())
        };
        if !artifact.intercept.is_finite() || !artifact.inputs.iter().all(finite) {
            return Err(MlError::Artifact("a weight is not a finite number".to_owned()));
        }
        Ok(artifact)
    }

    /// The document.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("a document of names and finite numbers is JSON")
    }

    /// The inputs, in the order in which values are given.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }
}
