//! The columns of a table while it is being read.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use rapport_ml::{MlError, frame::Texts};

use super::{FileOptions, FileProgress};
use crate::LearnError;

/// A table with more columns is no table.
const COLUMNS_MAX: usize = 20_000;
/// Progress is told each time so many rows were read.
const TELL: usize = 1 << 14;

/// Columns that grow row by row.
pub(super) struct Columns<'a> {
    all: Vec<(String, Texts)>,
    /// Where columns are that were found by name.
    places: BTreeMap<String, usize>,
    rows: usize,
    rows_max: usize,
    bytes: Rc<Cell<u64>>,
    progress: &'a mut dyn FnMut(FileProgress) -> ControlFlow<()>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(
        options: &FileOptions,
        bytes: Rc<Cell<u64>>,
        progress: &'a mut dyn FnMut(FileProgress) -> ControlFlow<()>,
    ) -> Self {
        Self { all: Vec::new(), places: BTreeMap::new(), rows: 0, rows_max: options.rows_max, bytes, progress }
    }

    /// Adds a column, whose cells so far are missing. Its place.
    pub(super) fn add(&mut self, name: String) -> Result<usize, LearnError> {
        if self.all.len() == COLUMNS_MAX {
            return Err(LearnError::File(format!("there are more than {COLUMNS_MAX} columns")));
        }
        let mut texts = Texts::new();
        (0..self.rows).for_each(|_| texts.push_missing());
        self.all.push((name, texts));
        Ok(self.all.len() - 1)
    }

    /// How many columns there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Puts a cell of the row that is being read; each column at most once a row.
    pub(super) fn put(&mut self, place: usize, text: &str) -> Result<(), LearnError> {
        let (name, texts) = &mut self.all[place];
        texts.push(text).map_err(|error| LearnError::File(format!("column \"{name}\": {error}")))
    }

    /// The same for a column by its name, which is added if it is new. A row may name a column twice, as
    /// `{"a.b": 1, "a": {"b": 2}}` does: the first counts.
    pub(super) fn put_named(&mut self, name: &str, text: &str) -> Result<(), LearnError> {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None => {
                let place = self.add(if name.is_empty() { "(no name)" } else { name }.to_owned())?;
                self.places.insert(name.to_owned(), place);
                place
            }
        };
        if self.all[place].1.len() > self.rows { Ok(()) } else { self.put(place, text) }
    }

    /// Ends the row: cells that were not put are missing.
    pub(super) fn end_row(&mut self) -> Result<(), LearnError> {
        self.rows += 1;
        if self.rows > self.rows_max {
            let most = self.rows_max;
            return Err(LearnError::File(format!(
                "there are more than {most} rows; split the file or raise the limit"
            )));
        }
        for (_, texts) in &mut self.all {
            if texts.len() < self.rows {
                texts.push_missing();
            }
        }
        if self.rows.is_multiple_of(TELL) { self.tell() } else { Ok(()) }
    }

    /// The columns, all of one length.
    pub(super) fn finish(mut self) -> Result<Vec<(String, Texts)>, LearnError> {
        self.tell()?;
        Ok(self.all)
    }

    fn tell(&mut self) -> Result<(), LearnError> {
        match (self.progress)(FileProgress { bytes: self.bytes.get(), rows: self.rows }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(MlError::Stopped.into()),
        }
    }
}
