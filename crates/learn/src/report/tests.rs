//! What a report promises: well-formed, escaped, complete in both languages. How it looks is for eyes, not for tests.

use std::collections::BTreeMap;

use rapport_ml::{
    Context, Random,
    metrics::{Answers, BinaryEvaluation, BootstrapOptions, Costs},
};

use super::{format, text, *};

/// Text that would break out of wherever it stands, if it could.
const HOSTILE: &str = "</title><script>alert(1)</script>\"' & <b>";

fn report(name: &str) -> ReportData {
    let mut random = Random::new(3, 0);
    let (mut predicted, mut actual) = (Vec::new(), Vec::new());
    for _ in 0..4000 {
        let probability = random.uniform().powi(4) * 0.8 + 0.01;
        predicted.push(probability);
        actual.push(f64::from(u8::from(random.uniform() < probability)));
    }
    let answers = Answers::new(&predicted, &actual);
    let costs = Costs { false_positive: 1.0, false_negative: 4.0 };
    let options = BootstrapOptions { replicates: 50, ..BootstrapOptions::default() };
    let evaluation = BinaryEvaluation::of(&answers, costs).expect("fine answers");
    let evaluation = evaluation.with_intervals(&answers, None, &options, &Context::serial()).expect("fine answers");
    let figures = |auc: f64| BTreeMap::from([("auc".to_owned(), auc), ("log_loss".to_owned(), 0.41)]);
    let importance = |name: &str, mean: f64| FeatureImportance { name: name.to_owned(), mean, deviation: 0.004 };
    let warning = |reason| LeakWarning { column: name.to_owned(), reason };
    ReportData {
        title: name.to_owned(),
        card: ModelCard {
            name: name.to_owned(),
            version: "3".to_owned(),
            algorithm: "gradient_boosting".to_owned(),
            program: "Rapport 0.1.0".to_owned(),
            data_from: Some("2025-01-01".to_owned()),
            data_to: Some("2026-10-31".to_owned()),
            train_rows: 16_000,
            test_rows: 4_000,
            customers: Some(7_312),
            split: SplitKind::TimeAndCustomers,
            calibration: Some("isotonic".to_owned()),
            seed: 42,
            features: vec![name.to_owned(), "orders_90d".to_owned()],
        },
        evaluation,
        baselines: vec![
            Baseline { kind: BaselineKind::BaseRate, figures: figures(0.5) },
            Baseline { kind: BaselineKind::BestFeature { name: name.to_owned() }, figures: figures(0.71) },
            Baseline { kind: BaselineKind::Other { name: name.to_owned() }, figures: BTreeMap::new() },
        ],
        leaks: vec![
            warning(LeakReason::Found(rapport_ml::leak::LeakWarning {
                column: name.to_owned(),
                reason: rapport_ml::leak::LeakReason::Determines,
                strength: 0.98,
            })),
            warning(LeakReason::LeftOut { auc_with: 0.93 }),
            warning(LeakReason::Kept { auc_without: 0.71 }),
        ],
        importance: vec![importance(name, 0.12), importance("orders_90d", 0.05), importance("plan", -0.001)],
        dependence: vec![
            Dependence {
                name: name.to_owned(),
                at: DependenceAt::Numbers(vec![0.0, 1.0, 5.0, 40.0]),
                mean: vec![0.05, 0.1, 0.2, 0.22],
            },
            Dependence { name: "constant".to_owned(), at: DependenceAt::Numbers(vec![2.0]), mean: vec![0.17] },
            Dependence {
                name: "plan".to_owned(),
                at: DependenceAt::Categories(vec![name.to_owned(), "pro".to_owned()]),
                mean: vec![0.15, 0.19],
            },
        ],
    }
}

/// Walks over tags: each that is opened must be closed, in order, and attributes must be quoted and unique per element.
fn check_well_formed(html: &str) {
    let style = html.find("<style>").expect("there is a style")..html.find("</style>").expect("it ends");
    let mut open: Vec<&str> = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    let mut at = 0;
    while let Some(begin) = html[at..].find('<').map(|found| found + at) {
        if style.contains(&begin) && begin != style.start {
            at = style.end;
            continue;
        }
        let end = begin + html[begin..].find('>').expect("a tag ends");
        let tag = &html[begin + 1..end];
        at = end + 1;
        if tag.starts_with("!DOCTYPE") || tag.ends_with('/') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed before {}", &html[begin..(begin + 80).min(html.len())]);
            continue;
        }
        assert!(tag.matches('"').count().is_multiple_of(2), "quotes of {tag}");
        if let Some((_, id)) = tag.split_once(" id=\"") {
            assert!(ids.insert(id.split('"').next()), "the id of {tag} is there twice");
        }
        open.push(tag.split_whitespace().next().expect("a name"));
    }
    assert!(open.is_empty(), "{open:?} are not closed");
}

