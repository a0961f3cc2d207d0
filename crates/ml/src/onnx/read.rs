//! Parts of an ONNX file as Rust values: attributes of an operator, numbers of a tensor. Each has the type that it should
//! have, or is refused with a sentence.

use super::proto::{AttributeProto, BOOL, DOUBLE, FLOAT, INT32, INT64, NodeProto, TensorProto};
use crate::MlError;

/// The user's file is at fault.
pub(super) fn bad(what: impl std::fmt::Display) -> MlError {
    MlError::Onnx(what.to_string())
}

/// An operator with its attributes.
#[derive(Clone, Copy)]
pub(super) struct Operator<'a>(pub(super) &'a NodeProto);

impl<'a> Operator<'a> {
    /// An error that names the operator.
    pub(super) fn bad(self, what: impl std::fmt::Display) -> MlError {
        bad(format!("{}: {what}", self.0.op_type))
    }

    fn attribute(self, name: &str) -> Option<&'a AttributeProto> {
        self.0.attribute.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn float(self, name: &str) -> Option<f32> {
        self.attribute(name).map(|attribute| attribute.f.unwrap_or_default())
    }

    pub(super) fn int(self, name: &str) -> Option<i64> {
        self.attribute(name).map(|attribute| attribute.i.unwrap_or_default())
    }

    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        std::str::from_utf8(self.attribute(name)?.s.as_deref()?).ok()
    }

    pub(super) fn ints(self, name: &str) -> &'a [i64] {
        self.attribute(name).map_or(&[], |attribute| &attribute.ints)
    }

    pub(super) fn texts(self, name: &str) -> &'a [Vec<u8>] {
        self.attribute(name).map_or(&[], |attribute| &attribute.strings)
    }

    pub(super) fn floats(self, name: &str) -> &'a [f32] {
        self.attribute(name).map_or(&[], |attribute| &attribute.floats)
    }

    /// Numbers that stand in a list or, in double precision, in a tensor with `_as_tensor` behind its name.
    pub(super) fn numbers(self, name: &str) -> Result<Vec<f64>, MlError> {
        let tensor = self.attribute(&format!("{name}_as_tensor")).and_then(|attribute| attribute.t.as_ref());
        match tensor {
            Some(tensor) => numbers(tensor),
            None => Ok(self.floats(name).iter().map(|number| f64::from(*number)).collect()),
        }
    }

    /// How many labels a classifier has.
    pub(super) fn labels(self) -> usize {
        let of_ints = self.ints("classlabels_int64s").len().max(self.ints("classlabels_ints").len());
        of_ints.max(self.texts("classlabels_strings").len())
    }
}

/// The numbers of a tensor, of whatever type.
pub(super) fn numbers(tensor: &TensorProto) -> Result<Vec<f64>, MlError> {
    let name = &tensor.name;
    if tensor.data_location != 0 {
        return Err(bad(format!("tensor {name} is in a file of its own; put everything into one file")));
    }
    let raw = &tensor.raw_data;
    let numbers: Vec<f64> = match tensor.data_type {
        FLOAT if raw.is_empty() => tensor.float_data.iter().map(|number| f64::from(*number)).collect(),
        FLOAT => raw.as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect(),
        DOUBLE if raw.is_empty() => tensor.double_data.clone(),
        DOUBLE => raw.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
        INT64 if raw.is_empty() => tensor.int64_data.iter().map(|number| *number as f64).collect(),
        INT64 => raw.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes) as f64).collect(),
        INT32 | BOOL if raw.is_empty() => tensor.int32_data.iter().map(|number| f64::from(*number)).collect(),
        INT32 => raw.as_chunks().0.iter().map(|bytes| f64::from(i32::from_le_bytes(*bytes))).collect(),
        other => return Err(bad(format!("tensor {name} has elements of type {other}, which are no numbers"))),
    };
    let expected = tensor.dims.iter().try_fold(1_i64, |all, dim| all.checked_mul(*dim));
    if expected != Some(numbers.len() as i64) {
        return Err(bad(format!("tensor {name} should have {:?} numbers and has {}", tensor.dims, numbers.len())));
    }
    Ok(numbers)
}
