//! How well each model's probabilities hold, kept beside the answers: every score is told with it.

use std::collections::{BTreeMap, HashMap};

use rapport_server::api::Calibration;
use rapport_store::{ModelRecord, SqliteStore, StoreError};

/// The calibration of each model, by score and version.
#[derive(Debug, Default)]
pub(in crate::serve) struct CalibrationBook {
    by_model: HashMap<(String, u32), Calibration>,
}

impl CalibrationBook {
    /// Reads the registry.
    pub(in crate::serve) fn read(store: &SqliteStore) -> Result<Self, StoreError> {
        let mut book = Self::default();
        for model in store.models()? {
            book.note(&model);
        }
        Ok(book)
    }

    fn note(&mut self, model: &ModelRecord) {
        let metrics: BTreeMap<String, f64> = serde_json::from_str(&model.metrics).unwrap_or_default();
        if let (Some(ece), Some(base_rate)) = (metrics.get("ece"), metrics.get("base_rate")) {
            let calibration = Calibration { ece: *ece, base_rate: *base_rate };
            self.by_model.insert((model.score.clone(), model.version), calibration);
        }
    }

    /// The calibration of a model.
    pub(in crate::serve) fn of(&self, score: &str, version: u32) -> Option<Calibration> {
        // A key to look up by needs an owned name; there are few models, so a walk is as good.
        self.by_model.iter().find(|((name, known), _)| *known == version && name == score).map(|(_, found)| *found)
    }
}
