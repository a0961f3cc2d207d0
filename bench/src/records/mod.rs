//! Records measured beside the same in plain SQL, in one run on the same rows: lists, boards, single changes; and the search.
//!
//! It calls the records' own crate, not the program: what a request costs beyond it is the server's. Each question is asked of
//! both sides by turns, so that both see the same machine. The accesses are those of people who reach what their teams own.

mod ask;
mod board;
mod change;
mod find;
mod import;
mod jump;
mod list;
mod load;
mod plain;
mod synthetic;

use std::{
    fmt,
    io::Write as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use clap::ValueEnum;
use rapport_records::{Backend, Database, Desk};
use rapport_testkit::postgres::Server;
use rapport_types::Timestamp;
use serde::Serialize;

use self::plain::Plain;
use crate::{
    error::BenchError,
    report::{Row, say, write_rows},
};

/// Which databases are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wanted {
    /// SQLite in a file.
    Sqlite,
    /// A PostgreSQL of the measurement's own, which promises what PostgreSQL promises.
    Postgres,
    /// Both.
    Both,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Pages of lists of contacts.
    List,
    /// A jump to the middle of all contacts.
    Jump,
    /// A board of deals, a tenth as many as contacts.
    Board,
    /// Making and changing a record.
    Change,
    /// An import of contacts from a file.
    Import,
    /// The search in contacts, which is beside the database and the same for both.
    Search,
}

/// Records beside plain SQL.
#[derive(Debug, clap::Args)]
pub(crate) struct RecordsArgs {
    /// What to measure; everything if left out.
    #[arg(value_name = "PART")]
    parts: Vec<Part>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// How many contacts; the figures are meant for a million.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    rows: usize,
    /// Which databases.
    #[arg(long, value_enum, default_value_t = Wanted::Both)]
    database: Wanted,
    /// Where the data is kept meanwhile; it must be on the disk that is to be measured.
    #[arg(long, value_name = "FOLDER", default_value = "target")]
    folder: PathBuf,
    /// The program, which is not used here.
    #[arg(long, value_name = "FILE", hide = true)]
    bin: Option<PathBuf>,
}

/// Everything.
#[derive(Debug, Serialize)]
struct Report {
    /// Contacts.
    contacts: usize,
    /// Processors.
    cores: usize,
    /// The table.
    rows: Vec<Row>,
    /// What could not be measured, and why.
    failed: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} contacts; the machine has {} cores", self.contacts, self.cores)?;
        write_rows(f, &self.rows, &self.failed)
    }
}

/// Measures and prints; whether everything could be measured.
pub(crate) fn measure(args: &RecordsArgs) -> Result<bool, BenchError> {
    std::fs::create_dir_all(&args.folder)?;
    let folder = tempfile::Builder::new().prefix("bench-records-").tempdir_in(&args.folder)?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut report = Report { contacts: args.rows, cores, rows: Vec::new(), failed: Vec::new() };
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let name = name_of(backend);
        let is_wanted = match args.database {
            Wanted::Both => true,
            Wanted::Sqlite => backend == Backend::Sqlite,
            Wanted::Postgres => backend == Backend::Postgres,
        };
        if is_wanted && args.parts != [Part::Search] {
            match of_database(args, folder.path(), backend) {
                Ok(rows) => report.rows.extend(rows),
                Err(error) => report.failed.push(format!("{name}: {error}")),
            }
        }
    }
    if wants(args, Part::Search) {
        match find::measure(&folder.path().join("search"), args.rows) {
            Ok(rows) => report.rows.extend(rows),
            Err(error) => report.failed.push(format!("search: {error}")),
        }
    }
    let text = if args.json { format!("{}\n", serde_json::to_string_pretty(&report)?) } else { report.to_string() };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(report.failed.is_empty())
}

fn wants(args: &RecordsArgs, part: Part) -> bool {
    args.parts.is_empty() || args.parts.contains(&part)
}

fn name_of(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "SQLite",
        Backend::Postgres => "PostgreSQL",
    }
}

fn of_database(args: &RecordsArgs, folder: &Path, backend: Backend) -> Result<Vec<Row>, BenchError> {
    // It lives as long as the measurement.
    let server = match backend {
        Backend::Sqlite => None,
        Backend::Postgres => Some(Server::start_durable().map_err(BenchError::NoServer)?),
    };
    let place = |name: &str| match &server {
        Some(server) => server.try_database(name).map(Place::Postgres).map_err(BenchError::NoServer),
        None => Ok(Place::Sqlite(folder.join(name).with_extension("db"))),
    };
    let mut rows = Vec::new();
    if wants(args, Part::Import) {
        rows.extend(import::measure(&place("imported")?.desk()?, folder, backend, args.rows)?);
    }
    if [Part::List, Part::Jump, Part::Board, Part::Change].into_iter().any(|part| wants(args, part)) {
        rows.extend(of_rows(args, folder, backend, &place("records")?)?);
    }
    Ok(rows)
}

/// A database.
enum Place {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Place {
    fn desk(&self) -> Result<Desk, BenchError> {
        let database = match self {
            Self::Sqlite(file) => Database::sqlite(file)?,
            Self::Postgres(url) => Database::postgres(url)?,
        };
        Ok(Desk::open(database, now)?)
    }
}

/// What is measured on many rows that are there.
fn of_rows(args: &RecordsArgs, folder: &Path, backend: Backend, place: &Place) -> Result<Vec<Row>, BenchError> {
    let desk = place.desk()?;
    let mut rows = vec![load::contacts(&desk, backend, args.rows)?];
    let deals = wants(args, Part::Board).then(|| load::deals(&desk, args.rows / 10)).transpose()?;
    let mut plain = match place {
        Place::Sqlite(file) => Plain::sqlite(file)?,
        Place::Postgres(url) => Plain::postgres(url)?,
    };
    plain.settle()?;
    if wants(args, Part::List) {
        say(&format!("{}: lists", name_of(backend)));
        rows.extend(list::measure(&desk, &mut plain, backend)?);
    }
    if wants(args, Part::Jump) {
        say(&format!("{}: jumps", name_of(backend)));
        rows.extend(jump::measure(&desk, &mut plain, backend, args.rows)?);
    }
    if deals.is_some() {
        say(&format!("{}: a board", name_of(backend)));
        rows.extend(board::measure(&desk, &mut plain, backend)?);
    }
    if wants(args, Part::Change) {
        say(&format!("{}: single changes", name_of(backend)));
        rows.extend(change::measure(&desk, folder, backend)?);
    }
    Ok(rows)
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| since.as_millis() as i64))
}
