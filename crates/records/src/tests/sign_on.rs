//! Sign-on by a provider: whose account it leads to, and to whose it must not.

use serde_json::json;

use super::{
    on_both,
    people::{PASSWORD, administrator, audit, is_let_in, let_in, origin, role, somebody},
    set_clock,
};
use crate::{
    Access, Desk, RecordsError,
    people::{
        AccountChange, Answer, Invitation, SetUp, SignIn, SignOn, SignOnAnswer, SignOnRefusal, SignedIn, UserChange,
    },
};

const EMAIL: &str = "ann@example.com";

/// What a provider says of somebody; `once` is different each time.
fn told(subject: &str, email: Option<&str>) -> SignOn {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    SignOn {
        provider: "company".to_owned(),
        issuer: "https://login.example.com".to_owned(),
        subject: subject.to_owned(),
        email: email.map(str::to_owned),
        name: Some("Ann Lee".to_owned()),
        once: format!("nonce {}", COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)),
        new_people: None,
    }
}

fn sign_on(desk: &Desk, sign_on: &SignOn) -> SignOnAnswer {
    let attempt = desk.count_sign_on(&origin()).unwrap();
    desk.sign_on(&attempt, sign_on, &origin()).unwrap()
}

fn begun(answer: SignOnAnswer) -> SignedIn {
    match answer {
        SignOnAnswer::SignedIn(begun) => *begun,
        SignOnAnswer::Refused(refusal) => panic!("{refusal:?}"),
    }
}

fn email_of(desk: &Desk, begun: &SignedIn) -> String {
    desk.account(&let_in(desk, begun).0).unwrap().email
}

fn deactivate(desk: &Desk, administrator: &Access, person: crate::Id) {
    let change = UserChange { active: Some(false), ..UserChange::default() };
    desk.change_user(administrator, person, &change).unwrap();
}

#[test]
fn the_first_time_the_verified_address_counts_and_then_the_subject_alone() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let ann = somebody(desk, &administrator, EMAIL, "Member", &[]).session.person;
        assert_eq!(sign_on(desk, &told("a1", None)), SignOnAnswer::Refused(SignOnRefusal::Unknown));
        let first = begun(sign_on(desk, &told("a1", Some("Ann@Example.com"))));
        assert_eq!(first.session.person, ann);
        // Neither without an address nor with somebody else's is it another account.
        assert_eq!(begun(sign_on(desk, &told("a1", None))).session.person, ann);
        somebody(desk, &administrator, "bob@example.com", "Member", &[]);
        assert_eq!(begun(sign_on(desk, &told("a1", Some("bob@example.com")))).session.person, ann);
        let person = &audit(desk, &administrator, "person")[1];
        assert_eq!(person.after["sign_on"], json!("company"), "{person:?}");
        assert_eq!(audit(desk, &administrator, "session")[0].after["by"], json!("sign-on company"));
        assert_eq!(audit(desk, &administrator, "sign_in")[0].after["refused"], json!("unknown"));
    });
}

#[test]
fn an_address_that_was_given_to_somebody_else_is_not_the_account_of_who_had_it() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        somebody(desk, &administrator, EMAIL, "Member", &[]);
        begun(sign_on(desk, &told("a1", Some(EMAIL))));
        assert_eq!(sign_on(desk, &told("a2", Some(EMAIL))), SignOnAnswer::Refused(SignOnRefusal::Linked));
        // The same subject of another issuer is somebody else, whose address counts.
        let elsewhere = SignOn { issuer: "https://other.example.com".to_owned(), ..told("a1", Some(EMAIL)) };
        assert_eq!(email_of(desk, &begun(sign_on(desk, &elsewhere))), EMAIL);
        let stranger = SignOn { issuer: "https://third.example.com".to_owned(), ..told("a1", None) };
        assert_eq!(sign_on(desk, &stranger), SignOnAnswer::Refused(SignOnRefusal::Unknown));
    });
}

#[test]
fn an_address_that_somebody_has_set_leads_nobody_into_their_account() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let mallory = somebody(desk, &administrator, "mallory@example.com", "Member", &[]);
        let (access, person) = (let_in(desk, &mallory).0, mallory.session.person);
        let password = Some(PASSWORD.to_owned());
        let change = AccountChange { email: Some(EMAIL.to_owned()), password, ..AccountChange::default() };
        desk.change_account(&access, &change).unwrap();
        let refused = SignOnAnswer::Refused(SignOnRefusal::OwnAddress);
        assert_eq!(sign_on(desk, &told("a1", Some(EMAIL))), refused);
        assert_eq!(
            audit(desk, &administrator, "sign_in")[0].after["refused"],
            json!("the address was set by its owner")
        );
        // A change of something else is no word of an administrator's on the address.
        let renamed = UserChange { name: Some("Mal".to_owned()), ..UserChange::default() };
        desk.change_user(&administrator, person, &renamed).unwrap();
        assert_eq!(sign_on(desk, &told("a1", Some(EMAIL))), refused);
        let vouched = UserChange { email: Some(EMAIL.to_owned()), ..UserChange::default() };
        desk.change_user(&administrator, person, &vouched).unwrap();
        assert_eq!(begun(sign_on(desk, &told("a1", Some(EMAIL)))).session.person, person);
    });
}

