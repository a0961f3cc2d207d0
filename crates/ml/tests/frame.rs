//! Tables of cases for each rule by which a column of text is read.

use std::collections::BTreeMap;

use proptest::prelude::{any, prop};
use rapport_ml::frame::{Cell, Cells, Frame, InferOptions, Meaning, Note, Reading, Schema, Texts, TimeForm, infer};

fn read(name: &str, cells: &[&str]) -> (Frame, Schema) {
    infer(vec![(name.to_owned(), cells.iter().copied().collect())], &InferOptions::default()).expect("reads")
}

fn numbers(cells: &[&str]) -> Option<Vec<f64>> {
    match &read("amount", cells).0.columns()[0].cells {
        Cells::Number(values) => Some(values.clone()),
        Cells::Text(_) | Cells::Time(_) => None,
    }
}

fn meaning(name: &str, cells: &[&str]) -> Meaning {
    read(name, cells).1.columns[0].meaning
}

#[test]
fn numbers_are_read_as_people_write_them() {
    let cases: &[(&[&str], &[f64])] = &[
        (&["1", "-2.5", "+3e2", ".5"], &[1.0, -2.5, 300.0, 0.5]),
        (&["1,234", "12", "1,234,567.5"], &[1234.0, 12.0, 1_234_567.5]),
        (&["1,234", "5,678"], &[1234.0, 5678.0]),
        (&["12,5", "3,25"], &[12.5, 3.25]),
        (&["0,123", "4,5"], &[0.123, 4.5]),
        (&["1.234,50", "2,5"], &[1234.5, 2.5]),
        (&["1 234,5", "7"], &[1234.5, 7.0]),
        (&["1\u{a0}234\u{a0}567", "7"], &[1_234_567.0, 7.0]),
        (&["1'234.5", "7"], &[1234.5, 7.0]),
        (&["$1,234.50", "$7", "-$3"], &[1234.5, 7.0, -3.0]),
        (&["7 €", "8,50 €"], &[7.0, 8.5]),
        (&["¥12", "¥7.5"], &[12.0, 7.5]),
        (&["12元", "7元"], &[12.0, 7.0]),
        (&["USD 5", "6"], &[5.0, 6.0]),
        (&["(1,200)", "300"], &[-1200.0, 300.0]),
        (&["\u{2212}4", "5"], &[-4.0, 5.0]),
        (&["12%", "7.5 %", "0"], &[0.12, 0.075, 0.0]),
        (&[" 1 ", "2\t"], &[1.0, 2.0]),
    ];
    for (cells, expected) in cases {
        let found = numbers(cells).unwrap_or_else(|| panic!("{cells:?} are numbers"));
        let near = found.iter().zip(*expected).all(|(found, expected)| (found - expected).abs() < 1e-12);
        assert!(near, "{cells:?} are {expected:?}, not {found:?}");
    }
}

#[test]
fn what_only_looks_like_numbers_stays_text() {
    let cases: &[&[&str]] = &[
        &["00017", "00018", "12345"],
        &["12345678901234567", "12345678901234568"],
        &["$5", "€5"],
        &["5%", "7"],
        &["inf", "-inf"],
        &["1-2", "3-4"],
        &["12ab", "7"],
        &["1,23,456", "7"],
        &["1.2.3", "1.2.4"],
        &["0x1f", "0x2f"],
        &["--5", "6"],
    ];
    for cells in cases {
        assert_eq!(numbers(cells), None, "{cells:?}");
    }
}

