//! From the syntax tree of the `cel` crate to the compact form, with all names and types checked.

use cel::{
    common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators},
    parser::{ParseErrors, Parser},
};

use crate::{
    Call, ConditionError, MAX_DEPTH, MAX_NODES, Position, Program, Scalar, Scope, Type,
    error::nearest,
    eval::{Arithmetic, Comparison, Constant, Node, calculate},
    guard,
    scope::Fields,
};

mod functions;

/// A compiled part and what is known of its value.
type Typed = (Node, Type);

pub(crate) fn compile(source: &str, scope: &Scope<'_>) -> Result<Program, ConditionError> {
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
    if text.contains("ecursion") {
        return ConditionError::TooComplex { position, what: "too many levels", limit: MAX_DEPTH };
    }
    let text = text.trim_start_matches("Syntax error: ").replace("<EOF>", "the end of the condition");
    let text = text.split(" expecting {").next().unwrap_or_default();
    let shown: String = text.chars().take(200).collect();
    let message = if source.contains('=') && shown.contains("'='") {
        "a single = is not known; compare with ==".to_owned()
    } else if shown.contains("has() macro") {
        "has takes a name with a dot, such as has(company.industry); of others ask whether they are != null".to_owned()
    } else {
        format!("this cannot be read: {shown}")
    };
    ConditionError::Syntax { position, message }
}

struct Compiler<'s> {
    source: &'s str,
    places: SourceInfo,
    scope: &'s Scope<'s>,
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
            Expr::Ident(name) => self.name(expression, name),
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

    /// A name that stands alone: a root of the scope, or a field.
    fn name(&self, expression: &IdedExpr, name: &str) -> Result<Typed, ConditionError> {
        match self.root(name) {
            Some(root) => Ok((Node::Path { root, names: Box::default() }, Type::Any)),
            None => self.field(expression, &[name]),
        }
    }

    fn root(&self, name: &str) -> Option<&'static str> {
        self.scope.roots.iter().find(|root| **root == name).copied()
    }

    fn field(&self, expression: &IdedExpr, path: &[&str]) -> Result<Typed, ConditionError> {
        let fields = self.scope.fields;
        if let Some(kind) = fields.and_then(|fields| fields.kind(path)) {
            return Ok((Node::Field { path: path.iter().map(|name| (*name).into()).collect(), kind }, kind));
        }
        let name = path.join(".");
        let names = fields.map(Fields::names).unwrap_or_default();
        let known = self.scope.roots.iter().copied().chain(names.iter().map(String::as_str));
        let nearest = nearest(&name, known);
        let what = if fields.is_some() { "field" } else { "name" };
        Err(ConditionError::Unknown { position: self.position(expression), what, name: name.into(), nearest })
    }

    fn select(&mut self, select: &SelectExpr) -> Result<Typed, ConditionError> {
        let (node, found) = match &select.operand.expr {
            Expr::Ident(first) if self.scope.fields.is_some() && self.root(first).is_none() => {
                self.field(&select.operand, &[first, &select.field])?
            }
            _ => self.part(select)?,
        };
        if select.test {
            return Ok((Node::Not(Box::new(Node::IsNull(Box::new(node)))), Type::Bool));
        }
        Ok((node, found))
    }

    /// What is named below a value that is no plain name.
    fn part(&mut self, select: &SelectExpr) -> Result<Typed, ConditionError> {
        let (node, found) = self.expression(&select.operand)?;
        if found != Type::Any {
            let message = format!("this is {}; it has nothing named \"{}\"", found.words(), select.field);
            return self.mismatch(&select.operand, message);
        }
        Ok((below(node, &select.field), Type::Any))
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
            ("timestamp", [arg]) => self.timestamp(arg),
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
        let is_equality = matches!(comparison, Comparison::Equal | Comparison::Unequal);
        if (a == Type::Id || b == Type::Id) && !is_equality {
            return self.mismatch(whole, "an id is neither smaller nor larger than another; compare with == or !=");
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
        let Some(result) = calculated(operator, a, b) else {
            let message = format!("{} and {} cannot be calculated with like this", a.words(), b.words());
            return self.mismatch(whole, message);
        };
        if let (Node::Constant(left), Node::Constant(right)) = (&left, &right) {
            return match calculate(operator, left.scalar(), right.scalar()) {
                Scalar::Number(number) => Ok((Node::Constant(Constant::Number(number)), result)),
                Scalar::Duration(span) => Ok((Node::Constant(Constant::Duration(span)), result)),
                Scalar::Time(instant) => Ok((Node::Constant(Constant::Time(instant)), result)),
                _ => self.mismatch(whole, "this has no finite result"),
            };
        }
        Ok((Node::Arithmetic(operator, Box::new([left, right])), result))
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

/// What a calculation gives; none where the operands do not fit it.
fn calculated(operator: Arithmetic, one: Type, other: Type) -> Option<Type> {
    use Type::{Any, Duration, Number, Time};
    let is_sum = operator == Arithmetic::Add;
    Some(match (one, other) {
        (Any, Any) if is_sum || operator == Arithmetic::Subtract => Any,
        (Number | Any, Number | Any) => Number,
        _ if !is_sum && operator != Arithmetic::Subtract => return None,
        (Duration, Duration) => Duration,
        (Time, Duration) => Time,
        (Duration | Any, Time) | (Time, Any) if is_sum => Time,
        (Time | Any, Time) | (Duration, Any) if !is_sum => Duration,
        // The value that is not known yet can be an instant or a span.
        (Any, Duration) | (Duration | Time, Any) => Any,
        _ => return None,
    })
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
