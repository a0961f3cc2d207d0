//! Types that are made of another and more are one type in the document, as they are one object in JSON.
//!
//! Serde's `flatten` comes out as `allOf` of both. Where the other takes no more properties, which is true of what callers send,
//! no value fits both.

use utoipa::{
    Modify,
    openapi::{
        OpenApi, RefOr,
        schema::{Components, Object, Schema},
    },
};

/// Makes each `allOf` of objects one object.
pub(super) struct Flat;

impl Modify for Flat {
    fn modify(&self, document: &mut OpenApi) {
        let Some(components) = &mut document.components else { return };
        let made =
            components.schemas.iter().filter_map(|(name, schema)| Some((name.clone(), flat(components, schema)?)));
        let made: Vec<(String, Schema)> = made.collect();
        for (name, schema) in made {
            components.schemas.insert(name, RefOr::T(schema));
        }
    }
}

/// A type, or one of several, without parts; none if it has none.
fn flat(components: &Components, schema: &RefOr<Schema>) -> Option<Schema> {
    let RefOr::T(Schema::OneOf(one)) = schema else { return whole(components, schema).map(Schema::Object) };
    let mut one = one.clone();
    let mut any = false;
    for item in &mut one.items {
        if let Some(object) = whole(components, item) {
            *item = RefOr::T(Schema::Object(object));
            any = true;
        }
    }
    any.then_some(Schema::OneOf(one))
}

/// The object that all parts of a type are together; none if it is not made of objects.
fn whole(components: &Components, schema: &RefOr<Schema>) -> Option<Object> {
    let RefOr::T(Schema::AllOf(all)) = schema else { return None };
    let mut whole = Object::default();
    whole.description.clone_from(&all.description);
    for part in &all.items {
        let part = match part {
            RefOr::T(part) => part,
            RefOr::Ref(named) => {
                let name = named.ref_location.rsplit('/').next()?;
                let RefOr::T(part) = components.schemas.get(name)? else { return None };
                part
            }
        };
        let Schema::Object(part) = part else { return None };
        whole.schema_type = part.schema_type.clone();
        whole.properties.extend(part.properties.clone());
        whole.required.extend(part.required.iter().cloned());
    }
    Some(whole)
}
