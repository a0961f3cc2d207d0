//! The column that tells when a row was: dates in any form that tables have, plain numbers whose unit their size tells, or, where
//! that is stated, numbers that only put rows into an order.

use rapport_ml::frame::{Cell, Cells, Column, Meaning, Texts, TimeForm, is_missing};

use crate::LearnError;

/// 1980 and 2100, in seconds. Seconds and milliseconds of these years cannot be taken for one another, nor for a number of days or
/// a year.
const YEARS: [f64; 2] = [315_532_800.0, 4_102_444_800.0];

/// When each row was.
#[derive(Debug, PartialEq)]
pub(super) struct Clock {
    /// Milliseconds since 1970; or numbers that only order.
    pub(super) at: Vec<i64>,
    /// Whether they are instants.
    pub(super) is_time: bool,
}

/// As what the column is to be read; what was stated stays.
///
/// # Errors
///
/// [`LearnError::Mismatch`] for plain numbers that are neither seconds nor milliseconds of a likely year.
pub(super) fn meaning(name: &str, texts: &Texts, stated: Option<Meaning>) -> Result<Meaning, LearnError> {
    if let Some(stated) = stated {
        return Ok(stated);
    }
    let Some([least, most]) = range(texts) else { return Ok(Meaning::Time) };
    let within = |unit: f64| least >= YEARS[0] * unit && most <= YEARS[1] * unit;
    if within(1.0) || within(1000.0) {
        return Ok(Meaning::Time);
    }
    let mixed = least >= YEARS[0] && most <= YEARS[1] * 1000.0 && least <= YEARS[1] && most >= YEARS[0] * 1000.0;
    let why = if mixed {
        "which look like seconds and milliseconds since 1970 in one column; write them all in one unit"
    } else {
        "which are neither seconds nor milliseconds since 1970 of the years 1980 to 2100; write dates, or state the type of the \
         column as number if it only puts the rows into an order, or as time if it counts from 1970 all the same"
    };
    Err(LearnError::Mismatch(format!("the column \"{name}\" holds numbers from {least} to {most}, {why}")))
}

/// The smallest and the largest number, if all texts are plain numbers that are no dates of eight digits.
fn range(texts: &Texts) -> Option<[f64; 2]> {
    let present = || texts.iter().flatten().map(str::trim).filter(|text| !is_missing(text));
    if present().all(|text| TimeForm::Compact.read(text).is_some()) {
        return None;
    }
    present().try_fold([f64::INFINITY, f64::NEG_INFINITY], |[least, most], text| {
        let number = text.parse().ok().filter(|number: &f64| number.is_finite())?;
        Some([least.min(number), most.max(number)])
    })
}

/// Reads the column. `rows` are the places of its cells in the table, `texts` the texts of the table.
///
/// # Errors
///
/// [`LearnError::Mismatch`] if a row has no time, or the column holds something else.
pub(super) fn read(column: &Column, rows: &[usize], texts: &Texts) -> Result<Clock, LearnError> {
    let name = &column.name;
    let is_time = match &column.cells {
        Cells::Time(_) => true,
        Cells::Number(_) => false,
        Cells::Text(_) => {
            let what = format!("the column \"{name}\" is not read as dates or numbers, so nothing can be split by it");
            return Err(LearnError::Mismatch(what));
        }
    };
    let one = |cell: usize| match column.cells.get(cell) {
        Cell::Time(at) => Some(at),
        // Numbers that order may be fractions; thousandths are as fine as milliseconds are of seconds.
        Cell::Number(number) => Some((number * 1000.0).round() as i64),
        Cell::Missing | Cell::Text(_) => None,
    };
    let at: Vec<i64> = (0..rows.len()).filter_map(one).collect();
    if let Some(first) = (0..rows.len()).find(|cell| one(*cell).is_none()) {
        let (missing, row) = (rows.len() - at.len(), rows[first]);
        let text = texts.get(row).unwrap_or_default();
        let what = if is_time { "date" } else { "number" };
        return Err(LearnError::Mismatch(format!(
            "the column \"{name}\" holds no {what} in {missing} of {} rows, first in row {} (\"{text}\"); to split by time \
             every row needs one",
            rows.len(),
            row + 1
        )));
    }
    Ok(Clock { at, is_time })
}

#[cfg(test)]
mod tests {
    use rapport_ml::frame::{InferOptions, infer};

    use super::*;

    fn texts(cells: &[&str]) -> Texts {
        cells.iter().copied().collect()
    }

    fn clock(cells: &[&str], stated: Option<Meaning>) -> Result<Clock, LearnError> {
        let meanings = [("when".to_owned(), meaning("when", &texts(cells), stated)?)].into();
        let (mut frame, _) = infer(vec![("when".to_owned(), texts(cells))], &InferOptions { meanings })?;
        read(&frame.take("when")?, &(0..cells.len()).collect::<Vec<_>>(), &texts(cells))
    }

    #[test]
    fn dates_and_numbers_since_1970_are_instants() {
        let day = 1_704_153_600_000;
        for cells in [
            ["2024-01-02", "2024-01-03"],
            ["2024-01-02T00:00:00Z", "2024-01-03 00:00"],
            ["20240102", "20240103"],
            ["2 Jan 2024", "3 Jan 2024"],
            ["2024年1月2日", "2024年1月3日"],
            ["1704153600", "1704240000"],
            ["1704153600000", "1704240000000"],
            ["1704153600.0", "1704240000.0"],
        ] {
            let clock = clock(&cells, None).unwrap();
            assert_eq!((clock.at, clock.is_time), (vec![day, day + 86_400_000], true), "{cells:?}");
        }
    }

    #[test]
    fn what_numbers_are_is_not_guessed() {
        let refused = |cells: &[&str]| clock(cells, None).unwrap_err().to_string();
        assert!(refused(&["1", "2", "12"]).contains("from 1 to 12, which are neither seconds nor milliseconds"));
        assert!(refused(&["2019", "2024"]).contains("state the type of the column as number"));
        assert!(refused(&["1704153600", "1704153600000"]).contains("in one unit"));
        let order = clock(&["1", "2.5", "-3"], Some(Meaning::Number)).unwrap();
        assert_eq!((order.at, order.is_time), (vec![1_000, 2_500, -3_000], false));
        let stated = clock(&["1000", "2000"], Some(Meaning::Time)).unwrap();
        assert_eq!((stated.at, stated.is_time), (vec![1_000_000, 2_000_000], true), "seconds, as was stated");
    }

    #[test]
    fn a_row_without_a_time_is_named() {
        let refused = clock(&["2024-01-02", "", "n/a", "2024-01-05"], None).unwrap_err().to_string();
        assert!(refused.contains("no date in 2 of 4 rows, first in row 2 (\"\")"), "{refused}");
        let refused = clock(&["2024-01-02", "soon", "2024-01-05"], None).unwrap_err().to_string();
        assert!(refused.contains("first in row 2 (\"soon\")"), "{refused}");
        let refused = clock(&["red", "blue"], None).unwrap_err().to_string();
        assert!(refused.contains("\"when\""), "{refused}");
        let refused = clock(&["red", "blue"], Some(Meaning::Category)).unwrap_err().to_string();
        assert!(refused.contains("not read as dates or numbers"), "{refused}");
    }
}
