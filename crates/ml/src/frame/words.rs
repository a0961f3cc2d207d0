//! Words for no value, and for yes and no.

/// Words that mean no value wherever they stand.
const MISSING: &[&str] =
    &["na", "n/a", "n.a.", "nan", "null", "?", "-", "--", "#n/a", "<na>", "(null)", "\\n", "nat", "#null!", "缺失"];
/// Words that mean no value in a column of numbers or times, but may be a name in a column of names ("none" is a plan too).
const MISSING_AMONG_VALUES: &[&str] = &["none", "nil", "unknown", "missing", ".", "无", "暂无", "未知", "空"];
/// The longest of the words above, in bytes.
const LONGEST: usize = 12;

const YES: &[&str] = &["true", "yes", "y", "t", "on", "是", "有"];
const NO: &[&str] = &["false", "no", "n", "f", "off", "否", "无"];

/// Whether a text says that there is no value: it is empty or blank, or a word such as `NA`, `null`, `?` or `-`.
pub fn is_missing(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || among(text, MISSING)
}

/// The same for a column of numbers or times, where a word such as `none` or `unknown` cannot be a name.
pub(super) fn is_missing_among_values(text: &str) -> bool {
    is_missing(text) || among(text.trim(), MISSING_AMONG_VALUES)
}

/// Yes or no, if the text is a word for one of them.
pub(super) fn boolean(text: &str) -> Option<bool> {
    let text = text.trim();
    if among(text, YES) {
        Some(true)
    } else if among(text, NO) {
        Some(false)
    } else {
        None
    }
}

/// Whether two words say yes and no in one manner: `true` and `false`, not `true` and `n`.
pub(super) fn are_opposites(one: &str, other: &str) -> bool {
    let place = |words: &[&str], text: &str| words.iter().position(|word| word.eq_ignore_ascii_case(text));
    let opposed = |yes: &str, no: &str| place(YES, yes).is_some_and(|found| place(NO, no) == Some(found));
    opposed(one, other) || opposed(other, one)
}

fn among(text: &str, words: &[&str]) -> bool {
    // No word begins with a digit, and most cells do.
    let begins = text.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    begins && text.len() <= LONGEST && words.iter().any(|word| word.eq_ignore_ascii_case(text))
}
