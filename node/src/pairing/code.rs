//! A link as a QR code: for a terminal, and for a page.

use qrcode::{EcLevel, QrCode, render::svg, render::unicode::Dense1x2};

use crate::failure::{Ending, Failure};

/// For a terminal, two rows of it in one line. The light parts are drawn, so that it can be read
/// from a dark screen; cameras take it from a light one too.
pub fn for_terminal(link: &str) -> Result<String, Failure> {
    let code = code(link)?;
    let mut drawn = code.render::<Dense1x2>();
    drawn.dark_color(Dense1x2::Light);
    drawn.light_color(Dense1x2::Dark);
    Ok(drawn.build())
}

/// For a page: an `svg` element.
pub fn for_page(link: &str) -> Result<String, Failure> {
    let drawn = code(link)?.render::<svg::Color<'_>>().build();
    // Without the head of a file of its own.
    Ok(match drawn.find("<svg") {
        Some(at) => drawn[at..].to_owned(),
        None => drawn,
    })
}

fn code(link: &str) -> Result<QrCode, Failure> {
    QrCode::with_error_correction_level(link, EcLevel::L).map_err(|error| {
        Failure::new(
            Ending::Failed,
            "The link is too long for a QR code.",
            "Send the link itself; it works. With --no-qr none is drawn.",
        )
        .because(&error)
    })
}
