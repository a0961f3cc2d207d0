//! How the values of one raw column become numbers.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::category::Lookup;
use super::dictionary::Dictionary;
use super::instant::Instants;
use super::number::Standard;
use super::text::Terms;
use super::{ManyCategories, tokens};
use crate::frame::{Cell, Reading};
use crate::{Kind, MlError};

/// The name of the place of rare and unseen categories.
const OTHER: &str = "(other)";
const MISSING: &str = "(missing)";

/// Memory that coding a row needs, used again for the next.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) tokens: tokens::Buffer,
    pub(super) places: Vec<u32>,
    name: String,
}

/// One raw column's way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Coder {
    /// As it is.
    Plain,
    Standard(Standard),
    /// An output for each category, one for all others, and one for a missing value if there were any.
    OneHot {
        categories: Dictionary,
        missing: bool,
    },
    /// The code of the category; after the last is that of all others.
    Codes {
        categories: Dictionary,
    },
    Lookup(Lookup),
    Instants(Instants),
    Terms(Terms),
}

impl Coder {
    /// Names and kinds of the outputs.
    pub(super) fn describe(&self, column: &str, names: &mut Vec<String>, kinds: &mut Vec<Kind>) {
        let mut number = |name: String| {
            names.push(name);
            kinds.push(Kind::Number);
        };
        match self {
            Self::Plain => number(column.to_owned()),
            Self::Standard(standard) => {
                number(column.to_owned());
                if standard.indicator {
                    number(format!("{column}={MISSING}"));
                }
            }
            Self::OneHot { categories, missing } => {
                let all = categories.names().iter().map(String::as_str).chain([OTHER]);
                all.chain(missing.then_some(MISSING)).for_each(|name| number(format!("{column}={name}")));
            }
            Self::Codes { categories } => {
                names.push(column.to_owned());
                kinds.push(Kind::Category { count: categories.len() as u32 + 1 });
            }
            Self::Lookup(lookup) => match lookup.by {
                ManyCategories::Frequency => number(format!("{column} (count)")),
                ManyCategories::Target if lookup.outputs == 1 => number(format!("{column} (rate)")),
                ManyCategories::Target => {
                    (0..lookup.outputs).for_each(|class| number(format!("{column} (rate of class {class})")));
                }
            },
            Self::Instants(instants) => instants.parts().iter().for_each(|part| number(format!("{column} ({part})"))),
            Self::Terms(terms) => terms.names().iter().for_each(|term| number(format!("{column}~{term}"))),
        }
    }

    /// Refuses what cannot code.
    pub(super) fn check(&self) -> Result<(), MlError> {
        match self {
            Self::Plain | Self::OneHot { .. } | Self::Codes { .. } => Ok(()),
            Self::Standard(standard) => standard.check(),
            Self::Lookup(lookup) => lookup.check(),
            Self::Instants(instants) => instants.check(),
            Self::Terms(terms) => terms.check(),
        }
    }

    /// Codes a value; what is not put is 0. Places rise.
    pub(super) fn code(
        &self,
        cell: Cell<'_>,
        reading: &Reading,
        scratch: &mut Scratch,
        put: &mut dyn FnMut(usize, f64),
    ) {
        match self {
            Self::Plain => put(0, number(cell, reading).unwrap_or(f64::NAN)),
            Self::Standard(standard) => match number(cell, reading) {
                Some(value) => put(0, standard.value(value)),
                None if standard.indicator => put(1, 1.0),
                None => {}
            },
            Self::OneHot { categories, missing } => match name(cell, reading, &mut scratch.name) {
                Some(name) => put(categories.find(name).unwrap_or(categories.len()), 1.0),
                None if *missing => put(categories.len() + 1, 1.0),
                None => {}
            },
            Self::Codes { categories } => {
                let name = name(cell, reading, &mut scratch.name);
                put(0, name.map_or(f64::NAN, |name| categories.find(name).unwrap_or(categories.len()) as f64));
            }
            Self::Lookup(lookup) => {
                let place = lookup.place(name(cell, reading, &mut scratch.name));
                let values = &lookup.values[place * lookup.outputs..][..lookup.outputs];
                values.iter().enumerate().for_each(|(output, value)| put(output, lookup.scaled(output, *value)));
            }
            Self::Instants(instants) => instants.code(instant(cell, reading), put),
            Self::Terms(terms) => {
                if let Cell::Text(text) = cell {
                    terms.code(text, &mut scratch.tokens, &mut scratch.places, put);
                }
            }
        }
    }
}

/// The value as a finite number.
pub(super) fn number(cell: Cell<'_>, reading: &Reading) -> Option<f64> {
    match cell {
        Cell::Number(value) => value.is_finite().then_some(value),
        Cell::Text(text) => match reading.read(text) {
            Cell::Number(value) => Some(value),
            Cell::Missing | Cell::Text(_) | Cell::Time(_) => None,
        },
        Cell::Missing | Cell::Time(_) => None,
    }
}

/// The value as an instant.
pub(super) fn instant(cell: Cell<'_>, reading: &Reading) -> Option<i64> {
    match cell {
        Cell::Time(time) => Some(time),
        Cell::Text(text) => match reading.read(text) {
            Cell::Time(time) => Some(time),
            Cell::Missing | Cell::Text(_) | Cell::Number(_) => None,
        },
        Cell::Missing | Cell::Number(_) => None,
    }
}

/// The value as a name. A number is named as it would be written; `buffer` then holds it.
pub(super) fn name<'a>(cell: Cell<'a>, reading: &Reading, buffer: &'a mut String) -> Option<&'a str> {
    match cell {
        Cell::Text(text) => match reading.read(text) {
            Cell::Text(text) => Some(text),
            Cell::Missing | Cell::Number(_) | Cell::Time(_) => None,
        },
        Cell::Number(value) if value.is_finite() => {
            buffer.clear();
            write!(buffer, "{value}").ok().map(|()| buffer.as_str())
        }
        Cell::Missing | Cell::Number(_) | Cell::Time(_) => None,
    }
}
