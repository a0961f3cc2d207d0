//! Models that learn in service: at a labelled moment the customer's features are put by, and when the outcome becomes known (its
//! event comes, or its time is over) the model learns from them.
//!
//! Pure, as all of the crate: what is learnt follows from the entries of one partition in their order. So each partition has
//! weights of its own, which begin as those of the registered model and drift apart by what its customers do.
//!
//! A moment is seen at the time of the customer's newest event, as a training set sees it, and not at that of a timer: timers
//! do not fire in a replay, and must not change what is learnt. For the same reason what is due is closed in the order of
//! its time, whichever timer of the customer was the occasion. An outcome is of its own time, however late it is told: it
//! decides no moment that came after it. What was learnt before it was told stays learnt.

use rapport_ml::{Ftrl, MlError, Row, Scorer, Workspace};
use rapport_profile::{AWAITED_MAX, Awaited, AwaitedMoment, FeatureSet, Profile};
use rapport_types::{DAY_MS, Event, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    decider::Decider,
    label::{Labels, Meaning},
    lessons::Lessons,
    predictor::{ActivationError, LiveModel},
};

/// How many versions of a score that are out of service are remembered with what they had learnt.
const RESTING_MAX: usize = 16;

/// What a model has learnt in service, as a checkpoint keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learnt {
    /// The score.
    pub score: Box<str>,
    /// The model's version.
    pub version: u32,
    /// Since when it is in service or on trial without a break, or was.
    pub since: Timestamp,
    /// The weights.
    state: Ftrl,
    /// How it did.
    pub lessons: Lessons,
}

/// A model that learns: its own copy of the scorer, because partitions share the registered one.
#[derive(Debug)]
pub(crate) struct Learning {
    pub(crate) scorer: Scorer,
    pub(crate) since: Timestamp,
    pub(crate) lessons: Lessons,
    work: Workspace,
}

impl Learning {
    pub(crate) fn new(scorer: Scorer, since: Timestamp) -> Self {
        Self { scorer, since, lessons: Lessons::default(), work: Workspace::default() }
    }

    fn ask(scorer: &Scorer, row: &[f64], work: &mut Workspace) -> f64 {
        let mut answer = [f64::NAN];
        scorer.predict(Row::Numbers(row), work, &mut answer);
        answer[0]
    }

    /// Puts a moment by, with what both models say of it now; none if they have no answer.
    fn put_by(&mut self, row: Box<[f64]>, registered: &Scorer, until: Timestamp) -> Option<AwaitedMoment> {
        let said = Self::ask(&self.scorer, &row, &mut self.work);
        let as_registered = Self::ask(registered, &row, &mut self.work);
        let is_answered = !said.is_nan() && !as_registered.is_nan();
        self.lessons.passed_over += u64::from(!is_answered);
        self.lessons.waiting += i64::from(is_answered);
        is_answered.then_some(AwaitedMoment { until, row, said, as_registered })
    }

    /// Tests, then trains.
    fn close(&mut self, moment: &AwaitedMoment, label: Option<bool>) {
        self.lessons.waiting -= 1;
        let Some(label) = label else {
            self.lessons.unanswered += 1;
            return;
        };
        match self.scorer.learn(Row::Numbers(&moment.row), f64::from(u8::from(label)), &mut self.work) {
            Ok(()) => self.lessons.note(moment.said, moment.as_registered, label),
            // Numbers beyond all measure.
            Err(_) => self.lessons.passed_over += 1,
        }
    }
}

/// What an event is to each score whose model learns: heard before the event is folded, heeded after.
#[derive(Debug, Default)]
pub struct Heard {
    /// When the event happened.
    at: Timestamp,
    /// By the place of the score.
    meanings: Vec<(usize, Meaning)>,
}

impl Heard {
    /// Whether it is nothing to any of them.
    pub fn is_nothing(&self) -> bool {
        self.meanings.is_empty()
    }
}

