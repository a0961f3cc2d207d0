//! A lead becomes a contact, a company and a deal.
//!
//! What is there already is proposed, and used only if the caller says so. Each record is made with the caller's own rights; all
//! is one batch that can be undone.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    Access, Desk, Edit, Fields, Id, RecordsError, Similar, Tx, Verb, batch, desk::Moment, duplicates, edit::Editor,
    merge::must, read, record::Record,
};

/// What a contact takes over from a lead, the lead's name of it and its own.
const TO_CONTACT: [(&str, &str); 10] = [
    ("name", "name"),
    ("first_name", "first_name"),
    ("last_name", "last_name"),
    ("email", "email"),
    ("phone", "phone"),
    ("job_title", "job_title"),
    ("source", "source"),
    ("country", "country"),
    ("tags", "tags"),
    ("description", "description"),
];
/// What a company takes over.
const TO_COMPANY: [(&str, &str); 3] = [("company_name", "name"), ("website", "website"), ("country", "country")];
/// What a deal takes over.
const TO_DEAL: [(&str, &str); 2] = [("value", "amount"), ("source", "source")];

/// What becomes of a part of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = ConversionPart)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// A new record, if the lead says enough for one.
    #[default]
    New,
    /// None.
    None,
    /// This record.
    Existing(Id),
}

/// A deal that begins with the conversion.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewDeal {
    /// Its name; that of the company or of the contact if none.
    pub name: Option<String>,
    /// Its amount; what was expected of the lead if none.
    pub amount: Option<Value>,
}

/// How a lead is converted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Conversion {
    /// The company.
    pub company: Part,
    /// The contact.
    pub contact: Part,
    /// The deal; none if none is wanted.
    pub deal: Option<NewDeal>,
}

/// What a conversion came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Converted {
    /// The contact.
    pub contact: Option<Id>,
    /// The company.
    pub company: Option<Id>,
    /// The deal.
    pub deal: Option<Id>,
    /// With what it can be undone.
    pub batch: Id,
}

/// Records that are there already and may be meant by a lead, the most alike first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Proposal {
    /// Companies.
    pub companies: Vec<Similar>,
    /// Contacts.
    pub contacts: Vec<Similar>,
}

impl Desk {
    /// What is there already of a lead that is to be converted, as far as the caller may read it.
    pub fn conversion(&self, access: &Access, lead: Id) -> Result<Proposal, RecordsError> {
        self.read(|moment, tx| {
            let lead = read::get(moment, tx, access, "lead", lead)?;
            let mut find = |object: &str, mut fields: Fields| {
                // The lead's address leads to the company by its domain.
                fields.extend(lead.fields.get("email").map(|email| ("email".to_owned(), email.clone())));
                match duplicates::similar(moment, tx, access, object, &fields, None) {
                    // Who may not read companies is proposed none.
                    Err(RecordsError::Forbidden(_)) => Ok(Vec::new()),
                    found => found,
                }
            };
            Ok(Proposal {
                companies: find("company", taken(&lead, "company", &TO_COMPANY, access))?,
                contacts: find("contact", taken(&lead, "contact", &TO_CONTACT, access))?,
            })
        })
    }

    /// Converts a lead, once.
    pub fn convert(&self, access: &Access, lead: Id, conversion: &Conversion) -> Result<Converted, RecordsError> {
        self.write_anew(|moment, tx| convert(moment, tx, access, lead, conversion).map_err(RecordsError::of_one))
    }
}

