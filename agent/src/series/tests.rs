//! A7: raw 24 h, minutes 7 days, quarters 90 days.

use std::time::Instant;

use tempfile::TempDir;

use super::*;

/// A moment that begins a day, as Unix time in milliseconds.
const NOW: u64 = 20_000 * DAY_MS;

fn sample(cpu: f32) -> Sample {
    let mut sample = [f32::NAN; CHANNELS];
    sample[0] = cpu;
    sample
}

fn cpu(series: &Series, hours: u32, now_ms: u64) -> Answer {
    series.read(SeriesQuery { kind: SeriesKind::Cpu, hours }, now_ms)
}

fn series(folder: &TempDir) -> Series {
    Series::new(folder.path(), 5000)
}

#[test]
fn a_day_has_at_most_600_points_with_min_mean_and_max() {
    let folder = TempDir::new().unwrap();
    let mut series = series(&folder);
    for step in 0..17_280_u64 {
        // Within each three minutes from 0 to 35.
        series.add(NOW + step * 5000, &sample((step % 36) as f32)).unwrap();
    }
    let end = NOW + DAY_MS - 1;
    let begun = Instant::now();
    let day = cpu(&series, 24, end);
    eprintln!("24 h at {} points: {:?}", day.points.len(), begun.elapsed());
    assert!((450..=SERIES_POINTS).contains(&day.points.len()), "{}", day.points.len());
    assert_eq!(day.step_s, 180);
    let Point { t, v } = &day.points[100];
    assert_eq!(t % 180, 0);
    assert_eq!(v[..], [Some(MinAvgMax(0.0, 17.5, 35.0))]);
    assert!(day.points.is_sorted_by(|a, b| a.t < b.t));
    for (hours, step_s) in [(1, 10), (6, 40), (24, 180), (168, 1800), (2160, 13_500)] {
        let part = cpu(&series, hours, end);
        assert_eq!(part.step_s, step_s, "{hours} h");
        assert!(part.points.len() <= SERIES_POINTS && !part.points.is_empty());
        assert!(
            part.points
                .iter()
                .all(|point| point.t * 1000 + u64::from(step_s) * 1000 >= end - u64::from(hours) * 3_600_000)
        );
    }
    let size: u64 = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert_eq!(size, (17_280 + 10_080 + 8_640) * 224, "fixed space");
}

#[test]
fn a_restart_goes_on_with_the_minute_and_the_quarter_that_it_finds() {
    let folder = TempDir::new().unwrap();
    let mut first = series(&folder);
    for step in 0..=12 {
        first.add(NOW + step * 5000, &sample(10.0)).unwrap();
    }
    // Killed: what the last minute's writing left is found again.
    drop(first);
    let mut second = series(&folder);
    for step in 13..=25 {
        second.add(NOW + step * 5000, &sample(40.0)).unwrap();
    }
    let quarters = cpu(&second, 2160, NOW + 130_000);
    let [Some(MinAvgMax(min, mean, max))] = quarters.points[0].v[..] else { panic!("one channel") };
    assert_eq!((min, max), (10.0, 40.0));
    assert!((20.0..=30.0).contains(&mean), "{mean}");
}

#[test]
fn absent_figures_are_gaps() {
    let folder = TempDir::new().unwrap();
    let mut series = series(&folder);
    for step in 0..4 {
        series.add(NOW + step * 20_000, &sample(1.0)).unwrap();
    }
    let end = NOW + 60_000;
    assert_eq!(series.read(SeriesQuery { kind: SeriesKind::Temp, hours: 1 }, end).points, []);
    assert_eq!(cpu(&series, 1, end).points.len(), 4);
}

#[test]
fn a_channel_that_is_missing_costs_no_other() {
    let folder = TempDir::new().unwrap();
    let mut series = series(&folder);
    let mut sample = sample(1.0);
    // The fullest disk is known; what is read and written is not.
    sample[5] = 50.0;
    series.add(NOW, &sample).unwrap();
    let disk = series.read(SeriesQuery { kind: SeriesKind::Disk, hours: 1 }, NOW);
    assert_eq!(disk.points[0].v[..], [Some(MinAvgMax(50.0, 50.0, 50.0)), None, None]);
    assert_eq!(disk.for_protocol_1().points, []);
}