impl LiveModel {
    /// Whether it is the same model of the same score.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.score == other.score && self.version == other.version
    }

    /// Whether it waits for these moments.
    fn awaits(&self, awaited: &Awaited) -> bool {
        self.learning.as_ref().is_some_and(|own| awaited.is_of(&self.score, self.version, own.since))
    }

    /// An event of a customer that happened at `told`: closes what it decides, and puts the moment by if it is one.
    fn heed(
        &mut self,
        labels: &Labels,
        (told, meaning): (Timestamp, Meaning),
        features: &FeatureSet,
        profile: &mut Profile,
    ) {
        let Some(learning) = &mut self.learning else { return };
        let at = profile.last_seen;
        let known = profile.awaited.iter().position(|known| known.is_of(&self.score, self.version, learning.since));
        if let (Some(good), Some(known)) = (meaning.outcome, known) {
            let before = |moment: &mut AwaitedMoment| moment.until <= told.plus(labels.within());
            for moment in profile.awaited[known].moments.extract_if(.., before) {
                let first = (told <= moment.until).then_some(good);
                learning.close(&moment, labels.label(first));
            }
        }
        let day = labels.is_daily().then(|| at.0.div_euclid(DAY_MS));
        let is_repeat = day.is_some() && known.is_some_and(|known| profile.awaited[known].day == day);
        if !meaning.moment || is_repeat {
            return;
        }
        if known.is_some_and(|known| profile.awaited[known].moments.len() >= AWAITED_MAX) {
            learning.lessons.passed_over += 1;
            return;
        }
        let row = self.inputs.iter().map(|index| features.number(profile, *index, at)).collect();
        let Some(moment) = learning.put_by(row, self.prepared.scorer(), at.plus(labels.within())) else { return };
        match known {
            Some(known) => {
                profile.awaited[known].day = day;
                profile.awaited[known].moments.push(moment);
            }
            None => {
                let (score, version, since) = (self.score.clone(), self.version, learning.since);
                profile.awaited.push(Awaited { score, version, since, day, moments: vec![moment] });
            }
        }
    }

    /// Closes moments whose time was over at `due`.
    fn let_go(&mut self, labels: &Labels, profile: &mut Profile, due: Timestamp) {
        let Some(learning) = &mut self.learning else { return };
        let own = |known: &&mut Awaited| known.is_of(&self.score, self.version, learning.since);
        let Some(awaited) = profile.awaited.iter_mut().find(own) else { return };
        for moment in awaited.moments.extract_if(.., |moment| moment.until < due) {
            learning.close(&moment, labels.label(None));
        }
    }

    /// What it has learnt, if it learns.
    fn learnt(&self) -> Option<Learnt> {
        let learning = self.learning.as_ref()?;
        let (score, version, since) = (self.score.clone(), self.version, learning.since);
        let (state, lessons) = (learning.scorer.online()?.clone(), learning.lessons.clone());
        Some(Learnt { score, version, since, state, lessons })
    }

    /// Goes on from what it had learnt.
    fn go_on_from(&mut self, learnt: Learnt) -> Result<(), MlError> {
        let Some(learning) = &mut self.learning else { return Ok(()) };
        learning.scorer.set_online(learnt.state)?;
        (learning.since, learning.lessons) = (learnt.since, learnt.lessons);
        Ok(())
    }
}

impl Decider {
    /// Whether a model in service or on trial learns.
    pub fn learns(&self) -> bool {
        self.live().any(|model| model.learning.is_some())
    }

    /// What an event is to the models that learn.
    pub fn hear(&self, event: &Event) -> Heard {
        let mut meanings = Vec::new();
        for (place, (score, labels)) in self.labelled().enumerate() {
            if self.live().any(|model| model.learning.is_some() && model.score == *score) {
                meanings.extend(labels.meaning(event).map(|meaning| (place, meaning)));
            }
        }
        Heard { at: event.timestamp, meanings }
    }

    /// Lets the models learn from an event that was applied to a profile. Of people who are not known nobody learns.
    pub fn heed(&mut self, heard: &Heard, profile: &mut Profile) {
        if !profile.primary.is_known() {
            return;
        }
        let Self { compiled, champions, challengers, .. } = self;
        for (place, meaning) in &heard.meanings {
            let (score, labels) = (&compiled.definitions.scores[*place].name, &compiled.labels[*place]);
            let live = champions.iter_mut().chain(challengers.iter_mut().map(|challenger| &mut challenger.model));
            for model in live.filter(|model| model.score == *score) {
                model.heed(labels, (heard.at, *meaning), &compiled.features, profile);
            }
        }
    }

