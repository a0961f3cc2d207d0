//! Sign-on by another system that knows the person: an OpenID provider. The server has checked what it says before it comes
//! here; whose account that is, is decided here.
//!
//! An account is found by the provider's name for the person (issuer and subject), which never changes hands. Only where
//! nobody has that name yet does the e-mail address count, once and only if the provider has verified it: for the account
//! that has it from an invitation or an administrator, for an invitation to it, or for a new account where the settings say so. An account has one sign-on of an
//! issuer, so a mailbox that was given to somebody else does not lead into the account of who had it before.

use rapport_types::{MINUTE_MS, Timestamp};
use sea_query::{Alias, Expr, ExprTrait as _, Order, Value as Bound};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Ledger, NAME, Origin, SignedIn, account, cut,
    guard::Try,
    link, nobody, own,
    secret::hash,
    session,
    sql::{col, count, delete, insert, insert_new, select, update},
    user,
};
use crate::{Access, Desk, Id, Op, RecordsError, Row, Tx, database::Datum, desk::Moment};

/// How long it is kept that an answer of a provider was used. The server takes none that is older.
const USED_MS: i64 = 60 * MINUTE_MS;

/// What a provider says of somebody, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOn {
    /// What the settings call the provider.
    pub provider: String,
    /// The provider's address: with the subject what the person is known by.
    pub issuer: String,
    /// The provider's name for the person.
    pub subject: String,
    /// The e-mail address, if the provider has verified it.
    pub email: Option<String>,
    /// What the person is called.
    pub name: Option<String>,
    /// What makes this answer of the provider different from all others; it lets in once.
    pub once: String,
    /// The role of an account that is made for somebody who has none; none if no account is made.
    pub new_people: Option<String>,
}

/// What becomes of a sign-on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignOnAnswer {
    /// A session has begun.
    SignedIn(Box<SignedIn>),
    /// Nobody is let in.
    Refused(SignOnRefusal),
}

/// Why a sign-on lets nobody in. The provider has said who it is, so it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignOnRefusal {
    /// Nobody here is known by it, and nobody was invited by this e-mail address.
    Unknown,
    /// The account was deactivated.
    Inactive,
    /// The account with this e-mail address has another sign-on of the same provider.
    Linked,
    /// Who has the account with this e-mail address has set it without anybody's vouching for it.
    OwnAddress,
    /// The provider's answer was used before.
    Repeated,
}

impl SignOnRefusal {
    /// As the audit tells it.
    fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Inactive => "inactive",
            Self::Linked => "linked to another one",
            Self::OwnAddress => "the address was set by its owner",
            Self::Repeated => "repeated",
        }
    }
}

/// A sign-on that was begun and counted; see [`Desk::count_sign_on`].
#[derive(Debug)]
#[must_use]
pub struct SignOnTry(Try);

/// A provider that is set up now, so that it can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetUp {
    /// Its address, by which it is known; its name may change.
    pub issuer: String,
    /// What the settings call it.
    pub provider: String,
}

/// A sign-on of one's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SignOnFacts {
    /// Its id, by which it can be taken away.
    pub id: Id,
    /// What the settings call the provider, or called it when the sign-on was last used, if it is set up no more.
    pub provider: String,
    /// Whether its provider, known by its issuer, is set up now. If not, the sign-on lets nobody in.
    pub is_set_up: bool,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub linked_at: Timestamp,
    /// When it was last used.
    #[schema(value_type = String, format = DateTime)]
    pub used_at: Timestamp,
}

/// A person as far as it matters here.
#[derive(Clone, Copy)]
struct Known {
    person: Id,
    active: bool,
    /// Whether they have set their e-mail address themselves.
    own_email: bool,
}

fn known(tx: &mut Tx<'_>, condition: Expr) -> Result<Option<Known>, RecordsError> {
    let row = tx.first(&select("person", &["id", "active", "own_email"]).and_where(condition).take())?;
    let known = |row: Row| {
        let own_email = !matches!(row.datum(2), Datum::Null) && row.truth(2)?;
        Ok(Known { person: Id(row.int(0)?), active: row.truth(1)?, own_email })
    };
    row.map(known).transpose()
}

/// A condition that is true of the row of a sign-on.
fn is_that_of(sign_on: &SignOn) -> Expr {
    col("issuer").eq(&sign_on.issuer).and(col("subject").eq(&sign_on.subject))
}

/// Who has this sign-on.
fn linked(tx: &mut Tx<'_>, sign_on: &SignOn) -> Result<Option<Known>, RecordsError> {
    let row = tx.first(&select("sign_on", &["person"]).and_where(is_that_of(sign_on)).take())?;
    let Some(row) = row else { return Ok(None) };
    known(tx, col("id").eq(row.int(0)?))
}

