//! Tables with a yes-or-no answer: public ones from files, and made-up ones. Split once, for both sides.

use std::{fs::File, io::BufReader, path::Path};

use flate2::bufread::MultiGzDecoder;
use rapport_ml::split::{Split, SplitBy, hold_out};

use super::{
    retail,
    synthetic::{self, NUMBERS},
};
use crate::error::BenchError;

/// The name of the answer in the files that both sides read.
pub(crate) const TARGET: &str = "target";
/// The share of rows that nobody learns from.
const TEST: f64 = 0.25;

/// A table, split.
#[derive(Debug)]
pub(crate) struct SplitTable {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is and how it was split.
    pub(crate) note: String,
    /// Without the answer.
    pub(crate) header: Vec<String>,
    /// In the order of the header.
    pub(crate) rows: Vec<Vec<String>>,
    /// 1 and 0.
    pub(crate) answers: Vec<f64>,
    /// Where to learn and where to test.
    pub(crate) split: Split,
    /// For each row the customer that it is of, if customers come back.
    pub(crate) groups: Option<Vec<u32>>,
    /// When rows were, if the test is of a later time.
    pub(crate) time: Option<TimeColumn>,
}

/// A column that tells when a row was. Both sides tune on folds of time by it; neither learns from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeColumn {
    pub(crate) name: &'static str,
    /// After so many days the answer is known.
    pub(crate) days: u32,
}

/// A public table in a file.
struct Public {
    name: &'static str,
    file: &'static str,
    target: &'static str,
    yes: &'static str,
    /// What names rows or is known only afterwards.
    without: &'static [&'static str],
    note: &'static str,
}

const PUBLIC: [Public; 4] = [
    Public {
        name: "online_shoppers",
        file: "online_shoppers/online_shoppers_intention.csv.gz",
        target: "Revenue",
        yes: "TRUE",
        without: &[],
        note: "real; PageValues, which tells much of the answer, is given to both sides",
    },
    Public {
        name: "telco_churn",
        file: "telco_churn/Telco-Customer-Churn.csv.gz",
        target: "Churn",
        yes: "Yes",
        without: &["customerID"],
        note: "fictional, by IBM; without customerID",
    },
    Public {
        name: "hillstrom visit",
        file: "hillstrom/hillstrom.csv.gz",
        target: "visit",
        yes: "1",
        without: &["conversion", "spend"],
        note: "real; without conversion and spend, which follow the visit",
    },
    Public {
        name: "ai4i2020",
        file: "ai4i2020/ai4i2020.csv.gz",
        target: "Machine failure",
        yes: "1",
        without: &["UDI", "Product ID", "TWF", "HDF", "PWF", "OSF", "RNF"],
        note: "made up by its authors; without ids and the kinds of failure",
    },
];

/// The names of all tables, in order.
pub(crate) fn names() -> Vec<&'static str> {
    PUBLIC.iter().map(|public| public.name).chain([retail::NAME, MIXED, ADDITIVE]).collect()
}

const MIXED: &str = "synthetic mixed";
const ADDITIVE: &str = "synthetic additive";

/// Reads or makes a table; none if its file is not there.
pub(crate) fn table(name: &str, data: &Path) -> Result<Option<SplitTable>, BenchError> {
    match name {
        MIXED => mixed().map(Some),
        ADDITIVE => additive().map(Some),
        retail::NAME => retail::table(data),
        _ => PUBLIC.iter().find(|public| public.name == name).map_or(Ok(None), |public| public.table(data)),
    }
}

/// A CSV in gzip; none if it is not there.
pub(crate) fn open(path: &Path) -> Result<Option<csv::Reader<MultiGzDecoder<BufReader<File>>>>, BenchError> {
    if !path.is_file() {
        return Ok(None);
    }
    Ok(Some(csv::Reader::from_reader(MultiGzDecoder::new(BufReader::new(File::open(path)?)))))
}

