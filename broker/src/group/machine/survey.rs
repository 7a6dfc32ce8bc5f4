//! What the groups of a shard have committed, and how many members they have, for those who watch.

use protocol::wire::Str;

use super::groups::Groups;

/// The groups of one shard, or of many.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Survey {
    pub groups: Vec<SurveyedGroup>,
    /// Groups and committed offsets that did not fit.
    pub left_out: usize,
}

/// One group.
#[derive(Debug, PartialEq, Eq)]
pub struct SurveyedGroup {
    pub group: Str,
    pub members: usize,
    /// Topic, partition, and the offset committed for it.
    pub committed: Vec<(Str, i32, i64)>,
}

impl Survey {
    /// Groups and committed offsets in it.
    pub fn size(&self) -> usize {
        self.groups.iter().map(|group| 1 + group.committed.len()).sum()
    }
}

impl Groups {
    /// Goes through all of them, and takes groups and committed offsets down until there are so many.
    pub fn survey(&self, size_max: usize) -> Survey {
        let (mut survey, mut left) = (Survey::default(), size_max);
        for (id, group) in self.iter() {
            let mut all = group.offsets.topics().flat_map(|(topic, partitions)| {
                partitions
                    .iter()
                    .map(move |(&partition, committed)| (topic.clone(), partition, committed.offset))
            });
            if left == 0 {
                survey.left_out += 1 + all.count();
                continue;
            }
            left -= 1;
            let committed: Vec<_> = all.by_ref().take(left).collect();
            left -= committed.len();
            survey.left_out += all.count();
            let members = group.classic.members();
            survey.groups.push(SurveyedGroup { group: id.clone(), members, committed });
        }
        survey
    }
}
