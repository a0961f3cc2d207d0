//! From a table to what is learnt from: which column is the answer and of what kind, which tell whose row it is and when; and
//! back: answers and reasons for the rows of a table.

mod applied;
mod clock;

use std::collections::{BTreeMap, BTreeSet};

use rapport_ml::Task;
use rapport_ml::frame::{Cell, Cells, Column, InferOptions, Meaning, Reading, Schema, Texts, infer};
use serde::Serialize;

use crate::file::{FileReport, FileTable};
use crate::{Data, LearnError};
pub use applied::{Applied, Explanation, Part};

/// A target of more different texts is no choice between classes.
const CLASSES_MAX: usize = 100;
/// So many answers are named in a message.
const NAMED: usize = 5;
/// So many columns are named in a message.
const COLUMNS_NAMED: usize = 10;

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
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableOptions {
    /// The column to predict.
    pub target: String,
    /// What kind of answer; told by the column if none.
    pub task: Option<TaskChoice>,
    /// Of numbers not the mean is wanted, but what so large a share does not exceed.
    pub quantile: Option<f64>,
    /// Of two answers the one whose probability is told.
    pub positive: Option<String>,
    /// The column that tells whose row it is.
    pub group: Option<String>,
    /// The column that tells when it was.
    pub time: Option<String>,
    /// How long after that time the answer is known, in milliseconds.
    pub gap: i64,
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
    /// What was decided besides.
    pub notes: Vec<String>,
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
    let mut infer_options = InferOptions { meanings: options.meanings.clone() };
    let texts_of =
        |wanted: &String| table.columns.iter().find(|(name, _)| name == wanted).map(|(_, texts)| texts.clone());
    let spoken = texts_of(&options.target);
    let times = options.time.as_ref().and_then(texts_of).unwrap_or_default();
    if let Some(name) = &options.time {
        let meaning = clock::meaning(name, &times, options.meanings.get(name).copied())?;
        infer_options.meanings.insert(name.clone(), meaning);
    }
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
    let target_reading = Some(target.reading);
    let clock = time.as_ref().map(|column| clock::read(column, &rows, &times)).transpose()?;
    let orders = clock.as_ref().is_some_and(|clock| !clock.is_time);
    let notes = options.time.iter().filter(|_| orders);
    let notes = notes.map(|name| format!("{name}: read as numbers that put the rows into an order")).collect();
    if orders && options.gap > 0 {
        let name = options.time.as_deref().unwrap_or_default();
        return Err(LearnError::Mismatch(format!(
            "the column \"{name}\" holds numbers that put the rows into an order, so that a gap of time has no meaning; name a \
             column of dates, or leave the gap out"
        )));
    }
    let (task, classes, target) = answers(&target, &spoken, options)?;
    let mut data = Data {
        frame,
        target_name: options.target.clone(),
        target_reading,
        task,
        quantile: options.quantile,
        target,
        classes,
        weights: weight.as_ref().map(weights).transpose()?,
        groups: group.as_ref().map(groups),
        at: clock.map(|clock| clock.at),
        at_is_order: orders,
        baseline: None,
        gap: options.gap,
    };
    if task == Task::Ranking {
        data = together(data)?;
    }
    let report = TableReport { file: table.report, schema, notes, rows: data.rows(), without_target };
    Ok((data, report))
}

fn find(table: &FileTable, name: &str) -> Result<(), LearnError> {
    if table.columns.iter().any(|(known, _)| known == name) {
        return Ok(());
    }
    let known: Vec<&str> = table.columns.iter().map(|(known, _)| known.as_str()).collect();
    Err(LearnError::Mismatch(match nearest(&known, name) {
        Some(like) => format!("there is no column \"{name}\"; did you mean \"{like}\"?"),
        None => {
            let shown = known.iter().take(COLUMNS_NAMED).copied().collect::<Vec<_>>().join(", ");
            match known.len().saturating_sub(COLUMNS_NAMED) {
                0 => format!("there is no column \"{name}\"; there are {shown}"),
                more => format!("there is no column \"{name}\"; there are {shown} and {more} more"),
            }
        }
    }))
}

/// The name that was probably meant: the one with the fewest edits, the first of equals, unless more than a third of the letters
/// are edited. Upper and lower case, spaces, `_` and `-` make no difference.
fn nearest<'a>(known: &[&'a str], name: &str) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace([' ', '_', '-'], "");
    let name = plain(name);
    let judged = known.iter().map(|known| {
        let plain = plain(known);
        let letters = plain.chars().count().max(name.chars().count());
        (strsim::osa_distance(&plain, &name), letters, *known)
    });
    let (edits, letters, like) = judged.min_by_key(|(edits, _, _)| *edits)?;
    (edits * 3 <= letters).then_some(like)
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
    let by_size = match options.task.or(options.quantile.map(|_| TaskChoice::Number)) {
        Some(TaskChoice::Number) => Some(Task::Regression),
        Some(TaskChoice::Ranking) => Some(Task::Ranking),
        None if is_number && different.len() > 2 => Some(Task::Regression),
        None | Some(TaskChoice::Classes) => None,
    };
    if let Some(task) = by_size {
        not_positive(options, name, "numbers are predicted")?;
        return Ok((task, Vec::new(), numbers()?));
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
    if different.len() > 2 {
        not_positive(options, name, &format!("there are {}", different.len()))?;
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

/// Refuses to be told a positive answer where that would change nothing.
fn not_positive(options: &TableOptions, column: &str, because: &str) -> Result<(), LearnError> {
    match &options.positive {
        None => Ok(()),
        Some(positive) => Err(LearnError::Mismatch(format!(
            "\"{positive}\" cannot be the positive answer: one of two can be, and in the column \"{column}\" {because}"
        ))),
    }
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
        let positive = classes.remove(place);
        classes.push(positive);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        let known = ["Churn", "tenure_months", "Contract", "age"];
        let meant = |name| nearest(&known, name);
        assert_eq!(meant("Chrun"), Some("Churn"), "two letters that changed places are one edit");
        assert_eq!(meant("Tenure Month"), Some("tenure_months"));
        assert_eq!(meant("contact"), Some("Contract"));
        assert_eq!(meant("ag"), Some("age"));
        assert_eq!([meant("price"), meant("x"), meant("")], [None; 3], "nothing is like these");
    }
}
