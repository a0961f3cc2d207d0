//! The plots of a report.

use rapport_ml::metrics::BinaryEvaluation;

use super::{
    data::{Dependence, DependenceAt, FeatureImportance},
    format::{brief, escape, figure, percent, shortened},
    plot::{Axis, HALF, Plot, SMALL, open, text},
    text::{Texts, fill},
};

/// More inputs than this are not drawn; the rest brings little.
const INPUTS: usize = 15;
/// More categories than this are not drawn.
const CATEGORIES: usize = 8;

fn shares(label: &str) -> Axis {
    Axis::round(0.0, 1.0, 5, label, |share| format!("{:.0}%", share * 100.0))
}

fn known(evaluation: &BinaryEvaluation, name: &str) -> Option<f64> {
    evaluation.figures.get(name).copied()
}

pub(super) fn roc(evaluation: &BinaryEvaluation, texts: &Texts) -> String {
    let alt = fill(texts.roc_alt, &[&figure(known(evaluation, "auc"))]);
    let (x, y) = (shares(texts.false_positive_rate), shares(texts.true_positive_rate));
    let mut plot = Plot::new("roc", texts.roc, &alt, HALF, x, y);
    let points: Vec<(f64, f64)> = evaluation.roc.iter().map(|point| (point.x, point.y)).collect();
    plot.area(&points);
    plot.line("chance", [(0.0, 0.0), (1.0, 1.0)].into_iter());
    plot.line("curve", points.into_iter());
    plot.finish()
}

pub(super) fn precision_recall(evaluation: &BinaryEvaluation, texts: &Texts) -> String {
    let base = known(evaluation, "base_rate").unwrap_or(0.0);
    let average = figure(known(evaluation, "average_precision"));
    let alt = fill(texts.pr_alt, &[&average, &percent(base)]);
    let mut plot = Plot::new("pr", texts.pr, &alt, HALF, shares(texts.recall), shares(texts.precision));
    let points: Vec<(f64, f64)> = evaluation.precision_recall.iter().map(|point| (point.x, point.y)).collect();
    plot.area(&points);
    plot.line("chance", [(0.0, base), (1.0, base)].into_iter());
    plot.line("curve", points.into_iter());
    plot.finish()
}

pub(super) fn calibration(evaluation: &BinaryEvaluation, texts: &Texts) -> String {
    let bins = &evaluation.calibration;
    let most = bins.iter().map(|bin| bin.high.max(bin.predicted)).fold(0.01, f64::max);
    let alt = fill(texts.calibration_alt, &[&bins.len().to_string()]);
    let axis = |label: &str| Axis::round(0.0, most, 5, label, percent_tick);
    let (x, y) = (axis(texts.predicted), axis(texts.observed));
    let end = x.to;
    let mut plot = Plot::new("calibration", texts.calibration, &alt, HALF, x, y);
    plot.line("chance", [(0.0, 0.0), (end, end)].into_iter());
    plot.line("faint", bins.iter().map(|bin| (bin.predicted, bin.observed)));
    for bin in bins {
        let tip = format!(
            "{} → {} [{}, {}]",
            percent(bin.predicted),
            percent(bin.observed),
            percent(bin.low),
            percent(bin.high)
        );
        plot.point((bin.predicted, bin.observed), bin.low, bin.high, &tip);
    }
    plot.finish()
}

/// A percentage without decimals that say nothing.
fn percent_tick(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    format!("{}%", text.strip_suffix(".0").unwrap_or(&text))
}

pub(super) fn lift(evaluation: &BinaryEvaluation, texts: &Texts) -> String {
    let deciles = &evaluation.deciles;
    let most = deciles.iter().map(|decile| decile.lift).fold(1.0, f64::max);
    let alt = fill(texts.lift_alt, &[&format!("{:.2}", deciles.first().map_or(1.0, |first| first.lift))]);
    let ticks = deciles.iter().map(|decile| (f64::from(decile.decile), decile.decile.to_string())).collect();
    let x = Axis { from: 0.4, to: 10.6, ticks, label: texts.tenth.to_owned() };
    let y = Axis::round(0.0, most * 1.06, 5, texts.lift_axis, brief);
    let mut plot = Plot::new("lift", texts.lift, &alt, HALF, x, y);
    for decile in deciles {
        let at = f64::from(decile.decile);
        plot.bar(at - 0.38, at + 0.38, decile.lift, &format!("{:.1}", decile.lift));
    }
    plot.line("chance", [(0.4, 1.0), (10.6, 1.0)].into_iter());
    plot.finish()
}

