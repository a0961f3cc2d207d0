//! Exports of other systems as they come: what they are known by, where their columns go, and what becomes of their values. The headers
//! are those that the systems write (see the heads of the files in `import/known`); the rows are invented.

use std::{io::Cursor, ops::ControlFlow};

use serde_json::{Value, json};

use super::{
    everything, know, made, person,
    transfer::{all, errors, goes, run, tally, upload, with_files},
};
use crate::{Desk, Grant, Id, Reach, Record, Role, import::Import};

/// A file, and what must become of it.
struct Case {
    system: &'static str,
    object: &'static str,
    /// What each column is called, where it goes, and what stands in it in two rows.
    columns: &'static [(&'static str, &'static str, [&'static str; 2])],
    /// What is in the first record.
    first: Value,
    /// The same of the second.
    second: Value,
}

/// Imports the file and looks at what became of it.
fn check(desk: &Desk, case: &Case) {
    let name = format!("{} {}", case.system, case.object);
    let mut file = csv::Writer::from_writer(Vec::new());
    file.write_record(case.columns.iter().map(|(called, ..)| called)).unwrap();
    for row in 0..2 {
        file.write_record(case.columns.iter().map(|(.., cells)| cells[row])).unwrap();
    }
    let import = upload(desk, case.object, "export.csv", file.into_inner().unwrap());
    assert_eq!(import.about.system.as_deref(), Some(case.system), "{name}");
    let expected: Vec<&str> = case.columns.iter().map(|(_, goes, _)| *goes).collect();
    assert_eq!(goes(&import), expected, "{name}");
    let done = run(desk, &import);
    assert_eq!(done.tally, tally(2, 0, 0, 0), "{name}: {}", errors(desk, &done));
    let actor = format!("import:{}", import.id);
    let records: Vec<_> = all(desk, case.object).into_iter().filter(|record| record.created_by == actor).collect();
    assert_eq!(records.len(), 2, "{name}");
    for (record, expected) in records.iter().zip([&case.first, &case.second]) {
        for (field, expected) in expected.as_object().unwrap() {
            let value = match field.strip_prefix('>') {
                // The name of the record that a field leads to.
                Some(field) => json!(record.related[field]["title"]),
                None if field == "owner" => json!(record.owner),
                None => record.fields.get(field).cloned().unwrap_or(Value::Null),
            };
            assert_eq!(value, *expected, "{name}: {field}");
        }
    }
}

/// Imports files into both databases, one after the other, with a colleague, people and a company there already.
fn check_all(cases: &[Case]) {
    with_files(|desk| {
        know(desk, &[7], &[]);
        let acme = made(desk, &everything(), "company", json!({ "name": "Acme" }));
        made(desk, &everything(), "contact", json!({ "name": "Ann Lee", "company": acme.id }));
        made(desk, &everything(), "contact", json!({ "name": "Bob Kay" }));
        for case in cases {
            check(desk, case);
        }
    });
}

fn hubspot_contacts() -> Case {
    Case {
        system: "HubSpot",
        object: "contact",
        columns: &[
            ("Record ID", "customer_id", ["51", "52"]),
            ("First Name", "first_name", ["Mia", "Tom"]),
            ("Last Name", "last_name", ["Berg", "Oak"]),
            ("Email", "email", ["mia@berg.example", "tom@oak.example"]),
            ("Additional email addresses", "other_emails", ["m@berg.example;b@berg.example", ""]),
            ("Phone Number", "phone", ["+49 30 1234", ""]),
            ("Mobile Phone Number", "other_phones", ["+49 171 1234", ""]),
            ("Contact owner", "@owner", ["Person 7", ""]),
            ("Lifecycle Stage", "lifecycle", ["Marketing Qualified Lead", "Customer"]),
            ("Lead Status", "-", ["In Progress", ""]),
            ("Create Date", "-", ["2026-03-12 09:14", "2026-03-13 10:00"]),
            ("Date of birth", "birthday", ["1980-02-29", ""]),
            ("Country/Region", "country", ["Germany", ""]),
            ("State/Region", "address.region", ["Berlin", ""]),
            ("City", "city", ["Berlin", ""]),
            ("Street Address", "address.street", ["Lindenweg 1\nRear building", ""]),
            ("Postal Code", "address.postcode", ["01067", ""]),
            ("LinkedIn URL", "-", ["https://linkedin.example/mia", ""]),
            ("Associated Company", "-", ["Acme;Globex", "Initech"]),
            ("Associated Company (Primary)", "company:name", ["Acme", "Initech"]),
            ("Associated Company IDs", "-", ["1;2", "3"]),
        ],
        first: json!({
            "name": "Mia Berg", "other_emails": ["m@berg.example", "b@berg.example"], "lifecycle": "lead",
            "owner": Id(7), "birthday": "1980-02-29", ">company": "Acme",
            "address": { "street": "Lindenweg 1, Rear building", "region": "Berlin", "postcode": "01067" },
        }),
        second: json!({ "lifecycle": "customer", ">company": "Initech", "owner": null }),
    }
}

fn hubspot_companies() -> Case {
    Case {
        system: "HubSpot",
        object: "company",
        columns: &[
            ("Record ID", "-", ["9001", "9002"]),
            ("Company name", "name", ["Berg AG", "Oak Ltd"]),
            ("Company owner", "@owner", ["p7@example.com", ""]),
            ("Company Domain Name", "domain", ["berg.example", "oak.example"]),
            ("Number of Employees", "employees", ["250", ""]),
            ("Annual Revenue", "revenue.amount", ["1200000.5", "10"]),
            ("Annual Revenue Currency Code", "revenue.currency", ["USD", ""]),
            ("Year Founded", "founded", ["1999", ""]),
            // Its values are ids here, which name nobody.
            ("Parent Company", "-", ["9002", ""]),
            ("Website URL", "website", ["berg.example", ""]),
        ],
        first: json!({
            "owner": Id(7), "employees": 250, "revenue": { "amount": 1_200_000.5, "currency": "USD" },
            "website": "https://berg.example", "parent": null, "founded": 1999,
        }),
        second: json!({ "name": "Oak Ltd", "revenue": { "amount": 10, "currency": "EUR" } }),
    }
}

