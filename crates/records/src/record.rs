//! A record as it is answered, and the columns that it is made of.

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, Query, SelectStatement};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::{
    Access, Id, RecordsError, Row, Tx,
    ground::Ground,
    schema::{Field, FieldKind, SYSTEM, Stored, currency_column},
    value::Stuff,
};

/// A record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Record {
    /// Its id.
    pub id: Id,
    /// Grows with every change; the `ETag`.
    pub version: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// By whom or what.
    pub created_by: String,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// By whom or what.
    pub updated_by: String,
    /// The person to whom it belongs.
    #[schema(required)]
    pub owner: Option<Id>,
    /// The team to which it belongs.
    #[schema(required)]
    pub team: Option<Id>,
    /// Since when it is in the trash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deleted_at: Option<Timestamp>,
    /// Its fields, without those that have no value.
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    pub fields: Map<String, Value>,
    /// The records that its fields name: by field, what they are called.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Option<std::collections::HashMap<String, Value>>)]
    pub related: Map<String, Value>,
}

/// Which columns a query has, and how a row of it is a record.
pub(crate) struct Shape<'s> {
    fields: Vec<(&'s Field, usize)>,
    lists: Vec<&'s Field>,
}

impl<'s> Shape<'s> {
    /// Adds the columns of some fields, all if `wanted` is none, to a query. Fields that may not be seen are refused where
    /// they are named, and left out where all are wanted.
    pub(crate) fn select(
        ground: &Ground<'s>,
        access: &Access,
        wanted: Option<&[String]>,
        query: &mut SelectStatement,
    ) -> Result<Self, RecordsError> {
        let object = ground.object;
        let mut chosen: Vec<&Field> = Vec::new();
        match wanted {
            None => chosen.extend(object.live_fields().filter(|field| access.may_see(&object.name, &field.name))),
            Some(names) => {
                for name in names {
                    let field = object.field(name).filter(|_| access.may_see(&object.name, name));
                    chosen.push(
                        field
                            .ok_or_else(|| RecordsError::invalid("fields", format!("there is no field \"{name}\"")))?,
                    );
                }
            }
        }
        for name in SYSTEM {
            query.expr(ground.column(name));
        }
        let mut place = SYSTEM.len();
        let mut shape = Self { fields: Vec::new(), lists: Vec::new() };
        for field in chosen {
            match (&field.kind, field.kind.stored()) {
                (_, Stored::Elsewhere) => {
                    shape.lists.push(field);
                    continue;
                }
                (FieldKind::Formula { expression }, _) => {
                    query.expr(ground.formula(expression)?);
                }
                _ => {
                    query.expr(ground.column(&field.name));
                }
            }
            shape.fields.push((field, place));
            place += 1;
            if field.kind == FieldKind::Money {
                query.expr(ground.column(&currency_column(&field.name)));
                place += 1;
            }
        }
        Ok(shape)
    }

    /// Where the next column that is added to the query will be.
    pub(crate) fn width(&self) -> usize {
        let last = self.fields.last();
        last.map_or(SYSTEM.len(), |(field, place)| place + if field.kind == FieldKind::Money { 2 } else { 1 })
    }

    /// The record of a row, without fields that hold many.
    pub(crate) fn record(&self, row: &Row) -> Result<Record, RecordsError> {
        let mut fields = Map::new();
        for (field, place) in &self.fields {
            match Stuff::of_column(field, row, *place)? {
                Stuff::Nothing => {}
                stuff => {
                    fields.insert(field.name.clone(), stuff.to_json(&field.kind));
                }
            }
        }
        Ok(Record {
            id: Id(row.int(0)?),
            version: row.int(1)?,
            created_at: Timestamp(row.int(2)?),
            created_by: row.text(3)?.to_owned(),
            updated_at: Timestamp(row.int(4)?),
            updated_by: row.text(5)?.to_owned(),
            owner: row.int_or_none(6)?.map(Id),
            team: row.int_or_none(7)?.map(Id),
            deleted_at: row.int_or_none(8)?.map(Timestamp),
            fields,
            related: Map::new(),
        })
    }

    /// Adds the fields that hold many.
    pub(crate) fn complete(&self, tx: &mut Tx<'_>, object: &str, records: &mut [Record]) -> Result<(), RecordsError> {
        if records.is_empty() {
            return Ok(());
        }
        for field in &self.lists {
            let column = |name: &str| Expr::col(Alias::new(name));
            let query = Query::select()
                .columns([Alias::new("record"), Alias::new("target")])
                .from(Alias::new("relation"))
                .and_where(column("object").eq(object))
                .and_where(column("field").eq(&field.name))
                .and_where(column("record").is_in(records.iter().map(|record| record.id.0)))
                .order_by(Alias::new("target"), sea_query::Order::Asc)
                .take();
            for row in tx.query(&query)? {
                let (record, target) = (Id(row.int(0)?), Id(row.int(1)?));
                let Some(record) = records.iter_mut().find(|known| known.id == record) else { continue };
                let members = record.fields.entry(field.name.clone()).or_insert_with(|| json!([]));
                if let Value::Array(members) = members {
                    members.push(json!(target));
                }
            }
        }
        Ok(())
    }
}
