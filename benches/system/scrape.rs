//! `/metrics` of the server, added up.

use crate::common::server::Server;

/// One reading of all series.
#[derive(Debug, Default)]
pub struct Scrape(Vec<(String, f64)>);

impl Scrape {
    pub async fn of(server: &Server) -> Self {
        let answer = server.get("/metrics").await.expect("the server answers");
        let text = answer.text().await.expect("text");
        let series = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self(series.collect())
    }

    /// The sum over all series of that name whose labels hold `label` (any, where it is empty).
    pub fn sum(&self, name: &str, label: &str) -> f64 {
        let named =
            self.0.iter().filter(|(series, _)| series.split('{').next() == Some(name) && series.contains(label));
        // Without any it is 0, not the -0 of an empty sum.
        named.map(|(_, value)| value).fold(0.0, |sum, value| sum + value)
    }

    /// The mean of what a histogram took in since `before`; `None` where that was nothing.
    pub fn mean_since(&self, before: &Self, name: &str, label: &str) -> Option<f64> {
        let since = |part: &str| {
            let name = format!("{name}_{part}");
            self.sum(&name, label) - before.sum(&name, label)
        };
        let count = since("count");
        (count > 0.0).then(|| since("sum") / count)
    }
}
