//! Which settings are tried: first what serves well unseen, then changes of what served best.

use rapport_ml::bayes::BayesOptions;
use rapport_ml::neighbours::NeighboursOptions;
use rapport_ml::tree::{BoostingOptions, ColumnsPerSplit, ForestOptions, TreeOptions};
use rapport_ml::{
    Algorithm, Kernel, KernelSvmOptions, Learner, LinearOptions, LinearSvmOptions, LogisticOptions, Random, Task,
};

/// With more rows a kernel machine takes longer than all others together.
const KERNEL_ROWS_MAX: usize = 4_000;
/// With more rows looking at the most similar ones takes too long to serve.
const NEIGHBOURS_ROWS_MAX: usize = 20_000;

/// A boosting in small steps that ends early needs no more.
pub(super) const ROUNDS_MAX: u32 = 2000;

/// What everyone would try first, the likeliest first.
pub(super) fn portfolio(task: Task, rows: usize, seed: u64) -> Vec<Learner> {
    let boosting = |change: &dyn Fn(&mut BoostingOptions)| {
        let Learner::GradientBoosting(mut options) = Algorithm::GradientBoosting.learner(seed) else { return None };
        change(&mut options);
        Some(Learner::GradientBoosting(options))
    };
    let forest = |min_leaf| {
        Some(Learner::RandomForest(ForestOptions { trees: 200, min_leaf, seed, ..ForestOptions::default() }))
    };
    let logistic = |c| Some(Learner::LogisticRegression(LogisticOptions { c, ..LogisticOptions::default() }));
    let ridge = |alpha| Some(Learner::LinearRegression(LinearOptions::Ridge { alpha }));
    let all = [
        boosting(&|_| ()),
        logistic(1.0),
        ridge(1.0),
        Some(Learner::GradientBoosting(cautious(seed))),
        boosting(&|options| (options.max_depth, options.max_leaves, options.min_child_rows) = (3, 8, 40)),
        forest(1.0),
        logistic(0.03),
        ridge(100.0),
        boosting(&|options| {
            (options.column_share, options.row_share, options.l2, options.max_depth) = (0.5, 0.7, 10.0, 4);
        }),
        forest(8.0),
        Some(Learner::KernelSvm(KernelSvmOptions { seed, ..KernelSvmOptions::default() })),
        Some(Learner::LinearRegression(LinearOptions::ElasticNet { alpha: 0.01, l1_ratio: 0.5 })),
        Some(Algorithm::LinearSvm.learner(seed)),
        Some(Algorithm::NearestNeighbours.learner(seed)),
        Some(Learner::NaiveBayes(BayesOptions::default())),
        Some(Learner::DecisionTree(TreeOptions { max_depth: 5, min_leaf: 20.0, ..TreeOptions::default() })),
    ];
    all.into_iter().flatten().filter(|learner| is_sensible(learner, task, rows)).collect()
}

fn is_sensible(learner: &Learner, task: Task, rows: usize) -> bool {
    let size = match learner {
        Learner::KernelSvm(_) => rows <= KERNEL_ROWS_MAX,
        Learner::NearestNeighbours(_) => rows <= NEIGHBOURS_ROWS_MAX,
        _ => true,
    };
    size && learner.algorithm().suits(task)
}

/// What is tried where nobody asked for a search: a weighted sum, deep trees on everything, for tables with rules to be found, and
/// shallow trees on drawn rows and columns, for tables that are mostly noise. Most tables lie between these.
pub(super) fn usual(task: Task, seed: u64) -> Vec<Learner> {
    let weighted = [Algorithm::LogisticRegression, Algorithm::LinearRegression];
    let weighted = weighted.into_iter().filter(|algorithm| algorithm.suits(task));
    weighted
        .map(|algorithm| algorithm.learner(seed))
        .chain([Algorithm::GradientBoosting.learner(seed), Learner::GradientBoosting(cautious(seed))])
        .collect()
}

/// A boosting of shallow trees, each grown on a part of the rows and columns, in small steps.
fn cautious(seed: u64) -> BoostingOptions {
    BoostingOptions {
        rounds: ROUNDS_MAX,
        learning_rate: 0.03,
        max_depth: 3,
        max_leaves: 8,
        row_share: 0.7,
        column_share: 0.5,
        l2: 5.0,
        patience: 50,
        seed,
        ..BoostingOptions::default()
    }
}

/// Something like one of the leaders (the best first), or once in a while something far from `fresh`.
pub(super) fn proposal(leaders: &[&Learner], fresh: &Learner, random: &mut Random) -> Learner {
    if leaders.is_empty() || random.uniform() < 0.2 {
        return (0..4).fold(fresh.clone(), |learner, _| change(&learner, random));
    }
    // The square prefers the front.
    let place = (random.uniform().powi(2) * leaders.len() as f64) as usize;
    let first = change(leaders[place.min(leaders.len() - 1)], random);
    if random.uniform() < 0.5 { change(&first, random) } else { first }
}

/// A number moved on the scale of its logarithm, within bounds.
fn scaled(value: f64, random: &mut Random, low: f64, high: f64) -> f64 {
    (value.max(low) * ((random.uniform() - 0.5) * 2.2).exp()).clamp(low, high)
}

fn share(random: &mut Random, low: f64) -> f64 {
    ((low + (1.0 - low) * random.uniform()) * 20.0).round() / 20.0
}

