//! Who is told what: every operation of the API, asked by every kind of caller about a row that is not theirs.
//!
//! The table is whole by construction: an operation of the document without a row fails here. Of each answer the status is
//! compared with the table and the document, no text of a row or field that the caller does not read may be in it, a row that is not theirs must look as one
//! that is not there, and what was refused must have written nothing: no row, no file, no event. What cannot be seen in one
//! answer is asked for in `guesses`: a right guess must be answered as a wrong one is.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "modules of a test share their things")]

#[path = "../common/mod.rs"]
mod common;
mod guesses;
mod house;
mod live;
mod served;
mod table;

use common::Told;
use house::{CALLERS, Caller, HIDDEN, House, REFUSED, SECRETS};
use serde_json::Value;
use table::{APART, Row, rows};

/// An id that nothing has. Where a request names several rows, the others are [`nothing`]'s.
const NOTHING: &str = "0000000000001";

/// The id of the row that is not there at this place of a request.
fn nothing(place: usize) -> String {
    format!("{:013}", place + 1)
}

/// Whether a path is one of a route such as `/api/v1/objects/{object}`.
fn fits(route: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let (route, path): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    route.len() == path.len() && route.iter().zip(&path).all(|(one, other)| one.starts_with('{') || one == other)
}

#[test]
fn every_operation_has_a_row() {
    let document: Value = serde_json::from_str(&rapport_server::openapi::document()).unwrap();
    let mut missing = Vec::new();
    for (route, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            let has_row = rows().any(|Row(verb, path, ..)| *verb == method && fits(route, path));
            let is_apart = APART.iter().any(|(verb, path, _)| *verb == method && path == route);
            if !has_row && !is_apart {
                missing.push(format!("{method} {route}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "these operations have no row in crates/server/tests/matrix/table: {missing:#?}\n\
         Add Row(method, path, body, statuses) to the file of its room: ask for a row that belongs to somebody else, such as \
         <contact> (house.rs makes them; a new kind of row is made in `hide`), and say what each caller of house::CALLERS is \
         told. If no answer of it ends, or its caller has no credential yet, name it in table::APART with the reason."
    );
}

/// What of an answer its caller should not have been told.
fn leaked(caller: Caller, asked: &str, told: &Told) -> Vec<&'static str> {
    let texts: &[&'static str] = match caller {
        Caller::Administrator | Caller::Reader | Caller::ReadKey => &[],
        Caller::Blind => &HIDDEN,
        Caller::Own | Caller::Team | Caller::Condition | Caller::Stranger | Caller::OtherKey => &SECRETS,
    };
    let (body, asked) = (told.body.to_lowercase(), asked.to_lowercase());
    // What the caller said themselves is no news to them.
    texts.iter().copied().filter(|text| body.contains(text) && !asked.contains(text)).collect()
}

fn changed(before: &std::collections::BTreeMap<String, u64>, house: &House) -> Vec<String> {
    let after = house.digest();
    after.into_iter().filter(|(table, sum)| before.get(table) != Some(sum)).map(|(table, _)| table).collect()
}

#[tokio::test]
async fn every_caller_is_told_what_the_table_says_and_no_more() {
    let document: Value = serde_json::from_str(&rapport_server::openapi::document()).unwrap();
    let mut house = House::new();
    let mut before = house.digest();
    let mut wrong = Vec::new();
    for Row(method, template, content, says) in rows() {
        let (path, body) = (House::filled(template), House::filled(content));
        for (caller, expected) in CALLERS.into_iter().zip(says) {
            let told = house.ask(caller, method, &path, &body).await;
            let status = told.status.as_u16();
            let mut say = |what: String| wrong.push(format!("{method} {template} by {caller:?}: {what}"));
            if status != *expected {
                say(format!("{status} instead of {expected}: {:.200}", told.body));
            }
            if let Some(what) = undocumented(&document, method, template, &told) {
                say(what);
            }
            let leaked = leaked(caller, &format!("{path}{body}"), &told);
            if !leaked.is_empty() {
                say(format!("{leaked:?} is told: {:.400}", told.body));
            }
            if status == 404 {
                let names = named(&format!("{template}{content}"));
                let other = house.ask(caller, method, &absent(template, &names), &absent(content, &names)).await;
                let same = (told.status, forget(&told.body, &names)) == (other.status, other.body.clone());
                if !same {
                    say(format!("a row of others is told apart from none: {} and {}", told.body, other.body));
                }
            }
            let changed = changed(&before, &house);
            if status >= 400 && !changed.is_empty() {
                say(format!("it is refused with {status}, and {changed:?} changed"));
            }
            if !changed.is_empty() {
                house = House::new();
                before = house.digest();
            }
        }
        for (place, who) in REFUSED.iter().enumerate() {
            let told = house.ask_refused(place, method, &path, &body).await;
            if told.problem().0 != 401 {
                wrong.push(format!("{method} {template} by {who}: {}", told.status));
            }
            assert_eq!(changed(&before, &house), Vec::<String>::new(), "{method} {template} by {who}");
        }
    }
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The rows that a template names, each once, in their order.
fn named(template: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in template.split('<').skip(1) {
        let name = format!("<{}>", part.split_once('>').unwrap().0);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A request's path or body with an id that nothing has in the place of each row of others.
fn absent(text: &str, names: &[String]) -> String {
    names.iter().enumerate().fold(text.to_owned(), |text, (place, name)| text.replace(name, &nothing(place)))
}

/// An answer with those ids in the place of the ids that were asked for.
fn forget(body: &str, names: &[String]) -> String {
    let ids = names.iter().enumerate().map(|(place, name)| (House::filled(name), nothing(place)));
    ids.fold(body.to_owned(), |body, (id, nothing)| body.replace(&id, &nothing))
}

/// The operation of the document that a request is for.
fn operation<'d>(document: &'d Value, method: &str, path: &str) -> &'d Value {
    let paths = document["paths"].as_object().unwrap();
    let of_all = paths.iter().filter(|(route, item)| fits(route, path) && item[method.to_lowercase()].is_object());
    // A path with a name in it comes before one with a parameter there.
    let fitting = of_all.min_by_key(|(route, _)| route.matches('{').count());
    &fitting.unwrap_or_else(|| panic!("{method} {path} is no operation")).1[method.to_lowercase()]
}

/// Whether the document says that an operation may answer so; else what it says.
fn undocumented(document: &Value, method: &str, path: &str, told: &Told) -> Option<String> {
    let responses = &operation(document, method, path)["responses"];
    let Some(response) = responses.get(told.status.as_str()) else {
        return Some(format!("the document does not know {}, only {:?}", told.status, responses.as_object()?.keys()));
    };
    let kind =
        told.headers.get("content-type").map(|kind| kind.to_str().unwrap().split(';').next().unwrap().to_owned());
    let known: Vec<&String> = response["content"].as_object().into_iter().flatten().map(|(kind, _)| kind).collect();
    let fits = known.is_empty() && told.body.is_empty()
        || kind.as_ref().is_some_and(|kind| known.iter().any(|known| *known == kind || *known == "*/*"));
    (!fits).then(|| format!("the document says {known:?} for {}, and it is {kind:?}", told.status))
}
