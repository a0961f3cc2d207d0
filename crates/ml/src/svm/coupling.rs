//! One probability for each class from probabilities of pairs (Wu, Lin, Weng 2004: Probability estimates for multi-class
//! classification by pairwise coupling, their second method, by the iteration of algorithm 2). Nothing is allocated.

const SWEEPS: usize = 100;

/// `pair(a, b)` is the probability of class a where it is a or b, and 1 less that of (b, a). Writes probabilities to `out`.
pub(super) fn couple(pair: impl Fn(usize, usize) -> f64, out: &mut [f64]) {
    let classes = out.len();
    let entry = |a: usize, b: usize| {
        if a == b {
            (0..classes).filter(|other| *other != a).map(|other| pair(other, a).powi(2)).sum()
        } else {
            -pair(b, a) * pair(a, b)
        }
    };
    out.fill(1.0 / classes as f64);
    for _ in 0..SWEEPS {
        let mut moved: f64 = 0.0;
        for class in 0..classes {
            let line = |out: &[f64], class: usize| (0..classes).map(|b| entry(class, b) * out[b]).sum::<f64>();
            let total: f64 = (0..classes).map(|a| out[a] * line(out, a)).sum();
            let step = (total - line(out, class)) / entry(class, class).max(f64::MIN_POSITIVE);
            out[class] = (out[class] + step).max(0.0);
            moved = moved.max(step.abs());
            let sum: f64 = out.iter().sum();
            out.iter_mut().for_each(|probability| *probability /= sum);
        }
        if moved < 1e-7 {
            break;
        }
    }
}
