//! The measurements of the table, each against a real server that is started for it.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    bodies,
    definitions::{self, SCORE},
    error::BenchError,
    limits::at,
    load::{self, Flood, Load, Until},
    process::{self, Bare, Server},
    report::{Better, Machine, Row, say},
    stream::{Board, Subscriber},
};

/// Customers of the loads.
const CUSTOMERS: u64 = 10_000;
/// Customers with a history to learn from.
const LEARNT: u64 = 1_500;
/// Events on their way to the subscriber: what waits for a reader stays below the server's limit.
const ON_THEIR_WAY: usize = 500;
/// Events in a request of the paced load.
const PACED_BATCH: usize = 20;
/// Customers that are asked about after a start.
const ASKED: u64 = 500;
const LATE_AFTER: Duration = Duration::from_mins(2);
/// How often a server is started whose memory at rest is compared: one start differs from the next by megabytes.
const RESTARTS: usize = 5;

/// A server that was started again, once it rests: its memory in bytes, what of it is its own, and its profiles.
struct AtRest {
    resident: f64,
    private: f64,
    profiles: u64,
}

/// What all measurements need.
pub(crate) struct Bench {
    /// The program that is measured.
    pub(crate) program: PathBuf,
    /// Where data folders are made: on the disk that is measured.
    pub(crate) folder: PathBuf,
    /// Less of everything.
    pub(crate) quick: bool,
    /// Of the model on the whole path.
    pub(crate) algorithm: String,
    /// The real file, if it is there.
    pub(crate) retail: Option<PathBuf>,
    /// The machine's limits.
    pub(crate) machine: Machine,
}

impl Bench {
    fn time(&self) -> Duration {
        if self.quick { Duration::from_secs(2) } else { Duration::from_secs(8) }
    }

    async fn server(&self, name: &str) -> Result<Server, BenchError> {
        Server::start(&self.program, &self.folder.join(name)).await
    }

