//! Writes the Rust of messages: one module a message, one struct with its `Struct` impl for each of its structs.
//!
//! The emitted code is short because `wire` does the work: a field is one `get` and one `put` behind its versions,
//! which [`crate::field`] writes.

use crate::code::Code;
use crate::error_codes;
use crate::field;
use crate::model::{Definition, Field, Kind, Message, Scalar, Struct, Type, Versions};

/// The whole of `messages.rs`.
pub fn messages(definitions: &[Definition]) -> String {
    let mut code = Code::default();
    for definition in definitions {
        for message in definition.messages() {
            module(&mut code, definition, message);
        }
    }
    code.finish()
}

fn module(code: &mut Code, definition: &Definition, message: &Message) {
    let module = snake_case(&message.name);
    for line in &definition.about {
        code.line(format!("/// {line}"));
    }
    code.block(format!("pub mod {module}"), |code| {
        code.line("use crate::wire::generated::*;");
        for one in &message.structs {
            declaration(code, one);
            struct_impl(code, message, one);
        }
        message_impl(code, message);
        role_impl(code, definition, &message.name);
    });
    code.line(format!("pub use {module}::{};", message.name));
    code.line("");
}

fn message_impl(code: &mut Code, message: &Message) {
    let Versions { first, last } = message.versions;
    let flexible = message.flexible_from.map_or("i16::MAX".to_owned(), |first| first.to_string());
    code.block(format!("impl Message for {}", message.name), |code| {
        code.line(format!("const NAME: &'static str = \"{}\";", message.name));
        code.line(format!("const VERSIONS: RangeInclusive<i16> = {first}..={last};"));
        code.line(format!("const FLEXIBLE_FROM: i16 = {flexible};"));
    });
}

/// What a request and a record's key are besides messages.
fn role_impl(code: &mut Code, definition: &Definition, name: &str) {
    match &definition.kind {
        Kind::Api { request, response, .. } if request.name == name => {
            code.block(format!("impl Request for {name}"), |code| {
                code.line(format!("const KEY: crate::ApiKey = crate::ApiKey::{};", definition.name));
                code.line(format!("type Response = super::{};", response.name));
            });
        }
        Kind::Record { number, key, value } if key.name == name => {
            code.block(format!("impl RecordKey for {name}"), |code| {
                code.line(format!("const TYPE: i16 = {number};"));
                code.line(format!("type Value = super::{};", value.name));
            });
        }
        Kind::Api { .. } | Kind::Record { .. } | Kind::Data(_) => {}
    }
}

fn declaration(code: &mut Code, one: &Struct) {
    let plain = one.fields.iter().all(field::has_plain_default);
    let derived = if plain { ", Default" } else { "" };
    code.line(format!("#[derive(Clone, Debug, PartialEq{derived})]"));
    code.block(format!("pub struct {}", one.name), |code| {
        for field in &one.fields {
            if field.key {
                code.line("/// Identifies its element in the list.");
            }
            code.line(format!("pub {}: {},", identifier(&field.name), field::rust_type(field)));
        }
    });
    if !plain {
        default_impl(code, one);
    }
}

fn default_impl(code: &mut Code, one: &Struct) {
    code.block(format!("impl Default for {}", one.name), |code| {
        code.block("fn default() -> Self", |code| {
            code.block("Self", |code| {
                for field in &one.fields {
                    code.line(format!("{}: {},", identifier(&field.name), field::default(field)));
                }
            });
        });
    });
}

fn struct_impl(code: &mut Code, message: &Message, one: &Struct) {
    let tagged = one.fields.iter().any(|field| field.tag.is_some());
    code.block(format!("impl Struct for {}", one.name), |code| {
        code.line(format!("const LEAST_SIZE: usize = {};", least_size(message, one)));
        let reads = one.fields.iter().filter(|field| field.tag.is_none());
        body(
            code,
            "read_fields(&mut self, ",
            "r",
            "&mut Reader",
            "DecodeError",
            reads.map(|f| field::read(one, f)),
        );
        let writes = one.fields.iter().map(|f| field::write(one, f)).filter(|line| !line.is_empty());
        body(code, "write_fields(&self, ", "w", "&mut Writer", "EncodeError", writes);
        if tagged {
            read_tag(code, one);
            let mut fields: Vec<&Field> = one.fields.iter().filter(|field| field.tag.is_some()).collect();
            fields.sort_by_key(|field| field.tag);
            let writes = fields.into_iter().map(|f| field::write_tag(one, f));
            body(code, "write_tags(&self, ", "t", "&mut TagSection<'_>", "EncodeError", writes);
        }
        error_codes::tell(code, message, one);
    });
}

/// A function of `lines`, whose parameters have no names where there are none.
fn body(
    code: &mut Code,
    opening: &str,
    on: &str,
    on_type: &str,
    error: &str,
    lines: impl Iterator<Item = String>,
) {
    let lines: Vec<_> = lines.collect();
    let (on, format) = if lines.is_empty() { ("_", "_") } else { (on, "f") };
    code.block(format!("fn {opening}{on}: {on_type}, {format}: Format) -> Result<(), {error}>"), |code| {
        lines.iter().for_each(|line| code.line(line));
        code.line("Ok(())");
    });
}

fn read_tag(code: &mut Code, one: &Struct) {
    let opening = "fn read_tag(&mut self, tag: u32, r: &mut Reader, f: Format) -> Result<bool, DecodeError>";
    code.block(opening, |code| {
        code.block("match tag", |code| {
            for field in one.fields.iter().filter(|field| field.tag.is_some()) {
                code.line(field::read_tag(one, field));
            }
            code.line("_ => return Ok(false),");
        });
        code.line("Ok(true)");
    });
}

/// The fewest bytes that a struct takes in any of its versions.
fn least_size(message: &Message, one: &Struct) -> usize {
    let Versions { first, last } = one.versions;
    (first..=last).map(|version| size_at(message, one, version)).min().unwrap_or_default()
}

fn size_at(message: &Message, one: &Struct, version: i16) -> usize {
    let present = one.fields.iter().filter(|field| field.tag.is_none() && field.versions.contains(version));
    let fields: usize = present.map(|field| field_size(message, field, version)).sum();
    fields + usize::from(message.is_flexible(version))
}

fn field_size(message: &Message, field: &Field, version: i16) -> usize {
    let flexible = message.is_flexible(version) && !field.rigid;
    match &field.of {
        Type::Scalar(scalar) => scalar.least_size(flexible),
        Type::Array(_) => Scalar::Bytes.least_size(flexible),
        Type::Struct(_) if field.nullable.is_some() => 1,
        Type::Struct(name) => message.find(name).map_or(0, |inner| size_at(message, inner, version)),
    }
}

/// `TopicId` as `topic_id`.
pub fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (at, c) in name.char_indices() {
        if c.is_ascii_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// A field's name in Rust.
pub fn identifier(name: &str) -> String {
    if matches!(name, "type" | "match") { format!("r#{name}") } else { name.to_owned() }
}
