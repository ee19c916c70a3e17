//! Readings from an MQTT broker, by MQTT 5: it tells a client why it is disconnected, and the broker how long a message
//! may be.

use super::{note, Arrival, Mapping};
use crate::{
	fault::{Fault, Location},
	meter::{
		registers::Completed,
		row::{now_ms, Reads, Row},
	},
};
use percent_encoding::percent_decode_str;
use rumqttc::{
	v5::{
		mqttbytes::{
			v5::{ConnectReturnCode, DisconnectReasonCode, Packet, Publish, SubscribeReasonCode},
			QoS,
		},
		AsyncClient, ConnectionError, Event, MqttOptions, StateError,
	},
	TlsConfiguration, Transport,
};
use std::{
	collections::BTreeSet,
	io::ErrorKind,
	path::Path,
	sync::Arc,
	time::{Duration, Instant},
};
use subxt::utils::AccountId32;
use tokio::sync::{mpsc, oneshot};
use url::Url;

/// Delay before a lost broker is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// A connection that is younger than this is new.
const NEW: Duration = Duration::from_secs(10);
/// How many new connections in a row the broker may close.
const MOST_CLOSED: u32 = 4;
/// The variable with the password of the broker's user.
const PASSWORD: &str = "COMMONWATT_MQTT_PASSWORD";
/// Maximum size of a message, bytes: more than any reading needs.
const LONGEST: usize = 64 * 1024;
/// Maximum size of a packet, bytes. The broker drops what is longer; what is shorter, but too long for a reading, is
/// named here.
const LONGEST_PACKET: u32 = 1024 * 1024;

/// A broker, and the topic to subscribe to.
pub struct Broker {
	options: MqttOptions,
	topic: String,
	/// Host and port, for messages.
	name: String,
}

impl Broker {
	/// `mqtt://[USER@]HOST[:PORT]/TOPIC`
	pub fn of(url: &str, meter: &AccountId32) -> Result<Self, Fault> {
		let parsed =
			Url::parse(url).map_err(|error| Fault::Input(format!("--mqtt: not a valid URL: {error}")))?;
		if parsed.password().is_some() {
			return Err(Fault::Input(format!(
				"--mqtt: the URL contains a password, which other users can see; set the variable {PASSWORD} instead"
			)));
		}
		let wrong = |what: &str| Fault::Input(format!("--mqtt {url}: {what}"));
		let (port, is_tls) = match parsed.scheme() {
			"mqtt" => (1883, false),
			"mqtts" => (8883, true),
			other => return Err(wrong(&format!("'{other}' is neither mqtt nor mqtts"))),
		};
		let host = parsed.host_str().ok_or_else(|| wrong("the URL names no host"))?;
		let port = parsed.port().unwrap_or(port);
		let topic = topic(&parsed).map_err(|what| wrong(&what))?;
		// Always the same name, so that the broker keeps messages for it; and a unique one, so that no other client is
		// disconnected.
		let client = format!("commonwatt-{}", &subxt::utils::to_hex(&meter.0[..8])[2..]);
		let mut options = MqttOptions::new(client, host, port);
		options
			.set_clean_start(false)
			.set_session_expiry_interval(Some(u32::MAX))
			.set_manual_acks(true)
			.set_keep_alive(Duration::from_secs(30))
			.set_max_packet_size(Some(LONGEST_PACKET));
		if !parsed.username().is_empty() {
			let user = decoded(parsed.username()).map_err(|what| wrong(&what))?;
			let password = std::env::var(PASSWORD)
				.map_err(|_| wrong(&format!("the URL names a user, but {PASSWORD} is not set")))?;
			options.set_credentials(user, password);
		}
		if is_tls {
			let tls = tls().map_err(|error| wrong(&error))?;
			options.set_transport(Transport::tls_with_config(tls));
		}
		let name = format!("{host}:{port}");
		Ok(Self { options, topic, name })
	}
}

