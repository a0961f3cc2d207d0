//! Conditions over typed fields: what they say, what is refused with which words, and the SQL that they become.

use rapport_condition::{
    Call, ConditionError, Environment, Fields, Function, Program, Scalar, Scope, SqlBackend, SqlHost, Type,
};
use rapport_types::{DAY_MS, Timestamp, Value};
use sea_query::{Expr, PostgresQueryBuilder, Query, SqliteQueryBuilder};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

struct Deal;

impl Fields for Deal {
    fn kind(&self, path: &[&str]) -> Option<Type> {
        Some(match path {
            ["name" | "stage" | "company"] | ["company", "industry"] => Type::Text,
            ["amount"] => Type::Number,
            ["vip"] => Type::Bool,
            ["tags"] => Type::List,
            ["close_date"] => Type::Time,
            ["extra"] => Type::Any,
            _ => return None,
        })
    }

    fn names(&self) -> Vec<String> {
        ["name", "stage", "company", "company.industry", "amount", "vip", "tags", "close_date", "extra"]
            .map(str::to_owned)
            .into()
    }
}

fn compile(source: &str) -> Result<Program, ConditionError> {
    const FUNCTIONS: &[Function] = &[
        Function { name: "now", parameters: &[], required: 0, result: Type::Time },
        Function { name: "me", parameters: &[], required: 0, result: Type::Text },
    ];
    Program::compile(source, &Scope { functions: FUNCTIONS, roots: &[], fields: Some(&Deal) })
}

struct World {
    tags: Vec<Value>,
}

impl Environment for World {
    fn call(&self, _index: usize) -> Scalar<'_> {
        Scalar::Time(NOW)
    }

    fn path(&self, _root: &'static str, _names: &[Box<str>]) -> Scalar<'_> {
        unreachable!("the scope has no roots")
    }

    fn field(&self, path: &[Box<str>]) -> Scalar<'_> {
        match (&*path[0], path.len()) {
            ("name", 1) => Scalar::Text("Hannah"),
            ("company", 1) => Scalar::Text("c-1"),
            ("company", 2) => Scalar::Text("retail"),
            ("amount", 1) => Scalar::Number(1_200.0),
            ("tags", 1) => Scalar::List(&self.tags),
            ("close_date", 1) => Scalar::Time(Timestamp(NOW.0 - DAY_MS)),
            _ => Scalar::Null,
        }
    }
}

#[test]
fn true_conditions() {
    for source in [
        "amount > 1000 && company.industry == \"retail\" && company == \"c-1\"",
        "\"vip\" in tags && size(tags) == 1",
        "name.search(\"ANN\") && !name.contains(\"ANN\")",
        "close_date < now() && close_date + duration(\"1d\") == now() && now() - close_date == duration(\"24h\")",
        "close_date > timestamp(\"2023-11-01\") && close_date < timestamp(\"2024-01-01T00:00:00+01:00\")",
        "timestamp(\"2024-01-02\") - timestamp(\"2024-01-01\") == duration(\"1d\")",
        "duration(\"1d\") + timestamp(\"2024-01-01\") == timestamp(\"2024-01-02\")",
        "stage == null && has(company.industry)",
    ] {
        let program = compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        assert!(program.eval_bool(&World { tags: vec![Value::from("vip")] }), "{source} must be true");
    }
}

