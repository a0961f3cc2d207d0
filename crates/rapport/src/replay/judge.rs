//! Judges what was pushed: the score that an order's own event brought, against what the customer did in the 30 days after.
//!
//! Only orders of known customers count, only after the model went into service, and only those whose 30 days end within
//! the data. An outcome is the same customer's next order in the order of the traffic, so that an order is never judged
//! by what was known when its score was pushed. The same moments are ranked by recency alone for comparison: the fewer days
//! since the order before, the higher; first orders lowest.
//!
//! This is not the evaluation of the training: it knows nothing of it and computes its AUC by itself.

use std::collections::HashMap;

use rapport_types::{DAY_MS, Timestamp};

/// How soon the next order must come.
pub(super) const WITHIN_DAYS: i64 = 30;

#[derive(Debug)]
struct Order {
    customer: Box<str>,
    id: Box<str>,
    at: Timestamp,
}

/// Orders and the scores that were pushed for them.
#[derive(Debug, Default)]
pub(super) struct Judge {
    orders: Vec<Order>,
    /// The version in service and how many orders came before it.
    service: Option<(u32, usize)>,
    /// For each order since then, its score once it was pushed.
    scores: HashMap<Box<str>, Option<f64>>,
    /// The newest pushed score of each customer, with the version of the model: what a model says when it comes into service may be
    /// pushed before the answer that it did is here.
    newest: HashMap<Box<str>, (u32, f64)>,
}

/// The judgement.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Verdict {
    /// Orders that were judged.
    pub(super) judged: u64,
    /// Of these, how many were followed by another.
    pub(super) came_back: u64,
    /// Orders that would have been judged but for which no score was pushed.
    pub(super) without_score: u64,
    /// None without positives or without negatives.
    pub(super) live_auc: Option<f64>,
    pub(super) recency_auc: Option<f64>,
}

impl Judge {
    /// An order is about to be sent.
    pub(super) fn order(&mut self, customer: &str, id: &str, at: Timestamp) {
        self.orders.push(Order { customer: customer.into(), id: id.into(), at });
        if self.service.is_some() {
            self.scores.insert(id.into(), None);
        }
    }

    /// A model is in service for all orders from here on.
    pub(super) fn in_service(&mut self, version: u32) {
        self.service = Some((version, self.orders.len()));
        self.scores.clear();
    }

    /// An event was applied. A score that the event did not change is not pushed again, so the one before stands.
    pub(super) fn applied(&mut self, cause: &str, customer: &str) {
        let of_ours = |(version, _): &&(u32, f64)| self.service.is_some_and(|(ours, _)| ours == *version);
        let newest = self.newest.get(customer).filter(of_ours);
        if let (Some(score @ None), Some((_, newest))) = (self.scores.get_mut(cause), newest) {
            *score = Some(*newest);
        }
    }

    /// A score was pushed, for an event or by time alone.
    pub(super) fn scored(&mut self, cause: Option<&str>, customer: &str, version: u32, value: f64) {
        match self.newest.get_mut(customer) {
            Some(newest) => *newest = (version, value),
            None => drop(self.newest.insert(customer.into(), (version, value))),
        }
        if self.service.is_none_or(|(ours, _)| ours != version) {
            return;
        }
        if let Some(score) = cause.and_then(|cause| self.scores.get_mut(cause)) {
            *score = Some(value);
        }
    }

    /// The judgement over traffic that ended at `end`.
    pub(super) fn verdict(&self, end: Timestamp) -> Verdict {
        let mut verdict = Verdict::default();
        let Some((_, first)) = self.service else { return verdict };
        let window = WITHIN_DAYS * DAY_MS;
        let next = self.next_orders();
        let mut before: HashMap<&str, Timestamp> = HashMap::new();
        let (mut live, mut recency) = (Vec::new(), Vec::new());
        for (place, order) in self.orders.iter().enumerate() {
            let previous = before.insert(&order.customer, order.at);
            if place < first || order.at.0 + window > end.0 {
                continue;
            }
            let Some(score) = self.scores.get(&order.id).copied().flatten() else {
                verdict.without_score += 1;
                continue;
            };
            let comes_back = next[place].is_some_and(|next| next.0 - order.at.0 <= window);
            verdict.judged += 1;
            verdict.came_back += u64::from(comes_back);
            live.push((score, comes_back));
            recency.push((previous.map_or(f64::NEG_INFINITY, |at| -order.at.since(at).days()), comes_back));
        }
        verdict.live_auc = auc(live);
        verdict.recency_auc = auc(recency);
        verdict
    }

