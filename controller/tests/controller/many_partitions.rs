//! 20,000 partitions of three brokers on a real etcd: how long a broker's death and a change of controllers take, from the
//! moment itself to the last push. The figures are printed; `--release --nocapture` shows them as they are in operation.
//! Unoptimized they are fewer: beside other tests a controller that is so busy would lose its lease now and then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use metadata::image::{ClusterImage, PartitionImage};
use protocol::types::BrokerId;

use crate::etcd::EtcdServer;
use crate::support::{FakeBroker, RunningController, Store, active};

const TOPICS: i32 = if cfg!(debug_assertions) { 4 } else { 20 };
const PARTITIONS: i32 = 1_000;
/// No lease ends while this runs.
const SESSION_TIMEOUT: Duration = Duration::from_secs(600);

fn count(image: &ClusterImage, of: impl Fn(&PartitionImage) -> bool) -> i32 {
    let partitions = image.topics.values().flat_map(|topic| &topic.partitions);
    partitions.filter(|partition| of(partition)).count() as i32
}

#[tokio::test(flavor = "multi_thread")]
async fn many_partitions_are_led_anew_and_taken_over_quickly() {
    let etcd = EtcdServer::start().await;
    let store: Store = Arc::new(etcd.store().await);
    let start = |id| {
        let store = &store;
        async move { RunningController::with_session_timeout(store, id, &[], SESSION_TIMEOUT).await }
    };
    let first = start(1).await;
    active(&store, 1).await;
    let _second = start(2).await;
    let one = FakeBroker::new(&store, 1);
    let (_, mut dying) = one.start().await;
    let (two, three) = (FakeBroker::new(&store, 2), FakeBroker::new(&store, 3));
    let (registered, mut watching) = two.start().await;
    let (_three, _stream) = three.start().await;
    let began = Instant::now();
    for topic in 0..TOPICS {
        assert_eq!(dying.create(&format!("topic-{topic}"), PARTITIONS, 3, &[]).await, 0);
    }
    let created = began.elapsed();
    let all = TOPICS * PARTITIONS;
    let led = count(&watching.image.borrow(), |partition| partition.leader == BrokerId(1));
    assert!(led > all / 4, "broker 1 leads {led}");

    dying.ended.abort();
    drop((dying, one));
    let (dead, began) = (BrokerId(1), Instant::now());
    let led_by_the_living = |of: &PartitionImage| of.has_leader() && of.leader != dead;
    watching.image_where("all are led", |image| count(image, led_by_the_living) == all).await;
    let followed = began.elapsed();
    let out_of_isr = |of: &PartitionImage| !of.isr.contains(&dead);
    watching.image_where("the dead one is in no ISR", |image| count(image, out_of_isr) == all).await;
    let pushed = began.elapsed();

    let began = Instant::now();
    first.stop().await;
    let mut again = two.reconnect(registered.epoch).await;
    let everything = |image: &ClusterImage| image.controller_epoch == 2 && count(image, |_| true) == all;
    again.image_where("everything is known", everything).await;
    let taken_over = began.elapsed();
    println!(
        "{all} partitions: created in {created:?}; a death: {led} led anew after {followed:?}, the last push after \
         {pushed:?}; the next controller has pushed everything after {taken_over:?}"
    );
}
