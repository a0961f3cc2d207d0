//! The pipeline from raw values to numbers: what it codes, that training and serving agree, that it sees training rows alone.

use std::sync::OnceLock;

use proptest::prelude::{any, prop};
use rapport_ml::frame::{Cell, Column, Frame, InferOptions, Texts, infer};
use rapport_ml::pipeline::{Coding, LeftOut, ManyCategories, Pipeline, PipelineOptions, Scratch};
use rapport_ml::{Kind, Matrix, Random, Task};

fn frame(columns: &[(&str, Vec<String>)]) -> Frame {
    let texts = |(name, cells): &(&str, Vec<String>)| {
        let texts: Texts = cells.iter().map(String::as_str).collect();
        ((*name).to_owned(), texts)
    };
    infer(columns.iter().map(texts).collect(), &InferOptions::default()).expect("reads").0
}

fn strings<T: ToString>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

/// 400 rows with a column of each kind, some cells missing.
fn mixed() -> (Frame, Vec<f64>) {
    let mut random = Random::new(5, 0);
    let rows = 400;
    let mut of = |make: &mut dyn FnMut(&mut Random) -> String| -> Vec<String> {
        (0..rows).map(|_| if random.below(20) == 0 { String::new() } else { make(&mut random) }).collect()
    };
    let words = ["slow", "late", "kind", "broken", "很好", "失望", "card", "refund"];
    let columns = [
        ("age", of(&mut |random| random.below(70).to_string())),
        ("spent", of(&mut |random| format!("${:.2}", (random.uniform() * 9.0).exp()))),
        ("member", of(&mut |random| ["yes", "no"][random.below(2)].to_owned())),
        ("plan", of(&mut |random| ["basic", "plus", "none"][random.below(3)].to_owned())),
        ("city", of(&mut |random| format!("city {}", random.below(150)))),
        (
            "since",
            of(&mut |random| format!("2024-0{}-1{} 0{}:00", 1 + random.below(9), random.below(9), random.below(9))),
        ),
        ("message", of(&mut |random| (0..8).map(|_| words[random.below(words.len())]).collect::<Vec<_>>().join(" "))),
        ("id", strings(0..rows)),
    ];
    let frame = frame(&columns);
    let target = (0..rows).map(|row| f64::from(u8::from(row % 3 == 0))).collect();
    (frame, target)
}

fn all(frame: &Frame) -> Vec<usize> {
    (0..frame.rows()).collect()
}

fn column(pipeline: &Pipeline, matrix: &Matrix, name: &str) -> Vec<f64> {
    let place = pipeline.names().iter().position(|known| known == name);
    matrix.column(place.unwrap_or_else(|| panic!("{name} is not in {:?}", pipeline.names()))).collect()
}

fn same(one: &[f64], other: &[f64]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.to_bits() == other.to_bits())
}

const CODINGS: [Coding; 2] = [Coding::Linear, Coding::Tree];

#[test]
fn numbers_for_linear_models_are_standardised_and_tell_what_is_missing() {
    let ages = ["10", "20", "30", "40", "", "10", "20", "30", "40"];
    let spent = ["0", "0", "0", "0", "1000", "0", "0", "0", "0"];
    let frame = frame(&[("age", strings(ages)), ("spent", strings(spent))]);
    let options = PipelineOptions::new(Coding::Linear);
    let pipeline = Pipeline::fit(&frame, &all(&frame), None, &options).expect("fits");
    assert_eq!(pipeline.names(), ["age", "age=(missing)", "spent"]);
    assert_eq!(pipeline.origin(), [0, 0, 1]);
    let matrix = pipeline.apply(&frame, &all(&frame)).expect("applies");
    let deviation = 125.0_f64.sqrt();
    let expected = [-15.0, -5.0, 5.0, 15.0, 0.0].map(|away| away / deviation);
    let found = column(&pipeline, &matrix, "age");
    assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{found:?}");
    assert_eq!(column(&pipeline, &matrix, "age=(missing)")[3..6], [0.0, 1.0, 0.0]);
    let mut scratch = Scratch::default();
    let mut out = [0.0; 3];
    let mut of = |spent: f64| {
        pipeline.row(&[Cell::Missing, Cell::Number(spent)], &mut scratch, &mut out);
        out[2]
    };
    let (low, middle, high) = (of(0.0), of(1001.0_f64.sqrt() - 1.0), of(1000.0));
    assert!((middle - f64::midpoint(low, high)).abs() < 1e-12, "halfway by the logarithm: {low} {middle} {high}");
}

