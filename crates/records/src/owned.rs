//! Pages of lists of what somebody or their teams own, found without a look at each of those records.
//!
//! SQLite's planner reads every record that a team owns by the index of owners, one page of the table for each, then sorts them.
//! There are two better ways, and which one depends on how many of the records the list wants:
//!
//! - many: the index of the list's order is *walked*. The page is full after some thousand records. The walk goes in steps, and
//!   is given up as soon as what it has found says that it would be long. Each step is sorted, and comes before the next.
//! - few: their ids are *gathered* from the index of what teams own, which has the short fields in it.
//!
//! Both find exactly the page that the plain query finds. PostgreSQL's planner knows limits and statistics, and is left alone.

use sea_query::{Alias, ExprTrait as _, Query, SelectStatement, UnionType};

use crate::{
    Access, Backend, ListQuery, Reach, RecordsError, Row, Tx, Verb,
    ground::Ground,
    read::{Sorting, narrow, page_query},
    record::Shape,
    schema::table_of,
};

/// Records of the steps of a walk, one after the other.
const STEPS: [u64; 4] = [500, 1_500, 3_000, 5_000];
/// A walk that would be longer is not worth it.
const LONGEST: u64 = 10_000;

/// The rows of a page and of one record more, and what they hold; none if the plain query is as good.
pub(crate) fn page<'s>(
    ground: &Ground<'s>,
    tx: &mut Tx<'_>,
    access: &Access,
    wanted: &ListQuery,
    sorting: &Sorting,
) -> Result<Option<(Shape<'s>, Vec<Row>)>, RecordsError> {
    let is_owned = matches!(access.reach(Verb::Read, ground.object), Ok(Reach::Own | Reach::Team));
    if !is_owned || wanted.trash || wanted.ids.is_some() || wanted.only.is_some() {
        return Ok(None);
    }
    let (shape, query) = page_query(ground, access, wanted, sorting, Backend::Sqlite)?;
    if wanted.skip == 0
        && sorting.is_indexed
        && let Some(rows) = walk(ground, tx, wanted, sorting, &query)?
    {
        return Ok(Some((shape, rows)));
    }
    let gathered = gather(ground, access, wanted, sorting, query)?;
    gathered.map(|query| Ok((shape, tx.query(&query)?))).transpose()
}

/// The rows of `query`; none if it would take too long.
fn walk(
    ground: &Ground<'_>,
    tx: &mut Tx<'_>,
    wanted: &ListQuery,
    sorting: &Sorting,
    query: &SelectStatement,
) -> Result<Option<Vec<Row>>, RecordsError> {
    let enough = wanted.limit as u64 + 1;
    let (mut seen, mut rows) = (0, Vec::new());
    for step in STEPS {
        let mut ids = sorting.ids(ground, Backend::Sqlite, false, wanted.cursor.as_deref())?;
        ids.limit(step).offset(seen);
        let mut part = query.clone();
        part.and_where(ground.column("id").in_subquery(ids)).reset_limit().limit(enough - rows.len() as u64);
        rows.extend(tx.query(&part)?);
        seen += step;
        let found = rows.len() as u64;
        if found == enough {
            return Ok(Some(rows));
        }
        if found * LONGEST < enough * seen {
            break;
        }
    }
    Ok(None)
}

/// `query` of the page's ids alone; none where nobody's teams own anything.
fn gather(
    ground: &Ground<'_>,
    access: &Access,
    wanted: &ListQuery,
    sorting: &Sorting,
    mut query: SelectStatement,
) -> Result<Option<SelectStatement>, RecordsError> {
    let Some(parts) = ground.of_team(access) else { return Ok(None) };
    let [mine, teams] = parts.map(|part| {
        let mut ids = Query::select();
        ids.expr(ground.column("id")).from(Alias::new(table_of(&ground.object.name)));
        ids.expr_as(ground.column(&sorting.column), Alias::new("value"));
        ids.and_where(part).and_where(ground.column("deleted_at").is_null());
        narrow(&mut ids, ground, access, wanted, sorting).map(|()| ids)
    });
    let owned = mine?.union(UnionType::Distinct, teams?).take();
    let mut ids = Query::select();
    ids.column(Alias::new("id")).from_subquery(owned, Alias::new("owned"));
    for column in ["value", "id"] {
        ids.order_by(Alias::new(column), sorting.order());
    }
    // `query` leaves out what is to be left out, of these.
    ids.limit(wanted.skip + wanted.limit as u64 + 1);
    query.and_where(ground.column("id").in_subquery(ids));
    Ok(Some(query))
}
