//! Whether a new model is better than the one in service, by more than chance: both predict the newest labelled moments,
//! which neither has learnt from. Pure.
//!
//! The new model itself has learnt from everything, so its like is fitted on the older moments alone. The champion's
//! labels may reach a little into the newest moments; that errs on the side of what is in service.

use rapport_learn::TrainingSet;
use rapport_ml::{
    Context, MlError,
    metrics::{BootstrapOptions, Interval, bootstrap},
};
use rapport_types::{Duration, Timestamp};

/// The share of the moments, the newest, on which models are compared.
const NEWEST_SHARE: f64 = 0.2;
/// Fewer moments decide nothing.
const LEAST: usize = 50;
/// Enough samples for the ends of a 95 % interval.
const REPLICATES: usize = 400;
/// Probabilities are kept this far from 0 and 1.
const CLIP: f64 = 1e-15;

/// Moments to learn from, and the places of those to compare on.
#[derive(Debug, PartialEq)]
pub(super) struct Parts {
    pub(super) older: TrainingSet,
    pub(super) newest: Vec<usize>,
}

/// Splits by time: the newest fifth, but nothing up to `learnt_until`, is to compare on. What is learnt from has its
/// outcome before that begins. None if too few moments are new.
pub(super) fn parts(set: &TrainingSet, within: Duration, learnt_until: Option<Timestamp>) -> Option<Parts> {
    let cut = (set.at.len() as f64 * (1.0 - NEWEST_SHARE)) as usize;
    let begin = (*set.at.get(cut)?).max(learnt_until.map_or(Timestamp::MIN, |until| until.plus(Duration(1))));
    let places = |wanted: &dyn Fn(Timestamp) -> bool| -> Vec<usize> {
        (0..set.at.len()).filter(|place| wanted(set.at[*place])).collect()
    };
    let older = places(&|at| at.plus(within) <= begin);
    let newest = places(&|at| at >= begin);
    (older.len() >= LEAST && newest.len() >= LEAST).then(|| Parts { older: subset(set, &older), newest })
}

fn subset(set: &TrainingSet, places: &[usize]) -> TrainingSet {
    TrainingSet {
        names: set.names.clone(),
        rows: set.rows.select(places),
        at: places.iter().map(|place| set.at[*place]).collect(),
        known: places.iter().map(|place| set.known[*place]).collect(),
        served: places.iter().map(|place| set.served[*place]).collect(),
        labels: places.iter().map(|place| set.labels[*place]).collect(),
        customers: places.iter().map(|place| set.customers[*place]).collect(),
        open: set.open,
        unanswered: set.unanswered,
    }
}

/// The champion's log-loss less the challenger's over the moments at `places`, with its 95 % interval by resampling
/// customers: above 0 the challenger is better.
pub(super) fn gain(
    set: &TrainingSet,
    places: &[usize],
    champion: &[f64],
    challenger: &[f64],
) -> Result<Interval, MlError> {
    let loss = |place: usize, probability: f64| {
        let of_label = if set.labels[place] { probability } else { 1.0 - probability };
        -of_label.clamp(CLIP, 1.0).ln()
    };
    let gains: Vec<f64> = places
        .iter()
        .zip(champion.iter().zip(challenger))
        .map(|(place, (champion, challenger))| loss(*place, *champion) - loss(*place, *challenger))
        .collect();
    let customers: Vec<u32> = places.iter().map(|place| set.customers[*place]).collect();
    let mean = |weights: &[f64]| {
        let sum: f64 = weights.iter().zip(&gains).map(|(weight, gain)| weight * gain).sum();
        sum / weights.iter().sum::<f64>()
    };
    let options = BootstrapOptions { replicates: REPLICATES, ..BootstrapOptions::default() };
    bootstrap(gains.len(), None, Some(&customers), &options, mean, &Context::serial())
}

#[cfg(test)]
mod tests {
    use rapport_ml::Matrix;

    use super::*;

    /// One moment an hour; every third is positive; ten customers take turns.
    fn moments(count: usize) -> TrainingSet {
        let mut rows = Matrix::new(1);
        (0..count).for_each(|n| rows.push(&[n as f64]).unwrap());
        TrainingSet {
            names: vec!["n".to_owned()],
            rows,
            at: (0..count).map(|n| Timestamp(n as i64)).collect(),
            known: (0..count).map(|n| Timestamp(n as i64 + 1)).collect(),
            served: vec![rapport_learn::Served::default(); count],
            labels: (0..count).map(|n| n % 3 == 0).collect(),
            customers: (0..count).map(|n| (n % 10) as u32).collect(),
            open: 0,
            unanswered: 0,
        }
    }

    #[test]
    fn the_newest_moments_are_known_to_neither() {
        let set = moments(1_000);
        let found = parts(&set, Duration(30), None).unwrap();
        assert_eq!((found.newest[0], found.newest.len()), (800, 200));
        assert_eq!((found.older.at.last(), found.older.labels.len()), (Some(&Timestamp(770)), 771));
        assert_eq!(found.older.rows.row(770), [770.0]);
        let found = parts(&set, Duration(30), Some(Timestamp(900))).unwrap();
        assert_eq!((found.newest[0], found.older.at.last()), (901, Some(&Timestamp(871))));
        assert_eq!(parts(&set, Duration(30), Some(Timestamp(970))), None, "29 new moments decide nothing");
        assert_eq!(parts(&set, Duration(780), None), None, "what is learnt from must be over");
        assert_eq!(parts(&moments(0), Duration(1), None), None);
    }

    #[test]
    fn a_gain_is_better_only_beyond_chance() {
        let set = moments(900);
        let places: Vec<usize> = (300..900).collect();
        let says = |positive: f64, negative: f64| -> Vec<f64> {
            places.iter().map(|place| if set.labels[*place] { positive } else { negative }).collect()
        };
        let (vague, sharp) = (says(0.4, 0.3), says(0.8, 0.1));
        let better = gain(&set, &places, &vague, &sharp).unwrap();
        assert!(better.low > 0.39 && better.high < 0.4, "{better:?}");
        let worse = gain(&set, &places, &sharp, &vague).unwrap();
        assert!(worse.high < 0.0 && (worse.estimate + better.estimate).abs() < 1e-12, "{worse:?}");
        let same = gain(&set, &places, &sharp, &sharp).unwrap();
        assert_eq!((same.low, same.high), (0.0, 0.0));
        // Right for half of the customers by as much as it is wrong for the others: the rows are many, the customers few.
        let mixed: Vec<f64> =
            places.iter().map(|place| if (place % 10 < 5) == set.labels[*place] { 0.6 } else { 0.4 }).collect();
        let open = gain(&set, &places, &vec![0.5; places.len()], &mixed).unwrap();
        assert!(open.low < 0.0 && open.high > 0.0, "{open:?}");
    }

    #[test]
    fn a_model_that_is_sure_and_wrong_loses_a_finite_amount() {
        let set = moments(60);
        let places: Vec<usize> = (0..60).collect();
        let wrong: Vec<f64> = set.labels.iter().map(|label| if *label { 0.0 } else { 1.0 }).collect();
        let found = gain(&set, &places, &vec![0.5; 60], &wrong).unwrap();
        assert!(found.estimate < -30.0 && found.low.is_finite(), "{found:?}");
    }
}
