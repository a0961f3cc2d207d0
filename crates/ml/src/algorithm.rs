//! All algorithms under one name each: which there are, what they are told, and what they become.
//!
//! [`Learner`] is an algorithm with its settings, as an artifact's card tells it; [`Fitted`] is what it made of examples. Whoever
//! chooses between algorithms works with these two; whoever knows which one he wants takes the algorithm itself.

use serde::{Deserialize, Serialize};

use crate::bayes::{BayesOptions, NaiveBayes};
use crate::neighbours::{Neighbours, NeighboursOptions};
use crate::onnx::Foreign;
use crate::pipeline::Coding;
use crate::tree::{Boosting, BoostingOptions, DecisionTree, Forest, ForestOptions, TreeOptions};
use crate::{
    Context, Examples, Ftrl, FtrlOptions, KernelSvm, KernelSvmOptions, LinearOptions, LinearRegression, LinearSvm,
    LinearSvmOptions, LogisticOptions, LogisticRegression, MlError, Predict, Task,
};

/// The kinds of models that can be fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Weighted sums.
    LinearRegression,
    /// Log-odds as weighted sums.
    LogisticRegression,
    /// The widest margin, as a weighted sum.
    LinearSvm,
    /// The widest margin among similarities.
    KernelSvm,
    /// One tree.
    DecisionTree,
    /// The mean of trees of drawn rows and columns.
    RandomForest,
    /// Trees that mend what those before left wrong.
    GradientBoosting,
    /// The answers of the most similar rows.
    NearestNeighbours,
    /// Columns taken as independent.
    NaiveBayes,
    /// Log-odds as weighted sums that go on learning, row by row, after the fit.
    OnlineLogistic,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::LinearRegression,
        Self::LogisticRegression,
        Self::LinearSvm,
        Self::KernelSvm,
        Self::DecisionTree,
        Self::RandomForest,
        Self::GradientBoosting,
        Self::NearestNeighbours,
        Self::NaiveBayes,
        Self::OnlineLogistic,
    ];

    /// Its name, such as `gradient_boosting`.
    pub fn name(self) -> &'static str {
        match self {
            Self::LinearRegression => "linear_regression",
            Self::LogisticRegression => "logistic_regression",
            Self::LinearSvm => "linear_svm",
            Self::KernelSvm => "kernel_svm",
            Self::DecisionTree => "decision_tree",
            Self::RandomForest => "random_forest",
            Self::GradientBoosting => "gradient_boosting",
            Self::NearestNeighbours => "nearest_neighbours",
            Self::NaiveBayes => "naive_bayes",
            Self::OnlineLogistic => "online_logistic",
        }
    }

    /// The algorithm of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// How rows are coded for it.
    pub fn coding(self) -> Coding {
        match self {
            Self::LinearRegression
            | Self::LogisticRegression
            | Self::LinearSvm
            | Self::KernelSvm
            | Self::OnlineLogistic => Coding::Linear,
            Self::DecisionTree
            | Self::RandomForest
            | Self::GradientBoosting
            | Self::NearestNeighbours
            | Self::NaiveBayes => Coding::Tree,
        }
    }

    /// Whether it can learn a task.
    pub fn suits(self, task: Task) -> bool {
        match self {
            Self::LinearRegression => task == Task::Regression,
            Self::LogisticRegression | Self::NaiveBayes | Self::KernelSvm => {
                matches!(task, Task::Binary | Task::Multiclass { .. })
            }
            Self::LinearSvm | Self::DecisionTree | Self::RandomForest | Self::NearestNeighbours => {
                task != Task::Ranking
            }
            Self::OnlineLogistic => task == Task::Binary,
            Self::GradientBoosting => true,
        }
    }

    /// With the settings that serve best unseen.
    pub fn learner(self, seed: u64) -> Learner {
        match self {
            Self::LinearRegression => Learner::LinearRegression(LinearOptions::default()),
            Self::LogisticRegression => Learner::LogisticRegression(LogisticOptions::default()),
            Self::LinearSvm => Learner::LinearSvm(LinearSvmOptions { seed, ..LinearSvmOptions::default() }),
            Self::KernelSvm => Learner::KernelSvm(KernelSvmOptions { seed, ..KernelSvmOptions::default() }),
            Self::DecisionTree => Learner::DecisionTree(TreeOptions::default()),
            Self::RandomForest => Learner::RandomForest(ForestOptions { seed, ..ForestOptions::default() }),
            Self::GradientBoosting => Learner::GradientBoosting(BoostingOptions {
                rounds: 1000,
                learning_rate: 0.05,
                patience: 50,
                seed,
                ..BoostingOptions::default()
            }),
            Self::NearestNeighbours => Learner::NearestNeighbours(NeighboursOptions::default()),
            Self::NaiveBayes => Learner::NaiveBayes(BayesOptions::default()),
            Self::OnlineLogistic => Learner::OnlineLogistic(FtrlOptions { seed, ..FtrlOptions::default() }),
        }
    }
}

