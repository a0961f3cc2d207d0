//! Which names and host functions a condition may use, and what the program asks of its host.

use rapport_types::Duration;

use crate::Position;

/// What is known of a value before it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// True or false.
    Bool,
    /// A number, whole or not.
    Number,
    /// A text.
    Text,
    /// A span of time.
    Duration,
    /// An instant.
    Time,
    /// A record's id: a text that stored records keep in another form. It is equal to a text or not.
    Id,
    /// A list.
    List,
    /// Known only when it is there, such as an attribute.
    Any,
}

impl Type {
    /// Whether the two can be of one kind.
    pub(crate) fn fits(self, other: Self) -> bool {
        self == other
            || self == Self::Any
            || other == Self::Any
            || matches!((self, other), (Self::Id, Self::Text) | (Self::Text, Self::Id))
    }

    /// The type in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Duration => "a span such as duration(\"30d\")",
            Self::Time => "an instant such as timestamp(\"2026-01-31\")",
            Self::Id => "an id",
            Self::List => "a list",
            Self::Any => "a value",
        }
    }
}

/// A parameter of a host function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in messages.
    pub name: &'static str,
    /// What it takes. `Duration` takes `"30d"` as well as `duration("30d")`; `Time`, `List` and `Any` are not for
    /// parameters.
    pub takes: Type,
}

/// A function of the host. Its arguments are constants, so that the host can prepare each call once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it takes, in order.
    pub parameters: &'static [Parameter],
    /// How many of them must be given; the others can be left out from the end.
    pub required: usize,
    /// What it gives.
    pub result: Type,
}

/// Fields that are known only at run time, such as the columns of an object.
pub trait Fields {
    /// The kind of the field at `path`: one name, or two for a field of a related record. None if there is no such field.
    fn kind(&self, path: &[&str]) -> Option<Type>;

    /// All names as they are written, such as `amount` and `company.industry`, for "did you mean".
    fn names(&self) -> Vec<String>;
}

/// What a condition may name. A root hides a field of the same name.
#[derive(Clone, Copy, Default)]
pub struct Scope<'s> {
    /// The host's functions.
    pub functions: &'static [Function],
    /// The names at which a path starts, such as `attributes`.
    pub roots: &'static [&'static str],
    /// Fields with kinds of their own.
    pub fields: Option<&'s dyn Fields>,
}

/// A constant argument.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// True or false.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// A text.
    Text(Box<str>),
    /// A span.
    Duration(Duration),
}

/// A call of a host function.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The function's name.
    pub function: &'static str,
    /// As many as were given, each of its parameter's type.
    pub arguments: Vec<Literal>,
    /// Where it stands first.
    pub position: Position,
}

impl Call {
    /// The text given as argument `index`; none if it is left out or no text.
    pub fn text(&self, index: usize) -> Option<&str> {
        if let Some(Literal::Text(text)) = self.arguments.get(index) { Some(text) } else { None }
    }

    /// The span given as argument `index`; none if it is left out or no span.
    pub fn span(&self, index: usize) -> Option<Duration> {
        if let Some(Literal::Duration(span)) = self.arguments.get(index) { Some(*span) } else { None }
    }

    /// The number given as argument `index`; none if it is left out or no number.
    pub fn number(&self, index: usize) -> Option<f64> {
        if let Some(Literal::Number(number)) = self.arguments.get(index) { Some(*number) } else { None }
    }
}
