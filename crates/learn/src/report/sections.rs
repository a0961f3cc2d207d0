//! The sections of a report, from top to bottom.

use rapport_ml::metrics::{BinaryEvaluation, Confusion};

use super::{
    charts,
    data::{
        Baseline, BaselineKind, Dependence, FeatureImportance, LeakReason, LeakWarning, ModelCard, ReportData,
        SplitKind,
    },
    format::{brief, count, escape, figure, percent},
    text::{Language, Texts, fill},
};

fn section(class: &str, title: &str, body: &str) -> String {
    format!("<section class=\"{class}\">\n<h2>{}</h2>\n{body}\n</section>", escape(title))
}

fn known(evaluation: &BinaryEvaluation, name: &str) -> Option<f64> {
    evaluation.figures.get(name).copied()
}

/// The interval of a figure in brackets, if there is one.
fn interval(evaluation: &BinaryEvaluation, name: &str) -> String {
    let interval = evaluation.intervals.get(name);
    interval.map(|interval| format!("[{:.3}, {:.3}]", interval.low, interval.high)).unwrap_or_default()
}

pub(super) fn head(data: &ReportData, texts: &Texts) -> String {
    let base = known(&data.evaluation, "base_rate").unwrap_or(f64::NAN);
    let subtitle = fill(texts.subtitle, &[&count(data.evaluation.rows as f64), &percent(base)]);
    format!(
        "<header><p class=\"kicker\">{}</p><h1>{}</h1><p>{}</p></header>",
        escape(texts.report),
        escape(&data.title),
        escape(&subtitle)
    )
}

pub(super) fn tiles(evaluation: &BinaryEvaluation, texts: &Texts) -> String {
    let lift = evaluation.deciles.first().map(|decile| decile.lift);
    let tile = |name: &str, value: &str, below: &str| {
        format!("<div class=\"tile\"><span>{}</span><b>{value}</b><span>{below}&#160;</span></div>", escape(name))
    };
    let base = format!("{} {}", texts.base_rate, figure(known(evaluation, "base_rate")));
    let average = interval(evaluation, "average_precision");
    let all = [
        tile(texts.auc, &figure(known(evaluation, "auc")), &interval(evaluation, "auc")),
        tile(
            texts.average_precision,
            &figure(known(evaluation, "average_precision")),
            if average.is_empty() { &base } else { &average },
        ),
        tile(texts.ece, &figure(known(evaluation, "ece_equal_count")), texts.lower),
        tile(texts.lift, &lift.map_or_else(|| "–".to_owned(), |lift| format!("{lift:.1}×")), texts.top_tenth),
    ];
    format!("<div class=\"tiles\">{}</div>", all.concat())
}

pub(super) fn in_words(evaluation: &BinaryEvaluation, texts: &Texts) -> String {
    let mut sentences = Vec::new();
    if let Some(auc) = known(evaluation, "auc") {
        sentences.push(fill(texts.word_rank, &[&percent(auc)]));
    }
    if let Some(first) = evaluation.deciles.first() {
        sentences.push(fill(texts.word_top, &[&percent(first.gain), &format!("{:.1}", first.lift)]));
    }
    if let Some(error) = known(evaluation, "ece_equal_count") {
        sentences.push(fill(texts.word_calibrated, &[&format!("{:.1}", error * 100.0)]));
    }
    let items: Vec<String> = sentences.iter().map(|sentence| format!("<li>{}</li>", escape(sentence))).collect();
    let items = items.concat();
    section("words", texts.in_words, &format!("<ul>{items}</ul>"))
}

pub(super) fn leaks(leaks: &[LeakWarning], language: Language, texts: &Texts) -> String {
    if leaks.is_empty() {
        return section("calm", texts.leaks, &format!("<p>{}</p>", escape(texts.no_leaks)));
    }
    let mut items = String::new();
    for leak in leaks {
        let why = match (&leak.reason, language) {
            (LeakReason::Found(warning), Language::English) => warning.in_english(),
            (LeakReason::Found(warning), Language::Chinese) => warning.in_chinese(),
            (&LeakReason::LeftOut { auc_with }, _) => fill(texts.leak_left_out, &[&figure(Some(auc_with))]),
            (&LeakReason::Kept { auc_without }, _) => fill(texts.leak_kept, &[&figure(Some(auc_without))]),
        };
        items.extend([format!("<li><strong>{}</strong> {}</li>", escape(&leak.column), escape(&why))]);
    }
    section("warning", texts.leaks, &format!("<ul>{items}</ul>"))
}

