//! Points in single precision, as wide instructions take them, with boxes around blocks of them and around groups of blocks.
//!
//! It tells sums that are near the squares of distances, never who is near: [`super::search`] knows how far they may be off.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat, f32x16};

/// So many points follow one another column by column.
pub(super) const BLOCK: usize = 64;
/// So many boxes are in a group, and lanes in a vector.
pub(super) const FAN: usize = 16;
/// So many vectors hold a column of a block.
pub(super) const VECTORS: usize = BLOCK / FAN;

/// The lowest and highest value of a column in a box.
type Side = (f32, f32);

/// Blocks of points and their boxes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Blocks {
    numbers: usize,
    columns: usize,
    /// For each block the values of its points, column by column; where there are no more points, infinitely far.
    values: Vec<f32>,
    /// First the boxes of the blocks, then those of groups of them, and so on up to a single group.
    levels: Vec<Boxes>,
}

/// Boxes in groups.
#[derive(Debug, Clone, PartialEq)]
struct Boxes {
    count: usize,
    /// For each group the lowest values of its boxes and their highest, column by column; where there are no more boxes,
    /// infinitely far.
    sides: Vec<f32>,
}

impl Blocks {
    /// Copies points of so many columns, of which the first are numbers.
    pub(super) fn new(numbers: usize, columns: usize, points: &[f64]) -> Self {
        let mut values = vec![f32::INFINITY; points.len().div_ceil(BLOCK * columns) * BLOCK * columns];
        for (block, points) in values.chunks_exact_mut(BLOCK * columns).zip(points.chunks(BLOCK * columns)) {
            for (at, point) in points.chunks_exact(columns).enumerate() {
                block[at..].iter_mut().step_by(BLOCK).zip(point).for_each(|(place, value)| *place = *value as f32);
            }
        }
        let single: Vec<Side> = points.iter().map(|value| (*value as f32, *value as f32)).collect();
        let (mut sides, mut levels) = (around(&single, BLOCK, columns), Vec::new());
        loop {
            let count = sides.len() / columns;
            levels.push(Boxes { count, sides: grouped(&sides, columns) });
            if count <= FAN {
                return Self { numbers, columns, values, levels };
            }
            sides = around(&sides, FAN, columns);
        }
    }

    /// How many levels of boxes there are.
    pub(super) fn levels(&self) -> usize {
        self.levels.len()
    }

    /// How many boxes a level has.
    pub(super) fn boxes(&self, level: usize) -> usize {
        self.levels[level].count
    }

    /// About the least squares of the distances of a row to what is in each box of a group, infinite where there is none.
    #[inline(always)]
    pub(super) fn to_boxes<S: Simd>(&self, simd: S, level: usize, group: usize, row: &[f32]) -> [f32; FAN] {
        let length = 2 * FAN * self.columns;
        let (sides, _) = self.levels[level].sides[group * length..][..length].as_chunks::<{ 2 * FAN }>();
        let zero = f32x16::splat(simd, 0.0);
        let outside = |asked: f32, sides: &[f32; 2 * FAN]| {
            let (low, high) = sides.split_at(FAN);
            let asked = f32x16::splat(simd, asked);
            (f32x16::from_slice(simd, low) - asked).max(asked - f32x16::from_slice(simd, high)).max(zero)
        };
        let mut sums = zero;
        for (asked, sides) in row[..self.numbers].iter().zip(sides) {
            let outside = outside(*asked, sides);
            sums = outside.mul_add(outside, sums);
        }
        for (asked, sides) in row[self.numbers..].iter().zip(&sides[self.numbers..]) {
            sums += outside(*asked, sides).simd_gt(zero).select(f32x16::splat(simd, 1.0), zero);
        }
        let mut told = [0.0; FAN];
        sums.store_slice(&mut told);
        told
    }

    /// About the squares of the distances of a row to the points of a block.
    #[inline(always)]
    pub(super) fn to_points<S: Simd>(&self, simd: S, block: usize, row: &[f32]) -> [f32x16<S>; VECTORS] {
        let length = BLOCK * self.columns;
        let (columns, _) = self.values[block * length..][..length].as_chunks::<BLOCK>();
        let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
        let mut sums = [zero; VECTORS];
        for (asked, known) in row[..self.numbers].iter().zip(columns) {
            let asked = f32x16::splat(simd, *asked);
            for (sum, known) in sums.iter_mut().zip(known.as_chunks::<FAN>().0) {
                let apart = asked - f32x16::from_slice(simd, known);
                *sum = apart.mul_add(apart, *sum);
            }
        }
        for (asked, known) in row[self.numbers..].iter().zip(&columns[self.numbers..]) {
            let asked = f32x16::splat(simd, *asked);
            for (sum, known) in sums.iter_mut().zip(known.as_chunks::<FAN>().0) {
                *sum += f32x16::from_slice(simd, known).simd_eq(asked).select(zero, one);
            }
        }
        sums
    }
}

/// The sides of a box around each `of` boxes that follow one another.
fn around(sides: &[Side], of: usize, columns: usize) -> Vec<Side> {
    let side = |boxes: &[Side], column: usize| {
        let own = boxes.iter().skip(column).step_by(columns);
        own.fold((f32::INFINITY, f32::NEG_INFINITY), |all, own| (all.0.min(own.0), all.1.max(own.1)))
    };
    let boxes = sides.chunks(of * columns);
    boxes.flat_map(|boxes| (0..columns).map(move |column| side(boxes, column))).collect()
}

/// Sides as vectors hold them.
fn grouped(sides: &[Side], columns: usize) -> Vec<f32> {
    let mut all = Vec::with_capacity(sides.len().next_multiple_of(FAN * columns) * 2);
    for group in sides.chunks(FAN * columns) {
        for column in 0..columns {
            let side = |at: usize| group.get(at * columns + column).unwrap_or(&(f32::INFINITY, f32::NEG_INFINITY));
            all.extend((0..FAN).map(|at| side(at).0));
            all.extend((0..FAN).map(|at| side(at).1));
        }
    }
    all
}