#[test]
fn mistakes_are_told() {
    for (source, words) in [
        ("amuont > 1", "there is no field \"amuont\"; did you mean \"amount\"?"),
        ("compny.industry == \"x\"", "did you mean \"company.industry\"?"),
        ("company.industri == \"x\"", "did you mean \"company.industry\"?"),
        ("has(company.nothing_like_it)", "there is no field \"company.nothing_like_it\""),
        ("company.industry.part == 1", "it has nothing named \"part\""),
        ("has(amount)", "has takes a name with a dot"),
        ("amount == \"many\"", "a number cannot be compared with a text"),
        ("name > 3", "a text cannot be compared with a number"),
        ("close_date > 3", "an instant such as timestamp(\"2026-01-31\") cannot be compared with a number"),
        ("close_date > \"2026-01-01\"", "an instant"),
        ("close_date > duration(\"1d\")", "a span"),
        ("close_date + close_date == now()", "cannot be calculated with"),
        ("duration(\"1d\") - close_date == now()", "cannot be calculated with"),
        ("close_date * 2 == now()", "cannot be calculated with"),
        ("-close_date == now()", "a number is needed"),
        ("timestamp(\"soon\") == now()", "\"soon\" is not an ISO 8601 instant"),
        ("timestamp(name) == now()", "timestamp needs a text"),
        ("amount.search(\"1\")", "a text is needed here"),
        ("name.search()", "search takes one argument"),
        ("tags == tags", "lists cannot be compared"),
    ] {
        let error = match compile(source) {
            Err(error) => error.to_string(),
            Ok(program) => panic!("{source} was accepted as {program:?}"),
        };
        assert!(error.contains(words), "{source}: \"{error}\" does not say \"{words}\"");
    }
}

struct Host(SqlBackend);

impl SqlHost for Host {
    fn backend(&self) -> SqlBackend {
        self.0
    }

    fn field(&self, path: &[Box<str>]) -> Result<Expr, ConditionError> {
        Ok(Expr::col(path.join(".")))
    }

    fn head(&self, path: &[Box<str>]) -> Option<(Expr, usize)> {
        let is_held = self.0 == SqlBackend::Postgres && path[0].as_ref() == "stage";
        let head = sea_query::Func::cust("left").args([Expr::col(path.join(".")), Expr::Constant(4.into())]);
        is_held.then(|| (head.into(), 4))
    }

    fn id(&self, text: &str) -> Option<i64> {
        text.strip_prefix("id-")?.parse().ok()
    }

    fn holds(&self, path: &[Box<str>], item: Expr, _kind: Type, _text: Option<&str>) -> Result<Expr, ConditionError> {
        Ok(sea_query::Func::cust("holds").args([Expr::col(path.join(".")), item]).into())
    }

    fn size(&self, path: &[Box<str>]) -> Result<Expr, ConditionError> {
        Ok(sea_query::Func::cust("items").arg(Expr::col(path.join("."))).into())
    }

    fn call(&self, call: &Call) -> Result<Scalar<'_>, ConditionError> {
        Ok(if call.function == "me" { Scalar::Text("u-1") } else { Scalar::Time(NOW) })
    }
}

/// What stands behind WHERE, and how many values are bound.
fn sql(source: &str, backend: SqlBackend) -> (String, usize) {
    let program = compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let condition = program.to_sql(&Host(backend)).unwrap_or_else(|error| panic!("{source}: {error}"));
    let select = Query::select().column("id").from("deal").and_where(condition).take();
    let (sql, values) = match backend {
        SqlBackend::Sqlite => select.build(SqliteQueryBuilder),
        SqlBackend::Postgres => select.build(PostgresQueryBuilder),
    };
    let (_, condition) = sql.split_once(" WHERE ").expect("it has a condition");
    (condition.to_owned(), values.0.len())
}

