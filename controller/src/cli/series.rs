//! `series`: what a node measured, as a summary, a JSON document, a table or a picture.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use constella_core::bot::kit::chart::{Chart, Charted, Metric, Theme, Unit};
use constella_core::bot::kit::language::Language;
use constella_shared::agent::{MinAvgMax, Point, Series};
use constella_shared::limits::{CHART_POINTS, SERIES_HOURS};
use serde::Serialize;

use super::{CliError, print, told};
use crate::chart::{SIZE, render, summary};
use crate::clock;
use crate::config::Config;
use crate::control::{Question, Told};

/// What `series` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The node's name, or the beginning of its id.
    node: String,
    /// cpu, mem, swap, load, net, disk, io, temp, speed or latency.
    #[arg(value_name = "KIND", value_parser = metric)]
    metric: Metric,
    /// How many of the last hours.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=i64::from(SERIES_HOURS)))]
    hours: u32,
    /// As a JSON document: each point has a unix time, and least, mean and greatest of each channel.
    #[arg(long, group = "form")]
    json: bool,
    /// As a table with commas: a row a point.
    #[arg(long, group = "form")]
    csv: bool,
    /// As a picture in this file, or - for standard output.
    #[arg(long, group = "form", value_name = "FILE")]
    png: Option<PathBuf>,
    /// The time zone of the picture, e.g. Europe/Berlin.
    #[arg(long, default_value = "UTC", requires = "png")]
    zone: String,
    /// A picture on a light ground.
    #[arg(long, requires = "png")]
    light: bool,
}

/// `series --json`.
#[derive(Debug, Serialize)]
struct Document<'a> {
    node: &'a str,
    kind: &'a str,
    unit: &'a str,
    step_s: u32,
    channels: &'a [String],
    points: &'a [Point],
}

/// Asks the controller that runs here, and prints what it answers.
pub(super) async fn series(args: Args, config: &Config) -> Result<(), CliError> {
    let Args { node, metric, hours, json, csv, png, zone, light } = args;
    let points = png.is_some().then_some(CHART_POINTS);
    let (node, series) = match told(config, Question::Series { node, kind: metric.kind(), hours, points }).await? {
        Told::Series { node, series } => (node, of_metric(metric, series)),
        other => {
            print::told(other);
            return Ok(());
        }
    };
    if json {
        let Series { step_s, channels, points, .. } = &series;
        let unit = unit(metric.unit());
        print::document(&Document { node: &node, kind: metric.name(), unit, step_s: *step_s, channels, points });
        return Ok(());
    }
    if csv {
        print::text(&table(&series));
        return Ok(());
    }
    let theme = if light { Theme::Light } else { Theme::Dark };
    let (language, end_unix_s) = (Language::En, clock::now().unix_ms / 1_000);
    let nodes = vec![Charted { name: node, series: Some(series) }];
    let chart = Chart { language, metric, hours, end_unix_s, zone, theme, nodes };
    match png {
        Some(file) => write(&file, &render(&chart, SIZE).map_err(|error| CliError::Usage(error.to_string()))?),
        None => {
            print::text(&summary(&chart));
            Ok(())
        }
    }
}

fn metric(name: &str) -> Result<Metric, String> {
    let names = || Metric::ALL.map(Metric::name).join(", ");
    Metric::of_name(name).ok_or_else(|| format!("there are {}", names()))
}

/// The channels of the metric alone, in its order.
fn of_metric(metric: Metric, series: Series) -> Series {
    let place = |wanted: &&str| series.channels.iter().position(|channel| channel == wanted);
    let places: Vec<usize> = metric.channels().iter().filter_map(place).collect();
    let points = series.points.iter().map(|point| {
        let v = places.iter().map(|place| point.v.get(*place).copied().flatten()).collect();
        Point { t: point.t, v }
    });
    let points = points.filter(|point: &Point| point.v.iter().any(Option::is_some)).collect();
    let channels = places.iter().filter_map(|place| series.channels.get(*place).cloned()).collect();
    Series { kind: series.kind, step_s: series.step_s, channels, points }
}

/// A head, then a row a point; a field is empty where nothing was measured.
fn table(series: &Series) -> String {
    let mut text = "time".to_owned();
    for channel in &series.channels {
        // Writing into a String does not fail.
        let _ = write!(text, ",{channel}_min,{channel}_avg,{channel}_max");
    }
    for point in &series.points {
        let time = i64::try_from(point.t).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
        let _ = write!(text, "\n{}", time.map_or_else(|| point.t.to_string(), |time| time.to_string()));
        for value in &point.v {
            let _ = match value {
                Some(MinAvgMax(least, mean, greatest)) => write!(text, ",{least},{mean},{greatest}"),
                None => write!(text, ",,,"),
            };
        }
    }
    text
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Percent => "percent",
        Unit::Number => "",
        Unit::BytesPerS => "bytes/s",
        Unit::BitsPerS => "bits/s",
        Unit::Celsius => "celsius",
        Unit::Milliseconds => "ms",
    }
}

fn write(file: &Path, picture: &[u8]) -> Result<(), CliError> {
    let written = match file.to_str() {
        Some("-") => std::io::stdout().lock().write_all(picture),
        Some(_) | None => std::fs::write(file, picture),
    };
    written.map_err(|error| CliError::Usage(format!("{} cannot be written: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use constella_shared::agent::SeriesKind;

    #[test]
    fn a_table_has_the_metrics_own_channels_and_empty_fields_for_what_is_missing() {
        // C3: `disk` and `io` are two kinds of one series
        let channels = SeriesKind::Disk.channels().iter().map(|&name| name.to_owned()).collect();
        let v = |v: f32| Some(MinAvgMax(v, v + 0.5, v + 1.0));
        let points = vec![
            Point { t: 1_796_040_000, v: vec![v(70.0), v(1.0), None] },
            Point { t: 1_796_040_060, v: vec![v(71.0), None, None] },
        ];
        let series = Series { kind: SeriesKind::Disk, step_s: 60, channels, points };
        let io = of_metric(Metric::DiskIo, series.clone());
        let head = "time,read_min,read_avg,read_max,written_min,written_avg,written_max";
        assert_eq!(table(&io), format!("{head}\n2026-11-30T12:00:00Z,1,1.5,2,,,"));
        let fullest = of_metric(Metric::DiskUse, series);
        assert_eq!((fullest.channels.as_slice(), fullest.points.len()), (["fullest".to_owned()].as_slice(), 2));
    }

    #[test]
    fn kinds_are_named_in_one_list() {
        // C3: and a wrong one is answered with it
        assert_eq!(metric("io"), Ok(Metric::DiskIo));
        assert!(metric("gpu").unwrap_err().contains("cpu, mem, swap"));
    }
}
