//! A list as a file: CSV, lines of JSON, or a spreadsheet.

use std::io::Write;

use rust_xlsxwriter::{Workbook, XlsxError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::safe;
use crate::{
    Access, Desk, ListQuery, PAGE, RecordsError,
    record::Record,
    schema::{FieldKind, Object},
};

/// The most rows of a spreadsheet, below its header.
const SHEET_ROWS: u32 = 1_048_575;
/// The most letters of a spreadsheet's cell.
const SHEET_CELL: usize = 32_767;

/// What a list is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Cells with commas between them, UTF-8.
    Csv,
    /// A spreadsheet.
    Xlsx,
    /// A record as JSON on each line.
    Jsonl,
}

/// A column of an exported list.
enum Column {
    Id,
    CreatedAt,
    UpdatedAt,
    Owner,
    Field(String, FieldKind),
    /// What a related record is called, beside the column with its id.
    Title(String),
}

impl Desk {
    /// Writes the records of a list, with its filter, order and fields; how many there were. `limit` and `cursor` are not
    /// looked at. What is written is not one moment: a record that changes meanwhile is written as it was before or after.
    pub fn export(
        &self,
        access: &Access,
        object: &str,
        query: &ListQuery,
        format: ExportFormat,
        out: &mut dyn Write,
    ) -> Result<u64, RecordsError> {
        access.must_transfer()?;
        let schema = self.schema();
        let known = schema.object(object);
        let known = known.ok_or_else(|| RecordsError::NotFound("there is no such object".to_owned()))?;
        let columns = columns(known, access, query.fields.as_deref());
        match format {
            ExportFormat::Csv => {
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(columns.iter().map(Column::name)).map_err(|error| failed(&error))?;
                let rows = self.pages(access, object, query, &mut |record| {
                    let cells = columns.iter().map(|column| column.cell(record));
                    csv.write_record(cells.map(|cell| cell_text(&cell))).map_err(|error| failed(&error))
                })?;
                csv.flush().map_err(|error| failed(&error))?;
                Ok(rows)
            }
            ExportFormat::Jsonl => self.pages(access, object, query, &mut |record| {
                serde_json::to_writer(&mut *out, record).map_err(|error| failed(&error))?;
                out.write_all(b"\n").map_err(|error| failed(&error))
            }),
            ExportFormat::Xlsx => self.spreadsheet(access, object, query, &columns, out),
        }
    }

    fn spreadsheet(
        &self,
        access: &Access,
        object: &str,
        query: &ListQuery,
        columns: &[Column],
        out: &mut dyn Write,
    ) -> Result<u64, RecordsError> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet_with_constant_memory().map_err(|error| broken(&error))?;
        for (place, column) in columns.iter().enumerate() {
            sheet.write_string(0, place as u16, column.name()).map_err(|error| broken(&error))?;
        }
        let mut line = 0;
        let rows = self.pages(access, object, query, &mut |record| {
            line += 1;
            if line > SHEET_ROWS {
                return Err(RecordsError::Limit(format!(
                    "a spreadsheet holds {SHEET_ROWS} rows; take CSV, or a filter"
                )));
            }
            for (place, column) in columns.iter().enumerate() {
                let place = place as u16;
                let written = match column.cell(record) {
                    Value::Null => continue,
                    Value::Number(number) => sheet.write_number(line, place, number.as_f64().unwrap_or_default()),
                    Value::Bool(truth) => sheet.write_boolean(line, place, truth),
                    // A spreadsheet's text is never a formula, so it stays as it is.
                    Value::String(text) => sheet.write_string(line, place, cut(&text)),
                    other => sheet.write_string(line, place, cut(&other.to_string())),
                };
                written.map_err(|error| broken(&error))?;
            }
            Ok(())
        })?;
        let bytes = book.save_to_buffer().map_err(|error| broken(&error))?;
        out.write_all(&bytes).map_err(|error| failed(&error))?;
        Ok(rows)
    }

    /// Hands out the records of a list, page by page.
    fn pages(
        &self,
        access: &Access,
        object: &str,
        query: &ListQuery,
        each: &mut dyn FnMut(&Record) -> Result<(), RecordsError>,
    ) -> Result<u64, RecordsError> {
        let mut wanted = ListQuery { limit: PAGE, cursor: None, expand: vec!["*".to_owned()], ..query.clone() };
        let mut rows = 0;
        loop {
            let page = self.list(access, object, &wanted)?;
            for record in &page.records {
                each(record)?;
                rows += 1;
            }
            let Some(next) = page.next else { return Ok(rows) };
            wanted.cursor = Some(next);
        }
    }
}

fn columns(object: &Object, access: &Access, wanted: Option<&[String]>) -> Vec<Column> {
    let mut columns = vec![Column::Id];
    let seen = object.live_fields().filter(|field| access.may_see(&object.name, &field.name));
    let fields: Vec<_> = match wanted {
        None => seen.collect(),
        Some(names) => names.iter().filter_map(|name| object.field(name)).collect(),
    };
    for field in fields {
        columns.push(Column::Field(field.name.clone(), field.kind.clone()));
        if field.kind.target().is_some() {
            columns.push(Column::Title(field.name.clone()));
        }
    }
    columns.extend([Column::Owner, Column::CreatedAt, Column::UpdatedAt]);
    columns
}

impl Column {
    fn name(&self) -> String {
        match self {
            Self::Id => "id".to_owned(),
            Self::CreatedAt => "created_at".to_owned(),
            Self::UpdatedAt => "updated_at".to_owned(),
            Self::Owner => "owner".to_owned(),
            Self::Field(name, _) => name.clone(),
            Self::Title(name) => format!("{name}.title"),
        }
    }

    fn cell(&self, record: &Record) -> Value {
        match self {
            Self::Id => json!(record.id),
            Self::CreatedAt => json!(record.created_at),
            Self::UpdatedAt => json!(record.updated_at),
            Self::Owner => json!(record.owner),
            Self::Field(name, kind) => flat(record.fields.get(name), kind),
            Self::Title(name) => titles(record.related.get(name)),
        }
    }
}

/// A value as one cell: an amount with its currency, members of a list with `;` between them, other parts as JSON.
fn flat(value: Option<&Value>, kind: &FieldKind) -> Value {
    match (value, kind) {
        (None, _) => Value::Null,
        (Some(Value::Object(money)), FieldKind::Money) => {
            let part = |name: &str| money.get(name).map(|part| part.to_string().replace('"', "")).unwrap_or_default();
            json!(format!("{} {}", part("amount"), part("currency")))
        }
        (Some(Value::Array(members)), _) if members.iter().all(Value::is_string) => {
            json!(members.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";"))
        }
        (Some(other), _) => other.clone(),
    }
}

fn titles(related: Option<&Value>) -> Value {
    let title = |one: &Value| one["title"].as_str().unwrap_or_default().to_owned();
    match related {
        None => Value::Null,
        Some(Value::Array(many)) => json!(many.iter().map(title).collect::<Vec<_>>().join(";")),
        Some(one) => json!(title(one)),
    }
}

/// A cell of CSV. Numbers are safe as they are, minus included.
fn cell_text(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => safe(text).into_owned(),
        other => other.to_string(),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(SHEET_CELL).collect()
}

fn broken(error: &XlsxError) -> RecordsError {
    RecordsError::File(format!("the spreadsheet cannot be written: {error}"))
}

fn failed(error: &dyn std::fmt::Display) -> RecordsError {
    RecordsError::File(format!("the file cannot be written: {error}"))
}
