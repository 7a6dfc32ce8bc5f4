//! Two answers side by side, field by field.

use super::value::{Value, find};

/// One field in which two answers differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Where, without numbers: `topics[].partitions[].error_code`.
    pub path: String,
    pub kafka: String,
    pub milena: String,
}

/// What stands for what is not there.
const ABSENT: &str = "absent";
/// The path of a whole answer.
const WHOLE: &str = "answer";

pub fn differences(kafka: &Value, milena: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(kafka), Some(milena), &mut found);
    found
}

fn compare(path: &str, kafka: Option<&Value>, milena: Option<&Value>, found: &mut Vec<Difference>) {
    match (kafka, milena) {
        _ if kafka == milena => {}
        (Some(Value::Struct(kafka)), Some(Value::Struct(milena))) => {
            for (name, value) in kafka {
                compare(&below(path, name), Some(value), find(milena, name), found);
            }
            for (name, value) in milena.iter().filter(|(name, _)| find(kafka, name).is_none()) {
                compare(&below(path, name), None, Some(value), found);
            }
        }
        (Some(Value::List(kafka)), Some(Value::List(milena))) => {
            lists(&format!("{path}[]"), kafka, milena, found);
        }
        _ => {
            let text = |value: Option<&Value>| value.map_or(ABSENT.to_owned(), Value::to_string);
            let path = if path.is_empty() { WHOLE } else { path };
            found.push(Difference { path: path.to_owned(), kafka: text(kafka), milena: text(milena) });
        }
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Elements that both have are set aside. As many left over on each side are compared in pairs, others stand alone.
fn lists(path: &str, kafka: &[Value], milena: &[Value], found: &mut Vec<Difference>) {
    let mut of_milena: Vec<&Value> = milena.iter().collect();
    let mut of_kafka = Vec::new();
    for element in kafka {
        match of_milena.iter().position(|other| *other == element) {
            Some(at) => drop(of_milena.remove(at)),
            None => of_kafka.push(element),
        }
    }
    if of_kafka.is_empty() && of_milena.is_empty() {
        return found.push(Difference {
            path: path.to_owned(),
            kafka: Value::List(kafka.to_vec()).to_string(),
            milena: Value::List(milena.to_vec()).to_string(),
        });
    }
    if of_kafka.len() == of_milena.len() {
        for (kafka, milena) in of_kafka.into_iter().zip(of_milena) {
            compare(path, Some(kafka), Some(milena), found);
        }
        return;
    }
    of_kafka.into_iter().for_each(|element| compare(path, Some(element), None, found));
    of_milena.into_iter().for_each(|element| compare(path, None, Some(element), found));
}

#[test]
fn fields_that_differ_are_found_with_their_paths() {
    let check = |kafka: &str, milena: &str, expected: &[(&str, &str, &str)]| {
        let value = |text| super::notation::value(text).expect(text);
        let found = differences(&value(kafka), &value(milena));
        let found: Vec<_> =
            found.iter().map(|d| (d.path.as_str(), d.kafka.as_str(), d.milena.as_str())).collect();
        assert_eq!(found, expected);
    };
    check("{a: 1, b: [{c: 2}]}", "{a: 1, b: [{c: 2}]}", &[]);
    check(
        "{a: 1, b: [{c: 2}, {c: 3}]}",
        "{b: [{c: 3}, {c: 4}]}",
        &[("a", "1", "absent"), ("b[].c", "2", "4")],
    );
    check("{b: [{c: 2}, {c: 3}]}", "{b: [{c: 3}]}", &[("b[]", "{c: 2}", "absent")]);
    check("{b: [1, 2]}", "{b: [2, 1]}", &[("b[]", "[1, 2]", "[2, 1]")]);
    check("1", "\"closed\"", &[("answer", "1", "\"closed\"")]);
}
