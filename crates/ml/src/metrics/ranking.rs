//! Evaluation of orders within groups.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Answers, Order, figures};
use crate::MlError;

/// How good the orders of groups are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankingEvaluation {
    /// Rows.
    pub rows: usize,
    /// Groups with at least one relevant row; others have no good or bad order and are left out of the means.
    pub groups: usize,
    /// How many places at the top count for `ndcg`.
    pub k: usize,
    /// Figures by name: `ndcg` at k, `map` (mean average precision; a grade above 0 is relevant).
    pub figures: BTreeMap<String, f64>,
}

impl RankingEvaluation {
    /// Compares scores with grades; rows of a group stand together. Weights are of no use here and are not looked at.
    pub fn of(answers: &Answers<'_>, groups: &[u32], k: usize) -> Result<Self, MlError> {
        answers.check(1)?;
        if groups.len() != answers.actual.len() || k == 0 {
            return Err(MlError::Shape("every row needs a group, and k must be at least 1".to_owned()));
        }
        if answers.actual.iter().any(|grade| !(grade.is_finite() && *grade >= 0.0)) {
            return Err(MlError::Shape("grades of relevance must be numbers from 0".to_owned()));
        }
        let (mut gains, mut precisions, mut counted, mut begin) = (0.0, 0.0, 0_usize, 0);
        for run in groups.chunk_by(|a, b| a == b) {
            let end = begin + run.len();
            let (scores, grades) = (&answers.predicted[begin..end], &answers.actual[begin..end]);
            begin = end;
            if grades.iter().any(|grade| *grade > 0.0) {
                gains += ndcg(scores, grades, k);
                precisions += average_precision_at_group(scores, grades);
                counted += 1;
            }
        }
        let figures = figures([("ndcg", gains / counted as f64), ("map", precisions / counted as f64)]);
        Ok(Self { rows: answers.actual.len(), groups: counted, k, figures })
    }
}

/// Normalised discounted cumulative gain of the first `k` (Järvelin and Kekäläinen 2002): the gain of a row is 2^grade - 1,
/// the discount at place i from 1 is 1 / log2(i + 1). Rows of equal scores get the mean gain of their run. NaN if no row is
/// relevant.
pub fn ndcg(scores: &[f64], grades: &[f64], k: usize) -> f64 {
    let discount = |place: usize| if place < k { 1.0 / (place as f64 + 2.0).log2() } else { 0.0 };
    let gain = |row: &usize| grades[*row].exp2() - 1.0;
    let order = Order::new(scores);
    let runs: Vec<&[usize]> = order.runs_from_low().collect();
    let (mut place, mut sum) = (0, 0.0);
    for run in runs.iter().rev() {
        let mean = run.iter().map(gain).sum::<f64>() / run.len() as f64;
        sum += mean * (place..place + run.len()).map(discount).sum::<f64>();
        place += run.len();
    }
    let ideal: f64 =
        Order::new(grades).places().iter().take(k).enumerate().map(|(at, row)| gain(row) * discount(at)).sum();
    if ideal > 0.0 { sum / ideal } else { f64::NAN }
}

/// Average precision of one group, rows of grade above 0 being relevant; NaN without any.
pub fn average_precision_at_group(scores: &[f64], grades: &[f64]) -> f64 {
    let relevant: Vec<f64> = grades.iter().map(|grade| f64::from(u8::from(*grade > 0.0))).collect();
    Order::new(scores).sweep(&relevant, None).average_precision()
}
