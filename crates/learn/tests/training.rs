//! From tables to models and back to tables: every kind of answer, leaks, searches, and what is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::ControlFlow;

use rapport_learn::file::{FileOptions, FileTable, read_table};
use rapport_learn::report::{Language, ReportData, html};
use rapport_learn::table::{Applied, TableOptions, TableReport, TaskChoice, data_of};
use rapport_learn::{Data, Effort, LearnError, Step, Threads, TrainOptions, Trained, Watch, train};
use rapport_ml::frame::Meaning;
use rapport_ml::metrics::Costs;
use rapport_ml::{Algorithm, Artifact, Learner, MlError, Random, Task};

use common::trained_by;

fn table(text: &str) -> FileTable {
    read_table(text.as_bytes(), &FileOptions::default(), &mut |_| ControlFlow::Continue(())).unwrap()
}

/// Synthetic visits: what is bought follows from pages and device with chance; `total` is only known afterwards.
fn visits(rows: usize) -> String {
    let mut random = Random::new(4, 0);
    let mut text = "pages,device,total,visitor,day,spent,kind,bought\n".to_owned();
    for n in 0..rows {
        let pages = (random.uniform() * 20.0) as i64;
        let device = ["phone", "desk", "tablet"][random.below(3)];
        let margin = 0.4 * (pages as f64 - 10.0) + if device == "desk" { 1.5 } else { -0.5 };
        let bought = random.uniform() < 1.0 / (1.0 + (-margin).exp());
        let total = if bought { (20 + random.below(50)).to_string() } else { String::new() };
        let spent = pages as f64 * 3.0 + if device == "desk" { 40.0 } else { 0.0 } + random.uniform() * 4.0;
        let kind = ["small", "middle", "large"][((spent / 40.0) as usize).min(2)];
        let day = format!("2026-{:02}-{:02}", 1 + n * 12 / rows, 1 + n % 28);
        let (missing, visitor) = (if n % 13 == 0 { "" } else { device }, n % (rows / 4));
        text.write_fmt(format_args!(
            "{pages},{missing},{total},v{visitor},{day},{spent:.2},{kind},{}\n",
            if bought { "yes" } else { "no" }
        ))
        .unwrap();
    }
    text
}

fn options(target: &str) -> TableOptions {
    TableOptions { target: target.to_owned(), ..TableOptions::default() }
}

fn data(text: &str, options: &TableOptions) -> Result<(Data, TableReport), LearnError> {
    data_of(table(text), options)
}

fn without(leaks: &[&str]) -> TrainOptions {
    TrainOptions { leaks: leaks.iter().map(|leak| (*leak).to_owned()).collect(), ..TrainOptions::default() }
}

fn trained(data: &Data, options: &TrainOptions) -> Result<Trained, LearnError> {
    trained_by(Threads::new(2), data, options)
}

/// The columns that would make every task too easy.
const TOO_MUCH: [&str; 5] = ["total", "spent", "kind", "visitor", "day"];

#[test]
fn a_table_is_learnt_and_applied() {
    let (data, report) = data(&visits(1200), &options("bought")).unwrap();
    assert_eq!((data.task, data.classes.join(" "), report.without_target), (Task::Binary, "no yes".to_owned(), 0));
    let artifact = trained(&data, &without(&TOO_MUCH)).unwrap().artifact;
    let metrics = &artifact.card.metrics;
    assert!(metrics["auc"] > 0.85 && metrics["log_loss"] < metrics["base_log_loss"], "{metrics:?}");
    assert!(metrics["auc_low"] < metrics["auc"] && metrics["auc"] < metrics["auc_high"]);
    assert_eq!(artifact.card.importance[0].0, "pages", "{:?}", artifact.card.importance);
    let artifact = Artifact::from_bytes(&artifact.to_bytes().unwrap()).unwrap();
    let rows = table("device,pages\ndesk,19\nwatch,\nphone,1\n");
    let applied = Applied::new(&artifact, &rows).unwrap();
    let answers = applied.answers().unwrap();
    assert!(answers[0] > 0.9 && answers[2] < 0.1, "{answers:?}");
    let mut out = Vec::new();
    assert_eq!(applied.write(&rows, &mut out).unwrap(), 3);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().next(), Some("device,pages,probability"));
    assert!(text.lines().nth(2).unwrap().starts_with("watch,,0."), "{text}");
    let why = applied.explain(0);
    let sum = why.base + why.parts.iter().map(|part| part.contribution).sum::<f64>();
    assert!((sum - (why.answer / (1.0 - why.answer)).ln()).abs() < 1e-6, "{why:?}");
    assert_eq!((why.class.as_deref(), &*why.parts[0].input), (Some("yes"), "pages"));
    let error = Applied::new(&artifact, &table("Pages\n1\n")).unwrap_err();
    assert!(error.to_string().contains("did you mean \"Pages\"") || error.to_string().contains("device"), "{error}");
}

