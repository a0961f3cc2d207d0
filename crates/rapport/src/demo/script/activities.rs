//! What people noted, planned and talked about: notes, tasks, calls and meetings, most of them about deals.

use rapport_records::Id;
use rapport_types::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use serde_json::{Value, json};

use super::{
    Stream, Writer,
    calendar::{days_after, in_working_hours},
    people::People,
    sales::{Deal, Sales},
    service::Ticket,
    words::{CALLS, MEETINGS, NOTES, OUTCOMES, PLACES, TASKS},
};
use crate::{names::one_of, random::Random};

const NOTE_COUNT: usize = 1_200;
const TASK_COUNT: usize = 900;
const CALL_COUNT: usize = 850;
const MEETING_COUNT: usize = 360;
/// Letters of a note that are its title.
const TITLE: usize = 80;
/// The share of activities that are about a ticket.
const ABOUT_TICKETS: f64 = 0.2;

pub(super) fn tell(writer: &mut Writer, people: &People, sales: &Sales, tickets: &[Ticket]) {
    let mut told = Told { writer, people, sales, tickets };
    let mut random = told.writer.stream(Stream::Activities);
    for _ in 0..NOTE_COUNT {
        told.note(&mut random);
    }
    for _ in 0..TASK_COUNT {
        told.task(&mut random);
    }
    for _ in 0..CALL_COUNT {
        told.call(&mut random);
    }
    for _ in 0..MEETING_COUNT {
        told.meeting(&mut random);
    }
}

struct Told<'t> {
    writer: &'t mut Writer,
    people: &'t People,
    sales: &'t Sales,
    tickets: &'t [Ticket],
}

/// What an activity is about, and when it is.
struct About {
    fields: Value,
    at: Timestamp,
    /// The contact.
    with: Id,
    name: String,
}

impl Told<'_> {
    fn deal(&self, random: &mut Random) -> &Deal {
        random.pick(&self.sales.deals)
    }

    /// An instant in a deal's life.
    fn within(&self, deal: &Deal, random: &mut Random) -> Timestamp {
        let end = deal.closed.unwrap_or(self.writer.calendar.end);
        let at = Timestamp(deal.at.0 + ((end.0 - deal.at.0) as f64 * random.unit()) as i64);
        let at = in_working_hours(at, random);
        if at > deal.at && at < self.writer.calendar.end { at } else { Timestamp(deal.at.0 + 20 * MINUTE_MS) }
    }

    fn about(&self, random: &mut Random) -> About {
        if random.chance(ABOUT_TICKETS) {
            let ticket = random.pick(self.tickets);
            let contact = &self.people.contacts[ticket.contact];
            let at = days_after(ticket.at, random.unit(), random);
            let at = if at < self.writer.calendar.end { at } else { ticket.at };
            let fields = json!({ "ticket": ticket.id, "contact": contact.id, "owner": ticket.owner });
            return About { fields, at, with: contact.id, name: contact.name.clone() };
        }
        let deal = self.deal(random);
        let (company, contact) = (&self.people.companies[deal.company], &self.people.contacts[deal.contact]);
        let fields = json!({ "deal": deal.id, "company": company.id, "contact": contact.id, "owner": deal.owner });
        let name = if random.chance(0.5) { contact.name.clone() } else { company.name.clone() };
        About { fields, at: self.within(deal, random), with: contact.id, name }
    }

    fn note(&mut self, random: &mut Random) {
        let About { mut fields, at, .. } = self.about(random);
        let body = *random.pick(NOTES);
        let title: String = body.lines().next().unwrap_or(body).chars().take(TITLE).collect();
        put(&mut fields, json!({ "title": title, "body": body }));
        self.writer.tell("note", at, fields, Vec::new());
    }

    /// Most are done by the day on which they are due; some of the last ones are not, and some of those are late.
    fn task(&mut self, random: &mut Random) {
        let About { mut fields, mut at, name, .. } = self.about(random);
        let end = self.writer.calendar.end;
        if random.chance(0.08) {
            // There is always something to do.
            at = at.max(Timestamp(end.0 - (1 + random.below(6 * 24) as i64) * HOUR_MS));
        }
        let due = days_after(at, 1.0 + 9.0 * random.unit(), random);
        let title = format!("{}: {name}", one_of(TASKS, random));
        let more = json!({ "title": title, "status": "open", "due_at": due,
            "priority": random.pick(&["low", "normal", "normal", "normal", "high"]) });
        put(&mut fields, more);
        let done =
            Timestamp(due.0 + ((random.unit() - 0.7) * 36.0 * HOUR_MS as f64) as i64).max(Timestamp(at.0 + HOUR_MS));
        let later = if random.chance(0.97) || due.0 < end.0 - 20 * DAY_MS {
            vec![(done, json!({ "status": "done", "done_at": done }))]
        } else {
            Vec::new()
        };
        self.writer.tell("task", at, fields, later);
    }

    fn call(&mut self, random: &mut Random) {
        let About { mut fields, at, name, .. } = self.about(random);
        let outcome = *random.pick(&["reached", "reached", "reached", "no_answer", "voicemail"]);
        let minutes = if outcome == "reached" { random.lognormal(7.0, 0.7).round().clamp(1.0, 75.0) } else { 1.0 };
        let more = json!({ "title": format!("{}: {name}", one_of(CALLS, random)), "called_at": at, "minutes": minutes,
            "direction": random.pick(&["outbound", "outbound", "inbound"]), "outcome": outcome });
        put(&mut fields, more);
        self.writer.tell("call", at, fields, Vec::new());
    }

    /// Some are in the days to come.
    fn meeting(&mut self, random: &mut Random) {
        let About { mut fields, at, with, name } = self.about(random);
        let end = self.writer.calendar.end;
        let starts = if random.chance(0.05) {
            days_after(end, 1.0 + 12.0 * random.unit(), random)
        } else {
            days_after(at, 2.0 + 8.0 * random.unit(), random)
        };
        let starts = Timestamp(starts.0 - starts.0 % (30 * MINUTE_MS));
        let at = if random.chance(0.5) {
            at
        } else {
            Timestamp(at.0.max(starts.0.min(end.0) - 9 * DAY_MS).min(end.0 - HOUR_MS))
        };
        let more = json!({ "title": format!("{}: {name}", one_of(MEETINGS, random)), "starts_at": starts,
            "ends_at": Timestamp(starts.0 + *random.pick(&[30, 45, 60, 90]) * MINUTE_MS), "location": one_of(PLACES, random),
            "attendees": [with] });
        put(&mut fields, more);
        let outcome = json!({ "outcome": one_of(OUTCOMES, random) });
        let written = Timestamp(starts.0.max(at.0) + 2 * HOUR_MS);
        self.writer.tell("meeting", at, fields, vec![(written, outcome)]);
    }
}

fn put(fields: &mut Value, more: Value) {
    if let (Value::Object(fields), Value::Object(more)) = (fields, more) {
        fields.extend(more);
    }
}
