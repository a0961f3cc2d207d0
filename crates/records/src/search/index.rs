//! The index on disk: made, fed, closed, and thrown away when it cannot be trusted.
//!
//! Invariant: what a commit holds and the position it says are one file (`meta.json`), replaced in one step. The writer, its
//! thread and its memory exist from the first write until [`SearchIndex::rest`].

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::store::Compressor;
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyDocument, Term};

use super::find::find;
use super::tokens::Terms;
use super::{Change, Document, Hit, Query, SearchError};

/// The version of what is in the index: terms, fields, meaning of the payload. An index of another version is made anew.
const FORMAT: u32 = 1;
/// Bytes that the writer gathers before it makes a segment; a larger one means fewer merges and more memory.
const WRITER_BYTES: usize = 48 << 20;
/// Segments of about one size that become one. Fewer segments search faster, more are written less often.
const SEGMENTS_TO_MERGE: usize = 10;
const TOKENIZER: &str = "records";

/// The fields of a document in the index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// The object and id as one term, to remove a document by.
    key: Field,
    pub(super) title: Field,
    pub(super) texts: Field,
    object: Field,
    id: Field,
    owner: Field,
    team: Field,
}

/// Names of the columns that the search reads.
pub(super) const OBJECT: &str = "object";
pub(super) const ID: &str = "id";
pub(super) const OWNER: &str = "owner";
pub(super) const TEAM: &str = "team";

/// What each commit says of itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
struct Commit {
    format: u32,
    position: Option<i64>,
    /// The highest id of each object that was ever put. A higher one is new, so nothing has to be looked up to remove it.
    newest: BTreeMap<String, i64>,
}

/// Records in a folder, found by what is written in them.
///
/// Searches run on any number of threads beside one that feeds.
pub struct SearchIndex {
    index: Index,
    reader: IndexReader,
    fields: Fields,
    state: Mutex<State>,
}

struct State {
    /// The last commit, which is what searches see.
    commit: Commit,
    writer: Option<IndexWriter>,
}

impl std::fmt::Debug for SearchIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SearchIndex").field("position", &self.position()).finish_non_exhaustive()
    }
}

impl SearchIndex {
    /// Opens the index in `folder`, which is the index's alone, or makes one. Reads all of it once, to compare checksums.
    ///
    /// What is damaged or of another version is removed; the index is then empty, without a position.
    pub fn open(folder: &Path) -> Result<Self, SearchError> {
        fs::create_dir_all(folder)?;
        match Self::open_sound(folder) {
            Ok(Some(sound)) => return Ok(sound),
            Ok(None) => tracing::info!("the search index is of another version and is made anew"),
            Err(error) if folder.join("meta.json").exists() => {
                tracing::warn!(%error, "the search index is damaged and is made anew");
            }
            Err(_) => {}
        }
        empty(folder)?;
        let (schema, _) = schema();
        // No document is stored, so there is nothing to compress and no thread to do it on.
        let settings = IndexSettings {
            docstore_compression: Compressor::None,
            docstore_compress_dedicated_thread: false,
            ..IndexSettings::default()
        };
        let index = Index::builder().schema(schema).settings(settings).create_in_dir(folder)?;
        Self::of(index, Commit { format: FORMAT, ..Commit::default() })
    }

    /// The index in `folder` if it is whole; `None` if it is of another version.
    fn open_sound(folder: &Path) -> Result<Option<Self>, SearchError> {
        let directory = MmapDirectory::open(folder).map_err(tantivy::TantivyError::from)?;
        let index = Index::open(directory)?;
        let payload = index.load_metas()?.payload;
        let commit = match payload.map(|text| serde_json::from_str::<Commit>(&text)) {
            Some(Ok(commit)) if commit.format == FORMAT && index.schema() == schema().0 => commit,
            _ => return Ok(None),
        };
        let damaged = index.validate_checksum()?;
        if let Some(file) = damaged.into_iter().min() {
            let message = format!("the checksum of {} is wrong", file.display());
            return Err(tantivy::TantivyError::SystemError(message).into());
        }
        Self::of(index, commit).map(Some)
    }

