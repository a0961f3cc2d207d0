//! Contents of files: the bytes behind records of the object `file`.
//!
//! A content lies once, under its SHA-256, in the folder of files (`ab/ab…`), whatever database the records are in; the record
//! holds hash, size and media type, which nobody sets by hand. What people call a file is no part of any path. Who may read the
//! record, its field `hash` included, may read the content; permissions are the record's.
//!
//! Invariants:
//! - A record names a content only once the content is durable.
//! - A content that a record names, be it in the trash, is not removed: the sweep looks again under the lock that whoever
//!   places a content holds until its record is written. One process at a time works on a folder, as the log's lock has it.

mod kind;
pub(crate) mod owner;
mod store;
mod sweep;

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use sea_query::{Alias, Expr, ExprTrait as _, Query};

pub(crate) use self::store::{is_hash, nameless, open, place, take_in};
pub use self::sweep::Swept;
use crate::{
    Access, Desk, Edit, Fields, Id, Record, RecordsError, Tx, Verb,
    database::read_file,
    desk::records_of,
    edit::{Editor, Stuffs},
    read,
    schema::table_of,
    value::Stuff,
};

/// The object whose records have contents.
pub(crate) const OBJECT: &str = "file";
/// Fields that come with the content.
const FIELDS: [&str; 3] = ["hash", "size", "media_type"];

/// Whether a field is set by Rapport when a content comes, and by nobody else.
pub(crate) fn comes_with_content(object: &str, field: &str) -> bool {
    object == OBJECT && FIELDS.contains(&field)
}

/// A content that is read.
#[derive(Debug)]
pub struct Content {
    /// What people call the file; to be cleaned before it names anything.
    pub name: String,
    /// What the content is, by its own bytes.
    pub media_type: String,
    /// Its SHA-256 in hexadecimal digits.
    pub hash: String,
    /// Bytes.
    pub size: u64,
    /// At its beginning.
    pub file: File,
}

impl Desk {
    /// Makes a record of the object `file` with its content, of up to `limit` bytes. None if the caller may not read what was
    /// made.
    pub fn upload_file(
        &self,
        access: &Access,
        fields: &Fields,
        content: &mut dyn Read,
        limit: u64,
    ) -> Result<Option<Record>, RecordsError> {
        // What is wrong with the request is told before the content is taken.
        self.read(|moment, tx| {
            access.reach(Verb::Create, moment.ground(OBJECT, access)?.object)?;
            Editor::new(moment, access, OBJECT, None)?.check_values(tx, fields)
        })?;
        self.with_content(content, limit, |desk, own| {
            desk.write_anew(|moment, tx| {
                let editor = Editor::new(moment, access, OBJECT, None)?.setting(own.clone());
                let ids = editor.run(tx, &[Edit::Create { fields: fields.clone() }])?;
                Ok(records_of(moment, tx, access, OBJECT, &ids)?.pop())
            })
        })
    }

    /// Gives a file another content. The one before goes when nothing names it any more.
    pub fn replace_content(
        &self,
        access: &Access,
        id: Id,
        version: Option<i64>,
        content: &mut dyn Read,
        limit: u64,
    ) -> Result<Option<Record>, RecordsError> {
        self.read(|moment, tx| crate::merge::must(moment, tx, access, OBJECT, id, Verb::Update))?;
        self.with_content(content, limit, |desk, own| {
            desk.write_anew(|moment, tx| {
                let editor = Editor::new(moment, access, OBJECT, None)?.setting(own.clone());
                let ids = editor.run(tx, &[Edit::Update { id, fields: Fields::new(), version }])?;
                Ok(records_of(moment, tx, access, OBJECT, &ids)?.pop())
            })
        })
    }

    /// Takes a content in, and hands on what a record says of it. It stays in its place until that is done.
    fn with_content<T>(
        &self,
        content: &mut dyn Read,
        limit: u64,
        work: impl FnOnce(&Self, Stuffs) -> Result<T, RecordsError>,
    ) -> Result<T, RecordsError> {
        let folder = self.files()?;
        let arrived = take_in(folder, self.ids.next(self.now())?, content, limit)?;
        let _held = self.placing.read();
        place(folder, &arrived)?;
        let own = [
            ("hash", Stuff::Text(arrived.hash().to_owned())),
            ("size", Stuff::Real(arrived.size() as f64)),
            ("media_type", Stuff::Text(arrived.media_type().to_owned())),
        ];
        work(self, own.into_iter().map(|(name, stuff)| (name.to_owned(), stuff)).collect())
    }

    /// The content of a file that the caller may read.
    pub fn file_content(&self, access: &Access, id: Id) -> Result<Content, RecordsError> {
        let record = self.read(|moment, tx| read::get(moment, tx, access, OBJECT, id))?;
        if !access.may_see(OBJECT, "hash") {
            return Err(RecordsError::Forbidden("your role may not see what is in files".to_owned()));
        }
        let text = |name: &str| record.fields.get(name).and_then(|value| value.as_str());
        let hash = text("hash").filter(|hash| is_hash(hash));
        let hash = hash.ok_or_else(|| RecordsError::NotFound(format!("the file {id} has no content")))?;
        let missing =
            |error: &io::Error| RecordsError::Damaged { what: format!("the content of the file {id} ({error})") };
        let file = open(self.files()?, hash).map_err(|error| missing(&error))?;
        let size = file.metadata().map_err(|error| missing(&error))?.len();
        let media_type = text("media_type").filter(|kind| kind::is_known(kind)).unwrap_or(kind::UNKNOWN);
        Ok(Content {
            name: text("name").map_or_else(|| id.to_string(), str::to_owned),
            media_type: media_type.to_owned(),
            hash: hash.to_owned(),
            size,
            file,
        })
    }
}

/// The contents that files name, the trash included, each once in the order of their hashes.
pub(crate) fn named(tx: &mut Tx<'_>) -> Result<Vec<String>, RecordsError> {
    let hash = Alias::new("hash");
    let query = Query::select()
        .distinct()
        .column(hash.clone())
        .from(Alias::new(table_of(OBJECT)))
        .and_where(Expr::col(hash.clone()).is_not_null())
        .order_by(hash, sea_query::Order::Asc)
        .take();
    let rows = tx.query(&query)?;
    let hashes = rows.iter().map(|row| Ok(row.text(0)?.to_owned()));
    hashes.filter(|hash: &Result<String, RecordsError>| hash.as_ref().map_or(true, |hash| is_hash(hash))).collect()
}

/// The contents that the records of a backup name and that are not in its folder of files.
pub fn missing_contents(records: &Path, files: &Path) -> Result<Vec<String>, RecordsError> {
    let named = read_file(records, named)?;
    Ok(named.into_iter().filter(|hash| open(files, hash).is_err()).collect())
}
