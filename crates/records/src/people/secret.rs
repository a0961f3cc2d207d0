//! Secrets: made at random, told once, kept as hashes.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::RecordsError;

/// How many random bytes a secret has.
const BYTES: usize = 24;
/// Digits of recovery codes: Crockford's base 32, in which no letter is mistaken for a digit.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A secret in the clear, to be shown once. It does not show itself in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// A new one of 192 random bits; `prefix` tells people and scanners what it is for.
    pub(super) fn random(prefix: &str) -> Result<Self, RecordsError> {
        Ok(Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes::<BYTES>()?))))
    }

    /// A new one of 80 random bits that people can write down: four groups of four.
    pub(super) fn readable() -> Result<Self, RecordsError> {
        let digits = bytes::<16>()?.map(|byte| char::from(DIGITS[usize::from(byte & 31)]));
        let groups: Vec<String> = digits.chunks_exact(4).map(|group| group.iter().collect()).collect();
        Ok(Self(groups.join("-")))
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

/// What is kept of a secret. Looking a hash up leaks nothing by its timing, because the hash of a guess is unpredictable.
pub(super) fn hash(secret: &str) -> [u8; 32] {
    *blake3::hash(secret.as_bytes()).as_bytes()
}

/// Random bytes.
pub(super) fn bytes<const N: usize>() -> Result<[u8; N], RecordsError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(RecordsError::Random)?;
    Ok(bytes)
}
