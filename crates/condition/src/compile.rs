//! From the syntax tree of the `cel` crate to the compact form, with all names and types checked.

use cel::{
    common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators},
    parser::{ParseErrors, Parser},
};
use rapport_types::Duration;

use crate::{
    Call, ConditionError, Literal, MAX_DEPTH, MAX_NODES, Parameter, Position, Program, Scalar, Scope, Type,
    error::nearest,
    eval::{Arithmetic, Comparison, Constant, Node, TextTest, calculate},
    guard,
};

/// The functions that every scope has.
const OWN_FUNCTIONS: [&str; 3] = ["duration", "has", "size"];
/// What can be called on a value.
const METHODS: [&str; 4] = ["contains", "endsWith", "size", "startsWith"];

/// A compiled part and what is known of its value.
type Typed = (Node, Type);

pub(crate) fn compile(source: &str, scope: &Scope) -> Result<Program, ConditionError> {
    guard::check(source)?;
    let parser = Parser::new().max_recursion_depth(2 * MAX_DEPTH as u16).error_recovery_limit(4);
    let (tree, places) = parser.parse_with_source_info(source).map_err(|errors| syntax(source, &errors))?;
    let mut compiler = Compiler { source, places, scope, calls: Vec::new(), nodes: 0, depth: 0 };
    let (root, result) = compiler.expression(&tree)?;
    let mut program = Program { root, result, calls: compiler.calls, comparisons: Vec::new() };
    program.find_comparisons();
    Ok(program)
}

/// The first of the parser's errors, in our words where we have some.
fn syntax(source: &str, errors: &ParseErrors) -> ConditionError {
    let (at, text) = errors.errors.first().map_or(((1, 1), ""), |error| (error.pos, error.msg.as_str()));
    // The parser counts lines from 1 and columns from 1; (0, 0) where it does not know.
    let position = Position { line: at.0.max(1) as u32, column: at.1.max(1) as u32 };
    if text.contains("recursion") {
        return ConditionError::TooComplex { position, what: "too many levels", limit: MAX_DEPTH };
    }
    let text = text.trim_start_matches("Syntax error: ").replace("<EOF>", "the end of the condition");
    let text = text.split(" expecting {").next().unwrap_or_default();
    let shown: String = text.chars().take(200).collect();
    let message = if source.contains('=') && shown.contains("'='") {
        "a single = is not known; compare with ==".to_owned()
    } else {
        format!("this cannot be read: {shown}")
    };
    ConditionError::Syntax { position, message }
}

struct Compiler<'s> {
    source: &'s str,
    places: SourceInfo,
    scope: &'s Scope,
    calls: Vec<Call>,
    nodes: usize,
    depth: usize,
}

