//! The order of a list, and where a page of it ends: the cursor of the next one.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sea_query::{Alias, ExprTrait as _, NullOrdering, Order, Query, SelectStatement};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Access, Backend, Id, RecordsError,
    database::Datum,
    ground::Ground,
    schema::{Object, has_index, is_system, table_of},
};

/// Where a list goes on: behind the record with this value and id. Both are in the cursor, so that pages stay right
/// however records come and go.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    sort: String,
    value: Value,
    id: Id,
}

/// A list's order.
pub(crate) struct Sorting {
    text: String,
    pub(crate) column: String,
    descending: bool,
    /// Whether an index has this order, and tells of each record whether it is in the trash.
    pub(crate) is_indexed: bool,
}

impl Sorting {
    pub(crate) fn read(sort: Option<&str>, object: &Object, access: &Access) -> Result<Self, RecordsError> {
        let text = sort.unwrap_or("-created_at").to_owned();
        let (name, descending) = text.strip_prefix('-').map_or((text.as_str(), false), |name| (name, true));
        let is_known = match name {
            name if is_system(name) => name != "deleted_at",
            name => {
                object.field(name).is_some_and(|field| field.kind.is_sortable() && access.may_see(&object.name, name))
            }
        };
        if !is_known {
            return Err(RecordsError::invalid("sort", format!("records cannot be sorted by \"{name}\"")));
        }
        // Ids grow with the time of making, and are the table's own order.
        let column = if name == "created_at" { "id" } else { name }.to_owned();
        let is_indexed = has_index(object, &column);
        Ok(Self { text, column, descending, is_indexed })
    }

    pub(crate) fn order(&self) -> Order {
        if self.descending { Order::Desc } else { Order::Asc }
    }

    /// Puts the order into a query. Records without a value come before all others, or last where the largest come first.
    pub(crate) fn apply(&self, ground: &Ground<'_>, query: &mut SelectStatement, backend: Backend) {
        let column = ground.column(&self.column);
        match backend {
            // Every record has an id: PostgreSQL would not use the primary key for an order that says where none go.
            _ if self.column == "id" => query.order_by_expr(column, self.order()),
            Backend::Sqlite => query.order_by_expr(column, self.order()),
            Backend::Postgres => {
                let nulls = if self.descending { NullOrdering::Last } else { NullOrdering::First };
                query.order_by_expr_with_nulls(column, self.order(), nulls)
            }
        };
        if self.column != "id" {
            query.order_by_expr(ground.column("id"), self.order());
        }
    }

    /// Lets through what comes behind a page's end, if there is one.
    pub(crate) fn go_on(
        &self,
        ground: &Ground<'_>,
        cursor: Option<&str>,
        query: &mut SelectStatement,
    ) -> Result<(), RecordsError> {
        if let Some(cursor) = cursor {
            let (value, id) = read_cursor(cursor, self)?;
            self.behind(ground, query, value, id);
        }
        Ok(())
    }

    /// Lets through what comes behind a cursor. The comparison of the value alone lets the index begin there.
    fn behind(&self, ground: &Ground<'_>, query: &mut SelectStatement, value: Option<sea_query::Value>, id: Id) {
        let column = || ground.column(&self.column);
        let later = if self.descending { ground.column("id").lt(id.0) } else { ground.column("id").gt(id.0) };
        let behind = match (value, self.descending) {
            (_, _) if self.column == "id" => later,
            (None, false) => column().is_not_null().or(later),
            (None, true) => column().is_null().and(later),
            (Some(value), false) => {
                query.and_where(column().gte(value.clone()));
                column().gt(value).or(later)
            }
            (Some(value), true) => column().lt(value.clone()).or(column().eq(value).and(later)).or(column().is_null()),
        };
        query.and_where(behind);
    }

    /// The ids of a table's records in this order, in the trash or not, behind a page's end if there is one. With an index of
    /// the order none of the records is looked at.
    pub(crate) fn ids(
        &self,
        ground: &Ground<'_>,
        backend: Backend,
        trash: bool,
        cursor: Option<&str>,
    ) -> Result<SelectStatement, RecordsError> {
        let mut ids = Query::select();
        ids.expr(ground.column("id")).from(Alias::new(table_of(&ground.object.name)));
        let deleted_at = ground.column("deleted_at");
        ids.and_where(if trash { deleted_at.is_not_null() } else { deleted_at.is_null() });
        self.go_on(ground, cursor, &mut ids)?;
        self.apply(ground, &mut ids, backend);
        Ok(ids)
    }

    /// `next` of a page that ends with this value and id.
    pub(super) fn write_cursor(&self, value: &Datum, id: Id) -> Result<String, RecordsError> {
        let value = match value {
            Datum::Null | Datum::Bytes(_) => Value::Null,
            Datum::Int(number) => json!(number),
            Datum::Float(number) => json!(number),
            Datum::Bool(truth) => json!(truth),
            Datum::Text(text) => json!(text),
        };
        let cursor = Cursor { sort: self.text.clone(), value, id };
        let text = serde_json::to_vec(&cursor).map_err(|error| RecordsError::Database(error.to_string()))?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode(text))
    }
}

fn read_cursor(text: &str, sorting: &Sorting) -> Result<(Option<sea_query::Value>, Id), RecordsError> {
    let wrong = || RecordsError::invalid("cursor", "it must be `next` of the page before, with the same sort");
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    let cursor: Cursor = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    if cursor.sort != sorting.text {
        return Err(wrong());
    }
    let value = match cursor.value {
        Value::Null => None,
        Value::Bool(truth) => Some(truth.into()),
        Value::String(text) => Some(text.into()),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Some(whole.into()),
            None => Some(number.as_f64().ok_or_else(wrong)?.into()),
        },
        _ => return Err(wrong()),
    };
    Ok((value, cursor.id))
}
