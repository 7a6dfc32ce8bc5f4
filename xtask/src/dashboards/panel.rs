//! What a dashboard is made of: rows of panels, each with its queries, a unit, and a sentence that says what to make of it.

/// The whole width of a dashboard, in Grafana's columns.
pub(super) const WIDTH: u32 = 24;

/// One page.
pub(super) struct Dashboard {
    /// The last part of its uid, and its file's name.
    pub name: &'static str,
    pub title: &'static str,
    pub help: &'static str,
    pub variables: Vec<Variable>,
    pub rows: Vec<Row>,
}

/// What the reader chooses at the top: the values that one label has.
pub(super) struct Variable {
    pub name: &'static str,
    pub title: &'static str,
    /// The label, and a metric that has it.
    pub label: &'static str,
    pub metric: &'static str,
    /// Whether several may be chosen at once, all of them at first.
    pub several: bool,
}

pub(super) struct Row {
    pub title: &'static str,
    pub panels: Vec<Panel>,
}

pub(super) struct Panel {
    pub title: &'static str,
    pub help: &'static str,
    pub kind: Kind,
    /// As Grafana calls it: `short`, `bytes`, `Bps`, `ms`, …
    pub unit: &'static str,
    /// In columns.
    pub width: u32,
    pub queries: Vec<Query>,
}

/// What a panel looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Lines over time.
    Lines,
    /// Lines on top of each other, where their sum says something.
    Stacked,
    /// One figure, which is coloured by what it says.
    Figure(Colours),
    /// One bar a series, from 0 to 1.
    Bars,
    /// One line a series, its labels beside its present value.
    Table,
}

/// How a figure is coloured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Colours {
    Plain,
    /// Green at 0, and this colour above.
    ZeroOr(&'static str),
    /// Green at 1, red at anything else.
    OneOnly,
}

pub(super) struct Query {
    pub expression: String,
    /// With labels in double braces; empty where there is one series.
    pub legend: &'static str,
}

/// Lines over time, a third of the page wide.
pub(super) fn lines(title: &'static str, unit: &'static str, help: &'static str) -> Panel {
    Panel { title, help, kind: Kind::Lines, unit, width: WIDTH / 3, queries: Vec::new() }
}

/// Lines on top of each other, a third of the page wide.
pub(super) fn stacked(title: &'static str, unit: &'static str, help: &'static str) -> Panel {
    Panel { kind: Kind::Stacked, ..lines(title, unit, help) }
}

/// One figure, an eighth of the page wide.
pub(super) fn figure(title: &'static str, unit: &'static str, colours: Colours, help: &'static str) -> Panel {
    Panel { kind: Kind::Figure(colours), width: WIDTH / 8, ..lines(title, unit, help) }
}

/// One bar a series, from 0 to 1.
pub(super) fn bars(title: &'static str, help: &'static str) -> Panel {
    Panel { kind: Kind::Bars, ..lines(title, "percentunit", help) }
}

/// One line a series, half the page wide.
pub(super) fn table(title: &'static str, unit: &'static str, help: &'static str) -> Panel {
    Panel { kind: Kind::Table, width: WIDTH / 2, ..lines(title, unit, help) }
}

impl Panel {
    pub fn query(mut self, expression: impl Into<String>, legend: &'static str) -> Panel {
        self.queries.push(Query { expression: expression.into(), legend });
        self
    }

    pub fn wide(self, width: u32) -> Panel {
        Panel { width, ..self }
    }

    /// In Grafana's rows.
    pub fn height(&self) -> u32 {
        if matches!(self.kind, Kind::Figure(_)) { 4 } else { 8 }
    }
}

/// One quantile of a histogram whose buckets are summed by these labels.
pub(super) fn quantile(q: f64, histogram: &str, matchers: &str, by: &str) -> String {
    let labels = if by.is_empty() { "le".to_owned() } else { format!("le, {by}") };
    format!(
        "histogram_quantile({q}, sum by ({labels}) (rate({histogram}_bucket{matchers}[$__rate_interval])))"
    )
}

/// A counter's rate, summed by these labels.
pub(super) fn rate(counter: &str, matchers: &str, by: &str) -> String {
    let sum = if by.is_empty() { "sum".to_owned() } else { format!("sum by ({by})") };
    format!("{sum} (rate({counter}{matchers}[$__rate_interval]))")
}
