//! From the compact form to SQL with bound parameters, true of exactly the rows of which [`crate::Program::eval`] is true.
//!
//! Two ways to write a node. [`Writer::truth`] is true where the node is true, and false or NULL elsewhere: enough for WHERE,
//! AND and OR, and plain enough for an index. [`Writer::value`] is the node's value, NULL for no value; a test, which always
//! has a value, becomes `COALESCE(test, FALSE)`.
//!
//! Invariants:
//! - constants and the host's answers are bound values; the only texts spliced are those written here;
//! - each node is written a fixed number of times, so the SQL grows with the program and not exponentially.
//!
//! Limits: only fields, constants and calls with a constant answer; no remainder, no parts of lists and objects. Numbers are
//! those of the database's double precision: where a field holds whole numbers beyond 2^53, it compares them exactly and
//! `eval` rounds them. In PostgreSQL, whose arithmetic fails instead of giving infinity, a result beyond 8e307 is no value
//! and one below 1e-323 is 0 (see [`arithmetic`]).

use sea_query::{CaseStatement, Expr, ExprTrait, Func, Value};

use crate::{
    Call, ConditionError, Program, Scalar, Type,
    eval::{Comparison, Node},
};

mod arithmetic;
mod text;

/// The database that the SQL is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SqlBackend {
    /// SQLite 3.35 or later with the function `fold(text)`, which is [`crate::fold`]. Texts are UTF-8 in the collation BINARY.
    Sqlite,
    /// PostgreSQL 14 or later in UTF-8, built with ICU. Text columns have a deterministic collation.
    Postgres,
}

/// Who knows where the fields of a scope are stored.
///
/// A value is stored as: true or false as `0`/`1` in SQLite and `boolean` in PostgreSQL; a number as any finite number; a
/// text without U+0000; an instant as milliseconds since 1970 and a span as milliseconds, whole and within ±2^53. No value is
/// NULL.
pub trait SqlHost {
    /// The database.
    fn backend(&self) -> SqlBackend;

    /// The column (or subquery) with the value of a field other than a list.
    fn field(&self, path: &[Box<str>]) -> Result<Expr, ConditionError>;

    /// The first letters of the text field at `path` and how many they are, where an index has them and not the field; none
    /// elsewhere.
    fn head(&self, _path: &[Box<str>]) -> Option<(Expr, usize)> {
        None
    }

    /// Whether the list field at `path` holds `item`, a value of `kind`: true, or false or NULL. `text` is the item if it is
    /// the same text for all rows.
    fn holds(&self, path: &[Box<str>], item: Expr, kind: Type, text: Option<&str>) -> Result<Expr, ConditionError>;

    /// The stored form of a record's id; none if no record can have it.
    fn id(&self, text: &str) -> Option<i64>;

    /// How many items the list field at `path` has; NULL if it is no value.
    fn size(&self, path: &[Box<str>]) -> Result<Expr, ConditionError>;

    /// The answer to a host call: the same for all rows.
    fn call(&self, call: &Call) -> Result<Scalar<'_>, ConditionError>;
}

impl Program {
    /// SQL for WHERE: true of the rows of which the program is true, false or NULL of all others.
    ///
    /// What a database cannot be asked is refused with [`ConditionError::NotInSql`].
    pub fn to_sql(&self, host: &dyn SqlHost) -> Result<Expr, ConditionError> {
        Writer { calls: &self.calls, host, backend: host.backend() }.truth(&self.root)
    }

    /// SQL with the program's value, NULL where it has none.
    pub fn to_sql_value(&self, host: &dyn SqlHost) -> Result<Expr, ConditionError> {
        Ok(Writer { calls: &self.calls, host, backend: host.backend() }.value(&self.root)?.sql)
    }
}

/// What is known of a written value before the row is there. A kind of `None` is no value for every row.
struct Term {
    sql: Expr,
    kind: Option<Type>,
}

struct Writer<'w> {
    calls: &'w [Call],
    host: &'w dyn SqlHost,
    backend: SqlBackend,
}

type Written<T> = Result<T, ConditionError>;

