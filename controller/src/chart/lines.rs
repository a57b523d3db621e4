//! What is drawn of the series: one line for a channel or a node, in unbroken runs, with its own figures.

use constella_core::bot::kit::chart::{Chart, Charted, Metric};
use constella_shared::agent::MinAvgMax;

/// One line of the picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// The channel's name within its series, or the node's own where several are compared.
    pub(super) name: String,
    /// Whether its node answered.
    pub(super) answered: bool,
    /// Its points, oldest first; between two runs nothing was measured.
    pub(super) runs: Vec<Vec<Dot>>,
    /// Least, mean and greatest of all that is drawn; None where nothing is.
    pub(super) all: Option<MinAvgMax>,
}

/// One point of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dot {
    /// Unix seconds, the middle of what it stands for.
    pub(super) at_s: u64,
    /// Its values.
    pub(super) v: MinAvgMax,
}

/// The lines of a chart: of one node each channel, of several the sum of their channels.
pub(super) fn lines(chart: &Chart) -> Vec<Line> {
    match chart.nodes.as_slice() {
        [node] => chart.metric.channels().iter().map(|channel| line(chart, node, channel, &[channel])).collect(),
        nodes => nodes.iter().map(|node| line(chart, node, &node.name, compared(chart.metric))).collect(),
    }
}

/// The channels whose sum stands for a node among others. Download and upload of a line have no sum that means something.
pub(super) const fn compared(metric: Metric) -> &'static [&'static str] {
    match metric {
        Metric::Speed => &["download"],
        Metric::Cpu
        | Metric::Memory
        | Metric::Swap
        | Metric::Load
        | Metric::Network
        | Metric::DiskUse
        | Metric::DiskIo
        | Metric::Temperature
        | Metric::Latency => metric.channels(),
    }
}

fn line(chart: &Chart, node: &Charted, name: &str, channels: &[&str]) -> Line {
    let mut line = Line { name: name.to_owned(), answered: node.series.is_some(), runs: Vec::new(), all: None };
    let Some(series) = &node.series else { return line };
    let places: Vec<usize> =
        channels.iter().filter_map(|channel| series.channels.iter().position(|name| name == channel)).collect();
    let from_s = chart.end_unix_s.saturating_sub(u64::from(chart.hours) * 3_600);
    let step_s = u64::from(series.step_s.max(1));
    let mut count = 0_u16;
    let mut last_t = None;
    for point in &series.points {
        let at_s = point.t.saturating_add(step_s / 2).min(chart.end_unix_s);
        let outside = point.t.saturating_add(step_s) <= from_s || point.t > chart.end_unix_s;
        let Some(v) = sum(&places, &point.v).filter(|_| !outside) else { continue };
        let dot = Dot { at_s: at_s.max(from_s), v };
        // One missing point is a gap; a step that the agent's clock moved by a second is none.
        let follows = last_t.is_some_and(|last| point.t.saturating_sub(last) * 2 <= step_s * 3);
        match line.runs.last_mut().filter(|_| follows || chart.metric.is_sparse()) {
            Some(run) => run.push(dot),
            None => line.runs.push(vec![dot]),
        }
        last_t = Some(point.t);
        count = count.saturating_add(1);
        line.all = Some(
            line.all
                .map_or(v, |all| MinAvgMax(all.0.min(v.0), all.1 + (v.1 - all.1) / f32::from(count), all.2.max(v.2))),
        );
    }
    line
}

/// The sum of some channels; None where one of them is missing or no number.
fn sum(places: &[usize], values: &[Option<MinAvgMax>]) -> Option<MinAvgMax> {
    let mut sum: Option<MinAvgMax> = None;
    for place in places {
        let MinAvgMax(least, mean, greatest) = (*values.get(*place)?)?;
        if ![least, mean, greatest].into_iter().all(f32::is_finite) {
            return None;
        }
        sum =
            Some(sum.map_or(MinAvgMax(least, mean, greatest), |sum| {
                MinAvgMax(sum.0 + least, sum.1 + mean, sum.2 + greatest)
            }));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use constella_core::bot::kit::chart::Theme;
    use constella_core::bot::kit::language::Language;
    use constella_shared::agent::{Point, Series, SeriesKind};

    fn chart(metric: Metric, nodes: Vec<Charted>) -> Chart {
        let (language, zone, theme) = (Language::En, "UTC".to_owned(), Theme::Dark);
        Chart { language, metric, hours: 1, end_unix_s: 10_000, zone, theme, nodes }
    }

    fn node(kind: SeriesKind, points: &[(u64, [Option<f32>; 3])]) -> Charted {
        let channels: Vec<String> = kind.channels().iter().map(|&name| name.to_owned()).collect();
        let value = |v: &Option<f32>| v.map(|v| MinAvgMax(v - 1.0, v, v + 1.0));
        let point =
            |(t, v): &(u64, [Option<f32>; 3])| Point { t: *t, v: v.iter().take(channels.len()).map(value).collect() };
        let points = points.iter().map(point).collect();
        Charted { name: "edge".into(), series: Some(Series { kind, step_s: 60, channels, points }) }
    }

    #[test]
    fn a_missing_point_is_a_gap_in_its_own_line_only() {
        // C1: gaps as gaps
        let of = |a: f32, b: Option<f32>| [Some(a), b, None];
        let points = [
            (9_000, of(1.0, Some(5.0))),
            (9_060, of(2.0, None)),
            (9_120, of(3.0, Some(7.0))),
            (9_300, of(4.0, Some(8.0))),
        ];
        let lines = lines(&chart(Metric::Network, vec![node(SeriesKind::Net, &points)]));
        let runs: Vec<Vec<usize>> = lines.iter().map(|line| line.runs.iter().map(Vec::len).collect()).collect();
        assert_eq!(runs, [vec![3, 1], vec![1, 1, 1]]);
        assert_eq!(lines[0].all, Some(MinAvgMax(0.0, 2.5, 5.0)));
        assert_eq!(lines[0].runs[0][0].at_s, 9_030);
    }

    #[test]
    fn speedtests_hours_apart_are_one_line() {
        // C1: nothing is missing between two tests
        let tests = [(7_000, [Some(90.0), Some(40.0), Some(3.0)]), (9_900, [Some(80.0), Some(40.0), Some(3.0)])];
        let lines = lines(&chart(Metric::Speed, vec![node(SeriesKind::Speedtest, &tests)]));
        assert_eq!(lines.iter().map(|line| line.runs.len()).collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn compared_nodes_have_one_line_each_and_silence_is_no_zero() {
        // C1: up to six nodes on one
        let net = node(SeriesKind::Net, &[(9_000, [Some(1.0), Some(5.0), None])]);
        let lines = lines(&chart(Metric::Network, vec![net, Charted { name: "mute".into(), series: None }]));
        assert_eq!(lines[0].all, Some(MinAvgMax(4.0, 6.0, 8.0)));
        assert_eq!((lines[1].answered, lines[1].all, lines[1].runs.len()), (false, None, 0));
    }

    #[test]
    fn what_lies_outside_or_is_no_number_is_not_drawn() {
        // C1: a clock that leapt, a damaged value
        let bad = [(0, [Some(1.0); 3]), (9_000, [Some(f32::NAN); 3]), (u64::MAX, [Some(2.0); 3])];
        let lines = lines(&chart(Metric::Cpu, vec![node(SeriesKind::Cpu, &bad)]));
        assert_eq!((lines.len(), lines[0].all), (1, None));
    }
}
