//! The text of a rule as words, names in quotes, numbers and signs, each with its place.

use super::error::RuleError;

/// The words of the language, which are no names unless they stand in quotes.
pub(super) const KEYWORDS: [&str; 14] = [
    "and", "anything", "between", "count", "crosses", "for", "in", "no", "nobody", "not", "nothing", "or",
    "out", "still",
];

/// The signs that compare, and others.
const SIGNS: [&str; 11] = [">=", "<=", "==", "!=", ">", "<", "=", "(", ")", "/", ":"];

/// One part of the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A word of the language, in small letters.
    Keyword(&'static str),
    /// A name or a unit.
    Word(String),
    /// A name in quotes, without them.
    Quoted(String),
    /// A number as it is written: digits, with one point at most and a minus before it.
    Number(String),
    /// One of [`SIGNS`].
    Sign(&'static str),
}

/// A token and where it begins: the number of the letter in the text, from 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) at: usize,
}

/// Whether a letter can be in a name without quotes; the first one is no digit and no minus.
fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '-'
}

/// Whether a name can stand without quotes.
pub(super) fn is_word(name: &str) -> bool {
    let first = name.chars().next();
    first.is_some_and(|first| first.is_alphabetic() || first == '_')
        && name.chars().all(is_of_word)
        && keyword(name).is_none()
}

/// The word of the language that is written so, in large or small letters.
fn keyword(word: &str) -> Option<&'static str> {
    KEYWORDS.into_iter().find(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// Takes a text apart.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, RuleError> {
    let letters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let rest = letters.get(at..).unwrap_or_default();
        let next_is_digit = rest.get(1).is_some_and(char::is_ascii_digit);
        let (token, length) = match letter {
            _ if letter.is_whitespace() => {
                at += 1;
                continue;
            }
            '\'' | '"' => {
                let name: String = rest.iter().skip(1).take_while(|other| **other != letter).collect();
                let length = name.chars().count() + 2;
                if rest.len() < length {
                    let problem = format!("the name that begins here has no {letter} at its end");
                    return Err(RuleError::at(text, at, problem));
                }
                (Token::Quoted(name), length)
            }
            _ if letter.is_ascii_digit() || letter == '-' && next_is_digit => {
                let (mut number, mut has_point) = (String::from(letter), false);
                for &other in rest.iter().skip(1) {
                    let is_point = other == '.' && !has_point;
                    if !is_point && !other.is_ascii_digit() {
                        break;
                    }
                    has_point |= is_point;
                    number.push(other);
                }
                let length = number.len();
                (Token::Number(number), length)
            }
            _ if letter.is_alphabetic() || letter == '_' => {
                let word: String = rest.iter().take_while(|other| is_of_word(**other)).collect();
                let length = word.chars().count();
                (keyword(&word).map_or(Token::Word(word), Token::Keyword), length)
            }
            _ => {
                let is_here = |sign: &&&str| sign.chars().eq(rest.iter().copied().take(sign.len()));
                let Some(sign) = SIGNS.iter().find(is_here) else {
                    return Err(RuleError::at(text, at, format!("the sign {letter} has no meaning here")));
                };
                (Token::Sign(sign), sign.len())
            }
        };
        found.push(Placed { token, at });
        at += length;
    }
    Ok(found)
}
