//! A link between an embedded store and a controller of the test's own.

mod fake_controller;

use std::collections::BTreeSet;

use metadata::delta::Delta;
use metadata::embedded::EmbeddedStore;
use metadata::image::BrokerImage;
use metadata::keys::Key;
use metadata::keys::broker_registration::BrokerRegistration;
use metadata::store::{LeaseId, Operation, get};
use node::shutdown;
use parking_lot::Mutex;
use proto::controller::ForwardResponse;
use protocol::ApiKey;
use tokio::task::JoinHandle;

use self::fake_controller::{BLOCK, FakeController};
use super::*;

const PREFIX: &str = "/test";
const CLUSTER: &str = "the-cluster";
/// Longer than any of these tests should ever take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A link at work.
struct Fixture {
    store: Arc<EmbeddedStore>,
    link: Arc<ControllerLink>,
    image: watch::Sender<Arc<ClusterImage>>,
    /// The revisions that the observer saw, and those that were published by then.
    observed: Arc<Mutex<Vec<(i64, i64)>>>,
    trigger: shutdown::Trigger,
    running: JoinHandle<Result<(), LinkError>>,
    log_dir: std::path::PathBuf,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.running.abort();
        let _ = std::fs::remove_dir_all(&self.log_dir);
    }
}

fn identity(incarnation: u8, log_dir: u8) -> Identity {
    Identity {
        broker_id: BrokerId(1),
        incarnation: Uuid([incarnation; 16]),
        endpoints: vec![Endpoint {
            listener: "PLAINTEXT".into(),
            host: "127.0.0.1".into(),
            port: 9092,
            security_protocol: "PLAINTEXT".into(),
        }],
        inter_broker_listener: "PLAINTEXT".into(),
        rack: None,
        log_dirs: vec![Uuid([log_dir; 16])],
        clean_shutdown_epoch: None,
    }
}

fn scratch() -> std::path::PathBuf {
    let name = format!("milena-link-{}-{}", std::process::id(), fastrand::u64(..));
    let path = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&path).expect("the temporary directory is writable");
    path
}

fn start(store: Arc<EmbeddedStore>, identity: Identity) -> Fixture {
    let image = watch::Sender::new(Arc::new(ClusterImage::default()));
    let observed: Arc<Mutex<Vec<(i64, i64)>>> = Arc::default();
    let (seen_by, published) = (observed.clone(), image.clone());
    let observer = move |_: &Arc<ClusterImage>, new: &Arc<ClusterImage>| {
        seen_by.lock().push((new.revision, published.borrow().revision));
    };
    let log_dir = scratch();
    // A busy machine may well stand still for a part of a second, and no lease is to end by that.
    let session =
        SessionConfig { timeout: Duration::from_secs(2), heartbeat_interval: Duration::from_millis(50) };
    let link = Arc::new(ControllerLink::new(LinkParams {
        identity,
        session,
        store: store.clone(),
        prefix: PREFIX.into(),
        image: image.clone(),
        observer: Arc::new(observer),
        reporter: Arc::new(Vec::new),
        seen: Seen::open(&log_dir).expect("is empty"),
    }));
    let (trigger, shutdown) = shutdown::channel();
    let runs = link.clone();
    let running = tokio::spawn(async move { runs.run(&shutdown).await });
    Fixture { store, link, image, observed, trigger, running, log_dir }
}

fn fresh() -> Fixture {
    start(Arc::new(EmbeddedStore::ephemeral()), identity(1, 1))
}

impl Fixture {
    async fn until<T>(&self, what: impl Future<Output = T>) -> T {
        tokio::time::timeout(PATIENCE, what).await.expect("happens in time")
    }

    async fn await_revision(&self, revision: i64) {
        let mut images = self.image.subscribe();
        self.until(images.wait_for(|image| image.revision == revision)).await.expect("the sender lives");
    }

    async fn await_registration(&self, than: i64) -> Registration {
        let mut registrations = self.link.registration.subscribe();
        let newer = registrations.wait_for(|now| now.as_ref().is_some_and(|now| now.epoch > than));
        self.until(newer).await.expect("the sender lives").clone().expect("is registered")
    }
}

/// An image with this broker of this epoch.
fn image(revision: i64, controller_epoch: i32, broker_epoch: i64) -> ClusterImage {
    let broker = BrokerImage { id: BrokerId(1), epoch: broker_epoch, ..BrokerImage::default() };
    ClusterImage {
        cluster_id: CLUSTER.into(),
        revision,
        controller_epoch,
        brokers: [(BrokerId(1), Arc::new(broker))].into(),
        ..ClusterImage::default()
    }
}

#[tokio::test]
async fn a_broker_registers_says_hello_takes_its_image_and_is_ready() {
    let (mut controller, fixture) = (FakeController::start().await, fresh());
    controller.elect(&*fixture.store, 1).await;
    let mut stream = fixture.until(controller.stream()).await;
    let epoch = fixture.link.broker_epoch().expect("is registered");
    assert_eq!(
        (stream.hello.broker_id, stream.hello.broker_epoch, stream.hello.metadata_revision),
        (1, epoch, 0)
    );
    assert_eq!(fixture.link.readiness(), Err(NotReady::NoImage));
    stream.push(&Delta::whole(&image(7, 1, epoch), 1)).await;
    assert_eq!(fixture.until(stream.acknowledged()).await, 7);
    assert_eq!(fixture.link.readiness(), Ok(()));
    assert_eq!(*fixture.observed.lock(), [(7, 0)], "the observer came before everyone else");
}