    /// Batches and single events into one server, then its log read back into state.
    pub(crate) async fn durable(&self, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>, BenchError> {
        let mut rows = Vec::new();
        let mut server = self.server("durable").await?;
        let mut first = 0;
        if wanted("batches") || wanted("rebuild") {
            say("accepting durably: batches");
            let load = Load { peer: server.door.clone(), connections: 16, batch: 100, customers: CUSTOMERS };
            let flood = load::flood(&load, first, Until::Time(self.time()), None).await?;
            first += flood.events;
            rows.push(batches_row(&flood, &mut server).await?);
        }
        if wanted("singles") {
            say("accepting durably: one a request");
            let bare = Bare::start()?;
            let mut load = Load { peer: bare.peer.clone(), connections: 512, batch: 0, customers: CUSTOMERS };
            let bare_flood = load::flood(&load, 0, Until::Time(self.time()), None).await?;
            drop(bare);
            load.peer = server.door.clone();
            let flood = load::flood(&load, first, Until::Time(self.time()), None).await?;
            let what = "accepted durably, one a request, 512 in flight";
            let row = Row::new("singles", what, Better::More, bare_flood.rate() / 2.0, flood.rate(), "events/s");
            let (bare, refused) = (bare_flood.rate(), flood.refused);
            rows.push(row.note(format!(
                "bare axum answers {bare:.0}/s; p50 {:.1} ms, p99 {:.1} ms, {refused} told to come later",
                at(&flood.times, 0.5),
                at(&flood.times, 0.99)
            )));
        }
        server.caught_up().await?;
        let data = server.data().to_owned();
        server.stop().await?;
        if wanted("rebuild") {
            say("the log into state");
            rows.push(self.rebuild(&data)?);
        }
        rows.retain(|row| wanted(row.name));
        Ok(rows)
    }

    /// The log into state, as `rapport state --digest --rebuild` does it.
    fn rebuild(&self, data: &Path) -> Result<Row, BenchError> {
        let arguments = ["state", "--digest", "--rebuild", "--json", "--data"]
            .map(OsStr::new)
            .into_iter()
            .chain([data.as_os_str()]);
        let (took, text) = process::run(&self.program, &arguments.collect::<Vec<_>>())?;
        let told: Value = serde_json::from_str(&text)?;
        let events = told["entries"].as_u64().unwrap_or(0);
        let rate = events as f64 / took.as_secs_f64();
        let row = Row::new("rebuild", "replay of the log into state", Better::More, 300_000.0, rate, "events/s");
        let profiles = told["profiles"].as_u64().unwrap_or(0);
        Ok(row.note(format!(
            "{events} events into {profiles} profiles in {:.2} s, the program's start and the digest included",
            took.as_secs_f64()
        )))
    }

    /// The whole path, its latency at half that load, and asking instead of listening.
    pub(crate) async fn whole(&self, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>, BenchError> {
        let mut server = self.server("whole").await?;
        say("the whole path: a year of history, and a model trained on it");
        prepare(&mut server, &self.algorithm).await?;
        let mut rows = Vec::new();
        let wants_latency = wanted("latency") || wanted("latency-sent");
        if wanted("path") || wants_latency {
            say("the whole path: as much as goes");
            let (row, first) = self.path(&mut server).await?;
            if wants_latency {
                say("the whole path: at half that load");
                rows.extend(self.latency(&server, first, row.measured / 2.0).await?);
            }
            rows.insert(0, row);
        }
        if wanted("decide") {
            say("decide");
            server.caught_up().await?;
            rows.push(self.decide(&server).await?);
        }
        server.stop().await?;
        rows.retain(|row| wanted(row.name));
        Ok(rows)
    }

    async fn path(&self, server: &mut Server) -> Result<(Row, u64), BenchError> {
        let board = Board::new(ON_THEIR_WAY, 0, 0);
        let subscriber = Subscriber::start(&server.api, &board)?;
        let load = Load { peer: server.door.clone(), connections: 16, batch: 100, customers: CUSTOMERS };
        let begun = Instant::now();
        let flood = load::flood(&load, 0, Until::Time(self.time()), Some(&board)).await?;
        all_pushed(&board, flood.events).await?;
        let seconds = begun.elapsed().as_secs_f64();
        subscriber.stop()?;
        let rate = flood.events as f64 / seconds;
        let what = "whole path: 30 features, 20 segments, 1 model, pushed";
        let row = Row::new("path", what, Better::More, 40_000.0, rate, "events/s");
        let megabytes = board.bytes.load(Ordering::Relaxed) as f64 / 1e6 / seconds;
        let note = format!(
            "{}; batches of 100, up to {ON_THEIR_WAY} events on their way; {megabytes:.0} MB/s of effects, {} resyncs",
            self.algorithm,
            board.resyncs.load(Ordering::Relaxed)
        );
        Ok((row.note(note), flood.events))
    }

    async fn latency(&self, server: &Server, first: u64, rate: f64) -> Result<[Row; 2], BenchError> {
        let time = self.time();
        let capacity = (rate * time.as_secs_f64() * 1.1) as usize + 1_000;
        let board = Board::new(0, first, capacity);
        let subscriber = Subscriber::start(&server.api, &board)?;
        let load = Load { peer: server.door.clone(), connections: 16, batch: PACED_BATCH, customers: CUSTOMERS };
        let sent = load::paced(&load, first, rate, time, &board).await?;
        all_pushed(&board, sent.iter().map(|sent| sent.events).sum()).await?;
        subscriber.stop()?;
        let (mut from_due, mut from_accepted) = (Vec::new(), Vec::new());
        for sent in &sent {
            for arrival in (sent.first..sent.first + sent.events).filter_map(|number| board.arrival(number)) {
                from_due.push(arrival as i64 - sent.due as i64);
                from_accepted.push(arrival as i64 - sent.accepted as i64);
            }
        }
        let (due, accepted) = (quantiles(&mut from_due), quantiles(&mut from_accepted));
        let target = self.machine.sync_p99_ms + 10.0;
        let refused: u64 = sent.iter().map(|sent| sent.refused).sum();
        let row = |name, what, (p50, p99, max): (f64, f64, f64)| {
            let row = Row::new(name, what, Better::Less, target, p99, "ms");
            row.note(format!(
                "{rate:.0} events/s in batches of {PACED_BATCH}; p50 {p50:.2} ms, max {max:.1} ms, {refused} told to come later"
            ))
        };
        Ok([
            row("latency", "event accepted -> pushed at half that load, p99", accepted),
            row("latency-sent", "the same from when the request was due, p99", due),
        ])
    }

    async fn decide(&self, server: &Server) -> Result<Row, BenchError> {
        let rounds = if self.quick { 4_000 } else { 20_000 };
        let bare = Bare::start()?;
        let body = json!({"customer": "user:c0000042"}).to_string();
        let request = bare.peer.request("POST", "/v1/decide", body.as_bytes());
        let of_bare = load::one_by_one(&bare.peer, &request, rounds).await?;
        drop(bare);
        let request = server.api.request("POST", "/v1/decide", body.as_bytes());
        let times = load::one_by_one(&server.api, &request, rounds).await?;
        let ms = |nanoseconds: u64| nanoseconds as f64 / 1e6;
        let bare_p99 = ms(of_bare.value_at_quantile(0.99));
        let p99 = ms(times.value_at_quantile(0.99));
        let row = Row::new("decide", "decide over HTTP, 1 in flight, p99", Better::Less, bare_p99 + 0.5, p99, "ms");
        Ok(row.note(format!("bare axum p99 {bare_p99:.3} ms; p50 {:.3} ms", ms(times.value_at_quantile(0.5)))))
    }

    /// Memory of an idle server, and of the profiles of the real file.
    pub(crate) async fn memory(&self, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>, BenchError> {
        say("memory, idle");
        let server = self.server("idle").await?;
        let idle = server.resident_at_rest().await?;
        let row = Row::new("idle", "memory, idle", Better::Less, 60.0, idle / 1e6, "MB");
        let mut rows = vec![row.note(format!("started in {:.2} s", server.started_in.as_secs_f64()))];
        server.stop().await?;
        if let Some(file) = self.retail.as_ref().filter(|_| wanted("profile")) {
            rows.push(self.profile(file).await?);
        }
        rows.retain(|row| wanted(row.name));
        Ok(rows)
    }

    /// What a profile of the real file takes: the difference of idle servers with them and without, in memory of their own. All
    /// were started again on their data: what a first start and a replay leave in a server's buffers is not the profiles'.
    /// That a server with a model and contacts runs through more of the program's code is not theirs either; the note tells it.
    async fn profile(&self, file: &Path) -> Result<Row, BenchError> {
        say("memory of the profiles: without them");
        let without = self.restarted().await?;
        say("memory of the profiles: the real file is replayed");
        let server = self.server("idle").await?;
        let url = format!("http://{}", server.api.address);
        let data = server.data().to_owned();
        let arguments = ["replay".as_ref(), file.as_os_str(), "--url".as_ref(), url.as_ref(), "--data".as_ref()];
        let arguments: Vec<&OsStr> = arguments.into_iter().chain([data.as_os_str()]).collect();
        process::run(&self.program, &arguments)?;
        server.stop().await?;
        let with = self.restarted().await?;
        let each = (with.private - without.private) / with.profiles.max(1) as f64 / 1e3;
        let row = Row::new("profile", "memory, per profile of the replayed file", Better::Less, 2.0, each, "KB");
        let note = format!(
            "{} profiles, with their model, contacts and message keys; {:.1} MB of its own with them, {:.1} without; with \
             pages of files {:.1} and {:.1}; medians of {RESTARTS} starts",
            with.profiles,
            with.private / 1e6,
            without.private / 1e6,
            with.resident / 1e6,
            without.resident / 1e6
        );
        Ok(row.note(note))
    }

    /// The memory of the idle server once it is started again, medians of several starts; and its profiles.
    async fn restarted(&self) -> Result<AtRest, BenchError> {
        let (mut resident, mut private, mut profiles) = (Vec::new(), Vec::new(), 0);
        for _ in 0..RESTARTS {
            let mut server = self.server("idle").await?;
            server.caught_up().await?;
            profiles = server.health().await?.profiles;
            resident.push(server.resident_at_rest().await?);
            private.push(server.private()?);
            server.stop().await?;
        }
        let median = |mut bytes: Vec<f64>| {
            bytes.sort_by(f64::total_cmp);
            bytes[RESTARTS / 2]
        };
        Ok(AtRest { resident: median(resident), private: median(private), profiles })
    }

    /// A start with very many profiles.
    pub(crate) async fn start(&self) -> Result<Vec<Row>, BenchError> {
        let customers = if self.quick { 100_000 } else { 1_000_000 };
        say("starting: the profiles are made");
        let mut server = self.server("start").await?;
        let load = Load { peer: server.door.clone(), connections: 16, batch: 100, customers };
        load::flood(&load, 0, Until::Events(customers), None).await?;
        server.caught_up().await?;
        server.stop().await?;
        say("starting");
        let server = self.server("start").await?;
        let profiles = self.all_are_there(&server, customers).await?;
        let resident = server.resident()? / 1e6;
        let started = server.started_in.as_secs_f64();
        server.stop().await?;
        let what = if self.quick {
            "start with 100,000 profiles checkpointed"
        } else {
            "start with 1,000,000 profiles checkpointed"
        };
        let row = Row::new("start", what, Better::Less, 2.0, started, "s");
        let each = resident * 1e3 / profiles.max(1) as f64;
        Ok(vec![row.note(format!("{profiles} profiles; then {resident:.0} MB, which is {each:.2} KB for each"))])
    }

    /// How many profiles a started server has; an error unless they are all there and answer.
    async fn all_are_there(&self, server: &Server, customers: u64) -> Result<u64, BenchError> {
        let profiles = server.health().await?.profiles;
        let failed = |why: String| BenchError::Process { what: "a start".to_owned(), why };
        if profiles != customers {
            return Err(failed(format!("{profiles} of {customers} profiles are there")));
        }
        for customer in (0..customers).step_by((customers / ASKED) as usize) {
            let id = format!("user:c{customer:07}");
            let answer = server.call("POST", "/v1/decide", &json!({"customer": id}).to_string()).await?;
            if answer["known_to_us"] != true {
                return Err(failed(format!("{id} is not known: {answer}")));
            }
        }
        Ok(profiles)
    }
}

async fn batches_row(flood: &Flood, server: &mut Server) -> Result<Row, BenchError> {
    let begun = Instant::now();
    server.caught_up().await?;
    let behind = begun.elapsed().as_secs_f64();
    let what = "accepted durably, batches of 100, 500 B each";
    let row = Row::new("batches", what, Better::More, 100_000.0, flood.rate(), "events/s");
    Ok(row.note(format!(
        "16 in flight; p50 {:.1} ms, p99 {:.1} ms, {} told to come later; applied {behind:.1} s after the last ({:.0}/s)",
        at(&flood.times, 0.5),
        at(&flood.times, 0.99),
        flood.refused,
        flood.events as f64 / (flood.seconds + behind)
    )))
}

/// Definitions, a year of orders, a model trained on them and put into service.
async fn prepare(server: &mut Server, algorithm: &str) -> Result<(), BenchError> {
    server.call("PUT", "/v1/definitions", &definitions::document().to_string()).await?;
    let mut connection = crate::wire::Connection::open(&server.door.address).await?;
    for batch in bodies::history(LEARNT, 100, jiff::Timestamp::now()) {
        let answer = connection.call(&server.door.request("POST", "/v1/batch", &batch)).await?;
        if answer.status != 200 {
            let body = String::from_utf8_lossy(answer.body).into_owned();
            return Err(BenchError::Answer { what: "history".to_owned(), status: answer.status, body });
        }
    }
    server.caught_up().await?;
    let wanted = json!({"score": SCORE, "algorithm": algorithm}).to_string();
    let started = server.call("POST", "/v1/models/train", &wanted).await?;
    let path = format!("/v1/models/jobs/{}", started["job"].as_str().unwrap_or_default());
    let begun = Instant::now();
    let version = loop {
        let job = server.call("GET", &path, "").await?;
        match job["state"].as_str() {
            Some("done") => break job["version"].as_u64().unwrap_or_default(),
            Some("failed" | "cancelled") => {
                let why = job["error"].as_str().unwrap_or("somebody ended it").to_owned();
                return Err(BenchError::Process { what: "training".to_owned(), why });
            }
            _ if begun.elapsed() > LATE_AFTER => {
                return Err(BenchError::Late { what: "training".to_owned(), seconds: LATE_AFTER.as_secs() });
            }
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    server.call("POST", &format!("/v1/models/{SCORE}/{version}/activate"), "").await?;
    server.caught_up().await
}

/// Waits until the subscriber has heard of so many events.
async fn all_pushed(board: &Arc<Board>, events: u64) -> Result<(), BenchError> {
    let begun = Instant::now();
    while board.pushed.load(Ordering::Relaxed) < events {
        if begun.elapsed() > Duration::from_secs(20) {
            let pushed = board.pushed.load(Ordering::Relaxed);
            let resyncs = board.resyncs.load(Ordering::Relaxed);
            let what = format!("the push of all {events} events ({pushed} came, {resyncs} resyncs)");
            return Err(BenchError::Late { what, seconds: 20 });
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// p50, p99 and the largest, in milliseconds.
fn quantiles(nanoseconds: &mut [i64]) -> (f64, f64, f64) {
    nanoseconds.sort_unstable();
    let at = |quantile: f64| {
        let place = (nanoseconds.len() as f64 * quantile).ceil() as usize;
        nanoseconds.get(place.saturating_sub(1)).copied().unwrap_or_default() as f64 / 1e6
    };
    (at(0.5), at(0.99), at(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_ranks() {
        let mut times: Vec<i64> = (1..=100).rev().map(|ms| ms * 1_000_000).collect();
        assert_eq!(quantiles(&mut times), (50.0, 99.0, 100.0));
        assert_eq!(quantiles(&mut []), (0.0, 0.0, 0.0));
    }
}
