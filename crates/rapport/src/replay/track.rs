//! What is on its way: every event from the moment it is sent until the server has answered and its effect has come back.
//!
//! What is on its way is limited by what it will bring on the stream: an event takes as much room as events lately brought
//! in bytes of effects, those of timers included that the passing of time set off. That keeps what waits for this reader
//! below the 1 MiB at which the server tells a slow reader to look again, so that no effect is lost to haste.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{error::ReplayError, judge::Judge, latency::Spans, source::Message};

/// Events on their way at once, at most.
pub(super) const WINDOW: u32 = 512;
/// Bytes of effects that the events on their way may bring: half of what the server lets wait for a reader.
pub(super) const ROOM: u32 = 512 * 1024;
/// The least and the most that an event is thought to bring.
const COST: std::ops::RangeInclusive<f64> = (ROOM / WINDOW) as f64..=16_384.0;
/// With a new model the passing of time moves many scores. Until it is seen how many, this is thought of an event.
const FIRST_COST_IN_SERVICE: f64 = 8_192.0;
/// Over about so many events it is seen what an event brings.
const SEEN_OVER: f64 = 256.0;

/// Shared by the player, its connections and its reader of the stream.
pub(super) struct Track {
    room: Semaphore,
    inner: Mutex<Inner>,
}

struct Inner {
    open: HashMap<Box<str>, Open>,
    counts: Counts,
    judge: Judge,
    sent_to_push: Spans,
    accept_to_push: Spans,
    brought: Brought,
    last_news: Instant,
    failure: Option<ReplayError>,
}

/// What events lately brought on the stream; the past fades.
struct Brought {
    bytes: f64,
    events: f64,
}

impl Brought {
    fn event(&mut self) {
        self.events += 1.0;
        if self.events >= SEEN_OVER {
            (self.bytes, self.events) = (self.bytes / 2.0, self.events / 2.0);
        }
    }

    /// How much room the next event takes.
    fn cost(&self) -> u32 {
        (self.bytes / self.events.max(1.0)).clamp(*COST.start(), *COST.end()) as u32
    }
}

#[derive(Default)]
struct Open {
    room: u32,
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
            brought: Brought { bytes: 0.0, events: 0.0 },
            last_news: Instant::now(),
            failure: None,
        };
        Self { room: Semaphore::new(ROOM as usize), inner: Mutex::new(inner) }
    }

    /// How much room the next event takes.
    pub(super) fn cost(&self) -> u32 {
        self.inner.lock().brought.cost()
    }

    /// Waits for room, at most for `patience`; false if that was not enough.
    pub(super) async fn take_room(&self, bytes: u32, patience: Duration) -> Result<bool, ReplayError> {
        match tokio::time::timeout(patience, self.room.acquire_many(bytes)).await {
            Ok(Ok(room)) => {
                room.forget();
                Ok(true)
            }
            Ok(Err(_)) => Err(self.failure()),
            Err(_) => Ok(false),
        }
    }

    pub(super) fn give_room(&self, bytes: u32) {
        self.room.add_permits(bytes as usize);
    }

    /// An event is handed to a connection; its room was taken.
    pub(super) fn begin(&self, message: &Message, room: u32) {
        let mut inner = self.inner.lock();
        if message.is_order {
            inner.judge.order(&message.lane.to_string(), &message.id, message.at);
        }
        inner.open.insert(message.id.clone(), Open { room, ..Open::default() });
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
        inner.brought.event();
        inner.judge.applied(cause, customer);
        let Some(open) = inner.open.get_mut(cause) else { return };
        if open.pushed.replace(now).is_none() {
            inner.counts.pushed += 1;
            self.close_if_done(&mut inner, cause);
        }
    }

    /// So many bytes came on the stream.
    pub(super) fn brought(&self, bytes: usize) {
        self.inner.lock().brought.bytes += bytes as f64;
    }

    pub(super) fn scored(&self, cause: Option<&str>, customer: &str, version: u32, value: f64) {
        let mut inner = self.inner.lock();
        inner.counts.scores += 1;
        inner.judge.scored(cause, customer, version, value);
    }

    fn close_if_done(&self, inner: &mut Inner, id: &str) {
        let Some(Open { room, sent: Some(sent), accepted: Some(accepted), pushed: Some(pushed) }) = inner.open.get(id)
        else {
            return;
        };
        let (room, sent, accepted, pushed) = (*room, *sent, *accepted, *pushed);
        inner.open.remove(id);
        inner.sent_to_push.note(sent, pushed);
        inner.accept_to_push.note(accepted, pushed);
        self.give_room(room);
    }

    /// Lets go of the events whose effect does not come, such as repeats of an earlier replay. Only to be called when
    /// the server has applied everything. False if some are not even answered, or if news came within `quiet`.
    pub(super) fn let_go(&self, quiet: Duration) -> bool {
        let mut inner = self.inner.lock();
        if inner.last_news.elapsed() < quiet || inner.open.values().any(|open| open.accepted.is_none()) {
            return false;
        }
        let room = inner.open.drain().map(|(_, open)| open.room).sum();
        self.give_room(room);
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
        let mut inner = self.inner.lock();
        inner.judge.in_service(version);
        inner.brought = Brought { bytes: FIRST_COST_IN_SERVICE * SEEN_OVER / 4.0, events: SEEN_OVER / 4.0 };
    }

    /// Ends the replay: whoever waits for room gets the first failure.
    pub(super) fn fail(&self, error: ReplayError) {
        self.inner.lock().failure.get_or_insert(error);
        self.room.close();
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
    async fn room_is_free_when_answer_and_effect_came_in_any_order() {
        let track = Track::new();
        assert!(track.take_room(ROOM, Duration::ZERO).await.unwrap());
        for id in ["1", "2"] {
            track.begin(&message(id), 1);
        }
        let batch = [message("1"), message("2")];
        track.sent(&batch);
        track.applied("1", "user:a", Instant::now());
        assert!(!track.take_room(1, Duration::ZERO).await.unwrap(), "the answer is not there");
        track.accepted(&batch);
        assert!(track.take_room(1, Duration::ZERO).await.unwrap());
        track.applied("2", "user:a", Instant::now());
        track.applied("2", "user:a", Instant::now());
        track.applied("somebody else's", "user:a", Instant::now());
        assert!(track.take_room(1, Duration::ZERO).await.unwrap());
        assert!(!track.take_room(1, Duration::ZERO).await.unwrap());
        let counts = track.read(|counts, _, _, _| counts);
        assert_eq!((counts.accepted, counts.pushed), (2, 2));
    }

    #[test]
    fn an_event_takes_as_much_room_as_events_lately_brought() {
        let track = Track::new();
        assert_eq!(track.cost(), ROOM / WINDOW);
        for _ in 0..1_000 {
            track.brought(5_000);
            track.applied("1", "user:a", Instant::now());
        }
        assert!((4_900..5_100).contains(&track.cost()), "{}", track.cost());
        for _ in 0..1_000 {
            track.applied("1", "user:a", Instant::now());
        }
        assert!(track.cost() < 1_500, "{}", track.cost());
        track.brought(1 << 30);
        assert_eq!(track.cost(), 16_384);
    }

    #[tokio::test]
    async fn repeats_are_let_go_and_unanswered_events_are_not() {
        let track = Track::new();
        track.begin(&message("1"), 1);
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
        let error = track.take_room(1, Duration::from_mins(1)).await.unwrap_err();
        assert!(matches!(error, ReplayError::Key { .. }), "{error}");
    }
}
