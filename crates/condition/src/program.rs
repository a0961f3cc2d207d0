//! A compiled condition.

use crate::{
    Call, ConditionError, Environment, Scalar, Scope, Type,
    compile::compile,
    eval::{Constant, Node},
};

/// A condition that was checked against its scope and is ready to be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    pub(crate) root: Node,
    pub(crate) result: Type,
    pub(crate) calls: Vec<Call>,
    pub(crate) comparisons: Vec<Comparisons>,
}

/// What a host call's answer is compared with.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Comparisons {
    /// The constants it is directly compared with; spans and instants in milliseconds. Sorted, each once.
    pub(crate) constants: Vec<f64>,
    /// How often the call stands somewhere.
    pub(crate) uses: u32,
    /// How many of those are direct comparisons with a constant, or with null.
    pub(crate) direct: u32,
}

impl Program {
    /// Parses and checks `source`.
    pub fn compile(source: &str, scope: &Scope<'_>) -> Result<Self, ConditionError> {
        compile(source, scope)
    }

    /// The distinct host calls; their places are the indices that [`Environment::call`] is asked for.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// What evaluation gives, unless it is no value.
    pub fn result_type(&self) -> Type {
        self.result
    }

    /// Evaluates it. Every call may be asked for more than once, or not at all.
    pub fn eval<'a>(&'a self, environment: &'a dyn Environment) -> Scalar<'a> {
        self.root.eval(environment)
    }

    /// Whether it is true; no value is not.
    pub fn eval_bool(&self, environment: &dyn Environment) -> bool {
        self.root.eval(environment).is_true()
    }

    /// The constants that the call `index` is directly compared with, spans and instants in milliseconds, sorted; each once.
    ///
    /// As long as the call's answer passes none of them, the comparisons stay as they are. See
    /// [`Self::is_only_compared`] for whether these are all uses of the call.
    pub fn comparisons(&self, index: usize) -> &[f64] {
        &self.comparisons[index].constants
    }

    /// Whether every use of the call `index` is a direct comparison with a constant, so that [`Self::comparisons`] tells
    /// when the condition can change because of it.
    pub fn is_only_compared(&self, index: usize) -> bool {
        self.comparisons[index].uses == self.comparisons[index].direct
    }

    /// Whether it names a field whose path `is_meant`.
    pub fn names_field(&self, is_meant: impl Fn(&[&str]) -> bool) -> bool {
        let mut found = false;
        self.root.each(&mut |node| {
            if let Node::Field { path, .. } = node {
                let path: Vec<&str> = path.iter().map(|name| &**name).collect();
                found |= is_meant(&path);
            }
        });
        found
    }

    /// Counts the uses of calls once the tree stands.
    pub(crate) fn find_comparisons(&mut self) {
        let mut found = vec![Comparisons::default(); self.calls.len()];
        self.root.each(&mut |node| count(node, &mut found));
        for one in &mut found {
            one.constants.sort_by(f64::total_cmp);
            one.constants.dedup();
        }
        self.comparisons = found;
    }
}

/// Notes what a node itself says of calls.
fn count(node: &Node, found: &mut [Comparisons]) {
    match node {
        Node::Call(index) => found[usize::from(*index)].uses += 1,
        Node::Compare(_, pair) => {
            if let [Node::Call(index), Node::Constant(constant)] | [Node::Constant(constant), Node::Call(index)] =
                &**pair
            {
                let constant = match constant {
                    Constant::Number(number) => Some(*number),
                    Constant::Duration(span) => Some(span.0 as f64),
                    Constant::Time(instant) => Some(instant.0 as f64),
                    Constant::Null | Constant::Bool(_) | Constant::Text(_) => None,
                };
                let entry = &mut found[usize::from(*index)];
                entry.constants.extend(constant);
                entry.direct += u32::from(constant.is_some());
            }
        }
        // Whether there is a value at all does not depend on constants.
        Node::IsNull(node) => {
            if let Node::Call(index) = **node {
                found[usize::from(index)].direct += 1;
            }
        }
        _ => {}
    }
}
