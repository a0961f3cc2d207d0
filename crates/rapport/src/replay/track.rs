//! What is on its way: every event from the moment it is sent until the server has answered and its effect has come back.
//!
//! The number of events on their way is limited. That keeps what waits for this reader of the stream below the size at
//! which the server tells a slow reader to look again, so that no effect is lost to haste.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{error::ReplayError, judge::Judge, latency::Spans, source::Message};

/// Events on their way at once.
pub(super) const WINDOW: u32 = 512;

/// Shared by the player, its connections and its reader of the stream.
pub(super) struct Track {
    places: Semaphore,
    inner: Mutex<Inner>,
}

struct Inner {
    open: HashMap<Box<str>, Open>,
    counts: Counts,
    judge: Judge,
    sent_to_push: Spans,
    accept_to_push: Spans,
    last_news: Instant,
    failure: Option<ReplayError>,
}

#[derive(Default)]
struct Open {
    sent: Option<Instant>,
    accepted: Option<Instant>,
    pushed: Option<Instant>,
}

/// Simple sums.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    /// Events that the server answered for.
    pub(super) accepted: u64,
    /// Of these and others of ours, those whose effect came.
    pub(super) pushed: u64,
    /// Score effects that came.
    pub(super) scores: u64,
    /// Requests that were sent again.
    pub(super) retries: u64,
    /// How often the server told this reader to look again.
    pub(super) resyncs: u64,
}

impl Track {
    pub(super) fn new() -> Self {
        let inner = Inner {
            open: HashMap::new(),
            counts: Counts::default(),
            judge: Judge::default(),
            sent_to_push: Spans::default(),
            accept_to_push: Spans::default(),
            last_news: Instant::now(),
            failure: None,
        };
        Self { places: Semaphore::new(WINDOW as usize), inner: Mutex::new(inner) }
    }

    /// Waits until so many more events may be on their way, at most for `patience`; false if that was not enough.
    pub(super) async fn take_places(&self, count: u32, patience: Duration) -> Result<bool, ReplayError> {
        match tokio::time::timeout(patience, self.places.acquire_many(count)).await {
            Ok(Ok(places)) => {
                places.forget();
                Ok(true)
            }
            Ok(Err(_)) => Err(self.failure()),
            Err(_) => Ok(false),
        }
    }

    pub(super) fn give_places(&self, count: u32) {
        self.places.add_permits(count as usize);
    }

    /// An event is handed to a connection; its place was taken.
    pub(super) fn begin(&self, message: &Message) {
        let mut inner = self.inner.lock();
        if message.is_order {
            inner.judge.order(&message.lane.to_string(), &message.id, message.at);
        }
        inner.open.insert(message.id.clone(), Open::default());
    }

    pub(super) fn sent(&self, batch: &[Message]) {
        let (now, mut inner) = (Instant::now(), self.inner.lock());
        for message in batch {
            if let Some(open) = inner.open.get_mut(&message.id) {
                open.sent = Some(now);
            }
        }
    }

    pub(super) fn accepted(&self, batch: &[Message]) {
        let (now, mut inner) = (Instant::now(), self.inner.lock());
        inner.counts.accepted += batch.len() as u64;
        inner.last_news = now;
        for message in batch {
            let Some(open) = inner.open.get_mut(&message.id) else { continue };
            open.accepted = Some(now);
            self.close_if_done(&mut inner, &message.id);
        }
    }

    /// The effect that says that an event was applied came at `now`.
    pub(super) fn applied(&self, cause: &str, customer: &str, now: Instant) {
        let mut inner = self.inner.lock();
        inner.last_news = now;
        inner.judge.applied(cause, customer);
        let Some(open) = inner.open.get_mut(cause) else { return };
        if open.pushed.replace(now).is_none() {
            inner.counts.pushed += 1;
            self.close_if_done(&mut inner, cause);
        }
    }

    pub(super) fn scored(&self, cause: Option<&str>, customer: &str, version: u32, value: f64) {
        let mut inner = self.inner.lock();
        inner.counts.scores += 1;
        inner.judge.scored(cause, customer, version, value);
    }