    fn of(index: Index, commit: Commit) -> Result<Self, SearchError> {
        let (_, fields) = schema();
        index.tokenizers().register(TOKENIZER, TextAnalyzer::builder(Terms::default()).build());
        // Reloaded by hand after each commit: the other policy watches the folder from a thread of its own.
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { index, reader, fields, state: Mutex::new(State { commit, writer: None }) })
    }

    /// The feed's position that the index is at; `None` if it holds nothing that can be gone on from.
    pub fn position(&self) -> Option<i64> {
        self.state.lock().commit.position
    }

    /// Takes in `changes`, in order, and is then at `position`: durable and visible to searches when it returns. After an
    /// error the index is as before, and the same changes can be given again.
    ///
    /// A call costs a sync of a few files, so a feeder gives many changes at once.
    pub fn apply(&self, changes: &[Change<'_>], position: i64) -> Result<(), SearchError> {
        self.commit(Some(position), |fields, writer, newest| {
            for change in changes {
                match change {
                    Change::Put(document) => put(fields, writer, newest, document)?,
                    Change::Remove { object, id } => {
                        writer.delete_term(key(fields, object, *id));
                    }
                }
            }
            Ok(())
        })
    }

    /// Forgets every document and the position.
    pub fn clear(&self) -> Result<(), SearchError> {
        self.commit(None, |_, writer, newest| {
            writer.delete_all_documents()?;
            newest.clear();
            Ok(())
        })
    }

    /// Ends the writer and gives its memory back, once the merges that it has begun are done. The next write starts another.
    pub fn rest(&self) -> Result<(), SearchError> {
        let mut state = self.state.lock();
        if let Some(writer) = state.writer.take() {
            writer.wait_merging_threads()?;
            self.reader.reload()?;
        }
        Ok(())
    }

    /// The best hits for `query`, best first.
    pub fn search(&self, query: &Query<'_>) -> Result<Vec<Hit>, SearchError> {
        find(&self.reader.searcher(), self.fields, query)
    }

    fn commit(
        &self,
        position: Option<i64>,
        write: impl FnOnce(Fields, &mut IndexWriter, &mut BTreeMap<String, i64>) -> Result<(), SearchError>,
    ) -> Result<(), SearchError> {
        let mut state = self.state.lock();
        let mut commit = Commit { position, ..state.commit.clone() };
        // Taken out, so that after an error it is dropped with all that it had gathered.
        let mut writer = match state.writer.take() {
            Some(writer) => writer,
            None => self.writer()?,
        };
        write(self.fields, &mut writer, &mut commit.newest)?;
        let payload = serde_json::to_string(&commit).map_err(std::io::Error::from)?;
        let mut prepared = writer.prepare_commit()?;
        prepared.set_payload(&payload);
        prepared.commit()?;
        state.writer = Some(writer);
        state.commit = commit;
        self.reader.reload()?;
        Ok(())
    }

    fn writer(&self) -> Result<IndexWriter, SearchError> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(WRITER_BYTES)
            .build();
        let writer = self.index.writer_with_options(options)?;
        let mut policy = LogMergePolicy::default();
        policy.set_min_num_segments(SEGMENTS_TO_MERGE);
        writer.set_merge_policy(Box::new(policy));
        Ok(writer)
    }
}

fn put(
    fields: Fields,
    writer: &IndexWriter,
    newest: &mut BTreeMap<String, i64>,
    document: &Document<'_>,
) -> Result<(), SearchError> {
    let key = key(fields, document.object, document.id);
    match newest.get_mut(document.object) {
        Some(newest) if *newest < document.id => *newest = document.id,
        Some(_) => {
            writer.delete_term(key.clone());
        }
        None => {
            newest.insert(document.object.to_owned(), document.id);
        }
    }
    let mut row = TantivyDocument::new();
    row.add_bytes(fields.key, key.serialized_value_bytes());
    row.add_text(fields.title, document.title);
    for text in &document.texts {
        row.add_text(fields.texts, text);
    }
    row.add_text(fields.object, document.object);
    row.add_i64(fields.id, document.id);
    if let Some(owner) = document.owner {
        row.add_i64(fields.owner, owner);
    }
    if let Some(team) = document.team {
        row.add_i64(fields.team, team);
    }
    writer.add_document(row)?;
    Ok(())
}

fn key(fields: Fields, object: &str, id: i64) -> Term {
    // The id has a fixed length and stands last, so two pairs of object and id are never the same bytes.
    let mut bytes = object.as_bytes().to_vec();
    bytes.extend_from_slice(&id.to_be_bytes());
    Term::from_field_bytes(fields.key, &bytes)
}

fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    // Neither lengths nor frequencies: the order is made of how words fit, not of statistics.
    let terms = TextFieldIndexing::default()
        .set_tokenizer(TOKENIZER)
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false);
    let searched = TextOptions::default().set_indexing_options(terms);
    let fields = Fields {
        key: schema.add_bytes_field("key", INDEXED),
        title: schema.add_text_field("title", searched.clone()),
        texts: schema.add_text_field("texts", searched),
        object: schema.add_text_field(OBJECT, FAST),
        id: schema.add_i64_field(ID, FAST),
        owner: schema.add_i64_field(OWNER, FAST),
        team: schema.add_i64_field(TEAM, FAST),
    };
    (schema.build(), fields)
}

/// Removes the files of `folder`. Folders in it are none of the index and stay.
fn empty(folder: &Path) -> Result<(), SearchError> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
