//! Removing: what the demo brought goes for good, step by step.
//!
//! A record stays if somebody has changed it since and it is not in the trash, or if a record that stays names it, and a stage
//! with its pipeline: it is looked at in the same transaction that would take it away. Objects go before those that they name, so that no record ever names one
//! that is gone; what goes takes its history, its keys and its pairs along, and leaves one line in the feed, by which search,
//! lists and duplicates forget it. Everything is decided by what the database holds, so whoever comes after a crash goes on.

use std::{collections::BTreeSet, ops::ControlFlow};

use sea_query::{Alias, Expr, ExprTrait as _, LockType, Order, Query};

use super::{Demo, DemoState, Found, REMOVAL, access, in_order, keep_about, newest};
use crate::{
    Access, Desk, Id, ListQuery, Op, RecordsError, Tx, batch,
    database::hold,
    desk::Moment,
    duplicates,
    feed::column,
    people,
    purge::{self, fields_to},
    read::{self, PAGE},
    record::Record,
    schema::{Object, table_of},
};

/// Who changes records without anybody's wish to keep them.
const NOBODY: [&str; 3] = ["demo", "events", "system"];

impl Desk {
    /// Notes that the demo data is to be removed; [`Desk::go_on_removing_demo`] does the work. For administrators.
    pub fn begin_removing_demo(&self, access: &Access) -> Result<Demo, RecordsError> {
        access.must_be_administrator()?;
        self.write(|moment, tx| {
            let found = newest(tx)?.filter(|found| found.demo.state != DemoState::Removed);
            let found = found.ok_or_else(|| RecordsError::NotFound("there is no demo data".to_owned()))?;
            if found.demo.state == DemoState::Filled {
                let removal = moment.ids.next(moment.now)?;
                batch::begin(tx, access, removal, REMOVAL, &found.demo.title, moment.now, 0)?;
                mark(tx, found.batch, removal, Some(0))?;
            }
            Ok(Demo { state: DemoState::Removing, ..found.demo })
        })
    }

    /// Removes demo data whose removal was begun. `watch` is told how it stands after each step and can interrupt it, to be gone
    /// on with later. None if nothing is being removed.
    pub fn go_on_removing_demo(&self, watch: &dyn Fn(&Demo) -> ControlFlow<()>) -> Result<Option<Demo>, RecordsError> {
        let schema = self.schema();
        let mut order = in_order(&schema);
        order.reverse();
        loop {
            let mut removed = 0;
            for object in &order {
                let mut after = Id(i64::MIN);
                while let Some((last, gone)) = self.write_anew(|moment, tx| step(moment, tx, object, after))? {
                    (after, removed) = (last, removed + gone);
                    match self.read(|_, tx| Ok(newest(tx)?.map(|found| found.demo)))? {
                        Some(demo) if watch(&demo).is_break() => return Ok(Some(demo)),
                        _ => {}
                    }
                }
            }
            // Records of one object that name one another can go only after those that named them.
            if removed == 0 {
                return self.write(|_, tx| end(tx));
            }
        }
    }

    /// Whether a removal was begun and not ended: after a start of Rapport it wants [`Desk::go_on_removing_demo`].
    pub fn is_removing_demo(&self) -> Result<bool, RecordsError> {
        self.read(|_, tx| Ok(at_work(tx)?.is_some()))
    }
}

/// The demo that is being removed, and the batch of its removal.
fn at_work(tx: &mut Tx<'_>) -> Result<Option<(Found, Id)>, RecordsError> {
    let found = newest(tx)?.filter(|found| found.demo.state == DemoState::Removing);
    Ok(found.and_then(|found| found.removal.map(|removal| (found, removal))))
}

/// Notes the removal of a demo, and whether it is at work.
fn mark(tx: &mut Tx<'_>, demo: Id, removal: Id, at_work: Option<i64>) -> Result<(), RecordsError> {
    let update = Query::update()
        .table(Alias::new("batch"))
        .value(Alias::new("undone_by"), removal.0)
        .value(Alias::new("undone_to"), at_work)
        .and_where(column("id").eq(demo.0))
        .take();
    tx.execute(&update).map(drop)
}

/// Looks at some records of an object behind `after`; the last of them, and how many are gone. None if there are no more.
fn step(moment: &Moment<'_>, tx: &mut Tx<'_>, object: &str, after: Id) -> Result<Option<(Id, u64)>, RecordsError> {
    let (Some((found, removal)), Some(object)) = (at_work(tx)?, moment.schema.object(object)) else { return Ok(None) };
    // Two processes that remove take turns: this row is locked until the transaction ends.
    add_changes(tx, removal, 0)?;
    let ids = brought(tx, found.batch, &object.name, after)?;
    let Some(last) = ids.last().copied() else { return Ok(None) };
    let mut held = Query::select();
    held.column(Alias::new("id")).from(Alias::new(table_of(&object.name)));
    hold(tx, held.and_where(column("id").is_in(ids.iter().map(|id| id.0))), LockType::Update);
    tx.query(&held)?;
    let mut records = Vec::with_capacity(ids.len());
    for trash in [false, true] {
        let wanted = ListQuery { ids: Some(ids.clone()), limit: PAGE, trash, ..ListQuery::default() };
        records.extend(read::list(moment, tx, &access(), &object.name, &wanted)?.records);
    }
    let changed = changed_by_people(tx, &ids)?;
    let mut named = named(moment, tx, object, &ids, None)?;
    if object.name == "stage" {
        named.extend(stages_in_use(moment, tx, &records)?);
    }
    let is_theirs = |record: &Record| record.deleted_at.is_none() && changed.contains(&record.id);
    records.retain(|record| !is_theirs(record) && !named.contains(&record.id));
    for record in records.iter().filter(|record| record.deleted_at.is_none()) {
        duplicates::mark(tx, object, record, true)?;
    }
    let gone: Vec<(Id, i64)> = records.iter().map(|record| (record.id, record.version)).collect();
    if gone.is_empty() {
        return Ok(Some((last, 0)));
    }
    purge::purge(moment, tx, &access(), Some(removal), object, &gone)?;
    let of_them = column("record").is_in(gone.iter().map(|(id, _)| id.0)).and(column("op").ne(Op::Purge.to_string()));
    tx.execute(&Query::delete().from_table(Alias::new("change")).and_where(of_them).take())?;
    add_changes(tx, removal, gone.len() as i64)?;
    Ok(Some((last, gone.len() as u64)))
}

