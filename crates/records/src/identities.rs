//! A contact and a profile are one customer: what customers' events say of people fills contacts, and what happens to records
//! is told to the log of events.
//!
//! Both ways go by positions that are kept with what was done: identities by the log's offsets, in the transaction that
//! changes the contacts; changes by the feed, after the log has them, with ids by which the log drops repeats.

use std::collections::BTreeMap;

use rapport_types::Timestamp;
use sea_query::{Alias, ExprTrait as _, Order};
use serde_json::{Map, Value, json};

use crate::{
    Access, Change, Desk, Edit, Fields, Id, Op, RecordsError, Tx,
    access::Actor,
    database::can_be_kept,
    desk::Moment,
    edit::Editor,
    feed,
    ground::Ground,
    merge,
    record::{Record, Shape},
    schema::{FieldKind, Object},
    ties, value,
};

/// Who reads the feed for the log.
pub(crate) const READER: &str = "log";
/// How attributes of customers are called in contacts, where it is not the same name.
const NAMES: [(&str, &str); 8] = [
    ("firstName", "first_name"),
    ("lastName", "last_name"),
    ("title", "job_title"),
    ("jobTitle", "job_title"),
    ("phoneNumber", "phone"),
    ("mobile", "phone"),
    ("url", "website"),
    ("dateOfBirth", "birthday"),
];
/// Fields that events do not set: relations and what people decide.
const KEPT: [&str; 4] = ["customer_id", "tags", "lifecycle", "source"];

/// Whose changes the log is not told of: it has what events did already, and what a demo made up must not teach a model.
const UNTOLD: [&str; 2] = ["events", "demo"];

/// What an event says of a known customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// The customer's id.
    pub customer: String,
    /// What is said, as it came.
    pub attributes: Map<String, Value>,
}

/// A change of a record that belongs to a customer's history.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// Its place in the feed.
    pub seq: i64,
    /// The customer's id.
    pub customer: String,
    /// When.
    pub at: Timestamp,
    /// What it is called, such as `Ticket Created`; none for a change of the contact itself, whose fields are attributes.
    pub name: Option<String>,
    /// What changed, by field.
    pub fields: Map<String, Value>,
}

impl Desk {
    /// How far identities were taken from a partition of the log.
    pub fn identities_position(&self, partition: u32) -> Result<u64, RecordsError> {
        self.read(|_, tx| Ok(feed::position(tx, &reader_of(partition))? as u64))
    }

    /// Fills contacts from identities, and notes how far the partition was read. A contact is found by its customer id, or that
    /// of the customer with whom it is one, else by its e-mail address if it has no customer yet, else it is made.
    pub fn take_identities(&self, partition: u32, next: u64, identities: &[Identity]) -> Result<(), RecordsError> {
        if identities.is_empty() {
            return self.note(|tx| feed::set_position(tx, &reader_of(partition), next as i64));
        }
        self.write(|moment, tx| {
            let access = Access::of_system(Actor::Events);
            let (identities, strange): (Vec<_>, Vec<_>) =
                identities.iter().partition(|identity| can_be_kept(&identity.customer));
            if !strange.is_empty() {
                let customers = strange.len();
                tracing::warn!(customers, "customers whose ids have the character U+0000 were not made contacts");
            }
            // The newest word on a customer stands for all of this step.
            let customers: Vec<&str> = identities.iter().map(|identity| identity.customer.as_str()).collect();
            let names = ties::names(tx, &customers)?;
            let mut newest: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
            for identity in identities {
                let customer = names.get(&identity.customer).unwrap_or(&identity.customer);
                newest.entry(customer).or_default().extend(identity.attributes.clone());
            }
            let ground = moment.ground("contact", &access)?;
            // One after the other: two customers may come with the address of one contact, which is the first one's then.
            for (customer, attributes) in newest {
                take(moment, tx, &ground, &access, customer, &fields_of(ground.object, &attributes))?;
            }
            feed::set_position(tx, &reader_of(partition), next as i64)
        })
    }

