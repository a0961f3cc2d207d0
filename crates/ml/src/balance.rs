//! Weights instead of copies for rare classes.

/// Weights that make every class count alike: a row weighs `rows / (classes x rows of its class)`, so the mean is 1.
/// `target` holds classes by their number. To be made of the training rows of a fold alone, as everything that is learnt;
/// test rows keep the shares that they have. Probabilities of a model so fitted are those of balanced classes and need
/// calibration before they are shown.
pub fn balanced_weights(target: &[f64]) -> Vec<f64> {
    let mut counts: Vec<usize> = Vec::new();
    for class in target {
        let class = *class as usize;
        counts.resize(counts.len().max(class + 1), 0);
        counts[class] += 1;
    }
    let classes = counts.iter().filter(|count| **count > 0).count() as f64;
    target.iter().map(|class| target.len() as f64 / (classes * counts[*class as usize] as f64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_counts_alike() {
        let weights = balanced_weights(&[0.0, 0.0, 0.0, 2.0]);
        assert_eq!(weights, [2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0]);
        assert!(balanced_weights(&[]).is_empty());
    }
}
