//! `docs/metrics.md`, written from the table. A test compares the file with this; `UPDATE_DOCS=1` rewrites it.

use std::fmt::Write as _;

use super::table::{Kind, METRICS};

const INTRODUCTION: &str = "\
# Metrics

<!-- Written from src/telemetry/table.rs by `UPDATE_DOCS=1 cargo test telemetry`; change it there. -->

`/metrics` answers with Prometheus' text form. The names below are fixed: they change only with a major release. A histogram
`x` has the series `x_bucket{le}`, `x_sum` and `x_count`. Counters start at 0 with the process.

| name | type | labels | unit | what it tells | when to worry |
| --- | --- | --- | --- | --- | --- |
";

/// The page `docs/metrics.md`.
pub fn metrics_page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for metric in METRICS {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(
            page,
            "| `{}` | {kind} | {} | {} | {} | {} |",
            metric.name,
            labels.join(", "),
            metric.unit,
            metric.doc,
            metric.worry
        );
    }
    page
}
