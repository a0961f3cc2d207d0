//! Which changes of the feed somebody may see: those of records that they may read.

use std::collections::{BTreeMap, BTreeSet};

use sea_query::ExprTrait as _;

use crate::{
    Access, Change, Id, Reach, RecordsError, Tx, Verb,
    desk::{Moment, without_hidden},
    feed::Op,
};

/// The changes that somebody may see, without the fields that they do not.
///
/// A record is asked for as it is now: who may read it now sees its change. One that is gone for good is told of only to those
/// who read all records of its object.
pub(crate) fn visible(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    mut changes: Vec<Change>,
) -> Result<Vec<Change>, RecordsError> {
    // Of people, roles, keys and sessions only the audit tells, and it tells administrators only.
    changes.retain(|change| moment.schema.object(&change.object).is_some());
    let mut asked: BTreeMap<&str, BTreeSet<Id>> = BTreeMap::new();
    for change in changes.iter().filter(|change| !reads_all(access, &change.object)) {
        asked.entry(&change.object).or_default().insert(change.record);
    }
    let mut readable: BTreeSet<Id> = BTreeSet::new();
    for (object, ids) in asked {
        let Ok(ground) = moment.ground(object, access) else { continue };
        if access.reach(Verb::Read, ground.object).is_err() {
            continue;
        }
        let mut query = ground.select_any(access)?;
        query.expr(ground.column("id")).and_where(ground.column("id").is_in(ids.iter().map(|id| id.0)));
        for row in tx.query(&query)? {
            readable.insert(Id(row.int(0)?));
        }
    }
    let may_see = |change: &Change| {
        reads_all(access, &change.object) || change.op != Op::Purge && readable.contains(&change.record)
    };
    Ok(changes.into_iter().filter(may_see).map(|change| without_hidden(change, access)).collect())
}

fn reads_all(access: &Access, object: &str) -> bool {
    *access.role.reach(Verb::Read, object) == Reach::All
}
