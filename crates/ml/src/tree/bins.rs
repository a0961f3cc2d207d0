//! Columns as small numbers: what trees are learnt from.
//!
//! Every column gets as many bins as it needs: one for each distinct number up to a limit, else bins of about equally many
//! rows; one for each category, the rarest sharing one; one more for missing values if there are any. A code is a `u8`.
//! Numbers are looked at as `f32`, as [`Test`] does in serving, so a row takes the same path in training and in serving.
//!
//! Limits: at most 255 bins for values; bins of numbers come from at most [`SAMPLE`] rows, evenly spread.

use super::pieces;
use super::structure::Test;
use crate::{Context, Examples, Kind, MlError};

/// The most rows that the bins of numbers are made from.
const SAMPLE: usize = 200_000;
/// The most bins for the values of a column.
pub(super) const MAX_BINS: usize = 255;

/// All columns of some rows, in bins.
#[derive(Debug)]
pub(super) struct Bins {
    pub(super) rows: usize,
    pub(super) columns: Vec<Column>,
}

/// One column in bins.
#[derive(Debug)]
pub(super) struct Column {
    /// The bin of each row.
    pub(super) codes: Vec<u8>,
    /// How many bins hold values; the bin of missing values, if there is one, has this number.
    pub(super) values: usize,
    /// Whether there is a bin of missing values.
    pub(super) missing: bool,
    pub(super) form: Form,
}

/// What the bins of values mean.
#[derive(Debug)]
pub(super) enum Form {
    /// Bin `b` holds numbers above `cuts[b - 1]` and up to `cuts[b]`.
    Number {
        cuts: Vec<f32>,
        /// Whether the largest number is finite, so that a threshold can have all numbers below it.
        finite: bool,
    },
    /// Bin `b` holds the category `codes[b]`; one bin more holds all the others if `rare`.
    Category { codes: Vec<u32>, rare: bool },
}

/// Codes as a set of bits.
pub(super) type CodeSet = [u64; 4];

/// All codes below `end`.
pub(super) fn codes_below(end: usize) -> CodeSet {
    std::array::from_fn(|word| match end.saturating_sub(word * 64) {
        0 => 0,
        bits @ 1..64 => (1 << bits) - 1,
        _ => u64::MAX,
    })
}

/// 1 if a code is in the set, else 0.
#[inline]
pub(super) fn holds(set: &CodeSet, code: u8) -> usize {
    (set[usize::from(code >> 6)] >> (code & 63) & 1) as usize
}

/// Adds a code to the set.
#[inline]
pub(super) fn insert(set: &mut CodeSet, code: usize) {
    set[code >> 6 & 3] |= 1 << (code & 63);
}

impl Bins {
    /// Puts rows into at most `max_bins` bins of values a column.
    pub(super) fn new(examples: &Examples<'_>, max_bins: usize, context: &Context<'_>) -> Result<Self, MlError> {
        let columns = pieces::map(context.parallel, examples.kinds.len(), |column| {
            let values: Vec<f32> = examples.rows.column(column).map(|value| value as f32 + 0.0).collect();
            match examples.kinds[column] {
                Kind::Number => Ok(number(&values, max_bins)),
                Kind::Category { count } => category(&values, count, max_bins)
                    .map_err(|what| MlError::Shape(format!("column {column}, a category, holds {what}"))),
            }
        });
        context.go_on()?;
        Ok(Self { rows: examples.rows.rows(), columns: columns.into_iter().collect::<Result<_, _>>()? })
    }
}

impl Column {
    /// How many bins there are.
    pub(super) fn bins(&self) -> usize {
        self.values + usize::from(self.missing)
    }

    /// The code of missing values.
    pub(super) fn missing_code(&self) -> Option<usize> {
        self.missing.then_some(self.values)
    }

