//! Fans effects out to the readers of the live stream.
//!
//! An effect is made text once and shared by all readers. The newest ones are kept in a ring of bounded bytes, from which
//! a reader that comes back goes on. Each reader has a bounded queue: one that is too slow loses it and is told to read the
//! current state again (`resync`), so that nobody ever waits for a reader.
//!
//! Invariants:
//! - Places of one partition only grow, in the ring and in what a reader gets.
//! - A reader that is not told `resync` gets every effect behind its cursor that its filter lets through, once.

mod cursor;
mod effect;
mod subscription;

use std::{
    collections::VecDeque,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use parking_lot::Mutex;
use rapport_types::{Offset, PartitionId};
use rustc_hash::FxHashMap;
use serde::Serialize;

use self::subscription::Reader;
pub(crate) use self::{
    cursor::{Cursor, Place},
    subscription::{Filter, Start, Subscription, resync},
};
use crate::metrics::{Pace, SharedPace};

/// The kind of an effect; its name is the event's name in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An event was applied to the profile.
    Profile,
    /// A score has a new value.
    Score,
    /// What a challenger in the champion's shadow would have said.
    ShadowScore,
    /// The customer is in a segment from now on.
    SegmentEntered,
    /// The customer is not in a segment any more.
    SegmentLeft,
}

impl Kind {
    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Profile, Self::Score, Self::ShadowScore, Self::SegmentEntered, Self::SegmentLeft]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Score => "score",
            Self::ShadowScore => "shadow_score",
            Self::SegmentEntered => "segment_entered",
            Self::SegmentLeft => "segment_left",
        }
    }
}

/// What can be pushed: an effect, in JSON without line breaks.
pub trait Pushed: Serialize {
    /// The customer's primary id as text.
    fn customer(&self) -> &str;
    /// What happened.
    fn kind(&self) -> Kind;
}

/// The limits of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubOptions {
    /// Bytes of effects that are kept for readers that come back.
    pub ring_bytes: usize,
    /// Bytes that may wait for one reader.
    pub queue_bytes: usize,
    /// Readers at once.
    pub readers: usize,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self { ring_bytes: 16 * 1024 * 1024, queue_bytes: 1024 * 1024, readers: 2_000 }
    }
}

/// Fans effects out; copies share everything.
#[derive(Debug, Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: HubOptions,
    state: Mutex<State>,
    resyncs: AtomicU64,
    pace: SharedPace,
}

#[derive(Debug)]
struct State {
    /// Behind the newest effect of each partition.
    next: Cursor,
    /// Everything from here on is in the ring; none as long as it is not known where the deliveries begin.
    floor: Vec<Option<Place>>,
    ring: VecDeque<Arc<Message>>,
    ring_bytes: usize,
    /// Readers of all customers.
    everyone: Vec<Arc<Reader>>,
    /// Readers of one customer, by the names that they wait for.
    by_customer: FxHashMap<Box<str>, Vec<Arc<Reader>>>,
    readers: usize,
    closed: bool,
}

/// An effect as text.
#[derive(Debug)]
struct Message {
    partition: usize,
    place: Place,
    kind: Kind,
    customer: Box<str>,
    frame: Bytes,
}

impl Message {
    /// What it is charged with against the ring's limit.
    fn cost(&self) -> usize {
        self.frame.len() + self.customer.len() + size_of::<Self>() + 16
    }
}

impl Hub {
    /// A hub for a log with so many partitions. Until [`Hub::starts_at`] or the first delivery of a partition, readers
    /// that come back are told to read again.
    pub fn new(partitions: u32, options: HubOptions) -> Self {
        let state = State {
            next: Cursor(vec![Place::default(); partitions as usize]),
            floor: vec![None; partitions as usize],
            ring: VecDeque::new(),
            ring_bytes: 0,
            everyone: Vec::new(),
            by_customer: FxHashMap::default(),
            readers: 0,
            closed: false,
        };
        let pace = Arc::new(Pace::default());
        Self { inner: Arc::new(Inner { options, state: Mutex::new(state), resyncs: AtomicU64::new(0), pace }) }
    }

    /// Says that the effects of all entries of a partition from `offset` on will be delivered. To be called before the
    /// first delivery, with the offset of the checkpoint, so that readers can go on where they were before a restart.
    pub fn starts_at(&self, partition: PartitionId, offset: Offset) {
        let place = Place { offset: offset.0, index: 0 };
        let mut state = self.inner.state.lock();
        state.next.0[partition.0 as usize] = place;
        state.floor[partition.0 as usize] = Some(place);
    }

