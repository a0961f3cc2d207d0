//! A model with the rows of a table: answers, reasons, and how good they are.

use std::collections::BTreeMap;
use std::io::Write;

use rapport_ml::frame::{Cell, Frame, Reading, Texts, is_missing};
use rapport_ml::metrics::Costs;
use rapport_ml::{Artifact, Card, Row, Scorer, Task, Workspace};
use serde::Serialize;

use super::{find, name_of};
use crate::LearnError;
use crate::file::FileTable;
use crate::train::Judged;

/// A model with the rows of a table, read as the model was taught to.
#[derive(Debug)]
pub struct Applied {
    scorer: Scorer,
    frame: Frame,
    classes: Vec<String>,
}

impl Applied {
    /// Reads what the model needs of a table; other columns are not looked at.
    ///
    /// # Errors
    ///
    /// [`LearnError::Ml`] if a column is missing.
    pub fn new(artifact: &Artifact, table: &FileTable) -> Result<Self, LearnError> {
        let scorer = Scorer::new(&artifact.model)?;
        let mut columns = Vec::new();
        let mut readings = Vec::new();
        for input in scorer.inputs() {
            find(table, &input.name)?;
            columns.extend(table.columns.iter().filter(|(name, _)| *name == input.name).cloned());
            readings.push((input.name.as_str(), input.reading));
        }
        let frame = Frame::read(columns, &readings)?;
        Ok(Self { frame, classes: artifact.card.classes.clone(), scorer })
    }

    /// The answers, row by row.
    ///
    /// # Errors
    ///
    /// As [`Scorer::predict_frame`].
    pub fn answers(&self) -> Result<Vec<f64>, LearnError> {
        Ok(self.scorer.predict_frame(&self.frame, &(0..self.frame.rows()).collect::<Vec<_>>())?)
    }

    /// Writes the table as CSV with the answers behind it: `probability` of yes, the likeliest class as `predicted` and a
    /// `probability` for each, or a number as `predicted`.
    ///
    /// # Errors
    ///
    /// [`LearnError::Csv`] if it cannot be written.
    pub fn write(&self, table: &FileTable, writer: impl Write) -> Result<usize, LearnError> {
        let answers = self.answers()?;
        let mut out = csv::Writer::from_writer(writer);
        let names = table.columns.iter().map(|(name, _)| name.clone());
        out.write_record(names.chain(self.headings()))?;
        for (row, answer) in answers.chunks_exact(self.scorer.outputs()).enumerate() {
            let cells = table.columns.iter().map(|(_, texts)| texts.get(row).unwrap_or_default().to_owned());
            out.write_record(cells.chain(self.texts(answer)))?;
        }
        out.flush().map_err(csv::Error::from)?;
        Ok(self.frame.rows())
    }

    fn headings(&self) -> Vec<String> {
        match self.scorer.task() {
            Task::Binary => vec!["probability".to_owned()],
            Task::Regression | Task::Ranking => vec!["predicted".to_owned()],
            Task::Multiclass { .. } => {
                let each = self.classes.iter().map(|class| format!("probability of {class}"));
                ["predicted".to_owned()].into_iter().chain(each).collect()
            }
        }
    }

    fn texts(&self, answer: &[f64]) -> Vec<String> {
        match self.scorer.task() {
            Task::Binary => vec![format!("{:.6}", answer[0])],
            Task::Regression | Task::Ranking => vec![answer[0].to_string()],
            Task::Multiclass { .. } => {
                let likeliest = (0..answer.len()).max_by(|a, b| answer[*a].total_cmp(&answer[*b]).then(b.cmp(a)));
                let class = likeliest.and_then(|class| self.classes.get(class)).cloned().unwrap_or_default();
                [class].into_iter().chain(answer.iter().map(|answer| format!("{answer:.6}"))).collect()
            }
        }
    }

