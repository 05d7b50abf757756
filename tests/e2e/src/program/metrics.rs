//! What a program measured, in Prometheus' text format.

use crate::{Error, Result};

/// One look at `/metrics`.
#[derive(Clone, Debug)]
pub struct Metrics(Vec<Sample>);

#[derive(Clone, Debug, PartialEq)]
struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl Metrics {
    /// Reads the text format. Label values with commas or quotes in them are not understood: ours
    /// have none.
    ///
    /// # Errors
    /// The line that is not a sample.
    pub fn parse(text: &str) -> Result<Self> {
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let samples = lines.map(|line| {
            sample(line).ok_or_else(|| Error::Malformed {
                what: "metrics".to_owned(),
                wrong: format!("not a sample: {line}"),
            })
        });
        samples.collect::<Result<_>>().map(Self)
    }

    /// The sum of all samples of this name that have these labels; 0 if there are none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |sample: &&Sample| {
            labels
                .iter()
                .all(|(key, value)| sample.labels.iter().any(|(k, v)| k == key && v == value))
        };
        let named = self.0.iter().filter(|sample| sample.name == name);
        named.filter(has).map(|sample| sample.value).sum()
    }

    /// Whether there is a sample of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|sample| sample.name == name)
    }
}

fn sample(line: &str) -> Option<Sample> {
    let (series, value) = line.rsplit_once(' ')?;
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels = labels
        .strip_suffix('}')?
        .split(',')
        .filter(|label| !label.is_empty());
    let label = |label: &str| {
        let (key, value) = label.split_once('=')?;
        Some((key.to_owned(), value.trim_matches('"').to_owned()))
    };
    Some(Sample {
        name: name.to_owned(),
        labels: labels.map(label).collect::<Option<_>>()?,
        value: value.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_summed_by_name_and_labels() {
        let text = "# HELP a_total x\na_total{result=\"ok\",phase=\"Draining\"} 2\na_total{result=\"no\",phase=\"Draining\"} 3\nb 1.5\n# EOF\n";
        let metrics = Metrics::parse(text).unwrap();
        for (expected, name, labels) in [
            (5.0, "a_total", &[][..]),
            (3.0, "a_total", &[("result", "no")][..]),
            (
                2.0,
                "a_total",
                &[("phase", "Draining"), ("result", "ok")][..],
            ),
            (0.0, "a_total", &[("result", "other")][..]),
            (1.5, "b", &[][..]),
            (0.0, "c", &[][..]),
        ] {
            let sum = metrics.sum(name, labels);
            assert!(
                (sum - expected).abs() < f64::EPSILON,
                "{name} {labels:?}: {sum}"
            );
        }
        assert!(metrics.has("b") && !metrics.has("c"));
    }

    #[test]
    fn what_is_not_a_sample_is_an_error() {
        for text in ["a", "a{b} 1", "a{b=\"c\" 1", "a one"] {
            assert!(Metrics::parse(text).is_err(), "{text}");
        }
    }
}
