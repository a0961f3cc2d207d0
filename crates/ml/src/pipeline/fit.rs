//! Choosing a coder for each column and teaching it from the training rows.

use super::category::{Coded, Counted};
use super::coder::{self, Coder};
use super::instant::Instants;
use super::number::Standard;
use super::text::Terms;
use super::{Coding, LeftOut, Pipeline, PipelineOptions, Source};
use crate::frame::{Cell, Column, Frame, Meaning};
use crate::{MlError, Task};

type Target<'a> = Option<(&'a [f64], Task)>;

pub(super) fn fit(
    frame: &Frame,
    rows: &[usize],
    target: Target<'_>,
    options: &PipelineOptions,
) -> Result<Pipeline, MlError> {
    check(frame, rows, target, options)?;
    let (mut coders, mut left_out) = (Vec::new(), Vec::new());
    for column in frame.columns() {
        let source = Source { name: column.name.clone(), meaning: column.meaning, reading: column.reading };
        match fit_column(column, rows, target, options) {
            Ok(coder) => coders.push((source, coder)),
            Err(reason) => left_out.push((column.name.clone(), reason)),
        }
    }
    if coders.is_empty() {
        let names: Vec<&str> = frame.columns().iter().map(|column| column.name.as_str()).collect();
        return Err(MlError::Table(format!(
            "no column is left to learn from; of {} each is constant, empty, an identifier or left out",
            names.join(", ")
        )));
    }
    let mut pipeline = Pipeline::assemble(options.coding, target.map(|(_, task)| task), coders, left_out);
    (pipeline.folds, pipeline.seed, pipeline.smoothing) = (options.folds, options.seed, options.smoothing);
    Ok(pipeline)
}

fn check(frame: &Frame, rows: &[usize], target: Target<'_>, options: &PipelineOptions) -> Result<(), MlError> {
    if rows.is_empty() {
        return Err(MlError::Table("there are no rows to learn from".to_owned()));
    }
    if let Some(row) = rows.iter().find(|row| **row >= frame.rows()) {
        return Err(MlError::Shape(format!("there is no row {row}; the table has {} rows", frame.rows())));
    }
    if let Some((target, _)) = target
        && target.len() != rows.len()
    {
        return Err(MlError::Shape(format!("{} training rows, {} targets", rows.len(), target.len())));
    }
    if options.folds < 2 {
        return Err(MlError::Shape(format!("{} folds; at least 2 are needed", options.folds)));
    }
    options.leave_out.iter().try_for_each(|name| frame.column(name).map(|_| ()))
}

fn fit_column(
    column: &Column,
    rows: &[usize],
    target: Target<'_>,
    options: &PipelineOptions,
) -> Result<Coder, LeftOut> {
    if options.leave_out.contains(&column.name) {
        return Err(LeftOut::Chosen);
    }
    let cells = || rows.iter().map(|row| column.cells.get(*row));
    let mut present = cells().filter(|cell| *cell != Cell::Missing);
    let Some(first) = present.next() else { return Err(LeftOut::Missing) };
    let all_equal = present.all(|cell| cell == first);
    let missing = cells().any(|cell| cell == Cell::Missing);
    if all_equal && !missing {
        return Err(LeftOut::Constant);
    }
    match column.meaning {
        Meaning::Identifier => Err(LeftOut::Identifier),
        Meaning::Number | Meaning::Boolean => {
            let values: Vec<f64> = cells().filter_map(|cell| coder::number(cell, &column.reading)).collect();
            Ok(match options.coding {
                Coding::Tree => Coder::Plain,
                Coding::Linear => Coder::Standard(Standard::fit(&values, values.len() < rows.len())),
            })
        }
        Meaning::Time => {
            let times: Vec<i64> = cells().filter_map(|cell| coder::instant(cell, &column.reading)).collect();
            Ok(Coder::Instants(Instants::fit(options.coding, &times, missing)))
        }
        Meaning::Text => {
            let texts: Vec<Option<&str>> = cells().map(text).collect();
            let target = match (options.coding, target) {
                // Codes of classes are no amounts that a term could be associated with.
                (Coding::Tree, Some((target, Task::Binary | Task::Regression | Task::Ranking))) => Some(target),
                (Coding::Linear | Coding::Tree, _) => None,
            };
            let terms = Terms::fit(&texts, target, options.terms_max, options.parts_of_words);
            if terms.names().is_empty() { Err(LeftOut::NoTerms) } else { Ok(Coder::Terms(terms)) }
        }
        // What is constant or missing in the whole table and is not in the training rows was stated so by the caller.
        Meaning::Category | Meaning::Constant | Meaning::Missing => {
            let mut names: Vec<Option<&str>> = cells().map(text).collect();
            let written: Vec<Option<String>>;
            if names.iter().all(Option::is_none) {
                // Categories that are held as numbers: their names are how they are written.
                written = cells()
                    .map(|cell| coder::name(cell, &column.reading, &mut String::new()).map(str::to_owned))
                    .collect();
                names = written.iter().map(Option::as_deref).collect();
            }
            Ok(match Counted::new(names).code(target, options) {
                Coded::OneHot(categories) => Coder::OneHot { categories, missing },
                Coded::Codes(categories) => Coder::Codes { categories },
                Coded::Lookup(lookup) => Coder::Lookup(lookup),
            })
        }
    }
}

fn text(cell: Cell<'_>) -> Option<&str> {
    match cell {
        Cell::Text(text) => Some(text),
        Cell::Missing | Cell::Number(_) | Cell::Time(_) => None,
    }
}
