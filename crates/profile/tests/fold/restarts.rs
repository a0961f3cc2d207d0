//! A state that was restored from a checkpoint leads every id as the one that went on does: it makes the same entries for other
//! partitions, so that what it makes again after a crash is known as a repeat.

use super::*;

impl World {
    /// Where the home of each id leads it.
    fn leads(&self) -> Vec<String> {
        let ids = (0..4).flat_map(|n| [format!("u{n}"), format!("anon:d{n}")]);
        let lead = |id: CustomerId| {
            let home = &self.states[partition_of(&id, self.states.len() as u32).0 as usize];
            let lead = home.find(&id).map(|found| match found {
                Ok(profile) => format!("is {}", profile.primary),
                Err(to) => format!("is led to {to}"),
            });
            format!("{id} {}", lead.unwrap_or_default())
        };
        ids.map(|id| lead(CustomerId::parse(&id))).collect()
    }
}

/// `old` was an alias of `mid`, and both came to live where `old` is at home.
fn moved_and_back(world: &mut World, [old, mid, new]: [&str; 3]) {
    world.send(order(1, old, DAY_MS, 10.0, "a"));
    world.settle();
    world.send(alias(2, old, mid, 2 * DAY_MS));
    world.settle();
    world.send(alias(3, mid, new, 3 * DAY_MS));
    world.settle();
}

/// Names such that the first and the last are at home in one partition of two, and the other is not.
fn there_and_back() -> [String; 3] {
    let at_home = |partition: u32| {
        (0..)
            .map(|n| format!("c{n}"))
            .filter(move |name| partition_of(&CustomerId::User(name.as_str().into()), 2).0 == partition)
    };
    let mut here = at_home(0);
    [here.next().unwrap(), at_home(1).next().unwrap(), here.next().unwrap()]
}

#[test]
fn an_event_of_an_id_that_moved_away_and_back_is_counted_once_after_a_crash() {
    let names = there_and_back();
    let mut world = World::new(2);
    moved_and_back(&mut world, names.each_ref().map(String::as_str));
    (0..2).for_each(|partition| world.checkpoint(partition));
    world.send(order(4, &names[0], 4 * DAY_MS, 10.0, "a"));
    world.settle();
    world.crash();
    world.settle();
    assert_eq!((world.profile(&names[0]).events, world.totals().applied), (4, 4));
}

/// What happens to four people with four devices, whoever shares them and whose alias is whose; or who of them are joined.
#[derive(Debug, Clone)]
enum Turn {
    Event(Event),
    Join(String, String),
}

fn any_turn() -> impl Strategy<Value = Turn> {
    let (user, device, kind) = (0_u8..4, 0_u8..4, 0_u8..5);
    (user, device, kind, 0_u8..4).prop_map(|(user, device, kind, other)| {
        let (user, device, other) = (format!("u{user}"), format!("d{device}"), format!("u{other}"));
        match kind {
            0 => Turn::Event(event(0, None, Some(&device), 0)),
            1 => Turn::Event(event(0, Some(&user), Some(&device), 0)),
            2 => Turn::Event(alias(0, &other, &user, 0)),
            3 => Turn::Event(alias(0, &device, &user, 0)),
            _ => Turn::Join(user, other),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_restored_state_leads_and_makes_what_the_one_that_went_on_does(
        turns in prop::collection::vec((any_turn(), 0_usize..9, 0_u8..3), 1..40), partitions in 1_u32..6,
    ) {
        let (mut whole, mut restored) = (World::new(partitions), World::new(partitions));
        for (n, (turn, some, restarts)) in (0..).zip(turns) {
            for world in [&mut whole, &mut restored] {
                match turn.clone() {
                    Turn::Event(event) => {
                        world.send(Event { message_id: format!("m{n}").into(), timestamp: Timestamp(n), ..event });
                    }
                    Turn::Join(one, other) if one == other => world.join(&[&one]),
                    Turn::Join(one, other) => world.join(&[&one, &other]),
                }
                world.apply(some);
            }
            if restarts == 0 {
                restored.restart();
            }
            prop_assert_eq!(whole.leads(), restored.leads());
        }
        whole.settle();
        restored.settle();
        prop_assert_eq!(&whole.logs, &restored.logs);
        prop_assert_eq!(whole.leads(), restored.leads());
        prop_assert_eq!(whole.digest(), restored.digest());
    }
}