    /// The question whose answer is left for exactly the values in `left`. For numbers these are all codes up to one.
    pub(super) fn test(&self, left: &CodeSet) -> Test {
        match &self.form {
            Form::Number { cuts, .. } => {
                let below = (0..self.values).filter(|code| holds(left, *code as u8) == 1).count();
                Test::AtMost(cuts.get(below.saturating_sub(1)).copied().unwrap_or(f32::MAX))
            }
            Form::Category { codes, .. } => {
                let mut words = Vec::new();
                for (code, category) in codes.iter().enumerate() {
                    if holds(left, code as u8) == 1 {
                        let word = (category / 32) as usize;
                        words.resize(words.len().max(word + 1), 0);
                        words[word] |= 1 << (category % 32);
                    }
                }
                Test::In(words.into())
            }
        }
    }
}

/// A key that orders as the number does.
fn key(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn value_of(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key })
}

/// A number from `low` to below `high`, halfway where `f32` has room.
fn between(low: f32, high: f32) -> f32 {
    let middle = (f64::from(low) / 2.0 + f64::from(high) / 2.0) as f32;
    if middle >= low && middle < high { middle } else { low }
}

fn number(values: &[f32], max_bins: usize) -> Column {
    let step = values.len().div_ceil(SAMPLE).max(1);
    let mut keys: Vec<u32> = values.iter().step_by(step).filter(|v| !v.is_nan()).map(|v| key(*v)).collect();
    keys.sort_unstable();
    let distinct: Vec<(f32, usize)> = keys.chunk_by(|a, b| a == b).map(|run| (value_of(run[0]), run.len())).collect();
    let cuts = cuts(&distinct, keys.len(), max_bins);
    let bins = cuts.len() + 1;
    let mut missing = false;
    let mut finite = true;
    let codes = values
        .iter()
        .map(|value| {
            missing |= value.is_nan();
            finite &= *value != f32::INFINITY;
            if value.is_nan() { bins as u8 } else { cuts.partition_point(|cut| *cut < *value) as u8 }
        })
        .collect();
    Column { codes, values: bins, missing, form: Form::Number { cuts, finite } }
}

/// Cuts between distinct numbers such that bins hold about equally many rows; all of them if there is room.
fn cuts(distinct: &[(f32, usize)], rows: usize, max_bins: usize) -> Vec<f32> {
    let mut cuts = Vec::new();
    let (mut rows_left, mut bins_left, mut here) = (rows, max_bins, 0);
    for (index, pair) in distinct.windows(2).enumerate() {
        here += pair[0].1;
        let room = distinct.len() - index <= bins_left;
        if room || (here * bins_left >= rows_left && bins_left > 1) {
            cuts.push(between(pair[0].0, pair[1].0));
            rows_left -= here;
            bins_left -= 1;
            here = 0;
        }
    }
    cuts
}

