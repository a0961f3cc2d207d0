//! Companies, contacts and leads. A contact with a customer id is a customer of the traffic.

use std::collections::HashSet;

use rapport_records::Id;
use rapport_types::{DAY_MS, HOUR_MS, Timestamp};
use serde_json::{Value, json};

use super::{
    Stream, Wanted, Writer,
    calendar::days_after,
    sales::Sales,
    words::{self, INDUSTRIES, JOBS, LANDS, Land, STREETS},
};
use crate::{
    names::{Name, latin, one_of},
    random::Random,
    replay::Customer,
};

const COMPANIES: usize = 320;
const CONTACTS: usize = 5_000;
const LEADS: usize = 260;
/// Leads that became deals.
const CONVERTED: usize = 70;
/// Contacts who are somebody already, spelled otherwise: something for the queue of duplicates.
const TWICE: usize = 24;
/// The share of customers who buy for a company.
const TRADE: f64 = 0.3;

pub(super) struct Company {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) domain: String,
    pub(super) land: &'static Land,
    pub(super) at: Timestamp,
    pub(super) owner: Id,
}

pub(super) struct Contact {
    pub(super) id: Id,
    pub(super) name: String,
    /// The place of the company.
    pub(super) company: Option<usize>,
    pub(super) country: String,
    pub(super) at: Timestamp,
    /// How much they are heard of.
    pub(super) orders: u32,
}

pub(super) struct People {
    pub(super) companies: Vec<Company>,
    /// The customers of the traffic first.
    pub(super) contacts: Vec<Contact>,
    /// The places of the contacts of each company; each has one.
    pub(super) of_company: Vec<Vec<usize>>,
}

impl People {
    pub(super) fn tell(writer: &mut Writer, wanted: &Wanted<'_>) -> Self {
        let companies = companies(writer);
        let mut contacts = Contacts::new(writer, &companies);
        let known = wanted.customers.iter().take(CONTACTS);
        for customer in known {
            contacts.customer(writer, wanted, customer);
        }
        for company in 0..companies.len() {
            if contacts.made.len() < CONTACTS {
                contacts.buyer(writer, company);
            }
        }
        while contacts.made.len() < CONTACTS - TWICE {
            let company = contacts.random.below(companies.len() as u64) as usize;
            contacts.buyer(writer, company);
        }
        while contacts.made.len() < CONTACTS {
            contacts.twice(writer);
        }
        let contacts = contacts.made;
        let mut of_company = vec![Vec::new(); companies.len()];
        for (place, contact) in contacts.iter().enumerate() {
            if let Some(company) = contact.company {
                of_company[company].push(place);
            }
        }
        Self { companies, contacts, of_company }
    }
}

fn companies(writer: &mut Writer) -> Vec<Company> {
    let mut random = writer.stream(Stream::Companies);
    let mut names = HashSet::new();
    let mut made = Vec::with_capacity(COMPANIES);
    while made.len() < COMPANIES {
        let land = land(&mut random);
        let (first, second) = land.parts();
        let (first, second) = (one_of(first, &mut random), one_of(second, &mut random));
        let core = format!("{first}{}{second}", land.space);
        if !names.insert(core.clone()) {
            continue;
        }
        let name = format!("{core}{}{}", if land.space.is_empty() { "" } else { " " }, one_of(land.forms, &mut random));
        // Chinese names have no letters for a domain.
        let slug = latin(&core).trim_matches('-').replace("--", "-");
        let slug = if slug.len() < 4 { format!("{}-{}", latin(land.name), made.len()) } else { slug };
        let domain = format!("{slug}.example");
        // Most were there when the records begin.
        let at = if random.chance(0.4) {
            let day = writer.calendar.at(0.03 * random.unit());
            days_after(day, 0.0, &mut random)
        } else {
            writer.calendar.draw(&mut random, 0.05)
        };
        let owner = *random.pick(&writer.sellers);
        let employees = random.lognormal(18.0, 1.1).round().clamp(1.0, 4_000.0);
        let revenue = (employees * random.lognormal(95_000.0, 0.4) / 1_000.0).round() * 1_000.0;
        let city = one_of(land.cities, &mut random);
        let fields = json!({
            "name": name, "domain": domain, "website": format!("https://www.{domain}/"),
            "industry": one_of(INDUSTRIES, &mut random), "employees": employees,
            "revenue": { "amount": revenue, "currency": land.currency },
            "phone": writer.phones.next(land.name), "email": format!("hello@{domain}"), "country": land.name, "city": city,
            "founded": 2026 - random.lognormal(22.0, 0.7).round().clamp(1.0, 160.0) as i64,
            "tags": if random.chance(0.06) { json!(["partner"]) } else { Value::Null }, "owner": owner,
        });
        let id = writer.tell("company", at, fields, Vec::new());
        made.push(Company { id, name, domain, land, at, owner });
    }
    made
}

