//! The second factor: codes of an app (RFC 6238: SHA-1, six digits, 30 seconds), and recovery codes for who has lost it.
//!
//! A code is taken one step early or late, and once: the step of the last one is kept, and an earlier or equal one is refused.

use rapport_types::{SECOND_MS, Timestamp};
use sea_query::{ExprTrait as _, Value as Bound};
use serde::Serialize;
use serde_json::json;
use totp_rs::{Builder, Totp};
use utoipa::ToSchema;

use super::{
    Ledger, Secret,
    guard::Try,
    own,
    seal::{Seal, SealingKey},
    secret::{self, hash},
    sql::{col, delete, select, update},
    user,
};
use crate::{Access, Desk, Id, Op, RecordsError, Tx};

/// What the app calls the installation.
const ISSUER: &str = "Rapport";
/// Bytes of a secret; RFC 4226 recommends 160 bits.
const SECRET: usize = 20;
/// How many recovery codes there are.
const RECOVERY_CODES: usize = 8;

/// What an app needs to make codes. Shown once.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SecondFactorSetup {
    /// The secret in base 32, to be typed.
    pub secret: String,
    /// The same as an `otpauth` URI, to be shown as a QR code.
    pub uri: String,
}

impl std::fmt::Debug for SecondFactorSetup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecondFactorSetup(..)")
    }
}

fn totp(secret: &[u8], email: &str) -> Result<Totp, RecordsError> {
    let builder = Builder::new().with_secret(secret.to_vec()).with_account_name(email).with_issuer(Some(ISSUER));
    builder.build().map_err(|_| RecordsError::Damaged { what: "the secret of a second factor".to_owned() })
}

/// The step of a code that is right now, if it is.
fn step_of(secret: &[u8], code: &str, now: Timestamp) -> Result<Option<i64>, RecordsError> {
    let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    let step = totp(secret, "")?.check(&code, (now.0 / SECOND_MS).unsigned_abs());
    Ok(step.map(|step| step as i64))
}

fn kept(tx: &mut Tx<'_>, person: Id, column: &str) -> Result<Option<Vec<u8>>, RecordsError> {
    let row = tx.first(&select("person", &[column]).and_where(col("id").eq(person.0)).take())?;
    row.map_or(Ok(None), |row| Ok(row.bytes_or_none(0)?.map(<[u8]>::to_vec)))
}

/// Uses a code up, an app's or a recovery code; false if it is wrong or was used.
pub(super) fn take_code(
    seal: &Seal,
    tx: &mut Tx<'_>,
    ledger: &mut Ledger<'_>,
    person: Id,
    code: &str,
    now: Timestamp,
) -> Result<bool, RecordsError> {
    let Some(sealed) = kept(tx, person, "totp")? else { return Ok(false) };
    let secret = seal.open(person, &sealed);
    if let Ok(secret) = &secret
        && let Some(step) = step_of(secret, code, now)?
    {
        let is_later = col("totp_step").is_null().or(col("totp_step").lt(step));
        let values: Vec<(&str, Bound)> = vec![("totp_step", step.into())];
        let taken = update("person", values).and_where(col("id").eq(person.0)).and_where(is_later).take();
        return Ok(tx.execute(&taken)? == 1);
    }
    let code = code.trim().to_lowercase();
    let recovery = col("person").eq(person.0).and(col("code_hash").eq(hash(&code).to_vec()));
    let is_taken = tx.execute(&delete("recovery_code").and_where(recovery).take())? == 1;
    if is_taken {
        ledger.note(Op::Update, "person", person, json!({}), json!({ "second_factor": "recovery code used" }));
        return Ok(true);
    }
    // A recovery code needs no key; that an app's code cannot be checked is told, and is a wrong code for all that is counted.
    match secret {
        Err(error @ (RecordsError::Conflict(_) | RecordsError::Damaged { .. })) => {
            tracing::error!(
                %person,
                %error,
                "a code of a second factor could not be checked: if its secret was sealed under another secrets.key, put that back \
                 into the data folder from a backup and start again, or remove the second factor of this person in the settings, \
                 under People, so that they set it up anew"
            );
            Err(RecordsError::invalid("code", error.to_string()))
        }
        other => other.map(|_| false),
    }
}

/// Takes the second factor and its recovery codes away.
pub(super) fn remove(tx: &mut Tx<'_>, ledger: &mut Ledger<'_>, person: Id) -> Result<(), RecordsError> {
    let nothing = || Bound::Bytes(None);
    let values: Vec<(&str, Bound)> =
        vec![("totp", nothing()), ("totp_new", nothing()), ("totp_step", Bound::BigInt(None))];
    tx.execute(&update("person", values).and_where(col("id").eq(person.0)).take())?;
    tx.execute(&delete("recovery_code").and_where(col("person").eq(person.0)).take())?;
    ledger.note(Op::Update, "person", person, json!({ "second_factor": true }), json!({ "second_factor": false }));
    Ok(())
}

/// Makes new recovery codes; earlier ones are no longer taken.
fn renew_recovery_codes(tx: &mut Tx<'_>, person: Id) -> Result<Vec<Secret>, RecordsError> {
    tx.execute(&delete("recovery_code").and_where(col("person").eq(person.0)).take())?;
    let codes = (0..RECOVERY_CODES).map(|_| Secret::readable()).collect::<Result<Vec<_>, _>>()?;
    let rows: Vec<Vec<Bound>> = codes.iter().map(|code| vec![person.0.into(), code.hash().to_vec().into()]).collect();
    tx.insert_rows("recovery_code", &["person", "code_hash"], &rows)?;
    Ok(codes)
}