    /// For each order, when the same customer's next one was.
    fn next_orders(&self) -> Vec<Option<Timestamp>> {
        let mut after: HashMap<&str, Timestamp> = HashMap::new();
        let mut next: Vec<_> = self.orders.iter().rev().map(|order| after.insert(&order.customer, order.at)).collect();
        next.reverse();
        next
    }
}

/// The area under the ROC curve by the rank sum of Mann and Whitney, ties at half; none if one class is empty.
fn auc(mut moments: Vec<(f64, bool)>) -> Option<f64> {
    moments.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = moments.iter().filter(|moment| moment.1).count() as f64;
    let negatives = moments.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    let (mut below, mut rank_sum) = (0.0, 0.0);
    for tied in moments.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let mean_rank = below + f64::midpoint(1.0, tied.len() as f64);
        rank_sum += mean_rank * tied.iter().filter(|moment| moment.1).count() as f64;
        below += tied.len() as f64;
    }
    Some((rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp(day * DAY_MS)
    }

    #[test]
    fn the_area_counts_pairs() {
        assert_eq!(auc(vec![(0.1, false), (0.9, true)]), Some(1.0));
        assert_eq!(auc(vec![(0.9, false), (0.1, true)]), Some(0.0));
        assert_eq!(auc(vec![(0.5, false), (0.5, true)]), Some(0.5));
        // Pairs: 0.2 beats neither, 0.6 beats 0.4 and ties with 0.6.
        assert_eq!(auc(vec![(0.4, false), (0.6, false), (0.2, true), (0.6, true)]), Some(1.5 / 4.0));
        assert_eq!(auc(vec![(0.4, true)]), None);
        assert_eq!(auc(vec![(f64::NEG_INFINITY, false), (-3.0, true)]), Some(1.0));
    }

    #[test]
    fn an_order_is_judged_by_what_came_after_it() {
        let mut judge = Judge::default();
        judge.order("user:a", "a1", day(0));
        judge.in_service(3);
        for (customer, id, at, score) in
            [("user:a", "a2", 10, 0.8), ("user:b", "b1", 11, 0.3), ("user:a", "a3", 40, 0.4), ("user:b", "b2", 42, 0.5)]
        {
            judge.order(customer, id, day(at));
            judge.applied(id, customer);
            judge.scored(Some(id), customer, 3, score);
        }
        // a2 is followed after exactly 30 days, b1 after 31; the others' windows end after the data.
        let verdict = judge.verdict(day(69));
        assert_eq!((verdict.judged, verdict.came_back, verdict.without_score), (2, 1, 0));
        assert_eq!((verdict.live_auc, verdict.recency_auc), (Some(1.0), Some(1.0)));
        assert_eq!(judge.verdict(day(40)).judged, 1);
        assert_eq!(judge.verdict(day(70)).judged, 3);
    }

    #[test]
    fn only_scores_of_the_model_in_service_count() {
        let mut judge = Judge::default();
        judge.in_service(2);
        judge.order("user:a", "a1", day(0));
        judge.applied("a1", "user:a");
        judge.scored(Some("a1"), "user:a", 1, 0.9);
        assert_eq!(judge.verdict(day(99)).without_score, 1);
        judge.scored(Some("a1"), "user:a", 2, 0.9);
        assert_eq!(judge.verdict(day(99)).judged, 1);
    }

    #[test]
    fn a_score_that_did_not_change_stands() {
        let mut judge = Judge::default();
        // Pushed when the model came into service, of which the replay hears later.
        judge.scored(None, "user:a", 1, 0.7);
        judge.scored(None, "user:b", 2, 0.7);
        judge.in_service(1);
        judge.order("user:b", "b1", day(0));
        judge.applied("b1", "user:b");
        assert_eq!(judge.verdict(day(99)).without_score, 1, "that was another model");
        let mut judge = Judge::default();
        judge.scored(None, "user:a", 1, 0.7);
        judge.in_service(1);
        judge.order("user:a", "a1", day(0));
        judge.applied("a1", "user:a");
        assert_eq!((judge.verdict(day(99)).judged, judge.verdict(day(99)).without_score), (1, 0));
    }

    #[test]
    fn without_a_model_nothing_is_judged() {
        let mut judge = Judge::default();
        judge.order("user:a", "a1", day(0));
        assert_eq!(judge.verdict(day(99)), Verdict::default());
    }
}
