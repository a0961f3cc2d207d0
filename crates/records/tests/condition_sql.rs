//! A condition over records says the same wherever it is asked: `eval` over a row in memory, and the SQL over the same row in
//! a database. Random conditions meet random rows; another database joins by being a [`Database`].

use std::cell::RefCell;

use proptest::{
    collection::vec,
    option::weighted,
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use rapport_condition::{
    Call, ConditionError, Environment, Fields, Function, Program, Scalar, Scope, SqlBackend, SqlHost, Type, fold,
};
use rapport_types::{Duration, Timestamp, Value};
use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    params_from_iter,
};
use sea_query::{Alias, Expr, ExprTrait, Order, Query, SelectStatement, SqliteQueryBuilder};

const NOW: Timestamp = Timestamp(1_700_000_000_123);
const TODAY: Timestamp = Timestamp(1_699_920_000_000);
const ME: &str = "it's \"me\"";

const FUNCTIONS: &[Function] = &[
    Function { name: "now", parameters: &[], required: 0, result: Type::Time },
    Function { name: "today", parameters: &[], required: 0, result: Type::Time },
    Function { name: "me", parameters: &[], required: 0, result: Type::Text },
];

/// The fields; `company.industry` is in another table.
const FIELDS: &[(&str, Type)] = &[
    ("name", Type::Text),
    ("stage", Type::Text),
    ("owner", Type::Text),
    ("company.industry", Type::Text),
    ("amount", Type::Number),
    ("seats", Type::Number),
    ("vip", Type::Bool),
    ("close_date", Type::Time),
    ("created_at", Type::Time),
    ("term", Type::Duration),
    ("tags", Type::List),
];

struct Table;

impl Fields for Table {
    fn kind(&self, path: &[&str]) -> Option<Type> {
        let name = path.join(".");
        FIELDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    fn names(&self) -> Vec<String> {
        FIELDS.iter().map(|(name, _)| (*name).to_owned()).collect()
    }
}

fn compile(source: &str) -> Result<Program, ConditionError> {
    Program::compile(source, &Scope { functions: FUNCTIONS, roots: &[], fields: Some(&Table) })
}

/// One record and the industry of its company.
#[derive(Debug, Clone, Default)]
struct Row {
    name: Option<String>,
    stage: Option<String>,
    owner: Option<String>,
    industry: Option<String>,
    amount: Option<f64>,
    seats: Option<i64>,
    vip: Option<bool>,
    close_date: Option<i64>,
    created_at: Option<i64>,
    term: Option<i64>,
    tags: Option<Vec<Value>>,
}

fn answer(call: &Call) -> Scalar<'static> {
    match call.function {
        "now" => Scalar::Time(NOW),
        "today" => Scalar::Time(TODAY),
        _ => Scalar::Text(ME),
    }
}

/// A row in memory.
struct World<'a>(&'a Program, &'a Row);

impl Environment for World<'_> {
    fn call(&self, index: usize) -> Scalar<'_> {
        answer(&self.0.calls()[index])
    }

    fn path(&self, _root: &'static str, _names: &[Box<str>]) -> Scalar<'_> {
        unreachable!("the scope has no roots")
    }

    fn field(&self, path: &[Box<str>]) -> Scalar<'_> {
        let row = self.1;
        let time = |ms| Scalar::Time(Timestamp(ms));
        let value = match &*path[0] {
            "name" => row.name.as_deref().map(Scalar::Text),
            "stage" => row.stage.as_deref().map(Scalar::Text),
            "owner" => row.owner.as_deref().map(Scalar::Text),
            "company" => row.industry.as_deref().map(Scalar::Text),
            "amount" => row.amount.map(Scalar::Number),
            "seats" => row.seats.map(|seats| Scalar::Number(seats as f64)),
            "vip" => row.vip.map(Scalar::Bool),
            "close_date" => row.close_date.map(time),
            "created_at" => row.created_at.map(time),
            "term" => row.term.map(|ms| Scalar::Duration(Duration(ms))),
            "tags" => row.tags.as_deref().map(Scalar::List),
            other => unreachable!("{other} is no field"),
        };
        value.unwrap_or_default()
    }
}

