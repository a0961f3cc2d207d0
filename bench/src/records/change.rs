//! Making and changing one record, durable when it returns, beside a bare sync of the same disk.

use std::{fs::File, io::Write as _, path::Path};

use rapport_records::{Backend, Desk, Edit, Fields, Id};
use serde_json::json;

use super::{
    ask::timed,
    name_of,
    synthetic::{self, PEOPLE},
};
use crate::{
    error::BenchError,
    limits::{at, histogram},
    report::{Better, Row},
};

const CHANGES: usize = 300;
/// Milliseconds beyond the sync that the 95th of a hundred may take.
const MOST_MS: f64 = 5.0;
/// Numbers of contacts that were not made before.
const FIRST: usize = 1 << 40;

pub(super) fn measure(desk: &Desk, folder: &Path, backend: Backend) -> Result<Vec<Row>, BenchError> {
    let (mut creates, mut updates, mut syncs) = (histogram(), histogram(), histogram());
    let mut file = File::create(folder.join("sync"))?;
    for number in 0..CHANGES {
        // By turns, since the disk is not as fast at every moment.
        file.write_all(&[7; 4_096])?;
        timed(&mut syncs, || Ok(file.sync_data()?))?;
        let access = synthetic::member(1 + number as i64 % PEOPLE);
        let mut fields = synthetic::contact(FIRST + number).fields();
        fields.retain(|name, _| name != "owner" && name != "team");
        fields.insert("team".to_owned(), json!(Id(synthetic::teams_of(1 + number as i64 % PEOPLE)[0])));
        let mut made = None;
        timed(&mut creates, || {
            made = desk.edit(&access, "contact", &[Edit::Create { fields }], None)?.records.pop();
            Ok(())
        })?;
        let Some(record) = made else { continue };
        let fields = Fields::from_iter([("city".to_owned(), json!(format!("City {number}")))]);
        let update = Edit::Update { id: record.id, fields, version: Some(record.version) };
        timed(&mut updates, || Ok(desk.edit(&access, "contact", &[update], None).map(drop)?))?;
    }
    let sync = at(&syncs, 0.95);
    let row = |what: &str, times: &hdrhistogram::Histogram<u64>| {
        let name = format!("{}: {what} one contact, p95 beyond a sync", name_of(backend));
        let note = format!(
            "p50 {:.2}, p95 {:.2} ms; a bare sync p50 {:.2}, p95 {sync:.2} ms",
            at(times, 0.5),
            at(times, 0.95),
            at(&syncs, 0.5)
        );
        Row::new("change", &name, Better::Less, MOST_MS, at(times, 0.95) - sync, "ms").note(note)
    };
    Ok(vec![row("making", &creates), row("changing", &updates)])
}
