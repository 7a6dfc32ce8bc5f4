//! What a new member is called: its instance's or its client's name, and a random part that nobody guesses.

use std::fmt::Write;

use protocol::ErrorCode;
use protocol::messages::JoinGroupRequest;
use protocol::types::Uuid;
use protocol::wire::Str;

use super::machine::Client;

/// The most bytes of a name in front, so that the id fits where old versions write it with a length of 16 bits.
const NAME_MAX: usize = 16_384;

/// An id that no other member has.
pub fn fresh_member_id(request: &JoinGroupRequest, client: &Client) -> Result<Str, ErrorCode> {
    let uuid = Uuid::random().map_err(|_| ErrorCode::UnknownServerError)?;
    let name = request.group_instance_id.as_deref().unwrap_or(&client.id);
    let mut end = name.len().min(NAME_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    Ok(Str::from(format!("{}-{}", &name[..end], hyphenated(uuid))))
}

/// As Java prints a UUID.
fn hyphenated(uuid: Uuid) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in uuid.0.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_printed_as_java_prints_it() {
        let uuid =
            Uuid([0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x55, 0x44, 0, 1]);
        assert_eq!(hyphenated(uuid), "123e4567-e89b-12d3-a456-426655440001");
    }

    #[test]
    fn a_static_member_is_named_after_its_instance() {
        let request = JoinGroupRequest { group_instance_id: Some("rack-7".into()), ..Default::default() };
        let client = Client { id: "client".into(), host: "/127.0.0.1".into() };
        let id = fresh_member_id(&request, &client).expect("the kernel has randomness");
        assert!(id.starts_with("rack-7-") && id.len() == "rack-7-".len() + 36, "{id}");
    }
}
