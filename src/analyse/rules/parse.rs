//! The text of a rule as a condition. The grammar is in docs/rules.md.

use super::condition::{At, Comparison, Condition, Name, UNITS, What, Who};
use super::error::{RuleError, hint};
use super::token::{KEYWORDS, Placed, Token, tokens};

/// No rule has more letters.
const LONGEST: usize = 2000;
/// Brackets and `not` are not nested deeper.
const DEEPEST: usize = 32;
/// The longest time that can be asked for, in seconds: a week.
const LONGEST_TIME: f64 = 7.0 * 86400.0;
/// Seconds in a day.
const DAY: u32 = 86400;

/// What can begin a condition, in words.
const BEGINNINGS: &str =
    "a class, anything, nobody, nothing, no, count(, crosses, in, still, between, not or (";

/// Reads a condition.
pub(super) fn parse(text: &str) -> Result<Condition, RuleError> {
    if text.chars().nth(LONGEST).is_some() {
        return Err(RuleError::at(text, LONGEST, format!("a rule has at most {LONGEST} letters")));
    }
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0 };
    let condition = parser.any()?;
    if parser.peek().is_some() {
        return Err(parser.unexpected(&["and", "or", "for"], "and, or, for or the end"));
    }
    Ok(condition)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.ahead(0)
    }

    fn ahead(&self, tokens: usize) -> Option<&Token> {
        self.tokens.get(self.next + tokens).map(|placed| &placed.token)
    }

    /// Where the next token begins; behind the last, the end of the text.
    fn place(&self) -> usize {
        self.tokens.get(self.next).map_or_else(|| self.text.trim_end().chars().count(), |placed| placed.at)
    }

    fn here(&self) -> At {
        At(self.place())
    }

    fn error(&self, problem: impl Into<String>) -> RuleError {
        RuleError::at(self.text, self.place(), problem)
    }

    /// Takes the next token where it is this word of the language.
    fn takes(&mut self, keyword: &str) -> bool {
        let is_it =
            self.peek().is_some_and(|token| matches!(token, Token::Keyword(known) if *known == keyword));
        self.next += usize::from(is_it);
        is_it
    }

    /// Takes the next token where it is this sign.
    fn takes_sign(&mut self, sign: &str) -> bool {
        let is_it = self.peek().is_some_and(|token| matches!(token, Token::Sign(known) if *known == sign));
        self.next += usize::from(is_it);
        is_it
    }

    /// Something else was expected: one of `words`, or whatever `expected` says.
    fn unexpected(&self, words: &[&str], expected: &str) -> RuleError {
        let found = match self.peek() {
            None => "the text ends here".to_owned(),
            Some(Token::Keyword(word)) => format!("\"{word}\" cannot stand here"),
            Some(Token::Word(word)) => {
                let is_behind_name = matches!(
                    self.next
                        .checked_sub(1)
                        .and_then(|before| self.tokens.get(before))
                        .map(|placed| &placed.token),
                    Some(Token::Word(_))
                );
                let all = if is_behind_name { &KEYWORDS[..] } else { &[] };
                let meant = hint(word, words.iter().chain(all).copied());
                let quotes = if meant.is_empty() && is_behind_name {
                    "; a name of several words stands in quotes"
                } else {
                    ""
                };
                return self
                    .error(format!("\"{word}\" cannot stand here: expected is {expected}{meant}{quotes}"));
            }
            Some(Token::Quoted(name)) => format!("the name \"{name}\" cannot stand here"),
            Some(Token::Number(number)) => format!("the number {number} cannot stand here"),
            Some(Token::Sign(sign)) => format!("\"{sign}\" cannot stand here"),
        };
        self.error(format!("{found}: expected is {expected}"))
    }

    /// `all { "or" all }`
    fn any(&mut self) -> Result<Condition, RuleError> {
        let first = self.all()?;
        let mut parts = vec![first];
        while self.takes("or") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Condition::Any))
    }

    /// `lasting { "and" lasting }`
    fn all(&mut self) -> Result<Condition, RuleError> {
        let first = self.lasting()?;
        let mut parts = vec![first];
        while self.takes("and") {
            parts.push(self.lasting()?);
        }
        Ok(one_or(parts, Condition::All))
    }

    /// `part [ "for" duration ]`
    fn lasting(&mut self) -> Result<Condition, RuleError> {
        let part = self.part()?;
        let at = self.here();
        if !self.takes("for") {
            return Ok(part);
        }
        Ok(Condition::For(at, Box::new(part), self.duration()?))
    }

    /// `"not" part | "(" condition ")" | scene | object`
    fn part(&mut self) -> Result<Condition, RuleError> {
        let at = self.here();
        if self.takes("not") {
            return self.deeper(|parser| Ok(Condition::Not(at, Box::new(parser.part()?))));
        }
        if self.takes_sign("(") {
            return self.deeper(Self::rest_of_brackets);
        }
        if self.takes("count") {
            if !self.takes_sign("(") {
                return Err(self.unexpected(&[], "( and what is counted, as in count(person in square) >= 3"));
            }
            let part = Box::new(self.deeper(Self::rest_of_brackets)?);
            let (comparison, number) = self.comparison()?;
            return Ok(Condition::Count { at, part, comparison, number });
        }
        if self.takes("between") {
            let from = self.clock()?;
            if !self.takes("and") {
                return Err(self.unexpected(&["and"], "and, as in between 22:00 and 06:00"));
            }
            let place = self.place();
            let to = self.clock()?;
            if from == to {
                return Err(RuleError::at(
                    self.text,
                    place,
                    "both times are the same: expected are two times",
                ));
            }
            return Ok(Condition::Between { at, from, to });
        }
        let nobody = ["nobody", "nothing", "no"].into_iter().find(|word| self.takes(word));
        let Some(nobody) = nobody else { return self.object() };
        let who = match nobody {
            "nobody" => Who::Classes(vec![Name { text: "person".to_owned(), at }]),
            "nothing" => Who::Anything,
            _ => self.who()?.ok_or_else(|| self.unexpected(&[], "a class, as in no car in street"))?,
        };
        let zones = if self.takes("in") { self.names("a zone's name")? } else { Vec::new() };
        Ok(Condition::None { at, who, zones })
    }

    /// The condition in brackets, of which the first was taken, and the last.
    fn rest_of_brackets(&mut self) -> Result<Condition, RuleError> {
        let condition = self.any()?;
        if self.takes_sign(")") {
            Ok(condition)
        } else {
            Err(self.unexpected(&["and", "or", "for"], "and, or, for or )"))
        }
    }

    fn deeper(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Condition, RuleError>,
    ) -> Result<Condition, RuleError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(format!("this is nested more than {DEEPEST} times")));
        }
        let condition = read(self)?;
        self.depth -= 1;
        Ok(condition)
    }

    /// `classes [ [ "not" ] what ] | what`
    fn object(&mut self) -> Result<Condition, RuleError> {
        let at = self.here();
        let who = self.who()?;
        let not = who.is_some() && self.takes("not");
        let what = self.what()?;
        match (&who, &what) {
            (_, None) if not => {
                Err(self.unexpected(&["in", "crosses", "still"], "in, crosses, still or a comparison"))
            }
            (None, None) => Err(self.unexpected(&KEYWORDS, BEGINNINGS)),
            _ => Ok(Condition::Object { at, who, not, what }),
        }
    }

    /// `"anything" | class { "/" class }`, where the next is one.
    fn who(&mut self) -> Result<Option<Who>, RuleError> {
        if self.takes("anything") {
            return Ok(Some(Who::Anything));
        }
        match self.peek() {
            Some(Token::Word(_)) if !self.compares(1) => {}
            Some(Token::Quoted(_)) => {}
            _ => return Ok(None),
        }
        Ok(Some(Who::Classes(self.names("a class")?)))
    }

    /// Whether the token after so many is a sign that compares.
    fn compares(&self, tokens: usize) -> bool {
        matches!(self.ahead(tokens), Some(Token::Sign(sign)) if Comparison::SIGNS.iter().any(|(known, _)| known == sign))
    }

    /// What an object does, where that comes next.
    fn what(&mut self) -> Result<Option<What>, RuleError> {
        if self.takes("in") {
            return Ok(Some(What::In(self.names("a zone's name")?)));
        }
        if self.takes("crosses") {
            let lines = self.names("a line's name")?;
            let way = if self.takes("in") { Some(true) } else { self.takes("out").then_some(false) };
            return Ok(Some(What::Crosses(lines, way)));
        }
        if self.takes("still") {
            let zones = if self.takes("in") { self.names("a zone's name")? } else { Vec::new() };
            return Ok(Some(What::Still(zones)));
        }
        let at = self.here();
        let Some(Token::Word(word)) = self.peek().filter(|_| self.compares(1)).cloned() else {
            return Ok(None);
        };
        self.next += 1;
        let (comparison, number) = self.comparison()?;
        Ok(Some(What::Is(Name { text: word, at }, comparison, number)))
    }

    /// `name { "/" name }`
    fn names(&mut self, expected: &str) -> Result<Vec<Name>, RuleError> {
        let mut names = Vec::new();
        loop {
            let at = self.here();
            let (Some(Token::Word(text)) | Some(Token::Quoted(text))) = self.peek().cloned() else {
                let quotes = match self.peek() {
                    Some(Token::Keyword(_) | Token::Number(_)) => " (in quotes, if it is called so)",
                    _ => "",
                };
                return Err(self.unexpected(&[], &format!("{expected}{quotes}")));
            };
            self.next += 1;
            names.push(Name { text, at });
            if !self.takes_sign("/") {
                return Ok(names);
            }
        }
    }

    fn comparison(&mut self) -> Result<(Comparison, f64), RuleError> {
        let sign = self.peek().and_then(|token| match token {
            Token::Sign(sign) => Comparison::SIGNS.iter().find(|(known, _)| known == sign),
            _ => None,
        });
        let Some(&(_, comparison)) = sign else {
            return Err(self.unexpected(&[], "one of > >= < <= = != and a number"));
        };
        self.next += 1;
        let number = self.number().ok_or_else(|| self.unexpected(&[], "a number"))?;
        Ok((comparison, number))
    }

    fn number(&mut self) -> Option<f64> {
        let Some(Token::Number(digits)) = self.peek() else { return None };
        let number = digits.parse::<f64>().ok().filter(|number| number.is_finite())?;
        self.next += 1;
        Some(number)
    }

    /// `number unit { number unit }`, in seconds.
    fn duration(&mut self) -> Result<f64, RuleError> {
        let begin = self.place();
        let (mut seconds, mut is_first) = (0.0, true);
        while is_first || matches!(self.peek(), Some(Token::Number(_))) {
            let number =
                self.number().ok_or_else(|| self.unexpected(&[], "a time, as in for 5 s or for 10 min"))?;
            let unit = match self.peek() {
                Some(Token::Word(word)) => UNITS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)),
                _ => None,
            };
            let Some((_, unit)) = unit else {
                return Err(
                    self.unexpected(&["seconds", "minutes", "hours"], "a unit of time: ms, s, min or h")
                );
            };
            self.next += 1;
            seconds += number * unit;
            is_first = false;
        }
        if seconds > 0.0 && seconds <= LONGEST_TIME {
            return Ok(seconds);
        }
        Err(RuleError::at(
            self.text,
            begin,
            "this time is out of range: expected is more than 0 s and at most 168 h",
        ))
    }

    /// `HH:MM[:SS]` in seconds of the day.
    fn clock(&mut self) -> Result<u32, RuleError> {
        let begin = self.place();
        let mut parts = Vec::new();
        while parts.len() < 3 && (parts.is_empty() || self.takes_sign(":")) {
            let digits = match self.peek() {
                Some(Token::Number(digits)) => digits.clone(),
                _ => return Err(self.unexpected(&[], "a time of day, such as 22:00")),
            };
            self.next += 1;
            parts.push(digits);
        }
        let most = [24, 59, 59];
        let is_right = |(index, (digits, most)): (usize, (&String, u32))| {
            let number = digits.parse::<u32>().ok().filter(|number| *number <= most);
            number.filter(|_| digits.len() == 2 || index == 0 && digits.len() == 1)
        };
        let numbers: Option<Vec<u32>> = parts.iter().zip(most).enumerate().map(is_right).collect();
        let seconds = numbers.filter(|numbers| numbers.len() >= 2).map(|numbers| {
            numbers.iter().zip([3600, 60, 1]).map(|(number, unit)| number * unit).sum::<u32>()
        });
        // Midnight is where a day ends, too.
        let seconds = seconds.filter(|seconds| *seconds <= DAY).map(|seconds| seconds % DAY);
        seconds.ok_or_else(|| {
            RuleError::at(self.text, begin, "this is no time of day: expected is one from 00:00 to 24:00")
        })
    }
}

/// The only one, or all of them joined.
fn one_or(mut parts: Vec<Condition>, join: impl FnOnce(Vec<Condition>) -> Condition) -> Condition {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            join(parts)
        }
    }
}
