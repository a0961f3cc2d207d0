//! The report of a model as one HTML file: what a customer is shown and an auditor keeps.
//!
//! Self-contained: style and plots are inside, there are no scripts and nothing is loaded from elsewhere. Follows light or dark
//! of the reader's system, prints on paper, and says in words what each plot shows. All texts from outside are escaped.

mod charts;
mod data;
mod format;
mod plot;
mod sections;
mod text;

pub use data::{
    Baseline, BaselineKind, Dependence, DependenceAt, FeatureImportance, LeakReason, LeakWarning, ModelCard,
    ReportData, SplitKind,
};
pub use text::Language;

const STYLE: &str = include_str!("style.css");

/// The report as an HTML document.
pub fn html(data: &ReportData, language: Language) -> String {
    let texts = text::texts(language);
    let title = format::escape(&data.title);
    let body = [
        sections::head(data, texts),
        sections::tiles(&data.evaluation, texts),
        sections::in_words(&data.evaluation, texts),
        sections::leaks(&data.leaks, language, texts),
        sections::figures(data, texts),
        sections::ranking(&data.evaluation, texts),
        sections::calibration_and_lift(&data.evaluation, texts),
        sections::decision(&data.evaluation, texts),
        sections::importance(&data.importance, texts),
        sections::dependence(&data.dependence, texts),
        sections::card(&data.card, texts),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"/>\n<title>{title} – {}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n<main>\n{}\n</main>\n</body>\n</html>\n",
        language.tag(),
        texts.report,
        body.join("\n")
    )
}

#[cfg(test)]
mod tests;
