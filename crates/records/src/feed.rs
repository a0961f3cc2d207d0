//! The feed: a line for each change of a record, written in the change's own transaction.
//!
//! Audit and undo read it backwards; search, live updates, the log of events and the search for duplicates follow it forwards,
//! each with a position of its own. A follower sees lines in an order in which it misses none: in PostgreSQL numbers are given
//! before transactions end, so a follower stops before the oldest transaction that is still at work.

use std::{fmt, str::FromStr, time::Duration};

use parking_lot::{Condvar, Mutex};
use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, OnConflict, Order, Query, SelectStatement, Value as Bound};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{Access, Backend, Id, RecordsError, Row, Tx};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// It was made.
    Create,
    /// Fields were changed.
    Update,
    /// It was put into the trash.
    Delete,
    /// It was taken out of the trash.
    Restore,
    /// Another record was merged into it.
    Merge,
    /// It is gone for good.
    Purge,
}

const OPS: [(Op, &str); 6] = [
    (Op::Create, "create"),
    (Op::Update, "update"),
    (Op::Delete, "delete"),
    (Op::Restore, "restore"),
    (Op::Merge, "merge"),
    (Op::Purge, "purge"),
];

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(OPS.iter().find(|(op, _)| op == self).expect("all are there").1)
    }
}

impl FromStr for Op {
    type Err = RecordsError;

    fn from_str(text: &str) -> Result<Self, RecordsError> {
        let found = OPS.iter().find(|(_, name)| *name == text);
        found.map(|(op, _)| *op).ok_or_else(|| RecordsError::Damaged { what: format!("a change of kind \"{text}\"") })
    }
}

/// A change of a record.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// Its place in the feed; later changes have larger ones.
    pub seq: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who or what: `user:<id>`, `key:<id>`, `import:<id>`, `events`, `demo`, `system`.
    pub actor: String,
    /// From where: the address of the request.
    #[schema(required)]
    pub origin: Option<String>,
    /// What it was done together with.
    #[schema(required)]
    pub batch: Option<Id>,
    /// The object.
    pub object: String,
    /// The record.
    pub record: Id,
    /// The record's version after it.
    pub version: i64,
    /// What was done.
    pub op: Op,
    /// The changed fields before it.
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    pub before: Map<String, Value>,
    /// The changed fields after it.
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    pub after: Map<String, Value>,
}

/// A line that is to be written.
#[derive(Debug)]
pub(crate) struct Line<'l> {
    pub(crate) object: &'l str,
    pub(crate) record: Id,
    pub(crate) version: i64,
    pub(crate) op: Op,
    pub(crate) before: Map<String, Value>,
    pub(crate) after: Map<String, Value>,
}

const COLUMNS: [&str; 10] = ["at", "actor", "origin", "batch", "object", "record", "version", "op", "before", "after"];

/// Writes lines in their order.
pub(crate) fn write(
    tx: &mut Tx<'_>,
    access: &Access,
    batch: Option<Id>,
    now: Timestamp,
    lines: &[Line<'_>],
) -> Result<(), RecordsError> {
    write_dated(tx, access, batch, lines.iter().map(|line| (now, line)))
}

/// Writes lines in their order, each with its own time. Only records that come with their past have more than one.
pub(crate) fn write_dated<'l>(
    tx: &mut Tx<'_>,
    access: &Access,
    batch: Option<Id>,
    lines: impl Iterator<Item = (Timestamp, &'l Line<'l>)>,
) -> Result<(), RecordsError> {
    let text = |fields: &Map<String, Value>| {
        let text = if fields.is_empty() { None } else { Some(serde_json::to_string(fields)) };
        text.transpose().map(Bound::from).map_err(|error| RecordsError::Database(error.to_string()))
    };
    let of_all = OfAll::new(access, batch);
    let rows = lines
        .map(|(at, line)| {
            let what = (line.object, line.record, line.version, line.op);
            Ok(of_all.row(at, what, [text(&line.before)?, text(&line.after)?]))
        })
        .collect::<Result<Vec<_>, RecordsError>>()?;
    tx.insert_rows("change", &COLUMNS, &rows)
}

/// Writes the lines of new records of an object, in their order; of each what it has, as JSON.
pub(crate) fn write_new(
    tx: &mut Tx<'_>,
    access: &Access,
    batch: Option<Id>,
    now: Timestamp,
    object: &str,
    records: Vec<(Id, String)>,
) -> Result<(), RecordsError> {
    let of_all = OfAll::new(access, batch);
    let row = |(record, after): (Id, String)| {
        of_all.row(now, (object, record, 1, Op::Create), [Bound::String(None), after.into()])
    };
    tx.insert_rows("change", &COLUMNS, records.into_iter().map(row))
}

/// What lines that are written together have in common.
struct OfAll {
    actor: String,
    origin: Option<String>,
    batch: Option<Id>,
}

