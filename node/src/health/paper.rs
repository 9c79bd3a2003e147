//! Paper: what is printed or sent as a PDF that everybody can read today, with the data inside it
//! for whoever's program can.
//!
//! A page is laid out first and drawn at the end. The file is PDF/A-3b (ISO 19005-3): its fonts are
//! in it, and files may be attached.

mod emergency;
mod fonts;
mod summary;
#[cfg(test)]
mod tests;

use krilla::{
    Document, SerializeSettings,
    configure::{Archival, ConfigurationBuilder},
    embed::{AssociationKind, EmbeddedFile, MimeType},
    geom::{PathBuilder, Point, Rect},
    metadata::{DateTime, Metadata},
    page::PageSettings,
    text::TextDirection,
};
use qrcode::{Color, EcLevel, QrCode};

use self::fonts::{Fonts, Weight};

pub use emergency::{Needed, emergency};
pub use summary::summary;

/// A4 in points, and its margins.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const MARGIN: f32 = 50.0;

/// Sizes of text in points, and the height of a line against them.
const TITLE: f32 = 20.0;
const HEADING: f32 = 13.0;
const TEXT: f32 = 10.5;
const SMALL: f32 = 8.5;
const LEADING: f32 = 1.35;

/// Why no paper was made.
#[derive(Debug, thiserror::Error)]
pub enum PaperError {
    /// The fonts of this build cannot be used.
    #[error("the fonts of this build cannot be used")]
    Fonts,
    /// The link is too long for a code.
    #[error("the link is too long for a code")]
    Code,
    /// The PDF library refused.
    #[error("the file could not be made: {0}")]
    File(String),
}

/// A file inside the paper.
pub struct Attachment<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Its media type.
    pub media_type: &'a str,
    /// What it is, in words.
    pub what: &'a str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A run of text at a place.
struct Run {
    x: f32,
    y: f32,
    size: f32,
    weight: Weight,
    text: String,
}

/// One sheet: its text, and what is black on it.
#[derive(Default)]
struct Sheet {
    runs: Vec<Run>,
    boxes: Vec<Rect>,
}

/// Paper in the making.
struct Paper {
    fonts: Fonts,
    sheets: Vec<Sheet>,
    /// How far down the last sheet is written.
    y: f32,
    /// What stands at the foot of each sheet.
    foot: String,
}

impl Paper {
    fn new(foot: &str) -> Result<Self, PaperError> {
        let fonts = Fonts::load().ok_or(PaperError::Fonts)?;
        let mut paper = Self {
            foot: fonts.drawable(foot),
            fonts,
            sheets: Vec::new(),
            y: 0.0,
        };
        paper.turn();
        Ok(paper)
    }

    /// Goes on with another sheet.
    fn turn(&mut self) {
        self.sheets.push(Sheet::default());
        self.y = MARGIN;
    }

    fn sheet(&mut self) -> &mut Sheet {
        if self.sheets.is_empty() {
            self.sheets.push(Sheet::default());
        }
        let last = self.sheets.len() - 1;
        &mut self.sheets[last]
    }

    /// Room for something of this height, on the next sheet where this one has none.
    fn room(&mut self, height: f32) {
        if self.y + height > HEIGHT - MARGIN - SMALL * 2.0 {
            self.turn();
        }
    }

    fn space(&mut self, height: f32) {
        self.y += height;
    }

    fn title(&mut self, text: &str) {
        self.lines(text, 0.0, TITLE, Weight::Bold);
        self.space(4.0);
    }

    fn heading(&mut self, text: &str) {
        self.space(8.0);
        // A heading stands with something beneath it.
        self.room((HEADING + TEXT * 2.0) * LEADING);
        self.lines(text, 0.0, HEADING, Weight::Bold);
        let (y, left) = (self.y + 1.0, MARGIN);
        let line = Rect::from_xywh(left, y, WIDTH - 2.0 * MARGIN, 0.7);
        self.sheet().boxes.extend(line);
        self.space(5.0);
    }

    fn paragraph(&mut self, text: &str) {
        self.lines(text, 0.0, TEXT, Weight::Regular);
        self.space(2.0);
    }

    fn strong(&mut self, text: &str) {
        self.lines(text, 0.0, TEXT, Weight::Bold);
        self.space(2.0);
    }

    fn small(&mut self, text: &str) {
        self.lines(text, 0.0, SMALL, Weight::Regular);
        self.space(1.0);
    }

