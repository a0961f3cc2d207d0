//! Values of fields: from JSON, checked and brought into one form, to columns and back.

use jiff::civil::Date;
use rapport_types::{DAY_MS, Timestamp};
use sea_query::Value as Bound;
use serde_json::{Map, Value, json};

use crate::{
    Id, RecordsError, Row,
    database::{Datum, can_be_kept},
    schema::{Choice, Field, FieldKind, Options, Stored},
};

/// Letters in a line of text.
const LINE: usize = 255;
/// Bytes of a long text; a letter may have four.
const LONG: usize = 400_000;
/// Bytes of JSON.
const JSON: usize = 65_536;
/// Members of a list.
const MEMBERS: usize = 100;
/// What an amount is kept in: ten-thousandths of its currency's unit.
pub(crate) const MONEY_UNIT: f64 = 10_000.0;
/// What an amount without a currency is in.
const CURRENCY: &str = "EUR";
/// The parts of an address.
pub(crate) const ADDRESS: [&str; 5] = ["street", "city", "region", "postcode", "country"];

/// A checked value, in the form that it is stored in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stuff {
    Nothing,
    Text(String),
    Whole(i64),
    Real(f64),
    Truth(bool),
    Money(i64, String),
    List(Vec<String>),
    Json(Value),
    Ids(Vec<Id>),
}

/// Checks a value as it came in and brings it into its form; the field's name is in the error.
pub(crate) fn read(field: &Field, value: &Value) -> Result<Stuff, RecordsError> {
    let wrong = |what: &str| RecordsError::invalid(&field.name, what);
    let is_nothing = match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(members) => members.is_empty(),
        _ => false,
    };
    if is_nothing {
        return if field.required { Err(wrong("it must be given")) } else { Ok(Stuff::Nothing) };
    }
    match &field.kind {
        FieldKind::Text => line(field, value).map(Stuff::Text),
        FieldKind::LongText => long_text(field, value).map(Stuff::Text),
        FieldKind::Number => number(value).map(Stuff::Real).ok_or_else(|| wrong("it must be a number")),
        FieldKind::Money => money(field, value),
        FieldKind::Date => date(value).map(Stuff::Whole).ok_or_else(|| wrong("it must be a day such as 2026-01-31")),
        FieldKind::DateTime => {
            let at = value
                .as_str()
                .and_then(|text| Timestamp::parse(text.trim()).ok().map(|at| at.0).or_else(|| date(value)));
            at.map(Stuff::Whole).ok_or_else(|| wrong("it must be an instant such as 2026-01-31T12:00:00Z"))
        }
        FieldKind::Boolean => truth(value).map(Stuff::Truth).ok_or_else(|| wrong("it must be true or false")),
        FieldKind::Choice(options) => {
            let text = value.as_str().ok_or_else(|| wrong("it must be a text"))?;
            option(field, options, text).map(Stuff::Text)
        }
        FieldKind::MultiChoice(options) => list(field, value, |text| option(field, options, text)),
        FieldKind::Email => email(field, text_of(field, value)?).map(Stuff::Text),
        FieldKind::Emails => list(field, value, |text| email(field, text)),
        FieldKind::Phone => {
            phone(field, &scalar_text(value).ok_or_else(|| wrong("it must be a text"))?).map(Stuff::Text)
        }
        FieldKind::Phones => list(field, value, |text| phone(field, text)),
        FieldKind::Url => url(field, text_of(field, value)?).map(Stuff::Text),
        FieldKind::Address => address(field, value),
        FieldKind::Relation { .. } | FieldKind::User | FieldKind::File => id(field, value).map(|id| Stuff::Whole(id.0)),
        FieldKind::Relations { .. } => {
            let members = value.as_array().ok_or_else(|| wrong("it must be a list of ids"))?;
            if members.len() > MEMBERS {
                return Err(wrong(&format!("it may have {MEMBERS} members")));
            }
            let mut ids = members.iter().map(|member| id(field, member)).collect::<Result<Vec<Id>, _>>()?;
            ids.sort_unstable();
            ids.dedup();
            Ok(Stuff::Ids(ids))
        }
        FieldKind::Json => {
            // As in long texts, the NUL character has no place in a database's JSON.
            if value.to_string().len() > JSON || has_nul(value) {
                return Err(wrong(&format!("it may have {JSON} bytes, none of them 0")));
            }
            Ok(Stuff::Json(value.clone()))
        }
        FieldKind::Formula { .. } => Err(wrong("it is computed and cannot be set")),
        FieldKind::Actor => Err(wrong("it is written by Rapport alone")),
    }
}

