//! The compact form of a condition and its evaluation.
//!
//! Invariants: a node's calls are indices into its program's calls; the tree is at most [`crate::MAX_DEPTH`] levels deep, so
//! the recursion here is bounded. The rules for no value are told in the crate's documentation.

use rapport_types::{Duration, Timestamp, Value};

use crate::{Type, fold};

/// A value during evaluation: borrowed, and cheap to copy.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Scalar<'a> {
    /// No value: missing, JSON null, or without an answer.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A number; the evaluation itself makes finite ones only.
    Number(f64),
    /// A text.
    Text(&'a str),
    /// A span of time.
    Duration(Duration),
    /// An instant.
    Time(Timestamp),
    /// A list.
    List(&'a [Value]),
    /// An object.
    Object(&'a rapport_types::Object),
}

impl Scalar<'_> {
    /// Whether it is true; no value and values of other kinds are not.
    pub fn is_true(self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// The number in it.
    pub fn as_number(self) -> Option<f64> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }
}

impl<'a> From<&'a Value> for Scalar<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Int(number) => Self::Number(*number as f64),
            Value::Float(number) => Self::from(*number),
            Value::String(text) => Self::Text(text),
            Value::List(items) => Self::List(items),
            Value::Object(object) => Self::Object(object),
        }
    }
}

impl<'a> From<Option<&'a Value>> for Scalar<'a> {
    fn from(value: Option<&'a Value>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

impl From<f64> for Scalar<'_> {
    /// NaN and infinities are no value.
    fn from(number: f64) -> Self {
        if number.is_finite() { Self::Number(number) } else { Self::Null }
    }
}

/// What a condition is asked about.
pub trait Environment {
    /// The answer to the program's host call `index` (its place in [`crate::Program::calls`]).
    fn call(&self, index: usize) -> Scalar<'_>;

    /// The value at `names` below `root`, one of the scope's roots; `names` is empty for the root itself.
    fn path(&self, root: &'static str, names: &[Box<str>]) -> Scalar<'_>;

    /// The value of a field, which is of the kind that [`crate::Fields::kind`] told or no value; scopes without fields never
    /// ask.
    fn field(&self, _path: &[Box<str>]) -> Scalar<'_> {
        Scalar::Null
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
    Search,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    Null,
    Bool(bool),
    Number(f64),
    Text(Box<str>),
    Duration(Duration),
    Time(Timestamp),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Constant(Constant),
    Call(u16),
    Path {
        root: &'static str,
        names: Box<[Box<str>]>,
    },
    Field {
        path: Box<[Box<str>]>,
        kind: Type,
    },
    /// `x.name` where `x` is no path.
    Member(Box<Node>, Box<str>),
    /// `x[i]`
    Index(Box<[Node; 2]>),
    Not(Box<Node>),
    Negate(Box<Node>),
    All(Box<[Node]>),
    Any(Box<[Node]>),
    Compare(Comparison, Box<[Node; 2]>),
    /// `x == null`, `!has(x)`
    IsNull(Box<Node>),
    Arithmetic(Arithmetic, Box<[Node; 2]>),
    /// `x in [a, b]`
    OneOf(Box<Node>, Box<[Node]>),
    /// `x in y`
    In(Box<[Node; 2]>),
    /// `c ? x : y`
    Choose(Box<[Node; 3]>),
    Text(TextTest, Box<[Node; 2]>),
    Size(Box<Node>),
}

impl Node {
    /// Shows every node of the tree, each before what is below it.
    pub(crate) fn each(&self, see: &mut dyn FnMut(&Self)) {
        see(self);
        match self {
            Self::Constant(_) | Self::Call(_) | Self::Path { .. } | Self::Field { .. } => {}
            Self::Member(node, _) | Self::Not(node) | Self::Negate(node) | Self::IsNull(node) | Self::Size(node) => {
                node.each(see);
            }
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().for_each(|node| node.each(see)),
            Self::Index(pair)
            | Self::Compare(_, pair)
            | Self::Arithmetic(_, pair)
            | Self::In(pair)
            | Self::Text(_, pair) => pair.iter().for_each(|node| node.each(see)),
            Self::OneOf(node, choices) => {
                node.each(see);
                choices.iter().for_each(|node| node.each(see));
            }
            Self::Choose(parts) => parts.iter().for_each(|node| node.each(see)),
        }
    }

    pub(crate) fn eval<'a>(&'a self, env: &'a dyn Environment) -> Scalar<'a> {
        match self {
            Self::Constant(constant) => constant.scalar(),
            Self::Call(index) => env.call(usize::from(*index)),
            Self::Path { root, names } => env.path(root, names),
            Self::Field { path, .. } => env.field(path),
            Self::Member(of, name) => member(of.eval(env), name),
            Self::Index(pair) => index(pair[0].eval(env), pair[1].eval(env)),
            Self::Not(node) => Scalar::Bool(!node.eval(env).is_true()),
            Self::Negate(node) => match node.eval(env) {
                Scalar::Number(number) => Scalar::Number(-number),
                Scalar::Duration(span) => Scalar::Duration(Duration(span.0.saturating_neg())),
                _ => Scalar::Null,
            },
            Self::All(nodes) => Scalar::Bool(nodes.iter().all(|node| node.eval(env).is_true())),
            Self::Any(nodes) => Scalar::Bool(nodes.iter().any(|node| node.eval(env).is_true())),
            Self::Compare(comparison, pair) => Scalar::Bool(compare(*comparison, pair[0].eval(env), pair[1].eval(env))),
            Self::IsNull(node) => Scalar::Bool(node.eval(env) == Scalar::Null),
            Self::Arithmetic(operator, pair) => calculate(*operator, pair[0].eval(env), pair[1].eval(env)),
            Self::OneOf(node, choices) => {
                let value = node.eval(env);
                Scalar::Bool(choices.iter().any(|choice| equal(value, choice.eval(env))))
            }
            Self::In(pair) => Scalar::Bool(is_in(pair[0].eval(env), pair[1].eval(env))),
            Self::Choose(parts) => {
                let chosen = if parts[0].eval(env).is_true() { &parts[1] } else { &parts[2] };
                chosen.eval(env)
            }
            Self::Text(test, pair) => Scalar::Bool(text_test(*test, pair[0].eval(env), pair[1].eval(env))),
            Self::Size(node) => size(node.eval(env)),
        }
    }
}

impl Constant {
    pub(crate) fn scalar(&self) -> Scalar<'_> {
        match self {
            Self::Null => Scalar::Null,
            Self::Bool(truth) => Scalar::Bool(*truth),
            Self::Number(number) => Scalar::Number(*number),
            Self::Text(text) => Scalar::Text(text),
            Self::Duration(span) => Scalar::Duration(*span),
            Self::Time(instant) => Scalar::Time(*instant),
        }
    }
}