/// The topic that a URL names: its path without the first slash, decoded.
fn topic(url: &Url) -> Result<String, String> {
	if url.fragment().is_some() || url.query().is_some() {
		return Err(
			"a topic in a URL must not have '#' or '?' as such: write '?' as %3F; '#' is a wildcard, and a meter has one \
			 topic"
				.into(),
		);
	}
	let path = url.path();
	let topic = decoded(path.strip_prefix('/').unwrap_or(path))?;
	if topic.is_empty() {
		return Err("the URL names no topic; an example with one is mqtt://127.0.0.1/homes/7/meter".into());
	}
	if let Some(wildcard) = topic.chars().find(|letter| matches!(letter, '+' | '#' | '\0')) {
		return Err(format!(
			"the topic contains '{}', which no topic of a message has: name the one topic of the meter",
			wildcard.escape_default()
		));
	}
	Ok(topic)
}

fn decoded(text: &str) -> Result<String, String> {
	let decoded = percent_decode_str(text).decode_utf8();
	Ok(decoded
		.map_err(|_| format!("'{text}' is not UTF-8 when decoded"))?
		.into())
}

/// TLS with the certificates that the system trusts.
fn tls() -> Result<TlsConfiguration, String> {
	let mut roots = rustls::RootCertStore::empty();
	let found = rustls_native_certs::load_native_certs();
	roots.add_parsable_certificates(found.certs);
	if roots.is_empty() {
		return Err(format!("the system trusts no certificate: {:?}", found.errors));
	}
	let provider = Arc::new(rustls::crypto::ring::default_provider());
	let config = rustls::ClientConfig::builder_with_provider(provider)
		.with_safe_default_protocol_versions()
		.map_err(|error| error.to_string())?
		.with_root_certificates(roots)
		.with_no_client_auth();
	Ok(TlsConfiguration::Rustls(Arc::new(config)))
}

/// Receives messages, and reports the state of the connection. Ends when the receiver is gone, or with an error when
/// the broker refuses the client or its subscription, or another client takes its place.
pub async fn listen(
	broker: Broker,
	mapping: Mapping,
	reads: Reads,
	to: &mpsc::Sender<Arrival>,
) -> Result<(), Fault> {
	let Broker { options, topic, name } = broker;
	let client_name = options.client_id();
	let (client, mut events) = AsyncClient::new(options, 16);
	let mut messages = Messages {
		topic: &topic,
		reads,
		mapping,
		count: 0,
		foreign: BTreeSet::new(),
	};
	let mut trouble = None;
	let mut contest = Contest::default();
	while !to.is_closed() {
		match events.poll().await {
			Ok(Event::Incoming(Packet::ConnAck(_))) => {
				trouble = None;
				// Subscribe after every connection: the broker may have lost the session.
				let asked = client.try_subscribe(&topic, QoS::AtLeastOnce);
				asked.map_err(|error| Fault::Input(format!("--mqtt: {topic}: {error}")))?;
			}
			Ok(Event::Incoming(Packet::SubAck(answer))) => {
				let is_taken = |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
				if let Some(refused) = answer.return_codes.iter().find(|code| !is_taken(code)) {
					let what =
						format!("the broker at {name} refuses the subscription to {topic}: {refused:?}");
					return Err(Fault::Input(what));
				}
				contest.connected();
				note(to, format!("listening to {topic} at the broker {name}")).await;
			}
			Ok(Event::Incoming(Packet::Publish(message))) => {
				if !messages.take(&client, &message, to).await? {
					return Ok(());
				}
				// A message that is not acknowledged comes again with the next connection.
				let _ = client.try_ack(&message);
			}
			Ok(_) => (),
			Err(error) => {
				if is_taken_over(&error) || contest.is_lost(&error) {
					return Err(Fault::Input(format!(
						"another program takes the place of this one at the broker {name}: it has the same key, and so the \
						 same name, {client_name}. Run one gateway for each meter"
					)));
				}
				if let ConnectionError::ConnectionRefused(ConnectReturnCode::UnsupportedProtocolVersion) =
					error
				{
					return Err(Fault::Input(format!(
						"the broker at {name} does not speak MQTT 5, which this program needs"
					)));
				}
				let text = explained(&error);
				if trouble.as_ref() != Some(&text) {
					let what = format!("no connection to the broker at {name}: {text}; trying again");
					note(to, what).await;
					trouble = Some(text);
				}
				tokio::time::sleep(AGAIN).await;
			}
		}
	}
	Ok(())
}

