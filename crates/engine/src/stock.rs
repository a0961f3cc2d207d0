//! What partitions hold in common: the same activations and trials stand in every partition's log, so their artifacts are kept
//! once and compiled once, however many partitions there are.
//!
//! It changes nothing that anyone can see: what is shared is never changed, and equal bytes make equal models. Nothing here
//! keeps anything alive; what no partition holds any more is gone.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rapport_decide::{ActivationError, Prepared};
use rapport_types::{Activation, Trial};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Stock(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    activations: Vec<Weak<Activation>>,
    trials: Vec<Weak<Trial>>,
    /// By the hash of their artifacts.
    models: Vec<(blake3::Hash, Weak<Prepared>)>,
}

impl Stock {
    /// The activation that others hold already, if there is an equal one.
    pub(crate) fn activation(&self, activation: Activation) -> Arc<Activation> {
        shared(&mut self.0.lock().activations, activation)
    }

    /// The trial that others hold already, if there is an equal one.
    pub(crate) fn trial(&self, trial: Trial) -> Arc<Trial> {
        shared(&mut self.0.lock().trials, trial)
    }

    /// The artifact compiled. While one partition compiles the others wait, as they want the same one.
    pub(crate) fn prepared(&self, artifact: &[u8]) -> Result<Arc<Prepared>, ActivationError> {
        let hash = blake3::hash(artifact);
        let models = &mut self.0.lock().models;
        models.retain(|(_, model)| model.strong_count() > 0);
        let known = models.iter().find(|(known, _)| *known == hash);
        if let Some(model) = known.and_then(|(_, model)| model.upgrade()) {
            return Ok(model);
        }
        let model = Arc::new(Prepared::new(artifact)?);
        models.push((hash, Arc::downgrade(&model)));
        Ok(model)
    }
}

fn shared<T: PartialEq>(held: &mut Vec<Weak<T>>, value: T) -> Arc<T> {
    held.retain(|known| known.strong_count() > 0);
    if let Some(known) = held.iter().filter_map(Weak::upgrade).find(|known| **known == value) {
        return known;
    }
    let value = Arc::new(value);
    held.push(Arc::downgrade(&value));
    value
}

#[cfg(test)]
mod tests {
    use rapport_types::Timestamp;

    use super::*;

    #[test]
    fn equal_activations_are_held_once_and_gone_when_nobody_holds_them() {
        let stock = Stock::default();
        let activation = |version| Activation {
            score: "s".into(),
            version: Some(version),
            artifact: vec![7; 100].into(),
            at: Timestamp(1),
        };
        let (one, two, other) =
            (stock.activation(activation(1)), stock.activation(activation(1)), stock.activation(activation(2)));
        assert!(Arc::ptr_eq(&one, &two));
        assert!(!Arc::ptr_eq(&one, &other));
        drop((one, two));
        let _third = stock.activation(activation(3));
        assert_eq!(stock.0.lock().activations.len(), 2);
    }

    #[test]
    fn what_is_no_artifact_is_refused_each_time() {
        let stock = Stock::default();
        for _ in 0..2 {
            assert!(matches!(stock.prepared(b"{}"), Err(ActivationError::Artifact(_))));
        }
        assert!(stock.0.lock().models.is_empty());
    }
}