#[test]
fn a_model_is_judged_by_rows_with_known_answers() {
    let text = visits(1200);
    let (data, _) = data(&text, &options("bought")).unwrap();
    let artifact = trained(&data, &without(&TOO_MUCH)).unwrap().artifact;
    let all = table(&text);
    let applied = Applied::new(&artifact, &all).unwrap();
    let figures = applied.evaluate(&all, &artifact, Costs::default()).unwrap();
    assert!(figures["auc"] > 0.85 && figures["rows"] == 1200.0, "{figures:?}");
    // The other way round, and written otherwise.
    let positive = TableOptions { positive: Some("no".to_owned()), ..options("bought") };
    let (data, _) = data_of(table(&text), &positive).unwrap();
    let artifact = trained(&data, &without(&TOO_MUCH)).unwrap().artifact;
    let shouted = table(&text.replace(",yes\n", ",YES\n").replace(",no\n", ",NO\n"));
    let again = Applied::new(&artifact, &shouted).unwrap().evaluate(&shouted, &artifact, Costs::default()).unwrap();
    assert!(again["auc"] > 0.85, "{again:?}");
    let rows = table("pages,device,bought\n1,desk,no\n2,phone,NO\n19,desk,maybe\n");
    let error = Applied::new(&artifact, &rows).unwrap().evaluate(&rows, &artifact, Costs::default()).unwrap_err();
    assert!(error.to_string().contains("maybe"), "{error}");
}

#[test]
fn leaks_are_warned_of_and_their_effect_is_shown() {
    let (data, _) = data(&visits(1200), &options("bought")).unwrap();
    let rest = ["spent", "kind", "visitor", "day"];
    let kept = trained(&data, &without(&rest)).unwrap().artifact.card;
    // The strongest first; that pages tell nearly everything is suspicious too.
    assert_eq!(kept.leaks[0].column, "total", "{:?}", kept.leaks);
    // What is left out is told as one: all five, because `total` is among them.
    let left_out = trained(&data, &without(&TOO_MUCH)).unwrap().artifact.card;
    let effect = left_out.leak_effect.unwrap();
    assert!(effect.left_out && effect.with > 0.99 && effect.without < 0.97, "{effect:?}");
    let error = trained(&data, &without(&["nothing"])).unwrap_err();
    assert!(error.to_string().contains("nothing"), "{error}");
}

#[test]
fn numbers_and_classes_are_learnt() {
    let (numbers, _) = data(&visits(1200), &options("spent")).unwrap();
    assert_eq!(numbers.task, Task::Regression);
    let card = trained(&numbers, &without(&["total", "kind", "bought"])).unwrap().artifact.card;
    assert!(card.metrics["r2"] > 0.95, "{:?}", card.metrics);
    let (classes, _) = data(&visits(1200), &options("kind")).unwrap();
    assert_eq!(classes.task, Task::Multiclass { classes: 3 });
    let artifact = trained(&classes, &without(&["total", "spent", "bought"])).unwrap().artifact;
    assert!(artifact.card.metrics["accuracy"] > 0.9, "{:?}", artifact.card.metrics);
    let rows = table("pages,device,visitor,day\n19,desk,v1,2026-01-01\n0,phone,v1,2026-01-01\n");
    let mut out = Vec::new();
    Applied::new(&artifact, &rows).unwrap().write(&rows, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.lines().nth(1).unwrap().contains(",large,"), "{text}");
    assert!(text.lines().nth(2).unwrap().contains(",small,"), "{text}");
}