fn land(random: &mut Random) -> &'static Land {
    let mut left = random.below(LANDS.iter().map(|land| land.weight).sum());
    let found = LANDS.iter().find(|land| match left.checked_sub(land.weight) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    });
    found.unwrap_or(&LANDS[0])
}

/// Contacts on their way.
struct Contacts<'c> {
    companies: &'c [Company],
    random: Random,
    names: HashSet<String>,
    addresses: HashSet<String>,
    made: Vec<Contact>,
    /// E-mail addresses, for those who are met twice.
    emails: Vec<Option<String>>,
}

impl<'c> Contacts<'c> {
    fn new(writer: &Writer, companies: &'c [Company]) -> Self {
        Self {
            companies,
            random: writer.stream(Stream::Contacts),
            names: HashSet::new(),
            addresses: HashSet::new(),
            made: Vec::new(),
            emails: Vec::new(),
        }
    }

    /// A name that nobody has yet, as far as there are enough.
    fn name(&mut self, country: &str) -> Name {
        for _ in 0..40 {
            let name = Name::of(country, &mut self.random);
            if self.names.insert(name.whole.clone()) {
                return name;
            }
        }
        Name::of(country, &mut self.random)
    }

    /// An address at a domain that nobody has yet.
    fn address(&mut self, name: &Name, domain: &str) -> String {
        let plain = format!("{}@{domain}", name.address);
        if self.addresses.insert(plain.clone()) {
            return plain;
        }
        let number = self.made.len();
        format!("{}.{number}@{domain}", name.address)
    }

    /// A company of the country that was there at the time.
    fn employer(&mut self, country: &str, at: Timestamp) -> Option<usize> {
        let tries = (0..12).map(|_| self.random.below(self.companies.len() as u64) as usize).collect::<Vec<_>>();
        tries.into_iter().find(|place| self.companies[*place].land.name == country && self.companies[*place].at < at)
    }

    fn customer(&mut self, writer: &mut Writer, wanted: &Wanted<'_>, customer: &Customer) {
        let country = customer.country.clone().unwrap_or_else(|| "United Kingdom".to_owned());
        let at = days_after(writer.calendar.at(0.02 + 0.96 * customer.came), 0.0, &mut self.random);
        let at = Timestamp(at.0.min(writer.calendar.end.0 - HOUR_MS));
        let name = self.name(&country);
        let is_trade = self.random.chance(if customer.orders > 4 { 2.0 * TRADE } else { TRADE });
        let company = if is_trade { self.employer(&country, at) } else { None };
        let domain = company.map_or("mail.example", |company| self.companies[company].domain.as_str());
        let email = customer.email.clone().unwrap_or_else(|| self.address(&name, domain));
        let whole = customer.name.clone().unwrap_or_else(|| name.whole.clone());
        let contact =
            |id| Contact { id, name: whole.clone(), company, country: country.clone(), at, orders: customer.orders };
        if let Some(id) = wanted.known.get(&customer.id) {
            self.made.push(contact(*id));
            self.emails.push(None);
            return;
        }
        let lifecycle = match customer.orders {
            0 => "subscriber",
            _ if customer.ordered < 0.35 => "former",
            _ => "customer",
        };
        let mut tags = Vec::new();
        if customer.orders >= 12 {
            tags.push("vip");
        }
        if customer.orders > 3 && customer.ordered < 0.6 {
            tags.push("at_risk");
        }
        let mut fields = self.fields(writer, &country, company);
        let more = json!({ "name": whole, "email": email, "lifecycle": lifecycle, "customer_id": customer.id });
        merge(&mut fields, more);
        if customer.name.is_none() {
            merge(&mut fields, json!({ "first_name": name.first, "last_name": name.last }));
        }
        if !tags.is_empty() {
            merge(&mut fields, json!({ "tags": tags }));
        }
        let id = writer.tell("contact", at, fields, Vec::new());
        self.made.push(contact(id));
        self.emails.push(Some(email));
    }

