//! A threshold that sweeps over scores from high to low: what ROC, precision-recall and all figures by rank come from.
//!
//! Rows of equal scores pass the threshold together, so ties never depend on the order of the rows.

use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

/// A curve is drawn from at most this many points.
const POINTS: usize = 200;
/// A point nearer than this to the line between its neighbours changes nothing that can be seen.
const VISIBLE: f64 = 1e-4;

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// False positive rate (ROC) or recall (precision-recall).
    pub x: f64,
    /// True positive rate (ROC) or precision (precision-recall).
    pub y: f64,
    /// Rows whose score is at least this are called positive; none where no row is.
    pub threshold: Option<f64>,
}

/// Rows from the highest score to the lowest, equal scores together; made once for many weightings (the bootstrap).
#[derive(Debug, Clone)]
pub struct Order {
    places: Vec<usize>,
    /// The end of each run of equal scores in `places`, and the score.
    runs: Vec<(usize, f64)>,
}

impl Order {
    /// Orders scores; NaN is lowest.
    pub fn new(scores: &[f64]) -> Self {
        let key = |place: &usize| if scores[*place].is_nan() { f64::NEG_INFINITY } else { scores[*place] };
        let mut places: Vec<usize> = (0..scores.len()).collect();
        places.sort_by(|a, b| key(b).total_cmp(&key(a)));
        let mut runs: Vec<(usize, f64)> = Vec::new();
        for (at, place) in places.iter().enumerate() {
            match runs.last_mut() {
                Some((end, score)) if *score == key(place) => *end = at + 1,
                _ => runs.push((at + 1, key(place))),
            }
        }
        Self { places, runs }
    }

    /// Runs of rows with equal scores, from the lowest score to the highest.
    pub(super) fn runs_from_low(&self) -> impl Iterator<Item = &[usize]> {
        let begins = std::iter::once(0).chain(self.runs.iter().map(|(end, _)| *end));
        let runs: Vec<&[usize]> = begins.zip(&self.runs).map(|(begin, (end, _))| &self.places[begin..*end]).collect();
        runs.into_iter().rev()
    }

    /// The rows from the highest score to the lowest.
    pub(super) fn places(&self) -> &[usize] {
        &self.places
    }

    /// The sweep over rows whose `actual` is 1 where positive.
    pub fn sweep(&self, actual: &[f64], weights: Option<&[f64]>) -> Sweep {
        let mut steps = Vec::with_capacity(self.runs.len());
        let (mut positive, mut negative, mut begin) = (0.0, 0.0, 0);
        for (end, threshold) in &self.runs {
            let before = (positive, negative);
            for place in &self.places[begin..*end] {
                let weight = weights.map_or(1.0, |weights| weights[*place]);
                if actual[*place] == 1.0 {
                    positive += weight;
                } else {
                    negative += weight;
                }
            }
            begin = *end;
            if before != (positive, negative) {
                steps.push(Step { threshold: *threshold, positive, negative });
            }
        }
        Sweep { steps, positive, negative }
    }
}

#[derive(Debug, Clone, Copy)]
struct Step {
    threshold: f64,
    /// The weight of positive rows at or above the threshold.
    positive: f64,
    negative: f64,
}

/// The weights that have passed the threshold at each distinct score.
#[derive(Debug, Clone)]
pub struct Sweep {
    steps: Vec<Step>,
    positive: f64,
    negative: f64,
}

impl Sweep {
    /// The sweep over rows that count alike.
    pub fn of(scores: &[f64], actual: &[f64]) -> Self {
        Order::new(scores).sweep(actual, None)
    }

    /// The area under the ROC curve by trapezoids, a tie counting half; NaN if all labels are equal.
    pub fn auc(&self) -> f64 {
        let (mut area, mut positive, mut negative) = (0.0, 0.0, 0.0);
        for step in &self.steps {
            area += (step.negative - negative) * f64::midpoint(positive, step.positive);
            (positive, negative) = (step.positive, step.negative);
        }
        area / (self.positive * self.negative)
    }

