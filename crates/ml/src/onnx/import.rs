//! From an ONNX graph to the steps of a [`Foreign`].
//!
//! Operators are taken in the order of the file, which ONNX requires to be one in which each comes after what it needs; so
//! a circle is refused where it begins. What only serves labels is left aside: an operator that is not known is an error
//! only if the answer needs it.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::chain::{Action, Foreign, MOST_NUMBERS, Span, Step, each};
use super::machine::Machine;
use super::proto::{BOOL, DOUBLE, FLOAT, GraphProto, INT32, INT64, TensorProto, ValueInfoProto};
use super::read::{Operator, bad, numbers};
use super::{SUPPORTED, trees};
use crate::tree::FlatTrees;
use crate::{MlError, Task};

/// How many numbers the leaves of all trees of a file may have together.
const MOST_LEAF_NUMBERS: usize = 1 << 24;

/// What stands behind a name of the graph.
#[derive(Debug, Clone)]
enum Value {
    /// Numbers of a row; whether they are probabilities.
    Numbers { span: Span, probable: bool },
    /// Numbers of the file.
    Constant { dims: Vec<i64>, numbers: Rc<[f64]> },
    /// Nothing that could be used, and why.
    Aside(String),
}

struct Import {
    values: BTreeMap<String, Value>,
    steps: Vec<Step>,
    numbers: usize,
    /// How many numbers the leaves of trees may still have.
    leaf_numbers: usize,
}

pub(super) fn import(graph: &GraphProto) -> Result<Foreign, MlError> {
    let mut import = Import { values: BTreeMap::new(), steps: Vec::new(), numbers: 0, leaf_numbers: MOST_LEAF_NUMBERS };
    for tensor in &graph.initializer {
        let value = constant(tensor).unwrap_or_else(|error| Value::Aside(error.to_string()));
        import.values.insert(tensor.name.clone(), value);
    }
    // A row comes first: all inputs, one after the other.
    let inputs: Vec<&ValueInfoProto> =
        graph.input.iter().filter(|input| !import.values.contains_key(&input.name)).collect();
    let mut spans = Vec::new();
    for input in &inputs {
        spans.push(import.span(width(input)?)?);
    }
    let columns = import.numbers;
    for (input, from) in inputs.iter().zip(spans) {
        let value = import.input(input, from)?;
        import.values.insert(input.name.clone(), value);
    }
    for node in &graph.node {
        import.operator(Operator(node))?;
    }
    let (span, probable) = import.answer(&graph.output)?;
    let (task, answer) = match (span.len, probable) {
        (1, true) => (Task::Binary, span),
        (2, true) => (Task::Binary, Span { start: span.start + 1, len: 1 }),
        (classes, true) => (Task::Multiclass { classes: classes as u32 }, span),
        (1, false) => (Task::Regression, span),
        (many, false) => return Err(bad(format!("the model answers with {many} numbers that are no probabilities"))),
    };
    Ok(Foreign { columns, task, numbers: import.numbers, steps: import.steps, answer })
}

fn constant(tensor: &TensorProto) -> Result<Value, MlError> {
    Ok(Value::Constant { dims: tensor.dims.clone(), numbers: numbers(tensor)?.into() })
}

/// How many columns an input has.
fn width(input: &ValueInfoProto) -> Result<usize, MlError> {
    let shape = input.r#type.as_ref().and_then(|of| of.tensor_type.as_ref()).and_then(|tensor| tensor.shape.as_ref());
    let width = shape.and_then(|shape| match shape.dim.as_slice() {
        [_, columns] => columns.dim_value,
        _ => None,
    });
    let unknown = || bad(format!("input {} must have the shape [rows, number of columns]", input.name));
    width.and_then(|width| usize::try_from(width).ok()).filter(|width| *width > 0).ok_or_else(unknown)
}

