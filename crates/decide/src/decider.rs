//! Decides over one profile: scores, then segments, then when to look again.

use std::sync::Arc;

use rapport_condition::{Environment, Scalar};
use rapport_profile::{FeatureSet, FeatureValue, Profile, Score};
use rapport_types::{Activation, Rollback, Timestamp, Trial, TrialMode, stable_hash};

use crate::{
    compile::{Ask, Compiled, Segment, compile},
    definitions::{Definitions, Mistake},
    effect::{Cause, Effect, Glance, ScoreChange, What},
    label::Labels,
    online::Learnt,
    predictor::{ActivationError, LiveModel, Prepared},
};

/// A score that moves by no more than this did not change.
const SAME_SCORE: f64 = 1e-9;

/// The definitions and models in force.
#[derive(Debug, Default)]
pub struct Decider {
    version: u32,
    pub(crate) compiled: Compiled,
    pub(crate) champions: Vec<LiveModel>,
    pub(crate) challengers: Vec<Challenger>,
    /// What models that are out of service had learnt.
    pub(crate) resting: Vec<Learnt>,
}

/// A model that is tried beside the champion of its score.
#[derive(Debug)]
pub(crate) struct Challenger {
    pub(crate) model: LiveModel,
    mode: TrialMode,
}

impl Challenger {
    /// Whether it is the score of this customer: always the same customers for one score, whatever the model.
    fn has(&self, profile: &Profile) -> bool {
        let TrialMode::Canary { permille } = self.mode else { return false };
        let customer = profile.primary.to_string();
        let hash = stable_hash(self.model.score().bytes().chain([0]).chain(customer.bytes()));
        (hash >> 32) % 1_000 < u64::from(permille)
    }
}

impl Decider {
    /// Nothing declared, nothing learnt.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Compiles a document of definitions; every mistake is reported.
    pub fn compile(version: u32, document: &str) -> Result<Self, Vec<Mistake>> {
        let definitions = Definitions::from_json(document).map_err(|mistake| vec![mistake])?;
        Ok(Self { version, compiled: compile(definitions)?, ..Self::default() })
    }

    /// The version of the definitions; 0 if there are none.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The definitions as declared.
    pub fn definitions(&self) -> &Definitions {
        &self.compiled.definitions
    }

    /// All features: the declared ones first, then those that segments ask for besides.
    pub fn features(&self) -> &FeatureSet {
        &self.compiled.features
    }

    /// How many of the features are declared.
    pub fn declared_features(&self) -> usize {
        self.compiled.declared
    }

    /// The names of the segments that hold a profile, as declared.
    pub fn segments_of<'a>(&'a self, profile: &'a Profile) -> impl Iterator<Item = &'a str> {
        let all = self.compiled.definitions.segments.iter().enumerate();
        all.filter(|(place, _)| profile.in_segment(*place)).map(|(_, segment)| &*segment.name)
    }

    /// The models in service.
    pub fn champions(&self) -> &[LiveModel] {
        &self.champions
    }

    /// The models in service, then those on trial.
    pub(crate) fn live(&self) -> impl Iterator<Item = &LiveModel> {
        self.champions.iter().chain(self.challengers.iter().map(|challenger| &challenger.model))
    }

    pub(crate) fn live_mut(&mut self) -> impl Iterator<Item = &mut LiveModel> {
        self.champions.iter_mut().chain(self.challengers.iter_mut().map(|challenger| &mut challenger.model))
    }

    /// The names of the scores, each with its label.
    pub(crate) fn labelled(&self) -> impl Iterator<Item = (&Box<str>, &Labels)> {
        let names = self.compiled.definitions.scores.iter().map(|score| &score.name);
        names.zip(&self.compiled.labels)
    }

    /// Puts a model into service, or takes its score out of service; refused if it does not fit the features. Either ends
    /// the trial of a challenger, because what it was compared with has changed. `prepare` makes the artifact ready, or knows
    /// who did: [`Prepared::new`], or the same remembered.
    pub fn activate(
        &mut self,
        activation: &Activation,
        prepare: impl Fn(&[u8]) -> Result<Arc<Prepared>, ActivationError>,
    ) -> Result<(), ActivationError> {
        let champion = self.fitting(&activation.score, activation.version, &activation.artifact, &prepare);
        let (champion, outcome) = or_none(champion);
        self.put(&activation.score, champion, None, activation.at)?;
        outcome
    }

