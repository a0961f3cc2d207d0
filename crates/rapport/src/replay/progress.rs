//! How far the replay is, on standard error if that is a terminal; else silent.

use std::borrow::Cow;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rapport_types::Timestamp;

const STEPS: f64 = 1_000.0;
/// The bar hears of so many events at once.
const EVERY: u64 = 64;

/// A bar.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn new(title: &str) -> Self {
        // The target draws nothing where standard error is not a terminal.
        let bar = ProgressBar::with_draw_target(Some(STEPS as u64), ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template("{prefix}\n{bar:40} {percent:>3}%  {elapsed}  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(title.to_owned());
        Self { bar }
    }

    /// One that never shows.
    #[cfg(test)]
    pub(super) fn hidden() -> Self {
        Self { bar: ProgressBar::hidden() }
    }

    pub(super) fn played(&self, part: f64, at: Timestamp, events: u64) {
        if events.is_multiple_of(EVERY) && !self.bar.is_hidden() {
            self.bar.set_position((part * STEPS) as u64);
            let day: String = at.to_string().chars().take(10).collect();
            self.bar.set_message(format!("{day}, {events} events"));
        }
    }

    pub(super) fn say(&self, text: impl Into<Cow<'static, str>>) {
        self.bar.set_message(text);
    }

    pub(super) fn trained(&self, part: f64) {
        self.bar.set_message(format!("training, {:.0}%", part * 100.0));
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
