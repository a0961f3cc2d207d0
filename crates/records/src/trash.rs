//! The trash emptied: records in it are gone for good. What they were stands in their history still.
//!
//! Limits: [`STEP`] records in one transaction; if that is interrupted, the same call goes on.

use sea_query::LockType;

use crate::{Access, Desk, Id, RecordsError, Tx, Verb, database::hold, desk::Moment, purge};

/// Records of one transaction.
const STEP: u64 = 1_000;

impl Desk {
    /// Removes the records of an object that lie in the trash and that the caller may delete; how many.
    pub fn empty_trash(&self, access: &Access, object: &str) -> Result<u64, RecordsError> {
        let mut gone = 0;
        loop {
            let step = self.write_anew(|moment, tx| purge_some(moment, tx, access, object))?;
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
    hold(tx, &mut query, LockType::Update);
    let of_row = |row: &crate::Row| Ok((Id(row.int(0)?), row.int(1)?));
    let records = tx.query(&query)?.iter().map(of_row).collect::<Result<Vec<_>, RecordsError>>()?;
    purge::purge(moment, tx, access, None, ground.object, &records)?;
    Ok(records.len() as u64)
}
