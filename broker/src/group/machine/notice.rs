//! What an operator wants to read of a group's life. The machine names it, the shell logs it.

use std::fmt;

use protocol::ErrorCode;
use protocol::wire::Str;

/// The most characters of a client's reason that are logged.
const CLIENT_REASON_MAX: usize = 255;

/// One event in a group's life.
#[derive(Debug, Clone)]
pub enum Notice {
    Rebalancing {
        group: Str,
        generation: i32,
        members: usize,
        reason: Reason,
    },
    Stabilized {
        group: Str,
        generation: i32,
        members: usize,
    },
    Emptied {
        group: Str,
        generation: i32,
    },
    /// Dynamic members that did not join the rebalance in time, or did not ask for their assignment.
    Removed {
        group: Str,
        members: usize,
    },
    NobodyRejoined {
        group: Str,
    },
    Fenced {
        group: Str,
        instance_id: Str,
        old_member: Str,
        new_member: Str,
    },
    Expired {
        groups: usize,
        offsets: usize,
    },
    WriteFailed {
        group: Str,
        error: ErrorCode,
    },
}

/// Why a group rebalances.
#[derive(Debug, Clone)]
pub enum Reason {
    Joined { member: Str, client_reason: Option<Str> },
    Left { client_reason: Option<Str> },
    SessionExpired { member: Str },
    NotSynced { members: usize },
    OverCapacity { size_max: usize },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Rebalancing { group, generation, members, reason } => {
                write!(
                    f,
                    "group {group} rebalances from generation {generation} with {members} members: {reason}"
                )
            }
            Notice::Stabilized { group, generation, members } => {
                write!(f, "group {group} is at generation {generation} with {members} members")
            }
            Notice::Emptied { group, generation } => {
                write!(f, "group {group} is empty at generation {generation}")
            }
            Notice::Removed { group, members } => {
                write!(f, "group {group} removed {members} members who were not heard of in time")
            }
            Notice::NobodyRejoined { group } => {
                write!(
                    f,
                    "group {group} can't complete its rebalance: no member rejoined, it goes on waiting"
                )
            }
            Notice::Fenced { group, instance_id, old_member, new_member } => {
                write!(
                    f,
                    "group {group}: static member {instance_id} is {new_member} now, {old_member} is fenced"
                )
            }
            Notice::Expired { groups, offsets } => {
                write!(f, "removed {offsets} expired offsets and {groups} groups")
            }
            Notice::WriteFailed { group, error } => {
                write!(f, "group {group}: its metadata was not stored: {error:?}")
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Joined { member, client_reason } => {
                write!(f, "{member} joins ({})", shown(client_reason))
            }
            Reason::Left { client_reason } => write!(f, "a member left ({})", shown(client_reason)),
            Reason::SessionExpired { member } => write!(f, "the session of {member} expired"),
            Reason::NotSynced { members } => write!(f, "{members} members did not ask for their assignment"),
            Reason::OverCapacity { size_max } => write!(f, "it has more than {size_max} members"),
        }
    }
}

fn shown(client_reason: &Option<Str>) -> &str {
    let reason = client_reason.as_deref().unwrap_or("no reason given");
    match reason.char_indices().nth(CLIENT_REASON_MAX) {
        Some((end, _)) => &reason[..end],
        None => reason,
    }
}