/// An algorithm with its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learner {
    /// See [`LinearRegression`].
    LinearRegression(LinearOptions),
    /// See [`LogisticRegression`].
    LogisticRegression(LogisticOptions),
    /// See [`LinearSvm`].
    LinearSvm(LinearSvmOptions),
    /// See [`KernelSvm`].
    KernelSvm(KernelSvmOptions),
    /// See [`DecisionTree`].
    DecisionTree(TreeOptions),
    /// See [`Forest`].
    RandomForest(ForestOptions),
    /// See [`Boosting`].
    GradientBoosting(BoostingOptions),
    /// See [`Neighbours`].
    NearestNeighbours(NeighboursOptions),
    /// See [`NaiveBayes`].
    NaiveBayes(BayesOptions),
    /// See [`Ftrl`].
    OnlineLogistic(FtrlOptions),
}

impl Learner {
    /// Which algorithm.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::LinearRegression(_) => Algorithm::LinearRegression,
            Self::LogisticRegression(_) => Algorithm::LogisticRegression,
            Self::LinearSvm(_) => Algorithm::LinearSvm,
            Self::KernelSvm(_) => Algorithm::KernelSvm,
            Self::DecisionTree(_) => Algorithm::DecisionTree,
            Self::RandomForest(_) => Algorithm::RandomForest,
            Self::GradientBoosting(_) => Algorithm::GradientBoosting,
            Self::NearestNeighbours(_) => Algorithm::NearestNeighbours,
            Self::NaiveBayes(_) => Algorithm::NaiveBayes,
            Self::OnlineLogistic(_) => Algorithm::OnlineLogistic,
        }
    }

    /// Learns from examples. `validation` examples tell a boosting when to end; no other algorithm looks at them.
    pub fn fit(
        &self,
        examples: &Examples<'_>,
        validation: Option<&Examples<'_>>,
        context: &Context<'_>,
    ) -> Result<Fitted, MlError> {
        Ok(match self {
            Self::LinearRegression(options) => {
                Fitted::LinearRegression(LinearRegression::fit(examples, options, context)?)
            }
            Self::LogisticRegression(options) => {
                Fitted::LogisticRegression(LogisticRegression::fit(examples, options, context)?)
            }
            Self::LinearSvm(options) => Fitted::LinearSvm(LinearSvm::fit(examples, options, context)?),
            Self::KernelSvm(options) => Fitted::KernelSvm(KernelSvm::fit(examples, options, context)?),
            Self::DecisionTree(options) => Fitted::DecisionTree(DecisionTree::fit(examples, options, context)?),
            Self::RandomForest(options) => Fitted::RandomForest(Forest::fit(examples, options, context)?),
            Self::GradientBoosting(options) => {
                Fitted::GradientBoosting(Boosting::fit(examples, validation, options, context)?)
            }
            Self::NearestNeighbours(options) => Fitted::NearestNeighbours(Neighbours::fit(examples, options, context)?),
            Self::NaiveBayes(options) => Fitted::NaiveBayes(NaiveBayes::fit(examples, options, context)?),
            Self::OnlineLogistic(options) => Fitted::OnlineLogistic(Ftrl::fit(examples, options, context)?),
        })
    }

    /// About how many nanoseconds of one core a fit takes, so that a budget can be shared out before anything is timed and
    /// the same way in every run. Measured on 2,000 to 100,000 rows; a third to three times of the truth.
    pub fn work(&self, rows: usize, columns: usize, task: Task) -> f64 {
        let (n, d, k) = (rows as f64, columns.max(1) as f64, task.outputs() as f64);
        match self {
            Self::LinearRegression(_) => n * d * (d.min(200.0) + 10.0),
            Self::LogisticRegression(_) => n * d * 30.0 * k,
            Self::LinearSvm(options) => n * d * 30.0 * k * (1.0 + options.folds as f64),
            Self::KernelSvm(options) => n * n * (d + 20.0) * k * k.max(2.0) / 2.0 * (1.0 + options.folds as f64),
            Self::DecisionTree(_) => n * d * 40.0,
            Self::RandomForest(options) => f64::from(options.trees) * n * (20.0 + 8.0 * d.sqrt()) * 6.0,
            Self::GradientBoosting(options) => {
                let rounds = f64::from(options.rounds.min(300));
                rounds * k * (n * d * 2.0 * options.row_share * options.column_share + n * 20.0 + 200_000.0)
            }
            // A fit only remembers; being asked, by a quarter as many rows, is what costs.
            Self::NearestNeighbours(_) => n * (n * d * 0.04 + 3_000.0),
            Self::NaiveBayes(_) => n * d * 20.0,
            Self::OnlineLogistic(options) => n * d * 5.0 * f64::from(options.passes.max(1)),
        }
    }
}

