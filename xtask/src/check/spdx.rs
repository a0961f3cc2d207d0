//! Licence expressions in the form of SPDX: `MIT OR Apache-2.0`, `(A AND B) OR C`, `Apache-2.0 WITH LLVM-exception`, and
//! the old `MIT/Apache-2.0`. Enough to say whether a choice of allowed licences satisfies an expression.

/// Whether `allowed` licences are enough to use something under `expression`. An expression that cannot be read is not.
pub(crate) fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { tokens: &tokens, allowed };
    reader.any().is_some_and(|fine| fine && reader.tokens.is_empty())
}

struct Reader<'a> {
    tokens: &'a [&'a str],
    allowed: &'a [String],
}

impl Reader<'_> {
    fn take(&mut self, word: &str) -> bool {
        let found = self.tokens.first().is_some_and(|token| token.eq_ignore_ascii_case(word));
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn any(&mut self) -> Option<bool> {
        let mut fine = self.all()?;
        while self.take("OR") {
            fine |= self.all()?;
        }
        Some(fine)
    }

    fn all(&mut self) -> Option<bool> {
        let mut fine = self.one()?;
        while self.take("AND") {
            fine &= self.one()?;
        }
        Some(fine)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let fine = self.any()?;
            return self.take(")").then_some(fine);
        }
        let (name, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        let mut licence = (*name).to_owned();
        if self.take("WITH") {
            let (exception, rest) = self.tokens.split_first()?;
            self.tokens = rest;
            licence = format!("{licence} WITH {exception}");
        }
        Some(self.allowed.contains(&licence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_and_demands_are_told_apart() {
        let allowed: Vec<String> = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).to_vec();
        for fine in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(GPL-3.0 OR MIT) AND Apache-2.0",
            "Apache-2.0 WITH LLVM-exception OR X",
        ] {
            assert!(is_allowed(fine, &allowed), "{fine}");
        }
        for not in ["GPL-3.0", "MIT AND GPL-3.0", "", "MIT OR", "(MIT", "MIT WITH Other-exception", "MIT GPL-3.0"] {
            assert!(!is_allowed(not, &allowed), "{not}");
        }
    }
}
