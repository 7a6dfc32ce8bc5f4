//! Writes the Rust of single fields: type, default, reading, writing, filling, each behind the versions that have it.

use crate::emit::identifier;
use crate::model::{Field, Scalar, Struct, Type, Versions};

pub fn rust_type(field: &Field) -> String {
    let bare = bare_type(&field.of);
    if field.nullable.is_some() { format!("Option<{bare}>") } else { bare }
}

fn bare_type(of: &Type) -> String {
    match of {
        Type::Scalar(scalar) => scalar.rust().to_owned(),
        Type::Struct(name) => name.clone(),
        Type::Array(element) => format!("Vec<{}>", bare_type(element)),
    }
}

/// The field's default as an expression.
pub fn default(field: &Field) -> String {
    match &field.default {
        Some(_) if field.default_is_null() => "None".to_owned(),
        Some(value) => value.clone(),
        None if field.nullable.is_some() => "Some(Default::default())".to_owned(),
        None => "Default::default()".to_owned(),
    }
}

/// Whether the default is that of the field's type in Rust.
pub fn has_plain_default(field: &Field) -> bool {
    field.default_is_null() || (field.default.is_none() && field.nullable.is_none())
}

/// Reads a field that bears no tag.
pub fn read(one: &Struct, field: &Field) -> String {
    let (name, format, place) = (&field.name, format_of(field), identifier(&field.name));
    with_null(field, "get", |get| format!("r.{get}(\"{name}\", {format}, &mut self.{place})?;"))
        .behind(condition(one.versions, field.versions))
}

/// Fills a field at random.
pub fn fill(one: &Struct, field: &Field) -> String {
    let place = identifier(&field.name);
    with_null(field, "fill", |fill| format!("s.{fill}(f, &mut self.{place});"))
        .behind(condition(one.versions, field.versions))
}

/// Writes a field that bears no tag. Where a version lacks a field, with a tag or without, what would be lost is
/// refused.
pub fn write(one: &Struct, field: &Field) -> String {
    let (name, format, place) = (&field.name, format_of(field), identifier(&field.name));
    let put = with_null(field, "put", |put| format!("w.{put}(\"{name}\", {format}, &self.{place})?;"));
    let leave_out = format!("w.leave_out(\"{name}\", f, {})?;", is_default(field));
    match (condition(one.versions, field.versions), field.tag.is_some()) {
        (None, true) => String::new(),
        (None, false) => put,
        (Some(_), true) if field.ignorable => String::new(),
        (Some(versions), false) if field.ignorable => put.behind(Some(versions)),
        (Some(_), true) => leave_out.behind(Some(outside(one.versions, field.versions))),
        (Some(versions), false) => format!("if {versions} {{ {put} }} else {{ {leave_out} }}"),
    }
}

/// The arm that reads a field that bears a tag.
pub fn read_tag(one: &Struct, field: &Field) -> String {
    let get = if is_optional_struct(field) { "get_tagged_option" } else { "get" };
    let guard =
        condition(one.versions, field.versions).map_or(String::new(), |versions| format!(" if {versions}"));
    let (tag, name) = (field.tag.unwrap_or_default(), &field.name);
    format!("{tag}{guard} => r.{get}(\"{name}\", f, &mut self.{})?,", identifier(name))
}

/// Writes a field that bears a tag.
pub fn write_tag(one: &Struct, field: &Field) -> String {
    let put = if is_optional_struct(field) { "put_option" } else { "put" };
    let (tag, name, is_default) = (field.tag.unwrap_or_default(), &field.name, is_default(field));
    format!("t.{put}({tag}, \"{name}\", f, &self.{}, {is_default})?;", identifier(name))
        .behind(condition(one.versions, field.versions))
}

/// The call that `call` makes of `verb`; of `{verb}_some` in versions where the field may not be null.
fn with_null(field: &Field, verb: &str, call: impl Fn(&str) -> String) -> String {
    match field.nullable.and_then(|nullable| condition(field.versions, nullable)) {
        Some(may_be_null) => {
            format!("if {may_be_null} {{ {} }} else {{ {} }}", call(verb), call(&format!("{verb}_some")))
        }
        None => call(verb),
    }
}

trait Behind {
    /// The line behind a condition, if there is one.
    fn behind(self, condition: Option<String>) -> String;
}

impl Behind for String {
    fn behind(self, condition: Option<String>) -> String {
        match condition {
            Some(condition) => format!("if {condition} {{ {self} }}"),
            None => self,
        }
    }
}

/// What tells, among the versions `within`, those of `range`; nothing where that is all of them.
fn condition(within: Versions, Versions { first, last }: Versions) -> Option<String> {
    match (first > within.first, last < within.last) {
        (false, false) => None,
        (true, false) => Some(format!("f.version >= {first}")),
        (false, true) => Some(format!("f.version <= {last}")),
        (true, true) if first == last => Some(format!("f.version == {first}")),
        (true, true) => Some(format!("({first}..={last}).contains(&f.version)")),
    }
}

/// What tells, among the versions `within`, those that are not of `range`.
fn outside(within: Versions, Versions { first, last }: Versions) -> String {
    match (first > within.first, last < within.last) {
        (_, false) => format!("f.version < {first}"),
        (false, true) => format!("f.version > {last}"),
        (true, true) => format!("!({first}..={last}).contains(&f.version)"),
    }
}

/// An expression that is true while the field has its default.
fn is_default(field: &Field) -> String {
    let it = format!("self.{}", identifier(&field.name));
    match (&field.of, field.default.as_deref()) {
        (_, Some("null")) => format!("{it}.is_none()"),
        _ if field.nullable.is_some() => format!("is_some_default(&{it})"),
        (Type::Array(_), _) => format!("{it}.is_empty()"),
        (Type::Struct(of), _) => format!("{it} == {of}::default()"),
        (Type::Scalar(scalar), _) if scalar.may_be_null() => format!("{it}.is_empty()"),
        (Type::Scalar(Scalar::Bool), Some("true")) => it,
        (Type::Scalar(Scalar::Bool), _) => format!("!{it}"),
        (Type::Scalar(Scalar::Uuid), _) => format!("{it}.is_zero()"),
        (Type::Scalar(Scalar::Float64), _) => format!("{it} == 0.0"),
        (Type::Scalar(_), default) => format!("{it} == {}", default.unwrap_or("0")),
    }
}

fn is_optional_struct(field: &Field) -> bool {
    field.nullable.is_some() && matches!(field.of, Type::Struct(_))
}

fn format_of(field: &Field) -> &'static str {
    if field.rigid { "f.rigid()" } else { "f" }
}
