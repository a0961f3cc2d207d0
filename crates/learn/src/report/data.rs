//! What a report is made of. Whoever trains a model fills it in; names and texts in it are shown as they are.

use rapport_ml::metrics::BinaryEvaluation;
use serde::{Deserialize, Serialize};

/// Everything a report shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportData {
    /// What is predicted, in the words of its user: "Buys again within 30 days".
    pub title: String,
    /// The facts of the model.
    pub card: ModelCard,
    /// How good it is on rows it has not seen, with intervals if they were computed.
    pub evaluation: BinaryEvaluation,
    /// What simple means reach on the same rows.
    pub baselines: Vec<Baseline>,
    /// What looks as if the model knew what it cannot know.
    pub leaks: Vec<LeakWarning>,
    /// What it depends on, most important first.
    pub importance: Vec<FeatureImportance>,
    /// How its answer moves with single inputs; drawn to one scale, in this order.
    pub dependence: Vec<Dependence>,
}

/// The facts of a model. What is not known is left out of the report.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ModelCard {
    /// The name in the registry.
    pub name: String,
    /// The version in the registry.
    pub version: String,
    /// Such as `gradient_boosting`.
    pub algorithm: String,
    /// The program that made it, with its version.
    pub program: String,
    /// The first moment that the data is of, as text.
    pub data_from: Option<String>,
    /// The last.
    pub data_to: Option<String>,
    /// Rows learnt from.
    pub train_rows: u64,
    /// Rows tested on.
    pub test_rows: u64,
    /// How many customers the rows are of.
    pub customers: Option<u64>,
    /// How the rows were split.
    pub split: SplitKind,
    /// Whether probabilities were calibrated afterwards, and how: `isotonic`, `platt`.
    pub calibration: Option<String>,
    /// The seed of all draws.
    pub seed: u64,
    /// The inputs.
    pub features: Vec<String>,
}

/// How rows were split into those learnt from and those tested on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitKind {
    /// At random, with the same share of each label.
    #[default]
    Stratified,
    /// All rows of a customer on one side.
    Customers,
    /// The test is later than what was learnt from.
    Time,
    /// Later, and other customers.
    TimeAndCustomers,
}

/// A simple means to compare with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Which.
    pub kind: BaselineKind,
    /// Its figures, under the names that [`BinaryEvaluation::figures`] has.
    pub figures: std::collections::BTreeMap<String, f64>,
}

/// Which simple means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaselineKind {
    /// Always answers the share of positives.
    BaseRate,
    /// A model of one input, the best there is.
    BestFeature {
        /// The input.
        name: String,
    },
    /// Another one, such as the champion.
    Other {
        /// Its name.
        name: String,
    },
}

/// A column that looks as if it knew the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeakWarning {
    /// The column.
    pub column: String,
    /// Why it is suspected.
    pub reason: LeakReason,
}

/// Why a column is suspected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakReason {
    /// What looking at every column alone found.
    Found(rapport_ml::leak::LeakWarning),
    /// It was named as not known in time and left out.
    LeftOut {
        /// The area under the curve that the model would seem to have with it.
        auc_with: f64,
    },
    /// It looks as if it knew the outcome, and was kept.
    Kept {
        /// The area under the curve that the model would have without all such columns.
        auc_without: f64,
    },
}

/// How much an input matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureImportance {
    /// The input.
    pub name: String,
    /// How much the area under the curve falls when it is permuted.
    pub mean: f64,
    /// The deviation between repeats.
    pub deviation: f64,
}

/// How the answer moves with one input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dependence {
    /// The input.
    pub name: String,
    /// Where it was set to.
    pub at: DependenceAt,
    /// The mean probability there.
    pub mean: Vec<f64>,
}

/// The values that an input was set to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DependenceAt {
    /// Ascending.
    Numbers(Vec<f64>),
    /// By name.
    Categories(Vec<String>),
}