impl Import {
    fn span(&mut self, len: usize) -> Result<Span, MlError> {
        let start = self.numbers;
        if len > MOST_NUMBERS - start {
            return Err(bad(format!("inputs and steps have more than {MOST_NUMBERS} numbers together")));
        }
        self.numbers += len;
        Ok(Span { start, len })
    }

    fn step(&mut self, from: Span, len: usize, probable: bool, action: Action) -> Result<Value, MlError> {
        let to = self.span(len)?;
        self.steps.push(Step { from, to, action });
        Ok(Value::Numbers { span: to, probable })
    }

    fn input(&mut self, input: &ValueInfoProto, from: Span) -> Result<Value, MlError> {
        let element = input.r#type.as_ref().and_then(|of| of.tensor_type.as_ref()).map_or(0, |tensor| tensor.elem_type);
        match element {
            DOUBLE => Ok(Value::Numbers { span: from, probable: false }),
            FLOAT | INT64 | INT32 => self.step(from, from.len, false, Action::Each(to_f32)),
            _ => Ok(Value::Aside(format!("input {} has no numbers but elements of type {element}", input.name))),
        }
    }

    /// The output to answer with: of those with numbers the one whose name tells of probabilities, or the last.
    fn answer(&self, outputs: &[ValueInfoProto]) -> Result<(Span, bool), MlError> {
        let mut found = None;
        let mut reason = "the model has no output".to_owned();
        for output in outputs {
            match self.values.get(&output.name) {
                Some(Value::Numbers { span, probable }) => {
                    if !found.is_some_and(|(_, earlier)| earlier && !probable) {
                        found = Some((*span, *probable));
                    }
                }
                Some(Value::Aside(why)) => reason.clone_from(why),
                Some(Value::Constant { .. }) => reason = format!("output {} is constant", output.name),
                None => reason = format!("nothing makes output {}", output.name),
            }
        }
        found.ok_or_else(|| bad(reason))
    }

    fn operator(&mut self, operator: Operator<'_>) -> Result<(), MlError> {
        let mut inputs = Vec::new();
        for name in operator.0.input.iter().filter(|name| !name.is_empty()) {
            let missing = || operator.bad(format!("{name} is used before it is made"));
            inputs.push(self.values.get(name).cloned().ok_or_else(missing)?);
        }
        let aside = inputs.iter().find_map(|input| match input {
            Value::Aside(why) => Some(why.clone()),
            _ => None,
        });
        let made = match aside {
            Some(why) => Value::Aside(why),
            None => self.make(operator, &inputs)?,
        };
        let label = || Value::Aside(format!("{} gives a label here, not numbers", operator.0.op_type));
        let outputs = match (operator.0.op_type.as_str(), operator.0.output.as_slice()) {
            ("TreeEnsembleClassifier" | "LinearClassifier" | "SVMClassifier", [of_label, rest]) => {
                self.values.insert(of_label.clone(), label());
                std::slice::from_ref(rest)
            }
            (_, outputs) => outputs,
        };
        for output in outputs {
            if self.values.insert(output.clone(), made.clone()).is_some() {
                return Err(operator.bad(format!("{output} is made twice")));
            }
        }
        Ok(())
    }

