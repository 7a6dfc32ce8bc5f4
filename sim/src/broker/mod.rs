//! One broker: its machine, which outlives its processes, and the process that runs on it.
//!
//! The process is made of the real replicas over real logs. In the place of `broker::link`, `broker::replica::follower` and
//! `broker::replica::isr` as they talk to sockets stand the files here, each calling the same decisions in the same order.

mod disk;
mod follow;
mod intake;
mod lead;
mod link;
mod settings;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use broker::link::Newest;
use broker::replica::Replicas;
use broker::replica::log_dirs::open_all;
use broker::replica::partition::Partition;
use fastrand::Rng;
use metadata::image::ClusterImage;
use parking_lot::Mutex;
use protocol::types::{BrokerId, Uuid};
use tempfile::TempDir;

use crate::event::{ConnectionId, ProcessId};
use crate::job::{Job, poll};
use crate::store::StoreClient;
use disk::Disk;
use lead::Proposer;
use link::{Seat, Tie};

pub use follow::{Reaction, bytes_of, fetch};
pub use intake::Intake;
pub use link::{SESSION_TIMEOUT, Stream};
pub use settings::{TOPIC, TOPIC_ID};

/// A broker's machine.
pub struct Machine {
    pub id: BrokerId,
    folder: TempDir,
    disk: Disk,
    boots: u32,
    /// How many disks were put in.
    disks: u32,
    pub processes: ProcessId,
    pub running: Option<Process>,
    /// What was seen of the cluster, as it was saved.
    seen: Newest,
    /// How far its wall clock is wrong.
    pub wall_offset_ms: i64,
    /// A deliberate bug: it says that it never lost power.
    hides_power_loss: bool,
}

/// A broker's process.
pub struct Process {
    pub id: ProcessId,
    pub broker: BrokerId,
    pub replicas: Arc<Replicas>,
    pub image: Arc<ClusterImage>,
    newest: Newest,
    tie: Arc<Mutex<Tie>>,
    jobs: Vec<Job<()>>,
    pub stream: Option<Stream>,
    /// Whether the next stream may go on from the image that is there.
    resumes: bool,
    pub isr: Proposer,
    /// Whether it is stopping in order.
    pub leaves: bool,
    pub hello_after: Duration,
}

impl Machine {
    pub fn new(id: usize, root: &Path, hides_power_loss: bool) -> Machine {
        let folder = tempfile::Builder::new().prefix("broker").tempdir_in(root).expect("a folder in memory");
        Machine {
            id: BrokerId(id as i32),
            folder,
            disk: Disk::default(),
            boots: 0,
            disks: 0,
            processes: 0,
            running: None,
            seen: Newest::default(),
            wall_offset_ms: 0,
            hides_power_loss,
        }
    }

    fn log_dir(&self) -> PathBuf {
        self.folder.path().join(format!("disk{}", self.disks))
    }

    /// Starts a process: locks the directory, recovers the logs, and begins to register.
    pub fn start(&mut self, store: Arc<StoreClient>) {
        self.processes += 1;
        let config = settings::broker(self.id, self.log_dir());
        let dirs = open_all(&config.logs.dirs, self.id).expect("nobody else locks the directory");
        let clean_shutdown_epoch = dirs.clean_shutdown_epoch();
        dirs.forget_clean_shutdown().expect("a directory in memory");
        let log_dirs = dirs.online.iter().map(|dir| dir.id).collect();
        let replicas = Replicas::new(&config, dirs);
        replicas.recover(1).expect("a directory in memory");
        // Who opens the logs lets go of them too.
        while !replicas.is_recovered() || Arc::strong_count(&replicas) > 1 {
            std::thread::yield_now();
        }
        self.disk.shrunk(&self.log_dir());
        let boots = if self.hides_power_loss { 0 } else { self.boots };
        let seat = Seat {
            broker: self.id,
            incarnation: incarnation(self.id, self.processes),
            log_dirs,
            clean_shutdown_epoch,
            boot_id: format!("boot {boots}"),
            store,
        };
        let tie = Arc::new(Mutex::new(Tie::default()));
        self.running = Some(Process {
            id: self.processes,
            broker: self.id,
            replicas,
            image: Arc::default(),
            newest: self.seen.clone(),
            jobs: link::jobs(seat, &tie),
            tie,
            stream: None,
            resumes: true,
            isr: Proposer::default(),
            leaves: false,
            hello_after: Duration::ZERO,
        });
    }

    /// The process is gone; what it had written is in the page cache.
    pub fn kill(&mut self) -> Option<Process> {
        self.running.take()
    }

    /// The machine stops, and with it goes what the disk does not have.
    pub fn lose_power(&mut self, rng: &mut Rng) -> Vec<String> {
        self.running = None;
        self.boots += 1;
        self.disk.lose_power(&self.log_dir(), rng)
    }

    /// Another, empty disk is put in while no process runs.
    pub fn replace_disk(&mut self) {
        self.disks += 1;
        self.disk = Disk::default();
        self.seen = Newest::default();
    }

    /// Brings all that is in the logs to the disk, and the checkpoints up to date.
    pub fn tend(&mut self, checkpoint: bool) {
        let Some(process) = &self.running else { return };
        if checkpoint {
            process.replicas.checkpoint_recovery_points();
            self.disk.synced(&self.log_dir());
        }
        process.replicas.checkpoint_high_watermarks();
    }

    /// Logs were cut.
    pub fn cut(&mut self) {
        if let Some(process) = &self.running {
            process.replicas.save_recovery_points();
            self.disk.shrunk(&self.log_dir());
        }
    }

    /// The last act of a clean stop, but for the registration: closes the logs, and marks the directory.
    pub fn close(&mut self) {
        let Some(process) = &self.running else { return };
        process.replicas.close(process.broker_epoch());
        self.disk.synced(&self.log_dir());
    }

    /// Saves what was seen of the cluster where it must not be lost.
    pub fn save_seen(&mut self) {
        let Some(process) = &self.running else { return };
        if !process.newest.is_of_the_same_controller(&self.seen) {
            self.seen = process.newest.clone();
        }
    }
}

impl Process {
    /// The epoch of the registration that stands.
    pub fn broker_epoch(&self) -> Option<i64> {
        self.tie.lock().registration.map(|(epoch, _)| epoch)
    }

    /// The replica of a partition, if there is one.
    pub fn partition(&self, partition: i32) -> Option<Arc<Partition>> {
        self.replicas.partition(TOPIC, partition).ok()
    }

    /// Goes on with what waits for the store.
    pub fn go_on(&mut self) {
        self.jobs.retain_mut(|job| poll(job).is_none());
    }

    pub fn connection(&self) -> Option<ConnectionId> {
        self.stream.as_ref().map(|stream| stream.connection)
    }
}

/// The incarnation of a broker's process.
pub fn incarnation(id: BrokerId, process: ProcessId) -> Uuid {
    Uuid([&[0xb0, id.0 as u8][..], &[0; 6], &process.to_be_bytes()].concat().try_into().unwrap_or_default())
}
