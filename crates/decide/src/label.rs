//! What makes a moment of a customer positive or negative, as a score declares it: compiled once, asked of every event. Training
//! sets and models that learn in service ask the same.

use rapport_profile::EventFilter;
use rapport_types::{Duration, Event};

use crate::definitions::ScoreDefinition;

/// Some events of a customer.
#[derive(Debug)]
struct Events {
    /// Their name; any if none.
    name: Option<Box<str>>,
    /// Which of them; all if none.
    when: Option<EventFilter>,
}

impl Events {
    /// `*` is any event.
    fn new(name: &str, when: Option<&str>) -> Result<Self, String> {
        let when = when.map(EventFilter::compile).transpose()?;
        Ok(Self { name: (name != "*").then(|| name.into()), when })
    }

    fn are_named(&self, event: &Event) -> bool {
        self.name.as_deref().is_none_or(|name| event.feature_name() == name)
    }

    fn pass(&self, event: &Event) -> bool {
        self.when.as_ref().is_none_or(|when| when.passes(event))
    }
}

/// What an event is to a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// Whether it is a labelled moment.
    pub moment: bool,
    /// Whether it is an outcome, and a good one.
    pub outcome: Option<bool>,
}

/// The label that a score declares.
#[derive(Debug)]
pub struct Labels {
    moment: Events,
    outcome: Events,
    absent: bool,
    only_answered: bool,
    within: Duration,
}

impl Labels {
    /// The label of a declared score; the error is a sentence about its conditions.
    pub fn new(score: &ScoreDefinition) -> Result<Self, String> {
        let outcome = &score.outcome;
        // Unless it says otherwise the outcome is the same event again, and then of the same kind too.
        let (name, when) = match &outcome.event {
            Some(name) => (name, outcome.when.as_deref()),
            None => (&score.event, outcome.when.as_deref().or(score.when.as_deref())),
        };
        Ok(Self {
            moment: Events::new(&score.event, score.when.as_deref())?,
            outcome: Events::new(name, when)?,
            absent: outcome.absent,
            only_answered: outcome.only_answered,
            within: score.within,
        })
    }

    /// How soon the outcome must come.
    pub fn within(&self) -> Duration {
        self.within
    }

    /// Whether only the first moment of a customer's day counts: where every event is a moment, more of one day tell little
    /// more.
    pub fn is_daily(&self) -> bool {
        self.moment.name.is_none()
    }

    /// What an event is to the score; none if it is nothing to it.
    pub fn meaning(&self, event: &Event) -> Option<Meaning> {
        let moment = self.moment.are_named(event) && self.moment.pass(event);
        let named = self.outcome.are_named(event);
        let good = named && self.outcome.pass(event);
        let outcome = if self.only_answered { named } else { good }.then_some(good);
        (moment || outcome.is_some()).then_some(Meaning { moment, outcome })
    }

    /// The label of a moment by its first outcome in time, a good one or not; none came if none. A moment that nobody
    /// answered, where only answers count, has no label.
    pub fn label(&self, first: Option<bool>) -> Option<bool> {
        match first {
            None if self.only_answered => None,
            first => Some(first.is_some_and(|good| good) != self.absent),
        }
    }
}