    fn make(&mut self, operator: Operator<'_>, inputs: &[Value]) -> Result<Value, MlError> {
        let name = operator.0.op_type.as_str();
        let unknown = || Ok(Value::Aside(format!("operator {name} is not supported here; {SUPPORTED}")));
        if name == "Constant" {
            let tensor = operator.0.attribute.iter().find_map(|attribute| attribute.t.as_ref());
            return tensor.map_or_else(unknown, constant);
        }
        if name == "Concat" {
            return self.concat(operator, inputs);
        }
        let (from, probable, others) = match inputs {
            [Value::Numbers { span, probable }, others @ ..] => (*span, *probable, others),
            [Value::Constant { .. }, Value::Numbers { span, probable }] => (*span, *probable, &inputs[..1]),
            _ => return unknown(),
        };
        let turned = matches!(inputs[0], Value::Constant { .. });
        match (name, others) {
            ("Identity" | "ZipMap" | "Flatten" | "Dropout", []) => Ok(Value::Numbers { span: from, probable }),
            ("Reshape", [Value::Constant { numbers, .. }]) if keeps_rows(numbers, from.len) => {
                Ok(Value::Numbers { span: from, probable })
            }
            ("Scaler", []) => self.scaler(operator, from),
            ("Imputer", []) => self.imputer(operator, from),
            ("OneHotEncoder", []) => self.one_hot(operator, from),
            ("Normalizer", []) => match operator.text("norm") {
                Some("L1") => self.step(from, from.len, probable, Action::NormaliseL1),
                Some("L2") => self.step(from, from.len, false, Action::NormaliseL2),
                other => Err(operator.bad(format!("norm {other:?} is not supported; L1 and L2 are"))),
            },
            ("Cast", []) => self.cast(operator, from, probable),
            ("ArrayFeatureExtractor" | "Gather", [Value::Constant { numbers, .. }]) => {
                self.take(operator, from, numbers)
            }
            ("LinearClassifier", []) => self.linear_classifier(operator, from),
            ("LinearRegressor", []) => self.linear_regressor(operator, from),
            ("SVMClassifier", []) => {
                let machine = Machine::new(operator, from.len)?;
                self.step(from, 2, true, Action::Machine(Box::new(machine)))
            }
            ("TreeEnsembleClassifier", []) => self.tree_classifier(operator, from),
            ("TreeEnsembleRegressor", []) => self.tree_regressor(operator, from),
            ("MatMul", [Value::Constant { dims, numbers }]) if !turned => {
                self.matrix(operator, from, (dims, numbers), false, 1.0, &[])
            }
            ("Gemm", [Value::Constant { dims, numbers }, rest @ ..]) if !turned => {
                self.gemm(operator, from, (dims, numbers), rest)
            }
            ("Add" | "Sub" | "Mul" | "Div", [Value::Constant { numbers, .. }]) => {
                self.elementwise(operator, from, probable, numbers, turned)
            }
            ("Softmax", []) if matches!(operator.int("axis"), None | Some(1 | -1)) => {
                self.step(from, from.len, from.len > 1, Action::Softmax)
            }
            (_, []) if let Some(function) = each(name) => {
                self.step(from, from.len, name == "Sigmoid", Action::Each(function))
            }
            _ => unknown(),
        }
    }

    fn concat(&mut self, operator: Operator<'_>, inputs: &[Value]) -> Result<Value, MlError> {
        if !matches!(operator.int("axis"), Some(1 | -1)) {
            return Err(operator.bad("only columns can be put together (axis 1)"));
        }
        let mut places = Vec::new();
        let mut all_probable = true;
        for input in inputs {
            let Value::Numbers { span, probable } = input else {
                return Err(operator.bad("only numbers of the row can be put together"));
            };
            if span.len > MOST_NUMBERS - places.len() {
                return Err(operator.bad(format!("more than {MOST_NUMBERS} numbers")));
            }
            places.extend(span.start..span.start + span.len);
            all_probable &= *probable;
        }
        let len = places.len();
        self.step(Span { start: 0, len: 0 }, len, all_probable, Action::Take(places))
    }

    fn take(&mut self, operator: Operator<'_>, from: Span, indices: &[f64]) -> Result<Value, MlError> {
        if operator.0.op_type == "Gather" && !matches!(operator.int("axis"), Some(1 | -1)) {
            return Err(operator.bad("only columns can be taken (axis 1)"));
        }
        let mut places = Vec::new();
        for index in indices {
            // Indices may count from the end.
            let index = if *index < 0.0 { index + from.len as f64 } else { *index };
            if index < 0.0 || index >= from.len as f64 {
                return Err(operator.bad(format!("there is no column {index} of {}", from.len)));
            }
            places.push(from.start + index as usize);
        }
        let len = places.len();
        self.step(from, len, false, Action::Take(places))
    }

