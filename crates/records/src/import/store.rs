//! The table of imports.

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, Order, Query, SelectStatement};
use serde::{Serialize, de::DeserializeOwned};

use super::{Format, Import, Mapping, State, Tally, headers};
use crate::{Access, Id, RecordsError, Row, Tx};

const COLUMNS: [&str; 19] = [
    "id",
    "object",
    "name",
    "format",
    "state",
    "about",
    "mapping",
    "total",
    "position",
    "created",
    "updated",
    "unchanged",
    "failed",
    "error_bytes",
    "actor",
    "batch",
    "message",
    "made_at",
    "started_at",
];

fn column(name: &str) -> Expr {
    Expr::col(Alias::new(name))
}

fn select() -> SelectStatement {
    Query::select().columns(COLUMNS.map(Alias::new)).column(Alias::new("ended_at")).from(Alias::new("import")).take()
}

fn to_text(value: &impl Serialize) -> Result<String, RecordsError> {
    serde_json::to_string(value).map_err(|error| RecordsError::Database(error.to_string()))
}

fn parsed<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

fn import_of(row: &Row) -> Result<Import, RecordsError> {
    let damaged = || RecordsError::Damaged { what: format!("import {}", Id(row.int(0).unwrap_or_default())) };
    let count = |place| row.int(place).map(|count| count as u64);
    Ok(Import {
        id: Id(row.int(0)?),
        object: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        format: Format::of_name(row.text(3)?).ok_or_else(damaged)?,
        state: State::of_name(row.text(4)?).ok_or_else(damaged)?,
        about: parsed(row.text(5)?).ok_or_else(damaged)?,
        mapping: parsed(row.text(6)?).ok_or_else(damaged)?,
        total: count(7)?,
        position: count(8)?,
        tally: Tally { created: count(9)?, updated: count(10)?, unchanged: count(11)?, failed: count(12)? },
        error_bytes: count(13)?,
        actor: row.text(14)?.to_owned(),
        batch: row.int_or_none(15)?.map(Id),
        message: row.text_or_none(16)?.map(str::to_owned),
        made_at: Timestamp(row.int(17)?),
        started_at: row.int_or_none(18)?.map(Timestamp),
        ended_at: row.int_or_none(19)?.map(Timestamp),
    })
}

pub(super) fn insert(tx: &mut Tx<'_>, import: &Import, access: &Access) -> Result<(), RecordsError> {
    let row = vec![
        import.id.0.into(),
        import.object.clone().into(),
        import.name.clone().into(),
        import.format.name().into(),
        import.state.name().into(),
        to_text(&import.about)?.into(),
        to_text(&import.mapping)?.into(),
        headers::fingerprint(&import.about.header).into(),
        (import.total as i64).into(),
        0_i64.into(),
        0_i64.into(),
        0_i64.into(),
        0_i64.into(),
        0_i64.into(),
        0_i64.into(),
        import.actor.clone().into(),
        access.origin.clone().into(),
        import.made_at.0.into(),
    ];
    let columns = [
        "id",
        "object",
        "name",
        "format",
        "state",
        "about",
        "mapping",
        "header",
        "total",
        "position",
        "created",
        "updated",
        "unchanged",
        "failed",
        "error_bytes",
        "actor",
        "origin",
        "made_at",
    ];
    tx.insert_rows("import", &columns, &[row])
}

/// An import, if it is the caller's own or the caller is an administrator.
pub(super) fn find(tx: &mut Tx<'_>, access: &Access, id: Id) -> Result<Import, RecordsError> {
    let found = load(tx, id)?.filter(|import| access.is_administrator() || import.actor == access.actor.to_string());
    found.ok_or_else(not_there)
}

pub(super) fn not_there() -> RecordsError {
    RecordsError::NotFound("there is no such import of yours".to_owned())
}

pub(super) fn load(tx: &mut Tx<'_>, id: Id) -> Result<Option<Import>, RecordsError> {
    tx.first(select().and_where(column("id").eq(id.0)))?.map(|row| import_of(&row)).transpose()
}

/// Where the request that started it came from.
pub(super) fn origin(tx: &mut Tx<'_>, id: Id) -> Result<Option<String>, RecordsError> {
    let query =
        Query::select().column(Alias::new("origin")).from(Alias::new("import")).and_where(column("id").eq(id.0)).take();
    tx.first(&query)?.map_or(Ok(None), |row| Ok(row.text_or_none(0)?.map(str::to_owned)))
}

/// The newest imports: the caller's own, or all for administrators.
pub(super) fn list(tx: &mut Tx<'_>, access: &Access, limit: u64) -> Result<Vec<Import>, RecordsError> {
    let mut query = select();
    query.order_by(Alias::new("id"), Order::Desc).limit(limit.clamp(1, 500));
    if !access.is_administrator() {
        query.and_where(column("actor").eq(access.actor.to_string()));
    }
    tx.query(&query)?.iter().map(import_of).collect()
}

