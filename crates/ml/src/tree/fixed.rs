//! Two sums in one 64-bit integer: what histograms of trees add up.
//!
//! A pair (a signed amount, an amount from 0) becomes `first · 2³² + second`, both as whole multiples of a power of two that
//! is chosen so that the sum over all rows stays below 2³⁰. One integer addition then adds both. Sums of whole numbers do not
//! depend on their order, so neither the number of threads nor the subtraction of histograms changes a tree. Counts and
//! other small whole numbers are exact; others are rounded to about 2⁻³⁰ of the sum of all rows, the idea of quantised
//! training (Shi et al.: Quantized training of gradient boosting decision trees, 2022) with far more levels than it needs.

/// The units of the two amounts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fixed {
    scale: [f64; 2],
    /// What one unit of each amount stands for.
    pub(super) unit: [f64; 2],
}

/// A number whose addition leaves the nearest whole number in the low bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;

impl Fixed {
    /// Units for amounts whose absolute values add up to `totals`.
    pub(super) fn new(totals: [f64; 2]) -> Self {
        let exponent = totals.map(|total| {
            let exponent = ((total.to_bits() >> 52) & 0x7ff) as i32 - 1023;
            (29 - exponent).clamp(-1000, 1000)
        });
        Self { scale: exponent.map(|e| 2_f64.powi(e)), unit: exponent.map(|e| 2_f64.powi(-e)) }
    }

    /// A pair as one number.
    #[inline]
    pub(super) fn pack(&self, first: f64, second: f64) -> u64 {
        let first = (first * self.scale[0] + ROUND).to_bits() << 32;
        let second = (second * self.scale[1] + ROUND).to_bits() & 0xffff_ffff;
        first.wrapping_add(second)
    }

    /// The pair of a sum.
    #[inline]
    pub(super) fn unpack(&self, sum: u64) -> (f64, f64) {
        let (first, second) = halves(sum);
        (f64::from(first) * self.unit[0], f64::from(second) * self.unit[1])
    }
}

/// The two sums in units.
#[inline]
pub(super) fn halves(sum: u64) -> (i32, i32) {
    ((sum >> 32) as i32, sum as i32)
}