#[test]
fn who_was_deactivated_stays_out_before_and_after_they_are_known() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let ann = somebody(desk, &administrator, EMAIL, "Member", &[]).session.person;
        let session = begun(sign_on(desk, &told("a1", Some(EMAIL))));
        deactivate(desk, &administrator, ann);
        assert!(!is_let_in(desk, &session));
        assert_eq!(sign_on(desk, &told("a1", Some(EMAIL))), SignOnAnswer::Refused(SignOnRefusal::Inactive));
        let bob = somebody(desk, &administrator, "bob@example.com", "Member", &[]).session.person;
        deactivate(desk, &administrator, bob);
        let refused = sign_on(desk, &told("b1", Some("bob@example.com")));
        assert_eq!(refused, SignOnAnswer::Refused(SignOnRefusal::Inactive));
        let makes = SignOn { new_people: Some("Member".to_owned()), ..told("b1", Some("bob@example.com")) };
        assert_eq!(sign_on(desk, &makes), SignOnAnswer::Refused(SignOnRefusal::Inactive));
    });
}

#[test]
fn an_invitation_is_accepted_by_a_sign_on_once() {
    on_both(|desk| {
        set_clock(0);
        let (administrator, _) = administrator(desk);
        let invitation =
            Invitation { email: EMAIL.to_owned(), role: role(desk, &administrator, "Member"), teams: vec![] };
        let (_, token) = desk.invite(&administrator, &invitation).unwrap();
        let ann = begun(sign_on(desk, &told("a1", Some(EMAIL))));
        let account = desk.account(&let_in(desk, &ann).0).unwrap();
        assert_eq!((account.name.as_str(), account.role.as_str(), account.password), ("Ann Lee", "Member", false));
        assert_eq!(desk.accept(token.reveal(), "Mallory", "plum tractor nine", &origin()).unwrap(), None);
        let late = Invitation { email: "late@example.com".to_owned(), ..invitation };
        desk.invite(&administrator, &late).unwrap();
        set_clock(8 * rapport_types::DAY_MS);
        let refused = sign_on(desk, &told("l1", Some("late@example.com")));
        assert_eq!(refused, SignOnAnswer::Refused(SignOnRefusal::Unknown));
    });
}

#[test]
fn an_account_is_made_only_where_the_settings_name_a_role_that_is_there() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let new = |role: &str, name: Option<&str>| SignOn {
            new_people: Some(role.to_owned()),
            name: name.map(str::to_owned),
            ..told("a1", Some(EMAIL))
        };
        let attempt = desk.count_sign_on(&origin()).unwrap();
        let wrong = desk.sign_on(&attempt, &new("Emperor", None), &origin()).unwrap_err();
        assert!(matches!(wrong, RecordsError::Invalid { .. }), "{wrong}");
        assert_eq!(desk.users(&administrator).unwrap().len(), 1);
        let ann = begun(sign_on(desk, &new("Member", None)));
        let account = desk.account(&let_in(desk, &ann).0).unwrap();
        assert_eq!((account.name.as_str(), account.role.as_str()), ("ann", "Member"));
        let unverified = SignOn { email: None, subject: "a2".to_owned(), ..new("Member", None) };
        assert_eq!(sign_on(desk, &unverified), SignOnAnswer::Refused(SignOnRefusal::Unknown));
        let long = SignOn {
            subject: "a3".to_owned(),
            email: Some("long@example.com".to_owned()),
            ..new("Member", Some(&"长".repeat(100)))
        };
        let long = begun(sign_on(desk, &long));
        assert_eq!(desk.account(&let_in(desk, &long).0).unwrap().name, "长".repeat(40));
    });
}

#[test]
fn an_answer_of_a_provider_lets_in_once() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        somebody(desk, &administrator, EMAIL, "Member", &[]);
        let answer = told("a1", Some(EMAIL));
        begun(sign_on(desk, &answer));
        assert_eq!(sign_on(desk, &answer), SignOnAnswer::Refused(SignOnRefusal::Repeated));
        begun(sign_on(desk, &told("a1", Some(EMAIL))));
    });
}

