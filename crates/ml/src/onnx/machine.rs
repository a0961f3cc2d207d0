//! Support vector machines for two classes with probabilities (`SVMClassifier`). Libsvm and onnxruntime find
//! the probabilities of two classes by an iteration that ends within 0.005 of them; here they are computed.

use super::read::Operator;
use crate::MlError;
use crate::linear::sigmoid;

/// A machine whose score is turned into a probability (Platt: Probabilistic outputs for support vector machines, 1999).
#[derive(Debug, Clone)]
pub(super) struct Machine {
    kernel: Kernel,
    /// Vectors of as many numbers as the machine takes, one after the other.
    vectors: Vec<f64>,
    coefficients: Vec<f64>,
    rho: f64,
    slope: f64,
    offset: f64,
}

#[derive(Debug, Clone, Copy)]
enum Kernel {
    Linear,
    /// Radial basis functions, with gamma.
    Radial(f64),
}

impl Machine {
    /// Reads the operator for rows of `columns` numbers.
    pub(super) fn new(operator: Operator<'_>, columns: usize) -> Result<Self, MlError> {
        let kernel = match (operator.text("kernel_type"), operator.floats("kernel_params")) {
            (None | Some("LINEAR"), _) => Kernel::Linear,
            (Some("RBF"), [gamma, ..]) => Kernel::Radial(f64::from(*gamma)),
            (other, _) => return Err(operator.bad(format!("kernel {other:?} is not supported; LINEAR and RBF are"))),
        };
        let [slope, offset, rho] = ["prob_a", "prob_b", "rho"].map(|name| match operator.floats(name) {
            [one] => Some(f64::from(*one)),
            _ => None,
        });
        let (Some(slope), Some(offset), Some(rho), 2) = (slope, offset, rho, operator.labels()) else {
            return Err(operator.bad("only two classes with probabilities are supported (prob_a, prob_b, rho)"));
        };
        let vectors = operator.numbers("support_vectors")?;
        let coefficients = operator.numbers("coefficients")?;
        if vectors.len() != coefficients.len() * columns {
            let (vectors, coefficients) = (vectors.len(), coefficients.len());
            return Err(operator.bad(format!("{vectors} numbers do not make {coefficients} vectors of {columns}")));
        }
        Ok(Self { kernel, vectors, coefficients, rho, slope, offset })
    }

    /// The probabilities of both classes.
    pub(super) fn answer(&self, row: &[f64]) -> [f64; 2] {
        let score: f64 = self
            .vectors
            .chunks_exact(row.len())
            .zip(&self.coefficients)
            .map(|(vector, coefficient)| coefficient * self.kernel.of(vector, row))
            .sum();
        let second = sigmoid(self.slope * (score + self.rho) + self.offset);
        [1.0 - second, second]
    }
}

impl Kernel {
    fn of(self, a: &[f64], b: &[f64]) -> f64 {
        let pairs = a.iter().zip(b);
        match self {
            Self::Linear => pairs.map(|(a, b)| a * b).sum(),
            Self::Radial(gamma) => (-gamma * pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f64>()).exp(),
        }
    }
}
