//! The generator, which the build runs: what it writes for a definition, and where it says that one is wrong.

#[path = "../build/check.rs"]
mod check;
#[path = "../build/code.rs"]
mod code;
#[path = "../build/emit.rs"]
mod emit;
#[path = "../build/error_codes.rs"]
mod error_codes;
#[path = "../build/field.rs"]
mod field;
#[path = "../build/lexer.rs"]
mod lexer;
#[path = "../build/model.rs"]
mod model;
#[path = "../build/parse.rs"]
mod parse;
#[path = "../build/tables.rs"]
mod tables;

use std::path::Path;

use model::{Definition, Mistake};

fn read(text: &str) -> Result<Definition, Mistake> {
    let definition = parse::definition(Path::new("ping.api"), text)?;
    check::definition(&definition)?;
    Ok(definition)
}

#[test]
fn a_definition_becomes_a_module() {
    let text = "\
# Asks whether the broker is there.
api Ping = 99

request 1-4, flexible 3+
  note: string 2-3 nullable 3+
  retries: int32 = 3
  from: Place? 4+ = null tag 0
    type: int8 key

response 1-4, flexible 3+
  error_code: int16 2+ ignorable
";
    let definition = read(text).expect("it is right");
    let expected = include_str!("definitions/ping.rs.txt");
    assert_eq!(emit::messages(std::slice::from_ref(&definition)), expected);
    let row = "Ping = 99, versions 1 to 4, flexible 3, latest unstable false;";
    assert_eq!(tables::api_keys(std::slice::from_ref(&definition)), format!("api_keys! {{\n    {row}\n}}\n"));
    assert!(
        tables::arbitrary(&[definition])
            .contains("AnyMessage::of::<crate::messages::PingRequest>(Role::Request(99))")
    );
}

/// Holds the mistake in a message whose fields are `fields`, the first in line 2, against `expected`.
fn check(fields: &str, expected: &str) {
    let mistake = read(&format!("message Ping 1-4, flexible 3+\n{fields}\n")).expect_err(fields);
    assert_eq!(mistake.to_string(), format!("ping.api:{expected}"), "{fields}");
}

#[test]
fn a_mistake_is_reported_with_its_file_and_line() {
    check("  a: int33", "2: 'int33' is no type; structs begin with a capital");
    check("  a int32", "2: a field like `name: type`, or a struct, is expected");
    check("  a: int32\n   b: int32", "3: indentation goes in steps of two blanks");
    check("  a: int32 5+", "2: versions 5+ are not within 1-4");
    check("  a: int32 often", "2: 'often' is not expected here");
    check("  a: int32\n    b: int32", "2: a has no fields of its own");
    check("  a: [[int32]]", "2: a: an array of arrays needs a struct between them");
    check("  a: int32\n\n  a: int32", "4: a: this name is taken");
    check("  a: Place", "2: a: Place is not defined");
    check("  a: int32 tag 0", "2: a: a tag needs flexible versions");
    check("  a: int32 3+ tag 0\n  b: int32 3+ tag 0", "3: b: this tag is taken");
    check("  a: int32?", "2: a: this type is never null");
    check("  a: string = null nullable 2+", "2: a: null is a default only where every version may be null");
    check("  a: int8 = 200", "2: a: 200 is no default for this type");
    check("  a: records? 3+ = null tag 0", "2: a: records bear no tag");
    check("  a: [Place]\n    places: [Place]", "2: Place holds itself");
    check("  a: int32\n  struct Place\n    b: int32", "3: Place is used nowhere");
}

#[test]
fn request_and_response_have_the_same_versions() {
    let mistake = read("api Ping = 99\nrequest 0-3\nresponse 0-4\n").expect_err("they differ");
    let why = "request and response have the same versions, and become flexible together";
    assert_eq!(mistake.to_string(), format!("ping.api:3: {why}"));
}
