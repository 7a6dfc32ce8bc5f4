//! Writes what goes over all messages: the list of APIs, and the filling of messages at random.

use std::fmt::Write;

use crate::emit::{condition, identifier, snake_case};
use crate::model::{Definition, Field, Kind, Message, Struct};

/// The whole of `api_keys.rs`: one call of the macro that `api.rs` defines, ordered by key.
pub fn api_keys(definitions: &[Definition]) -> String {
    let mut rows: Vec<_> = definitions
        .iter()
        .filter_map(|definition| match &definition.kind {
            Kind::Api { key, request, .. } => Some((*key, row(*key, &definition.name, request))),
            Kind::Record { .. } | Kind::Data(_) => None,
        })
        .collect();
    rows.sort();
    let rows: String = rows.into_iter().map(|(_, row)| row).collect();
    format!("api_keys! {{\n{rows}}}\n")
}

fn row(key: i16, name: &str, request: &Message) -> String {
    let (first, last) = (request.versions.first, request.versions.last);
    let flexible = request.flexible_from.map_or("i16::MAX".to_owned(), |first| first.to_string());
    let unstable = request.latest_unstable;
    format!(
        "    {name} = {key}, versions {first} to {last}, flexible {flexible}, latest unstable {unstable};\n"
    )
}

/// The whole of `arbitrary.rs`.
pub fn arbitrary(definitions: &[Definition]) -> String {
    let mut out = String::new();
    for message in definitions.iter().flat_map(Definition::messages) {
        for one in &message.structs {
            fill(&mut out, message, one);
        }
    }
    let _ = writeln!(out, "/// Every message there is.\npub const MESSAGES: &[AnyMessage] = &[");
    for definition in definitions {
        for message in definition.messages() {
            let role = match &definition.kind {
                Kind::Api { key, request, .. } if request.name == message.name => {
                    format!("Role::Request({key})")
                }
                Kind::Api { key, .. } => format!("Role::Response({key})"),
                Kind::Record { .. } | Kind::Data(_) => "Role::Data".to_owned(),
            };
            let _ = writeln!(out, "    AnyMessage::of::<crate::messages::{}>({role}),", message.name);
        }
    }
    let _ = writeln!(out, "];");
    out
}

fn fill(out: &mut String, message: &Message, one: &Struct) {
    let path = format!("crate::messages::{}::{}", snake_case(&message.name), one.name);
    let name = |parameter: &'static str| if one.fields.is_empty() { "_" } else { parameter };
    let (s, f) = (name("s"), name("f"));
    let _ = writeln!(
        out,
        "impl Arbitrary for {path} {{\n    fn fill(&mut self, {s}: &mut Source, {f}: Format) {{"
    );
    for field in &one.fields {
        let _ = writeln!(out, "        {}", fill_field(one, field));
    }
    let _ = writeln!(out, "    }}\n}}");
}

fn fill_field(one: &Struct, field: &Field) -> String {
    let call = |fill: &str| format!("s.{fill}(f, &mut self.{});", identifier(&field.name));
    let line = match field.nullable.and_then(|nullable| condition(field.versions, nullable)) {
        Some(nullable) => format!("if {nullable} {{ {} }} else {{ {} }}", call("fill"), call("fill_some")),
        None => call("fill"),
    };
    match condition(one.versions, field.versions) {
        Some(versions) => format!("if {versions} {{ {line} }}"),
        None => line,
    }
}