#[test]
fn rows_are_ordered_within_groups() {
    let wanted =
        TableOptions { task: Some(TaskChoice::Ranking), group: Some("visitor".to_owned()), ..options("grade") };
    let mut text = "visitor,closeness,noise,grade\n".to_owned();
    let mut random = Random::new(9, 1);
    for n in 0..600 {
        let (closeness, noise) = (random.uniform(), random.uniform());
        text.write_fmt(format_args!("v{},{closeness:.4},{noise:.4},{}\n", n % 60, (closeness * 4.0) as u32)).unwrap();
    }
    let (data, _) = data(&text, &wanted).unwrap();
    assert_eq!(data.task, Task::Ranking);
    let card = trained(&data, &TrainOptions::default()).unwrap().artifact.card;
    assert!(card.metrics["ndcg"] > 0.9, "{:?}", card.metrics);
    let alone = TableOptions { group: None, ..wanted };
    let error = trained(&data_of(table(&text), &alone).unwrap().0, &TrainOptions::default()).unwrap_err();
    assert!(error.to_string().contains("group"), "{error}");
}

#[test]
fn every_algorithm_can_be_asked_for() {
    let (data, _) = data(&visits(400), &options("bought")).unwrap();
    for algorithm in Algorithm::ALL {
        let options = TrainOptions { learner: Some(algorithm.learner(1)), ..without(&TOO_MUCH) };
        match trained(&data, &options) {
            Ok(trained) => {
                assert_eq!(trained.artifact.card.algorithm, algorithm.name());
                assert!(trained.artifact.card.metrics["auc"] > 0.75, "{algorithm:?}");
            }
            Err(error) => {
                assert_eq!(algorithm, Algorithm::LinearRegression, "{error}");
                assert!(error.to_string().contains("yes or no"), "{error}");
            }
        }
    }
}

#[test]
fn odd_columns_end_no_training_and_their_models_can_be_read() {
    let mut text = "x,once,limit,notes,y\n".to_owned();
    for row in 0..300 {
        let once = if row == 7 { "1e300".to_owned() } else { (row % 5).to_string() };
        let limit = if row % 5 == 0 { "1.797e308".to_owned() } else { (row % 7).to_string() };
        // No word is in two of them, but whether there are any tells the answer.
        let notes = if row % 3 == 0 {
            ["came", "saw", "and", "won"].map(|word| format!("{word}{row}")).join(" ")
        } else {
            String::new()
        };
        writeln!(
            text,
            "{},{once},{limit},{notes},{}",
            row % 17,
            if row % 3 == 0 || row % 17 > 12 { "yes" } else { "no" }
        )
        .unwrap();
    }
    let (data, _) = data(&text, &options("y")).unwrap();
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| algorithm.suits(data.task)) {
        let learner = Some(algorithm.learner(1));
        let artifact = trained(&data, &TrainOptions { learner, ..TrainOptions::default() }).unwrap().artifact;
        let read = Artifact::from_bytes(&artifact.to_bytes().unwrap());
        assert_eq!(read.map_err(|error| error.to_string()).as_ref(), Ok(&artifact), "{algorithm:?}");
    }
}

#[test]
fn a_search_tries_many_and_gives_the_same_twice() {
    let (data, _) = data(&visits(500), &options("bought")).unwrap();
    let options = TrainOptions { effort: Effort::Trials(22), ..without(&TOO_MUCH) };
    let first = trained(&data, &options).unwrap();
    assert!(first.tried.len() > 15, "{:?}", first.failures);
    assert!(first.tried.windows(2).all(|pair| pair[0].1 <= pair[1].1), "best first");
    let weights: f64 = first.artifact.card.learners.iter().map(|fact| fact.weight).sum();
    assert!((weights - 1.0).abs() < 1e-9);
    let again = trained(&data, &options).unwrap();
    assert_eq!(again.artifact.to_bytes().unwrap(), first.artifact.to_bytes().unwrap());
    let other = trained(&data, &TrainOptions { seed: 2, ..options }).unwrap();
    assert_ne!(other.artifact.to_bytes().unwrap(), first.artifact.to_bytes().unwrap());
}

