//! Points: rows in the units in which distances are taken, near ones beside one another.
//!
//! Not how the nearest are found; that is [`super::search`], by the copy in single precision that [`super::blocks`] keeps.
//! Invariant: what is told of a distance is always what [`Points::found`] computes from the numbers in double precision.

use fearless_simd::{Level, dispatch};
use serde::{Deserialize, Serialize};

use super::blocks::{BLOCK, Blocks, FAN};
use super::search::Search;
use crate::{Context, Examples, Kind, MlError, sound, standard::Standard};

/// More columns than this are refused: among so many all rows are about equally far, and a row that is asked stands on the
/// stack.
const COLUMNS_MAX: usize = 1024;
/// The code of a missing category.
const MISSING: f64 = -1.0;

/// A point that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// The square of the distance.
    pub(super) squared: f64,
    pub(super) point: u32,
    /// Its row in the examples: of equally distant ones the earlier is nearer, so the order of the points does not matter.
    pub(super) row: u32,
}

impl Found {
    pub(super) const NONE: Self = Self { squared: f64::INFINITY, point: 0, row: u32::MAX };

    #[inline]
    pub(super) fn nearer(&self, other: &Self) -> bool {
        (self.squared, self.row) < (other.squared, other.row)
    }
}

/// How two values of a column are compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Measure {
    Number(Standard),
    Category,
}

impl Measure {
    /// A value in the unit in which distances are taken.
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Number(standard) => standard.apply(value),
            Self::Category if value.is_nan() => MISSING,
            Self::Category => value,
        }
    }

    /// How wide a column is between its lowest and highest value, squared.
    fn width(self, (low, high): (f64, f64)) -> f64 {
        match self {
            Self::Number(_) => (high - low) * (high - low),
            Self::Category => f64::from(u8::from(low != high)),
        }
    }
}

/// Points in the order of a k-d tree (Friedman, Bentley, Finkel 1977): runs of them lie in small boxes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub(super) struct Points {
    measures: Vec<Measure>,
    /// The column of each measure: numbers come first, so that their distances are one loop without a question in it.
    columns: Vec<u32>,
    /// Point by point.
    values: Vec<f64>,
    rows: Vec<u32>,
    /// How many measures are of numbers.
    #[serde(skip_serializing)]
    numbers: usize,
    /// The length of the longest point, as far as it is numbers.
    #[serde(skip_serializing)]
    longest: f64,
    #[serde(skip_serializing)]
    blocks: Blocks,
}

/// What of [`Points`] is written; the rest is made of it.
#[derive(Deserialize)]
struct Stored {
    measures: Vec<Measure>,
    columns: Vec<u32>,
    values: Vec<f64>,
    rows: Vec<u32>,
}

impl TryFrom<Stored> for Points {
    type Error = MlError;

    fn try_from(stored: Stored) -> Result<Self, MlError> {
        let Stored { measures, columns, values, rows } = stored;
        let numbers = measures.iter().take_while(|measure| matches!(measure, Measure::Number(_))).count();
        let numbers_first = measures[numbers..].iter().all(|measure| *measure == Measure::Category);
        let whole = rows.len().checked_mul(measures.len()) == Some(values.len()) && columns.len() == measures.len();
        if rows.is_empty() || !(1..=COLUMNS_MAX).contains(&measures.len()) || !numbers_first || !whole {
            return Err(MlError::Shape("the rows of nearest neighbours do not fit together".to_owned()));
        }
        let lengths = values.chunks_exact(measures.len()).map(|point| length(&point[..numbers]));
        let longest = lengths.fold(0.0, f64::max);
        let blocks = Blocks::new(numbers, measures.len(), &values);
        Ok(Self { measures, columns, values, rows, numbers, longest, blocks })
    }
}

impl Points {
    /// The points of `kept` rows, and the rows in the order of the points.
    pub(super) fn new(
        examples: &Examples<'_>,
        mut kept: Vec<usize>,
        context: &Context<'_>,
    ) -> Result<(Self, Vec<usize>), MlError> {
        if u32::try_from(examples.target.len()).is_err() {
            return Err(MlError::Shape("nearest neighbours take less than 2^32 rows; draw a sample".to_owned()));
        }
        if examples.kinds.len() > COLUMNS_MAX {
            let columns = examples.kinds.len();
            let told = format!("nearest neighbours take at most {COLUMNS_MAX} columns, not {columns}");
            return Err(MlError::Shape(format!("{told}; leave out those that matter least")));
        }
        let (mut columns, categories): (Vec<u32>, Vec<u32>) =
            (0..examples.kinds.len() as u32).partition(|column| examples.kinds[*column as usize] == Kind::Number);
        let number = |column: &u32| Standard::of(examples.rows, *column as usize, |row| examples.weight(row));
        let mut measures: Vec<Measure> = columns.iter().map(|column| Measure::Number(number(column))).collect();
        measures.resize(examples.kinds.len(), Measure::Category);
        columns.extend(categories);
        let order = Order { examples, measures: &measures, columns: &columns };
        order.put(&mut kept, context)?;
        let values = kept.iter().flat_map(|row| placed(&measures, &columns, examples.rows.row(*row))).collect();
        let rows = kept.iter().map(|row| *row as u32).collect();
        Ok((Stored { measures, columns, values, rows }.try_into()?, kept))
    }

