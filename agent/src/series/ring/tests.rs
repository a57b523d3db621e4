//! A7: what a ring survives.

use tempfile::TempDir;

use super::*;

const STEP: u64 = 1000;
const SLOTS: u64 = 100;

fn open(folder: &TempDir) -> Ring {
    Ring::open(&folder.path().join("ring"), STEP, SLOTS).unwrap()
}

fn row(at_ms: u64) -> Row {
    let mut row = Row::new(at_ms);
    row.sums[0] = Sum { count: 1.0, min: at_ms as f32, mean: at_ms as f32, max: at_ms as f32 };
    row
}

fn times(ring: &Ring, from: u64, to: u64) -> Vec<u64> {
    let mut times = Vec::new();
    ring.read(from, to, |row| times.push(row.at_ms)).unwrap();
    times
}

#[test]
fn rows_come_back_in_order_over_the_end_of_the_file_and_after_reopening() {
    let folder = TempDir::new().unwrap();
    let ring = open(&folder);
    for at in (50..=140).step_by(10) {
        ring.put(row(at * STEP)).unwrap();
    }
    let expected: Vec<u64> = (50..=140).step_by(10).map(|at| at * STEP).collect();
    assert_eq!(times(&ring, 41 * STEP, 140 * STEP), expected);
    drop(ring);
    assert_eq!(times(&open(&folder), 41 * STEP, 140 * STEP), expected);
    assert_eq!(times(&open(&folder), 60 * STEP, 70 * STEP), [60 * STEP, 70 * STEP]);
}

#[test]
fn an_earlier_lap_and_a_clock_that_was_set_back_are_no_rows() {
    let folder = TempDir::new().unwrap();
    let ring = open(&folder);
    ring.put(row(10 * STEP)).unwrap();
    ring.put(row(500 * STEP)).unwrap();
    assert_eq!(times(&ring, 0, 150 * STEP), Vec::<u64>::new(), "step 10 is over a lap ago");
    // The clock went from 500 back to 450: what is ahead is not told, and what comes is.
    ring.put(row(450 * STEP)).unwrap();
    assert_eq!(times(&ring, 400 * STEP, 450 * STEP), [450 * STEP]);
}

#[test]
fn a_damaged_row_is_a_gap() {
    let folder = TempDir::new().unwrap();
    let ring = open(&folder);
    for at in 0..5 {
        ring.put(row(at * STEP)).unwrap();
    }
    let path = folder.path().join("ring");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[HEADER + 2 * ROW + 20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(times(&open(&folder), 0, 5 * STEP), [0, STEP, 3 * STEP, 4 * STEP]);
}

#[test]
fn a_file_that_is_not_this_ring_is_set_aside() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ring");
    let whole = std::fs::metadata({
        open(&folder);
        &path
    });
    let size = whole.unwrap().len();
    assert_eq!(size, 64 + SLOTS * 224);
    for damage in [b"junk".to_vec(), vec![0; size as usize], vec![7; size as usize + 1]] {
        std::fs::write(&path, &damage).unwrap();
        let ring = open(&folder);
        assert_eq!(times(&ring, 0, 99 * STEP), Vec::<u64>::new());
        assert_eq!(std::fs::read(folder.path().join("ring.damaged")).unwrap(), damage);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), size);
    }
    // Another sample period is another ring.
    open(&folder).put(row(STEP)).unwrap();
    let ring = Ring::open(&path, 2 * STEP, SLOTS).unwrap();
    assert_eq!(times(&ring, 0, 99 * STEP), Vec::<u64>::new());
}

#[test]
fn sums_keep_least_greatest_and_the_weighted_mean() {
    let mut sum = Sum { count: 0.0, min: 0.0, mean: 0.0, max: 0.0 };
    for figure in [4.0, -2.0, 10.0] {
        sum.add(&Sum { count: 1.0, min: figure, mean: figure, max: figure });
    }
    assert_eq!((sum.count, sum.min, sum.mean, sum.max), (3.0, -2.0, 4.0, 10.0));
    sum.add(&Sum { count: 1.0, min: 8.0, mean: 8.0, max: 8.0 });
    assert_eq!(sum.mean, 5.0);
    sum.add(&Sum { count: 0.0, min: 0.0, mean: 0.0, max: 0.0 });
    assert_eq!((sum.count, sum.min), (4.0, -2.0), "nothing adds nothing");
}
