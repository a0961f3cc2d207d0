//! Sequential minimal optimisation for the dual of a support vector machine, with the second-order choice of the pair to
//! move (Fan, Chen, Lin 2005: Working set selection using second order information for training support vector machines).
//! Kernel rows are kept in a cache of bounded size, the least recently used ones are dropped. There is no shrinking.

use super::kernel::{Kernel, Lanes};
use crate::{Context, MlError};

/// A curvature below this counts as this.
const FLAT: f64 = 1e-12;
/// How many steps pass between two looks whether the caller wants an end.
const LOOK: usize = 1024;

/// `min ½ αᵀQα - Σα` with `0 ≤ α ≤ bound` and `Σ yα = 0`, where `Q = y yᵀ ∘ K`.
pub(super) struct Dual<'a> {
    pub(super) lanes: &'a Lanes,
    pub(super) kernel: Kernel,
    /// -1 or 1.
    pub(super) answers: &'a [f64],
    /// The largest α of each row.
    pub(super) bounds: &'a [f64],
    pub(super) tolerance: f64,
    pub(super) cache_bytes: usize,
    pub(super) steps: usize,
}

/// `α·y` of each row, and what is added to the sum of kernels.
pub(super) struct Solution {
    pub(super) coefficients: Vec<f64>,
    pub(super) shift: f64,
}

/// Kernel rows by number, and when each was last asked for.
struct Cache {
    lines: Vec<Option<Box<[f32]>>>,
    used: Vec<u64>,
    held: Vec<usize>,
    limit: usize,
    now: u64,
}

impl Cache {
    fn take(&mut self, dual: &Dual, row: usize) -> Box<[f32]> {
        self.now += 1;
        self.used[row] = self.now;
        if let Some(line) = self.lines[row].take() {
            return line;
        }
        if self.held.len() >= self.limit
            && let Some(place) = (0..self.held.len()).min_by_key(|place| self.used[self.held[*place]])
        {
            self.lines[self.held.swap_remove(place)] = None;
        }
        self.held.push(row);
        dual.lanes.line(dual.kernel, row)
    }

    fn give_back(&mut self, row: usize, line: Box<[f32]>) {
        self.lines[row] = Some(line);
    }
}

impl Dual<'_> {
    pub(super) fn solve(&self, context: &Context) -> Result<Solution, MlError> {
        let rows = self.answers.len();
        let limit = (self.cache_bytes / (4 * rows.max(1))).max(2);
        let mut cache = Cache { lines: vec![None; rows], used: vec![0; rows], held: Vec::new(), limit, now: 0 };
        let own: Vec<f64> = (0..rows).map(|row| f64::from(self.lanes.own(self.kernel, row))).collect();
        let mut alpha = vec![0.0; rows];
        // Minus y times the dual's gradient: the pair is chosen by it.
        let mut pull: Vec<f64> = self.answers.to_vec();
        for step in 0..self.steps {
            if step % LOOK == 0 {
                context.go_on()?;
            }
            let Some(first) = self.first(&alpha, &pull) else { break };
            let line = cache.take(self, first);
            let Some(second) = self.second(&alpha, &pull, first, &line, &own) else {
                break;
            };
            let other = cache.take(self, second);
            let curvature = (own[first] + own[second] - 2.0 * f64::from(line[second])).max(FLAT);
            let room_first = if self.answers[first] > 0.0 { self.bounds[first] - alpha[first] } else { alpha[first] };
            let room_second =
                if self.answers[second] > 0.0 { alpha[second] } else { self.bounds[second] - alpha[second] };
            let by = ((pull[first] - pull[second]) / curvature).min(room_first).min(room_second);
            alpha[first] = settle(alpha[first] + self.answers[first] * by, self.bounds[first]);
            alpha[second] = settle(alpha[second] - self.answers[second] * by, self.bounds[second]);
            for (pull, (a, b)) in pull.iter_mut().zip(line.iter().zip(&other)) {
                *pull -= by * f64::from(a - b);
            }
            cache.give_back(first, line);
            cache.give_back(second, other);
        }
        let shift = self.shift(&alpha, &pull);
        Ok(Solution { coefficients: alpha.iter().zip(self.answers).map(|(a, y)| a * y).collect(), shift })
    }

    /// Whether y·α of a row can grow.
    fn can_grow(&self, alpha: &[f64], row: usize) -> bool {
        if self.answers[row] > 0.0 { alpha[row] < self.bounds[row] } else { alpha[row] > 0.0 }
    }

    /// Whether y·α of a row can fall.
    fn can_fall(&self, alpha: &[f64], row: usize) -> bool {
        if self.answers[row] > 0.0 { alpha[row] > 0.0 } else { alpha[row] < self.bounds[row] }
    }

    fn first(&self, alpha: &[f64], pull: &[f64]) -> Option<usize> {
        let mut best = None;
        for row in 0..pull.len() {
            if self.can_grow(alpha, row) && best.is_none_or(|best: usize| pull[row] > pull[best]) {
                best = Some(row);
            }
        }
        best
    }

    /// The partner with which the objective falls most; none if no pair violates the optimum by the tolerance.
    fn second(&self, alpha: &[f64], pull: &[f64], first: usize, line: &[f32], own: &[f64]) -> Option<usize> {
        let (mut best, mut gain, mut least) = (None, 0.0, f64::INFINITY);
        for row in 0..pull.len() {
            if !self.can_fall(alpha, row) {
                continue;
            }
            least = least.min(pull[row]);
            let apart = pull[first] - pull[row];
            if apart > 0.0 {
                let curvature = (own[first] + own[row] - 2.0 * f64::from(line[row])).max(FLAT);
                let promised = apart * apart / curvature;
                if promised > gain {
                    (best, gain) = (Some(row), promised);
                }
            }
        }
        if pull[first] - least > self.tolerance { best } else { None }
    }

    /// The mean pull of the rows within their bounds, or the middle of what the others allow.
    fn shift(&self, alpha: &[f64], pull: &[f64]) -> f64 {
        let free: Vec<usize> =
            (0..pull.len()).filter(|row| alpha[*row] > 0.0 && alpha[*row] < self.bounds[*row]).collect();
        if !free.is_empty() {
            return free.iter().map(|row| pull[*row]).sum::<f64>() / free.len() as f64;
        }
        let rows = || 0..pull.len();
        let high =
            rows().filter(|row| self.can_grow(alpha, *row)).map(|row| pull[row]).fold(f64::NEG_INFINITY, f64::max);
        let low = rows().filter(|row| self.can_fall(alpha, *row)).map(|row| pull[row]).fold(f64::INFINITY, f64::min);
        0.5 * (high + low)
    }
}

/// Keeps an α within its bounds, exactly on one where rounding is all that parts them.
fn settle(alpha: f64, bound: f64) -> f64 {
    if alpha <= 1e-14 * bound {
        0.0
    } else if alpha >= bound * (1.0 - 1e-14) {
        bound
    } else {
        alpha
    }
}