fn convert(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    lead: Id,
    wanted: &Conversion,
) -> Result<Converted, RecordsError> {
    must(moment, tx, access, "lead", lead, Verb::Update)?;
    let lead = read::get(moment, tx, access, "lead", lead)?;
    if lead.deleted_at.is_some() {
        return Err(read::not_found("lead", lead.id));
    }
    if lead.fields.get("status").is_some_and(|status| status == "converted") {
        return Err(RecordsError::Conflict("the lead was converted already".to_owned()));
    }
    if wanted.contact == Part::None && wanted.company == Part::None && wanted.deal.is_none() {
        return Err(RecordsError::invalid("contact", "a lead becomes a contact, a company or a deal"));
    }
    let mut work = Work { moment, access, batch: moment.ids.next(moment.now)?, changes: 1 };
    let company = match wanted.company {
        Part::None => None,
        Part::New if !lead.fields.contains_key("company_name") => None,
        Part::New => Some(work.create(tx, "company", taken(&lead, "company", &TO_COMPANY, access))?),
        Part::Existing(id) => Some(work.existing(tx, "company", id)?.id),
    };
    let contact = match wanted.contact {
        Part::None => None,
        Part::New => {
            let mut fields = taken(&lead, "contact", &TO_CONTACT, access);
            fields.extend(link("company", company));
            Some(work.create(tx, "contact", fields)?)
        }
        Part::Existing(id) => Some(work.employ(tx, id, company)?),
    };
    let deal = wanted.deal.as_ref().map(|deal| {
        let mut fields = of_deal(&lead, deal, access);
        fields.extend(link("company", company));
        fields.extend(link("contact", contact));
        work.create(tx, "deal", fields)
    });
    let deal = deal.transpose()?;
    let mut fields = Fields::from_iter([("status".to_owned(), json!("converted"))]);
    fields.insert("converted_at".to_owned(), json!(moment.now));
    for (name, id) in [("company", company), ("contact", contact), ("deal", deal)] {
        fields.extend(link(name, id));
    }
    let edit = Edit::Update { id: lead.id, fields, version: Some(lead.version) };
    Editor::new(moment, access, "lead", Some(work.batch))?.run(tx, &[edit])?;
    let title = lead.fields.get("name").and_then(Value::as_str).unwrap_or("lead");
    batch::begin(tx, access, work.batch, "convert", title, moment.now, work.changes)?;
    Ok(Converted { contact, company, deal, batch: work.batch })
}

/// A conversion on its way.
struct Work<'w, 'm> {
    moment: &'w Moment<'m>,
    access: &'w Access,
    batch: Id,
    changes: i64,
}

impl Work<'_, '_> {
    fn create(&mut self, tx: &mut Tx<'_>, object: &str, fields: Fields) -> Result<Id, RecordsError> {
        let editor = Editor::new(self.moment, self.access, object, Some(self.batch))?;
        let made = editor.run(tx, &[Edit::Create { fields }]).map_err(|error| match error.of_one() {
            RecordsError::Invalid { field, what } => RecordsError::Invalid { field: format!("{object}.{field}"), what },
            other => other,
        })?;
        self.changes += 1;
        made.first().copied().ok_or_else(|| RecordsError::Database(format!("no {object} was made")))
    }

    fn existing(&self, tx: &mut Tx<'_>, object: &str, id: Id) -> Result<Record, RecordsError> {
        let record = read::get(self.moment, tx, self.access, object, id)?;
        if record.deleted_at.is_some() { Err(read::not_found(object, id)) } else { Ok(record) }
    }

    /// A contact that is there; it comes to the company if it has none and the caller may change it.
    fn employ(&mut self, tx: &mut Tx<'_>, id: Id, company: Option<Id>) -> Result<Id, RecordsError> {
        let contact = self.existing(tx, "contact", id)?;
        if company.is_none() || contact.fields.contains_key("company") || !self.access.may_set("contact", "company") {
            return Ok(id);
        }
        match must(self.moment, tx, self.access, "contact", id, Verb::Update) {
            Err(RecordsError::Forbidden(_)) => return Ok(id),
            permitted => permitted?,
        }
        let fields = link("company", company).into_iter().collect();
        let edit = Edit::Update { id, fields, version: Some(contact.version) };
        Editor::new(self.moment, self.access, "contact", Some(self.batch))?.run(tx, &[edit])?;
        self.changes += 1;
        Ok(id)
    }
}

fn link(name: &str, id: Option<Id>) -> Option<(String, Value)> {
    id.map(|id| (name.to_owned(), json!(id)))
}

/// Values of a lead under the names that they have in another object, as far as the caller may set them there. The new record
/// belongs to whom the lead belonged.
fn taken(lead: &Record, object: &str, names: &[(&str, &str)], access: &Access) -> Fields {
    let own = [("owner", lead.owner), ("team", lead.team)];
    let own = own.into_iter().filter_map(|(name, id)| Some((name, json!(id?))));
    let values = names.iter().filter_map(|(from, to)| Some((*to, lead.fields.get(*from)?.clone())));
    let settable = values.chain(own).filter(|(name, _)| access.may_set(object, name));
    settable.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn of_deal(lead: &Record, wanted: &NewDeal, access: &Access) -> Fields {
    let mut fields = taken(lead, "deal", &TO_DEAL, access);
    let title = wanted.name.clone().filter(|name| !name.trim().is_empty()).map(Value::String);
    let title = title.or_else(|| lead.fields.get("company_name").or_else(|| lead.fields.get("name")).cloned());
    fields.extend(title.map(|title| ("name".to_owned(), title)));
    fields.extend(wanted.amount.clone().map(|amount| ("amount".to_owned(), amount)));
    fields
}
