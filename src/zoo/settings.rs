//! What can be set about models known by name.

use std::fmt;
use std::str::FromStr;

/// The `[models]` section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelsSettings {
    /// Where models are fetched from.
    pub mirror: Mirror,
}

/// A copy of a cache's folder to fetch from: an `http(s)://` address or a folder. `None`: the makers' addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirror(pub Option<String>);

impl FromStr for Mirror {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        let known = scheme.is_none_or(|scheme| ["http", "https", "file"].contains(&scheme.as_str()));
        if !known || text.contains(char::is_control) {
            return Err("an http(s):// address, a folder, or \"\" for the makers' addresses".to_owned());
        }
        Ok(Self((!text.is_empty()).then(|| text.to_owned())))
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_an_address_of_the_web_or_a_folder() {
        for text in ["https://a.example/b", "HTTP://a", "/media/stick", "models", "file:///a"] {
            assert_eq!(text.parse::<Mirror>().unwrap().to_string(), text);
        }
        assert_eq!("".parse::<Mirror>().unwrap(), Mirror(None));
        for text in ["ftp://a", "s3://bucket", "a\0"] {
            assert!(text.parse::<Mirror>().is_err(), "{text:?}");
        }
    }
}