    /// Hands effects of one partition to all readers, in the order of the log. Never blocks on a reader. Effects whose
    /// place is not behind the last one's were delivered before and are left out.
    pub fn deliver<E: Pushed>(&self, partition: PartitionId, effects: &[(Offset, u32, E)]) {
        if effects.is_empty() {
            return;
        }
        let texts: Vec<String> = effects.iter().map(|(_, _, effect)| text(effect)).collect();
        let mut state = self.inner.state.lock();
        for ((offset, index, effect), text) in effects.iter().zip(&texts) {
            let place = Place { offset: offset.0, index: *index };
            self.deliver_one(&mut state, partition, place, effect, text);
        }
        drop(state);
        let now = Instant::now();
        for (offset, _, _) in effects {
            self.inner.pace.pushed(partition, *offset, now);
        }
    }

    fn deliver_one<E: Pushed>(&self, state: &mut State, partition: PartitionId, place: Place, effect: &E, text: &str) {
        let partition = partition.0 as usize;
        state.floor[partition].get_or_insert(place);
        if place < state.next.0[partition] {
            return;
        }
        state.next.0[partition] = Place { offset: place.offset, index: place.index + 1 };
        let mut frame = String::with_capacity(text.len() + 24 * state.next.0.len());
        write!(frame, "id: {}\n{text}", state.next).expect("a text takes everything");
        let (kind, customer, frame) = (effect.kind(), effect.customer().into(), Bytes::from(frame));
        let message = Arc::new(Message { partition, place, kind, customer, frame });
        for reader in &state.everyone {
            self.offer(reader, &message);
        }
        for reader in state.by_customer.get(&message.customer).into_iter().flatten() {
            self.offer(reader, &message);
        }
        state.keep(message, self.inner.options.ring_bytes);
    }

    fn offer(&self, reader: &Reader, message: &Message) {
        if reader.offer(message, self.inner.options.queue_bytes) {
            self.inner.resyncs.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Tells all readers to read the current state again: it was made anew.
    pub fn reset(&self) {
        let mut state = self.inner.state.lock();
        state.ring.clear();
        state.ring_bytes = 0;
        let next = state.next.0.clone();
        for (floor, next) in state.floor.iter_mut().zip(next) {
            // Not `next` itself: a reader that is away, at exactly this cursor, has not heard of the new state. One that
            // has heard and comes back before anything new happened is told a second time, which does no harm.
            *floor = Some(Place { index: next.index + 1, ..next });
        }
        state.each_reader(Reader::lose);
    }

    /// Ends all streams and takes no new ones.
    pub fn close(&self) {
        let mut state = self.inner.state.lock();
        state.closed = true;
        state.each_reader(Reader::close);
    }

    /// How many readers there are.
    pub fn subscribers(&self) -> usize {
        self.inner.state.lock().readers
    }

    /// How often a reader was too slow.
    pub fn resyncs(&self) -> u64 {
        self.inner.resyncs.load(Ordering::Relaxed)
    }

    pub(crate) fn pace(&self) -> &Pace {
        &self.inner.pace
    }
}

impl State {
    fn keep(&mut self, message: Arc<Message>, limit: usize) {
        self.ring_bytes += message.cost();
        self.ring.push_back(message);
        while self.ring_bytes > limit {
            let Some(oldest) = self.ring.pop_front() else { break };
            self.ring_bytes -= oldest.cost();
            let behind = Place { offset: oldest.place.offset, index: oldest.place.index + 1 };
            self.floor[oldest.partition] = Some(behind);
        }
    }

    fn each_reader(&self, mut tell: impl FnMut(&Reader)) {
        for reader in self.everyone.iter().chain(self.by_customer.values().flatten()) {
            tell(reader);
        }
    }

    /// Whether everything behind `cursor` is in the ring or still to come.
    fn covers(&self, cursor: &Cursor) -> bool {
        cursor.0.iter().zip(&self.floor).all(|(place, floor)| floor.is_some_and(|floor| *place >= floor))
    }
}

/// The part of an event of the stream that is the same for everybody.
fn text<E: Pushed>(effect: &E) -> String {
    let mut text = format!("event: {}\ndata: ", effect.kind().name());
    text.push_str(&serde_json::to_string(effect).expect("an effect is JSON"));
    text.push_str("\n\n");
    text
}
