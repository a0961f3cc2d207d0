//! Conditions over an event: the filters of features, and whatever else asks which events are meant.

use rapport_condition::{Environment, Program, Scalar, Scope, Type};
use rapport_types::{Event, Object};

/// What a filter may name: `properties`, `context`, `name`, `kind`.
pub(crate) fn scope() -> &'static Scope<'static> {
    const SCOPE: Scope<'static> =
        Scope { functions: &[], roots: &["properties", "context", "name", "kind"], fields: None };
    &SCOPE
}

/// Whether a filter is true of an event.
pub(crate) fn passes(filter: &Program, event: &Event) -> bool {
    filter.eval_bool(&OverEvent(event))
}

/// A condition over single events, compiled, such as `properties.rating >= 4`.
#[derive(Debug)]
pub struct EventFilter(Program);

impl EventFilter {
    /// Compiles a condition; the error is a sentence with its place.
    pub fn compile(source: &str) -> Result<Self, String> {
        let program = Program::compile(source, scope()).map_err(|error| error.to_string())?;
        match program.result_type() {
            Type::Bool | Type::Any => Ok(Self(program)),
            _ => Err("the condition must be true or false".to_owned()),
        }
    }

    /// Whether it is true of an event.
    pub fn passes(&self, event: &Event) -> bool {
        passes(&self.0, event)
    }
}

struct OverEvent<'a>(&'a Event);

impl Environment for OverEvent<'_> {
    fn call(&self, _index: usize) -> Scalar<'_> {
        unreachable!("the scope of filters has no functions")
    }

    fn path(&self, root: &'static str, names: &[Box<str>]) -> Scalar<'_> {
        match root {
            "properties" => at(&self.0.properties, names),
            "context" => at(&self.0.context, names),
            "name" if names.is_empty() => self.0.name.as_deref().map_or(Scalar::Null, Scalar::Text),
            "kind" if names.is_empty() => Scalar::Text(self.0.kind.as_str()),
            _ => Scalar::Null,
        }
    }
}

fn at<'a>(object: &'a Object, names: &[Box<str>]) -> Scalar<'a> {
    if names.is_empty() {
        return Scalar::Object(object);
    }
    Scalar::from(object.path(names.iter().map(|name| &**name)))
}
