//! What can be found out by guessing: whatever somebody asks about a row or field that they do not read, a right guess is
//! answered as a wrong one is.
//!
//! One thing is told on purpose and stands apart in `a_unique_value_is_told_to_be_taken`: that a value which only one record may
//! have is in use.

use super::{
    NOTHING,
    house::{Caller, House},
};
use crate::common::Told;

/// Those to whom the rows are somebody else's.
const OTHERS: &[Caller] = &[Caller::Own, Caller::Team, Caller::Condition, Caller::Stranger, Caller::OtherKey];
/// Who reads the rows and does not see the fields.
const BLIND: &[Caller] = &[Caller::Blind];

/// A request with `{}` where the guess stands: who, method, path, body, a right guess and a wrong one.
struct Guess(&'static [Caller], &'static str, &'static str, &'static str, &'static str, &'static str);

const NAME: (&str, &str) = ("Zephyrine Quorvath", "Ebenezer Dumbleby");
const MAIL: (&str, &str) = ("zq@hiddenquo.example", "ed@nowhere.example");

const GUESSES: &[Guess] = &[
    // Filters, on the row itself and by way of a row of one's own that names it.
    Guess(OTHERS, "GET", "contact/records?count=true&filter=name == \"{}\"", "", NAME.0, NAME.1),
    Guess(OTHERS, "GET", "contact/records?trash=true&filter=name.contains(\"{}\")", "", "Thrown", "Nobody"),
    Guess(OTHERS, "GET", "contact/records?count=true&filter=company.name == \"{}\"", "", "Quorvath Holdings", NAME.1),
    Guess(OTHERS, "GET", "contact/records?count=true&filter=company.country == \"{}\"", "", "SE", "DK"),
    Guess(OTHERS, "GET", "contact/aggregate?group=country&filter=name == \"{}\"", "", NAME.0, NAME.1),
    Guess(OTHERS, "GET", "deal/aggregate?group=stage&sum=amount&filter=name == \"{}\"", "", "Quorvath deal", NAME.1),
    Guess(OTHERS, "GET", "contact/board?group=lifecycle&filter=name == \"{}\"", "", NAME.0, NAME.1),
    Guess(OTHERS, "GET", "contact/export?format=csv&filter=name == \"{}\"", "", NAME.0, NAME.1),
    Guess(OTHERS, "GET", "contact/export?format=jsonl&filter=company.name == \"{}\"", "", "Quorvath Holdings", NAME.1),
    // Search, and what is like what somebody types.
    Guess(OTHERS, "GET", "contact/records?q={}", "", "Quorvath", "Dumbleby"),
    Guess(OTHERS, "GET", "/search?q={}", "", "Quorvath", "Dumbleby"),
    Guess(OTHERS, "GET", "/search?q={}", "", "bees", "wasps"),
    Guess(OTHERS, "POST", "contact/similar", r#"{"fields":{"email":"{}"}}"#, MAIL.0, MAIL.1),
    Guess(OTHERS, "POST", "contact/similar", r#"{"fields":{"phone":"{}"}}"#, "+64 21 5550199", "+64 21 1112223"),
    Guess(OTHERS, "POST", "contact/similar", r#"{"fields":{"name":"Mine Alone"},"except":"{}"}"#, "<contact>", NOTHING),
    // Rows that are named.
    Guess(
        OTHERS,
        "POST",
        "contact/records",
        r#"{"fields":{"name":"N","country":"NZ","company":"{}"}}"#,
        "<company>",
        NOTHING,
    ),
    Guess(OTHERS, "POST", "deal/records", r#"{"fields":{"name":"N","contacts":["{}"]}}"#, "<contact>", NOTHING),
    Guess(
        OTHERS,
        "POST",
        "contact/bulk",
        r#"{"edits":[{"op":"upsert","key":"email","fields":{"name":"N","country":"NZ","email":"{}"}}]}"#,
        MAIL.0,
        MAIL.1,
    ),
    Guess(OTHERS, "POST", "contact/bulk", r#"{"edits":[{"op":"restore","id":"{}"}]}"#, "<trashed>", NOTHING),
    Guess(OTHERS, "POST", "contact/records/<mine>/merge", r#"{"other":"{}"}"#, "<other>", NOTHING),
    Guess(
        OTHERS,
        "POST",
        "contact/records/<mine>/merge",
        r#"{"other":"<mine>","fields":{"company":"{}"}}"#,
        "<company>",
        NOTHING,
    ),
    Guess(OTHERS, "POST", "lead/records/<mylead>/convert", r#"{"contact":{"existing":"{}"}}"#, "<contact>", NOTHING),
    Guess(OTHERS, "POST", "lead/records/<mylead>/convert", r#"{"company":{"existing":"{}"}}"#, "<company>", NOTHING),
    // Fields of rows that are read.
    Guess(BLIND, "GET", "contact/records?filter=email == \"{}\"", "", MAIL.0, MAIL.1),
    Guess(BLIND, "GET", "contact/records?filter=birthday < timestamp(\"{}-01-01T00:00:00Z\")", "", "1912", "1910"),
    Guess(BLIND, "GET", "note/records?count=true&filter=contact.email == \"{}\"", "", MAIL.0, MAIL.1),
    Guess(BLIND, "GET", "deal/records?filter=amount > {}", "", "7777776", "7777778"),
    Guess(BLIND, "GET", "deal/records?filter=weighted > {}", "", "777777", "777778"),
    Guess(BLIND, "GET", "contact/aggregate?group=lifecycle&filter=email == \"{}\"", "", MAIL.0, MAIL.1),
    Guess(BLIND, "GET", "deal/aggregate?group=stage&sum={}", "", "amount", "nothing"),
    Guess(BLIND, "GET", "contact/aggregate?group={}", "", "birthday", "nothing"),
    Guess(BLIND, "GET", "contact/records?sort={}", "", "email", "nothing"),
    Guess(BLIND, "GET", "contact/records?fields={}", "", "email", "nothing"),
    Guess(BLIND, "GET", "contact/export?format=csv&fields=name,{}", "", "email", "nothing"),
    Guess(BLIND, "GET", "contact/export?format=xlsx&sort={}", "", "birthday", "nothing"),
    Guess(BLIND, "GET", "contact/records?q={}", "", "hiddenquo", "Dumbleby"),
    Guess(BLIND, "GET", "/search?q={}", "", "hiddenquo", "Dumbleby"),
    Guess(BLIND, "POST", "contact/similar", r#"{"fields":{"email":"{}"}}"#, MAIL.0, MAIL.1),
    Guess(
        BLIND,
        "POST",
        "contact/bulk",
        r#"{"edits":[{"op":"upsert","key":"email","fields":{"name":"N","email":"{}"}}]}"#,
        MAIL.0,
        MAIL.1,
    ),
    Guess(BLIND, "PATCH", "contact/records/<contact>", r#"{"fields":{"{}":"1990-01-01"}}"#, "birthday", "nothing"),
    Guess(
        BLIND,
        "POST",
        "contact/records/<contact>/merge",
        r#"{"other":"<other>","fields":{"{}":"1990-01-01"}}"#,
        "birthday",
        "nothing",
    ),
    Guess(
        BLIND,
        "POST",
        "/views",
        r#"{"object":"contact","name":"V","definition":{"filter":"email == \"{}\""}}"#,
        MAIL.0,
        MAIL.1,
    ),
    Guess(
        BLIND,
        "POST",
        "/views",
        r#"{"object":"contact","name":"V","definition":{"columns":["{}"]}}"#,
        "email",
        "nothing",
    ),
];

/// A path as it is sent: below the objects unless it begins with `/`, with what stands behind `?` escaped.
fn path_of(text: &str) -> String {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let path = if path.starts_with('/') { format!("/api/v1{path}") } else { format!("/api/v1/objects/{path}") };
    if query.is_empty() {
        return path;
    }
    // The first `=` of `filter=a == b` is the query's, and those behind it may stand as they are.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"&=-._,".contains(&byte);
    let escaped = query.bytes().fold(String::new(), |escaped, byte| {
        if is_plain(byte) { escaped + &char::from(byte).to_string() } else { escaped + &format!("%{byte:02X}") }
    });
    format!("{path}?{escaped}")
}

/// Status and body, with the guess and every id taken out.
fn told_of(told: &Told, guess: &str) -> (u16, String) {
    let body = told.body.replace(guess, "?").replace(&guess.to_lowercase(), "?");
    let parts = body.split('"').map(|part| if part.parse::<rapport_records::Id>().is_ok() { "id" } else { part });
    let body = parts.collect::<Vec<_>>().join("\"");
    // Ids in sentences, and their files' names.
    (told.status.as_u16(), body.replace(&House::filled(guess), "?"))
}

#[tokio::test]
async fn a_right_guess_is_answered_as_a_wrong_one() {
    let mut house = House::with_search();
    let mut before = house.digest();
    let mut wrong = Vec::new();
    for Guess(callers, method, path, body, right, false_guess) in GUESSES {
        for caller in *callers {
            let mut answers = Vec::new();
            for guess in [right, false_guess] {
                let mine = |text: &str| House::mine(*caller, &House::filled(&text.replace("{}", guess)));
                let told = house.ask(*caller, method, &path_of(&mine(path)), &mine(body)).await;
                assert!(told.status != 400 && told.status.as_u16() < 500, "{method} {path} {body}: {}", told.body);
                answers.push(told_of(&told, &House::filled(guess)));
                if house.digest() != before {
                    house = House::with_search();
                    before = house.digest();
                }
            }
            if answers[0] != answers[1] {
                wrong
                    .push(format!("{method} {path} {body} by {caller:?}:\n    {:?}\n    {:?}", answers[0], answers[1]));
            }
        }
    }
    assert!(wrong.is_empty(), "{} guesses are answered:\n{}", wrong.len(), wrong.join("\n"));
}

/// The table above would hold nothing if nothing were found by anybody.
#[tokio::test]
async fn who_may_read_finds_what_was_guessed() {
    let house = House::with_search();
    for Guess(_, method, path, body, right, _) in
        GUESSES.iter().filter(|guess| guess.1 == "GET" || guess.2.ends_with("similar"))
    {
        let all = |text: &str, guess: &str| House::filled(&text.replace("{}", guess));
        if *right == "<contact>" {
            continue;
        }
        let found = house.ask(Caller::Administrator, method, &path_of(&all(path, right)), &all(body, right)).await;
        assert_eq!(found.status, 200, "{method} {path}: {}", found.body);
        let nothing =
            house.ask(Caller::Administrator, method, &path_of(&all(path, "Xxxxx")), &all(body, "Xxxxx")).await;
        assert_ne!(found.body, nothing.body, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn a_unique_value_is_told_to_be_taken() {
    let house = House::new();
    let body = |id: &str| format!(r#"{{"fields":{{"name":"N","country":"NZ","customer_id":"{id}"}}}}"#);
    let path = "/api/v1/objects/contact/records";
    let told = house.ask(Caller::Own, "POST", path, &body("quorvath-zq")).await;
    assert_eq!(
        told.problem(),
        (409, "taken".into(), "customer_id".into()),
        "and nothing of whose it is: {}",
        told.body
    );
    assert!(!told.body.contains("quorvath") && !told.body.contains(&House::filled("<contact>")));
    assert_eq!(house.ask(Caller::Own, "POST", path, &body("free")).await.status, 201);
}

#[tokio::test]
async fn an_import_finds_no_row_of_others() {
    for (caller, key, name) in [
        (Caller::Own, "email", "zq@hiddenquo.example"),
        (Caller::Condition, "email", "zq@hiddenquo.example"),
        (Caller::Own, "name", "Zephyrine Quorvath"),
    ] {
        let mut checks = Vec::new();
        for text in [name, "wrong@example.com"] {
            let house = House::new();
            let file = format!("name,email,country,company\nN,{text},NZ,Quorvath Holdings\n");
            let file =
                if key == "name" { format!("name,email,country,company\n{text},a@b.example,NZ,X\n") } else { file };
            let told = house.ask(caller, "POST", "/api/v1/imports?object=contact&name=a.csv", &file).await;
            let import = told.json();
            let path = |end: &str| format!("/api/v1/imports/{}/{end}", import["id"].as_str().unwrap());
            let mapping = mapping(key, "name");
            let told = house.ask(caller, "PUT", &path("mapping"), &mapping).await;
            assert_eq!(told.status, 200, "{caller:?} {key}: {}", told.body);
            let mut check = house.ask(caller, "POST", &path("check"), "").await.json();
            // A company that is not read is a company that is not there.
            assert_eq!(check["mistakes"][0]["field"], "company", "{check}");
            check["mistakes"][0]["what"] = serde_json::Value::Null;
            checks.push(check);
        }
        assert_eq!(checks[0], checks[1], "{caller:?} by {key}");
    }
}

/// A file's four columns, with the key and by what companies are found.
fn mapping(key: &str, by: &str) -> String {
    let to = |name: &str| format!(r#"{{"name":"{name}","target":{{"to":"field","field":"{name}"}}}}"#);
    let company = format!(r#"{{"name":"company","target":{{"to":"relation","field":"company","by":"{by}"}}}}"#);
    format!(r#"{{"columns":[{},{},{},{company}],"key":"{key}"}}"#, to("name"), to("email"), to("country"))
}

#[tokio::test]
async fn an_import_names_no_field_that_is_not_seen() {
    let house = House::new();
    let file = "name,email,country,company\nN,zq@hiddenquo.example,NZ,Quorvath Holdings\n";
    let import = house.ask(Caller::Blind, "POST", "/api/v1/imports?object=contact&name=a.csv", file).await.json();
    assert!(!import["mapping"].to_string().contains(r#""field":"email""#), "it is not guessed either: {import}");
    let path = format!("/api/v1/imports/{}/mapping", import["id"].as_str().unwrap());
    let told = house.ask(Caller::Blind, "PUT", &path, &mapping("email", "name")).await;
    assert_eq!((told.problem().0, told.problem().2.as_str()), (422, "columns[1].target"), "{}", told.body);
}
