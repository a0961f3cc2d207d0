//! What a new installation begins with: its id, roles, and a pipeline for deals.

use sea_query::{Alias, Query};
use serde_json::json;

use crate::{Access, Edit, Fields, Id, RecordsError, Role, Tx, access::Actor, contents, desk::Moment, edit::Editor};

/// The stages of the first pipeline: name, probability in percent, outcome, days after which a deal is stale.
const STAGES: [(&str, f64, &str, Option<u32>); 6] = [
    ("New", 10.0, "open", Some(14)),
    ("Qualified", 25.0, "open", Some(21)),
    ("Proposal", 50.0, "open", Some(21)),
    ("Negotiation", 75.0, "open", Some(14)),
    ("Won", 100.0, "won", None),
    ("Lost", 0.0, "lost", None),
];

/// The roles of a new installation.
pub(crate) fn roles() -> [Role; 4] {
    [Role::administrator(), Role::manager(), Role::member(), Role::reader()]
}

pub(crate) fn fill(moment: &Moment<'_>, tx: &mut Tx<'_>) -> Result<(), RecordsError> {
    tx.insert_rows("installation", &["id"], &[vec![contents::owner::new_id()?.into()]])?;
    for role in roles() {
        let id = moment.ids.next(moment.now)?;
        let definition = serde_json::to_string(&role).map_err(|error| RecordsError::Database(error.to_string()))?;
        let insert = Query::insert()
            .into_table(Alias::new("role"))
            .columns(["id", "name", "definition"].map(Alias::new))
            .values_panic([id.0.into(), role.name.into(), definition.into()])
            .take();
        tx.execute(&insert)?;
    }
    let access = Access::of_system(Actor::System);
    let create = |tx: &mut Tx<'_>, object: &str, records: Vec<serde_json::Value>| {
        let fields = |value: serde_json::Value| value.as_object().cloned().unwrap_or_else(Fields::new);
        let edits: Vec<Edit> = records.into_iter().map(|record| Edit::Create { fields: fields(record) }).collect();
        Editor::new(moment, &access, object, None)?.run(tx, &edits)
    };
    let pipeline: Vec<Id> = create(tx, "pipeline", vec![json!({ "name": "Sales", "position": 1 })])?;
    let stage = |(place, (name, probability, outcome, rotting)): (usize, &(&str, f64, &str, Option<u32>))| {
        json!({ "name": name, "pipeline": pipeline[0], "position": place + 1, "probability": probability,
            "outcome": outcome, "rotting_days": rotting })
    };
    create(tx, "stage", STAGES.iter().enumerate().map(stage).collect())?;
    Ok(())
}
