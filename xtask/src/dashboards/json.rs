//! From our few words to Grafana's many: the JSON of a dashboard, its panels numbered and laid out from left to right.

use serde_json::{Value, json};

use super::panel::{Colours, Dashboard, Kind, Panel, Query, Row, Variable, WIDTH};

/// Of Grafana 11; newer ones bring it up to date by themselves.
const SCHEMA_VERSION: u32 = 39;

const GREEN: &str = "green";

/// The whole file.
pub(super) fn dashboard(dashboard: &Dashboard) -> Value {
    json!({
        "uid": format!("milena-{}", dashboard.name),
        "title": dashboard.title,
        "description": dashboard.help,
        "tags": ["milena", "kafka"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": { "from": "now-1h", "to": "now" },
        "timezone": "browser",
        "links": [{
            "type": "dashboards", "tags": ["milena"], "title": "Milena", "asDropdown": true, "includeVars": false,
            "keepTime": true, "targetBlank": false, "icon": "external link", "url": ""
        }],
        "annotations": { "list": [] },
        "templating": { "list": variables(&dashboard.variables) },
        "panels": panels(&dashboard.rows),
    })
}

fn variables(chosen: &[Variable]) -> Vec<Value> {
    let datasource = json!({
        "type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus",
        "refresh": 1, "hide": 0, "includeAll": false, "multi": false, "current": {}, "options": [], "regex": ""
    });
    std::iter::once(datasource).chain(chosen.iter().map(variable)).collect()
}

fn variable(variable: &Variable) -> Value {
    let query = format!("label_values({}, {})", variable.metric, variable.label);
    let mut value = json!({
        "type": "query", "name": variable.name, "label": variable.title, "datasource": datasource(),
        "definition": query, "query": { "qryType": 1, "query": query, "refId": "values" },
        "refresh": 2, "sort": 7, "hide": 0, "multi": variable.several, "includeAll": variable.several,
        "current": {}, "options": [], "regex": ""
    });
    if variable.several {
        value["allValue"] = json!(".*");
        value["current"] = json!({ "selected": true, "text": ["All"], "value": ["$__all"] });
    }
    value
}

fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// Where the next panel goes.
struct Place {
    id: u32,
    x: u32,
    y: u32,
    /// The height of the line that is being filled.
    height: u32,
}

fn panels(rows: &[Row]) -> Vec<Value> {
    let mut place = Place { id: 0, x: 0, y: 0, height: 0 };
    let mut all = Vec::new();
    for row in rows {
        let (id, position) = place.next(WIDTH, 1);
        all.push(json!({
            "id": id, "type": "row", "title": row.title, "collapsed": false, "gridPos": position, "panels": []
        }));
        for shown in &row.panels {
            let (id, position) = place.next(shown.width, shown.height());
            all.push(panel(shown, id, position));
        }
    }
    all
}

impl Place {
    /// The number and position of a panel of this size: beside the last one, or below where there is no room beside it.
    fn next(&mut self, width: u32, height: u32) -> (u32, Value) {
        if self.x + width > WIDTH {
            (self.x, self.y, self.height) = (0, self.y + self.height, 0);
        }
        let position = json!({ "x": self.x, "y": self.y, "w": width, "h": height });
        self.id += 1;
        self.x += width;
        self.height = self.height.max(height);
        (self.id, position)
    }
}

fn panel(panel: &Panel, id: u32, position: Value) -> Value {
    let is_now = panel.kind == Kind::Table;
    let targets: Vec<_> =
        panel.queries.iter().zip('A'..).map(|(query, letter)| target(query, letter, is_now)).collect();
    json!({
        "id": id,
        "type": type_of(panel.kind),
        "title": panel.title,
        "description": panel.help,
        "datasource": datasource(),
        "gridPos": position,
        "targets": targets,
        "fieldConfig": { "defaults": defaults(panel), "overrides": [] },
        "options": options(panel),
        "transformations": transformations(panel.kind),
    })
}

fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Lines | Kind::Stacked => "timeseries",
        Kind::Figure(_) => "stat",
        Kind::Bars => "bargauge",
        Kind::Table => "table",
    }
}

fn target(query: &Query, letter: char, is_now: bool) -> Value {
    let legend = if query.legend.is_empty() { "__auto" } else { query.legend };
    json!({
        "refId": letter.to_string(), "datasource": datasource(), "editorMode": "code", "expr": query.expression,
        "legendFormat": legend, "range": !is_now, "instant": is_now,
        "format": if is_now { "table" } else { "time_series" },
    })
}

fn defaults(panel: &Panel) -> Value {
    let mut defaults =
        json!({ "unit": panel.unit, "custom": custom(panel.kind), "thresholds": thresholds(panel.kind) });
    let is_share = panel.unit == "percentunit";
    if is_share || !matches!(panel.kind, Kind::Table) {
        defaults["min"] = json!(0);
    }
    if panel.kind == Kind::Bars {
        defaults["max"] = json!(1);
    }
    let mode = match panel.kind {
        Kind::Figure(_) | Kind::Bars => "thresholds",
        _ => "palette-classic",
    };
    defaults["color"] = json!({ "mode": mode });
    defaults
}

fn custom(kind: Kind) -> Value {
    match kind {
        Kind::Lines | Kind::Stacked => json!({
            "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "showPoints": "never", "spanNulls": false,
            "fillOpacity": if kind == Kind::Stacked { 40 } else { 8 }, "gradientMode": "opacity",
            "stacking": { "group": "A", "mode": if kind == Kind::Stacked { "normal" } else { "none" } },
        }),
        Kind::Table => json!({ "align": "auto", "cellOptions": { "type": "auto" }, "filterable": true }),
        Kind::Figure(_) | Kind::Bars => json!({}),
    }
}

fn thresholds(kind: Kind) -> Value {
    let steps = match kind {
        Kind::Figure(Colours::ZeroOr(colour)) => vec![(None, GREEN), (Some(0.000_001), colour)],
        Kind::Figure(Colours::OneOnly) => vec![(None, "red"), (Some(1.0), GREEN), (Some(1.000_001), "red")],
        Kind::Bars => vec![(None, GREEN), (Some(0.7), "yellow"), (Some(0.85), "red")],
        _ => vec![(None, GREEN)],
    };
    let steps: Vec<_> =
        steps.into_iter().map(|(value, color)| json!({ "color": color, "value": value })).collect();
    json!({ "mode": "absolute", "steps": steps })
}

fn options(panel: &Panel) -> Value {
    let last = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
    match panel.kind {
        Kind::Lines | Kind::Stacked => json!({
            "legend": { "displayMode": "table", "placement": "bottom", "showLegend": true, "calcs": ["lastNotNull", "max"] },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        Kind::Figure(colours) => json!({
            "colorMode": if colours == Colours::Plain { "value" } else { "background" },
            "graphMode": "area", "justifyMode": "center", "textMode": "value", "orientation": "auto", "reduceOptions": last,
        }),
        Kind::Bars => json!({
            "displayMode": "gradient", "orientation": "horizontal", "showUnfilled": true, "reduceOptions": last,
        }),
        Kind::Table => {
            json!({ "showHeader": true, "cellHeight": "sm", "sortBy": [{ "displayName": "Value", "desc": true }] })
        }
    }
}

/// A table says nothing by the time of the query, which is now.
fn transformations(kind: Kind) -> Value {
    match kind {
        Kind::Table => json!([{
            "id": "organize", "options": { "excludeByName": { "Time": true }, "indexByName": {}, "renameByName": {} }
        }]),
        _ => json!([]),
    }
}