/// What is done with messages.
struct Messages<'a> {
	topic: &'a str,
	reads: Reads,
	mapping: Mapping,
	count: u64,
	/// Other topics that sent messages.
	foreign: BTreeSet<String>,
}

impl Messages<'_> {
	/// Delivers a message and waits until its reading is on disk. What can never be a reading is named, and done with.
	/// False if the receiver is gone. An error is one of the disk.
	async fn take(
		&mut self,
		client: &AsyncClient,
		message: &Publish,
		to: &mpsc::Sender<Arrival>,
	) -> Result<bool, Fault> {
		let topic = String::from_utf8_lossy(&message.topic);
		if topic != self.topic {
			// The broker keeps the subscriptions of earlier runs.
			if self.foreign.insert(topic.to_string()) {
				let what = format!(
					"messages of the topic {topic} are ignored: the broker had this subscription from an earlier run, and \
					 it is ended now"
				);
				note(to, what).await;
			}
			let _ = client.try_unsubscribe(topic);
			return Ok(true);
		}
		self.count += 1;
		let Completed { rows, notes } = match self.read(&message.payload) {
			Ok(completed) => completed,
			Err(Unread::Message(fault)) => return Ok(to.send(Arrival::Bad(fault)).await.is_ok()),
			Err(Unread::Disk(fault)) => return Err(fault),
		};
		for words in notes {
			note(to, format!("{topic}: {words}")).await;
		}
		for row in rows {
			let (kept, is_kept) = oneshot::channel();
			if to.send(Arrival::Row(row, Some(kept))).await.is_err() || is_kept.await.is_err() {
				return Ok(false);
			}
		}
		Ok(true)
	}

	/// The readings that a message has or completes.
	fn read(&mut self, payload: &[u8]) -> Result<Completed, Unread> {
		let place = Location {
			path: Path::new(self.topic),
			line: self.count,
		};
		let wrong = |what: String| {
			let what = format!("{}: row {}: {what}", place.path.display(), place.line);
			Unread::Message(Fault::Input(what))
		};
		if payload.len() > LONGEST {
			return Err(wrong(format!(
				"a message of {} bytes is no reading: skipped",
				payload.len()
			)));
		}
		let one = |row| Completed {
			rows: vec![row],
			notes: Vec::new(),
		};
		let Some(map) = &self.mapping.map else {
			let row = Row::from_json(&place, payload, self.reads);
			return row.map(one).map_err(Unread::Message);
		};
		let message: serde_json::Value =
			serde_json::from_slice(payload).map_err(|error| wrong(format!("is not JSON: {error}")))?;
		let Some(registers) = &mut self.mapping.registers else {
			let row = map.row(&place, &message, self.reads);
			return row.map(one).map_err(Unread::Message);
		};
		let sample = map.sample(&place, &message, self.reads, now_ms());
		let sample = sample.map_err(Unread::Message)?;
		registers.take(&sample).map_err(Unread::Disk)
	}
}

/// Why a message gives no reading.
enum Unread {
	/// The message has no reading.
	Message(Fault),
	/// The registers cannot be written to disk.
	Disk(Fault),
}

/// Whether the broker says that another client of the same name has connected.
fn is_taken_over(error: &ConnectionError) -> bool {
	matches!(
		error,
		ConnectionError::MqttState(StateError::ServerDisconnect {
			reason_code: DisconnectReasonCode::SessionTakenOver,
			..
		})
	)
}

/// Notices a contest for one name at a broker that only closes the connection, as Mosquitto 2.0.11 does: each of two
/// programs connects again as soon as the other one has taken its place.
#[derive(Default)]
struct Contest {
	connected: Option<Instant>,
	/// How often the broker closed a new connection, without anything else between.
	closed: u32,
}

impl Contest {
	fn connected(&mut self) {
		self.connected = Some(Instant::now());
	}

