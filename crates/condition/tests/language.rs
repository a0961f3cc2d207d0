//! Tables of conditions: what they say of a known environment, and what is refused with which words.

use rapport_condition::{ConditionError, Environment, Function, Parameter, Program, Scalar, Scope, Type};
use rapport_types::Value;

const EVENT: Parameter = Parameter { name: "event", takes: Type::Text };
const WINDOW: Parameter = Parameter { name: "window", takes: Type::Duration };

const SCOPE: Scope<'static> = Scope {
    functions: &[
        Function { name: "count", parameters: &[EVENT, WINDOW], required: 1, result: Type::Number },
        Function { name: "recency", parameters: &[EVENT], required: 1, result: Type::Duration },
        Function { name: "in_segment", parameters: &[EVENT], required: 1, result: Type::Bool },
        Function { name: "feature", parameters: &[EVENT], required: 1, result: Type::Any },
    ],
    roots: &["attributes"],
    fields: None,
};

/// Calls answer the number of characters of their first argument, as the kind that they declare; recency in days.
struct World<'a> {
    program: &'a Program,
    attributes: Value,
}

impl Environment for World<'_> {
    fn call(&self, index: usize) -> Scalar<'_> {
        let call = &self.program.calls()[index];
        let text = call.text(0).expect("the first argument is a text");
        match call.function {
            "recency" => Scalar::Duration(rapport_types::Duration(text.len() as i64 * rapport_types::DAY_MS)),
            "in_segment" => Scalar::Bool(text == "vip"),
            "feature" if text == "missing" => Scalar::Null,
            _ => Scalar::Number(text.len() as f64),
        }
    }

    fn path(&self, _root: &'static str, names: &[Box<str>]) -> Scalar<'_> {
        let Value::Object(object) = &self.attributes else { return Scalar::Null };
        Scalar::from(object.path(names.iter().map(|name| &**name)))
    }
}

fn attributes() -> Value {
    let json = r#"{"plan":"gold","age":41,"tags":["a","b"],"address":{"city":"北京"},"none":null,"ok":true,"zero":0}"#;
    serde_json::from_str(json).expect("JSON")
}

fn holds(source: &str) -> bool {
    let program = Program::compile(source, &SCOPE).unwrap_or_else(|error| panic!("{source}: {error}"));
    program.eval_bool(&World { program: &program, attributes: attributes() })
}

#[test]
fn true_conditions() {
    for source in [
        "true",
        "!false",
        "1 + 2 * 3 == 7",
        "(1 + 2) * 3 == 9",
        "7 % 4 == 3 && 7 / 2 == 3.5",
        "-3 < 2",
        "attributes.plan == \"gold\"",
        "attributes.plan == 'gold' && attributes.age > 40",
        "attributes[\"plan\"] == \"gold\"",
        "attributes.address.city == \"北京\"",
        "attributes.address.city.size() == 2",
        "size(attributes.tags) == 2",
        "\"a\" in attributes.tags",
        "attributes.tags[1] == \"b\"",
        "attributes.plan in [\"silver\", \"gold\"]",
        "attributes.plan.startsWith(\"go\") && attributes.plan.endsWith(\"ld\") && attributes.plan.contains(\"ol\")",
        "has(attributes.plan) && !has(attributes.other)",
        "attributes.other == null && attributes.none == null",
        "attributes.ok",
        "attributes.ok ? true : false",
        "count(\"four\") == 4",
        "count(\"four\", \"30d\") == 4 && count(\"four\", duration(\"30d\")) == 4",
        "recency(\"four\") == duration(\"4d\") && recency(\"four\") < duration(\"5d\")",
        "in_segment(\"vip\") && !in_segment(\"other\")",
        "feature(\"abc\") * 2 == 6",
        "duration(\"1d\") + duration(\"12h\") == duration(\"36h\")",
    ] {
        assert!(holds(source), "{source} must be true");
    }
}

