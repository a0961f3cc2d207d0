//! Objects as rows: one on each line, or in one array. Objects within objects get names with points between.

use std::fmt::{self, Write};
use std::io::{BufRead, Read};

use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::columns::Columns;
use crate::LearnError;

/// A line of more bytes is refused.
const LINE_MAX: u64 = 16 << 20;

/// Reads an object from each line that is not empty.
pub(super) fn read_lines(mut text: impl BufRead, columns: &mut Columns<'_>) -> Result<(), LearnError> {
    let mut rows = Rows { columns, name: String::new() };
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = text.by_ref().take(LINE_MAX).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        if read as u64 == LINE_MAX {
            return Err(LearnError::File(format!("line {number} has more than {} MB", LINE_MAX >> 20)));
        }
        if !line.trim_ascii().is_empty() {
            let wrong = |error| LearnError::File(format!("line {number} is not a JSON object: {error}"));
            rows.row(&serde_json::from_slice(&line).map_err(wrong)?)?;
        }
    }
    Ok(())
}

/// Reads an array of objects, one after the other.
pub(super) fn read_array(text: impl Read, columns: &mut Columns<'_>) -> Result<(), LearnError> {
    let mut rows = Rows { columns, name: String::new() };
    let mut failed = None;
    let mut json = serde_json::Deserializer::from_reader(text);
    let read = Objects { rows: &mut rows, failed: &mut failed }.deserialize(&mut json).and_then(|()| json.end());
    match (failed, read) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(LearnError::File(format!("this is no JSON array of objects: {error}"))),
        (None, Ok(())) => Ok(()),
    }
}

struct Objects<'a, 'b, 'c> {
    rows: &'a mut Rows<'b, 'c>,
    /// Why reading ended, if it was not the JSON.
    failed: &'a mut Option<LearnError>,
}

impl<'de> DeserializeSeed<'de> for Objects<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Objects<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(object) = array.next_element::<Map<String, Value>>()? {
            if let Err(error) = self.rows.row(&object) {
                *self.failed = Some(error);
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// Where objects go.
struct Rows<'a, 'b> {
    columns: &'a mut Columns<'b>,
    /// The name that is being put together.
    name: String,
}

impl Rows<'_, '_> {
    fn row(&mut self, object: &Map<String, Value>) -> Result<(), LearnError> {
        self.name.clear();
        self.object(object)?;
        self.columns.end_row()
    }

    fn object(&mut self, object: &Map<String, Value>) -> Result<(), LearnError> {
        let outer = self.name.len();
        for (key, value) in object {
            self.name.truncate(outer);
            if outer > 0 {
                self.name.push('.');
            }
            self.name.push_str(key.trim());
            self.value(value)?;
        }
        self.name.truncate(outer);
        Ok(())
    }

    fn value(&mut self, value: &Value) -> Result<(), LearnError> {
        let mut written = String::new();
        let text = match value {
            Value::Object(object) => return self.object(object),
            Value::Null => "",
            Value::String(text) => text.trim(),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                // Writing into a string does not fail.
                write!(written, "{value}").unwrap_or_default();
                &written
            }
        };
        self.columns.put_named(&self.name, text)
    }
}
