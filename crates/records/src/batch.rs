//! Changes made together, and how they are taken back.

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, Order, Query};
use serde::Serialize;

use crate::{
    Access, Change, Desk, Edit, Id, RecordsError, Row, Tx,
    desk::Moment,
    edit::Editor,
    feed::{self, Op},
    read,
};

/// How many changes are taken back in one step.
const STEP: u64 = 500;

/// Changes that were made together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Batch {
    /// Its id.
    pub id: Id,
    /// What made it: `edit`, `import`, `merge`, `undo`.
    pub kind: String,
    /// In words.
    pub title: String,
    /// Who.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// How many records.
    pub changes: i64,
    /// The batch that took it back.
    pub undone_by: Option<Id>,
}

/// What taking back came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Undone {
    /// The batch that holds it.
    pub batch: Id,
    /// How many changes were taken back.
    pub undone: u64,
    /// Records that were changed since by somebody else; they stay as they are.
    pub kept: Vec<Kept>,
}

/// A record that was not taken back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kept {
    /// The object.
    pub object: String,
    /// The record.
    pub id: Id,
    /// Why.
    pub what: String,
}

const COLUMNS: [&str; 7] = ["id", "kind", "title", "actor", "at", "changes", "undone_by"];

/// Notes a batch.
pub(crate) fn begin(
    tx: &mut Tx<'_>,
    access: &Access,
    id: Id,
    kind: &str,
    title: &str,
    now: Timestamp,
    changes: i64,
) -> Result<(), RecordsError> {
    let insert = Query::insert()
        .into_table(Alias::new("batch"))
        .columns(COLUMNS[..6].iter().map(|name| Alias::new(*name)))
        .values_panic([
            id.0.into(),
            kind.into(),
            title.into(),
            access.actor.to_string().into(),
            now.0.into(),
            changes.into(),
        ])
        .take();
    tx.execute(&insert).map(drop)
}

fn batch_of(row: &Row) -> Result<Batch, RecordsError> {
    Ok(Batch {
        id: Id(row.int(0)?),
        kind: row.text(1)?.to_owned(),
        title: row.text(2)?.to_owned(),
        actor: row.text(3)?.to_owned(),
        at: Timestamp(row.int(4)?),
        changes: row.int(5)?,
        undone_by: row.int_or_none(6)?.map(Id),
    })
}

impl Desk {
    /// The newest batches: the caller's own, or all for administrators.
    pub fn batches(&self, access: &Access, limit: u64) -> Result<Vec<Batch>, RecordsError> {
        self.read(|_, tx| {
            let mut query = Query::select();
            query
                .columns(COLUMNS.map(Alias::new))
                .from(Alias::new("batch"))
                .order_by(Alias::new("id"), Order::Desc)
                .limit(limit.clamp(1, 500));
            if !access.is_administrator() {
                query.and_where(feed::column("actor").eq(access.actor.to_string()));
            }
            tx.query(&query)?.iter().map(batch_of).collect()
        })
    }

    /// Takes a batch back, the last change first. A record that was changed since keeps what it has now, and is told of.
    /// Needs the same permissions as the changes themselves.
    pub fn undo(&self, access: &Access, batch: Id) -> Result<Undone, RecordsError> {
        self.write(|moment, tx| {
            let found = find(tx, access, batch)?;
            if found.undone_by.is_some() {
                return Err(RecordsError::Conflict("it was taken back already".to_owned()));
            }
            let undo = moment.ids.next(moment.now)?;
            let mut undone = Undone { batch: undo, undone: 0, kept: Vec::new() };
            if found.kind == "merge" {
                crate::merge::unmerge(moment, tx, access, batch, &mut undone)?;
            } else {
                each_step(tx, batch, |tx, changes| {
                    changes.iter().try_for_each(|change| take_back(moment, tx, access, change, undo, &mut undone))
                })?;
            }
            begin(tx, access, undo, "undo", &found.title, moment.now, undone.undone as i64)?;
            let update = Query::update()
                .table(Alias::new("batch"))
                .value(Alias::new("undone_by"), undo.0)
                .and_where(Expr::col(Alias::new("id")).eq(batch.0))
                .take();
            tx.execute(&update)?;
            Ok(undone)
        })
    }
}

fn find(tx: &mut Tx<'_>, access: &Access, batch: Id) -> Result<Batch, RecordsError> {
    let query = Query::select()
        .columns(COLUMNS.map(Alias::new))
        .from(Alias::new("batch"))
        .and_where(feed::column("id").eq(batch.0))
        .take();
    let found = tx.first(&query)?.map(|row| batch_of(&row)).transpose()?;
    let found = found.filter(|batch| access.is_administrator() || batch.actor == access.actor.to_string());
    found.ok_or_else(|| RecordsError::NotFound("there is no such batch of yours".to_owned()))
}

/// Goes through the changes of a batch, the last first.
pub(crate) fn each_step(
    tx: &mut Tx<'_>,
    batch: Id,
    mut work: impl FnMut(&mut Tx<'_>, Vec<Change>) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let mut before = i64::MAX;
    loop {
        let changes = step(tx, batch, before)?;
        let Some(last) = changes.last() else { return Ok(()) };
        before = last.seq;
        work(tx, changes)?;
    }
}

fn step(tx: &mut Tx<'_>, batch: Id, before: i64) -> Result<Vec<Change>, RecordsError> {
    let mut query = feed::select();
    query
        .and_where(feed::column("batch").eq(batch.0))
        .and_where(feed::column("seq").lt(before))
        .order_by(Alias::new("seq"), Order::Desc)
        .limit(STEP);
    tx.query(&query)?.iter().map(feed::change_of).collect()
}

/// Does the opposite of one change. What was written since by others has a higher version than the change left.
pub(crate) fn take_back(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    change: &Change,
    undo: Id,
    undone: &mut Undone,
) -> Result<(), RecordsError> {
    let (id, version) = (change.record, Some(change.version));
    let edit = match change.op {
        Op::Create => Edit::Delete { id, version },
        Op::Update | Op::Merge => Edit::Update { id, fields: change.before.clone(), version },
        Op::Delete => Edit::Restore { id },
        Op::Restore => Edit::Delete { id, version },
        Op::Purge => return Ok(()),
    };
    let object = change.object.clone();
    let attempt = tx.attempt(|tx| Editor::new(moment, access, &object, Some(undo))?.run(tx, vec![edit]));
    match attempt? {
        Ok(_) => undone.undone += 1,
        Err(RecordsError::Rows(mut rows)) if rows.len() == 1 => {
            let what = rows.remove(0).what;
            undone.kept.push(Kept { object, id, what });
        }
        Err(error @ (RecordsError::Forbidden(_) | RecordsError::NotFound(_))) => {
            undone.kept.push(Kept { object, id, what: error.to_string() });
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

const _: () = assert!(STEP as usize <= read::PAGE);
