//! What the machine itself can do: the disk's sync, and appending with it.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::error::BenchError;

/// Times in microseconds, up to a minute.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(60_000_000, 3).expect("the bounds are in order")
}

/// Milliseconds at a quantile.
pub(crate) fn at(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1e3
}

/// How long fdatasync takes after an append of 4 KiB.
pub(crate) fn sync(folder: &Path, rounds: usize) -> Result<Histogram<u64>, BenchError> {
    let mut file = File::create(folder.join("sync"))?;
    let mut times = histogram();
    for _ in 0..rounds {
        file.write_all(&[7; 4_096])?;
        let begun = Instant::now();
        file.sync_data()?;
        times.saturating_record(begun.elapsed().as_micros() as u64);
    }
    Ok(times)
}

/// How many entries of `bytes` a second can be appended when every `group` of them are synced.
pub(crate) fn append(folder: &Path, group: usize, bytes: usize, time: Duration) -> Result<f64, BenchError> {
    let mut file = File::create(folder.join("append"))?;
    let chunk = vec![7; group * bytes];
    let (begun, mut entries) = (Instant::now(), 0);
    while begun.elapsed() < time {
        file.write_all(&chunk)?;
        file.sync_data()?;
        entries += group;
    }
    Ok(entries as f64 / begun.elapsed().as_secs_f64())
}
