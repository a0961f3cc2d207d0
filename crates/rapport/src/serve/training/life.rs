//! The life of a registered model: on trial, in service, taken back. Each step is one entry of the log in every partition;
//! what the engine would refuse is refused here, before it enters the log.

use std::{panic::AssertUnwindSafe, sync::Arc};

use rapport_decide::{ActivationError, Decider, LiveModel, Prepared};
use rapport_engine::EndedTrial;
use rapport_server::{
    api::{ChallengeRequest, RolledBack, TrialKind},
    ports::Refusal,
};
use rapport_types::{Activation, Entry, Rollback, Trial, TrialMode};

use super::{Trainer, log_refusal};
use crate::{data::append_to_all, serve::access::internal};

/// The share of a canary that nobody gave a share to, in percent.
const CANARY_PERCENT: u32 = 10;

/// What came of asking a model that may be damaged in ways that reading it does not see.
pub(super) fn survived(asked: impl FnOnce() -> Result<(), ActivationError>) -> Result<(), Refusal> {
    let damaged = |_| Refusal::Conflict("the model cannot answer; its artifact is damaged".to_owned());
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(asked)).map_err(damaged)?;
    outcome.map_err(|error| Refusal::Conflict(error.to_string()))
}

impl Trainer {
    fn artifact(&self, score: &str, version: u32) -> Result<Box<[u8]>, Refusal> {
        let artifact = self.store.artifact(score, version).map_err(|error| internal(&error))?;
        let unknown = || Refusal::NotFound(format!("there is no model {version} of the score \"{score}\""));
        artifact.map(Into::into).ok_or_else(unknown)
    }

    fn activation(&self, score: &str, version: u32, artifact: Box<[u8]>) -> Activation {
        Activation { score: score.into(), version: Some(version), artifact, at: (self.clock)() }
    }

    /// Refuses an artifact that does not fit the definitions in force, or cannot answer: in the log it would stop every
    /// partition, and again after each restart.
    pub(super) fn check_fit(&self, score: &str, artifact: &[u8]) -> Result<(), Refusal> {
        let decider = Decider::compile(1, &self.definitions()?.to_json()).map_err(|mistakes| internal(&mistakes[0]))?;
        survived(|| LiveModel::new(score, 1, Arc::new(Prepared::new(artifact)?), decider.features())?.probe())
    }

    fn append(&self, entry: &Entry) -> Result<(), Refusal> {
        append_to_all(&*self.log, entry).map_err(|error| log_refusal(&error))
    }

    pub(super) fn put_into_service(&self, score: &str, version: u32) -> Result<(), Refusal> {
        let artifact = self.artifact(score, version)?;
        self.check_fit(score, &artifact)?;
        self.append(&Entry::Activation(self.activation(score, version, artifact)))
    }

    /// Takes the newest activation back: what was in service before is so again, and the trial that it ended goes on.
    pub(super) fn roll_back(&self, score: &str, in_service: Option<u32>) -> Result<RolledBack, Refusal> {
        if let (Some(meant), Some(champion)) = (in_service, self.reader.champion(score))
            && meant != champion
        {
            let what = format!("model {meant} of \"{score}\" is not in service any more, but {champion} is");
            return Err(Refusal::Conflict(what));
        }
        let none = || Refusal::Conflict(format!("no other model of \"{score}\" was in service before the present one"));
        let earlier = self.reader.earlier(score).ok_or_else(none)?;
        let artifact = self.artifact(score, earlier.version)?;
        self.check_fit(score, &artifact)?;
        let trial = earlier.trial.and_then(|ended| self.ended_trial(score, ended));
        let answer = RolledBack {
            score: score.to_owned(),
            version: earlier.version,
            on_trial: trial.as_ref().and_then(|trial| trial.version),
        };
        let activation = self.activation(score, earlier.version, artifact);
        self.append(&Entry::Rollback(Rollback { activation, trial }))?;
        Ok(answer)
    }

    /// A trial that was ended, to go on; none if its model fits no more, which is no reason to leave the wrong one in service.
    fn ended_trial(&self, score: &str, ended: EndedTrial) -> Option<Trial> {
        let EndedTrial { version, mode, at } = ended;
        let artifact = self.artifact(score, version).and_then(|artifact| {
            self.check_fit(score, &artifact)?;
            Ok(artifact)
        });
        match artifact {
            Ok(artifact) => Some(Trial { score: score.into(), version: Some(version), artifact, mode, at }),
            Err(error) => {
                tracing::warn!(score, version, %error, "the trial that had been ended does not go on");
                None
            }
        }
    }

    pub(super) fn put_on_trial(&self, score: &str, version: u32, request: &ChallengeRequest) -> Result<(), Refusal> {
        let mode = match request.mode {
            TrialKind::Shadow => TrialMode::Shadow,
            // The door lets no more than 99 in.
            TrialKind::Canary => {
                TrialMode::Canary { permille: (request.percent.unwrap_or(CANARY_PERCENT).min(99) * 10) as u16 }
            }
        };
        let artifact = self.artifact(score, version)?;
        match self.reader.champion(score) {
            None => {
                let what =
                    format!("no model of \"{score}\" is in service, so there is nothing to challenge; activate one");
                return Err(Refusal::Conflict(what));
            }
            Some(champion) if champion == version => {
                return Err(Refusal::Conflict(format!("model {version} of \"{score}\" is in service already")));
            }
            Some(_) => {}
        }
        self.check_fit(score, &artifact)?;
        let at = (self.clock)();
        self.append(&Entry::Trial(Trial { score: score.into(), version: Some(version), artifact, mode, at }))
    }

    pub(super) fn take_off_trial(&self, score: &str) -> Result<(), Refusal> {
        let none = || Refusal::Conflict(format!("no model of \"{score}\" is on trial"));
        let (_, mode, _) = self.reader.challenger(score).ok_or_else(none)?;
        let at = (self.clock)();
        self.append(&Entry::Trial(Trial { score: score.into(), version: None, artifact: Box::default(), mode, at }))
    }
}
