//! Short words for the statements of this folder. All tables and columns are named by the program.

use sea_query::{
    Alias, DeleteStatement, Expr, ExprTrait as _, OnConflict, Query, SelectStatement, UpdateStatement, Value as Bound,
};

use crate::{Id, RecordsError, Tx};

pub(super) fn col(name: &str) -> Expr {
    Expr::col(Alias::new(name))
}

pub(super) fn select(table: &str, columns: &[&str]) -> SelectStatement {
    let columns = columns.iter().map(|name| Alias::new(*name));
    Query::select().columns(columns).from(Alias::new(table)).take()
}

pub(super) fn update(table: &str, values: Vec<(&str, Bound)>) -> UpdateStatement {
    let mut update = Query::update();
    update.table(Alias::new(table));
    for (name, value) in values {
        update.value(Alias::new(name), Expr::val(value));
    }
    update
}

pub(super) fn delete(table: &str) -> DeleteStatement {
    Query::delete().from_table(Alias::new(table)).take()
}

/// Inserts a row unless one with its primary key is there; whether it did.
pub(super) fn insert_new(
    tx: &mut Tx<'_>,
    table: &str,
    key: &str,
    row: Vec<(&str, Bound)>,
) -> Result<bool, RecordsError> {
    let (columns, values): (Vec<&str>, Vec<Bound>) = row.into_iter().unzip();
    let insert = Query::insert()
        .into_table(Alias::new(table))
        .columns(columns.into_iter().map(Alias::new))
        .values_panic(values.into_iter().map(Expr::val))
        .on_conflict(OnConflict::column(Alias::new(key)).do_nothing().to_owned())
        .take();
    Ok(tx.execute(&insert)? == 1)
}

pub(super) fn insert(tx: &mut Tx<'_>, table: &str, row: Vec<(&str, Bound)>) -> Result<(), RecordsError> {
    let (columns, values): (Vec<&str>, Vec<Bound>) = row.into_iter().unzip();
    tx.insert_rows(table, &columns, &[values])
}

/// How many rows there are of which a condition is true.
pub(super) fn count(tx: &mut Tx<'_>, table: &str, condition: Expr) -> Result<i64, RecordsError> {
    let query = Query::select().expr(Expr::cust("count(*)")).from(Alias::new(table)).and_where(condition).take();
    tx.first(&query)?.map_or(Ok(0), |row| row.int(0))
}

/// The ids in a column of the rows of which a condition is true, in their order.
pub(super) fn ids(tx: &mut Tx<'_>, table: &str, column: &str, condition: Expr) -> Result<Vec<Id>, RecordsError> {
    let query =
        select(table, &[column]).and_where(condition).order_by(Alias::new(column), sea_query::Order::Asc).take();
    tx.query(&query)?.iter().map(|row| row.int(0).map(Id)).collect()
}

/// Whether an id is that of a row.
pub(super) fn is_there(tx: &mut Tx<'_>, table: &str, id: Id) -> Result<bool, RecordsError> {
    Ok(count(tx, table, col("id").eq(id.0))? == 1)
}
