//! Exports: records go out, as a list that somebody sees or as everything that an installation holds.
//!
//! A list goes out with the permissions of whoever asks, page by page. Cells of text that a spreadsheet would take for a formula
//! get a `'` before them (OWASP, "CSV injection"); an import takes it away again.

mod list;
mod workspace;

use std::borrow::Cow;

pub use list::ExportFormat;
pub use workspace::{Manifest, Watch};

/// What a spreadsheet takes for the beginning of a formula; where East Asian letters are usual the wide ones too.
pub(crate) const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A cell that no spreadsheet takes for a formula.
pub(crate) fn safe(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(FORMULA) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}
