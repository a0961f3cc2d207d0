//! Public tables, as they were published: what they are read as, and which of their columns are known to leak.
//!
//! The files are not part of the project. Where one is not there, its test says so and checks nothing.

mod common;

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;

use rapport_learn::file::{FileFormat, FileNote, FileOptions, FileTable, read_table};
use rapport_learn::table::{TableOptions, data_of};
use rapport_learn::{Threads, TrainOptions};
use rapport_ml::Task;
use rapport_ml::frame::{Cells, Frame, InferOptions, Meaning, Schema, infer};
use rapport_ml::leak::{LeakReason, LeakReport, find_leaks};
use rapport_ml::pipeline::{Coding, Pipeline, PipelineOptions};

use common::trained_by;

#[expect(clippy::print_stdout, reason = "a test that checks nothing says so")]
fn skipped(file: &str) {
    println!("skipped: {file} is not there");
}

fn read(file: &str) -> Option<FileTable> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(file);
    let Ok(open) = File::open(&path) else {
        skipped(file);
        return None;
    };
    Some(read_table(open, &FileOptions::default(), &mut |_| ControlFlow::Continue(())).expect("reads"))
}

fn frame(file: &str) -> Option<(Frame, Schema)> {
    read(file).map(|table| infer(table.columns, &InferOptions::default()).expect("infers"))
}

fn meaning(schema: &Schema, name: &str) -> Meaning {
    let column = schema.columns.iter().find(|column| column.name == name);
    column.unwrap_or_else(|| panic!("there is no {name}")).meaning
}

/// Takes the target, which is yes or no, out of the frame.
fn target(frame: &mut Frame, name: &str) -> Vec<f64> {
    match frame.take(name).expect("is there").cells {
        Cells::Number(values) => values,
        Cells::Text(_) | Cells::Time(_) => panic!("{name} is yes or no"),
    }
}

fn leaks(file: &str, name: &str) -> Option<LeakReport> {
    let (mut frame, _) = frame(file)?;
    let target = target(&mut frame, name);
    let rows: Vec<usize> = (0..frame.rows()).collect();
    Some(find_leaks(&frame, &rows, &target, Task::Binary, name, 0, &mut |_| ControlFlow::Continue(())).expect("finds"))
}

fn told(report: &LeakReport) -> Vec<&str> {
    let mut names: Vec<&str> = report.warnings.iter().map(|warning| warning.column.as_str()).collect();
    names.sort_unstable();
    names
}

const TELCO: &str = "telco_churn/Telco-Customer-Churn.csv.gz";
const SHOPPERS: &str = "online_shoppers/online_shoppers_intention.csv.gz";

#[test]
fn telco_churn_is_read_as_its_manifest_says() {
    let Some((frame, schema)) = frame(TELCO) else { return };
    assert_eq!((frame.rows(), frame.columns().len()), (7043, 21));
    assert_eq!(meaning(&schema, "customerID"), Meaning::Identifier);
    assert_eq!(meaning(&schema, "Churn"), Meaning::Boolean);
    assert_eq!(meaning(&schema, "Contract"), Meaning::Category);
    let charges = schema.columns.iter().find(|column| column.name == "TotalCharges").expect("is there");
    assert_eq!((charges.meaning, charges.missing), (Meaning::Number, 11), "blank for those who came this month");
    let Cells::Number(churn) = &frame.column("Churn").expect("is there").cells else { panic!("yes or no") };
    assert_eq!(churn.iter().sum::<f64>(), 1869.0);
}

#[test]
fn online_retail_keeps_codes_that_look_like_numbers() {
    let Some((frame, schema)) = frame("online_retail/online_retail.csv.gz") else { return };
    assert_eq!(frame.rows(), 541_909);
    for (name, expected) in [
        ("InvoiceNo", Meaning::Category),
        ("StockCode", Meaning::Category),
        ("Quantity", Meaning::Number),
        ("InvoiceDate", Meaning::Time),
        ("UnitPrice", Meaning::Number),
        ("CustomerID", Meaning::Category),
        ("Country", Meaning::Category),
    ] {
        assert_eq!(meaning(&schema, name), expected, "{name}");
    }
    let missing = schema.columns.iter().find(|column| column.name == "CustomerID").map(|column| column.missing);
    assert_eq!(missing, Some(135_080));
    let numbers = |name: &str| match &frame.column(name).expect("is there").cells {
        Cells::Number(values) => values.clone(),
        Cells::Text(_) | Cells::Time(_) => panic!("{name} is a number"),
    };
    let sum: f64 = numbers("Quantity").iter().zip(numbers("UnitPrice")).map(|(quantity, price)| quantity * price).sum();
    assert!((sum - 9_747_747.93).abs() < 0.01, "{sum}");
}

