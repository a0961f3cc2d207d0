//! Answers of the engine's memory in the shapes of the API.

use std::{borrow::Cow, sync::Arc};

use parking_lot::RwLock;
use rapport_decide::Decider;
use rapport_engine::{After as EngineAfter, Order as EngineOrder, Reader};
use rapport_profile::{Profile, Score};
use rapport_server::{
    api::{
        Calibration, Customer, CustomerRow, Decision, FeatureFact, Ledger, LedgerCounts, LedgerRow, LogPosition,
        ReasonFact, RowScore, ScoreFact,
    },
    ports::{After, Answers, CustomersPage, CustomersQuery, Order, Place},
};
use rapport_types::{CustomerId, Object, Value};

use super::{access::AccessBook, training::CalibrationBook};

/// Implements the server's port over a reader of the engine.
pub(super) struct EngineAnswers {
    pub(super) reader: Reader,
    pub(super) access: Arc<AccessBook>,
    pub(super) calibrations: Arc<RwLock<CalibrationBook>>,
}

impl EngineAnswers {
    fn scores(&self, profile: &Profile) -> Vec<ScoreFact> {
        let book = self.calibrations.read();
        profile.scores.iter().map(|score| score_fact(score, book.of(&score.name, score.model_version))).collect()
    }
}

fn score_fact(score: &Score, calibration: Option<Calibration>) -> ScoreFact {
    let reason = |reason: &rapport_profile::Reason| ReasonFact {
        feature: reason.feature.to_string(),
        value: reason.value,
        contribution: reason.contribution,
    };
    ScoreFact {
        name: score.name.to_string(),
        value: score.value,
        computed_at: score.computed_at,
        cause: score.cause.as_deref().map(str::to_owned),
        model_version: score.model_version,
        reasons: score.reasons.iter().map(reason).collect(),
        calibration,
    }
}

fn row(profile: &Profile, decider: &Decider) -> CustomerRow {
    let score = |score: &Score| RowScore {
        name: score.name.to_string(),
        value: score.value,
        model_version: score.model_version,
        computed_at: score.computed_at,
    };
    let country = match profile.attribute("country") {
        Some(Value::String(country)) => Some(country.to_string()),
        _ => None,
    };
    CustomerRow {
        id: profile.primary.to_string(),
        name: profile.name().map(Cow::into_owned),
        known: profile.primary.is_known(),
        country,
        first_seen: profile.first_seen,
        last_seen: profile.last_seen,
        events: profile.events,
        segments: decider.segments_of(profile).map(str::to_owned).collect(),
        score: profile.scores.first().map(score),
    }
}

fn features(profile: &Profile, decider: &Decider) -> Vec<FeatureFact> {
    let set = decider.features();
    let fact = |index: usize| {
        let definition = set.definition(index);
        FeatureFact {
            name: definition.name.to_string(),
            value: set.json(profile, index, profile.at),
            window: definition.window,
            aggregate: definition.aggregate,
        }
    };
    (0..decider.declared_features()).map(fact).collect()
}

impl Answers for EngineAnswers {
    fn customers(&self, query: &CustomersQuery) -> CustomersPage {
        let order = match query.order {
            Order::LastSeen => EngineOrder::LastSeen,
            Order::Score => EngineOrder::Score,
        };
        let after = query.after.as_ref().map(|after| EngineAfter { key: after.key, id: after.id.clone() });
        // One more than wanted tells whether there is another page.
        let (mut listed, total) = self.reader.list(&query.text, order, after.as_ref(), query.limit + 1);
        let more = listed.len() > query.limit;
        listed.truncate(query.limit);
        let next = listed.last().filter(|_| more).map(|last| After { key: last.after.key, id: last.after.id.clone() });
        CustomersPage { rows: self.reader.listed(&listed, row), total, next }
    }

    fn customer(&self, id: &CustomerId) -> Option<Customer> {
        self.reader.customer(id, |partition, next, profile, decider| {
            let attributes = profile.attributes().map(|attribute| (attribute.name.clone(), attribute.value.clone()));
            Customer {
                id: profile.primary.to_string(),
                ids: profile.ids.iter().map(ToString::to_string).collect(),
                name: profile.name().map(Cow::into_owned),
                attributes: attributes.collect::<Object>(),
                first_seen: profile.first_seen,
                last_seen: profile.last_seen,
                events: profile.events,
                features: features(profile, decider),
                segments: decider.segments_of(profile).map(str::to_owned).collect(),
                scores: self.scores(profile),
                position: LogPosition { partition: partition.0, offset: next.0 },
            }
        })
    }

    fn primary(&self, id: &CustomerId) -> Option<CustomerId> {
        self.reader.customer(id, |_, _, profile, _| profile.primary.clone())
    }

    fn places(&self, id: &CustomerId) -> Option<Vec<Place>> {
        self.reader.customer(id, |_, _, profile, _| {
            let place = |position: &rapport_profile::Position| Place {
                at: position.at,
                partition: position.partition,
                offset: position.offset,
            };
            profile.positions().iter().map(place).collect()
        })
    }

    fn decide(&self, id: &CustomerId) -> Decision {
        let known = self.reader.customer(id, |_, _, profile, decider| Decision {
            customer: profile.primary.to_string(),
            known_to_us: true,
            scores: self.scores(profile),
            segments: decider.segments_of(profile).map(str::to_owned).collect(),
            at: Some(profile.at),
        });
        known.unwrap_or_else(|| Decision {
            customer: id.to_string(),
            known_to_us: false,
            scores: Vec::new(),
            segments: Vec::new(),
            at: None,
        })
    }

    fn ledger(&self) -> Ledger {
        let mut total = LedgerCounts::default();
        let rows = self.reader.ledger().into_iter().map(|(source, line)| {
            let counts = LedgerCounts {
                accepted: line.accepted,
                applied: line.applied,
                deduplicated: line.deduplicated,
                dead_lettered: line.dead_lettered,
                erased: line.erased,
                pending: line.pending(),
            };
            total.accepted += counts.accepted;
            total.applied += counts.applied;
            total.deduplicated += counts.deduplicated;
            total.dead_lettered += counts.dead_lettered;
            total.erased += counts.erased;
            total.pending += counts.pending;
            LedgerRow { source: self.access.name_of(source), counts }
        });
        let sources = rows.collect();
        Ledger { sources, total }
    }
}
