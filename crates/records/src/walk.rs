//! Pages of a sorted list found by walking the index of its order, where SQLite would gather and sort all that somebody reaches.
//!
//! SQLite's planner does not weigh that a page needs a few records only: of those that a team owns it reads every one by the
//! index of owners, then sorts them. Walked in the order of the list, the page is full after some thousand records, unless few
//! are let through, and then the walk would be long. So the walk goes in steps, and ends with nothing as soon as what it has found
//! says that it is too long; the page is then read as SQLite would. PostgreSQL's planner knows limits and statistics, and is left alone.
//!
//! It is exact: all records of a step come before those of the next in the list's order, and each step is sorted.

use sea_query::{ExprTrait as _, Query, SelectStatement};

use crate::{
    Access, Backend, ListQuery, Reach, RecordsError, Row, Tx, Verb, ground::Ground, read::Sorting, schema::table_of,
};

/// Records of the steps, one after the other.
const STEPS: [u64; 4] = [1_000, 2_000, 6_000, 12_000];
/// A walk that would be longer is not worth it.
const LONGEST: u64 = 40_000;

/// Whether a list of a SQLite is one that can be walked and may gain by it.
pub(crate) fn pays(ground: &Ground<'_>, access: &Access, wanted: &ListQuery, sorting: &Sorting) -> bool {
    let is_indexed = match sorting.column.as_str() {
        "id" | "updated_at" => true,
        name => ground.object.field(name).is_some_and(|field| field.indexed && !field.unique),
    };
    let is_reached_by_owner = matches!(access.reach(Verb::Read, ground.object), Ok(Reach::Own | Reach::Team));
    is_indexed && is_reached_by_owner && wanted.ids.is_none() && wanted.only.is_none()
}

/// The rows of `query`, which is of a walking ground; none if it would take too long.
pub(crate) fn walk(
    ground: &Ground<'_>,
    tx: &mut Tx<'_>,
    wanted: &ListQuery,
    sorting: &Sorting,
    query: &SelectStatement,
) -> Result<Option<Vec<Row>>, RecordsError> {
    let enough = wanted.limit as u64 + 1;
    let (mut seen, mut rows) = (0, Vec::new());
    for step in STEPS {
        let mut ids = Query::select();
        ids.expr(ground.column("id")).from(sea_query::Alias::new(table_of(&ground.object.name)));
        sorting.go_on(ground, wanted.cursor.as_deref(), &mut ids)?;
        sorting.apply(ground, &mut ids, Backend::Sqlite);
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