#[test]
fn cdnow_has_spaces_between_its_cells_and_once_no_header() {
    let (Some(master), Some(sample)) = (read("cdnow/CDNOW_master.txt.gz"), read("cdnow/CDNOW_sample.txt.gz")) else {
        return;
    };
    assert_eq!((master.report.format, master.report.rows), (FileFormat::Spaces, 69_659));
    assert_eq!((sample.report.rows, sample.report.notes), (6919, vec![FileNote::NoHeader]));
    let (_, schema) = infer(master.columns, &InferOptions::default()).expect("infers");
    assert_eq!(meaning(&schema, "customer_id"), Meaning::Identifier, "00001 is no number");
    assert_eq!(meaning(&schema, "date"), Meaning::Time, "19970101 is a day");
}

#[test]
fn sentences_of_two_languages_are_seen() {
    if let Some((frame, schema)) = frame("banking77/train.csv.gz") {
        assert_eq!(frame.rows(), 10_003, "line ends within cells are no row ends");
        assert_eq!(meaning(&schema, "text"), Meaning::Text);
    }
    let Some((frame, schema)) = frame("zh_online_shopping_10_cats/online_shopping_10_cats.csv.gz") else { return };
    assert_eq!((frame.rows(), meaning(&schema, "review")), (62_774, Meaning::Text));
    let rows: Vec<usize> = (0..frame.rows()).step_by(4).collect();
    let pipeline = Pipeline::fit(&frame, &rows, None, &PipelineOptions::new(Coding::Linear)).expect("fits");
    let sparse = pipeline.apply_sparse(&frame, &rows).expect("applies");
    assert_eq!((sparse.rows(), sparse.columns()), (rows.len(), pipeline.width()));
    assert!(pipeline.names().iter().any(|name| name == "review~失 望"), "disappointed");
}

#[test]
fn what_is_no_table_is_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    for file in ["mnist/t10k-images-idx3-ubyte.gz", "fsdd/fsdd.tar.gz"] {
        let Ok(open) = File::open(path.join(file)) else {
            skipped(file);
            continue;
        };
        let error = read_table(open, &FileOptions::default(), &mut |_| ControlFlow::Continue(())).expect_err(file);
        assert!(error.to_string().contains("no text"), "{error}");
    }
}

#[test]
fn known_leaks_are_told_and_honest_tables_are_left_in_peace() {
    if let Some(report) = leaks(TELCO, "Churn") {
        assert_eq!(told(&report), Vec::<&str>::new());
    }
    if let Some(report) = leaks(SHOPPERS, "Revenue") {
        assert_eq!(told(&report), ["PageValues"]);
    }
    if let Some(report) = leaks("hillstrom/hillstrom.csv.gz", "visit") {
        assert_eq!(told(&report), ["conversion", "spend"], "both need a visit");
    }
    if let Some(report) = leaks("ai4i2020/ai4i2020.csv.gz", "Machine failure") {
        assert_eq!(told(&report), ["HDF", "OSF", "PWF", "TWF"], "RNF is at random, and tells nothing");
        assert!(report.warnings.iter().all(|warning| matches!(warning.reason, LeakReason::Part { .. })));
    }
}

/// The area under the curve of what training chooses by itself, on the rows that it put aside.
fn area(file: &str, name: &str) -> Option<f64> {
    let options = TableOptions { target: name.to_owned(), ..TableOptions::default() };
    let (data, _) = data_of(read(file)?, &options).expect("is a table");
    Some(trained_by(Threads::all(), &data, &TrainOptions::default()).expect("trains").artifact.card.metrics["auc"])
}

#[test]
fn real_tables_are_learnt_as_well_as_is_published() {
    if let Some(area) = area(TELCO, "Churn") {
        assert!((0.83..0.87).contains(&area), "published models reach about 0.845: {area}");
    }
    if let Some(area) = area(SHOPPERS, "Revenue") {
        assert!((0.90..0.96).contains(&area), "published boosted models reach about 0.93: {area}");
    }
}
