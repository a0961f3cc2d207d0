//! From raw values to the numbers that an algorithm takes, fitted on training rows and then the same for ever.
//!
//! A [`Pipeline`] is part of an artifact: what it learnt (means, categories, vocabularies, rates) comes from the training rows
//! alone, so a test row can tell nothing about itself. There are two codings: [`Coding::Linear`] for models that weigh and
//! add, and [`Coding::Tree`] for models that compare. A single row is coded by [`Pipeline::row`] without allocating, by the
//! code that codes whole tables; live scoring and training cannot differ.
//!
//! Rates of the target by category (target encoding) would let a training row see its own target. Training rows therefore
//! go through [`Pipeline::apply_training`], which gives each row the rates of other folds; all other rows through
//! [`Pipeline::apply`].

mod category;
mod check;
mod coder;
mod dictionary;
mod fit;
mod instant;
mod number;
mod sparse;
mod text;
mod tokens;
mod training;

use serde::{Deserialize, Serialize};

use crate::frame::{Cell, Frame, Meaning, Reading};
use crate::{Kind, Matrix, MlError, Task};

use coder::Coder;
pub use coder::Scratch;
pub use sparse::SparseRows;
pub(crate) use tokens::is_ideograph;

/// For what kind of model rows are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// Standardised numbers without missing values, an input for each category.
    Linear,
    /// Numbers as they are, NaN where missing, categories by their code.
    Tree,
}

/// What stands for a category when there are too many for inputs of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManyCategories {
    /// The mean of the target among its rows, drawn to the overall mean where it has few (Micci-Barreca, A preprocessing
    /// scheme for high-cardinality categorical attributes, 2001). Where there is no target, as [`Self::Frequency`].
    Target,
    /// The logarithm of its count.
    Frequency,
}

/// How to fit a [`Pipeline`]. The defaults serve tables of thousands to millions of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PipelineOptions {
    /// For what kind of model.
    pub coding: Coding,
    /// Columns to go without.
    pub leave_out: Vec<String>,
    /// A category with a smaller share of the training rows shares a place with all other such.
    pub rare_share: f64,
    /// Linear: a column with more categories gets rates or counts instead of an input for each.
    pub one_hot_max: usize,
    /// Tree: the same for categories that are not rare.
    pub codes_max: usize,
    /// What stands for categories that are too many.
    pub many: ManyCategories,
    /// How many rows of the overall mean are added to a category's rate.
    pub smoothing: f64,
    /// Rates for training rows come from the other ones of so many folds.
    pub folds: usize,
    /// Draws the folds.
    pub seed: u64,
    /// Terms of a column of sentences at most; by document frequency for linear models, by association with the target for
    /// trees.
    pub terms_max: usize,
    /// Whether terms are parts of words (three to five letters) besides words and pairs of words: for text with many
    /// misspellings. Ideographs are always taken singly and in pairs.
    pub parts_of_words: bool,
}

impl PipelineOptions {
    /// The defaults for a coding.
    pub fn new(coding: Coding) -> Self {
        let terms_max = match coding {
            Coding::Linear => 10_000,
            Coding::Tree => 256,
        };
        Self {
            coding,
            leave_out: Vec::new(),
            rare_share: 0.002,
            one_hot_max: 64,
            codes_max: 254,
            many: ManyCategories::Target,
            smoothing: 10.0,
            folds: 5,
            seed: 0,
            terms_max,
            parts_of_words: false,
        }
    }
}

/// A raw column that is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// What it was in training.
    pub meaning: Meaning,
    /// How its texts are read.
    pub reading: Reading,
}

/// Why a raw column is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// It names rows; a model would learn them by heart.
    Identifier,
    /// The training rows all have the same value.
    Constant,
    /// No training row has a value.
    Missing,
    /// The options say so.
    Chosen,
    /// No term of its texts is in enough of them.
    NoTerms,
}

/// What columns are coded to: where the outputs of each begin and at last where all end, then of each output its name, its kind and the
/// place of its column.
fn described(sources: &[Source], coders: &[Coder]) -> (Vec<usize>, Vec<String>, Vec<Kind>, Vec<usize>) {
    let (mut starts, mut names, mut kinds, mut origin) = (vec![0], Vec::new(), Vec::new(), Vec::new());
    for (place, (source, coder)) in sources.iter().zip(coders).enumerate() {
        coder.describe(&source.name, &mut names, &mut kinds);
        origin.resize(names.len(), place);
        starts.push(names.len());
    }
    (starts, names, kinds, origin)
}

