//! What other systems call the columns of their exports.
//!
//! A target is written as text: `field`, `field.part`, `field:by` (the other object's field by which a record is found), `owner`, and
//! nothing where a column is known and goes nowhere. Columns are named in order of preference: of several that could fill a field,
//! the first that has values does.
//!
//! Each system's file says at its head what its names rest on. They are those of an English user interface: a system that
//! translates the names of its columns is not known in other languages, and its columns go where their own names lead.

mod espocrm;
mod hubspot;
mod pipedrive;
mod salesforce;
mod twenty;

use super::headers::normal;

/// What a column is called, and where it goes. A name that ends with `*` is the beginning of one.
pub(super) type Columns = &'static [(&'static str, &'static str)];

/// A system whose exports are known.
pub(super) struct System {
    pub(super) name: &'static str,
    /// Names of columns; a file that has all of one line is this system's.
    marks: &'static [&'static [&'static str]],
    /// By object.
    columns: &'static [(&'static str, Columns)],
}

const SYSTEMS: [&System; 5] =
    [&hubspot::SYSTEM, &salesforce::SYSTEM, &pipedrive::SYSTEM, &twenty::SYSTEM, &espocrm::SYSTEM];

/// The system that a file with these columns is from.
pub(super) fn system_of(header: &[String]) -> Option<&'static System> {
    let has = |mark: &&str| header.iter().any(|name| is_mark(name.trim(), mark));
    SYSTEMS.into_iter().find(|system| system.marks.iter().any(|marks| marks.iter().all(has)))
}

/// Whether a column is called as a mark is written, but for the size of letters behind the first. Signs and the first letter tell
/// systems apart: one's `Amount / Currency` is another's `amountCurrency`, and one's `LastName` another's `lastName`.
fn is_mark(name: &str, mark: &str) -> bool {
    name.eq_ignore_ascii_case(mark) && name.bytes().next() == mark.bytes().next()
}

impl System {
    /// What the columns of an object's records are called, and where they go.
    pub(super) fn columns(&self, object: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.columns.iter().filter(move |(name, _)| *name == object).flat_map(|(_, columns)| columns.iter().copied())
    }
}

/// Whether a column, by its [`normal`] name, is called like one of a system.
pub(super) fn is_called(name: &str, called: &str) -> bool {
    match called.strip_suffix('*') {
        Some(beginning) => name.starts_with(&normal(beginning)),
        None => name == normal(called),
    }
}
