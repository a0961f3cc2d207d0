//! One-time links: the administrator's at the first start, invitations, new passwords. Kept as hashes; however many use one at
//! once, one of them gets what it gives.

use rapport_types::{DAY_MS, Timestamp};
use sea_query::{Alias, Expr, ExprTrait as _, Order, Query, Value as Bound};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Ledger, MAX_KEYS, Origin, Secret, SignedIn, account, checked_name, key, later, nobody, password,
    secret::hash,
    session,
    sql::{col, count, delete, insert, is_there, select},
    user,
};
use crate::{Access, Actor, Desk, Id, Op, RecordsError, Row, Tx, desk::Moment};

/// How long a link can be used, and an invitation.
const LASTS_MS: i64 = DAY_MS;
const INVITATION_LASTS_MS: i64 = 7 * DAY_MS;
/// How long a link that was used or is too old stays in the list.
const LISTED_MS: i64 = 30 * DAY_MS;
/// What the first administrator is called until they say who they are. `.invalid` is nobody's domain (RFC 2606).
const FIRST: (&str, &str) = ("admin@rapport.invalid", "admin");

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// Signs in as the first administrator.
    Administrator,
    /// Makes an account.
    Invitation,
    /// Sets a new password.
    Password,
}

const KINDS: [(LinkKind, &str); 3] = [
    (LinkKind::Administrator, "administrator"),
    (LinkKind::Invitation, "invitation"),
    (LinkKind::Password, "password"),
];

impl LinkKind {
    fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).expect("all are there").1
    }
}

/// Somebody who is to have an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// Their e-mail address.
    pub email: String,
    /// What they may do.
    pub role: Id,
    /// The teams that they will be in.
    #[serde(default)]
    pub teams: Vec<Id>,
}

/// What is known of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LinkFacts {
    /// Its id.
    pub id: Id,
    /// What it is for.
    pub kind: LinkKind,
    /// For which e-mail address.
    pub email: Option<String>,
    /// For which person.
    pub person: Option<Id>,
    /// The role that an invitation gives.
    pub role: Option<Id>,
    /// The teams that an invitation puts into.
    pub teams: Vec<Id>,
    /// Who made it.
    pub made_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// Until when it can be used.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
    /// When it was used.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub used_at: Option<Timestamp>,
}

const COLUMNS: [&str; 10] =
    ["id", "kind", "email", "person", "role", "teams", "made_by", "made_at", "ends_at", "used_at"];

fn facts_of(row: &Row) -> Result<LinkFacts, RecordsError> {
    let id = Id(row.int(0)?);
    let damaged = || RecordsError::Damaged { what: format!("link {id}") };
    let kind = KINDS.iter().find(|(_, name)| Ok(*name) == row.text(1).map_err(drop)).ok_or_else(damaged)?.0;
    let teams = row.text_or_none(5)?.map_or(Ok(Vec::new()), serde_json::from_str).map_err(|_| damaged())?;
    Ok(LinkFacts {
        id,
        kind,
        email: row.text_or_none(2)?.map(str::to_owned),
        person: row.int_or_none(3)?.map(Id),
        role: row.int_or_none(4)?.map(Id),
        teams,
        made_by: row.text(6)?.to_owned(),
        made_at: Timestamp(row.int(7)?),
        ends_at: Timestamp(row.int(8)?),
        used_at: row.int_or_none(9)?.map(Timestamp),
    })
}

/// A condition that is true of a link that can be used.
fn is_open(now: Timestamp) -> Expr {
    col("used_at").is_null().and(col("ends_at").gt(now.0))
}

/// What a link is made of.
#[derive(Default)]
struct Wanted {
    email: Option<String>,
    person: Option<Id>,
    role: Option<Id>,
    teams: Vec<Id>,
}

fn make(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    ledger: &mut Ledger<'_>,
    kind: LinkKind,
    wanted: Wanted,
) -> Result<(LinkFacts, Secret), RecordsError> {
    let old = Expr::cust("coalesce(used_at, ends_at)").lt(moment.now.0 - LISTED_MS);
    tx.execute(&delete("link").and_where(old).take())?;
    if count(tx, "link", is_open(moment.now))? >= MAX_KEYS {
        return Err(RecordsError::Limit(format!("{MAX_KEYS} links wait to be used already; revoke some")));
    }
    let lasts = if kind == LinkKind::Invitation { INVITATION_LASTS_MS } else { LASTS_MS };
    let token = Secret::random("")?;
    let Wanted { email, person, role, teams } = wanted;
    let facts = LinkFacts {
        id: moment.ids.next(moment.now)?,
        kind,
        email,
        person,
        role,
        teams,
        made_by: ledger.access.actor.to_string(),
        made_at: moment.now,
        ends_at: later(moment.now, lasts),
        used_at: None,
    };
    let row: Vec<(&str, Bound)> = vec![
        ("token_hash", token.hash().to_vec().into()),
        ("id", facts.id.0.into()),
        ("kind", kind.name().into()),
        ("email", facts.email.clone().into()),
        ("person", facts.person.map(|id| id.0).into()),
        ("role", facts.role.map(|id| id.0).into()),
        ("teams", json!(facts.teams).to_string().into()),
        ("made_by", facts.made_by.clone().into()),
        ("made_at", facts.made_at.0.into()),
        ("ends_at", facts.ends_at.0.into()),
    ];
    insert(tx, "link", row)?;
    let after = json!({ "kind": kind, "email": facts.email, "person": facts.person, "role": facts.role,
        "teams": facts.teams });
    ledger.note(Op::Create, "link", facts.id, json!({}), after);
    Ok((facts, token))
}

