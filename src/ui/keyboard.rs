//! Keys by their place: what a character of a keyboard's layout without Latin letters (Cyrillic, Greek, Hebrew, Arabic, Thai …)
//! would be on a Latin one, so that the letters of the key table are found under every layout.

/// The characters of a keyboard as the United States have it by the number of the key, which X and Linux share: without and
/// with shift.
const PLACES: [(u8, &str, &str); 6] = [
    (10, "1234567890-=", "!@#$%^&*()_+"),
    (24, "qwertyuiop[]", "QWERTYUIOP{}"),
    (38, "asdfghjkl;'", "ASDFGHJKL:\""),
    (49, "`", "~"),
    (51, "\\", "|"),
    (52, "zxcvbnm,./", "ZXCVBNM<>?"),
];

/// The commonest layout of some scripts, for systems that do not tell which layout there is.
const SCRIPTS: [(&str, &str); 6] = [
    ("йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,."),
    ("ёіїєґў", "`s]'\\o"),
    ("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm"),
    ("קראטוןםפשדגכעיחלךףזסבהנמצתץ", "ertyuiopasdfghjkl;zxcvbnm,."),
    ("ضصثقفغعهخحجدشسيبلاتنمكطئءؤرىةوزظ", "qwertyuiop[]asdfghjkl;'zxcvnm,./"),
    ("๑๒๓๔๕๖๗๘๙๐", "1234567890"),
];

/// From so many letters on a layout counts as Latin.
const LATIN_LETTERS: usize = 13;

/// What the keys of a keyboard give: two characters, without and with shift, for each of some layouts.
#[derive(Debug, Default)]
pub(super) struct Keymap {
    /// For each layout, the number of the key and its characters.
    pub(super) layouts: Vec<Vec<(u8, [Option<char>; 2])>>,
}

impl Keymap {
    /// The Latin character on the key that gives `typed` in the layout `active`: that of the first Latin layout there is, else by
    /// its place on an American keyboard. `None` where the layout is Latin itself, or has no such character.
    pub(super) fn latin(&self, active: usize, typed: char) -> Option<char> {
        let layout = self.layouts.get(active).filter(|layout| !is_latin(layout))?;
        let same =
            |found: Option<char>| found.is_some_and(|found| found.to_lowercase().eq(typed.to_lowercase()));
        let (key, shift) = [0, 1].into_iter().find_map(|shift| {
            let (key, _) = layout.iter().find(|(_, characters)| same(characters[shift]))?;
            Some((*key, shift))
        })?;
        let latin = self.layouts.iter().find(|layout| is_latin(layout));
        let labelled = latin.and_then(|layout| layout.iter().find(|(other, _)| *other == key)?.1[shift]);
        labelled.or_else(|| at_place(key, shift))
    }
}

/// The character of an American keyboard at this key.
fn at_place(key: u8, shift: usize) -> Option<char> {
    PLACES.iter().find_map(|&(first, plain, shifted)| {
        [plain, shifted][shift].chars().nth(usize::from(key.checked_sub(first)?))
    })
}

fn is_latin(layout: &[(u8, [Option<char>; 2])]) -> bool {
    let letters =
        layout.iter().filter(|(_, [plain, _])| plain.is_some_and(|plain| plain.is_ascii_alphabetic()));
    letters.count() >= LATIN_LETTERS
}

/// The Latin character where the commonest layout of the character's script has it.
pub(super) fn latin_by_script(typed: char) -> Option<char> {
    let typed = typed.to_lowercase().next()?;
    SCRIPTS
        .iter()
        .find_map(|(script, latin)| latin.chars().nth(script.chars().position(|known| known == typed)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(rows: [&str; 3]) -> Vec<(u8, [Option<char>; 2])> {
        let row = |(first, row): (u8, &str)| -> Vec<_> {
            let both = |plain: char| [Some(plain), plain.to_uppercase().next()];
            (first..).zip(row.chars().map(both)).collect()
        };
        [24, 38, 52].into_iter().zip(rows).flat_map(row).collect()
    }

    fn american() -> Vec<(u8, [Option<char>; 2])> {
        layout(["qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"])
    }

    fn russian() -> Vec<(u8, [Option<char>; 2])> {
        layout(["йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю."])
    }

    #[test]
    fn a_letter_is_found_by_the_place_of_its_key() {
        let alone = Keymap { layouts: vec![russian()] };
        for (typed, latin) in [('й', 'q'), ('Й', 'q'), ('и', 'b'), ('х', '['), ('Б', ','), ('.', '/')] {
            assert_eq!(alone.latin(0, typed), Some(latin), "{typed}");
        }
        assert_eq!((alone.latin(0, 'q'), alone.latin(1, 'й')), (None, None));
        // Phonetic, as another keyboard of the same script has it.
        let phonetic = Keymap {
            layouts: vec![layout(["явертъуиопшщ", "асдфгхйкл;'", "зьцжбнм,./"])]
        };
        assert_eq!((phonetic.latin(0, 'б'), phonetic.latin(0, 'и')), (Some('b'), Some('i')));
    }

    #[test]
    fn what_is_printed_on_the_key_counts_where_it_is_known() {
        let french = layout(["azertyuiop^$", "qsdfghjklmù", "wxcvbn,;:!"]);
        let both = Keymap { layouts: vec![french, russian()] };
        assert_eq!((both.latin(1, 'ф'), both.latin(1, 'й')), (Some('q'), Some('a')));
        // In a Latin layout every character is what it is.
        assert_eq!((both.latin(0, 'a'), both.latin(0, ';'), both.latin(0, 'ф')), (None, None, None));
    }

    #[test]
    fn signs_of_a_layout_without_latin_letters_are_keys_too() {
        let greek = Keymap {
            layouts: vec![layout([";ςερτυθιοπ[]", "ασδφγηξκλ΄'", "ζχψωβνμ,./"]), american()],
        };
        assert_eq!((greek.latin(0, ';'), greek.latin(0, 'β')), (Some('q'), Some('b')));
        assert_eq!(greek.latin(1, ';'), None);
    }

    #[test]
    fn the_tables_have_a_partner_for_each_character() {
        for (script, latin) in SCRIPTS {
            assert_eq!(script.chars().count(), latin.chars().count(), "{script}");
        }
        for (_, plain, shifted) in PLACES {
            assert_eq!(plain.len(), shifted.len());
        }
        let found = ['Й', 'и', 'β', 'ק', 'ض', '๗', 'é', 'q'].map(latin_by_script);
        assert_eq!(found, [Some('q'), Some('b'), Some('b'), Some('e'), Some('q'), Some('7'), None, None]);
        assert_eq!(
            (at_place(24, 0), at_place(59, 1), at_place(65, 0), at_place(0, 0)),
            (Some('q'), Some('<'), None, None)
        );
    }
}
