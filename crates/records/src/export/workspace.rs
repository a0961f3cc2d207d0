//! Everything that an installation holds, in one open file, and back.
//!
//! The file is a zip. `rapport.json` says `{"format": "rapport-workspace", "version": 1, "made_at", "counts"}`, where `counts`
//! has the number of lines of every other entry by its name. The others hold a JSON object on each line:
//! `object_definition.jsonl` (objects and fields that the organisation added), `role.jsonl`, `team.jsonl`, `person.jsonl`,
//! `membership.jsonl`, `view.jsonl`, whose names are those of columns, and `records/<object>.jsonl` with records as the API
//! answers them, those in the trash too.
//!
//! Secrets are not in it: passwords, second factors, sessions, keys, links. Neither is the history of changes. After a restore
//! people set new passwords by links, the first by the administrator's.
//!
//! Limits: a line has up to [`MAX_ROW`] bytes; a restore is one transaction into an installation without records.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read, Seek, Write},
};

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, Order, Query, Value as Bound};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::{
    Access, Desk, Id, ListQuery, Op, PAGE, RecordsError, Row, Tx,
    access::Actor,
    database::Datum,
    desk::Moment,
    edit::{self, Stuffs},
    feed::{self, Line},
    import::MAX_ROW,
    migrate, read,
    record::Record,
    schema::{Object, Schema, table_of},
    value::{self, Stuff},
};

const FORMAT: &str = "rapport-workspace";
/// The newest version that is read, and the one that is written.
const VERSION: u32 = 1;
const MANIFEST: &str = "rapport.json";
/// How many rows are written at once.
const CHUNK: usize = 1_000;

/// Tables that go out as they are, without secrets, in the order in which they come in.
const TABLES: [(&str, &[&str]); 6] = [
    ("object_definition", &["name", "definition", "changed_at"]),
    ("role", &["id", "name", "definition"]),
    ("team", &["id", "name"]),
    ("person", &["id", "email", "name", "role", "language", "active", "created_at"]),
    ("membership", &["person", "team"]),
    ("view", &["id", "object", "name", "owner", "team", "shared", "definition", "position"]),
];
/// Columns that are true or false; SQLite keeps them as numbers.
const TRUTHS: [&str; 1] = ["active"];

/// What a file of a workspace says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Manifest {
    format: String,
    version: u32,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// How many lines each entry has.
    pub counts: BTreeMap<String, u64>,
}

impl Desk {
    /// Writes everything as it is at one moment. For administrators.
    pub fn export_workspace(&self, access: &Access, out: &mut dyn Write) -> Result<Manifest, RecordsError> {
        access.must_be_administrator()?;
        self.read(|moment, tx| {
            let mut zip = ZipWriter::new_stream(out);
            let mut counts = BTreeMap::new();
            for (table, columns) in TABLES {
                let name = format!("{table}.jsonl");
                begin(&mut zip, &name)?;
                counts.insert(name, write_table(tx, &mut zip, table, columns)?);
            }
            for object in moment.schema.objects() {
                let name = entry_of(object);
                begin(&mut zip, &name)?;
                counts.insert(name, write_records(moment, tx, &mut zip, object)?);
            }
            let manifest = Manifest { format: FORMAT.to_owned(), version: VERSION, made_at: moment.now, counts };
            begin(&mut zip, MANIFEST)?;
            write_line(&mut zip, &manifest)?;
            zip.finish().map_err(|error| failed(&error))?;
            Ok(manifest)
        })
    }

