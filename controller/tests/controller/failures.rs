//! What kills brokers, controllers and the store, or only seems to, and how soon it is noticed.

use std::sync::Arc;
use std::time::Duration;

use metadata::keys::broker_registration;
use metadata::keys::controller_key::{self, ActiveController};
use metadata::store::{LeaseId, Operation, TxnOutcome, get};
use protocol::ErrorCode;
use protocol::messages::create_topics_request::CreatableTopic;
use protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};
use protocol::types::{BrokerId, LeaderEpoch};
use tonic::Code;

use crate::embedded;
use crate::support::faults::{Faults, Txns};
use crate::support::{FakeBroker, PREFIX, Registered, RunningController, Store, Stream, active, eventually};

/// No test waits for so long: what is noticed is noticed by the fast path.
const NEVER: Duration = Duration::from_secs(600);

async fn patient(store: &Store, id: i32) -> RunningController {
    RunningController::with_session_timeout(store, id, &[], NEVER).await
}

/// Two brokers, of which the first leads the one partition of `orders`.
async fn two_brokers(store: &Store) -> [(FakeBroker, Registered, Stream); 2] {
    let (one, two) = (FakeBroker::new(store, 1), FakeBroker::new(store, 2));
    let (one_registered, mut first) = one.start().await;
    let (two_registered, second) = two.start().await;
    assert_eq!(first.create("orders", 2, 2, &[]).await, 0);
    [(one, one_registered, first), (two, two_registered, second)]
}

/// A partition of `orders` that this broker leads.
fn led_by(stream: &Stream, leader: i32) -> i32 {
    let image = stream.image.borrow();
    let partitions = &image.topic("orders").expect("is known").partitions;
    partitions.iter().position(|partition| partition.leader == BrokerId(leader)).expect("both lead") as i32
}

#[tokio::test]
async fn a_dead_broker_is_evicted_at_once_though_its_lease_lives() {
    let store = embedded();
    let _controller = patient(&store, 1).await;
    let [(one, registered, first), (_two, _, mut second)] = two_brokers(&store).await;
    let led = led_by(&second, 1);
    first.ended.abort();
    drop((first, one));
    let image = second
        .image_where("all is led by broker 2", |image| {
            image.partition("orders", led).is_some_and(|partition| partition.leader == BrokerId(2))
        })
        .await;
    assert!(!image.brokers.contains_key(&BrokerId(1)));
    assert_eq!(image.partition("orders", led).unwrap().isr, [BrokerId(2)]);
    assert_eq!(get(&*store, broker_registration::key(PREFIX, BrokerId(1))).await, Ok(None));
    // It may have lived: then it finds that its registration is gone, and makes another one.
    let again = FakeBroker::new(&store, 1);
    let refused = again.open(&active(&store, 1).await.endpoint, registered.epoch).await.err().unwrap();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    again.start().await;
}

#[tokio::test]
async fn a_broker_whose_lease_ended_while_it_lived_registers_again_and_goes_on_leading() {
    let store = embedded();
    let _controller = patient(&store, 1).await;
    let [(one, registered, first), (_two, _, mut second)] = two_brokers(&store).await;
    let led = led_by(&second, 1);
    one.die(&registered).await;
    let told = first.ended.await.unwrap();
    assert_eq!(told.code(), Code::FailedPrecondition, "{told:?}");
    let (again, _stream) = one.start().await;
    let image = second
        .image_where("broker 1 is back", |image| {
            image.brokers.get(&BrokerId(1)).is_some_and(|broker| broker.epoch == again.epoch)
        })
        .await;
    let partition = image.partition("orders", led).unwrap();
    assert_eq!((partition.leader, partition.leader_epoch), (BrokerId(1), LeaderEpoch(0)));
}

