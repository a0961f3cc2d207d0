//! What the tests of trainings share.

use rapport_learn::{Data, LearnError, Threads, TrainOptions, Trained, Watch, train};

/// A training that nobody watches and nobody ends, by these threads.
pub(crate) fn trained_by(threads: Threads, data: &Data, options: &TrainOptions) -> Result<Trained, LearnError> {
    let mut watch =
        Watch { parallel: &threads, enough: &|| false, stopped: &|| false, clock: &|| 0.0, progress: &mut |_| {} };
    train(data, options, &mut watch)
}
