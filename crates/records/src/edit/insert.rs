//! Rows of new records, with what belongs to them: relations and the keys by which duplicates are found.

use std::collections::BTreeMap;

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, Query, Value as Bound};
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value, json};

use super::{Stuffs, aside::beside};
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
    let records: Vec<(Head, &Stuffs)> = records.collect();
    let keys = || duplicates::keys_of(object, records.iter().map(|(head, stuffs)| (head.id, *stuffs)));
    let rows = || insert_rows(tx, access, object, &records);
    let (keys, inserted) = beside(records.len(), keys, rows);
    inserted?;
    duplicates::add(tx, keys)
}

/// Inserts the rows of records and of their relations.
fn insert_rows(
    tx: &mut Tx<'_>,
    access: &Access,
    object: &Object,
    records: &[(Head, &Stuffs)],
) -> Result<(), RecordsError> {
    let columns = Columns::of(object);
    let actor = access.actor.to_string();
    let names: Vec<&str> = columns.names.iter().map(String::as_str).collect();
    let rows = records.iter().map(|(head, stuffs)| columns.row(*head, &actor, stuffs));
    tx.insert_rows(&table_of(&object.name), &names, rows)?;
    let mut relations: Vec<Vec<Bound>> = Vec::new();
    for (head, stuffs) in records {
        for (name, stuff) in *stuffs {
            if let Stuff::Ids(ids) = stuff {
                relations.extend(ids.iter().map(|target| relation(&object.name, name, head.id, *target)));
            }
        }
    }
    tx.insert_rows("relation", &["object", "field", "record", "target"], &relations)
}

/// The columns of new rows, and which of them each value goes to.
struct Columns<'o> {
    names: Vec<String>,
    places: BTreeMap<&'o str, usize>,
}

impl<'o> Columns<'o> {
    fn of(object: &'o Object) -> Self {
        let mut names: Vec<String> = SYSTEM[..8].iter().map(|name| (*name).to_owned()).collect();
        let mut places = BTreeMap::from([("owner", 6), ("team", 7)]);
        let is_here = |field: &&Field| !matches!(field.kind.stored(), Stored::Elsewhere | Stored::Computed);
        for field in object.live_fields().filter(is_here) {
            places.insert(&field.name, names.len());
            names.push(field.name.clone());
            if field.kind == FieldKind::Money {
                names.push(currency_column(&field.name));
            }
        }
        Self { names, places }
    }

    fn row(&self, head: Head, actor: &str, stuffs: &Stuffs) -> Vec<Bound> {
        let mut row = vec![Bound::String(None); self.names.len()];
        row[0] = head.id.0.into();
        row[1] = head.version.into();
        row[2] = head.created_at.0.into();
        row[3] = actor.into();
        row[4] = head.updated_at.0.into();
        row[5] = actor.into();
        // Both are in the order of names, so one walk over the places finds all.
        let mut places = self.places.iter().peekable();
        for (name, stuff) in stuffs {
            while places.next_if(|(other, _)| **other < name.as_str()).is_some() {}
            let Some((_, place)) = places.next_if(|(other, _)| **other == name) else { continue };
            row[*place] = stuff.bound();
            if let Stuff::Money(_, currency) = stuff {
                row[place + 1] = currency.clone().into();
            }
        }
        row
    }
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

/// [`to_json`] as text, of which nothing is made on the way but where a value's form goes by its field.
pub(super) fn to_text(object: &Object, stuffs: &Stuffs) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Told { object, stuffs })
}

struct Told<'s> {
    object: &'s Object,
    stuffs: &'s Stuffs,
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut told = serializer.serialize_map(None)?;
        for (name, stuff) in self.stuffs {
            match stuff {
                Stuff::Nothing => {}
                Stuff::Text(text) => told.serialize_entry(name, text)?,
                Stuff::Truth(truth) => told.serialize_entry(name, truth)?,
                Stuff::List(members) => told.serialize_entry(name, members)?,
                Stuff::Json(value) => told.serialize_entry(name, value)?,
                Stuff::Ids(ids) => told.serialize_entry(name, ids)?,
                Stuff::Whole(_) | Stuff::Real(_) | Stuff::Money(..) => {
                    told.serialize_entry(name, &stuff_json(self.object, name, stuff))?;
                }
            }
        }
        told.end()
    }
}

pub(crate) fn to_json(object: &Object, stuffs: &Stuffs) -> Map<String, Value> {
    let given = stuffs.iter().filter(|(_, stuff)| **stuff != Stuff::Nothing);
    given.map(|(name, stuff)| (name.clone(), stuff_json(object, name, stuff))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    #[test]
    fn what_a_new_record_has_is_told_alike_as_text_and_as_values() {
        let schema = Schema::builtin();
        let deal = schema.object("deal").unwrap();
        let stuffs = Stuffs::from(
            [
                ("amount", Stuff::Money(125_000, "EUR".to_owned())),
                ("close_date", Stuff::Whole(1_764_000_000_000)),
                ("closed_at", Stuff::Whole(1_764_000_000_123)),
                ("contact", Stuff::Whole(7)),
                ("description", Stuff::Text("\"a\"\n张".to_owned())),
                ("extra", Stuff::Json(json!({ "b": [1, null] }))),
                ("lost_reason", Stuff::Nothing),
                ("owner", Stuff::Whole(1 << 40)),
                ("people", Stuff::Ids(vec![Id(1), Id(2)])),
                ("probability", Stuff::Real(12.5)),
                ("tags", Stuff::List(vec!["vip".to_owned(), "x;y".to_owned()])),
                ("won", Stuff::Truth(true)),
            ]
            .map(|(name, stuff)| (name.to_owned(), stuff)),
        );
        let values = Value::Object(to_json(deal, &stuffs));
        assert_eq!(serde_json::from_str::<Value>(&to_text(deal, &stuffs).unwrap()).unwrap(), values);
        assert_eq!(values["close_date"], "2025-11-24", "{values}");
        assert_eq!(values.as_object().unwrap().len(), 11, "what is not there is not told of");
    }
}