pub(super) fn figures(data: &ReportData, texts: &Texts) -> String {
    let rows = [
        ("auc", texts.auc, true),
        ("average_precision", texts.average_precision, true),
        ("log_loss", texts.log_loss, false),
        ("brier", texts.brier, false),
        ("ece_equal_count", texts.ece, false),
        ("ks", texts.ks, true),
    ];
    let name = |baseline: &Baseline| match &baseline.kind {
        BaselineKind::BaseRate => texts.base_rate.to_owned(),
        BaselineKind::BestFeature { name } => fill(texts.best_feature, &[name]),
        BaselineKind::Other { name } => name.clone(),
    };
    let columns = data.baselines.iter().map(|baseline| format!("<th scope=\"col\">{}</th>", escape(&name(baseline))));
    let (figure_head, model) = (escape(texts.figure), escape(texts.model));
    let mut table = format!(
        "<table><thead><tr><th scope=\"col\">{figure_head}</th><th scope=\"col\">{model}</th>{}</tr></thead><tbody>",
        columns.collect::<String>()
    );
    for (key, name, higher) in rows {
        let own = known(&data.evaluation, key);
        let others: Vec<Option<f64>> =
            data.baselines.iter().map(|baseline| baseline.figures.get(key).copied()).collect();
        let better = |a: f64, b: f64| if higher { a > b } else { a < b };
        let best = own.is_some_and(|own| others.iter().flatten().all(|other| better(own, *other)));
        table.extend([format!(
            "<tr><th scope=\"row\">{} <small>{}</small></th><td{}>{} <small>{}</small></td>",
            escape(name),
            escape(if higher { texts.higher } else { texts.lower }),
            if best { " class=\"best\"" } else { "" },
            figure(own),
            interval(&data.evaluation, key)
        )]);
        table.extend(others.iter().map(|other| format!("<td>{}</td>", figure(*other))));
        table.push_str("</tr>");
    }
    table.push_str("</tbody></table>");
    section("figures", texts.figures, &format!("<p>{}</p>{table}", escape(texts.figures_note)))
}

fn captioned(title: &str, body: &str) -> String {
    format!("<figure><figcaption>{}</figcaption>{body}</figure>", escape(title))
}

pub(super) fn ranking(evaluation: &BinaryEvaluation, texts: &Texts) -> String {
    if evaluation.roc.is_empty() {
        return String::new();
    }
    let roc = captioned(texts.roc, &charts::roc(evaluation, texts));
    let precision_recall = captioned(texts.pr, &charts::precision_recall(evaluation, texts));
    section("ranking", texts.ranking, &format!("<div class=\"pair\">{roc}{precision_recall}</div>"))
}

/// A table that can be opened below a plot.
fn numbers(texts: &Texts, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let heads: Vec<String> = heads.iter().map(|head| format!("<th scope=\"col\">{}</th>", escape(head))).collect();
    let heads = heads.concat();
    let mut body = String::new();
    for row in rows {
        body.extend([format!("<tr><td>{}</td></tr>", row.join("</td><td>"))]);
    }
    let summary = escape(texts.numbers);
    format!(
        "<details><summary>{summary}</summary><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></details>"
    )
}

pub(super) fn calibration_and_lift(evaluation: &BinaryEvaluation, texts: &Texts) -> String {
    let bins = evaluation.calibration.iter().map(|bin| {
        let interval = format!("{} – {}", percent(bin.low), percent(bin.high));
        vec![percent(bin.predicted), percent(bin.observed), interval, count(bin.rows as f64)]
    });
    let calibration = charts::calibration(evaluation, texts)
        + &numbers(texts, &[texts.predicted, texts.observed, texts.interval, texts.rows], bins);
    let deciles = evaluation.deciles.iter().map(|decile| {
        vec![decile.decile.to_string(), percent(decile.rate), format!("{:.2}", decile.lift), percent(decile.gain)]
    });
    let lift =
        charts::lift(evaluation, texts) + &numbers(texts, &["#", texts.rate, texts.lift_axis, texts.gain], deciles);
    format!(
        "<section><div class=\"pair\"><div><h2>{}</h2>{calibration}</div><div><h2>{}</h2>{lift}</div></div></section>",
        escape(texts.calibration),
        escape(texts.lift)
    )
}

