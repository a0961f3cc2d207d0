//! Tables in memory: typed columns made from cells of text, and what was found in them.
//!
//! A [`Frame`] holds what a file said, column by column, as numbers, instants or texts. How a text becomes a value is
//! decided once, over a whole column ([`infer`]), and kept as a [`Reading`], so that a single raw value that arrives later is
//! read in exactly the same way. This is not yet what an algorithm learns from: that is made by
//! [`Pipeline`](crate::pipeline::Pipeline).

mod civil;
mod infer;
mod names;
mod number;
mod schema;
mod texts;
mod time;
mod words;

use serde::{Deserialize, Serialize};

pub(crate) use civil::{DAY, civil};
pub use infer::{InferOptions, infer};
pub(crate) use names::name_words;
pub use number::NumberForm;
pub use schema::{ColumnSchema, Note, Schema};
pub use texts::Texts;
pub use time::TimeForm;
pub use words::is_missing;

use crate::MlError;

/// The instant that stands for none in [`Cells::Time`].
pub const NO_TIME: i64 = i64::MIN;

/// One raw value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Missing,
    /// A number; NaN is missing too.
    Number(f64),
    /// A text as it was written.
    Text(&'a str),
    /// Milliseconds since 1970 in UTC.
    Time(i64),
}

/// What a column is, as far as its values and its name tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// A quantity.
    Number,
    /// Yes or no, held as 1 and 0.
    Boolean,
    /// A date or an instant.
    Time,
    /// One of several names.
    Category,
    /// Sentences.
    Text,
    /// The name of the row itself, or of what it belongs to.
    Identifier,
    /// The same value in every row.
    Constant,
    /// No value in any row.
    Missing,
}

/// How a text becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// As a number; what is none is missing.
    Number(NumberForm),
    /// As 1 for yes and 0 for no; what is neither is missing.
    Boolean,
    /// As an instant; what is none is missing.
    Time(TimeForm),
    /// As it is, unless it says that there is no value.
    Text,
}

impl Reading {
    /// The value that a text stands for.
    pub fn read<'a>(&self, text: &'a str) -> Cell<'a> {
        let text = text.trim();
        match self {
            Self::Number(form) => form.read(text).map_or(Cell::Missing, Cell::Number),
            Self::Boolean => words::boolean(text).map_or(Cell::Missing, |yes| Cell::Number(f64::from(u8::from(yes)))),
            Self::Time(form) => form.read(text).map_or(Cell::Missing, Cell::Time),
            Self::Text => {
                if is_missing(text) {
                    Cell::Missing
                } else {
                    Cell::Text(text)
                }
            }
        }
    }
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// NaN is missing.
    Number(Vec<f64>),
    /// The empty text is missing.
    Text(Texts),
    /// Milliseconds since 1970 in UTC; [`NO_TIME`] is missing.
    Time(Vec<i64>),
}

impl Cells {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Number(values) => values.len(),
            Self::Text(texts) => texts.len(),
            Self::Time(times) => times.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values of the rows at `places`, in that order.
    #[must_use]
    pub fn select(&self, places: &[usize]) -> Self {
        match self {
            Self::Number(values) => Self::Number(places.iter().map(|place| values[*place]).collect()),
            Self::Text(texts) => Self::Text(texts.select(places)),
            Self::Time(times) => Self::Time(places.iter().map(|place| times[*place]).collect()),
        }
    }

    /// The value of a row.
    pub fn get(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Number(values) if values[row].is_nan() => Cell::Missing,
            Self::Number(values) => Cell::Number(values[row]),
            Self::Text(texts) => texts.get(row).map_or(Cell::Missing, Cell::Text),
            Self::Time(times) if times[row] == NO_TIME => Cell::Missing,
            Self::Time(times) => Cell::Time(times[row]),
        }
    }
}

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Unlike the names of all other columns of its frame.
    pub name: String,
    /// What it is.
    pub meaning: Meaning,
    /// How its texts became values.
    pub reading: Reading,
    /// Its values.
    pub cells: Cells,
}

impl Column {
    /// A column of numbers, as features are; NaN is missing.
    pub fn numbers(name: &str, values: Vec<f64>) -> Self {
        let reading = Reading::Number(NumberForm::default());
        Self { name: name.to_owned(), meaning: Meaning::Number, reading, cells: Cells::Number(values) }
    }
}

/// Columns of one length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    columns: Vec<Column>,
    rows: usize,
}

impl Frame {
    /// Puts columns side by side. They must be of one length, and no two of one name.
    pub fn new(columns: Vec<Column>) -> Result<Self, MlError> {
        let rows = columns.first().map_or(0, |column| column.cells.len());
        let mut names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        names.sort_unstable();
        if let Some([name, ..]) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(MlError::Table(format!("two columns are called \"{name}\"; rename one of them")));
        }
        if let Some(odd) = columns.iter().find(|column| column.cells.len() != rows) {
            let (name, count) = (&odd.name, odd.cells.len());
            return Err(MlError::Shape(format!("column \"{name}\" has {count} values; the first column has {rows}")));
        }
        Ok(Self { columns, rows })
    }

    /// Reads texts as the columns of an earlier table were read. `readings` holds a name and a reading for each known
    /// column; a column without one is read as text.
    pub fn read(columns: Vec<(String, Texts)>, readings: &[(&str, Reading)]) -> Result<Self, MlError> {
        let read = |(name, texts): (String, Texts)| {
            let known = readings.iter().find(|(known, _)| *known == name);
            let reading = known.map_or(Reading::Text, |(_, reading)| *reading);
            let cells = infer::cells(&name, texts, reading)?;
            Ok(Column { name, meaning: infer::plain_meaning(reading), reading, cells })
        };
        Self::new(columns.into_iter().map(read).collect::<Result<_, MlError>>()?)
    }

    /// Its columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The rows at `places`, in that order.
    ///
    /// # Errors
    ///
    /// None that can happen: what was a frame is one with fewer rows.
    pub fn select(&self, places: &[usize]) -> Result<Self, MlError> {
        let column = |column: &Column| Column { cells: column.cells.select(places), ..column.clone() };
        Self::new(self.columns.iter().map(column).collect())
    }

    /// The place of a column.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// A column by its name, or an error that names the columns there are.
    pub fn column(&self, name: &str) -> Result<&Column, MlError> {
        self.find(name).map(|place| &self.columns[place]).ok_or_else(|| {
            let names: Vec<&str> = self.columns.iter().take(50).map(|column| column.name.as_str()).collect();
            MlError::Table(format!("there is no column \"{name}\"; there are {}", names.join(", ")))
        })
    }

    /// Takes a column out, such as the target.
    pub fn take(&mut self, name: &str) -> Result<Column, MlError> {
        self.column(name)?;
        let place = self.find(name).unwrap_or_default();
        Ok(self.columns.remove(place))
    }
}
