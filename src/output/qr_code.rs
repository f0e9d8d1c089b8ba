//! A QR code (ISO/IEC 18004) as text, two rows of modules in each line.

use qrcode::{Color, EcLevel, QrCode};

/// Light modules around the code, which scanners need to find it.
const QUIET_ZONE: usize = 4;

/// Black on white, whatever the terminal's own colours are.
const BLACK_ON_WHITE: &str = "\u{1b}[38;5;16;48;5;231m";
const RESET: &str = "\u{1b}[0m";

/// The QR code of a text; `None` where it would not fit into so many columns.
/// Without colour the terminal is taken to be dark.
pub fn qr_code(text: &str, colour: bool, columns: Option<usize>) -> Option<String> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::L).ok()?;
    let side = code.width() + 2 * QUIET_ZONE;
    if columns.is_some_and(|columns| columns < side) {
        return None;
    }
    let is_dark = |x: usize, y: usize| {
        let inside = QUIET_ZONE..QUIET_ZONE + code.width();
        inside.contains(&x) && inside.contains(&y) && code[(x - QUIET_ZONE, y - QUIET_ZONE)] == Color::Dark
    };
    let mut lines = Vec::new();
    for y in (0..side).step_by(2) {
        let line: String = (0..side)
            .map(|x| {
                // What is below the last row is light where light is drawn, and nothing where it is not.
                let (above, below) = (is_dark(x, y), is_dark(x, y + 1));
                match (above == colour, below == colour) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                }
            })
            .collect();
        lines.push(match colour {
            true => format!("{BLACK_ON_WHITE}{line}{RESET}"),
            false => line,
        });
    }
    Some(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_stands_in_its_place_with_and_without_colour() {
        let text = "https://example.com/device?user_code=WDJB-MJHT";
        let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::L).unwrap();
        for colour in [true, false] {
            let shown = qr_code(text, colour, None).unwrap();
            let shown = shown.replace(BLACK_ON_WHITE, "").replace(RESET, "");
            let mut rows: Vec<Vec<bool>> = Vec::new();
            for line in shown.lines() {
                let drawn = |blocks: [char; 2]| line.chars().map(|block| blocks.contains(&block) == colour).collect();
                rows.push(drawn(['█', '▀']));
                rows.push(drawn(['█', '▄']));
            }
            let dark = rows.iter().flatten().filter(|dark| **dark).count();
            let expected = code.to_colors().iter().filter(|color| **color == Color::Dark).count();
            assert_eq!(dark, expected, "colour {colour}");
            for y in 0..code.width() {
                for x in 0..code.width() {
                    let is_dark = rows[y + QUIET_ZONE][x + QUIET_ZONE];
                    assert_eq!(is_dark, code[(x, y)] == Color::Dark, "{x} {y}, colour {colour}");
                }
            }
        }
    }

    #[test]
    fn one_that_does_not_fit_is_not_drawn() {
        let text = "https://example.com/device?user_code=WDJB-MJHT";
        let width = qr_code(text, false, None)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .chars()
            .count();
        assert!(qr_code(text, false, Some(width)).is_some());
        assert!(qr_code(text, false, Some(width - 1)).is_none());
        assert!(qr_code(&"x".repeat(10_000), false, None).is_none());
    }
}
