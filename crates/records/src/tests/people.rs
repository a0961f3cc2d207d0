//! People: who gets in, what ends it, and what is told of it.

use rapport_types::{DAY_MS, MINUTE_MS, Timestamp};
use sea_query::{Alias, Expr, ExprTrait as _, Query};
use serde_json::json;
use totp_rs::{Builder, Secret as TotpSecret};

use super::{NOW, create, fields, made, on_both, on_both_shared, set_clock};
use crate::{
    Access, Actor, AuditQuery, Change, Desk, Edit, Id, ListQuery, RecordsError, Role,
    people::{
        AccountChange, Answer, Invitation, LinkKind, NewKey, Origin, SESSION_MS, SealingKey, SecondFactorSetup, Secret,
        SessionFacts, SignIn, SignedIn, UserChange,
    },
};

pub(super) const PASSWORD: &str = "plum tractor nine";

pub(super) fn origin() -> Origin {
    Origin { address: Some("192.0.2.1".to_owned()), agent: Some("Firefox".to_owned()) }
}

/// The first administrator, signed in.
pub(super) fn administrator(desk: &Desk) -> (Access, SignedIn) {
    let token = desk.administrator_link().unwrap();
    let begun = desk.sign_in_by_link(token.reveal(), &origin()).unwrap().unwrap();
    (let_in(desk, &begun).0, begun)
}

pub(super) fn let_in(desk: &Desk, begun: &SignedIn) -> (Access, SessionFacts) {
    desk.access_of_session(begun.secret.reveal()).unwrap().expect("the session is let in")
}

pub(super) fn is_let_in(desk: &Desk, begun: &SignedIn) -> bool {
    desk.access_of_session(begun.secret.reveal()).unwrap().is_some()
}

pub(super) fn role(desk: &Desk, administrator: &Access, name: &str) -> Id {
    desk.roles(administrator).unwrap().into_iter().find(|role| role.role.name == name).unwrap().id
}

/// Somebody who was invited and has accepted.
pub(super) fn somebody(desk: &Desk, administrator: &Access, email: &str, role_name: &str, teams: &[Id]) -> SignedIn {
    let role = role(desk, administrator, role_name);
    let invitation = Invitation { email: email.to_owned(), role, teams: teams.to_vec() };
    let (_, token) = desk.invite(administrator, &invitation).unwrap();
    desk.accept(token.reveal(), "Somebody New", PASSWORD, &origin()).unwrap().unwrap()
}

fn sign_in(desk: &Desk, email: &str, password: &str, code: Option<&str>) -> Answer {
    let sign_in = SignIn { email: email.to_owned(), password: password.to_owned(), code: code.map(str::to_owned) };
    desk.sign_in(&sign_in, &origin()).unwrap()
}

fn signed_in(answer: Answer) -> SignedIn {
    match answer {
        Answer::SignedIn(begun) => *begun,
        other => panic!("{other:?}"),
    }
}

pub(super) fn audit(desk: &Desk, administrator: &Access, object: &str) -> Vec<Change> {
    let query = AuditQuery { object: Some(object.to_owned()), limit: 500, ..AuditQuery::default() };
    desk.audit(administrator, &query).unwrap()
}

#[test]
fn a_link_used_by_many_at_once_gives_one_session() {
    on_both(|desk| {
        let token = desk.administrator_link().unwrap();
        let begun: Vec<SignedIn> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| desk.sign_in_by_link(token.reveal(), &origin()).unwrap())).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(begun.len(), 1);
        let (access, facts) = let_in(desk, &begun[0]);
        assert!(access.is_administrator() && facts.current);
        let account = desk.account(&access).unwrap();
        assert_eq!((account.name.as_str(), account.role.as_str()), ("admin", "Administrator"));
        let (again, _) = administrator(desk);
        assert_eq!(again.user(), access.user(), "a later link is for the same person");
        assert_eq!(desk.users(&access).unwrap().len(), 1);
        for wrong in ["", "guess", begun[0].secret.reveal()] {
            assert_eq!(desk.sign_in_by_link(wrong, &origin()).unwrap(), None);
        }
    });
}

