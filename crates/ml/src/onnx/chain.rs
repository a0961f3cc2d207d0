//! A model from elsewhere, ready to answer: a few steps over one short list of numbers.

use super::machine::Machine;
use crate::linear::sigmoid;
use crate::tree::FlatTrees;
use crate::{Predict, Task};

/// How many numbers the inputs and all steps may have together; they stand on the stack.
pub(super) const MOST_NUMBERS: usize = 4096;
/// Most models need no more than this.
const FEW_NUMBERS: usize = 256;

/// A model that was read from an ONNX file.
#[derive(Debug, Clone)]
pub struct Foreign {
    pub(super) columns: usize,
    pub(super) task: Task,
    pub(super) numbers: usize,
    pub(super) steps: Vec<Step>,
    /// Where the answer stands after the last step.
    pub(super) answer: Span,
}

/// Some neighbouring numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) len: usize,
}

/// Makes numbers from others that stand before them.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) from: Span,
    pub(super) to: Span,
    pub(super) action: Action,
}

/// What a step does; as the operators of ONNX do it, in `f32` where rounding could send a row to another leaf.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// Takes numbers from these places of the whole list.
    Take(Vec<usize>),
    /// `(x - offset) * scale` in `f32`.
    Scale { offset: Vec<f32>, scale: Vec<f32> },
    /// `x * factor + summand`.
    Affine { factor: Vec<f64>, summand: Vec<f64> },
    /// `divisor / x`.
    Invert(Vec<f64>),
    /// A value that is missing becomes the column's.
    Impute { missing: f32, values: Vec<f64> },
    /// For each number a 1 at the place of its category, 0 elsewhere.
    OneHot(Vec<f64>),
    /// For each output the weights of all numbers, then what is added.
    Dense { weights: Vec<f64>, bias: Vec<f64> },
    /// Each number by itself.
    Each(fn(f64) -> f64),
    /// Exponents, divided by their sum.
    Softmax,
    /// Divides by the sum of absolute values.
    NormaliseL1,
    /// Divides by the Euclidean length.
    NormaliseL2,
    /// The numbers, then for each of these columns the place of its number in a sorted list; the list's length if it is not
    /// there.
    Codes(Vec<(usize, Vec<f32>)>),
    /// Sums over trees.
    Trees(Box<FlatTrees>),
    /// The probabilities of a support vector machine.
    Machine(Box<Machine>),
}

impl Foreign {
    /// How many columns a row has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// What the model predicts. With two classes the one output is the probability of the second.
    pub fn task(&self) -> Task {
        self.task
    }

    fn run<const N: usize>(&self, row: &[f64], out: &mut [f64]) {
        let mut numbers = [0.0; N];
        numbers[..self.columns].copy_from_slice(&row[..self.columns]);
        for step in &self.steps {
            let (before, after) = numbers.split_at_mut(step.to.start);
            step.action.run(before, &before[step.from.start..][..step.from.len], &mut after[..step.to.len]);
        }
        out.copy_from_slice(&numbers[self.answer.start..][..self.answer.len]);
    }
}

impl Predict for Foreign {
    fn outputs(&self) -> usize {
        self.answer.len
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        if self.numbers <= FEW_NUMBERS {
            self.run::<FEW_NUMBERS>(row, out);
        } else {
            self.run::<MOST_NUMBERS>(row, out);
        }
    }
}

impl Action {
    fn run(&self, all: &[f64], from: &[f64], to: &mut [f64]) {
        match self {
            Self::Take(places) => to.iter_mut().zip(places).for_each(|(to, place)| *to = all[*place]),
            Self::Scale { offset, scale } => {
                for (((to, from), offset), scale) in to.iter_mut().zip(from).zip(offset).zip(scale) {
                    *to = f64::from((*from as f32 - offset) * scale);
                }
            }
            Self::Affine { factor, summand } => {
                for (((to, from), factor), summand) in to.iter_mut().zip(from).zip(factor).zip(summand) {
                    *to = from * factor + summand;
                }
            }
            Self::Invert(divisor) => {
                to.iter_mut().zip(from).zip(divisor).for_each(|((to, from), divisor)| *to = divisor / from);
            }
            Self::Impute { missing, values } => {
                for ((to, from), value) in to.iter_mut().zip(from).zip(values) {
                    let gone = if missing.is_nan() { from.is_nan() } else { *from as f32 == *missing };
                    *to = if gone { *value } else { *from };
                }
            }
            Self::OneHot(categories) => {
                for (to, from) in to.chunks_exact_mut(categories.len()).zip(from) {
                    to.iter_mut()
                        .zip(categories)
                        .for_each(|(to, category)| *to = f64::from(u8::from(from == category)));
                }
            }
            Self::Dense { weights, bias } => {
                for ((to, weights), bias) in to.iter_mut().zip(weights.chunks_exact(from.len())).zip(bias) {
                    *to = weights.iter().zip(from).map(|(weight, from)| weight * from).sum::<f64>() + bias;
                }
            }
            Self::Each(function) => to.iter_mut().zip(from).for_each(|(to, from)| *to = function(*from)),
            Self::Softmax => {
                let most = from.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                to.iter_mut().zip(from).for_each(|(to, from)| *to = (from - most).exp());
                let sum: f64 = to.iter().sum();
                to.iter_mut().for_each(|to| *to /= sum);
            }
            Self::NormaliseL1 => divide(from, to, from.iter().map(|from| from.abs()).sum()),
            Self::NormaliseL2 => divide(from, to, from.iter().map(|from| from * from).sum::<f64>().sqrt()),
            Self::Codes(columns) => {
                let (same, codes) = to.split_at_mut(from.len());
                same.copy_from_slice(from);
                for (code, (column, values)) in codes.iter_mut().zip(columns) {
                    *code = code_of(from[*column] as f32, values);
                }
            }
            Self::Trees(trees) => trees.sums(from, to),
            Self::Machine(machine) => to.copy_from_slice(&machine.answer(from)),
        }
    }
}

fn divide(from: &[f64], to: &mut [f64], by: f64) {
    let by = if by == 0.0 { 1.0 } else { by };
    to.iter_mut().zip(from).for_each(|(to, from)| *to = from / by);
}

fn code_of(value: f32, values: &[f32]) -> f64 {
    if value.is_nan() {
        return f64::NAN;
    }
    // Zeros of both signs are one value.
    values.binary_search_by(|known| known.total_cmp(&(value + 0.0))).unwrap_or(values.len()) as f64
}

/// The functions of [`Action::Each`], by the operators' names.
pub(super) fn each(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "Sigmoid" => sigmoid,
        "Relu" => |x| if x < 0.0 { 0.0 } else { x },
        "Tanh" => f64::tanh,
        "Exp" => f64::exp,
        _ => return None,
    })
}