/// Where rows are stored and asked.
trait Database {
    /// Stores these rows instead of the ones before.
    fn store(&mut self, rows: &[Row]);

    /// The places of the rows of which the program is true, in order.
    fn ask(&mut self, program: &Program) -> Vec<usize>;
}

fn column(path: &[Box<str>]) -> Expr {
    match path {
        [name] => Expr::col(("record", Alias::new(&**name))),
        _ => Expr::col((Alias::new(&*path[0]), Alias::new(&*path[1]))),
    }
}

fn query(program: &Program, host: &dyn SqlHost) -> SelectStatement {
    let condition = program.to_sql(host).unwrap_or_else(|error| panic!("{program:?}: {error}"));
    Query::select()
        .column(("record", "id"))
        .from("record")
        .left_join("company", Expr::col(("company", "id")).equals(("record", "id")))
        .and_where(condition)
        .order_by(("record", "id"), Order::Asc)
        .take()
}

struct Sqlite(Connection);

impl Sqlite {
    fn open() -> Self {
        let connection = Connection::open_in_memory().expect("opens");
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        let folded = |context: &mut Context<'_>| Ok(context.get::<Option<String>>(0)?.map(|text| fold(&text)));
        connection.create_scalar_function("fold", 1, flags, folded).expect("is registered");
        let tables = "CREATE TABLE company (id INTEGER PRIMARY KEY, industry TEXT);
            CREATE TABLE record (id INTEGER PRIMARY KEY, name TEXT, stage TEXT, owner TEXT, amount REAL, seats INTEGER,
                vip INTEGER, close_date INTEGER, created_at INTEGER, term INTEGER, tags TEXT);
            CREATE INDEX by_name ON record (name);";
        connection.execute_batch(tables).expect("are created");
        Self(connection)
    }

    fn select(program: &Program) -> (String, Vec<rusqlite::types::Value>) {
        let (sql, values) = query(program, &SqliteHost).build(SqliteQueryBuilder);
        (sql, values.into_iter().map(sqlite_value).collect())
    }
}

fn sqlite_value(value: sea_query::Value) -> rusqlite::types::Value {
    match value {
        sea_query::Value::Bool(Some(truth)) => i64::from(truth).into(),
        sea_query::Value::Int(Some(number)) => number.into(),
        sea_query::Value::BigInt(Some(number)) => number.into(),
        sea_query::Value::Double(Some(number)) => number.into(),
        sea_query::Value::String(Some(text)) => text.into(),
        other => panic!("{other:?} is bound"),
    }
}

impl Database for Sqlite {
    fn store(&mut self, rows: &[Row]) {
        self.0.execute_batch("DELETE FROM record; DELETE FROM company;").expect("are emptied");
        for (place, row) in rows.iter().enumerate() {
            let place = place as i64;
            let tags = row.tags.as_ref().map(|tags| serde_json::to_string(tags).expect("is JSON"));
            let record = rusqlite::params![
                place,
                row.name,
                row.stage,
                row.owner,
                row.amount,
                row.seats,
                row.vip,
                row.close_date,
                row.created_at,
                row.term,
                tags
            ];
            let mut insert = self.0.prepare_cached("INSERT INTO record VALUES (?,?,?,?,?,?,?,?,?,?,?)").expect("SQL");
            insert.execute(record).expect("is stored");
            let mut insert = self.0.prepare_cached("INSERT INTO company VALUES (?, ?)").expect("SQL");
            insert.execute(rusqlite::params![place, row.industry]).expect("is stored");
        }
    }

    fn ask(&mut self, program: &Program) -> Vec<usize> {
        let (sql, values) = Self::select(program);
        let mut statement = self.0.prepare(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let ids = statement.query_map(params_from_iter(values), |row| row.get::<_, i64>(0)).expect("is asked");
        ids.map(|id| id.expect("an id") as usize).collect()
    }
}

struct SqliteHost;

impl SqlHost for SqliteHost {
    fn backend(&self) -> SqlBackend {
        SqlBackend::Sqlite
    }

    fn field(&self, path: &[Box<str>]) -> Result<Expr, ConditionError> {
        Ok(column(path))
    }

