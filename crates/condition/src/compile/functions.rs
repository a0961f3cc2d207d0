//! Functions, methods and host calls.

use cel::common::ast::{CallExpr, IdedExpr};
use rapport_types::{Duration, Timestamp};

use super::{Compiler, Typed};
use crate::{
    Call, ConditionError, Literal, Parameter, Type,
    error::nearest,
    eval::{Constant, Node, TextTest},
};

/// The functions that every scope has.
const OWN_FUNCTIONS: [&str; 4] = ["duration", "has", "size", "timestamp"];
/// What can be called on a value.
const METHODS: [&str; 5] = ["contains", "endsWith", "search", "size", "startsWith"];

impl Compiler<'_> {
    pub(super) fn size(&mut self, arg: &IdedExpr) -> Result<Typed, ConditionError> {
        match self.expression(arg)? {
            (node, Type::Text | Type::List | Type::Any) => Ok((Node::Size(Box::new(node)), Type::Number)),
            (_, found) => self.mismatch(arg, format!("size needs a text or a list, and this is {}", found.words())),
        }
    }

    pub(super) fn duration(&mut self, arg: &IdedExpr) -> Result<Typed, ConditionError> {
        let (Node::Constant(Constant::Text(text)), _) = self.expression(arg)? else {
            return self.mismatch(arg, "duration needs a text such as \"30d\"");
        };
        match Duration::parse(&text) {
            Ok(span) => Ok((Node::Constant(Constant::Duration(span)), Type::Duration)),
            Err(error) => self.mismatch(arg, error.to_string()),
        }
    }

    pub(super) fn timestamp(&mut self, arg: &IdedExpr) -> Result<Typed, ConditionError> {
        let (Node::Constant(Constant::Text(text)), _) = self.expression(arg)? else {
            return self.mismatch(arg, "timestamp needs a text such as \"2026-01-31T12:00:00Z\" or \"2026-01-31\"");
        };
        match Timestamp::parse(&text) {
            Ok(instant) => Ok((Node::Constant(Constant::Time(instant)), Type::Time)),
            Err(error) => self.mismatch(arg, error.to_string()),
        }
    }

    pub(super) fn method(
        &mut self,
        whole: &IdedExpr,
        call: &CallExpr,
        target: &IdedExpr,
    ) -> Result<Typed, ConditionError> {
        let test = match (call.func_name.as_str(), call.args.as_slice()) {
            ("size", []) => return self.size(target),
            ("startsWith", [_]) => TextTest::StartsWith,
            ("endsWith", [_]) => TextTest::EndsWith,
            ("contains", [_]) => TextTest::Contains,
            ("search", [_]) => TextTest::Search,
            (name, _) if METHODS.contains(&name) => {
                let takes = if name == "size" { "no argument" } else { "one argument" };
                return self.mismatch(whole, format!("{name} takes {takes}"));
            }
            (name, _) => {
                return Err(ConditionError::Unknown {
                    position: self.position(whole),
                    what: "method",
                    name: name.into(),
                    nearest: nearest(name, METHODS),
                });
            }
        };
        let mut nodes = Vec::with_capacity(2);
        for part in [target, &call.args[0]] {
            match self.expression(part)? {
                (node, Type::Text | Type::Any) => nodes.push(node),
                (_, found) => {
                    return self.mismatch(part, format!("a text is needed here, and this is {}", found.words()));
                }
            }
        }
        let pair: Box<[Node; 2]> = nodes.into_boxed_slice().try_into().expect("two parts were pushed");
        Ok((Node::Text(test, pair), Type::Bool))
    }

    pub(super) fn host_call(&mut self, whole: &IdedExpr, call: &CallExpr) -> Result<Typed, ConditionError> {
        let name = call.func_name.as_str();
        let position = self.position(whole);
        let Some(function) = self.scope.functions.iter().find(|function| function.name == name) else {
            if OWN_FUNCTIONS.contains(&name) {
                return self.mismatch(whole, format!("{name} takes one argument"));
            }
            let known = self.scope.functions.iter().map(|function| function.name).chain(OWN_FUNCTIONS);
            let nearest = nearest(name, known);
            return Err(ConditionError::Unknown { position, what: "function", name: name.into(), nearest });
        };
        if call.args.len() < function.required || call.args.len() > function.parameters.len() {
            return self.mismatch(whole, format!("{} is called as {}", name, signature(function)));
        }
        let mut arguments = Vec::with_capacity(call.args.len());
        for (arg, parameter) in call.args.iter().zip(function.parameters) {
            arguments.push(self.argument(arg, parameter, function.name)?);
        }
        let same = |known: &Call| known.function == function.name && known.arguments == arguments;
        let index = match self.calls.iter().position(same) {
            Some(index) => index,
            None => {
                self.calls.push(Call { function: function.name, arguments, position });
                self.calls.len() - 1
            }
        };
        // MAX_NODES bounds the calls far below u16::MAX.
        Ok((Node::Call(index as u16), function.result))
    }

    fn argument(
        &mut self,
        arg: &IdedExpr,
        parameter: &Parameter,
        function: &'static str,
    ) -> Result<Literal, ConditionError> {
        let Node::Constant(constant) = self.expression(arg)?.0 else {
            return self.mismatch(arg, format!("{function} takes constants only, such as \"Order Completed\""));
        };
        match (parameter.takes, constant) {
            (Type::Text, Constant::Text(text)) => Ok(Literal::Text(text)),
            (Type::Number, Constant::Number(number)) => Ok(Literal::Number(number)),
            (Type::Bool, Constant::Bool(truth)) => Ok(Literal::Bool(truth)),
            (Type::Duration, Constant::Duration(span)) => Ok(Literal::Duration(span)),
            (Type::Duration, Constant::Text(text)) => match Duration::parse(&text) {
                Ok(span) => Ok(Literal::Duration(span)),
                Err(error) => self.mismatch(arg, format!("{function}: {}: {error}", parameter.name)),
            },
            (takes, _) => self.mismatch(arg, format!("{function}: {} must be {}", parameter.name, takes.words())),
        }
    }
}

fn signature(function: &crate::Function) -> String {
    let mut text = format!("{}(", function.name);
    for (index, parameter) in function.parameters.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { ", " });
        text.push_str(parameter.name);
        text.push_str(if index < function.required { "" } else { "?" });
    }
    text.push(')');
    text
}