/// Whether any text of a value has the NUL character.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => !can_be_kept(text),
        Value::Array(members) => members.iter().any(has_nul),
        Value::Object(parts) => parts.iter().any(|(name, part)| !can_be_kept(name) || has_nul(part)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A value whose texts are without the character NUL. For what a program sent about somebody: there is nobody to mend it, and what
/// is left is still what was meant.
pub(crate) fn without_nul(value: &Value) -> Value {
    let plain = |text: &str| text.replace('\0', "");
    match value {
        Value::String(text) => Value::String(plain(text)),
        Value::Array(members) => members.iter().map(without_nul).collect(),
        Value::Object(parts) => parts.iter().map(|(name, part)| (plain(name), without_nul(part))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn text_of<'v>(field: &Field, value: &'v Value) -> Result<&'v str, RecordsError> {
    value.as_str().map(str::trim).ok_or_else(|| RecordsError::invalid(&field.name, "it must be a text"))
}

/// A text, or a number as one: files have telephone numbers and postcodes as numbers.
fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn line(field: &Field, value: &Value) -> Result<String, RecordsError> {
    let wrong = |what: String| RecordsError::invalid(&field.name, what);
    let text = scalar_text(value).ok_or_else(|| wrong("it must be a text".to_owned()))?;
    if text.chars().count() > LINE {
        return Err(wrong(format!("it may have {LINE} letters")));
    }
    if text.chars().any(char::is_control) {
        return Err(wrong("it must be one line without control characters".to_owned()));
    }
    Ok(text)
}

fn long_text(field: &Field, value: &Value) -> Result<String, RecordsError> {
    let wrong = |what: String| RecordsError::invalid(&field.name, what);
    let text = scalar_text(value).ok_or_else(|| wrong("it must be a text".to_owned()))?;
    // PostgreSQL's texts cannot hold the NUL character.
    if text.len() > LONG || !can_be_kept(&text) {
        return Err(wrong(format!("it may have {LONG} bytes, none of them 0")));
    }
    Ok(text)
}

fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => match number.as_i64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "y" | "1" | "是" => Some(true),
            "false" | "no" | "n" | "0" | "否" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn date(value: &Value) -> Option<i64> {
    let text = value.as_str()?.trim();
    let day: Date = text.get(..10).unwrap_or(text).parse().ok()?;
    let days = day.since((jiff::Unit::Day, jiff::civil::date(1970, 1, 1))).ok()?.get_days();
    Some(i64::from(days) * DAY_MS)
}

/// `12.5`, `"12.50"`, or `{"amount": 12.5, "currency": "EUR"}`.
fn money(field: &Field, value: &Value) -> Result<Stuff, RecordsError> {
    let wrong = |what: &str| RecordsError::invalid(&field.name, what);
    let (amount, currency) = match value {
        Value::Object(parts) => {
            let currency = parts.get("currency").map_or(Some(CURRENCY), Value::as_str);
            let known = parts.keys().all(|key| key == "amount" || key == "currency");
            match (parts.get("amount"), currency) {
                (Some(amount), Some(currency)) if known => (amount, currency),
                _ => return Err(wrong("it must have an amount and a currency, and nothing else")),
            }
        }
        amount => (amount, CURRENCY),
    };
    let currency = currency.trim().to_uppercase();
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(wrong("a currency is three letters such as EUR"));
    }
    let amount = number(amount).ok_or_else(|| wrong("its amount must be a number"))?;
    // Beyond 2^53 ten-thousandths a JSON number is not exact any more.
    let units = (amount * MONEY_UNIT).round();
    if units.abs() > 9_007_199_254_740_992.0 {
        return Err(wrong("its amount may be 900 billion"));
    }
    Ok(Stuff::Money(units as i64, currency))
}

fn option(field: &Field, options: &Options, text: &str) -> Result<String, RecordsError> {
    called(&options.options, text).map(|option| option.value.clone()).ok_or_else(|| {
        let known: Vec<&str> = options.options.iter().take(20).map(|option| option.value.as_str()).collect();
        RecordsError::invalid(&field.name, format!("it must be one of {}", known.join(", ")))
    })
}

/// The option that is stored or labelled so.
pub(crate) fn called<'o>(options: &'o [Choice], text: &str) -> Option<&'o Choice> {
    let wanted = text.trim();
    // One option may be labelled as another is called: what is stored is meant first.
    let is_called = |option: &&Choice| option.label.en.eq_ignore_ascii_case(wanted) || option.label.zh == wanted;
    let exact = options.iter().find(|option| option.value == wanted);
    exact.or_else(|| options.iter().find(is_called))
}

