//! Loads: as much as goes through a number of connections, or so much a second.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use jiff::Timestamp;
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use crate::{
    bodies::Body,
    error::BenchError,
    limits::histogram,
    stream::Board,
    wire::{Connection, Peer},
};

/// Bodies that a connection sends in turn.
const POOL: usize = 8;
/// How long a sender that was told to come later waits.
const PAUSE: Duration = Duration::from_millis(5);

/// What is sent and through how many connections; each has one request in flight.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// Whereto.
    pub(crate) peer: Peer,
    /// Connections at once.
    pub(crate) connections: usize,
    /// Events in a request; 0 sends single events to `/v1/track`.
    pub(crate) batch: usize,
    /// Of how many customers the events are.
    pub(crate) customers: u64,
}

/// When a load ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After this time.
    Time(Duration),
    /// After at least so many events.
    Events(u64),
}

/// How a load went.
#[derive(Debug)]
pub(crate) struct Flood {
    /// Events that were answered as accepted.
    pub(crate) events: u64,
    /// How long it took.
    pub(crate) seconds: f64,
    /// Requests that were told to come later.
    pub(crate) refused: u64,
    /// Times of the requests, in microseconds.
    pub(crate) times: Histogram<u64>,
}

impl Flood {
    /// Events a second.
    pub(crate) fn rate(&self) -> f64 {
        self.events as f64 / self.seconds
    }
}

impl Load {
    fn bodies(&self, connection: usize) -> Vec<Body> {
        let path = if self.batch == 0 { "/v1/track" } else { "/v1/batch" };
        let of = |turn: usize| {
            let place = connection * POOL + turn;
            let body = if self.batch == 0 { Body::single(place) } else { Body::batch(self.batch, place * self.batch) };
            let head = self.peer.head("POST", path, body.bytes.len());
            body.behind(head.as_bytes())
        };
        (0..POOL).map(of).collect()
    }
}

/// What the connections of a flood share.
struct Tap {
    next: AtomicU64,
    events: AtomicU64,
    refused: AtomicU64,
    begun: Instant,
    first: u64,
    until: Until,
    board: Option<Arc<Board>>,
}

impl Tap {
    fn is_over(&self) -> bool {
        match self.until {
            Until::Time(time) => self.begun.elapsed() >= time,
            Until::Events(events) => self.next.load(Ordering::Relaxed) - self.first >= events,
        }
    }
}

/// Sends as much as goes; events are numbered from `first` on. With a board no more events are on their way than it has
/// places for.
pub(crate) async fn flood(
    load: &Load,
    first: u64,
    until: Until,
    board: Option<&Arc<Board>>,
) -> Result<Flood, BenchError> {
    let mut open = Vec::with_capacity(load.connections);
    for _ in 0..load.connections {
        open.push(Connection::open(&load.peer.address).await?);
    }
    let tap = Arc::new(Tap {
        next: AtomicU64::new(first),
        events: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        begun: Instant::now(),
        first,
        until,
        board: board.map(Arc::clone),
    });
    let mut tasks = JoinSet::new();
    for (place, connection) in open.into_iter().enumerate() {
        tasks.spawn(pump(connection, load.bodies(place), load.customers, Arc::clone(&tap)));
    }
    let mut times = histogram();
    while let Some(ended) = tasks.join_next().await {
        let of_one = ended.map_err(std::io::Error::other)??;
        times.add(of_one).map_err(std::io::Error::other)?;
    }
    let seconds = tap.begun.elapsed().as_secs_f64();
    let (events, refused) = (tap.events.load(Ordering::Relaxed), tap.refused.load(Ordering::Relaxed));
    Ok(Flood { events, seconds, refused, times })
}

async fn pump(
    mut connection: Connection,
    mut bodies: Vec<Body>,
    customers: u64,
    tap: Arc<Tap>,
) -> Result<Histogram<u64>, BenchError> {
    let mut times = histogram();
    for turn in 0.. {
        if tap.is_over() {
            break;
        }
        let body = &mut bodies[turn % POOL];
        let events = body.events() as u64;
        if let Some(board) = &tap.board {
            board.take_places(events as u32).await?;
        }
        body.number(tap.next.fetch_add(events, Ordering::Relaxed), customers, Timestamp::now());
        let (took, refused) = until_accepted(&mut connection, &body.bytes).await?;
        times.saturating_record(took.as_micros() as u64);
        tap.refused.fetch_add(refused, Ordering::Relaxed);
        tap.events.fetch_add(events, Ordering::Relaxed);
    }
    Ok(times)
}

