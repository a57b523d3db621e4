//! Charts as pictures: what is drawn, how large, and what is refused.

use super::*;

use constella_core::bot::kit::chart::{Charted, Metric, NODES, Range, Theme};
use constella_core::bot::kit::language::Language;
use constella_shared::agent::{MinAvgMax, Point, Series, SeriesKind};

const END: u64 = 1_796_040_000;

/// A restless series over the whole range, with a tenth of it missing: the largest picture that a real host makes.
fn series(metric: Metric, hours: u32, seed: u32) -> Series {
    let (kind, range) = (metric.kind(), u64::from(hours) * 3_600);
    let step = (range / POINTS).max(5);
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut noise = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f32::from(u16::try_from(state >> 16).unwrap()) / 65_536.0
    };
    let value = |noise: &mut dyn FnMut() -> f32| {
        let mean = 20.0 + 60.0 * noise();
        Some(MinAvgMax(mean * noise(), mean, mean + 20.0 * noise()))
    };
    let points = (0..POINTS).filter(|at| !(GAP_FROM..GAP_TO).contains(at));
    let point =
        |at: u64| Point { t: END - range + at * step, v: kind.channels().iter().map(|_| value(&mut noise)).collect() };
    let channels = kind.channels().iter().map(|&name| name.to_owned()).collect();
    Series { kind, step_s: u32::try_from(step).unwrap(), channels, points: points.map(point).collect() }
}

fn chart(metric: Metric, hours: u32, theme: Theme, names: &[&str]) -> Chart {
    let node = |(at, name): (usize, &&str)| Charted {
        name: (*name).to_owned(),
        series: Some(series(metric, hours, u32::try_from(at).unwrap() + 7)),
    };
    let nodes = names.iter().enumerate().map(node).collect();
    Chart { language: Language::Ru, metric, hours, end_unix_s: END, zone: "Europe/Moscow".into(), theme, nodes }
}

/// The colours of a picture's pixels, row by row.
fn decode(picture: &[u8]) -> Vec<Rgb> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(picture));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height, info.color_type), (SIZE.width, SIZE.height, png::ColorType::Rgb));
    pixels.chunks(3).map(|rgb| (rgb[0], rgb[1], rgb[2])).collect()
}

#[test]
fn every_metric_range_and_theme_is_a_picture_of_at_most_60_kb() {
    // C1, C2: six restless nodes are the largest
    for metric in Metric::ALL {
        for (range, theme) in Range::ALL.into_iter().zip([Theme::Dark, Theme::Light].into_iter().cycle()) {
            let picture = render(&chart(metric, range.hours(), theme, &NAMES), SIZE).unwrap();
            assert!(picture.len() <= CHART_BYTES, "{metric:?} {range:?}: {} bytes", picture.len());
        }
    }
    assert_eq!(NAMES.len(), NODES);
}

#[test]
fn a_gap_has_nothing_of_the_line_in_it() {
    // C1: gaps as gaps
    let pixels = decode(&render(&chart(Metric::Cpu, 24, Theme::Dark, &["edge"]), SIZE).unwrap());
    let line = theme::colors(Theme::Dark).lines[0];
    let column = |x: usize| pixels.iter().skip(x).step_by(SIZE.width as usize).filter(|pixel| **pixel == line).count();
    let columns: Vec<usize> = (0..SIZE.width as usize).map(column).collect();
    let first = columns.iter().position(|count| *count > 0).unwrap();
    let last = columns.iter().rposition(|count| *count > 0).unwrap();
    let at = |part: u64| first + (last - first) * usize::try_from(part).unwrap() / usize::try_from(POINTS).unwrap();
    assert!(columns[at(GAP_FROM) + 6..at(GAP_TO) - 6].iter().all(|count| *count == 0));
    let beside = [&columns[first..at(GAP_FROM) - 6], &columns[at(GAP_TO) + 6..=last]].concat();
    assert!(beside.iter().all(|count| *count > 0), "nowhere else is the line broken");
}

#[test]
fn the_themes_have_their_grounds_and_all_their_colours() {
    // C1: dark and light, six lines
    for theme in [Theme::Dark, Theme::Light] {
        let colors = theme::colors(theme);
        let pixels = decode(&render(&chart(Metric::Memory, 168, theme, &NAMES), SIZE).unwrap());
        assert_eq!(pixels[0], colors.ground);
        for color in colors.lines.iter().chain([&colors.text, &colors.faint, &colors.grid]) {
            assert!(pixels.contains(color), "{theme:?} {color:?}");
        }
    }
}

#[test]
fn the_font_has_every_letter_of_both_languages() {
    // C1: Cyrillic labels: a letter that the font lacks would be drawn as the same box as any other such one
    let drawn = |name: &str| render(&chart(Metric::Cpu, 1, Theme::Light, &[name]), SIZE).unwrap();
    let lacking = drawn("\u{e000}");
    let letters = "абвгдежзийклмнопрстуфхцчшщъыьэюяёАБВЯЁабвabcxyzABCXYZ0123456789-_.·°%()…−,";
    for letter in letters.chars() {
        assert_ne!(drawn(&letter.to_string()), lacking, "{letter}");
    }
    assert_eq!(drawn("\u{e001}"), lacking);
}

#[test]
fn whatever_a_member_answers_a_picture_comes_of_it() {
    // C2: no names, values or times break the drawing
    let values = [f32::NAN, f32::INFINITY, f32::MAX, f32::MIN, -0.0, 1e-40];
    let points = |t: u64| values.into_iter().map(move |v| Point { t, v: vec![Some(MinAvgMax(v, v, v)); 3] });
    let points: Vec<Point> = [0, END - 60, END, u64::MAX].into_iter().flat_map(points).collect();
    for metric in Metric::ALL {
        let channels: Vec<String> = metric.kind().channels().iter().map(|&name| name.to_owned()).collect();
        for step_s in [0, 60, u32::MAX] {
            let hostile = Series { kind: metric.kind(), step_s, channels: channels.clone(), points: points.clone() };
            let foreign = Series { kind: SeriesKind::Cpu, step_s, channels: vec![], points: points.clone() };
            let nodes =
                [Some(hostile), Some(foreign), None].map(|series| Charted { name: "Ж\u{202e}".repeat(60), series });
            for (nodes, hours, end_unix_s) in
                [(nodes.to_vec(), 1, END), (nodes[..1].to_vec(), 0, 0), (vec![], u32::MAX, u64::MAX)]
            {
                let sane = chart(metric, 1, Theme::Dark, &[]);
                let zone = "../../etc/passwd".to_owned();
                render(&Chart { nodes, hours, end_unix_s, zone, ..sane }, SIZE).unwrap();
            }
        }
    }
}

#[test]
fn the_same_chart_is_the_same_picture() {
    // C2: Telegram takes the same bytes for no change, so a picture has nothing of its making in it
    let chart = chart(Metric::Network, 24, Theme::Dark, &["edge"]);
    assert_eq!(render(&chart, SIZE).unwrap(), render(&chart, SIZE).unwrap());
}

const NAMES: [&str; 6] = ["fra-edge-01", "берлин", "ams", "nyc3", "a-very-long-name-of-a-server-in-singapore", "дом"];

const POINTS: u64 = 360;

/// The points that are missing.
const GAP_FROM: u64 = 200;

/// See [`GAP_FROM`].
const GAP_TO: u64 = 236;
