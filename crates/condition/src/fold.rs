//! Texts regardless of case.
//!
//! The fold is the lower case of each character by itself (Unicode, `SpecialCasing.txt` without its context rules), and the
//! final sigma is a sigma: so a part of a text folds to a part of the folded text, which the rule for word ends would break.

/// The text regardless of case, as `search` compares it. A database that evaluates conditions folds by this function.
pub fn fold(text: &str) -> String {
    folded(text).collect()
}

/// Whether the folded `part` stands in the folded `whole`; without allocation.
pub(crate) fn contains(whole: &str, part: &str) -> bool {
    let mut rest = folded(whole);
    loop {
        let mut from_here = rest.clone();
        if folded(part).all(|wanted| from_here.next() == Some(wanted)) {
            return true;
        }
        if rest.next().is_none() {
            return false;
        }
    }
}

fn folded(text: &str) -> impl Iterator<Item = char> + Clone + '_ {
    text.chars().flat_map(char::to_lowercase).map(|folded| if folded == 'ς' { 'σ' } else { folded })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter() {
        for (whole, part) in [
            ("Hannah", "ANN"),
            ("ANNA", "anna"),
            ("", ""),
            ("x", ""),
            ("ÄÖÜ", "äö"),
            ("ΟΔΟΣ", "οδος"),
            ("ΟΔΟΣ ΑΒ", "Σ α"),
            ("İstanbul", "i\u{307}st"),
            ("北京 Café", "京 CAFÉ"),
            ("aab", "AB"),
        ] {
            assert!(contains(whole, part), "{whole} has {part}");
            assert!(fold(whole).contains(&fold(part)), "{whole} has {part}, folded");
        }
        for (whole, part) in [("anna", "annas"), ("", "a"), ("Straße", "ss"), ("a_b", "a%b")] {
            assert!(!contains(whole, part), "{whole} has not {part}");
        }
    }
}
