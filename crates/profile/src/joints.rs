//! Which ids people joined into one customer, as far as their home is this partition, and the parts of which the customers
//! named here are put together.
//!
//! It is beside the identities that events speak of and changes nothing of them: a profile that is part of a joined customer goes on
//! as if it were by itself, so that taking a customer apart is to cease showing it as one. The fold of it is in `fold::joined`.

use std::collections::BTreeMap;

use rapport_types::CustomerId;
use serde::{Deserialize, Serialize};

use crate::{
    profile::Profile,
    slot::{sealed, unsealed},
};

/// Row keys of a checkpoint from here to the moved ids are joined ids.
pub(crate) const JOINED_KEYS: u64 = 1 << 62;

/// What a joined customer is put together of.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    /// Its ids; the first one is its name.
    pub(crate) ids: Vec<CustomerId>,
    /// One for each profile that any of the ids leads to, sorted by its primary id.
    pub(crate) pieces: Vec<Piece>,
    /// Where the customer is that they make; none while nothing is known of any of the ids.
    pub(crate) slot: Option<u32>,
}

/// A part, as its partition told it last.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The joined ids that lead to it.
    pub(crate) ids: Vec<CustomerId>,
    pub(crate) profile: Profile,
}

impl Seat {
    /// The piece of the profile `part`, to which `ids` lead now; none if none of them is joined here any more.
    pub(crate) fn piece(&mut self, part: &CustomerId, ids: &[CustomerId]) -> Option<&mut Piece> {
        let ids: Vec<CustomerId> = ids.iter().filter(|id| self.ids.contains(id)).cloned().collect();
        if ids.is_empty() {
            return None;
        }
        for piece in self.pieces.iter_mut().filter(|piece| piece.profile.primary != *part) {
            piece.ids.retain(|id| !ids.contains(id));
        }
        self.pieces.retain(|piece| !piece.ids.is_empty());
        let place = self.pieces.partition_point(|piece| piece.profile.primary < *part);
        if self.pieces.get(place).is_none_or(|piece| piece.profile.primary != *part) {
            self.pieces.insert(place, Piece { ids: Vec::new(), profile: Profile::new(part.clone()) });
        }
        let piece = &mut self.pieces[place];
        piece.ids = ids;
        Some(piece)
    }

    /// Gives it other ids; parts to which none of them leads are no parts any more.
    pub(crate) fn set_ids(&mut self, ids: &[CustomerId]) {
        self.ids = ids.to_vec();
        for piece in &mut self.pieces {
            piece.ids.retain(|id| ids.contains(id));
        }
        self.pieces.retain(|piece| !piece.ids.is_empty());
    }
}

#[derive(Debug)]
struct JoinedId {
    number: u32,
    head: CustomerId,
    seat: Option<Seat>,
}

/// A row of a checkpoint.
#[derive(Serialize, Deserialize)]
struct Row {
    id: CustomerId,
    head: CustomerId,
    seat: Option<SeatRow>,
}

#[derive(Serialize, Deserialize)]
struct SeatRow {
    ids: Vec<CustomerId>,
    pieces: Vec<(Vec<CustomerId>, Box<[u8]>)>,
    slot: Option<u32>,
}

/// The joined ids whose home is here.
#[derive(Debug, Default)]
pub(crate) struct Joints {
    ids: BTreeMap<CustomerId, JoinedId>,
    /// The number of the next row.
    next: u32,
    /// Rows that changed since the last checkpoint.
    dirty: BTreeMap<u32, CustomerId>,
}

impl Joints {
    /// The name of the customer that `id` is joined to.
    pub(crate) fn head_of(&self, id: &CustomerId) -> Option<&CustomerId> {
        self.ids.get(id).map(|joined| &joined.head)
    }

    /// Where the joined customer of this name is.
    pub(crate) fn slot_of(&self, head: &CustomerId) -> Option<u32> {
        self.ids.get(head)?.seat.as_ref()?.slot
    }

