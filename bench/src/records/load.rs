//! The rows: made by the same edits as an import's, ten thousand to a transaction.

use std::time::Instant;

use rapport_records::{Backend, Desk, EDITS, Edit, Fields, Id, ListQuery};

use super::{name_of, synthetic};
use crate::{
    error::BenchError,
    report::{Better, Row, say},
};

/// Makes the contacts and those who own them.
pub(super) fn contacts(desk: &Desk, backend: Backend, rows: usize) -> Result<Row, BenchError> {
    say(&format!("{}: making {rows} contacts", name_of(backend)));
    let (people, teams) = synthetic::everybody();
    desk.know_for_measuring(&people, &teams)?;
    let begun = Instant::now();
    make(desk, "contact", rows, |number| synthetic::contact(number).fields())?;
    let rate = rows as f64 / begun.elapsed().as_secs_f64();
    let what = format!("{}: contacts made, {EDITS} to a request", name_of(backend));
    // An import has to read and check them too; its own figure is beside this one.
    Ok(Row::new("load", &what, Better::More, 5_000.0, rate, "rows/s").note("each with its line in the feed"))
}

/// Makes deals at all stages.
pub(super) fn deals(desk: &Desk, rows: usize) -> Result<(), BenchError> {
    say(&format!("making {rows} deals"));
    let stages = stages(desk)?;
    make(desk, "deal", rows, |number| synthetic::deal(number, &stages))
}

/// The stages of the first pipeline, in their order.
pub(super) fn stages(desk: &Desk) -> Result<Vec<Id>, BenchError> {
    let query = ListQuery { limit: 100, sort: Some("position".to_owned()), ..ListQuery::default() };
    let stages = desk.list(&synthetic::administrator(), "stage", &query)?.records;
    Ok(stages.iter().map(|stage| stage.id).collect())
}

fn make(desk: &Desk, object: &str, rows: usize, fields: impl Fn(usize) -> Fields) -> Result<(), BenchError> {
    let access = synthetic::administrator();
    for first in (0..rows).step_by(EDITS) {
        let numbers = first..rows.min(first + EDITS);
        let edits: Vec<Edit> = numbers.map(|number| Edit::Create { fields: fields(number) }).collect();
        desk.edit(&access, object, &edits, None)?;
    }
    Ok(())
}
