//! Tickets: who asks, how soon somebody answers, how it ends, and how content they were.

use rapport_records::Id;
use rapport_types::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use serde_json::{Value, json};

use super::{
    Stream, Writer,
    calendar::days_after,
    people::{Contact, People},
    words::{TICKETS, Topic},
};
use crate::random::Random;

const COUNT: usize = 2_000;
/// How long after it is solved a ticket is closed.
const CLOSED_AFTER: i64 = 7 * DAY_MS;

pub(super) struct Ticket {
    pub(super) id: Id,
    pub(super) contact: usize,
    pub(super) at: Timestamp,
    pub(super) owner: Id,
}

pub(super) fn tell(writer: &mut Writer, people: &People) -> Vec<Ticket> {
    let mut random = writer.stream(Stream::Tickets);
    // Who orders more, asks more.
    let mut by_orders: Vec<usize> = (0..people.contacts.len()).collect();
    by_orders.sort_by_key(|place| std::cmp::Reverse(people.contacts[*place].orders));
    (0..COUNT)
        .map(|_| {
            let place = by_orders[(random.unit().powi(2) * by_orders.len() as f64) as usize];
            one(writer, people, &mut random, place)
        })
        .collect()
}

fn one(writer: &mut Writer, people: &People, random: &mut Random, place: usize) -> Ticket {
    let contact = &people.contacts[place];
    let drawn = writer.calendar.draw(random, 0.7);
    // A question comes after the customer.
    let at = if drawn > contact.at { drawn } else { days_after(contact.at, random.lognormal(20.0, 1.0), random) };
    let at = if at < writer.calendar.end { at } else { Timestamp(contact.at.0 + HOUR_MS / 2) };
    let topic = topic(random);
    let is_hot = random.chance(topic.heat);
    let priority = match (is_hot, random.below(10)) {
        (true, 0..4) => "urgent",
        (true, _) => "high",
        (false, 0..2) => "low",
        (false, _) => "normal",
    };
    let language = language(&contact.country);
    let fields = json!({
        "subject": topic.subjects[language], "description": topic.texts[language], "status": "new", "priority": priority,
        "channel": random.pick(&["email", "email", "email", "chat", "chat", "web", "web", "phone", "social"]),
        "category": topic.category, "contact": contact.id,
        "company": contact.company.map(|company| people.companies[company].id),
    });
    let owner = *random.pick(&writer.agents);
    let later = course(writer, random, contact, at, priority, owner);
    let id = writer.tell("ticket", at, fields, later);
    Ticket { id, contact: place, at, owner }
}

/// What happens with a ticket.
fn course(
    writer: &Writer,
    random: &mut Random,
    contact: &Contact,
    at: Timestamp,
    priority: &str,
    owner: Id,
) -> Vec<(Timestamp, Value)> {
    let median = match priority {
        "urgent" => 25.0,
        "high" => 70.0,
        "normal" => 190.0,
        _ => 420.0,
    };
    let minutes = random.lognormal(median, 0.9);
    let after = |at: Timestamp, minutes: f64| Timestamp(at.0 + (minutes * MINUTE_MS as f64) as i64 + 1_000);
    let answered = after(at, minutes);
    let mut later = vec![(answered, json!({ "status": "open", "first_response_at": answered, "owner": owner }))];
    let mut worked = answered;
    if random.chance(0.35) {
        worked = after(answered, random.lognormal(90.0, 0.8));
        later.push((worked, json!({ "status": "waiting" })));
        worked = after(worked, random.lognormal(900.0, 0.8));
        later.push((worked, json!({ "status": "open" })));
    }
    // Few stay unsolved for long.
    if random.chance(0.02) && at.0 > writer.calendar.end.0 - 60 * DAY_MS {
        return later;
    }
    let solved = after(worked, random.lognormal(if priority == "urgent" { 180.0 } else { 700.0 }, 1.0));
    later.push((solved, json!({ "status": "solved", "solved_at": solved })));
    if random.chance(0.45) {
        // Those who waited are less content; those who order often are more patient.
        let hours = (solved.0 - at.0) as f64 / HOUR_MS as f64;
        let mood = 4.7 - 0.35 * (1.0 + hours / 6.0).ln() + if contact.orders > 5 { 0.2 } else { 0.0 };
        let said = (mood + (random.unit() + random.unit() - 1.0) * 1.6).round().clamp(1.0, 5.0);
        later.push((after(solved, random.lognormal(400.0, 0.8)), json!({ "satisfaction": said })));
    }
    let closed = Timestamp(later.iter().map(|(at, _)| at.0).max().unwrap_or(solved.0).max(solved.0 + CLOSED_AFTER));
    later.push((Timestamp(closed.0 + 1_000), json!({ "status": "closed" })));
    later
}

fn topic(random: &mut Random) -> &'static Topic {
    let mut left = random.below(TICKETS.iter().map(|topic| topic.weight).sum());
    for topic in TICKETS {
        match left.checked_sub(topic.weight) {
            Some(rest) => left = rest,
            None => return topic,
        }
    }
    &TICKETS[0]
}

/// The place of a country's language in a topic.
fn language(country: &str) -> usize {
    match country {
        "Germany" | "Austria" | "Switzerland" => 1,
        "France" | "Belgium" => 2,
        "China" | "Hong Kong" | "Singapore" => 3,
        _ => 0,
    }
}
