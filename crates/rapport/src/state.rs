//! `rapport state`: what a stopped installation holds.

use std::{fmt::Write as _, sync::Arc};

use rapport_engine::{Engine, EngineOptions, Sink, rebuild_digest};
use rapport_types::{Offset, PartitionId};
use serde_json::json;

use crate::{cli::Failure, config::Config, data::Data};

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) digest: bool,
    pub(crate) rebuild: bool,
    pub(crate) json: bool,
}

/// Takes effects that nobody waits for.
struct Nobody;

impl Sink for Nobody {
    fn deliver(&self, _: PartitionId, _: &[(Offset, u32, rapport_decide::Effect)]) {}

    fn reset(&self) {}
}

/// The text that the command prints.
pub(crate) fn tell(config: &Config, options: Options) -> Result<String, Failure> {
    if !config.data.join("log.db").exists() {
        return Err(format!("there is no log in {}; --data names the folder", config.data.display()).into());
    }
    describe(Data::open(config)?, options)
}

/// What data hold. Without a checkpoint the state is made from the log, and a checkpoint is written.
pub(crate) fn describe(data: Data, options: Options) -> Result<String, Failure> {
    if options.rebuild {
        let rebuilt = rebuild_digest(&data.log)?;
        let rate = rebuilt.entries as f64 / rebuilt.took.as_secs_f64().max(1e-9);
        let (digest, profiles) = (&rebuilt.digest.digest, rebuilt.digest.profiles);
        return Ok(if options.json {
            let took_s = rebuilt.took.as_secs_f64();
            let entries = rebuilt.entries;
            json!({"digest": digest, "profiles": profiles, "entries": entries, "took_s": took_s, "entries_per_second": rate})
                .to_string()
        } else {
            format!("{digest}\n{profiles} profiles from {} entries, {rate:.0} a second", rebuilt.entries)
        });
    }
    // As a start of the server would: the newest checkpoint and what the log holds beyond it.
    let engine = Engine::start(data.log, data.store, Arc::new(Nobody), EngineOptions::default())?;
    engine.wait_until_caught_up()?;
    let reader = engine.reader();
    let mut total = rapport_profile::LedgerLine::default();
    for (_, line) in reader.ledger() {
        total = total.plus(line);
    }
    let profiles: u64 = engine.facts().partitions.iter().map(|partition| partition.profiles).sum();
    let digest = options.digest.then(|| engine.digest().digest);
    engine.stop()?;
    if options.json {
        return Ok(json!({"digest": digest, "profiles": profiles, "ledger": {
            "accepted": total.accepted, "applied": total.applied, "deduplicated": total.deduplicated,
            "dead_lettered": total.dead_lettered, "erased": total.erased,
        }})
        .to_string());
    }
    let mut text = String::new();
    if let Some(digest) = digest {
        text.push_str(&digest);
        text.push('\n');
    }
    writeln!(text, "{profiles} profiles")?;
    write!(
        text,
        "{} accepted = {} applied + {} deduplicated + {} dead-lettered + {} erased",
        total.accepted, total.applied, total.deduplicated, total.dead_lettered, total.erased
    )?;
    Ok(text)
}
