//! Customers: the list, one of them, the timeline, a change by hand, and decisions.

#![allow(unused_qualifications, reason = "utoipa writes the parameters' types with a qualification")]

use std::sync::Arc;

use axum::{extract::State, response::Response};
use rapport_stream::{Append, Log, LogError};
use rapport_types::{
    CustomerId, Entry, Event, EventKind, Object, Offset, PartitionId, SourceId, Timestamp, partition_of,
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    Shared,
    api::{
        ChangeAccepted, Customer, CustomerChange, CustomerList, DecideRequest, Decision, Ledger, Timeline, TimelineItem,
    },
    auth::Operator,
    collect::{EVENT_BYTES, event::random_id},
    exchange::{Answer, Json, Params, Piece, blocking, on_its_way},
    ports::{After, CustomersQuery, Order, Place},
    problem::Problem,
};

/// The most lines of a page.
const LIMIT: usize = 500;
/// Lines of a page if nothing is said.
const USUAL: usize = 50;
/// The longest text to look for, in bytes.
const TEXT_BYTES: usize = 256;

/// Which customers are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Part of an id or name.
    q: Option<String>,
    /// At most so many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// `last_seen` (the usual) or `score`.
    sort: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// The customers.
#[utoipa::path(get, path = "/v1/customers", tag = "customers", params(ListParams),
    responses((status = 200, body = CustomerList), (status = 401, body = Problem)))]
pub(crate) async fn list(
    State(app): State<Shared>,
    operator: Operator,
    Params(params): Params<ListParams>,
) -> Result<Answer<CustomerList>, Problem> {
    operator.must_read_customers()?;
    let order = match params.sort.as_deref() {
        None | Some("last_seen") => Order::LastSeen,
        Some("score") => Order::Score,
        Some(_) => return Err(Problem::invalid("sort", "it must be last_seen or score")),
    };
    let text = params.q.unwrap_or_default();
    if text.len() > TEXT_BYTES {
        return Err(Problem::invalid("q", format!("it may have {TEXT_BYTES} bytes")));
    }
    let after = params.cursor.as_deref().map(read_after).transpose()?;
    let query = CustomersQuery { text, order, after, limit: limit(params.limit)? };
    let page = blocking(move || app.state.answers.customers(&query)).await?;
    let next = page.next.map(|after| format!("{:016x}{}", after.key.to_bits(), after.id));
    Ok(Answer(CustomerList { customers: page.rows, total: page.total, next }))
}

/// A cursor is the bits of the key in 16 digits, then the id.
fn read_after(cursor: &str) -> Result<After, Problem> {
    let wrong = || Problem::invalid("cursor", "it must be `next` of the page before");
    let (bits, id) = cursor.split_at_checked(16).ok_or_else(wrong)?;
    let key = f64::from_bits(u64::from_str_radix(bits, 16).map_err(|_| wrong())?);
    if key.is_nan() || id.is_empty() {
        return Err(wrong());
    }
    Ok(After { key, id: id.to_owned() })
}

fn limit(wanted: Option<usize>) -> Result<usize, Problem> {
    let wanted = wanted.unwrap_or(USUAL);
    if (1..=LIMIT).contains(&wanted) {
        Ok(wanted)
    } else {
        Err(Problem::invalid("limit", format!("it must be 1 to {LIMIT}")))
    }
}

fn unknown() -> Problem {
    Problem::not_found("this customer is not known")
}

/// One customer.
#[utoipa::path(get, path = "/v1/customers/{id}", tag = "customers",
    params(("id" = String, Path, description = "`user:<id>`, `anon:<id>` or a bare known id")),
    responses((status = 200, body = Customer), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn one(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<String>,
) -> Result<Answer<Customer>, Problem> {
    operator.must_read_customers()?;
    app.state.answers.customer(&CustomerId::parse(&id)).map(Answer).ok_or_else(unknown)
}

/// Which part of a timeline is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TimelineParams {
    /// At most so many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// `next` of the page before.
    before: Option<String>,
}