/// Uses a link up; none if it is unknown, of another kind, used or too old.
fn take(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    ledger: &mut Ledger<'_>,
    kind: LinkKind,
    token: &str,
) -> Result<Option<LinkFacts>, RecordsError> {
    take_where(moment, tx, ledger, kind, col("token_hash").eq(hash(token).to_vec()))
}

/// Uses the newest invitation of an e-mail address up; none if there is none that can be used.
pub(super) fn take_invitation_of(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    ledger: &mut Ledger<'_>,
    email: &str,
) -> Result<Option<LinkFacts>, RecordsError> {
    let of_email = col("kind").eq(LinkKind::Invitation.name()).and(col("email").eq(email));
    let newest = select("link", &["id"])
        .and_where(of_email.and(is_open(moment.now)))
        .order_by(Alias::new("id"), Order::Desc)
        .limit(1)
        .take();
    match tx.first(&newest)? {
        Some(row) => take_where(moment, tx, ledger, LinkKind::Invitation, col("id").eq(row.int(0)?)),
        None => Ok(None),
    }
}

/// Uses the link up of which a condition is true.
fn take_where(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    ledger: &mut Ledger<'_>,
    kind: LinkKind,
    condition: Expr,
) -> Result<Option<LinkFacts>, RecordsError> {
    let used = Query::update()
        .table(Alias::new("link"))
        .value(Alias::new("used_at"), moment.now.0)
        .and_where(condition)
        .and_where(col("kind").eq(kind.name()))
        .and_where(is_open(moment.now))
        .returning(Query::returning().columns(COLUMNS.map(Alias::new)))
        .take();
    let link = tx.first(&used)?.map(|row| facts_of(&row)).transpose()?;
    if let Some(link) = &link {
        ledger.note(Op::Update, "link", link.id, json!({}), json!({ "kind": kind, "used": true }));
    }
    Ok(link)
}

/// Makes the account of somebody who was invited.
pub(super) fn admit(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    ledger: &mut Ledger<'_>,
    invited: LinkFacts,
    name: &str,
    password: Option<String>,
) -> Result<Id, RecordsError> {
    let (Some(email), Some(role)) = (invited.email, invited.role) else {
        return Err(RecordsError::Damaged { what: format!("link {}", invited.id) });
    };
    user::check_role(tx, role)?;
    let mut teams = Vec::new();
    for team in invited.teams {
        // A team that was deleted meanwhile is no reason to refuse the person.
        if is_there(tx, "team", team)? {
            teams.push(team);
        }
    }
    user::add(moment, tx, ledger, (&email, name, role, &teams), password)
}

/// The administrator who is there longest, or the first one, made now.
fn first_administrator(moment: &Moment<'_>, tx: &mut Tx<'_>, ledger: &mut Ledger<'_>) -> Result<Id, RecordsError> {
    let role = key::administrator(tx)?;
    let oldest = select("person", &["id"])
        .and_where(col("role").eq(role.0))
        .and_where(col("active").eq(true))
        .order_by(Alias::new("id"), Order::Asc)
        .limit(1)
        .take();
    match tx.first(&oldest)? {
        Some(row) => Ok(Id(row.int(0)?)),
        None => user::add(moment, tx, ledger, (FIRST.0, FIRST.1, role, &[]), None),
    }
}

