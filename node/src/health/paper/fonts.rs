//! The two fonts of the paper (DejaVu Sans), and where their lines break.

use krilla::text::Font;
use ttf_parser::Face;

/// How heavy letters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

pub(super) struct Fonts {
    regular: (Font, Face<'static>),
    bold: (Font, Face<'static>),
}

/// What stands for a character that the fonts do not have.
const UNKNOWN: char = '\u{fffd}';

impl Fonts {
    pub fn load() -> Option<Self> {
        let load = |bytes: &'static [u8]| {
            let font = Font::new(bytes.to_vec().into(), 0)?;
            Some((font, Face::parse(bytes, 0).ok()?))
        };
        Some(Self {
            regular: load(dejavu::sans::regular())?,
            bold: load(dejavu::sans::bold())?,
        })
    }

    pub fn font(&self, weight: Weight) -> Font {
        self.of(weight).0.clone()
    }

    const fn of(&self, weight: Weight) -> &(Font, Face<'static>) {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    /// Text with only characters that both fonts have. One that they lack is shown to be missing,
    /// and nothing reorders what stands around it.
    pub fn drawable(&self, text: &str) -> String {
        let steers = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        text.chars()
            .filter(|c| !steers(*c))
            .map(|c| match c {
                c if c.is_control() => ' ',
                c if self.has(c) => c,
                _ => UNKNOWN,
            })
            .collect()
    }

    fn has(&self, c: char) -> bool {
        [&self.regular, &self.bold]
            .into_iter()
            .all(|(_, face)| face.glyph_index(c).is_some())
    }

    /// Lines of at most this width, in points.
    pub fn broken(&self, text: &str, size: f32, weight: Weight, width: f32) -> Vec<String> {
        let text = self.drawable(text);
        let mut lines = Vec::new();
        let mut line = String::new();
        for word in text.split_whitespace() {
            let longer = if line.is_empty() {
                word.to_owned()
            } else {
                format!("{line} {word}")
            };
            if self.width(&longer, size, weight) <= width {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line = self.pieces(word, (size, weight, width), &mut lines);
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines
    }

    /// Breaks a word that is wider than a line; gives back what is left of it.
    fn pieces(
        &self,
        word: &str,
        (size, weight, width): (f32, Weight, f32),
        lines: &mut Vec<String>,
    ) -> String {
        let mut piece = String::new();
        let mut wide = 0.0;
        for c in word.chars() {
            let advance = self.advance(c, size, weight);
            if wide + advance > width && !piece.is_empty() {
                lines.push(std::mem::take(&mut piece));
                wide = 0.0;
            }
            piece.push(c);
            wide += advance;
        }
        piece
    }

    pub fn width(&self, text: &str, size: f32, weight: Weight) -> f32 {
        text.chars().map(|c| self.advance(c, size, weight)).sum()
    }

    fn advance(&self, c: char, size: f32, weight: Weight) -> f32 {
        let face = &self.of(weight).1;
        let glyph = face.glyph_index(c);
        let advance = glyph.and_then(|glyph| face.glyph_hor_advance(glyph));
        f32::from(advance.unwrap_or(0)) / f32::from(face.units_per_em()) * size
    }
}