#[test]
fn links_end_and_are_revoked_and_are_of_one_kind() {
    on_both(|desk| {
        set_clock(0);
        let (administrator, _) = administrator(desk);
        let token = desk.administrator_link().unwrap();
        assert_eq!(desk.accept(token.reveal(), "Mallory", PASSWORD, &origin()).unwrap(), None);
        assert!(!desk.reset_password(token.reveal(), PASSWORD, &origin()).unwrap());
        assert_eq!(desk.link(token.reveal()).unwrap().unwrap().kind, LinkKind::Administrator);
        set_clock(DAY_MS);
        assert_eq!(desk.sign_in_by_link(token.reveal(), &origin()).unwrap(), None, "it is a day old");
        let invitation = Invitation {
            email: "ann@example.com".to_owned(),
            role: role(desk, &administrator, "Member"),
            teams: vec![],
        };
        let (facts, token) = desk.invite(&administrator, &invitation).unwrap();
        assert_eq!(desk.links(&administrator).unwrap()[0], facts);
        desk.revoke_link(&administrator, facts.id).unwrap();
        assert_eq!(desk.accept(token.reveal(), "Ann", PASSWORD, &origin()).unwrap(), None);
        assert!(matches!(desk.revoke_link(&administrator, facts.id), Err(RecordsError::NotFound(_))));
        let (_, token) = desk.invite(&administrator, &invitation).unwrap();
        set_clock(8 * DAY_MS);
        assert_eq!(desk.accept(token.reveal(), "Ann", PASSWORD, &origin()).unwrap(), None);
        assert_eq!(desk.users(&administrator).unwrap().len(), 1);
    });
}

#[test]
fn an_invitation_makes_the_account_that_it_says() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let team = desk.add_team(&administrator, "North").unwrap();
        let member = role(desk, &administrator, "Member");
        let invitation = Invitation { email: " Ann@Example.com ".to_owned(), role: member, teams: vec![team, team] };
        let (_, token) = desk.invite(&administrator, &invitation).unwrap();
        for weak in ["short", "password1234", "i am ann@example.com"] {
            assert!(desk.accept(token.reveal(), "Ann", weak, &origin()).is_err(), "{weak}");
        }
        let begun = desk.accept(token.reveal(), "Ann", PASSWORD, &origin()).unwrap().unwrap();
        let (access, _) = let_in(desk, &begun);
        let account = desk.account(&access).unwrap();
        assert_eq!((account.email.as_str(), account.teams), ("ann@example.com", vec![team]));
        assert!(!account.administrator && account.password);
        assert_eq!(desk.accept(token.reveal(), "Bob", PASSWORD, &origin()).unwrap(), None, "it was used");
        let again = desk.invite(&administrator, &invitation);
        assert!(matches!(again, Err(RecordsError::Taken { .. })), "{again:?}");
        signed_in(sign_in(desk, "ANN@example.com", PASSWORD, None));
        assert!(matches!(desk.users(&access), Err(RecordsError::Forbidden(_))));
        assert!(matches!(desk.invite(&access, &invitation), Err(RecordsError::Forbidden(_))));
        assert_eq!(desk.colleagues(&access).unwrap().len(), 2);
        let record = made(desk, &access, "contact", json!({ "last_name": "Lee" }));
        assert_eq!((record.owner, record.team), (access.user(), Some(team)), "own and team are those of the account");
    });
}

#[test]
fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        somebody(desk, &administrator, "ann@example.com", "Member", &[]);
        let tried = [
            ("ann@example.com", "plum tractor ten"),
            ("nobody@example.com", PASSWORD),
            // An account without a password.
            ("admin@rapport.invalid", ""),
        ];
        for (email, password) in tried {
            let before = desk.hashes_computed();
            assert_eq!(sign_in(desk, email, password, None), Answer::Refused);
            assert_eq!(desk.hashes_computed() - before, 1, "each costs one hash: {email}");
        }
        let told: Vec<_> = audit(desk, &administrator, "sign_in")
            .iter()
            .map(|change| (change.after["email"].clone(), change.after["person"].is_null(), change.origin.clone()))
            .collect();
        let address = Some("192.0.2.1".to_owned());
        let expected = [
            (json!("admin@rapport.invalid"), false, address.clone()),
            (json!("nobody@example.com"), true, address.clone()),
            (json!("ann@example.com"), false, address),
        ];
        assert_eq!(told, expected);
    });
}

#[test]
fn who_fails_too_often_waits_even_with_the_right_password() {
    on_both(|desk| {
        set_clock(0);
        let (administrator, _) = administrator(desk);
        somebody(desk, &administrator, "ann@example.com", "Member", &[]);
        for _ in 0..10 {
            assert_eq!(sign_in(desk, "ann@example.com", "plum tractor ten", None), Answer::Refused);
        }
        assert_eq!(sign_in(desk, "ann@example.com", PASSWORD, None), Answer::Wait { seconds: 900 });
        assert_eq!(audit(desk, &administrator, "sign_in").len(), 10);
        set_clock(15 * MINUTE_MS);
        signed_in(sign_in(desk, "ann@example.com", PASSWORD, None));
    });
}

/// The code that an app shows.
fn code(secret: &str, at: Timestamp) -> String {
    let secret = TotpSecret::try_from_base32(secret).unwrap();
    Builder::new().with_secret(secret).build().unwrap().generate(at.0 as u64 / 1000).to_string()
}

