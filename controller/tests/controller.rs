//! Controllers and brokers' streams over real gRPC: admission, admin calls, deaths and returns, takeovers.

#[path = "../../metadata/tests/support/mod.rs"]
mod etcd;
#[path = "controller/failures.rs"]
mod failures;
#[path = "controller/many_partitions.rs"]
mod many_partitions;
mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use metadata::embedded::EmbeddedStore;
use proto::controller::{
    AllocateProducerIdsRequest, AlterIsrRequest, ControlledShutdownRequest, ForwardRequest, IsrMember,
    IsrProposal,
};
use protocol::ErrorCode;
use protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse};
use protocol::types::{BrokerId, LeaderEpoch};
use support::{FakeBroker, RunningController, Store, active};
use tonic::Code;

fn embedded() -> Store {
    Arc::new(EmbeddedStore::ephemeral())
}

#[tokio::test]
async fn a_topic_is_created_known_to_every_broker_and_deleted() {
    let store = embedded();
    let controller = RunningController::start(&store, 1, &[]).await;
    let (_one, mut first) = FakeBroker::new(&store, 1).start().await;
    let (_two, mut second) = FakeBroker::new(&store, 2).start().await;
    assert_eq!(first.create("orders", 300, 2, &[("retention.ms", "1000")]).await, 0);
    for stream in [&first, &second] {
        let image = Arc::clone(&stream.image.borrow());
        let topic = image.topic("orders").expect("whoever is told of a topic finds it everywhere");
        assert_eq!(topic.partitions.len(), 300);
        assert!(topic.partitions.iter().all(|partition| partition.has_leader() && partition.isr.len() == 2));
    }
    assert_eq!(second.create("orders", 1, 1, &[]).await, ErrorCode::TopicAlreadyExists.code());
    assert_eq!(second.create("more", 1, 3, &[]).await, ErrorCode::InvalidReplicationFactor.code());
    let request =
        DeleteTopicsRequest { topic_names: vec!["orders".into()], ..DeleteTopicsRequest::default() };
    let (response, revision): (DeleteTopicsResponse, _) = first.call(request, 5).await.unwrap();
    assert_eq!(response.responses[0].error_code, 0);
    assert!(first.image.borrow().revision >= revision && first.image.borrow().topics.is_empty());
    assert!(first.image.borrow().configs.is_empty());
    controller.stop().await;
}

#[tokio::test]
async fn a_dead_leader_is_followed_and_a_lone_broker_leads_again_when_it_returns() {
    let store = embedded();
    let _controller = RunningController::start(&store, 1, &[]).await;
    let broker = FakeBroker::new(&store, 1);
    let (registered, mut stream) = broker.start().await;
    assert_eq!(stream.create("alone", 1, 1, &[]).await, 0);
    let other = FakeBroker::new(&store, 2);
    let (_kept, mut watching) = other.start().await;
    broker.die(&registered).await;
    assert_eq!(watching.led_by("alone", -1).await.isr, [BrokerId(1)]);
    drop(stream);
    let (_again, mut stream) = broker.restarted().start().await;
    assert_eq!(stream.led_by("alone", 1).await.leader_epoch, LeaderEpoch(2));
}

#[tokio::test]
async fn a_whole_cluster_comes_back_from_its_disk() {
    let directory = tempfile::tempdir().unwrap();
    let store: Store = Arc::new(EmbeddedStore::open(directory.path()).unwrap());
    let controller = RunningController::start(&store, 1, &[]).await;
    let broker = FakeBroker::new(&store, 1);
    let (_registered, mut stream) = broker.start().await;
    assert_eq!(stream.create("orders", 3, 1, &[("cleanup.policy", "compact")]).await, 0);
    let before = Arc::clone(&stream.image.borrow());
    drop(stream);
    controller.kill();
    drop((broker, store));
    let store =
        support::eventually("the lock of the store", || async { EmbeddedStore::open(directory.path()).ok() });
    let store: Store = Arc::new(store.await);
    let _controller = RunningController::start(&store, 1, &[]).await;
    let (_registered, mut stream) = FakeBroker::new(&store, 1).start().await;
    let partition = stream.led_by("orders", 1).await;
    let after = Arc::clone(&stream.image.borrow());
    assert!(partition.leader_epoch > LeaderEpoch(0));
    assert_eq!(after.cluster_id, before.cluster_id);
    assert_eq!(after.controller_epoch, before.controller_epoch + 1);
    assert_eq!(after.configs, before.configs);
    assert_eq!(after.topic("orders").unwrap().id, before.topic("orders").unwrap().id);
}