/// A list of texts; from files also as one text, members apart by `;` or `,`.
fn list(
    field: &Field,
    value: &Value,
    each: impl Fn(&str) -> Result<String, RecordsError>,
) -> Result<Stuff, RecordsError> {
    let wrong = |what: String| RecordsError::invalid(&field.name, what);
    let mut members: Vec<String> = Vec::new();
    let texts: Vec<&str> = match value {
        Value::String(text) => text.split([';', ',']).collect(),
        Value::Array(values) => values
            .iter()
            .map(|value| value.as_str().ok_or_else(|| wrong("its members must be texts".to_owned())))
            .collect::<Result<_, _>>()?,
        _ => return Err(wrong("it must be a list".to_owned())),
    };
    for text in texts.into_iter().map(str::trim).filter(|text| !text.is_empty()) {
        let member = each(text)?;
        if !members.contains(&member) {
            members.push(member);
        }
    }
    if members.len() > MEMBERS {
        return Err(wrong(format!("it may have {MEMBERS} members")));
    }
    Ok(if members.is_empty() { Stuff::Nothing } else { Stuff::List(members) })
}

/// An address as it is compared: trimmed, in small letters. What servers do with dots and `+` is theirs, and is left to the
/// search for duplicates.
fn email(field: &Field, text: &str) -> Result<String, RecordsError> {
    let text = text.trim().to_lowercase();
    let is_address = text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            let plain = |text: &str| {
                !text
                    .chars()
                    .any(|letter| letter.is_whitespace() || letter.is_control() || "<>(),;:\"[]".contains(letter))
            };
            !local.is_empty()
                && local.len() <= 64
                && plain(local)
                && plain(domain)
                && domain.split('.').count() >= 2
                && domain
                    .split('.')
                    .all(|part| !part.is_empty() && part.len() <= 63 && !part.starts_with('-') && !part.ends_with('-'))
                && !domain.contains('@')
        });
    if is_address { Ok(text) } else { Err(RecordsError::invalid(&field.name, "it must be an e-mail address")) }
}

/// A number as people write it; an extension may follow.
fn phone(field: &Field, text: &str) -> Result<String, RecordsError> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let fit = |letter: char| letter.is_ascii_digit() || " +-().,/#xXext".contains(letter);
    if (3..=20).contains(&digits) && text.len() <= 40 && text.chars().all(fit) {
        return Ok(text.trim().to_owned());
    }
    Err(RecordsError::invalid(&field.name, "it must be a telephone number such as +49 30 123456"))
}

/// Only http and https: a page makes a link of it, and `javascript:` would run there.
fn url(field: &Field, text: &str) -> Result<String, RecordsError> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let lower = whole.to_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let is_address = whole.len() <= 2_048
        && !whole.chars().any(|letter| letter.is_whitespace() || letter.is_control() || "<>\"".contains(letter))
        && rest.is_some_and(|rest| {
            rest.split(['/', '?', '#']).next().is_some_and(|host| host.contains('.') && host.len() > 2)
        });
    if is_address {
        Ok(whole)
    } else {
        Err(RecordsError::invalid(&field.name, "it must be a web address such as https://example.com"))
    }
}

fn address(field: &Field, value: &Value) -> Result<Stuff, RecordsError> {
    let wrong = |what: String| RecordsError::invalid(&field.name, what);
    let parts = match value {
        Value::String(text) => Map::from_iter([("street".to_owned(), Value::String(text.clone()))]),
        Value::Object(parts) => parts.clone(),
        _ => return Err(wrong("it must have parts such as street and city".to_owned())),
    };
    if let Some(unknown) = parts.keys().find(|key| !ADDRESS.contains(&key.as_str())) {
        return Err(wrong(format!("it has no \"{unknown}\"; its parts are {}", ADDRESS.join(", "))));
    }
    let mut kept = Map::new();
    for (name, part) in parts.iter().filter(|(_, part)| !part.is_null()) {
        kept.insert(name.clone(), Value::String(line(field, part)?));
    }
    Ok(if kept.is_empty() { Stuff::Nothing } else { Stuff::Json(Value::Object(kept)) })
}

fn id(field: &Field, value: &Value) -> Result<Id, RecordsError> {
    let id = value.as_str().and_then(|text| text.trim().parse().ok());
    id.ok_or_else(|| RecordsError::invalid(&field.name, "it must be an id"))
}