    /// Average precision: precision at each threshold, weighted by the recall gained there, without interpolation (as
    /// scikit-learn defines it). NaN without positives.
    pub fn average_precision(&self) -> f64 {
        if self.positive <= 0.0 {
            return f64::NAN;
        }
        let (mut sum, mut before) = (0.0, 0.0);
        for step in &self.steps {
            sum += (step.positive - before) / self.positive * (step.positive / (step.positive + step.negative));
            before = step.positive;
        }
        sum
    }

    /// The greatest distance between the cumulative distributions of the scores of positives and negatives
    /// (Kolmogorov-Smirnov); NaN if all labels are equal.
    pub fn ks(&self) -> f64 {
        if self.positive <= 0.0 || self.negative <= 0.0 {
            return f64::NAN;
        }
        let apart = |step: &Step| (step.positive / self.positive - step.negative / self.negative).abs();
        self.steps.iter().map(apart).fold(0.0, f64::max)
    }

    /// The ROC curve from (0, 0) to (1, 1), thinned; empty if all labels are equal.
    pub fn roc(&self) -> Vec<CurvePoint> {
        if self.positive <= 0.0 || self.negative <= 0.0 {
            return Vec::new();
        }
        let point = |step: &Step| CurvePoint {
            x: step.negative / self.negative,
            y: step.positive / self.positive,
            threshold: Some(step.threshold),
        };
        let origin = CurvePoint { x: 0.0, y: 0.0, threshold: None };
        thinned(&std::iter::once(origin).chain(self.steps.iter().map(point)).collect::<Vec<_>>())
    }

    /// The precision-recall curve from the highest threshold to full recall, thinned; empty without positives. Points
    /// past full recall only lose precision and are left out.
    pub fn precision_recall(&self) -> Vec<CurvePoint> {
        if self.positive <= 0.0 {
            return Vec::new();
        }
        let full = self.steps.iter().position(|step| step.positive >= self.positive).unwrap_or(0);
        let point = |step: &Step| CurvePoint {
            x: step.positive / self.positive,
            y: step.positive / (step.positive + step.negative),
            threshold: Some(step.threshold),
        };
        thinned(&self.steps[..=full].iter().map(point).collect::<Vec<_>>())
    }
}

/// A stretch between two kept points and the point in it that is farthest from the straight line.
#[derive(PartialEq)]
struct Stretch {
    distance: f64,
    begin: usize,
    end: usize,
    farthest: usize,
}

impl Eq for Stretch {}

impl Ord for Stretch {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.distance.total_cmp(&other.distance).then(other.begin.cmp(&self.begin))
    }
}

impl PartialOrd for Stretch {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Keeps the points that shape the curve: the farthest from the line drawn so far comes next (Douglas and Peucker 1973,
/// worst stretch first) until the line is as good as the curve or the number of points is reached.
fn thinned(points: &[CurvePoint]) -> Vec<CurvePoint> {
    if points.len() <= 2 {
        return points.to_vec();
    }
    let mut kept = vec![0, points.len() - 1];
    let mut waiting = BinaryHeap::from([stretch(points, 0, points.len() - 1)]);
    while kept.len() < POINTS
        && let Some(worst) = waiting.pop()
        && worst.distance > VISIBLE
    {
        kept.push(worst.farthest);
        waiting.push(stretch(points, worst.begin, worst.farthest));
        waiting.push(stretch(points, worst.farthest, worst.end));
    }
    kept.sort_unstable();
    kept.into_iter().map(|place| points[place]).collect()
}

fn stretch(points: &[CurvePoint], begin: usize, end: usize) -> Stretch {
    let (from, to) = (points[begin], points[end]);
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx.hypot(dy);
    let mut worst = Stretch { distance: 0.0, begin, end, farthest: begin };
    for (at, point) in points.iter().enumerate().take(end).skip(begin + 1) {
        let (px, py) = (point.x - from.x, point.y - from.y);
        let distance = if length > 0.0 { (dx * py - dy * px).abs() / length } else { px.hypot(py) };
        if distance > worst.distance {
            worst = Stretch { distance, farthest: at, ..worst };
        }
    }
    worst
}
