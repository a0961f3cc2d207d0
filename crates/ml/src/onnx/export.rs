//! From the plain parts of a model to an ONNX file that other programs can run.
//!
//! The file has one input of 32-bit floats, a column for each of the model's, and for classes two outputs as scikit-learn's
//! models have them: `label` and `probabilities`. Numbers are rounded to `f32`.

use prost::Message;

use super::proto::{
    AttributeProto, DimensionProto, FLOAT, GraphProto, INT64, ModelProto, NodeProto, OperatorSetIdProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use super::read::bad;
use crate::tree::{Node, Test, Tree};
use crate::{MlError, Task};

/// How many nodes the trees of a file may have together; a set of categories takes one for each.
const MOST_NODES: usize = 1 << 22;

/// What is done with the sums at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The sums are the answer: values, or probabilities as in a forest.
    Nothing,
    /// Log-odds become probabilities: the logistic function for one sum, softmax for one for each class.
    Probabilities,
}

/// A linear model.
#[derive(Debug, Clone, Copy)]
pub struct Linear<'a> {
    /// What is taken from each column before it is multiplied; none if there is no scaler.
    pub offset: &'a [f64],
    /// What each column is multiplied with then; none if there is no scaler.
    pub scale: &'a [f64],
    /// For each output a weight for each column.
    pub weights: &'a [f64],
    /// For each output what is added.
    pub intercepts: &'a [f64],
}

/// Writes a linear or logistic model over `columns` columns. For [`Task::Binary`] and [`Task::Multiclass`] the sums are
/// log-odds.
pub fn export_linear(model: Linear<'_>, columns: usize, task: Task) -> Result<Vec<u8>, MlError> {
    let outputs = task.outputs();
    if model.weights.len() != columns * outputs || model.intercepts.len() != outputs {
        return Err(MlError::Shape(format!(
            "{} weights and {} intercepts do not fit {columns} columns and {outputs} outputs",
            model.weights.len(),
            model.intercepts.len()
        )));
    }
    if ![0, columns].contains(&model.scale.len()) || model.offset.len() != model.scale.len() {
        return Err(MlError::Shape(format!("a scaler must have an offset and a scale for each of {columns} columns")));
    }
    let mut nodes = Vec::new();
    let mut from = "input";
    if !model.scale.is_empty() {
        let attributes = vec![floats("offset", model.offset), floats("scale", model.scale)];
        nodes.push(node("Scaler", &[from], &["scaled"], attributes));
        from = "scaled";
    }
    match classes(task) {
        None => {
            let attributes = vec![
                floats("coefficients", model.weights),
                floats("intercepts", model.intercepts),
                int("targets", outputs as i64),
            ];
            nodes.push(node("LinearRegressor", &[from], &["value"], attributes));
        }
        Some(classes) => {
            // Runtimes want a row of weights for each of two classes.
            let both =
                |numbers: &[f64]| numbers.iter().map(|x| -x).chain(numbers.iter().copied()).collect::<Vec<f64>>();
            let binary = task == Task::Binary;
            let (weights, intercepts) = if binary {
                (both(model.weights), both(model.intercepts))
            } else {
                (model.weights.to_vec(), model.intercepts.to_vec())
            };
            let attributes = vec![
                floats("coefficients", &weights),
                floats("intercepts", &intercepts),
                ints("classlabels_ints", (0..classes).collect()),
                text("post_transform", if binary { "LOGISTIC" } else { "SOFTMAX" }),
                int("multi_class", i64::from(!binary)),
            ];
            nodes.push(node("LinearClassifier", &[from], &["label", "probabilities"], attributes));
        }
    }
    Ok(file(nodes, columns, task))
}

