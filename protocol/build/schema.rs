//! Writes what definitions say as plain tables, for those who walk over messages that they do not know.

use crate::code::Code;
use crate::model::{Definition, Field, Message, Struct, Type, Versions};

/// The whole of `schema.rs`.
pub fn messages(definitions: &[Definition]) -> String {
    let mut code = Code::default();
    code.line("/// Every message there is.");
    code.line("pub static MESSAGES: &[Message] = &[");
    for message in definitions.iter().flat_map(Definition::messages) {
        self::message(&mut code, message);
    }
    code.line("];");
    code.finish()
}

fn message(code: &mut Code, message: &Message) {
    let (name, versions) = (&message.name, versions(message.versions));
    let flexible = message.flexible_from.map_or("i16::MAX".to_owned(), |first| first.to_string());
    code.line(format!(
        "    Message {{ name: \"{name}\", versions: {versions}, flexible_from: {flexible}, structs: &["
    ));
    for Struct { name, fields, .. } in &message.structs {
        code.line(format!("        Struct {{ name: \"{name}\", fields: &["));
        fields.iter().for_each(|field| code.line(format!("            {},", self::field(field))));
        code.line("        ] },");
    }
    code.line("    ] },");
}

fn field(field: &Field) -> String {
    let Field { name, key, rigid, .. } = field;
    let (of, versions, nullable) =
        (type_of(&field.of), versions(field.versions), field.nullable.map(self::versions));
    let (nullable, tag) = (option(nullable), option(field.tag.map(|tag| tag.to_string())));
    let default = option(field.default.as_ref().map(|default| format!("\"{default}\"")));
    format!(
        "Field {{ name: \"{name}\", of: {of}, versions: {versions}, nullable: {nullable}, default: {default}, \
         tag: {tag}, key: {key}, rigid: {rigid} }}"
    )
}

fn type_of(of: &Type) -> String {
    match of {
        Type::Scalar(scalar) => format!("Type::Scalar(Scalar::{scalar:?})"),
        Type::Struct(name) => format!("Type::Struct(\"{name}\")"),
        Type::Array(element) => format!("Type::Array(&{})", type_of(element)),
    }
}

fn versions(Versions { first, last }: Versions) -> String {
    format!("{first}..={last}")
}

fn option(value: Option<String>) -> String {
    value.map_or("None".to_owned(), |value| format!("Some({value})"))
}