#[test]
fn by_default_a_weighted_sum_and_trees_of_two_kinds_are_tried_on_any_number_of_threads() {
    let (data, _) = data(&visits(500), &options("bought")).unwrap();
    let [one, two] = [1, 2].map(|threads| trained_by(Threads::new(threads), &data, &without(&TOO_MUCH)).unwrap());
    let mut depths = Vec::new();
    for (learner, loss) in &one.tried {
        assert!((0.0..0.6).contains(loss), "{learner:?} has {loss}");
        if let Learner::GradientBoosting(options) = learner {
            assert!(options.rounds < 1000, "nobody is given all rounds: {options:?}");
            depths.push(options.max_depth);
        }
    }
    depths.sort_unstable();
    assert_eq!((one.tried.len(), depths), (3, vec![3, 6]), "{:?}", one.tried);
    // Tried on 320 rows, fitted on 500: a leaf has the same share of them.
    let leaf = |learner: &Learner| {
        if let Learner::GradientBoosting(options) = learner { Some(options.min_child_rows) } else { None }
    };
    let fitted: Vec<u32> = one.artifact.card.learners.iter().filter_map(|fact| leaf(&fact.learner)).collect();
    assert_eq!(fitted, [31], "of 20");
    let asked = Algorithm::GradientBoosting.learner(1);
    let given = trained(&data, &TrainOptions { learner: Some(asked), ..without(&TOO_MUCH) }).unwrap();
    assert_eq!(leaf(&given.artifact.card.learners[0].learner), Some(20), "what was asked for is what is fitted");
    assert_eq!(one.artifact.to_bytes().unwrap(), two.artifact.to_bytes().unwrap());
}

#[test]
fn a_search_of_one_algorithm_tries_no_other() {
    let (data, _) = data(&visits(400), &options("bought")).unwrap();
    let learner = Some(Algorithm::NearestNeighbours.learner(1));
    let options = TrainOptions { effort: Effort::Trials(30), learner, ..without(&TOO_MUCH) };
    let found = trained(&data, &options).unwrap();
    assert_eq!((found.tried.len(), found.artifact.card.trials), (30, 30), "{:?}", found.failures);
    assert!(found.tried.iter().all(|(learner, _)| learner.algorithm() == Algorithm::NearestNeighbours));
    let is_first = |place: usize| found.tried[..place].iter().all(|(other, _)| *other != found.tried[place].0);
    assert!((0..30).all(is_first), "nothing is tried twice: {:?}", found.tried);
}

#[test]
fn many_rows_are_tried_on_few_first() {
    let (data, _) = data(&visits(14_000), &options("bought")).unwrap();
    let options = TrainOptions { effort: Effort::Trials(7), ..without(&TOO_MUCH) };
    let found = trained(&data, &options).unwrap();
    assert_eq!(found.artifact.card.trials, 7);
    assert!(found.tried.len() < 7, "what does badly on few rows is not tried on all");
}

#[test]
fn only_classes_are_balanced() {
    let (numbers, _) = data(&visits(400), &options("spent")).unwrap();
    let balanced = TrainOptions { balance: true, ..without(&["total", "kind", "bought"]) };
    assert!(trained(&numbers, &balanced).unwrap_err().to_string().contains("balanced"));
    // One in ten says yes; balanced and not corrected afterwards, the mean answer would be about a half.
    let text: String = visits(2400)
        .lines()
        .enumerate()
        .filter(|(n, line)| n % 8 == 0 || !line.ends_with(",yes"))
        .fold(String::new(), |all, (_, line)| all + line + "\n");
    let (rare, _) = data_of(table(&text), &options("bought")).unwrap();
    let card = trained(&rare, &TrainOptions { balance: true, ..without(&TOO_MUCH) }).unwrap().artifact.card;
    assert!(card.metrics["base_rate"] < 0.2 && card.calibration.is_some(), "{card:?}");
    assert!(card.metrics["log_loss"] < card.metrics["base_log_loss"], "{:?}", card.metrics);
}

