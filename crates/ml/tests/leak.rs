//! Planted leaks are told with their reason, and honest columns are left in peace.

use std::ops::ControlFlow;

use rapport_ml::frame::{Cells, Column, Frame, InferOptions, Meaning, Texts, infer};
use rapport_ml::leak::{LeakReason, LeakReport, LeakWarning, find_leaks};
use rapport_ml::{MlError, Random, Task};

const ROWS: usize = 4000;

/// Nobody wants it to end.
fn on(_: f64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A campaign by telephone: four honest columns, and an outcome that they explain in part.
struct Calls {
    columns: Vec<(String, Vec<String>)>,
    bought: Vec<f64>,
    random: Random,
}

impl Calls {
    fn new() -> Self {
        let mut random = Random::new(11, 0);
        let (mut columns, mut bought) = (vec![Vec::new(); 4], Vec::new());
        for _ in 0..ROWS {
            let (age, balance) = (random.uniform(), random.uniform());
            let (job, month) = (random.below(8), random.below(12));
            let odds = -3.0 + 1.5 * age + 1.2 * balance + if job == 3 { 0.8 } else { 0.0 };
            bought.push(f64::from(u8::from(random.uniform() < 1.0 / (1.0 + f64::exp(-odds)))));
            columns[0].push(format!("{:.0}", 18.0 + 60.0 * age));
            columns[1].push(format!("{:.2}", 1e4 * balance));
            columns[2].push(format!("job {job}"));
            columns[3].push(format!("month {month}"));
        }
        let names = ["age", "balance", "job", "month"].map(str::to_owned);
        Self { columns: names.into_iter().zip(columns).collect(), bought, random }
    }

    /// Adds a column; `make` is given the outcome of the row.
    fn with(mut self, name: &str, mut make: impl FnMut(usize, bool, &mut Random) -> String) -> Self {
        let random = &mut self.random;
        let cells = self.bought.iter().enumerate().map(|(row, bought)| make(row, *bought == 1.0, random)).collect();
        self.columns.push((name.to_owned(), cells));
        self
    }

    fn report(&self) -> LeakReport {
        let texts =
            |(name, cells): &(String, Vec<String>)| (name.clone(), cells.iter().map(String::as_str).collect::<Texts>());
        let columns = self.columns.iter().map(texts).collect();
        let (frame, _) = infer(columns, &InferOptions::default()).expect("reads");
        let rows: Vec<usize> = (0..ROWS).collect();
        find_leaks(&frame, &rows, &self.bought, Task::Binary, "bought", 3, &mut on).expect("finds")
    }

    /// The one warning there is.
    fn warning(&self) -> LeakWarning {
        let mut warnings = self.report().warnings;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        warnings.remove(0)
    }
}

#[test]
fn honest_columns_are_left_in_peace() {
    let report = Calls::new()
        .with("id", |row, _, _| format!("A{:05}", (row * 7919) % ROWS))
        .with("agent", |_, _, random| format!("agent {}", random.below(900)))
        .with("note", |_, _, random| if random.below(5) == 0 { String::new() } else { "x".to_owned() })
        .with("duration_of_contract", |_, _, random| random.below(24).to_string())
        .report();
    assert_eq!(report.warnings, []);
    let strength = |name: &str| report.columns.iter().find(|column| column.column == name).map(|column| column.alone);
    assert!(strength("age").is_some_and(|strength| (0.1..0.5).contains(&strength)), "{report:?}");
    assert!(strength("agent").is_some_and(|strength| strength < 0.08), "900 names shine by heart alone: {report:?}");
}

#[test]
fn the_length_of_a_call_is_known_when_it_is_over() {
    let calls = Calls::new().with("duration", |_, bought, random| {
        let mean = if bought { 550.0 } else { 220.0 };
        format!("{:.0}", -mean * f64::ln(1.0 - random.uniform()) + if bought { 120.0 } else { 0.0 })
    });
    let warning = calls.warning();
    assert_eq!(warning.column, "duration");
    let told = matches!(&warning.reason, LeakReason::Name { word } if word == "duration")
        || matches!(warning.reason, LeakReason::Dominates { .. });
    assert!(told, "{warning:?}");
}

#[test]
fn a_column_without_a_telling_name_that_beats_all_others_is_told() {
    let calls = Calls::new().with("value", |_, bought, random| {
        let centre = if bought { 1.0 } else { 0.0 };
        (centre + random.uniform() + random.uniform() + random.uniform()).to_string()
    });
    let LeakReason::Dominates { together } = calls.warning().reason else { panic!("{:?}", calls.warning()) };
    assert!((0.2..0.6).contains(&together), "{together}");
}

#[test]
fn the_outcome_in_other_words_is_told() {
    let copy = Calls::new().with("state", |_, bought, _| if bought { "won" } else { "lost" }.to_owned()).warning();
    assert_eq!((copy.column.as_str(), copy.reason), ("state", LeakReason::Copy));
    let nearly =
        |_, bought, random: &mut Random| ["won", "lost"][usize::from(bought == (random.below(40) == 0))].to_owned();
    assert_eq!(Calls::new().with("state", nearly).warning().reason, LeakReason::Determines);
}

#[test]
fn what_is_filled_in_after_the_outcome_is_told() {
    let calls = Calls::new().with("delivered to", |_, bought, random| {
        if bought && random.below(10) > 0 { format!("place {}", random.below(30)) } else { String::new() }
    });
    assert_eq!(calls.warning().reason, LeakReason::Presence);
    let sentences = Calls::new().with("complaint", |row, bought, random| {
        if bought && random.below(3) > 0 {
            format!("the thing number {row} that I bought is bad")
        } else {
            String::new()
        }
    });
    assert_eq!(sentences.warning().reason, LeakReason::Presence);
}

#[test]
fn kinds_of_an_outcome_beside_it_are_told_together() {
    let kind =
        |kind: usize| move |row: usize, bought: bool, _: &mut Random| u8::from(bought && row % 3 == kind).to_string();
    let report = Calls::new().with("A", kind(0)).with("B", kind(1)).with("C", kind(2)).report();
    let mut told: Vec<(&str, &LeakReason)> =
        report.warnings.iter().map(|warning| (warning.column.as_str(), &warning.reason)).collect();
    told.sort_by_key(|(name, _)| *name);
    let part = |others: [&str; 2]| LeakReason::Part { others: others.map(str::to_owned).to_vec() };
    assert_eq!(told, [("A", &part(["B", "C"])), ("B", &part(["A", "C"])), ("C", &part(["A", "B"]))]);
    let one = Calls::new().with("A", kind(0)).warning();
    assert!(matches!(one.reason, LeakReason::Certain { share } if (0.25..0.42).contains(&share)), "{one:?}");
}

#[test]
fn ids_are_a_leak_where_rows_stand_in_order_of_the_outcome() {
    let calls = Calls::new();
    let bought: Vec<usize> = (0..ROWS).filter(|row| calls.bought[*row] == 1.0).collect();
    let mut next = (0, bought.len());
    let calls = calls.with("id", |_, bought, _| {
        let place = if bought { &mut next.0 } else { &mut next.1 };
        *place += 1;
        format!("C{place:05}")
    });
    let warning = calls.warning();
    assert_eq!((warning.column.as_str(), &warning.reason), ("id", &LeakReason::Order));
}

#[test]
fn a_name_with_the_targets_name_in_it_needs_little_more() {
    let calls = Calls::new().with("bought score", |_, bought, random| {
        let noise = random.uniform();
        (f64::from(u8::from(bought)) + (noise / (1.0 - noise)).ln()).to_string()
    });
    assert_eq!(calls.warning().reason, LeakReason::Name { word: "bought".to_owned() });
}

#[test]
fn numbers_and_classes_are_outcomes_too() {
    let mut random = Random::new(5, 0);
    let target: Vec<f64> = (0..ROWS).map(|_| random.uniform() * 100.0).collect();
    let cents: Vec<f64> = target.iter().map(|target| (target * 100.0).round()).collect();
    let noise: Vec<f64> = (0..ROWS).map(|_| random.uniform()).collect();
    let classes: Vec<f64> = target.iter().map(|target| (target / 25.0).floor().min(3.0)).collect();
    let frame =
        Frame::new(vec![Column::numbers("in cents", cents), Column::numbers("noise", noise)]).expect("fits together");
    let rows: Vec<usize> = (0..ROWS).collect();
    for (target, task) in [(&target, Task::Regression), (&classes, Task::Multiclass { classes: 4 })] {
        let report = find_leaks(&frame, &rows, target, task, "amount", 0, &mut on).expect("finds");
        assert_eq!(report.warnings.len(), 1, "{report:?}");
        assert_eq!(report.warnings[0].column, "in cents");
        assert!(report.columns[1].alone < 0.05, "{report:?}");
    }
}

#[test]
fn every_reason_has_words_in_both_languages_and_odd_tables_do_no_harm() {
    let reasons = [
        LeakReason::Copy,
        LeakReason::Determines,
        LeakReason::Certain { share: 0.25 },
        LeakReason::Part { others: vec!["B".to_owned()] },
        LeakReason::Dominates { together: 0.25 },
        LeakReason::Presence,
        LeakReason::Name { word: "result".to_owned() },
        LeakReason::Order,
    ];
    for reason in reasons {
        let warning = LeakWarning { column: "A".to_owned(), reason, strength: 0.5 };
        assert!(warning.in_english().contains("\"A\"") && warning.in_english().ends_with('.'));
        assert!(warning.in_chinese().contains("“A”") && warning.in_chinese().ends_with(['。', '？']));
    }
    let empty = Column {
        meaning: Meaning::Missing,
        cells: Cells::Number(vec![f64::NAN; 3]),
        ..Column::numbers("empty", Vec::new())
    };
    let frame = Frame::new(vec![empty, Column::numbers("one", vec![1.0, f64::INFINITY, 1.0])]).expect("fits together");
    for target in [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 0.0]] {
        let report = find_leaks(&frame, &[0, 1, 2], &target, Task::Binary, "", 0, &mut on).expect("finds");
        assert!(report.columns.iter().all(|column| column.alone.is_finite() && column.presence.is_finite()));
    }
    assert!(matches!(find_leaks(&frame, &[0], &[], Task::Binary, "", 0, &mut on), Err(MlError::Shape(_))));
    assert!(find_leaks(&frame, &[], &[], Task::Regression, "", 0, &mut on).is_ok());
}

#[test]
fn the_search_tells_how_far_it_is_and_ends_when_it_is_told_to() {
    let columns =
        (0..4).map(|n| Column::numbers(&format!("c{n}"), (0..40).map(|row| f64::from(row % (n + 2))).collect()));
    let frame = Frame::new(columns.collect()).expect("fits together");
    let (rows, target): (Vec<usize>, Vec<f64>) = (0..40).map(|row| (row, (row % 2) as f64)).unzip();
    let search = |last: f64| {
        let mut told = Vec::new();
        let mut tell = |share| {
            told.push(share);
            if share < last { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let found = find_leaks(&frame, &rows, &target, Task::Binary, "", 0, &mut tell);
        (found.map(|report| report.columns.len()), told)
    };
    assert_eq!(search(2.0), (Ok(4), vec![0.0, 0.25, 0.5, 0.75, 1.0]));
    assert_eq!(search(0.5), (Err(MlError::Stopped), vec![0.0, 0.25, 0.5]));
}