    fn scaler(&mut self, operator: Operator<'_>, from: Span) -> Result<Value, MlError> {
        let offset = spread(operator, operator.floats("offset"), from.len, 0.0)?;
        let scale = spread(operator, operator.floats("scale"), from.len, 1.0)?;
        self.step(from, from.len, false, Action::Scale { offset, scale })
    }

    fn imputer(&mut self, operator: Operator<'_>, from: Span) -> Result<Value, MlError> {
        let integers: Vec<f32> = operator.ints("imputed_value_int64s").iter().map(|value| *value as f32).collect();
        let floats = operator.floats("imputed_value_floats");
        let values = spread(operator, if floats.is_empty() { &integers } else { floats }, from.len, 0.0)?;
        let missing = operator.int("replaced_value_int64").map_or(f32::NAN, |value| value as f32);
        let missing = operator.float("replaced_value_float").unwrap_or(missing);
        let values = values.into_iter().map(f64::from).collect();
        self.step(from, from.len, false, Action::Impute { missing, values })
    }

    fn one_hot(&mut self, operator: Operator<'_>, from: Span) -> Result<Value, MlError> {
        let categories: Vec<f64> = operator.ints("cats_int64s").iter().map(|category| *category as f64).collect();
        if categories.is_empty() {
            return Err(operator.bad("only whole numbers can be categories (cats_int64s)"));
        }
        let len = from.len.saturating_mul(categories.len());
        self.step(from, len, false, Action::OneHot(categories))
    }

    fn cast(&mut self, operator: Operator<'_>, from: Span, probable: bool) -> Result<Value, MlError> {
        let function: fn(f64) -> f64 = match operator.int("to").and_then(|to| i32::try_from(to).ok()) {
            Some(FLOAT) => to_f32,
            Some(DOUBLE) => return Ok(Value::Numbers { span: from, probable }),
            Some(INT32 | INT64) => f64::trunc,
            Some(BOOL) => |x| f64::from(u8::from(x != 0.0)),
            other => return Ok(Value::Aside(format!("Cast to type {other:?} does not give numbers"))),
        };
        self.step(from, from.len, probable, Action::Each(function))
    }

    /// The weights of outputs by inputs; `matrix` is their transpose unless `turned`.
    fn matrix(
        &mut self,
        operator: Operator<'_>,
        from: Span,
        (dims, matrix): (&[i64], &[f64]),
        turned: bool,
        factor: f64,
        bias: &[f64],
    ) -> Result<Value, MlError> {
        let [rows, columns] = dims else { return Err(operator.bad(format!("a matrix is expected, not {dims:?}"))) };
        let (rows, columns) = (*rows as usize, *columns as usize);
        let (inputs, outputs) = if turned { (columns, rows) } else { (rows, columns) };
        if inputs != from.len || outputs == 0 {
            return Err(operator.bad(format!("{} numbers do not fit a matrix of {dims:?}", from.len)));
        }
        let at = |output: usize, input: usize| {
            if turned { matrix[output * columns + input] } else { matrix[input * columns + output] }
        };
        let weights = (0..outputs).flat_map(|output| (0..inputs).map(move |input| factor * at(output, input)));
        let weights = weights.collect();
        let bias = spread(operator, bias, outputs, 0.0)?;
        self.step(from, outputs, false, Action::Dense { weights, bias })
    }

    fn gemm(
        &mut self,
        operator: Operator<'_>,
        from: Span,
        matrix: (&[i64], &[f64]),
        rest: &[Value],
    ) -> Result<Value, MlError> {
        let factor = |name| f64::from(operator.float(name).unwrap_or(1.0));
        let bias: Vec<f64> = match rest {
            [] => Vec::new(),
            [Value::Constant { numbers, .. }] => numbers.iter().map(|number| factor("beta") * number).collect(),
            _ => return Err(operator.bad("what is added must be numbers of the file")),
        };
        if operator.int("transA").unwrap_or(0) != 0 {
            return Err(operator.bad("transA is not supported"));
        }
        let turned = operator.int("transB").unwrap_or(0) != 0;
        self.matrix(operator, from, matrix, turned, factor("alpha"), &bias)
    }