impl Stuff {
    /// What the field's own column gets.
    pub(crate) fn bound(&self) -> Bound {
        match self {
            Self::Nothing | Self::Ids(_) => Bound::String(None),
            Self::Text(text) => text.clone().into(),
            Self::Whole(number) | Self::Money(number, _) => (*number).into(),
            Self::Real(number) => (*number).into(),
            Self::Truth(truth) => (*truth).into(),
            Self::List(members) => json!(members).to_string().into(),
            Self::Json(value) => value.to_string().into(),
        }
    }

    /// As it stands in answers and in the feed.
    pub(crate) fn to_json(&self, kind: &FieldKind) -> Value {
        match self {
            Self::Nothing => Value::Null,
            Self::Text(text) => json!(text),
            Self::Whole(number) => match kind {
                FieldKind::Date => json!(Timestamp(*number).to_string()[..10]),
                FieldKind::DateTime => json!(Timestamp(*number)),
                _ => json!(Id(*number)),
            },
            Self::Real(number) => number_to_json(*number),
            Self::Truth(truth) => json!(truth),
            Self::Money(units, currency) => {
                json!({ "amount": number_to_json(*units as f64 / MONEY_UNIT), "currency": currency })
            }
            Self::List(members) => json!(members),
            Self::Json(value) => value.clone(),
            Self::Ids(ids) => json!(ids),
        }
    }

    /// The value in an answer, by its form alone: [`Stuff::to_json`] backwards. What was let in once is let in again, such as an
    /// option that has been taken away since.
    pub(crate) fn of_json(field: &Field, value: &Value) -> Result<Self, RecordsError> {
        let wrong = || RecordsError::invalid(&field.name, "it is not of its field's kind");
        let text = || value.as_str().ok_or_else(wrong);
        if value.is_null() {
            return Ok(Self::Nothing);
        }
        Ok(match field.kind.stored() {
            Stored::Text => Self::Text(text()?.to_owned()),
            Stored::Whole => match field.kind {
                FieldKind::Money => return money(field, value),
                FieldKind::Date => Self::Whole(date(value).ok_or_else(wrong)?),
                FieldKind::DateTime => Self::Whole(Timestamp::parse(text()?).map_err(|_| wrong())?.0),
                _ => Self::Whole(id(field, value)?.0),
            },
            Stored::Real => Self::Real(value.as_f64().ok_or_else(wrong)?),
            Stored::Truth => Self::Truth(value.as_bool().ok_or_else(wrong)?),
            Stored::List => Self::List(serde_json::from_value(value.clone()).map_err(|_| wrong())?),
            Stored::Json => Self::Json(value.clone()),
            Stored::Elsewhere => {
                let members = value.as_array().ok_or_else(wrong)?;
                Self::Ids(members.iter().map(|member| id(field, member)).collect::<Result<_, _>>()?)
            }
            Stored::Computed => Self::Nothing,
        })
    }

    /// The value in a column; `currency` is the column beside a money field's.
    pub(crate) fn of_column(field: &Field, row: &Row, place: usize) -> Result<Self, RecordsError> {
        let damaged = || RecordsError::Damaged { what: format!("the field {} of a record", field.name) };
        if matches!(row.datum(place), Datum::Null) {
            return Ok(Self::Nothing);
        }
        let json = || serde_json::from_str::<Value>(row.text(place)?).map_err(|_| damaged());
        Ok(match field.kind.stored() {
            Stored::Text => Self::Text(row.text(place)?.to_owned()),
            Stored::Whole if field.kind == FieldKind::Money => {
                Self::Money(row.int(place)?, row.text_or_none(place + 1)?.unwrap_or(CURRENCY).to_owned())
            }
            Stored::Whole => Self::Whole(row.int(place)?),
            Stored::Real => Self::Real(row.float_or_none(place)?.ok_or_else(damaged)?),
            Stored::Truth => Self::Truth(row.truth(place)?),
            Stored::List => Self::List(serde_json::from_value(json()?).map_err(|_| damaged())?),
            Stored::Json => Self::Json(json()?),
            Stored::Elsewhere => Self::Nothing,
            // A formula gives what it gives.
            Stored::Computed => match row.datum(place) {
                Datum::Bool(truth) => Self::Truth(*truth),
                Datum::Text(text) => Self::Text(text.clone()),
                _ => Self::Real(row.float_or_none(place)?.ok_or_else(damaged)?),
            },
        })
    }
}

/// Whole numbers stand without a point.
fn number_to_json(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 { json!(number as i64) } else { json!(number) }
}
