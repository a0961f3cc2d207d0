//! Search over records: an index beside the database, made from it and able to be made from it again.
//!
//! It knows no database and no fields. Whoever feeds it says of each record its title, its other texts and whose it is, in
//! the order of a feed, and with each batch the position that the feed is then at; the position and the documents are
//! committed together, so after a crash the feeder goes on from [`SearchIndex::position`]. An index that is damaged or of
//! another version is thrown away: `position` is then `None`, and everything is fed again.
//!
//! **Found is** a record in which every word of the query occurs: as it is, as the beginning of a word (the query's last word
//! only), or with one typing error from 4 letters on and two from 8 on; digits are never guessed. If no record has all the
//! words, those that have most come. A query has no syntax: every text is only text.
//!
//! **The order** is: fewer words with typing errors first, then words found as they are before beginnings, the title before
//! other texts, and of equals the newest id first. It does not depend on how the index is laid out on disk.
//!
//! **Who may see what** is part of the search, not a filter after it, so a reader with few records still gets a full page.
//!
//! Limits: the first 64 KiB of a text, the first 96 bytes of a word, the first 256 bytes and 8 words of a query, the first
//! 1,000 hits.

mod find;
pub(crate) mod fold;
mod index;
mod query;
mod tokens;

use std::borrow::Cow;

pub use index::SearchIndex;

/// A record as the index sees it.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    /// The object that it is of, such as `contact`.
    pub object: &'a str,
    /// Its id, unique within the object.
    pub id: i64,
    /// What people call it.
    pub title: &'a str,
    /// Everything else that it is found by: e-mail addresses, phone numbers, names, addresses, notes.
    pub texts: Vec<Cow<'a, str>>,
    /// The user whose record it is.
    pub owner: Option<i64>,
    /// The team whose record it is.
    pub team: Option<i64>,
}

/// One step of the feed.
#[derive(Debug, Clone)]
pub enum Change<'a> {
    /// The record is new, or not as it was.
    Put(Document<'a>),
    /// The record is gone. Removing what is not there is no mistake.
    Remove {
        /// The object that it was of.
        object: &'a str,
        /// Its id.
        id: i64,
    },
}

/// Which records of an object a reader may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All of them.
    All,
    /// Their own.
    Own {
        /// The reader.
        user: i64,
    },
    /// Their own and those of their teams.
    Team {
        /// The reader.
        user: i64,
        /// The reader's teams.
        teams: Vec<i64>,
    },
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    /// As it was typed.
    pub text: &'a str,
    /// The objects to look in, each with what the reader may see of it. An object that is not named is not looked in.
    pub objects: &'a [(&'a str, Reach)],
    /// How many hits are wanted.
    pub limit: usize,
    /// How many of the best to leave out before.
    pub offset: usize,
}

/// A record that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The object that it is of.
    pub object: String,
    /// Its id.
    pub id: i64,
    /// How well it fits, to compare the hits of one query with.
    pub score: u32,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The folder cannot be made, emptied or read.
    #[error("the search index's folder cannot be used: {0}")]
    Folder(#[from] std::io::Error),
    /// Reading or writing the index failed; made anew from the database it is whole again.
    #[error("the search index failed: {0}")]
    Index(#[from] tantivy::TantivyError),
}
