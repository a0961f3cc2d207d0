//! What an event adds to the facts of a profile. It does not matter in which order events come.

use rapport_types::{Event, EventKind, Object, Value};

use super::Place;
use crate::{
    feature::FeatureSet,
    profile::{Position, Profile},
};

/// Adds an event to the facts of a profile.
pub(super) fn take_event(profile: &mut Profile, features: &FeatureSet, event: &Event, tie: u64, from: Place) {
    let at = event.timestamp;
    profile.events += 1;
    profile.first_seen = profile.first_seen.min(at);
    profile.last_seen = profile.last_seen.max(at);
    profile.at = profile.at.max(at);
    profile.add_position(Position { at, partition: from.partition, offset: from.offset });
    set_attributes(profile, event, tie);
    features.update(&mut profile.series, event, tie);
}

fn set_attributes(profile: &mut Profile, event: &Event, tie: u64) {
    let set = |profile: &mut Profile, attributes: &Object| {
        for (name, value) in attributes.iter() {
            profile.set_attribute(name, value, event.timestamp, tie);
        }
    };
    match event.kind {
        EventKind::Identify => set(profile, &event.properties),
        EventKind::Group => {
            if let Some(group) = &event.group_id {
                profile.set_attribute("group_id", &Value::String(group.clone()), event.timestamp, tie);
            }
        }
        EventKind::Track | EventKind::Page | EventKind::Screen | EventKind::Alias => {}
    }
}