    /// Somebody who buys for a company, and is no customer of the traffic.
    fn buyer(&mut self, writer: &mut Writer, place: usize) {
        let company = &self.companies[place];
        let at = days_after(company.at, self.random.lognormal(6.0, 1.2), &mut self.random);
        let at = if at < writer.calendar.end { at } else { Timestamp(company.at.0 + HOUR_MS / 2) };
        let name = self.name(company.land.name);
        let email = self.address(&name, &company.domain);
        let lifecycle = *self.random.pick(&["customer", "customer", "lead", "lead", "subscriber"]);
        let mut fields = self.fields(writer, company.land.name, Some(place));
        let more = json!({ "name": name.whole, "first_name": name.first, "last_name": name.last, "email": email,
            "lifecycle": lifecycle });
        merge(&mut fields, more);
        let id = writer.tell("contact", at, fields, Vec::new());
        let country = company.land.name.to_owned();
        self.made.push(Contact { id, name: name.whole, company: Some(place), country, at, orders: 0 });
        self.emails.push(Some(email));
    }

    /// What a contact has besides a name and an address.
    fn fields(&mut self, writer: &mut Writer, country: &str, company: Option<usize>) -> Value {
        let random = &mut self.random;
        let land = LANDS.iter().find(|land| land.name == country);
        let city = land.map(|land| one_of(land.cities, random));
        let street = format!("{} {}", 1 + random.below(180), one_of(STREETS, random));
        let is_british = country == "United Kingdom";
        let owner = match company {
            Some(company) => Some(self.companies[company].owner),
            None => random.chance(0.25).then(|| *random.pick(&writer.sellers)),
        };
        let source =
            *random.pick(&["web", "web", "web", "web", "referral", "advertising", "event", "partner", "outbound"]);
        json!({
            "country": country, "city": city, "source": source, "owner": owner,
            "company": company.map(|company| self.companies[company].id),
            "job_title": company.map(|_| one_of(JOBS, random)),
            "phone": if random.chance(0.75) { writer.phones.next(country) } else { None },
            "address": is_british.then(|| json!({ "street": street, "city": city, "country": country })),
            "marketing_consent": random.chance(0.6),
        })
    }

    /// Somebody who is there already, met again under a name that is spelled a little otherwise.
    fn twice(&mut self, writer: &mut Writer) {
        let place = self.random.below(self.made.len() as u64) as usize;
        let (contact, Some(email)) = (&self.made[place], &self.emails[place]) else { return };
        let mut letters: Vec<char> = contact.name.chars().collect();
        if letters.len() > 6 {
            letters.remove(letters.len() - 2);
        }
        let name: String = letters.into_iter().collect();
        let at = days_after(contact.at, 20.0, &mut self.random);
        let at = if at < writer.calendar.end { at } else { contact.at };
        let fields = json!({ "name": name, "email": email, "country": contact.country, "source": "import" });
        let id = writer.tell("contact", at, fields, Vec::new());
        let again = Contact { id, name, company: None, country: contact.country.clone(), at, orders: 0 };
        self.made.push(again);
        self.emails.push(None);
    }
}

fn merge(fields: &mut Value, more: Value) {
    if let (Value::Object(fields), Value::Object(more)) = (fields, more) {
        fields.extend(more);
    }
}