    fn elementwise(
        &mut self,
        operator: Operator<'_>,
        from: Span,
        probable: bool,
        constants: &[f64],
        turned: bool,
    ) -> Result<Value, MlError> {
        let constants = spread(operator, constants, from.len, 0.0)?;
        let all = |number: f64| vec![number; from.len];
        let action = match (operator.0.op_type.as_str(), turned) {
            ("Add", _) => Action::Affine { factor: all(1.0), summand: constants },
            ("Sub", false) => Action::Affine { factor: all(1.0), summand: constants.iter().map(|x| -x).collect() },
            ("Sub", true) => Action::Affine { factor: all(-1.0), summand: constants },
            ("Mul", _) => Action::Affine { factor: constants, summand: all(0.0) },
            (_, false) => Action::Affine { factor: constants.iter().map(|x| 1.0 / x).collect(), summand: all(0.0) },
            (_, true) => Action::Invert(constants),
        };
        self.step(from, from.len, probable, action)
    }

    fn dense(&mut self, operator: Operator<'_>, from: Span, outputs: usize) -> Result<(Span, usize), MlError> {
        let weights = operator.numbers("coefficients")?;
        if outputs == 0 || weights.len() != outputs.saturating_mul(from.len) {
            let (have, inputs) = (weights.len(), from.len);
            return Err(operator.bad(format!("{have} coefficients do not fit {inputs} numbers and {outputs} outputs")));
        }
        let bias = spread(operator, &operator.numbers("intercepts")?, outputs, 0.0)?;
        match self.step(from, outputs, false, Action::Dense { weights, bias })? {
            Value::Numbers { span, .. } => Ok((span, outputs)),
            _ => unreachable!("a step makes numbers"),
        }
    }

    fn linear_regressor(&mut self, operator: Operator<'_>, from: Span) -> Result<Value, MlError> {
        let outputs = operator.int("targets").unwrap_or(1);
        let (span, _) = self.dense(operator, from, usize::try_from(outputs).unwrap_or(0))?;
        self.transform(operator, span, false)
    }

    fn linear_classifier(&mut self, operator: Operator<'_>, from: Span) -> Result<Value, MlError> {
        let outputs = operator.numbers("intercepts")?.len().max(1);
        let (span, outputs) = self.dense(operator, from, outputs)?;
        if outputs == 1 && operator.labels() == 2 {
            if operator.text("post_transform") != Some("LOGISTIC") {
                return Err(operator.bad("one score for two classes is supported with post_transform LOGISTIC only"));
            }
            let second = self.transform(operator, span, false)?;
            return self.both(&second);
        }
        self.transform(operator, span, false)
    }

    /// The probabilities of two classes from that of the second.
    fn both(&mut self, second: &Value) -> Result<Value, MlError> {
        let Value::Numbers { span, probable } = second else { unreachable!("a transform makes numbers") };
        self.step(*span, 2, *probable, Action::Dense { weights: vec![-1.0, 1.0], bias: vec![1.0, 0.0] })
    }

    /// What a model does with its sums at the end.
    fn transform(&mut self, operator: Operator<'_>, span: Span, probable: bool) -> Result<Value, MlError> {
        match operator.text("post_transform") {
            None | Some("NONE") => Ok(Value::Numbers { span, probable }),
            Some("LOGISTIC") => self.step(span, span.len, true, Action::Each(crate::linear::sigmoid)),
            Some("SOFTMAX") => self.step(span, span.len, true, Action::Softmax),
            Some(other) => {
                Err(operator.bad(format!("post_transform {other} is not supported; NONE, LOGISTIC and SOFTMAX are")))
            }
        }
    }

