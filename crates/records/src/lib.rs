//! The CRM itself: objects as data, one generic implementation that gives every object everything.
//!
//! It is not the event path: it knows no profiles and no models. It knows no HTTP either. Everything is synchronous; the
//! server calls it on threads for blocking work.