#[test]
fn an_ended_search_keeps_the_best_and_an_ended_training_keeps_nothing() {
    let (data, _) = data(&visits(400), &options("bought")).unwrap();
    let options = TrainOptions { effort: Effort::Trials(500), ..without(&TOO_MUCH) };
    let tried = std::sync::atomic::AtomicU64::new(0);
    let ran = |enough: &(dyn Fn() -> bool + Sync), stopped: &(dyn Fn() -> bool + Sync)| {
        tried.store(0, std::sync::atomic::Ordering::Relaxed);
        let mut watch = Watch {
            parallel: &Threads::new(1),
            enough,
            stopped,
            clock: &|| 0.0,
            progress: &mut |progress| tried.store(progress.trials, std::sync::atomic::Ordering::Relaxed),
        };
        train(&data, &options, &mut watch)
    };
    let three = || tried.load(std::sync::atomic::Ordering::Relaxed) >= 3;
    let kept = ran(&three, &|| false).unwrap();
    assert_eq!(kept.artifact.card.trials, 3);
    assert!(matches!(ran(&|| false, &three), Err(LearnError::Ml(MlError::Stopped))));
    assert!(matches!(ran(&|| true, &|| false), Err(LearnError::Ml(MlError::Stopped))), "nothing was tried yet");
}

#[test]
fn splits_respect_time_and_groups() {
    let time = TableOptions { time: Some("day".to_owned()), ..options("bought") };
    let (data, _) = data_of(table(&visits(1200)), &time).unwrap();
    let result = trained(&data, &without(&["total", "spent", "kind", "visitor"])).unwrap();
    assert_eq!(result.artifact.card.split, "time");
    let at = data.at.as_ref().unwrap();
    let begin = result.test.iter().map(|row| at[*row]).min().unwrap();
    assert!((0..at.len()).all(|row| result.test.contains(&row) == (at[row] >= begin)));
    let day = 86_400_000;
    let (late, _) = data_of(table(&visits(1200)), &TableOptions { gap: day, ..time }).unwrap();
    let waited = trained(&late, &without(&["total", "spent", "kind", "visitor"])).unwrap().artifact.card;
    let learnt = (0..at.len()).filter(|row| at[*row] + day < begin).count() as u64;
    assert_eq!(waited.train_rows, learnt, "an answer that comes a day later is not known to what is tested");
    let group = TableOptions { group: Some("visitor".to_owned()), ..options("bought") };
    let (data, _) = data_of(table(&visits(1200)), &group).unwrap();
    let result = trained(&data, &without(&["total", "spent", "kind", "day"])).unwrap();
    let groups = data.groups.as_ref().unwrap();
    let test = &result.test;
    let of = |wanted: bool| (0..groups.len()).filter(move |row| test.contains(row) == wanted);
    let tested: std::collections::BTreeSet<u32> = of(true).map(|row| groups[row]).collect();
    assert!(of(false).all(|row| !tested.contains(&groups[row])), "nobody is on both sides");
}