    /// Some texts of the rows are longer, some as long, some have this one's head in common.
    fn head(&self, path: &[Box<str>]) -> Option<(Expr, usize)> {
        let letters = 2;
        let head = sea_query::Func::cust("substr").args([column(path), Expr::val(1), Expr::val(letters)]);
        (path[0].as_ref() == "stage").then(|| (head.into(), letters as usize))
    }

    fn id(&self, _: &str) -> Option<i64> {
        None
    }

    fn holds(&self, path: &[Box<str>], item: Expr, _kind: Type, _text: Option<&str>) -> Result<Expr, ConditionError> {
        let sql = "EXISTS (SELECT 1 FROM json_each(?) AS item WHERE item.value = ?)";
        Ok(Expr::cust_with_exprs(sql, [column(path), item]))
    }

    fn size(&self, path: &[Box<str>]) -> Result<Expr, ConditionError> {
        Ok(Expr::cust_with_exprs("json_array_length(?)", [column(path)]))
    }

    fn call(&self, call: &Call) -> Result<Scalar<'_>, ConditionError> {
        Ok(answer(call))
    }
}

/// Asserts that the database and `eval` choose the same rows, and gives their places.
fn agree(database: &mut dyn Database, source: &str, rows: &[Row]) -> Vec<usize> {
    let program = compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let of_eval = |place: &usize| program.eval_bool(&World(&program, &rows[*place]));
    let expected: Vec<usize> = (0..rows.len()).filter(of_eval).collect();
    assert_eq!(database.ask(&program), expected, "{source} over {rows:?}");
    expected
}

// Random conditions and rows.

/// Texts with which SQL, LIKE and alphabets could go wrong.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "A",
    "ab",
    "AB",
    "abc",
    "b",
    "it's",
    ME,
    "%",
    "_",
    "a%",
    "a_b",
    "a\\b",
    "\\",
    "'; DROP TABLE record; --",
    "?",
    "$1",
    "1",
    "1.0",
    "true",
    "null",
    "北京",
    "北",
    "京都",
    "Ä",
    "ä",
    "A\u{308}",
    "ΟΔΟΣ",
    "οδος",
    "ος",
    "οσ",
    "İ",
    "i",
    "Straße",
    "😀",
    "\u{ffff}",
    "\u{10ffff}",
    "\u{d7ff}x",
];
const NUMBERS: &[f64] = &[0.0, -0.0, 1.0, -1.0, 2.0, 3.0, 0.1, 0.2, 0.3, 1.5, 7.0, -2.5, 1e15, 1e300, -1e300, 1e-300];
const WHOLE: &[i64] = &[0, 1, 2, 3, 7, -1, -7, 1_000_000_007, 9_007_199_254_740_991, -9_007_199_254_740_991];
const DAY: i64 = 86_400_000;
const TIMES: &[i64] =
    &[0, 1, -1, NOW.0, TODAY.0, NOW.0 - DAY, TODAY.0 + 30 * DAY, 1_767_225_600_000, -62_135_596_800_000];
const SPANS: &[i64] = &[0, 1, DAY, -DAY, 30 * DAY, 3_600_000];

type Source = BoxedStrategy<String>;

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn any_row() -> impl Strategy<Value = Row> {
    let text = || weighted(0.8, select(TEXTS).prop_map(str::to_owned));
    let time = || weighted(0.8, select(TIMES));
    let tags = weighted(0.8, vec(select(TEXTS).prop_map(Value::from), 0..4));
    let numbers = (weighted(0.8, select(NUMBERS)), weighted(0.8, select(WHOLE)), any::<Option<bool>>());
    let times = (time(), time(), weighted(0.8, select(SPANS)));
    ((text(), text(), text(), text()), numbers, times, tags).prop_map(|(texts, numbers, times, tags)| {
        let (name, stage, owner, industry) = texts;
        let (amount, seats, vip) = numbers;
        let (close_date, created_at, term) = times;
        Row { name, stage, owner, industry, amount, seats, vip, close_date, created_at, term, tags }
    })
}

fn one_of(sources: &'static [&'static str]) -> Source {
    select(sources).prop_map(str::to_owned).boxed()
}

