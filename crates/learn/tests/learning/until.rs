//! A training set with an end is that of a log in which nothing that happened at or after the end was ever told.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rapport_types::{CustomerId, Forward, Offset, Origin, PartitionId};

use super::{joined::Live, *};

#[test]
fn a_late_alias_does_not_show_who_was_joined_after_the_end() {
    for partitions in [1, 3, 16] {
        let mut live = Live::new(partitions);
        live.order(1, "kim", 1);
        live.order(2, "ann", 2);
        live.order(3, "zed", 60);
        live.join(&["ann", "kim"], 80);
        live.alias(4, "kim", "kimberly", 2);
        live.order(5, "kimberly", 6);
        let alone = vec![(1, 1.0, true), (2, 1.0, false), (6, 2.0, false)];
        assert_eq!(live.learnt(Some(70)), (alone, 2), "{partitions} partitions");
    }
}

#[test]
fn a_profile_that_moves_late_does_not_bring_what_came_after_the_end() {
    for partitions in [1, 3, 16] {
        let mut live = Live::new(partitions);
        live.order(1, "kim", 1);
        live.order(2, "zed", 60);
        live.order(3, "kim", 90);
        live.alias(4, "kim", "kimberly", 2);
        live.order(5, "kimberly", 6);
        let before = vec![(1, 1.0, true), (6, 2.0, false)];
        assert_eq!(live.learnt(Some(70)), (before, 1), "{partitions} partitions");
    }
}

#[test]
fn a_late_event_is_of_who_it_was_of_before_the_end() {
    for partitions in [1, 3, 16] {
        let mut live = Live::new(partitions);
        live.order(1, "kim", 1);
        live.order(2, "kimberly", 2);
        live.order(3, "zed", 60);
        live.alias(4, "kim", "kimberly", 80);
        live.order(5, "kim", 6);
        live.order(6, "zed", 200);
        let apart = vec![(1, 1.0, true), (2, 1.0, false), (6, 2.0, false)];
        assert_eq!(live.learnt(Some(70)), (apart, 2), "{partitions} partitions");
        // It is told when the customer was seen on day 80 already.
        let one = vec![(1, 1.0, true), (2, 1.0, true), (60, 1.0, false), (80, 3.0, false)];
        assert_eq!(live.learnt(None), (one, 2), "{partitions} partitions");
    }
}

/// An entry that holds a profile holds it under the definitions of its time.
#[test]
fn a_profile_that_moved_under_other_definitions_is_seen_under_those_that_are_asked_for() {
    for partitions in [1, 3, 16] {
        let mut live = Live::new(partitions);
        live.features = FeatureSet::compile(&[]).unwrap();
        live.order(1, "kim", 1);
        live.alias(2, "kim", "kimberly", 2);
        live.order(3, "kimberly", 6);
        live.order(4, "zed", 60);
        live.features = features();
        assert_eq!(live.learnt(None), (vec![(1, 1.0, true), (6, 2.0, false)], 1), "{partitions} partitions");
    }
}

/// Nobody waits for ever in a log that could not have been written.
#[test]
fn entries_that_wait_for_each_other_and_for_nobody_are_passed_over() {
    let order = |n, user: u64, day| Entry::Event(order(n, user, day * DAY_MS)).encode();
    let made = |partition, offset| {
        let origin = Origin { partition: PartitionId(partition), offset: Offset(offset), index: 0 };
        let to = CustomerId::User("u7".into());
        Entry::Forward(Forward { origin, to, event: super::order(99, 7, DAY_MS), hops: 1 }).encode()
    };
    let log = MemoryLog::new(2).unwrap();
    for (partition, origins) in [(0, [(1, 1), (0, 9)]), (1, [(0, 1), (9, 0)])] {
        for (maker, offset) in origins {
            log.append(Append::one(PartitionId(partition), made(maker, offset))).unwrap();
        }
        let user = u64::from(partition);
        log.append(Append::one(PartitionId(partition), order(user, user, 1))).unwrap();
        log.append(Append::one(PartitionId(partition), order(user + 2, user + 2, 60))).unwrap();
    }
    let set = training_set(&log, &features(), &task(None), &|_| ControlFlow::Continue(())).unwrap();
    assert_eq!((set.at, set.open), (vec![Timestamp(DAY_MS); 2], 2));
}

/// What is told of people who have a second name and a device each, and of which day.
#[derive(Debug, Clone, PartialEq)]
enum Told {
    Order(String),
    OfDevice(u8),
    Alias(u8),
    HasDevice(u8),
    /// Two neighbours are one.
    Join(u8),
}

impl Told {
    fn tell(&self, n: u64, day: i64, live: &mut Live) {
        let device = |user: u8| Some(format!("d{user}").into());
        let view = Event { name: Some("Product Viewed".into()), ..order(n, 0, day * DAY_MS) };
        match self {
            Self::Order(name) => live.order(n, name, day),
            Self::OfDevice(user) => {
                live.send(Event { user_id: None, anonymous_id: device(*user), ..order(n, 0, day * DAY_MS) });
            }
            Self::HasDevice(user) => {
                live.send(Event { user_id: Some(format!("u{user}").into()), anonymous_id: device(*user), ..view });
            }
            Self::Alias(user) => live.alias(n, &format!("u{user}"), &format!("also{user}"), day),
            Self::Join(user) => live.join(&[&format!("u{user}"), &format!("u{}", user ^ 1)], day),
        }
    }

    fn is_order(&self) -> bool {
        matches!(self, Self::Order(_) | Self::OfDevice(_))
    }
}

fn any_told() -> impl Strategy<Value = (Told, i64)> {
    let told = (0_u8..6, 0_u8..4).prop_map(|(kind, user)| match kind {
        0 => Told::Order(format!("u{user}")),
        1 => Told::Order(format!("also{user}")),
        2 => Told::OfDevice(user),
        3 => Told::Alias(user),
        4 => Told::HasDevice(user),
        _ => Told::Join(user & 2),
    });
    (told, 0_i64..100)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Orders are told in any order, who somebody is once and in the order of time: otherwise the log may have no place for what the
    /// replay makes, which is taken at the end. Every day has one event, because offsets order those of an instant.
    #[test]
    fn what_came_after_the_end_might_never_have_been(
        told in prop::collection::vec(any_told(), 1..40), end in 0_i64..100, partitions in 1_u32..6,
    ) {
        let mut told: Vec<(Told, i64)> = told;
        let (mut days, mut ties) = (BTreeSet::new(), Vec::new());
        told.retain(|(what, day)| {
            let is_new = !ties.contains(what) && days.insert(*day);
            if is_new && !what.is_order() {
                ties.push(what.clone());
            }
            is_new
        });
        let mut in_order: Vec<i64> = told.iter().filter(|(what, _)| !what.is_order()).map(|(_, day)| *day).collect();
        in_order.sort_unstable_by_key(|day| std::cmp::Reverse(*day));
        let (mut whole, mut before) = (Live::new(partitions), Live::new(partitions));
        for (n, (what, day)) in (0..).zip(told) {
            let day = if what.is_order() { day } else { in_order.pop().unwrap() };
            what.tell(n, day, &mut whole);
            if day < end {
                what.tell(n, day, &mut before);
            }
        }
        prop_assert_eq!(whole.learnt(Some(end)), before.learnt(None));
        prop_assert_eq!(whole.learnt(None), whole.learnt(Some(100)), "nothing is left out");
    }
}
