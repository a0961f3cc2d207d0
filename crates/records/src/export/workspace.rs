//! Everything that an installation holds, in one open file, and back.
//!
//! The file is a zip that any tool opens; `README.md` in it says what is where, and docs/reference/workspace.md the same at
//! length. `rapport.json` says `{"format": "rapport-workspace", "version": 1, "made_at", "counts", "files"}`, where `counts` has
//! the number of lines of every other entry by its name and `files` how many contents of files there are, and `missing` the hashes of those that were lost. `schema.json` has the
//! definitions of all objects, for whoever reads the records. The others hold a JSON object on each line:
//! `object_definition.jsonl` (objects and fields that the organisation added), `role.jsonl`, `team.jsonl`, `person.jsonl`,
//! `membership.jsonl`, `view.jsonl`, `tie.jsonl`, whose names are those of columns, and `records/<object>.jsonl` with records as the
//! API answers them, those in the trash too. `files/<SHA-256>` is the content of the files whose records have this hash.
//!
//! Secrets are not in it: passwords, second factors, sessions, keys, links. Neither is the history of changes, nor what fields
//! hold that were taken away. After a restore people set new passwords by links, the first by the administrator's.
//!
//! Limits: a line has up to [`MAX_ROW`](crate::import::MAX_ROW) bytes; a restore is one transaction into an installation without records.

mod restore;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Seek as _, Write},
};

use rapport_types::Timestamp;
use sea_query::{Alias, Order, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    Access, Desk, ListQuery, Op, PAGE, RecordsError, Row, Tx, access::Actor, contents, database::Datum, desk::Moment,
    feed, read, schema::Object,
};

const FORMAT: &str = "rapport-workspace";
/// The newest version that is read, and the one that is written.
const VERSION: u32 = 1;
const MANIFEST: &str = "rapport.json";
/// Where contents of files lie.
const FILES: &str = "files/";
const README: &str = include_str!("workspace/readme.md");

/// Tables that go out as they are, without secrets, in the order in which they come in.
const TABLES: [(&str, &[&str]); 7] = [
    ("object_definition", &["name", "definition", "changed_at"]),
    ("role", &["id", "name", "definition"]),
    ("team", &["id", "name"]),
    ("person", &["id", "email", "name", "role", "language", "active", "created_at", "own_email"]),
    ("membership", &["person", "team"]),
    ("view", &["id", "object", "name", "owner", "team", "shared", "definition", "position"]),
    ("tie", &["loser", "stays", "goes", "at", "is_joined", "is_told"]),
];
/// Columns that are true or false; SQLite keeps them as numbers.
const TRUTHS: [&str; 4] = ["active", "own_email", "is_joined", "is_told"];

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
    /// How many contents of files there are.
    #[serde(default)]
    pub files: u64,
    /// The hashes of contents that files name and that were missing already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

impl Manifest {
    /// How many lines and contents there are in all.
    pub fn total(&self) -> u64 {
        self.counts.values().sum::<u64>() + self.files
    }
}

/// Hears how far it is: the entry at work, and how many lines and contents are done in all.
pub type Watch<'w> = dyn FnMut(&str, u64) + 'w;

impl Desk {
    /// Writes everything as it is at one moment. For administrators; the audit tells of it.
    pub fn export_workspace(
        &self,
        access: &Access,
        out: &mut dyn Write,
        watch: &mut Watch<'_>,
    ) -> Result<Manifest, RecordsError> {
        access.must_be_administrator()?;
        self.note_export(access)?;
        self.write_workspace(out, watch)
    }

    /// The same as a file without a name, at its beginning, with its length in bytes. The database is free when this returns,
    /// however slowly the file is read then; it goes when it is closed.
    pub fn workspace_file(&self, access: &Access) -> Result<(File, u64), RecordsError> {
        access.must_be_administrator()?;
        let mut file = contents::nameless(self.files()?, self.ids.next(self.now())?)?;
        let mut out = BufWriter::new(&mut file);
        self.export_workspace(access, &mut out, &mut |_, _| ())?;
        out.flush().map_err(|error| failed(&error))?;
        drop(out);
        let length = file.stream_position().map_err(|error| failed(&error))?;
        file.rewind().map_err(|error| failed(&error))?;
        Ok((file, length))
    }

