//! Whether a customer of Online Retail orders again within 30 days: a row for each order, with what was known right after it.
//!
//! The same question as the program's own score `repeat_purchase`, as a plain table, so that the peers can answer it too.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use jiff::civil::DateTime;
use rapport_ml::split::{SplitBy, hold_out};

use super::tables::{SplitTable, TimeColumn, open};
use crate::error::BenchError;

pub(crate) const NAME: &str = "online_retail repeat orders";
const FILE: &str = "online_retail/online_retail.csv.gz";
/// How far the answer looks ahead.
const AHEAD: i64 = AHEAD_DAYS as i64 * DAY;
const AHEAD_DAYS: u32 = 30;
const DAY: i64 = 86_400;
const PLACED: &str = "placed at";
const HEADER: [&str; 16] = [
    PLACED,
    "value",
    "lines",
    "units",
    "items",
    "orders",
    "value so far",
    "days since first",
    "days since last",
    "days between",
    "orders in 30 days",
    "orders in 90 days",
    "cancellations",
    "country",
    "weekday",
    "hour",
];

/// An invoice of a known customer.
struct Order {
    customer: u32,
    cancelled: bool,
    at: DateTime,
    seconds: i64,
    country: String,
    value: f64,
    lines: u32,
    units: f64,
    items: BTreeSet<String>,
}

/// What came before of a customer.
#[derive(Default)]
struct History {
    orders: Vec<i64>,
    value: f64,
    cancellations: u32,
}

impl History {
    /// Takes an order in; what is known right after it.
    fn after(&mut self, order: &Order) -> Vec<String> {
        let days = |from: i64| (order.seconds - from) as f64 / DAY as f64;
        let first = self.orders.first().copied().unwrap_or(order.seconds);
        // No earlier order leaves the cell empty.
        let last = self.orders.last().map_or_else(String::new, |last| format!("{:.2}", days(*last)));
        self.orders.push(order.seconds);
        self.value += order.value;
        let gaps = self.orders.len() - 1;
        let between = if gaps == 0 { String::new() } else { format!("{:.2}", days(first) / gaps as f64) };
        let since = |span: i64| self.orders.iter().filter(|at| **at > order.seconds - span).count().to_string();
        vec![
            order.at.to_string(),
            format!("{:.2}", order.value),
            order.lines.to_string(),
            order.units.to_string(),
            order.items.len().to_string(),
            self.orders.len().to_string(),
            format!("{:.2}", self.value),
            format!("{:.2}", days(first)),
            last,
            between,
            since(30 * DAY),
            since(90 * DAY),
            self.cancellations.to_string(),
            order.country.clone(),
            format!("{:?}", order.at.weekday()),
            order.at.hour().to_string(),
        ]
    }
}

/// The table; none if the file is not there.
pub(crate) fn table(data: &Path) -> Result<Option<SplitTable>, BenchError> {
    let Some(mut csv) = open(&data.join(FILE))? else { return Ok(None) };
    let mut orders: BTreeMap<String, Order> = BTreeMap::new();
    for record in csv.records() {
        add_line(&record?, &mut orders)?;
    }
    let mut orders: Vec<(String, Order)> = orders.into_iter().collect();
    orders.sort_by(|a, b| (a.1.seconds, &a.0).cmp(&(b.1.seconds, &b.0)));
    let orders: Vec<Order> = orders.into_iter().map(|(_, order)| order).collect();
    examples(&orders).map(Some)
}

