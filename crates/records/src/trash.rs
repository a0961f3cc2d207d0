//! The trash emptied: records in it are gone for good. What they were stands in their history still.
//!
//! Limits: [`STEP`] records in one transaction; if that is interrupted, the same call goes on.

use sea_query::{Alias, ExprTrait as _, Query};
use serde_json::Map;

use crate::{
    Access, Desk, Id, Op, RecordsError, Tx, Verb,
    desk::Moment,
    feed::{self, Line, column},
    purge,
    schema::table_of,
};

/// Records of one transaction.
const STEP: u64 = 1_000;

impl Desk {
    /// Removes the records of an object that lie in the trash and that the caller may delete; how many.
    pub fn empty_trash(&self, access: &Access, object: &str) -> Result<u64, RecordsError> {
        let mut gone = 0;
        loop {
            let step = self.write(|moment, tx| purge_some(moment, tx, access, object))?;
            gone += step;
            if step < STEP {
                return Ok(gone);
            }
        }
    }
}

fn purge_some(moment: &Moment<'_>, tx: &mut Tx<'_>, access: &Access, name: &str) -> Result<u64, RecordsError> {
    let ground = moment.ground(name, access)?;
    let mut query = ground.select_trash(access)?;
    query.expr(ground.column("id")).expr(ground.column("version")).limit(STEP);
    if let Some(permitted) = ground.permitted(access, Verb::Delete)? {
        query.and_where(permitted);
    }
    let line = |row: &crate::Row| {
        let (record, version) = (Id(row.int(0)?), row.int(1)? + 1);
        Ok(Line { object: &ground.object.name, record, version, op: Op::Purge, before: Map::new(), after: Map::new() })
    };
    let lines = tx.query(&query)?.iter().map(line).collect::<Result<Vec<_>, RecordsError>>()?;
    let delete = Query::delete()
        .from_table(Alias::new(table_of(name)))
        .and_where(column("id").is_in(lines.iter().map(|line| line.record.0)))
        // Who took one out of the trash meanwhile keeps it.
        .and_where(column("deleted_at").is_not_null())
        .take();
    let gone = tx.execute(&delete)?;
    if gone != lines.len() as u64 {
        return Err(RecordsError::Unavailable("records were taken out of the trash meanwhile".to_owned()));
    }
    purge::forget(moment, tx, ground.object, &lines.iter().map(|line| line.record).collect::<Vec<_>>())?;
    feed::write(tx, access, None, moment.now, &lines)?;
    Ok(gone)
}