#[tokio::test]
async fn a_broker_whose_lease_ended_and_that_does_not_come_back_is_gone() {
    let store = embedded();
    let _controller = patient(&store, 1).await;
    let [(one, registered, _first), (_two, _, mut second)] = two_brokers(&store).await;
    one.die(&registered).await;
    let gone = |image: &metadata::image::ClusterImage| !image.brokers.contains_key(&BrokerId(1));
    let image = second.image_where("broker 1 is gone", gone).await;
    assert!(!image.brokers.contains_key(&BrokerId(1)));
}

#[tokio::test]
async fn a_broker_that_cannot_register_again_hears_who_leads_what_it_led() {
    let store = embedded();
    let _controller = patient(&store, 1).await;
    let [(one, registered, first), (_two, _, second)] = two_brokers(&store).await;
    let led = led_by(&second, 1);
    one.die(&registered).await;
    first.ended.await.unwrap();
    let endpoint = active(&store, 1).await.endpoint;
    let mut bystander = one.open(&endpoint, registered.epoch).await.expect("it may listen");
    let image = bystander
        .image_where("all is led by broker 2", |image| {
            image.partition("orders", led).is_some_and(|partition| partition.leader == BrokerId(2))
        })
        .await;
    assert!(!image.brokers.contains_key(&BrokerId(1)));
    // It is as good as gone all the same, and comes back as any other does.
    let (again, mut stream) = one.start().await;
    stream.image_where("broker 1 is back", |image| image.is_live(BrokerId(1))).await;
    let refused = one.open(&endpoint, registered.epoch).await.err().unwrap();
    assert_eq!(refused.code(), Code::FailedPrecondition, "it is registered as {}", again.epoch);
}

#[tokio::test]
async fn another_process_under_the_same_id_shows_that_the_earlier_one_is_gone() {
    let store = embedded();
    let _controller = patient(&store, 1).await;
    let [(one, registered, _first), (_two, _, mut second)] = two_brokers(&store).await;
    let led = led_by(&second, 1);
    one.die(&registered).await;
    // It listens, but opens no stream yet.
    let restarted = one.restarted();
    restarted.register().await;
    let image = second
        .image_where("all is led by broker 2", |image| {
            image.partition("orders", led).is_some_and(|partition| partition.leader == BrokerId(2))
        })
        .await;
    assert_eq!(image.partition("orders", led).unwrap().leader_epoch, LeaderEpoch(1));
}

/// Whatever happens to the store: the stream stands, and hears of what is done afterwards.
async fn survives(fault: impl AsyncFn(&Arc<Faults>, &mut Stream)) {
    let store = embedded();
    let faults = Faults::new(&store);
    let through_faults: Store = faults.clone();
    let _controller = patient(&through_faults, 1).await;
    let (_registered, mut stream) = FakeBroker::new(&store, 1).start().await;
    assert_eq!(stream.create("before", 3, 1, &[]).await, 0);
    fault(&faults, &mut stream).await;
    eventually("writing goes on", || async { create(&stream, "after").await.ok().filter(|code| *code == 0) })
        .await;
    stream.image_where("both are known", |image| image.topics.len() >= 2).await;
    assert!(!stream.ended.is_finished(), "the stream stands");
    assert_eq!(active(&store, 0).await.epoch, 1, "the same controller is active");
}

async fn create(stream: &Stream, name: &str) -> Result<i16, tonic::Status> {
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: 1,
        replication_factor: 1,
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], ..CreateTopicsRequest::default() };
    let (response, _): (CreateTopicsResponse, _) = stream.call_beside(request, 7).await?;
    Ok(response.topics[0].error_code)
}

#[tokio::test]
async fn streams_survive_a_lost_watch() {
    survives(async |faults, _| faults.lose_watches()).await;
}

#[tokio::test]
async fn streams_survive_a_compaction_that_the_watch_did_not_keep_up_with() {
    survives(async |faults, _| faults.compact()).await;
}

#[tokio::test]
async fn streams_survive_a_transaction_of_unknown_outcome_and_hear_what_came_of_it() {
    survives(async |faults, stream| {
        *faults.txns.lock().unwrap() = Txns::LoseTheAnswer;
        let interrupted = create(stream, "unknown").await.unwrap_err();
        assert_eq!(interrupted.code(), Code::Unavailable, "{interrupted:?}");
        stream.image_where("what was written is known", |image| image.topics.contains_key("unknown")).await;
    })
    .await;
}

