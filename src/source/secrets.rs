//! Keeps passwords out of all that leaves the program. Every address that is named as a source tells its secrets here
//! ([`learn`]); every text on its way out goes through [`redact`], which leaves them out wherever they stand and however they
//! are written, and besides whatever looks like the secret of an address that nobody named.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::sync::lock;

/// A shorter one would be found in texts that have nothing to do with it; in addresses it is left out all the same.
const SHORTEST: usize = 4;
/// How many secrets are kept: sources are few.
const MOST: usize = 512;
/// What stands where a secret was.
const HIDDEN: &str = "…";

/// Parts of the names of parameters whose values are secret, in addresses.
const IN_ADDRESSES: [&str; 13] = [
    "pas",
    "pwd",
    "psw",
    "psd",
    "token",
    "secret",
    "auth",
    "key",
    "sig",
    "user",
    "usr",
    "login",
    "credential",
];
/// Whole names of such parameters.
const WHOLE: [&str; 4] = ["u", "p", "pw", "sid"];
/// The same in any text, where words are not parameters as a rule.
const ANYWHERE: [&str; 5] = ["passw", "passwd", "pwd", "psw", "secret"];

/// The secrets of all addresses, as they may be written.
static KNOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Remembers what is secret in the address of a source: a password before the host, the values of parameters that are called
/// like one, wherever in the address they stand.
pub(super) fn learn(address: &str) {
    let mut found = Vec::new();
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    if may_hold_password(rest)
        && let Some((user, _)) = rest.rsplit_once('@')
    {
        let password = user.split_once(':').map_or(user, |(_, password)| password);
        // An address within the password's place, or two of them.
        found.extend(password.split('@').chain([password]).map(str::to_owned));
    }
    for (key, value) in pairs(rest) {
        if is_secret(key) && !is_name(key) {
            let shorter = value.split(['/', '?', '#', ',', '@']).next().unwrap_or_default();
            let before_next =
                value.find('=').and_then(|at| value.get(..at)?.rsplit_once('_')).map(|(own, _)| own);
            found.extend([Some(value), Some(shorter), before_next].into_iter().flatten().map(str::to_owned));
        }
    }
    let mut known = lock(&KNOWN);
    for secret in found {
        for form in [decoded(&secret), encoded(&decoded(&secret)), secret] {
            if form.chars().count() >= SHORTEST && known.len() < MOST {
                known.insert(form.to_ascii_lowercase());
            }
        }
    }
}

/// `text` without passwords: those of the sources, and the user names, passwords and secret parameters of every address in it.
pub fn redact(text: &str) -> String {
    let text = without_known(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        push_words(&mut out, before);
        let (address, tail) = after.split_at(address_end(after));
        push_address(&mut out, address);
        rest = tail;
    }
    push_words(&mut out, rest);
    out
}

/// Leaves known secrets out, the longest first; capitals do not count.
fn without_known(text: &str) -> String {
    let known = lock(&KNOWN);
    if known.is_empty() {
        return text.to_owned();
    }
    let mut secrets: Vec<&String> = known.iter().collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let mut text = text.to_owned();
    for secret in secrets {
        // Small letters of ASCII are where the capitals are.
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.to_ascii_lowercase().find(secret.as_str()))
        {
            text.replace_range(from + at..from + at + secret.len(), HIDDEN);
            from += at + HIDDEN.len();
        }
    }
    text
}

/// Text beside addresses: what looks like a pair of a password, or like a user, a password and a host, is left out.
fn push_words(out: &mut String, text: &str) {
    for word in text.split_inclusive(char::is_whitespace) {
        // `user:password@host/path`, an address whose beginning is missing.
        let whole = match word.rsplit_once('@') {
            Some((user, host)) if user.contains(':') && !user.contains('[') && host.len() > 1 => host,
            _ => word,
        };
        let secret = |key: &str| ANYWHERE.iter().any(|word| key.contains(word));
        push_pairs(out, whole, secret);
    }
}