    /// The sums over an ensemble, and whether one sum stands for two classes and no leaf is below 0.
    fn trees(
        &mut self,
        operator: Operator<'_>,
        from: Span,
        prefix: &str,
        outputs: usize,
    ) -> Result<(Span, bool, bool), MlError> {
        let ensemble = trees::read(operator, prefix, from.len, outputs, &mut self.leaf_numbers)?;
        let base = operator.numbers("base_values")?;
        let sums = if ensemble.single { 1 } else { outputs };
        if ![0, sums].contains(&base.len()) {
            return Err(operator.bad(format!("{} base values do not fit {sums} sums", base.len())));
        }
        let base = if base.is_empty() { vec![0.0; sums] } else { base };
        let mut rows = from;
        if !ensemble.codes.is_empty() {
            let len = from.len + ensemble.codes.len();
            rows = self.span(len)?;
            self.steps.push(Step { from, to: rows, action: Action::Codes(ensemble.codes) });
        }
        let mean = match operator.text("aggregate_function") {
            None | Some("SUM") => None,
            Some("AVERAGE") => Some(1.0 / ensemble.trees.len().max(1) as f64),
            Some(other) => {
                return Err(operator.bad(format!("aggregate_function {other} is not supported; SUM and AVERAGE are")));
            }
        };
        let start = if mean.is_some() { vec![0.0; sums] } else { base.clone() };
        let flat = FlatTrees::new(&ensemble.trees, &start).map_err(|error| operator.bad(error))?;
        let mut to = self.span(sums)?;
        self.steps.push(Step { from: rows, to, action: Action::Trees(Box::new(flat)) });
        if let Some(factor) = mean {
            let from = to;
            to = self.span(sums)?;
            self.steps.push(Step { from, to, action: Action::Affine { factor: vec![factor; sums], summand: base } });
        }
        Ok((to, ensemble.single && outputs == 2, ensemble.positive))
    }

    fn tree_regressor(&mut self, operator: Operator<'_>, from: Span) -> Result<Value, MlError> {
        let outputs = usize::try_from(operator.int("n_targets").unwrap_or(1)).unwrap_or(0);
        if outputs == 0 || outputs > MOST_NUMBERS {
            return Err(operator.bad(format!("n_targets must be from 1 to {MOST_NUMBERS}")));
        }
        let (span, ..) = self.trees(operator, from, "target", outputs)?;
        self.transform(operator, span, false)
    }

    fn tree_classifier(&mut self, operator: Operator<'_>, from: Span) -> Result<Value, MlError> {
        let outputs = operator.labels();
        if outputs < 2 {
            return Err(operator.bad("a classifier must have at least two labels"));
        }
        let (span, one_for_two, positive) = self.trees(operator, from, "class", outputs)?;
        if one_for_two && operator.text("post_transform") == Some("SOFTMAX") {
            return Err(operator.bad("post_transform SOFTMAX needs a score for each class"));
        }
        let answer = self.transform(operator, span, positive)?;
        if one_for_two { self.both(&answer) } else { Ok(answer) }
    }
}

/// A number for each of `len` places from one for all, one for each, or none.
fn spread<T: Copy>(operator: Operator<'_>, numbers: &[T], len: usize, default: T) -> Result<Vec<T>, MlError> {
    match numbers {
        [] => Ok(vec![default; len]),
        [one] => Ok(vec![*one; len]),
        _ if numbers.len() == len => Ok(numbers.to_vec()),
        _ => Err(operator.bad(format!("{} numbers do not fit {len} columns", numbers.len()))),
    }
}

/// Whether a shape leaves rows of `len` numbers as they are.
fn keeps_rows(shape: &[f64], len: usize) -> bool {
    match shape {
        [rows, columns] => *rows == -1.0 && (*columns == len as f64 || *columns == -1.0),
        [all] => *all == -1.0 && len == 1,
        _ => false,
    }
}

fn to_f32(number: f64) -> f64 {
    f64::from(number as f32)
}
