//! Passwords: which are taken, and how they are kept.
//!
//! Kept by argon2id with the parameters that OWASP's Password Storage Cheat Sheet recommends; which are taken follows NIST
//! SP 800-63B: long enough, not among the commonest, not made of what everybody knows of the account, and nothing else.

use std::time::Instant;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version};
use parking_lot::{Condvar, Mutex};

use super::secret;
use crate::{RecordsError, database::PATIENCE};

/// The fewest characters.
pub(super) const SHORTEST: usize = 12;
/// The most bytes.
pub(super) const LONGEST: usize = 256;
/// KiB of memory of a hash, and how often it is gone through.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
/// Hashes at once. Each takes [`MEMORY_KIB`]; without a limit a flood of sign-ins would take all memory.
const AT_ONCE: usize = 4;
/// A part of an e-mail address or name that is shorter may stand in a password by chance.
const TELLING: usize = 4;
/// The commonest passwords of public lists of leaked ones that are long enough to be taken otherwise, and the same for here.
const COMMON: [&str; 40] = [
    "123456789012",
    "1234567890123",
    "12345678910",
    "123456789123",
    "123123123123",
    "111111111111",
    "000000000000",
    "112233445566",
    "987654321987",
    "password1234",
    "password12345",
    "password123456",
    "passwordpassword",
    "password1password1",
    "qwertyuiop123",
    "qwertyuiop12",
    "qwertyuiopas",
    "qwertyuiop[]",
    "qwertyqwerty",
    "qwerty123456",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "q1w2e3r4t5y6",
    "zaq12wsxcde3",
    "asdfghjkl123",
    "abcdefghijkl",
    "abcdefg12345",
    "abc123abc123",
    "iloveyou1234",
    "iloveyouiloveyou",
    "administrator",
    "administrator1",
    "changemechangeme",
    "changeme1234",
    "letmeinletmein",
    "welcome12345",
    "welcomewelcome",
    "correcthorsebatterystaple",
    "customerservice",
    "rapportrapport",
];

/// Lets few hashes be computed at once.
#[derive(Debug, Default)]
pub(super) struct Hashing {
    busy: Mutex<usize>,
    freed: Condvar,
    /// How many were computed, since what takes equal time cannot be seen by a clock that tests may trust.
    #[cfg(test)]
    pub(super) computed: std::sync::atomic::AtomicUsize,
}

/// The right to compute a hash; it is given back however that ends.
struct Turn<'h>(&'h Hashing);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.busy.lock() -= 1;
        self.0.freed.notify_one();
    }
}

impl Hashing {
    fn turn(&self) -> Result<Turn<'_>, RecordsError> {
        let deadline = Instant::now() + PATIENCE;
        let mut busy = self.busy.lock();
        while *busy >= AT_ONCE {
            if self.freed.wait_until(&mut busy, deadline).timed_out() {
                return Err(RecordsError::Unavailable("too many people sign in at once".to_owned()));
            }
        }
        *busy += 1;
        #[cfg(test)]
        self.computed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(Turn(self))
    }

    /// What is kept of a password.
    pub(super) fn hash(&self, password: &str) -> Result<String, RecordsError> {
        let _turn = self.turn()?;
        let salt = secret::bytes::<16>()?;
        let hash = argon2()?.hash_password_with_salt(password.as_bytes(), &salt);
        Ok(hash.map_err(failed)?.to_string())
    }

    /// Whether it is the password. Where there is none to compare with it takes as long and is false, so that the time does
    /// not tell which accounts there are.
    pub(super) fn verify(&self, password: &str, kept: Option<&str>) -> Result<bool, RecordsError> {
        // Longer ones were never taken; hashing them would cost as much as the sender likes.
        let given = if password.len() > LONGEST { "" } else { password };
        let _turn = self.turn()?;
        let Some(kept) = kept else {
            let mut out = [0; 32];
            argon2()?.hash_password_into(given.as_bytes(), b"nobody's account", &mut out).map_err(failed)?;
            return Ok(false);
        };
        let damaged = |_| RecordsError::Damaged { what: "the hash of a password".to_owned() };
        let kept = PasswordHash::new(kept).map_err(damaged)?;
        // The parameters are those that the hash was made with.
        Ok(argon2()?.verify_password(given.as_bytes(), &kept).is_ok())
    }
}

fn argon2() -> Result<Argon2<'static>, RecordsError> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(error: impl std::fmt::Display) -> RecordsError {
    RecordsError::Database(format!("a password cannot be hashed: {error}"))
}

/// Refuses a password that others would guess.
pub(super) fn check(password: &str, email: &str, name: &str) -> Result<(), RecordsError> {
    let refused = |what: String| Err(RecordsError::invalid("password", what));
    if password.chars().count() < SHORTEST {
        return refused(format!(
            "a password has at least {SHORTEST} characters; a few words in a row are easy to keep"
        ));
    }
    if password.len() > LONGEST {
        return refused(format!("a password has up to {LONGEST} bytes"));
    }
    let folded = password.to_lowercase();
    let first = folded.chars().next();
    if COMMON.contains(&folded.as_str()) || folded.chars().all(|letter| Some(letter) == first) {
        return refused("it is one of the commonest passwords; choose another one".to_owned());
    }
    let known = email.split('@').chain(name.split_whitespace()).chain([email, name]);
    for part in known.map(str::to_lowercase).filter(|part| part.chars().count() >= TELLING) {
        if folded.contains(&part) {
            return refused(format!("it contains \"{part}\", which everybody knows of you; choose another one"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_others_would_guess_are_refused() {
        let check = |password: &str| check(password, "ann.lee@example.com", "Ann Leeson");
        for wrong in
            ["short", "elevenchars", "Password1234", "aaaaaaaaaaaaaaaa", "my name is leeson", "ANN.LEE and more"]
        {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        assert!(check(&"é".repeat(129)).is_err());
        for right in ["plum tractor nine", "十二个汉字的密码也是可以的", "annual report 19"] {
            check(right).unwrap();
        }
    }

    #[test]
    fn a_password_is_verified_by_its_hash_alone() {
        let hashing = Hashing::default();
        let kept = hashing.hash("plum tractor nine").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(hashing.verify("plum tractor nine", Some(&kept)).unwrap());
        assert!(!hashing.verify("plum tractor ten", Some(&kept)).unwrap());
        assert!(!hashing.verify("plum tractor nine", None).unwrap());
        assert_ne!(kept, hashing.hash("plum tractor nine").unwrap(), "each hash has its own salt");
        assert!(hashing.verify("plum tractor nine", Some("plum")).is_err());
    }
}
