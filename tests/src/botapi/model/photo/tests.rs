//! DESIGN 14: photo upload; only a whole picture is one.

use super::*;
use crate::botapi::png;

#[test]
fn a_whole_png_has_a_size() {
    assert_eq!(check_png(&png(80, 40, 1)), Ok(Size { width: 80, height: 40 }));
}

#[test]
fn damaged_pictures_are_refused() {
    let whole = png(8, 8, 1);
    let mut flipped = whole.clone();
    if let Some(byte) = flipped.get_mut(20) {
        *byte ^= 1;
    }
    for (what, bytes) in [
        ("empty", &[][..]),
        ("text", b"not a picture".as_slice()),
        ("only the signature", whole.get(..8).unwrap_or_default()),
        ("cut off", whole.get(..whole.len() - 1).unwrap_or_default()),
        ("a wrong checksum", &flipped),
    ] {
        assert_eq!(check_png(bytes), Err(Refusal::ImageProcessFailed), "{what}");
    }
}

#[test]
fn impossible_dimensions_are_refused() {
    for (width, height) in [(9_000, 1_001), (2_100, 100)] {
        assert_eq!(check_png(&png(width, height, 1)), Err(Refusal::PhotoDimensions), "{width}x{height}");
    }
    assert!(check_png(&png(2_000, 100, 1)).is_ok());
}

#[test]
fn ten_megabytes_are_the_bound() {
    assert_eq!(check_png(&vec![0; (10 << 20) + 1]), Err(Refusal::FileTooBig));
}
