//! Products, pipelines and deals: how each deal went through its stages, and how it ended.

use rapport_records::Id;
use rapport_types::{DAY_MS, HOUR_MS, Timestamp};
use serde_json::{Value, json};

use super::{
    Pipeline, Stream, Writer,
    calendar::{day, days_after, month_of, year_of},
    people::People,
    words::{LOST, NEXT_STEPS, PRODUCTS, TOPICS, TOPICS_ZH},
};
use crate::{names::one_of, random::Random};

/// Deals of new business, and renewals of contracts.
const NEW_DEALS: usize = 620;
const RENEWALS: usize = 180;
/// Which part of them is won.
const WON: f64 = 0.34;
const RENEWED: f64 = 0.78;

/// How a deal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    Won,
    Lost,
}

pub(super) struct Deal {
    pub(super) id: Id,
    pub(super) at: Timestamp,
    /// When it ended, if it has.
    pub(super) closed: Option<Timestamp>,
    /// Places of the company and the contact.
    pub(super) company: usize,
    pub(super) contact: usize,
    pub(super) owner: Id,
    pub(super) amount: f64,
    /// Whether it is new business.
    pub(super) is_new: bool,
}

pub(super) struct Sales {
    pub(super) deals: Vec<Deal>,
}

impl Sales {
    pub(super) fn tell(writer: &mut Writer, people: &People, pipeline: Option<Pipeline>) -> Self {
        let mut random = writer.stream(Stream::Sales);
        let products = products(writer);
        let sales = match pipeline {
            Some(pipeline) => pipeline,
            None => make(
                writer,
                "Sales",
                (1, 1),
                &[("New", 10.0), ("Qualified", 25.0), ("Proposal", 50.0), ("Negotiation", 75.0)],
            ),
        };
        let renewals = make(writer, "Renewals", (2, 11), &[("Due", 60.0), ("Talks", 75.0), ("Contract sent", 90.0)]);
        let mut deals = Vec::with_capacity(NEW_DEALS + RENEWALS);
        for number in 0..NEW_DEALS + RENEWALS {
            let is_new = number < NEW_DEALS;
            let pipeline = if is_new { &sales } else { &renewals };
            let deal = Course::draw(writer, people, &mut random, is_new).tell(
                writer,
                people,
                &mut random,
                pipeline,
                &products,
            );
            deals.push(deal);
        }
        Self { deals }
    }
}

fn products(writer: &mut Writer) -> Vec<Id> {
    let at = Timestamp(writer.calendar.begin.0 + HOUR_MS);
    // A product of the demo of another day may have stayed; numbers of goods are there once.
    let series = format!("DEMO-{}-{}", writer.seed, writer.calendar.end.0 / DAY_MS);
    let tell = |(place, (name, category, price)): (usize, &(&str, &str, f64))| {
        let fields = json!({ "name": name, "category": category, "price": { "amount": price, "currency": "GBP" },
            "sku": format!("{series}-{:02}", place + 1), "active": true });
        writer.tell("product", at, fields, Vec::new())
    };
    PRODUCTS.iter().enumerate().map(tell).collect()
}

/// A pipeline of the company's own, at its place and with the place of its first stage. The stages that end a deal are called by the pipeline, so that a name leads to one stage.
fn make(writer: &mut Writer, name: &str, (position, first): (usize, usize), open: &[(&str, f64)]) -> Pipeline {
    let at = writer.calendar.begin;
    let id = writer.tell("pipeline", at, json!({ "name": name, "position": position }), Vec::new());
    let (won, lost) = if name == "Sales" { ("Won", "Lost") } else { ("Renewed", "Not renewed") };
    let mut stage = |place: usize, name: &str, probability: f64, outcome: &str| {
        let fields = json!({ "name": name, "pipeline": id, "position": first + place, "probability": probability, "outcome": outcome,
            "rotting_days": (outcome == "open").then_some(21) });
        writer.tell("stage", at, fields, Vec::new())
    };
    let stages = open.iter().enumerate().map(|(place, (name, chance))| (stage(place, name, *chance, "open"), *chance));
    let open: Vec<(Id, f64)> = stages.collect();
    let (won, lost) = (stage(open.len(), won, 100.0, "won"), stage(open.len() + 1, lost, 0.0, "lost"));
    Pipeline { id, open, won, lost }
}

/// How a deal will go.
struct Course {
    company: usize,
    contact: usize,
    at: Timestamp,
    /// How it will end, if nothing comes between.
    end: Closed,
    days: f64,
    amount: f64,
    is_new: bool,
}

