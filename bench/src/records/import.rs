//! An import of contacts from a CSV file, found by their e-mail addresses, with the keys by which duplicates are found.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    ops::ControlFlow,
    path::Path,
    time::Instant,
};

use rapport_records::{Backend, Desk, people::Origin};

use super::{name_of, synthetic};
use crate::{
    error::BenchError,
    report::{Better, Row, say},
};

/// Rows a second.
const LEAST_SQLITE: f64 = 20_000.0;
const LEAST_POSTGRES: f64 = 10_000.0;

/// Imports `rows` contacts into records that have none.
pub(super) fn measure(desk: &Desk, folder: &Path, backend: Backend, rows: usize) -> Result<Vec<Row>, BenchError> {
    say(&format!("{}: importing {rows} contacts", name_of(backend)));
    desk.set_files(folder)?;
    let link = desk.administrator_link()?;
    let signed_in = desk.sign_in_by_link(link.reveal(), &Origin::default())?;
    let session = signed_in.as_ref().map(|signed_in| desk.access_of_session(signed_in.secret.reveal())).transpose()?;
    let Some((access, _)) = session.flatten() else {
        let why = "the first administrator's link did not sign in".to_owned();
        return Err(BenchError::Process { what: "an import".to_owned(), why });
    };
    let file = folder.join("contacts.csv");
    write(&file, rows)?;
    let import = desk.upload_import(&access, "contact", "contacts.csv", &mut File::open(&file)?)?;
    desk.start_import(&access, import.id)?;
    let (begun, before) = (Instant::now(), processor_seconds());
    let done = desk.run_import(import.id, &|_| ControlFlow::Continue(()))?;
    let (seconds, processor) = (begun.elapsed().as_secs_f64(), processor_seconds() - before);
    let least = if backend == Backend::Sqlite { LEAST_SQLITE } else { LEAST_POSTGRES };
    let made = done.tally.created as f64;
    let name = format!("{}: contacts imported, keys of duplicates and all", name_of(backend));
    let note = format!(
        "{made} made, {} refused; {:.0} a second of this process's processor time",
        done.tally.failed,
        made / processor
    );
    Ok(vec![Row::new("import", &name, Better::More, least, made / seconds, "rows/s").note(note)])
}

fn write(file: &Path, rows: usize) -> Result<(), BenchError> {
    let mut out = BufWriter::new(File::create(file)?);
    writeln!(out, "First name,Last name,E-mail,Phone,Job title,City,Country,Lifecycle,Source,Marketing consent")?;
    for number in 0..rows {
        let contact = synthetic::contact(number);
        writeln!(
            out,
            "{},{},{},{},{},{},{},{},{},{}",
            contact.first,
            contact.last,
            contact.email,
            contact.phone,
            contact.job,
            contact.city,
            contact.country,
            contact.lifecycle,
            contact.source,
            contact.consent
        )?;
    }
    Ok(out.flush()?)
}

/// Processor time of this process and of its threads.
fn processor_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
