//! The picture's pixels as indices into a palette that grows with the colours that are drawn: a quarter of the memory of RGBA, and a PNG of one byte
//! a pixel. plotters draws on it.

use std::collections::HashMap;
use std::convert::Infallible;

use plotters_backend::{BackendColor, BackendCoord, BackendStyle, DrawingBackend, DrawingErrorKind};

/// A colour: red, green, blue.
pub(super) type Rgb = (u8, u8, u8);

/// A canvas, row by row.
pub(super) struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
    palette: Vec<Rgb>,
    /// Which index a colour over another has: text and slanted lines mix the same few again and again.
    mixed: HashMap<(u8, Rgb, u8), u8>,
    /// The newest of them: neighbours are most often alike.
    newest: ((u8, Rgb, u8), u8),
}

impl Canvas {
    /// One colour all over. Width and height are in pixels.
    pub(super) fn new(width: u32, height: u32, ground: Rgb) -> Self {
        let pixels = vec![0; width as usize * height as usize];
        let newest = ((0, ground, SOLID), 0);
        Self { width, height, pixels, palette: vec![ground], mixed: HashMap::new(), newest }
    }

    /// The indices of the pixels, row by row, and the colours that they mean.
    pub(super) fn into_parts(self) -> (Vec<u8>, Vec<Rgb>) {
        (self.pixels, self.palette)
    }

    /// Lays a colour over a pixel; `cover` is from 0, nothing, to [`SOLID`]. A pixel beyond the edge is left out.
    fn blend(&mut self, x: i32, y: i32, color: Rgb, cover: u8) {
        let inside = |at: i32, size: u32| u32::try_from(at).ok().filter(|at| *at < size);
        let Some((x, y)) = inside(x, self.width).zip(inside(y, self.height)) else { return };
        let at = y as usize * self.width as usize + x as usize;
        let Some(before) = self.pixels.get(at).copied().filter(|_| cover > 0) else { return };
        let mixture = (before, color, cover);
        if self.newest.0 != mixture {
            self.newest = (mixture, self.mixed(mixture));
        }
        if let Some(pixel) = self.pixels.get_mut(at) {
            *pixel = self.newest.1;
        }
    }

    fn mixed(&mut self, mixture: (u8, Rgb, u8)) -> u8 {
        if let Some(index) = self.mixed.get(&mixture) {
            return *index;
        }
        let (before, color, cover) = mixture;
        let under = self.palette.get(usize::from(before)).copied().unwrap_or_default();
        let index = self.index(mix(under, color, cover));
        self.mixed.insert(mixture, index);
        index
    }

    /// The index of a colour; of the nearest, where the palette is full.
    fn index(&mut self, color: Rgb) -> u8 {
        let distance = |other: &Rgb| {
            let part = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
            part(other.0, color.0) + part(other.1, color.1) + part(other.2, color.2)
        };
        let nearest = self.palette.iter().enumerate().map(|(at, other)| (distance(other), at)).min();
        match nearest {
            Some((far, at)) if far <= SAME || self.palette.len() >= COLORS => u8::try_from(at).unwrap_or_default(),
            Some(_) | None => {
                self.palette.push(color);
                u8::try_from(self.palette.len().saturating_sub(1)).unwrap_or_default()
            }
        }
    }

    /// A line between two points with round ends, `radius` pixels to each side, its edge smooth.
    fn stroke(&mut self, from: BackendCoord, to: BackendCoord, radius: f32, color: BackendColor) {
        let reach = radius.ceil() as i32 + 1;
        let (left, right) = (from.0.min(to.0) - reach, from.0.max(to.0) + reach);
        let (top, bottom) = (from.1.min(to.1) - reach, from.1.max(to.1) + reach);
        let point = |at: BackendCoord| (at.0 as f32, at.1 as f32);
        let ((ax, ay), (bx, by)) = (point(from), point(to));
        let (dx, dy) = (bx - ax, by - ay);
        let length = (dx * dx + dy * dy).max(f32::EPSILON);
        for y in top.max(0)..=bottom.min(self.height as i32 - 1) {
            for x in left.max(0)..=right.min(self.width as i32 - 1) {
                let (px, py) = (x as f32 - ax, y as f32 - ay);
                let along = ((px * dx + py * dy) / length).clamp(0.0, 1.0);
                let (ox, oy) = (px - along * dx, py - along * dy);
                let far = (ox * ox + oy * oy).sqrt();
                let cover = (radius + 0.5 - far).clamp(0.0, 1.0) * color.alpha as f32;
                self.blend(x, y, color.rgb, cover_of(f64::from(cover)));
            }
        }
    }
}

