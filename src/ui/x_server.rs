//! What an X server says of itself that minifb does not: which pixels its display has, and which characters its keys give. Asked
//! over a connection of its own.

use x11rb::connection::Connection;
use x11rb::protocol::xkb::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageOrder, VisualClass};
use x11rb::rust_connection::RustConnection;
use xkeysym::Keysym;

use super::keyboard::Keymap;

/// A connection to the X server that the environment names.
pub(super) struct XServer {
    connection: RustConnection,
    screen: usize,
    /// Whether it tells which of several layouts is active.
    has_layouts: bool,
}

/// How a display stores a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PixelFormat {
    /// Bits that count.
    depth: u8,
    /// Bits that are stored.
    bits: u8,
    /// Whether a pixel is its colour, not a number in a table.
    is_colour: bool,
    /// The bits of red, green and blue.
    masks: [u32; 3],
    /// Whether the lowest byte is the first.
    little_endian: bool,
}

impl PixelFormat {
    /// Why minifb cannot show pictures there: it writes pixels of four bytes, blue, green, red, nothing, and ends the program
    /// where those do not fit.
    fn trouble(self) -> Option<String> {
        let fits = matches!(self.depth, 24 | 32)
            && self.bits == 32
            && self.is_colour
            && self.masks == [0xff_0000, 0xff00, 0xff]
            && self.little_endian == cfg!(target_endian = "little");
        let colours = if self.is_colour { "" } else { ", by a table of colours" };
        (!fits).then(|| {
            let [red, green, blue] = self.masks;
            format!(
                "the display's pixels have a depth of {} bits ({} stored, red {red:x}, green {green:x}, blue \
                 {blue:x}{colours}); a window needs 24 bits with 8 for each colour",
                self.depth, self.bits
            )
        })
    }
}

impl XServer {
    /// Connects; `None` where there is no server, or it does not let us.
    pub(super) fn connect() -> Option<Self> {
        let (connection, screen) = x11rb::connect(None).ok()?;
        let has_layouts = connection
            .xkb_use_extension(1, 0)
            .ok()
            .and_then(|cookie| cookie.reply().ok())
            .is_some_and(|reply| reply.supported);
        Some(Self { connection, screen, has_layouts })
    }

    /// Why no window can be shown on this display, if that is so.
    pub(super) fn trouble(&self) -> Option<String> {
        self.pixel_format()?.trouble()
    }

    fn pixel_format(&self) -> Option<PixelFormat> {
        let setup = self.connection.setup();
        let screen = setup.roots.get(self.screen)?;
        let depth = screen.root_depth;
        let visuals = screen.allowed_depths.iter().flat_map(|depth| &depth.visuals);
        let visual = visuals.into_iter().find(|visual| visual.visual_id == screen.root_visual)?;
        let stored = setup.pixmap_formats.iter().find(|format| format.depth == depth)?;
        Some(PixelFormat {
            depth,
            bits: stored.bits_per_pixel,
            is_colour: visual.class == VisualClass::TRUE_COLOR,
            masks: [visual.red_mask, visual.green_mask, visual.blue_mask],
            little_endian: setup.image_byte_order == ImageOrder::LSB_FIRST,
        })
    }

    /// The Latin character on the key that gives this one, where the active layout has no Latin letters. The layouts are asked
    /// for each time: they may have changed.
    pub(super) fn latin(&self, typed: char) -> Option<char> {
        let setup = self.connection.setup();
        let count = setup.max_keycode.checked_sub(setup.min_keycode)?.checked_add(1)?;
        let reply = self.connection.get_keyboard_mapping(setup.min_keycode, count).ok()?.reply().ok()?;
        let keymap = keymap(setup.min_keycode, reply.keysyms_per_keycode.into(), &reply.keysyms);
        keymap.latin(self.active_layout(), typed)
    }

    fn active_layout(&self) -> usize {
        if !self.has_layouts {
            return 0;
        }
        let state = self.connection.xkb_get_state(xkb::ID::USE_CORE_KBD.into()).ok();
        state.and_then(|cookie| cookie.reply().ok()).map_or(0, |state| usize::from(u8::from(state.group)))
    }
}

/// The layouts in a table of the core protocol: two characters of the first layout, two of the second, then those of further
/// ones, which are taken to be two as well.
fn keymap(first: u8, width: usize, keysyms: &[u32]) -> Keymap {
    let character = |keysym: &u32| Keysym::new(*keysym).key_char();
    let rows = || (first..=u8::MAX).zip(keysyms.chunks_exact(width.max(1)));
    let layout = |number: usize| {
        let pair = |row: &[u32]| {
            let own =
                row.get(number * 2..number * 2 + 2).filter(|pair| pair.iter().any(|keysym| *keysym != 0));
            own.map(|pair| [pair.first().and_then(character), pair.get(1).and_then(character)])
        };
        rows().filter_map(|(key, row)| Some((key, pair(row)?))).collect()
    };
    Keymap { layouts: (0..width / 2).map(layout).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: PixelFormat = PixelFormat {
        depth: 24,
        bits: 32,
        is_colour: true,
        masks: [0xff_0000, 0xff00, 0xff],
        little_endian: cfg!(target_endian = "little"),
    };

    #[test]
    fn only_pixels_that_the_window_can_write_will_do() {
        assert_eq!(USUAL.trouble(), None);
        assert_eq!(PixelFormat { depth: 32, ..USUAL }.trouble(), None);
        for (odd, word) in [
            (PixelFormat { depth: 8, bits: 8, is_colour: false, masks: [0; 3], ..USUAL }, "8 bits (8 stored"),
            (
                PixelFormat { depth: 15, bits: 16, masks: [0x7c00, 0x3e0, 0x1f], ..USUAL },
                "15 bits (16 stored",
            ),
            (
                PixelFormat { depth: 16, bits: 16, masks: [0xf800, 0x7e0, 0x1f], ..USUAL },
                "red f800, green 7e0, blue 1f",
            ),
            (PixelFormat { depth: 30, masks: [0x3ff0_0000, 0xf_fc00, 0x3ff], ..USUAL }, "30 bits"),
            (PixelFormat { bits: 24, ..USUAL }, "24 stored"),
            (PixelFormat { masks: [0xff, 0xff00, 0xff_0000], ..USUAL }, "red ff,"),
            (PixelFormat { little_endian: !USUAL.little_endian, ..USUAL }, "24 bits"),
        ] {
            let said = odd.trouble().unwrap_or_default();
            assert!(said.contains(word), "{odd:?}: {said}");
        }
    }

    #[test]
    fn a_table_of_keys_is_read_layout_by_layout() {
        // Keys 24 and 25: q, w; Cyrillic_shorti (0x6ca), Cyrillic_tse (0x6c3) with their capitals. Key 26: nothing.
        let rows = [[0x71, 0x51, 0x6ca, 0x6ea], [0x77, 0x57, 0x6c3, 0x6e3], [0; 4]].concat();
        let keymap = keymap(24, 4, &rows);
        assert_eq!(keymap.layouts.len(), 2);
        assert_eq!(keymap.layouts[1], [(24, [Some('й'), Some('Й')]), (25, [Some('ц'), Some('Ц')])]);
        assert_eq!(keymap.latin(1, 'Ц'), Some('w'));
        assert!(super::keymap(8, 0, &rows).layouts.is_empty());
        assert!(super::keymap(255, 1, &rows).layouts.is_empty());
    }
}
