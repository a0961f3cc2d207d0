//! Trainings under way and the newest that ended, told to whoever watches. In memory only: after a restart there are none,
//! and the registry tells what came of them.
//!
//! Invariants: at most one job runs; a job that ended stays as it is.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use rapport_server::{
    api::{BestSoFar, Job, JobState, JobStep},
    ports::Refusal,
};
use rapport_types::Timestamp;
use tokio::sync::watch;

/// How many jobs are remembered.
const KEPT: usize = 100;

/// All jobs.
#[derive(Debug, Default)]
pub(in crate::serve) struct Jobs {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    newest: u64,
    /// By their number.
    known: BTreeMap<u64, Known>,
    closed: bool,
}

#[derive(Debug)]
struct Known {
    told: watch::Sender<Job>,
    cancelled: bool,
}

impl Known {
    fn is_running(&self) -> bool {
        self.told.borrow().state == JobState::Running
    }
}

impl Jobs {
    /// Begins a job; refused while another runs.
    pub(super) fn begin(self: &Arc<Self>, score: &str, at: Timestamp) -> Result<Work, Refusal> {
        let mut inner = self.inner.lock();
        if inner.closed {
            return Err(Refusal::Unavailable("the server is about to stop".to_owned()));
        }
        if inner.known.values().any(Known::is_running) {
            return Err(Refusal::Conflict("a training is under way; wait for it to end, or cancel it".to_owned()));
        }
        inner.newest += 1;
        let id = inner.newest;
        let job = Job {
            id: id.to_string(),
            score: score.to_owned(),
            started_at: at,
            state: JobState::Running,
            progress: 0.0,
            step: JobStep::Replaying,
            best: None,
            trials: 0,
            version: None,
            error: None,
        };
        inner.known.insert(id, Known { told: watch::Sender::new(job), cancelled: false });
        while inner.known.len() > KEPT {
            inner.known.pop_first();
        }
        drop(inner);
        Ok(Work { jobs: Arc::clone(self), id, is_told: true })
    }

    /// A job as it is and will be.
    pub(super) fn watch(&self, id: &str) -> Option<watch::Receiver<Job>> {
        self.inner.lock().known.get(&id.parse().ok()?).map(|known| known.told.subscribe())
    }

    /// The newest first.
    pub(super) fn list(&self) -> Vec<Job> {
        self.inner.lock().known.values().rev().map(|known| known.told.borrow().clone()).collect()
    }

    /// Asks a job to end. One that has ended needs nothing.
    pub(super) fn cancel(&self, id: &str) -> Result<(), Refusal> {
        let mut inner = self.inner.lock();
        let known = id.parse().ok().and_then(|id: u64| inner.known.get_mut(&id));
        known.ok_or_else(|| Refusal::NotFound("there is no such job".to_owned()))?.cancelled = true;
        Ok(())
    }

    /// Ends what watches, and asks every job to end: the server stops.
    pub(in crate::serve) fn close(&self) {
        let mut inner = self.inner.lock();
        inner.closed = true;
        inner.known.clear();
    }
}

/// A job's own side of it.
#[derive(Debug)]
pub(super) struct Work {
    jobs: Arc<Jobs>,
    id: u64,
    is_told: bool,
}

impl Work {
    pub(super) fn id(&self) -> String {
        self.id.to_string()
    }

    /// The same job, for a part of it of which nothing is told.
    pub(super) fn quietly(&self) -> Self {
        Self { jobs: Arc::clone(&self.jobs), id: self.id, is_told: false }
    }

    /// Whether somebody wants it to end.
    pub(super) fn is_cancelled(&self) -> bool {
        // A job that is not known any more is one that outlived its server.
        self.jobs.inner.lock().known.get(&self.id).is_none_or(|known| known.cancelled)
    }

    /// Whether its server has stopped.
    pub(super) fn is_forgotten(&self) -> bool {
        !self.jobs.inner.lock().known.contains_key(&self.id)
    }

    fn tell(&self, change: impl FnOnce(&mut Job)) {
        if self.is_told
            && let Some(known) = self.jobs.inner.lock().known.get(&self.id)
        {
            known.told.send_modify(change);
        }
    }

    /// From 0 to 1; it never goes back.
    pub(super) fn progress(&self, share: f64) {
        self.tell(|job| job.progress = job.progress.max(share));
    }

    pub(super) fn step(&self, step: JobStep) {
        self.tell(|job| job.step = step);
    }

    /// A model was tried, and this is the best of all up to now.
    pub(super) fn tried(&self, best: BestSoFar) {
        self.tell(|job| (job.best, job.trials) = (Some(best), job.trials + 1));
    }

    /// It ended: with a version, without a model because somebody wanted that, or with an error.
    pub(super) fn end(&self, outcome: Result<Option<u32>, String>) {
        self.tell(|job| {
            job.step = JobStep::Ended;
            match outcome {
                Ok(Some(version)) => (job.state, job.progress, job.version) = (JobState::Done, 1.0, Some(version)),
                Ok(None) => job.state = JobState::Cancelled,
                Err(error) => (job.state, job.error) = (JobState::Failed, Some(error)),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_job_runs_at_a_time_and_the_newest_are_remembered() {
        let jobs: Arc<Jobs> = Arc::default();
        for n in 1..=KEPT as u64 + 5 {
            let work = jobs.begin("s", Timestamp(n as i64)).unwrap();
            assert_eq!(work.id(), n.to_string());
            assert!(matches!(jobs.begin("s", Timestamp(0)), Err(Refusal::Conflict(_))));
            work.end(Ok(Some(n as u32)));
        }
        let told = jobs.list();
        assert_eq!((told.len(), told[0].version, told[KEPT - 1].version), (KEPT, Some(105), Some(6)));
        assert!(jobs.watch("5").is_none() && jobs.watch("x").is_none() && jobs.watch("6").is_some());
    }

    #[test]
    fn what_a_job_says_of_itself_is_told() {
        let jobs: Arc<Jobs> = Arc::default();
        let work = jobs.begin("s", Timestamp(1)).unwrap();
        work.progress(0.5);
        work.progress(0.2);
        work.step(JobStep::Fitting);
        let best = BestSoFar { algorithm: "a".to_owned(), metric: "log_loss".to_owned(), value: 0.5 };
        work.tried(best.clone());
        work.tried(best.clone());
        let quiet = work.quietly();
        quiet.progress(0.9);
        quiet.tried(best.clone());
        let job = jobs.watch("1").unwrap().borrow().clone();
        assert_eq!((job.progress, job.step, job.trials, job.best), (0.5, JobStep::Fitting, 2, Some(best)));
        work.end(Err("no rows".to_owned()));
        let job = jobs.watch("1").unwrap().borrow().clone();
        assert_eq!((job.state, job.step, job.error.as_deref()), (JobState::Failed, JobStep::Ended, Some("no rows")));
    }

    #[test]
    fn a_stop_cancels_and_lets_the_watchers_go() {
        let jobs: Arc<Jobs> = Arc::default();
        let work = jobs.begin("s", Timestamp(1)).unwrap();
        assert!(!work.is_cancelled() && !work.quietly().is_cancelled());
        let watching = jobs.watch("1").unwrap();
        jobs.close();
        assert!(work.is_cancelled() && watching.has_changed().is_err());
        assert!(matches!(jobs.begin("s", Timestamp(0)), Err(Refusal::Unavailable(_))));
        assert!(matches!(jobs.cancel("1"), Err(Refusal::NotFound(_))));
    }
}
