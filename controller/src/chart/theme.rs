//! The colours of a chart. The lines are told apart by colour-blind readers too, and each has a contrast of 3:1 or more to its ground (WCAG 1.4.11).

use constella_core::bot::kit::chart::Theme;

use super::canvas::Rgb;

/// The colours of one theme.
pub(super) struct Colors {
    pub(super) ground: Rgb,
    pub(super) text: Rgb,
    /// Labels of the axes, and what is said beside the title.
    pub(super) faint: Rgb,
    pub(super) grid: Rgb,
    /// One for each node or channel.
    pub(super) lines: [Rgb; 6],
}

/// The colours of a theme. Telegram's own grounds are alike, so the picture does not glare in the chat.
pub(super) const fn colors(theme: Theme) -> Colors {
    match theme {
        Theme::Dark => Colors {
            ground: (24, 31, 40),
            text: (240, 244, 248),
            faint: (160, 174, 188),
            grid: (52, 63, 75),
            lines: [(78, 176, 255), (255, 170, 60), (70, 211, 154), (240, 128, 200), (238, 222, 90), (176, 150, 255)],
        },
        Theme::Light => Colors {
            ground: (255, 255, 255),
            text: (24, 31, 40),
            faint: (92, 104, 117),
            grid: (222, 228, 234),
            lines: [(0, 114, 206), (205, 92, 0), (0, 135, 90), (186, 40, 130), (140, 116, 0), (104, 72, 205)],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2, relative luminance.
    fn luminance((r, g, b): Rgb) -> f64 {
        let part = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
    }

    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn lines_and_words_stand_out_from_their_ground() {
        // C1: readable on a phone, dark and light
        for theme in [Theme::Dark, Theme::Light] {
            let colors = colors(theme);
            for line in colors.lines {
                assert!(contrast(line, colors.ground) >= 3.0, "{theme:?} {line:?}");
            }
            for text in [colors.text, colors.faint] {
                assert!(contrast(text, colors.ground) >= 4.5, "{theme:?} {text:?}");
            }
        }
    }
}
