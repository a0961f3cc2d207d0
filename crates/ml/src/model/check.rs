//! Whether a model can answer: what came from outside may hold anything, and must be refused before it is asked.
//!
//! What is refused here never panics and gives finite answers for rows of ordinary numbers. The model of another program is
//! not looked into: its file is checked where it is read, and what it answers is its own.

use super::{Member, Model};
use crate::calibrate::Calibrator;
use crate::sound::{self, Form};
use crate::tree::{Boosting, Node, Tree};
use crate::{Fitted, MlError, Predict, Task};

impl Model {
    pub(crate) fn check(&self) -> Result<(), MlError> {
        let has_answers = !matches!(self.task, Task::Multiclass { classes: 0..2 });
        sound::fits(has_answers, "there are less than two classes")?;
        sound::fits(!self.members.is_empty(), "a model needs at least one fitted algorithm")?;
        self.pipelines.iter().try_for_each(crate::pipeline::Pipeline::check)?;
        self.members.iter().try_for_each(|member| self.check_member(member))?;
        let is_share = |member: &Member| (0.0..=1.0 + 1e-9).contains(&member.weight);
        let sum: f64 = self.members.iter().map(|member| member.weight).sum();
        let are_shares = self.members.iter().all(is_share) && (sum - 1.0).abs() <= 1e-9;
        sound::fits(are_shares, "the weights of the fitted algorithms do not add up to 1")?;
        let suits = match (self.task, &self.calibrator) {
            (_, None) | (Task::Binary, Some(_)) => true,
            (task, Some(calibrator)) => {
                matches!((task, calibrator), (Task::Multiclass { .. }, Calibrator::Temperature(_)))
            }
        };
        sound::fits(suits, "this calibration does not fit the task")?;
        self.calibrator.as_ref().map_or(Ok(()), Calibrator::check)
    }

    fn check_member(&self, member: &Member) -> Result<(), MlError> {
        let pipeline = self.pipelines.get(member.pipeline);
        let pipeline = pipeline.ok_or_else(|| MlError::Shape("a fitted algorithm has no preprocessing".to_owned()))?;
        let (fitted, form) = (&member.fitted, Form { task: self.task, kinds: pipeline.kinds() });
        let suits = fitted.algorithm().is_none_or(|algorithm| algorithm.suits(self.task));
        let answers = suits && fitted.outputs() == self.task.outputs();
        sound::fits(answers, "a fitted algorithm answers another question than the model")?;
        let columns = form.kinds.len();
        match fitted {
            Fitted::LinearRegression(model) => model.check(columns),
            Fitted::LogisticRegression(model) => model.check(columns),
            Fitted::OnlineLogistic(model) => model.check(columns),
            Fitted::LinearSvm(model) => model.check(form),
            Fitted::KernelSvm(model) => model.check(form),
            Fitted::DecisionTree(model) => {
                check_trees(std::slice::from_ref(&model.tree), form)?;
                check_means(std::slice::from_ref(&model.tree), model.task, form)
            }
            Fitted::RandomForest(model) => {
                check_trees(&model.trees, form)?;
                check_means(&model.trees, model.task, form)
            }
            Fitted::GradientBoosting(model) => check_boosting(model, form),
            Fitted::NearestNeighbours(model) => model.check(form),
            Fitted::NaiveBayes(model) => model.check(form),
            Fitted::Onnx(imported) if imported.model().columns() != columns => {
                let takes = imported.model().columns();
                Err(MlError::Shape(format!("the ONNX model takes {takes} columns; {columns} inputs were named")))
            }
            Fitted::Onnx(_) => Ok(()),
        }
    }
}

fn check_trees(trees: &[Tree], form: Form<'_>) -> Result<(), MlError> {
    trees.iter().try_for_each(Tree::check)?;
    let is_beyond = |node: &Node| matches!(node, Node::Split { column, .. } if *column as usize >= form.kinds.len());
    let is_within = !trees.iter().flat_map(|tree| &tree.nodes).any(is_beyond);
    sound::fits(is_within, "a tree looks at a column that its preprocessing does not make")
}

/// What answers by the mean of what its trees say.
fn check_means(trees: &[Tree], task: Task, form: Form<'_>) -> Result<(), MlError> {
    sound::fits(task == form.task, "trees answer another question than the model")?;
    let are_whole = !trees.is_empty() && trees.iter().all(|tree| tree.outputs as usize == task.outputs());
    sound::fits(are_whole, "trees have not one number for each answer")?;
    if task == Task::Regression {
        return Ok(());
    }
    trees.iter().flat_map(|tree| &tree.values).try_for_each(|value| sound::probability("a leaf", *value))
}

fn check_boosting(boosting: &Boosting, form: Form<'_>) -> Result<(), MlError> {
    check_trees(&boosting.trees, form)?;
    sound::fits(boosting.task == form.task, "trees answer another question than the model")?;
    let outputs = form.task.outputs();
    let are_in_turns =
        boosting.trees.iter().all(|tree| tree.outputs == 1) && boosting.trees.len().is_multiple_of(outputs);
    let are_whole = boosting.trees.iter().all(|tree| tree.outputs as usize == outputs);
    let fits = boosting.base.len() == outputs && (are_in_turns || are_whole);
    sound::fits(fits, "trees have not one number for each answer")?;
    sound::numbers("the base", &boosting.base)
}
