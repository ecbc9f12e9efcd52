//! A courier that publishes to an MQTT broker (MQTT 3.1.1, quality of service 1).
//!
//! The protocol is `mqtt-protocol-core`'s; this file gives it a socket. One message is under way at a time: the next one follows
//! when the broker has acknowledged it. While nothing is to be sent, the broker is asked now and then whether it is there. What
//! the broker tells everyone when this program is gone (its last will) is `offline` under `PREFIX/available`.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use mqtt_protocol_core::mqtt;
use mqtt_protocol_core::mqtt::connection::Event;
use mqtt_protocol_core::mqtt::packet::{GenericPacketTrait, Packet, Qos, v3_1_1};

use super::address::Address;
use super::courier::{Courier, Failure};
use super::queue::Message;

/// How long the broker may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The broker takes this program for gone after one and a half times so long without a word, in seconds.
const KEEP_ALIVE: u16 = 20;
/// A word is said after so long.
const QUIET: Duration = Duration::from_secs(10);
/// Where the broker's address names no prefix.
const PREFIX: &str = "trailsight";

/// Publishes messages under `PREFIX/TOPIC`.
pub struct Mqtt {
    address: Address,
    prefix: String,
    client: String,
    link: Option<Link>,
    links: u64,
}

/// A connection to the broker.
struct Link {
    stream: TcpStream,
    protocol: mqtt::Connection<mqtt::role::Client>,
    /// When something was sent last.
    spoke: Instant,
}

impl Mqtt {
    /// For an address `mqtt://[USER:PASSWORD@]HOST[:PORT][/PREFIX]`. User and password may also come from the environment:
    /// `TRAILSIGHT_MQTT_USER`, `TRAILSIGHT_MQTT_PASSWORD`.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn new(address: &str) -> Result<Self, String> {
        let mut address = Address::parse(address, 1883)?;
        let from = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(user) = from("TRAILSIGHT_MQTT_USER") {
            address.user = Some((user, from("TRAILSIGHT_MQTT_PASSWORD").unwrap_or_default()));
        }
        let prefix = match address.path.trim_matches('/') {
            "" => PREFIX.to_owned(),
            path => path.to_owned(),
        };
        if prefix.contains(['+', '#', '@']) || prefix.contains(char::is_control) {
            // It may be the rest of a password.
            let why = "a prefix of topics has no +, # or @ in it; in a password, / ? # @ are written %2F %3F %23 %40";
            return Err(why.to_owned());
        }
        let client = format!("trailsight-{:08x}", fastrand::u32(..));
        Ok(Self { address, prefix, client, link: None, links: 0 })
    }

    /// What stands before all topics.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The topic that tells whether this program is there.
    fn available(&self) -> String {
        format!("{}/available", self.prefix)
    }

    fn link(&mut self) -> Result<&mut Link, Failure> {
        if self.link.is_none() {
            self.link = Some(self.connect()?);
            self.links += 1;
        }
        // It was just made.
        self.link.as_mut().ok_or_else(|| Failure::Later("there is no connection".to_owned()))
    }

    fn connect(&self) -> Result<Link, Failure> {
        let later = |error: &dyn std::fmt::Display| Failure::Later(error.to_string());
        let Address { host, port, .. } = &self.address;
        let places = (host.as_str(), *port).to_socket_addrs().map_err(|error| later(&error))?;
        let mut outcome = Err(Failure::Later(format!("{host} has no address")));
        for place in places {
            outcome = TcpStream::connect_timeout(&place, PATIENCE).map_err(|error| later(&error));
            if outcome.is_ok() {
                break;
            }
        }
        let stream = outcome?;
        let timeouts = stream.set_write_timeout(Some(PATIENCE)).and_then(|()| stream.set_nodelay(true));
        timeouts.map_err(|error| later(&error))?;
        let protocol = mqtt::Connection::<mqtt::role::Client>::new(mqtt::Version::V3_1_1);
        let mut link = Link { stream, protocol, spoke: Instant::now() };
        link.hand_over(self.hello().map_err(|error| Failure::Later(format!("{error:?}")))?)?;
        link.publish(&self.available(), "online", true)?;
        Ok(link)
    }

    /// The first packet.
    fn hello(&self) -> Result<v3_1_1::Connect, mqtt::result_code::MqttError> {
        let connect = v3_1_1::Connect::builder()
            .client_id(self.client.as_str())?
            .clean_session(true)
            .keep_alive(KEEP_ALIVE)
            .will_message(self.available().as_str(), "offline", Qos::AtLeastOnce, true)?;
        match &self.address.user {
            None => connect.build(),
            Some((user, password)) => connect.user_name(user.as_str())?.password(password.as_str())?.build(),
        }
    }

    fn publish(&mut self, topic: &str, body: &str, retained: bool) -> Result<(), Failure> {
        let topic = format!("{}/{topic}", self.prefix);
        self.send(&topic, body, retained)
    }

    fn send(&mut self, topic: &str, body: &str, retained: bool) -> Result<(), Failure> {
        let sent = self.link()?.publish(topic, body, retained);
        if matches!(sent, Err(Failure::Later(_))) {
            // What was said on it is not known any more.
            self.link = None;
        }
        sent
    }
}