/// Adds a line of the file to its order.
fn add_line(line: &csv::StringRecord, orders: &mut BTreeMap<String, Order>) -> Result<(), BenchError> {
    let wrong = |what: &str| BenchError::Table(format!("{FILE}: {what} is not readable in {line:?}"));
    let number = |at: usize, what: &str| line[at].parse::<f64>().map_err(|_| wrong(what));
    if line[6].is_empty() {
        return Ok(());
    }
    let customer = number(6, "CustomerID")? as u32;
    let (units, price) = (number(3, "Quantity")?, number(5, "UnitPrice")?);
    if !orders.contains_key(&line[0]) {
        let at: DateTime = line[4].parse().map_err(|_| wrong("InvoiceDate"))?;
        let seconds = jiff::tz::TimeZone::UTC.to_timestamp(at).map_err(|_| wrong("InvoiceDate"))?.as_second();
        let order = Order {
            customer,
            cancelled: line[0].starts_with('C'),
            at,
            seconds,
            country: line[7].to_owned(),
            value: 0.0,
            lines: 0,
            units: 0.0,
            items: BTreeSet::new(),
        };
        orders.insert(line[0].to_owned(), order);
    }
    if let Some(order) = orders.get_mut(&line[0]) {
        order.value += units * price;
        order.units += units;
        order.lines += 1;
        order.items.insert(line[1].to_owned());
    }
    Ok(())
}

/// Rows of orders in the order of time. The last 30 days have no answer yet and are left out.
fn examples(orders: &[Order]) -> Result<SplitTable, BenchError> {
    let end = orders.last().map_or(0, |order| order.seconds);
    let mut next_at: BTreeMap<u32, i64> = BTreeMap::new();
    // From the end, so that the next order of a customer is known.
    let mut again = vec![false; orders.len()];
    for (place, order) in orders.iter().enumerate().rev().filter(|(_, order)| !order.cancelled) {
        let next = next_at.insert(order.customer, order.seconds);
        again[place] = next.is_some_and(|next| next - order.seconds <= AHEAD);
    }
    let mut histories: BTreeMap<u32, History> = BTreeMap::new();
    let (mut rows, mut answers, mut groups, mut times) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (order, again) in orders.iter().zip(again) {
        let history = histories.entry(order.customer).or_default();
        if order.cancelled {
            history.cancellations += 1;
            continue;
        }
        let row = history.after(order);
        if order.seconds + AHEAD <= end {
            rows.push(row);
            answers.push(f64::from(u8::from(again)));
            groups.push(order.customer);
            times.push(order.seconds);
        }
    }
    let split = hold_out(rows.len(), SplitBy::Time { at: &times, gap: AHEAD }, 0.25, 1)?;
    let note = "real; the last quarter of the orders is the test, after a gap of 30 days".to_owned();
    let header = HEADER.map(str::to_owned).to_vec();
    let time = TimeColumn { name: PLACED, days: AHEAD_DAYS };
    Ok(SplitTable { name: NAME, note, header, rows, answers, split, groups: Some(groups), time: Some(time) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_knows_what_was_and_not_what_comes() {
        let mut orders = BTreeMap::new();
        let mut line = |invoice: &str, day: &str, price: &str| {
            let at = format!("2011-{day} 10:00:00");
            let line = [invoice, "A", "", "2", &at, price, "7.0", "France"];
            add_line(&csv::StringRecord::from(line.to_vec()), &mut orders).unwrap();
        };
        line("1", "01-01", "5.0");
        line("1", "01-01", "1.0");
        line("C2", "01-05", "5.0");
        line("3", "01-21", "3.0");
        for (invoice, day) in [("4", "04-01"), ("5", "06-01"), ("6", "08-01"), ("7", "09-01"), ("8", "12-01")] {
            line(invoice, day, "3.0");
        }
        let mut orders: Vec<Order> = orders.into_values().collect();
        orders.sort_by_key(|order| order.seconds);
        let table = examples(&orders).unwrap();
        // The order of December has no answer yet.
        assert_eq!(table.answers, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let second: Vec<&str> = table.rows[1].iter().map(String::as_str).collect();
        let expected = "2011-01-21T10:00:00 6.00 1 2 1 2 18.00 20.00 20.00 20.00 2 2 1 France Friday 10";
        assert_eq!(second.join(" "), expected);
        assert_eq!(table.rows[0][8], "");
    }
}