impl DrawingBackend for Canvas {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn ensure_prepared(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn present(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Result<(), DrawingErrorKind<Infallible>> {
        self.blend(point.0, point.1, color.rgb, cover_of(color.alpha));
        Ok(())
    }

    /// plotters' own wide lines have stairs at their edges.
    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        let radius = style.stroke_width() as f32 / 2.0;
        let mut before = None;
        for point in path {
            if let Some(before) = before {
                self.stroke(before, point, radius, style.color());
            }
            before = Some(point);
        }
        Ok(())
    }
}

/// Coverage in few steps, so that the palette holds all that a chart mixes.
fn cover_of(alpha: f64) -> u8 {
    (alpha.clamp(0.0, 1.0) * f64::from(SOLID)).round() as u8
}

fn mix(under: Rgb, over: Rgb, cover: u8) -> Rgb {
    let (solid, cover) = (u32::from(SOLID), u32::from(cover.min(SOLID)));
    let part = |a: u8, b: u8| {
        let sum = u32::from(a) * (solid - cover) + u32::from(b) * cover;
        u8::try_from((sum + solid / 2) / solid).unwrap_or(u8::MAX)
    };
    (part(under.0, over.0), part(under.1, over.1), part(under.2, over.2))
}

/// The whole of a pixel. Eight steps are smooth to the eye at a phone's pixels, and a picture of twice as many is a fifth larger.
const SOLID: u8 = 8;

/// A palette of PNG.
const COLORS: usize = 256;

/// Colours whose squared distance is less are one: about two steps of 256.
const SAME: u32 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    const RED: BackendColor = BackendColor { alpha: 1.0, rgb: (255, 0, 0) };

    #[test]
    fn nothing_is_drawn_beyond_the_edge_and_a_full_palette_takes_the_nearest() {
        // C1: whatever is drawn, a picture comes of it
        let mut canvas = Canvas::new(4, 4, (0, 0, 0));
        for at in [(-1, 0), (0, -1), (4, 0), (0, 4), (i32::MAX, i32::MIN)] {
            canvas.draw_pixel(at, RED).unwrap();
        }
        canvas.stroke((-1_000, -1_000), (1_000, 1_000), 1.0, RED);
        for shade in 0..=255_u8 {
            for other in (0..=255).step_by(16) {
                canvas.draw_pixel((1, 0), BackendColor { alpha: 1.0, rgb: (shade, other, 77) }).unwrap();
            }
        }
        let (pixels, palette) = canvas.into_parts();
        assert_eq!((pixels.len(), palette.len()), (16, 256));
        assert_eq!(palette[usize::from(pixels[5])], (255, 0, 0));
    }

    #[test]
    fn a_line_is_smooth_at_its_edge_and_solid_within() {
        // C1
        let mut canvas = Canvas::new(20, 20, (255, 255, 255));
        canvas.stroke((2, 2), (17, 12), 1.5, BackendColor { alpha: 1.0, rgb: (0, 0, 0) });
        let (pixels, palette) = canvas.into_parts();
        let shades: std::collections::BTreeSet<u8> = pixels.iter().map(|at| palette[usize::from(*at)].0).collect();
        assert!(shades.contains(&0) && shades.contains(&255) && shades.len() > 4, "{shades:?}");
    }
}
