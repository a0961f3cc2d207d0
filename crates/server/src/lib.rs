//! The HTTP side of Rapport. What it needs of the rest of the program are the traits of [`ports`].

pub mod api;
pub mod ports;
