//! Artifacts whose checksum is right and whose body is not: whatever stands in it, they are refused, or answer and explain with
//! finite numbers. Every byte of models of every kind is damaged in several ways; what is refused with which sentence is a table.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use rapport_ml::calibrate::{Calibrator, Isotonic, Platt, Temperature};
use rapport_ml::drift::Reference;
use rapport_ml::frame::{Cell, Frame, InferOptions, Texts, infer};
use rapport_ml::neighbours::NeighboursOptions;
use rapport_ml::pipeline::{Pipeline, PipelineOptions};
use rapport_ml::tree::{BoostingOptions, ForestOptions, Loss, TreeOptions};
use rapport_ml::{
    Algorithm, Artifact, Card, Context, Examples, Fitted, Learner, Member, MlError, Model, Random, References, Row,
    Scorer, Task, Workspace,
};
use serde_json::{Value, json};

const ROWS: usize = 24;
/// Where the lengths of the three parts stand, and where the parts begin.
const LENGTHS: usize = 12;
const PARTS: usize = 36;

/// Two numbers, one of them sometimes missing, and a category.
fn plain() -> Frame {
    let mut random = Random::new(3, 0);
    let mut columns = ["size", "age", "plan"].map(|_| Texts::new());
    for row in 0..ROWS {
        let age = if row % 7 == 2 { String::new() } else { format!("{:.2}", random.uniform() * 60.0) };
        let cells = [format!("{:.3}", random.uniform() - 0.5), age, ["free", "plus", "pro"][row % 3].to_owned()];
        columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(&cell).unwrap());
    }
    read(["size", "age", "plan"], columns)
}

/// An instant, sentences, and more categories than have a column each.
fn rich() -> Frame {
    let mut columns = ["at", "said", "city"].map(|_| Texts::new());
    for row in 0..ROWS {
        let said = ["late again", "late but kind", "kind people", "again late and kind"][row % 4];
        let cells =
            [format!("2024-0{}-1{} 0{}:30", 1 + row % 9, row % 7, row % 8), said.to_owned(), format!("c{}", row % 5)];
        columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(&cell).unwrap());
    }
    read(["at", "said", "city"], columns)
}

fn read<const N: usize>(names: [&str; N], columns: [Texts; N]) -> Frame {
    let columns = names.iter().map(|name| (*name).to_owned()).zip(columns).collect();
    infer(columns, &InferOptions::default()).unwrap().0
}

fn target(task: Task) -> Vec<f64> {
    let of = |row: usize| match task {
        Task::Binary => ((row * 5 / 3) % 2) as f64,
        Task::Multiclass { classes } => ((row * 5 / 3) % classes as usize) as f64,
        Task::Regression | Task::Ranking => (row * 7 % 11) as f64,
    };
    (0..ROWS).map(of).collect()
}

fn model(frame: &Frame, task: Task, learners: &[Learner], options: &dyn Fn(&mut PipelineOptions)) -> Model {
    let (rows, target): (Vec<usize>, _) = ((0..frame.rows()).collect(), target(task));
    let (mut pipelines, mut members) = (Vec::new(), Vec::new());
    for learner in learners {
        let mut chosen = PipelineOptions::new(learner.algorithm().coding());
        options(&mut chosen);
        let pipeline = Pipeline::fit(frame, &rows, Some((&target, task)), &chosen).unwrap();
        let matrix = pipeline.apply_training(frame, &rows, &target).unwrap();
        let examples = Examples::new(&matrix, pipeline.kinds(), task, &target);
        let fitted = learner.fit(&examples, None, &Context::serial()).unwrap();
        members.push(Member { pipeline: pipelines.len(), weight: 1.0 / learners.len() as f64, fitted });
        pipelines.push(pipeline);
    }
    Model::new(task, pipelines, members, None).unwrap()
}

fn boosting(loss: Loss) -> BoostingOptions {
    BoostingOptions { loss, rounds: 2, max_leaves: 3, min_child_rows: 2, ..BoostingOptions::default() }
}

fn small(algorithm: Algorithm) -> Learner {
    match algorithm {
        Algorithm::DecisionTree => Learner::DecisionTree(TreeOptions { max_depth: 2, ..TreeOptions::default() }),
        Algorithm::RandomForest => {
            Learner::RandomForest(ForestOptions { trees: 2, max_depth: 2, ..ForestOptions::default() })
        }
        Algorithm::GradientBoosting => Learner::GradientBoosting(boosting(Loss::default())),
        Algorithm::NearestNeighbours => {
            Learner::NearestNeighbours(NeighboursOptions { neighbours: 5, ..NeighboursOptions::default() })
        }
        other => other.learner(3),
    }
}