#[test]
fn a_column_is_taken_by_its_logarithm_where_that_is_less_skewed() {
    // Skewness 1.13, of the logarithms 0; 0.62 and -1.9; 0 and -0.8.
    let columns: [(&[f64], bool); 3] =
        [(&[0.0, 1.0, 3.0, 7.0, 15.0], true), (&[0.0, 10.0, 11.0, 12.0, 30.0], false), (&[0.0, 1.0, 2.0, 3.0], false)];
    for (values, by_logarithm) in columns {
        let frame = Frame::new(vec![Column::numbers("days", values.to_vec())]).expect("a frame");
        let pipeline = Pipeline::fit(&frame, &all(&frame), None, &PipelineOptions::new(Coding::Linear)).expect("fits");
        let of = |value| {
            let mut out = [0.0];
            pipeline.row(&[Cell::Number(value)], &mut Scratch::default(), &mut out);
            out[0]
        };
        // 3 is halfway from 0 to 15 by the logarithm, 7.5 is without it.
        let halfway = if by_logarithm { 3.0 } else { 7.5 };
        assert!((of(halfway) - f64::midpoint(of(0.0), of(15.0))).abs() < 1e-12, "{values:?}");
    }
}

#[test]
fn categories_have_places_and_share_one_where_they_are_rare_or_new() {
    let mut plans = strings((0..1000).map(|row| ["basic", "plus"][row % 2]));
    plans[0] = "once".to_owned();
    plans[1] = String::new();
    let frame = frame(&[("plan", plans)]);
    let code = |coding, cell: Cell<'_>| {
        let pipeline = Pipeline::fit(&frame, &all(&frame), None, &PipelineOptions::new(coding)).expect("fits");
        let mut out = vec![0.0; pipeline.width()];
        pipeline.row(&[cell], &mut Scratch::default(), &mut out);
        (pipeline.names().to_vec(), pipeline.kinds().to_vec(), out)
    };
    let (names, kinds, out) = code(Coding::Linear, Cell::Text("plus"));
    assert_eq!(names, ["plan=basic", "plan=plus", "plan=(other)", "plan=(missing)"]);
    assert_eq!((kinds, out), (vec![Kind::Number; 4], vec![0.0, 1.0, 0.0, 0.0]));
    for other in ["once", "never seen"] {
        assert_eq!(code(Coding::Linear, Cell::Text(other)).2, [0.0, 0.0, 1.0, 0.0], "{other}");
        assert_eq!(code(Coding::Tree, Cell::Text(other)).2, [2.0], "{other}");
    }
    assert_eq!(code(Coding::Linear, Cell::Text(" NA ")).2, [0.0, 0.0, 0.0, 1.0]);
    let (names, kinds, out) = code(Coding::Tree, Cell::Text("plus"));
    assert_eq!((names, kinds, out), (vec!["plan".to_owned()], vec![Kind::Category { count: 3 }], vec![1.0]));
    assert!(code(Coding::Tree, Cell::Missing).2[0].is_nan());
}

