//! Definitions, compiled: conditions of segments with their calls bound to features, in an order in which every segment
//! comes after those that it asks about.
//!
//! A call such as `count("Order Completed", "30d")` is a feature. If no declared feature is the same, one is added
//! behind the declared ones, for the segments alone: models and pages see the declared ones only.

use rapport_condition::{Call, Function, Parameter, Program, Scope, Type};
use rapport_profile::{Aggregate, EventFilter, FeatureDefinition, FeatureSet, Window};
use rapport_types::HOUR_MS;

use crate::definitions::{Definitions, Mistake, SCORES_MAX, SEGMENTS_MAX, ScoreDefinition, SegmentDefinition};
use crate::label::Labels;

const EVENT: Parameter = Parameter { name: "event", takes: Type::Text };
const PROPERTY: Parameter = Parameter { name: "property", takes: Type::Text };
const WINDOW: Parameter = Parameter { name: "window", takes: Type::Duration };
const NAME: Parameter = Parameter { name: "name", takes: Type::Text };

const fn aggregate(name: &'static str, result: Type) -> Function {
    Function { name, parameters: &[EVENT, PROPERTY, WINDOW], required: 2, result }
}

const fn by_name(name: &'static str, result: Type) -> Function {
    Function { name, parameters: &[NAME], required: 1, result }
}

/// What the condition of a segment may use.
pub(crate) const SCOPE: Scope<'static> = Scope {
    functions: &[
        Function { name: "count", parameters: &[EVENT, WINDOW], required: 1, result: Type::Number },
        Function { name: "recency", parameters: &[EVENT], required: 1, result: Type::Duration },
        aggregate("sum", Type::Number),
        aggregate("mean", Type::Number),
        aggregate("min", Type::Number),
        aggregate("max", Type::Number),
        aggregate("distinct", Type::Number),
        aggregate("last", Type::Any),
        by_name("feature", Type::Any),
        by_name("score", Type::Number),
        by_name("in_segment", Type::Bool),
    ],
    roots: &["attributes"],
    fields: None,
};

/// What a call of a condition asks of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A feature's value.
    Feature(usize),
    /// How long ago, by a recency feature.
    Since(usize),
    /// A score.
    Score(Box<str>),
    /// Membership of a segment, by its place.
    Segment(usize),
}

/// A compiled segment.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Its place among the declared ones: its bit.
    pub(crate) place: usize,
    pub(crate) name: Box<str>,
    pub(crate) program: Program,
    /// What the program's calls ask, by their index.
    pub(crate) asks: Vec<Ask>,
}

/// Compiled definitions.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    pub(crate) features: FeatureSet,
    /// How many of the features are declared; the others are for segments alone.
    pub(crate) declared: usize,
    /// In an order in which each comes after those that it asks about.
    pub(crate) segments: Vec<Segment>,
    /// In the order of the scores.
    pub(crate) labels: Vec<Labels>,
    pub(crate) definitions: Definitions,
}

