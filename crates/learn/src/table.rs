//! From a table to what is learnt from: which column is the answer and of what kind, which tell whose row it is and when; and
//! back: answers and reasons for the rows of a table.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use rapport_ml::frame::{Cell, Cells, Column, Frame, InferOptions, Meaning, Reading, Schema, Texts, infer};
use rapport_ml::metrics::Costs;
use rapport_ml::{Artifact, Row, Scorer, Task, Workspace};
use serde::Serialize;

use crate::file::{FileReport, FileTable};
use crate::train::Judged;
use crate::{Data, LearnError};

/// A target of more different texts is no choice between classes.
const CLASSES_MAX: usize = 100;
/// So many answers are named in a message.
const NAMED: usize = 5;

/// What kind of answer is wanted, where the column alone does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskChoice {
    /// One of the values of the column.
    Classes,
    /// A number.
    Number,
    /// An order within groups.
    Ranking,
}

/// How to understand a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableOptions {
    /// The column to predict.
    pub target: String,
    /// What kind of answer; told by the column if none.
    pub task: Option<TaskChoice>,
    /// Of two answers the one whose probability is told.
    pub positive: Option<String>,
    /// The column that tells whose row it is.
    pub group: Option<String>,
    /// The column that tells when it was.
    pub time: Option<String>,
    /// The column that tells how much a row counts.
    pub weight: Option<String>,
    /// What columns hold, whatever they look like.
    pub meanings: BTreeMap<String, Meaning>,
}

/// What a table was, and what was mended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableReport {
    /// The file.
    pub file: FileReport,
    /// The columns.
    pub schema: Schema,
    /// Rows with a known answer.
    pub rows: usize,
    /// Rows that were left out because they have none.
    pub without_target: usize,
}

/// Understands a table.
///
/// # Errors
///
/// [`LearnError::Mismatch`] for columns that are not there or are not what they should be, [`LearnError::Few`] for a target that
/// is always the same.
pub fn data_of(table: FileTable, options: &TableOptions) -> Result<(Data, TableReport), LearnError> {
    let named = [&options.group, &options.time, &options.weight];
    for name in named.into_iter().flatten().chain([&options.target]) {
        find(&table, name)?;
    }
    let infer_options = InferOptions { meanings: options.meanings.clone() };
    let spoken = table.columns.iter().find(|(name, _)| *name == options.target).map(|(_, texts)| texts.clone());
    let (mut frame, schema) = infer(table.columns, &infer_options)?;
    let target = frame.take(&options.target)?;
    let rows: Vec<usize> = (0..target.cells.len()).filter(|row| target.cells.get(*row) != Cell::Missing).collect();
    if rows.is_empty() {
        return Err(LearnError::Few(format!(
            "the column \"{}\" has no values; there is nothing to learn from",
            target.name
        )));
    }
    let without_target = target.cells.len() - rows.len();
    let target = Column { cells: target.cells.select(&rows), ..target };
    if without_target > 0 {
        frame = frame.select(&rows)?;
    }
    let mut take = |name: &Option<String>| name.as_ref().map(|name| frame.take(name)).transpose();
    let (group, time, weight) = (take(&options.group)?, take(&options.time)?, take(&options.weight)?);
    let spoken = spoken.unwrap_or_default().select(&rows);
    let (task, classes, target) = answers(&target, &spoken, options)?;
    let mut data = Data {
        frame,
        target_name: options.target.clone(),
        task,
        target,
        classes,
        weights: weight.as_ref().map(weights).transpose()?,
        groups: group.as_ref().map(groups),
        at: time.as_ref().map(instants).transpose()?,
        baseline: None,
        gap: 0,
    };
    if task == Task::Ranking {
        data = together(data)?;
    }
    let report = TableReport { file: table.report, schema, rows: data.rows(), without_target };
    Ok((data, report))
}

fn find(table: &FileTable, name: &str) -> Result<(), LearnError> {
    if table.columns.iter().any(|(known, _)| known == name) {
        return Ok(());
    }
    let lower = |text: &str| text.to_lowercase().replace([' ', '_', '-'], "");
    let like = table.columns.iter().find(|(known, _)| lower(known) == lower(name));
    let known: Vec<&str> = table.columns.iter().map(|(known, _)| known.as_str()).collect();
    Err(LearnError::Mismatch(match like {
        Some((like, _)) => format!("there is no column \"{name}\"; did you mean \"{like}\"?"),
        None => format!("there is no column \"{name}\"; there are {}", known.join(", ")),
    }))
}

