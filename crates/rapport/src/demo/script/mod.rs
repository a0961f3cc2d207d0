//! The made-up company: a seller of gifts to shops and to people, over two years up to now. Its private customers are those of a
//! traffic; all else comes of a seed.
//!
//! The same seed, traffic and day give the same script. Nothing in it names a real person or company, and no address or number
//! in it can be reached: see [`crate::names`].

mod activities;
mod calendar;
mod people;
mod sales;
mod service;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use rapport_records::{
    Fields, Id,
    demo::{Script, StandIn, Tale},
};
use rapport_types::{DAY_MS, Timestamp};
use serde_json::Value;

use self::{calendar::Calendar, people::People, sales::Sales};
use crate::{
    names::{Phones, latin},
    random::Random,
    replay::Customer,
};

/// How long the company is there.
const DAYS: i64 = 730;

/// The pipeline that an installation has, where the company's new business goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pipeline {
    pub(crate) id: Id,
    /// Stages of open deals, in their order, with their probabilities.
    pub(crate) open: Vec<(Id, f64)>,
    pub(crate) won: Id,
    pub(crate) lost: Id,
}

/// What a script is written from.
#[derive(Debug)]
pub(crate) struct Wanted<'w> {
    pub(crate) seed: u64,
    /// The day up to which it is told.
    pub(crate) end: Timestamp,
    /// What the customers' traffic is called.
    pub(crate) traffic: &'w str,
    pub(crate) customers: &'w [Customer],
    /// Contacts that customers have already.
    pub(crate) known: &'w BTreeMap<String, Id>,
    /// None if the installation's own cannot be used.
    pub(crate) pipeline: Option<Pipeline>,
}

/// Writes the script.
pub(crate) fn write(wanted: &Wanted<'_>) -> Script {
    let mut writer = Writer::new(wanted);
    let people = People::tell(&mut writer, wanted);
    let sales = Sales::tell(&mut writer, &people, wanted.pipeline.clone());
    people.tell_leads(&mut writer, &sales);
    let tickets = service::tell(&mut writer, &people);
    activities::tell(&mut writer, &people, &sales, &tickets);
    writer.script
}

/// A script on its way.
struct Writer {
    seed: u64,
    calendar: Calendar,
    script: Script,
    used: BTreeSet<Id>,
    ids: Random,
    phones: Phones,
    /// Who sells, and who answers.
    sellers: Vec<Id>,
    agents: Vec<Id>,
}

/// What the streams of random numbers are for.
#[derive(Debug, Clone, Copy)]
enum Stream {
    Ids,
    Companies,
    Contacts,
    Leads,
    Sales,
    Tickets,
    Activities,
}

impl Writer {
    fn new(wanted: &Wanted<'_>) -> Self {
        let title = format!("A company that does not exist; its customers: {}", wanted.traffic);
        let calendar = Calendar::before(Timestamp(wanted.end.0 - wanted.end.0.rem_euclid(DAY_MS)), DAYS);
        let mut writer = Self {
            seed: wanted.seed,
            calendar,
            script: Script { title, seed: wanted.seed, ..Script::default() },
            used: wanted.known.values().copied().collect(),
            ids: Random::new(wanted.seed, Stream::Ids as u64),
            phones: Phones::default(),
            sellers: Vec::new(),
            agents: Vec::new(),
        };
        writer.sellers = writer.hire(words::SELLERS);
        writer.agents = writer.hire(words::AGENTS);
        writer
    }

    fn stream(&self, of: Stream) -> Random {
        Random::new(self.seed, of as u64)
    }

    /// People of the company, each `first last` or, in Chinese, with the Latin spelling behind `/`.
    fn hire(&mut self, names: &[&str]) -> Vec<Id> {
        let mut hired = Vec::new();
        for name in names {
            let (name, spelled) = name.split_once('/').unwrap_or((name, name));
            let since = self.calendar.begin;
            let id = self.id(since);
            let email = format!("{}@demo.example", latin(spelled).replace('-', "."));
            self.script.people.push(StandIn { id, name: name.to_owned(), email, since });
            hired.push(id);
        }
        hired
    }

    /// An id of an instant that no other record of the script has.
    fn id(&mut self, at: Timestamp) -> Id {
        loop {
            let id = Id(Id::first_at(at).0 | self.ids.below(1 << 20) as i64);
            if self.used.insert(id) {
                return id;
            }
        }
    }

    /// Adds a record. What would happen after the end has not happened yet.
    fn tell(&mut self, object: &str, at: Timestamp, fields: Value, later: Vec<(Timestamp, Value)>) -> Id {
        let id = self.id(at);
        let mut later: Vec<(Timestamp, Fields)> = later
            .into_iter()
            .filter(|(time, _)| *time < self.calendar.end)
            .map(|(time, fields)| (time, fields_of(fields)))
            .collect();
        later.sort_by_key(|(time, _)| *time);
        let mut fields = fields_of(fields);
        fields.retain(|_, value| !value.is_null());
        self.script.tales.push(Tale { object: object.to_owned(), id, at, fields, later });
        id
    }
}

fn fields_of(value: Value) -> Fields {
    let Value::Object(fields) = value else { unreachable!("fields are written as objects") };
    fields
}

#[cfg(test)]
mod tests;