	/// Takes the end of a connection. True if this program should leave the field.
	fn is_lost(&mut self, error: &ConnectionError) -> bool {
		let is_closed = match error {
			ConnectionError::MqttState(StateError::ConnectionAborted) => true,
			ConnectionError::MqttState(StateError::Io(error)) | ConnectionError::Io(error) => {
				error.kind() == ErrorKind::ConnectionReset
			}
			_ => false,
		};
		let is_new = self.connected.take().is_some_and(|at| at.elapsed() < NEW);
		self.closed = match is_closed && is_new {
			true => self.closed.saturating_add(1),
			false => 0,
		};
		self.closed >= MOST_CLOSED
	}
}

/// The error, with what to do about it if that is known.
fn explained(error: &ConnectionError) -> String {
	let text = error.to_string();
	let hint = if text.contains("CaUsedAsEndEntity") {
		"the broker shows the certificate of an authority; give it one of its own that the authority has signed, as \
		 docs/meters.md shows"
	} else if text.contains("UnknownIssuer") {
		"the system does not trust the issuer of the broker's certificate; name the issuer's certificate with the variable \
		 SSL_CERT_FILE, as docs/meters.md shows"
	} else if text.contains("NotValidForName") {
		"the broker's certificate is for another host; connect to a name that it has"
	} else {
		return text;
	};
	format!("{text} ({hint})")
}

#[cfg(test)]
mod tests {
	use super::*;

	fn of(url: &str) -> Result<(String, String), String> {
		let broker = Broker::of(url, &AccountId32([7; 32])).map_err(|fault| fault.to_string())?;
		Ok((broker.topic, broker.name))
	}

	#[test]
	fn topic_of_a_url_is_decoded() {
		for (url, topic) in [
			("mqtt://127.0.0.1/homes/7/meter", "homes/7/meter"),
			("mqtt://127.0.0.1//homes/7", "/homes/7"),
			("mqtt://127.0.0.1/%2Fhomes/7", "/homes/7"),
			("mqtt://127.0.0.1/my home/meter%20", "my home/meter "),
			("mqtt://127.0.0.1/Zähler/K%C3%BCche", "Zähler/Küche"),
			("mqtt://127.0.0.1/what%3F", "what?"),
			("mqtt://127.0.0.1/a//b/", "a//b/"),
		] {
			assert_eq!(of(url), Ok((topic.into(), "127.0.0.1:1883".into())), "{url}");
		}
	}

	#[test]
	fn contest_is_lost_after_several_new_connections_that_were_closed() {
		let closed = ConnectionError::MqttState(StateError::ConnectionAborted);
		let mut contest = Contest::default();
		let mut round = |error: &ConnectionError| {
			contest.connected();
			contest.is_lost(error)
		};
		assert_eq!([(); 4].map(|()| round(&closed)), [false, false, false, true]);
		// A broker that restarts refuses connections between.
		let refused = ConnectionError::Io(ErrorKind::ConnectionRefused.into());
		assert!(!round(&refused));
		assert!(!round(&closed));
		// Without a connection there was nothing to close.
		let mut contest = Contest::default();
		assert!((0..10).all(|_| !contest.is_lost(&closed)));
	}

	#[test]
	fn wrong_urls_are_named() {
		for (url, said) in [
			("mqtt://127.0.0.1/homes/#", "must not have '#' or '?'"),
			("mqtt://127.0.0.1/homes/7?", "must not have '#' or '?'"),
			("mqtt://127.0.0.1/homes/+/meter", "the topic contains '+'"),
			("mqtt://127.0.0.1/homes/%23", "the topic contains '#'"),
			("mqtt://127.0.0.1/%FF", "not UTF-8"),
			("mqtt://127.0.0.1/", "names no topic"),
			("mqtt://127.0.0.1", "names no topic"),
			("http://127.0.0.1/homes", "neither mqtt nor mqtts"),
			("mqtt://meter:secret@127.0.0.1/homes", "contains a password"),
		] {
			let refused = of(url).expect_err(url);
			assert!(refused.contains(said), "{url}: {refused}");
		}
	}
}
