//! The logistic function of serving.
//!
//! Not by the system's exponential, which answers one number at a time, and not on every system to the same last bit. This is
//! additions, multiplications and one division, so that the compiler makes vector instructions of it and all machines agree.

#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the instructions that were found")]

use std::f64::consts::LOG2_E;

/// The logarithm of 2 in two parts, the first of which has zeros at its end: its products with small whole numbers are exact.
const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
/// A number whose addition leaves the nearest whole number in the low bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// What is less is taken as this, whose exponential is 3·10⁻³⁰⁸.
const LEAST: f64 = -708.0;
/// Remez's polynomial for (r·(eʳ + 1)/(eʳ - 1) - 2)/r² over r², up to half of ln 2 with an error below 2⁻⁵⁹ (Sun's fdlibm, 1993).
const SERIES: [f64; 5] = [
    0.166_666_666_666_666_02,
    -2.777_777_777_701_559_3e-3,
    6.613_756_321_437_934e-5,
    -1.653_390_220_546_525_2e-6,
    4.138_136_797_057_238_5e-8,
];

/// 1/(1 + exp(-margin)), as right as by the exponential itself: to three units in the last place.
#[inline(always)]
pub(crate) fn sigmoid(margin: f64) -> f64 {
    // The exponential of a number that is not positive cannot overflow. NaN stays NaN.
    let power = -margin.abs();
    let power = if power < LEAST { LEAST } else { power };
    // It is 2ⁿ·eʳ with r at most half of ln 2 away from 0 (Cody, Waite: Software manual for the elementary functions, 1980).
    let rounded = power * LOG2_E + ROUND;
    let whole = rounded - ROUND;
    let r = (power - whole * LN_2[0]) - whole * LN_2[1];
    let two_to_n = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1.0_f64.to_bits()));
    // eʳ is (even + r)/(even - r).
    let (square, fourth) = (r * r, (r * r) * (r * r));
    let even = 2.0
        + square
            * ((SERIES[0] + square * SERIES[1]) + fourth * ((SERIES[2] + square * SERIES[3]) + fourth * SERIES[4]));
    let (small, one) = (two_to_n * (even + r), even - r);
    (if margin >= 0.0 { one } else { small }) / (one + small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_right_as_by_the_exponential() {
        for step in 0..400_000_u32 {
            // Denser near 0.
            let margin = 720.0 * (f64::from(step) / 2e5 - 1.0).powi(3);
            let small = (-margin.abs()).exp();
            let expected = if margin >= 0.0 { 1.0 } else { small } / (1.0 + small);
            let apart = sigmoid(margin).to_bits().abs_diff(expected.to_bits());
            assert!(apart <= 4 || margin < LEAST, "{margin}: {} instead of {expected}", sigmoid(margin));
        }
    }

    #[test]
    fn it_rises_from_0_to_1_and_keeps_what_is_no_number() {
        assert_eq!([0.0, -0.0].map(sigmoid), [0.5, 0.5]);
        for margin in [0.3, 1.0, 5.0, 36.0, 700.0, 708.5, 1e9, f64::MAX, f64::INFINITY] {
            let (yes, no) = (sigmoid(margin), sigmoid(-margin));
            assert!((yes + no - 1.0).abs() < 1e-15 && yes > 0.5 && no > 0.0 && no < 0.5, "{margin}: {yes} and {no}");
        }
        assert!(sigmoid(f64::NAN).is_nan());
    }
}