fn link_to(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    ledger: &mut Ledger<'_>,
    person: Id,
    sign_on: &SignOn,
) -> Result<(), RecordsError> {
    let row: Vec<(&str, Bound)> = vec![
        ("id", moment.ids.next(moment.now)?.0.into()),
        ("person", person.0.into()),
        ("provider", sign_on.provider.clone().into()),
        ("issuer", sign_on.issuer.clone().into()),
        ("subject", sign_on.subject.clone().into()),
        ("linked_at", moment.now.0.into()),
        ("used_at", moment.now.0.into()),
    ];
    insert(tx, "sign_on", row)?;
    let after = json!({ "sign_on": sign_on.provider, "subject": sign_on.subject });
    ledger.note(Op::Update, "person", person, json!({}), after);
    Ok(())
}

/// What a new account is called: what the provider says, else what stands before the `@`.
fn name_of(sign_on: &SignOn, email: &str) -> String {
    let told = cut(sign_on.name.as_ref(), NAME).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let mut name = told.unwrap_or_else(|| email.split('@').next().unwrap_or(email).to_owned());
    while name.len() > NAME {
        name.pop();
    }
    name
}

/// The account that a sign-on of nobody yet leads to by its e-mail address.
fn by_email(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    ledger: &mut Ledger<'_>,
    sign_on: &SignOn,
) -> Result<Result<Id, SignOnRefusal>, RecordsError> {
    let Some(email) = sign_on.email.as_deref().and_then(|email| user::checked_email(email).ok()) else {
        return Ok(Err(SignOnRefusal::Unknown));
    };
    let person = match known(tx, col("email").eq(&email))? {
        Some(known) if !known.active => return Ok(Err(SignOnRefusal::Inactive)),
        Some(known) => {
            let of_issuer = col("person").eq(known.person.0).and(col("issuer").eq(&sign_on.issuer));
            if count(tx, "sign_on", of_issuer)? > 0 {
                return Ok(Err(SignOnRefusal::Linked));
            }
            // Anybody can set a colleague's address that is free yet, and would have the colleague work in their account.
            if known.own_email {
                return Ok(Err(SignOnRefusal::OwnAddress));
            }
            known.person
        }
        None => {
            let name = name_of(sign_on, &email);
            if let Some(invited) = link::take_invitation_of(moment, tx, ledger, &email)? {
                link::admit(moment, tx, ledger, invited, &name, None)?
            } else if let Some(role) = &sign_on.new_people {
                let role = role_called(tx, role)?;
                user::add(moment, tx, ledger, (&email, &name, role, &[]), None)?
            } else {
                return Ok(Err(SignOnRefusal::Unknown));
            }
        }
    };
    link_to(moment, tx, ledger, person, sign_on)?;
    Ok(Ok(person))
}

/// The account that a sign-on leads to. Uses the provider's answer up.
fn whose(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    ledger: &mut Ledger<'_>,
    sign_on: &SignOn,
) -> Result<Result<Id, SignOnRefusal>, RecordsError> {
    let old = delete("sign_on_used").and_where(col("at").lt(moment.now.0 - USED_MS)).take();
    tx.execute(&old)?;
    let used: Vec<(&str, Bound)> = vec![("once", hash(&sign_on.once).to_vec().into()), ("at", moment.now.0.into())];
    if !insert_new(tx, "sign_on_used", "once", used)? {
        return Ok(Err(SignOnRefusal::Repeated));
    }
    match linked(tx, sign_on)? {
        Some(known) if known.active => Ok(Ok(known.person)),
        Some(_) => Ok(Err(SignOnRefusal::Inactive)),
        None => by_email(moment, tx, ledger, sign_on),
    }
}

/// What a provider is called now; none if it is set up no more. Of several clients of one issuer it is the one that was used.
fn name_now<'a>(set_up: &'a [SetUp], issuer: &str, used: &str) -> Option<&'a str> {
    let names = || set_up.iter().filter(|one| one.issuer == issuer).map(|one| one.provider.as_str());
    names().find(|name| *name == used).or_else(|| names().next())
}

fn role_called(tx: &mut Tx<'_>, name: &str) -> Result<Id, RecordsError> {
    let row = tx.first(&select("role", &["id"]).and_where(col("name").eq(name)).take())?;
    let missing = || RecordsError::invalid("new_people", format!("there is no role \"{name}\" for new people"));
    row.ok_or_else(missing)?.int(0).map(Id)
}

