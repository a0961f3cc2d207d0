//! Changes made together, and how they are taken back.

use std::collections::{HashMap, HashSet};

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, Order, Query};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Access, Change, Desk, Id, RecordsError, Row, Tx,
    desk::Moment,
    edit::{Each, Editor, Given, Outcome},
    feed::{self, Op},
    import, read,
};

/// How many changes are taken back in one transaction.
pub(crate) const STEP: u64 = 5_000;
/// How many records that are kept are told of.
const KEPT: usize = 1_000;

/// Changes that were made together.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Batch {
    /// Its id.
    pub id: Id,
    /// What made it: `edit`, `import`, `merge`, `convert`, `undo`, `demo`, `demo_removal`.
    pub kind: String,
    /// In words.
    pub title: String,
    /// Who.
    pub actor: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// How many records.
    pub changes: i64,
    /// The batch that took it back.
    #[schema(required)]
    pub undone_by: Option<Id>,
}

/// What taking back came to. If it was interrupted and gone on with, that of the last call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Undone {
    /// The batch that holds it.
    pub batch: Id,
    /// How many changes were taken back.
    pub undone: u64,
    /// Records that were changed since by somebody else; they stay as they are. Of many the first.
    pub kept: Vec<Kept>,
    /// How many such there are.
    pub kept_in_all: u64,
    /// Where the merge of two customers was taken back: their ids. Each has a profile of its own again, with all that happened meanwhile.
    #[schema(value_type = Option<Vec<String>>)]
    pub profiles: Option<(String, String)>,
}

/// A record that was not taken back.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
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

/// Notes how many records a batch has changed so far.
pub(crate) fn count(tx: &mut Tx<'_>, id: Id, changes: i64) -> Result<(), RecordsError> {
    let update = Query::update()
        .table(Alias::new("batch"))
        .value(Alias::new("changes"), changes)
        .and_where(Expr::col(Alias::new("id")).eq(id.0))
        .take();
    tx.execute(&update).map(drop)
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
    ///
    /// Up to 5,000 changes are taken back all or none. More are taken back in such steps; if that is interrupted, the same
    /// call goes on with it.
    pub fn undo(&self, access: &Access, batch: Id) -> Result<Undone, RecordsError> {
        let mut undone = Undone::default();
        loop {
            let step = self.write_anew(|moment, tx| {
                let mut undone = undone.clone();
                Ok((step(moment, tx, access, batch, &mut undone)?, undone))
            })?;
            undone = step.1;
            if step.0 == Step::Last {
                return Ok(undone);
            }
        }
    }
}

/// Whether a batch is taken back.
#[derive(PartialEq, Eq)]
enum Step {
    More,
    Last,
}

/// Takes some changes of a batch back, and notes how far that has come.
fn step(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    batch: Id,
    undone: &mut Undone,
) -> Result<Step, RecordsError> {
    let found = find(tx, access, batch)?;
    if crate::demo::is_of_demo(&found.kind) {
        return Err(RecordsError::Conflict(
            "demo data is removed by its own button, and filled in by its own command".to_owned(),
        ));
    }
    let (undo, from) = match (found.undone_by, undone_to(tx, batch)?) {
        (Some(undo), Some(from)) => (undo, from),
        (Some(_), None) => return Err(RecordsError::Conflict("it was taken back already".to_owned())),
        (None, _) => {
            if import::is_running(tx, batch)? {
                return Err(RecordsError::Conflict("the import is at work; stop it first".to_owned()));
            }
            let undo = moment.ids.next(moment.now)?;
            begin(tx, access, undo, "undo", &found.title, moment.now, 0)?;
            (undo, i64::MAX)
        }
    };
    undone.batch = undo;
    let before = undone.undone;
    let last = if found.kind == "merge" {
        crate::merge::unmerge(moment, tx, access, batch, undone)?;
        None
    } else {
        let changes = changes_before(tx, batch, from)?;
        let able = crate::merge::rights_to_take_back(moment, tx, access, batch)?;
        take_back(moment, tx, &able, &changes, undo, undone)?;
        changes.last().filter(|_| changes.len() as u64 == STEP).map(|change| change.seq)
    };
    crate::merge::taken_back(tx, batch, undo, moment.now)?;
    if found.undone_by.is_none()
        && undone.undone == 0
        && let Some(kept) = undone.kept.first()
    {
        return Err(RecordsError::Conflict(format!("nothing of it can be taken back: {}", kept.what)));
    }
    let update = Query::update()
        .table(Alias::new("batch"))
        .value(Alias::new("undone_by"), undo.0)
        .value(Alias::new("undone_to"), last)
        .and_where(feed::column("id").eq(batch.0))
        // Who takes the same batch back at the same time finds that it is further already.
        .and_where(match found.undone_by {
            Some(_) => feed::column("undone_to").eq(from),
            None => feed::column("undone_by").is_null(),
        })
        .take();
    if tx.execute(&update)? == 0 {
        return Err(RecordsError::Conflict("somebody else is taking it back".to_owned()));
    }
    let add = Query::update()
        .table(Alias::new("batch"))
        .value(Alias::new("changes"), feed::column("changes").add((undone.undone - before) as i64))
        .and_where(feed::column("id").eq(undo.0))
        .take();
    tx.execute(&add)?;
    Ok(if last.is_some() { Step::More } else { Step::Last })
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
        let changes = changes_before(tx, batch, before)?;
        let Some(last) = changes.last() else { return Ok(()) };
        before = last.seq;
        work(tx, changes)?;
    }
}