#[test]
fn a_code_of_the_second_factor_is_taken_once() {
    on_both(|desk| {
        set_clock(0);
        let at = |seconds: i64| Timestamp(NOW.0 + seconds * 1000);
        let (administrator, _) = administrator(desk);
        let (access, _) = let_in(desk, &somebody(desk, &administrator, "ann@example.com", "Member", &[]));
        let setup = desk.begin_second_factor(&access).unwrap();
        assert!(setup.uri.starts_with("otpauth://totp/Rapport:ann%40example.com?secret="), "{}", setup.uri);
        signed_in(sign_in(desk, "ann@example.com", PASSWORD, None));
        assert!(desk.activate_second_factor(&access, "000000").is_err());
        let recovery = desk.activate_second_factor(&access, &code(&setup.secret, at(-30))).unwrap();
        assert_eq!(recovery.len(), 8);
        assert_eq!(sign_in(desk, "ann@example.com", PASSWORD, None), Answer::SecondFactor);
        assert_eq!(sign_in(desk, "ann@example.com", "plum tractor ten", None), Answer::Refused);
        let now = code(&setup.secret, at(0));
        signed_in(sign_in(desk, "ann@example.com", PASSWORD, Some(&now)));
        assert_eq!(sign_in(desk, "ann@example.com", PASSWORD, Some(&now)), Answer::Refused, "it was used");
        assert_eq!(sign_in(desk, "ann@example.com", PASSWORD, Some(&code(&setup.secret, at(-30)))), Answer::Refused);
        assert_eq!(sign_in(desk, "ann@example.com", PASSWORD, Some(&code(&setup.secret, at(60)))), Answer::Refused);
        signed_in(sign_in(desk, "ann@example.com", PASSWORD, Some(recovery[0].reveal())));
        assert_eq!(sign_in(desk, "ann@example.com", PASSWORD, Some(recovery[0].reveal())), Answer::Refused);
        assert_eq!(desk.account(&access).unwrap().recovery_codes, 7);
        assert!(desk.remove_second_factor(&access, &now).is_err());
        set_clock(30_000);
        desk.remove_second_factor(&access, &code(&setup.secret, at(30))).unwrap();
        signed_in(sign_in(desk, "ann@example.com", PASSWORD, None));
        assert_eq!(desk.account(&access).unwrap().recovery_codes, 0);
    });
}

/// Ann, who has a second factor, set up half a minute ago.
struct Guarded {
    administrator: Access,
    access: Access,
    setup: SecondFactorSetup,
    recovery: Vec<Secret>,
}

fn guarded(desk: &Desk) -> Guarded {
    let (administrator, _) = administrator(desk);
    let (access, _) = let_in(desk, &somebody(desk, &administrator, "ann@example.com", "Member", &[]));
    let setup = desk.begin_second_factor(&access).unwrap();
    let recovery = desk.activate_second_factor(&access, &code(&setup.secret, Timestamp(NOW.0 - 30_000))).unwrap();
    Guarded { administrator, access, setup, recovery }
}

/// The secrets of somebody's second factor as the database holds them.
fn held(desk: &Desk, person: Id) -> Vec<u8> {
    desk.read(|_, tx| {
        let mut query = Query::select();
        query.column(Alias::new("totp")).from(Alias::new("person"));
        query.and_where(Expr::col(Alias::new("id")).eq(person.0));
        let row = tx.first(&query)?.unwrap();
        Ok(row.bytes(0)?.to_vec())
    })
    .unwrap()
}

fn hold(desk: &Desk, person: Id, secret: Vec<u8>) {
    let mut update = Query::update();
    update.table(Alias::new("person")).value(Alias::new("totp"), secret);
    update.and_where(Expr::col(Alias::new("id")).eq(person.0));
    desk.note(|tx| tx.execute(&update).map(drop)).unwrap();
}

