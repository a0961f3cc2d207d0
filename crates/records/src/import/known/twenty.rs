//! Exports of Twenty's tables.
//!
//! Rests on twentyhq/twenty (read in November 2026): `useRecordIndexExportRecords.ts`, and `buildRecordExportColumns` after it, write
//! the file and a test shows one; `CompositeFieldSubFieldLabel.ts` names the parts of fields that have some (`Emails / Primary
//! Email`; until 2025, in `useExportRecords.ts`, they were called as in the API: `Domain Name PrimaryLinkUrl`);
//! `compute-person-`, `-company-` and `-opportunity-standard-flat-field-metadata.util.ts` name the fields; `csvSecurity.ts` puts a
//! zero-width joiner before what a spreadsheet would take for a formula. Only the visible columns are written.
//!
//! Related records are their ids (`Company Id`, `Account Owner Id`), which nothing here can be found by; they go nowhere. A version
//! that writes names as well calls them `Company` or `Company / Name`. The country's code of a telephone number stands in a column
//! of its own and is not put before the number. A stage is the name of its option in capitals.

use super::System;

pub(super) const SYSTEM: System = System {
    name: "Twenty",
    marks: &[
        &["Name / First Name", "Name / Last Name"],
        &["Emails / Primary Email"],
        &["Phones / Primary Phone Number"],
        &["Domain Name / Link URL"],
        &["Address / Address 1"],
        &["ARR / Amount"],
        &["Amount / Amount"],
        &["Name FirstName", "Name LastName"],
        &["Emails PrimaryEmail"],
        &["Domain Name PrimaryLinkUrl"],
        &["Amount AmountMicros"],
        &["Id", "Point of Contact Id"],
    ],
    columns: &[
        (
            "contact",
            &[
                ("Name / First Name", "first_name"),
                ("Name / Last Name", "last_name"),
                ("Emails / Primary Email", "email"),
                ("Emails / Additional Emails", "other_emails"),
                ("Phones / Primary Phone Number", "phone"),
                ("Job Title", "job_title"),
                ("City", "city"),
                ("Company / Name", "company:name"),
                ("Company", "company:name"),
                ("Position", ""),
                ("Linkedin *", ""),
                ("X / Link URL", ""),
                ("X PrimaryLinkUrl", ""),
                ("Avatar*", ""),
            ],
        ),
        (
            "company",
            &[
                ("Name", "name"),
                ("Domain Name / Link URL", "website"),
                ("Domain Name PrimaryLinkUrl", "website"),
                ("Employees", "employees"),
                ("ARR / Amount", "revenue.amount"),
                ("ARR AmountMicros", "revenue.amount"),
                ("ARR / Currency", "revenue.currency"),
                ("ARR CurrencyCode", "revenue.currency"),
                ("Address / Address 1", "address.street"),
                ("Address AddressStreet1", "address.street"),
                ("Address / City", "city"),
                ("Address AddressCity", "city"),
                ("Address / State", "address.region"),
                ("Address AddressState", "address.region"),
                ("Address / Post Code", "address.postcode"),
                ("Address AddressPostcode", "address.postcode"),
                ("Address / Country", "country"),
                ("Address AddressCountry", "country"),
                ("Account Owner", "owner"),
                ("Linkedin *", ""),
                ("X / Link URL", ""),
                ("X PrimaryLinkUrl", ""),
            ],
        ),
        (
            "deal",
            &[
                ("Name", "name"),
                ("Amount / Amount", "amount.amount"),
                ("Amount AmountMicros", "amount.amount"),
                ("Amount / Currency", "amount.currency"),
                ("Amount CurrencyCode", "amount.currency"),
                ("Close date", "close_date"),
                ("Stage", "stage:name"),
                ("Company / Name", "company:name"),
                ("Company", "company:name"),
                ("Point of Contact", "contact:name"),
                ("Owner", "owner"),
            ],
        ),
    ],
};
