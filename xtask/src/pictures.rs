//! Copies the browser test's pictures for the docs, with 256 colours, because everybody who clones the repository
//! downloads them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use png::{BitDepth, ColorType, Compression, Decoder, Encoder};

use crate::tools::Failure;

/// The pictures that the docs show.
const SHOWN: [&str; 10] = [
    "mail-390-light",
    "mail-390-dark",
    "mail-second-level-390-light",
    "mail-second-level-390-dark",
    "mail-status-update-390-light",
    "mail-status-update-390-dark",
    "claim-390-light",
    "claim-390-dark",
    "list-1280-light",
    "list-390-dark",
];

/// The maximum size of a picture, in bytes.
const MAX_BYTES: u64 = 60_000;

type Colour = [u8; 3];

/// Copies the pictures that the docs show.
pub(crate) fn keep(taken: &Path, docs: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(docs)?;
    for name in SHOWN {
        let (from, to) = (taken.join(format!("{name}.png")), docs.join(format!("{name}.png")));
        reduce(&from, &to)?;
        let size = std::fs::metadata(&to)?.len();
        println!("{size:>6} bytes  {}", to.display());
        if size > MAX_BYTES {
            return Err(format!("{} is larger than {MAX_BYTES} bytes", to.display()).into());
        }
    }
    Ok(())
}

/// Writes a picture with its 256 most frequent colours. Other colours become the nearest of them.
fn reduce(from: &Path, to: &Path) -> Result<(), Failure> {
    let mut reader = Decoder::new(BufReader::new(File::open(from)?)).read_info()?;
    let mut bytes = vec![0; reader.output_buffer_size().ok_or("the picture is too large")?];
    let info = reader.next_frame(&mut bytes)?;
    if (info.color_type, info.bit_depth) != (ColorType::Rgb, BitDepth::Eight) {
        return Err(format!("{} is not in plain colours", from.display()).into());
    }
    let (pixels, _) = bytes[..info.buffer_size()].as_chunks::<3>();
    let mut count: HashMap<Colour, usize> = HashMap::new();
    for pixel in pixels {
        *count.entry(*pixel).or_default() += 1;
    }
    let mut colours: Vec<Colour> = count.keys().copied().collect();
    colours.sort_by_key(|colour| (std::cmp::Reverse(count[colour]), *colour));
    let palette = &colours[..colours.len().min(256)];
    let nearest: HashMap<Colour, u8> =
        colours.iter().map(|colour| (*colour, place_of_nearest(*colour, palette))).collect();
    let mut encoder = Encoder::new(BufWriter::new(File::create(to)?), info.width, info.height);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(palette.as_flattened().to_vec());
    encoder.set_compression(Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let indexed: Vec<u8> = pixels.iter().map(|pixel| nearest[pixel]).collect();
    encoder.write_header()?.write_image_data(&indexed)?;
    Ok(())
}

fn place_of_nearest(colour: Colour, palette: &[Colour]) -> u8 {
    let distance = |other: &Colour| -> u32 {
        colour.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum()
    };
    let nearest = (0u8..=255).zip(palette).min_by_key(|(_, other)| distance(other));
    nearest.map_or(0, |(place, _)| place)
}