#[test]
fn instants_become_parts_of_the_calendar() {
    let days = strings(["2024-02-29 06:00", "2024-03-31 12:00", ""]);
    let frame = frame(&[("day", days)]);
    let tree = Pipeline::fit(&frame, &[0, 1], None, &PipelineOptions::new(Coding::Tree)).expect("fits");
    assert_eq!(tree.names(), ["day (days)", "day (year)", "day (month)", "day (weekday)", "day (hour)"]);
    let matrix = tree.apply(&frame, &all(&frame)).expect("applies");
    assert_eq!(
        matrix.row(0),
        [-31.25, 2024.0, 2.0, 3.0, 6.0],
        "a Thursday, counted from the last instant of the training"
    );
    assert!(matrix.row(2).iter().all(|value| value.is_nan()));
    let linear = Pipeline::fit(&frame, &all(&frame), None, &PipelineOptions::new(Coding::Linear)).expect("fits");
    let matrix = linear.apply(&frame, &all(&frame)).expect("applies");
    assert_eq!(linear.width(), 8);
    assert!((matrix.row(1)[5]).abs() < 1e-12 && (matrix.row(1)[6] + 1.0).abs() < 1e-12, "noon is opposite to midnight");
    assert_eq!(matrix.row(2), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn sentences_become_weights_of_length_one() {
    let texts = strings((0..60).map(|n| {
        if n % 2 == 0 {
            format!("Long wait, number {n}: the card is broken")
        } else {
            format!("质量很差 第{n}次 非常失望")
        }
    }));
    let frame = frame(&[("note", texts)]);
    let rows = all(&frame);
    let mut options = PipelineOptions::new(Coding::Linear);
    let pipeline = Pipeline::fit(&frame, &rows, None, &options).expect("fits");
    for term in ["note~wait", "note~long wait", "note~差", "note~质 量", "note~card is"] {
        assert!(pipeline.names().iter().any(|name| name == term), "{term} is not in {:?}", pipeline.names());
    }
    assert!(!pipeline.names().iter().any(|name| name == "note~wait number"), "no pair over a comma");
    assert!(!pipeline.names().iter().any(|name| name == "note~17"), "too rare");
    let matrix = pipeline.apply(&frame, &rows).expect("applies");
    for row in 0..60 {
        let length: f64 = matrix.row(row).iter().map(|weight| weight * weight).sum();
        assert!((length - 1.0).abs() < 1e-12, "{length}");
    }
    let sparse = pipeline.apply_sparse(&frame, &rows).expect("applies");
    for row in 0..60 {
        let mut dense = vec![0.0; pipeline.width()];
        let (places, values) = sparse.row(row);
        places.iter().zip(values).for_each(|(place, value)| dense[*place as usize] = *value);
        assert!(same(&dense, matrix.row(row)));
    }
    options.parts_of_words = true;
    let parts = Pipeline::fit(&frame, &rows, None, &options).expect("fits");
    assert!(parts.names().iter().any(|name| name == "note~#_wa"), "{:?}", parts.names());
}

#[test]
fn terms_for_trees_are_those_that_tell_something() {
    let texts = strings((0..200).map(|n| {
        let filler = ["it was on monday", "it was on sunday"][n / 2 % 2];
        if n % 4 == 0 { format!("{filler} and broken") } else { format!("{filler} and fine {n}") }
    }));
    let target: Vec<f64> = (0..200).map(|n| f64::from(u8::from(n % 4 == 0))).collect();
    let frame = frame(&[("note", texts)]);
    let mut options = PipelineOptions::new(Coding::Tree);
    options.terms_max = 2;
    let pipeline = Pipeline::fit(&frame, &all(&frame), Some((&target, Task::Binary)), &options).expect("fits");
    assert!(
        pipeline.names().iter().all(|name| name.contains("broken") || name.contains("fine")),
        "{:?}",
        pipeline.names()
    );
}

/// A column of 5,000 categories, three rows each, and a target that has nothing to do with it.
fn many() -> (Frame, Vec<f64>) {
    let rows = 15_000;
    let mut random = Random::new(9, 0);
    let target = (0..rows).map(|_| f64::from(u8::from(random.uniform() < 0.3))).collect();
    (frame(&[("shop", strings((0..rows).map(|row| format!("shop {}", row % 5000))))]), target)
}

fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (a, b) = (mean(one), mean(other));
    let product = |x: &[f64], y: &[f64], a: f64, b: f64| x.iter().zip(y).map(|(x, y)| (x - a) * (y - b)).sum::<f64>();
    product(one, other, a, b) / (product(one, one, a, a) * product(other, other, b, b)).sqrt()
}

#[test]
fn no_training_row_sees_its_own_target() {
    let (frame, target) = many();
    let rows = all(&frame);
    for coding in CODINGS {
        let options = PipelineOptions { smoothing: 1.0, ..PipelineOptions::new(coding) };
        let pipeline = Pipeline::fit(&frame, &rows, Some((&target, Task::Binary)), &options).expect("fits");
        assert_eq!(pipeline.names(), ["shop (rate)"]);
        let leaking: Vec<f64> = pipeline.apply(&frame, &rows).expect("applies").column(0).collect();
        assert!(correlation(&leaking, &target) > 0.4, "rates that contain the row's own target tell it");
        let honest = pipeline.apply_training(&frame, &rows, &target).expect("applies");
        let sparse = pipeline.apply_training_sparse(&frame, &rows, &target).expect("applies");
        let honest: Vec<f64> = honest.column(0).collect();
        let found = correlation(&honest, &target);
        assert!(found.abs() < 0.05, "there is nothing to be told: {found}");
        assert!((0..rows.len()).all(|row| sparse.row(row).1[0] == honest[row]));
    }
}

#[test]
fn changing_a_target_never_moves_the_rate_of_its_own_row() {
    let (frame, mut target) = many();
    let rows = all(&frame);
    let options = PipelineOptions::new(Coding::Tree);
    let rates = |target: &[f64]| -> Vec<f64> {
        let pipeline = Pipeline::fit(&frame, &rows, Some((target, Task::Binary)), &options).expect("fits");
        pipeline.apply_training(&frame, &rows, target).expect("applies").column(0).collect()
    };
    let before = rates(&target);
    target[17] = 1.0 - target[17];
    let after = rates(&target);
    assert_eq!(before[17], after[17]);
    assert!([5017, 10017].iter().any(|row| before[*row] != after[*row]), "but that of the same shop's other rows");
}

#[test]
fn rates_find_what_categories_tell_and_fall_back_to_the_mean() {
    let rows = 6000;
    let frame = frame(&[("shop", strings((0..rows).map(|row| format!("shop {}", row % 300))))]);
    let target: Vec<f64> = (0..rows).map(|row| f64::from(u8::from(row % 300 < 60))).collect();
    let options = PipelineOptions::new(Coding::Tree);
    let pipeline = Pipeline::fit(&frame, &all(&frame), Some((&target, Task::Binary)), &options);
    // 300 categories are more than a tree takes by their code.
    let pipeline = pipeline.expect("fits");
    let mut scratch = Scratch::default();
    let mut rate = |cell| {
        let mut out = [0.0];
        pipeline.row(&[cell], &mut scratch, &mut out);
        out[0]
    };
    // 20 rows, all positive, and 10 of the overall mean of 0.2.
    assert!((rate(Cell::Text("shop 5")) - 22.0 / 30.0).abs() < 1e-12);
    assert!((rate(Cell::Text("shop 299")) - 2.0 / 30.0).abs() < 1e-12);
    assert!((rate(Cell::Text("new")) - 0.2).abs() < 1e-12);
    assert!((rate(Cell::Missing) - 0.2).abs() < 1e-12);
}

#[test]
fn classes_have_a_rate_each_and_frequency_needs_no_target() {
    let rows = 3000;
    let frame = frame(&[("shop", strings((0..rows).map(|row| format!("shop {}", (row * row) % 1009))))]);
    let target: Vec<f64> = (0..rows).map(|row| f64::from(row % 3)).collect();
    let options = PipelineOptions::new(Coding::Linear);
    let task = Task::Multiclass { classes: 3 };
    let pipeline = Pipeline::fit(&frame, &all(&frame), Some((&target, task)), &options).expect("fits");
    assert_eq!(pipeline.names(), ["shop (rate of class 0)", "shop (rate of class 1)", "shop (rate of class 2)"]);
    let frequency = PipelineOptions { many: ManyCategories::Frequency, ..PipelineOptions::new(Coding::Tree) };
    let pipeline = Pipeline::fit(&frame, &all(&frame), Some((&target, task)), &frequency).expect("fits");
    assert_eq!(pipeline.names(), ["shop (count)"]);
    let matrix = pipeline.apply(&frame, &[0]).expect("applies");
    let zeros = (0..rows).filter(|row| (row * row) % 1009 == 0).count();
    assert!((matrix.row(0)[0] - (zeros as f64).ln_1p()).abs() < 1e-12);
}

#[test]
fn what_cannot_help_is_left_out_with_a_reason() {
    let rows = 100;
    let columns = [
        ("id", strings((0..rows).map(|row| format!("A{row}x")))),
        ("same", strings(vec!["x"; rows])),
        ("empty", strings(vec![""; rows])),
        ("late", strings((0..rows).map(|row| if row < 50 { "1" } else { "2" }))),
        ("age", strings((0..rows).map(|row| row % 7))),
        ("closed", strings((0..rows).map(|row| row % 2))),
        (
            "notes",
            strings(
                (0..rows).map(|row| format!("wrote{row} that{row} and{row} this{row} again{row} in{row} words{row}")),
            ),
        ),
    ];
    let frame = frame(&columns);
    let options = PipelineOptions { leave_out: vec!["closed".to_owned()], ..PipelineOptions::new(Coding::Tree) };
    let training: Vec<usize> = (0..50).collect();
    let pipeline = Pipeline::fit(&frame, &training, None, &options).expect("fits");
    assert_eq!(pipeline.names(), ["age"]);
    let expected = [
        ("id", LeftOut::Identifier),
        ("same", LeftOut::Constant),
        ("empty", LeftOut::Missing),
        ("late", LeftOut::Constant),
        ("closed", LeftOut::Chosen),
        ("notes", LeftOut::NoTerms),
    ];
    assert_eq!(pipeline.left_out(), expected.map(|(name, reason)| (name.to_owned(), reason)));
    let nothing = PipelineOptions { leave_out: vec!["age".to_owned(), "closed".to_owned()], ..options.clone() };
    let error = Pipeline::fit(&frame, &training, None, &nothing).expect_err("nothing is left").to_string();
    assert!(error.contains("no column is left"), "{error}");
    let unknown = PipelineOptions { leave_out: vec!["agee".to_owned()], ..options };
    assert!(Pipeline::fit(&frame, &training, None, &unknown).expect_err("unknown").to_string().contains("agee"));
}

#[test]
fn only_training_rows_are_learnt_from() {
    let (frame, target) = mixed();
    let training: Vec<usize> = (0..300).collect();
    // The same training rows, followed by rows that are nothing like them.
    let mut texts = Vec::new();
    for column in frame.columns() {
        let mut cells = Texts::new();
        for row in 0..frame.rows() {
            let written = match column.cells.get(if row < 300 { row } else { 3 }) {
                Cell::Missing => String::new(),
                Cell::Number(number) => number.to_string(),
                Cell::Text(text) if row >= 300 => format!("{text} unlike {row}"),
                Cell::Text(text) => text.to_owned(),
                Cell::Time(time) => (time / 1000).to_string(),
            };
            cells.push(&written).expect("is short");
        }
        texts.push((column.name.clone(), cells));
    }
    let mut readings: Vec<_> = frame.columns().iter().map(|column| (column.name.as_str(), column.reading)).collect();
    let number = rapport_ml::frame::Reading::Number(rapport_ml::frame::NumberForm::default());
    for (name, reading) in &mut readings {
        match *name {
            "spent" | "member" => *reading = number,
            "since" => *reading = rapport_ml::frame::Reading::Time(rapport_ml::frame::TimeForm::Seconds),
            _ => {}
        }
    }
    let other = Frame::read(texts, &readings).expect("reads");
    let meanings = frame.columns().iter().map(|column| column.meaning);
    let columns = other.columns().iter().cloned().zip(meanings).zip(frame.columns());
    let columns = columns.map(|((mut column, meaning), first)| {
        column.meaning = meaning;
        column.reading = first.reading;
        column
    });
    let other = Frame::new(columns.collect()).expect("fits together");
    assert_ne!(frame, other);
    for coding in CODINGS {
        let fit = |frame: &Frame| {
            let target = Some((&target[..300], Task::Binary));
            Pipeline::fit(frame, &training, target, &PipelineOptions::new(coding)).expect("fits")
        };
        assert_eq!(fit(&frame), fit(&other));
    }
}

#[test]
fn a_row_is_coded_alone_as_in_its_table_and_after_a_way_through_json() {
    let (frame, target) = mixed();
    let rows = all(&frame);
    for coding in CODINGS {
        let fitted =
            Pipeline::fit(&frame, &rows, Some((&target, Task::Binary)), &PipelineOptions::new(coding)).expect("fits");
        let pipeline: Pipeline =
            serde_json::from_str(&serde_json::to_string(&fitted).expect("is written")).expect("is read");
        assert_eq!(pipeline, fitted);
        let matrix = fitted.apply(&frame, &rows).expect("applies");
        assert_eq!((matrix.columns(), pipeline.kinds().len(), pipeline.origin().len()), {
            let width = pipeline.width();
            (width, width, width)
        });
        let places: Vec<usize> =
            pipeline.sources().iter().map(|source| frame.find(&source.name).expect("is there")).collect();
        let (mut scratch, mut out) = (Scratch::default(), vec![0.0; pipeline.width()]);
        for row in rows.iter().copied() {
            let cells: Vec<Cell<'_>> = places.iter().map(|place| frame.columns()[*place].cells.get(row)).collect();
            pipeline.row(&cells, &mut scratch, &mut out);
            assert!(same(&out, matrix.row(row)), "row {row}");
        }
        assert!(!pipeline.names().iter().any(|name| name.starts_with("id")), "an identifier is left out");
    }
}

#[test]
fn codes_stay_within_their_kinds_and_linear_inputs_are_never_missing() {
    let (frame, target) = mixed();
    let rows = all(&frame);
    for coding in CODINGS {
        let target = Some((target.as_slice(), Task::Binary));
        let pipeline = Pipeline::fit(
            &frame,
            &rows[..200],
            target.map(|(t, task)| (&t[..200], task)),
            &PipelineOptions::new(coding),
        )
        .expect("fits");
        let matrix = pipeline.apply(&frame, &rows).expect("applies");
        for (place, kind) in pipeline.kinds().iter().enumerate() {
            for value in matrix.column(place) {
                let fits = match kind {
                    Kind::Number => value.is_finite() || (coding == Coding::Tree && value.is_nan()),
                    Kind::Category { count } => {
                        value.is_nan() || (value.fract() == 0.0 && (0.0..f64::from(*count)).contains(&value))
                    }
                };
                assert!(fits, "{} is {value}", pipeline.names()[place]);
            }
        }
    }
}

#[test]
fn a_table_with_other_columns_in_another_order_is_coded_alike_and_a_lacking_one_is_told() {
    let one = frame(&[("a", strings([1, 2, 4])), ("b", strings(["x", "y", "x"]))]);
    let other = frame(&[("c", strings([7, 8, 9])), ("b", strings(["x", "y", "x"])), ("a", strings([1, 2, 4]))]);
    let pipeline = Pipeline::fit(&one, &[0, 1, 2], None, &PipelineOptions::new(Coding::Tree)).expect("fits");
    assert_eq!(pipeline.apply(&one, &[0, 1, 2]), pipeline.apply(&other, &[0, 1, 2]));
    let lacking = frame(&[("a", strings([1, 2, 4]))]);
    assert!(pipeline.apply(&lacking, &[0]).expect_err("lacks b").to_string().contains("no column \"b\""));
}

#[test]
fn plain_numbers_go_through_as_they_are() {
    let pipeline = Pipeline::plain(&["a", "b"]);
    let (mut out, mut scratch) = ([0.0; 2], Scratch::default());
    pipeline.row_of_numbers(&[1.5, f64::NAN], &mut scratch, &mut out);
    assert!(out[0] == 1.5 && out[1].is_nan());
    pipeline.row(&[Cell::Text("2.5"), Cell::Missing], &mut scratch, &mut out);
    assert!(out[0] == 2.5 && out[1].is_nan());
    assert_eq!(pipeline.names(), ["a", "b"]);
}

#[test]
fn a_dense_table_that_would_not_fit_is_refused() {
    let words = strings((0..12_000).map(|row| format!("word{} and some more {}", row % 3000, row % 2999)));
    let frame = frame(&[("note", words)]);
    let pipeline = Pipeline::fit(&frame, &all(&frame), None, &PipelineOptions::new(Coding::Linear)).expect("fits");
    assert!(pipeline.width() > 5000, "{}", pipeline.width());
    let many: Vec<usize> = (0..12_000).cycle().take(200_000).collect();
    let error = pipeline.apply(&frame, &many).expect_err("is too large").to_string();
    assert!(error.contains("sparse"), "{error}");
}

/// A pipeline of each coding, fitted once.
fn fitted_on_mixed() -> &'static [Pipeline; 2] {
    static FITTED: OnceLock<[Pipeline; 2]> = OnceLock::new();
    FITTED.get_or_init(|| {
        let (frame, target) = mixed();
        CODINGS.map(|coding| {
            let target = Some((target.as_slice(), Task::Binary));
            Pipeline::fit(&frame, &all(&frame), target, &PipelineOptions::new(coding)).expect("fits")
        })
    })
}

