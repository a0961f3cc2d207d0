//! `rapport migrate` and `rapport rollback`: the records of a stopped server moved to PostgreSQL, or back to before an upgrade.

use std::fmt::Write as _;

use rapport_records::{Database, Desk};

use crate::{
    cli::Failure,
    config::Config,
    data::{self, RECORDS},
};

/// Copies the records into an empty PostgreSQL; what was copied, as text.
pub(crate) fn migrate(config: &Config, to: &str) -> Result<String, Failure> {
    let file = config.data.join(RECORDS);
    must_be_in_the_folder(config)?;
    // Holding the log keeps a server from starting meanwhile.
    let _log = data::open_log(config)?;
    let sums = rapport_records::copy(&Database::sqlite(&file)?, &Database::postgres(to)?)?;
    // What a start does: a database that does not open is told of now.
    Desk::open(Database::postgres(to)?, rapport_server::system_time)?;
    let mut text = String::new();
    for sum in sums.iter().filter(|sum| sum.rows > 0) {
        writeln!(text, "{:>12}  {:<24} {}", sum.rows, sum.table, sum.checksum)?;
    }
    let rows: u64 = sums.iter().map(|sum| sum.rows).sum();
    write!(
        text,
        "{rows} rows of {} tables were copied, and read back the same. Set `records` to this database and start the server; \
         {} stays as it is",
        sums.len(),
        file.display()
    )?;
    Ok(text)
}

/// Puts the newest snapshot of the records back; what was done, as text.
pub(crate) fn roll_back(config: &Config) -> Result<String, Failure> {
    must_be_in_the_folder(config)?;
    let _log = data::open_log(config)?;
    let done = rapport_records::roll_back(&config.data.join(RECORDS))?;
    // The search index is ahead of the records now; without one it is made anew.
    let search = config.data.join("search");
    if search.exists() {
        std::fs::remove_dir_all(&search).map_err(|error| format!("{}: {error}", search.display()))?;
    }
    let aside = done.aside.map_or_else(String::new, |aside| format!("; what was there is now {}", aside.display()));
    Ok(format!(
        "the records are those of {}{aside}. Start the version of Rapport that wrote them",
        done.snapshot.display()
    ))
}

fn must_be_in_the_folder(config: &Config) -> Result<(), Failure> {
    if !config.records.is_empty() {
        return Err(
            "the records are in PostgreSQL, as `records` in the settings says; this is for a file in the data \
                    folder, and PostgreSQL has tools of its own"
                .into(),
        );
    }
    let file = config.data.join(RECORDS);
    if !file.exists() {
        return Err(format!("there is no {}; --data names the folder", file.display()).into());
    }
    Ok(())
}
