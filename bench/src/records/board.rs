//! A board: of each stage how many deals there are, their sum, and its first page.

use rapport_records::{AggregateQuery, Backend, BoardQuery, Desk};

use super::{
    ask::Both,
    load::stages,
    name_of,
    plain::{Bound, Plain},
    synthetic::{self, Chance, PEOPLE},
};
use crate::{
    error::BenchError,
    limits::at,
    report::{Better, Row},
};

/// Cards of a column that are shown at first.
const CARDS: usize = 20;
const BOARDS: usize = 100;
const MOST_MS: f64 = 50.0;

pub(super) fn measure(desk: &Desk, plain: &mut Plain, backend: Backend) -> Result<Vec<Row>, BenchError> {
    let mut rows = Vec::new();
    for everything in [true, false] {
        let times = boards(desk, plain, everything)?;
        let who = if everything { "all deals" } else { "a team's deals" };
        let what = format!("{}: board of {who}, p95", name_of(backend));
        let note = times.note("by hand");
        rows.push(Row::new("board", &what, Better::Less, MOST_MS, at(&times.ours, 0.95), "ms").note(note));
    }
    Ok(rows)
}

fn boards(desk: &Desk, plain: &mut Plain, everything: bool) -> Result<Both, BenchError> {
    let (mut both, mut chance) = (Both::new(), Chance(3));
    let stages = stages(desk)?;
    let totals = AggregateQuery { group: "stage".to_owned(), sum: Some("amount".to_owned()), filter: None };
    let query = BoardQuery { totals, sort: Some("-created_at".to_owned()), limit: CARDS };
    for turn in 0..BOARDS {
        let person = 1 + chance.below(PEOPLE as usize) as i64;
        let access = if everything { synthetic::administrator() } else { synthetic::member(person) };
        let ours = || {
            std::hint::black_box(desk.board(&access, "deal", &query)?);
            Ok(())
        };
        let [one, other] = synthetic::teams_of(person);
        let (reach, bound) = if everything {
            ("", Vec::new())
        } else {
            ("AND (owner = ? OR team IN (?, ?))", vec![Bound::Whole(person), Bound::Whole(one), Bound::Whole(other)])
        };
        let by_hand = || {
            let sums = format!(
                "SELECT stage, amount__currency, count(*), CAST(sum(amount) AS DOUBLE PRECISION) FROM o_deal \
                 WHERE deleted_at IS NULL {reach} GROUP BY stage, amount__currency ORDER BY stage"
            );
            plain.rows(&sums, &bound)?;
            for stage in &stages {
                let page = format!(
                    "SELECT * FROM o_deal WHERE deleted_at IS NULL {reach} AND stage = ? ORDER BY id DESC LIMIT {}",
                    CARDS + 1
                );
                let mut bound = bound.clone();
                bound.push(Bound::Whole(stage.0));
                plain.rows(&page, &bound)?;
            }
            Ok(())
        };
        both.ask(turn, ours, by_hand)?;
    }
    Ok(both)
}
