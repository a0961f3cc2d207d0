//! Segment's published SDKs, unmodified, send to the real binary by changing their host; then what they sent is asked for.
//!
//! Each SDK tells one customer's story; the customer must be there with everything that was said, under all their ids, and the
//! ledger must account for every event.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::console;
use crate::failure::Failure;
use crate::http;
use crate::process::Run;
use crate::server::Server;
use crate::services;
use crate::tally::Tally;
use crate::tree;

/// How long the fold may take to show what was accepted.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the customer of an SDK's story must look like afterwards.
struct Story {
    customer: &'static str,
    name: &'static str,
    plan: &'static str,
    ids: [&'static str; 3],
}

const NODE: Story = Story {
    customer: "user:node-customer",
    name: "Node Customer",
    plan: "gold",
    ids: ["user:node-customer", "user:node-customer-before", "anon:node-visitor"],
};

const PYTHON: Story = Story {
    customer: "user:python-customer",
    name: "Python Customer",
    plan: "silver",
    ids: ["user:python-customer", "user:python-customer-before", "anon:python-visitor"],
};

/// Both stories on one server.
pub(crate) fn run() -> Result<Tally, Failure> {
    let node = services::ready(&services::NODE_SDK)?;
    let python = services::ready(&services::PYTHON_SDK)?;
    let data = tree::target().join("services").join("sdk-data");
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    let mut server = Server::start("debug", &data, "127.0.0.1:0")?;
    let folder = |path: &Path| path.parent().map(Path::to_path_buf).unwrap_or_default();
    let sent_by_node = send(Run::new("node").args([&node]).dir(folder(&node)), &server)?;
    let script = tree::root().join("xtask/sdk/python/send.py");
    let sent_by_python = send(Run::new(&python).args([script]), &server)?;
    server.still_runs()?;

    let ledger = settled_ledger(&server, sent_by_node + sent_by_python)?;
    let mut problems = ledger_problems(&ledger, sent_by_node + sent_by_python);
    let mut tally = report("the ledger accounts for every event", &problems);
    for story in [&NODE, &PYTHON] {
        let path = format!("/v1/customers/{}", story.customer.replace(':', "%3A"));
        let (status, customer) = http::get(server.address, &path, &server.api_key)?;
        problems = customer_problems(story, status, &customer);
        tally.add(report(&format!("{} is known with everything that was said", story.customer), &problems));
    }
    Ok(tally)
}

/// Runs an SDK's script against the server; the number of events that it says it sent.
fn send(script: Run, server: &Server) -> Result<u64, Failure> {
    let said = script.env("RAPPORT_URL", server.url()).env("RAPPORT_WRITE_KEY", &server.write_key).capture()?.stdout;
    let last: Value = serde_json::from_str(said.lines().last().unwrap_or_default())?;
    last["sent"].as_u64().ok_or_else(|| Failure::new(format!("the script did not say what it sent: {said}")))
}

/// The ledger once it shows `sent` events and none of them is pending. Each look is a request, which paces the loop.
fn settled_ledger(server: &Server, sent: u64) -> Result<Value, Failure> {
    let begun = Instant::now();
    loop {
        let (status, ledger) = http::get(server.address, "/v1/ledger", &server.api_key)?;
        if status != 200 {
            return Err(Failure::new(format!("/v1/ledger answered {status}: {ledger}")));
        }
        let total = &ledger["total"];
        if total["pending"].as_u64() == Some(0) && total["accepted"].as_u64().is_some_and(|accepted| accepted >= sent) {
            return Ok(ledger);
        }
        if begun.elapsed() > PATIENCE {
            return Err(Failure::new(format!("{sent} events were sent, and the ledger is still {ledger}")));
        }
    }
}

/// What is wrong with a ledger after `sent` events, each sent once by one source.
fn ledger_problems(ledger: &Value, sent: u64) -> Vec<String> {
    let mut problems = Vec::new();
    let rows = ledger["sources"].as_array().map(Vec::as_slice).unwrap_or_default();
    for row in rows {
        let count = |name: &str| row[name].as_u64().unwrap_or_default();
        let parts = ["applied", "deduplicated", "dead_lettered", "erased"].map(count);
        if count("accepted") != parts.iter().sum::<u64>() {
            problems.push(format!("does not balance: {row}"));
        }
    }
    if !rows.iter().any(|row| row["accepted"] == sent && row["applied"] == sent) {
        problems.push(format!("no source accepted and applied {sent} events: {ledger}"));
    }
    problems
}

/// What is wrong with a customer after their story.
fn customer_problems(story: &Story, status: u16, customer: &Value) -> Vec<String> {
    if status != 200 {
        return vec![format!("status {status}: {customer}")];
    }
    let mut problems = Vec::new();
    if customer["name"] != story.name || customer["attributes"]["plan"] != story.plan {
        problems.push(format!("name {} and plan {}", customer["name"], customer["attributes"]["plan"]));
    }
    let ids = customer["ids"].as_array().map(Vec::as_slice).unwrap_or_default();
    for id in story.ids.iter().filter(|id| !ids.iter().any(|known| known == *id)) {
        problems.push(format!("{id} is not among the ids {}", customer["ids"]));
    }
    problems
}

/// Prints a check with what is wrong, and counts it.
fn report(name: &str, problems: &[String]) -> Tally {
    console::note(&format!("{} {name}", if problems.is_empty() { "ok  " } else { "FAIL" }));
    for problem in problems {
        console::note(&format!("     {problem}"));
    }
    Tally::of_step(problems.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_ledger_must_balance_and_hold_what_was_sent() {
        let row = |accepted: u64, applied: u64, dead: u64| {
            json!({"sources": [{"source": "web", "accepted": accepted, "applied": applied, "deduplicated": 0,
                                "dead_lettered": dead, "erased": 0, "pending": 0}]})
        };
        assert!(ledger_problems(&row(5, 5, 0), 5).is_empty());
        assert_eq!(ledger_problems(&row(5, 4, 0), 5).len(), 2);
        assert_eq!(ledger_problems(&row(5, 4, 1), 5).len(), 1);
        assert_eq!(ledger_problems(&row(4, 4, 0), 5).len(), 1);
    }

    #[test]
    fn a_customer_must_have_all_that_was_said() {
        let whole = json!({"name": NODE.name, "attributes": {"plan": NODE.plan}, "ids": NODE.ids});
        assert!(customer_problems(&NODE, 200, &whole).is_empty());
        assert_eq!(customer_problems(&NODE, 404, &whole).len(), 1);
        let other = json!({"name": NODE.name, "attributes": {}, "ids": [NODE.ids[0]]});
        assert_eq!(customer_problems(&NODE, 200, &other).len(), 3);
    }
}
