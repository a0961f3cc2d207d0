//! Measures an import of made-up contacts: `cargo run --release -p rapport-records --example import -- [ROWS] [POSTGRES-URL]`.
//!
//! It writes a CSV file of contacts with ten columns, takes it in with its guessed mapping (found by e-mail), and prints rows per
//! second by the clock and by processor time of this process. Then it does the same again (every row is there already), takes the
//! first import back, and exports what is left.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::{
    error::Error,
    fs::{self, File},
    io::{BufWriter, Write as _, sink},
    ops::ControlFlow,
    path::Path,
    time::Instant,
};

use rapport_records::{Access, Database, Desk, Id, ListQuery, export::ExportFormat, people::Origin};
use rapport_types::Timestamp;

const GIVEN: [&str; 8] = ["James", "Mary", "Wei", "Linda", "José", "Zoë", "Søren", "Anaïs"];
const FAMILY: [&str; 8] = ["Smith", "Johnson", "Zhang", "Brown", "García", "Miller", "Müller", "Rossi"];
const CITY: [&str; 6] = ["Berlin", "Shanghai", "Paris", "Rome", "Oslo", "Kyoto"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rows: u64 = arguments.next().map_or(Ok(1_000_000), |rows| rows.parse())?;
    let folder = tempfile::tempdir()?;
    let database = match arguments.next() {
        Some(url) => Database::postgres(&url)?,
        None => Database::sqlite(&folder.path().join("records.db"))?,
    };
    let desk = Desk::open(database, || Timestamp(1_764_000_000_000))?;
    desk.set_files(folder.path())?;
    let link = desk.administrator_link()?;
    let signed_in = desk.sign_in_by_link(link.reveal(), &Origin::default())?.ok_or("the link does not work")?;
    let access = desk.access_of_session(signed_in.secret.reveal())?.ok_or("the session is over")?.0;
    let file = folder.path().join("contacts.csv");
    write(&file, rows)?;
    println!("{rows} rows, {} MB", fs::metadata(&file)?.len() >> 20);
    let first = import(&desk, &access, &file, "new records", rows)?;
    import(&desk, &access, &file, "records that are there", rows)?;
    let clock = Clock::start();
    let undone = desk.undo(&access, first)?;
    clock.stop("taken back", undone.undone);
    let clock = Clock::start();
    let exported = desk.export(&access, "company", &ListQuery::default(), ExportFormat::Csv, &mut sink())?;
    clock.stop("exported", exported);
    Ok(())
}

fn write(file: &Path, rows: u64) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::new(File::create(file)?);
    writeln!(out, "First name,Last name,E-mail,Phone,Company,Job title,City,Country,Birthday,Marketing consent")?;
    let mut state: u64 = 88_172_645_463_325_252;
    for row in 0..rows {
        // Marsaglia's xorshift: the same file each time.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let pick = |list: &[&'static str], shift: u32| list[(state >> shift) as usize % list.len()];
        let (given, family) = (pick(&GIVEN, 3), pick(&FAMILY, 11));
        writeln!(
            out,
            "{given},{family},{:x}.{row}@example.com,+49 30 {:07},Company {},Engineer,{},DE,19{:02}-{:02}-{:02},{}",
            state >> 40,
            state % 10_000_000,
            (state >> 20) % 20_000,
            pick(&CITY, 19),
            50 + state % 50,
            1 + (state >> 9) % 12,
            1 + (state >> 13) % 28,
            state & 1 == 0,
        )?;
    }
    out.flush()?;
    Ok(())
}

fn import(desk: &Desk, access: &Access, file: &Path, what: &str, rows: u64) -> Result<Id, Box<dyn Error>> {
    let clock = Clock::start();
    let import = desk.upload_import(access, "contact", "contacts.csv", &mut File::open(file)?)?;
    clock.stop("looked at", rows);
    desk.start_import(access, import.id)?;
    let clock = Clock::start();
    let done = desk.run_import(import.id, &|_| ControlFlow::Continue(()))?;
    clock.stop(what, rows);
    println!("  {:?} {:?}", done.state, done.tally);
    done.batch.ok_or_else(|| "the import has no batch".into())
}

/// Time by the clock and of the processor.
struct Clock {
    wall: Instant,
    processor: f64,
}

impl Clock {
    fn start() -> Self {
        Self { wall: Instant::now(), processor: processor_seconds() }
    }

    fn stop(&self, what: &str, rows: u64) {
        let (wall, processor) = (self.wall.elapsed().as_secs_f64(), processor_seconds() - self.processor);
        println!(
            "{what}: {rows} rows in {wall:.1} s ({:.0}/s), {processor:.1} s of processor time ({:.0}/s)",
            rows as f64 / wall,
            rows as f64 / processor
        );
    }
}

/// Processor time of this process, from `/proc`; 0 where there is none.
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / 100.0
}