/// Writes `base + scale * sum of the trees` over `columns` columns. `base` has a number for each output; trees have as many,
/// or one each: then they take turns over the outputs.
///
/// # Errors
///
/// [`MlError::Shape`] if the parts do not fit together, [`MlError::Onnx`] if there would be more than 2²² nodes; a set takes one for
/// each of its categories.
pub fn export_trees(
    trees: &[Tree],
    base: &[f64],
    scale: f64,
    columns: usize,
    task: Task,
    ending: Ending,
) -> Result<Vec<u8>, MlError> {
    let outputs = task.outputs();
    if base.len() != outputs {
        return Err(MlError::Shape(format!("{} numbers to begin with do not fit {outputs} outputs", base.len())));
    }
    let classes = classes(task);
    if trees.is_empty() {
        return Err(MlError::Shape("there are no trees to write".to_owned()));
    }
    // Of two classes, a sum of log-odds is for the second, and runtimes make both of one. Where the sum is the probability
    // itself, both are written out: each tree divides its part of 1. What the sum begins with is in the leaves then, since
    // onnxruntime 1.32 takes two numbers to begin with for something else.
    let mirrored = task == Task::Binary && ending == Ending::Nothing;
    let part = 1.0 / trees.len() as f64;
    let mirror = mirrored.then(|| Mirror { whole: part, base: base[0] * part });
    let mut lists = Lists { mirror, scale, outputs, ..Lists::default() };
    for (index, tree) in trees.iter().enumerate() {
        tree.check()?;
        if tree.outputs as usize != outputs && tree.outputs != 1 {
            return Err(MlError::Shape(format!("a tree with {} outputs does not fit {outputs}", tree.outputs)));
        }
        lists.add(tree, index)?;
    }
    if lists.columns.iter().any(|column| *column >= columns as i64) {
        return Err(MlError::Shape(format!("a tree looks at a column beyond the {columns}")));
    }
    let mut base = if mirrored { Vec::new() } else { base.to_vec() };
    if classes == Some(2) && !mirrored && lists.weights.iter().all(|weight| *weight >= 0.0) {
        // Where no leaf is below 0, onnxruntime takes sums for probabilities when it chooses the label.
        base[0] += 1.0;
        let first = lists.trees.len();
        lists.blank(trees.len(), first);
        lists.weight(trees.len(), 0, 0, -1.0);
    }
    let transform = match (ending, outputs) {
        (Ending::Nothing, _) => "NONE",
        (Ending::Probabilities, 1) => "LOGISTIC",
        (Ending::Probabilities, _) => "SOFTMAX",
    };
    let mut attributes = vec![floats("base_values", &base), text("post_transform", transform)];
    let (name, prefix, made): (_, _, &[&str]) = match classes {
        Some(classes) => {
            attributes.push(ints("classlabels_int64s", (0..classes).collect()));
            ("TreeEnsembleClassifier", "class", &["label", "probabilities"])
        }
        None => {
            attributes.extend([int("n_targets", outputs as i64), text("aggregate_function", "SUM")]);
            ("TreeEnsembleRegressor", "target", &["value"])
        }
    };
    attributes.extend(lists.attributes(prefix));
    Ok(file(vec![node(name, &["input"], made, attributes)], columns, task))
}

/// How many classes a task has, if any.
fn classes(task: Task) -> Option<i64> {
    match task {
        Task::Binary => Some(2),
        Task::Multiclass { classes } => Some(i64::from(classes)),
        Task::Regression | Task::Ranking => None,
    }
}

/// Of two probabilities, what each tree divides between them, and what of it the second has in advance.
#[derive(Clone, Copy)]
struct Mirror {
    whole: f64,
    base: f64,
}

/// The nodes of all trees, a list for each of their parts.
#[derive(Default)]
struct Lists {
    mirror: Option<Mirror>,
    scale: f64,
    outputs: usize,
    trees: Vec<i64>,
    numbers: Vec<i64>,
    columns: Vec<i64>,
    modes: Vec<&'static str>,
    values: Vec<f32>,
    yes: Vec<i64>,
    no: Vec<i64>,
    missing: Vec<i64>,
    leaf_trees: Vec<i64>,
    leaf_numbers: Vec<i64>,
    leaf_ids: Vec<i64>,
    weights: Vec<f64>,
}

impl Lists {
    fn add(&mut self, tree: &Tree, index: usize) -> Result<(), MlError> {
        let first = self.trees.len();
        self.blank(index, first);
        let mut waiting = vec![(0_u32, first)];
        while let Some((at, place)) = waiting.pop() {
            match &tree.nodes[at as usize] {
                Node::Leaf { value } => {
                    let values = &tree.values[*value as usize..][..tree.outputs as usize];
                    self.leaf(index, place - first, values);
                }
                Node::Split { column, test: Test::AtMost(threshold), missing_left, left, right } => {
                    let (yes, no) = (self.blank(index, first), self.blank(index, first));
                    self.split(place, first, (*column, "BRANCH_LEQ", *threshold, *missing_left), (yes, no));
                    waiting.extend([(*right, no), (*left, yes)]);
                }
                Node::Split { column, test: Test::In(words), missing_left, left, right } => {
                    // A question for each category; all lead to one node for yes, as the converters of other libraries
                    // do it. No number is less than the least, so that one sends missing values only.
                    let mut questions = categories(words);
                    if questions.is_empty() {
                        questions.push(f32::NEG_INFINITY);
                    }
                    let yes = self.blank(index, first);
                    waiting.push((*left, yes));
                    let mut place = place;
                    for (question, category) in questions.iter().enumerate() {
                        let no = self.blank(index, first);
                        let missing = question == 0 && *missing_left;
                        self.split(place, first, (*column, "BRANCH_EQ", *category, missing), (yes, no));
                        place = no;
                    }
                    waiting.push((*right, place));
                }
            }
            if self.trees.len() > MOST_NODES {
                return Err(bad(format!(
                    "the trees would have more than {MOST_NODES} nodes: ONNX has no sets of categories"
                )));
            }
        }
        Ok(())
    }