#[test]
fn what_cannot_be_learnt_is_refused_with_the_reason() {
    let told = |text: &str, options: TableOptions| {
        let result = data_of(table(text), &options).and_then(|(data, _)| trained(&data, &TrainOptions::default()));
        result.map(|_| ()).unwrap_err().to_string()
    };
    let text = visits(200);
    assert!(told(&text, options("Bought")).contains("did you mean \"bought\""));
    assert!(told(&text, options("price")).contains("there are pages, device"));
    let same = text.replace(",no\n", ",yes\n");
    assert!(told(&same, options("bought")).contains("nothing to tell apart"));
    let first = text.lines().take(11).collect::<Vec<_>>().join("\n");
    assert!(told(&first, options("bought")).contains("10 rows"), "{}", told(&first, options("bought")));
    let empty = text.replace(",yes\n", ",\n").replace(",no\n", ",\n");
    assert!(told(&empty, options("bought")).contains("no values"));
    assert!(told(&text, options("day")).contains("dates"));
    let mark = |(n, line)| if n == 5 { format!("{line}x") } else { String::from(line) };
    let rare = text.lines().enumerate().map(mark).collect::<Vec<_>>().join("\n");
    assert!(told(&rare, options("bought")).contains("at least 8"), "{}", told(&rare, options("bought")));
    let constant = "a,b\n".to_owned() + &"1,yes\n1,no\n".repeat(50);
    assert!(told(&constant, options("b")).contains("no column is left"), "{}", told(&constant, options("b")));
    let many: Vec<String> = (0..400).map(|n| format!("{n},text {}", n * 7919 % 397)).collect();
    let many = "a,b\n".to_owned() + &many.join("\n");
    assert!(told(&many, options("b")).contains("too many"), "{}", told(&many, options("b")));
    let weights = TableOptions { weight: Some("device".to_owned()), ..options("bought") };
    assert!(told(&text, weights).contains("weight"));
    let wrong = TableOptions { positive: Some("oui".to_owned()), ..options("bought") };
    assert!(told(&text, wrong).contains("there are no, yes"));
}

#[test]
fn rows_without_an_answer_are_left_out() {
    let text = visits(600).replacen(",yes\n", ",\n", 20).replacen(",no\n", ",NaN\n", 5);
    let (data, report) = data(&text, &options("bought")).unwrap();
    assert_eq!((data.rows(), report.without_target), (575, 25));
}

#[test]
fn what_is_positive_is_told_or_chosen() {
    let positive = TableOptions { positive: Some("no".to_owned()), ..options("bought") };
    let (data, _) = data(&visits(300), &positive).unwrap();
    assert_eq!(data.classes, ["yes", "no"]);
    let text = visits(300).replace(",yes\n", ",2\n").replace(",no\n", ",10\n");
    let (data, _) = data_of(table(&text), &options("bought")).unwrap();
    assert_eq!((data.task, data.classes.join(" ")), (Task::Binary, "2 10".to_owned()), "by size, not by letters");
}

#[test]
fn a_report_is_made_of_what_is_in_the_artifact() {
    let (data, _) = data(&visits(600), &options("bought")).unwrap();
    let artifact = trained(&data, &without(&TOO_MUCH)).unwrap().artifact;
    let report: ReportData = serde_json::from_str(artifact.report.as_deref().unwrap()).unwrap();
    assert_eq!(report.evaluation.rows as u64, artifact.card.test_rows);
    assert!(report.dependence.iter().any(|dependence| dependence.name == "device"), "{:?}", report.dependence);
    assert!(html(&report, Language::Chinese).contains("泄漏"));
}

