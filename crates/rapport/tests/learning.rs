//! `rapport train`, `predict`, `explain`, `evaluate` and `models` as people call them: the real program, tables in files, what it
//! prints and writes, and what it says where it cannot.
//!
//! How good the algorithms are is tested where they are; here it is that the words, files and figures of the commands agree.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

use std::{
    fmt::Write as _,
    fs::File,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use flate2::{Compression, write::GzEncoder};
use parquet::{
    data_type::{ByteArray, ByteArrayType, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use rapport_ml::{Predict as _, Random, onnx::Foreign};
use serde_json::Value;
use tempfile::TempDir;

const ROWS: usize = 400;

/// A synthetic visit: whether it ends in a purchase, what is spent and how large the basket is follow from pages and device, with noise.
struct Visit {
    pages: i64,
    device: &'static str,
    spent: i64,
    basket: &'static str,
    bought: &'static str,
}

/// The visit of a number, which scatters like chance and is always the same.
fn visit(n: usize) -> Visit {
    let mut random = Random::new(5, n as u64);
    let pages = random.below(20) as i64;
    let device = ["phone", "desk", "tablet"][random.below(3)];
    let desk = i64::from(device == "desk");
    let spent = 3 * pages + 20 * desk + random.below(12) as i64;
    let basket = ["small", "middle", "large"][((pages + 6 * desk + random.below(6) as i64) / 10).min(2) as usize];
    let bought = if pages + 5 * desk + random.below(10) as i64 > 16 { "yes" } else { "no" };
    Visit { pages, device, spent, basket, bought }
}

fn csv(rows: usize) -> String {
    let mut text = "pages,device,spent,basket,bought\n".to_owned();
    for Visit { pages, device, spent, basket, bought } in (0..rows).map(visit) {
        writeln!(text, "{pages},{device},{spent},{basket},{bought}").unwrap();
    }
    text
}

/// The same table as Parquet.
fn write_parquet(path: &Path, rows: usize) {
    let texts = ["device", "basket", "bought"].map(|name| format!("required binary {name} (UTF8);"));
    let schema =
        format!("message t {{ required int64 pages; {} required int64 spent; {} {} }}", texts[0], texts[1], texts[2]);
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let mut writer =
        SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::new(WriterProperties::default())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let numbers: [fn(Visit) -> i64; 2] = [|visit| visit.pages, |visit| visit.spent];
    let words: [fn(Visit) -> &'static str; 3] = [|visit| visit.device, |visit| visit.basket, |visit| visit.bought];
    let (mut numbers, mut words) = (numbers.iter(), words.iter());
    for is_number in [true, false, true, false, false] {
        let mut column = group.next_column().unwrap().unwrap();
        if is_number {
            let of = numbers.next().unwrap();
            let values: Vec<i64> = (0..rows).map(|n| of(visit(n))).collect();
            column.typed::<Int64Type>().write_batch(&values, None, None).unwrap();
        } else {
            let of = words.next().unwrap();
            let values: Vec<ByteArray> = (0..rows).map(|n| ByteArray::from(of(visit(n)))).collect();
            column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
}

/// A folder with the table, in which the program is called.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.put("visits.csv", csv(ROWS));
        desk
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), content).unwrap();
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.0.path().join(name).exists()
    }

    /// The program with what stands on the command line, split at spaces.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
        command.args(line.split(' ')).current_dir(self.0.path());
        command
    }

    /// What a command printed that succeeded.
    fn told(&self, line: &str) -> String {
        let output = self.command(line).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.told(line)).unwrap()
    }

    /// The exit code and the sentence of a command that failed, which printed nothing else and did not panic.
    fn refused(&self, line: &str) -> (i32, String) {
        let output = self.command(line).output().unwrap();
        let sentence = String::from_utf8(output.stderr).unwrap();
        assert!(output.stdout.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stdout));
        assert!(sentence.starts_with("error: ") && !sentence.contains("panicked"), "{line}: {sentence}");
        (output.status.code().unwrap(), sentence)
    }
}

