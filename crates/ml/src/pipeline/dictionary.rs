//! Names by number, found by hash.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// Different names, each with its place.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub(super) struct Dictionary {
    names: Vec<String>,
    places: FxHashMap<String, u32>,
}

impl Dictionary {
    /// The place of a name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.places.get(name).map(|place| *place as usize)
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }
}

impl From<Vec<String>> for Dictionary {
    fn from(names: Vec<String>) -> Self {
        let places = names.iter().enumerate().map(|(place, name)| (name.clone(), place as u32)).collect();
        Self { names, places }
    }
}

impl From<Dictionary> for Vec<String> {
    fn from(dictionary: Dictionary) -> Self {
        dictionary.names
    }
}