#[test]
fn a_quantile_is_what_so_large_a_share_does_not_exceed() {
    const UNKNOWN: &[&str] = &["bought", "kind", "total", "visitor", "day"];
    let text = visits(2_000);
    let mut told = Vec::new();
    for quantile in [0.1, 0.9] {
        let options = TableOptions { quantile: Some(quantile), ..options("spent") };
        let (data, _) = data(&text, &options).unwrap();
        let artifact = trained(&data, &without(UNKNOWN)).unwrap().artifact;
        assert_eq!((artifact.card.task, artifact.card.quantile), (Task::Regression, Some(quantile)));
        let metrics = &artifact.card.metrics;
        assert!((metrics["coverage"] - quantile).abs() < 0.08, "{metrics:?}");
        assert!(metrics["pinball_skill"] > 0.7 && metrics["pinball_low"] < metrics["pinball"], "{metrics:?}");
        assert!(!metrics.contains_key("rmse"), "the mean is not what was asked for");
        let again = Artifact::from_bytes(&artifact.to_bytes().unwrap()).unwrap();
        let rows = table(&text);
        let applied = Applied::new(&again, &rows).unwrap();
        let figures = applied.evaluate(&rows, &again, Costs::default()).unwrap();
        assert!((figures["coverage"] - quantile).abs() < 0.06, "{figures:?}");
        told.push(applied.answers().unwrap());
    }
    let above = told[0].iter().zip(&told[1]).filter(|(low, high)| low < high).count();
    assert!(above > 1_900, "{above} of 2,000");
    let quantile = TableOptions { quantile: Some(0.5), ..options("spent") };
    let linear = TrainOptions { learner: Some(Algorithm::LinearRegression.learner(1)), ..without(UNKNOWN) };
    let refused = trained(&data(&text, &quantile).unwrap().0, &linear).unwrap_err().to_string();
    assert!(refused.contains("linear_regression cannot learn quantiles"), "{refused}");
    let classes = TableOptions { quantile: Some(0.5), ..options("kind") };
    assert!(data(&text, &classes).unwrap_err().to_string().contains("does not hold numbers alone"));
}

#[test]
fn rows_are_split_by_dates_or_by_numbers_that_order() {
    let mut text = "when,step,x,y\n".to_owned();
    for n in 0..200 {
        let row = format!("{},{},{},{}\n", 1_704_067_200 + n * 3600, n % 50, n % 7, n % 7 > 3);
        text.push_str(&row);
    }
    let by = |time: &str, stated: &[(&str, Meaning)]| {
        let meanings = stated.iter().map(|(name, meaning)| ((*name).to_owned(), *meaning)).collect();
        data(&text, &TableOptions { time: Some(time.to_owned()), meanings, ..options("y") })
    };
    let (seconds, report) = by("when", &[]).unwrap();
    assert_eq!(seconds.at.as_ref().unwrap()[1], 1_704_070_800_000);
    let note = report.schema.columns[0].notes[0].to_string();
    assert!(note.contains("seconds since 1970") && !note.contains("milli"), "{note}");
    let card = trained(&seconds, &TrainOptions::default()).unwrap().artifact.card;
    assert_eq!((&*card.split, card.training_range.unwrap().0), ("time", 1_704_067_200_000));
    assert!(by("step", &[]).unwrap_err().to_string().contains("from 0 to 49"));
    let (ordered, report) = by("step", &[("step", Meaning::Number)]).unwrap();
    assert_eq!(report.notes, ["step: read as numbers that put the rows into an order"]);
    let meanings = BTreeMap::from([("step".to_owned(), Meaning::Number)]);
    let gap = TableOptions { time: Some("step".to_owned()), gap: 5, meanings, ..options("y") };
    assert!(data(&text, &gap).unwrap_err().to_string().contains("a gap of time has no meaning"));
    let card = trained(&ordered, &TrainOptions::default()).unwrap().artifact.card;
    assert_eq!((&*card.split, card.training_range), ("time", None), "an order is no range of dates");
}

#[test]
fn a_training_can_be_ended_while_leaks_are_looked_for() {
    let (data, _) = data(&visits(300), &options("bought")).unwrap();
    let (ended, told) = (std::sync::atomic::AtomicBool::new(false), std::cell::RefCell::new(Vec::new()));
    let mut watch = Watch {
        parallel: &Threads::new(2),
        enough: &|| ended.load(std::sync::atomic::Ordering::Relaxed),
        stopped: &|| false,
        clock: &|| 0.0,
        progress: &mut |progress| {
            told.borrow_mut().push((progress.step, progress.share));
            ended.store(progress.share > 0.4, std::sync::atomic::Ordering::Relaxed);
        },
    };
    let outcome = train(&data, &TrainOptions::default(), &mut watch);
    assert!(matches!(outcome, Err(LearnError::Ml(MlError::Stopped))), "{outcome:?}");
    let told = told.into_inner();
    assert!(told.len() > 2 && told.iter().all(|(step, share)| *step == Step::Leaks && *share < 0.8), "{told:?}");
}
