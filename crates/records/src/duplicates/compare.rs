//! How much two records are alike, and why.
//!
//! Each agreement says on its own with what chance two records are one; they are put together as independent evidence, the chance
//! that not all of them are accidents (the "noisy or" of Pearl, 1988, over the agreement weights of Fellegi and Sunter, 1969).
//! Names that clearly differ speak against it: families and departments share mailboxes and telephones.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    forms,
    traits::{Named, Traits},
};

/// From this score on a pair is put before people.
pub(super) const REVIEW: i64 = 70;
/// From this score on a record is named to somebody who types.
pub(super) const MENTION: i64 = 40;

/// Why two records are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The same e-mail address.
    Email,
    /// The same telephone number.
    Phone,
    /// The same domain.
    Domain,
    /// The same name.
    Name,
    /// A name that is spelled almost the same.
    SimilarName,
    /// They work for the same company.
    Employer,
}

/// How much two records are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Likeness {
    /// 0 to 100.
    pub(super) score: i64,
    pub(super) reasons: Vec<Reason>,
}

/// What is left of a score where the names clearly differ.
const CONFLICT: f64 = 0.8;

pub(super) fn compare(one: &Traits, other: &Traits, named: Option<Named>) -> Likeness {
    let is_company = named == Some(Named::Company);
    let alike = names(&one.name, &other.name);
    let evidence = [
        (Reason::Email, !one.emails.is_disjoint(&other.emails), 0.9),
        (Reason::Phone, !one.phones.is_disjoint(&other.phones), 0.5),
        (Reason::Domain, !one.domains.is_disjoint(&other.domains), 0.7),
        (Reason::Name, alike == Names::Same, if is_company { 0.75 } else { 0.6 }),
        (Reason::SimilarName, alike == Names::Similar, if is_company { 0.55 } else { 0.45 }),
        // It says nothing alone: many work for one company.
        (
            Reason::Employer,
            !one.employer.is_empty() && one.employer == other.employer && matches!(alike, Names::Same | Names::Similar),
            0.5,
        ),
    ];
    let found = evidence.iter().filter(|(_, agrees, _)| *agrees);
    let accident: f64 = found.clone().map(|(_, _, weight)| 1.0 - weight).product();
    let factor = if alike == Names::Different { CONFLICT } else { 1.0 };
    Likeness {
        score: ((1.0 - accident) * factor * 100.0).round() as i64,
        reasons: found.map(|(reason, _, _)| *reason).collect(),
    }
}

/// How two names are to one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Same,
    Similar,
    /// They have a part in common, or one is missing.
    Unclear,
    Different,
}

fn names(one: &str, other: &str) -> Names {
    if one.is_empty() || other.is_empty() {
        return Names::Unclear;
    }
    if one == other {
        return Names::Same;
    }
    let letters = one.chars().count().min(other.chars().count());
    let errors = strsim::osa_distance(one, other);
    let closeness = strsim::jaro_winkler(one, other);
    // One typing error in 5 letters, two in 10; short names differ by one letter as a rule. Names that sound the same may be
    // spelled more differently.
    let is_misspelled = errors <= (letters / 5).min(2);
    let sounds_the_same = errors <= letters / 4 && forms::sound(one) == forms::sound(other);
    if letters >= 5 && (is_misspelled || sounds_the_same) || letters >= 8 && closeness >= 0.95 {
        return Names::Similar;
    }
    let shares_word = one.split(' ').any(|word| other.split(' ').any(|other| other == word));
    if shares_word || closeness >= 0.75 { Names::Unclear } else { Names::Different }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{duplicates::traits::Plan, schema::Schema, tests::fields};

    #[test]
    fn scores_rank_what_people_would_rank() {
        let schema = Schema::builtin();
        let score = |object: &str, one: serde_json::Value, other: serde_json::Value| {
            let plan = Plan::of(schema.object(object).unwrap()).unwrap();
            let traits = |value| Traits::of(&plan, &fields(value));
            compare(&traits(one), &traits(other), plan.named)
        };
        let contact = |one, other| score("contact", one, other);
        let company = |one, other| score("company", one, other);
        let ann = json!({ "name": "Ann Lee", "email": "ann@acme.example", "phone": "030 1234567", "company": "c1" });
        let same = contact(ann.clone(), ann.clone());
        assert_eq!(same.reasons, [Reason::Email, Reason::Phone, Reason::Name, Reason::Employer]);
        assert!(same.score >= 98);
        let review = [
            contact(ann.clone(), json!({ "name": "Bo", "email": "ann@acme.example" })),
            contact(ann.clone(), json!({ "name": "Lee, Ann", "phone": "+49 30 1234567" })),
            contact(ann.clone(), json!({ "name": "Anne Lee", "company": "c1" })),
            company(json!({ "name": "Acme Inc" }), json!({ "name": "ACME GmbH" })),
            company(
                json!({ "name": "Acme", "domain": "acme.example" }),
                json!({ "name": "Acme Sales", "website": "https://www.acme.example/x" }),
            ),
        ];
        for likeness in review {
            assert!(likeness.score >= REVIEW, "{likeness:?}");
        }
        let mention = [
            contact(ann.clone(), json!({ "name": "Ann Lee" })),
            contact(ann.clone(), json!({ "name": "Anna Lee" })),
            contact(ann.clone(), json!({ "name": "Bo Wong", "phone": "030 1234567" })),
            company(
                json!({ "name": "Acme", "domain": "acme.example" }),
                json!({ "name": "Zenith", "domain": "acme.example" }),
            ),
        ];
        for likeness in mention {
            assert!((MENTION..REVIEW).contains(&likeness.score), "{likeness:?}");
        }
        let nothing = [
            contact(ann.clone(), json!({ "name": "Bo Wong", "company": "c1" })),
            contact(json!({ "name": "张伟" }), json!({ "name": "张华" })),
            contact(ann, json!({ "name": "Ann Miller", "email": "ann@other.example" })),
        ];
        for likeness in nothing {
            assert!(likeness.score < MENTION, "{likeness:?}");
        }
    }
}