#[tokio::test]
async fn a_standby_names_the_active_one_and_takes_over_when_it_stops() {
    let store = embedded();
    let first = RunningController::start(&store, 1, &[]).await;
    assert_eq!(active(&store, 1).await.endpoint, first.endpoint);
    let second = RunningController::start(&store, 2, &[]).await;
    let broker = FakeBroker::new(&store, 1);
    let (registered, mut stream) = broker.start().await;
    assert_eq!(stream.create("orders", 1, 1, &[]).await, 0);
    let refused = support::eventually("the standby knows", || async {
        let refused = second.client().await.forward(ForwardRequest::default()).await.unwrap_err();
        (refused.message() == first.endpoint).then_some(refused)
    });
    assert_eq!(refused.await.code(), Code::FailedPrecondition);
    first.stop().await;
    let status = stream.ended.await.unwrap();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!(active(&store, 2).await.endpoint, second.endpoint);
    let mut stream = broker.reconnect(registered.epoch).await;
    let partition = stream.led_by("orders", 1).await;
    assert_eq!(partition.leader_epoch, LeaderEpoch(0), "nobody died");
    assert_eq!(stream.create("more", 1, 1, &[]).await, 0);
}

#[tokio::test]
async fn a_broker_without_a_registration_or_of_another_cluster_is_refused() {
    let store = embedded();
    let controller = RunningController::start(&store, 1, &[]).await;
    active(&store, 1).await;
    let broker = FakeBroker::new(&store, 1);
    let refused = support::eventually("an answer", || async {
        let refused = broker.open(&controller.endpoint, 4711).await.err()?;
        refused.message().contains("not registered").then_some(refused)
    });
    assert_eq!(refused.await.code(), Code::FailedPrecondition);
    let registered = broker.register().await;
    let stranger = FakeBroker::new(&store, 1);
    let refused = stranger.open(&controller.endpoint, registered.epoch).await.err().unwrap();
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn a_silent_broker_is_fenced_and_comes_back() {
    let store = embedded();
    let _controller = RunningController::start(&store, 1, &[]).await;
    let silent = FakeBroker::new(&store, 1);
    let (registered, mut stream) = silent.start().await;
    let (_two, mut watching) = FakeBroker::new(&store, 2).start().await;
    assert_eq!(stream.create("orders", 1, 2, &[]).await, 0);
    stream.ended.abort();
    drop(stream);
    let image = watching.image_where("broker 1 is fenced", |image| !image.is_live(BrokerId(1))).await;
    assert!(image.brokers.contains_key(&BrokerId(1)), "its registration stands");
    assert_eq!(watching.led_by("orders", 2).await.isr, [BrokerId(2)]);
    silent.reconnect(registered.epoch).await;
    watching.image_where("broker 1 is back", |image| image.is_live(BrokerId(1))).await;
}

#[tokio::test]
async fn producer_ids_come_in_blocks_and_only_to_present_brokers() {
    let store = embedded();
    let _controller = RunningController::start(&store, 1, &[]).await;
    let (registered, mut stream) = FakeBroker::new(&store, 1).start().await;
    let request = AllocateProducerIdsRequest { broker_id: 1, broker_epoch: registered.epoch };
    let first = stream.client.allocate_producer_ids(request).await.unwrap().into_inner();
    let second = stream.client.allocate_producer_ids(request).await.unwrap().into_inner();
    assert_eq!((first.first, first.count, second.first), (0, 1000, 1000));
    let stale = AllocateProducerIdsRequest { broker_epoch: registered.epoch - 1, ..request };
    let refused = stream.client.allocate_producer_ids(stale).await.unwrap().into_inner();
    assert_eq!(refused.error_code, i32::from(ErrorCode::StaleBrokerEpoch.code()));
}

#[tokio::test]
async fn an_isr_shrinks_and_grows_and_a_stopping_broker_hands_over() {
    let store = embedded();
    let _controller = RunningController::start(&store, 1, &[]).await;
    let (one, mut first) = FakeBroker::new(&store, 1).start().await;
    let (two, mut second) = FakeBroker::new(&store, 2).start().await;
    assert_eq!(first.create("orders", 1, 2, &[]).await, 0);
    let partition = Arc::clone(first.image.borrow().partition("orders", 0).unwrap());
    let epochs = [(1, one.epoch), (2, two.epoch)];
    let leader = partition.leader.0;
    let leader_broker_epoch = epochs.iter().find(|(id, _)| *id == leader).unwrap().1;
    let topic_id = Bytes::copy_from_slice(&first.image.borrow().topic("orders").unwrap().id.0);
    let propose = |members: &[(i32, i64)], partition_epoch| AlterIsrRequest {
        broker_id: leader,
        broker_epoch: leader_broker_epoch,
        proposals: vec![IsrProposal {
            topic_id: topic_id.clone(),
            partition: 0,
            leader_epoch: 0,
            partition_epoch,
            isr: members
                .iter()
                .map(|(broker_id, broker_epoch)| IsrMember {
                    broker_id: *broker_id,
                    broker_epoch: *broker_epoch,
                })
                .collect(),
        }],
    };
    let shrink = propose(&[(leader, leader_broker_epoch)], 0);
    let shrunk = first.client.alter_isr(shrink.clone()).await.unwrap().into_inner();
    assert_eq!(shrunk.results[0].state.as_ref().unwrap().isr, [leader]);
    let again = first.client.alter_isr(shrink).await.unwrap().into_inner();
    assert_eq!(again.results[0].error_code, i32::from(ErrorCode::InvalidUpdateVersion.code()));
    let grown = first.client.alter_isr(propose(&epochs, 1)).await.unwrap().into_inner();
    assert_eq!((grown.error_code, grown.results[0].error_code), (0, 0));
    let leaving = ControlledShutdownRequest { broker_id: leader, broker_epoch: leader_broker_epoch };
    let left = second.client.controlled_shutdown(leaving).await.unwrap().into_inner();
    assert_eq!((left.error_code, left.partitions_remaining), (0, 0));
    assert_eq!(second.led_by("orders", 3 - leader).await.isr, [BrokerId(3 - leader)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_etcd_a_killed_controller_is_followed_within_its_lease_and_a_restart_of_etcd_is_survived() {
    let mut etcd = etcd::EtcdServer::start().await;
    let store: Store = Arc::new(etcd.store().await);
    let first = RunningController::start(&store, 1, &[]).await;
    active(&store, 1).await;
    let second = RunningController::start(&store, 2, &[]).await;
    let broker = FakeBroker::new(&store, 1);
    let (registered, mut stream) = broker.start().await;
    assert_eq!(stream.create("orders", 3, 1, &[]).await, 0);
    let killed_at = std::time::Instant::now();
    first.kill();
    assert_eq!(active(&store, 2).await.endpoint, second.endpoint);
    assert!(killed_at.elapsed() < Duration::from_secs(5), "{:?}", killed_at.elapsed());
    let mut stream = broker.reconnect(registered.epoch).await;
    stream.led_by("orders", 1).await;
    etcd.restart().await;
    let mut stream = broker.reconnect(registered.epoch).await;
    assert_eq!(stream.create("more", 1, 1, &[]).await, 0);
    assert_eq!(stream.led_by("more", 1).await.leader_epoch, LeaderEpoch(0));
    second.stop().await;
}
