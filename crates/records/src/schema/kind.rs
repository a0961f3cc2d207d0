//! What a field can hold.

use rapport_condition::Type;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Label;

/// What a field holds, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FieldKind {
    /// A line of up to 255 letters.
    Text,
    /// Any number of lines, up to 100,000 letters.
    LongText,
    /// A number.
    Number,
    /// An amount to a ten-thousandth, with its currency (ISO 4217).
    Money,
    /// A day, such as `2026-01-31`.
    Date,
    /// An instant.
    DateTime,
    /// Yes or no.
    Boolean,
    /// One of the options.
    Choice(Options),
    /// Any of the options.
    MultiChoice(Options),
    /// An e-mail address.
    Email,
    /// E-mail addresses.
    Emails,
    /// A telephone number.
    Phone,
    /// Telephone numbers.
    Phones,
    /// A web address (http or https).
    Url,
    /// A postal address: `street`, `city`, `region`, `postcode`, `country`.
    Address,
    /// A record of another object.
    Relation {
        /// The object.
        object: String,
    },
    /// Records of another object.
    Relations {
        /// The object.
        object: String,
    },
    /// A person who uses Rapport.
    User,
    /// What a condition gives, computed when it is read.
    Formula {
        /// The condition, over the fields of the same record.
        expression: String,
    },
    /// A stored file: a record of the object `file`.
    File,
    /// Any JSON, up to 64 KiB.
    Json,
    /// Who or what did something; written by Rapport alone.
    Actor,
}

/// The options of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = Choices)]
pub struct Options {
    /// In the order of the page.
    pub options: Vec<Choice>,
}

/// An option of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Choice {
    /// What is stored.
    pub value: String,
    /// What people read.
    pub label: Label,
}

/// How values are kept in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    Text,
    Whole,
    Real,
    Truth,
    /// A list of texts, in JSON.
    List,
    /// Other JSON.
    Json,
    /// In the table of relations.
    Elsewhere,
    /// Nowhere: it is computed.
    Computed,
}

impl FieldKind {
    pub(crate) fn stored(&self) -> Stored {
        match self {
            Self::Text | Self::LongText | Self::Choice(_) | Self::Email | Self::Phone | Self::Url | Self::Actor => {
                Stored::Text
            }
            Self::Number => Stored::Real,
            Self::Money | Self::Date | Self::DateTime | Self::Relation { .. } | Self::User | Self::File => {
                Stored::Whole
            }
            Self::Boolean => Stored::Truth,
            Self::MultiChoice(_) | Self::Emails | Self::Phones => Stored::List,
            Self::Address | Self::Json => Stored::Json,
            Self::Relations { .. } => Stored::Elsewhere,
            Self::Formula { .. } => Stored::Computed,
        }
    }

    /// What a condition knows of it; none where conditions cannot ask for it.
    pub(crate) fn condition_type(&self) -> Option<Type> {
        Some(match self {
            Self::Text | Self::LongText | Self::Choice(_) | Self::Email | Self::Phone | Self::Url | Self::Actor => {
                Type::Text
            }
            Self::Relation { .. } | Self::User | Self::File => Type::Id,
            Self::Number | Self::Money => Type::Number,
            Self::Date | Self::DateTime => Type::Time,
            Self::Boolean => Type::Bool,
            Self::MultiChoice(_) | Self::Emails | Self::Phones | Self::Relations { .. } => Type::List,
            Self::Formula { .. } => Type::Any,
            Self::Address | Self::Json => return None,
        })
    }

    /// The object that its values are records of.
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::Relation { object } | Self::Relations { object } => Some(object),
            Self::File => Some("file"),
            _ => None,
        }
    }

    /// Whether a caller gives its value; others are computed, or written by Rapport alone.
    pub fn is_settable(&self) -> bool {
        !matches!(self, Self::Formula { .. } | Self::Actor)
    }

    /// Whether a list can be sorted by it.
    pub(crate) fn is_sortable(&self) -> bool {
        matches!(self.stored(), Stored::Text | Stored::Whole | Stored::Real | Stored::Truth)
    }
}
