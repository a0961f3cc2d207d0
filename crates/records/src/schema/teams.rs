//! The index by which what a team owns is found. The short fields are in it too, team by team in the order of making, so that a
//! filter over what a team of a large company owns reads neighbouring pages instead of one page of the table for each record.
//!
//! - SQLite gathers a page from it ([`crate::owned`]): 40,000 of 1,000,000 contacts take a fifth of the time.
//! - PostgreSQL compares what the entries hold before it looks at the records. It refuses rows whose entry in an index is longer than
//!   a third of a page, so of texts there is only a [head](HEAD), by which conditions ask (`head` of [`crate::ground::Ground`]).
//!
//! The index is made anew when its object gets another such field. Fields beyond those that it holds are looked at in the records.

use sea_query::{Alias, Func, Query};

use super::{Field, FieldKind, Object, kind::Stored, table_of};
use crate::{RecordsError, Tx, database::Backend};

/// The most fields that SQLite's index has beside its own.
const SQLITE_FIELDS: usize = 32;
/// The same for PostgreSQL's.
const POSTGRES_FIELDS: usize = 27;
/// Letters of a text that PostgreSQL's index holds.
pub(crate) const HEAD: usize = 24;

// PostgreSQL's entries have up to 32 columns and 2,704 bytes: what stands before the values, three whole numbers, and of a field at
// most four bytes a letter and one for their count. (A choice, which is held whole, has up to 80 bytes.)
const _: () = assert!(3 + POSTGRES_FIELDS <= 32 && 16 + 3 * 8 + POSTGRES_FIELDS * (4 * HEAD + 1) <= 2_704);

/// Whether conditions on a field of what a team owns ask PostgreSQL's index by the field's head.
pub(crate) fn has_head(object: &Object, field: &Field) -> bool {
    is_cut(field) && postgres_fields(object).any(|held| held.name == field.name)
}

/// The fields that PostgreSQL's index holds: those by whose values conditions ask. A text with an index of its own is found by that.
fn postgres_fields(object: &Object) -> impl Iterator<Item = &Field> {
    let is_held = |field: &&Field| match field.kind.stored() {
        Stored::Text => field.kind != FieldKind::LongText && !(is_cut(field) && (field.indexed || field.unique)),
        // Conditions ask for amounts, and these are ten-thousandths.
        Stored::Whole => field.kind != FieldKind::Money,
        Stored::Real | Stored::Truth => true,
        Stored::List | Stored::Json | Stored::Elsewhere | Stored::Computed => false,
    };
    object.fields.iter().filter(is_held).take(POSTGRES_FIELDS)
}

fn is_cut(field: &Field) -> bool {
    field.kind.stored() == Stored::Text && !matches!(field.kind, FieldKind::Choice(_))
}

/// What PostgreSQL's index is of. Whole numbers before texts, which need not be aligned; else by name, so that fields which change
/// places on the page do not make it anew.
fn postgres_columns(object: &Object) -> String {
    let mut fields: Vec<&Field> = postgres_fields(object).collect();
    fields.sort_by_key(|field| (field.kind.stored() == Stored::Text, &field.name));
    let mut columns = ["team", "id", "deleted_at"].map(|column| format!("\"{column}\"")).to_vec();
    let column = |field: &&Field| {
        if is_cut(field) { format!("left(\"{}\", {HEAD})", field.name) } else { format!("\"{}\"", field.name) }
    };
    columns.extend(fields.iter().map(column));
    columns.join(", ")
}

/// PostgreSQL's index is called by what it is of, so that another one is made beside it before it is taken away.
fn postgres_name(object: &Object) -> String {
    let hash = blake3::hash(postgres_columns(object).as_bytes()).to_hex();
    format!("t_{}__{}", table_of(&object.name), &hash[..8])
}

/// Makes the index if it is not there.
pub(crate) fn make(tx: &mut Tx<'_>, object: &Object) -> Result<(), RecordsError> {
    match tx.backend() {
        Backend::Sqlite => make_sqlite(tx, object),
        Backend::Postgres => make_postgres(tx, object),
    }
}

fn make_sqlite(tx: &mut Tx<'_>, object: &Object) -> Result<(), RecordsError> {
    let short = object.fields.iter().filter(|field| field.kind.is_sortable() && field.kind != FieldKind::LongText);
    let mut wanted = ["team", "id", "deleted_at", "owner", "updated_at"].map(str::to_owned).to_vec();
    wanted.extend(short.take(SQLITE_FIELDS).map(|field| field.name.clone()));
    let table = table_of(&object.name);
    let name = format!("t_{table}");
    let mut query = Query::select();
    let about = Func::cust("pragma_index_info").arg(&name);
    query.column(Alias::new("name")).from_function(about, Alias::new("about"));
    let present =
        tx.query(&query)?.iter().map(|row| Ok(row.text(0)?.to_owned())).collect::<Result<Vec<_>, RecordsError>>()?;
    if present != wanted {
        let columns: Vec<String> = wanted.iter().map(|column| format!("\"{column}\"")).collect();
        let columns = columns.join(", ");
        tx.script(&format!("DROP INDEX IF EXISTS \"{name}\"; CREATE INDEX \"{name}\" ON \"{table}\" ({columns})"))?;
    }
    Ok(())
}

fn make_postgres(tx: &mut Tx<'_>, object: &Object) -> Result<(), RecordsError> {
    let (table, name) = (table_of(&object.name), postgres_name(object));
    let present = present(tx, &table)?;
    if present.contains(&name) {
        return Ok(());
    }
    tx.script(&format!("CREATE INDEX \"{name}\" ON \"{table}\" ({})", postgres_columns(object)))?;
    if !present.is_empty() {
        // What is known of the heads' values went with the index before, or was never there.
        tx.script(&format!("ANALYZE \"{table}\""))?;
    }
    Ok(())
}

/// Takes away what stood in the place of the index before; that keeps everybody out of the table for a moment.
pub(crate) fn clear(tx: &mut Tx<'_>, object: &Object) -> Result<(), RecordsError> {
    if tx.backend() == Backend::Sqlite {
        return Ok(());
    }
    let name = postgres_name(object);
    for other in present(tx, &table_of(&object.name))?.iter().filter(|other| **other != name) {
        tx.script(&format!("DROP INDEX \"{other}\""))?;
    }
    Ok(())
}

/// PostgreSQL's indexes of what teams own, of any definition; of the first ones, which had no fields, too.
fn present(tx: &mut Tx<'_>, table: &str) -> Result<Vec<String>, RecordsError> {
    let sql = "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename = $1 \
               AND (starts_with(indexname::text, $2) OR indexname::text = $3)";
    let rows = tx.query_sql(sql, &[table.into(), format!("t_{table}__").into(), format!("i_{table}__team").into()])?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}
