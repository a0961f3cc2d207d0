//! Tests of texts: by bytes, so without LIKE, which SQLite runs regardless of case.

use sea_query::{BinOper, Expr, ExprTrait, Func};

use super::{SqlBackend, Term, Writer, Written, constant, is_constant, refuse};
use crate::{
    Scalar, Type,
    eval::{Node, TextTest},
    fold,
};

impl Writer<'_> {
    /// The text so that it is ordered by its bytes, which is the order of `eval`.
    pub(super) fn by_bytes(&self, text: Expr) -> Expr {
        match self.backend {
            SqlBackend::Sqlite => text,
            SqlBackend::Postgres => collate(text, "C"),
        }
    }

    /// The head of a text field, and how many letters it has; none where no index has it.
    fn head(&self, node: &Node) -> Option<(Expr, usize)> {
        let Node::Field { path, kind: Type::Text } = node else { return None };
        self.host.head(path)
    }

    /// Whether a text field is one of some constants, by its head; none where that cannot be asked.
    pub(super) fn by_head(&self, field: &Node, choices: &[Node]) -> Written<Option<Expr>> {
        let Some((head, letters)) = self.head(field) else { return Ok(None) };
        let mut texts = Vec::with_capacity(choices.len());
        for choice in choices {
            match self.text(choice)? {
                Some(text) => texts.push(text),
                // A choice of another kind is unequal to every text.
                None if is_constant(choice) => {}
                None => return Ok(None),
            }
        }
        if texts.is_empty() {
            return Ok(None);
        }
        let bound = |text| Ok(self.bind(Scalar::Text(text))?.sql);
        let heads = texts.iter().map(|text| bound(head_of(text, letters))).collect::<Written<Vec<_>>>()?;
        let found = head.is_in(heads);
        // A text with fewer letters is its own head; of longer ones the heads are what an index has to look through.
        if texts.iter().all(|text| text.chars().count() < letters) {
            return Ok(Some(found));
        }
        let wholes = texts.iter().map(|text| bound(text)).collect::<Written<Vec<_>>>()?;
        Ok(Some(found.and(self.value(field)?.sql.is_in(wholes))))
    }

    pub(super) fn text_test(&self, test: TextTest, whole_node: &Node, part_node: &Node) -> Written<Expr> {
        let (whole, part) = (self.value(whole_node)?, self.value(part_node)?);
        if whole.kind != Some(Type::Text) || part.kind != Some(Type::Text) {
            return Ok(constant(false));
        }
        // Some forms name the part more than once; a nested one could so grow beyond bounds.
        if !is_constant(part_node) && !matches!(part_node, Node::Field { .. }) {
            return refuse("a text test whose argument is calculated");
        }
        let (whole, part) = (whole.sql, part.sql);
        match test {
            TextTest::StartsWith => self.starts_with(whole_node, whole, part, part_node),
            TextTest::EndsWith => Ok(self.ends_with(whole, part)),
            TextTest::Contains => Ok(self.contains(self.by_bytes(whole), part)),
            TextTest::Search => {
                let part = match self.text(part_node)? {
                    Some(wanted) => self.bind(Scalar::Text(&fold(wanted)))?.sql,
                    None => self.fold(part),
                };
                Ok(self.contains(self.fold(whole), part))
            }
        }
    }

    fn starts_with(&self, whole_node: &Node, whole: Expr, part: Expr, part_node: &Node) -> Written<Expr> {
        if let Some(prefix) = self.text(part_node)? {
            // A text begins as its head does.
            let head = self.head(whole_node).filter(|(_, letters)| prefix.chars().count() <= *letters);
            let stored = head.map(|(head, _)| head).or_else(|| matches!(whole, Expr::Column(_)).then(|| whole.clone()));
            // The texts with a prefix are a range in the order of bytes, and so in an index.
            if let Some(stored) = stored {
                let from = self.by_bytes(stored.clone()).gte(part);
                return match after_all_with(prefix) {
                    Some(end) => Ok(from.and(self.by_bytes(stored).lt(self.bind(Scalar::Text(&end))?.sql))),
                    None => Ok(from),
                };
            }
        }
        Ok(match self.backend {
            SqlBackend::Sqlite => {
                let start = Func::cust("substr").args([whole, Expr::val(1), length(&part)]);
                Expr::from(start).eq(part)
            }
            SqlBackend::Postgres => Func::cust("starts_with").args([self.by_bytes(whole), part]).into(),
        })
    }

    fn ends_with(&self, whole: Expr, part: Expr) -> Expr {
        let end = match self.backend {
            // With the length given, the last 0 characters are none and not all.
            SqlBackend::Sqlite => Func::cust("substr").args([whole, Expr::val(0).sub(length(&part)), length(&part)]),
            SqlBackend::Postgres => Func::cust("right").args([whole, Func::char_length(part.clone()).into()]),
        };
        self.by_bytes(end.into()).eq(part)
    }

    fn contains(&self, whole: Expr, part: Expr) -> Expr {
        let place = match self.backend {
            SqlBackend::Sqlite => Func::cust("instr").args([whole, part]),
            SqlBackend::Postgres => Func::cust("strpos").args([whole, part]),
        };
        Expr::from(place).gt(Expr::Constant(0.into()))
    }

    /// [`fold::fold`] in the database. Lower case in ICU's root locale is that of Unicode; the final sigma is ours.
    fn fold(&self, text: Expr) -> Expr {
        match self.backend {
            SqlBackend::Sqlite => Func::cust("fold").arg(text).into(),
            SqlBackend::Postgres => {
                let lower = Func::lower(collate(text, "und-x-icu")).into();
                let [final_sigma, sigma] = ["ς", "σ"].map(|sigma| Expr::Constant(sigma.into()));
                // The collation of the fold would clash with another one beside it.
                self.by_bytes(Func::cust("translate").args([lower, final_sigma, sigma]).into())
            }
        }
    }

    pub(super) fn size(&self, of: &Node) -> Written<Term> {
        if let Node::Field { path, kind: Type::List } = of {
            return Ok(Term { sql: self.host.size(path)?, kind: Some(Type::Number) });
        }
        let text = self.value(of)?;
        if text.kind != Some(Type::Text) {
            return Ok(Term { sql: Expr::null(), kind: None });
        }
        let sql = match self.backend {
            SqlBackend::Sqlite => length(&text.sql),
            SqlBackend::Postgres => Func::char_length(text.sql).into(),
        };
        Ok(Term { sql, kind: Some(Type::Number) })
    }
}

