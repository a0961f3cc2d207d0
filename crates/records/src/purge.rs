//! Records that go for good: their rows, what belongs to them and what names them, be it a field that holds one or one that holds
//! many. A record that named one loses the name without a new version: what it named was in the trash, which is what its history
//! tells of. A line in the feed says that they are gone.

use std::collections::BTreeSet;

use sea_query::{Alias, ExprTrait as _, Query};
use serde_json::{Map, Value};

use crate::{
    Access, Id, Op, RecordsError, Tx,
    desk::Moment,
    feed::{self, Line, column},
    schema::{FieldKind, Object, table_of},
    ties,
};

/// The field that makes a contact a customer.
const CUSTOMER: &str = "customer_id";

/// The fields by which records name those of an object: the object that has the field, the field, and whether it holds many.
pub(crate) fn fields_to<'m>(
    moment: &'m Moment<'_>,
    object: &'m Object,
) -> impl Iterator<Item = (&'m Object, &'m str, bool)> {
    moment.schema.objects().flat_map(move |other| {
        let naming = other.fields.iter().filter(|field| field.kind.target() == Some(&object.name));
        naming.map(move |field| (other, field.name.as_str(), matches!(field.kind, FieldKind::Relations { .. })))
    })
}

/// Takes records of an object away, which are held, with their versions.
pub(crate) fn purge(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    batch: Option<Id>,
    object: &Object,
    records: &[(Id, i64)],
) -> Result<(), RecordsError> {
    if records.is_empty() {
        return Ok(());
    }
    let ids = || records.iter().map(|(id, _)| id.0);
    let customers = if object.name == "contact" { customers_of(tx, records)? } else { Vec::new() };
    let table = table_of(&object.name);
    let gone = [
        ("relation", column("object").eq(&object.name).and(column("record").is_in(ids()))),
        ("relation", column("target").is_in(ids())),
        ("duplicate_pair", column("one").is_in(ids()).or(column("other").is_in(ids()))),
        (&table, column("id").is_in(ids())),
    ];
    for (table, which) in gone {
        tx.execute(&Query::delete().from_table(Alias::new(table)).and_where(which).take())?;
    }
    for (other, field, _) in fields_to(moment, object).filter(|(.., is_list)| !is_list) {
        let none: Option<i64> = None;
        let update = Query::update()
            .table(Alias::new(table_of(&other.name)))
            .value(Alias::new(field), none)
            .and_where(column(field).is_in(ids()))
            .take();
        tx.execute(&update)?;
    }
    ties::part_purged(tx, &customers, moment.now)?;
    let line = |(record, version): &(Id, i64)| Line {
        object: &object.name,
        record: *record,
        version: version + 1,
        op: Op::Purge,
        before: Map::new(),
        after: Map::new(),
    };
    let lines: Vec<Line<'_>> = records.iter().map(line).collect();
    feed::write(tx, access, batch, moment.now, &lines)
}

/// Which customers some contacts are, and which they were before that was changed, as far as the feed tells of it.
fn customers_of(tx: &mut Tx<'_>, contacts: &[(Id, i64)]) -> Result<Vec<String>, RecordsError> {
    let ids = || contacts.iter().map(|(id, _)| id.0);
    let query = Query::select()
        .column(Alias::new(CUSTOMER))
        .from(Alias::new(table_of("contact")))
        .and_where(column("id").is_in(ids()))
        .and_where(column(CUSTOMER).is_not_null())
        .take();
    let mut customers = BTreeSet::new();
    for row in tx.query(&query)? {
        customers.insert(row.text(0)?.to_owned());
    }
    let mut changed = feed::select();
    changed.and_where(column("record").is_in(ids())).and_where(column("before").like(format!("%\"{CUSTOMER}\"%")));
    for row in tx.query(&changed)? {
        let before = feed::change_of(&row)?.before;
        customers.extend(before.get(CUSTOMER).and_then(Value::as_str).map(str::to_owned));
    }
    Ok(customers.into_iter().collect())
}
