//! Where things stand in the picture: the title, the lines' names with their figures, the axes, the lines, and the moment and zone below.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use constella_core::bot::kit::chart::Chart;
use constella_core::bot::kit::say::Key;
use constella_shared::agent::MinAvgMax;
use plotters::coord::Shift;
use plotters::coord::types::{RangedCoordf32, RangedCoordf64};
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::prelude::{Cartesian2d, DrawingArea, IntoFont};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle, TextStyle};

use super::ChartError;
use super::canvas::{Canvas, Rgb};
use super::lines::{self, Dot, Line};
use super::scale::{self, Scale};
use super::theme::Colors;
use super::time::{Mark, Zone};
use crate::telegram::text::{Markup, clean, hours, words};

type Area = DrawingArea<Canvas, Shift>;
type Plot = DrawingArea<Canvas, Cartesian2d<RangedCoordf64, RangedCoordf32>>;

/// Draws the whole picture.
pub(super) fn draw(chart: &Chart, colors: &Colors, canvas: &Rc<RefCell<Canvas>>) -> Result<(), ChartError> {
    register_font()?;
    let area = Area::from(canvas);
    let (width, height) = area.dim_in_pixel();
    let (width, height) = (width as i32, height as i32);
    let lines = lines::lines(chart);
    let from_s = chart.end_unix_s.saturating_sub(u64::from(chart.hours) * 3_600);
    let zone = Zone::of(&chart.zone);

    let sheet = Sheet { area, colors, width };
    sheet.title(chart)?;
    let top = sheet.legend(chart, &lines)?;

    let values = lines.iter().filter_map(|line| line.all).map(|v| (v.0, v.2));
    let (least, greatest) = values.reduce(|(a, b), (c, d)| (a.min(c), b.max(d))).unwrap_or_default();
    let scale = Scale::of(chart.metric, least, greatest);
    let labels = scale.lines().map(|value| (value, scale::line_label(chart.language, chart.metric.unit(), value)));
    let labels: Vec<(f32, String)> = labels.collect();
    let mut left = 0;
    for (_, label) in &labels {
        left = left.max(sheet.width_of(label, LABEL)?);
    }
    let inner = Inner { x: MARGIN + left + GAP..width - MARGIN, y: top..height - FOOT };
    let marks = zone.marks(chart.language, from_s, chart.end_unix_s);
    let time = from_s as f64..(chart.end_unix_s.max(from_s + 1)) as f64;
    let coordinates = Cartesian2d::new(time, scale.bottom..scale.top, (inner.x.clone(), inner.y.end..inner.y.start));
    let plot = sheet.area.apply_coord_spec(coordinates);

    sheet.grid(&plot, &inner, &labels, &marks)?;
    sheet.lines(&plot, scale, &lines)?;
    if lines.iter().all(|line| line.all.is_none()) {
        let middle = ((inner.x.start + inner.x.end) / 2, (inner.y.start + inner.y.end) / 2);
        let say = words(chart.language, Key::NoHistory);
        sheet.text(say, LABEL, colors.faint, middle, (HPos::Center, VPos::Center))?;
    }
    let said = zone.moment(chart.language, chart.end_unix_s);
    sheet.text(&said, SMALL, colors.faint, (width - MARGIN, height - 14), (HPos::Right, VPos::Bottom))
}

/// The picture while it is drawn.
struct Sheet<'a> {
    area: Area,
    colors: &'a Colors,
    width: i32,
}

/// The rectangle of the axes, pixels.
struct Inner {
    x: Range<i32>,
    y: Range<i32>,
}

