//! Spelling that does not matter: one form for texts and queries alike.
//!
//! Compatibility decomposition (full-width is half-width, ligatures are letters), no accents, lower case, and what Unicode
//! keeps apart but people type alike (`ß` is `ss`, `ø` is `o`). Marks that make another letter in their script, such as the
//! voicing of kana or the vowels of Hindi, stay.

use unicode_normalization::UnicodeNormalization;

/// Appends the folded `text` to `into`. Control characters become spaces.
pub(crate) fn fold(text: &str, into: &mut String) {
    if text.is_ascii() {
        into.extend(text.bytes().map(|byte| spaced(char::from(byte.to_ascii_lowercase()))));
        return;
    }
    let letters =
        text.nfkd().flat_map(char::to_lowercase).filter(|letter| !is_accent(*letter)).flat_map(typed).map(spaced);
    into.extend(letters.nfc());
}

/// Whether `letter` belongs to a script that puts no spaces between words: Chinese, Japanese, Korean. Korean has spaces,
/// but its particles are written together with the word.
pub(crate) fn is_unspaced(letter: char) -> bool {
    matches!(letter,
        '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3105}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Accents of Latin, Greek and Cyrillic, points of Hebrew, vowel signs of Arabic: what is commonly left out in writing.
fn is_accent(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// Letters that no decomposition takes apart, as a keyboard without them writes them.
fn typed(letter: char) -> impl Iterator<Item = char> {
    let (first, second) = match letter {
        'ß' => ('s', Some('s')),
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'þ' => ('t', Some('h')),
        'ø' => ('o', None),
        'đ' | 'ð' => ('d', None),
        'ł' => ('l', None),
        'ħ' => ('h', None),
        'ı' => ('i', None),
        'ς' => ('σ', None),
        '\u{2018}' | '\u{2019}' | '\u{2bc}' => ('\'', None),
        '\u{2010}'..='\u{2015}' => ('-', None),
        other => (other, None),
    };
    std::iter::once(first).chain(second)
}

fn spaced(letter: char) -> char {
    if letter.is_control() { ' ' } else { letter }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_what_is_typed_alike() {
        let cases = [
            ("José ÁLVAREZ", "jose alvarez"),
            ("Ｊｏｓｅ　１２３", "jose 123"),
            ("Straße", "strasse"),
            ("Søren Æbelø", "soren aebelo"),
            ("Łódź", "lodz"),
            ("İstanbul", "istanbul"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
            ("O’Brien", "o'brien"),
            ("ﾊﾞｯｸﾞ", "バッグ"),
            ("한국", "한국"),
            ("张伟", "张伟"),
            ("a\u{0}b\tc", "a b c"),
            ("Ёлка", "елка"),
        ];
        for (text, expected) in cases {
            let mut folded = String::new();
            fold(text, &mut folded);
            assert_eq!(folded, expected, "{text}");
        }
    }
}
