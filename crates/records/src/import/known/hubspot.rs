//! Exports of HubSpot's lists of records.
//!
//! Rests on (read in November 2026):
//! - the labels of HubSpot's own properties of contacts, companies, deals and tickets as its properties API gives them
//!   (`Contact_pproperty.json` and its neighbours in the open repository ShaktiPalmspire/Test-migratio): a column is headed with the
//!   label of its property;
//! - a file of HubSpot's own making (`data/3.crm-bootcamp-vehicles.csv` in hubspotdev/crm-customization-dev-bootcamp): the first
//!   column is `Record ID`, times are `2023-11-15 20:09`, people are their names, `Yes` and `No`, and associated records are two
//!   columns, of names and of ids;
//! - "Export records" and "HubSpot's default deal properties" of HubSpot's knowledge base, as the notes of an open project quote them,
//!   and programs that read such files (`Associated Company (Primary)`).
//!
//! Not seen: what stands between several associated records, which is taken for `;` as between the values of a multiple choice. Of
//! contacts that have several companies only the primary one is taken.

use super::System;

pub(super) const SYSTEM: System = System {
    name: "HubSpot",
    marks: &[
        &["Record ID", "First Name", "Last Name", "Email"],
        &["Record ID", "Contact owner"],
        &["Record ID", "Company name"],
        &["Record ID", "Company Domain Name"],
        &["Record ID", "Company owner"],
        &["Record ID", "Deal Name"],
        &["Record ID", "Deal owner"],
        &["Record ID", "Ticket name"],
        &["Ticket ID", "Ticket name"],
    ],
    columns: &[
        (
            "contact",
            &[
                ("Record ID", "customer_id"),
                ("First Name", "first_name"),
                ("Last Name", "last_name"),
                ("Email", "email"),
                ("Additional email addresses", "other_emails"),
                ("Work email", "other_emails"),
                ("Phone Number", "phone"),
                ("Mobile Phone Number", "other_phones"),
                ("WhatsApp Phone Number", "other_phones"),
                ("Contact owner", "owner"),
                ("Associated Company (Primary)", "company:name"),
                ("Associated Company", "company:name"),
                // What the contact wrote, not a record.
                ("Company Name", "company:name"),
                ("Lifecycle Stage", "lifecycle"),
                ("Job Title", "job_title"),
                ("Street Address", "address.street"),
                ("Postal Code", "address.postcode"),
                ("State/Region", "address.region"),
                ("City", "city"),
                ("Country/Region", "country"),
                ("Website URL", "website"),
                ("Date of birth", "birthday"),
                ("LinkedIn URL", ""),
                ("Member email", ""),
            ],
        ),
        (
            "company",
            &[
                ("Company name", "name"),
                ("Company Domain Name", "domain"),
                ("Company owner", "owner"),
                ("Phone Number", "phone"),
                ("City", "city"),
                ("Country/Region", "country"),
                ("Street Address", "address.street"),
                ("Postal Code", "address.postcode"),
                ("State/Region", "address.region"),
                ("Industry", "industry"),
                ("Number of Employees", "employees"),
                ("Annual Revenue", "revenue.amount"),
                ("Annual Revenue Currency Code", "revenue.currency"),
                ("Year Founded", "founded"),
                ("Website URL", "website"),
                ("Description", "description"),
                ("About Us", "description"),
                ("Parent Company", "parent:name"),
                ("LinkedIn Company Page", ""),
                ("Facebook Company Page", ""),
                ("Logo URL", ""),
            ],
        ),
        (
            "deal",
            &[
                ("Deal Name", "name"),
                ("Deal Stage", "stage:name"),
                ("Pipeline", "pipeline:name"),
                ("Amount", "amount.amount"),
                ("Currency", "amount.currency"),
                ("Close Date", "close_date"),
                ("Deal owner", "owner"),
                ("Associated Company (Primary)", "company:name"),
                ("Associated Company", "company:name"),
                ("Associated Contact", "contact:name"),
                ("Associated Contact", "contacts:name"),
                ("Next step", "next_step"),
                ("Closed Lost Reason", "lost_reason"),
                ("Deal Description", "description"),
                // A part of 1, and ours is in percent; the stage brings its own.
                ("Deal probability", ""),
            ],
        ),
        (
            "ticket",
            &[
                ("Ticket name", "subject"),
                ("Ticket description", "description"),
                ("Ticket status", "status"),
                ("Priority", "priority"),
                ("Category", "category"),
                ("Source", "channel"),
                ("Ticket owner", "owner"),
                ("Associated Contact", "contact:name"),
                ("Associated Company (Primary)", "company:name"),
                ("Associated Company", "company:name"),
                ("Primary Company Name", "company:name"),
                ("First agent response date", "first_response_at"),
                ("First agent email response date", "first_response_at"),
                ("Close date", "solved_at"),
                ("Tags", "tags"),
            ],
        ),
    ],
};