/// A value as people write it.
fn name_of(cell: Cell<'_>) -> String {
    match cell {
        Cell::Missing => String::new(),
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => text.trim().to_owned(),
        Cell::Time(at) => at.to_string(),
    }
}

/// What kind of answer a column holds, the names of its classes, and the answers.
fn answers(
    target: &Column,
    spoken: &Texts,
    options: &TableOptions,
) -> Result<(Task, Vec<String>, Vec<f64>), LearnError> {
    let name = &target.name;
    let names = Names::new(target, spoken);
    let different: BTreeSet<String> =
        (0..target.cells.len()).map(|row| names.of(row)).take_while_different(CLASSES_MAX * 10);
    if let [only] = &*different.iter().collect::<Vec<_>>() {
        let text =
            format!("every row has the answer \"{only}\" in the column \"{name}\"; there is nothing to tell apart");
        return Err(LearnError::Few(text));
    }
    let numbers = || -> Result<Vec<f64>, LearnError> {
        match &target.cells {
            Cells::Number(values) if values.iter().all(|value| value.is_finite()) => Ok(values.clone()),
            _ => Err(LearnError::Mismatch(format!("the column \"{name}\" does not hold numbers alone"))),
        }
    };
    let is_number = matches!(target.cells, Cells::Number(_));
    match options.task {
        Some(TaskChoice::Number) => return Ok((Task::Regression, Vec::new(), numbers()?)),
        Some(TaskChoice::Ranking) => return Ok((Task::Ranking, Vec::new(), numbers()?)),
        None if is_number && different.len() > 2 => return Ok((Task::Regression, Vec::new(), numbers()?)),
        None | Some(TaskChoice::Classes) => {}
    }
    if matches!(target.cells, Cells::Time(_)) {
        let text = format!("the column \"{name}\" holds dates, which cannot be predicted; make a number of days of it");
        return Err(LearnError::Mismatch(text));
    }
    if different.len() > CLASSES_MAX {
        let shown: Vec<&str> = different.iter().take(NAMED).map(String::as_str).collect();
        return Err(LearnError::Mismatch(format!(
            "the column \"{name}\" has more than {CLASSES_MAX} different values ({}, ...), which are too many to choose \
             between; predict a number or something coarser",
            shown.join(", ")
        )));
    }
    let classes = in_order(different, target, options)?;
    let place = |row| {
        let name = names.of(row);
        classes.iter().position(|class| *class == name)
    };
    let numbers = (0..target.cells.len()).filter_map(place).map(|class| class as f64).collect();
    let task = match classes.len() {
        2 => Task::Binary,
        classes => Task::Multiclass { classes: classes as u32 },
    };
    Ok((task, classes, numbers))
}

/// How the answers are called: yes and no as the table says them, everything else by its value.
struct Names<'a> {
    target: &'a Column,
    /// What the table says for 0 and for 1.
    booleans: Option<[String; 2]>,
}

impl<'a> Names<'a> {
    fn new(target: &'a Column, spoken: &Texts) -> Self {
        let first = |wanted: f64| {
            let row = (0..target.cells.len()).find(|row| target.cells.get(*row) == Cell::Number(wanted))?;
            spoken.get(row).map(|text| text.trim().to_owned())
        };
        let both = || Some([first(0.0)?, first(1.0)?]);
        Self { target, booleans: if target.reading == Reading::Boolean { both() } else { None } }
    }

    fn of(&self, row: usize) -> String {
        match (self.target.cells.get(row), &self.booleans) {
            (Cell::Number(number), Some(booleans)) => booleans[usize::from(number == 1.0)].clone(),
            (cell, _) => name_of(cell),
        }
    }
}

/// Ends where there are too many different texts anyway.
trait TakeDifferent: Iterator<Item = String> + Sized {
    fn take_while_different(self, most: usize) -> BTreeSet<String> {
        let mut different = BTreeSet::new();
        for text in self {
            different.insert(text);
            if different.len() > most {
                break;
            }
        }
        different
    }
}

impl<I: Iterator<Item = String>> TakeDifferent for I {}

