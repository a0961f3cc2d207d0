//! Which rows to learn from and which to test on: at random, by class, by customer, by time; once or in folds.
//!
//! Everything is told by places (row numbers), in ascending order. The same seed gives the same split. Each row is in at most
//! one of the two parts; only splits by time leave rows out (those in the gap, and for folds the rows that come later).

use std::collections::BTreeMap;

use crate::{MlError, Random};

/// What a split must respect. The slices have an entry for each row.
#[derive(Debug, Clone, Copy)]
pub enum SplitBy<'a> {
    /// Nothing: rows at random.
    Plain,
    /// The shares of classes: each part has about the same share of each.
    Stratified(&'a [f64]),
    /// Rows of one group (customer) are all on one side.
    Groups(&'a [u32]),
    /// The future is the test; nothing that the training rows know may come from it.
    Time {
        /// When a row was, in any unit.
        at: &'a [i64],
        /// An embargo in that unit: training rows end this much before the test begins. It should be at least the
        /// time that a label looks ahead, so that no training label is made of what happens in the test.
        gap: i64,
    },
}

/// Places of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// To learn from.
    pub train: Vec<usize>,
    /// To test on.
    pub test: Vec<usize>,
}

impl Split {
    fn of(in_test: &[bool]) -> Self {
        let (test, train) = (0..in_test.len()).partition(|place| in_test[*place]);
        Self { train, test }
    }

    fn usable(self, advice: &str) -> Result<Self, MlError> {
        if !self.train.is_empty() && !self.test.is_empty() {
            return Ok(self);
        }
        let (train, test) = (self.train.len(), self.test.len());
        Err(MlError::Shape(format!("the split leaves {train} rows to learn from and {test} to test on; {advice}")))
    }
}

/// Holds about `share` of the rows out for a test.
pub fn hold_out(rows: usize, by: SplitBy<'_>, share: f64, seed: u64) -> Result<Split, MlError> {
    if !(share > 0.0 && share < 1.0) {
        return Err(MlError::Shape(format!(
            "the share of the test is {share}; it must be between 0 and 1, such as 0.2"
        )));
    }
    by.check(rows)?;
    let split = match by {
        SplitBy::Plain => stratified(&vec![0.0; rows], share, seed),
        SplitBy::Stratified(classes) => stratified(classes, share, seed),
        SplitBy::Groups(groups) => held_out_groups(groups, share, seed),
        SplitBy::Time { at, gap } => {
            let mut times = at.to_vec();
            times.sort_unstable();
            let begin = times[rows.saturating_sub((rows as f64 * share).round() as usize).min(rows - 1)];
            since(at, gap, begin, None)
        }
    };
    split.usable(by.advice())
}

/// `folds` splits. Except by time, each row is in the test of exactly one of them. By time, the newer half of the rows is cut into
/// `folds` blocks; each fold tests on one and learns from everything before it (forward chaining). No fold has less than half of the
/// history, but for the gap; they are fewer where many rows are of one moment: what does well after a short one says little of what does well after a long one.
pub fn cross_validation(rows: usize, by: SplitBy<'_>, folds: usize, seed: u64) -> Result<Vec<Split>, MlError> {
    if folds < 2 {
        return Err(MlError::Shape(format!("{folds} folds are no cross-validation; take at least 2")));
    }
    by.check(rows)?;
    if rows < folds {
        return Err(MlError::Shape(format!("{rows} rows do not fill {folds} folds; take fewer folds or more rows")));
    }
    let fold_of = match by {
        SplitBy::Plain => dealt(&vec![0.0; rows], folds, seed),
        SplitBy::Stratified(classes) => {
            let (class, least) = rarest(classes);
            if least < folds {
                let told = format!("class {class} has {least} rows, which do not fill {folds} folds");
                return Err(MlError::Shape(format!("{told}; take fewer folds or join it with another class")));
            }
            dealt(classes, folds, seed)
        }
        SplitBy::Groups(groups) => grouped(groups, folds, seed)?,
        SplitBy::Time { at, gap } => return forward(at, gap, folds),
    };
    let split = |fold: usize| Split::of(&fold_of.iter().map(|own| *own == fold).collect::<Vec<_>>());
    (0..folds).map(|fold| split(fold).usable(by.advice())).collect()
}

impl SplitBy<'_> {
    fn check(&self, rows: usize) -> Result<(), MlError> {
        let entries = match self {
            Self::Plain => rows,
            Self::Stratified(classes) => classes.len(),
            Self::Groups(groups) => groups.len(),
            Self::Time { at, .. } => at.len(),
        };
        if entries != rows {
            return Err(MlError::Shape(format!("{rows} rows, but {entries} entries to split them by")));
        }
        if rows < 2 {
            return Err(MlError::Shape(format!("{rows} rows cannot be split; at least 2 are needed")));
        }
        if let Self::Time { gap, .. } = self
            && *gap < 0
        {
            return Err(MlError::Shape(format!("the gap is {gap}; it must not be negative")));
        }
        Ok(())
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Plain | Self::Stratified(_) => "take more rows, or another share",
            Self::Groups(_) => "take rows of more customers, or another share",
            Self::Time { .. } => "take rows over a longer time, a shorter gap, or another share",
        }
    }
}