#[test]
fn sqlite_gets_plain_comparisons() {
    for (source, expected, bound) in [
        ("amount > 1000 && stage == \"won\" || vip", r#"("amount" > ? AND "stage" = ?) OR "vip""#, 2),
        ("name == \"'; DROP TABLE x; --\"", r#""name" = ?"#, 1),
        ("stage in [\"won\", me(), null]", r#""stage" IN (?, ?)"#, 2),
        ("stage != \"won\"", r#"NOT COALESCE("stage" = ?, FALSE)"#, 1),
        ("stage != null && tags == null", r#""stage" IS NOT NULL AND items("tags") IS NULL"#, 0),
        ("close_date > now() - duration(\"30d\")", r#""close_date" > ? - ?"#, 2),
        ("name.startsWith(\"ab\")", r#""name" >= ? AND "name" < ?"#, 2),
        ("name.contains(\"%\")", r#"instr("name", ?) > 0"#, 1),
        ("name.search(\"ANN\")", r#"instr(fold("name"), ?) > 0"#, 1),
        ("\"vip\" in tags", r#"holds("tags", ?)"#, 1),
        ("stage in []", "FALSE", 0),
    ] {
        assert_eq!(sql(source, SqlBackend::Sqlite), (expected.to_owned(), bound), "{source}");
    }
}

#[test]
fn postgres_is_told_kinds_and_collations() {
    for (source, expected) in [
        ("amount > 1000", r#""amount" > CAST($1 AS double precision)"#),
        ("vip == true", r#""vip" = CAST($1 AS boolean)"#),
        ("name < \"x\"", r#"("name" COLLATE "C") < CAST($1 AS text)"#),
        ("close_date < now()", r#""close_date" < CAST($1 AS bigint)"#),
    ] {
        assert_eq!(sql(source, SqlBackend::Postgres).0, expected, "{source}");
    }
}

#[test]
fn an_index_is_asked_by_the_head_of_a_text() {
    let is = r#"left("stage", 4) IN (CAST($1 AS text))"#;
    let whole = r#"left("stage", 4) IN (CAST($1 AS text)) AND "stage" IN (CAST($2 AS text))"#;
    let begins =
        r#"(left("stage", 4) COLLATE "C") >= CAST($1 AS text) AND (left("stage", 4) COLLATE "C") < CAST($2 AS text)"#;
    for (source, expected, bound) in [
        ("stage == \"won\"", is, 1),
        ("\"北京市\" == stage", is, 1),
        ("stage == \"lost\"", whole, 2),
        ("stage == \"北京市区内\"", whole, 2),
        ("stage in [\"won\", null]", is, 1),
        ("stage in [\"lost by us\"]", whole, 2),
        ("stage.startsWith(\"lost\")", begins, 2),
        ("stage == null", r#""stage" IS NULL"#, 0),
        ("stage != \"won\"", r#"NOT COALESCE("stage" = CAST($1 AS text), FALSE)"#, 1),
        ("stage == name", r#"("stage" COLLATE "C") = "name""#, 0),
    ] {
        assert_eq!(sql(source, SqlBackend::Postgres), (expected.to_owned(), bound), "{source}");
    }
    let longer = sql("stage.startsWith(\"lost by\")", SqlBackend::Postgres).0;
    assert!(longer.contains(r#""stage" COLLATE "C""#) && !longer.contains("left"), "{longer}");
}

#[test]
fn the_sql_grows_with_the_program_only() {
    for backend in [SqlBackend::Sqlite, SqlBackend::Postgres] {
        let deep = |levels: usize| {
            let sum = (0..levels).fold("amount".to_owned(), |inner, _| format!("({inner} * amount)"));
            sql(&format!("{sum} > 1"), backend).0.len()
        };
        let step = deep(11) - deep(10);
        assert!(deep(28) <= deep(10) + 18 * (step + 20), "{backend:?}: {} for 28 levels", deep(28));
    }
}

#[test]
fn what_cannot_be_asked_is_refused() {
    for (source, words) in [
        ("amount % 2 == 0", "the remainder %"),
        ("tags[0] == \"a\"", "a place in a list"),
        ("extra == 1", "a field other than"),
        ("name in extra", "`in` with anything but"),
        ("name.contains(vip ? name : stage)", "a text test whose argument is calculated"),
        ("(vip ? name : amount) == null", "of different kinds"),
        ("close_date - duration(\"999999999d\") > now()", "280000 years"),
        ("name == \"a\\u0000b\"", "U+0000"),
        ("amount", "neither true nor false"),
    ] {
        let program = compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        let error = program.to_sql(&Host(SqlBackend::Sqlite)).expect_err(source).to_string();
        assert!(error.contains(words), "{source}: \"{error}\" does not say \"{words}\"");
    }
}