impl Desk {
    /// A link that signs in as the first administrator, who is made by its first use; for the first start, and for whoever has
    /// lost every other way in. Who calls this holds the installation's database, which is the credential.
    pub fn administrator_link(&self) -> Result<Secret, RecordsError> {
        let access = Access::of_system(Actor::System);
        let make = |moment: &Moment<'_>, tx: &mut Tx<'_>, ledger: &mut Ledger<'_>| {
            make(moment, tx, ledger, LinkKind::Administrator, Wanted::default())
        };
        Ok(self.change_people(&access, make)?.1)
    }

    /// A link with which somebody makes an account. For administrators.
    pub fn invite(&self, access: &Access, invitation: &Invitation) -> Result<(LinkFacts, Secret), RecordsError> {
        self.administer(access, |moment, tx, ledger| {
            let email = user::checked_email(&invitation.email)?;
            if count(tx, "person", col("email").eq(&email))? > 0 {
                return Err(RecordsError::Taken { field: "email".to_owned() });
            }
            user::check_role(tx, invitation.role)?;
            let teams = user::check_teams(tx, &invitation.teams)?;
            let wanted = Wanted { email: Some(email), role: Some(invitation.role), teams, ..Wanted::default() };
            make(moment, tx, ledger, LinkKind::Invitation, wanted)
        })
    }

    /// A link with which somebody sets a new password. For administrators.
    pub fn password_link(&self, access: &Access, person: Id) -> Result<(LinkFacts, Secret), RecordsError> {
        self.administer(access, |moment, tx, ledger| {
            let user = user::one(tx, person)?;
            if !user.active {
                return Err(RecordsError::Conflict(
                    "this person may not sign in; activate the account first".to_owned(),
                ));
            }
            let wanted = Wanted { email: Some(user.email), person: Some(person), ..Wanted::default() };
            make(moment, tx, ledger, LinkKind::Password, wanted)
        })
    }

    /// The links of the last days, the newest first. For administrators.
    pub fn links(&self, access: &Access) -> Result<Vec<LinkFacts>, RecordsError> {
        access.must_be_administrator()?;
        self.read(|_, tx| {
            let query = select("link", &COLUMNS).order_by(Alias::new("id"), Order::Desc).take();
            tx.query(&query)?.iter().map(facts_of).collect()
        })
    }

    /// Takes a link away. For administrators.
    pub fn revoke_link(&self, access: &Access, link: Id) -> Result<(), RecordsError> {
        self.administer(access, |_, tx, ledger| {
            if tx.execute(&delete("link").and_where(col("id").eq(link.0)).take())? == 0 {
                return Err(RecordsError::NotFound("there is no such link".to_owned()));
            }
            ledger.note(Op::Delete, "link", link, json!({}), json!({}));
            Ok(())
        })
    }

    /// What a link is for, for the page that it leads to; none if it cannot be used.
    pub fn link(&self, token: &str) -> Result<Option<LinkFacts>, RecordsError> {
        self.read(|moment, tx| {
            let token = col("token_hash").eq(hash(token).to_vec());
            let query = select("link", &COLUMNS).and_where(token.and(is_open(moment.now))).take();
            tx.first(&query)?.map(|row| facts_of(&row)).transpose()
        })
    }

    /// Uses a link of [`Desk::administrator_link`]; none if it is unknown, used or too old.
    pub fn sign_in_by_link(&self, token: &str, origin: &Origin) -> Result<Option<SignedIn>, RecordsError> {
        // Asked before anything is written, so that guesses cost a look-up each and no more.
        if self.link(token)?.is_none() {
            return Ok(None);
        }
        self.change_people(&nobody(origin), |moment, tx, ledger| {
            if take(moment, tx, ledger, LinkKind::Administrator, token)?.is_none() {
                return Ok(None);
            }
            let person = first_administrator(moment, tx, ledger)?;
            session::begin(moment, tx, ledger, person, origin, "link").map(Some)
        })
    }

    /// Uses an invitation: makes the account and signs in; none if the link is unknown, used or too old.
    pub fn accept(
        &self,
        token: &str,
        name: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<Option<SignedIn>, RecordsError> {
        let name = checked_name(name)?;
        let Some(link) = self.link(token)?.filter(|link| link.kind == LinkKind::Invitation) else { return Ok(None) };
        password::check(password, link.email.as_deref().unwrap_or_default(), &name)?;
        let hash = self.people.hashing.hash(password)?;
        self.change_people(&nobody(origin), |moment, tx, ledger| {
            let Some(link) = take(moment, tx, ledger, LinkKind::Invitation, token)? else { return Ok(None) };
            let person = admit(moment, tx, ledger, link, &name, Some(hash))?;
            session::begin(moment, tx, ledger, person, origin, "invitation").map(Some)
        })
    }

    /// Uses a link of [`Desk::password_link`]: sets the password and ends the person's sessions; false if the link is unknown,
    /// used or too old. A second factor stays, so the person signs in as usual then.
    pub fn reset_password(&self, token: &str, password: &str, origin: &Origin) -> Result<bool, RecordsError> {
        let Some(link) = self.link(token)?.filter(|link| link.kind == LinkKind::Password) else { return Ok(false) };
        let person = link.person.ok_or_else(|| RecordsError::Damaged { what: format!("link {}", link.id) })?;
        let user = self.read(|_, tx| user::one(tx, person))?;
        password::check(password, &user.email, &user.name)?;
        let hash = self.people.hashing.hash(password)?;
        self.change_people(&nobody(origin), |moment, tx, ledger| {
            if take(moment, tx, ledger, LinkKind::Password, token)?.is_none() {
                return Ok(false);
            }
            ledger.access.actor = Actor::User(person);
            account::store_password(tx, ledger, person, hash, None)?;
            Ok(true)
        })
    }
}
