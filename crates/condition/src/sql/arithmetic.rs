//! Arithmetic that never fails and gives NULL where `eval` gives no value.
//!
//! SQLite's numbers become infinite or NULL as those of `eval`; infinity is turned into NULL. PostgreSQL raises an error, so
//! there each operation runs only after its operands were looked at. A subquery gives them names, since writing them twice
//! at each level would double the SQL each time; its OFFSET keeps the planner from doing just that.

use sea_query::{CaseStatement, Expr, ExprTrait, Func, Query};

use super::{SqlBackend, Term, Writer, Written, is_constant, refuse};
use crate::{
    Scalar, Type,
    eval::{Arithmetic, Node},
};

/// No sum of two such numbers is infinite.
const HALF: f64 = f64::MAX / 2.0;
/// e to this is just finite.
const LARGEST_LN: f64 = 709.0;
/// e to this is just not zero.
const SMALLEST_LN: f64 = -744.0;

impl Writer<'_> {
    pub(super) fn negate(&self, node: &Node) -> Written<Term> {
        let term = self.value(node)?;
        Ok(match term.kind {
            // -1 times a finite number is finite.
            Some(Type::Number) => Term { sql: self.number(-1.0)?.mul(self.double(term.sql)), ..term },
            Some(Type::Duration) => Term { sql: Expr::Constant(0.into()).sub(term.sql), ..term },
            _ => Term { sql: Expr::null(), kind: None },
        })
    }

    pub(super) fn arithmetic(&self, operator: Arithmetic, one: &Node, other: &Node) -> Written<Term> {
        let (left, right) = (self.value(one)?, self.value(other)?);
        let kind = match (operator, left.kind, right.kind) {
            (Arithmetic::Remainder, ..) => return refuse("the remainder %"),
            (_, Some(Type::Number), Some(Type::Number)) => {
                let operand = |node, term: Term| if is_constant(node) { term.sql } else { self.double(term.sql) };
                let sql = self.of_numbers(operator, operand(one, left), operand(other, right))?;
                return Ok(Term { sql, kind: Some(Type::Number) });
            }
            (Arithmetic::Add | Arithmetic::Subtract, Some(Type::Duration), Some(Type::Duration))
            | (Arithmetic::Subtract, Some(Type::Time), Some(Type::Time)) => Type::Duration,
            (Arithmetic::Add | Arithmetic::Subtract, Some(Type::Time), Some(Type::Duration))
            | (Arithmetic::Add, Some(Type::Duration), Some(Type::Time)) => Type::Time,
            _ => return Ok(Term { sql: Expr::null(), kind: None }),
        };
        let sql = if operator == Arithmetic::Add { left.sql.add(right.sql) } else { left.sql.sub(right.sql) };
        Ok(Term { sql, kind: Some(kind) })
    }

    fn of_numbers(&self, operator: Arithmetic, left: Expr, right: Expr) -> Written<Expr> {
        match self.backend {
            SqlBackend::Sqlite => {
                let result = apply(operator, left, right);
                let not = |sql: Expr, number: f64| Func::cust("nullif").args([sql, Expr::val(number)]).into();
                Ok(not(not(result, f64::INFINITY), f64::NEG_INFINITY))
            }
            SqlBackend::Postgres => {
                let operands = Query::select().expr_as(left, "l").expr_as(right, "r").offset(0).take();
                let (left, right) = (Expr::col(("operands", "l")), Expr::col(("operands", "r")));
                let result = self.guarded(operator, &left, &right)?;
                let select = Query::select().expr(result).from_subquery(operands, "operands").take();
                Ok(Expr::SubQuery(None, Box::new(select.into())))
            }
        }
    }

    /// The operation on two columns, in PostgreSQL, which raises an error for a result that is infinite or that is zero
    /// without an operand being so.
    fn guarded(&self, operator: Arithmetic, left: &Expr, right: &Expr) -> Written<Expr> {
        let result = apply(operator, left.clone(), right.clone());
        let size = |of: &Expr| Expr::from(Func::abs(of.clone()));
        if matches!(operator, Arithmetic::Add | Arithmetic::Subtract) {
            let is_safe = size(left).lte(self.number(HALF)?).and(size(right).lte(self.number(HALF)?));
            return Ok(CaseStatement::new().case(is_safe, result).into());
        }
        let ln = |of: &Expr| Expr::from(Func::cust("ln").arg(size(of)));
        let zero = || self.number(0.0);
        let is_missing = left.clone().is_null().or(right.clone().is_null());
        let guard = CaseStatement::new().case(is_missing, Expr::null());
        let (left_is_zero, right_is_zero) = (left.clone().eq(zero()?), right.clone().eq(zero()?));
        let (guard, ln) = if operator == Arithmetic::Divide {
            let guard = guard.case(right_is_zero, Expr::null()).case(left_is_zero, zero()?);
            (guard, ln(left).sub(ln(right)))
        } else {
            (guard.case(left_is_zero.or(right_is_zero), zero()?), ln(left).add(ln(right)))
        };
        let guard = guard
            .case(ln.clone().gt(self.number(LARGEST_LN)?), Expr::null())
            .case(ln.lt(self.number(SMALLEST_LN)?), zero()?);
        Ok(guard.finally(result).into())
    }

    fn number(&self, number: f64) -> Written<Expr> {
        Ok(self.bind(Scalar::Number(number))?.sql)
    }

    /// A number that is no whole number of the database, whose division would drop the fraction and whose sums overflow.
    fn double(&self, number: Expr) -> Expr {
        number.cast_as(match self.backend {
            SqlBackend::Sqlite => "real",
            SqlBackend::Postgres => "double precision",
        })
    }
}

fn apply(operator: Arithmetic, left: Expr, right: Expr) -> Expr {
    match operator {
        Arithmetic::Add => left.add(right),
        Arithmetic::Subtract => left.sub(right),
        Arithmetic::Multiply => left.mul(right),
        Arithmetic::Divide => left.div(right),
        Arithmetic::Remainder => left.modulo(right),
    }
}
