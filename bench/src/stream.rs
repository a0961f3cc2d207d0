//! The one subscriber of the live stream, on a thread of its own: counts the effects that say that an event was applied,
//! notes when each came, and makes room for more events on their way.

use std::{
    cell::RefCell,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use memchr::memmem::{self, Finder};
use tokio::sync::Semaphore;

use crate::{error::BenchError, wire::Peer};

/// How often the thread looks whether it shall end, when nothing comes.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long room for more events is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
const ID_DIGITS: usize = 16;

/// What the load and the subscriber share.
#[derive(Debug)]
pub(crate) struct Board {
    begun: Instant,
    /// Effects that came.
    pub(crate) pushed: AtomicU64,
    /// How often the subscriber was told to look again: effects were lost.
    pub(crate) resyncs: AtomicU64,
    /// Bytes of the stream.
    pub(crate) bytes: AtomicU64,
    /// Places for events on their way.
    pub(crate) places: Semaphore,
    /// When each event's effect came, by number, in nanoseconds since `begun`; 0 if it has not.
    arrivals: Vec<AtomicU64>,
    first: u64,
    stop: AtomicU64,
}

impl Board {
    /// A board for events numbered from `first` on, of which at most `capacity` are noted.
    pub(crate) fn new(places: usize, first: u64, capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            pushed: AtomicU64::new(0),
            resyncs: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            places: Semaphore::new(places),
            arrivals: (0..capacity).map(|_| AtomicU64::new(0)).collect(),
            first,
            stop: AtomicU64::new(0),
        })
    }

    /// Nanoseconds since the board was made.
    pub(crate) fn now(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    /// When the effect of event `number` came; none if it has not.
    pub(crate) fn arrival(&self, number: u64) -> Option<u64> {
        let arrival = self.arrivals.get((number - self.first) as usize)?.load(Ordering::Relaxed);
        (arrival > 0).then_some(arrival)
    }

    /// Waits until so many more events may be on their way. Effects that were lost never make room again.
    pub(crate) async fn take_places(&self, events: u32) -> Result<(), BenchError> {
        match tokio::time::timeout(PATIENCE, self.places.acquire_many(events)).await {
            Ok(places) => {
                places.map_err(std::io::Error::other)?.forget();
                Ok(())
            }
            Err(_) => {
                let what = format!("room for more events ({} resyncs)", self.resyncs.load(Ordering::Relaxed));
                Err(BenchError::Late { what, seconds: PATIENCE.as_secs() })
            }
        }
    }

    fn note(&self, number: u64, now: u64) {
        if let Some(place) = number.checked_sub(self.first).and_then(|place| self.arrivals.get(place as usize)) {
            place.store(now, Ordering::Relaxed);
        }
    }
}

/// The running subscriber.
pub(crate) struct Subscriber {
    board: Arc<Board>,
    thread: Option<JoinHandle<Result<(), BenchError>>>,
}

impl Subscriber {
    /// Subscribes to everything and comes back when the server has greeted.
    pub(crate) fn start(peer: &Peer, board: &Arc<Board>) -> Result<Self, BenchError> {
        let mut stream = TcpStream::connect(&peer.address)?;
        // An answer to HTTP/1.0 is not cut into chunks, so that effects can be looked for in the plain bytes.
        let (address, authorization) = (&peer.address, &peer.authorization);
        write!(stream, "GET /v1/stream HTTP/1.0\r\nHost: {address}\r\nAuthorization: {authorization}\r\n\r\n")?;
        let mut buffer = Vec::with_capacity(1 << 20);
        let hello = Finder::new("event: hello\n");
        while hello.find(&buffer).is_none() {
            read(&mut stream, &mut buffer)?;
            if buffer.starts_with(b"HTTP/1.") && !buffer[9..].starts_with(b"200") {
                let body = String::from_utf8_lossy(&buffer).into_owned();
                return Err(BenchError::Answer { what: "/v1/stream".to_owned(), status: 0, body });
            }
        }
        stream.set_read_timeout(Some(LOOK_EVERY))?;
        let own = Arc::clone(board);
        let thread = std::thread::spawn(move || follow(stream, buffer, &own));
        Ok(Self { board: Arc::clone(board), thread: Some(thread) })
    }

    /// Ends it and tells how it went.
    pub(crate) fn stop(mut self) -> Result<(), BenchError> {
        self.board.stop.store(1, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        ended.and_then(Result::ok).unwrap_or(Ok(()))
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.board.stop.store(1, Ordering::Relaxed);
    }
}

/// Reads what is there; an error at the end.
fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<(), BenchError> {
    // A place to read into that is cleared once, not at each of some thousand reads a second: the server needs the cores.
    thread_local!(static PIECE: RefCell<Vec<u8>> = RefCell::new(vec![0; 128 * 1024]));
    PIECE.with_borrow_mut(|piece| match stream.read(piece)? {
        0 => Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()),
        count => {
            buffer.extend_from_slice(&piece[..count]);
            Ok(())
        }
    })
}

fn follow(mut stream: TcpStream, mut buffer: Vec<u8>, board: &Board) -> Result<(), BenchError> {
    let counter = Counter::default();
    while board.stop.load(Ordering::Relaxed) == 0 {
        match read(&mut stream, &mut buffer) {
            Err(BenchError::Io(error))
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                continue;
            }
            other => other?,
        }
        let now = board.now();
        let whole = memmem::rfind(&buffer, b"\n\n").map_or(0, |end| end + 2);
        let found = counter.count(&buffer[..whole], |number| board.note(number, now));
        board.bytes.fetch_add(whole as u64, Ordering::Relaxed);
        board.resyncs.fetch_add(found.resyncs, Ordering::Relaxed);
        board.pushed.fetch_add(found.applied, Ordering::Relaxed);
        board.places.add_permits(found.applied as usize);
        buffer.drain(..whole);
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
struct Found {
    applied: u64,
    resyncs: u64,
}

struct Counter {
    applied: Finder<'static>,
    cause: Finder<'static>,
    resync: Finder<'static>,
}

impl Default for Counter {
    fn default() -> Self {
        let [applied, cause, resync] = ["event: profile\n", "\"cause\":\"b", "event: resync\n"].map(Finder::new);
        Self { applied, cause, resync }
    }
}

impl Counter {
    /// Counts in whole events of the stream; `each` hears the number of every event that was applied.
    fn count(&self, bytes: &[u8], mut each: impl FnMut(u64)) -> Found {
        let mut applied = 0;
        let mut at = 0;
        while let Some(begin) = self.applied.find(&bytes[at..]).map(|place| at + place) {
            at = begin + 1;
            let Some(cause) = self.cause.find(&bytes[at..]).map(|place| at + place + 10) else { break };
            let digits = bytes.get(cause..cause + ID_DIGITS).and_then(|digits| std::str::from_utf8(digits).ok());
            if let Some(number) = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
                each(number);
                applied += 1;
            }
        }
        Found { applied, resyncs: self.resync.find_iter(bytes).count() as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applied_events_are_found_in_the_stream() {
        let text = "id: 1\nevent: profile\ndata: {\"customer\":\"user:c1\",\"cause\":\"b000000000000001f\"}\n\n\
            event: score\ndata: {\"cause\":\"b000000000000001f\"}\n\nevent: resync\ndata: {}\n\n\
            event: profile\ndata: {\"cause\":\"b0000000000000020\"}\n\n";
        let mut numbers = Vec::new();
        let found = Counter::default().count(text.as_bytes(), |number| numbers.push(number));
        assert_eq!((found, numbers), (Found { applied: 2, resyncs: 1 }, vec![31, 32]));
    }
}