    /// Joins `id` to a customer, or to none; whether that is news.
    pub(crate) fn set(&mut self, id: &CustomerId, head: Option<&CustomerId>) -> bool {
        if self.head_of(id) == head {
            return false;
        }
        match (self.ids.get_mut(id), head) {
            (Some(joined), Some(head)) => {
                joined.head = head.clone();
                self.dirty.insert(joined.number, id.clone());
            }
            (Some(joined), None) => {
                self.dirty.insert(joined.number, id.clone());
                self.ids.remove(id);
            }
            (None, Some(head)) => {
                let number = self.next;
                self.next += 1;
                self.ids.insert(id.clone(), JoinedId { number, head: head.clone(), seat: None });
                self.dirty.insert(number, id.clone());
            }
            (None, None) => {}
        }
        true
    }

    pub(crate) fn seat(&self, head: &CustomerId) -> Option<&Seat> {
        self.ids.get(head)?.seat.as_ref()
    }

    /// What the joined customer of this name is put together of, to change it.
    pub(crate) fn seat_mut(&mut self, head: &CustomerId) -> Option<&mut Seat> {
        let joined = self.ids.get_mut(head)?;
        let seat = joined.seat.as_mut()?;
        self.dirty.insert(joined.number, head.clone());
        Some(seat)
    }

    /// Names a customer by `head`, which is joined to itself, unless it does already.
    pub(crate) fn seat_or_new(&mut self, head: &CustomerId) -> Option<&mut Seat> {
        self.ids.get_mut(head)?.seat.get_or_insert_default();
        self.seat_mut(head)
    }

    /// Names no customer by `id` any more; what there was.
    pub(crate) fn unseat(&mut self, id: &CustomerId) -> Option<Seat> {
        let joined = self.ids.get_mut(id)?;
        let seat = joined.seat.take()?;
        self.dirty.insert(joined.number, id.clone());
        Some(seat)
    }

    /// How many rows it has in a checkpoint.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// What changed since the last call: rows to write and keys to take away.
    pub(crate) fn take_changed(&mut self, changed: &mut Vec<(u64, Vec<u8>)>, deleted: &mut Vec<u64>) {
        for (number, id) in std::mem::take(&mut self.dirty) {
            let key = JOINED_KEYS | u64::from(number);
            match self.ids.get(&id).filter(|joined| joined.number == number) {
                Some(joined) => changed.push((key, row_of(&id, joined))),
                None => deleted.push(key),
            }
        }
    }

    /// Takes a row of a checkpoint back in; none if it is damaged.
    pub(crate) fn restore(&mut self, key: u64, row: &[u8]) -> Option<()> {
        let number = (key & !JOINED_KEYS) as u32;
        let row: Row = postcard::from_bytes(unsealed(row)?).ok()?;
        let seat = row.seat.map(SeatRow::seat).map_or(Some(None), |seat| seat.map(Some))?;
        self.ids.insert(row.id, JoinedId { number, head: row.head, seat });
        self.next = self.next.max(number + 1);
        Some(())
    }
}

fn row_of(id: &CustomerId, joined: &JoinedId) -> Vec<u8> {
    let seat = joined.seat.as_ref().map(|seat| SeatRow {
        ids: seat.ids.clone(),
        pieces: seat.pieces.iter().map(|piece| (piece.ids.clone(), piece.profile.encode().into())).collect(),
        slot: seat.slot,
    });
    let row = Row { id: id.clone(), head: joined.head.clone(), seat };
    sealed(postcard::to_allocvec(&row).expect("ids and profiles in memory encode"))
}

impl SeatRow {
    fn seat(self) -> Option<Seat> {
        let piece =
            |(ids, profile): (Vec<CustomerId>, Box<[u8]>)| Some(Piece { ids, profile: Profile::decode(&profile)? });
        let pieces = self.pieces.into_iter().map(piece).collect::<Option<Vec<_>>>()?;
        Some(Seat { ids: self.ids, pieces, slot: self.slot })
    }
}