fn hubspot_deals() -> Case {
    Case {
        system: "HubSpot",
        object: "deal",
        columns: &[
            ("Record ID", "-", ["71", "72"]),
            ("Deal Name", "name", ["Spring order", "Autumn order"]),
            ("Pipeline", "pipeline:name", ["Sales", "Sales"]),
            ("Deal Stage", "stage:name", ["Proposal", "Closed won"]),
            ("Amount", "amount.amount", ["12000.0", "5"]),
            ("Currency", "amount.currency", ["USD", "USD"]),
            ("Close Date", "close_date", ["2026-12-31 23:59", "2026-03-01 10:00"]),
            ("Deal owner", "@owner", ["Person 7", ""]),
            ("Deal probability", "-", ["0.6", "1.0"]),
            ("Closed Lost Reason", "lost_reason", ["", ""]),
            ("Associated Contact", "contacts:name", ["Ann Lee;Bob Kay", "Ann Lee"]),
            ("Associated Contact IDs", "-", ["51;52", "51"]),
            ("Associated Company (Primary)", "company:name", ["Acme", ""]),
        ],
        first: json!({
            "amount": { "amount": 12000, "currency": "USD" }, "close_date": "2026-12-31", "probability": 50,
            ">stage": "Proposal", ">company": "Acme",
        }),
        second: json!({ "close_date": "2026-03-01", ">stage": "Won" }),
    }
}

fn hubspot_tickets() -> Case {
    Case {
        system: "HubSpot",
        object: "ticket",
        columns: &[
            ("Ticket ID", "-", ["1", "2"]),
            ("Ticket name", "subject", ["Late parcel", "No light"]),
            ("Ticket status", "status", ["Waiting on us", "Closed"]),
            ("Priority", "priority", ["Medium", "URGENT"]),
            ("Source", "channel", ["Email", "Form"]),
            ("Tags", "tags", ["VIP;partner", ""]),
            ("Close date", "solved_at", ["", "2026-03-01 10:05"]),
            ("Associated Contact", "contact:name", ["Ann Lee", ""]),
        ],
        first: json!({
            "status": "open", "priority": "normal", "channel": "email", "tags": ["vip", "partner"], "solved_at": null,
            ">contact": "Ann Lee",
        }),
        second: json!({
            "status": "closed", "priority": "urgent", "channel": "web", "solved_at": "2026-03-01T10:05:00.000Z",
        }),
    }
}

#[test]
fn hubspot() {
    check_all(&[hubspot_contacts(), hubspot_companies(), hubspot_deals(), hubspot_tickets()]);
}

fn salesforce_contacts() -> Case {
    Case {
        system: "Salesforce",
        object: "contact",
        columns: &[
            ("Id", "-", ["0035g00000XyZ1aAAF", "0035g00000XyZ1bAAF"]),
            ("IsDeleted", "-", ["false", "false"]),
            ("AccountId", "-", ["0015g00000XyZ1aAAF", ""]),
            ("LastName", "last_name", ["Berg", "Oak"]),
            ("FirstName", "first_name", ["Mia", "Tom"]),
            ("Name", "name", ["Mia Berg", "Tom Oak"]),
            ("MailingStreet", "address.street", ["Lindenweg 1\r\nRear building", ""]),
            ("MailingCity", "city", ["Berlin", ""]),
            ("MailingState", "address.region", ["Berlin", ""]),
            ("MailingPostalCode", "address.postcode", ["01067", ""]),
            ("MailingCountry", "country", ["Germany", ""]),
            ("Phone", "phone", ["(030) 1234", ""]),
            // Of several numbers that fit the first with values is taken.
            ("MobilePhone", "-", ["", ""]),
            ("HomePhone", "other_phones", ["(030) 5678", ""]),
            ("Email", "email", ["mia@berg.example", "tom@oak.example"]),
            ("Title", "job_title", ["Buyer", ""]),
            ("LeadSource", "source", ["Web", "Trade Show"]),
            ("Birthdate", "birthday", ["1980-02-29Z", ""]),
            ("OwnerId", "-", ["0055g00000XyZ1aAAF", ""]),
            ("HasOptedOutOfEmail", "-", ["false", "true"]),
            ("CreatedDate", "-", ["2026-03-12T09:14:00.000Z", ""]),
            ("SystemModstamp", "-", ["2026-03-12T09:14:00.000Z", ""]),
            ("PhotoUrl", "-", ["https://photos.example/mia", ""]),
            ("Account.Name", "company:name", ["Acme", ""]),
            ("Owner.Email", "@owner", ["P7@example.com", ""]),
        ],
        first: json!({
            "name": "Mia Berg", "source": "web", "birthday": "1980-02-29", "owner": Id(7), ">company": "Acme",
            "other_phones": ["(030) 5678"], "website": null, "marketing_consent": null,
            "address": { "street": "Lindenweg 1, Rear building", "region": "Berlin", "postcode": "01067" },
        }),
        second: json!({ "source": "event" }),
    }
}

fn salesforce_products() -> Case {
    Case {
        system: "Salesforce",
        object: "product",
        columns: &[
            ("Id", "-", ["01t5g000003AbCdAAK", "01t5g000003AbCeAAK"]),
            ("Name", "name", ["Lamp", "Bulb"]),
            ("ProductCode", "sku", ["L-1", "B-1"]),
            ("IsActive", "active", ["true", "0"]),
            ("Family", "category", ["Light", "Light"]),
        ],
        first: json!({ "sku": "L-1", "active": true, "category": "Light" }),
        second: json!({ "active": false }),
    }
}