fn text_leaf() -> Source {
    let fields = one_of(&["name", "stage", "owner", "company.industry", "me()"]);
    prop_oneof![2 => fields, 1 => select(TEXTS).prop_map(quoted)].boxed()
}

fn number_leaf() -> Source {
    let fields = one_of(&["amount", "seats", "size(name)", "size(tags)", "company.industry.size()"]);
    let constants = select(NUMBERS).prop_map(|number| format!("({number:?})"));
    prop_oneof![3 => fields, 2 => constants].boxed()
}

fn leaf(kind: Type) -> Source {
    match kind {
        Type::Text => text_leaf(),
        Type::Number => number_leaf(),
        Type::Time => one_of(&[
            "close_date",
            "created_at",
            "now()",
            "today()",
            "timestamp(\"2026-01-01\")",
            "timestamp(\"2023-11-14T22:13:20.123Z\")",
        ]),
        _ => one_of(&["term", "duration(\"30d\")", "duration(\"1ms\")", "(close_date - created_at)", "(-term)"]),
    }
}

/// A value of one kind, with calculations, and choices by `truth`.
fn value(kind: Type, truth: &Source) -> Source {
    let truth = truth.clone();
    let grown = move |inner: Source| {
        let or_none = prop_oneof![3 => inner.clone(), 1 => Just("null".to_owned())];
        let choice = (truth.clone(), inner.clone(), or_none)
            .prop_map(|(condition, yes, no)| format!("(({condition}) ? {yes} : {no})"));
        let (operators, right) = match kind {
            Type::Number => (one_of(&["+", "-", "*", "/"]), inner.clone()),
            Type::Time => (one_of(&["+", "-"]), leaf(Type::Duration)),
            Type::Duration => (one_of(&["+", "-"]), inner.clone()),
            _ => return choice.boxed(),
        };
        let calculated =
            (inner, operators, right).prop_map(|(one, operator, other)| format!("({one} {operator} {other})"));
        prop_oneof![1 => choice, 3 => calculated].boxed()
    };
    leaf(kind).prop_recursive(3, 8, 2, grown).boxed()
}

fn text_test(truth: &Source) -> Source {
    let methods = one_of(&["contains", "startsWith", "endsWith", "search"]);
    let whole = prop_oneof![3 => text_leaf(), 1 => value(Type::Text, truth)];
    (whole, methods, text_leaf()).prop_map(|(whole, method, part)| format!("{whole}.{method}({part})")).boxed()
}

fn compared(kind: Type, truth: &Source) -> Source {
    let comparisons = one_of(&["==", "!=", "<", "<=", ">", ">="]);
    (value(kind, truth), comparisons, value(kind, truth))
        .prop_map(|(one, comparison, other)| format!("{one} {comparison} {other}"))
        .boxed()
}

fn among(kind: Type, truth: &Source) -> Source {
    (value(kind, truth), vec(value(kind, truth), 0..4))
        .prop_map(|(value, choices)| format!("{value} in [{}]", choices.join(", ")))
        .boxed()
}

fn condition() -> Source {
    let flat = one_of(&[
        "true",
        "false",
        "vip",
        "vip == true",
        "vip != false",
        "vip < true",
        "vip == null",
        "name == null",
        "amount != null",
        "!has(company.industry)",
        "has(company.industry)",
        "tags != null",
        "amount / seats == null",
        "(vip ? vip : null) == null",
    ]);
    let grown = |truth: Source| {
        let joined = (truth.clone(), one_of(&["&&", "||", "==", "!=", "<"]), truth.clone())
            .prop_map(|(one, operator, other)| format!("({one}) {operator} ({other})"));
        let chosen = (truth.clone(), truth.clone(), truth.clone())
            .prop_map(|(condition, yes, no)| format!("({condition}) ? ({yes}) : ({no})"));
        prop_oneof![
            2 => compared(Type::Number, &truth),
            2 => compared(Type::Text, &truth),
            1 => compared(Type::Time, &truth),
            1 => compared(Type::Duration, &truth),
            3 => text_test(&truth),
            1 => among(Type::Text, &truth),
            1 => among(Type::Number, &truth),
            1 => value(Type::Text, &truth).prop_map(|item| format!("{item} in tags")),
            2 => truth.prop_map(|inner| format!("!({inner})")),
            3 => joined,
            1 => chosen,
        ]
    };
    flat.prop_recursive(3, 24, 3, grown).boxed()
}

