//! How far a reader of the stream has come.
//!
//! As text it is one `offset.n` for each partition, joined by `_`: the reader has everything before effect `n` of the entry
//! at `offset`. It means the same after a restart, because an effect's place never changes.

use std::fmt::{self, Write as _};

/// A place among the effects of a partition: everything before effect `index` of the entry at `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) index: u32,
}

/// A place in every partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Cursor(pub(crate) Vec<Place>);

impl Cursor {
    /// Reads a cursor over `partitions` partitions; none if it is not one.
    pub(crate) fn parse(text: &str, partitions: usize) -> Option<Self> {
        let place = |part: &str| {
            let (offset, index) = part.split_once('.')?;
            Some(Place { offset: offset.parse().ok()?, index: index.parse().ok()? })
        };
        let places = text.split('_').take(partitions + 1).map(place).collect::<Option<Vec<_>>>()?;
        (places.len() == partitions).then_some(Self(places))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Place { offset, index }) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_char('_')?;
            }
            write!(f, "{offset}.{index}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        let text = "12.0_0.3";
        assert_eq!(Cursor::parse(text, 2).map(|cursor| cursor.to_string()).as_deref(), Some(text));
        for wrong in ["", "12.0", "12.0_0.3_1.1", "12_0.3", "-1.0_0.0", "a.b_0.0", "1.99999999999_0.0"] {
            assert_eq!(Cursor::parse(wrong, 2), None, "{wrong}");
        }
    }
}