fn salesforce_cases() -> Case {
    Case {
        system: "Salesforce",
        object: "ticket",
        columns: &[
            ("Id", "-", ["5005g00000XyZ1aAAF", "5005g00000XyZ1bAAF"]),
            ("CaseNumber", "-", ["00001001", "00001002"]),
            ("Subject", "subject", ["Late parcel", "No light"]),
            ("Status", "status", ["Working", "Closed"]),
            ("Priority", "priority", ["Medium", "High"]),
            ("Origin", "channel", ["Web", "Phone"]),
            ("Type", "category", ["Problem", ""]),
            ("ClosedDate", "solved_at", ["", "2026-03-01T10:05:00.000+0000"]),
            ("Contact.Name", "contact:name", ["Ann Lee", ""]),
        ],
        first: json!({ "status": "open", "priority": "normal", "channel": "web", ">contact": "Ann Lee" }),
        second: json!({ "channel": "phone", "solved_at": "2026-03-01T10:05:00.000Z" }),
    }
}

#[test]
fn salesforce_by_names_of_fields() {
    check_all(&[salesforce_contacts(), salesforce_products(), salesforce_cases()]);
}

fn salesforce_report_of_leads() -> Case {
    Case {
        system: "Salesforce",
        object: "lead",
        columns: &[
            ("Lead Owner", "@owner", ["Person 7", ""]),
            ("First Name", "first_name", ["Mia", "Tom"]),
            ("Last Name", "last_name", ["Berg", "Oak"]),
            ("Title", "job_title", ["Buyer", ""]),
            ("Company / Account", "company_name", ["Berg AG", "Oak Ltd"]),
            ("Email", "email", ["mia@berg.example", "tom@oak.example"]),
            ("Lead Source", "source", ["Advertisement", "Other"]),
            ("Lead Status", "status", ["Open - Not Contacted", "Closed - Not Converted"]),
            ("Rating", "rating", ["Hot", "Cold"]),
            ("Street", "-", ["Lindenweg 1", ""]),
            ("Country", "country", ["Germany", ""]),
        ],
        first: json!({
            "name": "Mia Berg", "company_name": "Berg AG", "source": "advertising", "status": "new", "rating": "hot",
            "owner": Id(7),
        }),
        second: json!({ "status": "unqualified", "source": "other", "rating": "cold" }),
    }
}

fn salesforce_report_of_deals() -> Case {
    Case {
        system: "Salesforce",
        object: "deal",
        columns: &[
            ("Opportunity Owner", "@owner", ["Person 7", "Person 7"]),
            ("Account Name", "company:name", ["Acme", "Berg AG"]),
            ("Opportunity Name", "name", ["Spring order", "Autumn order"]),
            ("Stage", "stage:name", ["Negotiation", "Closed Lost"]),
            ("Fiscal Period", "-", ["Q4-2026", "Q1-2026"]),
            ("Amount Currency", "amount.currency", ["USD", "USD"]),
            ("Amount", "amount.amount", ["1,234,567.50", "20,000.00"]),
            ("Probability (%)", "probability", ["80", "0"]),
            ("Age", "-", ["12", "200"]),
            ("Close Date", "close_date", ["12/31/2026", "3/1/2026"]),
            ("Next Step", "next_step", ["Call", ""]),
            ("Lead Source", "source", ["Web", ""]),
        ],
        first: json!({
            "amount": { "amount": 1_234_567.5, "currency": "USD" }, "close_date": "2026-12-31", "probability": 80,
            ">company": "Acme", ">stage": "Negotiation", "owner": Id(7),
        }),
        second: json!({ "close_date": "2026-03-01", ">company": "Berg AG", ">stage": "Lost" }),
    }
}

fn salesforce_report_of_companies() -> Case {
    Case {
        system: "Salesforce",
        object: "company",
        columns: &[
            ("Account Owner", "@owner", ["Person 7", ""]),
            ("Account Name", "name", ["Oak Ltd", "Elm Ltd"]),
            ("Billing State/Province", "address.region", ["Kent", ""]),
            ("Billing Zip/Postal Code", "address.postcode", ["CT1 2AB", ""]),
            ("Annual Revenue Currency", "revenue.currency", ["GBP", ""]),
            ("Annual Revenue", "revenue.amount", ["250,000", ""]),
            ("Employees", "employees", ["1,200", ""]),
            ("Account Phone", "phone", ["+44 20 1234", ""]),
            ("Account Description", "description", ["Grows oaks", ""]),
            ("Parent Account", "parent:name", ["Acme", ""]),
        ],
        first: json!({
            "revenue": { "amount": 250_000, "currency": "GBP" }, "employees": 1200, ">parent": "Acme",
            "address": { "region": "Kent", "postcode": "CT1 2AB" },
        }),
        second: json!({ "name": "Elm Ltd", "revenue": null }),
    }
}

#[test]
fn salesforce_by_labels_of_reports() {
    check_all(&[salesforce_report_of_leads(), salesforce_report_of_deals(), salesforce_report_of_companies()]);
}

