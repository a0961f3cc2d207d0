//! Imports: rows of a file become records.
//!
//! A file is uploaded, its columns are mapped to fields (guessed, and remembered from the last file with the same header),
//! the import is checked without writing anything, and run. It runs in batches; how far it has come is written in one
//! transaction with each batch, so that it goes on after a crash with no row lost or done twice. What it made is one batch
//! that can be undone. Rows that are wrong are written to a file with what is wrong; the others go in.
//!
//! It is not a stream: what arrives all the time comes as events. Limits: [`MAX_FILE`] bytes in a file, [`MAX_COLUMNS`]
//! columns, [`MAX_ROW`] bytes in a row; a spreadsheet is held in memory and may have [`MAX_UNPACKED`] bytes unpacked.

mod addresses;
mod decode;
mod errors;
mod guess;
mod headers;
mod known;
mod lookup;
mod plan;
mod rows;
mod run;
mod source;
mod spreadsheet;
mod stages;
mod store;
mod style;
mod synonyms;
mod upload;

use std::fmt;

use rapport_types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub(crate) use self::store::is_running;
pub use self::style::{DateOrder, Style};
use crate::Id;

/// The most bytes of a file.
pub const MAX_FILE: u64 = 4 << 30;
/// The most columns of a file.
pub const MAX_COLUMNS: usize = 500;
/// The most bytes of a row.
pub const MAX_ROW: u64 = 4 << 20;
/// The most bytes that a spreadsheet may have when it is unpacked.
pub const MAX_UNPACKED: u64 = 200 << 20;
/// How many rows go into the database at once: others who write wait for half a second meanwhile, and of the indexes' pages most
/// get several rows, so that each is written for some of them.
const BATCH: usize = 10_000;
/// The same where nobody has waited: of 600,000 contacts in SQLite each costs an eighth less processor time.
const ALONE: usize = 25_000;
/// A batch ends behind the row with which its cells have so many bytes.
const BATCH_BYTES: usize = 64 << 20;
/// How many rows are shown and looked at before an import.
const SAMPLE: usize = 200;
/// How many differences and mistakes a check tells of.
const TOLD: usize = 100;

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportState)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The file is there and can be mapped and checked.
    Uploaded,
    /// It was started, and goes on after a restart of Rapport.
    Running,
    /// All rows are done.
    Done,
    /// Somebody stopped it; what is in stays.
    Cancelled,
    /// It cannot go on; why is in its message.
    Failed,
}

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportFormat)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Cells with a character between them.
    Csv,
    /// A spreadsheet; its first sheet with rows is read.
    Xlsx,
    /// A JSON object on each line.
    Jsonl,
}

/// Where a column's values go.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportTarget)]
#[serde(tag = "to", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// Nowhere.
    #[default]
    Skip,
    /// The record's id: rows with one change that record.
    Id,
    /// A field.
    Field {
        /// Its name.
        field: String,
    },
    /// A part of a field: of an address one of its parts, of an amount its `amount` or `currency`.
    Part {
        /// The field.
        field: String,
        /// The part.
        part: String,
    },
    /// A field that names records of another object, which are found by a field of theirs.
    Relation {
        /// The field.
        field: String,
        /// The other object's field; `id` for ids; of a stage also `outcome`, beside a column that names the stage.
        by: String,
        /// Whether a record that is not found is made.
        #[serde(default)]
        create: bool,
    },
    /// A person: the owner, or a field that holds a person. Found by e-mail, else by name.
    Person {
        /// `owner`, or the field.
        field: String,
    },
}

/// A column of the file and where its values go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportColumn)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// What the file calls it.
    pub name: String,
    /// Where its values go.
    #[serde(default)]
    pub target: Target,
    /// How its dates and numbers are written.
    #[serde(default)]
    pub style: Style,
}

/// Where all columns go.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportMapping)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// In the order of the file.
    pub columns: Vec<Column>,
    /// The field by which records that are there already are found, or `id`; without it every row is a new record.
    #[serde(default)]
    pub key: Option<String>,
    /// Whether an empty cell takes the value away from a record that is there.
    #[serde(default)]
    pub clear: bool,
}

/// What was found out about a file when it came.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportAbout)]
pub struct About {
    /// The names of its columns.
    pub header: Vec<String>,
    /// Its first rows, as texts.
    pub sample: Vec<Vec<String>>,
    /// The character between cells.
    #[schema(required)]
    pub delimiter: Option<char>,
    /// What its letters are encoded in.
    pub encoding: String,
    /// The system that it was exported from, if it is a known one.
    #[schema(required)]
    pub system: Option<String>,
    /// Whether the mapping is that of an earlier import with the same header.
    pub remembered: bool,
}

/// An import.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Import {
    /// Its id.
    pub id: Id,
    /// The object whose records are made.
    pub object: String,
    /// What the file is called.
    pub name: String,
    /// What it is written in.
    pub format: Format,
    /// How far it is.
    pub state: State,
    /// What was found out about the file.
    pub about: About,
    /// Where its columns go.
    pub mapping: Mapping,
    /// Rows in the file.
    pub total: u64,
    /// Rows that are done.
    pub position: u64,
    /// What they became.
    #[serde(flatten)]
    pub tally: Tally,
    /// Who started it.
    pub actor: String,
    /// With what it can be undone.
    #[schema(required)]
    pub batch: Option<Id>,
    /// Why it cannot go on.
    #[schema(required)]
    pub message: Option<String>,
    /// When the file came.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// When it was started.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub ended_at: Option<Timestamp>,
    #[serde(skip)]
    error_bytes: u64,
}

/// What rows became. Each row is counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[schema(as = ImportTally)]
pub struct Tally {
    /// New records.
    pub created: u64,
    /// Changes of records.
    pub updated: u64,
    /// Records that were like that already.
    pub unchanged: u64,
    /// Rows that are wrong.
    pub failed: u64,
}

impl Tally {
    /// How many rows.
    pub fn rows(&self) -> u64 {
        self.created + self.updated + self.unchanged + self.failed
    }

    fn add(&mut self, other: Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.failed += other.failed;
    }
}

/// What an import would come to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, ToSchema)]
#[schema(as = ImportCheck)]
pub struct Check {
    /// Rows looked at.
    pub rows: u64,
    /// What they would become.
    #[serde(flatten)]
    pub tally: Tally,
    /// Records of other objects that would be made along.
    pub related: u64,
    /// The first changes of records that are there.
    pub differences: Vec<Difference>,
    /// The first mistakes.
    pub mistakes: Vec<Mistake>,
}

/// What a row would change.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ImportDifference)]
pub struct Difference {
    /// The row, from 1, the header not counted.
    pub row: u64,
    /// The record.
    pub record: Id,
    /// The changed fields before.
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    pub before: Map<String, Value>,
    /// The changed fields after.
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    pub after: Map<String, Value>,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportMistake)]
pub struct Mistake {
    /// The row, from 1, the header not counted.
    pub row: u64,
    /// The field.
    pub field: String,
    /// What is wrong, as a sentence.
    pub what: String,
}

impl State {
    const ALL: [Self; 5] = [Self::Uploaded, Self::Running, Self::Done, Self::Cancelled, Self::Failed];

    fn name(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing more happens with it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Failed)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Format {
    const ALL: [Self; 3] = [Self::Csv, Self::Xlsx, Self::Jsonl];

    fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Jsonl => "jsonl",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}
