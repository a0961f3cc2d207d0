//! `rapport serve`: opens the data, starts the engine, wires the server's ports to it, and stops in order.
//!
//! The order of a stop: no new connections, streams told to come back, requests at hand finished, workers stopped after
//! their last entry with a checkpoint, the log's writer emptied.

mod access;
mod answers;
mod definitions;
mod followers;
mod health;
mod training;

use std::{io::Write as _, sync::Arc, time::Duration};

use parking_lot::RwLock;
use rapport_decide::Effect;
use rapport_engine::{Engine, EngineOptions, Sink};
use rapport_server::{Hub, HubOptions, Limits, Patience, SignOn, State, api::About, system_time};
use rapport_store::Checkpoint as _;
use rapport_types::{Offset, PartitionId};
use tokio::signal::unix::{SignalKind, signal};

use self::{
    access::AccessBook,
    answers::EngineAnswers,
    definitions::DefinitionsDesk,
    followers::Followers,
    health::EngineHealth,
    training::{CalibrationBook, Jobs, Scheduler, Trainer},
};
use crate::{
    cli::Failure,
    config::{self, Config, LogFormat},
    credentials::{self, Credentials},
    data::{self, Data},
};

/// Files that the program itself opens: databases, the search index, files that come in and go out.
const OWN_FILES: u64 = 512;
/// How long requests at hand may take after a stop was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// Hands effects to the live stream.
struct HubSink(Hub);

impl Sink for HubSink {
    fn deliver(&self, partition: PartitionId, effects: &[(Offset, u32, Effect)]) {
        self.0.deliver(partition, effects);
    }

    fn reset(&self) {
        self.0.reset();
    }
}

/// Runs until it is told to stop.
pub(crate) fn run(config: &Config) -> Result<(), Failure> {
    start_logging(config);
    let sign_on = Arc::new(sign_on(config)?);
    let data = Data::open(config)?;
    let records = Arc::new(data::open_records(config)?);
    data::define_first(&*data.log)?;
    let credentials = Credentials::renew(&config.data, &data.store, &records)?;
    let hub = Hub::new(data.log.partitions(), HubOptions::default());
    for partition in (0..data.log.partitions()).map(PartitionId) {
        hub.starts_at(partition, data.store.head(partition)?.map_or(Offset(0), |head| head.next));
    }
    let options = EngineOptions {
        checkpoint_every: Duration::from_secs(u64::from(config.checkpoint_seconds)),
        checkpoint_entries: u64::from(config.checkpoint_entries),
        hot_profiles: config.hot_profiles as usize,
    };
    let sink = Arc::new(HubSink(hub.clone()));
    let store: Arc<dyn rapport_store::Checkpoint> = Arc::<rapport_store::SqliteStore>::clone(&data.store);
    let engine = Arc::new(Engine::start(Arc::clone(&data.log), store, sink, options)?);
    let (state, trainer) = wire(config, &data, &records, &engine, hub, sign_on)?;
    let scheduler = Scheduler::start(trainer.clone())?;
    records.set_files(&config.data.join(data::FILES))?;
    records.open_search(&config.data.join("search"))?;
    let followers = Followers::start(Arc::clone(&records), Arc::clone(&data.log), config.audit_days)?;
    let served = listen(config, state, &trainer.jobs, &credentials);
    drop((followers, scheduler, trainer));
    let stopped = match Arc::try_unwrap(engine) {
        Ok(engine) => engine.stop().map_err(Failure::from),
        // A request that outlived the grace period still holds it; dropping the last one stops the engine too.
        Err(_) => Err("a request was still at hand when the server stopped".into()),
    };
    tracing::info!("stopped");
    served.and(stopped)
}

fn start_logging(config: &Config) {
    let builder = tracing_subscriber::fmt().with_max_level(config.log_level).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text => builder.init(),
    }
}