fn pipedrive_people() -> Case {
    Case {
        system: "Pipedrive",
        object: "contact",
        columns: &[
            ("Person - ID", "-", ["11", "12"]),
            ("Person - Name", "name", ["Mia Berg", "Tom Oak"]),
            ("Person - First name", "first_name", ["Mia", "Tom"]),
            ("Person - Last name", "last_name", ["Berg", "Oak"]),
            ("Person - Labels", "-", ["Hot lead, Customer", ""]),
            ("Person - Organization", "company:name", ["Acme", "Oak Ltd"]),
            ("Person - Organization ID", "-", ["1", "2"]),
            // Nobody has an address for work here, so the next one is taken.
            ("Person - Email - Work", "-", ["", ""]),
            ("Person - Email - Home", "email", ["mia@berg.example", "tom@oak.example"]),
            ("Person - Email - Other", "other_emails", ["m@berg.example", ""]),
            ("Person - Phone - Work", "phone", ["+49 30 1234", ""]),
            ("Person - Phone - Mobile", "other_phones", ["+49 171 1234, +49 172 5678", ""]),
            ("Person - Owner", "@owner", ["Person 7", "Person 7"]),
            ("Person - Marketing status", "marketing_consent", ["Subscribed", "No consent"]),
            ("Person - Job title", "job_title", ["Buyer", ""]),
            ("Person - Birthday", "birthday", ["1980-02-29", ""]),
            (
                "Person - Full/combined address of Postal address",
                "address.street",
                ["Lindenweg 1, 01067 Dresden, Germany", ""],
            ),
            ("Person - House number of Postal address", "-", ["1", ""]),
            ("Person - City/town/village/locality of Postal address", "city", ["Dresden", ""]),
            ("Person - ZIP/Postal code of Postal address", "address.postcode", ["01067", ""]),
            ("Person - Country of Postal address", "country", ["Germany", ""]),
            ("Person - Person created", "-", ["2026-03-12 09:14:00", ""]),
        ],
        first: json!({
            "email": "mia@berg.example", "other_emails": ["m@berg.example"], "marketing_consent": true, "owner": Id(7),
            "other_phones": ["+49 171 1234", "+49 172 5678"], ">company": "Acme", "city": "Dresden",
            "address": { "street": "Lindenweg 1, 01067 Dresden, Germany", "postcode": "01067" },
        }),
        second: json!({ "marketing_consent": false, ">company": "Oak Ltd" }),
    }
}

fn pipedrive_organizations() -> Case {
    Case {
        system: "Pipedrive",
        object: "company",
        columns: &[
            ("Organization - Name", "name", ["Berg AG", "Elm Ltd"]),
            ("Organization - Owner", "@owner", ["Person 7", ""]),
            ("Organization - People", "-", ["3", "0"]),
            ("Organization - Parent", "parent:name", ["Acme", ""]),
            ("Organization - Annual revenue", "revenue.amount", ["1200000", ""]),
            ("Organization - Currency of Annual revenue", "revenue.currency", ["CHF", ""]),
            ("Organization - Number of employees", "employees", ["250", ""]),
            ("Organization - Street/road name of Company Address", "-", ["Lindenweg", ""]),
            ("Organization - City/town/village/locality of Company Address", "city", ["Bern", ""]),
            (
                "Organization - Full/combined address of Company Address",
                "address.street",
                ["Lindenweg 1, 3000 Bern", ""],
            ),
            ("Organization - Won deals", "-", ["2", ""]),
        ],
        first: json!({
            "owner": Id(7), ">parent": "Acme", "revenue": { "amount": 1_200_000, "currency": "CHF" }, "city": "Bern",
            "address": { "street": "Lindenweg 1, 3000 Bern" },
        }),
        second: json!({ "name": "Elm Ltd" }),
    }
}

fn pipedrive_deals() -> Case {
    Case {
        system: "Pipedrive",
        object: "deal",
        columns: &[
            ("Deal - ID", "-", ["21", "22"]),
            ("Deal - Title", "name", ["Spring order", "Autumn order"]),
            ("Deal - Owner", "@owner", ["Person 7", ""]),
            ("Deal - Value", "amount.amount", ["1.234,50", "20"]),
            ("Deal - Currency of Value", "amount.currency", ["€", "$"]),
            ("Deal - Weighted value", "-", ["617,25", "0"]),
            ("Deal - Currency of Weighted value", "-", ["€", "$"]),
            ("Deal - Organization", "company:name", ["Acme", ""]),
            ("Deal - Pipeline", "pipeline:name", ["Sales", "Sales"]),
            ("Deal - Contact person", "contact:name", ["Ann Lee", ""]),
            ("Deal - Stage", "stage:name", ["Qualified", "Qualified"]),
            ("Deal - Status", "stage:outcome", ["Open", "Lost"]),
            ("Deal - Deal created", "-", ["2026-03-12 09:14:00", "2026-01-12 09:14:00"]),
            ("Deal - Deal closed on", "closed_at", ["", "2026-02-03 08:00:00"]),
            ("Deal - Expected close date", "close_date", ["31.12.2026", ""]),
            ("Deal - Lost reason", "lost_reason", ["", "Price"]),
        ],
        first: json!({
            "amount": { "amount": 1234.5, "currency": "EUR" }, "close_date": "2026-12-31", "owner": Id(7),
            ">company": "Acme", ">contact": "Ann Lee", ">stage": "Qualified", "closed_at": null,
        }),
        second: json!({
            "amount": { "amount": 20, "currency": "USD" }, "lost_reason": "Price", ">stage": "Lost", "probability": 0,
            "closed_at": "2026-02-03T08:00:00.000Z",
        }),
    }
}

fn pipedrive_leads() -> Case {
    Case {
        system: "Pipedrive",
        object: "lead",
        columns: &[
            ("Lead - ID", "-", ["0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"]),
            ("Lead - Title", "description", ["Berg AG lead", "Lights for Oak"]),
            ("Lead - Contact person", "name", ["Mia Berg", "Tom Oak"]),
            ("Lead - Organization", "company_name", ["Berg AG", ""]),
            ("Lead - Value", "value.amount", ["500", ""]),
            ("Lead - Currency of Value", "value.currency", ["USD", ""]),
            ("Lead - Owner", "@owner", ["Person 7", ""]),
        ],
        first: json!({ "name": "Mia Berg", "value": { "amount": 500, "currency": "USD" }, "owner": Id(7) }),
        second: json!({ "description": "Lights for Oak", "value": null }),
    }
}

fn pipedrive_activities() -> Case {
    Case {
        system: "Pipedrive",
        object: "task",
        columns: &[
            ("Activity - Subject", "title", ["Send the quote", "Call"]),
            ("Activity - Type", "-", ["Task", "Call"]),
            ("Activity - Due date", "due_at", ["2026-04-01", "2026-03-01"]),
            ("Activity - Done", "status", ["To do", "Done"]),
            ("Activity - Assigned to user", "@owner", ["Person 7", ""]),
            ("Deal - Title", "deal:name", ["Spring order", ""]),
            ("Person - Name", "contact:name", ["Ann Lee", ""]),
        ],
        first: json!({
            "due_at": "2026-04-01T00:00:00.000Z", "status": "open", ">deal": "Spring order", ">contact": "Ann Lee",
        }),
        second: json!({ "status": "done" }),
    }
}