    /// Lets the models learn from a profile's moments whose time was over at `due`.
    pub fn let_go(&mut self, profile: &mut Profile, due: Timestamp) {
        let Self { compiled, champions, challengers, .. } = self;
        let live = champions.iter_mut().chain(challengers.iter_mut().map(|challenger| &mut challenger.model));
        for model in live {
            let place = compiled.definitions.scores.iter().position(|score| score.name == model.score);
            if let Some(place) = place {
                model.let_go(&compiled.labels[place], profile, due);
            }
        }
    }

    /// Drops what no model waits for any more, and tells when the time of the first moment is over.
    pub fn next_due(&self, profile: &mut Profile) -> Option<Timestamp> {
        profile.awaited.retain(|awaited| {
            let is_empty = awaited.moments.is_empty() && awaited.day.is_none();
            !is_empty && self.live().any(|model| model.awaits(awaited))
        });
        profile.awaited.iter().filter_map(Awaited::due).min()
    }

    /// What has been learnt, also by models that are out of service, for a checkpoint.
    pub fn learnt(&self) -> Vec<Learnt> {
        self.live().filter_map(LiveModel::learnt).chain(self.resting.iter().cloned()).collect()
    }

    /// These moments are awaited no more, and nothing is learnt of them: their customer became part of another one.
    pub fn forget(&mut self, awaited: &Awaited) {
        if let Some(learning) =
            self.live_mut().find(|model| model.awaits(awaited)).and_then(|model| model.learning.as_mut())
        {
            learning.lessons.waiting -= awaited.moments.len() as i64;
        }
    }

    /// How a model that learns did; none if it does not learn, or is neither in service nor on trial.
    pub fn lessons(&self, score: &str, version: u32) -> Option<&Lessons> {
        let found = self.live().find(|model| model.score() == score && model.version == version)?;
        found.learning.as_ref().map(|learning| &learning.lessons)
    }

    /// Takes up what had been learnt when a checkpoint was written, or where a replay ends.
    ///
    /// # Errors
    ///
    /// [`MlError::Shape`] if it was learnt by another model.
    pub fn restore_learnt(&mut self, learnt: Vec<Learnt>) -> Result<(), MlError> {
        for one in learnt {
            let mut live = self.live_mut();
            let is_meant = |model: &&mut LiveModel| {
                model.learning.is_some() && model.score == one.score && model.version == one.version
            };
            match live.find(is_meant) {
                Some(model) => model.go_on_from(one)?,
                None => {
                    drop(live);
                    self.rest(one);
                }
            }
        }
        Ok(())
    }

    /// Lets models that `come` into service or on trial at `at` learn, if they can: without a break if they are among those that
    /// `leave`, after one if they had learnt before, else from the beginning. What others had learnt rests.
    pub(crate) fn take_over(
        &mut self,
        come: &mut [&mut LiveModel],
        leave: &[LiveModel],
        at: Timestamp,
    ) -> Result<(), ActivationError> {
        let mut leaving: Vec<Learnt> = leave.iter().filter_map(LiveModel::learnt).collect();
        for model in come {
            model.begin_to_learn(at)?;
            let is_same = |learnt: &Learnt| learnt.score == model.score && learnt.version == model.version;
            if let Some(place) = leaving.iter().position(is_same) {
                model.go_on_from(leaving.remove(place))?;
            } else if let Some(place) = self.resting.iter().position(is_same) {
                let mut learnt = self.resting.remove(place);
                // What it waited for before is void.
                learnt.since = at;
                learnt.lessons.waiting = 0;
                model.go_on_from(learnt)?;
            }
        }
        leaving.into_iter().for_each(|learnt| self.rest(learnt));
        Ok(())
    }

    /// Remembers what a model had learnt; of a score the newest so many.
    fn rest(&mut self, learnt: Learnt) {
        let score = learnt.score.clone();
        self.resting.retain(|known| (&known.score, known.version) != (&score, learnt.version));
        self.resting.push(learnt);
        let mut surplus = self.resting.iter().filter(|known| known.score == score).count().saturating_sub(RESTING_MAX);
        self.resting.retain(|known| {
            let goes = surplus > 0 && known.score == score;
            surplus -= usize::from(goes);
            !goes
        });
    }
}