fn category(values: &[f32], count: u32, max_bins: usize) -> Result<Column, String> {
    let mut rows_of = vec![0_usize; count as usize];
    let mut missing = false;
    for value in values {
        if value.is_nan() {
            missing = true;
            continue;
        }
        if *value < 0.0 || value.fract() != 0.0 || f64::from(*value) >= f64::from(count) {
            return Err(format!("{value}; its codes are whole numbers from 0 and below {count}"));
        }
        rows_of[*value as usize] += 1;
    }
    let mut codes: Vec<u32> = (0..count).filter(|code| rows_of[*code as usize] > 0).collect();
    codes.sort_by_key(|code| (std::cmp::Reverse(rows_of[*code as usize]), *code));
    let rare = codes.len() > max_bins;
    if rare {
        codes.truncate(max_bins - 1);
    }
    let mut bin_of = vec![codes.len() as u8; count as usize];
    for (bin, code) in codes.iter().enumerate() {
        bin_of[*code as usize] = bin as u8;
    }
    let bins = (codes.len() + usize::from(rare)).max(1);
    let bin = |value: &f32| if value.is_nan() { bins as u8 } else { bin_of[*value as usize] };
    Ok(Column { codes: values.iter().map(bin).collect(), values: bins, missing, form: Form::Category { codes, rare } })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop, prop_oneof};

    use super::*;
    use crate::{Matrix, Task};

    fn bins(values: Vec<f64>, kind: Kind, max_bins: usize) -> Result<Bins, MlError> {
        let target = vec![0.0; values.len()];
        let rows = Matrix::from_values(1, values).expect("one column");
        Bins::new(&Examples::new(&rows, &[kind], Task::Regression, &target), max_bins, &Context::serial())
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<f64>(),
            any::<f32>().prop_map(f64::from),
            (-3..4_i32).prop_map(f64::from),
            prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-0.0), Just(1e300)],
        ]
    }

    use proptest::prelude::Just;

    proptest::proptest! {
        #[test]
        fn serving_takes_the_path_of_training(values in prop::collection::vec(value(), 1..400), max_bins in 2..=255_usize) {
            let bins = bins(values.clone(), Kind::Number, max_bins).expect("numbers");
            let column = &bins.columns[0];
            assert!(column.values <= max_bins);
            for end in 0..column.values - 1 {
                let left = codes_below(end + 1);
                let test = column.test(&left);
                for (value, code) in values.iter().zip(&column.codes) {
                    if value.is_nan() {
                        assert_eq!(column.missing_code(), Some(usize::from(*code)));
                    } else {
                        assert_eq!(test.holds(*value), holds(&left, *code) == 1, "{value} at {test:?}");
                    }
                }
            }
        }

        #[test]
        fn categories_are_told_apart(codes in prop::collection::vec(0..40_u32, 1..300), set in any::<u64>(), max_bins in 2..=255_usize) {
            let values = codes.iter().map(|code| f64::from(*code)).collect();
            let bins = bins(values, Kind::Category { count: 40 }, max_bins).expect("categories");
            let column = &bins.columns[0];
            let Form::Category { rare, .. } = &column.form else { unreachable!("a category") };
            let named = column.values - usize::from(*rare);
            let left = [set & codes_below(named)[0], 0, 0, 0];
            let test = column.test(&left);
            for (category, code) in codes.iter().zip(&column.codes) {
                assert_eq!(test.holds(f64::from(*category)), holds(&left, *code) == 1);
            }
        }
    }

    #[test]
    fn a_column_is_as_wide_as_it_must_be() {
        let width =
            |values: Vec<f64>, max_bins| bins(values, Kind::Number, max_bins).expect("numbers").columns[0].bins();
        assert_eq!(width(vec![0.0, 1.0, 0.0, -0.0], 255), 2);
        assert_eq!(width(vec![0.0, 1.0, f64::NAN], 255), 3);
        assert_eq!(width(vec![f64::NAN, f64::NAN], 255), 2);
        assert_eq!(width((0..1000).map(f64::from).collect(), 255), 255);
    }

    #[test]
    fn bins_hold_about_equally_many_rows() {
        // One value has half of the rows; the others share the remaining bins.
        let values = (0..2000).map(|row| if row % 2 == 0 { 0.0 } else { f64::from(row) }).collect();
        let bins = bins(values, Kind::Number, 11).expect("numbers");
        let mut rows_of = [0; 11];
        bins.columns[0].codes.iter().for_each(|code| rows_of[usize::from(*code)] += 1);
        assert_eq!(rows_of[0], 1000);
        assert!(rows_of[1..].iter().all(|rows| (95..=105).contains(rows)), "{rows_of:?}");
    }

    #[test]
    fn what_is_no_category_is_refused() {
        for wrong in [-1.0, 0.5, 3.0, f64::INFINITY] {
            assert!(matches!(bins(vec![wrong], Kind::Category { count: 3 }, 255), Err(MlError::Shape(_))), "{wrong}");
        }
    }
}
