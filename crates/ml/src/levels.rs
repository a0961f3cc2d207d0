//! For tests of batches: all kinds of instructions that this machine has. Answers must not depend on them.

use fearless_simd::Level;
#[cfg(target_arch = "x86_64")]
use fearless_simd::Simd;

/// First what every machine of its kind has, last the best that was found.
pub(crate) fn levels() -> Vec<Level> {
    let found = Level::new();
    let mut levels = vec![Level::baseline()];
    #[cfg(target_arch = "x86_64")]
    {
        levels.extend(found.as_sse4_2().map(Simd::level));
        levels.extend(found.as_avx2().map(Simd::level));
    }
    levels.push(found);
    levels
}
