//! Tables of text, as in a CSV file: cleaning, types of columns, one-hot coding.
//!
//! A column is numeric if every cell that is there is a number; else it is categorical, true and false included. A cell is
//! missing if it is empty or says so (`NA`, `N/A`, `NaN`, `null`, `?`). Categories that were rare or are new share one place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Matrix, MlError, split};

/// A category needs this share of the rows to have its own input.
const RARE: f64 = 0.005;
/// A categorical column with more categories than this is an identifier in disguise and is left out.
const CATEGORIES_MAX: usize = 200;
/// The place of rare and unseen categories.
const OTHER: &str = "(other)";

/// How a column of a table becomes inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// How.
    #[serde(flatten)]
    pub coding: Coding,
}

/// How cells become numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "coding", rename_all = "snake_case")]
pub enum Coding {
    /// As they are.
    Numeric,
    /// One input for each category, and one for all others.
    OneHot {
        /// Sorted.
        categories: Vec<String>,
    },
}

/// What was done to a table before learning.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Cleaning {
    /// Rows read.
    pub rows: usize,
    /// Rows that were equal to an earlier one; they are kept and counted, because equal visits are no error.
    pub repeated_rows: usize,
    /// Rows left out because the target was missing.
    pub without_target: usize,
    /// Cells without a value, by column.
    pub missing: BTreeMap<String, usize>,
    /// Columns left out, with the reason.
    pub left_out: BTreeMap<String, String>,
}

/// A table ready for learning.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// How the columns become inputs.
    pub columns: Vec<Column>,
    /// The names of the inputs.
    pub names: Vec<String>,
    /// A row for each row of the table that has a target.
    pub rows: Matrix,
    /// Their labels.
    pub labels: Vec<bool>,
    /// What was done.
    pub cleaning: Cleaning,
}

/// Whether a cell has no value.
pub fn is_missing(cell: &str) -> bool {
    matches!(cell.trim().to_ascii_lowercase().as_str(), "" | "na" | "n/a" | "nan" | "null" | "?")
}

/// Makes a table ready: `target` must have exactly two values; true, yes, y, 1 and the larger of two others are positive.
pub fn prepare(header: &[String], cells: &[Vec<String>], target: &str) -> Result<Prepared, MlError> {
    let known = || header.join(", ");
    let place = header.iter().position(|name| name == target);
    let place =
        place.ok_or_else(|| MlError::Table(format!("there is no column \"{target}\"; there are {}", known())))?;
    let mut cleaning = Cleaning { rows: cells.len(), ..Cleaning::default() };
    cleaning.repeated_rows = cells.len() - cells.iter().collect::<std::collections::HashSet<_>>().len();
    let with_target: Vec<&Vec<String>> = cells.iter().filter(|row| !is_missing(&row[place])).collect();
    cleaning.without_target = cells.len() - with_target.len();
    let positive = positive_value(target, with_target.iter().map(|row| row[place].trim()))?;
    let labels = with_target.iter().map(|row| row[place].trim() == positive).collect();
    let mut columns = Vec::new();
    for (index, name) in header.iter().enumerate().filter(|(index, _)| *index != place) {
        let column: Vec<&str> = with_target.iter().map(|row| row[index].trim()).collect();
        let missing = column.iter().filter(|cell| is_missing(cell)).count();
        if missing > 0 {
            cleaning.missing.insert(name.clone(), missing);
        }
        match coding(&column) {
            Ok(coding) => columns.push(Column { name: name.clone(), coding }),
            Err(reason) => {
                cleaning.left_out.insert(name.clone(), reason);
            }
        }
    }
    let coder = Coder::new(&columns, header)?;
    let mut rows = Matrix::new(coder.names.len());
    for row in with_target {
        rows.push(&coder.code(row))?;
    }
    Ok(Prepared { names: coder.names, columns, rows, labels, cleaning })
}

