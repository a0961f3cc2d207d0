//! Who the customers of a traffic are, without playing it: who will be introduced, what is said of them, how they order.

use std::{borrow::Cow, collections::HashMap, path::Path};

use rapport_types::Timestamp;
use serde::Deserialize;

use super::{
    SYNTHETIC_DAYS,
    error::ReplayError,
    source::{Retail, Source, Synthetic, SyntheticPlan},
};

/// A known customer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Customer {
    /// The id, as the sender says it.
    pub(crate) id: String,
    /// What the traffic calls them, if it does.
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) country: Option<String>,
    /// When they were introduced, and their newest order, from 0 at the traffic's begin to 1 at its end.
    pub(crate) came: f64,
    pub(crate) ordered: f64,
    pub(crate) orders: u32,
    pub(crate) spent: f64,
}

/// What is read of a message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told<'m> {
    #[serde(borrow)]
    r#type: Cow<'m, str>,
    #[serde(borrow)]
    user_id: Option<Cow<'m, str>>,
    traits: Option<Traits>,
    properties: Option<Properties>,
}

#[derive(Debug, Default, Deserialize)]
struct Traits {
    name: Option<String>,
    email: Option<String>,
    country: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Properties {
    total: Option<f64>,
}

/// The customers of a file, or of synthetic traffic, in the order in which they come; and what the traffic is called.
pub(crate) fn customers(file: Option<&Path>, seed: u64, shoppers: u32) -> Result<(String, Vec<Customer>), ReplayError> {
    let source: Box<dyn Source> = match file {
        Some(path) => Box::new(Retail::open(path)?),
        None => Box::new(Synthetic::new(SyntheticPlan { seed, shoppers, days: SYNTHETIC_DAYS })),
    };
    Ok((source.title(), read(source)?))
}

fn read(source: Box<dyn Source>) -> Result<Vec<Customer>, ReplayError> {
    let mut found: Vec<Customer> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut span: Option<(Timestamp, Timestamp)> = None;
    for message in source {
        let message = message?;
        let (first, _) = *span.get_or_insert((message.at, message.at));
        span = Some((first, message.at));
        let told: Told<'_> = serde_json::from_slice(&message.json)
            .map_err(|error| ReplayError::Answer { what: "the traffic".to_owned(), why: error.to_string() })?;
        let Some(user) = told.user_id else { continue };
        let at = message.at.0 as f64;
        if told.r#type == "identify" && !places.contains_key(&*user) {
            places.insert(user.clone().into_owned(), found.len());
            let Traits { name, email, country } = told.traits.unwrap_or_default();
            let id = user.clone().into_owned();
            found.push(Customer { id, name, email, country, came: at, ordered: at, orders: 0, spent: 0.0 });
        }
        if let Some(customer) = places.get(&*user).map(|place| &mut found[*place])
            && message.is_order
        {
            customer.orders += 1;
            customer.ordered = at;
            customer.spent += told.properties.and_then(|properties| properties.total).unwrap_or_default();
        }
    }
    let (first, last) = span.map_or((0.0, 1.0), |(first, last)| (first.0 as f64, last.0 as f64));
    let part = |at: f64| ((at - first) / (last - first).max(1.0)).clamp(0.0, 1.0);
    for customer in &mut found {
        (customer.came, customer.ordered) = (part(customer.came), part(customer.ordered));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_are_introduced_are_found_with_what_they_order() {
        let (title, first) = customers(None, 3, 200).unwrap();
        assert!(title.contains("do not exist"), "{title}");
        assert_eq!(customers(None, 3, 200).unwrap().1, first);
        assert_ne!(customers(None, 4, 200).unwrap().1, first);
        assert!(first.len() > 100 && first.is_sorted_by(|one, other| one.came <= other.came), "{}", first.len());
        for customer in &first {
            assert!(customer.id.starts_with("shopper-") && customer.name.is_some(), "{customer:?}");
            assert!(customer.email.as_ref().is_some_and(|email| email.ends_with("@mail.example")), "{customer:?}");
            assert!(
                0.0 <= customer.came && customer.came <= customer.ordered && customer.ordered <= 1.0,
                "{customer:?}"
            );
        }
        assert!(first.iter().any(|customer| customer.orders > 1 && customer.spent > 0.0));
    }
}
