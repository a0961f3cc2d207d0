//! Decides over one profile: scores, then segments, then when to look again.

use std::sync::Arc;

use rapport_condition::{Environment, Scalar};
use rapport_profile::{FeatureSet, FeatureValue, Profile, Score};
use rapport_types::{Activation, Timestamp, Trial, TrialMode, stable_hash};

use crate::{
    compile::{Ask, Compiled, Segment, compile},
    definitions::{Definitions, Mistake},
    effect::{Cause, Effect, Glance, ScoreChange, What},
    predictor::{ActivationError, LiveModel, Prepared},
};

/// A score that moves by no more than this did not change.
const SAME_SCORE: f64 = 1e-9;

/// The definitions and models in force.
#[derive(Debug, Default)]
pub struct Decider {
    version: u32,
    compiled: Compiled,
    champions: Vec<LiveModel>,
    challengers: Vec<Challenger>,
}

/// A model that is tried beside the champion of its score.
#[derive(Debug)]
struct Challenger {
    model: LiveModel,
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

    /// Puts a model into service, or takes its score out of service; refused if it does not fit the features. Either ends
    /// the trial of a challenger, because what it was compared with has changed. `prepare` makes the artifact ready, or knows
    /// who did: [`Prepared::new`], or the same remembered.
    pub fn activate(
        &mut self,
        activation: &Activation,
        prepare: impl FnOnce(&[u8]) -> Result<Arc<Prepared>, ActivationError>,
    ) -> Result<(), ActivationError> {
        let champion = match activation.version {
            None => None,
            Some(version) => {
                let prepared = prepare(&activation.artifact)?;
                Some(LiveModel::new(&activation.score, version, prepared, self.features())?)
            }
        };
        self.champions.retain(|known| known.score() != &*activation.score);
        self.champions.extend(champion);
        self.champions.sort_by(|a, b| a.score().cmp(b.score()));
        self.challengers.retain(|known| known.model.score() != &*activation.score);
        Ok(())
    }

    /// Begins or ends the trial of a challenger; refused if it does not fit the features. `prepare` is as in
    /// [`Self::activate`].
    pub fn try_model(
        &mut self,
        trial: &Trial,
        prepare: impl FnOnce(&[u8]) -> Result<Arc<Prepared>, ActivationError>,
    ) -> Result<(), ActivationError> {
        let challenger = match trial.version {
            None => None,
            Some(version) => {
                let model = LiveModel::new(&trial.score, version, prepare(&trial.artifact)?, self.features())?;
                Some(Challenger { model, mode: trial.mode })
            }
        };
        self.challengers.retain(|known| known.model.score() != &*trial.score);
        self.challengers.extend(challenger);
        self.challengers.sort_by(|a, b| a.model.score().cmp(b.model.score()));
        Ok(())
    }

    /// Brings what follows from a profile's facts up to its time. Effects are added to `effects`; the answer is the
    /// instant, if there is one, at which time alone can change a segment.
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
        let changes = self.compiled.segments.iter().filter_map(|segment| self.next_change(segment, profile));
        changes.min()
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