/// A fitted preprocessing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    coding: Coding,
    task: Option<Task>,
    folds: usize,
    seed: u64,
    smoothing: f64,
    sources: Vec<Source>,
    /// One for each source.
    coders: Vec<Coder>,
    /// Where the outputs of each coder begin, and at last where all end.
    starts: Vec<usize>,
    names: Vec<String>,
    kinds: Vec<Kind>,
    origin: Vec<usize>,
    left_out: Vec<(String, LeftOut)>,
}

/// A column of an artifact of format 1.
pub(crate) enum FirstColumn {
    /// Standardised, a missing value told apart.
    Number { name: String, logarithm: bool, mean: f64, deviation: f64 },
    /// An output for each category, and one for all others.
    Categories { name: String, categories: Vec<String> },
}

/// A dense matrix of more bytes than this is refused; [`Pipeline::apply_sparse`] takes its place.
pub const DENSE_BYTES_MAX: usize = 4 << 30;

impl Pipeline {
    /// Learns from the training rows of a frame how to code. `target` has an entry for each of `rows`, in the form that the
    /// task tells; without it nothing is coded by rates.
    pub fn fit(
        frame: &Frame,
        rows: &[usize],
        target: Option<(&[f64], Task)>,
        options: &PipelineOptions,
    ) -> Result<Self, MlError> {
        fit::fit(frame, rows, target, options)
    }

    /// Columns of numbers as they are, with NaN where missing, as features are given.
    pub fn plain(names: &[&str]) -> Self {
        let reading = Reading::Number(crate::frame::NumberForm::default());
        let source = |name: &&str| Source { name: (*name).to_owned(), meaning: Meaning::Number, reading };
        Self::assemble(Coding::Tree, None, names.iter().map(|name| (source(name), Coder::Plain)).collect(), Vec::new())
    }

    /// The columns of an artifact of format 1.
    pub(crate) fn of_first_format(columns: Vec<FirstColumn>) -> Self {
        let coder = |column| match column {
            FirstColumn::Number { name, logarithm, mean, deviation } => {
                let reading = Reading::Number(crate::frame::NumberForm::default());
                let coder = Coder::Standard(number::Standard { logarithm, mean, deviation, indicator: true });
                (Source { name, meaning: Meaning::Number, reading }, coder)
            }
            FirstColumn::Categories { name, categories } => {
                let coder = Coder::OneHot { categories: categories.into(), missing: false };
                (Source { name, meaning: Meaning::Category, reading: Reading::Text }, coder)
            }
        };
        Self::assemble(Coding::Linear, Some(Task::Binary), columns.into_iter().map(coder).collect(), Vec::new())
    }

    fn assemble(
        coding: Coding,
        task: Option<Task>,
        coders: Vec<(Source, Coder)>,
        left_out: Vec<(String, LeftOut)>,
    ) -> Self {
        let (sources, coders): (Vec<Source>, Vec<Coder>) = coders.into_iter().unzip();
        let (starts, names, kinds, origin) = described(&sources, &coders);
        let (folds, seed, smoothing) = (0, 0, 0.0);
        Self { coding, task, folds, seed, smoothing, sources, coders, starts, names, kinds, origin, left_out }
    }

    /// For what kind of model it codes.
    pub fn coding(&self) -> Coding {
        self.coding
    }

    /// The raw columns that it takes, in the order of [`Self::row`].
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The names of the outputs, such as `Contract=Two year`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What the outputs hold.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// For each output the place of its raw column in [`Self::sources`].
    pub fn origin(&self) -> &[usize] {
        &self.origin
    }

    /// How many outputs.
    pub fn width(&self) -> usize {
        self.names.len()
    }

    /// The raw columns that it goes without.
    pub fn left_out(&self) -> &[(String, LeftOut)] {
        &self.left_out
    }

    /// How to read the texts of another table so that it fits: for [`Frame::read`].
    pub fn readings(&self) -> Vec<(&str, Reading)> {
        self.sources.iter().map(|source| (source.name.as_str(), source.reading)).collect()
    }

