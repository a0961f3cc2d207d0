//! Many texts in one piece of memory.

use crate::MlError;

/// A column of texts, one after the other in one buffer; 4 bytes for each row besides its text. The empty text is a
/// missing value. A column holds at most 4 GiB.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Texts {
    bytes: String,
    ends: Vec<u32>,
}

impl Texts {
    /// No texts yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text; an error at the limit.
    pub fn push(&mut self, text: &str) -> Result<(), MlError> {
        let end = u32::try_from(self.bytes.len() + text.len()).map_err(|_| {
            MlError::Table("a column holds more than 4 GiB of text; leave it out or split the file".into())
        })?;
        self.bytes.push_str(text);
        self.ends.push(end);
        Ok(())
    }

    /// Adds a row without a value.
    pub fn push_missing(&mut self) {
        self.ends.push(self.bytes.len() as u32);
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of a row; none if it is empty.
    pub fn get(&self, row: usize) -> Option<&str> {
        let begin = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        let text = &self.bytes[begin..self.ends[row] as usize];
        (!text.is_empty()).then_some(text)
    }

    /// The texts of the rows at `places`, in that order. What would be beyond the limit of a column, because a row is taken again and
    /// again, is missing.
    #[must_use]
    pub fn select(&self, places: &[usize]) -> Self {
        let mut own = Self::new();
        for place in places {
            let taken = self.get(*place).is_some_and(|text| own.push(text).is_ok());
            if !taken {
                own.push_missing();
            }
        }
        own
    }

    /// The texts of all rows.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Gives back memory that growth had set aside.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

impl<'a> FromIterator<&'a str> for Texts {
    /// For few texts: more than 4 GiB of them are cut to missing values.
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut all = Self::new();
        for text in texts {
            if all.push(text).is_err() {
                all.push_missing();
            }
        }
        all
    }
}
