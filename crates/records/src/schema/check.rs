//! Whether a definition of an object can be taken.

use super::{Field, FieldKind, MAX_FIELDS, MAX_OPTIONS, Object, Schema, table::is_system};
use crate::RecordsError;

/// The longest name. PostgreSQL cuts names at 63 bytes, and names of indexes are made of two.
const NAME: usize = 28;
/// The longest label.
const LABEL: usize = 80;

/// Refuses an object or field that cannot be.
pub(crate) fn check_object(object: &Object, schema: &Schema) -> Result<(), RecordsError> {
    check_name("name", &object.name)?;
    if crate::people::AUDITED.contains(&object.name.as_str()) {
        let what = format!("\"{}\" is what the audit calls something of Rapport's own; take another name", object.name);
        return Err(RecordsError::invalid("name", what));
    }
    check_label("label", &object.label)?;
    check_label("plural", &object.plural)?;
    if object.fields.len() > MAX_FIELDS {
        return Err(RecordsError::invalid("fields", format!("an object has up to {MAX_FIELDS} fields")));
    }
    for (place, field) in object.fields.iter().enumerate() {
        let path = format!("fields[{place}]");
        check_field(&path, field, object, schema)?;
        if object.fields[..place].iter().any(|other| other.name == field.name) {
            return Err(RecordsError::invalid(
                format!("{path}.name"),
                format!("there are two fields \"{}\"", field.name),
            ));
        }
    }
    match object.field(&object.title).map(|field| &field.kind) {
        Some(FieldKind::Text | FieldKind::Email | FieldKind::Phone | FieldKind::Url) => Ok(()),
        _ => Err(RecordsError::invalid("title", "it must name a field that holds a line of text")),
    }
}

fn check_field(path: &str, field: &Field, object: &Object, schema: &Schema) -> Result<(), RecordsError> {
    let at = |part: &str| format!("{path}.{part}");
    check_name(&at("name"), &field.name)?;
    if is_system(&field.name) {
        return Err(RecordsError::invalid(at("name"), format!("every record has its own \"{}\"", field.name)));
    }
    check_label(&at("label"), &field.label)?;
    match &field.kind {
        FieldKind::Choice(choices) | FieldKind::MultiChoice(choices) => {
            let options = &choices.options;
            if options.is_empty() || options.len() > MAX_OPTIONS {
                return Err(RecordsError::invalid(
                    at("kind.options"),
                    format!("a choice has 1 to {MAX_OPTIONS} options"),
                ));
            }
            for (place, option) in options.iter().enumerate() {
                let at = at(&format!("kind.options[{place}]"));
                let value = &option.value;
                let is_line = value.trim() == value && !value.chars().any(char::is_control);
                let is_fit = is_line && !value.is_empty() && value.len() <= LABEL;
                if !is_fit || options[..place].iter().any(|other| other.value == *value) {
                    return Err(RecordsError::invalid(at, "values are lines of up to 80 bytes, each once"));
                }
                check_label(&at, &option.label)?;
            }
        }
        FieldKind::Relation { object: target } | FieldKind::Relations { object: target }
            if schema.object(target).is_none() && *target != object.name =>
        {
            return Err(RecordsError::invalid(at("kind.object"), format!("there is no object \"{target}\"")));
        }
        FieldKind::Actor => return Err(RecordsError::invalid(at("kind.type"), "actors are written by Rapport alone")),
        _ => {}
    }
    let is_plain = matches!(
        field.kind,
        FieldKind::Text | FieldKind::Number | FieldKind::Email | FieldKind::Phone | FieldKind::Url
    );
    if field.unique && !is_plain {
        return Err(RecordsError::invalid(
            at("unique"),
            "only texts, numbers, addresses and telephone numbers can be unique",
        ));
    }
    if field.required && matches!(field.kind, FieldKind::Formula { .. }) {
        return Err(RecordsError::invalid(at("required"), "a formula is computed"));
    }
    Ok(())
}

fn check_name(path: &str, name: &str) -> Result<(), RecordsError> {
    let bytes = name.as_bytes();
    let is_name = bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.len() <= NAME
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_')
        && !name.contains("__");
    // Words of the condition language cannot name a field there.
    let is_word =
        ["true", "false", "null", "in", "has", "size", "duration", "timestamp", "now", "me", "today"].contains(&name);
    if is_name && !is_word {
        return Ok(());
    }
    let what = format!(
        "a name has up to {NAME} small letters, digits and single _, begins with a letter, and is no word of conditions"
    );
    Err(RecordsError::invalid(path, what))
}

fn check_label(path: &str, label: &super::Label) -> Result<(), RecordsError> {
    for text in [&label.en, &label.zh] {
        if text.trim().is_empty() || text.len() > LABEL || text.chars().any(char::is_control) {
            return Err(RecordsError::invalid(path, format!("it must be 1 to {LABEL} bytes of text in each language")));
        }
    }
    Ok(())
}