#[test]
fn secrets_of_second_factors_are_sealed_and_without_their_key_recovery_codes_work() {
    on_both(|desk| {
        set_clock(0);
        let Guarded { administrator, access, setup, recovery } = guarded(desk);
        let &Actor::User(ann) = access.actor() else { panic!("a person") };
        let at = |seconds: i64| Timestamp(NOW.0 + seconds * 1000);
        let plain = TotpSecret::try_from_base32(&setup.secret).unwrap().as_bytes().to_vec();
        let sealed = held(desk, ann);
        assert!(!sealed.windows(plain.len()).any(|part| part == plain), "it cannot be read");
        // What an earlier version left as it is gets sealed.
        hold(desk, ann, plain.clone());
        assert_eq!(desk.set_sealing_key(SealingKey::random().unwrap()).unwrap(), 0);
        let again = held(desk, ann);
        assert!(again.len() == sealed.len() && again != sealed && !again.windows(20).any(|part| part == plain));
        signed_in(sign_in(desk, "ann@example.com", PASSWORD, Some(&code(&setup.secret, at(0)))));
        // As after a restore without the key: the name of another key stands there.
        let mut other = again.clone();
        other[3] ^= 1;
        hold(desk, ann, other);
        assert_eq!(desk.set_sealing_key(SealingKey::random().unwrap()).unwrap(), 1, "it is told at the start");
        let try_code = |code: &str| {
            let password = PASSWORD.to_owned();
            let given = SignIn { email: "ann@example.com".to_owned(), password, code: Some(code.to_owned()) };
            desk.sign_in(&given, &origin())
        };
        let error = try_code(&code(&setup.secret, at(30))).unwrap_err();
        assert!(
            matches!(error, RecordsError::Invalid { .. }) && error.to_string().contains("recovery code"),
            "{error}"
        );
        signed_in(try_code(recovery[0].reveal()).unwrap());
        desk.clear_second_factor(&administrator, ann).unwrap();
        signed_in(sign_in(desk, "ann@example.com", PASSWORD, None));
        let setup = desk.begin_second_factor(&access).unwrap();
        desk.activate_second_factor(&access, &code(&setup.secret, at(0))).unwrap();
    });
}

#[test]
fn codes_that_cannot_be_checked_are_counted_as_wrong_ones() {
    on_both(|desk| {
        set_clock(0);
        let Guarded { administrator, access, .. } = guarded(desk);
        let &Actor::User(ann) = access.actor() else { panic!("a person") };
        let (mut other, mut damaged) = (held(desk, ann), held(desk, ann));
        other[3] ^= 1;
        *damaged.last_mut().unwrap() ^= 1;
        let failures = || {
            let query = AuditQuery { object: Some("sign_in".to_owned()), limit: 99, ..AuditQuery::default() };
            let lines = desk.audit(&administrator, &query).unwrap();
            lines.iter().filter(|line| line.after.get("refused") == Some(&json!("code"))).count()
        };
        let try_code = || {
            let (email, password) = ("ann@example.com".to_owned(), PASSWORD.to_owned());
            desk.sign_in(&SignIn { email, password, code: Some("000000".to_owned()) }, &origin())
        };
        for tries in 1..=10 {
            hold(desk, ann, if tries % 2 == 0 { other.clone() } else { damaged.clone() });
            assert!(matches!(try_code(), Err(RecordsError::Invalid { field, .. }) if field == "code"));
            assert_eq!(failures(), tries);
        }
        assert!(matches!(try_code(), Ok(Answer::Wait { .. })));
        for _ in 0..10 {
            let refused = desk.remove_second_factor(&access, "000000");
            assert!(matches!(refused, Err(RecordsError::Invalid { field, .. }) if field == "code"));
        }
        assert!(matches!(desk.remove_second_factor(&access, "000000"), Err(RecordsError::Limit(_))));
    });
}

#[test]
fn two_sign_ins_at_once_with_one_code_give_one_session() {
    on_both(|desk| {
        set_clock(0);
        let setup = guarded(desk).setup;
        let now = code(&setup.secret, NOW);
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..2).map(|_| scope.spawn(|| sign_in(desk, "ann@example.com", PASSWORD, Some(&now)))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|answer| **answer == Answer::Refused).count(), 1, "{answers:?}");
    });
}

#[test]
fn an_administrator_stays() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let first = administrator.user().unwrap();
        let member = role(desk, &administrator, "Member");
        let demoted = UserChange { role: Some(member), ..UserChange::default() };
        let deactivated = UserChange { active: Some(false), ..UserChange::default() };
        for change in [&demoted, &deactivated] {
            let refused = desk.change_user(&administrator, first, change);
            assert!(matches!(refused, Err(RecordsError::Conflict(_))), "{refused:?}");
        }
        let (second, _) = let_in(desk, &somebody(desk, &administrator, "ann@example.com", "Administrator", &[]));
        // Each takes the other's role away at once: one of them stays.
        let demote = |access: &Access, person| desk.change_user(access, person, &demoted).is_ok();
        let outcomes: Vec<bool> = std::thread::scope(|scope| {
            let one = scope.spawn(|| demote(&administrator, second.user().unwrap()));
            let other = scope.spawn(|| demote(&second, first));
            vec![one.join().unwrap(), other.join().unwrap()]
        });
        assert_eq!(outcomes.iter().filter(|done| **done).count(), 1);
    });
}

