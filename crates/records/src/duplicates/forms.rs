//! Spellings brought into one form: two values that most likely mean the same come out equal.
//!
//! It guesses nothing about values: what is only alike is for `compare`.

use crate::search::fold::{fold, is_unspaced};

/// Digits of a telephone number that are compared: without the country's and the trunk prefix, which people leave out.
const DIGITS: usize = 9;
/// Fewer digits than that are an extension or a service number.
const FEWEST_DIGITS: usize = 7;
/// Titles and generations, which are no part of a name.
const TITLES: &[&str] = &["mr", "mrs", "ms", "miss", "dr", "prof", "sir", "herr", "frau", "mme", "jr", "sr"];
/// Legal forms and words around them, as they stand at the end of a company's name.
const FORMS: &[&str] = &[
    "ab",
    "ag",
    "aps",
    "as",
    "asa",
    "bv",
    "co",
    "company",
    "corp",
    "corporation",
    "doo",
    "eg",
    "ev",
    "gbr",
    "gmbh",
    "inc",
    "incorporated",
    "kft",
    "kg",
    "kgaa",
    "kk",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "ltda",
    "mbh",
    "nv",
    "ohg",
    "ood",
    "oy",
    "oyj",
    "plc",
    "pte",
    "pty",
    "pvt",
    "sa",
    "sarl",
    "sas",
    "se",
    "sl",
    "spa",
    "spzoo",
    "srl",
    "sro",
    "ug",
];
/// The same in Chinese and Japanese, the longest first.
const UNSPACED_FORMS: &[&str] =
    &["股份有限公司", "有限责任公司", "集团有限公司", "有限公司", "株式会社", "合同会社", "公司"];
/// Domains of which anybody has an address: they say nothing about a company.
const FREE: &[&str] = &[
    "126.com",
    "139.com",
    "163.com",
    "aol.com",
    "foxmail.com",
    "free.fr",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.fr",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "naver.com",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "sina.com",
    "sohu.com",
    "t-online.de",
    "web.de",
    "wp.pl",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yahoo.fr",
    "yandex.ru",
    "yeah.net",
];

/// An e-mail address in small letters. Gmail alone is known to ignore dots and what follows a plus; elsewhere another spelling
/// can be another mailbox.
pub(super) fn email(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (local, domain) = text.rsplit_once('@').filter(|(local, domain)| !local.is_empty() && domain.contains('.'))?;
    if domain != "gmail.com" && domain != "googlemail.com" {
        return Some(text);
    }
    let local: String = local.chars().take_while(|letter| *letter != '+').filter(|letter| *letter != '.').collect();
    (!local.is_empty()).then(|| format!("{local}@gmail.com"))
}

/// The last digits of a telephone number, without its extension.
pub(super) fn phone(text: &str) -> Option<String> {
    let number = text.split(['x', 'X', '#']).next().unwrap_or_default();
    let number = number.strip_suffix(['e', 'E']).unwrap_or(number);
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= FEWEST_DIGITS).then(|| digits[digits.len().saturating_sub(DIGITS)..].to_owned())
}

/// The domain of a web address, of an e-mail address or alone; none where anybody can have it.
pub(super) fn domain(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let text = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let host = text.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    (host.contains('.') && FREE.binary_search(&host).is_err()).then(|| host.to_owned())
}

/// A person's name: its words without titles and initials, sorted, since either name can come first. Names in scripts
/// without spaces stay whole.
pub(super) fn person(text: &str) -> String {
    let mut words = words(text);
    let is_word = |word: &String| !TITLES.contains(&word.as_str());
    if words.iter().filter(|word| is_word(word)).count() >= 1 {
        words.retain(is_word);
    }
    if words.iter().filter(|word| word.chars().nth(1).is_some()).count() >= 2 {
        words.retain(|word| word.chars().nth(1).is_some());
    }
    joined(words)
}

/// A company's name without its legal form.
pub(super) fn company(text: &str) -> String {
    let mut words = words(text);
    words.retain(|word| !matches!(word.as_str(), "the" | "and" | "und" | "et" | "y"));
    while words.len() > 1 && words.last().is_some_and(|word| FORMS.binary_search(&word.as_str()).is_ok()) {
        words.pop();
    }
    let mut name = joined(words);
    for form in UNSPACED_FORMS {
        let shorter = name.strip_suffix(form).or_else(|| name.strip_prefix(form)).filter(|rest| !rest.is_empty());
        if let Some(shorter) = shorter {
            name = shorter.to_owned();
            break;
        }
    }
    name
}