/// Compiles definitions; every mistake is reported.
pub(crate) fn compile(definitions: Definitions) -> Result<Compiled, Vec<Mistake>> {
    let mut mistakes = check_names(&definitions);
    let mut features = definitions.features.clone();
    let mut segments = Vec::new();
    for (place, segment) in definitions.segments.iter().enumerate() {
        match compile_segment(place, segment, &definitions, &mut features) {
            Ok(compiled) => segments.push(compiled),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    let set = match FeatureSet::compile(&features) {
        Ok(set) => set,
        Err(wrong) => {
            mistakes.extend(wrong.iter().map(|mistake| at("features", mistake)));
            return Err(mistakes);
        }
    };
    for (place, score) in definitions.scores.iter().enumerate() {
        mistakes.extend(check_label(&format!("scores[{place}]"), score));
        let known = set.index_of(&score.baseline).filter(|index| *index < definitions.features.len());
        if !known.is_some_and(|index| set.is_number(index)) {
            let what = format!("baseline: there is no declared feature \"{}\" that is a number", score.baseline);
            mistakes.push(at(&format!("scores[{place}]"), &what));
        }
    }
    if mistakes.is_empty() && segments.len() == definitions.segments.len() {
        match in_order(segments) {
            Ok(segments) => {
                let declared = definitions.features.len();
                // A condition that does not compile was a mistake above.
                let labels = definitions.scores.iter().filter_map(|score| Labels::new(score).ok()).collect();
                return Ok(Compiled { features: set, declared, segments, labels, definitions });
            }
            Err(mistake) => mistakes.push(mistake),
        }
    }
    Err(mistakes)
}

fn at(path: &str, what: &dyn std::fmt::Display) -> Mistake {
    Mistake { path: path.to_owned(), what: what.to_string() }
}

/// Trainings are told where the models of a score of this name would be.
const RESERVED: &str = "jobs";

fn check_names(definitions: &Definitions) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let segments = definitions.segments.iter().map(|segment| &*segment.name).collect::<Vec<_>>();
    let scores = definitions.scores.iter().map(|score| &*score.name).collect::<Vec<_>>();
    for (list, names, most) in [("segments", segments, SEGMENTS_MAX), ("scores", scores, SCORES_MAX)] {
        if names.len() > most {
            mistakes.push(at(list, &format!("{} are declared; at most {most} are possible", names.len())));
        }
        for (place, name) in names.iter().enumerate() {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let path = format!("{list}[{place}].name");
            if name.is_empty() || name.len() > 64 || !name.chars().all(word) {
                mistakes.push(at(&path, &format!("\"{name}\" must be 1 to 64 letters, digits or _")));
            }
            if list == "scores" && *name == RESERVED {
                mistakes.push(at(&path, &format!("\"{name}\" is taken by the API; choose another name")));
            }
            if names[..place].contains(name) {
                mistakes.push(at(&path, &format!("\"{name}\" is declared twice")));
            }
        }
    }
    mistakes
}

/// What is wrong with how a score's moments are labelled, and when it is trained again.
fn check_label(path: &str, score: &ScoreDefinition) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let conditions = [("when", &score.when), ("outcome.when", &score.outcome.when)];
    for (field, source) in conditions.into_iter().filter_map(|(field, source)| Some((field, source.as_ref()?))) {
        if let Err(what) = EventFilter::compile(source) {
            mistakes.push(at(&format!("{path}.{field}"), &what));
        }
    }
    let outcome = &score.outcome;
    if outcome.only_answered && outcome.when.is_none() {
        mistakes.push(at(
            &format!("{path}.outcome"),
            &"only_answered needs a condition in when, which tells good from bad",
        ));
    }
    if outcome.only_answered && outcome.absent {
        mistakes.push(at(&format!("{path}.outcome"), &"only_answered and absent contradict one another; take one"));
    }
    if score.retrain.every.is_some_and(|every| every.0 < HOUR_MS) {
        mistakes.push(at(&format!("{path}.retrain.every"), &"it must be an hour at least"));
    }
    if score.retrain.on_drift.is_some_and(|limit| !(limit.is_finite() && limit > 0.0)) {
        mistakes.push(at(&format!("{path}.retrain.on_drift"), &"it must be a number above 0, such as 0.25"));
    }
    mistakes
}

fn compile_segment(
    place: usize,
    segment: &SegmentDefinition,
    definitions: &Definitions,
    features: &mut Vec<FeatureDefinition>,
) -> Result<Segment, Mistake> {
    let path = format!("segments[{place}].when");
    let program = Program::compile(&segment.when, &SCOPE).map_err(|error| at(&path, &error))?;
    if !matches!(program.result_type(), Type::Bool | Type::Any) {
        return Err(at(&path, &"the condition of a segment must be true or false"));
    }
    let mut asks = Vec::new();
    for (index, call) in program.calls().iter().enumerate() {
        let ask = bind(call, definitions, features).map_err(|what| at(&path, &format!("{}: {what}", call.position)))?;
        if matches!(ask, Ask::Since(_)) && !program.is_only_compared(index) {
            let what = "recency must be compared with a span, as in recency(\"Order Completed\") > duration(\"30d\"): \
                        only then is it known when the condition changes";
            return Err(at(&path, &format!("{}: {what}", call.position)));
        }
        asks.push(ask);
    }
    Ok(Segment { place, name: segment.name.clone(), program, asks })
}