#[test]
fn failures_from_an_address_wait_and_successes_are_none() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        somebody(desk, &administrator, EMAIL, "Member", &[]);
        for _ in 0..20 {
            begun(sign_on(desk, &told("a1", Some(EMAIL))));
        }
        for _ in 0..20 {
            // The provider has taken the code: that its person is not let in is no guess.
            sign_on(desk, &told("m1", Some("mallory@example.com")));
        }
        for _ in 0..10 {
            drop(desk.count_sign_on(&origin()).unwrap());
        }
        assert!(desk.count_sign_on(&origin()).is_err_and(|seconds| seconds > 0));
        let wrong = SignIn { email: EMAIL.to_owned(), password: "x".to_owned(), code: None };
        assert!(matches!(desk.sign_in(&wrong, &origin()).unwrap(), Answer::Wait { .. }), "it is the same address");
        assert!(desk.count_sign_on(&crate::people::Origin::default()).is_ok());
    });
}

fn set_up(issuer: &str, provider: &str) -> SetUp {
    SetUp { issuer: issuer.to_owned(), provider: provider.to_owned() }
}

#[test]
fn a_sign_on_goes_by_the_issuer_and_not_by_the_name_of_its_provider() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        somebody(desk, &administrator, EMAIL, "Member", &[]);
        let access = let_in(desk, &begun(sign_on(desk, &told("a1", Some(EMAIL))))).0;
        let (old, new) = ("https://login.example.com", "https://new.example.com");
        for (providers, name, is_set_up) in [
            (vec![set_up(old, "company")], "company", true),
            // The name stayed, the issuer is another one.
            (vec![set_up(new, "company")], "company", false),
            // The issuer stayed, the name is another one.
            (vec![set_up(old, "renamed")], "renamed", true),
            (vec![set_up(new, "company"), set_up(old, "renamed")], "renamed", true),
            // Two clients of one issuer.
            (vec![set_up(old, "other"), set_up(old, "company")], "company", true),
            (vec![], "company", false),
        ] {
            let facts = desk.sign_ons(&access, &providers).unwrap();
            assert_eq!((&*facts[0].provider, facts[0].is_set_up), (name, is_set_up), "{providers:?}");
        }
    });
}

#[test]
fn a_sign_on_is_taken_away_where_something_else_lets_in() {
    on_both(|desk| {
        let (administrator, _) = administrator(desk);
        let invitation =
            Invitation { email: EMAIL.to_owned(), role: role(desk, &administrator, "Member"), teams: vec![] };
        desk.invite(&administrator, &invitation).unwrap();
        let ann = begun(sign_on(desk, &told("a1", Some(EMAIL))));
        let access = let_in(desk, &ann).0;
        let set_up = [set_up("https://login.example.com", "company")];
        let facts = desk.sign_ons(&access, &set_up).unwrap();
        assert_eq!((facts.len(), facts[0].provider.as_str()), (1, "company"));
        let last = desk.remove_sign_on(&access, facts[0].id, &set_up);
        assert!(matches!(last, Err(RecordsError::Conflict(_))), "{last:?}");
        // One of a provider that the settings no longer have lets nobody in.
        let gone = SignOn { issuer: "https://gone.example.com".to_owned(), ..told("a1", Some(EMAIL)) };
        begun(sign_on(desk, &gone));
        let last = desk.remove_sign_on(&access, facts[0].id, &set_up);
        assert!(matches!(last, Err(RecordsError::Conflict(_))), "{last:?}");
        let other =
            desk.sign_ons(&access, &set_up).unwrap().into_iter().find(|other| other.id != facts[0].id).unwrap().id;
        desk.remove_sign_on(&access, other, &set_up).unwrap();
        let bob = somebody(desk, &administrator, "bob@example.com", "Member", &[]);
        let foreign = desk.remove_sign_on(&let_in(desk, &bob).0, facts[0].id, &set_up);
        assert!(matches!(foreign, Err(RecordsError::NotFound(_))), "{foreign:?}");
        desk.change_password(&access, ann.session.id, None, "plum tractor nine").unwrap();
        desk.remove_sign_on(&access, facts[0].id, &set_up).unwrap();
        assert!(desk.sign_ons(&access, &set_up).unwrap().is_empty());
        assert_eq!(audit(desk, &administrator, "person")[0].before["sign_on"], json!("company"));
        // Another subject may take its place now.
        assert_eq!(begun(sign_on(desk, &told("a2", Some(EMAIL)))).session.person, ann.session.person);
    });
}