fn member<'a>(of: Scalar<'a>, name: &str) -> Scalar<'a> {
    if let Scalar::Object(object) = of { object.get(name).into() } else { Scalar::Null }
}

fn index<'a>(of: Scalar<'a>, place: Scalar<'_>) -> Scalar<'a> {
    match (of, place) {
        (Scalar::List(items), Scalar::Number(place)) if place >= 0.0 && place.fract() == 0.0 => {
            // A cast from a float stops at the largest usize, which is outside every list.
            items.get(place as usize).into()
        }
        (Scalar::Object(_), Scalar::Text(name)) => member(of, name),
        _ => Scalar::Null,
    }
}

#[allow(clippy::float_cmp, reason = "CEL's == on numbers is exact")]
fn equal(one: Scalar<'_>, other: Scalar<'_>) -> bool {
    match (one, other) {
        (Scalar::Null, _) | (_, Scalar::Null) => false,
        _ => one == other,
    }
}

fn compare(comparison: Comparison, one: Scalar<'_>, other: Scalar<'_>) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = match (comparison, one, other) {
        (Comparison::Equal, ..) => return equal(one, other),
        (Comparison::Unequal, ..) => return !equal(one, other),
        (_, Scalar::Number(a), Scalar::Number(b)) => a.partial_cmp(&b),
        (_, Scalar::Text(a), Scalar::Text(b)) => Some(a.cmp(b)),
        (_, Scalar::Duration(a), Scalar::Duration(b)) => Some(a.cmp(&b)),
        (_, Scalar::Time(a), Scalar::Time(b)) => Some(a.cmp(&b)),
        (_, Scalar::Bool(a), Scalar::Bool(b)) => Some(a.cmp(&b)),
        _ => None,
    };
    match comparison {
        Comparison::Less => order == Some(Less),
        Comparison::LessOrEqual => matches!(order, Some(Less | Equal)),
        Comparison::Greater => order == Some(Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Greater | Equal)),
        Comparison::Equal | Comparison::Unequal => unreachable!("returned above"),
    }
}

pub(crate) fn calculate<'a>(operator: Arithmetic, one: Scalar<'_>, other: Scalar<'_>) -> Scalar<'a> {
    match (operator, one, other) {
        (_, Scalar::Number(a), Scalar::Number(b)) => Scalar::from(match operator {
            Arithmetic::Add => a + b,
            Arithmetic::Subtract => a - b,
            Arithmetic::Multiply => a * b,
            Arithmetic::Divide => a / b,
            Arithmetic::Remainder => a % b,
        }),
        (Arithmetic::Add, Scalar::Duration(a), Scalar::Duration(b)) => {
            Scalar::Duration(Duration(a.0.saturating_add(b.0)))
        }
        (Arithmetic::Subtract, Scalar::Duration(a), Scalar::Duration(b)) => {
            Scalar::Duration(Duration(a.0.saturating_sub(b.0)))
        }
        (Arithmetic::Add, Scalar::Time(at), Scalar::Duration(span))
        | (Arithmetic::Add, Scalar::Duration(span), Scalar::Time(at)) => Scalar::Time(at.plus(span)),
        (Arithmetic::Subtract, Scalar::Time(at), Scalar::Duration(span)) => Scalar::Time(at.minus(span)),
        (Arithmetic::Subtract, Scalar::Time(a), Scalar::Time(b)) => Scalar::Duration(a.since(b)),
        _ => Scalar::Null,
    }
}

fn is_in(value: Scalar<'_>, within: Scalar<'_>) -> bool {
    match (value, within) {
        (_, Scalar::List(items)) => items.iter().any(|item| equal(value, item.into())),
        (Scalar::Text(name), Scalar::Object(object)) => object.get(name).is_some(),
        _ => false,
    }
}

fn text_test(test: TextTest, whole: Scalar<'_>, part: Scalar<'_>) -> bool {
    let (Scalar::Text(whole), Scalar::Text(part)) = (whole, part) else { return false };
    match test {
        TextTest::StartsWith => whole.starts_with(part),
        TextTest::EndsWith => whole.ends_with(part),
        TextTest::Contains => whole.contains(part),
        TextTest::Search => fold::contains(whole, part),
    }
}

fn size<'a>(of: Scalar<'_>) -> Scalar<'a> {
    match of {
        Scalar::Text(text) => Scalar::Number(text.chars().count() as f64),
        Scalar::List(items) => Scalar::Number(items.len() as f64),
        Scalar::Object(object) => Scalar::Number(object.0.len() as f64),
        _ => Scalar::Null,
    }
}