/// The next records that the demo brought and that are there.
fn brought(tx: &mut Tx<'_>, batch: Id, object: &str, after: Id) -> Result<Vec<Id>, RecordsError> {
    let query = Query::select()
        .column(Alias::new("record"))
        .from(Alias::new("change"))
        .and_where(column("batch").eq(batch.0))
        .and_where(column("op").eq(Op::Create.to_string()))
        .and_where(column("object").eq(object))
        .and_where(column("record").gt(after.0))
        .order_by(Alias::new("record"), Order::Asc)
        .limit(PAGE as u64)
        .take();
    tx.query(&query)?.iter().map(|row| row.int(0).map(Id)).collect()
}

/// Which of some records somebody has changed.
fn changed_by_people(tx: &mut Tx<'_>, ids: &[Id]) -> Result<BTreeSet<Id>, RecordsError> {
    let query = Query::select()
        .column(Alias::new("record"))
        .distinct()
        .from(Alias::new("change"))
        .and_where(column("record").is_in(ids.iter().map(|id| id.0)))
        .and_where(column("actor").is_not_in(NOBODY))
        .take();
    tx.query(&query)?.iter().map(|row| row.int(0).map(Id)).collect()
}

/// Which of some records another record names that is not in the trash, those of the object `but` aside.
fn named(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    object: &Object,
    ids: &[Id],
    but: Option<&str>,
) -> Result<BTreeSet<Id>, RecordsError> {
    let mut named = BTreeSet::new();
    for (other, field, is_list) in fields_to(moment, object).filter(|(other, ..)| but != Some(other.name.as_str())) {
        let table = Alias::new(table_of(&other.name));
        let of_table = |name: &str| Expr::col((table.clone(), Alias::new(name)));
        let mut query = Query::select();
        query.from(table.clone()).and_where(of_table("deleted_at").is_null());
        let target = if is_list {
            let relation = |name: &str| Expr::col((Alias::new("relation"), Alias::new(name)));
            let joined = relation("record")
                .eq(of_table("id"))
                .and(relation("object").eq(&other.name))
                .and(relation("field").eq(field));
            query.inner_join(Alias::new("relation"), joined);
            relation("target")
        } else {
            of_table(field)
        };
        query.expr(target.clone()).and_where(target.is_in(ids.iter().map(|id| id.0)));
        for row in tx.query(&query)? {
            named.insert(Id(row.int(0)?));
        }
    }
    Ok(named)
}

/// The stages whose pipeline has deals: a deal that stays can still be won and lost.
fn stages_in_use(moment: &Moment<'_>, tx: &mut Tx<'_>, stages: &[Record]) -> Result<BTreeSet<Id>, RecordsError> {
    let Some(pipeline) = moment.schema.object("pipeline") else { return Ok(BTreeSet::new()) };
    let pipeline_of = |stage: &Record| stage.fields.get("pipeline")?.as_str()?.parse::<Id>().ok();
    let pipelines: BTreeSet<Id> = stages.iter().filter_map(pipeline_of).collect();
    let in_use = named(moment, tx, pipeline, &Vec::from_iter(pipelines), Some("stage"))?;
    let stays = stages.iter().filter(|stage| pipeline_of(stage).is_some_and(|pipeline| in_use.contains(&pipeline)));
    Ok(stays.map(|stage| stage.id).collect())
}

fn add_changes(tx: &mut Tx<'_>, batch: Id, more: i64) -> Result<(), RecordsError> {
    let update = Query::update()
        .table(Alias::new("batch"))
        .value(Alias::new("changes"), column("changes").add(more))
        .and_where(column("id").eq(batch.0))
        .take();
    tx.execute(&update).map(drop)
}

/// Notes that all is gone that goes. People of the demo go too, unless a record that stays is theirs.
fn end(tx: &mut Tx<'_>) -> Result<Option<Demo>, RecordsError> {
    let Some((mut found, removal)) = at_work(tx)? else { return Ok(None) };
    people::remove_stand_ins(tx, &found.about.people)?;
    found.about.kept = found.demo.records.saturating_sub(found.demo.removed);
    keep_about(tx, found.batch, &found.about)?;
    mark(tx, found.batch, removal, None)?;
    Ok(newest(tx)?.map(|found| found.demo))
}