impl Course {
    fn draw(writer: &Writer, people: &People, random: &mut Random, is_new: bool) -> Self {
        let company = random.below(people.companies.len() as u64) as usize;
        let at = writer.calendar.draw(random, 0.05);
        let contact = people.of(company, at, random);
        // Nobody deals with a company before it is known; what was drawn too early begins soon after.
        let known = people.since(company, contact);
        let at = if at > known { at } else { days_after(known, random.lognormal(12.0, 0.8), random) };
        let at = if at < writer.calendar.end { at } else { Timestamp(known.0 + HOUR_MS / 2) };
        let amount = if is_new { random.lognormal(4_200.0, 0.85) } else { random.lognormal(7_500.0, 0.7) };
        let amount = (amount / 10.0).round() * 10.0;
        // Large deals are won less often, and take longer.
        let size = (amount / 4_200.0).ln();
        let chance = if is_new { WON - 0.04 * size } else { RENEWED };
        let end = if random.chance(chance) { Closed::Won } else { Closed::Lost };
        let days = match (is_new, end) {
            (true, Closed::Won) => random.lognormal(38.0, 0.5) * (1.0 + 0.1 * size.max(0.0)),
            (true, Closed::Lost) => random.lognormal(30.0, 0.7),
            (false, _) => random.lognormal(26.0, 0.4),
        };
        Self { company, contact, at, end, days, amount, is_new }
    }

    fn tell(
        self,
        writer: &mut Writer,
        people: &People,
        random: &mut Random,
        pipeline: &Pipeline,
        products: &[Id],
    ) -> Deal {
        let company = &people.companies[self.company];
        let name = format!("{} – {}", company.name, self.topic(random, company.land.name));
        let owner = if random.chance(0.85) { company.owner } else { *random.pick(&writer.sellers) };
        let money = |amount: f64| json!({ "amount": amount, "currency": company.land.currency });
        // Fewer stages are gone through by what is lost.
        let reached = match self.end {
            Closed::Won => pipeline.open.len(),
            Closed::Lost => 1 + random.below(pipeline.open.len() as u64) as usize,
        };
        let ends = days_after(self.at, self.days, random);
        let expected = Timestamp(self.at.0 + ((self.days * (0.7 + 0.5 * random.unit())) as i64 + 7) * DAY_MS);
        let (stage, probability) = pipeline.open[0];
        let source = *random.pick(&["web", "referral", "event", "outbound", "partner", "advertising"]);
        let fields = json!({
            "name": name, "amount": money(self.amount), "pipeline": pipeline.id, "stage": stage, "probability": probability,
            "close_date": day(expected), "company": company.id, "contact": people.contacts[self.contact].id,
            "product": random.pick(products), "source": self.is_new.then_some(source), "owner": owner,
            "next_step": one_of(NEXT_STEPS, random),
        });
        let mut later: Vec<(Timestamp, Value)> = Vec::new();
        for (place, (stage, probability)) in pipeline.open.iter().enumerate().take(reached).skip(1) {
            let part = place as f64 / reached as f64 * (0.8 + 0.3 * random.unit());
            let moved = Timestamp(self.at.0 + ((ends.0 - self.at.0) as f64 * part) as i64);
            let mut change = json!({ "stage": stage, "probability": probability });
            if random.chance(0.35) {
                change["next_step"] = json!(one_of(NEXT_STEPS, random));
            }
            if place + 1 == reached && random.chance(0.4) {
                let better = (self.amount * (0.85 + 0.3 * random.unit()) / 10.0).round() * 10.0;
                change["amount"] = money(better);
            }
            later.push((moved, change));
        }
        let is_over = ends < writer.calendar.end;
        if is_over {
            later.push((ends, self.ending(random, pipeline, ends)));
        } else {
            later.extend(self.delay(writer, random, expected));
        }
        let id = writer.tell("deal", self.at, fields, later);
        let closed = is_over.then_some(ends);
        let Self { company, contact, at, amount, is_new, .. } = self;
        Deal { id, at, closed, company, contact, owner, amount, is_new }
    }

    fn topic(&self, random: &mut Random, country: &str) -> String {
        if !self.is_new {
            return format!("contract {}", year_of(self.at) + 1);
        }
        let season = (month_of(self.at) as usize - 1) / 3;
        let list = if country == "China" { TOPICS_ZH[season] } else { TOPICS[season] };
        format!("{} {}", one_of(list, random), year_of(self.at))
    }

    fn ending(&self, random: &mut Random, pipeline: &Pipeline, at: Timestamp) -> Value {
        let mut change = json!({ "closed_at": at, "close_date": day(at), "next_step": null });
        let (stage, probability) = match self.end {
            Closed::Won => (pipeline.won, 100.0),
            Closed::Lost => (pipeline.lost, 0.0),
        };
        change["stage"] = json!(stage);
        change["probability"] = json!(probability);
        if self.end == Closed::Lost {
            change["lost_reason"] = json!(one_of(LOST, random));
        }
        change
    }

    /// Who sells puts off what was expected by now, most of the time.
    fn delay(&self, writer: &Writer, random: &mut Random, expected: Timestamp) -> Option<(Timestamp, Value)> {
        let end = writer.calendar.end;
        if expected.0 > end.0 + 2 * DAY_MS || random.chance(0.15) {
            return None;
        }
        let put_off = Timestamp(end.0.midpoint(self.at.0.max(end.0 - 12 * DAY_MS)));
        let later = Timestamp(end.0 + (7 + random.below(50) as i64) * DAY_MS);
        Some((put_off, json!({ "close_date": day(later) })))
    }
}