/// About `share` of each class, at random, for the test.
pub(crate) fn stratified(classes: &[f64], share: f64, seed: u64) -> Split {
    let mut random = Random::new(seed, 0);
    let mut in_test = vec![false; classes.len()];
    for places in by_class(classes) {
        let mut drawn: Vec<(u64, usize)> = places.into_iter().map(|place| (random.next_u64(), place)).collect();
        drawn.sort_unstable();
        let taken = (drawn.len() as f64 * share).round() as usize;
        drawn[..taken].iter().for_each(|(_, place)| in_test[*place] = true);
    }
    Split::of(&in_test)
}

/// The places of each class, from the lowest class to the highest.
fn by_class(classes: &[f64]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..classes.len()).collect();
    order.sort_by(|a, b| classes[*a].total_cmp(&classes[*b]));
    order.chunk_by(|a, b| classes[*a].total_cmp(&classes[*b]).is_eq()).map(<[usize]>::to_vec).collect()
}

fn rarest(classes: &[f64]) -> (f64, usize) {
    let sizes = by_class(classes).into_iter().map(|places| (classes[places[0]], places.len()));
    sizes.min_by_key(|(_, size)| *size).unwrap_or((0.0, 0))
}

/// Deals the shuffled rows of each class around, each class going on where the last one stopped, so that folds differ by
/// at most one row in size and in each class.
fn dealt(classes: &[f64], folds: usize, seed: u64) -> Vec<usize> {
    let mut random = Random::new(seed, 0);
    let mut fold_of = vec![0; classes.len()];
    let mut next = 0;
    for mut places in by_class(classes) {
        random.shuffle(&mut places);
        for place in places {
            fold_of[place] = next;
            next = (next + 1) % folds;
        }
    }
    fold_of
}

/// Groups in random order, with their rows.
fn shuffled_groups(groups: &[u32], seed: u64) -> Vec<Vec<usize>> {
    let mut rows_of: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (place, group) in groups.iter().enumerate() {
        rows_of.entry(*group).or_default().push(place);
    }
    let mut shuffled: Vec<Vec<usize>> = rows_of.into_values().collect();
    Random::new(seed, 0).shuffle(&mut shuffled);
    shuffled
}

/// Takes groups into the test as long as that brings its size nearer to the wanted one.
fn held_out_groups(groups: &[u32], share: f64, seed: u64) -> Split {
    let wanted = groups.len() as f64 * share;
    let mut in_test = vec![false; groups.len()];
    let mut held = 0.0;
    for places in shuffled_groups(groups, seed) {
        let with = held + places.len() as f64;
        if (with - wanted).abs() < (held - wanted).abs() {
            places.iter().for_each(|place| in_test[*place] = true);
            held = with;
        }
    }
    Split::of(&in_test)
}

/// The largest group first, each to the fold that has the fewest rows.
fn grouped(groups: &[u32], folds: usize, seed: u64) -> Result<Vec<usize>, MlError> {
    let mut all = shuffled_groups(groups, seed);
    if all.len() < folds {
        let told = format!("{} customers do not fill {folds} folds", all.len());
        return Err(MlError::Shape(format!("{told}; take fewer folds or rows of more customers")));
    }
    all.sort_by_key(|places| std::cmp::Reverse(places.len()));
    let mut sizes = vec![0; folds];
    let mut fold_of = vec![0; groups.len()];
    for places in all {
        let fold = (0..folds).min_by_key(|fold| sizes[*fold]).unwrap_or(0);
        sizes[fold] += places.len();
        places.iter().for_each(|place| fold_of[*place] = fold);
    }
    Ok(fold_of)
}

/// Tests on rows from `begin` until before `end`, learns from those that end the gap before.
fn since(at: &[i64], gap: i64, begin: i64, end: Option<i64>) -> Split {
    // Strictly before: a label that looks exactly the gap ahead still reaches the first moment of the test.
    let known = |time: i64| time.saturating_add(gap) < begin;
    let train = (0..at.len()).filter(|place| known(at[*place])).collect();
    let test = (0..at.len()).filter(|place| at[*place] >= begin && end.is_none_or(|end| at[*place] < end)).collect();
    Split { train, test }
}

fn forward(at: &[i64], gap: i64, folds: usize) -> Result<Vec<Split>, MlError> {
    let mut times = at.to_vec();
    times.sort_unstable();
    let border = |block: usize| times.get(times.len() * (folds + block) / (2 * folds)).copied();
    let mut begins: Vec<i64> = (0..folds).filter_map(border).collect();
    // Blocks within one moment are one.
    begins.dedup();
    let folds = begins.len();
    let split = |fold: usize| {
        let split = since(at, gap, begins[fold], begins.get(fold + 1).copied());
        split.usable("take fewer folds, a shorter gap, or rows over a longer time")
    };
    let splits = (0..folds).map(split).collect::<Result<Vec<Split>, MlError>>()?;
    match splits.len() {
        0 | 1 => {
            Err(MlError::Shape("the newer half of the rows is of one moment; take rows over a longer time".to_owned()))
        }
        _ => Ok(splits),
    }
}