fn calibrated(model: &Model, calibrator: Calibrator) -> Model {
    Model::new(model.task(), model.pipelines().to_vec(), model.members().to_vec(), Some(calibrator)).unwrap()
}

/// Models of every kind, each with a frame that it can be asked about.
fn models() -> Vec<(String, Frame, Model)> {
    let mut all = Vec::new();
    for task in [Task::Binary, Task::Multiclass { classes: 3 }, Task::Regression] {
        for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| algorithm.suits(task)) {
            let made = model(&plain(), task, &[small(algorithm)], &|_| {});
            all.push((format!("{} of {task:?}", algorithm.name()), plain(), made));
        }
    }
    let poisson = Learner::GradientBoosting(boosting(Loss::Poisson));
    let poisson = model(&plain(), Task::Regression, &[poisson], &|_| {});
    all.push(("counts".to_owned(), plain(), poisson));
    for (algorithm, many) in
        [(Algorithm::LogisticRegression, 1), (Algorithm::DecisionTree, 1), (Algorithm::NaiveBayes, 64)]
    {
        let rich_options = |options: &mut PipelineOptions| {
            (options.one_hot_max, options.codes_max, options.terms_max) = (many, many, 6);
        };
        let made = model(&rich(), Task::Binary, &[small(algorithm)], &rich_options);
        all.push((format!("{} of rich columns", algorithm.name()), rich(), made));
    }
    let logistic = model(&plain(), Task::Binary, &[small(Algorithm::LogisticRegression)], &|_| {});
    let answers: Vec<f64> =
        target(Task::Binary).iter().enumerate().map(|(row, one)| 0.2 + 0.4 * one + 0.01 * row as f64).collect();
    let platt = Calibrator::Platt(Platt::fit(&answers, &target(Task::Binary), None).unwrap());
    let isotonic = Calibrator::Isotonic(Isotonic::fit(&answers, &target(Task::Binary), None).unwrap());
    all.push(("platt".to_owned(), plain(), calibrated(&logistic, platt)));
    all.push(("isotonic".to_owned(), plain(), calibrated(&logistic, isotonic)));
    let two = [small(Algorithm::NaiveBayes), small(Algorithm::LogisticRegression)];
    let three = Task::Multiclass { classes: 3 };
    let blend = model(&plain(), three, &two, &|_| {});
    let answers: Vec<f64> = (0..ROWS).flat_map(|_| [0.5, 0.3, 0.2]).collect();
    let temperature = Calibrator::Temperature(Temperature::fit(&answers, &target(three), 3, None).unwrap());
    all.push(("a blend".to_owned(), plain(), calibrated(&blend, temperature)));
    all
}

fn artifact(model: Model) -> Artifact {
    let values = [1.0, 2.0, 5.0, 5.0, f64::NAN];
    let inputs = [
        ("size".to_owned(), Reference::of_numbers(&values, 3).unwrap()),
        ("plan".to_owned(), Reference::of_categories(&[0.0, 1.0, f64::NAN], 2).unwrap()),
    ];
    let references = References { inputs: inputs.into(), score: None };
    Artifact { card: Card { program: "Rapport 9".to_owned(), ..Card::default() }, model, references, report: None }
}

/// The file with another body, and the lengths and the checksum that belong to it.
fn with_body(bytes: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let length = |at: usize| u64::from_le_bytes(bytes[LENGTHS + 8 * at..][..8].try_into().unwrap()) as usize;
    let body = PARTS + length(0) + length(1);
    let mut changed = bytes[body..bytes.len() - 4].to_vec();
    change(&mut changed);
    let mut file = bytes[..body].to_vec();
    file[LENGTHS + 16..PARTS].copy_from_slice(&(changed.len() as u64).to_le_bytes());
    file.extend(changed);
    file.extend(crc32fast::hash(&file).to_le_bytes());
    file
}

fn body_length(bytes: &[u8]) -> usize {
    u64::from_le_bytes(bytes[LENGTHS + 16..PARTS].try_into().unwrap()) as usize
}

/// Reads the file and asks it about all rows and one of nothing: whether it was taken. Panics if what it says is no number.
fn ask(bytes: &[u8], frame: &Frame) -> bool {
    let Ok(artifact) = Artifact::from_bytes(bytes) else { return false };
    let Ok(scorer) = Scorer::new(&artifact.model) else { return false };
    let (mut work, mut answer) = (Workspace::default(), vec![0.0; scorer.outputs()]);
    let mut parts = vec![0.0; scorer.inputs().len()];
    for row in [0, 2, 5, ROWS] {
        // What an input is called or is read as may have been damaged, too.
        let cell = |place: usize| match frame.columns().get(place) {
            Some(column) if row < ROWS => column.cells.get(row),
            _ => Cell::Missing,
        };
        let cells: Vec<Cell<'_>> = (0..parts.len()).map(cell).collect();
        let base = scorer.predict_and_explain(Row::Cells(&cells), 0, &mut work, &mut answer, &mut parts);
        let told = answer.iter().chain(&parts).chain([&base]);
        assert!(told.clone().all(|number| number.is_finite()), "{answer:?}, {parts:?} from {base}");
        if scorer.task() != Task::Regression {
            assert!(answer.iter().all(|one| (0.0..=1.0 + 1e-9).contains(one)), "{answer:?}");
        }
    }
    for reference in artifact.references.inputs.values() {
        let drift = reference.compare(&[0.0, 1.0, 3.0, f64::NAN]).unwrap();
        assert!(drift.psi.is_finite() && drift.psi_by_chance.is_finite(), "{drift:?}");
    }
    true
}