impl OfAll {
    fn new(access: &Access, batch: Option<Id>) -> Self {
        Self { actor: access.actor.to_string(), origin: access.origin.clone(), batch }
    }

    /// A row of [`COLUMNS`]; `what` is the object, the record, its version and what was done, `fields` those before and after.
    fn row(&self, at: Timestamp, what: (&str, Id, i64, Op), fields: [Bound; 2]) -> [Bound; COLUMNS.len()] {
        let ((object, record, version, op), [before, after]) = (what, fields);
        [
            at.0.into(),
            self.actor.clone().into(),
            self.origin.clone().into(),
            self.batch.map(|batch| batch.0).into(),
            object.into(),
            record.0.into(),
            version.into(),
            op.to_string().into(),
            before,
            after,
        ]
    }
}

/// A query of the feed; conditions and order are the caller's.
pub(crate) fn select() -> SelectStatement {
    Query::select().column(Alias::new("seq")).columns(COLUMNS.map(Alias::new)).from(Alias::new("change")).take()
}

pub(crate) fn column(name: &str) -> Expr {
    Expr::col(Alias::new(name))
}

/// A row of [`select`].
pub(crate) fn change_of(row: &Row) -> Result<Change, RecordsError> {
    let fields = |place| match row.text_or_none(place)? {
        None => Ok(Map::new()),
        Some(text) => serde_json::from_str(text)
            .map_err(|_| RecordsError::Damaged { what: format!("change {}", row.int(0).unwrap_or_default()) }),
    };
    Ok(Change {
        seq: row.int(0)?,
        at: Timestamp(row.int(1)?),
        actor: row.text(2)?.to_owned(),
        origin: row.text_or_none(3)?.map(str::to_owned),
        batch: row.int_or_none(4)?.map(Id),
        object: row.text(5)?.to_owned(),
        record: Id(row.int(6)?),
        version: row.int(7)?,
        op: row.text(8)?.parse()?,
        before: fields(9)?,
        after: fields(10)?,
    })
}

/// The lines behind `after`, at most `limit`, that every earlier line is before.
pub(crate) fn follow(tx: &mut Tx<'_>, after: i64, limit: u64) -> Result<Vec<Change>, RecordsError> {
    let mut query = select();
    query.and_where(column("seq").gt(after)).order_by(Alias::new("seq"), Order::Asc).limit(limit);
    settled(tx.backend(), &mut query);
    tx.query(&query)?.iter().map(change_of).collect()
}

/// Leaves out lines behind one whose transaction is still at work.
fn settled(backend: Backend, query: &mut SelectStatement) {
    if backend == Backend::Postgres {
        query.and_where(Expr::cust("xact < pg_snapshot_xmin(pg_current_snapshot())"));
    }
}

/// The newest line that every earlier line is before; 0 if there is none.
pub(crate) fn newest(tx: &mut Tx<'_>) -> Result<i64, RecordsError> {
    let mut query = Query::select();
    query.expr(column("seq").max()).from(Alias::new("change"));
    settled(tx.backend(), &mut query);
    let row = tx.first(&query)?;
    row.map_or(Ok(0), |row| Ok(row.int_or_none(0)?.unwrap_or(0)))
}

/// How far a follower has come; 0 at first.
pub(crate) fn position(tx: &mut Tx<'_>, reader: &str) -> Result<i64, RecordsError> {
    let query = Query::select()
        .column(Alias::new("seq"))
        .from(Alias::new("feed_position"))
        .and_where(column("reader").eq(reader))
        .take();
    tx.first(&query)?.map_or(Ok(0), |row| row.int(0))
}

/// Notes how far a follower has come.
pub(crate) fn set_position(tx: &mut Tx<'_>, reader: &str, seq: i64) -> Result<(), RecordsError> {
    let insert = Query::insert()
        .into_table(Alias::new("feed_position"))
        .columns([Alias::new("reader"), Alias::new("seq")])
        .values_panic([reader.into(), seq.into()])
        .on_conflict(OnConflict::column(Alias::new("reader")).update_column(Alias::new("seq")).to_owned())
        .take();
    tx.execute(&insert).map(drop)
}

/// Wakes those who wait for the next change of this process. Changes of other processes are found by looking now and then.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rings: Mutex<u64>,
    rung: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        *self.rings.lock() += 1;
        self.rung.notify_all();
    }

    /// How often it has rung.
    pub(crate) fn rings(&self) -> u64 {
        *self.rings.lock()
    }

    /// Waits until it has rung more often than `seen`, or until the time is over; how often it has rung.
    pub(crate) fn wait(&self, seen: u64, at_most: Duration) -> u64 {
        let mut rings = self.rings.lock();
        if *rings == seen {
            self.rung.wait_for(&mut rings, at_most);
        }
        *rings
    }
}