    /// Takes an activation back: puts the earlier model into service, and what had been on trial on trial again; refused if one
    /// of them does not fit the features. `prepare` is as in [`Self::activate`].
    pub fn roll_back(
        &mut self,
        rollback: &Rollback,
        prepare: impl Fn(&[u8]) -> Result<Arc<Prepared>, ActivationError>,
    ) -> Result<(), ActivationError> {
        let Activation { score, version, artifact, at } = &rollback.activation;
        let (champion, outcome) = or_none(self.fitting(score, *version, artifact, &prepare));
        let (challenger, of_trial) = match &rollback.trial {
            None => (None, Ok(())),
            Some(trial) => {
                let (model, of_trial) = or_none(self.fitting(score, trial.version, &trial.artifact, &prepare));
                (model.map(|model| Challenger { model, mode: trial.mode }), of_trial)
            }
        };
        self.put(score, champion, challenger, *at)?;
        outcome.and(of_trial)
    }

    /// Begins or ends the trial of a challenger; refused if it does not fit the features. `prepare` is as in
    /// [`Self::activate`].
    pub fn try_model(
        &mut self,
        trial: &Trial,
        prepare: impl Fn(&[u8]) -> Result<Arc<Prepared>, ActivationError>,
    ) -> Result<(), ActivationError> {
        let (mut challenger, outcome) = or_none(self.fitting(&trial.score, trial.version, &trial.artifact, &prepare));
        let leave: Vec<LiveModel> = self.end_trial(&trial.score).into_iter().collect();
        // A model that is the champion already must not learn everything twice.
        let is_new = |model: &&mut LiveModel| self.champions.iter().all(|known| !known.is_same(model));
        let mut come: Vec<&mut LiveModel> = challenger.iter_mut().filter(is_new).collect();
        self.take_over(&mut come, &leave, trial.at)?;
        self.challengers.extend(challenger.map(|model| Challenger { model, mode: trial.mode }));
        self.challengers.sort_by(|a, b| a.model.score().cmp(b.model.score()));
        outcome
    }

    /// A model bound to the features; none for no version.
    fn fitting(
        &self,
        score: &str,
        version: Option<u32>,
        artifact: &[u8],
        prepare: &impl Fn(&[u8]) -> Result<Arc<Prepared>, ActivationError>,
    ) -> Result<Option<LiveModel>, ActivationError> {
        version.map(|version| LiveModel::new(score, version, prepare(artifact)?, self.features())).transpose()
    }

    /// Replaces all models of a score.
    fn put(
        &mut self,
        score: &str,
        mut champion: Option<LiveModel>,
        mut challenger: Option<Challenger>,
        at: Timestamp,
    ) -> Result<(), ActivationError> {
        let mut leave: Vec<LiveModel> = self.champions.extract_if(.., |known| known.score() == score).collect();
        leave.extend(self.end_trial(score));
        let mut come: Vec<&mut LiveModel> = champion.iter_mut().collect();
        come.extend(challenger.iter_mut().map(|challenger| &mut challenger.model));
        self.take_over(&mut come, &leave, at)?;
        self.champions.extend(champion);
        self.champions.sort_by(|a, b| a.score().cmp(b.score()));
        self.challengers.extend(challenger);
        self.challengers.sort_by(|a, b| a.model.score().cmp(b.model.score()));
        Ok(())
    }

    /// Takes a challenger away.
    fn end_trial(&mut self, score: &str) -> Option<LiveModel> {
        let place = self.challengers.iter().position(|known| known.model.score() == score)?;
        Some(self.challengers.remove(place).model)
    }

    /// Brings what follows from a profile's facts up to its time. Effects are added to `effects`; the answer is the
    /// instant, if there is one, at which time alone can change a segment, or the outcome of a moment is known.
    pub fn evaluate(&self, profile: &mut Profile, cause: Cause<'_>, effects: &mut Vec<Effect>) -> Option<Timestamp> {
        if cause.message.is_some() {
            let glance =
                Glance { name: profile.name().map(Into::into), last_seen: profile.last_seen, events: profile.events };
            effects.push(Effect::new(cause, profile, What::Profile { profile: glance }));
        }
        self.score(profile, cause, effects);
        for segment in &self.compiled.segments {
            let inside = segment.program.eval_bool(&OverProfile { decider: self, profile, asks: &segment.asks });
            if inside != profile.in_segment(segment.place) {
                profile.set_segment(segment.place, inside);
                let name = segment.name.clone();
                let what =
                    if inside { What::SegmentEntered { segment: name } } else { What::SegmentLeft { segment: name } };
                effects.push(Effect::new(cause, profile, what));
            }
        }
        let awaited = self.next_due(profile);
        let changes = self.compiled.segments.iter().filter_map(|segment| self.next_change(segment, profile));
        changes.chain(awaited).min()
    }

