//! The search for the nearest points: boxes and points that are certainly too far are left out by sums in single precision,
//! and what remains is measured in double precision. So the answer is that of measuring every point, whatever instructions
//! the processor has.
//!
//! How far a sum may be off (Higham: Accuracy and Stability of Numerical Algorithms, 2002, chapters 2 and 3): let `d` be the
//! distance of a row `x` to a point `t`. Rounding each to single precision moves it by no more than a share `u` of its length,
//! so between what was rounded the distance is at most `d + u (|x| + |t|)`. Each of `n` terms of the sum of squares is
//! rounded no more than `n + 3` times, which adds a share of at most `(n + 3) u`. Below the smallest normal number rounding
//! may add another such number, and beyond the largest a sum is infinite, as is then the bound that it is compared with, or
//! rightly more than it. A box is no farther than any point in it, also after rounding, for rounding keeps the order of
//! numbers. Both shares are taken twice as large, which also covers the rounding of the bound itself.

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::blocks::{BLOCK, Blocks, FAN};
use super::points::{Found, Points};

/// Twice the largest share that rounding changes.
const ROUNDING: f64 = f32::EPSILON as f64;
/// The smallest normal number.
const LEAST: f64 = f32::MIN_POSITIVE as f64;
/// Groups of so many levels hold more than 2^32 points.
const LEVELS: usize = 8;

/// A box that waits to be looked into.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    level: usize,
    number: usize,
    /// About the least square of a distance to what is in it.
    least: f32,
}

/// The search for one row.
pub(super) struct Search<'a> {
    points: &'a Points,
    blocks: &'a Blocks,
    row: &'a [f64],
    rounded: &'a [f32],
    /// The nearest so far, nearest first.
    places: &'a mut [Found],
    /// A sum that is more belongs to a point that is farther than the last of the places.
    reach: f32,
    /// By how much a distance may be more after rounding.
    off: f64,
}

impl<'a> Search<'a> {
    /// For a row in the units of the points, and the same in single precision. `lengths` is its length and that of the
    /// longest point together.
    pub(super) fn new(
        points: &'a Points,
        blocks: &'a Blocks,
        (row, rounded): (&'a [f64], &'a [f32]),
        lengths: f64,
        places: &'a mut [Found],
    ) -> Self {
        Self { points, blocks, row, rounded, places, reach: f32::INFINITY, off: ROUNDING * lengths + LEAST }
    }

    /// Fills the places.
    #[inline(always)]
    pub(super) fn run<S: Simd>(&mut self, simd: S) {
        let mut waiting = [Waiting { level: 0, number: 0, least: 0.0 }; FAN * LEVELS];
        let mut count = self.open(simd, self.blocks.levels() - 1, 0, &mut waiting);
        while let Some(last) = count.checked_sub(1) {
            let Waiting { level, number, least } = waiting[last];
            count = last;
            if least > self.reach {
                continue;
            }
            match level.checked_sub(1) {
                Some(below) => count += self.open(simd, below, number, &mut waiting[last..]),
                None => self.look(simd, number),
            }
        }
    }

    /// Lets the boxes of a group wait, the nearest last; how many.
    #[inline(always)]
    fn open<S: Simd>(&self, simd: S, level: usize, group: usize, waiting: &mut [Waiting]) -> usize {
        let mut count = 0;
        let boxes = self.blocks.to_boxes(simd, level, group, self.rounded);
        for (number, least) in (group * FAN..self.blocks.boxes(level)).zip(boxes) {
            if least > self.reach {
                continue;
            }
            waiting[count] = Waiting { level, number, least };
            count += 1;
        }
        waiting[..count].sort_unstable_by(|a, b| b.least.total_cmp(&a.least));
        count
    }

    /// Measures the points of a block that may be near enough.
    #[inline(always)]
    fn look<S: Simd>(&mut self, simd: S, block: usize) {
        for (vector, sums) in self.blocks.to_points(simd, block, self.rounded).into_iter().enumerate() {
            let first = block * BLOCK + vector * FAN;
            let mut near = !sums.simd_gt(self.reach).to_bitmask() & ((1 << FAN) - 1);
            while near != 0 {
                let point = first + near.trailing_zeros() as usize;
                near &= near - 1;
                if point < self.points.count() {
                    self.offer(&self.points.found(point, self.row));
                }
            }
        }
    }