fn wrong_code() -> RecordsError {
    RecordsError::invalid("code", "this code is wrong or was used; take the one that the app shows now")
}

impl Desk {
    /// Says under which key secrets are sealed; without it there are no second factors. The first call counts. Secrets that an
    /// earlier version left as they are get sealed. How many are sealed under another key, and cannot be used.
    pub fn set_sealing_key(&self, key: SealingKey) -> Result<usize, RecordsError> {
        let seal = &self.people.seal;
        seal.set(key);
        let columns = ["totp", "totp_new"];
        let mut plain = Vec::new();
        let mut lost = 0;
        for row in self.read(|_, tx| tx.query(&select("person", &["id", "totp", "totp_new"])))? {
            for (place, column) in (1..).zip(columns) {
                match row.bytes_or_none(place)? {
                    Some(secret) if secret.len() == SECRET => plain.push((Id(row.int(0)?), column, secret.to_vec())),
                    Some(sealed) => lost += usize::from(place == 1 && !seal.is_of_its_key(sealed)?),
                    None => {}
                }
            }
        }
        if plain.is_empty() {
            return Ok(lost);
        }
        self.note(|tx| {
            for (person, column, secret) in &plain {
                let values: Vec<(&str, Bound)> = vec![(column, seal.seal(*person, secret)?.into())];
                let is_same = col(column).eq(secret.clone());
                tx.execute(&update("person", values).and_where(col("id").eq(person.0)).and_where(is_same).take())?;
            }
            Ok(())
        })?;
        Ok(lost)
    }

    /// Begins to set up a second factor for the caller: it counts only when [`Desk::activate_second_factor`] has seen a code
    /// of it.
    pub fn begin_second_factor(&self, access: &Access) -> Result<SecondFactorSetup, RecordsError> {
        let person = own(access)?;
        let secret = secret::bytes::<SECRET>()?;
        self.change_people(access, |_, tx, _| {
            let user = user::one(tx, person)?;
            if user.second_factor {
                return Err(RecordsError::Conflict("there is a second factor; remove it first".to_owned()));
            }
            let values: Vec<(&str, Bound)> = vec![("totp_new", self.people.seal.seal(person, &secret)?.into())];
            tx.execute(&update("person", values).and_where(col("id").eq(person.0)).take())?;
            let totp = totp(&secret, &user.email)?;
            let uri = totp.to_url().map_err(|error| RecordsError::Database(error.to_string()))?;
            Ok(SecondFactorSetup { secret: totp.secret().to_base32(), uri })
        })
    }

    /// Ends the setting up with a code of the app; the recovery codes, which are shown this once.
    pub fn activate_second_factor(&self, access: &Access, code: &str) -> Result<Vec<Secret>, RecordsError> {
        let person = own(access)?;
        self.with_counted_code(access, person, |desk| {
            desk.change_people(access, |moment, tx, ledger| {
                let Some(sealed) = kept(tx, person, "totp_new")? else {
                    return Err(RecordsError::Conflict("no second factor is being set up".to_owned()));
                };
                let secret = desk.people.seal.open(person, &sealed)?;
                let step = step_of(&secret, code, moment.now)?.ok_or_else(wrong_code)?;
                let values: Vec<(&str, Bound)> =
                    vec![("totp", sealed.into()), ("totp_new", Bound::Bytes(None)), ("totp_step", step.into())];
                tx.execute(&update("person", values).and_where(col("id").eq(person.0)).take())?;
                let (was, is) = (json!({ "second_factor": false }), json!({ "second_factor": true }));
                ledger.note(Op::Update, "person", person, was, is);
                renew_recovery_codes(tx, person)
            })
        })
    }

    /// Takes the caller's second factor away; needs a code of it or a recovery code.
    pub fn remove_second_factor(&self, access: &Access, code: &str) -> Result<(), RecordsError> {
        let person = own(access)?;
        self.with_counted_code(access, person, |desk| {
            desk.change_people(access, |moment, tx, ledger| {
                if !take_code(&desk.people.seal, tx, ledger, person, code, moment.now)? {
                    return Err(wrong_code());
                }
                remove(tx, ledger, person)
            })
        })
    }

    /// New recovery codes for the caller, which are shown this once; needs a code of the second factor.
    pub fn new_recovery_codes(&self, access: &Access, code: &str) -> Result<Vec<Secret>, RecordsError> {
        let person = own(access)?;
        self.with_counted_code(access, person, |desk| {
            desk.change_people(access, |moment, tx, ledger| {
                if !take_code(&desk.people.seal, tx, ledger, person, code, moment.now)? {
                    return Err(wrong_code());
                }
                ledger.note(Op::Update, "person", person, json!({}), json!({ "second_factor": "new recovery codes" }));
                renew_recovery_codes(tx, person)
            })
        })
    }

    /// Runs what needs a code; wrong ones are counted like failed sign-ins.
    fn with_counted_code<T>(
        &self,
        access: &Access,
        person: Id,
        work: impl FnOnce(&Self) -> Result<T, RecordsError>,
    ) -> Result<T, RecordsError> {
        let attempt = Try::new(&person.to_string(), access.origin.as_deref());
        if let Err(wait) = self.people.guard.count(&attempt, self.now()) {
            return Err(RecordsError::Limit(format!("too many wrong codes; try again in {wait} seconds")));
        }
        let done = work(self);
        match &done {
            Ok(_) => self.people.guard.succeed(&attempt),
            Err(RecordsError::Invalid { .. }) => {}
            Err(_) => self.people.guard.take_back(&attempt),
        }
        done
    }
}
