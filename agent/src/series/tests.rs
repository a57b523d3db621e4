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

fn series(folder: &TempDir) -> Series {
    Series::new(folder.path(), 5000, true)
}

#[test]
fn a_day_has_at_most_600_points_with_min_mean_and_max() {
    let folder = TempDir::new().unwrap();
    let mut series = series(&folder);
    for step in 0..17_280_u64 {
        // Within each three minutes from 0 to 35.
        series.add(NOW + step * 5000, &sample((step % 36) as f32));
    }
    let end = NOW + DAY_MS - 1;
    let begun = Instant::now();
    let day = series.read(SeriesKind::Cpu, 24, end);
    eprintln!("24 h at {} points: {:?}", day.points.len(), begun.elapsed());
    assert!((450..=SERIES_POINTS).contains(&day.points.len()), "{}", day.points.len());
    assert_eq!(day.step_s, 180);
    let Point { t, v } = &day.points[100];
    assert_eq!(t % 180, 0);
    assert_eq!(v[..], [MinAvgMax(0.0, 17.5, 35.0)]);
    assert!(day.points.is_sorted_by(|a, b| a.t < b.t));
    for (hours, step_s) in [(1, 10), (6, 40), (24, 180), (168, 1800), (2160, 13_500)] {
        let part = series.read(SeriesKind::Cpu, hours, end);
        assert_eq!(part.step_s, step_s, "{hours} h");
        assert!(part.points.len() <= SERIES_POINTS && !part.points.is_empty());
        assert!(
            part.points
                .iter()
                .all(|point| point.t * 1000 + u64::from(step_s) * 1000 >= end - u64::from(hours) * 3_600_000)
        );
    }
    let size: u64 = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert_eq!(size, 3 * 64 + (17_280 + 10_080 + 8_640) * 224, "fixed space");
}

#[test]
fn a_restart_goes_on_with_the_minute_and_the_quarter_that_it_finds() {
    let folder = TempDir::new().unwrap();
    let mut first = series(&folder);
    for step in 0..=12 {
        first.add(NOW + step * 5000, &sample(10.0));
    }
    // Killed: what the last minute's writing left is found again.
    drop(first);
    let mut second = series(&folder);
    for step in 13..=25 {
        second.add(NOW + step * 5000, &sample(40.0));
    }
    let quarters = second.read(SeriesKind::Cpu, 2160, NOW + 130_000);
    let [MinAvgMax(min, mean, max)] = quarters.points[0].v[..] else { panic!("one channel") };
    assert_eq!((min, max), (10.0, 40.0));
    assert!((20.0..=30.0).contains(&mean), "{mean}");
}

#[test]
fn absent_figures_are_gaps() {
    let folder = TempDir::new().unwrap();
    let mut series = series(&folder);
    for step in 0..4 {
        series.add(NOW + step * 20_000, &sample(1.0));
    }
    let end = NOW + 60_000;
    assert_eq!(series.read(SeriesKind::Temp, 1, end).points, []);
    assert_eq!(series.read(SeriesKind::Cpu, 1, end).points.len(), 4);
}

#[test]
fn a_clock_set_back_costs_no_more_than_what_it_repeats() {
    let folder = TempDir::new().unwrap();
    let mut series = series(&folder);
    for step in 0..720 {
        series.add(NOW + step * 5000, &sample(1.0));
    }
    for step in 360..400 {
        series.add(NOW + step * 5000, &sample(2.0));
    }
    let half = series.read(SeriesKind::Cpu, 1, NOW + 399 * 5000);
    assert!(half.points.len() >= 199 && half.points.last().unwrap().v[0].2 == 2.0);
}

#[test]
fn a_folder_that_cannot_be_written_is_no_reason_to_stop() {
    let mut series = Series::new(Path::new("/proc/none"), 5000, false);
    series.add(NOW, &sample(1.0));
    assert_eq!(series.read(SeriesKind::Cpu, 1, NOW).points, []);
}
