//! Records that are gone for good: what belongs to them goes, and nothing names them any more, neither by a field that holds one
//! nor by one that holds many. A record that named one loses the name without a new version: what it named was in the trash,
//! which is what its history tells of.

use sea_query::{Alias, ExprTrait as _, Query};

use crate::{
    Id, RecordsError, Tx,
    desk::Moment,
    feed::column,
    schema::{FieldKind, Object, table_of},
};

/// The fields by which records name those of an object: the object that has the field, the field, and whether it holds many.
pub(crate) fn fields_to<'m>(
    moment: &'m Moment<'_>,
    object: &'m Object,
) -> impl Iterator<Item = (&'m Object, &'m str, bool)> {
    moment.schema.objects().flat_map(move |other| {
        let naming = other.fields.iter().filter(|field| field.kind.target() == Some(&object.name));
        naming.map(move |field| (other, field.name.as_str(), matches!(field.kind, FieldKind::Relations { .. })))
    })
}

/// Takes away what belongs to records of an object, and what names them. Their rows, keys and lines of the feed are the caller's.
pub(crate) fn forget(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    object: &Object,
    records: &[Id],
) -> Result<(), RecordsError> {
    let ids = || records.iter().map(|record| record.0);
    let gone = [
        ("relation", column("object").eq(&object.name).and(column("record").is_in(ids()))),
        ("relation", column("target").is_in(ids())),
        ("duplicate_pair", column("one").is_in(ids()).or(column("other").is_in(ids()))),
    ];
    for (table, which) in gone {
        tx.execute(&Query::delete().from_table(Alias::new(table)).and_where(which).take())?;
    }
    for (other, field, _) in fields_to(moment, object).filter(|(.., is_list)| !is_list) {
        let none: Option<i64> = None;
        let update = Query::update()
            .table(Alias::new(table_of(&other.name)))
            .value(Alias::new(field), none)
            .and_where(column(field).is_in(ids()))
            .take();
        tx.execute(&update)?;
    }
    Ok(())
}