#[tokio::test]
async fn a_gap_makes_the_broker_ask_for_the_whole_image() {
    let (mut controller, fixture) = (FakeController::start().await, fresh());
    controller.elect(&*fixture.store, 1).await;
    let stream = fixture.until(controller.stream()).await;
    stream.push(&Delta::whole(&image(7, 1, stream.hello.broker_epoch), 1)).await;
    fixture.await_revision(7).await;
    let gap = Delta { from_revision: Some(9), to_revision: 10, ..Delta::whole(&image(10, 1, 1), 1) };
    stream.push(&gap).await;
    let again = fixture.until(controller.stream()).await;
    assert_eq!((again.hello.metadata_revision, again.hello.cluster_id.as_str()), (0, CLUSTER));
}

#[tokio::test]
async fn a_stream_that_breaks_is_resumed_where_it_stood() {
    let (mut controller, fixture) = (FakeController::start().await, fresh());
    controller.elect(&*fixture.store, 1).await;
    let stream = fixture.until(controller.stream()).await;
    stream.push(&Delta::whole(&image(7, 1, stream.hello.broker_epoch), 1)).await;
    fixture.await_revision(7).await;
    drop(stream);
    assert_eq!(fixture.until(controller.stream()).await.hello.metadata_revision, 7);
}

#[tokio::test]
async fn a_deposed_controller_is_not_believed() {
    let (mut old, mut new, fixture) = (FakeController::start().await, FakeController::start().await, fresh());
    new.elect(&*fixture.store, 2).await;
    let stream = fixture.until(new.stream()).await;
    stream.push(&Delta::whole(&image(7, 2, stream.hello.broker_epoch), 2)).await;
    fixture.await_revision(7).await;
    old.elect(&*fixture.store, 1).await;
    let stream = fixture.until(old.stream()).await;
    stream.push(&Delta::whole(&image(8, 1, stream.hello.broker_epoch), 1)).await;
    let again = fixture.until(old.stream()).await;
    assert_eq!((again.hello.controller_epoch, fixture.link.image.borrow().revision), (2, 7));
}

#[tokio::test]
async fn a_lost_lease_is_followed_by_a_new_registration_and_a_new_stream() {
    let (mut controller, fixture) = (FakeController::start().await, fresh());
    controller.elect(&*fixture.store, 1).await;
    let first = fixture.await_registration(0).await;
    fixture.until(controller.stream()).await;
    fixture.store.lease_revoke(first.lease).await.expect("is revoked");
    let second = fixture.await_registration(first.epoch).await;
    // The first stream, which nobody holds here, may have been opened again before the lease was lost; and a very busy machine
    // may have lost the second lease too by now.
    while fixture.until(controller.stream()).await.hello.broker_epoch < second.epoch {}
}

#[tokio::test]
async fn an_evicted_broker_registers_again_before_its_next_heartbeat_fails() {
    let (mut controller, fixture) = (FakeController::start().await, fresh());
    controller.elect(&*fixture.store, 1).await;
    let stream = fixture.until(controller.stream()).await;
    let key = Key::Broker(BrokerId(1)).path(PREFIX);
    let eviction = vec![Operation::Delete { key: key.clone() }];
    fixture.store.txn(Vec::new(), eviction).await.expect("is evicted");
    let without = ClusterImage { brokers: Default::default(), ..image(9, 1, 0) };
    stream.push(&Delta::whole(&without, 1)).await;
    let again = fixture.await_registration(stream.hello.broker_epoch).await;
    let entry = get(&*fixture.store, key).await.expect("is read").expect("is registered");
    assert_eq!(entry.create_revision, again.epoch);
}

#[tokio::test]
async fn an_id_of_another_living_process_is_refused_with_its_address() {
    let first = fresh();
    first.await_registration(0).await;
    let mut second = start(first.store.clone(), identity(2, 2));
    let outcome = tokio::time::timeout(PATIENCE, &mut second.running).await.expect("ends").expect("no panic");
    let error = outcome.expect_err("is refused").to_string();
    assert!(error.contains("PLAINTEXT://127.0.0.1:9092"), "{error}");
}

#[tokio::test]
async fn a_restarted_process_takes_the_place_of_its_own_past_at_once() {
    let store = Arc::new(EmbeddedStore::ephemeral());
    let mut past = BrokerRegistration::new(&identity(1, 1).endpoints, 0);
    past.log_dirs = vec![Uuid([1; 16])];
    let key = Key::Broker(BrokerId(1)).path(PREFIX);
    let put = Operation::Put { key: key.clone(), value: past.encode(), lease: LeaseId::NONE };
    store.txn(Vec::new(), vec![put]).await.expect("is written");
    let fixture = start(store, identity(2, 1));
    let registration = fixture.await_registration(0).await;
    let entry = get(&*fixture.store, key).await.expect("is read").expect("is registered");
    assert_eq!((entry.create_revision, entry.lease), (registration.epoch, registration.lease));
}