impl Compiler<'_> {
    fn position(&self, expression: &IdedExpr) -> Position {
        let offset = self.places.offset_for(expression.id).map_or(0, |(start, _)| start as usize);
        Position::of(self.source, offset)
    }

    fn mismatch<T>(&self, expression: &IdedExpr, message: impl Into<String>) -> Result<T, ConditionError> {
        Err(ConditionError::Mismatch { position: self.position(expression), message: message.into() })
    }

    fn unsupported<T>(&self, expression: &IdedExpr, what: &'static str) -> Result<T, ConditionError> {
        Err(ConditionError::Unsupported { position: self.position(expression), what })
    }

    fn expression(&mut self, expression: &IdedExpr) -> Result<Typed, ConditionError> {
        self.nodes += 1;
        self.depth += 1;
        let too_complex = if self.nodes > MAX_NODES {
            Some(("too many parts", MAX_NODES))
        } else {
            (self.depth > MAX_DEPTH).then_some(("too many levels", MAX_DEPTH))
        };
        if let Some((what, limit)) = too_complex {
            return Err(ConditionError::TooComplex { position: self.position(expression), what, limit });
        }
        let typed = self.any_expression(expression);
        self.depth -= 1;
        typed
    }

    fn any_expression(&mut self, expression: &IdedExpr) -> Result<Typed, ConditionError> {
        match &expression.expr {
            Expr::Literal(literal) => self.literal(expression, literal),
            Expr::Ident(name) => {
                Ok((Node::Path { root: self.root(expression, name)?, names: Box::default() }, Type::Any))
            }
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(expression, call),
            Expr::List(_) => self.unsupported(expression, "a list other than at the right of `in`"),
            Expr::Map(_) | Expr::Struct(_) => self.unsupported(expression, "a map or a message"),
            Expr::Comprehension(_) => self.unsupported(expression, "all, exists, exists_one, map or filter"),
            Expr::Unspecified => self.mismatch(expression, "something is missing here"),
        }
    }

    fn literal(&self, expression: &IdedExpr, literal: &LiteralValue) -> Result<Typed, ConditionError> {
        let number = |number: f64| (Node::Constant(Constant::Number(number)), Type::Number);
        Ok(match literal {
            LiteralValue::Boolean(truth) => (Node::Constant(Constant::Bool(*truth.inner())), Type::Bool),
            LiteralValue::Double(value) if value.inner().is_finite() => number(*value.inner()),
            LiteralValue::Double(_) => return self.mismatch(expression, "this number is too large"),
            LiteralValue::Int(value) => number(*value.inner() as f64),
            LiteralValue::UInt(value) => number(*value.inner() as f64),
            LiteralValue::Null => (Node::Constant(Constant::Null), Type::Any),
            LiteralValue::String(text) => (Node::Constant(Constant::Text(text.inner().into())), Type::Text),
            LiteralValue::Bytes(_) => return self.unsupported(expression, "a byte text"),
        })
    }

    fn root(&self, expression: &IdedExpr, name: &str) -> Result<&'static str, ConditionError> {
        let roots = self.scope.roots;
        roots.iter().find(|root| **root == name).copied().ok_or_else(|| ConditionError::Unknown {
            position: self.position(expression),
            what: "name",
            name: name.into(),
            nearest: nearest(name, roots.iter().copied()),
        })
    }

    fn select(&mut self, select: &SelectExpr) -> Result<Typed, ConditionError> {
        let (node, found) = self.expression(&select.operand)?;
        if found != Type::Any {
            let message = format!("this is {}; it has nothing named \"{}\"", found.words(), select.field);
            return self.mismatch(&select.operand, message);
        }
        let node = below(node, &select.field);
        if select.test {
            return Ok((Node::Not(Box::new(Node::IsNull(Box::new(node)))), Type::Bool));
        }
        Ok((node, Type::Any))
    }

    fn call(&mut self, expression: &IdedExpr, call: &CallExpr) -> Result<Typed, ConditionError> {
        if let Some(target) = &call.target {
            return self.method(expression, call, target);
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, args) => self.logical(args, true),
            (operators::LOGICAL_OR, args) => self.logical(args, false),
            (operators::LOGICAL_NOT, [arg]) => {
                let node = self.truth(arg)?;
                Ok((Node::Not(Box::new(node)), Type::Bool))
            }
            (operators::NEGATE, [arg]) => self.negate(arg),
            (operators::CONDITIONAL, [condition, yes, no]) => self.choose(condition, yes, no),
            (operators::INDEX, [of, place]) => self.index(of, place),
            (operators::IN, [value, list]) => self.within(value, list),
            ("size", [arg]) => self.size(arg),
            ("duration", [arg]) => self.duration(arg),
            (name, [one, other]) => {
                if let Some(comparison) = comparison(name) {
                    self.compare(expression, comparison, one, other)
                } else if let Some(arithmetic) = arithmetic(name) {
                    self.arithmetic(expression, arithmetic, one, other)
                } else {
                    self.host_call(expression, call)
                }
            }
            _ => self.host_call(expression, call),
        }
    }

    /// An expression that must be true or false.
    fn truth(&mut self, expression: &IdedExpr) -> Result<Node, ConditionError> {
        let (node, found) = self.expression(expression)?;
        if found.fits(Type::Bool) {
            return Ok(node);
        }
        self.mismatch(expression, format!("true or false is needed here, and this is {}", found.words()))
    }

    fn logical(&mut self, args: &[IdedExpr], all: bool) -> Result<Typed, ConditionError> {
        let mut nodes = Vec::with_capacity(args.len());
        for arg in args {
            match self.truth(arg)? {
                Node::All(inner) if all => nodes.extend(inner),
                Node::Any(inner) if !all => nodes.extend(inner),
                node => nodes.push(node),
            }
        }
        Ok((if all { Node::All(nodes.into()) } else { Node::Any(nodes.into()) }, Type::Bool))
    }

    fn negate(&mut self, arg: &IdedExpr) -> Result<Typed, ConditionError> {
        let (node, found) = self.expression(arg)?;
        match (node, found) {
            (Node::Constant(Constant::Number(number)), _) => {
                Ok((Node::Constant(Constant::Number(-number)), Type::Number))
            }
            (node, Type::Number | Type::Duration | Type::Any) => Ok((Node::Negate(Box::new(node)), found)),
            _ => self.mismatch(arg, format!("a number is needed here, and this is {}", found.words())),
        }
    }

    fn choose(&mut self, condition: &IdedExpr, yes: &IdedExpr, no: &IdedExpr) -> Result<Typed, ConditionError> {
        let condition = self.truth(condition)?;
        let (yes, one) = self.expression(yes)?;
        let (no, other) = self.expression(no)?;
        let result = if one == other { one } else { Type::Any };
        Ok((Node::Choose(Box::new([condition, yes, no])), result))
    }

    fn index(&mut self, of: &IdedExpr, place: &IdedExpr) -> Result<Typed, ConditionError> {
        let (node, found) = self.expression(of)?;
        if !matches!(found, Type::Any | Type::List) {
            return self.mismatch(of, format!("this is {}; only lists and objects have parts", found.words()));
        }
        match self.expression(place)? {
            (Node::Constant(Constant::Text(name)), _) => Ok((below(node, &name), Type::Any)),
            (index, Type::Number | Type::Text | Type::Any) => Ok((Node::Index(Box::new([node, index])), Type::Any)),
            _ => self.mismatch(place, "a number or a name is needed in the brackets"),
        }
    }

    fn within(&mut self, value: &IdedExpr, list: &IdedExpr) -> Result<Typed, ConditionError> {
        let (node, found) = self.expression(value)?;
        if let Expr::List(choices) = &list.expr {
            let mut nodes = Vec::with_capacity(choices.elements.len());
            for choice in &choices.elements {
                let (choice_node, kind) = self.expression(choice)?;
                if !kind.fits(found) {
                    let message = format!("this is {}, and what is looked for is {}", kind.words(), found.words());
                    return self.mismatch(choice, message);
                }
                nodes.push(choice_node);
            }
            return Ok((Node::OneOf(Box::new(node), nodes.into()), Type::Bool));
        }
        match self.expression(list)? {
            (list, Type::Any | Type::List) => Ok((Node::In(Box::new([node, list])), Type::Bool)),
            (_, found) => self.mismatch(list, format!("a list is needed here, and this is {}", found.words())),
        }
    }

    fn compare(
        &mut self,
        whole: &IdedExpr,
        comparison: Comparison,
        one: &IdedExpr,
        other: &IdedExpr,
    ) -> Result<Typed, ConditionError> {
        let (left, a) = self.expression(one)?;
        let (right, b) = self.expression(other)?;
        let is_null = |node: &Node| matches!(node, Node::Constant(Constant::Null));
        if is_null(&left) || is_null(&right) {
            let node = Node::IsNull(Box::new(if is_null(&left) { right } else { left }));
            return match comparison {
                Comparison::Equal => Ok((node, Type::Bool)),
                Comparison::Unequal => Ok((Node::Not(Box::new(node)), Type::Bool)),
                _ => self.mismatch(whole, "null is neither smaller nor larger than anything; compare with == or !="),
            };
        }
        if !a.fits(b) {
            let message = format!("{} cannot be compared with {}", a.words(), b.words());
            return self.mismatch(whole, message);
        }
        if a == Type::List || b == Type::List {
            return self.mismatch(whole, "lists cannot be compared; ask with `in` or size()");
        }
        Ok((Node::Compare(comparison, Box::new([left, right])), Type::Bool))
    }

    fn arithmetic(
        &mut self,
        whole: &IdedExpr,
        operator: Arithmetic,
        one: &IdedExpr,
        other: &IdedExpr,
    ) -> Result<Typed, ConditionError> {
        let (left, a) = self.expression(one)?;
        let (right, b) = self.expression(other)?;
        let additive = matches!(operator, Arithmetic::Add | Arithmetic::Subtract);
        let result = match (a, b) {
            (Type::Duration, Type::Duration | Type::Any) | (Type::Any, Type::Duration) if additive => Type::Duration,
            (Type::Any, Type::Any) if additive => Type::Any,
            (Type::Number | Type::Any, Type::Number | Type::Any) => Type::Number,
            _ => {
                let message = format!("{} and {} cannot be calculated with like this", a.words(), b.words());
                return self.mismatch(whole, message);
            }
        };
        if let (Node::Constant(left), Node::Constant(right)) = (&left, &right) {
            return match calculate(operator, left.scalar(), right.scalar()) {
                Scalar::Number(number) => Ok((Node::Constant(Constant::Number(number)), result)),
                Scalar::Duration(span) => Ok((Node::Constant(Constant::Duration(span)), result)),
                _ => self.mismatch(whole, "this has no finite result"),
            };
        }
        Ok((Node::Arithmetic(operator, Box::new([left, right])), result))
    }

    fn size(&mut self, arg: &IdedExpr) -> Result<Typed, ConditionError> {
        match self.expression(arg)? {
            (node, Type::Text | Type::List | Type::Any) => Ok((Node::Size(Box::new(node)), Type::Number)),
            (_, found) => self.mismatch(arg, format!("size needs a text or a list, and this is {}", found.words())),
        }
    }

    fn duration(&mut self, arg: &IdedExpr) -> Result<Typed, ConditionError> {
        let (Node::Constant(Constant::Text(text)), _) = self.expression(arg)? else {
            return self.mismatch(arg, "duration needs a text such as \"30d\"");
        };
        match Duration::parse(&text) {
            Ok(span) => Ok((Node::Constant(Constant::Duration(span)), Type::Duration)),
            Err(error) => self.mismatch(arg, error.to_string()),
        }
    }

    fn method(&mut self, whole: &IdedExpr, call: &CallExpr, target: &IdedExpr) -> Result<Typed, ConditionError> {
        let test = match (call.func_name.as_str(), call.args.as_slice()) {
            ("size", []) => return self.size(target),
            ("startsWith", [_]) => TextTest::StartsWith,
            ("endsWith", [_]) => TextTest::EndsWith,
            ("contains", [_]) => TextTest::Contains,
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

    fn host_call(&mut self, whole: &IdedExpr, call: &CallExpr) -> Result<Typed, ConditionError> {
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

/// `node.name`; a path grows by the name.
fn below(node: Node, name: &str) -> Node {
    match node {
        Node::Path { root, names } => {
            let mut names = names.into_vec();
            names.push(name.into());
            Node::Path { root, names: names.into() }
        }
        node => Node::Member(Box::new(node), name.into()),
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

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        operators::EQUALS => Comparison::Equal,
        operators::NOT_EQUALS => Comparison::Unequal,
        operators::LESS => Comparison::Less,
        operators::LESS_EQUALS => Comparison::LessOrEqual,
        operators::GREATER => Comparison::Greater,
        operators::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn arithmetic(name: &str) -> Option<Arithmetic> {
    Some(match name {
        operators::ADD => Arithmetic::Add,
        operators::SUBSTRACT => Arithmetic::Subtract,
        operators::MULTIPLY => Arithmetic::Multiply,
        operators::DIVIDE => Arithmetic::Divide,
        operators::MODULO => Arithmetic::Remainder,
        _ => return None,
    })
}
