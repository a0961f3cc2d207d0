//! Pages of 50 of lists of contacts as people have them: filtered, sorted, and of those that one or one's teams own.

use rapport_records::{Backend, Desk, ListQuery};

use super::{
    ask::Both,
    name_of,
    plain::{Bound, Plain},
    synthetic::{self, Chance, LIFECYCLES, PEOPLE},
};
use crate::{
    error::BenchError,
    limits::at,
    report::{Better, Row},
};

/// Records of a page.
const PAGE: usize = 50;
/// Pages of each list.
const PAGES: usize = 100;
/// Milliseconds that the 95th of a hundred may take.
const MOST_MS: f64 = 30.0;
/// How much more than plain SQL it may take.
const MOST_TIMES: f64 = 2.0;

/// A list: as it is asked for here, and the same by hand.
struct List {
    what: &'static str,
    sort: &'static str,
    order: &'static str,
    /// A filter for a turn of chance, the condition by hand, and its values.
    filter: fn(&mut Chance) -> (String, &'static str, Vec<Bound>),
}

const LISTS: [List; 5] = [
    List {
        what: "by name, one stage of life",
        sort: "name",
        order: "name, id",
        filter: |chance| {
            let lifecycle = LIFECYCLES[chance.below(LIFECYCLES.len())];
            (format!("lifecycle == \"{lifecycle}\""), "lifecycle = ?", vec![Bound::Text(lifecycle.to_owned())])
        },
    },
    List {
        what: "newest first, one country, consenting",
        sort: "-created_at",
        order: "id DESC",
        filter: |chance| {
            let country = ["US", "DE", "GB", "CN"][chance.below(4)];
            let filter = format!("country == \"{country}\" && marketing_consent");
            (filter, "country = ? AND marketing_consent", vec![Bound::Text(country.to_owned())])
        },
    },
    List {
        what: "last changed first, one rare city",
        sort: "-updated_at",
        order: "updated_at DESC, id DESC",
        filter: |chance| {
            let city = ["Oslo", "Leeds", "Köln"][chance.below(3)];
            (format!("city == \"{city}\""), "city = ?", vec![Bound::Text(city.to_owned())])
        },
    },
    List {
        what: "by e-mail, nearly nobody",
        sort: "email",
        order: "email, id",
        filter: |chance| {
            let job = format!("Head of {}", ["Bakar", "Delvin", "Polros", "Zanber"][chance.below(4)]);
            (format!("job_title == \"{job}\""), "job_title = ?", vec![Bound::Text(job)])
        },
    },
    List {
        what: "by name, names that begin so",
        sort: "name",
        order: "name, id",
        filter: |chance| {
            let begin = ["Mi", "Jo", "Sø", "An"][chance.below(4)];
            let end = format!("{begin}\u{10ffff}");
            let filter = format!("name.startsWith(\"{begin}\")");
            (filter, "name >= ? AND name < ?", vec![Bound::Text(begin.to_owned()), Bound::Text(end)])
        },
    },
];

pub(super) fn measure(desk: &Desk, plain: &mut Plain, backend: Backend) -> Result<Vec<Row>, BenchError> {
    let mut rows = Vec::new();
    for list in &LISTS {
        let times = pages(desk, plain, backend, list)?;
        let (ours, by_hand) = (at(&times.ours, 0.95), at(&times.plain, 0.95));
        let what = format!("{}: {}, p95", name_of(backend), list.what);
        let note = times.note("by hand");
        rows.push(Row::new("list", &what, Better::Less, MOST_MS, ours, "ms").note(note));
        let what = format!("{}: {}, beside SQL", name_of(backend), list.what);
        rows.push(Row::new("list", &what, Better::Less, MOST_TIMES, ours / by_hand, "times"));
    }
    Ok(rows)
}

/// Pages of one list, each for another person.
fn pages(desk: &Desk, plain: &mut Plain, backend: Backend, list: &List) -> Result<Both, BenchError> {
    let (mut both, mut chance) = (Both::new(), Chance(list.what.len() as u64));
    for turn in 0..PAGES {
        let person = 1 + chance.below(PEOPLE as usize) as i64;
        let access = synthetic::member(person);
        let (filter, by_hand, values) = (list.filter)(&mut chance);
        let query =
            ListQuery { filter: Some(filter), sort: Some(list.sort.to_owned()), limit: PAGE, ..ListQuery::default() };
        let ours = || {
            std::hint::black_box(desk.list(&access, "contact", &query)?);
            Ok(())
        };
        let order = order_by_hand(backend, list.order);
        let sql = format!(
            "SELECT * FROM o_contact WHERE (owner = ? OR team IN (?, ?)) AND deleted_at IS NULL AND {by_hand} \
             ORDER BY {order} LIMIT {}",
            PAGE + 1
        );
        let [one, other] = synthetic::teams_of(person);
        let mut bound = vec![Bound::Whole(person), Bound::Whole(one), Bound::Whole(other)];
        bound.extend(values);
        both.ask(turn, ours, || plain.rows(&sql, &bound).map(drop))?;
    }
    Ok(both)
}

/// An order in a database's words: records without a value come first in SQLite, and last in PostgreSQL unless it is told.
pub(super) fn order_by_hand(backend: Backend, order: &str) -> String {
    let Some((column, id)) = order.split_once(", ").filter(|_| backend == Backend::Postgres) else {
        return order.to_owned();
    };
    let nulls = if order.contains("DESC") { "NULLS LAST" } else { "NULLS FIRST" };
    format!("{column} {nulls}, {id}")
}