/// Classes in the order of their numbers: of two the positive one is the second.
fn in_order(different: BTreeSet<String>, target: &Column, options: &TableOptions) -> Result<Vec<String>, LearnError> {
    let mut classes: Vec<String> = different.into_iter().collect();
    if matches!(target.cells, Cells::Number(_)) {
        let number = |text: &String| text.parse().unwrap_or(f64::NAN);
        classes.sort_by(|a, b| number(a).total_cmp(&number(b)));
    }
    if let Some(positive) = &options.positive {
        let Some(place) = classes.iter().position(|class| class == positive) else {
            let (name, known) = (&target.name, classes.join(", "));
            let text = format!("no row has the answer \"{positive}\" in the column \"{name}\"; there are {known}");
            return Err(LearnError::Mismatch(text));
        };
        if classes.len() == 2 {
            let positive = classes.remove(place);
            classes.push(positive);
        }
        return Ok(classes);
    }
    let says_yes = |text: &str| {
        matches!(text.to_lowercase().as_str(), "true" | "yes" | "y" | "1" | "t" | "positive" | "是" | "有" | "真")
    };
    if let [first, second] = &*classes
        && says_yes(first)
        && !says_yes(second)
    {
        classes.reverse();
    }
    Ok(classes)
}

fn weights(column: &Column) -> Result<Vec<f64>, LearnError> {
    match &column.cells {
        Cells::Number(values) if values.iter().all(|value| value.is_finite() && *value >= 0.0) => Ok(values.clone()),
        _ => {
            let text = format!("the column \"{}\" must hold a weight from 0 in every row", column.name);
            Err(LearnError::Mismatch(text))
        }
    }
}

/// A number for each different value; rows without one are each by themselves.
fn groups(column: &Column) -> Vec<u32> {
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    let mut next = 0;
    let mut new = || {
        next += 1;
        next - 1
    };
    let number = |row: usize| match column.cells.get(row) {
        Cell::Missing => new(),
        cell => *numbers.entry(name_of(cell)).or_insert_with(&mut new),
    };
    (0..column.cells.len()).map(number).collect()
}

fn instants(column: &Column) -> Result<Vec<i64>, LearnError> {
    let at = |row: usize| match column.cells.get(row) {
        Cell::Time(at) => Some(at),
        Cell::Number(number) => Some(number as i64),
        Cell::Missing | Cell::Text(_) => None,
    };
    let all: Option<Vec<i64>> = (0..column.cells.len()).map(at).collect();
    all.ok_or_else(|| {
        let text =
            format!("the column \"{}\" must hold a date or a number in every row, to split by time", column.name);
        LearnError::Mismatch(text)
    })
}

/// Rows of one group side by side, as rankings need them.
fn together(data: Data) -> Result<Data, LearnError> {
    let Some(groups) = &data.groups else { return Ok(data) };
    let mut order: Vec<usize> = (0..data.rows()).collect();
    order.sort_by_key(|row| groups[*row]);
    Ok(Data {
        frame: data.frame.select(&order)?,
        target: order.iter().map(|row| data.target[*row]).collect(),
        weights: data.weights.as_ref().map(|all| order.iter().map(|row| all[*row]).collect()),
        at: data.at.as_ref().map(|all| order.iter().map(|row| all[*row]).collect()),
        groups: Some(order.iter().map(|row| groups[*row]).collect()),
        ..data
    })
}

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
            if let Some(known) = self.actual(texts, row, target)? {
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
        let judged = Judged { task, answers: &kept, actual: &actual, weights: None, groups: None };
        let mut figures = judged.figures(costs)?;
        figures.insert("rows".to_owned(), actual.len() as f64);
        Ok(figures)
    }

    fn actual(&self, texts: &Texts, row: usize, target: &str) -> Result<Option<f64>, LearnError> {
        let Some(text) = texts.get(row).map(str::trim).filter(|text| !rapport_ml::frame::is_missing(text)) else {
            return Ok(None);
        };
        let number: Option<f64> = text.parse().ok().filter(|number: &f64| number.is_finite());
        if self.classes.is_empty() {
            let wrong = || LearnError::Mismatch(format!("\"{text}\" in the column \"{target}\" is no number"));
            return number.ok_or_else(wrong).map(Some);
        }
        // A class that is a number may be written otherwise: 1 and 1.0.
        let same = |class: &String| class == text || number.is_some_and(|number| class.parse() == Ok(number));
        let place = self.classes.iter().position(same).or_else(|| boolean(text).filter(|_| self.classes.len() == 2));
        let unknown = || {
            let known = self.classes.join(", ");
            LearnError::Mismatch(format!(
                "the model does not know the answer \"{text}\" in the column \"{target}\"; it knows {known}"
            ))
        };
        place.ok_or_else(unknown).map(|class| Some(class as f64))
    }
}

/// Yes and no, whatever they are called.
fn boolean(text: &str) -> Option<usize> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "y" | "t" | "1" | "是" => Some(1),
        "false" | "no" | "n" | "f" | "0" | "否" => Some(0),
        _ => None,
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
    /// What it adds: to log-odds, or to the number.
    pub contribution: f64,
}
