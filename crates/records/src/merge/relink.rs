//! Records that name one record made to name another, and back. Many at once: a company can have ten thousands of tickets.
//!
//! It does what edits would do, with their lines in the feed, and asks for no permission. Records in the trash are among them:
//! they may come out of it.

use std::collections::{BTreeMap, BTreeSet};

use sea_query::{Alias, Expr, ExprTrait as _, LockType, Order, Query, SelectStatement};
use serde_json::{Map, Value, json};

use super::MOVES;
use crate::{
    Access, Backend, Change, Id, Op, RecordsError, Tx, Undone,
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
    let mut moved = 0;
    for object in moment.schema.objects() {
        let mut naming: BTreeMap<Id, BTreeSet<&str>> = BTreeMap::new();
        for field in fields_to(object, &target.name, false) {
            let mut query = Query::select();
            query.column(Alias::new("id")).from(Alias::new(table_of(&object.name))).and_where(column(field).eq(from.0));
            // Who was given another one meanwhile is left out.
            hold(tx, &mut query);
            for row in tx.query(&query)? {
                naming.entry(Id(row.int(0)?)).or_default().insert(field);
            }
        }
        for field in fields_to(object, &target.name, true) {
            for row in tx.query(&members(object, field).and_where(column("target").eq(from.0)).take())? {
                naming.entry(Id(row.int(0)?)).or_default().insert(field);
            }
        }
        if object.name == target.name {
            naming.retain(|id, _| *id != from && *id != to);
        }
        moved += naming.len();
        if moved > MOVES {
            let what = format!("more than {MOVES} records name the one that would go; merge it the other way round");
            return Err(RecordsError::Limit(what));
        }
        let naming: Vec<(Id, BTreeSet<&str>)> = naming.into_iter().collect();
        for chunk in naming.chunks(CHUNK) {
            move_some(moment, tx, access, batch, object, chunk, (from, to))?;
        }
    }
    Ok(moved as u64)
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

fn move_some(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    batch: Id,
    object: &Object,
    naming: &[(Id, BTreeSet<&str>)],
    (from, to): (Id, Id),
) -> Result<(), RecordsError> {
    let ids: Vec<Id> = naming.iter().map(|(id, _)| *id).collect();
    let versions = versions(tx, object, &ids)?;
    let mut values: BTreeMap<Id, Map<String, Value>> = BTreeMap::new();
    let mut before: BTreeMap<Id, Map<String, Value>> = BTreeMap::new();
    let fields: BTreeSet<&str> = naming.iter().flat_map(|(_, fields)| fields.iter().copied()).collect();
    for field in fields {
        let with: Vec<Id> = naming.iter().filter(|(_, fields)| fields.contains(field)).map(|(id, _)| *id).collect();
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
            let (old, new) = match lists.get(&id) {
                Some(list) => {
                    let new: BTreeSet<Id> = list.iter().map(|id| if *id == from { to } else { *id }).collect();
                    (json!(list), json!(new))
                }
                None => (json!(from), json!(to)),
            };
            before.entry(id).or_default().insert(field.to_owned(), old);
            values.entry(id).or_default().insert(field.to_owned(), new);
        }
    }
    set(moment, tx, access, object, &values)?;
    let lines: Vec<Line<'_>> = ids.iter().map(|id| line(object, *id, &versions, &mut before, &mut values)).collect();
    feed::write(tx, access, Some(batch), moment.now, &lines)
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

/// Has a query of records keep everybody from changing them until the transaction ends.
fn hold(tx: &Tx<'_>, query: &mut SelectStatement) {
    if tx.backend() == Backend::Postgres {
        query.order_by(Alias::new("id"), Order::Asc).lock(LockType::NoKeyUpdate);
    }
}

/// The versions of some records, which are locked until the transaction ends.
fn versions(tx: &mut Tx<'_>, object: &Object, ids: &[Id]) -> Result<BTreeMap<Id, i64>, RecordsError> {
    let mut query = Query::select();
    query
        .columns(["id", "version"].map(Alias::new))
        .from(Alias::new(table_of(&object.name)))
        .and_where(column("id").is_in(ids.iter().map(|id| id.0)));
    hold(tx, &mut query);
    tx.query(&query)?.iter().map(|row| Ok((Id(row.int(0)?), row.int(1)?))).collect()
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
            let ids: Vec<Id> = chunk.iter().map(|change| change.record).collect();
            let versions = versions(tx, object, &ids)?;
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