#[tokio::test]
async fn a_transaction_that_arrives_after_all_was_read_anew_is_refused() {
    survives(async |faults, stream| {
        *faults.txns.lock().unwrap() = Txns::Delay;
        let interrupted = create(stream, "late").await.unwrap_err();
        assert_eq!(interrupted.code(), Code::Unavailable, "{interrupted:?}");
        create(stream, "next").await.expect("the state is certain again");
        assert!(matches!(faults.let_through().await, TxnOutcome::Refused(_)));
    })
    .await;
}

#[tokio::test]
async fn streams_survive_a_store_that_is_frozen_for_longer_than_leases_are_sure() {
    survives(async |faults, stream| {
        faults.frozen.send_replace(true);
        let waits = create(stream, "waits");
        tokio::time::timeout(Duration::from_secs(3), waits).await.expect_err("nobody answers for now");
        faults.frozen.send_replace(false);
    })
    .await;
}

#[tokio::test]
async fn a_store_without_space_refuses_writes_alone_and_what_was_due_is_done_when_there_is_space() {
    let store = embedded();
    let faults = Faults::new(&store);
    let through_faults: Store = faults.clone();
    let _controller = patient(&through_faults, 1).await;
    let [(one, registered, first), (_two, _, mut second)] = two_brokers(&store).await;
    *faults.txns.lock().unwrap() = Txns::FindNoSpace;
    assert_eq!(create(&second, "refused").await.unwrap_err().code(), Code::Unavailable);
    first.ended.abort();
    drop(first);
    one.die(&registered).await;
    let exists = create(&second, "orders").await;
    assert_eq!(exists.ok(), Some(ErrorCode::TopicAlreadyExists.code()), "reading goes on");
    *faults.txns.lock().unwrap() = Txns::Work;
    second.image_where("broker 1 is gone", |image| !image.brokers.contains_key(&BrokerId(1))).await;
    assert!(!second.ended.is_finished());
}

#[tokio::test]
async fn a_controller_that_refuses_connections_is_evicted_before_its_lease_ends() {
    let store = embedded();
    let (lease, _) = store.lease_grant(NEVER).await.unwrap();
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let phantom = ActiveController {
        id: 9,
        endpoint: format!("http://{dead}"),
        epoch: 7,
        ..ActiveController::default()
    };
    let epoch = Operation::Put {
        key: metadata::keys::Key::ControllerEpoch.path(PREFIX),
        value: controller_key::encode_epoch(7),
        lease: LeaseId::NONE,
    };
    let put = Operation::Put { key: controller_key::key(PREFIX), value: phantom.encode(), lease };
    store.txn(Vec::new(), vec![put, epoch]).await.unwrap();
    let controller = patient(&store, 1).await;
    assert_eq!(active(&store, 8).await.endpoint, controller.endpoint);
}

#[tokio::test]
async fn a_controller_that_is_cut_off_from_its_brokers_resigns_and_another_one_wins() {
    let store = embedded();
    let first = patient(&store, 1).await;
    active(&store, 1).await;
    let second = patient(&store, 2).await;
    let mut waiting = Vec::new();
    let mut streams = Vec::new();
    for id in 1..=2 {
        let (broker, connections) = FakeBroker::unreachable(&store, id).await;
        streams.push((broker.start().await.1, broker));
        waiting.push(connections);
    }
    for (stream, _) in &streams {
        stream.ended.abort();
    }
    let brokers: Vec<FakeBroker> = streams.into_iter().map(|(_, broker)| broker).collect();
    let now = active(&store, 2).await;
    assert_eq!(now.endpoint, second.endpoint);
    // With nobody else there it takes the place again.
    second.stop().await;
    assert_eq!(active(&store, 3).await.endpoint, first.endpoint);
    drop((brokers, waiting));
}
