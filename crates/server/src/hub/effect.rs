//! Effects of the engine, as the hub pushes them.

use rapport_decide::Effect;

use super::{Kind, Pushed};

impl Pushed for Effect {
    fn customer(&self) -> &str {
        &self.customer
    }

    fn kind(&self) -> Kind {
        Kind::named(self.what.kind()).expect("the hub knows every kind of effect")
    }
}

#[cfg(test)]
mod tests {
    use rapport_decide::{Glance, What};
    use rapport_types::Timestamp;

    use super::*;

    #[test]
    fn every_kind_of_effect_has_a_kind_of_push() {
        let glance = Glance { name: None, last_seen: Timestamp(0), events: 1 };
        for what in [
            What::Profile { profile: glance },
            What::SegmentEntered { segment: "s".into() },
            What::SegmentLeft { segment: "s".into() },
        ] {
            assert_eq!(Kind::named(what.kind()).map(Kind::name), Some(what.kind()));
        }
        assert!(Kind::named("score").is_some() && Kind::named("shadow_score").is_some());
    }
}