/// What a [`Learner`] made of examples, or a model of another program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Fitted {
    /// Weighted sums.
    LinearRegression(LinearRegression),
    /// Log-odds as weighted sums.
    LogisticRegression(LogisticRegression),
    /// The widest margin, as a weighted sum.
    LinearSvm(LinearSvm),
    /// The widest margin among similarities.
    KernelSvm(KernelSvm),
    /// One tree.
    DecisionTree(DecisionTree),
    /// The mean of trees.
    RandomForest(Forest),
    /// The sum of trees.
    GradientBoosting(Boosting),
    /// Known rows.
    NearestNeighbours(Neighbours),
    /// Densities and shares.
    NaiveBayes(NaiveBayes),
    /// An ONNX file as it came.
    Onnx(Imported),
    /// Log-odds as weighted sums that go on learning. The last one, because artifacts hold the places.
    OnlineLogistic(Ftrl),
}

/// A model of another program: its file, and the model that was read from it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct Imported {
    bytes: Vec<u8>,
    model: Foreign,
}

impl Imported {
    /// The model.
    pub fn model(&self) -> &Foreign {
        &self.model
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl PartialEq for Imported {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl TryFrom<Vec<u8>> for Imported {
    type Error = MlError;

    fn try_from(bytes: Vec<u8>) -> Result<Self, MlError> {
        Ok(Self { model: Foreign::from_onnx(&bytes)?, bytes })
    }
}

impl From<Imported> for Vec<u8> {
    fn from(imported: Imported) -> Self {
        imported.bytes
    }
}

impl Fitted {
    /// The model behind the name.
    pub(crate) fn inner(&self) -> &(dyn Predict + Sync) {
        match self {
            Self::LinearRegression(model) => model,
            Self::LogisticRegression(model) => model,
            Self::LinearSvm(model) => model,
            Self::KernelSvm(model) => model,
            Self::DecisionTree(model) => model,
            Self::RandomForest(model) => model,
            Self::GradientBoosting(model) => model,
            Self::NearestNeighbours(model) => model,
            Self::NaiveBayes(model) => model,
            Self::Onnx(imported) => &imported.model,
            Self::OnlineLogistic(model) => model,
        }
    }

    /// Which algorithm; none for a model of another program.
    pub fn algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::LinearRegression(_) => Some(Algorithm::LinearRegression),
            Self::LogisticRegression(_) => Some(Algorithm::LogisticRegression),
            Self::LinearSvm(_) => Some(Algorithm::LinearSvm),
            Self::KernelSvm(_) => Some(Algorithm::KernelSvm),
            Self::DecisionTree(_) => Some(Algorithm::DecisionTree),
            Self::RandomForest(_) => Some(Algorithm::RandomForest),
            Self::GradientBoosting(_) => Some(Algorithm::GradientBoosting),
            Self::NearestNeighbours(_) => Some(Algorithm::NearestNeighbours),
            Self::NaiveBayes(_) => Some(Algorithm::NaiveBayes),
            Self::Onnx(_) => None,
            Self::OnlineLogistic(_) => Some(Algorithm::OnlineLogistic),
        }
    }

    /// The name of the algorithm; `onnx` for a model of another program.
    pub fn name(&self) -> &'static str {
        self.algorithm().map_or("onnx", Algorithm::name)
    }
}

impl Predict for Fitted {
    fn outputs(&self) -> usize {
        self.inner().outputs()
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        self.inner().predict(row, out);
    }

    fn predict_rows(&self, rows: &crate::Matrix, out: &mut [f64]) {
        self.inner().predict_rows(rows, out);
    }
}
