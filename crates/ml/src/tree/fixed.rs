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

#[cfg(test)]
mod tests {
    use proptest::prelude::prop;

    use super::*;

    proptest::proptest! {
        #[test]
        fn sums_are_right_in_any_order_and_can_be_taken_apart(
            pairs in prop::collection::vec((-1e3..1e3_f64, 0.0..10.0_f64), 1..500),
            cut in 0..500_usize,
        ) {
            let totals = pairs.iter().fold([0.0, 0.0], |[a, b], (first, second)| [a + first.abs(), b + second]);
            let fixed = Fixed::new(totals);
            let sum = |pairs: &[(f64, f64)]| pairs.iter().fold(0_u64, |sum, (a, b)| sum.wrapping_add(fixed.pack(*a, *b)));
            let all = sum(&pairs);
            let (part, rest) = pairs.split_at(cut.min(pairs.len()));
            assert_eq!(all.wrapping_sub(sum(part)), sum(rest));
            let (first, second) = fixed.unpack(sum(rest));
            let exact = rest.iter().fold((0.0, 0.0), |(a, b), (first, second)| (a + first, b + second));
            let rounding = |total: f64| total * 2e-9 * pairs.len() as f64;
            assert!((first - exact.0).abs() <= rounding(totals[0]), "{first} {exact:?}");
            assert!((second - exact.1).abs() <= rounding(totals[1]), "{second} {exact:?}");
        }
    }

    #[test]
    fn counts_are_exact() {
        let fixed = Fixed::new([1_000_000.0, 1_000_000.0]);
        let sum = (0..1_000_000).fold(0_u64, |sum, row| sum.wrapping_add(fixed.pack(f64::from(row % 2), 1.0)));
        assert_eq!(fixed.unpack(sum), (500_000.0, 1_000_000.0));
        let none = Fixed::new([0.0, 0.0]);
        assert_eq!(none.unpack(none.pack(0.0, 0.0)), (0.0, 0.0));
    }
}
