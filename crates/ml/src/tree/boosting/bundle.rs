//! Columns that are seldom other than usual, together in one: exclusive feature bundling (Ke et al.: LightGBM, 2017).
//!
//! Columns that never leave their most frequent bin in the same row share one code: 0 where all are as usual, else the bin of
//! the one that is not. What the usual bin of a column sums up to is the node's total less its other bins. Nothing is lost:
//! only columns without any conflict are bundled. The codes of a row stand together, since histograms are made row by row.

use crate::tree::bins::Bins;

/// The codes of all bundles, and where each column is found.
#[derive(Debug)]
pub(in crate::tree) struct Bundles {
    /// How many codes each bundle uses.
    pub(super) widths: Vec<usize>,
    /// Row by row, a code for each bundle.
    pub(super) codes: Vec<u8>,
    /// Where the bins of each column are.
    places: Vec<Place>,
}

/// Where the bins of a column are in the histogram of a bundle.
#[derive(Debug, Clone, Copy)]
struct Place {
    bundle: usize,
    /// The code of its first bin that is not left out.
    first: usize,
    /// The bin that has no code of its own.
    usual: Option<usize>,
    bins: usize,
}

/// The sums of all bins of all bundles.
pub(super) type Histogram = Vec<[u64; 256]>;

/// The most open bundles that a column is compared with.
const SEARCH: usize = 64;

/// A bundle that columns can still be added to.
struct Open {
    taken: Vec<u64>,
    width: usize,
    columns: Vec<usize>,
}

impl Bundles {
    pub(in crate::tree) fn new(bins: &Bins) -> Self {
        let mut usual = vec![None; bins.columns.len()];
        let mut sparse = Vec::new();
        for (index, column) in bins.columns.iter().enumerate() {
            let mut rows_of = [0_usize; 256];
            column.codes.iter().for_each(|code| rows_of[usize::from(*code)] += 1);
            let most = (0..column.bins()).max_by_key(|bin| (rows_of[*bin], std::cmp::Reverse(*bin))).unwrap_or(0);
            let others = bins.rows - rows_of[most];
            if others * 2 <= bins.rows && column.bins() > 1 {
                usual[index] = Some(most);
                sparse.push((others, index));
            }
        }
        sparse.sort_by_key(|(others, index)| (std::cmp::Reverse(*others), *index));
        let open = bundle(bins, &usual, &sparse);
        Self::lay_out(bins, &usual, open)
    }

    fn lay_out(bins: &Bins, usual: &[Option<usize>], open: Vec<Open>) -> Self {
        let mut groups: Vec<Vec<usize>> = (0..usual.len())
            .filter(|column| usual[*column].is_none())
            .map(|column| vec![column])
            .chain(open.into_iter().map(|open| open.columns))
            .collect();
        groups.retain(|columns| bins.columns[columns[0]].bins() > 1);
        let count = groups.len();
        let mut codes = vec![0; bins.rows * count];
        let mut widths = Vec::with_capacity(count);
        let constant = Place { bundle: 0, first: 0, usual: Some(0), bins: 1 };
        let mut places = vec![constant; usual.len()];
        for (bundle, columns) in groups.iter().enumerate() {
            let alone = columns.len() == 1;
            let mut width = usize::from(!alone);
            for index in columns {
                let column = &bins.columns[*index];
                let usual = usual[*index].filter(|_| !alone);
                let place = Place { bundle, first: width, usual, bins: column.bins() };
                for (row, code) in column.codes.iter().enumerate() {
                    if let Some(code) = place.code(usize::from(*code)) {
                        codes[row * count + bundle] = code as u8;
                    }
                }
                width += place.bins - usize::from(usual.is_some());
                places[*index] = place;
            }
            widths.push(width);
        }
        Self { widths, codes, places }
    }

    /// The sums of the bins of a column. `total` is the sum of the node, `scratch` a place to put them if they do not stand
    /// in the histogram as they are.
    pub(super) fn bins_of<'a>(
        &self,
        column: usize,
        histogram: &'a Histogram,
        total: u64,
        scratch: &'a mut [u64; 256],
    ) -> &'a [u64] {
        let place = self.places[column];
        let Some(usual) = place.usual else { return &histogram[place.bundle][..place.bins] };
        let mut rest = total;
        for (bin, sum) in scratch[..place.bins].iter_mut().enumerate() {
            if let Some(code) = place.code(bin) {
                *sum = histogram[place.bundle][code];
                rest = rest.wrapping_sub(*sum);
            }
        }
        scratch[usual] = rest;
        &scratch[..place.bins]
    }

    /// A histogram without rows.
    pub(super) fn empty(&self) -> Histogram {
        vec![[0; 256]; self.widths.len()]
    }
}