impl Public {
    fn table(&self, data: &Path) -> Result<Option<SplitTable>, BenchError> {
        let Some(mut csv) = open(&data.join(self.file))? else { return Ok(None) };
        let header: Vec<String> =
            csv.headers()?.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        let target = header.iter().position(|name| name == self.target);
        let target = target.ok_or_else(|| BenchError::Table(format!("{} has no {}", self.file, self.target)))?;
        let kept: Vec<usize> =
            (0..header.len()).filter(|at| *at != target && !self.without.contains(&&*header[*at])).collect();
        let (mut rows, mut answers) = (Vec::new(), Vec::new());
        for record in csv.records() {
            let record = record?;
            answers.push(f64::from(u8::from(record[target] == *self.yes)));
            rows.push(kept.iter().map(|at| record[*at].to_owned()).collect());
        }
        let header = kept.iter().map(|at| header[*at].clone()).collect();
        at_random(self.name, self.note, header, rows, answers).map(Some)
    }
}

/// A table whose rows have no time: a stratified test of a quarter.
fn at_random(
    name: &'static str,
    note: &str,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    answers: Vec<f64>,
) -> Result<SplitTable, BenchError> {
    let split = hold_out(rows.len(), SplitBy::Stratified(&answers), TEST, 1)?;
    let note = format!("{note}; a quarter of the rows, by lot, is the test");
    Ok(SplitTable { name, note, header, rows, answers, split, groups: None, time: None })
}

/// Numbers and categories with effects that depend on one another; one cell in twenty is missing.
fn mixed() -> Result<SplitTable, BenchError> {
    let mixed = synthetic::mixed(20_000);
    let random = &mut rapport_ml::Random::new(5, 0);
    let mut cell = |text: String| if random.uniform() < 0.05 { String::new() } else { text };
    let row = |(numbers, categories): (&[f64; 6], &[usize; 8])| {
        let numbers = numbers.iter().map(|number| format!("{number:.3}"));
        let categories = categories.iter().map(|category| format!("value {category}"));
        numbers.chain(categories).map(&mut cell).collect()
    };
    let rows = mixed.numbers.iter().zip(&mixed.categories).map(row).collect();
    let header = NUMBERS.iter().map(|name| (*name).to_owned()).chain((0..8).map(|which| format!("choice {which}")));
    at_random(MIXED, "made up by a seed", header.collect(), rows, mixed.target)
}

/// Few rows, and the truth is a weighted sum.
fn additive() -> Result<SplitTable, BenchError> {
    let (numbers, answers) = synthetic::additive(4_000);
    let rows = numbers.iter().map(|row| row.iter().map(|number| format!("{number:.4}")).collect()).collect();
    let header = (0..30).map(|which| format!("number {which}")).collect();
    at_random(ADDITIVE, "made up by a seed", header, rows, answers)
}

impl SplitTable {
    /// Writes `train.csv` with the answers and `test.csv` without.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), BenchError> {
        std::fs::create_dir_all(folder)?;
        let header = self.header.iter().map(String::as_str);
        let mut train = csv::Writer::from_path(folder.join("train.csv"))?;
        train.write_record(header.clone().chain([TARGET]))?;
        for at in &self.split.train {
            let answer = if self.answers[*at] == 1.0 { "1" } else { "0" };
            train.write_record(self.rows[*at].iter().map(String::as_str).chain([answer]))?;
        }
        train.flush()?;
        let mut test = csv::Writer::from_path(folder.join("test.csv"))?;
        test.write_record(header)?;
        for at in &self.split.test {
            test.write_record(&self.rows[*at])?;
        }
        Ok(test.flush()?)
    }

    /// The answers of the test.
    pub(crate) fn test_answers(&self) -> Vec<f64> {
        self.split.test.iter().map(|at| self.answers[*at]).collect()
    }

    /// The customers of the test.
    pub(crate) fn test_groups(&self) -> Option<Vec<u32>> {
        self.groups.as_ref().map(|groups| self.split.test.iter().map(|at| groups[*at]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_goes_out_without_answers() {
        let folder = tempfile::tempdir().unwrap();
        let table = mixed().unwrap();
        table.write(folder.path()).unwrap();
        let read = |part: &str| std::fs::read_to_string(folder.path().join(part)).unwrap();
        let (train, test) = (read("train.csv"), read("test.csv"));
        assert!(train.lines().next().unwrap().ends_with(",target"));
        assert!(!test.contains(TARGET));
        assert_eq!((train.lines().count(), test.lines().count()), (15_001, 5_001));
        assert_eq!(table.test_answers().len(), 5_000);
        assert!(test.contains(",,"), "cells are missing");
    }
}
