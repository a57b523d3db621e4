//! Charts as pictures: a pure function from a [`Chart`] to a PNG. Nothing here asks a clock, a file or a network; the font and the zones are in the
//! program.

mod canvas;
mod layout;
mod lines;
mod scale;
mod theme;
mod time;

use std::cell::RefCell;
use std::rc::Rc;

use constella_core::bot::kit::chart::{Chart, Charted};
use constella_shared::limits::CHART_BYTES;

use canvas::{Canvas, Rgb};

/// Width and height of a picture in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// What a phone's chat shows without scaling up, in the shape of its bubble.
pub const SIZE: Size = Size { width: 1_280, height: 720 };

/// Why there is no picture. It is a fault of this program: every chart can be drawn.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The font that is part of the program was not read.
    #[error("the font cannot be read")]
    Font,
    /// plotters gave up.
    #[error("the chart cannot be drawn: {0}")]
    Draw(String),
    /// The PNG was not written.
    #[error("the picture cannot be written")]
    Png(#[from] png::EncodingError),
}

/// Draws a chart as PNG with a palette of at most 256 colours, within [`CHART_BYTES`]: a chart so restless that it would take more is drawn with
/// fewer points. It takes some milliseconds of a core and about 2 MB: callers keep it away from what must not wait.
///
/// # Errors
/// [`ChartError`].
pub fn render(chart: &Chart, size: Size) -> Result<Vec<u8>, ChartError> {
    let mut picture = draw(chart, size)?;
    for points in [FEWER_POINTS, FEWEST_POINTS] {
        if picture.len() <= CHART_BYTES {
            break;
        }
        let thinned = |node: &Charted| Charted {
            name: node.name.clone(),
            series: node.series.as_ref().map(|series| series.clone().thinned(points)),
        };
        picture = draw(&Chart { nodes: chart.nodes.iter().map(thinned).collect(), ..chart.clone() }, size)?;
    }
    Ok(picture)
}

/// The mean and the peak of each line of a chart in words, a line of text each.
#[must_use]
pub fn summary(chart: &Chart) -> String {
    let lines = lines::lines(chart);
    let text = lines.iter().map(|line| format!("{}: {}", line.name, layout::figures(chart, line, false)));
    text.collect::<Vec<_>>().join("\n")
}

fn draw(chart: &Chart, size: Size) -> Result<Vec<u8>, ChartError> {
    let colors = theme::colors(chart.theme);
    let canvas = Rc::new(RefCell::new(Canvas::new(size.width, size.height, colors.ground)));
    layout::draw(chart, &colors, &canvas)?;
    let canvas = Rc::try_unwrap(canvas).map_err(|_| ChartError::Draw("the canvas is still in use".to_owned()))?;
    let (pixels, palette) = canvas.into_inner().into_parts();
    encode(size, &pixels, &palette)
}

fn encode(size: Size, pixels: &[u8], palette: &[Rgb]) -> Result<Vec<u8>, ChartError> {
    let mut picture = Vec::with_capacity(CHART_BYTES);
    let mut encoder = png::Encoder::new(&mut picture, size.width, size.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.iter().flat_map(|(r, g, b)| [*r, *g, *b]).collect::<Vec<u8>>());
    encoder.set_compression(png::Compression::Balanced);
    // The PNG specification (12.7) recommends no filter for a palette. The compression sets one of its own, so this comes after it.
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(picture)
}

/// Points of a series in a picture that would be too large otherwise.
const FEWER_POINTS: u32 = 160;

/// See [`FEWER_POINTS`].
const FEWEST_POINTS: u32 = 50;

#[cfg(test)]
mod tests;