/// Where the address ends that `text` begins with: at a space or a quote, but a password may hold a quote too.
fn address_end(text: &str) -> usize {
    let word = text.split(char::is_whitespace).next().unwrap_or_default();
    let host = match word.rfind('@') {
        Some(at) if may_hold_password(word) => at,
        _ => 0,
    };
    let quote = |(at, c): (usize, char)| (at >= host && matches!(c, '\'' | '"' | '<' | '>')).then_some(at);
    word.char_indices().find_map(quote).unwrap_or(word.len())
}

/// Whether what stands between `://` and the path may be more than a host.
fn may_hold_password(address: &str) -> bool {
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    authority.contains([':', '@']) && !authority.starts_with('[')
}

fn push_address(out: &mut String, address: &str) {
    // A password may hold an unescaped `@`, `/`, `?` or `#`: where there can be one, all up to the last `@` is left
    // out. Better to show too little of an address than that.
    let shown = match address.rsplit_once('@') {
        Some((_, host)) if may_hold_password(address) => host,
        _ => address,
    };
    push_pairs(out, shown, is_secret);
}

/// Pairs of a name and a value, up to the next `&` or `;`: the values of secret ones are left out.
fn push_pairs(out: &mut String, text: &str, is_secret: impl Fn(&str) -> bool) {
    let mut rest = text;
    while let Some((before, value)) = rest.split_once('=') {
        out.push_str(before);
        out.push('=');
        rest = value;
        if is_secret(&key_before(before).to_ascii_lowercase()) {
            let end = value.find(|c: char| "&;'\"<>".contains(c) || c.is_whitespace()).unwrap_or(value.len());
            out.push_str(HIDDEN);
            rest = value.get(end..).unwrap_or_default();
        }
    }
    out.push_str(rest);
}

/// The pairs in an address, each value up to the next `&` or `;`, with whatever pairs are in it.
fn pairs(address: &str) -> impl Iterator<Item = (&str, &str)> {
    address.match_indices('=').map(|(at, _)| {
        let value = address.get(at + 1..).unwrap_or_default();
        (
            key_before(address.get(..at).unwrap_or_default()),
            value.split(['&', ';']).next().unwrap_or_default(),
        )
    })
}

/// The name that a text ends with.
fn key_before(text: &str) -> &str {
    let start = text.rfind(|c: char| !c.is_alphanumeric() && !"_-.[]%".contains(c));
    text.get(start.map_or(0, |at| at + 1)..).unwrap_or_default()
}

/// Whether the value of a parameter of this name is not to be shown.
fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let last = key.rsplit(['_', '-', '.']).next().unwrap_or_default();
    WHOLE.contains(&last) || IN_ADDRESSES.iter().any(|word| key.contains(word))
}

/// Whether it is the name of a user: not shown in addresses, but no secret that is looked for everywhere.
fn is_name(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let last = key.rsplit(['_', '-', '.']).next().unwrap_or_default();
    let named = ["user", "usr", "login"].iter().any(|word| last.contains(word)) || last == "u";
    named && !["pas", "pwd", "psw", "psd"].iter().any(|word| last.contains(word))
}

/// With `%41` as `A`; what is no such pair stays as it is.
fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&unescaped(text)).into_owned()
}

/// The bytes that an address means, with `%41` as `A`; what is no such pair stays as it is.
pub(crate) fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|pair| first == b'%' && pair.iter().all(u8::is_ascii_hexdigit));
        let byte = pair.and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    bytes
}