#[test]
fn who_is_deactivated_is_out_at_once_with_sessions_and_keys() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let begun = somebody(desk, &administrator, "ann@example.com", "Member", &[]);
        let person = begun.session.person;
        let wanted = NewKey {
            name: "script".to_owned(),
            role: role(desk, &administrator, "Member"),
            person: Some(person),
            read_only: false,
            ends_at: None,
        };
        let (_, key) = desk.add_key(&administrator, &wanted).unwrap();
        let (_, link) = desk.password_link(&administrator, person).unwrap();
        assert_eq!(desk.access_of_key(key.reveal()).unwrap().unwrap().user(), Some(person));
        let change = UserChange { active: Some(false), ..UserChange::default() };
        assert!(!desk.change_user(&administrator, person, &change).unwrap().active);
        assert!(!is_let_in(desk, &begun));
        assert!(desk.access_of_key(key.reveal()).unwrap().is_none());
        assert!(!desk.reset_password(link.reveal(), "another password", &origin()).unwrap());
        assert_eq!(sign_in(desk, "ann@example.com", PASSWORD, None), Answer::Refused);
        let change = UserChange { active: Some(true), ..UserChange::default() };
        desk.change_user(&administrator, person, &change).unwrap();
        assert!(!is_let_in(desk, &begun), "an ended session does not come back");
        signed_in(sign_in(desk, "ann@example.com", PASSWORD, None));
    });
}

#[test]
fn a_role_that_changes_counts_from_the_next_request_on() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let begun = somebody(desk, &administrator, "ann@example.com", "Manager", &[]);
        let (access, _) = let_in(desk, &begun);
        made(desk, &access, "contact", json!({ "last_name": "Lee" }));
        let reader = role(desk, &administrator, "Reader");
        let change = UserChange { role: Some(reader), ..UserChange::default() };
        desk.change_user(&administrator, begun.session.person, &change).unwrap();
        let (access, _) = let_in(desk, &begun);
        let refused = desk.edit(&access, "contact", &[create(json!({ "last_name": "Ray" }))], None);
        assert!(matches!(refused, Err(RecordsError::Forbidden(_))), "{refused:?}");
    });
}

#[test]
fn a_key_for_reading_changes_nothing_whatever_its_role() {
    on_both(|desk| {
        set_clock(0);
        let (administrator, _) = administrator(desk);
        let record = made(desk, &administrator, "contact", json!({ "last_name": "Lee" }));
        let wanted = NewKey {
            name: "dashboard".to_owned(),
            role: role(desk, &administrator, "Administrator"),
            person: None,
            read_only: true,
            ends_at: Some(Timestamp(NOW.0 + DAY_MS)),
        };
        let (facts, key) = desk.add_key(&administrator, &wanted).unwrap();
        assert!(key.reveal().starts_with("rk_"));
        let access = desk.access_of_key(key.reveal()).unwrap().unwrap();
        assert!(access.is_read_only() && *access.actor() == Actor::Key(facts.id));
        assert_eq!(
            desk.list(&access, "contact", &ListQuery { limit: 10, ..ListQuery::default() }).unwrap().records.len(),
            1
        );
        let id = record.id;
        let edits = [
            create(json!({ "last_name": "Ray" })),
            Edit::Update { id, fields: fields(json!({ "last_name": "Ray" })), version: None },
            Edit::Upsert { key: "last_name".to_owned(), fields: fields(json!({ "last_name": "Ray" })) },
            Edit::Delete { id, version: None },
            Edit::Restore { id },
        ];
        for edit in edits {
            assert!(desk.edit(&access, "contact", std::slice::from_ref(&edit), None).is_err(), "{edit:?}");
        }
        assert_eq!(desk.get(&administrator, "contact", id).unwrap().version, 1);
        assert!(desk.audit(&access, &AuditQuery { limit: 1, ..AuditQuery::default() }).is_err());
        assert!(desk.add_key(&access, &wanted).is_err() && desk.sessions(&access, None).is_err());
        set_clock(DAY_MS);
        assert!(desk.access_of_key(key.reveal()).unwrap().is_none(), "its time is over");
    });
}