    /// Brings everything back into an installation that has no records of its own yet: all of it, counted, or nothing. Who calls
    /// this holds the installation's database, which is the credential.
    pub fn restore_workspace(&self, file: impl Read + Seek) -> Result<Manifest, RecordsError> {
        let mut zip = ZipArchive::new(file).map_err(|error| unreadable(&error))?;
        let manifest = read_manifest(&mut zip)?;
        self.write(|moment, tx| {
            clear(moment, tx)?;
            for (table, columns) in TABLES {
                restore_table(tx, &mut zip, &manifest, table, columns)?;
            }
            let schema = migrate::read_schema(tx)?;
            migrate::ensure_all(tx, &schema)?;
            let moment = Moment { schema: &schema, ids: moment.ids, now: moment.now, backend: moment.backend };
            for object in schema.objects() {
                restore_records(&moment, tx, &mut zip, &manifest, object)?;
            }
            verify(tx, &manifest, &schema)?;
            // Whoever remembers people and roles reads them again.
            tx.execute_sql("UPDATE people_version SET version = version + 1", &[]).map(drop)
        })?;
        self.reload()?;
        Ok(manifest)
    }
}

fn entry_of(object: &Object) -> String {
    format!("records/{}.jsonl", object.name)
}

fn failed(error: &dyn std::fmt::Display) -> RecordsError {
    RecordsError::File(format!("the file cannot be written: {error}"))
}

fn unreadable(error: &dyn std::fmt::Display) -> RecordsError {
    RecordsError::invalid("file", format!("it cannot be read as an exported workspace: {error}"))
}

type Zip<'o> = ZipWriter<zip::write::StreamWriter<&'o mut dyn Write>>;

fn begin(zip: &mut Zip<'_>, name: &str) -> Result<(), RecordsError> {
    // Without this an entry of more than 4 GB is refused.
    zip.start_file(name, SimpleFileOptions::default().large_file(true)).map_err(|error| failed(&error))
}

fn write_line(zip: &mut Zip<'_>, line: &impl Serialize) -> Result<(), RecordsError> {
    let mut text = serde_json::to_vec(line).map_err(|error| failed(&error))?;
    text.push(b'\n');
    zip.write_all(&text).map_err(|error| failed(&error))
}

