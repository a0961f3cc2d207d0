//! What conditions stand on: an object's fields, their columns, and who asks.
//!
//! A condition of a user may name only what the user sees; the permission of a related record's object is part of the
//! subquery that looks at it, so that nothing of a hidden record is found out by asking.

use rapport_condition::{Call, ConditionError, Fields, Function, Program, Scalar, Scope, SqlBackend, SqlHost, Type};
use rapport_types::{DAY_MS, Timestamp};
use sea_query::{Alias, Expr, ExprTrait as _, Func, Query, SelectStatement};

use crate::{
    Access, Backend, Reach, RecordsError, Verb,
    schema::{Field, FieldKind, Object, Schema, Stored, table_of, teams},
    value::MONEY_UNIT,
};

const FUNCTIONS: &[Function] = &[
    Function { name: "now", parameters: &[], required: 0, result: Type::Time },
    Function { name: "today", parameters: &[], required: 0, result: Type::Time },
    Function { name: "me", parameters: &[], required: 0, result: Type::Text },
];

/// An object as a condition sees it.
pub(crate) struct Ground<'g> {
    pub(crate) schema: &'g Schema,
    pub(crate) object: &'g Object,
    /// Who asks; none for conditions that Rapport itself asks, such as those of roles.
    access: Option<&'g Access>,
    /// Who `me()` is.
    me: String,
    now: Timestamp,
    backend: Backend,
    /// What the object's table is called in the statement.
    table: String,
    /// Whether records are found by another way than their owners, so that SQLite is to use no index of these.
    is_past_owners: bool,
}

impl<'g> Ground<'g> {
    pub(crate) fn new(
        schema: &'g Schema,
        object: &'g Object,
        access: &'g Access,
        now: Timestamp,
        backend: Backend,
    ) -> Self {
        let me = access.user.map_or_else(String::new, |user| user.to_string());
        Self {
            schema,
            object,
            access: Some(access),
            me,
            now,
            backend,
            table: table_of(&object.name),
            is_past_owners: false,
        }
    }

    /// The same for a query that finds records by another way than their owners.
    pub(crate) fn past_owners(self) -> Self {
        Self { is_past_owners: true, ..self }
    }

    /// What somebody reads who reads what they or their teams own, in the two parts that have an index each; none for others.
    pub(crate) fn of_team(&self, access: &Access) -> Option<[Expr; 2]> {
        match (access.reach(Verb::Read, self.object), access.user) {
            (Ok(Reach::Team), Some(user)) if !access.teams.is_empty() => Some([
                self.column("owner").eq(user.0),
                self.column("team").is_in(access.teams.iter().map(|team| team.0)),
            ]),
            _ => None,
        }
    }

