//! Axes and marks as SVG. Colours come from classes, so that light, dark and print are the style sheet's matter.

use super::format::escape;

/// An axis from `from` to `to`.
pub(super) struct Axis {
    pub(super) from: f64,
    pub(super) to: f64,
    /// Where there are ticks, and their labels.
    pub(super) ticks: Vec<(f64, String)>,
    pub(super) label: String,
}

impl Axis {
    /// From `from` to the next round number from `to` on, with about `count` ticks.
    pub(super) fn round(from: f64, to: f64, count: usize, label: &str, write: impl Fn(f64) -> String) -> Self {
        let step = round_step((to - from).max(1e-9) / count as f64);
        let (first, last) = ((from / step).floor(), (to / step - 1e-9).ceil());
        let ticks = (0..=(last - first) as usize).map(|at| (first + at as f64) * step);
        let ticks = ticks.map(|tick| (tick, write(tick))).collect();
        Self { from: first * step, to: last * step, ticks, label: label.to_owned() }
    }
}

/// The round number (1, 2 or 5 times a power of ten) from a wanted step on.
fn round_step(wanted: f64) -> f64 {
    let power = 10_f64.powf(wanted.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= wanted * 0.999).unwrap_or(10.0);
    factor * power
}

/// How large a plot is and what room its axes take.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) bottom: f64,
}

/// A plot of half a page.
pub(super) const HALF: Size = Size { width: 420.0, height: 320.0, left: 58.0, bottom: 48.0 };
/// One of three in a row.
pub(super) const SMALL: Size = Size { width: 270.0, height: 170.0, left: 44.0, bottom: 28.0 };
const TOP: f64 = 12.0;
const RIGHT: f64 = 22.0;

/// A plot that is being drawn.
pub(super) struct Plot {
    x: Axis,
    y: Axis,
    size: Size,
    svg: String,
}

impl Plot {
    /// Draws the axes. `id` is unique on the page; `title` and `alt` say in words what is to be seen.
    pub(super) fn new(id: &str, title: &str, alt: &str, size: Size, x: Axis, y: Axis) -> Self {
        let svg = open(id, title, alt, size.width, size.height);
        let mut plot = Self { x, y, size, svg };
        plot.axes();
        plot
    }

    fn axes(&mut self) {
        let (left, right) = (self.size.left, self.size.width - RIGHT);
        let (top, bottom) = (TOP, self.size.height - self.size.bottom);
        let mut drawn = String::new();
        for (at, label) in &self.y.ticks {
            let y = self.py(*at);
            drawn.extend([format!(r#"<line class="grid" x1="{left:.1}" y1="{y:.1}" x2="{right:.1}" y2="{y:.1}"/>"#)]);
            text(&mut drawn, (left - 7.0, y + 4.0), "end", "tick", label);
        }
        for (at, label) in &self.x.ticks {
            text(&mut drawn, (self.px(*at), bottom + 17.0), "middle", "tick", label);
        }
        drawn.extend([format!(r#"<line class="axis" x1="{left}" y1="{bottom}" x2="{right}" y2="{bottom}"/>"#)]);
        let middle = f64::midpoint(top, bottom);
        if !self.x.label.is_empty() {
            text(&mut drawn, (f64::midpoint(left, right), self.size.height - 8.0), "middle", "label", &self.x.label);
        }
        if !self.y.label.is_empty() {
            let label = escape(&self.y.label);
            drawn.extend([format!(r#"<text class="label" text-anchor="middle" transform="translate(14 {middle:.1}) rotate(-90)">{label}</text>"#
            )]);
        }
        self.svg.push_str(&drawn);
    }

    fn px(&self, x: f64) -> f64 {
        let width = self.size.width - RIGHT - self.size.left;
        self.size.left + (x - self.x.from) / (self.x.to - self.x.from) * width
    }

    fn py(&self, y: f64) -> f64 {
        let height = self.size.height - self.size.bottom - TOP;
        self.size.height - self.size.bottom - (y - self.y.from) / (self.y.to - self.y.from) * height
    }

    /// A line through points; `class` tells its look.
    pub(super) fn line(&mut self, class: &str, points: impl Iterator<Item = (f64, f64)>) {
        let mut path = String::new();
        for (x, y) in points {
            path.extend([format!("{:.1},{:.1} ", self.px(x), self.py(y))]);
        }
        self.svg.extend([format!(r#"<polyline class="{class}" points="{}"/>"#, path.trim_end())]);
    }

    /// The area under a line.
    pub(super) fn area(&mut self, points: &[(f64, f64)]) {
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
        let base = self.y.from;
        let around = [(first.0, base)].into_iter().chain(points.iter().copied()).chain([(last.0, base)]);
        let mut path = String::new();
        for (x, y) in around {
            path.extend([format!("{:.1},{:.1} ", self.px(x), self.py(y))]);
        }
        self.svg.extend([format!(r#"<polygon class="under" points="{}"/>"#, path.trim_end())]);
    }

    /// A point with a bar from `low` to `high`; `tip` appears when it is pointed at.
    pub(super) fn point(&mut self, at: (f64, f64), low: f64, high: f64, tip: &str) {
        let (x, y) = (self.px(at.0), self.py(at.1));
        let (low, high) = (self.py(low), self.py(high));
        self.svg.extend([format!(r#"<g><title>{}</title><line class="whisker" x1="{x:.1}" y1="{low:.1}" x2="{x:.1}" y2="{high:.1}"/><circle class="dot" cx="{x:.1}" cy="{y:.1}" r="4"/></g>"#,
            escape(tip)
        )]);
    }

    /// A bar from the foot of the plot, with its value above.
    pub(super) fn bar(&mut self, from: f64, to: f64, y: f64, value: &str) {
        let (left, right, top, foot) = (self.px(from), self.px(to), self.py(y), self.py(self.y.from));
        self.svg.extend([format!(
            r#"<rect class="bar" x="{left:.1}" y="{top:.1}" width="{:.1}" height="{:.1}" rx="2"/>"#,
            right - left,
            (foot - top).max(0.0)
        )]);
        text(&mut self.svg, (f64::midpoint(left, right), top - 4.0), "middle", "value", value);
    }

    /// The whole element.
    pub(super) fn finish(mut self) -> String {
        self.svg.push_str("</svg>");
        self.svg
    }
}

/// Begins an SVG with its title and description.
pub(super) fn open(id: &str, title: &str, alt: &str, width: f64, height: f64) -> String {
    format!(
        r#"<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{id}-title {id}-alt"><title id="{id}-title">{}</title><desc id="{id}-alt">{}</desc>"#,
        escape(title),
        escape(alt)
    )
}

/// A text at a place, escaped.
pub(super) fn text(svg: &mut String, at: (f64, f64), anchor: &str, class: &str, content: &str) {
    let (x, y) = at;
    svg.extend([format!(
        r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{}</text>"#,
        escape(content)
    )]);
}
