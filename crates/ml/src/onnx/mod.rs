//! Models from and for other programs, as ONNX files.
//!
//! Reading: the classical models that skl2onnx and onnxmltools write (preprocessing, linear models, trees, support vectors, small
//! networks)
//! become a [`Foreign`] that answers in microseconds. It is no ONNX runtime: it knows rows of numbers, not tensors, and an
//! operator outside its list is refused by name. Writing: linear models and trees, from plain parts.
//!
//! A file may come from anybody. Its size, the number of its parts and all that is made of them have limits, and whatever is
//! wrong is an error.

mod chain;
mod export;
mod import;
mod machine;
mod proto;
mod read;
mod scan;
mod trees;

use prost::Message;

pub use chain::Foreign;
pub use export::{Ending, Linear, export_linear, export_trees};

use crate::MlError;

/// The largest file that is read: 64 MiB.
pub const MAX_BYTES: usize = 64 << 20;

/// What an error tells of what would have been possible.
const SUPPORTED: &str = "supported are Scaler, Imputer, Normalizer, OneHotEncoder, Cast, Concat, Gather, \
    ArrayFeatureExtractor, Identity, Reshape, Flatten, ZipMap, LinearClassifier, LinearRegressor, \
    TreeEnsembleClassifier, TreeEnsembleRegressor, SVMClassifier, MatMul, Gemm, Add, Sub, Mul, Div, Sigmoid, Softmax, Relu, Tanh, Exp";

impl Foreign {
    /// Reads an ONNX file.
    ///
    /// # Errors
    ///
    /// [`MlError::Onnx`] if the bytes are no ONNX model, are beyond a limit, or the answer needs what is not supported; the
    /// text names the operator.
    pub fn from_onnx(bytes: &[u8]) -> Result<Self, MlError> {
        if bytes.len() > MAX_BYTES {
            return Err(read::bad(format!("the file has {} bytes; {MAX_BYTES} are the most", bytes.len())));
        }
        scan::check(bytes)?;
        let model = proto::ModelProto::decode(bytes).map_err(|error| read::bad(format!("no ONNX model: {error}")))?;
        let graph = model.graph.ok_or_else(|| read::bad("no ONNX model: it has no graph"))?;
        import::import(&graph)
    }
}
