//! The UCI Online Retail file as traffic: one order, cancellation or stock adjustment for each invoice.
//!
//! The file's lines are in time order, but a few invoices span two minutes and one has another in its middle. An invoice
//! is therefore kept open until the file's clock is `CLOSE_AFTER_MS` past its last line, and its event has the
//! time of its last line, when all of it was known. Times in the file have no zone and are taken as UTC.
//!
//! Every line is represented in exactly one message: the tests hold that on the whole file.

use std::{
    collections::VecDeque,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::read::MultiGzDecoder;
use rapport_types::{CustomerId, Timestamp};
use rustc_hash::FxHashSet;
use serde::Serialize;
use serde_json::json;

use super::{Actor, Body, Message, Money, ORDER, Product, Source, encode, parts};
use crate::replay::error::ReplayError;

const COLUMNS: [&str; 8] =
    ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"];
const CLOSE_AFTER_MS: i64 = 5 * rapport_types::MINUTE_MS;
/// Stock adjustments belong to no customer; they are told under this one anonymous id.
const WAREHOUSE: &str = "warehouse";

/// An invoice that is being collected.
#[derive(Debug)]
struct Invoice {
    number: Box<str>,
    first_line: u64,
    at: Timestamp,
    customer: Option<Box<str>>,
    country: Box<str>,
    products: Vec<Product>,
    /// Its number was seen and closed before.
    continued: bool,
}

impl Invoice {
    fn total(&self) -> Money {
        self.products.iter().map(|product| product.price.times(product.quantity)).sum()
    }

    /// A sale to somebody: an ordinary number, and something was paid or it went to a known customer.
    fn is_sale(&self) -> bool {
        self.number.starts_with(|first: char| first.is_ascii_digit())
            && self.products.iter().all(|product| product.quantity > 0)
            && (self.customer.is_some() || self.total() > Money(0))
    }

    fn is_cancellation(&self) -> bool {
        self.number.starts_with('C')
    }
}

/// What an order, a cancellation or a part of one says.
#[derive(Debug, Serialize)]
struct Order<'a> {
    #[serde(rename = "order_id")]
    number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revenue: Option<Money>,
    currency: &'static str,
    country: &'a str,
    /// Which part this is, from 1; only where an order is too big for one event.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<usize>,
    /// Into how many events the order was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<usize>,
    products: &'a [Product],
}

/// The file as a source.
pub(in crate::replay) struct Retail {
    path: PathBuf,
    reader: csv::Reader<Box<dyn Read + Send>>,
    columns: [usize; COLUMNS.len()],
    record: csv::StringRecord,
    clock: Timestamp,
    clock_text: String,
    lines: u64,
    open: Vec<Invoice>,
    closed: FxHashSet<Box<str>>,
    customers: FxHashSet<Box<str>>,
    ready: VecDeque<Message>,
    finished: bool,
    bytes: u64,
    bytes_read: Arc<AtomicU64>,
}

/// Counts what passes, for the progress bar.
struct Counted<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Retail {
    /// Opens a .csv or .csv.gz file (told apart by content) and checks its columns.
    pub(in crate::replay) fn open(path: &Path) -> Result<Self, ReplayError> {
        let unreadable = |source| ReplayError::File { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let bytes = file.metadata().map_err(unreadable)?.len();
        let bytes_read = Arc::new(AtomicU64::new(0));
        let mut plain = BufReader::with_capacity(1 << 16, Counted { inner: file, bytes: bytes_read.clone() });
        let packed = plain.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
        let text: Box<dyn Read + Send> = if packed { Box::new(MultiGzDecoder::new(plain)) } else { Box::new(plain) };
        let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 16).from_reader(text);
        let header = reader.headers().map_err(|error| bad_csv(path, &error))?;
        let place = |name: &str| header.iter().position(|column| column.trim_start_matches('\u{feff}') == name);
        let missing: Vec<_> = COLUMNS.into_iter().filter(|name| place(name).is_none()).collect();
        if !missing.is_empty() {
            return Err(ReplayError::Columns { path: path.to_owned(), missing });
        }
        let columns = COLUMNS.map(|name| place(name).expect("every column was just found"));
        Ok(Self {
            path: path.to_owned(),
            reader,
            columns,
            record: csv::StringRecord::new(),
            clock: Timestamp::MIN,
            clock_text: String::new(),
            lines: 0,
            open: Vec::new(),
            closed: FxHashSet::default(),
            customers: FxHashSet::default(),
            ready: VecDeque::new(),
            finished: false,
            bytes,
            bytes_read,
        })
    }

    /// Reads one line into its invoice; at the end of the file closes what is open.
    fn step(&mut self) -> Result<(), ReplayError> {
        if !self.reader.read_record(&mut self.record).map_err(|error| bad_csv(&self.path, &error))? {
            self.finished = true;
            self.close(None);
            return Ok(());
        }
        self.lines += 1;
        let time = &self.record[self.columns[4]];
        if time != self.clock_text {
            let at = Timestamp::parse(time).map_err(|error| self.wrong(&format!("InvoiceDate {error}")))?;
            if at < self.clock {
                return Err(self.wrong("it is earlier than the line before it; sort the file by InvoiceDate"));
            }
            self.clock = at;
            self.clock_text = time.to_owned();
            self.close(Some(Timestamp(at.0 - CLOSE_AFTER_MS)));
        }
        self.take()
    }

