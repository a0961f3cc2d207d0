//! Secrets: made at random, told once, kept as hashes.

use crate::StoreError;

/// How many random bytes a secret has.
const BYTES: usize = 24;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

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
    pub fn random(prefix: &str) -> Result<Self, StoreError> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(StoreError::Random)?;
        // Base 64 without padding (RFC 4648, section 5): three bytes become four letters.
        let letters = bytes.chunks_exact(3).flat_map(|three| {
            let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
            [18, 12, 6, 0].map(|shift| char::from(ALPHABET[(bits >> shift & 0x3f) as usize]))
        });
        Ok(Self(prefix.chars().chain(letters).collect()))
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// What is kept of a secret. Looking a hash up leaks nothing by its timing, because the hash of a guess is unpredictable.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    *blake3::hash(secret.as_bytes()).as_bytes()
}