    /// The same for whoever holds the installation's database, which is the credential.
    pub fn export_own_workspace(&self, out: &mut dyn Write, watch: &mut Watch<'_>) -> Result<Manifest, RecordsError> {
        self.note_export(&Access::of_system(Actor::System))?;
        self.write_workspace(out, watch)
    }

    /// Before the first byte goes out, so that none does that nobody is told of.
    fn note_export(&self, access: &Access) -> Result<(), RecordsError> {
        self.write(|moment, tx| {
            let record = moment.ids.next(moment.now)?;
            let after = Map::from_iter([("exported".to_owned(), json!(true))]);
            let line = feed::Line { object: AUDITED, record, version: 0, op: Op::Create, before: Map::new(), after };
            feed::write(tx, access, None, moment.now, &[line])
        })
    }

    fn write_workspace(&self, out: &mut dyn Write, watch: &mut Watch<'_>) -> Result<Manifest, RecordsError> {
        // What the moment names stays until it is written, though nothing may name it any more by then.
        let _held = self.files().ok().map(contents::owner::hold).transpose()?;
        self.read(|moment, tx| {
            let mut zip = ZipWriter::new_stream(out);
            begin(&mut zip, "README.md")?;
            zip.write_all(README.as_bytes()).map_err(|error| failed(&error))?;
            begin(&mut zip, "schema.json")?;
            let objects: Vec<&Object> = moment.schema.objects().collect();
            serde_json::to_writer_pretty(&mut zip, &objects).map_err(|error| failed(&error))?;
            let (mut counts, mut done) = (BTreeMap::new(), 0);
            for (table, columns) in TABLES {
                let name = format!("{table}.jsonl");
                begin(&mut zip, &name)?;
                let written = write_table(tx, &mut zip, table, columns)?;
                done += written;
                watch(&name, done);
                counts.insert(name, written);
            }
            for object in moment.schema.objects() {
                let name = entry_of(object);
                begin(&mut zip, &name)?;
                let before = done;
                write_records(moment, tx, &mut zip, object, &mut |some| {
                    done += some;
                    watch(&name, done);
                })?;
                counts.insert(name, done - before);
            }
            let (files, missing) = self.write_contents(tx, &mut zip, &mut |name, count| watch(name, done + count))?;
            let (format, made_at) = (FORMAT.to_owned(), moment.now);
            let manifest = Manifest { format, version: VERSION, made_at, counts, files, missing };
            begin(&mut zip, MANIFEST)?;
            write_line(&mut zip, &manifest)?;
            zip.finish().map_err(|error| failed(&error))?;
            Ok(manifest)
        })
    }

    /// Writes the contents that files name; how many, and which are missing. One that is lost already must not keep all others
    /// from going out.
    fn write_contents(
        &self,
        tx: &mut Tx<'_>,
        zip: &mut Zip<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<(u64, Vec<String>), RecordsError> {
        let (mut written, mut missing) = (0, Vec::new());
        for hash in contents::named(tx)? {
            let name = format!("{FILES}{hash}");
            let mut content = match contents::open(self.files()?, &hash) {
                Ok(content) => content,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    tracing::warn!(hash, "the content of a file is missing");
                    missing.push(hash);
                    continue;
                }
                Err(error) => return Err(failed(&error)),
            };
            begin(zip, &name)?;
            io::copy(&mut content, zip).map_err(|error| failed(&error))?;
            written += 1;
            watch(&name, written);
        }
        Ok((written, missing))
    }
}

/// What the audit calls an export.
const AUDITED: &str = "workspace";

fn entry_of(object: &Object) -> String {
    format!("records/{}.jsonl", object.name)
}

fn failed(error: &dyn std::fmt::Display) -> RecordsError {
    RecordsError::File(format!("the file cannot be written: {error}"))
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
    written: &mut dyn FnMut(u64),
) -> Result<(), RecordsError> {
    let everything = Access::of_system(Actor::System);
    for trash in [false, true] {
        let sort = Some("created_at".to_owned());
        let mut query = ListQuery { limit: PAGE, sort, trash, ..ListQuery::default() };
        loop {
            let page = read::list(moment, tx, &everything, &object.name, &query)?;
            page.records.iter().try_for_each(|record| write_line(zip, record))?;
            written(page.records.len() as u64);
            let Some(next) = page.next else { break };
            query.cursor = Some(next);
        }
    }
    Ok(())
}