fn pipedrive_products() -> Case {
    Case {
        system: "Pipedrive",
        object: "product",
        columns: &[
            ("Product - Name", "name", ["Lamp", "Bulb"]),
            ("Product - Product code", "sku", ["L-1", "B-1"]),
            ("Product - Price", "price.amount", ["12.50", ""]),
            ("Product - Currency", "price.currency", ["USD", ""]),
            ("Product - Active", "active", ["Yes", "No"]),
        ],
        first: json!({ "price": { "amount": 12.5, "currency": "USD" }, "active": true }),
        second: json!({ "active": false, "price": null }),
    }
}

#[test]
fn pipedrive() {
    check_all(&[
        pipedrive_people(),
        pipedrive_organizations(),
        pipedrive_deals(),
        pipedrive_leads(),
        pipedrive_activities(),
        pipedrive_products(),
    ]);
}

fn twenty_people() -> Case {
    Case {
        system: "Twenty",
        object: "contact",
        columns: &[
            ("Id", "-", ["0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"]),
            ("Name / First Name", "first_name", ["Mia", "Tom"]),
            ("Name / Last Name", "last_name", ["Berg", "Oak"]),
            ("Emails / Primary Email", "email", ["mia@berg.example", "tom@oak.example"]),
            ("Emails / Additional Emails", "other_emails", [r#"["m@berg.example","b@berg.example"]"#, "[]"]),
            ("Created by / Source", "-", ["MANUAL", "IMPORT"]),
            ("Company Id", "-", ["16fd2706-8baf-433b-82eb-8c7fada847da", ""]),
            ("Phones / Primary Phone Number", "phone", ["\u{200d}+49 30 1234", "305678"]),
            ("Phones / Primary Phone Country Code", "-", ["DE", ""]),
            ("Phones / Primary Phone Calling Code", "-", ["\u{200d}+49", ""]),
            ("Phones / Additional Phones", "-", ["[]", ""]),
            ("Creation date", "-", ["2026-03-12T09:14:00.000Z", ""]),
            ("City", "city", ["Berlin", ""]),
            ("Job Title", "job_title", ["\u{200d}-Buyer", ""]),
            ("Linkedin / Link URL", "-", ["https://linkedin.example/mia", ""]),
        ],
        first: json!({
            "name": "Mia Berg", "other_emails": ["m@berg.example", "b@berg.example"], "phone": "+49 30 1234",
            "job_title": "-Buyer", "website": null,
        }),
        second: json!({ "other_emails": null, "phone": "305678" }),
    }
}

fn twenty_companies() -> Case {
    Case {
        system: "Twenty",
        object: "company",
        columns: &[
            ("Id", "-", ["0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"]),
            ("Name", "name", ["Berg AG", "Elm Ltd"]),
            ("Domain Name / Link Label", "-", ["", ""]),
            ("Domain Name / Link URL", "website", ["https://berg.example", ""]),
            ("Domain Name / Secondary Links", "-", ["[]", ""]),
            ("Account Owner Id", "-", ["16fd2706-8baf-433b-82eb-8c7fada847da", ""]),
            ("Employees", "employees", ["250", ""]),
            ("Linkedin / Link URL", "-", ["https://linkedin.example/berg", ""]),
            ("Address / Address 1", "address.street", ["Lindenweg 1", ""]),
            ("Address / Address 2", "-", ["", ""]),
            ("Address / City", "city", ["Berlin", ""]),
            ("Address / State", "address.region", ["Berlin", ""]),
            ("Address / Country", "country", ["Germany", ""]),
            ("Address / Post Code", "address.postcode", ["01067", ""]),
            ("Address / Latitude", "-", ["52.5", ""]),
            ("ICP", "-", ["true", "false"]),
            ("ARR / Amount", "revenue.amount", ["500000", ""]),
            ("ARR / Currency", "revenue.currency", ["USD", ""]),
        ],
        first: json!({
            "website": "https://berg.example", "revenue": { "amount": 500_000, "currency": "USD" }, "owner": null,
            "address": { "street": "Lindenweg 1", "region": "Berlin", "postcode": "01067" },
        }),
        second: json!({ "name": "Elm Ltd" }),
    }
}

fn twenty_opportunities() -> Case {
    Case {
        system: "Twenty",
        object: "deal",
        columns: &[
            ("Id", "-", ["0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"]),
            ("Name", "name", ["Spring order", "Autumn order"]),
            ("Amount / Amount", "amount.amount", ["12000.5", "5"]),
            ("Amount / Currency", "amount.currency", ["USD", "USD"]),
            ("Close date", "close_date", ["2026-12-31T22:00:00.000Z", ""]),
            ("Stage", "stage:name", ["NEW", "PROPOSAL"]),
            ("Point of Contact Id", "-", ["16fd2706-8baf-433b-82eb-8c7fada847da", ""]),
            // A version that calls the column so, with the id in it.
            ("Company", "-", ["16fd2706-8baf-433b-82eb-8c7fada847da", ""]),
            ("Owner Id", "-", ["16fd2706-8baf-433b-82eb-8c7fada847da", ""]),
        ],
        first: json!({
            "amount": { "amount": 12000.5, "currency": "USD" }, "close_date": "2026-12-31", ">stage": "New",
            "company": null,
        }),
        second: json!({ ">stage": "Proposal" }),
    }
}

#[test]
fn twenty() {
    check_all(&[twenty_people(), twenty_companies(), twenty_opportunities()]);
}

fn espocrm_contacts() -> Case {
    Case {
        system: "EspoCRM",
        object: "contact",
        columns: &[
            ("id", "-", ["64f1c2a3b4d5e6f70", "64f1c2a3b4d5e6f71"]),
            ("salutationName", "-", ["Ms.", ""]),
            ("firstName", "first_name", ["Mia", "Tom"]),
            ("lastName", "last_name", ["Berg", "Oak"]),
            ("title", "job_title", ["Buyer", ""]),
            ("emailAddress", "email", ["mia@berg.example", "tom@oak.example"]),
            ("emailAddressIsOptedOut", "-", ["1", ""]),
            ("phoneNumber", "phone", ["'+49301234", ""]),
            ("doNotCall", "-", ["", "1"]),
            ("addressStreet", "address.street", ["Lindenweg 1\nRear building", ""]),
            ("addressCity", "city", ["Berlin", ""]),
            ("addressState", "address.region", ["Berlin", ""]),
            ("addressCountry", "country", ["Germany", ""]),
            ("addressPostalCode", "address.postcode", ["01067", ""]),
            ("accountId", "-", ["64f1c2a3b4d5e6f72", ""]),
            ("accountName", "company:name", ["Acme", "Oak Ltd"]),
            ("createdAt", "-", ["2026-07-02 06:02:11", ""]),
            ("assignedUserId", "-", ["64f1c2a3b4d5e6f73", ""]),
            ("assignedUserName", "@owner", ["Person 7", ""]),
            ("description", "description", ["Likes\nlamps", ""]),
        ],
        first: json!({
            "name": "Mia Berg", "phone": "+49301234", ">company": "Acme", "owner": Id(7),
            "description": "Likes\nlamps", "marketing_consent": null,
            "address": { "street": "Lindenweg 1, Rear building", "region": "Berlin", "postcode": "01067" },
        }),
        second: json!({ ">company": "Oak Ltd" }),
    }
}

fn espocrm_opportunities() -> Case {
    Case {
        system: "EspoCRM",
        object: "deal",
        columns: &[
            ("name", "name", ["Spring order", "Autumn order"]),
            ("amount", "amount.amount", ["12000.5", "5"]),
            ("amountCurrency", "amount.currency", ["USD", "USD"]),
            ("amountConverted", "-", ["11000", "4"]),
            ("accountId", "-", ["64f1c2a3b4d5e6f72", ""]),
            ("accountName", "company:name", ["Acme", ""]),
            ("contactName", "contact:name", ["Ann Lee", ""]),
            ("stage", "stage:name", ["Proposal", "Closed Won"]),
            ("probability", "probability", ["50", "100"]),
            ("leadSource", "source", ["Partner", "Web Site"]),
            ("closeDate", "close_date", ["2026-12-31", ""]),
        ],
        first: json!({
            "amount": { "amount": 12000.5, "currency": "USD" }, "close_date": "2026-12-31", ">stage": "Proposal",
            ">company": "Acme", ">contact": "Ann Lee", "source": "partner",
        }),
        second: json!({ "source": "web", "probability": 100, ">stage": "Won" }),
    }
}

fn espocrm_leads() -> Case {
    Case {
        system: "EspoCRM",
        object: "lead",
        columns: &[
            ("firstName", "first_name", ["Mia", "Tom"]),
            ("lastName", "last_name", ["Berg", "Oak"]),
            ("status", "status", ["In Process", "Dead"]),
            ("opportunityAmount", "value.amount", ["500", ""]),
            ("opportunityAmountCurrency", "value.currency", ["USD", ""]),
            ("emailAddress", "email", ["mia@berg.example", "tom@oak.example"]),
            ("accountName", "company_name", ["Berg AG", ""]),
            ("convertedAt", "converted_at", ["2026-07-02 06:02:11", ""]),
        ],
        first: json!({
            "status": "contacted", "value": { "amount": 500, "currency": "USD" }, "company_name": "Berg AG",
            "converted_at": "2026-07-02T06:02:11.000Z",
        }),
        second: json!({ "status": "unqualified" }),
    }
}

fn espocrm_cases() -> Case {
    Case {
        system: "EspoCRM",
        object: "ticket",
        columns: &[
            ("name", "subject", ["Late parcel", "No light"]),
            ("number", "-", ["7", "8"]),
            ("status", "status", ["Pending", "Assigned"]),
            ("priority", "priority", ["Urgent", "Low"]),
            ("type", "category", ["Incident", ""]),
            ("accountName", "company:name", ["Acme", ""]),
            ("contactName", "contact:name", ["Ann Lee", ""]),
            ("assignedUserName", "@owner", ["Person 7", ""]),
        ],
        first: json!({ "status": "waiting", "priority": "urgent", "category": "Incident", ">contact": "Ann Lee" }),
        second: json!({ "status": "open", "priority": "low" }),
    }
}

fn espocrm_calls() -> Case {
    Case {
        system: "EspoCRM",
        object: "call",
        columns: &[
            ("name", "title", ["First call", "Second call"]),
            ("direction", "direction", ["Outbound", "Inbound"]),
            ("dateStart", "called_at", ["2026-07-02 06:02:11", "2026-07-03 06:00:00"]),
            ("dateEnd", "-", ["2026-07-02 06:12:11", ""]),
            ("assignedUserName", "@owner", ["Person 7", ""]),
        ],
        first: json!({ "direction": "outbound", "called_at": "2026-07-02T06:02:11.000Z", "owner": Id(7) }),
        second: json!({ "direction": "inbound" }),
    }
}

#[test]
fn espocrm_by_names_of_attributes() {
    check_all(&[espocrm_contacts(), espocrm_opportunities(), espocrm_leads(), espocrm_cases(), espocrm_calls()]);
}

fn espocrm_spreadsheet_of_accounts() -> Case {
    Case {
        system: "EspoCRM",
        object: "company",
        columns: &[
            ("Name", "name", ["Berg AG", "Elm Ltd"]),
            ("Website", "website", ["https://berg.example", ""]),
            ("Email", "email", ["info@berg.example", ""]),
            ("Phone", "phone", ["+49301234", ""]),
            ("Type", "-", ["Customer", ""]),
            ("Industry", "industry", ["Energy", ""]),
            ("Billing Address", "address", ["Lindenweg 1\n01067 Dresden\nGermany", ""]),
            ("Assigned User", "@owner", ["Person 7", ""]),
            ("Created By", "-", ["Person 7", ""]),
        ],
        first: json!({ "address": { "street": "Lindenweg 1, 01067 Dresden, Germany" }, "owner": Id(7) }),
        second: json!({ "name": "Elm Ltd", "address": null }),
    }
}

#[test]
fn espocrm_by_labels_of_its_spreadsheets() {
    check_all(&[espocrm_spreadsheet_of_accounts()]);
}

#[test]
fn older_files_of_twenty_have_the_names_of_its_api() {
    with_files(|desk| {
        let goes_of = |object: &str, header: &str| {
            let import = upload(desk, object, "export.csv", header);
            assert_eq!(import.about.system.as_deref(), Some("Twenty"), "{header}");
            goes(&import)
        };
        let header =
            "Id,Name FirstName,Name LastName,Emails PrimaryEmail,Emails AdditionalEmails,Phones PrimaryPhoneNumber";
        assert_eq!(goes_of("contact", header), ["-", "first_name", "last_name", "email", "other_emails", "phone"]);
        let header = "Id,Name,Domain Name PrimaryLinkUrl,ARR AmountMicros,ARR CurrencyCode,Address AddressStreet1";
        let expected = ["-", "name", "website", "revenue.amount", "revenue.currency", "address.street"];
        assert_eq!(goes_of("company", header), expected);
        let header = "Id,Name,Amount AmountMicros,Amount CurrencyCode,Close date,Company Id";
        let expected = ["-", "name", "amount.amount", "amount.currency", "close_date", "-"];
        assert_eq!(goes_of("deal", header), expected);
    });
}

#[test]
fn a_file_of_ones_own_is_no_other_systems() {
    with_files(|desk| {
        for header in ["Email Address,Phone Number,Created At", "Name,Amount,Close Date,Stage", "Id,Name,City"] {
            let import = upload(desk, "contact", "own.csv", header);
            assert_eq!(import.about.system, None, "{header}");
        }
    });
}

#[test]
fn a_value_that_means_no_option_is_told_of() {
    with_files(|desk| {
        let file = "Record ID,Contact owner,First Name,Email,Lifecycle Stage\n\
            1,,Mia,mia@berg.example,Other\n2,,Tom,tom@oak.example,LEAD\n";
        let import = upload(desk, "contact", "export.csv", file);
        let done = run(desk, &import);
        assert_eq!(done.tally, tally(1, 0, 0, 1));
        assert_eq!(all(desk, "contact")[0].fields["lifecycle"], "lead");
        let told = errors(desk, &done);
        assert!(told.contains("it must be one of subscriber, lead, customer, former"), "{told}");
    });
}

#[test]
fn several_addresses_in_a_cell_for_one_are_all_kept() {
    with_files(|desk| {
        let file = "Person - Name,Person - Email\nMia,\"mia@berg.example, m@berg.example, b@berg.example\"\nTom,tom@oak.example\n";
        let import = upload(desk, "contact", "people.csv", file);
        assert_eq!(goes(&import), ["name", "email"]);
        run(desk, &import);
        let kept: Vec<_> = all(desk, "contact").iter().map(|record| record.fields.clone()).collect();
        assert_eq!(kept[0]["email"], "mia@berg.example");
        assert_eq!(kept[0]["other_emails"], json!(["m@berg.example", "b@berg.example"]));
        assert_eq!((&kept[1]["email"], kept[1].get("other_emails")), (&json!("tom@oak.example"), None));
        // Where another column holds the others, or the object has no place for them, the row is told of.
        let file = "Person - Email - Work,Person - Email - Home,Person - Name\n\"a@oak.example,b@oak.example\",c@oak.example,Ada\n";
        let done = run(desk, &upload(desk, "contact", "people.csv", file));
        assert_eq!(done.tally, tally(0, 0, 0, 1));
        let done = run(desk, &upload(desk, "lead", "leads.csv", "name,email\nAda,\"a@oak.example,b@oak.example\"\n"));
        assert_eq!(done.tally, tally(0, 0, 0, 1));
    });
}

#[test]
fn addresses_that_a_role_may_not_set_are_not_imported() {
    with_files(|desk| {
        know(desk, &[1], &[]);
        let other_emails = || vec!["other_emails".to_owned()];
        let grant = Grant { read: Reach::All, create: true, update: Reach::All, ..Grant::default() };
        let locked = Grant { locked: other_emails(), ..grant.clone() };
        let hidden = Grant { hidden: other_emails(), ..grant };
        for (name, grant) in [("locked", locked), ("hidden", hidden)] {
            let role = Role { name: name.to_owned(), transfer: true, other: grant, ..Role::default() };
            let id = desk.add_role(&everything(), &role).unwrap();
            desk.write(|_, tx| tx.execute_sql(&format!("UPDATE person SET role = {}", id.0), &[])).unwrap();
            let access = person(1, &[], role);
            let file = format!("name,email\nMia,\"mia@{name}.example, m@{name}.example\"\nTom,tom@{name}.example\n");
            let import = desk.upload_import(&access, "contact", "people.csv", &mut Cursor::new(file)).unwrap();
            let check = desk.check_import(&access, import.id, &|_| ControlFlow::Continue(())).unwrap();
            desk.start_import(&access, import.id).unwrap();
            let done = desk.run_import(import.id, &|_| ControlFlow::Continue(())).unwrap();
            assert_eq!((check.tally, done.tally), (tally(1, 0, 0, 1), tally(1, 0, 0, 1)), "{name}");
            let told = "it must be one e-mail address: your role may not keep others";
            assert_eq!((&*check.mistakes[0].field, &*check.mistakes[0].what), ("email", told), "{name}");
            assert!(errors(desk, &done).contains(&format!("1,email,{told}")), "{}", errors(desk, &done));
        }
        assert!(all(desk, "contact").iter().all(|contact| contact.fields["name"] == "Tom"));
    });
}

#[test]
fn addresses_of_a_cell_go_beside_those_that_a_record_has() {
    with_files(|desk| {
        let ann = json!({ "name": "Ann", "email": "ann@a.example", "other_emails": ["old@a.example", "a@a.example"] });
        made(desk, &everything(), "contact", ann);
        let many: Vec<String> = (0..99).map(|place| format!("bob{place}@a.example")).collect();
        made(desk, &everything(), "contact", json!({ "name": "Bob", "email": "bob@a.example", "other_emails": many }));
        let file = "name,email\n\
            Ann,\"ann@a.example; A@a.example, new@a.example, ann@a.example\"\n\
            Ann,\"ann@a.example, newer@a.example\"\n\
            Bob,\"bob@a.example, more@a.example, most@a.example\"\n";
        let import = upload(desk, "contact", "people.csv", file);
        assert_eq!(import.mapping.key.as_deref(), Some("email"));
        let check = desk.check_import(&everything(), import.id, &|_| ControlFlow::Continue(())).unwrap();
        let after = json!({ "other_emails": ["old@a.example", "a@a.example", "new@a.example"] });
        assert_eq!(Value::Object(check.differences[0].after.clone()), after);
        let done = run(desk, &import);
        assert_eq!((check.tally, done.tally), (tally(0, 2, 0, 1), tally(0, 2, 0, 1)));
        let others = |name: &str| {
            let contact = all(desk, "contact").into_iter().find(|contact| contact.fields["name"] == name);
            contact.unwrap().fields["other_emails"].clone()
        };
        assert_eq!(others("Ann"), json!(["old@a.example", "a@a.example", "new@a.example", "newer@a.example"]));
        assert_eq!(others("Bob"), json!(many));
        assert!(errors(desk, &done).contains("3,email,it may have 100 members"), "{}", errors(desk, &done));
        let again = run(desk, &upload(desk, "contact", "people.csv", file));
        assert_eq!(again.tally, tally(0, 0, 2, 1), "they are there already");
    });
}

#[test]
fn addresses_of_another_field_are_not_taken_for_the_persons() {
    with_files(|desk| {
        let mut contact = desk.schema().object("contact").unwrap().clone();
        let bills = json!({ "name": "billing_email", "label": { "en": "Bills to", "zh": "账单" }, "kind": { "type": "email" } });
        contact.fields.push(serde_json::from_value(bills).unwrap());
        desk.define(&everything(), contact).unwrap();
        let file = "name,email,billing_email\n\
            Mia,\"mia@a.example, m@a.example\",bills@a.example\n\
            Tom,\"tom@a.example, t@a.example\",\"bills@a.example, b@a.example\"\n";
        let import = upload(desk, "contact", "people.csv", file);
        assert_eq!(goes(&import), ["name", "email", "billing_email"]);
        let done = run(desk, &import);
        assert_eq!(done.tally, tally(1, 0, 0, 1));
        assert!(
            errors(desk, &done).contains("2,billing_email,it must be an e-mail address"),
            "{}",
            errors(desk, &done)
        );
        let mia = all(desk, "contact").remove(0).fields;
        assert_eq!((&mia["other_emails"], &mia["billing_email"]), (&json!(["m@a.example"]), &json!("bills@a.example")));
    });
}

#[test]
fn what_is_won_or_lost_goes_to_such_a_stage_of_its_pipeline() {
    with_files(|desk| {
        let partners = made(desk, &everything(), "pipeline", json!({ "name": "Partners", "position": 2 }));
        let stages =
            [("Intro", "open"), ("Closed Won", "open"), ("Signed", "won"), ("Gone", "lost"), ("Later", "lost")];
        for (place, (name, outcome)) in stages.into_iter().enumerate() {
            let stage = json!({ "name": name, "pipeline": partners.id, "position": place, "outcome": outcome });
            made(desk, &everything(), "stage", stage);
        }
        let stages_of = |import: &Import| -> Vec<Value> {
            let done = run(desk, import);
            assert_eq!(done.tally.failed, 0, "{}", errors(desk, &done));
            let actor = format!("import:{}", import.id);
            let ours = |record: &Record| record.created_by == actor;
            all(desk, "deal").into_iter().filter(ours).map(|deal| deal.related["stage"]["title"].clone()).collect()
        };
        let header = "Deal - Title,Deal - Status,Deal - Stage,Deal - Pipeline\n";
        let rows = "a,Won,Intro,Partners\nb,Lost,Qualified,Sales\nc,Open,Intro,Partners\nd,,Intro,Partners\n\
            e,won,Intro,\nf,Lost,,Partners\ng,Lost,Later,Partners\nh,Lost,Signed,Partners\ni,Won,Won,Sales\n";
        let import = upload(desk, "deal", "deals.csv", [header, rows].concat());
        assert_eq!(goes(&import), ["name", "stage:outcome", "stage:name", "pipeline:name"]);
        assert_eq!(stages_of(&import), ["Signed", "Lost", "Intro", "Intro", "Signed", "Gone", "Later", "Gone", "Won"]);
        // A stage that is called so goes before what its name means elsewhere.
        let rows = "a,Closed Won,Partners\nb,CLOSED_LOST,Partners\nc,closedlost,Sales\nd,closedwon,Sales\n";
        let import = upload(desk, "deal", "deals.csv", ["name,stage,pipeline\n", rows].concat());
        assert_eq!(stages_of(&import), ["Closed Won", "Gone", "Lost", "Won"]);
        // Nothing says in which pipeline.
        let import = upload(desk, "deal", "deals.csv", "Deal - Title,Deal - Status\na,Won\nb,Deleted\nc,Open\n");
        let done = run(desk, &import);
        assert_eq!(done.tally, tally(1, 0, 0, 2));
        let told = errors(desk, &done);
        assert!(told.contains("in several pipelines; name the pipeline"), "{told}");
        assert!(told.contains("2,stage,\"it must be one of open, won, lost\""), "{told}");
    });
}