    /// The next changes that belong to customers' histories, and how far the feed was read for them.
    pub fn happened(&self, limit: u64) -> Result<(Vec<Happened>, i64), RecordsError> {
        self.read(|moment, tx| {
            let position = feed::position(tx, READER)?;
            let changes = feed::follow(tx, position, limit)?;
            let end = changes.last().map_or(position, |change| change.seq);
            let mut happened = Vec::new();
            let mut of_customers: Option<(Id, bool)> = None;
            for change in changes.into_iter().filter(|change| !UNTOLD.contains(&change.actor.as_str())) {
                // That two customers are one, or two again, is told as such, and what follows from it did not happen to them.
                if let Some(batch) = change.batch {
                    let known = of_customers.filter(|(known, _)| *known == batch);
                    let known = known.map_or_else(|| merge::is_of_customers(tx, batch), |(_, known)| Ok(known))?;
                    of_customers = Some((batch, known));
                    if known {
                        continue;
                    }
                }
                happened.extend(happened_of(moment, tx, change)?);
            }
            Ok((happened, end))
        })
    }

    /// Notes that the log has everything up to a place in the feed; whether that is news.
    pub fn told(&self, end: i64) -> Result<bool, RecordsError> {
        if self.read(|_, tx| feed::position(tx, READER))? == end {
            return Ok(false);
        }
        self.note(|tx| feed::set_position(tx, READER, end))?;
        Ok(true)
    }
}

fn reader_of(partition: u32) -> String {
    format!("identities/{partition}")
}

/// The attributes that are fields of a contact, as far as they can be.
fn fields_of(object: &Object, attributes: &Map<String, Value>) -> Fields {
    let mut fields = Fields::new();
    for (name, given) in attributes {
        let name = NAMES.iter().find(|(theirs, _)| theirs == name).map_or(name.as_str(), |(_, ours)| ours);
        let Some(field) = object.field(name).filter(|_| !KEPT.contains(&name)) else { continue };
        let is_plain =
            field.kind.target().is_none() && !matches!(field.kind, FieldKind::User | FieldKind::Formula { .. });
        let given = value::without_nul(given);
        if is_plain && !given.is_null() && value::read(field, &given).is_ok() {
            fields.insert(name.to_owned(), given);
        }
    }
    fields
}

