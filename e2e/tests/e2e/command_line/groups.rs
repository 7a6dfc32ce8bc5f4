//! `milena groups` on groups that nobody is in.

use anyhow::Result;
use e2e::kcat;
use e2e::server::Server;

use super::{consumed, json, milena, numbers, refused, text};

#[test]
fn groups_are_listed_described_and_deleted() -> Result<()> {
    let server = Server::start("cli-groups")?;
    text(&server, &["topics", "create", "read", "--partitions", "1"])?;
    kcat::produce(&server.bootstrap(), "read", &["-p", "0"], &numbers(0..10))?;
    consumed(&server, &["read", "--group", "slow", "--max-messages", "4"])?;
    let reset =
        ["groups", "reset-offsets", "--group", "other", "--topic", "read", "--to-latest", "--execute"];
    let made = milena(&server, &reset, b"")?;
    assert!(made.code == 0 && made.stderr.contains("there is no group 'other' yet"), "{made:?}");
    check_lists(&server)?;
    check_descriptions(&server)?;
    check_deletions(&server)?;
    server.done()
}

fn check_lists(server: &Server) -> Result<()> {
    let listed = text(server, &["groups", "list"])?;
    let expected = "GROUP  TYPE     PROTOCOL  STATE\n\
                    other  classic  -         Empty\n\
                    slow   classic  consumer  Empty\n";
    assert_eq!(listed, expected);
    assert_eq!(text(server, &["groups", "list", "--state", "empty", "--type", "classic"])?, expected);
    assert_eq!(json(server, &["groups", "list", "--state", "Stable"])?, serde_json::json!([]));
    refused(server, &["groups", "list", "--state", "asleep"], &["asleep", "Stable"])
}

fn check_descriptions(server: &Server) -> Result<()> {
    let all = milena(server, &["groups", "describe", "--all-groups"], b"")?;
    assert!(all.stderr.contains("group 'slow' has no active members"), "{all:?}");
    let expected = "GROUP  TOPIC  PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG  CONSUMER-ID  HOST  CLIENT-ID\n\
                    other  read   0          10              10              0    -            -     -\n\
                    slow   read   0          4               10              6    -            -     -\n";
    assert_eq!(all.stdout, expected);
    let missing = milena(server, &["groups", "describe", "slow", "nobody"], b"")?;
    assert!(missing.stdout.contains("slow") && missing.stderr.contains("GROUP_ID_NOT_FOUND"), "{missing:?}");
    assert_eq!(missing.code, 1);
    Ok(())
}

fn check_deletions(server: &Server) -> Result<()> {
    let offsets = text(server, &["groups", "delete-offsets", "slow", "--topic", "read:0"])?;
    assert_eq!(offsets, "TOPIC  PARTITION  STATUS\nread   0          deleted\n");
    assert_eq!(json(server, &["groups", "describe", "other", "--members"])?, serde_json::json!([]));
    assert_eq!(text(server, &["groups", "delete", "other"])?, "Group other: deleted.\n");
    refused(server, &["groups", "delete", "other", "nobody"], &["GROUP_ID_NOT_FOUND", "2 of 2"])
}
