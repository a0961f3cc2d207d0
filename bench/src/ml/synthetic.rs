//! Rows that are made up by a seed, the same on every machine. Figures on them say so.

use rapport_ml::{Matrix, MlError, Random};

/// Numbers of a [`Mixed`] row.
pub(crate) const NUMBERS: [&str; 6] = ["age", "visits", "trend", "waiting", "level", "noise"];
/// How many values each category of a [`Mixed`] row has.
pub(crate) const CATEGORIES: [usize; 8] = [12, 8, 10, 7, 5, 6, 4, 2];

/// Rows of numbers with answers, the last of them to test on.
pub(crate) struct Set {
    /// To learn from.
    pub(crate) train: (Matrix, Vec<f64>),
    /// To test on.
    pub(crate) test: (Matrix, Vec<f64>),
}

impl Set {
    fn new(columns: usize, values: Vec<f64>, mut target: Vec<f64>, train: usize) -> Result<Self, MlError> {
        let mut values = standardised(columns, values);
        let test = (Matrix::from_values(columns, values.split_off(train * columns))?, target.split_off(train));
        Ok(Self { train: (Matrix::from_values(columns, values)?, target), test })
    }
}

/// Every column with mean 0 and deviation 1, unless it is only ever 0 or 1.
fn standardised(columns: usize, mut values: Vec<f64>) -> Vec<f64> {
    for column in 0..columns {
        let all = || values.iter().skip(column).step_by(columns);
        if all().all(|value| *value == 0.0 || *value == 1.0) {
            continue;
        }
        let n = all().count() as f64;
        let mean = all().sum::<f64>() / n;
        let deviation = (all().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
        values.iter_mut().skip(column).step_by(columns).for_each(|value| *value = (*value - mean) / deviation);
    }
    values
}

/// A normal number (Box and Muller 1958).
fn normal(random: &mut Random) -> f64 {
    let radius = (-2.0 * (1.0 - random.uniform()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.uniform()).cos()
}

fn exponential(random: &mut Random) -> f64 {
    -(1.0 - random.uniform()).ln()
}

/// How many events of a Poisson process with rate 1 come before `mean`.
fn poisson(mean: f64, random: &mut Random) -> f64 {
    let (mut events, mut at) = (0.0, exponential(random));
    while at < mean {
        events += 1.0;
        at += exponential(random);
    }
    events
}

/// A random matrix by rows.
fn matrix(rows: usize, columns: usize, random: &mut Random) -> Vec<Vec<f64>> {
    (0..rows).map(|_| (0..columns).map(|_| 2.0 * random.uniform() - 1.0).collect()).collect()
}

fn times(point: &[f64], matrix: &[Vec<f64>]) -> Vec<f64> {
    let columns = matrix.first().map_or(0, Vec::len);
    (0..columns).map(|column| point.iter().zip(matrix).map(|(value, row)| value * row[column]).sum()).collect()
}

/// 20 numbers: 10 from three stretched clouds for each class on corners of a cube, 4 sums of those, 6 noise; one answer in
/// twenty is drawn by lot (after Guyon: Design of experiments for the NIPS 2003 variable selection benchmark).
pub(crate) fn dense(train: usize, test: usize) -> Result<Set, MlError> {
    const INFORMATIVE: usize = 10;
    let random = &mut Random::new(20, 0);
    let corner = |random: &mut Random| -> Vec<f64> {
        (0..INFORMATIVE).map(|_| if random.below(2) == 0 { -0.8 } else { 0.8 }).collect()
    };
    let clouds: Vec<_> = (0..6).map(|_| (corner(random), matrix(INFORMATIVE, INFORMATIVE, random))).collect();
    let sums = matrix(INFORMATIVE, 4, random);
    let (mut values, mut target) = (Vec::new(), Vec::new());
    for _ in 0..train + test {
        let cloud = random.below(clouds.len());
        let (center, stretch) = &clouds[cloud];
        let point: Vec<f64> = (0..INFORMATIVE).map(|_| normal(random)).collect();
        let point: Vec<f64> = times(&point, stretch).iter().zip(center).map(|(value, center)| value + center).collect();
        values.extend(times(&point, &sums));
        values.extend(point);
        values.extend((0..6).map(|_| normal(random)));
        let answer = if random.uniform() < 0.05 { random.below(2) } else { cloud % 2 };
        target.push(answer as f64);
    }
    Set::new(20, values, target, train)
}

/// Customers with numbers and categories, and whether they buy.
pub(crate) struct Mixed {
    /// In the order of [`NUMBERS`].
    pub(crate) numbers: Vec<[f64; 6]>,
    /// Below [`CATEGORIES`].
    pub(crate) categories: Vec<[usize; 8]>,
    /// 1 and 0.
    pub(crate) target: Vec<f64>,
}

/// Effects of categories, a trend whose direction depends on a category, a wave.
pub(crate) fn mixed(rows: usize) -> Mixed {
    let random = &mut Random::new(60, 0);
    let effects = CATEGORIES.map(|count| (0..count).map(|_| normal(random)).collect::<Vec<f64>>());
    // Shares of a Dirichlet distribution with parameter 2, summed up.
    let shares = CATEGORIES.map(|count| {
        let weights: Vec<f64> = (0..count).map(|_| exponential(random) + exponential(random)).collect();
        let total: f64 = weights.iter().sum();
        let sum = |sum: &mut f64, weight: &f64| {
            *sum += weight / total;
            Some(*sum)
        };
        weights.iter().scan(0.0, sum).collect::<Vec<f64>>()
    });
    let mut mixed = Mixed { numbers: Vec::new(), categories: Vec::new(), target: Vec::new() };
    for _ in 0..rows {
        let age = 18.0 + random.below(72) as f64;
        let (visits, trend, waiting) = (poisson(3.0, random), normal(random), exponential(random));
        let numbers = [age, visits, trend, waiting, random.below(5) as f64, normal(random)];
        let categories = std::array::from_fn(|which| {
            let at = random.uniform();
            shares[which].partition_point(|share| *share < at).min(CATEGORIES[which] - 1)
        });
        let of = |which: usize| effects[which][categories[which]];
        let log_odds = 0.5 * (0..CATEGORIES.len()).map(of).sum::<f64>()
            + 0.02 * (age - 50.0)
            + 0.3 * trend * of(0)
            + 0.5 * (2.0 * waiting).sin()
            + 0.2 * visits
            - 2.2;
        mixed.target.push(f64::from(u8::from(random.uniform() < 1.0 / (1.0 + (-log_odds).exp()))));
        mixed.numbers.push(numbers);
        mixed.categories.push(categories);
    }
    mixed
}

/// [`mixed`] with a column of 0 and 1 for each category: 60 columns.
pub(crate) fn one_hot(train: usize, test: usize) -> Result<Set, MlError> {
    let mixed = mixed(train + test);
    let mut values = Vec::new();
    for (numbers, categories) in mixed.numbers.iter().zip(&mixed.categories) {
        values.extend(numbers);
        for (category, count) in categories.iter().zip(CATEGORIES) {
            values.extend((0..count).map(|code| f64::from(u8::from(code == *category))));
        }
    }
    Set::new(NUMBERS.len() + CATEGORIES.iter().sum::<usize>(), values, mixed.target, train)
}

/// 30 numbers that add up to log-odds, few rows: where a weighted sum is the truth.
pub(crate) fn additive(rows: usize) -> (Vec<[f64; 30]>, Vec<f64>) {
    let random = &mut Random::new(30, 0);
    let weights: [f64; 30] = std::array::from_fn(|_| 0.3 * normal(random));
    let of = |_| {
        let row: [f64; 30] = std::array::from_fn(|_| normal(random));
        let log_odds: f64 = row.iter().zip(&weights).map(|(value, weight)| value * weight).sum::<f64>() - 1.0;
        (row, f64::from(u8::from(random.uniform() < 1.0 / (1.0 + (-log_odds).exp()))))
    };
    (0..rows).map(of).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_their_shape_and_both_answers() {
        let dense = dense(200, 50).unwrap();
        let hot = one_hot(200, 50).unwrap();
        for (set, columns) in [(&dense, 20), (&hot, 60)] {
            assert_eq!((set.train.0.rows(), set.train.0.columns(), set.test.1.len()), (200, columns, 50));
            let positive: f64 = set.train.1.iter().sum();
            assert!(positive > 20.0 && positive < 180.0, "{positive}");
        }
        // A row is in one category of each kind.
        assert_eq!(hot.test.0.row(7)[6..].iter().sum::<f64>(), 8.0);
        let mean = dense.train.0.column(3).chain(dense.test.0.column(3)).sum::<f64>() / 250.0;
        assert!(mean.abs() < 1e-12, "{mean}");
        assert_eq!(additive(10), additive(10));
    }
}