/// How far down the feed a batch is taken back, if that has begun and not ended.
fn undone_to(tx: &mut Tx<'_>, batch: Id) -> Result<Option<i64>, RecordsError> {
    let query = Query::select()
        .column(Alias::new("undone_to"))
        .from(Alias::new("batch"))
        .and_where(feed::column("id").eq(batch.0))
        .take();
    tx.first(&query)?.map_or(Ok(None), |row| row.int_or_none(0))
}

/// Leaves the taking back of a batch as it is between two steps.
#[cfg(test)]
pub(crate) fn stop_half_way(tx: &mut Tx<'_>, batch: Id) -> Result<(), RecordsError> {
    let update = Query::update()
        .table(Alias::new("batch"))
        .values([(Alias::new("undone_by"), batch.0.into()), (Alias::new("undone_to"), i64::MAX.into())])
        .and_where(feed::column("id").eq(batch.0))
        .take();
    tx.execute(&update).map(drop)
}

fn changes_before(tx: &mut Tx<'_>, batch: Id, before: i64) -> Result<Vec<Change>, RecordsError> {
    let mut query = feed::select();
    query
        .and_where(feed::column("batch").eq(batch.0))
        .and_where(feed::column("seq").lt(before))
        .order_by(Alias::new("seq"), Order::Desc)
        .limit(STEP);
    tx.query(&query)?.iter().map(feed::change_of).collect()
}

/// Does the opposite of changes, the newest first. Those of one object are done together, each record once.
pub(crate) fn take_back(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    changes: &[Change],
    undo: Id,
    undone: &mut Undone,
) -> Result<(), RecordsError> {
    let mut left = changes;
    while let Some(first) = left.first() {
        let mut records = HashSet::new();
        let alike = |change: &&Change| change.object == first.object && records.insert(change.record);
        let (some, rest) = left.split_at(left.iter().take_while(alike).count());
        left = rest;
        let mut edits = Vec::with_capacity(some.len());
        let mut sources = Vec::with_capacity(some.len());
        let editor = match Editor::new(moment, access, &first.object, Some(undo)) {
            Ok(editor) => editor,
            Err(error) => {
                some.iter().for_each(|change| undone.keep(change, &error.to_string()));
                continue;
            }
        };
        let versions = versions(tx, undo, some)?;
        for change in some.iter().filter(|change| change.op != Op::Purge) {
            match opposite(&editor, change, versions.get(&change.record).copied().unwrap_or(change.version)) {
                Ok(edit) => {
                    edits.push(edit);
                    sources.push(change);
                }
                Err(error) => undone.keep(change, &error.to_string()),
            }
        }
        let ran = editor.run_each(tx, edits, false)?;
        undone.undone += ran.outcomes.iter().filter(|outcome| **outcome != Outcome::Refused).count() as u64;
        let mut told = None;
        for error in ran.errors.into_iter().filter(|error| told.replace(error.index) != Some(error.index)) {
            undone.keep(sources[error.index], &error.what);
        }
    }
    Ok(())
}

/// The versions that records have which this undo has changed already: they had several changes in the batch.
fn versions(tx: &mut Tx<'_>, undo: Id, changes: &[Change]) -> Result<HashMap<Id, i64>, RecordsError> {
    let mut versions = HashMap::new();
    for chunk in changes.chunks(read::PAGE) {
        let query = Query::select()
            .column(Alias::new("record"))
            .expr(feed::column("version").max())
            .from(Alias::new("change"))
            .and_where(feed::column("batch").eq(undo.0))
            .and_where(feed::column("record").is_in(chunk.iter().map(|change| change.record.0)))
            .group_by_col(Alias::new("record"))
            .take();
        for row in tx.query(&query)? {
            versions.insert(Id(row.int(0)?), row.int(1)?);
        }
    }
    Ok(versions)
}

/// What takes a change back. What was written since by others has a higher version than the one expected.
fn opposite(editor: &Editor<'_, '_>, change: &Change, version: i64) -> Result<Each<'static>, RecordsError> {
    let (id, version) = (change.record, Some(version));
    Ok(match change.op {
        Op::Create | Op::Restore | Op::Purge => Each::Delete(id, version),
        Op::Update | Op::Merge => Each::Update(id, Given::Stuffs(editor.values(&change.before)?), version),
        Op::Delete => Each::Restore(id),
    })
}

impl Undone {
    pub(crate) fn keep(&mut self, change: &Change, what: &str) {
        self.kept_in_all += 1;
        if self.kept.len() < KEPT {
            let (object, id) = (change.object.clone(), change.record);
            self.kept.push(Kept { object, id, what: what.to_owned() });
        }
    }
}