#[test]
fn whatever_is_damaged_is_refused_or_answers_with_numbers() {
    let numbers = [f64::NAN, 1e308, -1e200, -3.0, 1e-310];
    let bytes = [0, 0x7f, 0xff];
    for (name, frame, model) in models() {
        let whole = artifact(model).to_bytes().unwrap();
        assert!(ask(&whole, &frame), "{name} is refused as it is");
        let (mut taken, mut refused) = (0, 0);
        for at in 0..body_length(&whole) {
            let single = bytes.iter().map(std::slice::from_ref).map(<[u8]>::to_vec);
            let eight = numbers.iter().map(|number| number.to_le_bytes().to_vec());
            for damage in single.chain(eight) {
                let damaged = with_body(&whole, |body| {
                    let end = body.len().min(at + damage.len());
                    body[at..end].copy_from_slice(&damage[..end - at]);
                });
                let asked = catch_unwind(AssertUnwindSafe(|| ask(&damaged, &frame)));
                let asked = asked.unwrap_or_else(|_| panic!("{name} with {damage:x?} at byte {at} of its body"));
                (taken, refused) = (taken + u32::from(asked), refused + u32::from(!asked));
            }
        }
        assert!(taken > 0 && refused > taken / 100, "{name}: {taken} taken, {refused} refused");
    }
}