/// Sends a request until it is accepted; how long the accepted one took, and how often it was told to come later.
async fn until_accepted(connection: &mut Connection, request: &[u8]) -> Result<(Duration, u64), BenchError> {
    let mut refused = 0;
    loop {
        let begun = Instant::now();
        let answer = connection.call(request).await?;
        match answer.status {
            200 => return Ok((begun.elapsed(), refused)),
            429 | 503 => {
                refused += 1;
                tokio::time::sleep(PAUSE).await;
            }
            status => return Err(wrong(status, answer.body)),
        }
    }
}

fn wrong(status: u16, body: &[u8]) -> BenchError {
    let body = String::from_utf8_lossy(body).chars().take(300).collect();
    BenchError::Answer { what: "a load's request".to_owned(), status, body }
}

/// One request of a paced load: its events, when it was due and when it was answered, in nanoseconds of the board's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    /// The number of its first event.
    pub(crate) first: u64,
    /// How many events it had.
    pub(crate) events: u64,
    /// When it was to be sent; waiting for a free connection counts.
    pub(crate) due: u64,
    /// When it was accepted; being told to come later counts.
    pub(crate) accepted: u64,
    /// How often it was told to come later.
    pub(crate) refused: u64,
}

/// Sends `rate` events a second for `time`.
pub(crate) async fn paced(
    load: &Load,
    first: u64,
    rate: f64,
    time: Duration,
    board: &Arc<Board>,
) -> Result<Vec<Sent>, BenchError> {
    let (tickets, queue) = mpsc::unbounded_channel::<(u64, u64)>();
    let queue = Arc::new(Mutex::new(queue));
    let mut tasks = JoinSet::new();
    for place in 0..load.connections {
        let connection = Connection::open(&load.peer.address).await?;
        let lane = PacedLane { connection, bodies: load.bodies(place), customers: load.customers };
        tasks.spawn(lane.run(Arc::clone(&queue), Arc::clone(board)));
    }
    let every = Duration::from_secs_f64(load.batch as f64 / rate);
    let begun = Instant::now();
    let offset = board.now();
    let mut number = first;
    for turn in 0.. {
        let due = every * turn;
        if due >= time {
            break;
        }
        if let Some(early) = due.checked_sub(begun.elapsed()) {
            tokio::time::sleep(early).await;
        }
        // The queue is open as long as a lane lives; a lane that ended has an error, which is told below.
        if tickets.send((number, offset + due.as_nanos() as u64)).is_err() {
            break;
        }
        number += load.batch as u64;
    }
    drop(tickets);
    let mut all = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        all.extend(ended.map_err(std::io::Error::other)??);
    }
    Ok(all)
}

struct PacedLane {
    connection: Connection,
    bodies: Vec<Body>,
    customers: u64,
}

type Tickets = Arc<Mutex<mpsc::UnboundedReceiver<(u64, u64)>>>;

impl PacedLane {
    async fn run(mut self, queue: Tickets, board: Arc<Board>) -> Result<Vec<Sent>, BenchError> {
        let mut sent = Vec::new();
        for turn in 0.. {
            let ticket = queue.lock().await.recv().await;
            let Some((first, due)) = ticket else { break };
            let body = &mut self.bodies[turn % POOL];
            body.number(first, self.customers, Timestamp::now());
            let events = body.events() as u64;
            let (_, refused) = until_accepted(&mut self.connection, &body.bytes).await?;
            sent.push(Sent { first, events, due, accepted: board.now(), refused });
        }
        Ok(sent)
    }
}

/// Sends one request so many times, one after the other, after some that do not count.
pub(crate) async fn one_by_one(peer: &Peer, request: &[u8], rounds: usize) -> Result<Histogram<u64>, BenchError> {
    const WARM_UP: usize = 500;
    let mut connection = Connection::open(&peer.address).await?;
    let mut times = Histogram::new_with_max(60_000_000_000, 3).expect("the bounds are in order");
    for round in 0..rounds + WARM_UP {
        let begun = Instant::now();
        let answer = connection.call(request).await?;
        let took = begun.elapsed().as_nanos() as u64;
        if answer.status != 200 {
            return Err(wrong(answer.status, answer.body));
        }
        if round >= WARM_UP {
            times.saturating_record(took);
        }
    }
    Ok(times)
}
