//! A model ready to answer.

use super::engine::{Engine, Spare, link, log_odds};
use super::{Model, explain};
use crate::calibrate::Calibrator;
use crate::frame::{Cell, Frame};
use crate::linear::sigmoid;
use crate::pipeline::{Pipeline, Scratch, Source};
use crate::{Ftrl, Kind, Matrix, MlError, Predict, Task};

/// So many rows of a table are coded at a time.
const BLOCK: usize = 4096;

/// Raw values of one row, in the order of [`Scorer::inputs`].
#[derive(Debug, Clone, Copy)]
pub enum Row<'a> {
    /// Numbers, NaN where missing.
    Numbers(&'a [f64]),
    /// Cells of any kind.
    Cells(&'a [Cell<'a>]),
}

/// Memory that answering needs, used again for the next row.
#[derive(Debug, Default)]
pub struct Workspace {
    scratch: Scratch,
    numbers: Vec<f64>,
    /// The coded row of each pipeline, one after the other.
    coded: Vec<f64>,
    margins: Vec<f64>,
    parts: Vec<f64>,
    spare: Spare,
}

/// A pipeline, and where its raw columns are among the inputs.
#[derive(Debug)]
struct Stage {
    pipeline: Pipeline,
    /// None if they are all inputs, in order.
    places: Option<Vec<usize>>,
    /// For each of its raw columns which input it is.
    inputs: Vec<usize>,
    start: usize,
}

#[derive(Debug)]
struct Ready {
    stage: usize,
    weight: f64,
    engine: Engine,
}

/// A model ready to answer. Answering changes nothing, so many threads can ask it, each with its own [`Workspace`].
#[derive(Debug)]
pub struct Scorer {
    task: Task,
    inputs: Vec<Source>,
    stages: Vec<Stage>,
    members: Vec<Ready>,
    calibrator: Option<Calibrator>,
    width: usize,
}

impl Scorer {
    /// Prepares a model.
    ///
    /// # Errors
    ///
    /// [`MlError::Shape`] if its parts are damaged.
    pub fn new(model: &Model) -> Result<Self, MlError> {
        model.check()?;
        let inputs = model.inputs();
        let (mut stages, mut width) = (Vec::new(), 0);
        for pipeline in model.pipelines() {
            let place = |source: &Source| inputs.iter().position(|input| input.name == source.name);
            let places: Vec<usize> = pipeline.sources().iter().filter_map(place).collect();
            let all = places.len() == inputs.len() && places.iter().enumerate().all(|(at, place)| at == *place);
            let start = width;
            width += pipeline.width();
            let own = (!all).then(|| places.clone());
            stages.push(Stage { pipeline: pipeline.clone(), places: own, inputs: places, start });
        }
        let ready = |member: &super::Member| {
            let engine = Engine::new(model.task(), &member.fitted)?;
            Ok(Ready { stage: member.pipeline, weight: member.weight, engine })
        };
        let members = model.members().iter().map(ready).collect::<Result<_, MlError>>()?;
        Ok(Self { task: model.task(), inputs, stages, members, calibrator: model.calibrator().cloned(), width })
    }

    /// What it predicts.
    pub fn task(&self) -> Task {
        self.task
    }

    /// The raw columns whose values make a row.
    pub fn inputs(&self) -> &[Source] {
        &self.inputs
    }

    /// How many numbers an answer has.
    pub fn outputs(&self) -> usize {
        self.task.outputs()
    }

    /// Writes the answer: probabilities or a value. Allocates nothing once the workspace has grown, for a model of one
    /// pipeline.
    pub fn predict(&self, row: Row<'_>, work: &mut Workspace, out: &mut [f64]) {
        self.code(row, work);
        self.answer_coded(work, out);
    }

    /// What it has learnt up to now, if it can go on learning: one online algorithm alone, whose probabilities nothing corrects.
    pub fn online(&self) -> Option<&Ftrl> {
        match &*self.members {
            [one] if self.calibrator.is_none() => one.engine.online(),
            _ => None,
        }
    }

