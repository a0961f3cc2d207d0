//! What a browser carries while its person is at a provider: what was begun, sealed, in a cookie of its own.
//!
//! So nothing is kept here of somebody who may never come back, any server of an installation can take them in again, and an
//! answer counts in the browser alone that asked. The seal is a keyed hash by a key made of the client's secret, which all
//! servers of an installation have. It hides nothing: its person may know all of it.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rapport_types::{MINUTE_MS, Timestamp};
use serde::{Deserialize, Serialize};
use url::{Position, Url};

/// How long somebody may take at a provider.
pub(crate) const LASTS_MS: i64 = 10 * MINUTE_MS;
/// The longest place to go on to, in bytes: a browser keeps 4,096 of a cookie.
const PLACE: usize = 1_024;
/// For what the key of the seal is; see BLAKE3's `derive_key`.
const SEAL: &str = "rapport 2026-11 sign-on cookie";

/// A sign-on that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trip {
    pub(super) provider: String,
    pub(super) state: String,
    pub(super) nonce: String,
    /// What shows the provider that who brings the code is who asked for it (RFC 7636).
    pub(super) verifier: String,
    /// Where to go on afterwards.
    pub(crate) place: String,
    begun: i64,
}

fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// What cookies of a provider are sealed with.
pub(super) fn seal_of(client_secret: &str) -> [u8; 32] {
    blake3::derive_key(SEAL, client_secret.as_bytes())
}

impl Trip {
    pub(super) fn begin(provider: &str, place: &str, now: Timestamp) -> Result<Self, getrandom::Error> {
        Ok(Self {
            provider: provider.to_owned(),
            state: random()?,
            nonce: random()?,
            verifier: random()?,
            place: own_place(place),
            begun: now.0,
        })
    }

    /// The S256 challenge of the verifier.
    pub(super) fn challenge(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, self.verifier.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(digest)
    }

    /// The cookie's value.
    pub(super) fn sealed(&self, key: &[u8; 32]) -> String {
        let text = serde_json::to_vec(self).expect("texts and a number are JSON");
        let text = BASE64_URL_SAFE_NO_PAD.encode(text);
        let seal = BASE64_URL_SAFE_NO_PAD.encode(blake3::keyed_hash(key, text.as_bytes()).as_bytes());
        format!("{text}.{seal}")
    }

    /// What was sealed; none if it was not here, or too long ago.
    pub(super) fn open(value: &str, key: &[u8; 32], now: Timestamp) -> Option<Self> {
        let (text, seal) = value.split_once('.')?;
        let seal: [u8; 32] = BASE64_URL_SAFE_NO_PAD.decode(seal).ok()?.try_into().ok()?;
        // Compared in constant time.
        if blake3::keyed_hash(key, text.as_bytes()) != blake3::Hash::from_bytes(seal) {
            return None;
        }
        let trip: Self = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        (0..=LASTS_MS).contains(&(now.0 - trip.begun)).then_some(trip)
    }
}

/// A place of our own pages; the first page if it is anything else. A browser reads `//host`, `/\host` and the like as
/// another site, so it is read as a browser does and must still be here.
pub(crate) fn own_place(place: &str) -> String {
    let here = Url::parse("http://rapport.invalid/").expect("it is an address");
    let own = here.join(place).ok().filter(|url| url.origin() == here.origin());
    let is_path = place.starts_with('/') && place.len() <= PLACE;
    match own.filter(|_| is_path) {
        Some(url) => {
            let path = &url[Position::BeforePath..];
            if path.starts_with("//") || path.len() > PLACE { "/".to_owned() } else { path.to_owned() }
        }
        None => "/".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_764_000_000_000);

    fn open(value: &str, key: &[u8; 32], later_ms: i64) -> Option<Trip> {
        Trip::open(value, key, Timestamp(NOW.0 + later_ms))
    }

    #[test]
    fn a_trip_is_opened_only_as_it_was_sealed_and_in_time() {
        let trip = Trip::begin("company", "/objects/deal", NOW).unwrap();
        let key = seal_of("secret");
        let sealed = trip.sealed(&key);
        assert_eq!(open(&sealed, &key, LASTS_MS), Some(trip.clone()));
        assert_eq!(open(&sealed, &key, LASTS_MS + 1), None);
        assert_eq!(open(&sealed, &key, -1), None);
        assert_eq!(open(&sealed, &seal_of("another"), 0), None);
        let (text, seal) = sealed.split_once('.').unwrap();
        let other = Trip { state: "mine".to_owned(), ..trip.clone() }.sealed(&seal_of("guess"));
        let other = other.split_once('.').unwrap().0;
        for wrong in ["", ".", text, &format!("{text}."), &format!("{other}.{seal}"), &format!("{text}.{seal}A")] {
            assert_eq!(open(wrong, &key, 0), None, "{wrong}");
        }
        let another = Trip::begin("company", "/", NOW).unwrap();
        assert_ne!((&trip.state, &trip.nonce, &trip.verifier), (&another.state, &another.nonce, &another.verifier));
    }

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let trip = Trip { verifier, ..Trip::begin("a", "/", NOW).unwrap() };
        assert_eq!(trip.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn one_goes_on_to_a_place_of_our_own_only() {
        for own in ["/", "/objects/deal?filter=a%20%3D%3D%201#x", "/customers/user%3Aada", "/a/b?c=https://x.example"] {
            assert_eq!(own_place(own), own);
        }
        assert_eq!(own_place("/a/../b"), "/b");
        let long = format!("/{}", "a".repeat(PLACE));
        for foreign in [
            "",
            "objects",
            "https://evil.example/",
            "//evil.example/",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/a/..//evil.example",
            "/.//evil.example",
            "javascript:alert(1)",
            "@evil.example",
            &long,
        ] {
            assert_eq!(own_place(foreign), "/", "{foreign:?}");
        }
    }
}