/// The imports that were started and are not over.
pub(super) fn running(tx: &mut Tx<'_>) -> Result<Vec<Id>, RecordsError> {
    let query = Query::select()
        .column(Alias::new("id"))
        .from(Alias::new("import"))
        .and_where(column("state").eq(State::Running.name()))
        .order_by(Alias::new("id"), Order::Asc)
        .take();
    tx.query(&query)?.iter().map(|row| Ok(Id(row.int(0)?))).collect()
}

/// Whether a batch is that of an import at work.
pub(crate) fn is_running(tx: &mut Tx<'_>, batch: Id) -> Result<bool, RecordsError> {
    let query = Query::select()
        .column(Alias::new("id"))
        .from(Alias::new("import"))
        .and_where(column("batch").eq(batch.0))
        .and_where(column("state").eq(State::Running.name()))
        .take();
    Ok(tx.first(&query)?.is_some())
}

/// The mapping of the last import of an object whose file had the same columns.
pub(super) fn remembered(tx: &mut Tx<'_>, object: &str, header: &[String]) -> Result<Option<Mapping>, RecordsError> {
    let query = Query::select()
        .column(Alias::new("mapping"))
        .from(Alias::new("import"))
        .and_where(column("object").eq(object))
        .and_where(column("header").eq(headers::fingerprint(header)))
        .and_where(column("started_at").is_not_null())
        .order_by(Alias::new("id"), Order::Desc)
        .limit(1)
        .take();
    Ok(tx.first(&query)?.and_then(|row| serde_json::from_str(row.text(0).ok()?).ok()))
}

/// Keeps another mapping; refused once the import was started.
pub(super) fn set_mapping(tx: &mut Tx<'_>, id: Id, mapping: &Mapping) -> Result<(), RecordsError> {
    let update = Query::update()
        .table(Alias::new("import"))
        .value(Alias::new("mapping"), to_text(mapping)?)
        .and_where(column("id").eq(id.0))
        .and_where(column("state").eq(State::Uploaded.name()))
        .take();
    changed(tx.execute(&update)?)
}

/// Notes that it was started, by whom, and the batch that its changes belong to.
pub(super) fn start(tx: &mut Tx<'_>, id: Id, batch: Id, access: &Access, now: Timestamp) -> Result<(), RecordsError> {
    let update = Query::update()
        .table(Alias::new("import"))
        .value(Alias::new("state"), State::Running.name())
        .value(Alias::new("batch"), batch.0)
        .value(Alias::new("actor"), access.actor.to_string())
        .value(Alias::new("origin"), access.origin.clone())
        .value(Alias::new("started_at"), now.0)
        .and_where(column("id").eq(id.0))
        .and_where(column("state").eq(State::Uploaded.name()))
        .take();
    changed(tx.execute(&update)?)
}

/// Notes how far it has come. `from` is where the caller thinks it was: another process that works on the same import, or
/// somebody who stopped it, makes this fail, and what the caller wrote with it.
pub(super) fn advance(tx: &mut Tx<'_>, from: u64, import: &Import) -> Result<(), RecordsError> {
    let tally = import.tally;
    let update = Query::update()
        .table(Alias::new("import"))
        .values([
            (Alias::new("position"), (import.position as i64).into()),
            (Alias::new("created"), (tally.created as i64).into()),
            (Alias::new("updated"), (tally.updated as i64).into()),
            (Alias::new("unchanged"), (tally.unchanged as i64).into()),
            (Alias::new("failed"), (tally.failed as i64).into()),
            (Alias::new("error_bytes"), (import.error_bytes as i64).into()),
        ])
        .and_where(column("id").eq(import.id.0))
        .and_where(column("position").eq(from as i64))
        .and_where(column("state").eq(State::Running.name()))
        .take();
    changed(tx.execute(&update)?)
}

/// Ends it, if it is not over yet.
pub(super) fn end(
    tx: &mut Tx<'_>,
    id: Id,
    state: State,
    message: Option<&str>,
    now: Timestamp,
) -> Result<(), RecordsError> {
    let update = Query::update()
        .table(Alias::new("import"))
        .value(Alias::new("state"), state.name())
        .value(Alias::new("message"), message.map(str::to_owned))
        .value(Alias::new("ended_at"), now.0)
        .and_where(column("id").eq(id.0))
        .and_where(column("state").is_in([State::Uploaded.name(), State::Running.name()]))
        .take();
    changed(tx.execute(&update)?)
}

fn changed(rows: u64) -> Result<(), RecordsError> {
    if rows == 1 {
        return Ok(());
    }
    Err(RecordsError::Conflict("the import is in another state now".to_owned()))
}