    /// The same object, asked by Rapport itself.
    fn trusted(&self) -> Ground<'g> {
        Ground { access: None, me: self.me.clone(), table: self.table.clone(), ..*self }
    }

    /// The object of a relation, as a subquery sees it.
    fn related(&self, object: &'g Object) -> Ground<'g> {
        Ground { object, me: self.me.clone(), table: format!("{}_{}", self.table, object.name), ..*self }
    }

    /// A column of the object's table.
    pub(crate) fn column(&self, name: &str) -> Expr {
        Expr::col((Alias::new(&self.table), Alias::new(name)))
    }

    fn field_of(&self, name: &str) -> Option<&'g Field> {
        let seen = self.access.is_none_or(|access| access.may_see(&self.object.name, name));
        self.object.field(name).filter(|_| seen)
    }

    /// A condition as SQL, true of the rows that it is true of.
    pub(crate) fn filter(&self, source: &str) -> Result<Expr, RecordsError> {
        Ok(self.compile(source)?.to_sql(self)?)
    }

    /// Checks a condition.
    pub(crate) fn compile(&self, source: &str) -> Result<Program, ConditionError> {
        let scope = Scope { functions: FUNCTIONS, roots: &[], fields: Some(self) };
        let program = Program::compile(source, &scope)?;
        Ok(program)
    }

    /// The rows that a reach lets through; none where it is all of them.
    fn reached(&self, reach: &Reach, access: &Access) -> Result<Option<Expr>, RecordsError> {
        let column = |name: &str| match (self.is_past_owners, self.backend) {
            // To SQLite a value that is computed has no index.
            (true, Backend::Sqlite) => Expr::cust_with_exprs("+?", [self.column(name)]),
            _ => self.column(name),
        };
        let owned = || match access.user {
            Some(user) => column("owner").eq(user.0),
            None => Expr::Constant(false.into()),
        };
        Ok(match reach {
            Reach::All => None,
            Reach::None => Some(Expr::Constant(false.into())),
            Reach::Own => Some(owned()),
            Reach::Team if access.teams.is_empty() => Some(owned()),
            Reach::Team => Some(owned().or(column("team").is_in(access.teams.iter().map(|team| team.0)))),
            Reach::Condition(source) => Some(self.trusted().filter(source)?),
        })
    }

    /// The rows that somebody may do something with; refused where there can be none.
    pub(crate) fn permitted(&self, access: &Access, verb: Verb) -> Result<Option<Expr>, RecordsError> {
        self.reached(access.reach(verb, self.object)?, access)
    }

    /// A query of the object's table for the rows that somebody reads; without those in the trash.
    pub(crate) fn select(&self, access: &Access) -> Result<SelectStatement, RecordsError> {
        let mut query = self.select_any(access)?;
        query.and_where(self.column("deleted_at").is_null());
        Ok(query)
    }

    /// The same for the rows in the trash.
    pub(crate) fn select_trash(&self, access: &Access) -> Result<SelectStatement, RecordsError> {
        let mut query = self.select_any(access)?;
        query.and_where(self.column("deleted_at").is_not_null());
        Ok(query)
    }

    /// The same for the rows in the trash and the others.
    pub(crate) fn select_any(&self, access: &Access) -> Result<SelectStatement, RecordsError> {
        let mut query = Query::select();
        query.from(Alias::new(&self.table));
        if let Some(permitted) = self.permitted(access, Verb::Read)? {
            query.and_where(permitted);
        }
        Ok(query)
    }

    /// The value of a stored field as a condition compares it.
    fn value_of(&self, field: &Field) -> Result<Expr, ConditionError> {
        match &field.kind {
            FieldKind::Money => Ok(self.column(&field.name).cast_as("double precision").div(MONEY_UNIT)),
            FieldKind::Formula { expression } => self.formula(expression),
            _ => Ok(self.column(&field.name)),
        }
    }

    /// A formula's value. It may name stored fields of its own record only, which bounds how deep this goes.
    pub(crate) fn formula(&self, expression: &str) -> Result<Expr, ConditionError> {
        let ground = self.trusted();
        ground.compile(expression)?.to_sql_value(&ground)
    }

    /// Refuses formulas that cannot be computed.
    pub(crate) fn check_formulas(&self) -> Result<(), RecordsError> {
        for field in self.object.live_fields() {
            let FieldKind::Formula { expression } = &field.kind else { continue };
            let ground = self.trusted();
            let checked = ground.compile(expression).and_then(|program| {
                let others = |path: &[&str]| {
                    path.len() > 1
                        || self
                            .object
                            .field(path[0])
                            .is_some_and(|field| matches!(field.kind, FieldKind::Formula { .. }))
                };
                if program.names_field(others) {
                    return Err(ConditionError::NotInSql { what: "another formula, or a field of another record," });
                }
                program.to_sql_value(&ground)
            });
            checked.map_err(|error| RecordsError::invalid(&field.name, error.to_string()))?;
        }
        Ok(())
    }

    /// What a condition knows of a field; of a formula, what it gives.
    fn kind_of(&self, field: &Field) -> Option<Type> {
        match &field.kind {
            FieldKind::Formula { expression } => Some(self.trusted().compile(expression).ok()?.result_type()),
            kind => kind.condition_type(),
        }
    }

    fn relation_of(&self, name: &str) -> Option<(&'g Field, &'g Object)> {
        let field = self.field_of(name)?;
        let FieldKind::Relation { object } = &field.kind else { return None };
        Some((field, self.schema.object(object)?))
    }
}

fn system_kind(name: &str) -> Option<Type> {
    Some(match name {
        "id" | "owner" | "team" => Type::Id,
        "created_at" | "updated_at" => Type::Time,
        "created_by" | "updated_by" => Type::Text,
        "version" => Type::Number,
        _ => return None,
    })
}

impl Fields for Ground<'_> {
    fn kind(&self, path: &[&str]) -> Option<Type> {
        match path {
            [name] => system_kind(name).or_else(|| self.kind_of(self.field_of(name)?)),
            [relation, name] => {
                let (_, object) = self.relation_of(relation)?;
                let related = self.related(object);
                if self.access.is_some_and(|access| access.reach(Verb::Read, object).is_err()) {
                    return None;
                }
                // One step only: a related record's own relations are not followed.
                related.kind(&[name])
            }
            _ => None,
        }
    }

    fn names(&self) -> Vec<String> {
        let own = self.object.live_fields().filter(|field| self.field_of(&field.name).is_some());
        own.map(|field| field.name.clone())
            .chain(["created_at", "updated_at", "owner", "team"].map(str::to_owned))
            .collect()
    }
}