fn cells(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

#[test]
fn train_tells_what_it_learnt_in_words_and_in_json() {
    let desk = Desk::new();
    let words = desk.told("train --table visits.csv --target bought");
    for part in [
        "rows        400\n",
        "target      bought (probability of \"yes\")",
        "AUC         0.",
        "model       model.rapport",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let json = desk.json("train --table visits.csv --target bought --out other.rapport --json");
    let card = &json["card"];
    assert_eq!((card["task"].as_str(), card["rows"].as_u64()), (Some("binary"), Some(ROWS as u64)));
    assert_eq!(json["table"]["file"]["format"]["delimited"], ",");
    assert_eq!(json["test_rows"].as_array().unwrap().len() as u64, card["test_rows"].as_u64().unwrap());
    assert!(card["metrics"]["auc"].as_f64().unwrap() > 0.85, "{}", card["metrics"]);
    assert_eq!((json["out_of_time"].as_bool(), json["failures"].as_array().map(Vec::len)), (Some(false), Some(0)));
    assert!(desk.bytes("model.rapport") == desk.bytes("other.rapport"), "the same twice");
    desk.told("train --table visits.csv --target bought --seed 2 --out third.rapport");
    assert!(desk.bytes("model.rapport") != desk.bytes("third.rapport"), "another seed draws another test");
}

#[test]
fn a_search_by_trials_is_the_same_twice() {
    let desk = Desk::new();
    let search = |out: &str| {
        desk.json(&format!("train --table visits.csv --target bought --auto --trials 6 --json --out {out}"))
    };
    let (first, _) = (search("a.rapport"), search("b.rapport"));
    let tried = first["tried"].as_array().unwrap();
    assert_eq!(tried.len(), 6, "{tried:?}");
    let losses: Vec<f64> = tried.iter().map(|tried| tried["loss"].as_f64().unwrap()).collect();
    assert!(losses.is_sorted(), "the best first: {losses:?}");
    let algorithms: std::collections::BTreeSet<_> = tried.iter().map(|tried| tried["algorithm"].as_str()).collect();
    assert!(algorithms.len() > 1, "{algorithms:?}");
    assert!(desk.bytes("a.rapport") == desk.bytes("b.rapport"));
}

#[test]
fn a_report_is_written_in_both_languages_and_refused_before_the_training_where_there_is_none() {
    let desk = Desk::new();
    let words = desk.told("train --table visits.csv --target bought --report report.html");
    assert!(words.contains("report      report.html"), "{words}");
    let report = desk.text("report.html");
    assert!(report.contains("<svg") && report.contains("pages") && report.contains("lang=\"en\""));
    desk.told("models --report again.html");
    assert!(report == desk.text("again.html"), "the model keeps its report");
    desk.told("models model.rapport --report zh.html --language zh");
    assert!(desk.text("zh.html").contains("lang=\"zh"));
    for target in ["spent", "basket"] {
        let (code, sentence) =
            desk.refused(&format!("train --table visits.csv --target {target} --report no.html --out no.rapport"));
        assert!(code == 1 && sentence.contains("reports for yes or no alone"), "{code} {sentence}");
        assert!(!desk.has("no.rapport") && !desk.has("no.html"), "it was refused before anything was made");
    }
}

#[test]
fn predict_puts_answers_behind_the_rows() {
    let desk = Desk::new();
    desk.told("train --table visits.csv --target bought");
    let printed = desk.told("predict --table visits.csv");
    assert_eq!(desk.told("predict --table visits.csv --out answered.csv"), "");
    assert_eq!(printed, desk.text("answered.csv"));
    let rows = cells(&printed);
    assert_eq!(rows[0].join(","), "pages,device,spent,basket,bought,probability");
    assert_eq!(rows.len(), ROWS + 1);
    let original = cells(&csv(ROWS));
    assert!(rows.iter().zip(&original).all(|(row, original)| row[..5] == original[..]), "rows stay as they were");
    let mean = |answer: &str| {
        let of: Vec<f64> = rows[1..].iter().filter(|row| row[4] == answer).map(|row| number(&row[5])).collect();
        of.iter().sum::<f64>() / of.len() as f64
    };
    assert!(mean("yes") > mean("no") + 0.4, "{} {}", mean("yes"), mean("no"));

    desk.told("train --table visits.csv --target basket --out classes.rapport");
    let rows = cells(&desk.told("predict --table visits.csv --model classes.rapport"));
    let heads = ["predicted", "probability of large", "probability of middle", "probability of small"];
    assert_eq!(rows[0][5..], heads);
    for row in &rows[1..] {
        let each: Vec<f64> = row[6..].iter().map(|cell| number(cell)).collect();
        assert!((each.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{row:?}");
        let most = each.iter().copied().fold(0.0, f64::max);
        let said = heads[1..].iter().position(|head| head.ends_with(&row[5])).unwrap();
        assert_eq!(each[said], most, "{row:?}");
    }

    desk.told("train --table visits.csv --target spent --out number.rapport");
    let rows = cells(&desk.told("predict --table visits.csv --model number.rapport"));
    let off: f64 = rows[1..].iter().map(|row| (number(&row[5]) - number(&row[2])).abs()).sum();
    assert!(off / (ROWS as f64) < 5.0, "the noise alone is 3 on average, not {}", off / ROWS as f64);
}

#[test]
fn explain_adds_up_and_names_its_units() {
    let desk = Desk::new();
    desk.told("train --table visits.csv --target bought");
    let words = desk.told("explain --table visits.csv --row 3");
    assert!(words.starts_with("row 3: yes with probability 0."), "{words}");
    assert!(words.contains("pages = ") && words.contains("in log-odds; parts add up"), "{words}");
    let lines = desk.told("explain --table visits.csv --json");
    let predicted = cells(&desk.told("predict --table visits.csv"));
    assert_eq!(lines.lines().count(), ROWS);
    for (row, line) in lines.lines().enumerate() {
        let told: Value = serde_json::from_str(line).unwrap();
        let answer = told["answer"].as_f64().unwrap();
        let parts = told["parts"].as_array().unwrap().iter().map(|part| part["contribution"].as_f64().unwrap());
        let sum = told["base"].as_f64().unwrap() + parts.sum::<f64>();
        assert!((sum - (answer / (1.0 - answer)).ln()).abs() < 1e-6, "{line}");
        assert!((answer - number(&predicted[row + 1][5])).abs() < 1e-6, "{line}");
    }
    for (target, units) in [
        ("basket", "in log-probability (but for a number that all classes share)"),
        ("spent", "in units of the answer"),
    ] {
        desk.told(&format!("train --table visits.csv --target {target} --out other.rapport"));
        let words = desk.told("explain --table visits.csv --model other.rapport");
        assert!(words.contains(units) && !words.contains("log-odds"), "{words}");
    }
    let (code, sentence) = desk.refused("explain --table visits.csv --row 401");
    assert!(code == 1 && sentence.contains("there is no row 401; the table has 400 rows"), "{sentence}");
}

#[test]
fn evaluate_judges_what_predict_answers() {
    let desk = Desk::new();
    desk.told("train --table visits.csv --target bought");
    // Rows that the model has not seen.
    let all = csv(2 * ROWS);
    let later: Vec<&str> = all.lines().take(1).chain(all.lines().skip(1 + ROWS)).collect();
    desk.put("later.csv", later.join("\n"));
    let figures = desk.json("evaluate --table later.csv --json");
    let of = |name: &str| figures[name].as_f64().unwrap_or_else(|| panic!("{name} in {figures}"));
    assert_eq!(of("rows"), ROWS as f64);
    let rows = cells(&desk.told("predict --table later.csv"));
    let squares = rows[1..].iter().map(|row| (number(&row[5]) - f64::from(row[4] == "yes")).powi(2));
    let brier = squares.sum::<f64>() / ROWS as f64;
    assert!((of("brier") - brier).abs() < 1e-5, "{brier} by hand, {}", of("brier"));
    assert!(of("auc") > 0.85 && of("brier") < of("base_brier"), "{figures}");
    let words = desk.told("evaluate --table later.csv");
    assert!(words.contains(&format!("AUC         {:.4}", of("auc"))), "{words}");
    let dear = desk.json("evaluate --table later.csv --json --costs 1:9");
    assert!(dear["recall"].as_f64() > figures["recall"].as_f64(), "missing is dear: {dear}");
}

#[test]
fn models_tells_of_files_and_writes_onnx() {
    let desk = Desk::new();
    desk.put(
        "numbers.csv",
        (0..ROWS)
            .map(visit)
            .fold("pages,spent\n".to_owned(), |text, visit| format!("{text}{},{}\n", visit.pages, visit.spent)),
    );
    desk.told("train --table numbers.csv --target spent --algorithm decision_tree --out tree.rapport");
    desk.told("train --table visits.csv --target basket --algorithm naive_bayes");
    let words = desk.told("models model.rapport tree.rapport");
    assert!(
        words.contains("tree.rapport\nalgorithm   decision_tree\n") && words.contains("basket (3 classes)"),
        "{words}"
    );
    assert!(desk.told("models").starts_with("algorithm   naive_bayes\n"), "the usual file if none is named");
    let cards = desk.json("models model.rapport tree.rapport --json");
    assert_eq!((cards[0]["algorithm"].as_str(), cards[1]["target"].as_str()), (Some("naive_bayes"), Some("spent")));

    desk.told("models tree.rapport --onnx tree.onnx");
    let foreign = Foreign::from_onnx(&desk.bytes("tree.onnx")).unwrap();
    let rows = cells(&desk.told("predict --table numbers.csv --model tree.rapport"));
    for row in &rows[1..] {
        let mut answer = [0.0];
        foreign.predict(&[number(&row[0])], &mut answer);
        assert!((answer[0] - number(&row[2])).abs() < 1e-4, "{row:?} {answer:?}");
    }
    for (line, part) in [
        ("models model.rapport tree.rapport --onnx two.onnx", "name one file"),
        ("models tree.rapport --report tree.html", "no report"),
        ("models model.rapport --onnx bayes.onnx", "ONNX"),
        ("models visits.csv", "not written by `rapport train`"),
    ] {
        let (code, sentence) = desk.refused(line);
        assert!(code == 1 && sentence.contains(part), "{line}: {code} {sentence}");
    }
    let model = desk.bytes("model.rapport");
    desk.put("cut.rapport", &model[..model.len() / 2]);
    assert!(desk.refused("models cut.rapport").1.contains("copy it again"));
}

#[test]
fn a_table_is_the_same_in_parquet_packed_or_through_a_pipe() {
    let desk = Desk::new();
    write_parquet(&desk.0.path().join("visits.parquet"), ROWS);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(csv(ROWS).as_bytes()).unwrap();
    desk.put("visits.gz", gzip.finish().unwrap());
    desk.told("train --table visits.csv --target bought");
    let expected = desk.told("predict --table visits.csv");
    let told = desk.json("train --table visits.parquet --target bought --json --out parquet.rapport");
    assert_eq!(told["table"]["file"]["format"], "parquet");
    assert!(desk.bytes("parquet.rapport") == desk.bytes("model.rapport"));
    desk.told("train --table visits.gz --target bought --out packed.rapport");
    assert!(desk.bytes("packed.rapport") == desk.bytes("model.rapport"));
    for table in ["visits.parquet", "visits.gz"] {
        assert_eq!(desk.told(&format!("predict --table {table}")), expected, "{table}");
    }
    if cfg!(unix) {
        let piped = |content: &[u8]| {
            let mut command = desk.command("predict --table /dev/stdin");
            let mut child =
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(content).unwrap();
            child.wait_with_output().unwrap()
        };
        assert_eq!(String::from_utf8(piped(csv(ROWS).as_bytes()).stdout).unwrap(), expected);
        let refused = String::from_utf8(piped(&desk.bytes("visits.parquet")).stderr).unwrap();
        assert!(refused.contains("cannot be read from a stream"), "{refused}");
    }
}

#[test]
fn what_cannot_be_done_is_told_in_a_sentence() {
    let desk = Desk::new();
    let text = csv(ROWS);
    std::fs::create_dir(desk.0.path().join("folder")).unwrap();
    desk.put("junk", [1, 2, 255, 0, 254, 3, 200, 0, 7]);
    desk.put("empty.csv", "");
    desk.put("header.csv", text.lines().next().unwrap());
    desk.put("one.csv", text.replace(",no\n", ",yes\n"));
    desk.put("ten.csv", csv(10));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    desk.put("cut.gz", &packed[..packed.len() / 2]);
    desk.put("visits.xlsx", b"PK\x03\x04\x14\x00\x06\x00");
    write_parquet(&desk.0.path().join("whole.parquet"), 50);
    let whole = desk.bytes("whole.parquet");
    desk.put("cut.parquet", &whole[..whole.len() - 9]);
    let wide: Vec<String> = (1..=14).map(|n| format!("column_{n:02}")).collect();
    desk.put("wide.csv", format!("{}\n{}\n", wide.join(","), ["1"; 14].join(",")));
    // The file, what else is said, the exit code and a part of the sentence.
    let cases = [
        ("missing.csv", "--target bought", 1, "missing.csv: No such file"),
        ("folder", "--target bought", 1, "this is a folder"),
        ("junk", "--target bought", 1, "this is no text"),
        ("empty.csv", "--target bought", 1, "the file is empty"),
        ("header.csv", "--target bought", 1, "no rows below it"),
        ("one.csv", "--target bought", 1, "nothing to tell apart"),
        ("ten.csv", "--target bought", 1, "at least 30 are needed"),
        ("cut.gz", "--target bought", 1, "ends too early; copy it again"),
        ("visits.xlsx", "--target bought", 1, "an Excel workbook"),
        ("cut.parquet", "--target bought", 1, "the Parquet file is damaged"),
        ("visits.csv", "--target Bougth", 1, "did you mean \"bought\"?"),
        ("visits.csv", "--target price", 1, "there are pages, device, spent, basket, bought\n"),
        ("wide.csv", "--target bought", 1, "column_10 and 4 more\n"),
        ("visits.csv", "--target bought --group customer", 1, "there is no column \"customer\""),
        ("visits.csv", "--target bought --positive oui", 1, "there are no, yes"),
        ("visits.csv", "--target basket --positive large", 1, "there are 3\n"),
        ("visits.csv", "--target spent --positive 7", 1, "numbers are predicted"),
        ("visits.csv", "--target bought --out nowhere/model.rapport", 1, "there is no folder nowhere"),
        ("visits.csv", "--target bought --report folder", 1, "this is a folder"),
        ("visits.csv", "--target bought --algorithm oracle", 2, "there are linear_regression, "),
        ("visits.csv", "--target bought --threads 0", 2, "0 is not in 1..=1024"),
        ("visits.csv", "--target bought --threads 1000000", 2, "1000000 is not in 1..=1024"),
        ("visits.csv", "--target bought --test-share 0.9", 2, "must be from 0.05 to 0.5"),
        ("visits.csv", "--target bought --trials 5", 2, "--auto"),
    ];
    for (table, more, code, part) in cases {
        let told = desk.refused(&format!("train --table {table} {more}"));
        assert!(told.0 == code && told.1.contains(part), "{table} {more}: {told:?}");
        assert!(!desk.has("model.rapport"), "{table} {more} left a model");
    }
    desk.told("train --table visits.csv --target bought");
    desk.put("fewer.csv", text.replace("pages,", "page_count,"));
    let (code, sentence) = desk.refused("predict --table fewer.csv");
    assert!(code == 1 && sentence.contains("there is no column \"pages\""), "{sentence}");
    // The place for the answers is looked at first, before a table that may take long is read.
    for (out, part) in [("nowhere/answered.csv", "there is no folder nowhere"), ("folder", "this is a folder")] {
        let (code, sentence) = desk.refused(&format!("predict --table missing.csv --out {out}"));
        assert!(code == 1 && sentence.contains(part), "{sentence}");
    }
}