#[test]
fn a_report_is_well_formed_in_both_languages() {
    for language in [Language::English, Language::Chinese] {
        let html = html(&report(HOSTILE), language);
        check_well_formed(&html);
        assert!(!html.contains("{}"), "a place of a text was not filled");
        assert!(!html.contains("NaN") && !html.contains("inf,"), "a number that is none");
        assert!(html.contains(&format!("lang=\"{}\"", language.tag())));
    }
}

#[test]
fn texts_from_outside_are_escaped_wherever_they_stand() {
    let html = html(&report(HOSTILE), Language::English);
    assert!(!html.contains("<script") && !html.contains("<b>\"") && !html.contains("& <"));
    let escaped = "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39; &amp; &lt;b&gt;";
    // Title twice, card twice, two baselines, three leaks, importance and its words, dependence and its words.
    assert!(html.matches(escaped).count() >= 12, "{}", html.matches(escaped).count());
    assert_eq!(format::escape("a\u{0}b"), "a\u{fffd}b");
}

#[test]
fn nothing_is_loaded_or_run() {
    let html = html(&report("Buys again"), Language::English);
    for word in ["<script", "http:", "https:", "src=", "url(", "@import", "<link", "onload"] {
        assert!(!html.contains(word), "{word}");
    }
}

#[test]
fn every_plot_says_in_words_what_it_shows() {
    let html = html(&report("Buys again"), Language::English);
    let plots = html.matches("<svg").count();
    assert_eq!(plots, 8, "ROC, precision-recall, calibration, lift, importance, three dependences");
    assert_eq!(html.matches("role=\"img\"").count(), plots);
    assert_eq!(html.matches("<desc").count(), plots);
}

#[test]
fn both_languages_have_every_text_with_as_many_places() {
    for (name, english, chinese) in text::ALL {
        assert!(!english.trim().is_empty() && !chinese.trim().is_empty(), "{name}");
        assert_eq!(english.matches("{}").count(), chinese.matches("{}").count(), "{name}");
        assert!(chinese.chars().any(|character| character > '\u{2e80}'), "{name} is not Chinese: {chinese}");
        assert!(english.is_ascii(), "{name}: {english}");
    }
}

#[test]
fn every_text_is_used() {
    let english = html(&report("Buys again"), Language::English);
    let mut calm = report("Buys again");
    calm.leaks.clear();
    let all = english
        + &html(&calm, Language::English)
        + &[SplitKind::Stratified, SplitKind::Customers, SplitKind::Time]
            .into_iter()
            .map(|split| {
                calm.card.split = split;
                html(&calm, Language::English)
            })
            .collect::<String>();
    for (name, text, _) in text::ALL {
        let longest = text.split("{}").max_by_key(|part| part.len()).unwrap();
        assert!(all.contains(&format::escape(longest)), "{name}: {text}");
    }
}

#[test]
fn figures_stand_beside_their_intervals_and_baselines() {
    let data = report("Buys again");
    let html = html(&data, Language::English);
    let auc = data.evaluation.figures["auc"];
    let interval = data.evaluation.intervals["auc"];
    let cell =
        format!("{auc:.3} <small>[{:.3}, {:.3}]</small></td><td>0.500</td><td>0.710</td>", interval.low, interval.high);
    assert!(html.contains(&cell), "{cell}");
    let mut one_label = data;
    one_label.evaluation = BinaryEvaluation::of(&Answers::new(&[0.2, 0.3], &[0.0, 0.0]), Costs::default()).unwrap();
    let html = super::html(&one_label, Language::English);
    check_well_formed(&html);
    assert!(!html.contains("NaN"), "without positives there is no curve, and no figure");
}

#[test]
fn a_report_without_the_optional_parts_is_still_one() {
    let mut data = report("Buys again");
    data.importance.clear();
    data.dependence.clear();
    data.baselines.clear();
    data.card = ModelCard::default();
    data.evaluation.intervals.clear();
    let html = html(&data, Language::Chinese);
    check_well_formed(&html);
    assert_eq!(html.matches("<svg").count(), 4);
}

#[test]
fn numbers_are_short_and_readable() {
    assert_eq!(format::count(1_234_567.0), "1,234,567");
    assert_eq!(format::count(-1_000.0), "-1,000");
    assert_eq!((format::percent(0.0345), format::percent(0.345)), ("3.5%".to_owned(), "34%".to_owned()));
    assert_eq!(format::figure(None), "–");
    let brief = [1_500_000.0, 25_000.0, 120.4, 3.25, 0.25, 0.0, -2.0].map(format::brief);
    assert_eq!(brief, ["1.5M", "25k", "120", "3.2", "0.25", "0", "-2"]);
    assert_eq!(format::shortened("abcdef", 4), "abc…");
}