fn any_cell() -> impl proptest::strategy::Strategy<Value = (u8, f64, String, i64)> {
    (0_u8..4, any::<f64>(), any::<String>(), any::<i64>())
}

proptest::proptest! {
    /// Whatever is given for whatever column: no panic, and numbers that the kinds allow.
    #[test]
    fn any_row_can_be_coded(cells in prop::collection::vec(any_cell(), 7)) {
        for (coding, pipeline) in CODINGS.into_iter().zip(fitted_on_mixed()) {
            assert_eq!(pipeline.sources().len(), cells.len());
            let cells: Vec<Cell<'_>> = cells.iter().map(|(kind, number, text, time)| match kind {
                0 => Cell::Missing,
                1 => Cell::Number(*number),
                2 => Cell::Text(text),
                _ => Cell::Time(*time),
            }).collect();
            let mut out = vec![f64::INFINITY; pipeline.width()];
            pipeline.row(&cells, &mut Scratch::default(), &mut out);
            for (value, kind) in out.iter().zip(pipeline.kinds()) {
                match kind {
                    Kind::Number => assert!(value.is_finite() || (coding == Coding::Tree && value.is_nan()), "{value}"),
                    Kind::Category { count } => assert!(value.is_nan() || *value < f64::from(*count), "{value}"),
                }
            }
        }
    }
}
