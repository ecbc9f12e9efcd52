//! The parts of a consumer's address.

use percent_encoding::percent_decode_str;

/// `SCHEME://[USER:PASSWORD@]HOST[:PORT][/PATH]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// User and password, their `%XX` read.
    pub(super) user: Option<(String, String)>,
    pub(super) host: String,
    pub(super) port: u16,
    /// With its slash, empty where there is none; queries and fragments belong to it.
    pub(super) path: String,
    /// The same address without user and password.
    pub(super) plain: String,
}

impl Address {
    /// Reads an address; `port`: where it names none.
    ///
    /// # Errors
    /// What is wrong with it; secrets are not in it.
    pub(super) fn parse(address: &str, port: u16) -> Result<Self, String> {
        let (scheme, rest) = address.split_once("://").ok_or("an address begins with SCHEME://")?;
        let (place, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, place) = match place.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, place),
        };
        let user = user.map(|user| {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            let read = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
            (read(name), read(password))
        });
        // An IPv6 address has its colons in brackets.
        let (host, number) = match place.rsplit_once(':').filter(|(_, number)| !number.contains(']')) {
            Some((host, number)) => (host, Some(number)),
            None => (place, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err("there is no host in the address".to_owned());
        }
        let port = match number {
            None => port,
            // It may be the beginning of a password.
            Some(number) => number.parse().map_err(|_| {
                "what stands behind the host is no port; in a password, / ? # @ are written %2F %3F %23 %40"
            })?,
        };
        Ok(Self {
            user,
            host: host.to_owned(),
            port,
            path: path.to_owned(),
            plain: format!("{scheme}://{place}{path}"),
        })
    }
}

/// What tells consumers apart: the address with its user and without the password.
pub fn key(address: &str) -> String {
    match Address::parse(address, 0) {
        Ok(Address { user, plain, .. }) => format!("{} {plain}", user.unwrap_or_default().0),
        Err(_) => String::new(),
    }
}

/// An address as it may be shown: without user and password, and without what stands behind a question mark, as tokens do.
pub fn shown(address: &str) -> String {
    let Ok(Address { plain, .. }) = Address::parse(address, 0) else {
        // What is wrong in it may stand anywhere.
        return format!("{}://…", address.split("://").next().unwrap_or_default());
    };
    plain.split(['?', '#']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_what_they_are() {
        let read = |address| Address::parse(address, 1883).unwrap();
        let all = read("mqtt://us%40er:p%3Aw@host:77/a/b@c");
        assert_eq!(all.user, Some(("us@er".to_owned(), "p:w".to_owned())));
        assert_eq!((all.host.as_str(), all.port, all.path.as_str()), ("host", 77, "/a/b@c"));
        assert_eq!(all.plain, "mqtt://host:77/a/b@c");
        let six = read("mqtt://[::1]");
        assert_eq!((six.host.as_str(), six.port, six.path.as_str()), ("::1", 1883, ""));
        assert_eq!((read("mqtt://[::1]:5").port, read("http://h?x=a@b").user), (5, None));
        assert_eq!(shown("https://me:secret@h:1/a?token=secret"), "https://h:1/a");
        assert_eq!(key("https://me:secret@h:1/a"), key("https://me:other@h:1/a"));
        assert_ne!(key("https://me:secret@h:1/a"), key("https://you:secret@h:1/a"));
        let told = Address::parse("mqtt://me:Xq/cret@host/x", 1883).unwrap_err();
        assert!(!told.contains("Xq"), "{told}");
        for wrong in ["host", "mqtt://", "mqtt://u@:5", "mqtt://h:x", "mqtt://h:70000"] {
            assert!(Address::parse(wrong, 1883).is_err(), "{wrong}");
        }
    }
}
