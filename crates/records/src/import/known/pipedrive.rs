//! Exports of Pipedrive's lists and of its settings. Each column has the kind of its record before its name: `Person - Name`.
//!
//! Rests on (read in November 2026):
//! - columns of exports of people, organizations, deals and leads as they stand in programs that were written against such files: a
//!   test with "real" headers of 2026 (`detectPreset`), a migration of three exports (`build-shipper-crm-import-kit.mjs`), an
//!   import of deals and leads, and a sheet that repeats the list of deals with its `Deal - Currency of Value`;
//! - for activities and products Pipedrive's own sample of an import ("READ ME All default Pipedrive fields") and for what may be in a
//!   list "Exporting data from Pipedrive" of its knowledge base, both as notes of open projects quote them: an export's own headers of
//!   activities and products were not seen.
//!
//! Parts of an address are called after the field, which may be renamed (`City/town/village/locality of Company Address`). Where an
//! address is one text it stays whole: its parts leave out the number of the house. Numbers and days may be written as the user's
//! settings have it. Older files have all addresses of a person in one cell, apart by commas, of which the first is the address. Not
//! seen: a file in another language than English. The labels of records are left out, since ours are of a fixed set.
//!
//! A deal that is won or lost keeps the stage in which it ended, and its status says so: here it goes to such a stage of its pipeline.
//! A deal that was deleted there is refused.

use super::System;

pub(super) const SYSTEM: System = System {
    name: "Pipedrive",
    marks: &[
        &["Person - Name"],
        &["Person - First name"],
        &["Organization - Name"],
        &["Deal - Title"],
        &["Lead - Title"],
        &["Activity - Subject"],
        &["Product - Name"],
    ],
    columns: &[
        (
            "contact",
            &[
                ("Person - Name", "name"),
                ("Person - First name", "first_name"),
                ("Person - Last name", "last_name"),
                ("Person - Email - Work", "email"),
                ("Person - Email", "email"),
                ("Person - Email - Home", "email"),
                ("Person - Email - Other", "email"),
                ("Person - Email - Home", "other_emails"),
                ("Person - Email - Other", "other_emails"),
                ("Person - Phone - Work", "phone"),
                ("Person - Phone", "phone"),
                ("Person - Phone - Mobile", "phone"),
                ("Person - Phone - Home", "phone"),
                ("Person - Phone - Other", "phone"),
                ("Person - Phone - Mobile", "other_phones"),
                ("Person - Phone - Home", "other_phones"),
                ("Person - Phone - Other", "other_phones"),
                ("Person - Organization", "company:name"),
                ("Organization - Name", "company:name"),
                ("Organization name", "company:name"),
                ("Person - Owner", "owner"),
                ("Person - Job title", "job_title"),
                ("Person - Birthday", "birthday"),
                ("Person - Notes", "description"),
                ("Person - Marketing status", "marketing_consent"),
                ("Person - Full/combined address of *", "address.street"),
                ("Person - Postal address", "address.street"),
                ("Person - City/town/village/locality of *", "city"),
                ("Person - State/county of *", "address.region"),
                ("Person - ZIP/Postal code of *", "address.postcode"),
                ("Person - Country of *", "country"),
            ],
        ),
        (
            "company",
            &[
                ("Organization - Name", "name"),
                ("Organization - Owner", "owner"),
                ("Organization - Website", "website"),
                ("Organization - Industry", "industry"),
                ("Organization - Annual revenue", "revenue.amount"),
                ("Organization - Currency of Annual revenue", "revenue.currency"),
                ("Organization - Number of employees", "employees"),
                ("Organization - Parent", "parent:name"),
                ("Organization - Full/combined address of *", "address.street"),
                ("Organization - Address", "address.street"),
                ("Organization - City/town/village/locality of *", "city"),
                ("Organization - State/county of *", "address.region"),
                ("Organization - ZIP/Postal code of *", "address.postcode"),
                ("Organization - Country of *", "country"),
                ("Organization - LinkedIn profile", ""),
            ],
        ),
        (
            "deal",
            &[
                ("Deal - Title", "name"),
                ("Deal - Value", "amount.amount"),
                ("Deal - Currency of Value", "amount.currency"),
                ("Deal - Currency", "amount.currency"),
                ("Deal - Organization", "company:name"),
                ("Organization - Name", "company:name"),
                ("Organization", "company:name"),
                ("Deal - Contact person", "contact:name"),
                ("Person - Name", "contact:name"),
                ("Contact person", "contact:name"),
                ("Deal - Pipeline", "pipeline:name"),
                ("Deal - Stage", "stage:name"),
                ("Deal - Stage (pipeline)", "stage:name"),
                ("Deal - Status", "stage:outcome"),
                ("Deal - Probability", "probability"),
                ("Deal - Expected close date", "close_date"),
                ("Deal - Deal closed on", "closed_at"),
                ("Deal - Closed on", "closed_at"),
                ("Deal - Owner", "owner"),
                ("Deal - Lost reason", "lost_reason"),
            ],
        ),
        (
            "lead",
            &[
                // Our leads are called after the person; what Pipedrive calls one is told in its description.
                ("Lead - Contact person", "name"),
                ("Person - Name", "name"),
                ("Contact person", "name"),
                ("Lead - Title", "name"),
                ("Lead - Title", "description"),
                ("Lead - Organization", "company_name"),
                ("Organization - Name", "company_name"),
                ("Organization", "company_name"),
                ("Lead - Value", "value.amount"),
                ("Lead - Currency of Value", "value.currency"),
                ("Lead - Owner", "owner"),
                ("Person - Email - Work", "email"),
                ("Person - Email", "email"),
                ("Person - Phone - Work", "phone"),
                ("Person - Phone", "phone"),
            ],
        ),
        (
            "task",
            &[
                ("Activity - Subject", "title"),
                ("Activity - Due date", "due_at"),
                ("Activity - Done", "status"),
                ("Activity - Marked as done time", "done_at"),
                ("Activity - Note", "description"),
                ("Activity - Assigned to user", "owner"),
                ("Activity - Organization", "company:name"),
                ("Organization - Name", "company:name"),
                ("Activity - Contact person", "contact:name"),
                ("Person - Name", "contact:name"),
                ("Activity - Deal", "deal:name"),
                ("Deal - Title", "deal:name"),
            ],
        ),
        (
            "product",
            &[
                ("Product - Name", "name"),
                ("Product - Product code", "sku"),
                ("Product - Price", "price.amount"),
                ("Product - Currency", "price.currency"),
                ("Product - Category", "category"),
                ("Product - Description", "description"),
                ("Product - Active", "active"),
            ],
        ),
    ],
};
