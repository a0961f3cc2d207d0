//! A row of an answer, the same from either database.

use crate::RecordsError;

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Datum {
    Null,
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row of an answer. Values are taken by their place in the query.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub(crate) Vec<Datum>);

impl Row {
    fn wrong(&self, place: usize, wanted: &str) -> RecordsError {
        RecordsError::Database(format!("column {place} is {:?}, not {wanted}", self.0.get(place)))
    }

    pub(crate) fn datum(&self, place: usize) -> &Datum {
        self.0.get(place).unwrap_or(&Datum::Null)
    }

    /// A whole number; none for null.
    pub fn int_or_none(&self, place: usize) -> Result<Option<i64>, RecordsError> {
        match self.datum(place) {
            Datum::Null => Ok(None),
            Datum::Int(number) => Ok(Some(*number)),
            Datum::Bool(truth) => Ok(Some(i64::from(*truth))),
            Datum::Float(number) if number.fract() == 0.0 => Ok(Some(*number as i64)),
            _ => Err(self.wrong(place, "a whole number")),
        }
    }

    /// A whole number.
    pub fn int(&self, place: usize) -> Result<i64, RecordsError> {
        self.int_or_none(place)?.ok_or_else(|| self.wrong(place, "a whole number"))
    }

    /// A number; none for null.
    pub fn float_or_none(&self, place: usize) -> Result<Option<f64>, RecordsError> {
        match self.datum(place) {
            Datum::Null => Ok(None),
            Datum::Int(number) => Ok(Some(*number as f64)),
            Datum::Float(number) => Ok(Some(*number)),
            _ => Err(self.wrong(place, "a number")),
        }
    }

    /// True or false; SQLite keeps it as 1 or 0.
    pub fn truth(&self, place: usize) -> Result<bool, RecordsError> {
        match self.datum(place) {
            Datum::Bool(truth) => Ok(*truth),
            Datum::Int(number) => Ok(*number != 0),
            _ => Err(self.wrong(place, "true or false")),
        }
    }

    /// A text; none for null.
    pub fn text_or_none(&self, place: usize) -> Result<Option<&str>, RecordsError> {
        match self.datum(place) {
            Datum::Null => Ok(None),
            Datum::Text(text) => Ok(Some(text)),
            _ => Err(self.wrong(place, "a text")),
        }
    }

    /// A text.
    pub fn text(&self, place: usize) -> Result<&str, RecordsError> {
        self.text_or_none(place)?.ok_or_else(|| self.wrong(place, "a text"))
    }

    /// Bytes; none for null.
    pub fn bytes_or_none(&self, place: usize) -> Result<Option<&[u8]>, RecordsError> {
        if *self.datum(place) == Datum::Null { Ok(None) } else { self.bytes(place).map(Some) }
    }

    /// Bytes.
    pub fn bytes(&self, place: usize) -> Result<&[u8], RecordsError> {
        if let Datum::Bytes(bytes) = self.datum(place) { Ok(bytes) } else { Err(self.wrong(place, "bytes")) }
    }
}
