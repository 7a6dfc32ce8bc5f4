//! Writes what goes over all messages: the list of APIs, and the filling of messages at random.

use crate::code::Code;
use crate::emit::snake_case;
use crate::field;
use crate::model::{Definition, Kind, Message, Struct};

/// The whole of `api_keys.rs`: one call of the macro that `api.rs` defines, ordered by key.
pub fn api_keys(definitions: &[Definition]) -> String {
    let mut apis: Vec<_> = definitions.iter().filter_map(api).collect();
    apis.sort();
    let mut code = Code::default();
    code.block("api_keys!", |code| apis.iter().for_each(|(_, row)| code.line(row)));
    code.finish()
}

/// An API's key and its row in the list.
fn api(definition: &Definition) -> Option<(i16, String)> {
    let Kind::Api { key, request, .. } = &definition.kind else { return None };
    let (name, first, last) = (&definition.name, request.versions.first, request.versions.last);
    let flexible = request.flexible_from.map_or("i16::MAX".to_owned(), |first| first.to_string());
    let unstable = request.latest_unstable;
    let row = format!(
        "{name} = {key}, versions {first} to {last}, flexible {flexible}, latest unstable {unstable};"
    );
    Some((*key, row))
}

/// The whole of `arbitrary.rs`.
pub fn arbitrary(definitions: &[Definition]) -> String {
    let mut code = Code::default();
    for message in definitions.iter().flat_map(Definition::messages) {
        for one in &message.structs {
            arbitrary_impl(&mut code, message, one);
        }
    }
    code.line("/// Every message there is.");
    code.line("pub const MESSAGES: &[AnyMessage] = &[");
    for definition in definitions {
        for message in definition.messages() {
            let (name, role) = (&message.name, role(definition, message));
            code.line(format!("    AnyMessage::of::<crate::messages::{name}>({role}),"));
        }
    }
    code.line("];");
    code.finish()
}

fn role(definition: &Definition, message: &Message) -> String {
    match &definition.kind {
        Kind::Api { key, request, .. } if request.name == message.name => format!("Role::Request({key})"),
        Kind::Api { key, .. } => format!("Role::Response({key})"),
        Kind::Record { .. } | Kind::Data(_) => "Role::Data".to_owned(),
    }
}

fn arbitrary_impl(code: &mut Code, message: &Message, one: &Struct) {
    let path = format!("crate::messages::{}::{}", snake_case(&message.name), one.name);
    let (source, format) = if one.fields.is_empty() { ("_", "_") } else { ("s", "f") };
    code.block(format!("impl Arbitrary for {path}"), |code| {
        code.block(format!("fn fill(&mut self, {source}: &mut Source, {format}: Format)"), |code| {
            one.fields.iter().for_each(|field| code.line(field::fill(one, field)));
        });
    });
}
