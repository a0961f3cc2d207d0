//! Rows of new records, with what belongs to them: relations and the keys by which duplicates are found.

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, Query, Value as Bound};
use serde_json::{Map, Value, json};

use super::Stuffs;
use crate::{
    Access, Id, RecordsError, Tx,
    desk::Moment,
    duplicates,
    record::Record,
    schema::{Field, FieldKind, Object, SYSTEM, Stored, currency_column, table_of},
    value::Stuff,
};

/// What a row has beside its fields, its owner and its team.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) id: Id,
    pub(super) version: i64,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// Inserts new records of an object.
pub(crate) fn insert<'s>(
    tx: &mut Tx<'_>,
    moment: &Moment<'_>,
    access: &Access,
    object: &Object,
    records: impl Iterator<Item = (Id, &'s Stuffs)>,
) -> Result<(), RecordsError> {
    let head = |id| Head { id, version: 1, created_at: moment.now, updated_at: moment.now };
    insert_dated(tx, access, object, records.map(|(id, stuffs)| (head(id), stuffs)))
}

/// Inserts records of an object with their versions and times.
pub(super) fn insert_dated<'s>(
    tx: &mut Tx<'_>,
    access: &Access,
    object: &Object,
    records: impl Iterator<Item = (Head, &'s Stuffs)>,
) -> Result<(), RecordsError> {
    let stored: Vec<&Field> = object
        .live_fields()
        .filter(|field| !matches!(field.kind.stored(), Stored::Elsewhere | Stored::Computed))
        .collect();
    let mut columns: Vec<String> = SYSTEM[..8].iter().map(|name| (*name).to_owned()).collect();
    for field in &stored {
        columns.push(field.name.clone());
        if field.kind == FieldKind::Money {
            columns.push(currency_column(&field.name));
        }
    }
    let actor = access.actor.to_string();
    let mut rows = Vec::new();
    let mut relations: Vec<Vec<Bound>> = Vec::new();
    let records: Vec<(Head, &Stuffs)> = records.collect();
    duplicates::add(tx, object, records.iter().map(|(head, stuffs)| (head.id, *stuffs)))?;
    for (head, stuffs) in records {
        let id = head.id;
        let whole = |name: &str| stuffs.get(name).map_or(Bound::BigInt(None), Stuff::bound);
        let mut row: Vec<Bound> = vec![
            id.0.into(),
            head.version.into(),
            head.created_at.0.into(),
            actor.clone().into(),
            head.updated_at.0.into(),
            actor.clone().into(),
            whole("owner"),
            whole("team"),
        ];
        for field in &stored {
            let stuff = stuffs.get(&field.name).unwrap_or(&Stuff::Nothing);
            row.push(stuff.bound());
            if field.kind == FieldKind::Money {
                row.push(if let Stuff::Money(_, currency) = stuff {
                    currency.clone().into()
                } else {
                    Bound::String(None)
                });
            }
        }
        rows.push(row);
        for (name, stuff) in stuffs {
            if let Stuff::Ids(ids) = stuff {
                relations.extend(ids.iter().map(|target| relation(&object.name, name, id, *target)));
            }
        }
    }
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    tx.insert_rows(&table_of(&object.name), &columns, &rows)?;
    tx.insert_rows("relation", &["object", "field", "record", "target"], &relations)
}

fn relation(object: &str, field: &str, record: Id, target: Id) -> Vec<Bound> {
    vec![object.into(), field.into(), record.0.into(), target.0.into()]
}

pub(crate) fn replace_relations(
    tx: &mut Tx<'_>,
    object: &str,
    field: &str,
    record: Id,
    targets: &[Id],
) -> Result<(), RecordsError> {
    let column = |name: &str| Expr::col(Alias::new(name));
    let delete = Query::delete()
        .from_table(Alias::new("relation"))
        .and_where(column("object").eq(object))
        .and_where(column("field").eq(field))
        .and_where(column("record").eq(record.0))
        .take();
    tx.execute(&delete)?;
    let rows: Vec<Vec<Bound>> = targets.iter().map(|target| relation(object, field, record, *target)).collect();
    tx.insert_rows("relation", &["object", "field", "record", "target"], &rows)
}

/// What a record has under a name, as in the feed.
pub(super) fn json_of(record: &Record, name: &str) -> Value {
    match name {
        "owner" => json!(record.owner),
        "team" => json!(record.team),
        name => record.fields.get(name).cloned().unwrap_or(Value::Null),
    }
}

pub(super) fn stuff_json(object: &Object, name: &str, stuff: &Stuff) -> Value {
    match (stuff, object.field(name)) {
        (Stuff::Nothing, _) => Value::Null,
        (stuff, Some(field)) => stuff.to_json(&field.kind),
        (stuff, None) => stuff.to_json(&FieldKind::User),
    }
}

pub(crate) fn to_json(object: &Object, stuffs: &Stuffs) -> Map<String, Value> {
    let given = stuffs.iter().filter(|(_, stuff)| **stuff != Stuff::Nothing);
    given.map(|(name, stuff)| (name.clone(), stuff_json(object, name, stuff))).collect()
}