/// Fills a customer's contact. An odd attribute must not stop all others, and is told of in the program's log.
fn take(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    ground: &Ground<'_>,
    access: &Access,
    customer: &str,
    fields: &Fields,
) -> Result<(), RecordsError> {
    // Somebody may have made the contact after it was looked for.
    for is_last in [false, true] {
        let Some(edit) = edit(ground, tx, access, customer, fields.clone())? else { return Ok(()) };
        let done = tx.attempt(|tx| Editor::new(moment, access, "contact", None)?.run(tx, &[edit]))?;
        match done {
            Ok(_) => return Ok(()),
            Err(RecordsError::Taken { .. }) if !is_last => {}
            Err(error) if error.is_passing() => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "a customer was not made a contact");
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What fills a customer's contact; none if there is nothing to fill.
fn edit(
    ground: &Ground<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    customer: &str,
    mut fields: Fields,
) -> Result<Option<Edit>, RecordsError> {
    let mut known = find(ground, tx, access, "customer_id", customer)?;
    if known.is_none()
        && let Some(email) = fields.get("email").and_then(Value::as_str)
    {
        known = find(ground, tx, access, "email", &email.trim().to_lowercase())?
            .filter(|record| !record.fields.contains_key("customer_id"));
    }
    let Some(record) = known else {
        fields.insert("customer_id".to_owned(), json!(customer));
        // An empty text says nothing, and a contact needs a name.
        fields.retain(|_, said| said.as_str().is_none_or(|text| !text.trim().is_empty()));
        if !["name", "first_name", "last_name"].iter().any(|name| fields.contains_key(*name)) {
            let called = fields.get("email").cloned().unwrap_or_else(|| json!(customer));
            fields.insert("name".to_owned(), called);
        }
        return Ok(Some(Edit::Create { fields }));
    };
    if fields.keys().any(|name| record.fields.contains_key(name)) {
        let writers = last_writers(tx, record.id)?;
        let by_people = |name: &String| is_kept(writers.get(name).unwrap_or(&record.updated_by));
        fields.retain(|name, _| !record.fields.contains_key(name) || !by_people(name));
    }
    if !record.fields.contains_key("customer_id") {
        fields.insert("customer_id".to_owned(), json!(customer));
    }
    Ok((!fields.is_empty()).then_some(Edit::Update { id: record.id, fields, version: None }))
}

/// Whose words on a contact stay: what a person wrote is not overwritten by what a form sent, nor the name that a demo gave to
/// a customer without one.
fn is_kept(actor: &str) -> bool {
    actor.starts_with("user:") || actor == "demo"
}

/// Who wrote a record's fields last. Those that a workspace brought are not among them: of these the record itself has the last
/// writer.
fn last_writers(tx: &mut Tx<'_>, record: Id) -> Result<BTreeMap<String, String>, RecordsError> {
    let mut query = feed::select();
    query.and_where(feed::column("record").eq(record.0)).order_by(Alias::new("seq"), Order::Asc);
    let mut writers = BTreeMap::new();
    for row in &tx.query(&query)? {
        let change = feed::change_of(row)?;
        if change.actor != Actor::System.to_string() {
            writers.extend(change.after.into_iter().map(|(name, _)| (name, change.actor.clone())));
        }
    }
    Ok(writers)
}

fn find(
    ground: &Ground<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    field: &str,
    text: &str,
) -> Result<Option<Record>, RecordsError> {
    let mut query = ground.select(access)?;
    let shape = Shape::select(ground, access, None, &mut query)?;
    query.and_where(ground.column(field).eq(text)).order_by_expr(ground.column("id"), Order::Asc).limit(1);
    tx.first(&query)?.map(|row| shape.record(&row)).transpose()
}

/// What a change is in its customer's history; none if it belongs to none.
fn happened_of(moment: &Moment<'_>, tx: &mut Tx<'_>, change: Change) -> Result<Option<Happened>, RecordsError> {
    let Some(object) = moment.schema.object(&change.object) else { return Ok(None) };
    let is_contact = object.name == "contact";
    if !is_contact && object.field("contact").is_none() {
        return Ok(None);
    }
    let access = Access::of_system(Actor::System);
    let contact = if is_contact {
        Some(change.record)
    } else {
        let ground = moment.ground(&object.name, &access)?;
        let mut query = ground.select_any(&access)?;
        query.expr(ground.column("contact")).and_where(ground.column("id").eq(change.record.0));
        tx.first(&query)?.map_or(Ok(None), |row| row.int_or_none(0))?.map(Id)
    };
    let Some(contact) = contact else { return Ok(None) };
    let ground = moment.ground("contact", &access)?;
    let mut query = ground.select_any(&access)?;
    query.expr(ground.column("customer_id")).and_where(ground.column("id").eq(contact.0));
    let row = tx.first(&query)?;
    let Some(customer) = row.as_ref().map_or(Ok(None), |row| row.text_or_none(0))? else { return Ok(None) };
    let word = match change.op {
        Op::Create => "Created",
        Op::Update => "Updated",
        Op::Delete => "Deleted",
        Op::Restore => "Restored",
        Op::Merge => "Merged",
        Op::Purge => return Ok(None),
    };
    let mut fields = change.after;
    let name = if is_contact && matches!(change.op, Op::Create | Op::Update) {
        fields.retain(|name, _| name != "customer_id");
        if fields.is_empty() {
            return Ok(None);
        }
        None
    } else {
        fields.insert("record".to_owned(), json!(change.record));
        Some(format!("{} {word}", object.label.en))
    };
    Ok(Some(Happened { seq: change.seq, customer: customer.to_owned(), at: change.at, name, fields }))
}