/// With `%41` for all but letters, digits and `-._~`.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            out.push_str(&format!("%{byte:02x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_left_out() {
        for (text, wanted) in [
            ("rtsp://me:pw@cam.local:554/live", "rtsp://cam.local:554/live"),
            ("rtsp://me:p@ss@cam/live", "rtsp://cam/live"),
            ("rtsp://me:pa/ss@cam/live", "rtsp://cam/live"),
            ("http://cam:8080/v?user=a&password=b&x=1", "http://cam:8080/v?user=…&password=…&x=1"),
            ("http://host/a@b.mp4", "http://host/a@b.mp4"),
            ("http://[::1]:80/a@b.mp4", "http://[::1]:80/a@b.mp4"),
            (
                "Connection to tcp://me:pw@cam:554?timeout=0 failed",
                "Connection to tcp://cam:554?timeout=0 failed",
            ),
            ("'http://u:p@a/b': no, 'http://v:q@c/d': no", "'http://a/b': no, 'http://c/d': no"),
            ("http://cam:80: refused", "http://cam:80: refused"),
            ("http://cam:80/a@b.mp4", "http://b.mp4"),
            ("rtsp://me:p'w@cam/x", "rtsp://cam/x"),
            ("'rtsp://m<e:p\"w@cam/x': no", "'rtsp://cam/x': no"),
            ("no address", "no address"),
            (
                "rtsp://cam:9/user=admin&password=ab1&channel=1&stream=0.sdp",
                "rtsp://cam:9/user=…&password=…&channel=1&stream=0.sdp",
            ),
            ("rtsp://cam/live;user=admin;password=ab1;x=2", "rtsp://cam/live;user=…;password=…;x=2"),
            ("http://cam/user=admin_password=ab1_channel=1", "http://cam/user=…"),
            ("http://cam/a?channel=1_password=ab1", "http://cam/a?channel=1_password=…"),
            ("http://cam/a?loginuse=me&loginpas=ab1", "http://cam/a?loginuse=…&loginpas=…"),
            ("http://cam/a?u=me&p=ab1&px=1", "http://cam/a?u=…&p=…&px=1"),
            (
                "GET /user=admin&password=ab1&channel=1 HTTP/1.1",
                "GET /user=admin&password=…&channel=1 HTTP/1.1",
            ),
            ("cannot open me:pw@cam/x: no such file", "cannot open cam/x: no such file"),
            ("[tcp @ 0x55] tracker.start_score=0.5", "[tcp @ 0x55] tracker.start_score=0.5"),
        ] {
            assert_eq!(redact(text), wanted);
        }
    }

    #[test]
    fn the_secrets_of_a_source_are_found_wherever_they_stand() {
        for (address, said) in [
            ("rtsp://admin:Kq7one!%21@cam/live", "401 for admin with Kq7one!%21"),
            ("rtsp://admin:Kq7one!%21@cam/live", "401 for admin with Kq7one!! and Kq7one%21%21 and KQ7ONE!!"),
            ("rtsp://Kq7two-token@cam/live", "token Kq7two-token"),
            ("rtsp://cam/user=admin&password=Kq7three&channel=1", "Kq7three"),
            ("rtsp://cam/live;user=admin;password=Kq7four", "Kq7four"),
            ("http://cam/user=admin_password=Kq7five_channel=1", "x Kq7five y"),
            ("http://cam/v?pwd=Kq7'six/b", "x Kq7'six y"),
            ("http://cam/v?pass=Kq7%20seven#a", "x Kq7 seven y Kq7%20seven"),
            ("http://cam/v?loginuse=a&loginpas=Kq7eight", "Kq7eight.Kq7eight"),
        ] {
            learn(address);
            let shown = redact(said);
            assert!(!shown.to_lowercase().contains("kq7"), "{address}: {shown}");
        }
        // Neither short ones nor the names of users make gaps in other texts.
        learn("rtsp://person:car@cam/x?user=bicycle");
        assert_eq!(redact("2 person, 1 car, 1 bicycle"), "2 person, 1 car, 1 bicycle");
    }

    proptest::proptest! {
        #[test]
        fn a_password_never_shows(
            password in "[A-Za-z0-9:/?#@%&='<>]{0,12}Zq7[A-Za-z0-9:/?#@%&='<>]{0,12}",
        ) {
            let shown = redact(&format!("rtsp://admin:{password}@camera.local/live"));
            proptest::prop_assert!(!shown.contains("Zq7"), "{shown}");
        }

        #[test]
        fn any_text_can_be_shown(text in "\\PC{0,80}") {
            redact(&text);
            redact(&format!("://{text}://{text}@"));
            // Learning it would leave it out of what other tests say.
            pairs(&text).for_each(drop);
            encoded(&decoded(&text));
        }
    }
}
