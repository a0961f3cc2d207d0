//! A jump to the middle of a list, as a scrollbar makes it: a page with half of all records left out before it.

use rapport_records::{Backend, Desk, ListQuery};

use super::{ask::Both, name_of, plain::Plain, synthetic};
use crate::{
    error::BenchError,
    limits::at,
    report::{Better, Row},
};

/// Records of a page.
const PAGE: usize = 50;
const JUMPS: usize = 20;
const MOST_MS: f64 = 100.0;

/// How a list is sorted: as it is asked for here, and by hand.
const SORTS: [(&str, Option<&str>, &str); 2] =
    [("newest first", None, "id DESC"), ("by name", Some("name"), "name, id")];

pub(super) fn measure(
    desk: &Desk,
    plain: &mut Plain,
    backend: Backend,
    contacts: usize,
) -> Result<Vec<Row>, BenchError> {
    let mut rows = Vec::new();
    for (what, sort, order) in SORTS {
        let mut both = Both::new();
        for turn in 0..JUMPS {
            let skip = (contacts / 2 + turn) as u64;
            let query = ListQuery { sort: sort.map(str::to_owned), skip, limit: PAGE, ..ListQuery::default() };
            let ours = || {
                std::hint::black_box(desk.list(&synthetic::administrator(), "contact", &query)?);
                Ok(())
            };
            let order = super::list::order_by_hand(backend, order);
            let limit = PAGE + 1;
            let sql = format!(
                "SELECT * FROM o_contact WHERE deleted_at IS NULL ORDER BY {order} LIMIT {limit} OFFSET {skip}"
            );
            both.ask(turn, ours, || plain.rows(&sql, &[]).map(drop))?;
        }
        let name = format!("{}: {what}, a jump to the middle, p95", name_of(backend));
        let note = both.note("by hand with OFFSET");
        rows.push(Row::new("jump", &name, Better::Less, MOST_MS, at(&both.ours, 0.95), "ms").note(note));
    }
    Ok(rows)
}