    /// Goes on from what an equal model had learnt.
    ///
    /// # Errors
    ///
    /// [`MlError::Shape`] if it cannot go on learning, or was learnt from other columns.
    pub fn set_online(&mut self, learnt: Ftrl) -> Result<(), MlError> {
        if self.online().is_none() || learnt.check(self.width).is_err() {
            return Err(MlError::Shape("what was learnt belongs to another model".to_owned()));
        }
        if let Some(online) = self.members[0].engine.online_mut() {
            *online = learnt;
        }
        Ok(())
    }

    /// Learns from a row whose answer, 0 or 1, has become known.
    ///
    /// # Errors
    ///
    /// [`MlError::Shape`], and nothing is learnt, if it cannot go on learning ([`Self::online`]), or the row teaches nothing
    /// because its numbers are beyond all measure.
    pub fn learn(&mut self, row: Row<'_>, target: f64, work: &mut Workspace) -> Result<(), MlError> {
        if self.online().is_none() {
            return Err(MlError::Shape("this model cannot go on learning".to_owned()));
        }
        self.code(row, work);
        match self.members[0].engine.online_mut() {
            Some(online) => online.learn_one(&work.coded, target, 1.0),
            None => Ok(()),
        }
    }

    fn code(&self, row: Row<'_>, work: &mut Workspace) {
        work.coded.resize(self.width, 0.0);
        for stage in &self.stages {
            let coded = &mut work.coded[stage.start..][..stage.pipeline.width()];
            match (row, &stage.places) {
                (Row::Numbers(values), None) => stage.pipeline.row_of_numbers(values, &mut work.scratch, coded),
                (Row::Numbers(values), Some(places)) => {
                    work.numbers.clear();
                    work.numbers.extend(places.iter().map(|place| values[*place]));
                    stage.pipeline.row_of_numbers(&work.numbers, &mut work.scratch, coded);
                }
                (Row::Cells(cells), None) => stage.pipeline.row(cells, &mut work.scratch, coded),
                (Row::Cells(cells), Some(places)) => {
                    let own: Vec<Cell<'_>> = places.iter().map(|place| cells[*place]).collect();
                    stage.pipeline.row(&own, &mut work.scratch, coded);
                }
            }
        }
    }

    fn coded<'a>(&self, stage: usize, coded: &'a [f64]) -> &'a [f64] {
        let stage = &self.stages[stage];
        &coded[stage.start..][..stage.pipeline.width()]
    }

    fn answer_coded(&self, work: &mut Workspace, out: &mut [f64]) {
        if let [one] = &*self.members {
            one.engine.answer(self.coded(one.stage, &work.coded), out);
        } else {
            work.margins.resize(out.len(), 0.0);
            out.fill(0.0);
            for member in &self.members {
                member.engine.margins(self.coded(member.stage, &work.coded), &mut work.margins);
                out.iter_mut().zip(&work.margins).for_each(|(out, margin)| *out += member.weight * margin);
            }
            link(self.task, out);
        }
        if let Some(calibrator) = &self.calibrator {
            calibrator.apply_row(out);
        }
    }

    /// [`Self::predict`] and [`Self::contributions`] of one row, which is coded once. Returns the margin without the parts.
    pub fn predict_and_explain(
        &self,
        row: Row<'_>,
        output: usize,
        work: &mut Workspace,
        answer: &mut [f64],
        parts: &mut [f64],
    ) -> f64 {
        self.predict(row, work, answer);
        self.explain_coded(output, work, parts)
    }

    /// Writes what each input brings to the margin of an output (log-odds for yes or no, the logarithm of a class's probability
    /// but for a number that all classes share, the value itself for numbers) and returns the margin without them: that and
    /// all parts are the margin of the answer.
    pub fn contributions(&self, row: Row<'_>, output: usize, work: &mut Workspace, out: &mut [f64]) -> f64 {
        self.code(row, work);
        self.explain_coded(output, work, out)
    }

    fn explain_coded(&self, output: usize, work: &mut Workspace, out: &mut [f64]) -> f64 {
        out.fill(0.0);
        let mut base = 0.0;
        for member in &self.members {
            let stage = &self.stages[member.stage];
            let neutral = Model::neutral(stage.pipeline.coding());
            let groups = explain::Groups { origin: stage.pipeline.origin(), neutral };
            let coded = &work.coded[stage.start..][..stage.pipeline.width()];
            work.parts.resize(coded.len(), 0.0);
            let own = member.engine.contributions(coded, output, &groups, &mut work.spare, &mut work.parts);
            base += member.weight * own;
            for (origin, part) in stage.pipeline.origin().iter().zip(&work.parts) {
                out[stage.inputs[*origin]] += member.weight * part;
            }
        }
        match &self.calibrator {
            None => base,
            Some(Calibrator::Temperature(temperature)) => {
                out.iter_mut().for_each(|part| *part /= temperature.temperature());
                base / temperature.temperature()
            }
            Some(calibrator) => explain::rescale(base, out, |margin| log_odds(calibrator.apply(sigmoid(margin)))),
        }
    }

    /// The answers for rows of a table, one after the other; the table may have more columns, and in another order.
    ///
    /// # Errors
    ///
    /// [`MlError::Table`] if a column is missing.
    pub fn predict_frame(&self, frame: &Frame, rows: &[usize]) -> Result<Vec<f64>, MlError> {
        let outputs = self.outputs();
        let mut all = vec![0.0; rows.len() * outputs];
        for (rows, out) in rows.chunks(BLOCK).zip(all.chunks_mut(BLOCK * outputs)) {
            self.predict_block(frame, rows, out)?;
        }
        Ok(all)
    }

    fn predict_block(&self, frame: &Frame, rows: &[usize], out: &mut [f64]) -> Result<(), MlError> {
        let coded: Vec<Matrix> =
            self.stages.iter().map(|stage| stage.pipeline.apply(frame, rows)).collect::<Result<_, _>>()?;
        if let [one] = &*self.members {
            one.engine.answers(&coded[one.stage], out);
        } else {
            let mut answers = vec![0.0; out.len()];
            out.fill(0.0);
            for member in &self.members {
                member.engine.answers(&coded[member.stage], &mut answers);
                super::engine::unlink(self.task, &mut answers);
                out.iter_mut().zip(&answers).for_each(|(out, margin)| *out += member.weight * margin);
            }
            out.chunks_exact_mut(self.outputs()).for_each(|out| link(self.task, out));
        }
        if let Some(calibrator) = &self.calibrator {
            out.chunks_exact_mut(self.outputs()).for_each(|out| calibrator.apply_row(out));
        }
        Ok(())
    }
}

