//! `rapport models`: what model files tell of themselves, and what can be made of them.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use clap::Args;
use rapport_learn::{main_metric, report};
use rapport_ml::Card;

use super::{model, train::LanguageArg, write};
use crate::cli::{Failure, print};

/// Tells of model files.
#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    /// The files; `model.rapport` if none is named.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Prints the cards as JSON.
    #[arg(long)]
    json: bool,
    /// Writes the report of the one file as HTML.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The language of the report.
    #[arg(long, value_enum, default_value_t = LanguageArg::En)]
    language: LanguageArg,
    /// Writes the one file's model in the ONNX format, for other programs; it takes coded inputs.
    #[arg(long, value_name = "FILE")]
    onnx: Option<PathBuf>,
}

pub(crate) fn models(args: &ModelsArgs) -> Result<(), Failure> {
    let default = [PathBuf::from(super::MODEL)];
    let files: &[PathBuf] = if args.files.is_empty() { &default } else { &args.files };
    let several = files.len() > 1;
    if several && (args.report.is_some() || args.onnx.is_some()) {
        return Err("name one file to write a report or ONNX of".into());
    }
    let (mut cards, mut text) = (Vec::new(), String::new());
    for file in files {
        let artifact = model(file)?;
        if let Some(path) = &args.report {
            let data = artifact.report.as_deref().map(serde_json::from_str).transpose()?;
            let data = data.ok_or("this model has no report; there are reports for yes or no alone")?;
            write(path, report::html(&data, args.language.into()).as_bytes())?;
        }
        if let Some(path) = &args.onnx {
            write(path, &artifact.model.to_onnx()?)?;
        }
        if several {
            writeln!(text, "{}", file.display())?;
        }
        text.push_str(&in_words(&artifact.card)?);
        cards.push(artifact.card);
    }
    if args.json { print(&serde_json::to_string_pretty(&cards)?) } else { print(&text) }
}

/// A card as text.
pub(super) fn in_words(card: &Card) -> Result<String, Failure> {
    let mut text = String::new();
    let of = if card.learners.len() > 1 {
        let part = |fact: &rapport_ml::LearnerFact| {
            format!("{:.0} % {}", fact.weight * 100.0, fact.learner.algorithm().name())
        };
        format!(" of {}", card.learners.iter().map(part).collect::<Vec<_>>().join(", "))
    } else {
        String::new()
    };
    writeln!(text, "algorithm   {}{of}", card.algorithm)?;
    writeln!(text, "target      {}{}", card.target, classes(card))?;
    writeln!(text, "inputs      {}", card.inputs.len())?;
    for (column, reason) in &card.left_out {
        let reason = serde_json::to_value(reason)?;
        writeln!(text, "left out    {column}: {}", reason.as_str().unwrap_or_default())?;
    }
    writeln!(
        text,
        "learnt from {} rows; tested on {} by a model of {} ({} split, seed {})",
        card.rows, card.test_rows, card.train_rows, card.split, card.seed
    )?;
    if let Some(calibration) = &card.calibration {
        writeln!(text, "calibrated  {calibration}")?;
    }
    text.push_str(&figures(&card.metrics)?);
    let (main, _) = main_metric(card.task, card.quantile);
    for baseline in &card.baselines {
        if let Some(figure) = baseline.metrics.get(main) {
            let name = if baseline.name == "base_rate" { "nothing" } else { &baseline.name };
            writeln!(text, "            {main} {figure:.4} by {name} alone")?;
        }
    }
    for warning in &card.leaks {
        writeln!(text, "leak?       {}", warning.in_english())?;
    }
    if let Some(effect) = &card.leak_effect {
        let columns = effect.columns.join(", ");
        writeln!(text, "            {main} {:.4} with {columns}, {:.4} without", effect.with, effect.without)?;
    }
    Ok(text)
}

fn classes(card: &Card) -> String {
    match &*card.classes {
        [] => card.quantile.map_or_else(String::new, |level| format!(" (what {} % do not exceed)", level * 100.0)),
        [_, yes] => format!(" (probability of \"{yes}\")"),
        classes => format!(" ({} classes)", classes.len()),
    }
}

/// The figures that people look at first.
pub(super) fn figures(figures: &BTreeMap<String, f64>) -> Result<String, Failure> {
    let mut text = String::new();
    let known = [
        ("auc", "AUC"),
        ("average_precision", "PR-AUC"),
        ("macro_auc", "macro AUC"),
        ("log_loss", "log-loss"),
        ("brier", "Brier"),
        ("ece", "calib. err."),
        ("f1", "F1"),
        ("accuracy", "accuracy"),
        ("macro_f1", "macro F1"),
        ("rmse", "RMSE"),
        ("mae", "MAE"),
        ("r2", "R2"),
        ("pinball", "pinball"),
        ("pinball_skill", "skill"),
        ("coverage", "coverage"),
        ("ndcg", "NDCG"),
        ("map", "MAP"),
    ];
    for (name, shown) in known {
        let Some(figure) = figures.get(name) else { continue };
        write!(text, "{shown:<11} {figure:.4}")?;
        let end = |end: &str| figures.get(&format!("{name}_{end}"));
        if let (Some(low), Some(high)) = (end("low"), end("high")) {
            write!(text, " (95 %: {low:.4} to {high:.4})")?;
        }
        if let Some(base) = figures.get(&format!("base_{name}")) {
            write!(text, "; base rate alone {base:.4}")?;
        }
        writeln!(text)?;
    }
    Ok(text)
}