    /// Refuses points whose numbers are none, or that are not compared by all columns of these kinds, each as what it is.
    pub(super) fn check(&self, kinds: &[Kind]) -> Result<(), MlError> {
        let mut met = vec![false; kinds.len()];
        for (measure, column) in self.measures.iter().zip(&self.columns) {
            let is_new = met.get_mut(*column as usize).is_some_and(|met| !std::mem::replace(met, true));
            let is_of_kind = is_new
                && match measure {
                    Measure::Number(_) => kinds[*column as usize] == Kind::Number,
                    Measure::Category => kinds[*column as usize] != Kind::Number,
                };
            sound::fits(is_of_kind, format_args!("nearest neighbours compare column {column} as what it is not"))?;
            if let Measure::Number(standard) = measure {
                sound::numbers("a unit", [&standard.mean, &standard.inverse])?;
            }
        }
        sound::fits(met.iter().all(|met| *met), "nearest neighbours do not compare every column")?;
        sound::numbers("a row", &self.values)
    }

    /// The points nearest to a row, nearest first, in as many places as there are points for.
    pub(super) fn nearest<'a>(&self, level: Level, row: &[f64], places: &'a mut [Found]) -> &'a [Found] {
        let count = places.len().min(self.rows.len());
        let places = &mut places[..count];
        let (mut asked, mut rounded) = ([0.0; COLUMNS_MAX], [0.0; COLUMNS_MAX]);
        let (asked, rounded) = (&mut asked[..self.measures.len()], &mut rounded[..self.measures.len()]);
        for ((asked, rounded), value) in asked.iter_mut().zip(&mut *rounded).zip(self.placed(row)) {
            (*asked, *rounded) = (value, value as f32);
        }
        let lengths = length(&asked[..self.numbers]) + self.longest;
        let mut search = Search::new(self, &self.blocks, (asked, rounded), lengths, places);
        dispatch!(level, simd => search.run(simd));
        places
    }

    /// A row in the units in which distances are taken.
    pub(super) fn placed(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        placed(&self.measures, &self.columns, row)
    }

    /// How far a row is from a point, the numbers added in four lanes, which the compiler turns into vector instructions.
    #[inline(always)]
    pub(super) fn found(&self, point: usize, row: &[f64]) -> Found {
        let (numbers, categories) = row.split_at(self.numbers);
        let (known_numbers, known_categories) = self.values[point * row.len()..][..row.len()].split_at(self.numbers);
        let ((chunks, rest), (known_chunks, known_rest)) = (numbers.as_chunks::<4>(), known_numbers.as_chunks::<4>());
        let mut lanes = [0.0; 4];
        let mut add = |lane: usize, apart: f64| lanes[lane] += apart * apart;
        for (asked, known) in chunks.iter().zip(known_chunks) {
            (0..4).for_each(|lane| add(lane, asked[lane] - known[lane]));
        }
        rest.iter().zip(known_rest).enumerate().for_each(|(lane, (asked, known))| add(lane, asked - known));
        let different = categories.iter().zip(known_categories).filter(|(asked, known)| asked != known);
        let squared = (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]) + different.count() as f64;
        Found { squared, point: point as u32, row: self.rows[point] }
    }

    /// How many points there are.
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }
}

/// The length of a vector.
fn length(numbers: &[f64]) -> f64 {
    numbers.iter().map(|number| number * number).sum::<f64>().sqrt()
}

/// See [`Points::placed`].
fn placed(measures: &[Measure], columns: &[u32], row: &[f64]) -> impl Iterator<Item = f64> {
    measures.iter().zip(columns).map(|(measure, column)| measure.place(row[*column as usize]))
}

/// Puts rows into the order of a k-d tree.
struct Order<'a> {
    examples: &'a Examples<'a>,
    measures: &'a [Measure],
    columns: &'a [u32],
}

impl Order<'_> {
    fn value(&self, row: usize, place: usize) -> f64 {
        self.measures[place].place(self.examples.rows.row(row)[self.columns[place] as usize])
    }

    /// Halves the rows by the widest column, and the halves. Rows are cut where blocks and groups of blocks end, so that no
    /// box of theirs holds rows of both sides.
    fn put(&self, rows: &mut [usize], context: &Context<'_>) -> Result<(), MlError> {
        context.go_on()?;
        let blocks = rows.len().div_ceil(BLOCK);
        if blocks < 2 {
            return Ok(());
        }
        let bounds = (0..self.measures.len()).map(|place| {
            let values = rows.iter().map(|row| self.value(*row, place));
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
        });
        let widths: Vec<f64> = bounds.zip(self.measures).map(|(bounds, measure)| measure.width(bounds)).collect();
        let widest = (0..widths.len()).max_by(|a, b| widths[*a].total_cmp(&widths[*b]).then(b.cmp(a)));
        let Some(widest) = widest.filter(|place| widths[*place] > 0.0) else { return Ok(()) };
        let mut group = 1;
        while group * FAN < blocks {
            group *= FAN;
        }
        let middle = (blocks.midpoint(group) / group).max(1) * group * BLOCK;
        rows.select_nth_unstable_by(middle, |a, b| {
            self.value(*a, widest).total_cmp(&self.value(*b, widest)).then(a.cmp(b))
        });
        let (first, second) = rows.split_at_mut(middle);
        self.put(first, context)?;
        self.put(second, context)
    }
}