/// A customer's newest events, the newest first.
#[utoipa::path(get, path = "/v1/customers/{id}/timeline", tag = "customers",
    params(("id" = String, Path, description = "as above"), TimelineParams),
    responses((status = 200, body = Timeline), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn timeline(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<String>,
    Params(params): Params<TimelineParams>,
) -> Result<Answer<Timeline>, Problem> {
    operator.must_read_customers()?;
    let limit = limit(params.limit)?;
    let before = params.before.as_deref().map(read_place).transpose()?;
    let mut places = app.state.answers.places(&CustomerId::parse(&id)).ok_or_else(unknown)?;
    places.retain(|place| before.is_none_or(|before| *place < before));
    places.sort_unstable_by(|a, b| b.cmp(a));
    let more = places.len() > limit;
    places.truncate(limit);
    let next = places.last().filter(|_| more).map(write_place);
    let log = Arc::clone(&app.state.log);
    let items = blocking(move || read_items(&*log, &places)).await?;
    let items = items.map_err(|error| Problem::internal(&error))?;
    Ok(Answer(Timeline { items, next }))
}

fn write_place(place: &Place) -> String {
    format!("{}.{}.{}", place.at.0, place.partition.0, place.offset.0)
}

fn read_place(text: &str) -> Result<Place, Problem> {
    let wrong = || Problem::invalid("before", "it must be `next` of the page before");
    let mut parts = text.splitn(3, '.');
    let mut part = || parts.next().ok_or_else(wrong);
    Ok(Place {
        at: Timestamp(part()?.parse().map_err(|_| wrong())?),
        partition: PartitionId(part()?.parse().map_err(|_| wrong())?),
        offset: Offset(part()?.parse().map_err(|_| wrong())?),
    })
}

fn read_items(log: &dyn Log, places: &[Place]) -> Result<Vec<TimelineItem>, LogError> {
    let mut items = Vec::with_capacity(places.len());
    for place in places {
        let records = log.read(place.partition, place.offset, 1)?;
        let Some(record) = records.first() else { continue };
        // An event that was sent under an id of another partition came here in an entry of its own.
        let event = match Entry::decode(&record.bytes) {
            Ok(Entry::Event(event)) => event,
            Ok(Entry::Forward(forward)) => forward.event,
            _ => continue,
        };
        items.push(item(event, place));
    }
    Ok(items)
}

fn item(event: Event, place: &Place) -> TimelineItem {
    TimelineItem {
        kind: event.kind.as_str().to_owned(),
        name: event.name.map(Into::into),
        at: event.timestamp,
        received_at: event.received_at,
        message_id: event.message_id.into(),
        properties: event.properties,
        partition: place.partition.0,
        offset: place.offset.0,
    }
}

/// Sets attributes of a customer by hand.
#[utoipa::path(patch, path = "/v1/customers/{id}", tag = "customers", request_body = CustomerChange,
    params(("id" = String, Path, description = "as above")),
    responses((status = 202, body = ChangeAccepted), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn change(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<String>,
    Json(change): Json<CustomerChange>,
) -> Result<Response, Problem> {
    operator.must_change_customers()?;
    if change.attributes.is_empty() {
        return Err(Problem::invalid("attributes", "at least one attribute must be given"));
    }
    let id = app.state.answers.primary(&CustomerId::parse(&id)).ok_or_else(unknown)?;
    let partition = partition_of(&id, app.state.log.partitions());
    let event = identify(id, change.attributes, &operator, (app.state.clock)())?;
    let message_id = event.message_id.clone();
    let bytes = Entry::Event(event).encode();
    if bytes.len() > EVENT_BYTES {
        return Err(Problem::too_large(format!("a change may have {EVENT_BYTES} bytes")).field("attributes"));
    }
    app.state.log.append(Append::one(partition, bytes))?.await?;
    Ok(on_its_way(ChangeAccepted { message_id: message_id.into() }))
}

/// The entry of a change by hand: an identify of source 0, Rapport itself, with who did it in its context.
fn identify(id: CustomerId, attributes: Object, operator: &Operator, now: Timestamp) -> Result<Event, Problem> {
    let (user_id, anonymous_id) = match id {
        CustomerId::User(id) => (Some(id), None),
        CustomerId::Anonymous(id) => (None, Some(id)),
    };
    let mut context = Object::default();
    context.set("operator", operator.session.name.as_str().into());
    Ok(Event {
        kind: EventKind::Identify,
        message_id: random_id().map_err(|wrong| wrong.problem(None))?,
        user_id,
        anonymous_id,
        previous_id: None,
        group_id: None,
        name: None,
        properties: attributes,
        context,
        integrations: Object::default(),
        timestamp: now,
        original_timestamp: None,
        sent_at: None,
        received_at: now,
        source: SourceId(0),
    })
}

/// What is known about a customer at this moment, from memory.
#[utoipa::path(post, path = "/v1/decide", tag = "customers", request_body = DecideRequest,
    responses((status = 200, body = Decision), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(crate) async fn decide(
    State(app): State<Shared>,
    operator: Operator,
    Json(request): Json<DecideRequest>,
) -> Result<Answer<Decision>, Problem> {
    operator.must_read_customers()?;
    let id = match request {
        DecideRequest { customer: Some(id), .. } if !id.is_empty() => CustomerId::parse(&id),
        DecideRequest { user_id: Some(id), .. } if !id.is_empty() => CustomerId::User(id.into()),
        DecideRequest { anonymous_id: Some(id), .. } if !id.is_empty() => CustomerId::Anonymous(id.into()),
        _ => return Err(Problem::invalid("customer", "customer, userId or anonymousId must be given")),
    };
    Ok(Answer(app.state.answers.decide(&id)))
}

/// What became of all accepted events.
#[utoipa::path(get, path = "/v1/ledger", tag = "operation",
    responses((status = 200, body = Ledger), (status = 401, body = Problem)))]
pub(crate) async fn ledger(State(app): State<Shared>, operator: Operator) -> Result<Answer<Ledger>, Problem> {
    operator.must_read_customers()?;
    Ok(Answer(app.state.answers.ledger()))
}
