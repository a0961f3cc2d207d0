//! The registry as the API tells of it, and models that come into it.

use rapport_profile::FeatureSet;
use rapport_server::{
    api::{Imported, Model, ModelDetail, Origin, TimeRange, TrialFact, TrialKind},
    ports::{ModelForm, Refusal},
};
use rapport_store::{ModelOrigin, ModelRecord, NewModel};
use rapport_types::{Object, TrialMode};

use super::{Trainer, calibration::CalibrationBook, learner};
use crate::{cli::Failure, serve::access::internal};

fn origin(origin: ModelOrigin) -> Origin {
    match origin {
        ModelOrigin::Trained => Origin::Trained,
        ModelOrigin::Retrained => Origin::Retrained,
        ModelOrigin::Imported => Origin::Imported,
    }
}

impl Trainer {
    fn shown(&self, model: ModelRecord) -> Model {
        let trial = self.reader.challenger(&model.score).filter(|(version, _, _)| *version == model.version);
        let trial = trial.map(|(_, mode, since)| match mode {
            TrialMode::Shadow => TrialFact { mode: TrialKind::Shadow, percent: None, since },
            TrialMode::Canary { permille } => {
                TrialFact { mode: TrialKind::Canary, percent: Some(u32::from(permille) / 10), since }
            }
        });
        Model {
            active: self.reader.champion(&model.score) == Some(model.version),
            trial,
            score: model.score,
            version: model.version,
            created_at: model.created_at,
            algorithm: model.algorithm,
            origin: origin(model.origin),
            metrics: serde_json::from_str::<Object>(&model.metrics).unwrap_or_default(),
            rows: model.rows,
            training_range: model.range.map(|(from, to)| TimeRange { from, to }),
        }
    }

    pub(super) fn list(&self) -> Result<Vec<Model>, Refusal> {
        let models = self.store.models().map_err(|error| internal(&error))?;
        Ok(models.into_iter().map(|model| self.shown(model)).collect())
    }

    pub(super) fn detail(&self, score: &str, version: u32) -> Result<Option<ModelDetail>, Refusal> {
        let model = self.store.model(score, version).map_err(|error| internal(&error))?;
        let artifact = self.store.artifact(score, version).map_err(|error| internal(&error))?;
        let Some((model, artifact)) = model.zip(artifact) else { return Ok(None) };
        let card = learner::card(&artifact)?;
        Ok(Some(ModelDetail { model: self.shown(model), card }))
    }

    pub(super) fn document_of(&self, score: &str, version: u32, form: ModelForm) -> Result<Option<Vec<u8>>, Refusal> {
        let artifact = self.store.artifact(score, version).map_err(|error| internal(&error))?;
        artifact.map(|artifact| learner::document(artifact, form)).transpose()
    }

    /// Puts a model into the registry; its version.
    pub(super) fn register(&self, score: &str, model: &learner::Fitted, origin: ModelOrigin) -> Result<u32, Failure> {
        let metrics = serde_json::to_string(&model.metrics)?;
        let version = self.store.add_model(&NewModel {
            score,
            created_at: (self.clock)(),
            algorithm: &model.algorithm,
            origin,
            artifact: &model.artifact,
            metrics: &metrics,
            rows: model.rows,
            range: model.range,
        })?;
        *self.calibrations.write() = CalibrationBook::read(&self.store)?;
        tracing::info!(score, version, algorithm = %model.algorithm, rows = model.rows, %metrics, "model registered");
        Ok(version)
    }

    pub(super) fn must_be_declared(&self, score: &str) -> Result<(), Refusal> {
        let declared = self.definitions()?.scores.iter().any(|known| *known.name == *score);
        let unknown = || Refusal::NotFound(format!("there is no declared score \"{score}\""));
        declared.then_some(()).ok_or_else(unknown)
    }

    /// Registers a model that was made elsewhere. An ONNX file does not say what its columns are: they are `inputs`, or all
    /// features that are numbers, in the order of the definitions.
    pub(super) fn take_in(&self, score: &str, bytes: &[u8], inputs: &[String]) -> Result<Imported, Refusal> {
        self.must_be_declared(score)?;
        let features = FeatureSet::compile(&self.definitions()?.features).map_err(|mistakes| internal(&mistakes[0]))?;
        let numbers = (0..features.len()).filter(|place| features.is_number(*place));
        let declared: Vec<&str> = numbers.map(|place| &*features.definition(place).name).collect();
        let names = if inputs.is_empty() { declared } else { inputs.iter().map(String::as_str).collect() };
        let wrong = |what: String| Refusal::Invalid { field: "body".to_owned(), what };
        let model = learner::read(bytes, &names).map_err(|error| wrong(error.to_string()))?;
        self.check_fit(score, &model.artifact).map_err(|error| match error {
            Refusal::Conflict(what) => wrong(what),
            other => other,
        })?;
        let version = self.register(score, &model, ModelOrigin::Imported).map_err(|error| internal(&*error))?;
        Ok(Imported { score: score.to_owned(), version, inputs: model.inputs })
    }
}
