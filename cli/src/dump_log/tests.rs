//! Dumps of small logs made here, sound and damaged.

use std::cell::RefCell;
use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;

use protocol::records::{BatchBuilder, Compression, EndTransactionMarker};
use protocol::types::{LeaderEpoch, Offset};

use super::*;

/// Output that a test can look at.
#[derive(Clone, Default)]
struct Screen(Rc<RefCell<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("milena-dump-log-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory");
        Directory(path)
    }

    fn file(&self, extension: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(format!("{:020}.{extension}", 40));
        fs::write(&path, bytes).expect("a file");
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The lines that are shown, and the faults.
fn dumped(path: &Path, output: Output) -> (Vec<String>, Vec<String>) {
    let screen = Screen::default();
    let mut dump = Dump {
        rows: Rows::new(screen.clone(), output),
        progress: Progress::begin(true),
        deep: true,
        print_data: true,
        faults: Vec::new(),
    };
    dump.file(path).expect("it can be shown");
    let text = String::from_utf8(screen.0.borrow().clone()).expect("text");
    (text.lines().map(str::to_owned).collect(), dump.faults)
}

fn log() -> Vec<u8> {
    let mut builder =
        BatchBuilder::new(Compression::Lz4).base_offset(Offset(40)).leader_epoch(LeaderEpoch(2));
    builder.append(1000, Some(b"k"), Some(b"v"), &[]);
    builder.append(1001, None, None, &[]);
    let marker = EndTransactionMarker { committed: true, coordinator_epoch: 6 };
    let marker = marker.batch((9, 1), Offset(42), LeaderEpoch(2), 1002).expect("it builds");
    [builder.build().expect("it builds"), marker].concat()
}

#[test]
fn batches_and_records_are_shown_in_kafkas_words() {
    let directory = Directory::new("words");
    let (lines, faults) = dumped(&directory.file("log", &log()), Output::Table);
    assert_eq!(lines[1], "Log starting offset: 40");
    assert!(lines[2].starts_with("baseOffset: 40 lastOffset: 41 count: 2 baseSequence: -1"), "{}", lines[2]);
    assert!(lines[2].contains("compresscodec: lz4") && lines[2].ends_with("isvalid: true"), "{}", lines[2]);
    let record =
        "| offset: 40 CreateTime: 1000 keySize: 1 valueSize: 1 sequence: -1 headerKeys: [] key: k payload: v";
    assert_eq!(lines[3], record);
    assert!(lines[6].ends_with("endTxnMarker: COMMIT coordinatorEpoch: 6"), "{}", lines[6]);
    assert!(faults.is_empty());
}

#[test]
fn json_has_an_object_a_line() {
    let directory = Directory::new("json");
    let (lines, _) = dumped(&directory.file("log", &log()), Output::Json);
    let batch: serde_json::Value = serde_json::from_str(&lines[0]).expect("json");
    assert_eq!((&batch["baseOffset"], &batch["isvalid"]), (&40.into(), &true.into()));
}

#[test]
fn a_flipped_bit_and_a_torn_tail_are_faults() {
    let directory = Directory::new("faults");
    let mut bytes = log();
    bytes[70] ^= 1;
    bytes.truncate(bytes.len() - 1);
    let (lines, faults) = dumped(&directory.file("log", &bytes), Output::Table);
    assert!(lines[2].ends_with("isvalid: false"));
    assert!(faults[0].contains("checksum") && faults[1].contains("are no batch"), "{faults:?}");
}

#[test]
fn an_index_is_held_against_its_log() {
    let directory = Directory::new("index");
    directory.file("log", &log());
    let sound = [[0, 0, 0, 1, 0, 0, 0, 0], [0; 8]].concat();
    let (lines, faults) = dumped(&directory.file("index", &sound), Output::Table);
    assert_eq!((&lines[1][..], lines.len(), faults.len()), ("offset: 41 position: 0", 2, 0));
    let (_, faults) = dumped(&directory.file("index", &[0, 0, 0, 7, 0, 0, 0, 0]), Output::Table);
    assert!(faults[0].contains("ends with 41"), "{faults:?}");
}