/// The first letters of a text.
fn head_of(text: &str, letters: usize) -> &str {
    text.char_indices().nth(letters).map_or(text, |(end, _)| &text[..end])
}

/// SQLite's number of characters.
fn length(text: &Expr) -> Expr {
    Func::cust("length").arg(text.clone()).into()
}

/// A collation is an identifier, which is what a column's name is written as.
fn collate(text: Expr, collation: &'static str) -> Expr {
    text.binary(BinOper::Custom("COLLATE"), Expr::col(collation))
}

/// The first text after all texts that start with `prefix`; none if there is no end to them.
///
/// UTF-8 orders texts as their code points do. So it is the prefix with its last character replaced by the next one, without
/// the last characters that have no next.
fn after_all_with(prefix: &str) -> Option<String> {
    let kept = prefix.trim_end_matches(char::MAX);
    let last = kept.chars().next_back()?;
    // The range of characters knows the hole of the surrogates.
    let next = (last..=char::MAX).nth(1)?;
    let mut end = kept[..kept.len() - last.len_utf8()].to_owned();
    end.push(next);
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::after_all_with;

    #[test]
    fn the_end_of_a_prefix() {
        for (prefix, end) in [
            ("abc", Some("abd")),
            ("", None),
            ("\u{d7ff}", Some("\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
            ("a\u{7f}", Some("a\u{80}")),
        ] {
            assert_eq!(after_all_with(prefix).as_deref(), end, "{prefix:?}");
        }
    }
}