impl Courier for Mqtt {
    fn deliver(&mut self, message: &Message) -> Result<(), Failure> {
        self.publish("events", &message.body, false)
    }

    fn state(&mut self, topic: &str, body: &str) -> Result<(), Failure> {
        match topic.strip_prefix('/') {
            // Of another program's making.
            Some(topic) => self.send(topic, body, true),
            None => self.publish(topic, body, true),
        }
    }

    fn idle(&mut self) -> Result<(), Failure> {
        let link = self.link()?;
        if link.spoke.elapsed() < QUIET {
            return Ok(());
        }
        let there = link.ping();
        if there.is_err() {
            self.link = None;
        }
        there
    }

    fn connections(&self) -> u64 {
        self.links
    }

    fn goodbye(&mut self) {
        let available = self.available();
        // Where it does not reach the broker, the last will says the same.
        if let Some(link) = &mut self.link
            && link.publish(&available, "offline", true).is_ok()
            && let Ok(packet) = v3_1_1::Disconnect::builder().build()
        {
            let _ = link.hand_over(packet);
        }
        self.link = None;
    }
}

/// What an answer has to be.
#[derive(Clone, Copy, PartialEq)]
enum Awaited {
    Nothing,
    Welcome,
    Acknowledged(u16),
    Pong,
}

impl Link {
    /// Sends a packet that is not answered, or the first one, which is.
    fn hand_over(&mut self, packet: impl Into<Packet>) -> Result<(), Failure> {
        let packet = packet.into();
        let awaited = match &packet {
            Packet::V3_1_1Connect(_) => Awaited::Welcome,
            _ => Awaited::Nothing,
        };
        self.converse(packet, awaited)
    }

    fn ping(&mut self) -> Result<(), Failure> {
        let packet =
            v3_1_1::Pingreq::builder().build().map_err(|error| Failure::Later(format!("{error:?}")))?;
        self.converse(packet.into(), Awaited::Pong)
    }

    fn publish(&mut self, topic: &str, body: &str, retained: bool) -> Result<(), Failure> {
        let number =
            self.protocol.acquire_packet_id().map_err(|error| Failure::Later(format!("{error:?}")))?;
        let packet = v3_1_1::Publish::builder()
            .topic_name(topic)
            .map(|publish| {
                publish.qos(Qos::AtLeastOnce).retain(retained).packet_id(number).payload(body.as_bytes())
            })
            .and_then(|publish| publish.build());
        match packet {
            Ok(packet) => self.converse(packet.into(), Awaited::Acknowledged(number)),
            Err(error) => Err(Failure::Refused(format!("{topic}: {error:?}"))),
        }
    }

    /// Sends a packet, and waits for its answer.
    fn converse(&mut self, packet: Packet, awaited: Awaited) -> Result<(), Failure> {
        let events = self.protocol.send(packet);
        let mut answered = self.act(events, awaited)?;
        let begun = Instant::now();
        let mut buffer = [0; 2048];
        while !answered && awaited != Awaited::Nothing {
            if begun.elapsed() > PATIENCE {
                return Err(Failure::Later("the broker does not answer".to_owned()));
            }
            let left = PATIENCE.saturating_sub(begun.elapsed()).max(Duration::from_millis(1));
            self.stream.set_read_timeout(Some(left)).map_err(|error| Failure::Later(error.to_string()))?;
            let read = match self.stream.read(&mut buffer) {
                Ok(0) => return Err(Failure::Later("the broker has closed the connection".to_owned())),
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Later(format!("the broker does not answer: {error}"))),
            };
            let mut cursor = mqtt::common::Cursor::new(&buffer[..read]);
            while cursor.position() < read as u64 {
                let events = self.protocol.recv(&mut cursor);
                if events.is_empty() {
                    break;
                }
                answered |= self.act(events, awaited)?;
            }
        }
        Ok(())
    }

    /// Does what the protocol asks for; whether the awaited answer is among what has come.
    fn act(&mut self, events: Vec<Event>, awaited: Awaited) -> Result<bool, Failure> {
        let mut answered = false;
        for event in events {
            match event {
                Event::RequestSendPacket { packet, .. } => {
                    let sent = self.stream.write_all(&packet.to_continuous_buffer());
                    sent.map_err(|error| Failure::Later(error.to_string()))?;
                    self.spoke = Instant::now();
                }
                Event::NotifyPacketReceived(packet) => {
                    answered |= match (packet, awaited) {
                        (Packet::V3_1_1Connack(welcome), Awaited::Welcome) => {
                            let code = welcome.return_code();
                            if code != mqtt::result_code::ConnectReturnCode::Accepted {
                                return Err(Failure::Later(format!(
                                    "the broker refuses the connection: {code:?}"
                                )));
                            }
                            true
                        }
                        (Packet::V3_1_1Puback(puback), Awaited::Acknowledged(number)) => {
                            puback.packet_id() == number
                        }
                        (Packet::V3_1_1Pingresp(_), Awaited::Pong) => true,
                        _ => false,
                    };
                }
                Event::NotifyError(error) => {
                    return Err(Failure::Later(format!("the broker says {error:?}")));
                }
                Event::RequestClose => return Err(Failure::Later("the connection is closed".to_owned())),
                _ => {}
            }
        }
        Ok(answered)
    }
}
