//! What the name of a column tells of it.

/// The words of a column's name in lower case: `customerID`, `customer_id` and `Customer Id` are all customer and id.
pub(crate) fn name_words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let next_is_lower = characters.peek().is_some_and(|next| next.is_lowercase());
        let begins = character.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && next_is_lower));
        if (!character.is_alphanumeric() || begins) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        }
        before = character;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether the name says that values name things: an id, a key, a telephone number.
pub(super) fn says_identifier(name: &str) -> bool {
    const WORDS: &[&str] =
        &["id", "ids", "uuid", "guid", "udi", "key", "phone", "mobile", "email", "iban", "ssn", "sku"];
    const PARTS: &[&str] = &["编号", "手机", "电话", "邮箱", "身份证", "单号"];
    name_words(name).last().is_some_and(|last| WORDS.contains(&last.as_str()))
        || PARTS.iter().any(|part| name.contains(part))
}

/// Whether the name says that values are instants.
pub(super) fn says_time(name: &str) -> bool {
    const WORDS: &[&str] =
        &["time", "timestamp", "ts", "date", "datetime", "at", "on", "epoch", "unixtime", "created", "updated"];
    const PARTS: &[&str] = &["时间", "日期"];
    name_words(name).iter().any(|word| WORDS.contains(&word.as_str())) || PARTS.iter().any(|part| name.contains(part))
}
