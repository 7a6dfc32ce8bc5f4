//! A log against a plain model of it, under random operations: append, roll, truncate, delete, flush, reopen after a
//! clean stop, after a crash, with torn and bit-flipped tails. A failing seed is printed and replays exactly:
//! `MODEL_SEEDS=1234..1235 cargo test -p storage --test model`.

mod checks;
mod damage;
mod expected;
mod operations;

use std::ops::Range;

use operations::Run;

const SEEDS: Range<u64> = 0..300;
const OPERATIONS: usize = 40;

#[test]
fn the_log_does_what_the_model_does() {
    for seed in seeds() {
        let outcome = std::panic::catch_unwind(|| {
            let mut run = Run::new(seed);
            for _ in 0..OPERATIONS {
                run.step();
            }
        });
        assert!(outcome.is_ok(), "seed {seed} failed: MODEL_SEEDS={seed}..{}", seed + 1);
    }
}

fn seeds() -> Range<u64> {
    let Ok(range) = std::env::var("MODEL_SEEDS") else { return SEEDS };
    let (from, to) = range.split_once("..").expect("MODEL_SEEDS is a range such as 0..1000");
    from.parse().expect("a number")..to.parse().expect("a number")
}