    fn close_if_done(&self, inner: &mut Inner, id: &str) {
        let Some(Open { sent: Some(sent), accepted: Some(accepted), pushed: Some(pushed) }) = inner.open.get(id) else {
            return;
        };
        let (sent, accepted, pushed) = (*sent, *accepted, *pushed);
        inner.open.remove(id);
        inner.sent_to_push.note(sent, pushed);
        inner.accept_to_push.note(accepted, pushed);
        self.give_places(1);
    }

    /// Lets go of the events whose effect does not come, such as repeats of an earlier replay. Only to be called when
    /// the server has applied everything. False if some are not even answered, or if news came within `quiet`.
    pub(super) fn let_go(&self, quiet: Duration) -> bool {
        let mut inner = self.inner.lock();
        if inner.last_news.elapsed() < quiet || inner.open.values().any(|open| open.accepted.is_none()) {
            return false;
        }
        let count = inner.open.len() as u32;
        inner.open.clear();
        self.give_places(count);
        true
    }

    /// How long nothing was heard.
    pub(super) fn quiet_for(&self) -> Duration {
        self.inner.lock().last_news.elapsed()
    }

    pub(super) fn retried(&self) {
        self.inner.lock().counts.retries += 1;
    }

    pub(super) fn resynced(&self) {
        self.inner.lock().counts.resyncs += 1;
    }

    pub(super) fn in_service(&self, version: u32) {
        self.inner.lock().judge.in_service(version);
    }

    /// Ends the replay: whoever waits for a place gets the first failure.
    pub(super) fn fail(&self, error: ReplayError) {
        self.inner.lock().failure.get_or_insert(error);
        self.places.close();
    }

    /// Why the replay ended. It is handed out once.
    pub(super) fn failure(&self) -> ReplayError {
        self.inner.lock().failure.take().unwrap_or(ReplayError::Interrupted)
    }

    /// Looks at what was gathered.
    pub(super) fn read<T>(&self, look: impl FnOnce(Counts, &Judge, &Spans, &Spans) -> T) -> T {
        let inner = self.inner.lock();
        look(inner.counts, &inner.judge, &inner.sent_to_push, &inner.accept_to_push)
    }
}

#[cfg(test)]
mod tests {
    use rapport_types::{CustomerId, Timestamp};

    use super::*;

    fn message(id: &str) -> Message {
        let lane = CustomerId::User("a".into());
        Message { at: Timestamp(0), lane, id: id.into(), lines: 1, is_order: false, json: Vec::new() }
    }

    #[tokio::test]
    async fn a_place_is_free_when_answer_and_effect_came_in_any_order() {
        let track = Track::new();
        assert!(track.take_places(WINDOW, Duration::ZERO).await.unwrap());
        for id in ["1", "2"] {
            track.begin(&message(id));
        }
        let batch = [message("1"), message("2")];
        track.sent(&batch);
        track.applied("1", "user:a", Instant::now());
        assert!(!track.take_places(1, Duration::ZERO).await.unwrap(), "the answer is not there");
        track.accepted(&batch);
        assert!(track.take_places(1, Duration::ZERO).await.unwrap());
        track.applied("2", "user:a", Instant::now());
        track.applied("2", "user:a", Instant::now());
        track.applied("somebody else's", "user:a", Instant::now());
        assert!(track.take_places(1, Duration::ZERO).await.unwrap());
        assert!(!track.take_places(1, Duration::ZERO).await.unwrap());
        let counts = track.read(|counts, _, _, _| counts);
        assert_eq!((counts.accepted, counts.pushed), (2, 2));
    }

    #[tokio::test]
    async fn repeats_are_let_go_and_unanswered_events_are_not() {
        let track = Track::new();
        track.begin(&message("1"));
        assert!(!track.let_go(Duration::ZERO));
        track.accepted(&[message("1")]);
        assert!(!track.let_go(Duration::from_mins(1)), "there was news just now");
        assert!(track.let_go(Duration::ZERO));
    }

    #[tokio::test]
    async fn the_first_failure_ends_the_waiting() {
        let track = Track::new();
        track.fail(ReplayError::Key { which: "write" });
        track.fail(ReplayError::Interrupted);
        let error = track.take_places(1, Duration::from_mins(1)).await.unwrap_err();
        assert!(matches!(error, ReplayError::Key { .. }), "{error}");
    }
}