fn change(learner: &Learner, random: &mut Random) -> Learner {
    let mut learner = learner.clone();
    match &mut learner {
        Learner::GradientBoosting(options) => change_boosting(options, random),
        Learner::RandomForest(options) => change_forest(options, random),
        Learner::LogisticRegression(options) => {
            if random.uniform() < 0.25 {
                options.l1_ratio = [0.0, 0.5, 1.0][random.below(3)];
            } else {
                options.c = scaled(options.c, random, 1e-4, 1e3);
            }
        }
        Learner::LinearRegression(options) => {
            let alpha = match *options {
                LinearOptions::None => 1e-3,
                LinearOptions::Ridge { alpha } | LinearOptions::ElasticNet { alpha, .. } => alpha,
            };
            let alpha = scaled(alpha, random, 1e-5, 1e4);
            *options = match *options {
                LinearOptions::ElasticNet { .. } => LinearOptions::ElasticNet { alpha, l1_ratio: share(random, 0.05) },
                _ => LinearOptions::Ridge { alpha },
            };
        }
        Learner::LinearSvm(LinearSvmOptions { c, .. }) => *c = scaled(*c, random, 1e-4, 1e3),
        Learner::KernelSvm(options) => {
            if random.uniform() < 0.5 {
                options.c = scaled(options.c, random, 1e-2, 1e3);
            } else {
                options.kernel = Kernel::Rbf { gamma: Some(scaled(0.05, random, 1e-4, 10.0)) };
            }
        }
        Learner::DecisionTree(options) => {
            options.max_depth = 2 + random.below(10) as u32;
            options.min_leaf = scaled(options.min_leaf, random, 1.0, 200.0).round();
        }
        Learner::NearestNeighbours(NeighboursOptions { neighbours, .. }) => {
            *neighbours = scaled(*neighbours as f64, random, 1.0, 250.0).round() as usize;
        }
        Learner::OnlineLogistic(options) => options.alpha = scaled(options.alpha, random, 1e-3, 1.0),
        Learner::NaiveBayes(options) => options.smoothing = scaled(options.smoothing, random, 1e-3, 100.0),
    }
    learner
}

fn change_boosting(options: &mut BoostingOptions, random: &mut Random) {
    match random.below(8) {
        0 => options.learning_rate = scaled(options.learning_rate, random, 0.01, 0.3),
        1 => options.max_leaves = scaled(f64::from(options.max_leaves), random, 3.0, 255.0).round() as u32,
        2 => options.max_depth = 2 + random.below(9) as u32,
        3 => options.min_child_rows = scaled(f64::from(options.min_child_rows), random, 2.0, 300.0).round() as u32,
        4 => options.l2 = scaled(options.l2, random, 0.01, 100.0),
        5 => options.column_share = share(random, 0.2),
        6 => options.row_share = share(random, 0.5),
        _ => options.category_smoothing = scaled(options.category_smoothing, random, 1.0, 200.0),
    }
}

fn change_forest(options: &mut ForestOptions, random: &mut Random) {
    match random.below(3) {
        0 => options.min_leaf = scaled(options.min_leaf, random, 1.0, 50.0).round(),
        1 => options.columns = ColumnsPerSplit::Share(share(random, 0.1)),
        _ => options.max_depth = 4 + random.below(28) as u32,
    }
}

/// The settings for so many times the rows on which they were found to be best: a leaf has as large a share of them. One as small on all
/// rows as was best on the fewer ones of a fold would be finer than any that was tried.
pub(super) fn for_rows(learner: &Learner, times: f64) -> Learner {
    let mut learner = learner.clone();
    match &mut learner {
        Learner::GradientBoosting(options) => {
            options.min_child_rows = (f64::from(options.min_child_rows) * times).round() as u32;
        }
        Learner::RandomForest(options) => options.min_leaf = leaf(options.min_leaf, times),
        Learner::DecisionTree(options) => options.min_leaf = leaf(options.min_leaf, times),
        Learner::LinearRegression(_)
        | Learner::LogisticRegression(_)
        | Learner::LinearSvm(_)
        | Learner::KernelSvm(_)
        | Learner::NearestNeighbours(_)
        | Learner::NaiveBayes(_)
        | Learner::OnlineLogistic(_) => {}
    }
    learner
}

/// So many times the rows of a leaf. One of a single row is grown to the end, on however many rows.
fn leaf(rows: f64, times: f64) -> f64 {
    if rows > 1.0 { (rows * times).round() } else { rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_has_as_large_a_share_of_more_rows() {
        let forest = |min_leaf| Learner::RandomForest(ForestOptions { min_leaf, ..ForestOptions::default() });
        assert_eq!(
            [1.25, 1.6].map(|times| for_rows(&forest(1.0), times)),
            [forest(1.0), forest(1.0)],
            "grown to the end"
        );
        let tree = |min_leaf| Learner::DecisionTree(TreeOptions { min_leaf, ..TreeOptions::default() });
        assert_eq!([0.3, 20.0].map(|rows| for_rows(&tree(rows), 1.25)), [tree(0.3), tree(25.0)]);
        assert_eq!(for_rows(&forest(8.0), 2.5), forest(20.0));
        let boosting = |min_child_rows| {
            Learner::GradientBoosting(BoostingOptions { min_child_rows, ..BoostingOptions::default() })
        };
        assert_eq!(for_rows(&boosting(20), 2.6), boosting(52));
        let neighbours = Algorithm::NearestNeighbours.learner(1);
        assert_eq!(for_rows(&neighbours, 2.6), neighbours);
    }
}