pub(super) fn importance(inputs: &[FeatureImportance], texts: &Texts) -> String {
    let shown = &inputs[..inputs.len().min(INPUTS)];
    let most = shown.iter().map(|input| input.mean + input.deviation).fold(1e-9, f64::max);
    let (width, row, names, values) = (860.0, 27.0, 250.0, 70.0);
    let first: Vec<&str> = shown.iter().take(3).map(|input| &*input.name).collect();
    let alt = fill(texts.importance_alt, &[&first.join(", ")]);
    let mut svg = open("importance", texts.importance, &alt, width, shown.len() as f64 * row + 4.0);
    for (at, input) in shown.iter().enumerate() {
        let (top, middle) = (at as f64 * row + 4.0, at as f64 * row + 4.0 + row / 2.0 - 3.0);
        let length = |value: f64| names + value.max(0.0) / most * (width - names - values);
        svg.extend([format!("<g><title>{}</title>", escape(&input.name))]);
        text(&mut svg, (names - 10.0, middle + 4.0), "end", "name", &shortened(&input.name, 34));
        svg.extend([format!(
            r#"<rect class="bar" x="{names}" y="{top}" width="{:.1}" height="{:.1}" rx="2"/>"#,
            length(input.mean) - names,
            row - 7.0
        )]);
        let (low, high) = (length(input.mean - input.deviation), length(input.mean + input.deviation));
        svg.extend([format!(
            r#"<line class="whisker" x1="{low:.1}" y1="{middle:.1}" x2="{high:.1}" y2="{middle:.1}"/>"#
        )]);
        text(&mut svg, (high + 8.0, middle + 4.0), "start", "value", &format!("{:.4}", input.mean));
        svg.push_str("</g>");
    }
    svg.push_str("</svg>");
    svg
}

/// Small plots, all with one scale of probabilities.
pub(super) fn dependence(all: &[Dependence], texts: &Texts) -> String {
    let means = || all.iter().flat_map(|one| one.mean.iter().copied()).filter(|mean| mean.is_finite());
    let (low, high) = (means().fold(f64::INFINITY, f64::min), means().fold(f64::NEG_INFINITY, f64::max));
    let has_bars = all.iter().any(|one| matches!(one.at, DependenceAt::Categories(_)));
    // A bar tells by its length and has to begin at 0.
    let low = if has_bars { 0.0 } else { low };
    let mut figures = String::new();
    for (at, one) in all.iter().enumerate().filter(|(_, one)| !one.mean.is_empty()) {
        let y = Axis::round(low, high + (high - low) * 0.08, 4, "", percent_tick);
        let range = |pick: fn(f64, f64) -> f64| percent(one.mean.iter().copied().reduce(pick).unwrap_or(f64::NAN));
        let alt = fill(texts.dependence_alt, &[&one.name, &range(f64::min), &range(f64::max)]);
        let id = format!("dependence-{at}");
        let svg = match &one.at {
            DependenceAt::Numbers(values) => numbers(&id, &one.name, &alt, values, &one.mean, y),
            DependenceAt::Categories(names) => categories(&id, &one.name, &alt, names, &one.mean, y),
        };
        let name = escape(&shortened(&one.name, 34));
        figures.extend([format!("<figure><figcaption>{name}</figcaption>{svg}</figure>")]);
    }
    figures
}

fn numbers(id: &str, name: &str, alt: &str, values: &[f64], mean: &[f64], y: Axis) -> String {
    let (first, last) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(1.0));
    // One value is a level line of some width.
    let (from, to) = if first < last { (first, last) } else { (first - 0.5, last + 0.5) };
    let mut x = Axis::round(from, to, 5, "", brief);
    x.ticks.retain(|(tick, _)| (from..=to).contains(tick));
    (x.from, x.to) = (from, to);
    let mut plot = Plot::new(id, name, alt, SMALL, x, y);
    if first < last {
        plot.line("curve", values.iter().copied().zip(mean.iter().copied()));
    } else {
        plot.line("curve", [(from, mean[0]), (to, mean[0])].into_iter());
    }
    plot.finish()
}

fn categories(id: &str, name: &str, alt: &str, names: &[String], mean: &[f64], y: Axis) -> String {
    let shown = names.len().min(mean.len()).min(CATEGORIES);
    let room = 44 / shown.max(1);
    let label = |name: &String| shortened(name, room.max(3));
    let ticks = names.iter().take(shown).enumerate().map(|(at, name)| (at as f64, label(name))).collect();
    let x = Axis { from: -0.6, to: shown as f64 - 0.4, ticks, label: String::new() };
    let mut plot = Plot::new(id, name, alt, SMALL, x, y);
    for (at, mean) in mean.iter().take(shown).enumerate() {
        plot.bar(at as f64 - 0.35, at as f64 + 0.35, *mean, &percent(*mean));
    }
    plot.finish()
}