    /// Codes one row. `cells` are the raw values in the order of [`Self::sources`], `out` has [`Self::width`] places. A
    /// value that does not suit its column is missing or of an unseen category, never an error. Allocates nothing once
    /// `scratch` has grown to the longest text.
    pub fn row(&self, cells: &[Cell<'_>], scratch: &mut Scratch, out: &mut [f64]) {
        out.fill(0.0);
        for (place, (cell, coder)) in cells.iter().zip(&self.coders).enumerate() {
            let out = &mut out[self.starts[place]..self.starts[place + 1]];
            coder.code(*cell, &self.sources[place].reading, scratch, &mut |place, value| out[place] = value);
        }
    }

    /// Codes one row of numbers, NaN where missing. For pipelines of number columns alone; a column of another kind takes
    /// the number as its value.
    pub fn row_of_numbers(&self, values: &[f64], scratch: &mut Scratch, out: &mut [f64]) {
        for (place, (value, coder)) in values.iter().zip(&self.coders).enumerate() {
            if let Coder::Plain = coder {
                out[self.starts[place]] = *value;
            } else {
                let out = &mut out[self.starts[place]..self.starts[place + 1]];
                out.fill(0.0);
                let reading = &self.sources[place].reading;
                coder.code(Cell::Number(*value), reading, scratch, &mut |place, value| out[place] = value);
            }
        }
    }

    /// Codes rows of a frame that was not, or need not be, part of the training. The frame may have more columns, and in
    /// another order.
    pub fn apply(&self, frame: &Frame, rows: &[usize]) -> Result<Matrix, MlError> {
        let bytes = rows.len().saturating_mul(self.width()).saturating_mul(size_of::<f64>());
        if bytes > DENSE_BYTES_MAX {
            return Err(MlError::Table(format!(
                "{} rows of {} inputs take {} GB; take sparse rows, fewer terms or fewer rows",
                rows.len(),
                self.width(),
                bytes >> 30
            )));
        }
        let places = self.places(frame)?;
        let mut values = vec![0.0; rows.len() * self.width()];
        let mut cells = vec![Cell::Missing; places.len()];
        let mut scratch = Scratch::default();
        for (row, out) in rows.iter().zip(values.chunks_exact_mut(self.width().max(1))) {
            for (cell, place) in cells.iter_mut().zip(&places) {
                *cell = frame.columns()[*place].cells.get(*row);
            }
            self.row(&cells, &mut scratch, out);
        }
        Matrix::from_values(self.width(), values)
    }

    /// The same with zeros left out: for vocabularies of thousands of terms.
    pub fn apply_sparse(&self, frame: &Frame, rows: &[usize]) -> Result<SparseRows, MlError> {
        let places = self.places(frame)?;
        let mut scratch = Scratch::default();
        let mut sparse = SparseRows::new(self.width());
        for row in rows {
            for (index, (place, coder)) in places.iter().zip(&self.coders).enumerate() {
                let start = self.starts[index];
                let cell = frame.columns()[*place].cells.get(*row);
                coder.code(cell, &self.sources[index].reading, &mut scratch, &mut |place, value| {
                    sparse.put(start + place, value);
                });
            }
            sparse.end_row();
        }
        Ok(sparse)
    }

    /// Codes the rows that it was fitted on, with their targets: rates of the target come from other folds. `rows` and
    /// `target` must be those of the fit.
    pub fn apply_training(&self, frame: &Frame, rows: &[usize], target: &[f64]) -> Result<Matrix, MlError> {
        let mut matrix = self.apply(frame, rows)?;
        training::replace_rates(self, frame, rows, target, &mut |row, place, value| matrix.set(row, place, value))?;
        Ok(matrix)
    }

    /// [`Self::apply_training`] with zeros left out.
    pub fn apply_training_sparse(&self, frame: &Frame, rows: &[usize], target: &[f64]) -> Result<SparseRows, MlError> {
        let mut sparse = self.apply_sparse(frame, rows)?;
        training::replace_rates(self, frame, rows, target, &mut |row, place, value| sparse.set(row, place, value))?;
        Ok(sparse)
    }

    /// Where the sources are in a frame.
    fn places(&self, frame: &Frame) -> Result<Vec<usize>, MlError> {
        let place = |source: &Source| {
            let missing = || format!("the table has no column \"{}\", which the model needs", source.name);
            frame.find(&source.name).ok_or_else(|| MlError::Table(missing()))
        };
        self.sources.iter().map(place).collect()
    }
}