/// A fitted algorithm as JSON with a value changed; what its model is refused with.
fn refusal(algorithm: Algorithm, task: Task, path: &str, value: Value) -> String {
    let made = model(&plain(), task, &[small(algorithm)], &|_| {});
    let mut body = serde_json::to_value(&made.members()[0].fitted).unwrap();
    *body.pointer_mut(path).unwrap_or_else(|| panic!("there is no {path}")) = value;
    let fitted: Fitted = match serde_json::from_value(body) {
        Ok(fitted) => fitted,
        Err(error) => return error.to_string(),
    };
    let member = Member { pipeline: 0, weight: 1.0, fitted };
    match Model::new(task, made.pipelines().to_vec(), vec![member], None) {
        Ok(_) => panic!("{} with another {path} is taken", algorithm.name()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_refused_is_told() {
    use Algorithm::{
        DecisionTree, GradientBoosting, KernelSvm, LinearSvm, LogisticRegression, NaiveBayes, NearestNeighbours,
        OnlineLogistic, RandomForest,
    };
    let three = Task::Multiclass { classes: 3 };
    for (algorithm, task, path, value, told) in [
        (NearestNeighbours, three, "/NearestNeighbours/options/neighbours", json!(0), "0 neighbours are asked for"),
        (NearestNeighbours, three, "/NearestNeighbours/options/neighbours", json!(300), "take from 1 to 256"),
        (NearestNeighbours, three, "/NearestNeighbours/target/3", json!(3.0), "has the class 3"),
        (NearestNeighbours, three, "/NearestNeighbours/target/3", json!(-1.0), "has the class -1"),
        (NearestNeighbours, three, "/NearestNeighbours/target", json!([1.0]), "one answer and one weight for each row"),
        (NearestNeighbours, three, "/NearestNeighbours/weights", json!([]), "one answer and one weight for each row"),
        (NearestNeighbours, three, "/NearestNeighbours/weights/0", json!(0.0), "a weight of the model is inf"),
        (NearestNeighbours, three, "/NearestNeighbours/points/values/1", json!(1e300), "a row of the model is 1e300"),
        (NearestNeighbours, three, "/NearestNeighbours/points/values", json!([1.0]), "do not fit together"),
        (NearestNeighbours, three, "/NearestNeighbours/points/rows", json!([]), "do not fit together"),
        (NearestNeighbours, three, "/NearestNeighbours/points/columns/0", json!(9), "column 9 as what it is not"),
        (NearestNeighbours, three, "/NearestNeighbours/points/columns/0", json!(2), "column 2 as what it is not"),
        (NearestNeighbours, three, "/NearestNeighbours/task", json!("binary"), "another question than the model"),
        (NaiveBayes, three, "/NaiveBayes/classes/1/columns", json!([]), "one likelihood for each column"),
        (
            NaiveBayes,
            three,
            "/NaiveBayes/classes/1/prior",
            json!(-1e300),
            "the share of a class of the model is -1e300",
        ),
        (KernelSvm, three, "/KernelSvm/pairs/0/classes", json!([0, 7]), "one part for each pair of classes"),
        (KernelSvm, three, "/KernelSvm/pairs/0/coefficients", json!([1.0]), "one coefficient for each support vector"),
        (KernelSvm, three, "/KernelSvm/kernel/rbf/gamma", json!(1e300), "gamma is 1000"),
        (LinearSvm, three, "/LinearSvm/sigmoids", json!([]), "one sigmoid for each class"),
        (LinearSvm, Task::Binary, "/LinearSvm/margins/weights/0", json!(1e300), "a weight of the model is 1e300"),
        (LogisticRegression, three, "/LogisticRegression/margins/weights", json!([1.0]), "one weight for each column"),
        (OnlineLogistic, Task::Binary, "/OnlineLogistic/intercept/n", json!(-1.0), "a sum of squares is negative"),
        (OnlineLogistic, Task::Binary, "/OnlineLogistic/options/alpha", json!(0.0), "alpha is 0"),
        (
            DecisionTree,
            Task::Binary,
            "/DecisionTree/tree/values/0",
            json!(7.0),
            "a leaf is 7.0, which is no probability",
        ),
        (DecisionTree, Task::Binary, "/DecisionTree/tree/cover/0", json!(-1.0), "a cover is -1"),
        (RandomForest, three, "/RandomForest/trees", json!([]), "one number for each answer"),
        (GradientBoosting, three, "/GradientBoosting/base", json!([]), "one number for each answer"),
        (
            GradientBoosting,
            Task::Regression,
            "/GradientBoosting/base/0",
            json!(1e300),
            "the base of the model is 1e300",
        ),
    ] {
        let refused = refusal(algorithm, task, path, value.clone());
        assert!(refused.contains(told), "{path} = {value}: {refused}");
    }
}

/// Nearest neighbours as they were before points stood in blocks: a tree of boxes was written, too.
#[test]
fn a_body_that_is_written_no_more_is_told_with_what_to_do() {
    let (pipeline, rows) = (Pipeline::plain(&["size", "age"]), 30_u32);
    let standard = (0_u32, 0.5, 2.0);
    let (measures, columns, numbers) = (vec![standard, standard], vec![0_u32, 1], 2_u32);
    let values: Vec<f64> = (0..2 * rows).map(f64::from).collect();
    let (nodes, bounds) = (vec![(0_u32, rows, 0_u32)], vec![(0.0, 58.0), (1.0, 59.0)]);
    let points = (measures, columns, numbers, values, (0..rows).collect::<Vec<u32>>(), nodes, bounds);
    let (target, weights) = (vec![1.0; rows as usize], vec![1.0; rows as usize]);
    // The place of nearest neighbours among the algorithms, as the file has it.
    let fitted = (7_u32, Task::Binary, NeighboursOptions::default(), points, (target, weights));
    let model = (Task::Binary, vec![pipeline], vec![(0_usize, 1.0, fitted)], None::<Calibrator>);
    let body = postcard::to_allocvec(&(model, References::default())).unwrap();
    let made = model_of_neighbours();
    let old = with_body(&artifact(made.clone()).to_bytes().unwrap(), |now| *now = body);
    let refused = Artifact::from_bytes(&old).unwrap_err();
    assert_eq!(refused, MlError::Unreadable("Rapport 9".to_owned()));
    let told = refused.to_string();
    assert!(told.contains("written by Rapport 9") && told.ends_with("train the model again"), "{told}");
    let longer = with_body(&artifact(made).to_bytes().unwrap(), |now| now.push(0));
    assert_eq!(Artifact::from_bytes(&longer), Err(MlError::Unreadable("Rapport 9".to_owned())));
}

fn model_of_neighbours() -> Model {
    model(&plain(), Task::Binary, &[small(Algorithm::NearestNeighbours)], &|_| {})
}

/// Rows so far away that every distance is infinite have the answer of the nearest ones all alike, which is a number.
#[test]
fn neighbours_of_a_row_beyond_all_measure_answer() {
    let scorer = Scorer::new(&model_of_neighbours()).unwrap();
    let mut answer = [f64::NAN];
    let row = [Cell::Number(1e300), Cell::Number(-1e300), Cell::Missing];
    scorer.predict(Row::Cells(&row), &mut Workspace::default(), &mut answer);
    assert!((0.0..=1.0).contains(&answer[0]), "{answer:?}");
}
