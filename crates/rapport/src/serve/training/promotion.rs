//! What becomes of a model that was trained by itself, as its score declares it. Whatever is not possible leaves the model in
//! the registry, with a line in the program's log.

use rapport_decide::{Promotion, ScoreDefinition};
use rapport_learn::{LearnError, TrainingSet};
use rapport_ml::{Artifact, metrics::Interval};
use rapport_server::{
    api::{ChallengeRequest, TrainRequest, TrialKind},
    ports::Refusal,
};
use rapport_types::TrialMode;

use super::{Trainer, answers::answers, compare, jobs::Work, learner};
use crate::cli::Failure;

impl Trainer {
    /// Does with a registered model what `then` says; `set` is what it was learnt from.
    pub(super) fn promote(
        &self,
        work: &Work,
        score: &ScoreDefinition,
        request: &TrainRequest,
        version: u32,
        then: Promotion,
        set: &TrainingSet,
    ) {
        let name = &*score.name;
        let done = match then {
            Promotion::Register => return,
            Promotion::Shadow => self.shadow(name, version),
            Promotion::IfBetter => match self.against_champion(work, score, request, set) {
                Ok(gain) => self.place(work, name, version, &gain),
                Err(why) => {
                    tracing::warn!(score = name, version, %why, "the new model cannot be compared, so it only waits");
                    return;
                }
            },
        };
        if let Err(error) = done {
            tracing::warn!(score = name, version, %error, "the new model only waits in the registry");
        }
    }

    /// Puts a model into service if it gains more than chance explains; otherwise it is a shadow.
    pub(super) fn place(&self, work: &Work, score: &str, version: u32, gain: &Interval) -> Result<(), Refusal> {
        // The comparison takes as long as a training, and somebody may have ended it meanwhile.
        if work.is_cancelled() {
            tracing::info!(score, version, "the training was ended, so the new model only waits");
            return Ok(());
        }
        if gain.low > 0.0 {
            tracing::info!(score, version, ?gain, "the new model is better and goes into service");
            self.put_into_service(score, version)
        } else {
            tracing::info!(score, version, ?gain, "the new model is not better by more than chance");
            self.shadow(score, version)
        }
    }

    fn shadow(&self, score: &str, version: u32) -> Result<(), Refusal> {
        if let Some((tried, TrialMode::Canary { .. }, _)) = self.reader.challenger(score) {
            return Err(Refusal::Conflict(format!("a person has put model {tried} on trial as a canary")));
        }
        self.put_on_trial(score, version, &ChallengeRequest { mode: TrialKind::Shadow, percent: None })
    }

    /// How much better a model that learns as the new one did is than the champion, on moments that are new to both.
    fn against_champion(
        &self,
        work: &Work,
        score: &ScoreDefinition,
        request: &TrainRequest,
        set: &TrainingSet,
    ) -> Result<Interval, Failure> {
        let name = &*score.name;
        let champion = self.reader.champion(name).ok_or("no model is in service")?;
        let record = self.store.model(name, champion)?.ok_or("the model in service is not in the registry")?;
        let artifact = self.store.artifact(name, champion)?.ok_or("the model in service is not in the registry")?;
        let parts = compare::parts(set, score.within, record.range.map(|(_, until)| until));
        let parts = parts.ok_or("too few labelled moments are newer than what the model in service has learnt from")?;
        let like = learner::fit(&parts.older, score, request, &work.quietly())?.ok_or("somebody ended the training")?;
        // What learns in service is judged as it would have learnt: the champion where it was there, the other from its first
        // new moment on.
        let old = newest(&artifact, set, &parts.newest, |row| set.served[row].has(champion))?;
        let new = newest(&like.artifact, set, &parts.newest, |row| parts.newest.first() <= Some(&row))?;
        Ok(compare::gain(set, &parts.newest, &old, &new)?)
    }
}

/// What a model says of some moments of a set; see [`answers`].
fn newest(
    artifact: &[u8],
    set: &TrainingSet,
    places: &[usize],
    learns: impl Fn(usize) -> bool,
) -> Result<Vec<f64>, LearnError> {
    answers(&Artifact::from_bytes(artifact)?, set, places, learns)
}
