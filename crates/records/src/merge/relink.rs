//! Records that name one record made to name another, and back. Many at once: a company can have ten thousands of tickets.
//!
//! It does what edits would do, with their lines in the feed, and asks for no permission. Records in the trash are among them:
//! they may come out of it. All that name it are locked until the transaction ends; one that does so no longer by then is left out.

use std::collections::{BTreeMap, BTreeSet};

use sea_query::{Alias, Expr, ExprTrait as _, LockType, Query, SelectStatement};
use serde_json::{Map, Value, json};

use super::MOVES;
use crate::{
    Access, Change, Id, Op, RecordsError, Tx, Undone,
    database::hold,
    desk::Moment,
    edit::replace_relations,
    feed::{self, Line},
    schema::{FieldKind, Object, table_of},
};

/// Records that are changed at once.
const CHUNK: usize = 500;

fn column(name: &str) -> Expr {
    Expr::col(Alias::new(name))
}

/// The fields of an object that hold records of another.
fn fields_to<'o>(object: &'o Object, target: &str, many: bool) -> impl Iterator<Item = &'o str> {
    let names = move |kind: &FieldKind, target: &str| {
        kind.target() == Some(target) && matches!(kind, FieldKind::Relations { .. }) == many
    };
    // Fields that were taken away keep their values, for when they come back.
    let target = target.to_owned();
    object.fields.iter().filter(move |field| names(&field.kind, &target)).map(|field| field.name.as_str())
}

/// Makes everything that names `from` name `to`; how many records that were.
pub(super) fn move_all(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    batch: Id,
    target: &Object,
    (from, to): (Id, Id),
) -> Result<u64, RecordsError> {
    let (mut found, mut moved) = (0, 0);
    for object in moment.schema.objects() {
        let naming = naming(tx, object, target, (from, to))?;
        found += naming.len();
        if found > MOVES {
            let what = format!("more than {MOVES} records name the one that would go; merge it the other way round");
            return Err(RecordsError::Limit(what));
        }
        for chunk in naming.chunks(CHUNK) {
            moved += move_some(moment, tx, access, batch, object, chunk, (from, to))?;
        }
    }
    Ok(moved)
}

/// A record that names the one that goes: its version, and in which fields.
#[derive(Default)]
struct Naming<'o> {
    version: i64,
    fields: BTreeSet<&'o str>,
}

/// The records of an object that name `from`, those aside that are merged. Not many more than can be moved.
fn naming<'o>(
    tx: &mut Tx<'_>,
    object: &'o Object,
    target: &Object,
    (from, to): (Id, Id),
) -> Result<Vec<(Id, Naming<'o>)>, RecordsError> {
    let mut found: BTreeMap<Id, Naming<'o>> = BTreeMap::new();
    let ones = fields_to(object, &target.name, false).map(|field| (field, column(field).eq(from.0)));
    let lists = fields_to(object, &target.name, true).map(|field| {
        let mut members = members(object, field);
        members.clear_selects().column(Alias::new("record")).and_where(column("target").eq(from.0));
        (field, column("id").in_subquery(members))
    });
    for (field, names_it) in ones.chain(lists) {
        let mut query = held(tx, object, names_it.and(column("id").is_not_in([from.0, to.0])));
        for row in tx.query(query.limit(MOVES as u64 + 1))? {
            let naming = found.entry(Id(row.int(0)?)).or_default();
            naming.version = row.int(1)?;
            naming.fields.insert(field);
        }
    }
    Ok(found.into_iter().collect())
}

/// A query of some records and their versions, which are locked by it.
fn held(tx: &Tx<'_>, object: &Object, which: Expr) -> SelectStatement {
    let mut query = Query::select();
    query.columns(["id", "version"].map(Alias::new)).from(Alias::new(table_of(&object.name))).and_where(which);
    hold(tx, &mut query, LockType::NoKeyUpdate);
    query
}

/// Rows of a field that holds many: record, target.
fn members(object: &Object, field: &str) -> SelectStatement {
    Query::select()
        .columns(["record", "target"].map(Alias::new))
        .from(Alias::new("relation"))
        .and_where(column("object").eq(&object.name))
        .and_where(column("field").eq(field))
        .take()
}