/// Random conditions over random rows.
fn agrees_at_random(database: &mut dyn Database, cases: u32) {
    let database = RefCell::new(database);
    let case = |(source, rows): (String, Vec<Row>)| {
        match compile(&source) {
            Ok(_) => {
                let mut database = database.borrow_mut();
                database.store(&rows);
                agree(&mut **database, &source, &rows);
            }
            // Constants are calculated when compiled, where a division by zero is refused; and chance can make too much.
            Err(error) => {
                let is_fine = matches!(error, ConditionError::TooComplex { .. } | ConditionError::TooLong { .. });
                prop_assert!(is_fine || error.to_string().contains("no finite result"), "{}: {}", source, error);
            }
        }
        Ok(())
    };
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    if let Err(error) = runner.run(&(condition(), vec(any_row(), 1..12)), case) {
        panic!("{error}");
    }
}

/// The condition of the documentation, and what could break out of its quotes.
fn agrees_on_known_cases(database: &mut dyn Database) {
    let text = |text: &str| Some(text.to_owned());
    let full = Row {
        name: text("Hannah O'Neil"),
        stage: text("won"),
        owner: text(ME),
        industry: text("retail"),
        amount: Some(2_500.5),
        seats: Some(7),
        vip: Some(true),
        close_date: Some(NOW.0 + DAY),
        created_at: Some(NOW.0 - DAY),
        term: Some(30 * DAY),
        tags: Some(vec![Value::from("vip"), Value::from("100%")]),
    };
    let hostile = Row { name: text("'; DROP TABLE record; --"), stage: text("100%_\\"), ..Row::default() };
    let rows = [full, hostile, Row::default()];
    database.store(&rows);
    for (source, expected) in [
        (
            "amount > 1000 && stage == \"won\" && company.industry == \"retail\" && \"vip\" in tags \
             && close_date < timestamp(\"2026-01-01T00:00:00Z\") && created_at > now() - duration(\"30d\") && owner == me()",
            &[0][..],
        ),
        ("name == \"'; DROP TABLE record; --\"", &[1]),
        ("name.search(\"drop table\") || name.startsWith(\"Hann\")", &[0, 1]),
        ("name.search(\"HANNAH o'\")", &[0]),
        ("name.contains(\"hannah\")", &[]),
        ("stage.contains(\"%_\") && stage.endsWith(\"_\\\\\")", &[1]),
        ("stage.contains(\"0_\")", &[]),
        ("\"100%\" in tags && !(\"100_\" in tags)", &[0]),
        ("amount != 1", &[0, 1, 2]),
        ("!(amount == 2500.5)", &[1, 2]),
        ("seats / 2 == 3.5", &[0]),
        ("amount / (seats - 7) == null", &[0, 1, 2]),
        ("close_date - created_at == duration(\"2d\")", &[0]),
        ("stage in [\"won\", \"lost\"]", &[0]),
        ("stage >= \"Won\" && stage < \"x\"", &[0]),
        ("size(tags) == 2 && size(name) == 13", &[0]),
    ] {
        assert_eq!(agree(database, source, &rows), expected, "{source}");
    }
}

#[test]
fn sqlite_agrees_on_known_cases() {
    agrees_on_known_cases(&mut Sqlite::open());
}

#[test]
fn an_index_is_used() {
    let Sqlite(connection) = Sqlite::open();
    for source in ["name == \"a\"", "vip && name.startsWith(\"a\")", "name in [\"a\", me()]"] {
        let (sql, values) = Sqlite::select(&compile(source).expect(source));
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("is planned");
        let steps = plan.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).expect("is explained");
        let steps: Vec<String> = steps.map(|step| step.expect("a step")).collect();
        assert!(
            steps.iter().any(|step| step.contains("SEARCH record") && step.contains("INDEX by_name")),
            "{source}: {steps:?}"
        );
    }
}

#[test]
fn sqlite_agrees_at_random() {
    agrees_at_random(&mut Sqlite::open(), 1_000);
}