    /// Adds a node that is to be filled in to the tree that begins at `first`; returns its place.
    fn blank(&mut self, tree: usize, first: usize) -> usize {
        let place = self.trees.len();
        self.numbers.push((place - first) as i64);
        self.trees.push(tree as i64);
        self.columns.push(0);
        self.modes.push("LEAF");
        self.values.push(0.0);
        self.yes.push(0);
        self.no.push(0);
        self.missing.push(0);
        place
    }

    fn split(
        &mut self,
        place: usize,
        first: usize,
        (column, mode, value, missing): (u32, &'static str, f32, bool),
        (yes, no): (usize, usize),
    ) {
        self.columns[place] = i64::from(column);
        self.modes[place] = mode;
        self.values[place] = value;
        self.missing[place] = i64::from(missing);
        self.yes[place] = (yes - first) as i64;
        self.no[place] = (no - first) as i64;
    }

    fn leaf(&mut self, tree: usize, number: usize, values: &[f64]) {
        for (output, value) in values.iter().enumerate() {
            let value = value * self.scale;
            let output = if values.len() == self.outputs { output } else { tree % self.outputs };
            if let Some(Mirror { whole, base }) = self.mirror {
                let value = base + value;
                self.weight(tree, number, 0, whole - value);
                self.weight(tree, number, 1, value);
            } else {
                self.weight(tree, number, output, value);
            }
        }
    }

    fn weight(&mut self, tree: usize, number: usize, id: usize, weight: f64) {
        self.leaf_trees.push(tree as i64);
        self.leaf_numbers.push(number as i64);
        self.leaf_ids.push(id as i64);
        self.weights.push(weight);
    }

    fn attributes(self, prefix: &str) -> Vec<AttributeProto> {
        let of_leaves = |name: &str| format!("{prefix}_{name}");
        vec![
            ints("nodes_treeids", self.trees),
            ints("nodes_nodeids", self.numbers),
            ints("nodes_featureids", self.columns),
            texts("nodes_modes", &self.modes),
            AttributeProto { name: "nodes_values".to_owned(), r#type: 6, floats: self.values, ..Default::default() },
            ints("nodes_truenodeids", self.yes),
            ints("nodes_falsenodeids", self.no),
            ints("nodes_missing_value_tracks_true", self.missing),
            ints(&of_leaves("treeids"), self.leaf_trees),
            ints(&of_leaves("nodeids"), self.leaf_numbers),
            ints(&of_leaves("ids"), self.leaf_ids),
            floats(&of_leaves("weights"), &self.weights),
        ]
    }
}

fn categories(words: &[u32]) -> Vec<f32> {
    let codes = (0..words.len() * 32).filter(|code| words[code / 32] >> (code % 32) & 1 == 1);
    codes.map(|code| code as f32).collect()
}

fn file(nodes: Vec<NodeProto>, columns: usize, task: Task) -> Vec<u8> {
    let output = match classes(task) {
        None => vec![value("value", FLOAT, Some(task.outputs()))],
        Some(classes) => vec![value("label", INT64, None), value("probabilities", FLOAT, Some(classes as usize))],
    };
    let graph = GraphProto {
        node: nodes,
        name: "model".to_owned(),
        input: vec![value("input", FLOAT, Some(columns))],
        output,
        ..Default::default()
    };
    let version = |domain: &str, version| OperatorSetIdProto { domain: domain.to_owned(), version };
    let model = ModelProto {
        ir_version: 8,
        opset_import: vec![version("ai.onnx.ml", 3), version("", 15)],
        producer_name: "rapport".to_owned(),
        graph: Some(graph),
    };
    model.encode_to_vec()
}

/// A value with any number of rows, and columns if it has any.
fn value(name: &str, elem_type: i32, columns: Option<usize>) -> ValueInfoProto {
    let mut dim = vec![DimensionProto::default()];
    dim.extend(columns.map(|columns| DimensionProto { dim_value: Some(columns as i64) }));
    let tensor_type = Some(TensorTypeProto { elem_type, shape: Some(TensorShapeProto { dim }) });
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type }) }
}

fn node(op_type: &str, input: &[&str], output: &[&str], attribute: Vec<AttributeProto>) -> NodeProto {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    NodeProto {
        input: names(input),
        output: names(output),
        name: op_type.to_owned(),
        op_type: op_type.to_owned(),
        domain: "ai.onnx.ml".to_owned(),
        attribute,
    }
}

fn floats(name: &str, numbers: &[f64]) -> AttributeProto {
    let floats = numbers.iter().map(|number| *number as f32).collect();
    AttributeProto { name: name.to_owned(), r#type: 6, floats, ..Default::default() }
}

fn int(name: &str, number: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: 2, i: Some(number), ..Default::default() }
}

fn ints(name: &str, ints: Vec<i64>) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: 7, ints, ..Default::default() }
}

fn text(name: &str, text: &str) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: 3, s: Some(text.as_bytes().to_vec()), ..Default::default() }
}

fn texts(name: &str, texts: &[&str]) -> AttributeProto {
    let strings = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    AttributeProto { name: name.to_owned(), r#type: 8, strings, ..Default::default() }
}
