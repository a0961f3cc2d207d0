//! Several e-mail addresses in a cell for one, as other systems have them: the first becomes the record's address, and the others go
//! among its other addresses, beside those that it has.
//!
//! Only `email` has others: those of another field, such as one for bills, would be taken for the person's. The two fields are those
//! that a merge keeps together, too.

use std::collections::{BTreeMap, BTreeSet};

use sea_query::{ExprTrait as _, LockType};
use serde_json::{Value, json};

use super::lookup::{CHUNK, Scene};
use crate::{
    Id, RecordsError, Tx,
    database::hold,
    edit::Stuffs,
    schema::{Field, FieldKind, Object},
    value::{self, Stuff},
};

const ONE: &str = "email";
const OTHERS: &str = "other_emails";

/// The fields for an address and for the others.
#[derive(Clone, Copy)]
pub(super) struct Addresses<'p> {
    object: &'p Object,
    one: &'p Field,
    others: &'p Field,
}

impl<'p> Addresses<'p> {
    /// None where an object has not both, or a column goes to the others: what its cells say is all of them then.
    pub(super) fn of(object: &'p Object, is_taken: impl Fn(&str) -> bool) -> Option<Self> {
        let one = object.field(ONE).filter(|field| field.kind == FieldKind::Email)?;
        let others = object.field(OTHERS).filter(|field| field.kind == FieldKind::Emails && !is_taken(OTHERS))?;
        Some(Self { object, one, others })
    }

    /// The first address of a cell, and its others; none if it has one only, or goes to another field.
    pub(super) fn read(&self, field: &Field, cell: &Value) -> Option<Result<(Stuff, Vec<String>), RecordsError>> {
        let (first, others) = cell.as_str()?.split_once([',', ';'])?;
        let has_several = field.name == ONE && first.contains('@') && others.contains('@');
        has_several.then(|| self.split(first, others))
    }

    fn split(&self, first: &str, others: &str) -> Result<(Stuff, Vec<String>), RecordsError> {
        let first = value::read(self.one, &json!(first))?;
        let others = value::read(self.others, &json!(others)).map_err(of_one)?;
        Ok((first, if let Stuff::List(others) = others { others } else { Vec::new() }))
    }

    /// Refuses what the caller may not set: the mapping names only the one field, and its other rows are as good as ever.
    pub(super) fn must_be_settable(&self, scene: &Scene<'_, '_>) -> Result<(), RecordsError> {
        if scene.access.may_set(&self.object.name, OTHERS) {
            return Ok(());
        }
        Err(RecordsError::invalid(ONE, "it must be one e-mail address: your role may not keep others"))
    }

    /// The other addresses that records have. What is written next rests on them, so that nobody else changes them meanwhile.
    pub(super) fn of_records(
        &self,
        tx: &mut Tx<'_>,
        scene: &Scene<'_, '_>,
        records: &BTreeSet<Id>,
    ) -> Result<BTreeMap<Id, Vec<String>>, RecordsError> {
        let ground = scene.moment.ground(&self.object.name, scene.access)?;
        let records: Vec<i64> = records.iter().map(|id| id.0).collect();
        let mut known = BTreeMap::new();
        for chunk in records.chunks(CHUNK) {
            let mut query = ground.select(scene.access)?;
            query.expr(ground.column("id")).expr(ground.column(OTHERS));
            query.and_where(ground.column("id").is_in(chunk.iter().copied()));
            if !scene.dry {
                hold(tx, &mut query, LockType::NoKeyUpdate);
            }
            for row in tx.query(&query)? {
                if let Stuff::List(addresses) = Stuff::of_column(self.others, &row, 1)? {
                    known.insert(Id(row.int(0)?), addresses);
                }
            }
        }
        Ok(known)
    }

    /// Puts a row's other addresses behind those that its record has, without the one that is its first.
    pub(super) fn put(&self, stuffs: &mut Stuffs, there: &[String], more: Vec<String>) -> Result<(), RecordsError> {
        let is_first = |address: &String| matches!(stuffs.get(ONE), Some(Stuff::Text(first)) if first == address);
        let mut all: Vec<String> = there.iter().filter(|address| !is_first(address)).cloned().collect();
        for address in more {
            if !is_first(&address) && !all.contains(&address) {
                all.push(address);
            }
        }
        // How many there may be is the field's own rule.
        let all = value::read(self.others, &json!(all)).map_err(of_one)?;
        stuffs.insert(OTHERS.to_owned(), all);
        Ok(())
    }
}

/// What is wrong with the others is told of the field that the column goes to.
fn of_one(error: RecordsError) -> RecordsError {
    match error {
        RecordsError::Invalid { what, .. } => RecordsError::invalid(ONE, what),
        other => other,
    }
}