    fn score(&self, profile: &mut Profile, cause: Cause<'_>, effects: &mut Vec<Effect>) {
        profile.scores.retain(|score| self.champions.iter().any(|champion| champion.score() == &*score.name));
        for champion in &self.champions {
            let challenger = self.challengers.iter().find(|challenger| challenger.model.score() == champion.score());
            let canary = challenger.filter(|challenger| challenger.has(profile));
            let score = self.predicted(canary.map_or(champion, |canary| &canary.model), profile, cause);
            let value = score.value;
            let before = profile.scores.iter().position(|known| known.name == score.name);
            let previous = before.map(|place| profile.scores[place].value);
            let same_model = before.is_some_and(|place| profile.scores[place].model_version == score.model_version);
            if !same_model || previous.is_none_or(|previous| (previous - value).abs() > SAME_SCORE) {
                let change = ScoreChange::new(&score, previous);
                effects.push(Effect::new(cause, profile, What::Score { score: change }));
            }
            match before {
                Some(place) => profile.scores[place] = score,
                None => profile.scores.push(score),
            }
            // Shadows follow events only: nobody compares what a timer or a restart brings about.
            let shadow =
                challenger.filter(|challenger| challenger.mode == TrialMode::Shadow && cause.message.is_some());
            if let Some(shadow) = shadow {
                let said = self.predicted(&shadow.model, profile, cause);
                effects.push(Effect::new(cause, profile, What::ShadowScore { score: ScoreChange::new(&said, None) }));
            }
        }
    }

    fn predicted(&self, model: &LiveModel, profile: &Profile, cause: Cause<'_>) -> Score {
        let mut reasons = Vec::new();
        let value = model.predict(self.features(), profile, &mut reasons);
        Score {
            name: model.score().into(),
            value,
            model_version: model.version(),
            computed_at: profile.at,
            cause: cause.message.map(Into::into),
            reasons,
        }
    }

    /// The first instant after the profile's time at which the answer to one of the segment's calls changes by time
    /// alone. Scores are looked at with every event and timer, not at instants of their own.
    fn next_change(&self, segment: &Segment, profile: &Profile) -> Option<Timestamp> {
        let of = |(index, ask): (usize, &Ask)| match ask {
            Ask::Feature(feature) => self.features().next_change(profile, *feature, profile.at),
            Ask::Since(feature) => {
                let from = self.features().counted_from(profile, *feature)?;
                let passes = |constant: &f64| {
                    // At the span itself `>=` turns, one millisecond later `>` does.
                    let at = from.0.saturating_add(*constant as i64);
                    [at, at.saturating_add(1)].into_iter().find(|instant| *instant > profile.at.0)
                };
                segment.program.comparisons(index).iter().filter_map(passes).min().map(Timestamp)
            }
            Ask::Score(_) | Ask::Segment(_) => None,
        };
        segment.asks.iter().enumerate().filter_map(of).min()
    }
}

/// A profile as a condition sees it.
struct OverProfile<'a> {
    decider: &'a Decider,
    profile: &'a Profile,
    asks: &'a [Ask],
}

impl Environment for OverProfile<'_> {
    fn call(&self, index: usize) -> Scalar<'_> {
        let features = self.decider.features();
        match &self.asks[index] {
            Ask::Feature(feature) => match features.value(self.profile, *feature, self.profile.at) {
                FeatureValue::Number(number) => Scalar::from(number),
                FeatureValue::One(value) => Scalar::from(value),
                FeatureValue::Missing | FeatureValue::Sequence => Scalar::Null,
            },
            Ask::Since(feature) => {
                let from = features.counted_from(self.profile, *feature);
                from.map_or(Scalar::Null, |from| Scalar::Duration(self.profile.at.since(from)))
            }
            Ask::Score(name) => self.profile.score(name).map_or(Scalar::Null, |score| Scalar::from(score.value)),
            Ask::Segment(place) => Scalar::Bool(self.profile.in_segment(*place)),
        }
    }

    fn path(&self, _root: &'static str, names: &[Box<str>]) -> Scalar<'_> {
        let Some((name, inner)) = names.split_first() else { return Scalar::Null };
        let Some(value) = self.profile.attribute(name) else { return Scalar::Null };
        if inner.is_empty() {
            return Scalar::from(value);
        }
        match value {
            rapport_types::Value::Object(object) => Scalar::from(object.path(inner.iter().map(|name| &**name))),
            _ => Scalar::Null,
        }
    }
}
/// A model that does not fit is no model: what was in service or on trial before goes all the same, here as wherever the models
/// in force are put together from the log.
fn or_none(model: Result<Option<LiveModel>, ActivationError>) -> (Option<LiveModel>, Result<(), ActivationError>) {
    match model {
        Ok(model) => (model, Ok(())),
        Err(error) => (None, Err(error)),
    }
}