#[test]
fn a_key_is_listed_noted_and_revoked_and_one_made_before_is_adopted() {
    on_both(|desk| {
        set_clock(0);
        let (administrator, _) = administrator(desk);
        desk.adopt_key("local", "rk_made-before").unwrap();
        desk.adopt_key("local", "rk_made-before").unwrap();
        set_clock(MINUTE_MS);
        let access = desk.access_of_key("rk_made-before").unwrap().unwrap();
        assert!(access.is_administrator());
        let keys = desk.keys(&access).unwrap();
        assert_eq!((keys.len(), keys[0].used_at), (1, Some(Timestamp(NOW.0 + MINUTE_MS))));
        assert!(desk.known_key("rk_made-before").is_some() && desk.known_key("rk_other").is_none());
        set_clock(MINUTE_MS * 2);
        assert!(desk.known_key("rk_made-before").is_none(), "its use is to be noted");
        desk.access_of_key("rk_made-before").unwrap();
        assert!(desk.known_key("rk_made-before").is_some());
        desk.grow_old();
        assert!(desk.known_key("rk_made-before").is_none(), "the database must be asked");
        desk.access_of_key("rk_made-before").unwrap();
        desk.revoke_key(&administrator, keys[0].id).unwrap();
        assert!(desk.known_key("rk_made-before").is_none());
        assert!(desk.access_of_key("rk_made-before").unwrap().is_none());
        assert!(matches!(desk.revoke_key(&administrator, keys[0].id), Err(RecordsError::NotFound(_))));
    });
}

#[test]
fn sessions_are_listed_and_end_one_by_one_and_all_others() {
    on_both(|desk| {
        set_clock(0);
        let (administrator, first) = administrator(desk);
        let begun: Vec<SignedIn> = (0..3).map(|_| self::administrator(desk).1).collect();
        let listed = desk.sessions(&administrator, Some(first.session.id)).unwrap();
        assert_eq!(listed.iter().map(|facts| facts.current).collect::<Vec<_>>(), [false, false, false, true]);
        assert_eq!(listed[3].agent.as_deref(), Some("Firefox"));
        desk.end_session(&administrator, begun[0].session.id).unwrap();
        assert!(!is_let_in(desk, &begun[0]) && is_let_in(desk, &begun[1]));
        let (stranger, _) = let_in(desk, &somebody(desk, &administrator, "ann@example.com", "Member", &[]));
        let refused = desk.end_session(&stranger, begun[1].session.id);
        assert!(matches!(refused, Err(RecordsError::NotFound(_))), "{refused:?}");
        desk.sign_out(&administrator, begun[1].secret.reveal()).unwrap();
        assert!(!is_let_in(desk, &begun[1]));
        desk.end_other_sessions(&administrator, first.session.id).unwrap();
        assert!(!is_let_in(desk, &begun[2]) && is_let_in(desk, &first));
        set_clock(SESSION_MS);
        assert!(!is_let_in(desk, &first), "it has ended by itself");
    });
}

#[test]
fn a_session_in_use_is_noted_once_a_minute() {
    on_both(|desk| {
        set_clock(0);
        let (_, begun) = administrator(desk);
        let seen = |desk: &Desk| {
            let (access, _) = let_in(desk, &begun);
            desk.sessions(&access, None).unwrap()[0].seen_at.0 - NOW.0
        };
        let times = [1, MINUTE_MS - 1, MINUTE_MS, MINUTE_MS + 1, 3 * MINUTE_MS];
        let noted = times.map(|at| {
            set_clock(at);
            seen(desk)
        });
        assert_eq!(noted, [0, 0, MINUTE_MS, MINUTE_MS, 3 * MINUTE_MS]);
    });
}

#[test]
fn what_another_process_ends_ends_here_within_seconds() {
    on_both_shared(|open| {
        let (here, there) = (open(), open());
        let (administrator, begun) = administrator(&here);
        let (_, other) = self::administrator(&here);
        assert!(is_let_in(&there, &begun) && is_let_in(&there, &other));
        here.end_session(&administrator, other.session.id).unwrap();
        assert!(!is_let_in(&here, &other), "at once where it was done");
        there.grow_old();
        assert!(!is_let_in(&there, &other) && is_let_in(&there, &begun));
    });
}

#[test]
fn a_new_password_ends_other_sessions_and_needs_the_old_one() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let begun = somebody(desk, &administrator, "ann@example.com", "Member", &[]);
        let other = signed_in(sign_in(desk, "ann@example.com", PASSWORD, None));
        let (access, facts) = let_in(desk, &begun);
        let new = "nine tractors, one plum";
        for old in [None, Some("plum tractor ten")] {
            assert!(desk.change_password(&access, facts.id, old, new).is_err());
        }
        assert!(desk.change_password(&access, facts.id, Some(PASSWORD), "short").is_err());
        let (_, waiting) = desk.password_link(&administrator, begun.session.person).unwrap();
        desk.change_password(&access, facts.id, Some(PASSWORD), new).unwrap();
        assert!(!desk.reset_password(waiting.reveal(), PASSWORD, &origin()).unwrap(), "a link from before is gone");
        assert!(is_let_in(desk, &begun) && !is_let_in(desk, &other));
        assert_eq!(sign_in(desk, "ann@example.com", PASSWORD, None), Answer::Refused);
        signed_in(sign_in(desk, "ann@example.com", new, None));
        let (_, link) = desk.password_link(&administrator, begun.session.person).unwrap();
        assert!(desk.reset_password(link.reveal(), PASSWORD, &origin()).unwrap());
        assert!(!desk.reset_password(link.reveal(), new, &origin()).unwrap(), "it was used");
        assert!(!is_let_in(desk, &begun));
        signed_in(sign_in(desk, "ann@example.com", PASSWORD, None));
    });
}