fn wire(
    config: &Config,
    data: &Data,
    records: &Arc<rapport_records::Desk>,
    engine: &Arc<Engine>,
    hub: Hub,
    sign_on: Arc<SignOn>,
) -> Result<(State, Trainer), Failure> {
    let reader = engine.reader();
    let access = Arc::new(AccessBook::read(&data.store, Arc::clone(records))?);
    let calibrations = Arc::new(RwLock::new(CalibrationBook::read(&data.store)?));
    let answers =
        EngineAnswers { reader: reader.clone(), access: Arc::clone(&access), calibrations: Arc::clone(&calibrations) };
    let trainer = Trainer {
        log: Arc::clone(&data.log),
        store: Arc::clone(&data.store),
        reader: reader.clone(),
        calibrations,
        jobs: Arc::default(),
        measurements: Arc::default(),
        clock: system_time,
    };
    let unlimited = config.events_per_second == 0;
    let events_per_second = if unlimited { u32::MAX } else { config.events_per_second };
    let burst = events_per_second.saturating_mul(2).max(5_000);
    let state = State {
        log: Arc::clone(&data.log),
        answers: Arc::new(answers),
        access,
        records: Arc::clone(records),
        sign_on,
        training: Arc::new(trainer.clone()),
        definitions: Arc::new(DefinitionsDesk::new(Arc::clone(&data.log), reader)),
        health: Arc::new(EngineHealth { engine: Arc::clone(engine), log: Arc::clone(&data.log) }),
        hub,
        about: About {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            data_note: (!config.data_note.is_empty()).then(|| config.data_note.clone()),
            partitions: data.log.partitions(),
        },
        limits: Limits { events_per_second, burst, file_bytes: u64::from(config.file_megabytes) << 20 },
        patience: Patience {
            head: Duration::from_secs(u64::from(config.head_seconds)),
            body: Duration::from_secs(u64::from(config.body_seconds)),
            read: Duration::from_secs(u64::from(config.read_seconds)),
        },
        connections: room_for(config.connections),
        trusted_proxies: config.trusted_proxies.clone(),
        secure_cookie: config.secure_cookie,
        clock: system_time,
    };
    Ok((state, trainer))
}

/// How many connections there is room for: of the files that the system lets this process open, some are the databases'.
fn room_for(wanted: u32) -> usize {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // A soft limit of 1,024 is what most systems begin with, whatever they allow.
    let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
    let files = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    let room = files.map_or(u64::MAX, |files| files.saturating_sub(OWN_FILES).max(files / 2));
    let connections = room.min(u64::from(wanted));
    if connections < u64::from(wanted) {
        tracing::warn!(
            connections,
            "the system lets this process open few files, so there is room for fewer connections"
        );
    }
    connections as usize
}

/// The providers of the settings, with their secrets.
fn sign_on(config: &Config) -> Result<SignOn, Failure> {
    let with_secret = |provider: &config::sign_on::Provider| provider.settings(|name| std::env::var(name).ok());
    let providers = config.sign_on.iter().map(with_secret).collect::<Result<Vec<_>, _>>()?;
    let client = || {
        let client = rapport_outbound::Client::new(config.allow_private.clone(), rapport_outbound::Limits::default());
        client.map_err(|error| error.to_string())
    };
    Ok(SignOn::new(providers, &config.public_url, client)?)
}

fn listen(config: &Config, state: State, jobs: &Jobs, credentials: &Credentials) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let hub = state.hub.clone();
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(config.listen).await;
        let listener = listener.map_err(|error| format!("{} cannot be listened on: {error}", config.listen))?;
        let base = format!("http://{}", listener.local_addr()?);
        std::fs::write(config.data.join("address"), &base)?;
        tracing::info!(address = %base, data = %config.data.display(), "listening");
        // Before anybody knows that it runs, so that whoever stops it at once stops it in order.
        let told_to_stop = told_to_stop()?;
        tell(&base, credentials);
        let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
        let mut server = std::pin::pin!(rapport_server::serve(listener, state, async {
            let _gone = stopping.await.is_err();
        }));
        tokio::select! {
            () = &mut server => return Err("the server ended by itself".into()),
            () = told_to_stop => {}
        }
        tracing::info!("stopping");
        hub.close();
        jobs.close();
        let _gone = stop.send(()).is_err();
        if tokio::time::timeout(GRACE, server).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        Ok::<(), Failure>(())
    });
    runtime.shutdown_timeout(GRACE);
    served
}

/// Tells the person at the terminal where the pages are and how to get in.
fn tell(base: &str, credentials: &Credentials) {
    let link = credentials::link(base, &credentials.admin_link_token);
    let mut out = std::io::stdout().lock();
    // A server whose standard output is closed runs all the same.
    let _told = writeln!(out, "Rapport is at {base}\nSign in once with  {link}").and_then(|()| out.flush()).is_ok();
}

/// Waits for Ctrl-C or SIGTERM. Both are heeded from this call on, whenever it is awaited.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