fn write_table(tx: &mut Tx<'_>, zip: &mut Zip<'_>, table: &str, columns: &[&'static str]) -> Result<u64, RecordsError> {
    let mut query = Query::select();
    query.columns(columns.iter().map(|name| Alias::new(*name))).from(Alias::new(table));
    for column in columns.iter().take(2) {
        query.order_by(Alias::new(*column), Order::Asc);
    }
    let rows = tx.query(&query)?;
    for row in &rows {
        let cells = columns.iter().enumerate().map(|(place, name)| Ok(((*name).to_owned(), cell(row, place, name)?)));
        write_line(zip, &cells.collect::<Result<Map<String, Value>, RecordsError>>()?)?;
    }
    Ok(rows.len() as u64)
}

fn cell(row: &Row, place: usize, name: &str) -> Result<Value, RecordsError> {
    Ok(match row.datum(place) {
        Datum::Null => Value::Null,
        _ if TRUTHS.contains(&name) => json!(row.truth(place)?),
        Datum::Int(number) => json!(number),
        _ => json!(row.text(place)?),
    })
}

fn write_records(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    zip: &mut Zip<'_>,
    object: &Object,
) -> Result<u64, RecordsError> {
    let everything = Access::of_system(Actor::System);
    let mut written = 0;
    for trash in [false, true] {
        let sort = Some("created_at".to_owned());
        let mut query = ListQuery { limit: PAGE, sort, trash, ..ListQuery::default() };
        loop {
            let page = read::list(moment, tx, &everything, &object.name, &query)?;
            page.records.iter().try_for_each(|record| write_line(zip, record))?;
            written += page.records.len() as u64;
            let Some(next) = page.next else { break };
            query.cursor = Some(next);
        }
    }
    Ok(written)
}

fn read_manifest(zip: &mut ZipArchive<impl Read + Seek>) -> Result<Manifest, RecordsError> {
    let entry = zip.by_name(MANIFEST).map_err(|error| unreadable(&error))?;
    let manifest: Manifest = serde_json::from_reader(entry.take(MAX_ROW)).map_err(|error| unreadable(&error))?;
    if manifest.format != FORMAT {
        return Err(unreadable(&"it is of another program"));
    }
    if manifest.version > VERSION {
        return Err(RecordsError::Newer { found: manifest.version.into(), known: VERSION.into() });
    }
    Ok(manifest)
}

/// Hands out the lines of an entry; an entry that is not there has none, and there are as many as the manifest says.
fn each_line<T: serde::de::DeserializeOwned>(
    zip: &mut ZipArchive<impl Read + Seek>,
    manifest: &Manifest,
    name: &str,
    mut each: impl FnMut(Vec<T>) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let expected = manifest.counts.get(name).copied().unwrap_or(0);
    if expected == 0 {
        return Ok(());
    }
    let mut lines = BufReader::new(zip.by_name(name).map_err(|error| unreadable(&error))?);
    let (mut chunk, mut read) = (Vec::new(), 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let bytes =
            lines.by_ref().take(MAX_ROW + 1).read_until(b'\n', &mut line).map_err(|error| unreadable(&error))?;
        if bytes as u64 > MAX_ROW {
            return Err(unreadable(&format!("a line of {name} has more than {MAX_ROW} bytes")));
        }
        if bytes > 0 {
            read += 1;
            let parsed = serde_json::from_slice(&line);
            chunk.push(parsed.map_err(|error| unreadable(&format!("line {read} of {name}: {error}")))?);
        }
        if chunk.len() == CHUNK || bytes == 0 {
            each(std::mem::take(&mut chunk))?;
        }
        if bytes == 0 {
            break;
        }
    }
    if read != expected {
        return Err(unreadable(&format!("{name} has {read} lines, and should have {expected}")));
    }
    Ok(())
}

/// Takes away what a new installation begins with; refused if there is more.
fn clear(moment: &Moment<'_>, tx: &mut Tx<'_>) -> Result<(), RecordsError> {
    let system = Access::of_system(Actor::System);
    for object in moment.schema.objects() {
        let table = Alias::new(table_of(&object.name));
        let query = Query::select()
            .columns(["id", "version", "created_by"].map(Alias::new))
            .from(table.clone())
            .limit(CHUNK as u64)
            .take();
        let rows = tx.query(&query)?;
        let begins_with = ["pipeline", "stage"].contains(&object.name.as_str());
        let is_own = |row: &Row| !begins_with || row.text(2).is_ok_and(|by| by != "system");
        if rows.len() == CHUNK || rows.iter().any(is_own) {
            let what = format!(
                "only an installation without records takes a workspace; there are {}",
                object.plural.en.to_lowercase()
            );
            return Err(RecordsError::Conflict(what));
        }
        let gone = |row: &Row| {
            let (record, version) = (Id(row.int(0)?), row.int(1)? + 1);
            Ok(Line { object: &object.name, record, version, op: Op::Purge, before: Map::new(), after: Map::new() })
        };
        let lines = rows.iter().map(gone).collect::<Result<Vec<_>, RecordsError>>()?;
        feed::write(tx, &system, None, moment.now, &lines)?;
        tx.execute(Query::delete().from_table(table))?;
    }
    tx.execute(Query::delete().from_table(Alias::new("relation")))?;
    for (table, _) in TABLES.iter().rev() {
        tx.execute(Query::delete().from_table(Alias::new(*table)))?;
    }
    Ok(())
}

fn restore_table(
    tx: &mut Tx<'_>,
    zip: &mut ZipArchive<impl Read + Seek>,
    manifest: &Manifest,
    table: &str,
    columns: &[&str],
) -> Result<(), RecordsError> {
    each_line(zip, manifest, &format!("{table}.jsonl"), |lines: Vec<Map<String, Value>>| {
        let bound = |line: &Map<String, Value>, name: &&str| match line.get(*name) {
            None | Some(Value::Null) => Ok(Bound::String(None)),
            Some(Value::String(text)) => Ok(text.as_str().into()),
            Some(Value::Bool(truth)) => Ok((*truth).into()),
            Some(Value::Number(number)) if number.is_i64() => Ok(number.as_i64().into()),
            Some(other) => Err(unreadable(&format!("{table}.{name} is {other}"))),
        };
        let row = |line| columns.iter().map(|name| bound(line, name)).collect::<Result<Vec<Bound>, _>>();
        let rows = lines.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        tx.insert_rows(table, columns, &rows)
    })
}

fn restore_records(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    zip: &mut ZipArchive<impl Read + Seek>,
    manifest: &Manifest,
    object: &Object,
) -> Result<(), RecordsError> {
    let system = Access::of_system(Actor::System);
    each_line(zip, manifest, &entry_of(object), |records: Vec<Record>| {
        let stuffs = records.iter().map(|record| stuffs_of(object, record)).collect::<Result<Vec<Stuffs>, _>>()?;
        let with_ids = records.iter().zip(&stuffs).map(|(record, stuffs)| (record.id, stuffs));
        edit::insert(tx, moment, &system, object, with_ids)?;
        for record in &records {
            tx.execute(&stamps(object, record))?;
        }
        let lines: Vec<Line<'_>> = records
            .iter()
            .zip(&stuffs)
            .map(|(record, stuffs)| Line {
                object: &object.name,
                record: record.id,
                version: record.version,
                op: Op::Create,
                before: Map::new(),
                after: edit::to_json(object, stuffs),
            })
            .collect();
        feed::write(tx, &system, None, moment.now, &lines)
    })
}

/// A record's values as they are stored. Formulas are computed; a field that is not known any more is refused.
fn stuffs_of(object: &Object, record: &Record) -> Result<Stuffs, RecordsError> {
    let mut stuffs = Stuffs::new();
    for (name, value) in &record.fields {
        let field = object.field(name).ok_or_else(|| unreadable(&format!("{} has no field {name}", object.name)))?;
        if field.kind.stored() == crate::schema::Stored::Computed {
            continue;
        }
        let read = value::read(field, value)
            .map_err(|error| unreadable(&format!("{} {}: {error}", object.name, record.id)))?;
        stuffs.insert(name.clone(), read);
    }
    for (name, id) in [("owner", record.owner), ("team", record.team)] {
        if let Some(id) = id {
            stuffs.insert(name.to_owned(), Stuff::Whole(id.0));
        }
    }
    Ok(stuffs)
}

/// Who made and changed a record, and when, as it was.
fn stamps(object: &Object, record: &Record) -> sea_query::UpdateStatement {
    Query::update()
        .table(Alias::new(table_of(&object.name)))
        .values([
            (Alias::new("version"), record.version.into()),
            (Alias::new("created_at"), record.created_at.0.into()),
            (Alias::new("created_by"), record.created_by.as_str().into()),
            (Alias::new("updated_at"), record.updated_at.0.into()),
            (Alias::new("updated_by"), record.updated_by.as_str().into()),
            (Alias::new("deleted_at"), record.deleted_at.map(|at| at.0).into()),
        ])
        .and_where(Expr::col(Alias::new("id")).eq(record.id.0))
        .take()
}

/// Counts what is there now.
fn verify(tx: &mut Tx<'_>, manifest: &Manifest, schema: &Schema) -> Result<(), RecordsError> {
    let tables = TABLES.iter().map(|(table, _)| (format!("{table}.jsonl"), (*table).to_owned()));
    let records = schema.objects().map(|object| (entry_of(object), table_of(&object.name)));
    for (entry, table) in tables.chain(records) {
        let count = Query::select().expr(Expr::cust("count(*)")).from(Alias::new(table)).take();
        let there = tx.first(&count)?.map_or(Ok(0), |row| row.int(0))? as u64;
        let expected = manifest.counts.get(&entry).copied().unwrap_or(0);
        if there != expected {
            return Err(RecordsError::Database(format!("{entry} has {expected} lines, and {there} rows came of them")));
        }
    }
    Ok(())
}