impl Sheet<'_> {
    /// The metric, the node, and how far the chart reaches back.
    fn title(&self, chart: &Chart) -> Result<(), ChartError> {
        let range = hours(chart.language, chart.hours);
        self.text(&range, TITLE, self.colors.faint, (self.width - MARGIN, 26), (HPos::Right, VPos::Top))?;
        let room = self.width - 3 * MARGIN - self.width_of(&range, TITLE)?;
        let word = |key| words(chart.language, key);
        let metric = word(chart.metric.title());
        let title = match chart.nodes.as_slice() {
            [node] => format!("{} · {metric}", node.name),
            _ => {
                let channels = lines::compared(chart.metric).iter().enumerate();
                let channels: Vec<_> = channels.map(|(at, _)| word(chart.metric.channel_title(at))).collect();
                let of =
                    if channels.as_slice() == [metric] { String::new() } else { format!(", {}", channels.join(" + ")) };
                format!("{metric}{of}: {} ({})", word(Key::Average), word(Key::Peak))
            }
        };
        let title = self.shortened(&title, TITLE, room)?;
        self.text(&title, TITLE, self.colors.text, (MARGIN, 26), (HPos::Left, VPos::Top))
    }

    /// Each line's colour, name and figures; answers where the axes may begin.
    fn legend(&self, chart: &Chart, lines: &[Line]) -> Result<i32, ChartError> {
        let columns = if lines.len() > 2 { 2 } else { 1 };
        let wide = (self.width - 2 * MARGIN) / columns;
        for (at, line) in lines.iter().enumerate() {
            let at = at as i32;
            let (x, y) = (MARGIN + at % columns * wide, HEAD + at / columns * ROW);
            let middle = y + ROW / 2;
            // The title has the name of a line that is the only one.
            if lines.len() == 1 && chart.nodes.len() == 1 {
                let figures = figures(chart, line, false);
                self.text(&figures, LABEL, self.colors.faint, (x, middle), (HPos::Left, VPos::Center))?;
                continue;
            }
            let color = self.line_color(at as usize);
            let swatch = Rectangle::new([(x, middle - 9), (x + 18, middle + 9)], color.filled());
            self.area.draw(&swatch).map_err(failed)?;
            let figures = figures(chart, line, columns > 1);
            let room = wide - 18 - 3 * GAP - self.width_of(&figures, LABEL)?;
            let name = match chart.nodes.as_slice() {
                [_] => words(chart.language, chart.metric.channel_title(at as usize)).to_owned(),
                _ => clean(&line.name, line.name.len(), Markup::Plain),
            };
            let name = self.shortened(&name, LABEL, room)?;
            let x = x + 18 + GAP;
            self.text(&name, LABEL, self.colors.text, (x, middle), (HPos::Left, VPos::Center))?;
            let x = x + self.width_of(&name, LABEL)? + GAP;
            self.text(&figures, LABEL, self.colors.faint, (x, middle), (HPos::Left, VPos::Center))?;
        }
        let rows = (lines.len() as i32 + columns - 1) / columns;
        Ok(HEAD + rows * ROW + GAP + 6)
    }

    /// The lines and labels of the axes.
    fn grid(&self, plot: &Plot, inner: &Inner, labels: &[(f32, String)], marks: &[Mark]) -> Result<(), ChartError> {
        let style = rgb(self.colors.grid).stroke_width(2);
        let from = plot.get_x_range();
        for (value, label) in labels {
            let (_, y) = plot.map_coordinate(&(from.start, *value));
            self.path(vec![(inner.x.start, y), (inner.x.end, y)], style)?;
            self.text(label, LABEL, self.colors.faint, (inner.x.start - GAP, y), (HPos::Right, VPos::Center))?;
        }
        let mut free = 0;
        for Mark { at_s, label } in marks {
            let (x, _) = plot.map_coordinate(&(*at_s as f64, plot.get_y_range().start));
            self.path(vec![(x, inner.y.start), (x, inner.y.end + 8)], style)?;
            let half = self.width_of(label, LABEL)? / 2;
            let middle = x.min(self.width - half - 4);
            // Marks at the days' beginnings may stand close to the edge: a label that meets the one before is left out.
            if middle - half > free {
                self.text(label, LABEL, self.colors.faint, (middle, inner.y.end + 14), (HPos::Center, VPos::Top))?;
                free = middle + half + GAP;
            }
        }
        Ok(())
    }

    /// Bands from least to greatest below, means above them.
    fn lines(&self, plot: &Plot, scale: Scale, lines: &[Line]) -> Result<(), ChartError> {
        // A damaged value stays within the axes.
        let at = |dot: &Dot, value: f32| (dot.at_s as f64, value.clamp(scale.bottom, scale.top));
        // Bands of more than two lines hide each other.
        if lines.len() <= 2 {
            for (which, line) in lines.iter().enumerate() {
                let style = self.line_color(which).mix(BAND).filled();
                for run in line.runs.iter().filter(|run| run.len() > 1) {
                    let upper = run.iter().map(|dot| at(dot, dot.v.2));
                    let lower = run.iter().rev().map(|dot| at(dot, dot.v.0));
                    let band: Vec<(f64, f32)> = upper.chain(lower).collect();
                    plot.draw(&Polygon::new(band, style)).map_err(failed)?;
                }
            }
        }
        for (which, line) in lines.iter().enumerate().rev() {
            let style = self.line_color(which).stroke_width(4);
            for run in &line.runs {
                let mean = |dot: &Dot| at(dot, dot.v.1);
                plot.draw(&PathElement::new(run.iter().map(mean).collect::<Vec<_>>(), style)).map_err(failed)?;
                // A few points may be hours apart, and one alone has no line.
                for dot in run.iter().filter(|_| run.len() <= DOTS) {
                    let dot = Circle::new(mean(dot), 5, self.line_color(which).filled());
                    plot.draw(&dot).map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    fn line_color(&self, at: usize) -> RGBColor {
        rgb(self.colors.lines.get(at % self.colors.lines.len()).copied().unwrap_or_default())
    }

    fn path(&self, points: Vec<(i32, i32)>, style: ShapeStyle) -> Result<(), ChartError> {
        self.area.draw(&PathElement::new(points, style)).map_err(failed)
    }

    fn text(&self, text: &str, size: i32, color: Rgb, at: (i32, i32), anchor: (HPos, VPos)) -> Result<(), ChartError> {
        let color = rgb(color);
        let style = TextStyle::from((FONT, size).into_font()).color(&color).pos(Pos::new(anchor.0, anchor.1));
        // plotters centres the line's height, and a line of digits stands in its upper part.
        let down = if matches!(anchor.1, VPos::Center) { size / 9 } else { 0 };
        self.area.draw_text(text, &style, (at.0, at.1 + down)).map_err(failed)
    }

    fn width_of(&self, text: &str, size: i32) -> Result<i32, ChartError> {
        let style = TextStyle::from((FONT, size).into_font());
        self.area.estimate_text_size(text, &style).map(|(width, _)| width as i32).map_err(failed)
    }

    /// The text, cut where it is wider than `room` pixels.
    fn shortened(&self, text: &str, size: i32, room: i32) -> Result<String, ChartError> {
        let mut short = text.to_owned();
        let mut chars = text.chars().count();
        while self.width_of(&short, size)? > room && chars > 1 {
            chars -= 1;
            short = text.chars().take(chars).chain(['…']).collect();
        }
        Ok(short)
    }
}

/// A line's mean and peak, or why there are none.
pub(super) fn figures(chart: &Chart, line: &Line, narrow: bool) -> String {
    let word = |key| words(chart.language, key);
    match line.all {
        None if line.answered => word(Key::ChartEmpty).to_owned(),
        None => word(Key::ChartSilent).to_owned(),
        Some(MinAvgMax(_, mean, greatest)) => {
            let say = |value| scale::label(chart.language, chart.metric.unit(), value);
            match narrow {
                true => format!("{} ({})", say(mean), say(greatest)),
                false => format!("{} {}   {} {}", word(Key::Average), say(mean), word(Key::Peak), say(greatest)),
            }
        }
    }
}

const fn rgb((r, g, b): Rgb) -> RGBColor {
    RGBColor(r, g, b)
}

fn failed(error: impl std::fmt::Display) -> ChartError {
    ChartError::Draw(error.to_string())
}

fn register_font() -> Result<(), ChartError> {
    static FONT_DATA: &[u8] = include_bytes!("dejavu/DejaVuSans-subset.ttf");
    plotters::style::register_font(FONT, plotters::style::FontStyle::Normal, FONT_DATA).map_err(|_| ChartError::Font)
}

/// The name of the font within the program.
const FONT: &str = "chart";

/// Heights of text in pixels: at a phone's width the picture is shown at a third, and 10 points can be read.
const TITLE: i32 = 44;

/// See [`TITLE`].
const LABEL: i32 = 34;

/// See [`TITLE`].
const SMALL: i32 = 28;

/// Left and right of everything.
const MARGIN: i32 = 28;

/// Between two things.
const GAP: i32 = 14;

/// Where the lines' names begin.
const HEAD: i32 = 82;

/// Of a line's name.
const ROW: i32 = 44;

/// Below the axes: the marks' labels, the moment and the zone.
const FOOT: i32 = 108;

/// How much of a line's colour its band has.
const BAND: f64 = 0.25;

/// A run of so few points shows them as dots.
const DOTS: usize = 30;
