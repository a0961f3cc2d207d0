//! Demo data: a company that does not exist, to look at what Rapport does; filled in one transaction, removed by one call.
//!
//! What the company is stands in a [`Script`], which whoever runs the demo writes. Its records come with their past
//! (`crate::edit::Past`), which no request can do: it takes the installation's own files. They are made by the actor `demo`,
//! and the log of events is not told of them, since what was made up must not teach a model.
//!
//! Removing (`remove`) takes away what the script brought for good, history included, in steps; an interrupted removal is gone
//! on with. What people have changed since, and what such records or other people's records name, stays.
//!
//! There is one demo at a time. A batch of the kind `demo` stands for it.

mod fill;
mod remove;

use std::collections::BTreeSet;

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, Order, Query};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Access, Actor, Desk, Fields, Id, RecordsError, Tx, feed::column, schema::Schema};

pub use crate::people::StandIn;

/// What the batch of a demo is called.
pub(crate) const KIND: &str = "demo";
/// What the batch of its removal is called.
pub(crate) const REMOVAL: &str = "demo_removal";

/// A record with its past.
#[derive(Debug, Clone, PartialEq)]
pub struct Tale {
    /// The object.
    pub object: String,
    /// The record's id. Where a record has it, left over from an earlier demo, that one stays as it is.
    pub id: Id,
    /// When it was made.
    pub at: Timestamp,
    /// What it was made with; `owner` may be among it.
    pub fields: Fields,
    /// What it was changed to, in the order of time.
    pub later: Vec<(Timestamp, Fields)>,
}

/// What a demo is made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Script {
    /// What it is, in words.
    pub title: String,
    /// What it was generated from.
    pub seed: u64,
    /// The people who own its records. Nobody can sign in as one of them.
    pub people: Vec<StandIn>,
    /// Its records. Of one object, those that others name come first.
    pub tales: Vec<Tale>,
}

/// How it stands with the demo data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DemoState {
    /// It is there.
    Filled,
    /// It is being removed; an interrupted removal goes on with the next start, or when it is asked for again.
    Removing,
    /// It was removed.
    Removed,
}

/// The newest demo data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Demo {
    /// How it stands with it.
    pub state: DemoState,
    /// What it is, in words.
    pub title: String,
    /// What it was generated from.
    pub seed: u64,
    /// Since when it is there.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// How many records it brought.
    pub records: u64,
    /// How many of them were removed.
    pub removed: u64,
    /// How many stay, because people have changed them or name them; known once it was removed.
    pub kept: u64,
}

/// What is kept of a demo beside its batch.
#[derive(Debug, Default, Serialize, Deserialize)]
struct About {
    seed: u64,
    people: Vec<Id>,
    #[serde(default)]
    kept: u64,
}

/// A demo as it stands in the database.
struct Found {
    batch: Id,
    removal: Option<Id>,
    about: About,
    demo: Demo,
}

impl Desk {
    /// The newest demo data; none if there never was any.
    pub fn demo(&self, _: &Access) -> Result<Option<Demo>, RecordsError> {
        self.read(|_, tx| Ok(newest(tx)?.map(|found| found.demo)))
    }
}

/// Whose name stands behind what a demo does.
fn access() -> Access {
    Access::of_system(Actor::Demo)
}

/// Whether there is demo data that was not removed, or not all of it.
pub(crate) fn is_there(tx: &mut Tx<'_>) -> Result<bool, RecordsError> {
    Ok(newest(tx)?.is_some_and(|found| found.demo.state != DemoState::Removed))
}

fn newest(tx: &mut Tx<'_>) -> Result<Option<Found>, RecordsError> {
    let query = Query::select()
        .columns(["id", "title", "at", "changes", "undone_by", "undone_to", "about"].map(Alias::new))
        .from(Alias::new("batch"))
        .and_where(column("kind").eq(KIND))
        .order_by(Alias::new("id"), Order::Desc)
        .limit(1)
        .take();
    let Some(row) = tx.first(&query)? else { return Ok(None) };
    let batch = Id(row.int(0)?);
    let removal = row.int_or_none(4)?.map(Id);
    let damaged = |_| RecordsError::Damaged { what: format!("what is kept of the demo {batch}") };
    let about: About = serde_json::from_str(row.text(6)?).map_err(damaged)?;
    let state = match (removal, row.int_or_none(5)?) {
        (None, _) => DemoState::Filled,
        (Some(_), Some(_)) => DemoState::Removing,
        (Some(_), None) => DemoState::Removed,
    };
    let demo = Demo {
        state,
        title: row.text(1)?.to_owned(),
        seed: about.seed,
        since: Timestamp(row.int(2)?),
        records: row.int(3)? as u64,
        removed: removal.map_or(Ok(0), |removal| changes_of(tx, removal))?,
        kept: about.kept,
    };
    Ok(Some(Found { batch, removal, about, demo }))
}

fn changes_of(tx: &mut Tx<'_>, batch: Id) -> Result<u64, RecordsError> {
    let query = Query::select()
        .column(Alias::new("changes"))
        .from(Alias::new("batch"))
        .and_where(column("id").eq(batch.0))
        .take();
    tx.first(&query)?.map_or(Ok(0), |row| Ok(row.int(0)? as u64))
}

fn keep_about(tx: &mut Tx<'_>, batch: Id, about: &About) -> Result<(), RecordsError> {
    let text = serde_json::to_string(about).map_err(|error| RecordsError::Database(error.to_string()))?;
    let update = Query::update()
        .table(Alias::new("batch"))
        .value(Alias::new("about"), text)
        .and_where(Expr::col(Alias::new("id")).eq(batch.0))
        .take();
    tx.execute(&update).map(drop)
}

/// All objects, each behind those that its fields name. Where objects name one another in a circle, somewhere in it one is not.
fn in_order(schema: &Schema) -> Vec<&str> {
    fn visit<'s>(schema: &'s Schema, name: &'s str, seen: &mut BTreeSet<&'s str>, order: &mut Vec<&'s str>) {
        let Some(object) = schema.object(name).filter(|_| seen.insert(name)) else { return };
        object
            .live_fields()
            .filter_map(|field| field.kind.target())
            .for_each(|target| visit(schema, target, seen, order));
        order.push(name);
    }
    let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
    schema.objects().for_each(|object| visit(schema, &object.name, &mut seen, &mut order));
    order
}

/// Whether a batch is a demo, or the removal of one, which are not taken back as other batches are.
pub(crate) fn is_of_demo(kind: &str) -> bool {
    kind == KIND || kind == REMOVAL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_comes_before_what_names_it() {
        let schema = Schema::builtin();
        let order = in_order(&schema);
        assert_eq!(order.len(), schema.objects().count());
        let place = |name: &str| order.iter().position(|other| *other == name).unwrap();
        for object in schema.objects() {
            for target in object.live_fields().filter_map(|field| field.kind.target()) {
                assert!(target == object.name || place(target) < place(&object.name), "{target}, {}", object.name);
            }
        }
    }
}