fn positive_value<'a>(target: &str, values: impl Iterator<Item = &'a str>) -> Result<&'a str, MlError> {
    let distinct: std::collections::BTreeSet<&str> = values.collect();
    let two: Vec<&str> = distinct.iter().take(3).copied().collect();
    let [first, second] = two[..] else {
        let shown = distinct.iter().take(5).copied().collect::<Vec<_>>().join(", ");
        return Err(MlError::Table(format!(
            "the target \"{target}\" has {} different values ({shown}); it must have two, such as yes and no",
            distinct.len()
        )));
    };
    let says_yes = |value: &str| matches!(value.to_ascii_lowercase().as_str(), "true" | "yes" | "y" | "1");
    Ok(if says_yes(first) && !says_yes(second) { first } else { second })
}

fn number(cell: &str) -> Option<f64> {
    cell.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// How a column is coded, or why it is left out.
fn coding(column: &[&str]) -> Result<Coding, String> {
    let present: Vec<&str> = column.iter().copied().filter(|cell| !is_missing(cell)).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for cell in &present {
        *counts.entry(cell).or_default() += 1;
    }
    if counts.len() < 2 && present.len() == column.len() {
        return Err("every row has the same value".to_owned());
    }
    if present.is_empty() {
        return Err("no row has a value".to_owned());
    }
    if present.iter().all(|cell| number(cell).is_some()) {
        return Ok(Coding::Numeric);
    }
    if counts.len() > CATEGORIES_MAX {
        return Err(format!("{} different texts: this looks like an identifier", counts.len()));
    }
    let least = RARE * column.len() as f64;
    let frequent = counts.into_iter().filter(|(_, count)| *count as f64 >= least);
    Ok(Coding::OneHot { categories: frequent.map(|(category, _)| category.to_owned()).collect() })
}

/// Codes rows of cells whose header may have other columns or another order than in training.
#[derive(Debug, Clone)]
pub struct Coder<'a> {
    columns: &'a [Column],
    places: Vec<usize>,
    /// The names of the inputs.
    pub names: Vec<String>,
}

impl<'a> Coder<'a> {
    /// Finds the columns in a header.
    pub fn new(columns: &'a [Column], header: &[String]) -> Result<Self, MlError> {
        let missing = |name: &str| MlError::Table(format!("the table has no column \"{name}\", which the model needs"));
        let place =
            |column: &Column| header.iter().position(|name| *name == column.name).ok_or_else(|| missing(&column.name));
        let places = columns.iter().map(place).collect::<Result<_, _>>()?;
        let names = columns.iter().flat_map(|column| match &column.coding {
            Coding::Numeric => vec![column.name.clone()],
            Coding::OneHot { categories } => {
                let with_other = categories.iter().map(String::as_str).chain([OTHER]);
                with_other.map(|category| format!("{}={category}", column.name)).collect()
            }
        });
        let names = names.collect();
        Ok(Self { columns, places, names })
    }

    /// The numbers of a row, in the order of [`Self::names`]. A numeric cell that is no number is missing.
    pub fn code(&self, row: &[String]) -> Vec<f64> {
        let mut numbers = Vec::with_capacity(self.names.len());
        for (column, place) in self.columns.iter().zip(&self.places) {
            let cell = row.get(*place).map_or("", |cell| cell.trim());
            match &column.coding {
                Coding::Numeric => numbers.push(number(cell).unwrap_or(f64::NAN)),
                Coding::OneHot { categories } => {
                    let found = categories.iter().position(|category| category == cell);
                    let hot = if is_missing(cell) { None } else { Some(found.unwrap_or(categories.len())) };
                    numbers.extend((0..=categories.len()).map(|at| f64::from(u8::from(hot == Some(at)))));
                }
            }
        }
        numbers
    }
}

/// Splits rows without times: about `share` of each label, at random by `seed`, is for the test. The places of the
/// training rows, then of the test rows, each in order.
pub fn stratified_split(labels: &[bool], share: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let classes: Vec<f64> = labels.iter().map(|label| f64::from(u8::from(*label))).collect();
    let split = split::stratified(&classes, share, seed);
    (split.train, split.test)
}