impl Writer<'_> {
    /// True where the node is true; false or NULL elsewhere.
    fn truth(&self, node: &Node) -> Written<Expr> {
        match node {
            Node::All(nodes) => self.chain(nodes, Expr::and),
            Node::Any(nodes) => self.chain(nodes, Expr::or),
            Node::Not(node) => match &**node {
                Node::Not(node) => self.truth(node),
                Node::IsNull(node) => Ok(self.presence(node)?.is_not_null()),
                node => Ok(settled(self.truth(node)?).not()),
            },
            Node::IsNull(node) => Ok(self.presence(node)?.is_null()),
            Node::Compare(comparison, pair) => self.compare(*comparison, &pair[0], &pair[1]),
            Node::OneOf(node, choices) => self.one_of(node, choices),
            Node::In(pair) => self.holds(&pair[0], &pair[1]),
            Node::Text(test, pair) => self.text_test(*test, &pair[0], &pair[1]),
            Node::Choose(parts) => {
                let [condition, yes, no] = &**parts;
                Ok(choice(self.truth(condition)?, self.truth(yes)?, self.truth(no)?))
            }
            Node::Constant(_)
            | Node::Call(_)
            | Node::Path { .. }
            | Node::Field { .. }
            | Node::Member(..)
            | Node::Index(_)
            | Node::Negate(_)
            | Node::Arithmetic(..)
            | Node::Size(_) => {
                let term = self.value(node)?;
                match term.kind {
                    Some(Type::Bool) => Ok(term.sql),
                    None => Ok(constant(false)),
                    Some(_) => refuse("what is neither true nor false"),
                }
            }
        }
    }

    fn chain(&self, nodes: &[Node], join: fn(Expr, Expr) -> Expr) -> Written<Expr> {
        let mut written = nodes.iter().map(|node| self.truth(node));
        let first = written.next().unwrap_or_else(|| Ok(constant(true)))?;
        written.try_fold(first, |all, next| Ok(join(all, next?)))
    }

    /// The node's value; NULL where it has none.
    fn value(&self, node: &Node) -> Written<Term> {
        match node {
            Node::Constant(constant) => self.bind(constant.scalar()),
            Node::Call(index) => self.bind(self.host.call(&self.calls[usize::from(*index)])?),
            Node::Field { kind: Type::Any | Type::List, .. } => refuse("a field other than a text, a number or a time"),
            Node::Field { path, kind } => Ok(Term { sql: self.host.field(path)?, kind: Some(*kind) }),
            Node::Path { .. } | Node::Member(..) => refuse("an attribute"),
            Node::Index(_) => refuse("a place in a list"),
            Node::Negate(node) => self.negate(node),
            Node::Arithmetic(operator, pair) => self.arithmetic(*operator, &pair[0], &pair[1]),
            Node::Size(node) => self.size(node),
            Node::Choose(parts) => self.choose(parts),
            Node::Not(_)
            | Node::All(_)
            | Node::Any(_)
            | Node::Compare(..)
            | Node::IsNull(_)
            | Node::OneOf(..)
            | Node::In(_)
            | Node::Text(..) => Ok(Term { sql: settled(self.truth(node)?), kind: Some(Type::Bool) }),
        }
    }

    /// Something that is NULL exactly where the node has no value.
    fn presence(&self, node: &Node) -> Written<Expr> {
        match node {
            Node::Field { path, kind: Type::List } => self.host.size(path),
            node => Ok(self.value(node)?.sql),
        }
    }

    fn compare(&self, comparison: Comparison, one: &Node, other: &Node) -> Written<Expr> {
        let (left, right) = (self.value(one)?, self.value(other)?);
        let right = self.as_id(other, right, left.kind)?;
        let left = self.as_id(one, left, right.kind)?;
        if left.kind != right.kind || left.kind.is_none() {
            return Ok(constant(comparison == Comparison::Unequal));
        }
        if comparison == Comparison::Equal {
            for (field, text) in [(one, other), (other, one)] {
                if let Some(sql) = self.by_head(field, std::slice::from_ref(text))? {
                    return Ok(sql);
                }
            }
        }
        // Equality of texts is that of their bytes in every collation that is allowed; their order is not.
        let is_plain = matches!(comparison, Comparison::Equal | Comparison::Unequal)
            && (is_constant(one) || is_constant(other))
            || left.kind != Some(Type::Text);
        let (left, right) = (if is_plain { left.sql } else { self.by_bytes(left.sql) }, right.sql);
        Ok(match comparison {
            Comparison::Equal => left.eq(right),
            Comparison::Unequal => settled(left.eq(right)).not(),
            Comparison::Less => left.lt(right),
            Comparison::LessOrEqual => left.lte(right),
            Comparison::Greater => left.gt(right),
            Comparison::GreaterOrEqual => left.gte(right),
        })
    }

    fn one_of(&self, node: &Node, choices: &[Node]) -> Written<Expr> {
        let value = self.value(node)?;
        let mut same_kind = Vec::with_capacity(choices.len());
        for choice in choices {
            let choice = self.as_id(choice, self.value(choice)?, value.kind)?;
            // A choice of another kind is unequal to every value.
            if choice.kind.is_some() && choice.kind == value.kind {
                same_kind.push(choice.sql);
            }
        }
        if same_kind.is_empty() {
            return Ok(constant(false));
        }
        if let Some(sql) = self.by_head(node, choices)? {
            return Ok(sql);
        }
        let is_plain = value.kind != Some(Type::Text) || choices.iter().all(is_constant);
        Ok(if is_plain { value.sql } else { self.by_bytes(value.sql) }.is_in(same_kind))
    }

    fn holds(&self, node: &Node, list: &Node) -> Written<Expr> {
        let Node::Field { path, kind: Type::List } = list else {
            return refuse("`in` with anything but a list field or a list in brackets");
        };
        let item = self.value(node)?;
        match item.kind {
            // No list holds no value, instants or spans.
            None | Some(Type::Time | Type::Duration | Type::List | Type::Any) => Ok(constant(false)),
            Some(kind) => self.host.holds(path, item.sql, kind, self.text(node)?),
        }
    }

    /// The text that a node is for all rows; none if it is not one.
    fn text<'n>(&'n self, node: &'n Node) -> Written<Option<&'n str>> {
        let scalar = match node {
            Node::Constant(constant) => constant.scalar(),
            Node::Call(index) => self.host.call(&self.calls[usize::from(*index)])?,
            _ => return Ok(None),
        };
        Ok(if let Scalar::Text(text) = scalar { Some(text) } else { None })
    }

    /// A text that is compared with an id, in the form that ids are stored in.
    fn as_id(&self, node: &Node, term: Term, other: Option<Type>) -> Written<Term> {
        if (term.kind, other) != (Some(Type::Text), Some(Type::Id)) {
            return Ok(term);
        }
        let Some(text) = self.text(node)? else { return refuse("an id compared with a text that differs by record") };
        Ok(match self.host.id(text) {
            Some(id) => Term { sql: Expr::val(id), kind: Some(Type::Id) },
            // No record has it.
            None => Term { sql: Expr::null(), kind: None },
        })
    }

    fn choose(&self, parts: &[Node; 3]) -> Written<Term> {
        let [condition, yes, no] = parts;
        let (yes, no) = (self.value(yes)?, self.value(no)?);
        let kind = match (yes.kind, no.kind) {
            (Some(one), Some(other)) if one != other => {
                return refuse("a ? : whose sides are of different kinds");
            }
            (one, other) => one.or(other),
        };
        Ok(Term { sql: choice(self.truth(condition)?, yes.sql, no.sql), kind })
    }

    /// A constant as a bound value. PostgreSQL is told its kind, which it could not always guess.
    fn bind(&self, scalar: Scalar<'_>) -> Written<Term> {
        let (value, kind, postgres) = match scalar {
            Scalar::Null => return Ok(Term { sql: Expr::null(), kind: None }),
            Scalar::Bool(truth) => (Value::from(truth), Type::Bool, "boolean"),
            Scalar::Number(number) => (Value::from(number), Type::Number, "double precision"),
            Scalar::Text(text) if text.contains('\0') => return refuse("a text with the character U+0000"),
            Scalar::Text(text) => (Value::from(text), Type::Text, "text"),
            Scalar::Duration(span) => (Value::from(milliseconds(span.0)?), Type::Duration, "bigint"),
            Scalar::Time(instant) => (Value::from(milliseconds(instant.0)?), Type::Time, "bigint"),
            Scalar::List(_) | Scalar::Object(_) => return refuse("a function that answers a list or an object"),
        };
        let sql = Expr::val(value);
        let sql = match self.backend {
            SqlBackend::Sqlite => sql,
            SqlBackend::Postgres => sql.cast_as(postgres),
        };
        Ok(Term { sql, kind: Some(kind) })
    }
}

/// A test as a value: where it is NULL it is false.
fn settled(test: Expr) -> Expr {
    Func::coalesce([test, constant(false)]).into()
}

fn choice(condition: Expr, yes: Expr, no: Expr) -> Expr {
    CaseStatement::new().case(condition, yes).finally(no).into()
}

fn constant(truth: bool) -> Expr {
    Expr::Constant(Value::from(truth))
}

fn is_constant(node: &Node) -> bool {
    matches!(node, Node::Constant(_) | Node::Call(_))
}

/// Far more than any date, and so few that the sums of a whole program stay within 64 bits, where `eval` would clamp.
fn milliseconds(ms: i64) -> Written<i64> {
    if ms.unsigned_abs() <= 1 << 53 { Ok(ms) } else { refuse("a time or a span of more than 280000 years") }
}

fn refuse<T>(what: &'static str) -> Written<T> {
    Err(ConditionError::NotInSql { what })
}
