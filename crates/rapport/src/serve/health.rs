//! Facts of health from engine and log.

use std::sync::Arc;

use rapport_engine::Engine;
use rapport_server::{
    api::{Health, PartitionHealth},
    ports::HealthFacts,
};
use rapport_stream::Log;

/// Implements the server's port.
pub(super) struct EngineHealth {
    pub(super) engine: Arc<Engine>,
    pub(super) log: Arc<dyn Log>,
}

impl HealthFacts for EngineHealth {
    fn health(&self) -> Health {
        let facts = self.engine.facts();
        let mut reasons: Vec<String> = self.log.healthy().err().map(|error| error.to_string()).into_iter().collect();
        // One failure stops every worker, so it is told once.
        reasons.extend(facts.partitions.iter().find_map(|partition| partition.stopped.clone()));
        let behind = facts.partitions.iter().map(|partition| partition.behind).max().unwrap_or_default();
        let partition = |(partition, facts): (u32, &rapport_engine::PartitionFacts)| PartitionHealth {
            partition,
            next: facts.next,
            end: facts.end,
            behind_s: facts.behind.as_secs_f64(),
            profiles: facts.profiles,
            checkpointed: facts.checkpointed,
            stopped: facts.stopped.clone(),
        };
        let partitions = (0..).zip(&facts.partitions).map(partition).collect();
        Health { reasons, behind_s: behind.as_secs_f64(), partitions }
    }
}
