//! Records that come with their past: what each was made with, and what it was changed to since, each at its time.
//!
//! Nobody's request leads here, so that nobody can write a past of their own making; only a demo has one. Values are checked
//! as any others are. What follows from values ([`crate::rules`]) goes by the present time, so it is not added: the past says
//! everything itself.

use rapport_types::Timestamp;
use serde_json::{Map, Value};

use super::{
    Editor, Fields, Stuffs,
    insert::{Head, insert_dated, stuff_json},
    to_json,
};
use crate::{
    Id, RecordsError, Tx,
    feed::{Line, Op},
};

/// A record and its past.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Past<'p> {
    pub(crate) id: Id,
    /// When it was made.
    pub(crate) at: Timestamp,
    /// What it was made with.
    pub(crate) fields: &'p Fields,
    /// What it was changed to, in the order of time.
    pub(crate) later: &'p [(Timestamp, Fields)],
}

impl<'e> Editor<'e, '_> {
    /// Inserts records as they are now; the lines of the feed that tell how they came to be so, which are the caller's to
    /// write.
    pub(crate) fn tell(
        mut self,
        tx: &mut Tx<'_>,
        pasts: &[Past<'_>],
    ) -> Result<Vec<(Timestamp, Line<'e>)>, RecordsError> {
        let object = self.ground.object;
        let mut lines = Vec::new();
        let mut rows: Vec<(Head, Stuffs)> = Vec::with_capacity(pasts.len());
        for (index, past) in pasts.iter().enumerate() {
            let mut head = Head { id: past.id, version: 1, created_at: past.at, updated_at: past.at };
            let line = |head: &Head, op, before, after| {
                let line = Line { object: &object.name, record: head.id, version: head.version, op, before, after };
                (head.updated_at, line)
            };
            let mut stuffs = match self.values(past.fields) {
                Ok(stuffs) => stuffs,
                Err(error) => {
                    self.refuse(index, error)?;
                    continue;
                }
            };
            lines.push(line(&head, Op::Create, Map::new(), to_json(object, &stuffs)));
            for (at, fields) in past.later {
                head = Head { version: head.version + 1, updated_at: *at, ..head };
                let (mut before, mut after) = (Map::new(), Map::new());
                for (name, stuff) in self.values(fields)? {
                    let old = stuffs.get(&name).map_or(Value::Null, |stuff| stuff_json(object, &name, stuff));
                    before.insert(name.clone(), old);
                    after.insert(name.clone(), stuff_json(object, &name, &stuff));
                    stuffs.insert(name, stuff);
                }
                lines.push(line(&head, Op::Update, before, after));
            }
            rows.push((head, stuffs));
        }
        self.check_targets(tx, rows.iter().enumerate().map(|(index, (_, stuffs))| (index, stuffs)), true)?;
        self.check_unique(tx, rows.iter().enumerate().map(|(index, (head, stuffs))| (index, head.id, stuffs)))?;
        if !self.errors.is_empty() {
            return Err(RecordsError::Rows(self.errors));
        }
        insert_dated(tx, self.access, object, rows.iter().map(|(head, stuffs)| (*head, stuffs)))?;
        Ok(lines)
    }
}
