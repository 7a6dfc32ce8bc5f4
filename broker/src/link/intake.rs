//! Whether a push may be believed: pure.
//!
//! Invariant: nothing that an older controller says, or a metadata store that went back in time, replaces an image.

use metadata::delta::{Delta, DeltaError};
use metadata::image::ClusterImage;

use super::seen::Newest;

/// Why a delta was not taken; the image stands as it was.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The broker's logs belong elsewhere: nothing mends this.
    #[error("the controller serves cluster {theirs}, but the logs of this broker belong to cluster {ours}")]
    OtherCluster { ours: String, theirs: String },
    /// The sender is deposed, or its metadata store was restored from a backup.
    #[error("the push is of controller epoch {got}, but {known} has been seen")]
    StaleController { got: i32, known: i32 },
    /// The sender does not know that the cluster was recovered.
    #[error("the push is of timeline {got}, but {known} has been seen")]
    StaleTimeline { got: i64, known: i64 },
    /// The sender's metadata store was restored from a backup.
    #[error(
        "the push ends at metadata revision {got}, but {at} has been seen: was the metadata store restored?"
    )]
    WentBack { got: i64, at: i64 },
    /// Something was missed; the whole image is needed.
    #[error(transparent)]
    Missed(#[from] DeltaError),
}

/// The image after `delta`, if it may be taken.
pub fn take(newest: &Newest, image: &ClusterImage, delta: &Delta) -> Result<ClusterImage, Refusal> {
    if !newest.cluster_id.is_empty() && newest.cluster_id != delta.cluster_id {
        let (ours, theirs) = (newest.cluster_id.clone(), delta.cluster_id.clone());
        return Err(Refusal::OtherCluster { ours, theirs });
    }
    if delta.timeline < newest.timeline {
        return Err(Refusal::StaleTimeline { got: delta.timeline, known: newest.timeline });
    }
    if delta.timeline > newest.timeline {
        // The cluster was recovered: all revisions and epochs begin anew, with a whole image.
        return Ok(image.advanced_by(delta)?);
    }
    if delta.controller_epoch < newest.controller_epoch {
        let (got, known) = (delta.controller_epoch, newest.controller_epoch);
        return Err(Refusal::StaleController { got, known });
    }
    if delta.to_revision < newest.metadata_revision {
        return Err(Refusal::WentBack { got: delta.to_revision, at: newest.metadata_revision });
    }
    Ok(image.advanced_by(delta)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest() -> Newest {
        Newest {
            cluster_id: "ours".into(),
            timeline: 1,
            controller_epoch: 5,
            metadata_revision: 100,
            ..Newest::default()
        }
    }

    fn whole(cluster_id: &str, controller_epoch: i32, to_revision: i64) -> Delta {
        Delta {
            cluster_id: cluster_id.into(),
            timeline: 1,
            controller_epoch,
            to_revision,
            ..Delta::default()
        }
    }

    fn check(delta: Delta, expected: Result<i64, Refusal>) {
        let image =
            ClusterImage { timeline: 1, revision: 90, controller_epoch: 4, ..ClusterImage::default() };
        assert_eq!(take(&newest(), &image, &delta).map(|image| image.revision), expected);
    }

    #[test]
    fn a_newer_image_of_the_same_cluster_is_taken() {
        check(whole("ours", 5, 101), Ok(101));
    }

    #[test]
    fn another_cluster_is_refused() {
        let refusal = Refusal::OtherCluster { ours: "ours".into(), theirs: "theirs".into() };
        check(whole("theirs", 5, 101), Err(refusal));
    }

    #[test]
    fn a_controller_older_than_any_seen_is_refused_even_before_the_first_image() {
        check(whole("ours", 4, 101), Err(Refusal::StaleController { got: 4, known: 5 }));
    }

    #[test]
    fn metadata_does_not_go_back() {
        check(whole("ours", 6, 99), Err(Refusal::WentBack { got: 99, at: 100 }));
    }

    #[test]
    fn a_recovered_cluster_begins_anew_and_the_one_before_is_not_believed() {
        check(Delta { timeline: 2, ..whole("ours", 2, 3) }, Ok(3));
        let gap = DeltaError::Gap { from: 90, at: 90 };
        let part = Delta { timeline: 2, from_revision: Some(90), ..whole("ours", 6, 101) };
        check(part, Err(Refusal::Missed(gap)));
        check(
            Delta { timeline: 0, ..whole("ours", 6, 101) },
            Err(Refusal::StaleTimeline { got: 0, known: 1 }),
        );
    }

    #[test]
    fn a_gap_asks_for_the_whole() {
        let delta = Delta { from_revision: Some(95), ..whole("ours", 5, 101) };
        check(delta, Err(Refusal::Missed(DeltaError::Gap { from: 95, at: 90 })));
    }
}