impl People {
    /// Leads: of some deals those that they were before, and others.
    pub(super) fn tell_leads(&self, writer: &mut Writer, sales: &Sales) {
        let mut random = writer.stream(Stream::Leads);
        let new_business: Vec<usize> = (0..sales.deals.len()).filter(|place| sales.deals[*place].is_new).collect();
        let step = (new_business.len() / CONVERTED).max(1);
        for place in new_business.into_iter().step_by(step).take(CONVERTED) {
            let deal = &sales.deals[place];
            let (company, contact) = (&self.companies[deal.company], &self.contacts[deal.contact]);
            let at = days_after(deal.at, -3.0 - 20.0 * random.unit(), &mut random);
            let at = Timestamp(at.0.clamp(writer.calendar.begin.0, deal.at.0 - HOUR_MS));
            let fields = json!({ "name": contact.name, "company_name": company.name, "country": contact.country, "status": "new",
                "rating": "hot", "source": random.pick(&["web", "event", "referral", "outbound"]), "owner": deal.owner,
                "value": { "amount": deal.amount, "currency": company.land.currency } });
            let converted = json!({ "status": "converted", "converted_at": deal.at, "contact": contact.id,
                "company": company.id, "deal": deal.id });
            let half = Timestamp(at.0.midpoint(deal.at.0));
            writer.tell("lead", at, fields, vec![(half, json!({ "status": "qualified" })), (deal.at, converted)]);
        }
        let mut names = HashSet::new();
        for number in 0..LEADS - CONVERTED {
            let land = land(&mut random);
            let name = Name::of(land.name, &mut random);
            if !names.insert(name.whole.clone()) {
                continue;
            }
            lead(writer, &mut random, land, &name, number);
        }
    }

    /// Somebody of a company who was there at the time, else its first.
    pub(super) fn of(&self, company: usize, at: Timestamp, random: &mut Random) -> usize {
        let there = &self.of_company[company];
        let place = *random.pick(there);
        if self.contacts[place].at < at { place } else { there[0] }
    }

    /// When a deal can begin: when its company and its contact are there.
    pub(super) fn since(&self, company: usize, contact: usize) -> Timestamp {
        self.companies[company].at.max(self.contacts[contact].at)
    }
}

/// A lead that did not become a deal.
fn lead(writer: &mut Writer, random: &mut Random, land: &'static Land, name: &Name, number: usize) {
    let (first, second) = land.parts();
    let (first, second) = (one_of(first, random), one_of(second, random));
    let company = format!("{first}{}{second}", land.space);
    let domain = format!("prospect-{number}.example");
    let at = writer.calendar.draw(random, 0.3);
    let owner = random.chance(0.85).then(|| *random.pick(&writer.sellers));
    let value = (random.lognormal(3_200.0, 0.8) / 50.0).round() * 50.0;
    let fields = json!({
        "name": name.whole, "first_name": name.first, "last_name": name.last, "company_name": company,
        "email": format!("{}@{domain}", name.address), "phone": writer.phones.next(land.name),
        "job_title": one_of(JOBS, random), "status": "new", "rating": random.pick(&["hot", "warm", "warm", "cold", "cold"]),
        "source": random.pick(&["web", "web", "event", "referral", "advertising", "outbound"]), "country": land.name,
        "value": { "amount": value, "currency": land.currency }, "owner": owner,
        "description": random.chance(0.3).then(|| format!("Interested in: {}", one_of(words::TOPICS[0], random))),
    });
    let mut later = Vec::new();
    let contacted = days_after(at, random.lognormal(1.2, 0.8), random);
    if random.chance(0.9) {
        later.push((contacted, json!({ "status": "contacted" })));
        let settled = days_after(contacted, random.lognormal(9.0, 0.7), random);
        let is_old = settled.0 < writer.calendar.end.0 - 60 * DAY_MS;
        match random.below(100) {
            0..62 => later.push((settled, json!({ "status": "unqualified" }))),
            62..80 if !is_old => later.push((settled, json!({ "status": "qualified" }))),
            _ if is_old => later.push((settled, json!({ "status": "unqualified" }))),
            _ => {}
        }
    }
    writer.tell("lead", at, fields, later);
}
