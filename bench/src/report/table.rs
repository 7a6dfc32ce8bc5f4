//! The table: a row for each measure, a column for each subject, and the last broker's share of the first one's.

use crate::samples::{RAW, Samples, Spread};
use crate::subject::Description;

const ABSENT: &str = "–";

/// Medians, with the least and the most behind them where there were several rounds.
pub fn render(samples: &Samples, subjects: &[Description]) -> String {
    let names: Vec<&'static str> = subjects.iter().map(|subject| subject.name).collect();
    let mut rows = vec![header(&names)];
    for (measure, unit) in samples.measures() {
        let mut row = vec![measure.to_owned(), unit.to_owned()];
        row.extend(names.iter().chain([&RAW]).map(|name| cell(samples.spread(name, measure))));
        if let [first, .., last] = names[..] {
            row.push(ratio(samples.spread(first, measure), samples.spread(last, measure)));
        }
        rows.push(row);
    }
    align(&rows)
}

fn header(names: &[&'static str]) -> Vec<String> {
    let mut row: Vec<String> =
        ["", "unit"].iter().chain(names).chain([&RAW]).map(|&cell| cell.to_owned()).collect();
    if let [first, .., last] = names {
        row.push(format!("{last} / {first}"));
    }
    row
}

fn cell(spread: Option<Spread>) -> String {
    match spread {
        None => ABSENT.to_owned(),
        Some(Spread { least, median, most }) if least == most => number(median),
        Some(Spread { least, median, most }) => {
            format!("{} ({}–{})", number(median), number(least), number(most))
        }
    }
}

/// Three digits that say something.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn ratio(first: Option<Spread>, last: Option<Spread>) -> String {
    match (first, last) {
        (Some(first), Some(last)) if first.median > 0.0 => format!("{:.2}", last.median / first.median),
        _ => ABSENT.to_owned(),
    }
}

/// A Markdown table whose columns are as wide as their widest cell.
fn align(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!(" {cell:width$} |"));
        format!("|{}\n", cells.collect::<String>())
    };
    let rule: String = widths.iter().map(|width| format!("{}|", "-".repeat(width + 2))).collect();
    let mut lines = rows.iter().map(|row| line(row));
    let header = lines.next().unwrap_or_default();
    format!("{header}|{rule}\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Sample;

    fn subject(name: &'static str) -> Description {
        Description { name, version: String::new(), settings: Vec::new() }
    }

    #[test]
    fn a_row_shows_medians_and_the_share() {
        let mut samples = Samples::default();
        let mut add = |round, subject, value| {
            samples.add(Sample { round, subject, measure: "produce".to_owned(), unit: "s/GB", value });
        };
        add(1, "Kafka", 4.0);
        add(2, "Kafka", 5.0);
        add(1, "Milena", 1.0);
        add(1, RAW, 0.5);
        let expected = "\
            |         | unit | Kafka            | Milena | raw limit | Milena / Kafka |\n\
            |---------|------|------------------|--------|-----------|----------------|\n\
            | produce | s/GB | 4.50 (4.00–5.00) | 1.00   | 0.500     | 0.22           |\n";
        assert_eq!(render(&samples, &[subject("Kafka"), subject("Milena")]), expected);
    }

    #[test]
    fn what_was_not_taken_is_absent() {
        let mut samples = Samples::default();
        let measure = "start".to_owned();
        samples.add(Sample { round: 1, subject: "Kafka", measure, unit: "s", value: 123.4 });
        let expected = "|       | unit | Kafka | raw limit |\n|-------|------|-------|-----------|\n| start | s    | 123   | –         |\n";
        assert_eq!(render(&samples, &[subject("Kafka")]), expected);
    }
}
