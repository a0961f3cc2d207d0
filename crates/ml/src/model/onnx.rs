//! A model as an ONNX file, as far as ONNX can carry it: one linear model or one family of trees over the coded inputs. The coding
//! of raw values and the calibration stay here.

use super::Model;
use crate::calibrate::Calibrator;
use crate::onnx::{Ending, Linear, export_linear, export_trees};
use crate::tree::Loss;
use crate::{Fitted, MlError, Task};

impl Model {
    /// The model in the ONNX format. It takes the coded inputs, [`crate::pipeline::Pipeline::names`]; trees over features that are
    /// numbers take them as they are.
    ///
    /// # Errors
    ///
    /// [`MlError::Onnx`] if there is no such form: several algorithms, a calibration, similarities.
    pub fn to_onnx(&self) -> Result<Vec<u8>, MlError> {
        let wrong = |what: &str| Err(MlError::Onnx(what.to_owned()));
        let [member] = self.members() else { return wrong("an ensemble cannot be written; train one algorithm") };
        // What corrects log-odds by a straight line goes into the margin itself.
        let is_margin = matches!(
            member.fitted,
            Fitted::LogisticRegression(_) | Fitted::OnlineLogistic(_) | Fitted::GradientBoosting(_)
        );
        let (scale, shift) = match self.calibrator() {
            None => (1.0, 0.0),
            Some(Calibrator::Platt(platt)) if is_margin => (platt.slope(), platt.intercept()),
            Some(Calibrator::Temperature(temperature)) if is_margin => (temperature.temperature().recip(), 0.0),
            Some(_) => return wrong("probabilities that are corrected by a curve cannot be written"),
        };
        let (task, columns) = (self.task(), self.pipelines()[member.pipeline].width());
        let linear = |weights: &dyn Fn(usize) -> (Vec<f64>, f64)| {
            let outputs = task.outputs();
            let (mut all, mut intercepts) = (Vec::new(), Vec::new());
            for output in 0..outputs {
                let (weights, intercept) = weights(output);
                all.extend(weights.iter().map(|weight| scale * weight));
                intercepts.push(scale * intercept + shift);
            }
            let model = Linear { offset: &[], scale: &[], weights: &all, intercepts: &intercepts };
            export_linear(model, columns, task)
        };
        match &member.fitted {
            Fitted::LinearRegression(model) => linear(&|_| (model.weights().to_vec(), model.intercept())),
            Fitted::LogisticRegression(model) => {
                linear(&|output| (model.weights(output).to_vec(), model.intercept(output)))
            }
            Fitted::OnlineLogistic(model) => linear(&|_| model.line()),
            Fitted::GradientBoosting(boosting) if task == Task::Regression && boosting.loss == Loss::Poisson => {
                wrong("a regression through a logarithm cannot be written")
            }
            Fitted::GradientBoosting(boosting) => {
                let ending = match task {
                    Task::Binary | Task::Multiclass { .. } => Ending::Probabilities,
                    Task::Regression | Task::Ranking => Ending::Nothing,
                };
                let base: Vec<f64> = boosting.base.iter().map(|base| scale * base + shift).collect();
                export_trees(&boosting.trees, &base, scale, columns, task, ending)
            }
            Fitted::RandomForest(forest) => {
                let part = 1.0 / forest.trees.len() as f64;
                export_trees(&forest.trees, &vec![0.0; task.outputs()], part, columns, task, Ending::Nothing)
            }
            Fitted::DecisionTree(tree) => {
                let trees = std::slice::from_ref(&tree.tree);
                export_trees(trees, &vec![0.0; task.outputs()], 1.0, columns, task, Ending::Nothing)
            }
            Fitted::Onnx(imported) => Ok(imported.bytes().to_vec()),
            Fitted::LinearSvm(_) | Fitted::KernelSvm(_) | Fitted::NearestNeighbours(_) | Fitted::NaiveBayes(_) => {
                wrong("this algorithm cannot be written; linear and logistic regression and trees can")
            }
        }
    }
}
