//! One reader of the stream: what it wants, what waits for it, how it begins.

use std::{collections::VecDeque, sync::Arc};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{Cursor, Hub, Kind, Message};
use crate::ports::Refusal;

/// The most bytes that are handed to the connection at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// What a reader wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// The names of one customer; all customers if it is empty.
    pub(crate) customers: Vec<Box<str>>,
    /// The kinds; all if it is empty.
    pub(crate) kinds: Vec<Kind>,
}

impl Filter {
    fn wants(&self, message: &Message) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&message.kind))
            && (self.customers.is_empty() || self.customers.contains(&message.customer))
    }
}

/// How a stream begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    /// At the present.
    Fresh,
    /// Where the reader was.
    Resumed,
    /// At the present, and the reader must read the state again.
    Resync,
}

/// The hub's side of a reader.
#[derive(Debug)]
pub(super) struct Reader {
    filter: Filter,
    /// Effects before it are known to the reader: after a restart they may be delivered again.
    from: Cursor,
    queue: Mutex<Queue>,
    ready: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
    lost: bool,
    closed: bool,
}

impl Reader {
    /// Puts an effect into the queue if the reader wants it; true if the queue was lost over it.
    pub(super) fn offer(&self, message: &Message, limit: usize) -> bool {
        if !self.filter.wants(message) || message.place < self.from.0[message.partition] {
            return false;
        }
        let mut queue = self.queue.lock();
        if queue.lost {
            return false;
        }
        if queue.bytes + message.frame.len() > limit {
            queue.lose();
            drop(queue);
            self.ready.notify_one();
            return true;
        }
        queue.bytes += message.frame.len();
        queue.frames.push_back(message.frame.clone());
        let first = queue.frames.len() == 1;
        drop(queue);
        if first {
            self.ready.notify_one();
        }
        false
    }

    pub(super) fn lose(&self) {
        self.queue.lock().lose();
        self.ready.notify_one();
    }

    pub(super) fn close(&self) {
        self.queue.lock().closed = true;
        self.ready.notify_one();
    }
}

impl Queue {
    fn lose(&mut self) {
        self.frames.clear();
        self.bytes = 0;
        self.lost = true;
    }

    fn take(&mut self) -> Option<Bytes> {
        let first = self.frames.pop_front()?;
        self.bytes -= first.len();
        if self.frames.is_empty() {
            return Some(first);
        }
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES.min(first.len() + self.bytes));
        chunk.extend_from_slice(&first);
        while let Some(frame) = self.frames.front().filter(|frame| chunk.len() + frame.len() <= CHUNK_BYTES) {
            chunk.extend_from_slice(frame);
            self.bytes -= frame.len();
            self.frames.pop_front();
        }
        Some(chunk.freeze())
    }
}

/// The connection's side of a reader. Dropping it ends the subscription.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: Hub,
    reader: Arc<Reader>,
}

impl Hub {
    /// Begins a stream, at `cursor` if everything behind it is at hand. The text is the cursor at which it begins.
    pub(crate) fn subscribe(
        &self,
        filter: Filter,
        cursor: Option<Cursor>,
    ) -> Result<(Subscription, Start, String), Refusal> {
        let mut state = self.inner.state.lock();
        if state.closed {
            return Err(Refusal::Unavailable("the server is about to stop".to_owned()));
        }
        if state.readers >= self.inner.options.readers {
            return Err(Refusal::Unavailable(format!("{} streams are open, which is the limit", state.readers)));
        }
        let (mut start, mut from) = match cursor {
            None => (Start::Fresh, state.next.clone()),
            Some(cursor) if state.covers(&cursor) => (Start::Resumed, cursor),
            Some(_) => (Start::Resync, state.next.clone()),
        };
        let mut queue = Queue::default();
        if start == Start::Resumed {
            let missed = state.ring.iter().filter(|message| message.place >= from.0[message.partition]);
            queue.frames.extend(missed.filter(|message| filter.wants(message)).map(|message| message.frame.clone()));
            queue.bytes = queue.frames.iter().map(Bytes::len).sum();
            if queue.bytes > self.inner.options.queue_bytes {
                (start, from, queue) = (Start::Resync, state.next.clone(), Queue::default());
            }
        }
        let begins = from.to_string();
        let reader = Arc::new(Reader { filter, from, queue: Mutex::new(queue), ready: Notify::new() });
        if reader.filter.customers.is_empty() {
            state.everyone.push(Arc::clone(&reader));
        }
        for name in &reader.filter.customers {
            state.by_customer.entry(name.clone()).or_default().push(Arc::clone(&reader));
        }
        state.readers += 1;
        drop(state);
        Ok((Subscription { hub: self.clone(), reader }, start, begins))
    }
}

impl Subscription {
    /// What comes next, as text of the stream; none when the server stops. May be dropped and called again.
    pub(crate) async fn next(&self) -> Option<Bytes> {
        loop {
            if let Some(chunk) = self.take() {
                return chunk;
            }
            self.reader.ready.notified().await;
        }
    }

    /// The answer of [`Subscription::next`] if it is there.
    #[allow(clippy::option_option, reason = "the outer one is whether there is an answer, the inner one is the answer")]
    fn take(&self) -> Option<Option<Bytes>> {
        let mut queue = self.reader.queue.lock();
        if queue.closed {
            return Some(None);
        }
        if !queue.lost {
            return queue.take().map(Some);
        }
        drop(queue);
        // Only under the hub's lock do the cursor and the first effect behind it fit together.
        let state = self.hub.inner.state.lock();
        self.reader.queue.lock().lost = false;
        Some(Some(resync(&state.next.to_string())))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.hub.inner.state.lock();
        state.readers -= 1;
        let others = |other: &Arc<Reader>| !Arc::ptr_eq(other, &self.reader);
        state.everyone.retain(others);
        for name in &self.reader.filter.customers {
            if let Some(readers) = state.by_customer.get_mut(name) {
                readers.retain(others);
                if readers.is_empty() {
                    state.by_customer.remove(name);
                }
            }
        }
    }
}

/// Tells a reader to read the state again and then go on from `cursor`.
pub(crate) fn resync(cursor: &str) -> Bytes {
    format!("id: {cursor}\nevent: resync\ndata: {{}}\n\n").into()
}