    /// Why a row has its answer; of classes, why the likeliest is it.
    pub fn explain(&self, row: usize) -> Explanation {
        let cells: Vec<Cell<'_>> = self.frame.columns().iter().map(|column| column.cells.get(row)).collect();
        let mut work = Workspace::default();
        let mut answer = vec![0.0; self.scorer.outputs()];
        self.scorer.predict(Row::Cells(&cells), &mut work, &mut answer);
        let output = (0..answer.len()).max_by(|a, b| answer[*a].total_cmp(&answer[*b]).then(b.cmp(a))).unwrap_or(0);
        let mut parts = vec![0.0; cells.len()];
        let base = self.scorer.contributions(Row::Cells(&cells), output, &mut work, &mut parts);
        let part = |(place, contribution): (usize, &f64)| Part {
            input: self.scorer.inputs()[place].name.clone(),
            value: name_of(cells[place]),
            contribution: *contribution,
        };
        let mut parts: Vec<Part> = parts.iter().enumerate().map(part).collect();
        parts.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        let class = match self.scorer.task() {
            Task::Binary => self.classes.get(1).cloned(),
            Task::Multiclass { .. } => self.classes.get(output).cloned(),
            Task::Regression | Task::Ranking => None,
        };
        Explanation { row, answer: answer[output], class, base, parts }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.frame.rows()
    }

    /// How good the answers are where the truth is known: rows whose target is missing are left out.
    ///
    /// # Errors
    ///
    /// [`LearnError::Mismatch`] if the target is not there or holds answers that the model does not know.
    pub fn evaluate(
        &self,
        table: &FileTable,
        artifact: &Artifact,
        costs: Costs,
    ) -> Result<BTreeMap<String, f64>, LearnError> {
        let target = &artifact.card.target;
        find(table, target)?;
        if artifact.card.task == Task::Ranking {
            return Err(LearnError::Mismatch("a ranking is judged when it is trained".to_owned()));
        }
        let Some((_, texts)) = table.columns.iter().find(|(name, _)| name == target) else {
            return Err(LearnError::Mismatch(format!("there is no column \"{target}\"")));
        };
        let outputs = self.scorer.outputs();
        let (mut actual, mut kept) = (Vec::new(), Vec::new());
        for (row, answer) in self.answers()?.chunks_exact(outputs).enumerate() {
            if let Some(known) = self.actual(texts, row, &artifact.card)? {
                actual.push(known);
                kept.extend_from_slice(answer);
            }
        }
        if actual.is_empty() {
            return Err(LearnError::Few(format!(
                "no row has a value in the column \"{target}\"; there is nothing to compare with"
            )));
        }
        let task = self.scorer.task();
        let quantile = artifact.card.quantile;
        let judged = Judged { task, quantile, answers: &kept, actual: &actual, weights: None, groups: None };
        let mut figures = judged.figures(costs)?;
        figures.insert("rows".to_owned(), actual.len() as f64);
        Ok(figures)
    }

    /// The answer of a row as training would have read it; none if it is missing.
    fn actual(&self, texts: &Texts, row: usize, card: &Card) -> Result<Option<f64>, LearnError> {
        let reading = card.target_reading.unwrap_or(Reading::Text);
        let Some(text) = texts.get(row).map(str::trim).filter(|text| !is_missing(text)) else { return Ok(None) };
        let number = match reading.read(text) {
            Cell::Number(number) => Some(number),
            Cell::Missing | Cell::Text(_) | Cell::Time(_) => None,
        };
        let target = &card.target;
        if self.classes.is_empty() {
            let wrong = || LearnError::Mismatch(format!("\"{text}\" in the column \"{target}\" is no number"));
            return number.ok_or_else(wrong).map(Some);
        }
        // A class may be written otherwise than in training: 1 and 1.0, YES and yes.
        let same = |class: &String| class == text || (number.is_some() && number == as_number(class, reading));
        let unknown = || {
            let known = self.classes.join(", ");
            LearnError::Mismatch(format!(
                "the model does not know the answer \"{text}\" in the column \"{target}\"; it knows {known}"
            ))
        };
        self.classes.iter().position(same).ok_or_else(unknown).map(|class| Some(class as f64))
    }
}

/// The number that the name of a class stands for: names of numbers are plain, those of yes and no are the table's own.
fn as_number(class: &str, reading: Reading) -> Option<f64> {
    match (reading, reading.read(class)) {
        (Reading::Boolean, Cell::Number(number)) => Some(number),
        _ => class.parse().ok(),
    }
}

/// Why a row has its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Which row, from 0.
    pub row: usize,
    /// The probability, or the number.
    pub answer: f64,
    /// The class whose probability it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The margin of a row of which nothing is known.
    pub base: f64,
    /// What each input adds to it, strongest first.
    pub parts: Vec<Part>,
}

/// What an input brings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// Its name.
    pub input: String,
    /// Its value, empty if missing.
    pub value: String,
    /// What it adds, on the scale of [`Scorer::contributions`].
    pub contribution: f64,
}