#[test]
fn a_clock_set_back_costs_no_more_than_what_it_repeats() {
    let folder = TempDir::new().unwrap();
    let mut series = series(&folder);
    for step in 0..720 {
        series.add(NOW + step * 5000, &sample(1.0)).unwrap();
    }
    for step in 360..400 {
        series.add(NOW + step * 5000, &sample(2.0)).unwrap();
    }
    let half = cpu(&series, 1, NOW + 399 * 5000);
    assert!(half.points.len() >= 199 && half.points.last().unwrap().v[0].unwrap().2 == 2.0);
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_the_last_minute_is_there() {
    let mut series = Series::new(Path::new("/proc/none"), 5000);
    assert!(series.add(NOW, &sample(1.0)).is_err());
    series.add(NOW + 5000, &sample(2.0)).unwrap();
    let told: Vec<MinAvgMax> = cpu(&series, 1, NOW).points.iter().map(|point| point.v[0].unwrap()).collect();
    assert_eq!(told, [MinAvgMax(2.0, 2.0, 2.0)]);
}

fn tier(folder: &TempDir) -> Tier {
    Tier { path: folder.path().join("ring"), step_ms: 1000, slots: 100 }
}

/// Keeps a figure for each of these seconds.
fn keep(tier: &Tier, seconds: &[u64]) {
    let row = |second: &u64| Row::of(second * 1000, &sample(1.0));
    tier.keep(&seconds.iter().map(row).collect::<Vec<_>>()).unwrap();
}

/// The seconds up to one, of the hundred before it, that are there.
fn seconds(tier: &Tier, up_to: u64) -> Vec<u64> {
    tier.rows(99_000, up_to * 1000).map(|row| row.at_ms / 1000).collect()
}

#[test]
fn rows_come_back_in_order_over_the_end_of_the_file() {
    let folder = TempDir::new().unwrap();
    keep(&tier(&folder), &[50, 60, 90, 100, 140]);
    assert_eq!(seconds(&tier(&folder), 140), [50, 60, 90, 100, 140]);
    assert_eq!(seconds(&tier(&folder), 155), [60, 90, 100, 140]);
}

#[test]
fn an_earlier_lap_and_what_lies_ahead_of_a_clock_that_was_set_back_are_no_rows() {
    let folder = TempDir::new().unwrap();
    let tier = tier(&folder);
    keep(&tier, &[10, 500]);
    assert_eq!(seconds(&tier, 150), Vec::<u64>::new(), "second 10 is over a lap ago");
    // The clock went from 500 back to 450: what is ahead is not told, and what comes is.
    keep(&tier, &[450]);
    assert_eq!(seconds(&tier, 450), [450]);
    assert_eq!(seconds(&tier, 500), [450, 500]);
}

#[test]
fn a_damaged_row_is_a_gap() {
    let folder = TempDir::new().unwrap();
    let tier = tier(&folder);
    keep(&tier, &[200, 201, 202, 203, 299]);
    let mut bytes = std::fs::read(&tier.path).unwrap();
    assert_eq!(bytes.len(), 100 * 224);
    bytes[2 * 224 + 20] ^= 1;
    std::fs::write(&tier.path, &bytes).unwrap();
    assert_eq!(seconds(&tier, 299), [200, 201, 203, 299]);
}

#[test]
fn junk_costs_what_it_covers_and_a_file_of_another_size_is_set_aside() {
    let folder = TempDir::new().unwrap();
    let tier = tier(&folder);
    std::fs::write(&tier.path, vec![7; 100 * 224]).unwrap();
    keep(&tier, &[5]);
    assert_eq!(seconds(&tier, 99), [5]);
    for damage in [b"junk".to_vec(), vec![7; 100 * 224 - 1], vec![7; 100 * 224 + 1]] {
        std::fs::write(&tier.path, &damage).unwrap();
        assert_eq!(seconds(&tier, 99), Vec::<u64>::new());
        keep(&tier, &[5]);
        assert_eq!(std::fs::read(folder.path().join("ring.damaged")).unwrap(), damage);
        assert_eq!((seconds(&tier, 99), tier.path.metadata().unwrap().len()), (vec![5], 100 * 224));
    }
    // Another sample period is another file.
    let other = Tier { path: tier.path, step_ms: 2000, slots: 50 };
    assert_eq!(seconds(&other, 99), Vec::<u64>::new());
}

#[test]
fn sums_keep_least_greatest_and_the_total() {
    let mut all = Row::of(0, &[f32::NAN; CHANNELS]);
    for figure in [4.0, -2.0, 10.0, f32::NAN] {
        all.add(&Row::of(0, &sample(figure)));
    }
    assert_eq!(all.sums[0], [3.0, 12.0, -2.0, 10.0], "nothing adds nothing");
    all.add(&Row::of(0, &sample(8.0)));
    assert_eq!(all.sums[0], [4.0, 20.0, -2.0, 10.0]);
    assert_eq!(all.sums[1][..2], [0.0, 0.0]);
}