#[test]
fn few_odd_cells_are_missing_and_many_make_names() {
    let mut cells: Vec<String> = (0..400).map(|n| format!("{}.5", n % 90)).collect();
    cells[7] = "see note".to_owned();
    let (frame, schema) = read("amount", &cells.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(frame.columns()[0].cells.get(7), Cell::Missing);
    let unreadable = Note::Unreadable { count: 1, example: "see note".to_owned() };
    assert!(schema.columns[0].notes.contains(&unreadable), "{schema}");
    for place in 0..20 {
        cells[place * 20] = format!("C{place}");
    }
    assert_eq!(numbers(&cells.iter().map(String::as_str).collect::<Vec<_>>()), None);
}

#[test]
fn words_for_no_value_depend_on_what_stands_beside_them() {
    let (frame, schema) = read("amount", &["1", "none", "NA", " ", "n.a.", "-", "2"]);
    let missing: Vec<bool> = (0..7).map(|row| frame.columns()[0].cells.get(row) == Cell::Missing).collect();
    assert_eq!(missing, [false, true, true, true, true, true, false]);
    assert_eq!(schema.columns[0].missing, 5);
    let (frame, _) = read("plan", &["gold", "none", "NA", "?"]);
    assert_eq!(frame.columns()[0].cells.get(1), Cell::Text("none"), "none may be a plan");
    assert_eq!(frame.columns()[0].cells.get(2), Cell::Missing);
    assert_eq!(frame.columns()[0].cells.get(3), Cell::Missing);
}

#[test]
fn yes_and_no_come_in_pairs() {
    for pair in [["true", "false"], ["YES", "no"], ["Y", "N"], ["t", "f"], ["是", "否"], ["有", "无"], ["on", "off"]]
    {
        let (frame, schema) = read("member", &[pair[0], pair[1], "", pair[0]]);
        assert_eq!(schema.columns[0].meaning, Meaning::Boolean, "{pair:?}");
        let Cells::Number(values) = &frame.columns()[0].cells else { panic!("{pair:?} are 1 and 0") };
        assert_eq!((values[0], values[1], values[2].is_nan()), (1.0, 0.0, true), "{pair:?}");
    }
    assert_eq!(meaning("member", &["0", "1", "1"]), Meaning::Boolean);
    assert_eq!(meaning("member", &["true", "n"]), Meaning::Category);
    assert_eq!(meaning("member", &["yes", "no", "maybe"]), Meaning::Category);
}

/// 2024-02-29 00:00 UTC.
const LEAP_DAY: i64 = 1_709_164_800_000;

fn times(name: &str, cells: &[&str]) -> Option<Vec<i64>> {
    match &read(name, cells).0.columns()[0].cells {
        Cells::Time(times) => Some(times.clone()),
        Cells::Number(_) | Cells::Text(_) => None,
    }
}

#[test]
fn the_usual_ways_to_write_an_instant_are_read() {
    let hours = |hours: i64| LEAP_DAY + hours * 3_600_000;
    let cases: &[(&str, i64)] = &[
        ("2024-02-29", LEAP_DAY),
        ("2024/2/29", LEAP_DAY),
        ("2024.02.29", LEAP_DAY),
        ("2024年2月29日", LEAP_DAY),
        ("20240229", LEAP_DAY),
        ("20240229050000", hours(5)),
        ("2024-02-29 05:00", hours(5)),
        ("2024-02-29T05:00:00Z", hours(5)),
        ("2024-02-29T05:00:00.250Z", hours(5) + 250),
        ("2024-02-29T05:00:00+02:00", hours(3)),
        ("2024-02-29T05:00:00-0230", hours(7) + 1_800_000),
        ("2/29/2024", LEAP_DAY),
        ("29/2/2024 5:00 PM", hours(17)),
        ("29.02.24", LEAP_DAY),
        ("29-2-2024 12:00 am", LEAP_DAY),
        ("29 Feb 2024", LEAP_DAY),
        ("Feb 29, 2024", LEAP_DAY),
        ("february 29 2024 05:00", hours(5)),
        ("29-Feb-24", LEAP_DAY),
        ("Thu, 29 Feb 2024 05:00:00 GMT", hours(5)),
    ];
    for (text, expected) in cases {
        assert_eq!(times("day", &[text]), Some(vec![*expected]), "{text}");
    }
    for text in
        ["2023-02-29", "2024-13-01", "31/4/2024", "2024-02-29 25:00", "2024-02-29T05", "20241301", "29 Foo 2024", "1/2"]
    {
        assert_eq!(times("day", &[text]), None, "{text} is no instant");
    }
}

#[test]
fn day_and_month_are_told_apart_by_the_whole_column() {
    let second_of_january = LEAP_DAY - 58 * 86_400_000;
    assert_eq!(times("d", &["1/2/2024", "1/31/2024"]).expect("month first")[0], second_of_january);
    assert_eq!(times("d", &["2/1/2024", "31/1/2024"]).expect("day first")[0], second_of_january);
    assert_eq!(times("d", &["31/1/2024", "1/31/2024"]), None, "both orders in a column are no order");
    let (frame, schema) = read("d", &["1/2/2024", "3/4/2024"]);
    assert_eq!(frame.columns()[0].reading, Reading::Time(TimeForm::MonthFirst));
    assert_eq!(schema.columns[0].notes, [Note::AmbiguousDates { form: TimeForm::MonthFirst }]);
    let (frame, _) = read("d", &["1.2.2024", "3.4.2024"]);
    assert_eq!(frame.columns()[0].reading, Reading::Time(TimeForm::DayFirst));
    assert_eq!(times("d", &["20240229", "20241399"]), None, "eight digits are dates only if all are");
}

#[test]
fn seconds_since_1970_only_where_the_name_says_so() {
    assert_eq!(times("created_at", &["1709164800", "1709164801"]).expect("seconds")[0], LEAP_DAY);
    assert_eq!(times("eventTime", &["1709164800000", "1709164801000"]).expect("milliseconds")[0], LEAP_DAY);
    assert_eq!(times("amount", &["1709164800", "1709164801"]), None);
    assert_eq!(times("created_at", &["12", "17"]), None);
}

#[test]
fn what_a_column_is_follows_from_its_values_and_its_name() {
    let names = |count: usize, rows: usize| (0..rows).map(|n| format!("k{}", n * 7919 % count)).collect::<Vec<_>>();
    let of = |name: &str, cells: Vec<String>| meaning(name, &cells.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(of("city", names(30, 300)), Meaning::Category);
    assert_eq!(of("code", names(300, 300)), Meaning::Identifier, "each row its own");
    assert_eq!(of("customerID", names(150, 300)), Meaning::Identifier, "named so");
    assert_eq!(of("customer_id", names(25, 300)), Meaning::Category, "comes back often enough to be learnt about");
    assert_eq!(of("row", (0..300).map(|n| n.to_string()).collect()), Meaning::Identifier, "counts the rows");
    assert_eq!(of("age", (0..300).map(|n| (n % 70).to_string()).collect()), Meaning::Number);
    assert_eq!(
        of("spent", (0..300).map(|n| (n * n).to_string()).collect()),
        Meaning::Number,
        "all differ, but amounts do"
    );
    assert_eq!(of("land", vec!["DE".to_owned(); 300]), Meaning::Constant);
    assert_eq!(of("land", vec!["5".to_owned(); 300]), Meaning::Constant);
    assert_eq!(of("land", vec![" ".to_owned(); 300]), Meaning::Missing);
    let sentence = |n: usize| format!("I waited {n} days for my card and it is not here");
    assert_eq!(of("message", (0..100).map(sentence).collect()), Meaning::Text);
    let chinese = |n: usize| format!("等了{n}天，质量很差，非常失望");
    assert_eq!(of("review", (0..100).map(chinese).collect()), Meaning::Text);
    assert_eq!(of("segment", (0..100).map(|n| format!("{}) $100 - $200", n % 7)).collect()), Meaning::Category);
    assert_eq!(of("land", vec!["DE".to_owned(), String::new()]), Meaning::Category, "being there may tell something");
}

#[test]
fn the_user_knows_better() {
    let stated = |meaning| InferOptions { meanings: BTreeMap::from([("x".to_owned(), meaning)]) };
    let column = |cells: &[&str]| vec![("x".to_owned(), cells.iter().copied().collect::<Texts>())];
    let (frame, _) = infer(column(&["1", "2", "3"]), &stated(Meaning::Category)).expect("reads");
    assert_eq!(frame.columns()[0].cells.get(1), Cell::Text("2"));
    let (frame, _) = infer(column(&["1", "many", "3"]), &stated(Meaning::Number)).expect("reads");
    assert_eq!(frame.columns()[0].cells.get(1), Cell::Missing);
    let (frame, _) = infer(column(&["1709164800", "x"]), &stated(Meaning::Time)).expect("reads");
    assert_eq!(frame.columns()[0].cells.get(0), Cell::Time(LEAP_DAY));
    let error = infer(column(&["a", "b"]), &stated(Meaning::Number)).expect_err("no number").to_string();
    assert!(error.contains("\"x\"") && error.contains("numbers"), "{error}");
    let options = InferOptions { meanings: BTreeMap::from([("y".to_owned(), Meaning::Number)]) };
    assert!(infer(column(&["a"]), &options).expect_err("no such column").to_string().contains("\"y\""));
}

#[test]
fn a_later_table_is_read_as_the_first_was() {
    let (first, _) = read("day", &["31/1/2024", "1/2/2024"]);
    let reading = first.columns()[0].reading;
    let later = vec![("day".to_owned(), ["3/4/2024"].into_iter().collect::<Texts>())];
    let frame = Frame::read(later, &[("day", reading)]).expect("reads");
    let third_of_april = LEAP_DAY + 34 * 86_400_000;
    assert_eq!(
        frame.columns()[0].cells.get(0),
        Cell::Time(third_of_april),
        "day first, though it could be March the 4th"
    );
}

#[test]
fn a_schema_can_be_shown() {
    let (_, schema) = read("price", &["$1,000", "NA", "$2,000"]);
    let shown = schema.to_string();
    for part in ["price", "number", "1 missing", "2 distinct", "$1,000", "\"NA\" (1)", "\"$\" taken off", "thousands"] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
}

#[test]
fn columns_must_fit_together() {
    let column = |name: &str, cells: &[&str]| (name.to_owned(), cells.iter().copied().collect::<Texts>());
    let infer = |columns| infer(columns, &InferOptions::default());
    assert!(infer(vec![column("a", &["1"]), column("a", &["2"])]).expect_err("twice").to_string().contains("\"a\""));
    assert!(infer(vec![column("a", &["1"]), column("b", &[])]).expect_err("lengths").to_string().contains("\"b\""));
    let (mut frame, _) = infer(vec![column("a", &["1"]), column("b", &["x"])]).expect("reads");
    assert_eq!(frame.take("b").expect("is there").name, "b");
    assert!(frame.take("b").expect_err("is gone").to_string().contains("there are a"));
}

proptest::proptest! {
    /// Whatever stands in cells: reading neither panics nor changes the number of rows, and a cell read alone by the
    /// column's reading is the cell in the column.
    #[test]
    fn any_cells_can_be_read(cells in prop::collection::vec(any::<String>(), 1..40)) {
        let texts: Vec<&str> = cells.iter().map(String::as_str).collect();
        let (frame, schema) = read("any", &texts);
        let column = &frame.columns()[0];
        assert_eq!(frame.rows(), cells.len());
        assert_eq!(schema.columns[0].rows, cells.len());
        for (row, text) in texts.iter().enumerate() {
            assert_eq!(column.cells.get(row), column.reading.read(text), "{text:?}");
        }
    }

    /// The same for what nearly is a date or a number.
    #[test]
    fn near_dates_and_numbers_can_be_read(cells in prop::collection::vec("[0-9/.:, TZ$%年月日+-]{0,14}", 1..40)) {
        let texts: Vec<&str> = cells.iter().map(String::as_str).collect();
        let (frame, _) = read("any", &texts);
        let column = &frame.columns()[0];
        for (row, text) in texts.iter().enumerate() {
            assert_eq!(column.cells.get(row), column.reading.read(text), "{text:?}");
        }
    }
}