impl Place {
    fn code(&self, bin: usize) -> Option<usize> {
        match self.usual {
            None => Some(self.first + bin),
            Some(usual) if bin == usual => None,
            Some(usual) => Some(self.first + bin - usize::from(bin > usual)),
        }
    }
}

/// Puts each column, those with most unusual rows first, into the first bundle that it has no row in common with.
fn bundle(bins: &Bins, usual: &[Option<usize>], sparse: &[(usize, usize)]) -> Vec<Open> {
    let mut open: Vec<Open> = Vec::new();
    for (_, index) in sparse {
        let column = &bins.columns[*index];
        let most = usual[*index].unwrap_or(0) as u8;
        let rows: Vec<u64> = column
            .codes
            .chunks(64)
            .map(|codes| codes.iter().enumerate().fold(0, |word, (bit, code)| word | u64::from(*code != most) << bit))
            .collect();
        let extra = column.bins() - 1;
        let room = open.iter_mut().take(SEARCH).find(|bundle| {
            bundle.width + extra <= 256 && bundle.taken.iter().zip(&rows).all(|(taken, row)| taken & row == 0)
        });
        match room {
            Some(bundle) => {
                bundle.taken.iter_mut().zip(&rows).for_each(|(taken, row)| *taken |= row);
                bundle.width += extra;
                bundle.columns.push(*index);
            }
            None => open.push(Open { taken: rows, width: 1 + extra, columns: vec![*index] }),
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use proptest::prelude::prop;

    use super::*;
    use crate::{Context, Examples, Kind, Matrix, Task};

    fn bins(columns: usize, values: Vec<f64>) -> Bins {
        let rows = Matrix::from_values(columns, values).expect("a matrix");
        let target = vec![0.0; rows.rows()];
        let kinds = vec![Kind::Number; columns];
        Bins::new(&Examples::new(&rows, &kinds, Task::Regression, &target), 255, &Context::serial()).expect("numbers")
    }

    fn histogram(bundles: &Bundles, amounts: &[u64]) -> Histogram {
        let mut histogram = bundles.empty();
        let count = bundles.widths.len();
        for (row, amount) in amounts.iter().enumerate() {
            for bundle in 0..count {
                histogram[bundle][usize::from(bundles.codes[row * count + bundle])] += amount;
            }
        }
        histogram
    }

    proptest::proptest! {
        /// Mostly zeros, so that columns are bundled, with missing values among the others.
        #[test]
        fn bundles_lose_nothing(
            cells in prop::collection::vec((0..10_u8, 1..5_u8), 8 * 40),
            amounts in prop::collection::vec(1..1000_u64, 40),
        ) {
            let value = |(rare, value): &(u8, u8)| match (rare, value) {
                (0, 4) => f64::NAN,
                (0, value) => f64::from(*value),
                _ => 0.0,
            };
            let bins = bins(8, cells.iter().map(value).collect());
            let bundles = Bundles::new(&bins);
            let histogram = histogram(&bundles, &amounts);
            for (index, column) in bins.columns.iter().enumerate() {
                let mut expected = vec![0; column.bins()];
                column.codes.iter().zip(&amounts).for_each(|(code, amount)| expected[usize::from(*code)] += amount);
                let mut scratch = [0; 256];
                let found = bundles.bins_of(index, &histogram, amounts.iter().sum(), &mut scratch);
                if column.bins() > 1 {
                    assert_eq!(found, expected);
                }
            }
        }
    }

    #[test]
    fn a_category_spread_over_columns_is_one_bundle() {
        let values = (0..70).flat_map(|row| (0..7).map(move |column| f64::from(u8::from(row % 7 == column)))).collect();
        let bundles = Bundles::new(&bins(7, values));
        assert_eq!(bundles.widths, [8]);
    }

    #[test]
    fn columns_that_meet_are_not_bundled() {
        let values = (0..40).flat_map(|row| [f64::from(u8::from(row < 5)), f64::from(u8::from(row < 6))]).collect();
        assert_eq!(Bundles::new(&bins(2, values)).widths, [2, 2]);
    }
}
