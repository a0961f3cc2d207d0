//! A trained model as one file: its card, its report, everything that is needed to answer, and a checksum over all.
//!
//! Format 2, integers little-endian: `RAPPORT\0`, the format (u32), the lengths of three parts (u64 each), the card (JSON), the report
//! (JSON, perhaps empty; this crate does not look into it), the body (postcard), and the CRC-32 of everything before. Format
//! 1 was a JSON document of a logistic regression; it is still read.
//! No version with format 2 is released: a body may still change, as that of nearest neighbours did, and one that is written no more
//! is refused with what to do.
//!
//! The same model gives the same bytes. What was written answers bit for bit as what was read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::drift::Reference;
use crate::model::first;
use crate::{Card, MlError, Model};

/// The format that this version writes. It reads all up to it.
pub const FORMAT: u32 = 2;

const MAGIC: &[u8; 8] = b"RAPPORT\0";
const HEAD: usize = MAGIC.len() + size_of::<u32>() + 3 * size_of::<u64>();

/// How inputs and answers were distributed in training; drift is told against these.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct References {
    /// By the name of the input.
    pub inputs: BTreeMap<String, Reference>,
    /// Of the answers, for yes or no and for numbers.
    pub score: Option<Reference>,
}

impl References {
    fn check(&self) -> Result<(), MlError> {
        self.inputs.values().chain(&self.score).try_for_each(Reference::check)
    }
}

/// A trained model with all that is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// The facts.
    pub card: Card,
    /// What answers.
    pub model: Model,
    /// How inputs and answers were distributed.
    pub references: References,
    /// The report as its maker wrote it, JSON; none if there is none.
    pub report: Option<String>,
}

impl Artifact {
    /// Whether bytes begin as an artifact of some format does, however they go on.
    pub fn is_begun(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC) || bytes.starts_with(b"{")
    }

    /// Reads an artifact of any format up to [`FORMAT`].
    ///
    /// # Errors
    ///
    /// [`MlError::Format`] for a newer one, [`MlError::Artifact`] for what is none or is damaged, [`MlError::Unreadable`] for the
    /// model of a version whose models this one does not know, [`MlError::Shape`] for one that could not answer.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MlError> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else { return first::read(bytes) };
        let wrong = |what: &str| MlError::Artifact(what.to_owned());
        let short = || wrong("the file ends too early; copy it again");
        let format = u32::from_le_bytes(*rest.first_chunk().ok_or_else(short)?);
        if format != FORMAT {
            return Err(MlError::Format(format));
        }
        let (content, sum) = bytes.split_last_chunk::<4>().ok_or_else(short)?;
        if content.len() < HEAD {
            return Err(short());
        }
        if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
            return Err(wrong("its checksum is wrong: the file is cut off or damaged; copy it again"));
        }
        let length = |at: usize| {
            let bytes = content[HEAD - (3 - at) * 8..].first_chunk().copied().unwrap_or_default();
            usize::try_from(u64::from_le_bytes(bytes)).ok()
        };
        let part = |start: usize, length: usize| {
            let end = start.checked_add(length)?;
            Some((content.get(start..end)?, end))
        };
        let parts = || {
            let (card, end) = part(HEAD, length(0)?)?;
            let (report, end) = part(end, length(1)?)?;
            let (body, end) = part(end, length(2)?)?;
            (end == content.len()).then_some((card, report, body))
        };
        let (card, report, body) = parts().ok_or_else(|| wrong("its parts do not fit together"))?;
        let card: Card = serde_json::from_slice(card).map_err(|error| MlError::Artifact(error.to_string()))?;
        // The checksum is right, so it is not the file that is at fault.
        let unreadable = || MlError::Unreadable(card.program.clone());
        let ((model, references), rest): ((Model, References), _) =
            postcard::take_from_bytes(body).map_err(|_| unreadable())?;
        if !rest.is_empty() {
            return Err(unreadable());
        }
        model.check()?;
        references.check()?;
        let report = String::from_utf8(report.to_vec()).map_err(|error| MlError::Artifact(error.to_string()))?;
        Ok(Self { card, model, references, report: (!report.is_empty()).then_some(report) })
    }

    /// The file.
    ///
    /// # Errors
    ///
    /// [`MlError::Artifact`] if a figure in the card is not finite.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MlError> {
        let card = serde_json::to_vec(&self.card).map_err(|error| MlError::Artifact(error.to_string()))?;
        let report = self.report.as_deref().unwrap_or_default().as_bytes();
        let body = postcard::to_allocvec(&(&self.model, &self.references))
            .map_err(|error| MlError::Artifact(error.to_string()))?;
        let mut bytes = Vec::with_capacity(HEAD + card.len() + report.len() + body.len() + 4);
        bytes.extend(MAGIC);
        bytes.extend(FORMAT.to_le_bytes());
        for part in [&*card, report, &body] {
            bytes.extend((part.len() as u64).to_le_bytes());
        }
        [&*card, report, &body].iter().for_each(|part| bytes.extend_from_slice(part));
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        Ok(bytes)
    }
}