/// A scorer of rows that are coded already, the coded rows of its pipelines standing side by side: for asking a model about many
/// changed rows, as permutation importance and partial dependence do.
#[derive(Debug, Clone, Copy)]
pub struct Coded<'a>(&'a Scorer);

impl Scorer {
    /// The model for coded rows.
    pub fn on_coded(&self) -> Coded<'_> {
        Coded(self)
    }
}

impl Coded<'_> {
    /// Rows of a table in coded form.
    ///
    /// # Errors
    ///
    /// [`MlError::Table`] if a column is missing, or the coded rows would be too large.
    pub fn rows(&self, frame: &Frame, rows: &[usize]) -> Result<Matrix, MlError> {
        let coded: Vec<Matrix> =
            self.0.stages.iter().map(|stage| stage.pipeline.apply(frame, rows)).collect::<Result<_, _>>()?;
        let mut values = Vec::with_capacity(rows.len() * self.0.width);
        for row in 0..rows.len() {
            coded.iter().for_each(|matrix| values.extend_from_slice(matrix.row(row)));
        }
        Matrix::from_values(self.0.width, values)
    }

    /// For each input the coded columns that come from it.
    pub fn groups(&self) -> Vec<Vec<usize>> {
        let mut groups = vec![Vec::new(); self.0.inputs.len()];
        for stage in &self.0.stages {
            for (place, origin) in stage.pipeline.origin().iter().enumerate() {
                groups[stage.inputs[*origin]].push(stage.start + place);
            }
        }
        groups
    }

    /// The names and kinds of the coded columns.
    pub fn columns(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.0.stages.iter().flat_map(|stage| {
            stage.pipeline.names().iter().map(String::as_str).zip(stage.pipeline.kinds().iter().copied())
        })
    }
}

impl Predict for Coded<'_> {
    fn outputs(&self) -> usize {
        self.0.task.outputs()
    }

    /// Allocates; what it is for asks about whole tables.
    fn predict(&self, row: &[f64], out: &mut [f64]) {
        let mut work = Workspace { coded: row.to_vec(), ..Workspace::default() };
        self.0.answer_coded(&mut work, out);
    }
}
