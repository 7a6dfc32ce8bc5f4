//! Whether the parts of a definition fit together, so that what is emitted from it compiles and is bounded.
//!
//! Structs may not hold themselves: how deep a message nests is thus known before it is read.

use std::collections::HashSet;

use crate::model::{Definition, Field, Kind, Message, Mistake, Scalar, Struct, Type};

type Result = std::result::Result<(), (usize, String)>;

pub fn definition(definition: &Definition) -> std::result::Result<(), Mistake> {
    for message in definition.messages() {
        self::message(message).map_err(|(line, why)| Mistake { file: definition.file.clone(), line, why })?;
    }
    if let Kind::Api { request, response, .. } = &definition.kind
        && (request.versions, request.flexible_from) != (response.versions, response.flexible_from)
    {
        let why = "request and response have the same versions, and become flexible together".to_owned();
        return Err(Mistake { file: definition.file.clone(), line: response.structs[0].line, why });
    }
    Ok(())
}

fn message(message: &Message) -> Result {
    let mut names = HashSet::new();
    for one in &message.structs {
        if !names.insert(&one.name) {
            return Err((one.line, format!("{} is defined twice", one.name)));
        }
        holds_not_itself(message, one, &mut vec![])?;
        fields(message, one)?;
    }
    let used: HashSet<_> =
        message.structs.iter().flat_map(|one| &one.fields).filter_map(|f| f.of.struct_name()).collect();
    match message.structs.iter().skip(1).find(|one| !used.contains(one.name.as_str())) {
        Some(unused) => Err((unused.line, format!("{} is used nowhere", unused.name))),
        None => Ok(()),
    }
}

fn holds_not_itself<'a>(message: &'a Message, one: &'a Struct, above: &mut Vec<&'a str>) -> Result {
    if above.contains(&one.name.as_str()) {
        return Err((one.line, format!("{} holds itself", one.name)));
    }
    above.push(&one.name);
    for inner in
        one.fields.iter().filter_map(|field| field.of.struct_name()).filter_map(|name| message.find(name))
    {
        holds_not_itself(message, inner, above)?;
    }
    above.pop();
    Ok(())
}

fn fields(message: &Message, one: &Struct) -> Result {
    let mut names = HashSet::new();
    let mut tags = HashSet::new();
    for field in &one.fields {
        let fail = |why: &str| Err((field.line, format!("{}: {why}", field.name)));
        if !names.insert(&field.name) {
            return fail("this name is taken");
        }
        if field.tag.is_some_and(|tag| !tags.insert(tag)) {
            return fail("this tag is taken");
        }
        if field.tag.is_some() && !message.is_flexible(field.versions.first) {
            return fail("a tag needs flexible versions");
        }
        if field.of == Type::Scalar(Scalar::Records) && field.tag.is_some() {
            return fail("records bear no tag");
        }
        type_of(message, field).or_else(|why| fail(&why))?;
        null(field).or_else(|why| fail(&why))?;
        default(field).or_else(|why| fail(&why))?;
    }
    Ok(())
}

fn type_of(message: &Message, field: &Field) -> std::result::Result<(), String> {
    if matches!(&field.of, Type::Array(element) if matches!(**element, Type::Array(_))) {
        return Err("an array of arrays needs a struct between them".to_owned());
    }
    match field.of.struct_name() {
        Some(name) => match message.find(name) {
            None => Err(format!("{name} is not defined")),
            Some(found) if !found.versions.holds(field.versions) => Err(format!("{name} has other versions")),
            Some(_) => Ok(()),
        },
        None => Ok(()),
    }
}

fn null(field: &Field) -> std::result::Result<(), String> {
    if field.nullable.is_some() && matches!(field.of, Type::Scalar(scalar) if !scalar.may_be_null()) {
        return Err("this type is never null".to_owned());
    }
    if field.tag.is_some() && field.nullable.is_some_and(|versions| versions != field.versions) {
        return Err("a tagged field is nullable in all its versions or in none".to_owned());
    }
    if field.default_is_null() && field.nullable != Some(field.versions) {
        return Err("null is a default only where every version may be null".to_owned());
    }
    Ok(())
}

fn default(field: &Field) -> std::result::Result<(), String> {
    let Some(default) = field.default.as_deref().filter(|default| *default != "null") else { return Ok(()) };
    let fits = match field.of {
        Type::Scalar(Scalar::Bool) => matches!(default, "true" | "false"),
        Type::Scalar(Scalar::Int8) => default.parse::<i8>().is_ok(),
        Type::Scalar(Scalar::Int16) => default.parse::<i16>().is_ok(),
        Type::Scalar(Scalar::Uint16) => default.parse::<u16>().is_ok(),
        Type::Scalar(Scalar::Int32) => default.parse::<i32>().is_ok(),
        Type::Scalar(Scalar::Uint32) => default.parse::<u32>().is_ok(),
        Type::Scalar(Scalar::Int64) => default.parse::<i64>().is_ok(),
        _ => false,
    };
    if fits { Ok(()) } else { Err(format!("{default} is no default for this type")) }
}
