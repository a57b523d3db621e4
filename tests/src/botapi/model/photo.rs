//! Whether an upload is a picture that Telegram would take: a whole PNG, within its bounds.
//!
//! Telegram takes other formats too; the product draws PNG only, so the double refuses the rest.

use super::refusal::Refusal;

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Reads every chunk of a PNG with its checksum.
///
/// # Errors
/// Telegram's: too big, not an image, impossible dimensions.
pub fn check_png(bytes: &[u8]) -> Result<Size, Refusal> {
    if bytes.len() > MAX_BYTES {
        return Err(Refusal::FileTooBig);
    }
    let mut rest = bytes.strip_prefix(&SIGNATURE).ok_or(Refusal::ImageProcessFailed)?;
    let mut size = None;
    let mut has_data = false;
    loop {
        let (kind, data, after) = chunk(rest).ok_or(Refusal::ImageProcessFailed)?;
        match (kind, size) {
            (b"IHDR", None) => size = Some(header(data).ok_or(Refusal::ImageProcessFailed)?),
            (_, None) => return Err(Refusal::ImageProcessFailed),
            (b"IDAT", _) => has_data |= !data.is_empty(),
            (b"IEND", Some(size)) if has_data => return within_bounds(size),
            (b"IEND", _) => return Err(Refusal::ImageProcessFailed),
            _ => {}
        }
        rest = after;
    }
}

fn within_bounds(size: Size) -> Result<Size, Refusal> {
    let (long, short) = (size.width.max(size.height), size.width.min(size.height));
    let fits = short > 0 && long.saturating_add(short) <= MAX_SIDES && long / short <= MAX_RATIO;
    if fits { Ok(size) } else { Err(Refusal::PhotoDimensions) }
}

/// Kind, data and what follows, if the chunk is whole and its checksum fits.
fn chunk(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length) as usize;
    let (checked, after) = rest.split_at_checked(length.checked_add(4)?)?;
    let (kind, data) = checked.split_first_chunk::<4>()?;
    let (sum, after) = after.split_first_chunk::<4>()?;
    (crc32(checked) == u32::from_be_bytes(*sum)).then_some((kind, data, after))
}

fn header(data: &[u8]) -> Option<Size> {
    let (width, rest) = data.split_first_chunk::<4>()?;
    let (height, rest) = rest.split_first_chunk::<4>()?;
    let size = Size { width: u32::from_be_bytes(*width), height: u32::from_be_bytes(*height) };
    // PNG 11.2.2: depth, colour type, compression, filter, interlace.
    (rest.len() == 5 && size.width > 0 && size.height > 0).then_some(size)
}

/// A real PNG of one grey shade, uncompressed inside: for tests of uploads. Any other shade is another picture.
#[must_use]
pub fn png_of(width: u32, height: u32, shade: u8) -> Vec<u8> {
    let header: Vec<u8> =
        [width.to_be_bytes(), height.to_be_bytes()].concat().into_iter().chain([8, 0, 0, 0, 0]).collect();
    let row: Vec<u8> = std::iter::once(0).chain(std::iter::repeat_n(shade, width as usize)).collect();
    let pixels = row.repeat(height as usize);
    let mut png = SIGNATURE.to_vec();
    for (kind, data) in [(b"IHDR", header), (b"IDAT", zlib_stored(&pixels)), (b"IEND", Vec::new())] {
        let checked = [kind.as_slice(), &data].concat();
        png.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
        png.extend(&checked);
        png.extend(crc32(&checked).to_be_bytes());
    }
    png
}

/// RFC 1950 with stored blocks (RFC 1951, 3.2.4).
fn zlib_stored(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = data.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let (a, b) = data.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % ADLER;
        (a, (b + a) % ADLER)
    });
    stream.extend((b << 16 | a).to_be_bytes());
    stream
}

/// CRC-32 of PNG (annex D): reflected polynomial 0xEDB88320.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// RFC 1950, Adler-32.
const ADLER: u32 = 65_521;
/// PNG 5.2.
const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];
/// Bot API, sendPhoto: at most 10 MB.
const MAX_BYTES: usize = 10 << 20;
/// Bot API, sendPhoto: width and height together at most 10,000.
const MAX_SIDES: u32 = 10_000;
/// Bot API, sendPhoto: the ratio at most 20.
const MAX_RATIO: u32 = 20;

#[cfg(test)]
mod tests;