#[test]
fn no_value_is_never_true() {
    for source in [
        "attributes.other",
        "attributes.other == attributes.another",
        "attributes.other < 1",
        "attributes.other >= 1",
        "attributes.other + 1 == 1",
        "attributes.plan > 3",
        "attributes.age / attributes.zero == 1",
        "attributes.age / attributes.zero > 0",
        "attributes.tags[9] == \"b\"",
        "attributes.plan.city == \"x\"",
        "feature(\"missing\") < 5",
        "attributes.age.startsWith(\"4\")",
        "\"x\" in attributes.plan",
    ] {
        assert!(!holds(source), "{source} must not be true");
    }
    assert!(holds("attributes.other != 1"), "no value is unequal to everything");
    assert!(holds("!(attributes.other == 1)"));
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (source, words) in [
        ("", "empty"),
        ("1 +", "column 4"),
        ("cuont(\"x\") > 1", "did you mean \"count\""),
        ("atributes.plan == 1", "did you mean \"attributes\""),
        ("count(attributes.plan) > 1", "constants only"),
        ("count() > 1", "event"),
        ("count(\"x\", \"30d\", 3) > 1", "count"),
        ("count(\"x\", \"thirty days\") > 1", "thirty days"),
        ("count(\"x\") == \"many\"", "a number"),
        ("recency(\"x\") > 30", "span"),
        ("true && 3", "true or false"),
        ("[1, 2].map(x, x)", "line 1, column"),
        ("{\"a\": 1} == 1", "cannot be used"),
        ("b\"bytes\" == 1", "cannot be used"),
    ] {
        let error = match Program::compile(source, &SCOPE) {
            Err(error) => error.to_string(),
            Ok(program) => panic!("{source} was accepted as {program:?}"),
        };
        assert!(error.contains(words), "{source}: \"{error}\" does not say \"{words}\"");
    }
}

#[test]
fn hostile_sources_are_refused() {
    let deep_brackets = format!("{}1{}", "(".repeat(1_000), ")".repeat(1_000));
    let deep_not = format!("{}true", "!".repeat(2_000));
    let many = vec!["attributes.a == 1"; 200].join(" || ");
    let long = format!("attributes.a == \"{}\"", "x".repeat(5_000));
    let deep_lists = format!("{}{}", "[".repeat(1_500), "]".repeat(1_500));
    let conditional = format!("{}true", "true ? true : ".repeat(250));
    for source in [&deep_brackets, &deep_not, &many, &long, &deep_lists, &conditional] {
        assert!(Program::compile(source, &SCOPE).is_err(), "{}... was accepted", &source[..40]);
    }
    // Between what is allowed and what the guard before the parser refuses, the parser itself must bear it.
    for levels in [20, 60, 100, 200] {
        let brackets = format!("{}true{}", "(".repeat(levels), ")".repeat(levels));
        let choices = (0..levels / 3).fold("true".to_owned(), |inner, _| format!("(true ? ({inner}) : false)"));
        for source in [brackets, choices] {
            if let Err(error) = Program::compile(&source, &SCOPE) {
                assert!(matches!(error, ConditionError::TooComplex { .. }), "{levels}: {error}");
            }
        }
    }
}

#[test]
fn comparisons_tell_when_a_call_matters() {
    let source =
        "recency(\"a\") > duration(\"30d\") && recency(\"a\") <= duration(\"90d\") || recency(\"b\") == recency(\"a\")";
    let program = Program::compile(source, &SCOPE).expect("compiles");
    let day = 86_400_000.0;
    assert_eq!(program.calls().len(), 2, "the same call is asked once");
    assert_eq!(program.comparisons(0), [30.0 * day, 90.0 * day]);
    assert!(!program.is_only_compared(0), "it is also compared with another call");
    let program =
        Program::compile("recency(\"a\") > duration(\"30d\") || recency(\"a\") == null", &SCOPE).expect("compiles");
    assert!(program.is_only_compared(0));
    assert_eq!(program.result_type(), Type::Bool);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(source in "[ -~]{0,80}") {
        if let Ok(program) = Program::compile(&source, &SCOPE) {
            let _truth: bool = program.eval_bool(&World { program: &program, attributes: attributes() });
        }
    }

    #[test]
    fn arithmetic_is_that_of_f64(a in -1_000i32..1_000, b in 1i32..1_000) {
        let (x, y) = (f64::from(a), f64::from(b));
        let source = format!("({a}) * {b} + ({a}) / {b} - {b} == {:?}", x * y + x / y - y);
        proptest::prop_assert!(holds(&source), "{}", source);
    }
}