impl Desk {
    /// Counts that somebody comes back from a provider, before the provider is asked about them; the error is for how many
    /// seconds to wait. Failures of a network address are limited as those of sign-ins with a password.
    pub fn count_sign_on(&self, origin: &Origin) -> Result<SignOnTry, u64> {
        let attempt = Try::of_address(origin.address.as_deref());
        self.people.guard.count(&attempt, self.now())?;
        Ok(SignOnTry(attempt))
    }

    /// Signs in whom a provider knows. A second factor of the account is not asked for: the provider decides how sure it is.
    pub fn sign_on(
        &self,
        attempt: &SignOnTry,
        sign_on: &SignOn,
        origin: &Origin,
    ) -> Result<SignOnAnswer, RecordsError> {
        // The provider has taken the code, so it was no guess, whoever it turns out to be.
        self.forgive_sign_on(attempt);
        let decided =
            self.change_people(&nobody(origin), |moment, tx, ledger| match whose(moment, tx, ledger, sign_on)? {
                Ok(person) => {
                    let values: Vec<(&str, Bound)> =
                        vec![("used_at", moment.now.0.into()), ("provider", sign_on.provider.clone().into())];
                    tx.execute(&update("sign_on", values).and_where(is_that_of(sign_on)).take())?;
                    let how = format!("sign-on {}", sign_on.provider);
                    session::begin(moment, tx, ledger, person, origin, &how).map(Ok)
                }
                Err(refusal) => {
                    refuse(moment, ledger, sign_on, refusal)?;
                    Ok(Err(refusal))
                }
            });
        Ok(match decided? {
            Ok(begun) => SignOnAnswer::SignedIn(Box::new(begun)),
            Err(refusal) => SignOnAnswer::Refused(refusal),
        })
    }

    /// Takes a sign-on back from the count that was no guess at a code.
    pub fn forgive_sign_on(&self, attempt: &SignOnTry) {
        self.people.guard.take_back(&attempt.0);
    }

    /// The sign-ons of the caller's account, as they are where these providers are set up.
    pub fn sign_ons(&self, access: &Access, set_up: &[SetUp]) -> Result<Vec<SignOnFacts>, RecordsError> {
        let person = own(access)?;
        self.read(|_, tx| {
            let query = select("sign_on", &["id", "provider", "linked_at", "used_at", "issuer"])
                .and_where(col("person").eq(person.0))
                .order_by(Alias::new("id"), Order::Asc)
                .take();
            let facts = |row: &Row| {
                let (kept, issuer) = (row.text(1)?, row.text(4)?);
                let name = name_now(set_up, issuer, kept);
                Ok(SignOnFacts {
                    id: Id(row.int(0)?),
                    provider: name.unwrap_or(kept).to_owned(),
                    is_set_up: name.is_some(),
                    linked_at: Timestamp(row.int(2)?),
                    used_at: Timestamp(row.int(3)?),
                })
            };
            tx.query(&query)?.iter().map(facts).collect()
        })
    }

    /// Takes a sign-on of the caller's account away. Somebody with neither a password nor another one of a provider
    /// that is set up could not come in again, and is refused.
    pub fn remove_sign_on(&self, access: &Access, sign_on: Id, set_up: &[SetUp]) -> Result<(), RecordsError> {
        let person = own(access)?;
        self.change_people(access, |_, tx, ledger| {
            let is_it = col("id").eq(sign_on.0).and(col("person").eq(person.0));
            let row = tx.first(&select("sign_on", &["provider", "subject"]).and_where(is_it.clone()).take())?;
            let row = row.ok_or_else(|| RecordsError::NotFound("there is no such sign-on of yours".to_owned()))?;
            let issuers = set_up.iter().map(|provider| &provider.issuer);
            let others = col("person").eq(person.0).and(col("id").ne(sign_on.0)).and(col("issuer").is_in(issuers));
            let is_last = count(tx, "sign_on", others)? == 0;
            if is_last && account::kept_password(tx, person)?.is_none() {
                return Err(RecordsError::Conflict("set a password first, or nothing lets you in again".to_owned()));
            }
            let before = json!({ "sign_on": row.text(0)?, "subject": row.text(1)? });
            tx.execute(&delete("sign_on").and_where(is_it).take())?;
            ledger.note(Op::Update, "person", person, before, json!({}));
            Ok(())
        })
    }
}

fn refuse(
    moment: &Moment<'_>,
    ledger: &mut Ledger<'_>,
    sign_on: &SignOn,
    refusal: SignOnRefusal,
) -> Result<(), RecordsError> {
    let after = json!({ "email": sign_on.email, "provider": sign_on.provider, "subject": sign_on.subject,
        "refused": refusal.name() });
    ledger.note(Op::Create, "sign_in", moment.ids.next(moment.now)?, json!({}), after);
    Ok(())
}
