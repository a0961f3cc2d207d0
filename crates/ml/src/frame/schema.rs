//! What was found in a table, to be shown.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Meaning, TimeForm};

/// What was decided or changed when a column was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// These words stood for no value.
    MissingWords {
        /// Each word with its count, the most frequent first.
        words: Vec<(String, usize)>,
    },
    /// Few cells were no number or time among many that were; they count as missing.
    Unreadable {
        /// How many.
        count: usize,
        /// One of them.
        example: String,
    },
    /// Separators between thousands were taken out, or a decimal comma was read.
    Separators {
        /// Before the fraction.
        decimal: char,
        /// Between thousands.
        group: Option<char>,
    },
    /// `1,234` was read as a thousand, though nothing in the column tells it from a fraction.
    AmbiguousSeparator,
    /// Percents became fractions of one.
    Percent,
    /// Signs of a currency were taken off.
    Currency {
        /// The sign.
        sign: String,
    },
    /// Instants were read in this form.
    Times {
        /// The form.
        form: TimeForm,
    },
    /// No date of the column tells the day from the month; this order was assumed.
    AmbiguousDates {
        /// The order.
        form: TimeForm,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingWords { words } => {
                let list: Vec<String> = words.iter().map(|(word, count)| format!("\"{word}\" ({count})")).collect();
                write!(f, "counted as missing: {}", list.join(", "))
            }
            Self::Unreadable { count, example } => write!(f, "{count} cells such as \"{example}\" counted as missing"),
            Self::Separators { decimal, group: Some(group) } => {
                write!(f, "'{group}' read as separator of thousands, '{decimal}' as decimal sign")
            }
            Self::Separators { decimal, group: None } => write!(f, "'{decimal}' read as decimal sign"),
            Self::AmbiguousSeparator => f.write_str("\"1,234\" read as 1234; state the type if it means 1.234"),
            Self::Percent => f.write_str("percents turned into fractions of one"),
            Self::Currency { sign } => write!(f, "\"{sign}\" taken off"),
            Self::Times { form } => write!(f, "read as times, {}", order(*form)),
            Self::AmbiguousDates { form } => write!(f, "no date tells day from month; read with {}", order(*form)),
        }
    }
}

fn order(form: TimeForm) -> &'static str {
    match form {
        TimeForm::YearFirst => "year first",
        TimeForm::MonthFirst => "month first",
        TimeForm::DayFirst => "day first",
        TimeForm::Compact => "digits only",
        TimeForm::Named => "named months",
        TimeForm::Seconds => "seconds since 1970",
        TimeForm::Milliseconds => "milliseconds since 1970",
    }
}

/// What was found in a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnSchema {
    /// Its name.
    pub name: String,
    /// What it is.
    pub meaning: Meaning,
    /// Rows.
    pub rows: usize,
    /// Rows without a value.
    pub missing: usize,
    /// Different values, as they were written.
    pub distinct: usize,
    /// Some of them.
    pub examples: Vec<String>,
    /// What was decided or changed.
    pub notes: Vec<Note>,
}

/// What was found in a table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Schema {
    /// In the order of the table.
    pub columns: Vec<ColumnSchema>,
}

impl fmt::Display for Schema {
    /// A line for each column, and one for each note below it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.columns.iter().map(|column| column.name.chars().count()).max().unwrap_or(0);
        for column in &self.columns {
            let meaning = match column.meaning {
                Meaning::Number => "number",
                Meaning::Boolean => "boolean",
                Meaning::Time => "time",
                Meaning::Category => "category",
                Meaning::Text => "text",
                Meaning::Identifier => "identifier",
                Meaning::Constant => "constant",
                Meaning::Missing => "missing",
            };
            let (name, missing, distinct) = (&column.name, column.missing, column.distinct);
            let examples = column.examples.join(", ");
            writeln!(f, "{name:width$}  {meaning:10}  {missing:>8} missing  {distinct:>8} distinct  {examples}")?;
            for note in &column.notes {
                writeln!(f, "{:width$}  {note}", "")?;
            }
        }
        Ok(())
    }
}