/// The folded words of a name. Dots and apostrophes are inside of words: `S.A.` is `sa`, `O'Brien` is `obrien`.
fn words(text: &str) -> Vec<String> {
    let mut folded = String::with_capacity(text.len());
    fold(text, &mut folded);
    folded.retain(|letter| letter != '.' && letter != '\'');
    folded.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn joined(mut words: Vec<String>) -> String {
    if words.iter().any(|word| word.chars().any(is_unspaced)) {
        return words.concat();
    }
    words.sort_unstable();
    words.join(" ")
}

/// How a name sounds, roughly: the consonants of its words, with letters that are often taken for one another made one. Vowels
/// count only in front. After the skeleton keys of Pollock and Zamora (1984), with the merges that Soundex makes between letters
/// that sound the same in German and English.
pub(super) fn sound(name: &str) -> String {
    let mut sounds: Vec<String> = name.split(' ').map(sound_of_word).collect();
    sounds.sort_unstable();
    sounds.join(" ")
}

fn sound_of_word(word: &str) -> String {
    if !word.is_ascii() {
        return word.to_owned();
    }
    let letters = word.as_bytes();
    let mut sound = String::with_capacity(letters.len());
    for (place, letter) in letters.iter().enumerate() {
        let next = letters.get(place + 1).copied();
        let heard = match (letter, next) {
            (b'a' | b'e' | b'i' | b'o' | b'u' | b'y', _) if place == 0 => 'a',
            (b'a' | b'e' | b'i' | b'o' | b'u' | b'y' | b'h', _) | (b'd', Some(b't')) => continue,
            (b'p', Some(b'h')) => 'f',
            (b'c' | b'q', _) => 'k',
            (b'z', _) => 's',
            (b'w', _) => 'v',
            (other, _) => char::from(*other),
        };
        if !sound.ends_with(heard) {
            sound.push(heard);
        }
    }
    sound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_so_that_they_can_be_searched() {
        assert!(FORMS.is_sorted() && FREE.is_sorted());
    }

    #[test]
    fn spellings_of_one_thing_come_out_equal() {
        type Form = fn(&str) -> String;
        let same: [(Form, &[&str]); 11] = [
            (|text| email(text).unwrap(), &["Ann.Lee+crm@gmail.com", "annlee@googlemail.com", " ANNLEE@gmail.com"]),
            (
                |text| phone(text).unwrap(),
                &["+49 (0)30 123 4567", "030-1234567", "0049 30 1234567 ext 12", "301234567x9"],
            ),
            (
                |text| domain(text).unwrap(),
                &["https://www.acme.example/about?x=1", "acme.example", "info@ACME.example"],
            ),
            (person, &["José Álvarez", "ALVAREZ, Jose", "Dr. Jose A. Alvarez", "jose alvarez"]),
            (person, &["张伟", "张 伟"]),
            (person, &["O'Brien, Kim", "Kim O’Brien"]),
            (company, &["Acme GmbH & Co. KG", "ACME, Inc.", "Acme S.A.", "The Acme Company"]),
            (company, &["上海云帆科技有限公司", "上海云帆科技股份有限公司", "上海云帆科技"]),
            (|text| sound(&person(text)), &["John Smith", "Jon Smyth", "Smiht, Jhon"]),
            (|text| sound(&person(text)), &["Katherine Schmidt", "Catharine Schmitt"]),
            (|text| sound(&person(text)), &["Philip Meyer", "Filip Maier"]),
        ];
        for (form, spellings) in same {
            for spelling in spellings {
                assert_eq!(form(spelling), form(spellings[0]), "{spelling}");
            }
        }
    }

    #[test]
    fn what_says_nothing_has_no_form_and_what_differs_stays_apart() {
        assert_eq!(phone("110"), None);
        assert_eq!(phone("12 x 1234567"), None);
        assert_eq!(email("ann@localhost"), None);
        assert_eq!(email("+tag@gmail.com"), None);
        assert_eq!(domain("ann@gmail.com"), None);
        assert_eq!(domain("none"), None);
        assert_ne!(email("ann.lee@firm.example"), email("annlee@firm.example"));
        assert_ne!(email("ann+a@firm.example"), email("ann+b@firm.example"));
        assert_eq!(person("Dr"), "dr", "a title that is all there is");
        assert_eq!(company("AG"), "ag");
        assert_ne!(sound(&person("John Smith")), sound(&person("John Miller")));
    }
}
