//! Secrets that are needed again as they were, such as those of second factors, sealed under a key that is not in the database: who
//! has the database alone has none of them.
//!
//! `ChaCha20-Poly1305` (RFC 8439) with a nonce at random, bound to the person whose secret it is. A sealed secret is a version, the
//! name of its key, the nonce, and what was sealed with its tag. Of 96 random bits two are the same among 2^32 secrets with a
//! probability of 2^-33, which is far beyond [`super::MAX_PEOPLE`].

use std::sync::OnceLock;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::secret;
use crate::{Id, RecordsError};

const VERSION: u8 = 1;
/// Bytes of the name of a key: the beginning of a hash of it.
const NAME: usize = 8;
const HEAD: usize = 1 + NAME + NONCE_LEN;
/// What the tag covers beside the person.
const PURPOSE: &[u8] = b"rapport second factor";

/// The key under which secrets are sealed: 32 random bytes. It does not show itself in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKey([u8; 32]);

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

impl SealingKey {
    /// A new one.
    pub fn random() -> Result<Self, RecordsError> {
        secret::bytes().map(Self)
    }

    /// The one of these bytes.
    pub fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be kept.
    pub fn reveal(&self) -> &[u8; 32] {
        &self.0
    }

    fn name(&self) -> [u8; NAME] {
        let mut name = [0; NAME];
        name.copy_from_slice(&blake3::derive_key("rapport name of a sealing key 1", &self.0)[..NAME]);
        name
    }

    fn cipher(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &self.0).expect("a key of this cipher has 32 bytes"))
    }
}

/// What seals and opens, once it has its key.
#[derive(Debug, Default)]
pub(crate) struct Seal {
    key: OnceLock<SealingKey>,
}

fn about(person: Id) -> Aad<Vec<u8>> {
    Aad::from([PURPOSE, &person.0.to_le_bytes()].concat())
}

impl Seal {
    /// Takes the key; the first call counts.
    pub(super) fn set(&self, key: SealingKey) {
        self.key.get_or_init(|| key);
    }

    fn key(&self) -> Result<&SealingKey, RecordsError> {
        self.key.get().ok_or_else(|| RecordsError::File("no key to seal secrets with was set".to_owned()))
    }

    /// Seals a secret of a person.
    pub(super) fn seal(&self, person: Id, secret: &[u8]) -> Result<Vec<u8>, RecordsError> {
        let (key, nonce) = (self.key()?, secret::bytes::<NONCE_LEN>()?);
        let mut body = secret.to_vec();
        let nonce_of = Nonce::assume_unique_for_key(nonce);
        let sealed = key.cipher().seal_in_place_append_tag(nonce_of, about(person), &mut body);
        sealed.map_err(|_| RecordsError::Damaged { what: "the secret of a second factor".to_owned() })?;
        Ok([&[VERSION][..], &key.name(), &nonce, &body].concat())
    }

    /// Whether a sealed secret was sealed under the key that is there.
    pub(super) fn is_of_its_key(&self, sealed: &[u8]) -> Result<bool, RecordsError> {
        Ok(sealed.get(1..=NAME) == Some(&self.key()?.name()[..]))
    }

    /// The secret of a person that was sealed; refused if it was sealed under another key, for another person, or is damaged.
    pub(super) fn open(&self, person: Id, sealed: &[u8]) -> Result<Vec<u8>, RecordsError> {
        let damaged = || RecordsError::Damaged { what: format!("the secret of the second factor of {person}") };
        let key = self.key()?;
        let (head, body) = sealed.split_at_checked(HEAD).ok_or_else(damaged)?;
        if head[0] != VERSION {
            return Err(damaged());
        }
        if !self.is_of_its_key(sealed)? {
            let what = "the second factor was sealed under another secrets.key than the one in the data folder; take a recovery \
                        code, ask an administrator to remove the second factor, or put the key back";
            return Err(RecordsError::Conflict(what.to_owned()));
        }
        let nonce = Nonce::try_assume_unique_for_key(&head[1 + NAME..]).map_err(|_| damaged())?;
        let mut body = body.to_vec();
        let opened = key.cipher().open_in_place(nonce, about(person), &mut body).map_err(|_| damaged())?;
        Ok(opened.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(byte: u8) -> Seal {
        let seal = Seal::default();
        seal.set(SealingKey::of([byte; 32]));
        seal
    }

    #[test]
    fn a_secret_is_opened_by_its_key_for_its_person_and_as_it_was() {
        let sealed = seal(1).seal(Id(5), b"secret").unwrap();
        assert_ne!(sealed, seal(1).seal(Id(5), b"secret").unwrap(), "two of the same are not alike");
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(seal(1).open(Id(5), &sealed).unwrap(), b"secret");
        assert!(
            matches!(seal(2).open(Id(5), &sealed), Err(RecordsError::Conflict(what)) if what.contains("secrets.key"))
        );
        assert!(matches!(seal(1).open(Id(6), &sealed), Err(RecordsError::Damaged { .. })));
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(seal(1).open(Id(5), &changed).is_err(), "byte {place}");
            assert!(seal(1).open(Id(5), &sealed[..place]).is_err(), "{place} bytes");
        }
        assert!(Seal::default().seal(Id(5), b"secret").is_err(), "never without a key");
        assert_eq!(format!("{:?}", seal(1)), "Seal { key: OnceLock(SealingKey(..)) }");
    }
}
