//! Lines: for each thing that nodes ask, one byte for each row of a block.

use std::collections::BTreeMap;

use fearless_simd::{Simd, SimdBase, SimdMask, i32x16};

use super::super::look::{Look, View, ordered};
use super::super::{Node, Test, Tree};

/// How many rows are answered together.
pub(super) const ROWS: usize = 256;
/// The most thresholds of a line, so that their ranks, from none below to all below, are bytes.
const KEYS: usize = 255;
/// So many thresholds are compared with a number at once.
const ABREAST: usize = 16;
/// The rank 0 as a signed byte: those are what vector instructions compare.
const LEAST: i8 = i8::MIN;
/// No byte is more.
pub(super) const NEVER: i8 = i8::MAX;

/// A byte for each row.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [i8; ROWS]);

impl Line {
    pub(super) const BLANK: Self = Self([0; ROWS]);
}

/// A node's question: whether the byte of a line is more than this one, which leads to the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) line: u16,
    pub(super) key: i8,
}

/// What a line shows.
#[derive(Debug, Clone)]
enum Source {
    /// How many thresholds are less than the number.
    Rank { view: View, thresholds: Thresholds },
    /// 1 for what is not in a set of categories.
    Outside { column: u32, missing_left: bool, test: Test },
}

/// Up to [`KEYS`] thresholds in order, each as [`signed`] has it, followed by numbers that are never less.
#[derive(Debug, Clone)]
enum Thresholds {
    Few([i32; ABREAST]),
    /// The last of each row of the table, and the table.
    Many([i32; ABREAST], Box<[[i32; ABREAST]; ABREAST]>),
}

/// What all lines show.
#[derive(Debug, Clone)]
pub(super) struct Sources(Vec<Source>);

/// Where the questions of nodes are among the lines.
pub(super) struct Index<'a> {
    numbers: BTreeMap<(u32, bool), (usize, Vec<u32>)>,
    sets: BTreeMap<(u32, bool, &'a [u32]), usize>,
}

impl Sources {
    /// The lines that trees need; none if they are too many.
    pub(super) fn new(trees: &[Tree]) -> Option<(Self, Index<'_>)> {
        let mut index = Index { numbers: BTreeMap::new(), sets: BTreeMap::new() };
        for node in trees.iter().flat_map(|tree| &tree.nodes) {
            match node {
                Node::Split { column, test: Test::AtMost(threshold), missing_left, .. } => {
                    index.numbers.entry((*column, *missing_left)).or_default().1.push(ordered(*threshold));
                }
                Node::Split { column, test: Test::In(words), missing_left, .. } => {
                    index.sets.insert((*column, *missing_left, words), 0);
                }
                Node::Leaf { .. } => {}
            }
        }
        let mut sources = Vec::new();
        for ((column, missing_left), (first, keys)) in &mut index.numbers {
            keys.sort_unstable();
            keys.dedup();
            *first = sources.len();
            let look = if *missing_left { Look::MissingLeft } else { Look::MissingRight };
            sources.extend(keys.chunks(KEYS).map(|keys| Source::rank(View { look, column: *column }, keys)));
        }
        for ((column, missing_left, words), place) in &mut index.sets {
            *place = sources.len();
            let test = Test::In((*words).into());
            sources.push(Source::Outside { column: *column, missing_left: *missing_left, test });
        }
        u16::try_from(sources.len()).is_ok().then_some((Self(sources), index))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Fills in all lines for [`ROWS`] rows of so many columns.
    #[inline(always)]
    pub(super) fn fill<S: Simd>(&self, simd: S, rows: &[f64], columns: usize, lines: &mut [Line]) {
        let (mut values, mut shown) = ([0.0; ROWS], [0; ROWS]);
        for (source, Line(line)) in self.0.iter().zip(lines) {
            match source {
                Source::Rank { view, thresholds } => {
                    copy_column(rows, columns, view.column as usize, &mut values);
                    shown.iter_mut().zip(&values).for_each(|(shown, value)| *shown = signed(view.look.at(*value)));
                    match thresholds {
                        Thresholds::Few(all) => {
                            let all = i32x16::from_slice(simd, all);
                            line.iter_mut().zip(&shown).for_each(|(byte, shown)| *byte = byte_of(less(all, *shown)));
                        }
                        Thresholds::Many(lasts, table) => {
                            let lasts = i32x16::from_slice(simd, lasts);
                            for (byte, shown) in line.iter_mut().zip(&shown) {
                                let passed = less(lasts, *shown);
                                let within = less(i32x16::from_slice(simd, &table[passed % ABREAST]), *shown);
                                *byte = byte_of(ABREAST * passed + within);
                            }
                        }
                    }
                }
                Source::Outside { column, missing_left, test } => {
                    for (row, byte) in rows.chunks_exact(columns).zip(line) {
                        let value = row[*column as usize];
                        let inside = if value.is_nan() { *missing_left } else { test.holds(value) };
                        *byte = i8::from(!inside);
                    }
                }
            }
        }
    }
}

impl Source {
    fn rank(view: View, keys: &[u32]) -> Self {
        let mut table = Box::new([[i32::MAX; ABREAST]; ABREAST]);
        table.as_flattened_mut().iter_mut().zip(keys).for_each(|(place, key)| *place = signed(*key));
        let thresholds = if keys.len() <= ABREAST {
            Thresholds::Few(table[0])
        } else {
            Thresholds::Many(table.each_ref().map(|row| row[ABREAST - 1]), table)
        };
        Self::Rank { view, thresholds }
    }
}

/// What a view shows, in the same order: vector instructions compare signed numbers.
#[inline(always)]
fn signed(shown: u32) -> i32 {
    (shown ^ 1 << 31).cast_signed()
}

/// A rank as a byte.
#[inline(always)]
fn byte_of(rank: usize) -> i8 {
    LEAST.wrapping_add_unsigned(rank as u8)
}

/// How many keys are less than a number.
#[inline(always)]
fn less<S: Simd>(keys: i32x16<S>, number: i32) -> usize {
    keys.simd_lt(number).to_bitmask().count_ones() as usize
}

/// Not for wide instructions: they would gather, which takes longer than loads one by one.
#[inline(never)]
fn copy_column(rows: &[f64], columns: usize, column: usize, values: &mut [f64; ROWS]) {
    for (value, row) in values.iter_mut().zip(rows.chunks_exact(columns)) {
        *value = row[column];
    }
}

impl Index<'_> {
    /// The question of a split.
    pub(super) fn question(&self, column: u32, test: &Test, missing_left: bool) -> Question {
        match test {
            Test::AtMost(threshold) => {
                let (first, keys) = &self.numbers[&(column, missing_left)];
                let place = keys.partition_point(|key| *key < ordered(*threshold));
                let key = LEAST.wrapping_add_unsigned((place % KEYS) as u8);
                Question { line: (first + place / KEYS) as u16, key }
            }
            Test::In(words) => Question { line: self.sets[&(column, missing_left, &**words)] as u16, key: 0 },
        }
    }
}