impl SqlHost for Ground<'_> {
    fn backend(&self) -> SqlBackend {
        match self.backend {
            Backend::Sqlite => SqlBackend::Sqlite,
            Backend::Postgres => SqlBackend::Postgres,
        }
    }

    fn field(&self, path: &[Box<str>]) -> Result<Expr, ConditionError> {
        let unknown = || ConditionError::NotInSql { what: "a field that is not there" };
        match path {
            [name] if system_kind(name).is_some() => Ok(self.column(name)),
            [name] => self.value_of(self.field_of(name).ok_or_else(unknown)?),
            [relation, name] => {
                let (field, object) = self.relation_of(relation).ok_or_else(unknown)?;
                let related = self.related(object);
                let value = related.field(std::slice::from_ref(name))?;
                Ok(related.lookup(self.column(&field.name), value, self.access)?)
            }
            _ => Err(unknown()),
        }
    }

    fn head(&self, path: &[Box<str>]) -> Option<(Expr, usize)> {
        let ([name], Backend::Postgres) = (path, self.backend) else { return None };
        self.of_team(self.access?)?;
        let field = self.field_of(name).filter(|field| teams::has_head(self.object, field))?;
        // The number is part of the text of the statement, as it is part of what the index is of.
        let letters = Expr::Constant((teams::HEAD as i32).into());
        Some((Func::cust("left").args([self.column(&field.name), letters]).into(), teams::HEAD))
    }

    fn holds(&self, path: &[Box<str>], item: Expr, _: Type, text: Option<&str>) -> Result<Expr, ConditionError> {
        let [name] = path else { return Err(ConditionError::NotInSql { what: "a list of a related record" }) };
        let field = self.field_of(name).ok_or(ConditionError::NotInSql { what: "a field that is not there" })?;
        if field.kind.stored() == Stored::Elsewhere {
            let Some(id) = text.and_then(|text| self.id(text)) else { return Ok(Expr::Constant(false.into())) };
            return Ok(Expr::exists(self.relations(name).and_where(Expr::col(Alias::new("target")).eq(id)).take()));
        }
        Ok(match self.backend {
            Backend::Sqlite => {
                let members = Func::cust("json_each").arg(self.column(name));
                let mut members_query = Query::select();
                members_query.column(Alias::new("value")).from_function(members, Alias::new("member"));
                item.in_subquery(members_query)
            }
            Backend::Postgres => Expr::cust_with_exprs("jsonb_exists($1::jsonb, $2)", [self.column(name), item]),
        })
    }

    fn size(&self, path: &[Box<str>]) -> Result<Expr, ConditionError> {
        let [name] = path else { return Err(ConditionError::NotInSql { what: "a list of a related record" }) };
        let field = self.field_of(name).ok_or(ConditionError::NotInSql { what: "a field that is not there" })?;
        if field.kind.stored() == Stored::Elsewhere {
            let mut count = self.relations(name);
            count
                .clear_selects()
                .expr(Func::cust("NULLIF").args([Expr::col(Alias::new("target")).count(), Expr::val(0)]));
            return Ok(Expr::SubQuery(None, Box::new(sea_query::SubQueryStatement::SelectStatement(count))));
        }
        Ok(match self.backend {
            Backend::Sqlite => Func::cust("json_array_length").arg(self.column(name)).into(),
            Backend::Postgres => Expr::cust_with_exprs("jsonb_array_length($1::jsonb)", [self.column(name)]),
        })
    }

    fn call(&self, call: &Call) -> Result<Scalar<'_>, ConditionError> {
        Ok(match call.function {
            "now" => Scalar::Time(self.now),
            "today" => Scalar::Time(Timestamp(self.now.0.div_euclid(DAY_MS) * DAY_MS)),
            _ if self.me.is_empty() => Scalar::Null,
            _ => Scalar::Text(&self.me),
        })
    }

    fn id(&self, text: &str) -> Option<i64> {
        text.parse::<crate::Id>().ok().map(|id| id.0)
    }
}

impl Ground<'_> {
    /// Rows of the table of relations that belong to a field of this record.
    fn relations(&self, field: &str) -> SelectStatement {
        Query::select()
            .column(Alias::new("target"))
            .from(Alias::new("relation"))
            .and_where(Expr::col(Alias::new("object")).eq(&self.object.name))
            .and_where(Expr::col(Alias::new("field")).eq(field))
            .and_where(
                Expr::col((Alias::new("relation"), Alias::new("record")))
                    .equals((Alias::new(&self.table), Alias::new("id"))),
            )
            .take()
    }

    /// A value of the record of this object with an id, if it may be seen.
    fn lookup(&self, id: Expr, value: Expr, access: Option<&Access>) -> Result<Expr, ConditionError> {
        let mut query = Query::select();
        query
            .expr(value)
            .from_as(Alias::new(table_of(&self.object.name)), Alias::new(&self.table))
            .and_where(self.column("id").eq(id))
            .and_where(self.column("deleted_at").is_null());
        if let Some(access) = access {
            let refused = |_| ConditionError::NotInSql { what: "a field of an object that you may not read" };
            if let Some(permitted) = self.permitted(access, Verb::Read).map_err(refused)? {
                query.and_where(permitted);
            }
        }
        Ok(Expr::SubQuery(None, Box::new(sea_query::SubQueryStatement::SelectStatement(query))))
    }
}
