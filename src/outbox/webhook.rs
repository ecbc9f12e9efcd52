//! A courier that posts each message to an HTTP address.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::address::Address;
use super::courier::{Courier, Failure};
use super::queue::Message;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The environment variable with a token for the header `Authorization`.
const TOKEN: &str = "TRAILSIGHT_WEBHOOK_TOKEN";

/// Posts JSON. The id of a message is in the header `Idempotency-Key`.
pub struct Webhook {
    address: String,
    authorization: Option<String>,
    agent: ureq::Agent,
}

impl Webhook {
    /// For an address, `http://…` or `https://…`. With `USER:PASSWORD@` it says who it is; with `TRAILSIGHT_WEBHOOK_TOKEN` in
    /// the environment it shows that token.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn new(address: &str) -> Result<Self, String> {
        let Address { plain, user, .. } = Address::parse(address, 80)?;
        plain.parse::<ureq::http::Uri>().map_err(|error| format!("it is no address of the web: {error}"))?;
        let token = std::env::var(TOKEN).ok().filter(|token| !token.is_empty());
        let authorization = token.map(|token| format!("Bearer {token}")).or_else(|| {
            let (name, password) = user?;
            Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}"))))
        });
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            // A message must not go to where nobody has sent it.
            .max_redirects(0)
            .max_redirects_will_error(false);
        Ok(Self { address: plain, authorization, agent: config.build().into() })
    }
}

impl Courier for Webhook {
    fn deliver(&mut self, message: &Message) -> Result<(), Failure> {
        let mut request = self
            .agent
            .post(&self.address)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", &message.id)
            .header("User-Agent", concat!("trailsight/", env!("CARGO_PKG_VERSION")));
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let mut response = request.send(&message.body).map_err(|error| Failure::Later(error.to_string()))?;
        // An answer that is read to its end leaves the connection for the next message.
        let answer = response.body_mut().with_config().limit(4096).read_to_string().unwrap_or_default();
        let status = response.status();
        let first = || answer.lines().next().unwrap_or_default().chars().take(200).collect::<String>();
        match status.as_u16() {
            200..=299 => Ok(()),
            // What is not there (yet), what is too much, and who is not known may be put right without another message.
            401 | 403 | 404 | 408 | 425 | 429 | 500..=599 | 300..=399 => {
                Err(Failure::Later(format!("it answers {status} {}", first())))
            }
            _ => Err(Failure::Refused(format!("it answers {status} {}", first()))),
        }
    }
}
