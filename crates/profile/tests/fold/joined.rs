//! Customers whom people joined: while they are one they are what their events together would have made, and afterwards
//! each is what a log without the joining would have made.

use rapport_types::Joined;

use super::*;

fn id(name: &str) -> CustomerId {
    CustomerId::User(name.into())
}

impl World {
    /// Says that people are one customer, as it is appended: to the homes of all of them at once.
    pub(super) fn join(&mut self, names: &[&str]) {
        let ids: Box<[CustomerId]> = names.iter().map(|name| id(name)).collect();
        let mut homes: Vec<u32> = ids.iter().map(|id| partition_of(id, self.states.len() as u32).0).collect();
        homes.sort_unstable();
        homes.dedup();
        for home in homes {
            self.logs[home as usize].push(Entry::Joined(Joined { ids: ids.clone(), at: Timestamp(0) }));
        }
    }

    /// The customers that are seen.
    fn seen(&self) -> Vec<String> {
        let of = |state: &PartitionState| {
            assert_eq!(state.profiles().count(), state.len());
            state.profiles().map(|profile| profile.primary.to_string()).collect::<Vec<_>>()
        };
        let mut seen: Vec<String> = self.states.iter().flat_map(of).collect();
        seen.sort();
        seen
    }

    /// All that can be known of a customer but the ids.
    fn facts(&self, name: &str) -> String {
        let profile = self.profile(name);
        let features: Vec<Value> = (0..self.features.len())
            .map(|index| self.features.json(&profile, index, Timestamp(400 * DAY_MS)))
            .collect();
        let attributes: Vec<_> = profile.attributes().collect();
        format!("{} {:?} {:?} {features:?} {attributes:?}", profile.events, profile.first_seen, profile.last_seen)
    }
}

#[test]
fn two_people_are_one_and_two_again_wherever_they_are_at_home() {
    for partitions in [1, 2, 5, 16] {
        let mut world = World::new(partitions);
        world.send(order(1, "ann", DAY_MS, 10.0, "a"));
        world.send(order(2, "anna", 2 * DAY_MS, 20.0, "b"));
        world.send(event(3, Some("anna"), Some("phone"), 3 * DAY_MS));
        world.settle();
        let alone = (world.profile("ann"), world.profile("anna"));
        world.join(&["ann", "anna"]);
        world.settle();
        assert_eq!(world.seen(), ["user:ann"], "{partitions} partitions");
        for id in ["ann", "anna", "anon:phone"] {
            let profile = world.profile(id);
            assert_eq!((profile.primary.to_string(), profile.events), ("user:ann".to_owned(), 3), "{id}");
            assert_eq!(profile.ids.len(), 3);
            assert_eq!(profile.positions().len(), 3);
        }
        assert_eq!(world.value("anna", "mean_90d").as_f64(), Some(15.0));
        world.send(order(4, "anna", 4 * DAY_MS, 30.0, "c"));
        world.send(event(5, None, Some("phone"), 5 * DAY_MS));
        world.settle();
        assert_eq!((world.profile("ann").events, world.profile("ann").at), (5, Timestamp(5 * DAY_MS)));
        world.join(&["ann"]);
        world.join(&["anna"]);
        world.settle();
        assert_eq!(world.seen(), ["user:ann", "user:anna"], "{partitions} partitions");
        assert_eq!(world.profile("ann"), alone.0);
        assert_eq!((world.profile("anna").events, world.value("anna", "largest_7d").as_f64()), (4, Some(30.0)));
        assert_eq!(world.totals().applied, 5);
    }
}

/// A contact can have a customer id of which no event ever spoke.
#[test]
fn one_of_whom_nothing_is_known_is_joined_when_something_is() {
    for partitions in [1, 3, 16] {
        let mut world = World::new(partitions);
        world.join(&["ann", "anna"]);
        world.settle();
        assert_eq!(world.seen(), [""; 0]);
        world.send(order(1, "anna", DAY_MS, 10.0, "a"));
        world.settle();
        assert_eq!(world.seen(), ["user:ann"]);
        // What was sent under an id that is an alias of somebody counts for them and for whom they are joined with.
        world.send(alias(2, "old", "ann", DAY_MS));
        world.join(&["ann", "anna", "kim"]);
        world.send(alias(3, "kim", "kimberly", DAY_MS));
        world.send(order(4, "kimberly", DAY_MS, 10.0, "a"));
        world.settle();
        assert_eq!(world.seen(), ["user:ann"], "{partitions} partitions");
        assert_eq!(world.profile("kimberly").events, 4);
        world.join(&["kim"]);
        world.join(&["ann", "anna"]);
        world.settle();
        assert_eq!(world.seen(), ["user:ann", "user:kimberly"], "{partitions} partitions");
        assert_eq!((world.profile("kim").events, world.profile("old").events), (2, 2));
        world.join(&["ann"]);
        world.join(&["anna"]);
        world.settle();
        assert_eq!(world.seen(), ["user:ann", "user:anna", "user:kimberly"]);
    }
}

