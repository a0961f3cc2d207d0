//! A workspace brought back from its file: whole, counted, or not at all.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read, Seek},
};

use sea_query::{Alias, Expr, ExprTrait as _, Query, Value as Bound};
use serde_json::{Map, Value};
use zip::ZipArchive;

use super::{FILES, FORMAT, MANIFEST, Manifest, TABLES, VERSION, Watch, entry_of};
use crate::{
    Access, Desk, Id, Op, RecordsError, Row, Tx,
    access::Actor,
    contents,
    desk::Moment,
    duplicates,
    edit::{self, Stuffs},
    feed::{self, Line},
    import::MAX_ROW,
    migrate,
    record::Record,
    schema::{Object, Schema, table_of},
    value::Stuff,
};

/// Tables that people and roles are named in and that no file brings.
const OF_PEOPLE: [&str; 5] = ["api_key", "session", "link", "recovery_code", "sign_on"];
/// How many rows are written at once.
const CHUNK: usize = 1_000;

impl Desk {
    /// Brings everything back into an installation that has no records of its own yet: all of it, counted, or nothing. Who calls
    /// this holds the installation's database, which is the credential.
    pub fn restore_workspace(&self, file: impl Read + Seek, watch: &mut Watch<'_>) -> Result<Manifest, RecordsError> {
        let mut zip = ZipArchive::new(file).map_err(|error| unreadable(&error))?;
        let manifest = read_manifest(&mut zip)?;
        // Refused before contents are written; looked at again in the transaction that fills it.
        self.read(|moment, tx| moment.schema.objects().try_for_each(|object| must_be_empty(tx, object).map(drop)))?;
        let mut done = 0;
        // Contents first: a record names only what is there. Without records the sweep takes them away again.
        restore_contents(self, &mut zip, &manifest, &mut |name, count| watch(name, count))?;
        done += manifest.files;
        let mut tell = |name: &str, lines: usize| {
            done += lines as u64;
            watch(name, done);
        };
        self.write(|moment, tx| {
            clear(moment, tx)?;
            for (table, columns) in TABLES {
                restore_table(tx, &mut zip, &manifest, (table, columns), &mut tell)?;
            }
            let schema = migrate::read_schema(tx)?;
            migrate::ensure_all(tx, &schema)?;
            let moment = Moment { schema: &schema, ids: moment.ids, now: moment.now, backend: moment.backend };
            for object in schema.objects() {
                restore_records(&moment, tx, &mut zip, &manifest, object, &mut tell)?;
            }
            verify(tx, &manifest, &schema)?;
            // The log of this installation knows nothing of them yet.
            tx.execute(Query::update().table(Alias::new("tie")).value(Alias::new("is_told"), false))?;
            // Whoever remembers people and roles reads them again.
            tx.execute_sql("UPDATE people_version SET version = version + 1", &[]).map(drop)
        })?;
        self.reload()?;
        Ok(manifest)
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> RecordsError {
    RecordsError::invalid("file", format!("it cannot be read as an exported workspace: {error}"))
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
    tell: &mut dyn FnMut(&str, usize),
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
            let lines = chunk.len();
            each(std::mem::take(&mut chunk))?;
            tell(name, lines);
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

/// What of an object a new installation begins with; refused if there is more.
fn must_be_empty(tx: &mut Tx<'_>, object: &Object) -> Result<Vec<Row>, RecordsError> {
    let query = Query::select()
        .columns(["id", "version", "created_by"].map(Alias::new))
        .from(Alias::new(table_of(&object.name)))
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
    Ok(rows)
}

/// Takes away what a new installation begins with; refused if there is more.
fn clear(moment: &Moment<'_>, tx: &mut Tx<'_>) -> Result<(), RecordsError> {
    let system = Access::of_system(Actor::System);
    for object in moment.schema.objects() {
        let rows = must_be_empty(tx, object)?;
        let gone = |row: &Row| {
            let (record, version) = (Id(row.int(0)?), row.int(1)? + 1);
            Ok(Line { object: &object.name, record, version, op: Op::Purge, before: Map::new(), after: Map::new() })
        };
        let lines = rows.iter().map(gone).collect::<Result<Vec<_>, RecordsError>>()?;
        feed::write(tx, &system, None, moment.now, &lines)?;
        tx.execute(Query::delete().from_table(Alias::new(table_of(&object.name))))?;
    }
    // What lets people and programs in goes with the people and roles that it is of; a start makes the installation's own anew.
    for table in OF_PEOPLE.iter().chain(TABLES.iter().rev().map(|(table, _)| table)).chain(&["relation"]) {
        tx.execute(Query::delete().from_table(Alias::new(*table)))?;
    }
    Ok(())
}

/// Brings the contents of files in, each under the hash that it has.
fn restore_contents(
    desk: &Desk,
    zip: &mut ZipArchive<impl Read + Seek>,
    manifest: &Manifest,
    watch: &mut Watch<'_>,
) -> Result<(), RecordsError> {
    let mut brought = 0;
    for place in 0..zip.len() {
        let mut entry = zip.by_index(place).map_err(|error| unreadable(&error))?;
        let name = entry.name().map_err(|error| unreadable(&error))?.into_owned();
        let Some(hash) = name.strip_prefix(FILES) else { continue };
        let folder = desk.files()?;
        let id = desk.ids.next(desk.now())?;
        let arrived = contents::take_in(folder, id, &mut entry, u64::MAX)?;
        if arrived.hash() != hash {
            return Err(unreadable(&format!("{name} is not what its name says")));
        }
        contents::place(folder, &arrived)?;
        brought += 1;
        watch(&name, brought);
    }
    if brought != manifest.files {
        return Err(unreadable(&format!("it has {brought} contents of files, and should have {}", manifest.files)));
    }
    Ok(())
}

fn restore_table(
    tx: &mut Tx<'_>,
    zip: &mut ZipArchive<impl Read + Seek>,
    manifest: &Manifest,
    (table, columns): (&str, &[&str]),
    tell: &mut dyn FnMut(&str, usize),
) -> Result<(), RecordsError> {
    each_line(zip, manifest, &format!("{table}.jsonl"), tell, |lines: Vec<Map<String, Value>>| {
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
    tell: &mut dyn FnMut(&str, usize),
) -> Result<(), RecordsError> {
    let system = Access::of_system(Actor::System);
    each_line(zip, manifest, &entry_of(object), tell, |records: Vec<Record>| {
        let stuffs = records.iter().map(|record| stuffs_of(object, record)).collect::<Result<Vec<Stuffs>, _>>()?;
        let with_ids = records.iter().zip(&stuffs).map(|(record, stuffs)| (record.id, stuffs));
        edit::insert(tx, moment, &system, object, with_ids)?;
        for record in &records {
            tx.execute(&stamps(object, record))?;
            if record.deleted_at.is_some() {
                duplicates::mark(tx, object, record, true)?;
            }
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

/// A record's values as they were stored, whatever would be let in now. Formulas are computed; a field that is not known any more is refused.
fn stuffs_of(object: &Object, record: &Record) -> Result<Stuffs, RecordsError> {
    let mut stuffs = Stuffs::new();
    for (name, value) in &record.fields {
        let field = object.field(name).ok_or_else(|| unreadable(&format!("{} has no field {name}", object.name)))?;
        let read = Stuff::of_json(field, value)
            .map_err(|error| unreadable(&format!("{} {}: {error}", object.name, record.id)))?;
        if read != Stuff::Nothing {
            stuffs.insert(name.clone(), read);
        }
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
    let expected: BTreeMap<String, String> = tables.chain(records).collect();
    if let Some((entry, _)) =
        manifest.counts.iter().find(|(entry, lines)| **lines > 0 && !expected.contains_key(*entry))
    {
        return Err(unreadable(&format!("it has {entry}, and says nowhere what that is")));
    }
    for (entry, table) in expected {
        let count = Query::select().expr(Expr::cust("count(*)")).from(Alias::new(table)).take();
        let there = tx.first(&count)?.map_or(Ok(0), |row| row.int(0))? as u64;
        let expected = manifest.counts.get(&entry).copied().unwrap_or(0);
        if there != expected {
            return Err(RecordsError::Database(format!("{entry} has {expected} lines, and {there} rows came of them")));
        }
    }
    Ok(())
}