#[test]
fn another_address_to_sign_in_with_needs_the_password() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let change = |email: &str, password: Option<&str>| AccountChange {
            email: Some(email.to_owned()),
            password: password.map(str::to_owned),
            ..AccountChange::default()
        };
        desk.change_account(&administrator, &change("boss@example.com", None)).unwrap();
        let (access, _) = let_in(desk, &somebody(desk, &administrator, "ann@example.com", "Member", &[]));
        assert!(desk.change_account(&access, &change("eve@example.com", None)).is_err());
        let taken = desk.change_account(&access, &change("boss@example.com", Some(PASSWORD)));
        assert!(matches!(taken, Err(RecordsError::Taken { .. })), "{taken:?}");
        desk.change_account(&access, &change("Ann.Lee@example.com", Some(PASSWORD))).unwrap();
        signed_in(sign_in(desk, "ann.lee@example.com", PASSWORD, None));
    });
}

#[test]
fn a_role_that_cannot_be_is_refused() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let role = |definition| serde_json::from_value::<Role>(definition).unwrap();
        let wrong = [
            json!({ "name": " ", "other": { "read": "all" } }),
            json!({ "name": "Manager" }),
            json!({ "name": "A", "administrator": true }),
            json!({ "name": "A", "objects": { "spaceship": { "read": "all" } } }),
            json!({ "name": "A", "objects": { "contact": { "hidden": ["spaceship"] } } }),
            json!({ "name": "A", "objects": { "contact": { "locked": ["owner"] } } }),
            json!({ "name": "A", "other": { "hidden": ["spaceship"] } }),
            json!({ "name": "A", "objects": { "contact": { "read": { "condition": "spaceship == 1" } } } }),
            json!({ "name": "A", "objects": { "contact": { "read": { "condition": "last_name" } } } }),
            json!({ "name": "A", "objects": { "contact": { "update": { "condition": "last_name ==" } } } }),
            json!({ "name": "A", "objects": { "contact": { "delete": { "condition": "last_name == 3" } } } }),
            json!({ "name": "A", "other": { "read": { "condition": "last_name == 'Lee'" } } }),
        ];
        let before = desk.roles(&administrator).unwrap();
        for definition in wrong {
            assert!(desk.add_role(&administrator, &role(definition.clone())).is_err(), "{definition}");
        }
        assert_eq!(desk.roles(&administrator).unwrap(), before);
        let everything = before.iter().find(|facts| facts.role.administrator).unwrap();
        assert!(desk.change_role(&administrator, everything.id, &role(json!({ "name": "A" }))).is_err());
        assert!(desk.delete_role(&administrator, everything.id).is_err());
    });
}

#[test]
fn a_role_with_a_condition_shows_what_it_is_true_of() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let definition = json!({ "name": "Local", "objects": { "contact": {
            "read": { "condition": "last_name == 'Lee' || owner == me()" }, "create": true } } });
        let wanted: Role = serde_json::from_value(definition).unwrap();
        let id = desk.add_role(&administrator, &wanted).unwrap();
        made(desk, &administrator, "contact", json!({ "last_name": "Lee" }));
        made(desk, &administrator, "contact", json!({ "last_name": "Ray" }));
        let begun = somebody(desk, &administrator, "ann@example.com", "Local", &[]);
        let (access, _) = let_in(desk, &begun);
        made(desk, &access, "contact", json!({ "last_name": "Own" }));
        assert_eq!(desk.count(&access, "contact", None).unwrap(), 2);
        assert!(desk.count(&access, "deal", None).is_err());
        let narrower = Role { objects: [("deal".to_owned(), wanted.other.clone())].into(), ..wanted.clone() };
        desk.change_role(&administrator, id, &narrower).unwrap();
        assert!(desk.count(&let_in(desk, &begun).0, "contact", None).is_err(), "at once for who has it");
        let refused = desk.delete_role(&administrator, id);
        assert!(matches!(refused, Err(RecordsError::Conflict(_))), "{refused:?}");
        let member = role(desk, &administrator, "Member");
        let change = UserChange { role: Some(member), ..UserChange::default() };
        desk.change_user(&administrator, begun.session.person, &change).unwrap();
        desk.delete_role(&administrator, id).unwrap();
    });
}

