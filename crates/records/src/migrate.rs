//! The tables beside those of the objects, brought from any format to the newest.

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, Query};

use crate::{
    RecordsError, Tx,
    database::Backend,
    schema::{Object, Schema, ensure},
};

/// Every format up to now, in order.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("migrations/0001.sql")];

/// The newest format.
pub(crate) const FORMAT: i64 = MIGRATIONS.len() as i64;

/// The format that a database has; 0 if it is empty.
pub(crate) fn format_of(tx: &mut Tx<'_>) -> Result<i64, RecordsError> {
    let there = match tx.backend() {
        Backend::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE name = 'records_format'",
        Backend::Postgres => {
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'records_format'"
        }
    };
    let there = tx.query_sql(there, &[])?;
    let Some(row) = there.first() else { return Ok(0) };
    if row.int(0)? == 0 {
        return Ok(0);
    }
    let found = tx.first(Query::select().column(Alias::new("format")).from(Alias::new("records_format")))?;
    found.map_or(Ok(0), |row| row.int(0))
}

/// Brings the tables to the newest format; the format found.
pub(crate) fn migrate(tx: &mut Tx<'_>) -> Result<i64, RecordsError> {
    migrate_by(tx, MIGRATIONS)
}

/// The same with steps of the caller's, of which all that are behind the format found are done.
pub(crate) fn migrate_by(tx: &mut Tx<'_>, steps: &[&str]) -> Result<i64, RecordsError> {
    let known = steps.len() as i64;
    lock(tx)?;
    let found = format_of(tx)?;
    if found > known {
        return Err(RecordsError::Newer { found, known });
    }
    if found == 0 {
        tx.script("CREATE TABLE records_format (format BIGINT NOT NULL); INSERT INTO records_format VALUES (0);")?;
    }
    for step in &steps[found as usize..] {
        let sql = in_words_of(tx.backend(), step);
        tx.script(&sql)?;
    }
    tx.execute(Query::update().table(Alias::new("records_format")).value(Alias::new("format"), known))?;
    Ok(found)
}

/// Two who bring one PostgreSQL to a format, or fill it, take turns; SQLite has one writer anyway.
pub(crate) fn lock(tx: &mut Tx<'_>) -> Result<(), RecordsError> {
    if tx.backend() == Backend::Postgres {
        tx.query_sql("SELECT true FROM (SELECT pg_advisory_xact_lock(7205759403792793)) AS locked", &[])?;
    }
    Ok(())
}

fn in_words_of(backend: Backend, sql: &str) -> String {
    let (whole, bytes, truth, growing, transaction, clustered) = match backend {
        // A table that is all key is kept once, as its index.
        Backend::Sqlite => ("INTEGER", "BLOB", "BOOLEAN", "INTEGER PRIMARY KEY AUTOINCREMENT", "", " WITHOUT ROWID"),
        Backend::Postgres => (
            "BIGINT",
            "BYTEA",
            "BOOLEAN",
            "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
            // Numbers are given before commits: a reader must not pass one whose transaction is still at work.
            ", xact xid8 NOT NULL DEFAULT pg_current_xact_id()",
            "",
        ),
    };
    sql.replace("{whole}", whole)
        .replace("{bytes}", bytes)
        .replace("{truth}", truth)
        .replace("{growing}", growing)
        .replace("{transaction}", transaction)
        .replace("{clustered}", clustered)
}

/// The objects: Rapport's own, with what the organisation added. Their tables are brought to the definitions.
pub(crate) fn read_schema(tx: &mut Tx<'_>) -> Result<Schema, RecordsError> {
    let mut schema = Schema::builtin();
    let query = Query::select()
        .columns([Alias::new("name"), Alias::new("definition")])
        .from(Alias::new("object_definition"))
        .take();
    for row in tx.query(&query)? {
        let stored: Object = serde_json::from_str(row.text(1)?).map_err(|error| RecordsError::Damaged {
            what: format!("the definition of {} ({error})", row.text(0).unwrap_or("an object")),
        })?;
        schema.merge(stored);
    }
    Ok(schema)
}

/// Brings the tables of all objects to their definitions.
pub(crate) fn ensure_all(tx: &mut Tx<'_>, schema: &Schema) -> Result<(), RecordsError> {
    schema.objects().try_for_each(|object| ensure(tx, object))
}

/// Keeps an object's definition.
pub(crate) fn store_definition(tx: &mut Tx<'_>, object: &Object, now: Timestamp) -> Result<(), RecordsError> {
    let definition = serde_json::to_string(object).map_err(|error| RecordsError::Database(error.to_string()))?;
    let name = Alias::new("name");
    tx.execute(
        Query::delete().from_table(Alias::new("object_definition")).and_where(Expr::col(name.clone()).eq(&object.name)),
    )?;
    let columns = [name, Alias::new("definition"), Alias::new("changed_at")];
    let values = [object.name.clone().into(), definition.into(), now.0.into()];
    tx.execute(Query::insert().into_table(Alias::new("object_definition")).columns(columns).values_panic(values))?;
    Ok(())
}
