//! Rapport's models for rows of numbers, with the same settings as the peers' in `bench/peers/models.py`.

use rapport_ml::{
    Context, Examples, Kind, LinearOptions, LinearRegression, LinearSvm, LinearSvmOptions, LogisticOptions,
    LogisticRegression, Matrix, MlError, Predict, Task,
    bayes::{BayesOptions, NaiveBayes},
    kmeans::{KMeans, KMeansOptions},
    neighbours::{Neighbours, NeighboursOptions},
    tree::{Boosting, BoostingOptions, DecisionTree, FlatTrees, Forest, ForestOptions, Tree, TreeOptions},
};
use rapport_ml::{KernelSvm, KernelSvmOptions};

use super::synthetic::Set;

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    /// 100 trees without a limit.
    Forest,
    /// 200 trees, at most 6 deep and with 64 leaves.
    Boosting,
    /// C = 1.
    Logistic,
    /// C = 1.
    LinearSvm,
    /// At most 8 deep.
    Tree,
    /// A radial kernel, C = 1.
    KernelSvm,
    /// Normal numbers.
    Bayes,
    /// 25 of them.
    Neighbours,
    /// The answers as numbers.
    LeastSquares,
    /// 8 clusters.
    KMeans,
}

/// A model that was fitted.
pub(crate) enum Fitted {
    /// It answers as it is.
    Ready(Box<dyn Predict>),
    /// Trees, which are compiled before they answer.
    Trees(Vec<Tree>, Sum),
}

/// What trees say together.
#[derive(Clone, Copy)]
pub(crate) enum Sum {
    /// The mean.
    Mean,
    /// The log-odds, above this base.
    LogOdds(f64),
}

/// Compiled trees.
struct Served(FlatTrees, usize, Sum);

impl Predict for Served {
    fn outputs(&self) -> usize {
        1
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        self.0.sums(row, out);
        self.link(out);
    }

    fn predict_rows(&self, rows: &Matrix, out: &mut [f64]) {
        self.0.sums_of_rows(rows, out);
        self.link(out);
    }
}

impl Served {
    fn link(&self, out: &mut [f64]) {
        match self.2 {
            Sum::Mean => out.iter_mut().for_each(|sum| *sum /= self.1 as f64),
            Sum::LogOdds(_) => out.iter_mut().for_each(|sum| *sum = 1.0 / (1.0 + (-*sum).exp())),
        }
    }
}

impl Fitted {
    /// Ready to answer.
    pub(crate) fn served(self) -> Result<Box<dyn Predict>, MlError> {
        match self {
            Self::Ready(model) => Ok(model),
            Self::Trees(trees, sum) => {
                let base = if let Sum::LogOdds(base) = sum { base } else { 0.0 };
                Ok(Box::new(Served(FlatTrees::new(&trees, &[base])?, trees.len(), sum)))
            }
        }
    }
}

impl Model {
    /// Its name for the peers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Forest => "forest",
            Self::Boosting => "boosting",
            Self::Logistic => "logistic",
            Self::LinearSvm => "linear-svm",
            Self::Tree => "tree",
            Self::KernelSvm => "kernel-svm",
            Self::Bayes => "bayes",
            Self::Neighbours => "neighbours",
            Self::LeastSquares => "least-squares",
            Self::KMeans => "k-means",
        }
    }

    /// Fits it to the first `rows` training rows of a set, on this thread.
    pub(crate) fn fit(self, set: &Set, rows: usize) -> Result<Fitted, MlError> {
        let rows = rows.min(set.train.1.len());
        let matrix = (rows < set.train.1.len()).then(|| set.train.0.select(&(0..rows).collect::<Vec<_>>()));
        let kinds = vec![Kind::Number; set.train.0.columns()];
        self.fit_to(matrix.as_ref().unwrap_or(&set.train.0), &kinds, &set.train.1[..rows])
    }

    /// Fits it to rows.
    pub(crate) fn fit_to(self, rows: &Matrix, kinds: &[Kind], target: &[f64]) -> Result<Fitted, MlError> {
        let (one, context) = (Examples::new(rows, kinds, Task::Binary, target), Context::serial());
        let ready = |model| Ok(Fitted::Ready(model));
        match self {
            Self::Forest => {
                let model = Forest::fit(&one, &ForestOptions::default(), &context)?;
                Ok(Fitted::Trees(model.trees, Sum::Mean))
            }
            Self::Boosting => {
                let options = BoostingOptions { max_leaves: 64, ..BoostingOptions::default() };
                let model = Boosting::fit(&one, None, &options, &context)?;
                let base = model.base.first().copied().unwrap_or_default();
                Ok(Fitted::Trees(model.trees, Sum::LogOdds(base)))
            }
            Self::Tree => {
                let model = DecisionTree::fit(&one, &TreeOptions::default(), &context)?;
                Ok(Fitted::Trees(vec![model.tree], Sum::Mean))
            }
            Self::Logistic => ready(Box::new(LogisticRegression::fit(&one, &LogisticOptions::default(), &context)?)),
            // Without folds, as scikit-learn's, which tells no probabilities.
            Self::LinearSvm => {
                let options = LinearSvmOptions { folds: 0, ..LinearSvmOptions::default() };
                ready(Box::new(LinearSvm::fit(&one, &options, &context)?))
            }
            Self::KernelSvm => {
                let options = KernelSvmOptions { folds: 0, ..KernelSvmOptions::default() };
                ready(Box::new(KernelSvm::fit(&one, &options, &context)?))
            }
            Self::Bayes => ready(Box::new(NaiveBayes::fit(&one, &BayesOptions::default(), &context)?)),
            Self::Neighbours => ready(Box::new(Neighbours::fit(&one, &NeighboursOptions::default(), &context)?)),
            Self::LeastSquares => {
                let numbers = Examples::new(rows, kinds, Task::Regression, target);
                ready(Box::new(LinearRegression::fit(&numbers, &LinearOptions::None, &context)?))
            }
            Self::KMeans => ready(Box::new(KMeans::fit(rows, kinds, None, &KMeansOptions::default(), &context)?)),
        }
    }
}