/// Has records name `to` where they name `from`; how many did.
fn move_some(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    batch: Id,
    object: &Object,
    naming: &[(Id, Naming<'_>)],
    (from, to): (Id, Id),
) -> Result<u64, RecordsError> {
    let mut values: BTreeMap<Id, Map<String, Value>> = BTreeMap::new();
    let mut before: BTreeMap<Id, Map<String, Value>> = BTreeMap::new();
    let fields: BTreeSet<&str> = naming.iter().flat_map(|(_, naming)| naming.fields.iter().copied()).collect();
    for field in fields {
        let with = naming.iter().filter(|(_, naming)| naming.fields.contains(field));
        let with: Vec<Id> = with.map(|(id, _)| *id).collect();
        let is_list = matches!(
            object.fields.iter().find(|known| known.name == field).map(|known| &known.kind),
            Some(FieldKind::Relations { .. })
        );
        let mut lists: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
        if is_list {
            for row in
                tx.query(&members(object, field).and_where(column("record").is_in(with.iter().map(|id| id.0))).take())?
            {
                lists.entry(Id(row.int(0)?)).or_default().insert(Id(row.int(1)?));
            }
        }
        for id in with {
            let (old, new) = if is_list {
                // The query that locked the record saw its list as it was before it waited for the lock.
                let Some(list) = lists.get(&id).filter(|list| list.contains(&from)) else { continue };
                let new: BTreeSet<Id> = list.iter().map(|id| if *id == from { to } else { *id }).collect();
                (json!(list), json!(new))
            } else {
                (json!(from), json!(to))
            };
            before.entry(id).or_default().insert(field.to_owned(), old);
            values.entry(id).or_default().insert(field.to_owned(), new);
        }
    }
    if values.is_empty() {
        return Ok(0);
    }
    set(moment, tx, access, object, &values)?;
    let versions: BTreeMap<Id, i64> = naming.iter().map(|(id, naming)| (*id, naming.version)).collect();
    let ids: Vec<Id> = values.keys().copied().collect();
    let lines: Vec<Line<'_>> = ids.iter().map(|id| line(object, *id, &versions, &mut before, &mut values)).collect();
    feed::write(tx, access, Some(batch), moment.now, &lines)?;
    Ok(ids.len() as u64)
}

fn line<'o>(
    object: &'o Object,
    id: Id,
    versions: &BTreeMap<Id, i64>,
    before: &mut BTreeMap<Id, Map<String, Value>>,
    after: &mut BTreeMap<Id, Map<String, Value>>,
) -> Line<'o> {
    let taken = |values: &mut BTreeMap<Id, Map<String, Value>>| values.remove(&id).unwrap_or_default();
    let version = versions.get(&id).copied().unwrap_or_default() + 1;
    Line { object: &object.name, record: id, version, op: Op::Update, before: taken(before), after: taken(after) }
}

/// Gives fields that hold records new values.
fn set(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    object: &Object,
    values: &BTreeMap<Id, Map<String, Value>>,
) -> Result<(), RecordsError> {
    let mut equal: BTreeMap<(&str, Id), Vec<Id>> = BTreeMap::new();
    let id_of = |value: &Value| value.as_str().unwrap_or_default().parse::<Id>();
    for (id, fields) in values {
        for (field, value) in fields {
            match value {
                Value::Array(list) => {
                    let list = list.iter().map(id_of).collect::<Result<Vec<_>, _>>()?;
                    replace_relations(tx, &object.name, field, *id, &list)?;
                }
                value => equal.entry((field, id_of(value)?)).or_default().push(*id),
            }
        }
    }
    let of = |ids: &mut dyn Iterator<Item = &Id>| column("id").is_in(ids.map(|id| id.0).collect::<Vec<_>>());
    for ((field, target), ids) in equal {
        let mut update = Query::update();
        update.table(Alias::new(table_of(&object.name))).value(Alias::new(field), target.0);
        tx.execute(update.and_where(of(&mut ids.iter())))?;
    }
    let mut update = Query::update();
    update
        .table(Alias::new(table_of(&object.name)))
        .value(Alias::new("version"), column("version").add(1))
        .value(Alias::new("updated_at"), moment.now.0)
        .value(Alias::new("updated_by"), access.actor.to_string())
        .and_where(of(&mut values.keys()));
    tx.execute(&update).map(drop)
}

/// Makes the records of some changes name what they named before. One that was changed since stays as it is.
pub(super) fn move_back(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    moves: Vec<Change>,
    undone: &mut Undone,
) -> Result<(), RecordsError> {
    let mut by_object: BTreeMap<String, Vec<Change>> = BTreeMap::new();
    for change in moves {
        by_object.entry(change.object.clone()).or_default().push(change);
    }
    for (name, changes) in by_object {
        let Some(object) = moment.schema.object(&name) else { continue };
        for chunk in changes.chunks(CHUNK) {
            let rows = tx.query(&held(tx, object, column("id").is_in(chunk.iter().map(|change| change.record.0))))?;
            let versions = rows.iter().map(|row| Ok((Id(row.int(0)?), row.int(1)?)));
            let versions = versions.collect::<Result<BTreeMap<Id, i64>, RecordsError>>()?;
            let mut values: BTreeMap<Id, Map<String, Value>> = BTreeMap::new();
            let mut before: BTreeMap<Id, Map<String, Value>> = BTreeMap::new();
            for change in chunk {
                if versions.get(&change.record) == Some(&change.version) {
                    values.insert(change.record, change.before.clone());
                    before.insert(change.record, change.after.clone());
                } else {
                    undone.keep(change, "it was changed since and stays as it is");
                }
            }
            if values.is_empty() {
                continue;
            }
            set(moment, tx, access, object, &values)?;
            undone.undone += values.len() as u64;
            let ids: Vec<Id> = values.keys().copied().collect();
            let lines: Vec<Line<'_>> =
                ids.iter().map(|id| line(object, *id, &versions, &mut before, &mut values)).collect();
            feed::write(tx, access, Some(undone.batch), moment.now, &lines)?;
        }
    }
    Ok(())
}