    /// Takes a point into its place, if it is nearer than the last.
    #[inline(always)]
    fn offer(&mut self, found: &Found) {
        let worst = self.places.len() - 1;
        if found.nearer(&self.places[worst]) {
            let at = self.places.partition_point(|place| place.nearer(found));
            self.places[at..].rotate_right(1);
            self.places[at] = *found;
            let reach = self.places[worst].squared.sqrt() + self.off;
            let share = 1.0 + ROUNDING * (self.row.len() + 4) as f64;
            self.reach = (share * reach * reach + LEAST) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::levels::levels;
    use crate::{Context, Examples, Kind, Matrix, Random, Task};

    /// How rows are made.
    #[derive(Debug, Clone, Copy)]
    enum Shape {
        /// Numbers with nothing in common.
        Random,
        /// From a few values, so that many rows are equal and many distances, too.
        Coarse,
        /// Of all magnitudes, also such as single precision cannot hold.
        Huge,
        /// Close to one another and far from the mean, where single precision tells nothing.
        Crowded,
    }

    fn number(shape: Shape, random: &mut Random) -> f64 {
        match shape {
            Shape::Random => random.uniform() - 0.5,
            Shape::Coarse => random.below(3) as f64,
            Shape::Huge => (random.uniform() - 0.5) * 10_f64.powi(random.below(200) as i32 - 60),
            Shape::Crowded if random.below(40) == 0 => 1e9,
            Shape::Crowded => 1.0 + random.uniform() * 1e-9,
        }
    }

    fn rows(shape: Shape, count: usize, kinds: &[Kind], random: &mut Random) -> Matrix {
        let values = (0..count * kinds.len()).map(|at| match kinds[at % kinds.len()] {
            _ if random.below(12) == 0 => f64::NAN,
            Kind::Number => number(shape, random),
            Kind::Category { count } => random.below(count as usize) as f64,
        });
        Matrix::from_values(kinds.len(), values.collect()).expect("whole rows")
    }

    /// Asks for the nearest of some rows, with any instructions, and compares with measuring every point.
    fn check(shape: Shape, count: usize, kinds: &[Kind], k: usize, seed: u64) {
        let mut random = Random::new(seed, 0);
        let known = rows(shape, count, kinds, &mut random);
        let (target, context) = (vec![0.0; count], Context::serial());
        let examples = Examples::new(&known, kinds, Task::Regression, &target);
        let (points, order) = Points::new(&examples, (0..count).collect(), &context).expect("points");
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..count).collect::<Vec<_>>(), "every row is a point once");
        let mut asked = rows(shape, 6, kinds, &mut random);
        asked.push(known.row(count / 2)).expect("a row");
        asked.push(rows(Shape::Huge, 1, kinds, &mut random).row(0)).expect("a row");
        asked.push(&vec![f64::MAX; kinds.len()]).expect("a row");
        for asked in (0..asked.rows()).map(|row| asked.row(row)) {
            let row: Vec<f64> = points.placed(asked).collect();
            let mut expected: Vec<Found> = (0..count).map(|point| points.found(point, &row)).collect();
            expected.sort_by(|a, b| a.squared.total_cmp(&b.squared).then(a.row.cmp(&b.row)));
            expected.truncate(k);
            for level in levels() {
                let mut places = vec![Found::NONE; k];
                assert_eq!(points.nearest(level, asked, &mut places), expected, "{shape:?} at {level:?}");
            }
        }
    }

    fn kinds() -> impl Strategy<Value = Vec<Kind>> {
        let kind = prop_oneof![4 => Just(Kind::Number), 1 => Just(Kind::Category { count: 3 })];
        prop::collection::vec(kind, 1..30)
    }

    proptest! {
        #[test]
        fn the_nearest_are_those_of_measuring_every_point(
            shape in prop_oneof![
                Just(Shape::Random), Just(Shape::Coarse), Just(Shape::Huge), Just(Shape::Crowded)
            ],
            count in 1_usize..400,
            kinds in kinds(),
            k in 1_usize..40,
            seed: u64,
        ) {
            check(shape, count, &kinds, k, seed);
        }
    }

    #[test]
    fn boxes_of_boxes_hide_nothing() {
        for (count, columns) in [(64, 2), (65, 2), (1_024, 3), (1_025, 3), (17_000, 2), (5_000, 20), (300, 1_024)] {
            let mut kinds = vec![Kind::Number; columns];
            check(Shape::Random, count, &kinds, 25, 3);
            kinds[columns / 2] = Kind::Category { count: 5 };
            check(Shape::Coarse, count, &kinds, 25, 4);
        }
    }
}