#[test]
fn a_team_in_use_stays() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let team = desk.add_team(&administrator, "North").unwrap();
        assert!(matches!(desk.add_team(&administrator, " North "), Err(RecordsError::Taken { .. })));
        let begun = somebody(desk, &administrator, "ann@example.com", "Member", &[team]);
        assert_eq!(desk.teams(&administrator).unwrap()[0].people, [begun.session.person]);
        assert!(matches!(desk.delete_team(&administrator, team), Err(RecordsError::Conflict(_))));
        let change = UserChange { teams: Some(vec![]), ..UserChange::default() };
        desk.change_user(&administrator, begun.session.person, &change).unwrap();
        made(desk, &administrator, "contact", json!({ "last_name": "Lee", "team": team }));
        assert!(matches!(desk.delete_team(&administrator, team), Err(RecordsError::Conflict(_))));
        let other = desk.add_team(&administrator, "South").unwrap();
        desk.rename_team(&administrator, other, "East").unwrap();
        desk.delete_team(&administrator, other).unwrap();
        assert_eq!(desk.teams(&administrator).unwrap().len(), 1);
        let unknown = UserChange { teams: Some(vec![other]), ..UserChange::default() };
        assert!(desk.change_user(&administrator, begun.session.person, &unknown).is_err());
    });
}

#[test]
fn the_audit_tells_of_people_to_administrators_and_of_no_secret() {
    on_both(|desk| {
        let start = desk.newest_change().unwrap();
        let (administrator, first) = administrator(desk);
        let begun = somebody(desk, &administrator, "ann@example.com", "Reader", &[]);
        let (access, facts) = let_in(desk, &begun);
        let setup = desk.begin_second_factor(&access).unwrap();
        let codes = desk.activate_second_factor(&access, &code(&setup.secret, NOW)).unwrap();
        let new = "nine tractors, one plum";
        desk.change_password(&access, facts.id, Some(PASSWORD), new).unwrap();
        let wanted = NewKey {
            name: "script".to_owned(),
            role: role(desk, &administrator, "Reader"),
            person: None,
            read_only: false,
            ends_at: None,
        };
        let (_, key) = desk.add_key(&administrator, &wanted).unwrap();
        desk.add_team(&administrator, "North").unwrap();
        desk.add_role(&administrator, &Role { name: "Nobody".to_owned(), ..Role::default() }).unwrap();
        assert_eq!(sign_in(desk, "ann@example.com", "plum tractor ten", None), Answer::Refused);
        let query = AuditQuery { limit: 500, ..AuditQuery::default() };
        let lines: Vec<Change> =
            desk.audit(&administrator, &query).unwrap().into_iter().filter(|line| line.seq > start).collect();
        let told: std::collections::BTreeSet<&str> = lines.iter().map(|line| line.object.as_str()).collect();
        assert_eq!(
            told.into_iter().collect::<Vec<_>>(),
            ["key", "link", "person", "role", "session", "sign_in", "team"]
        );
        let text = serde_json::to_string(&lines).unwrap();
        let mut secrets =
            vec![first.secret.reveal(), begun.secret.reveal(), key.reveal(), PASSWORD, new, &setup.secret];
        secrets.extend(codes.iter().map(Secret::reveal));
        for secret in secrets.into_iter().chain(["argon2", "plum tractor ten"]) {
            assert!(!text.contains(secret), "{secret}");
        }
        for access in [&access, &administrator] {
            assert_eq!(desk.changes(access, start, 500).unwrap().0, [], "records' followers are not told of people");
        }
    });
}

#[test]
fn a_request_cannot_name_what_is_not_its_own() {
    let user = serde_json::from_value::<UserChange>(json!({ "name": "Ann", "password": "x" }));
    assert!(user.is_err());
    let account = serde_json::from_value::<AccountChange>(json!({ "name": "Ann", "role": "0000000000000" }));
    assert!(account.is_err());
    let invitation = json!({ "email": "a@b.c", "role": "0000000000000", "administrator": true });
    assert!(serde_json::from_value::<Invitation>(invitation).is_err());
    let key = json!({ "name": "k", "role": "0000000000000", "key": "rk_mine" });
    assert!(serde_json::from_value::<NewKey>(key).is_err());
    assert!(serde_json::from_value::<Role>(json!({ "name": "A", "everything": true })).is_err());
}

#[test]
fn no_object_of_records_is_called_like_something_of_the_audit() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let mut object = desk.schema().object("contact").unwrap().clone();
        object.fields.retain(|field| field.name == "last_name");
        object.title = "last_name".to_owned();
        object.name = "session".to_owned();
        let refused = desk.define(&administrator, object.clone());
        assert!(matches!(refused, Err(RecordsError::Invalid { .. })), "{refused:?}");
        object.name = "workshop".to_owned();
        desk.define(&administrator, object).unwrap();
    });
}