pub(super) fn decision(evaluation: &BinaryEvaluation, texts: &Texts) -> String {
    let (costs, confusion) = (evaluation.costs, evaluation.confusion);
    let threshold = percent(confusion.threshold);
    let note = fill(texts.decision_note, &[&brief(costs.false_positive), &brief(costs.false_negative), &threshold]);
    let (precision, recall) = (percent(confusion.precision()), percent(confusion.recall()));
    let outcome = fill(texts.decision_outcome, &[&precision, &recall, &figure(Some(confusion.cost(costs)))]);
    let words = format!("<div><p class=\"note\">{}</p><p class=\"note\">{}</p></div>", escape(&note), escape(&outcome));
    let table = confusion_table(&confusion, texts);
    section("decision", texts.decision, &format!("<div class=\"pair\">{table}{words}</div>"))
}

fn confusion_table(confusion: &Confusion, texts: &Texts) -> String {
    let all = confusion.true_positive + confusion.false_positive + confusion.true_negative + confusion.false_negative;
    let cell = |value: f64| {
        let share = if all > 0.0 { value / all } else { 0.0 };
        let (value, told) = (count(value), percent(share));
        format!("<td style=\"--part:{:.0}%\"><b>{value}</b><small>{told}</small></td>", share * 100.0)
    };
    let row = |name: &str, act: f64, leave: f64| {
        format!("<tr><th scope=\"row\">{}</th>{}{}</tr>", escape(name), cell(act), cell(leave))
    };
    format!(
        "<table class=\"confusion\" aria-label=\"{}\"><thead><tr><td style=\"--part:0%;background:none\"></td>\
         <th scope=\"col\">{}</th><th scope=\"col\">{}</th></tr></thead><tbody>{}{}</tbody></table>",
        escape(texts.confusion),
        escape(texts.act),
        escape(texts.leave),
        row(texts.is_positive, confusion.true_positive, confusion.false_negative),
        row(texts.is_negative, confusion.false_positive, confusion.true_negative)
    )
}

pub(super) fn importance(inputs: &[FeatureImportance], texts: &Texts) -> String {
    if inputs.is_empty() {
        return String::new();
    }
    let body = format!("<p>{}</p>{}", escape(texts.importance_note), charts::importance(inputs, texts));
    section("importance", texts.importance, &body)
}

pub(super) fn dependence(all: &[Dependence], texts: &Texts) -> String {
    if all.is_empty() {
        return String::new();
    }
    let (note, plots) = (escape(texts.dependence_note), charts::dependence(all, texts));
    section("dependence", texts.dependence, &format!("<p>{note}</p><div class=\"three\">{plots}</div>"))
}

pub(super) fn card(card: &ModelCard, texts: &Texts) -> String {
    let data = match (&card.data_from, &card.data_to) {
        (Some(from), Some(to)) => Some(fill(texts.from_to, &[from, to])),
        (from, to) => from.clone().or_else(|| to.clone()),
    };
    let split = match card.split {
        SplitKind::Stratified => texts.split_stratified,
        SplitKind::Customers => texts.split_customers,
        SplitKind::Time => texts.split_time,
        SplitKind::TimeAndCustomers => texts.split_time_customers,
    };
    let facts = [
        (texts.name, Some(card.name.clone())),
        (texts.version, Some(card.version.clone())),
        (texts.algorithm, Some(card.algorithm.clone())),
        (texts.calibrated_by, card.calibration.clone()),
        (texts.program, Some(card.program.clone())),
        (texts.data, data),
        (texts.split, Some(split.to_owned())),
        (texts.train_rows, Some(count(card.train_rows as f64))),
        (texts.test_rows, Some(count(card.test_rows as f64))),
        (texts.customers, card.customers.map(|customers| count(customers as f64))),
        (texts.seed, Some(card.seed.to_string())),
    ];
    let mut list = String::new();
    for (name, value) in facts.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        list.extend([format!("<dt>{}</dt><dd>{}</dd>", escape(name), escape(&value))]);
    }
    let features = escape(&card.features.join(", "));
    let inputs = format!("{} ({})", escape(texts.inputs), card.features.len());
    let body = format!("<dl>{list}</dl><dl class=\"wide\"><dt>{inputs}</dt><dd>{features}</dd></dl>");
    section("card", texts.card, &body)
}