    /// Adds the line in `record` to its invoice.
    fn take(&mut self) -> Result<(), ReplayError> {
        let field = |column: usize| &self.record[self.columns[column]];
        let quantity: i64 =
            field(3).parse().map_err(|_| self.wrong(&format!("Quantity \"{}\" is not a whole number", field(3))))?;
        let price = Money::read(field(5))
            .ok_or_else(|| self.wrong(&format!("UnitPrice \"{}\" is not an amount of money", field(5))))?;
        let product = Product { id: field(1).into(), name: field(2).trim().into(), quantity, price };
        let number = field(0);
        if let Some(invoice) = self.open.iter_mut().rev().find(|invoice| *invoice.number == *number) {
            invoice.products.push(product);
            invoice.at = self.clock;
            return Ok(());
        }
        // Spark's export shows customer numbers as 17850.0.
        let customer = field(6).strip_suffix(".0").unwrap_or(field(6));
        self.open.push(Invoice {
            number: number.into(),
            first_line: self.lines,
            at: self.clock,
            customer: (!customer.is_empty()).then(|| customer.into()),
            country: field(7).into(),
            products: vec![product],
            continued: self.closed.contains(number),
        });
        Ok(())
    }

    /// Turns the invoices whose last line is not after `until` into messages, in the order of their last lines.
    fn close(&mut self, until: Option<Timestamp>) {
        let (mut done, open): (Vec<_>, Vec<_>) =
            self.open.drain(..).partition(|invoice| until.is_none_or(|until| invoice.at <= until));
        self.open = open;
        done.sort_by_key(|invoice| (invoice.at, invoice.first_line));
        for invoice in done {
            self.introduce(&invoice);
            self.tell(&invoice);
            self.closed.insert(invoice.number);
        }
    }

    /// At the first sight of a customer, says who it is.
    fn introduce(&mut self, invoice: &Invoice) {
        let Some(customer) = invoice.customer.as_deref() else { return };
        if self.customers.contains(customer) {
            return;
        }
        self.customers.insert(customer.into());
        let id = format!("identify-{customer}");
        let actor = Actor { user: Some(customer), anonymous: None };
        let body = Body::Identify { traits: json!({"country": invoice.country}) };
        self.ready.push_back(Message {
            at: invoice.at,
            lane: CustomerId::User(customer.into()),
            json: encode(&id, actor, invoice.at, body),
            id: id.into(),
            lines: 0,
            is_order: false,
        });
    }

    /// The events of one invoice.
    fn tell(&mut self, invoice: &Invoice) {
        let sale = invoice.is_sale();
        let anonymous = match &invoice.customer {
            Some(_) => None,
            None if sale || invoice.is_cancellation() => Some(format!("invoice-{}", invoice.number)),
            None => Some(WAREHOUSE.to_owned()),
        };
        let actor = Actor { user: invoice.customer.as_deref(), anonymous: anonymous.as_deref() };
        let name = match () {
            () if sale => ORDER,
            () if invoice.is_cancellation() => "Order Cancelled",
            () => "Stock Adjusted",
        };
        let (products, total) = if invoice.is_cancellation() {
            let back = |product: &Product| Product { quantity: -product.quantity, ..product.clone() };
            (invoice.products.iter().map(back).collect(), Money(-invoice.total().0))
        } else {
            (invoice.products.clone(), invoice.total())
        };
        let pieces = parts(&products);
        for (index, piece) in pieces.iter().enumerate() {
            let first = index == 0 && !invoice.continued;
            let order = Order {
                number: &invoice.number,
                total: first.then_some(total),
                revenue: first.then_some(total),
                currency: "GBP",
                country: &invoice.country,
                part: (!first).then_some(index + 1),
                parts: (pieces.len() > 1).then_some(pieces.len()),
                products: piece,
            };
            let id = match (invoice.continued, index) {
                (false, 0) => format!("invoice-{}", invoice.number),
                (false, _) => format!("invoice-{}-{}", invoice.number, index + 1),
                (true, _) => format!("invoice-{}-line-{}-{}", invoice.number, invoice.first_line, index + 1),
            };
            let event = if first { name } else { "Order Items" };
            let lane = match (&invoice.customer, &anonymous) {
                (Some(customer), _) => CustomerId::User(customer.clone()),
                (None, other) => CustomerId::Anonymous(other.as_deref().unwrap_or_default().into()),
            };
            self.ready.push_back(Message {
                at: invoice.at,
                lane,
                json: encode(&id, actor, invoice.at, Body::Track { event, properties: order }),
                id: id.into(),
                lines: piece.len() as u32,
                is_order: first && sale && invoice.customer.is_some(),
            });
        }
    }

    fn wrong(&self, what: &str) -> ReplayError {
        // The header is line 1.
        ReplayError::Line { path: self.path.clone(), line: self.lines + 1, what: what.to_owned() }
    }
}

fn bad_csv(path: &Path, error: &csv::Error) -> ReplayError {
    let line = error.position().map_or(1, csv::Position::line);
    ReplayError::Line { path: path.to_owned(), line, what: format!("not a line of such a file: {error}") }
}

impl Iterator for Retail {
    type Item = Result<Message, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some(Ok(message));
            }
            if self.finished {
                return None;
            }
            if let Err(error) = self.step() {
                self.finished = true;
                return Some(Err(error));
            }
        }
    }
}

impl Source for Retail {
    fn title(&self) -> String {
        format!("Online Retail, {}", self.path.display())
    }

    fn progress(&self) -> f64 {
        self.bytes_read.load(Ordering::Relaxed) as f64 / self.bytes.max(1) as f64
    }

    fn customers(&self) -> u64 {
        self.customers.len() as u64
    }
}

#[cfg(test)]
#[path = "retail_tests.rs"]
mod tests;