#[tokio::test]
async fn a_forwarded_call_is_answered_once_the_image_has_what_it_speaks_of() {
    let (mut controller, fixture) = (FakeController::start().await, fresh());
    controller.elect(&*fixture.store, 1).await;
    let stream = fixture.until(controller.stream()).await;
    controller.answers.lock().push(ForwardResponse { body: "done".into(), metadata_revision: 12 });
    let link = fixture.link.clone();
    let call = tokio::spawn(async move {
        let body = link.forward_body(link.caller(), ApiKey::CreateTopics, 7, "create".into(), PATIENCE).await;
        (body.expect("is answered"), link.image.borrow().revision)
    });
    stream.push(&Delta::whole(&image(12, 1, stream.hello.broker_epoch), 1)).await;
    assert_eq!(fixture.until(call).await.expect("no panic"), ("done".into(), 12));
}

#[tokio::test]
async fn without_a_controller_a_call_fails_when_its_time_is_up() {
    let fixture = fresh();
    let soon = Duration::from_millis(50);
    let outcome =
        fixture.link.forward_body(Caller::default(), ApiKey::CreateTopics, 7, "x".into(), soon).await;
    assert!(matches!(outcome, Err(ForwardError::NoController)), "{outcome:?}");
}

#[tokio::test]
async fn producer_ids_are_unique_across_blocks() {
    let (mut controller, fixture) = (FakeController::start().await, fresh());
    controller.elect(&*fixture.store, 1).await;
    let _stream = fixture.until(controller.stream()).await;
    let wanted = 3 * BLOCK as usize;
    let mut ids = BTreeSet::new();
    for _ in 0..wanted {
        ids.extend(fixture.link.next_producer_id(PATIENCE).await);
    }
    assert_eq!(ids.len(), wanted);
}

#[tokio::test]
async fn replicas_that_can_not_be_used_are_told_by_topic_and_reason() {
    let (mut controller, fixture) = (FakeController::start().await, fresh());
    controller.elect(&*fixture.store, 1).await;
    let stream = fixture.until(controller.stream()).await;
    let topic = Uuid([7; 16]);
    let replicas =
        UnusableReplicas { offline: [(topic, vec![0, 3])].into(), full: [(topic, vec![1])].into() };
    fixture.link.replicas_offline(&replicas, PATIENCE).await.expect("is answered");
    let told = controller.offline.lock().pop().expect("was told");
    assert_eq!((told.broker_id, told.broker_epoch), (1, stream.hello.broker_epoch));
    let told: Vec<_> = told.replicas.iter().map(|told| (&told.partitions[..], told.full)).collect();
    assert_eq!(told, [(&[0, 3][..], false), (&[1], true)]);
}

#[tokio::test]
async fn the_controller_of_another_cluster_ends_the_link() {
    let (mut controller, mut fixture) = (FakeController::start().await, fresh());
    controller.elect(&*fixture.store, 1).await;
    let stream = fixture.until(controller.stream()).await;
    stream.push(&Delta::whole(&image(7, 1, stream.hello.broker_epoch), 1)).await;
    fixture.await_revision(7).await;
    let other = ClusterImage { cluster_id: "another".into(), ..image(8, 1, stream.hello.broker_epoch) };
    stream.push(&Delta::whole(&other, 1)).await;
    let outcome =
        tokio::time::timeout(PATIENCE, &mut fixture.running).await.expect("ends").expect("no panic");
    let error = outcome.expect_err("is refused").to_string();
    assert!(error.contains("another") && error.contains(CLUSTER), "{error}");
}

#[tokio::test]
async fn what_was_seen_is_kept_when_the_link_ends() {
    let (mut controller, mut fixture) = (FakeController::start().await, fresh());
    controller.elect(&*fixture.store, 3).await;
    let stream = fixture.until(controller.stream()).await;
    stream.push(&Delta::whole(&image(7, 3, stream.hello.broker_epoch), 3)).await;
    fixture.await_revision(7).await;
    fixture.trigger.fire();
    let ended = tokio::time::timeout(PATIENCE, &mut fixture.running).await.expect("ends").expect("no panic");
    ended.expect("was asked to end");
    let newest = Seen::open(&fixture.log_dir).expect("reads").newest();
    assert_eq!((newest.controller_epoch, newest.metadata_revision), (3, 7));
}

#[tokio::test]
async fn a_broker_that_left_does_not_register_again() {
    let (mut controller, fixture) = (FakeController::start().await, fresh());
    controller.elect(&*fixture.store, 1).await;
    let _stream = fixture.until(controller.stream()).await;
    fixture.link.leave(PATIENCE).await;
    tokio::time::sleep(4 * fixture.link.lease.heartbeat_interval).await;
    let key = Key::Broker(BrokerId(1)).path(PREFIX);
    assert_eq!(get(&*fixture.store, key).await, Ok(None));
    assert_eq!(fixture.link.readiness(), Err(NotReady::Unregistered));
}
