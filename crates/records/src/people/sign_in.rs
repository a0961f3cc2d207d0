//! Sign-in with a password and, where there is one, a second factor.

use sea_query::ExprTrait as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Ledger, Origin, SignedIn,
    guard::Try,
    nobody, second_factor, session,
    sql::{col, select},
};
use crate::{Desk, Id, Op, RecordsError, Row, Tx};

/// The most of an e-mail address that a failed sign-in leaves in the audit.
const TOLD: usize = 254;

/// What somebody signs in with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The e-mail address.
    pub email: String,
    /// The password.
    pub password: String,
    /// The code of the second factor, or a recovery code.
    #[serde(default)]
    pub code: Option<String>,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").field("email", &self.email).finish_non_exhaustive()
    }
}

/// What becomes of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A session has begun.
    SignedIn(Box<SignedIn>),
    /// E-mail address, password or code is wrong. Which one is not told.
    Refused,
    /// The password is right and a code is needed.
    SecondFactor,
    /// There were too many failures.
    Wait {
        /// In so many seconds it can be tried again.
        seconds: u64,
    },
}

/// What a sign-in is compared with.
struct Kept {
    person: Id,
    active: bool,
    password: Option<String>,
    second_factor: bool,
}

fn kept(tx: &mut Tx<'_>, email: &str) -> Result<Option<Kept>, RecordsError> {
    let query = select("person", &["id", "active", "password", "totp"]).and_where(col("email").eq(email)).take();
    let kept = |row: Row| {
        Ok(Kept {
            person: Id(row.int(0)?),
            active: row.truth(1)?,
            password: row.text_or_none(2)?.map(str::to_owned),
            second_factor: row.bytes_or_none(3)?.is_some(),
        })
    };
    tx.first(&query)?.map(kept).transpose()
}

impl Desk {
    /// Signs in. An unknown e-mail address takes as long as a wrong password; what is wrong is told to the audit only, but for a code
    /// that cannot be checked: that is an error that says so, and a failure for all that is counted.
    pub fn sign_in(&self, sign_in: &SignIn, origin: &Origin) -> Result<Answer, RecordsError> {
        let email: String = sign_in.email.trim().to_lowercase().chars().take(TOLD).collect();
        let attempt = Try::new(&email, origin.address.as_deref());
        if let Err(seconds) = self.people.guard.count(&attempt, self.now()) {
            return Ok(Answer::Wait { seconds });
        }
        let answer = self.decide_sign_in(&email, sign_in, origin);
        match &answer {
            Ok(Answer::SignedIn(_)) => self.people.guard.succeed(&attempt),
            Ok(Answer::Refused | Answer::Wait { .. }) | Err(RecordsError::Invalid { .. }) => {}
            Ok(Answer::SecondFactor) | Err(_) => self.people.guard.take_back(&attempt),
        }
        answer
    }

    fn decide_sign_in(&self, email: &str, sign_in: &SignIn, origin: &Origin) -> Result<Answer, RecordsError> {
        let found = self.read(|_, tx| kept(tx, email))?;
        let password = found.as_ref().and_then(|kept| kept.password.as_deref());
        let is_right = self.people.hashing.verify(&sign_in.password, password)?;
        let Some(known) = found.filter(|kept| is_right && kept.active) else {
            return self.refuse_sign_in(email, origin, "password");
        };
        if known.second_factor && sign_in.code.is_none() {
            return Ok(Answer::SecondFactor);
        }
        let begun = self.change_people(&nobody(origin), |moment, tx, ledger| {
            // What was compared may have changed since.
            let now = kept(tx, email)?
                .filter(|now| now.active && (now.person, &now.password) == (known.person, &known.password));
            let Some(now) = now else { return Ok(None) };
            if now.second_factor {
                let code = sign_in.code.as_deref().unwrap_or_default();
                if !second_factor::take_code(&self.people.seal, tx, ledger, now.person, code, moment.now)? {
                    return Ok(None);
                }
            }
            session::begin(moment, tx, ledger, now.person, origin, "password").map(Some)
        });
        match begun {
            Ok(Some(begun)) => Ok(Answer::SignedIn(Box::new(begun))),
            Ok(None) => self.refuse_sign_in(email, origin, "code"),
            // The password is right, so its owner is told why no code is.
            Err(error @ RecordsError::Invalid { .. }) => self.refuse_sign_in(email, origin, "code").and(Err(error)),
            Err(error) => Err(error),
        }
    }

    /// Notes a failure. It changes nobody, so what is held in memory stays.
    fn refuse_sign_in(&self, email: &str, origin: &Origin, wrong: &str) -> Result<Answer, RecordsError> {
        self.write(|moment, tx| {
            let person = kept(tx, email)?.map(|kept| kept.person);
            let mut ledger = Ledger { access: nobody(origin), lines: Vec::new() };
            let after = json!({ "email": email, "person": person, "refused": wrong });
            ledger.note(Op::Create, "sign_in", moment.ids.next(moment.now)?, json!({}), after);
            ledger.write(tx, moment.now)
        })?;
        Ok(Answer::Refused)
    }

    /// How many hashes of passwords were computed.
    #[cfg(test)]
    pub(crate) fn hashes_computed(&self) -> usize {
        self.people.hashing.computed.load(std::sync::atomic::Ordering::Relaxed)
    }
}