#[test]
fn what_was_last_said_of_a_customer_is_not_said_again() {
    let mut world = World::new(1);
    world.send(order(1, "ann", DAY_MS, 10.0, "a"));
    world.send(order(2, "anna", DAY_MS, 10.0, "a"));
    world.settle();
    let slot = |world: &World, name: &str| {
        world.states[0].summaries().find(|(_, summary)| summary.primary.to_id() == id(name)).unwrap().0
    };
    let ann = slot(&world, "ann");
    world.states[0].profile_mut(ann).set_segment(3, true);
    world.states[0].set_due(ann, Some(Timestamp(9)));
    world.join(&["ann", "anna"]);
    world.settle();
    let joint = slot(&world, "ann");
    assert!(joint != ann && world.profile("anna").in_segment(3));
    assert_eq!(world.states[0].earliest_due(), None, "nothing is decided of a part");
    world.states[0].profile_mut(joint).set_segment(3, false);
    world.states[0].profile_mut(joint).set_segment(5, true);
    world.join(&["ann"]);
    world.join(&["anna"]);
    world.settle();
    let said = |name: &str| [3, 5].map(|segment| world.profile(name).in_segment(segment));
    assert_eq!((said("ann"), said("anna")), ([false, true], [false, false]));
}

fn any_group() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::subsequence((0..6).collect::<Vec<u8>>(), 1..4).prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Events and joinings in any order, over any partitions, with restarts in between.
    #[test]
    fn taking_apart_leaves_what_was_never_joined(
        specs in prop::collection::vec((any_event(), any_group(), 0_u8..4, 0_usize..9), 1..50), partitions in 1_u32..6,
    ) {
        let mut specs = specs;
        specs.sort_by_key(|spec| spec.0.0);
        specs.dedup_by_key(|spec| spec.0.0);
        let (mut world, mut plain) = (World::new(partitions), World::new(1));
        // Who is joined with whom: each is in one group, which its first names.
        let mut groups: Vec<Vec<u8>> = (0..6).map(|user| vec![user]).collect();
        let tell = |world: &mut World, groups: &[Vec<u8>]| {
            for group in groups {
                let names: Vec<String> = group.iter().map(|user| format!("u{user}")).collect();
                world.join(&names.iter().map(String::as_str).collect::<Vec<_>>());
            }
        };
        let mut events = Vec::new();
        for (n, (spec, group, what, some)) in specs.into_iter().enumerate() {
            let event = made(n, spec);
            events.push(event.clone());
            plain.send(event.clone());
            world.send(event);
            if what == 0 {
                groups.iter_mut().for_each(|known| known.retain(|user| !group.contains(user)));
                groups.retain(|known| !known.is_empty());
                groups.push(group);
                tell(&mut world, &groups);
            }
            if what == 1 {
                world.restart();
            }
            world.apply(some);
        }
        world.settle();
        // Joined, they are what one customer with all their events would be.
        let mut one = World::new(1);
        for event in events {
            let named = |id: Option<Box<str>>| id.map(|id| {
                let group = id.strip_prefix('u').and_then(|user| user.parse().ok());
                let group = group.and_then(|user| groups.iter().find(|group| group.contains(&user)));
                group.map_or(id, |group| format!("u{}", group[0]).into())
            });
            one.send(Event { user_id: named(event.user_id), ..event });
        }
        one.settle();
        plain.settle();
        prop_assert_eq!(world.seen(), one.seen());
        for seen in one.seen() {
            prop_assert_eq!(world.facts(&seen), one.facts(&seen), "{}", seen);
        }
        world.restart();
        let alone: Vec<Vec<u8>> = (0..6).map(|user| vec![user]).collect();
        tell(&mut world, &alone);
        world.settle();
        prop_assert_eq!(world.digest(), plain.digest());
        prop_assert_eq!(world.totals(), plain.totals());
        world.restart();
        prop_assert_eq!(world.digest(), plain.digest());
    }
}