    /// One thing of several: what it is, and what is said of it.
    fn item(&mut self, what: &str, details: &str) {
        self.room(TEXT * LEADING * 2.0);
        let y = self.y + TEXT * 0.62;
        let dot = Rect::from_xywh(MARGIN + 2.0, y, 2.6, 2.6);
        self.sheet().boxes.extend(dot);
        self.lines(what, 12.0, TEXT, Weight::Bold);
        if !details.is_empty() {
            self.lines(details, 12.0, SMALL + 0.5, Weight::Regular);
        }
        self.space(3.0);
    }

    /// Text in lines, broken where it is too wide.
    fn lines(&mut self, text: &str, indent: f32, size: f32, weight: Weight) {
        let width = WIDTH - 2.0 * MARGIN - indent;
        for paragraph in text.lines() {
            for line in self.fonts.broken(paragraph, size, weight, width) {
                self.room(size * LEADING);
                let run = Run {
                    x: MARGIN + indent,
                    y: self.y + size,
                    size,
                    weight,
                    text: line,
                };
                self.sheet().runs.push(run);
                self.y += size * LEADING;
            }
        }
    }

    /// A link as a QR code of this width.
    fn code(&mut self, link: &str, width: f32) -> Result<(), PaperError> {
        let code = QrCode::with_error_correction_level(link, EcLevel::L);
        let code = code.map_err(|_| PaperError::Code)?;
        self.room(width);
        let across = code.width();
        let (left, top) = (MARGIN, self.y);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a QR code has at most 177 modules across"
        )]
        let module = width / across as f32;
        for (n, color) in code.to_colors().into_iter().enumerate() {
            if color == Color::Dark {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "a QR code has at most 177 modules across"
                )]
                let (x, y) = ((n % across) as f32, (n / across) as f32);
                // A hair wider than a module, so that printers leave no gaps.
                let dark = Rect::from_xywh(
                    left + x * module,
                    top + y * module,
                    module + 0.05,
                    module + 0.05,
                );
                self.sheet().boxes.extend(dark);
            }
        }
        self.space(width + 6.0);
        Ok(())
    }

    /// The file.
    fn finish(
        self,
        title: &str,
        made: &str,
        attached: Vec<Attachment<'_>>,
    ) -> Result<Vec<u8>, PaperError> {
        let refused = |why: &dyn std::fmt::Debug| PaperError::File(format!("{why:?}"));
        let configuration = ConfigurationBuilder::new()
            .with_archival_validator(Archival::A3_B)
            .finish()
            .map_err(|why| refused(&why))?;
        let mut document = Document::new_with(SerializeSettings {
            configuration,
            ..SerializeSettings::default()
        });
        let date = date(made);
        let mut about = Metadata::new()
            .title(self.fonts.drawable(title))
            .language("en-GB".to_owned())
            .creator("kith".to_owned());
        if let Some(date) = date {
            about = about.creation_date(date);
        }
        document.set_metadata(about);
        for file in attached {
            document.embed_file(EmbeddedFile {
                path: file.name.to_owned(),
                mime_type: MimeType::new(file.media_type),
                description: Some(file.what.to_owned()),
                association_kind: AssociationKind::Data,
                data: file.bytes.into(),
                modification_date: date,
                compress: Some(true),
                location: None,
            });
        }
        let of = self.sheets.len();
        for (n, sheet) in (1..).zip(&self.sheets) {
            let settings = PageSettings::from_wh(WIDTH, HEIGHT);
            let settings = settings.ok_or_else(|| PaperError::File("the size of A4".to_owned()))?;
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            let mut path = PathBuilder::new();
            for black in &sheet.boxes {
                path.push_rect(*black);
            }
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
            let foot = Run {
                x: MARGIN,
                y: HEIGHT - MARGIN + SMALL,
                size: SMALL,
                weight: Weight::Regular,
                text: format!("{} - page {n} of {of}", self.foot),
            };
            for run in sheet.runs.iter().chain([&foot]) {
                let font = self.fonts.font(run.weight);
                let place = Point::from_xy(run.x, run.y);
                surface.draw_text(place, font, run.size, &run.text, false, TextDirection::Auto);
            }
            surface.finish();
            page.finish();
        }
        document.finish().map_err(|why| refused(&why))
    }
}

/// A moment as the library has it.
fn date(made: &str) -> Option<DateTime> {
    let moment: jiff::Timestamp = made.parse().ok()?;
    let at = jiff::tz::Offset::UTC.to_datetime(moment);
    let part = |value: i8| u8::try_from(value).ok();
    Some(
        DateTime::new(u16::try_from(at.year()).ok()?)
            .month(part(at.month())?)
            .day(part(at.day())?)
            .hour(part(at.hour())?)
            .minute(part(at.minute())?)
            .second(part(at.second())?)
            .utc_offset_hour(0)
            .utc_offset_minute(0),
    )
}
