//! A model as it is stored and served: preprocessing, one fitted algorithm or several that are asked together, calibration.
//!
//! Several members are blended where their parts add up: log-odds for yes or no, logarithms of probabilities for classes,
//! values for numbers. So what the inputs bring adds up for the whole as it does for each. [`Model`] is data; [`Scorer`] is the
//! same ready to answer.

mod check;
mod engine;
mod explain;
pub(crate) mod first;
mod onnx;
mod scorer;

use serde::{Deserialize, Serialize};

use crate::calibrate::Calibrator;
use crate::pipeline::{Coding, Pipeline, Source};
use crate::{Fitted, MlError, Task};

pub use engine::{link, margin_of};
pub use scorer::{Coded, Row, Scorer, Workspace};

/// One fitted algorithm of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Which of the model's pipelines codes its rows.
    pub pipeline: usize,
    /// How much it counts; the weights of all members add up to 1.
    pub weight: f64,
    /// The algorithm.
    pub fitted: Fitted,
}

/// Everything that is needed to answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    task: Task,
    pipelines: Vec<Pipeline>,
    members: Vec<Member>,
    calibrator: Option<Calibrator>,
}

impl Model {
    /// Puts the parts together.
    ///
    /// # Errors
    ///
    /// [`MlError::Shape`] if they do not fit: a member without its pipeline, another number of outputs than the task has, a tree
    /// that looks at a column beyond its pipeline's, a linear model with another number of weights, weights of members that do not
    /// add up to 1, classes with another calibration than by temperature; or if a number is none or beyond all measure.
    pub fn new(
        task: Task,
        pipelines: Vec<Pipeline>,
        members: Vec<Member>,
        calibrator: Option<Calibrator>,
    ) -> Result<Self, MlError> {
        let model = Self { task, pipelines, members, calibrator };
        model.check()?;
        Ok(model)
    }

    /// What it predicts.
    pub fn task(&self) -> Task {
        self.task
    }

    /// The preprocessings.
    pub fn pipelines(&self) -> &[Pipeline] {
        &self.pipelines
    }

    /// The fitted algorithms.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The correction of its probabilities.
    pub fn calibrator(&self) -> Option<&Calibrator> {
        self.calibrator.as_ref()
    }

    /// The raw columns that it takes, in the order in which [`Scorer`] wants their values.
    pub fn inputs(&self) -> Vec<Source> {
        let mut inputs: Vec<Source> = Vec::new();
        for source in self.pipelines.iter().flat_map(Pipeline::sources) {
            if inputs.iter().all(|known| known.name != source.name) {
                inputs.push(source.clone());
            }
        }
        inputs
    }

    /// The name of its algorithm; `ensemble` for several.
    pub fn algorithm(&self) -> &'static str {
        match &*self.members {
            [one] => one.fitted.name(),
            _ => "ensemble",
        }
    }

    /// Whether what [`Scorer::contributions`] tells is exact: linear models and trees. Others are asked about changed rows.
    pub fn is_explained_exactly(&self) -> bool {
        self.members.iter().all(|member| match &member.fitted {
            Fitted::LinearRegression(_)
            | Fitted::LogisticRegression(_)
            | Fitted::LinearSvm(_)
            | Fitted::OnlineLogistic(_)
            | Fitted::DecisionTree(_)
            | Fitted::RandomForest(_)
            | Fitted::GradientBoosting(_) => true,
            Fitted::KernelSvm(_) | Fitted::NearestNeighbours(_) | Fitted::NaiveBayes(_) | Fitted::Onnx(_) => false,
        })
    }

    /// A mark of the inputs: two models with one mark take the same columns, read in the same way. It tells a table or a set of
    /// features that a model was not made for.
    pub fn fingerprint(&self) -> String {
        let inputs = self.inputs();
        let text = serde_json::to_vec(&inputs).expect("names and forms are JSON");
        format!("{:016x}", fnv(&text))
    }

    /// What stands for an input that is taken away, in coded form: the mean for linear coding, nothing for trees.
    fn neutral(coding: Coding) -> f64 {
        match coding {
            Coding::Linear => 0.0,
            Coding::Tree => f64::NAN,
        }
    }
}

/// The hash of Fowler, Noll and Vo (1a, 64 bits), the same on every machine and in every version.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