/// What a call asks; a feature for it is added if there is none.
fn bind(call: &Call, definitions: &Definitions, features: &mut Vec<FeatureDefinition>) -> Result<Ask, String> {
    let first = call.text(0).expect("the first argument of every function is a text");
    let known = |what: &str| format!("there is no {what} \"{first}\"");
    let aggregate = match call.function {
        "feature" => {
            let place = definitions.features.iter().position(|feature| &*feature.name == first);
            return place.map(Ask::Feature).ok_or_else(|| known("declared feature"));
        }
        "score" => {
            let found = definitions.scores.iter().any(|score| &*score.name == first);
            return found.then(|| Ask::Score(first.into())).ok_or_else(|| known("declared score"));
        }
        "in_segment" => {
            let place = definitions.segments.iter().position(|segment| &*segment.name == first);
            return place.map(Ask::Segment).ok_or_else(|| known("segment"));
        }
        "recency" => {
            let wanted = implicit(call, Aggregate::Recency, None, Window::Lifetime);
            return Ok(Ask::Since(place_of(wanted, features)));
        }
        "count" => Aggregate::Count,
        "sum" => Aggregate::Sum,
        "mean" => Aggregate::Mean,
        "min" => Aggregate::Min,
        "max" => Aggregate::Max,
        "distinct" => Aggregate::Distinct,
        "last" => Aggregate::Last,
        other => unreachable!("{other} is not a function of the scope"),
    };
    let counts = aggregate == Aggregate::Count;
    let value = if counts { None } else { call.text(1) };
    let span = call.span(if counts { 1 } else { 2 });
    let window = span.map_or(Window::Lifetime, Window::Sliding);
    Ok(Ask::Feature(place_of(implicit(call, aggregate, value, window), features)))
}

fn implicit(call: &Call, aggregate: Aggregate, value: Option<&str>, window: Window) -> FeatureDefinition {
    FeatureDefinition {
        name: Box::default(),
        title: None,
        event: call.text(0).map(Into::into),
        filter: None,
        aggregate,
        value: value.map(Into::into),
        window,
        n: None,
    }
}

/// The place of a feature that is `wanted` but for its name and title; it is added if there is none.
fn place_of(mut wanted: FeatureDefinition, features: &mut Vec<FeatureDefinition>) -> usize {
    let same = |feature: &FeatureDefinition| {
        let mut plain = feature.clone();
        (plain.name, plain.title) = (Box::default(), None);
        plain == wanted
    };
    features.iter().position(same).unwrap_or_else(|| {
        wanted.name = format!("_{}", features.len()).into();
        features.push(wanted);
        features.len() - 1
    })
}

/// Sorts segments so that each comes after those that it asks about; of equals the earlier declared first.
fn in_order(segments: Vec<Segment>) -> Result<Vec<Segment>, Mistake> {
    let mut waiting = segments;
    let mut sorted: Vec<Segment> = Vec::new();
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|segment| {
            let done = |ask: &Ask| match ask {
                Ask::Segment(place) => sorted.iter().any(|other| other.place == *place),
                Ask::Feature(_) | Ask::Since(_) | Ask::Score(_) => true,
            };
            segment.asks.iter().all(done)
        });
        let Some(ready) = ready else {
            let names = waiting.iter().map(|segment| &*segment.name).collect::<Vec<_>>().join(", ");
            return Err(at("segments", &format!("these ask about each other in a circle: {names}")));
        };
        sorted.push(waiting.remove(ready));
    }
    Ok(sorted)
}
