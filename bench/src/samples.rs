//! Figures as they come in, and what is shown of several of them.

use serde::Serialize;

/// One figure of one subject in one round.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    pub round: u32,
    /// A broker's name, or [`RAW`].
    pub subject: &'static str,
    pub measure: String,
    pub unit: &'static str,
    pub value: f64,
}

/// The subject of what the kernel alone costs.
pub const RAW: &str = "raw limit";

/// All figures of a run, in the order in which they were taken.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Samples(Vec<Sample>);

impl Samples {
    pub fn add(&mut self, sample: Sample) {
        let Sample { round, subject, measure, unit, value } = &sample;
        eprintln!("round {round}  {subject:9}  {measure:42} {value:10.3} {unit}");
        self.0.push(sample);
    }

    /// Every measure with its unit, in the order of its first figure.
    pub fn measures(&self) -> Vec<(&str, &'static str)> {
        let mut measures = Vec::new();
        for sample in &self.0 {
            let measure = (sample.measure.as_str(), sample.unit);
            if !measures.contains(&measure) {
                measures.push(measure);
            }
        }
        measures
    }

    /// Its figures over all rounds; none if it was not taken.
    pub fn spread(&self, subject: &str, measure: &str) -> Option<Spread> {
        let ours = self.0.iter().filter(|sample| sample.subject == subject && sample.measure == measure);
        Spread::of(ours.map(|sample| sample.value).collect())
    }
}

/// What several figures of one thing come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub least: f64,
    pub median: f64,
    pub most: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
        Some(Spread { least, median, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(Spread::of(vec![4.0, 1.0, 2.0, 9.0]), Some(Spread { least: 1.0, median: 3.0, most: 9.0 }));
        assert_eq!(Spread::of(vec![5.0]), Some(Spread { least: 5.0, median: 5.0, most: 5.0 }));
        assert_eq!(Spread::of(vec![]), None);
    }
}
