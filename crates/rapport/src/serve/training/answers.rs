//! What a model says of labelled moments: one that learns in service says of each what it had learnt by then, so that no answer
//! knows its own outcome (test, then train). Pure.
//!
//! The lessons are taken again from the moments, in each partition by itself and in the order of time. The fold took them in the
//! order of the log, so the two differ where an outcome was told late, where a customer had more moments at a time than are
//! waited for, by moments that waited while the model left service, and where the model did not fit the definitions of its time.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use rapport_learn::{LearnError, TrainingSet};
use rapport_ml::{Artifact, MlError, Row, Scorer, Workspace};
use rapport_types::Timestamp;

/// The probabilities for some moments of a set, whose places ascend. `learns` tells from which of all its moments a model learns that
/// can.
pub(super) fn answers(
    artifact: &Artifact,
    set: &TrainingSet,
    places: &[usize],
    learns: impl Fn(usize) -> bool,
) -> Result<Vec<f64>, LearnError> {
    let registered = Scorer::new(&artifact.model)?;
    let rows = 0..set.labels.len();
    if registered.online().is_none() || !rows.clone().any(&learns) {
        return Ok(registered.predict_frame(&set.frame()?, places)?);
    }
    let missing = |name: &str| MlError::Table(format!("there is no feature \"{name}\", which the model needs"));
    let place = |name: &str| set.names.iter().position(|known| known == name).ok_or_else(|| missing(name));
    let inputs: Vec<usize> =
        registered.inputs().iter().map(|input| place(&input.name)).collect::<Result<_, MlError>>()?;
    let mut pupils: BTreeMap<u32, Pupil<'_>> = BTreeMap::new();
    let answer = |row: usize| -> Result<f64, MlError> {
        let pupil = match pupils.entry(set.served[row].partition) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Pupil::new(Scorer::new(&artifact.model)?, set, &inputs)),
        };
        Ok(pupil.meet(row, learns(row)))
    };
    let all: Vec<f64> = rows.map(answer).collect::<Result<_, _>>()?;
    Ok(places.iter().map(|place| all[*place]).collect())
}

/// The model in one partition.
struct Pupil<'a> {
    set: &'a TrainingSet,
    /// Which columns of the set are its inputs.
    inputs: &'a [usize],
    scorer: Scorer,
    work: Workspace,
    row: Vec<f64>,
    /// Moments that it will learn from, by when their outcome is known.
    waiting: BTreeSet<(Timestamp, usize)>,
}

impl<'a> Pupil<'a> {
    fn new(scorer: Scorer, set: &'a TrainingSet, inputs: &'a [usize]) -> Self {
        Self { set, inputs, scorer, work: Workspace::default(), row: Vec::new(), waiting: BTreeSet::new() }
    }

    fn take_row(&mut self, row: usize) {
        let row = self.set.rows.row(row);
        self.row.clear();
        self.row.extend(self.inputs.iter().map(|place| row[*place]));
    }

    /// Learns what is known by a moment, and answers it.
    fn meet(&mut self, row: usize, learns: bool) -> f64 {
        while let Some((known, earlier)) = self.waiting.first().copied()
            && known <= self.set.at[row]
        {
            self.waiting.pop_first();
            self.take_row(earlier);
            let target = f64::from(u8::from(self.set.labels[earlier]));
            // Numbers beyond all measure teach nothing, here as in the fold.
            let _taught = self.scorer.learn(Row::Numbers(&self.row), target, &mut self.work).is_ok();
        }
        self.take_row(row);
        let mut answer = [f64::NAN];
        self.scorer.predict(Row::Numbers(&self.row), &mut self.work, &mut answer);
        if learns && !answer[0].is_nan() {
            self.waiting.insert((self.set.known[row], row));
        }
        answer[0]
    }
}

#[cfg(test)]
mod tests {
    use rapport_learn::Served;
    use rapport_ml::{Card, Fitted, Ftrl, FtrlOptions, Matrix, Member, Model, References, Task, pipeline::Pipeline};

    use super::*;

    /// A model that knows nothing yet.
    fn untaught() -> Artifact {
        let fitted = Fitted::OnlineLogistic(Ftrl::new(1, FtrlOptions::default()).unwrap());
        let member = Member { pipeline: 0, weight: 1.0, fitted };
        let model = Model::new(Task::Binary, vec![Pipeline::plain(&["x"])], vec![member], None).unwrap();
        Artifact { card: Card::default(), model, references: References::default(), report: None }
    }

    /// Moments that are all positive, each with when it was, when its outcome was known, and its partition.
    fn set(moments: &[(i64, i64, u32)]) -> TrainingSet {
        let mut rows = Matrix::new(2);
        moments.iter().for_each(|_| rows.push(&[f64::NAN, 1.0]).unwrap());
        TrainingSet {
            names: vec!["other".to_owned(), "x".to_owned()],
            rows,
            at: moments.iter().map(|(at, ..)| Timestamp(*at)).collect(),
            known: moments.iter().map(|(_, known, _)| Timestamp(*known)).collect(),
            served: moments
                .iter()
                .map(|(.., partition)| Served { partition: *partition, ..Served::default() })
                .collect(),
            labels: vec![true; moments.len()],
            ..TrainingSet::default()
        }
    }

    #[test]
    fn an_answer_knows_what_was_known_by_then_in_its_partition() {
        let set = set(&[(0, 2, 0), (1, 9, 0), (2, 9, 0), (3, 9, 1), (4, 9, 0), (9, 10, 0), (10, 11, 1)]);
        let told = answers(&untaught(), &set, &[0, 1, 2, 3, 4, 5, 6], |_| true).unwrap();
        assert_eq!(told[..2], [0.5, 0.5], "nothing is known yet");
        assert!(told[2] > 0.5, "what is known at the very moment is known");
        assert_eq!((told[3], told[4]), (0.5, told[2]), "another partition knows nothing, and nothing new is known");
        assert!(told[5] > told[4] && told[6] > 0.5 && told[6] < told[5], "{told:?}");
    }

    #[test]
    fn it_learns_only_where_it_is_there_to_learn() {
        let set = set(&[(0, 1, 0), (2, 3, 0), (4, 5, 0), (6, 7, 0)]);
        let told = answers(&untaught(), &set, &[0, 1, 2, 3], |row| row == 1).unwrap();
        assert_eq!(told[..2], [0.5, 0.5], "not from the first");
        assert!(told[2] > 0.5);
        assert_eq!(told[3], told[2], "nor from the third");
        assert_eq!(answers(&untaught(), &set, &[1, 3], |row| row == 1).unwrap(), [told[1], told[3]]);
        assert_eq!(answers(&untaught(), &set, &[0, 3], |_| false).unwrap(), [0.5; 2], "as it was registered");
    }

    #[test]
    fn a_feature_that_is_gone_is_told() {
        let gone = TrainingSet { names: vec!["other".to_owned(), "y".to_owned()], ..set(&[(0, 1, 0)]) };
        let refused = answers(&untaught(), &gone, &[0], |_| true).unwrap_err().to_string();
        assert!(refused.contains("there is no feature \"x\""), "{refused}");
    }
}
