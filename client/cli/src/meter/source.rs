//! Where readings come from: a CSV file that grows, standard input, or MQTT.

use super::row::Row;
use crate::{
	cli::MeterRunArgs,
	fault::{Fault, Location},
	files::InFile,
};
use csv::StringRecord;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS, TlsConfiguration, Transport};
use std::{
	path::{Path, PathBuf},
	sync::Arc,
	time::Duration,
};
use subxt::utils::AccountId32;
use tokio::{
	fs::File,
	io::{AsyncBufReadExt, AsyncRead, AsyncSeekExt, BufReader},
	sync::{mpsc, oneshot},
};
use url::Url;

/// Interval at which a growing file is polled.
const LOOK: Duration = Duration::from_secs(1);
/// Delay before a lost broker is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// The variable with the password of the broker's user.
const PASSWORD: &str = "COMMONWATT_MQTT_PASSWORD";
/// Maximum size of an MQTT packet, bytes: more than any reading needs.
const LONGEST: usize = 64 * 1024;

/// What a source delivers.
pub enum Arrival {
	/// A reading, and a channel to confirm that it is on disk.
	Row(Row, Option<oneshot::Sender<()>>),
	/// A malformed row.
	Bad(Fault),
	/// A message for the user.
	Note(String),
	/// The source cannot be read any more.
	End(Fault),
}

/// A source of readings.
pub enum Source {
	Csv { file: PathBuf, once: bool },
	Stdin,
	Mqtt(Box<Broker>),
}

/// A broker, and the topic to subscribe to.
pub struct Broker {
	options: MqttOptions,
	topic: String,
	/// Host and port, for messages.
	name: String,
}

impl Source {
	/// The source that the options name. `meter` gives the MQTT client its name.
	pub fn new(args: &MeterRunArgs, meter: &AccountId32) -> Result<Self, Fault> {
		match (&args.csv, &args.mqtt) {
			(Some(file), _) => {
				// Fail before the work if the file cannot be read.
				std::fs::File::open(file).in_file(file)?;
				Ok(Self::Csv {
					file: file.clone(),
					once: args.once,
				})
			}
			(None, Some(url)) => Ok(Self::Mqtt(Box::new(broker(url, meter)?))),
			(None, None) => Ok(Self::Stdin),
		}
	}

	/// Delivers what arrives until the source ends or the receiver is gone.
	pub async fn feed(self, indoor_centi_c: Option<i16>, to: mpsc::Sender<Arrival>) {
		let fed = match self {
			Self::Csv { file, once } => csv(&file, once, indoor_centi_c, &to).await,
			Self::Stdin => {
				let mut rows = Rows::new("standard input".as_ref(), tokio::io::stdin(), indoor_centi_c);
				rows.read(&to, true).await
			}
			Self::Mqtt(broker) => mqtt(*broker, indoor_centi_c, &to).await,
		};
		if let Err(fault) = fed {
			// An error here means that the receiver is gone.
			let _ = to.send(Arrival::End(fault)).await;
		}
	}
}

/// Reads a file, and then what is added to it. Starts at the beginning again if the file became shorter, as rotated
/// logs do.
async fn csv(
	path: &Path,
	once: bool,
	indoor_centi_c: Option<i16>,
	to: &mpsc::Sender<Arrival>,
) -> Result<(), Fault> {
	let opened = || async { File::open(path).await.in_file(path) };
	let mut rows = Rows::new(path, opened().await?, indoor_centi_c);
	loop {
		rows.read(to, once).await?;
		if once || to.is_closed() {
			return Ok(());
		}
		tokio::time::sleep(LOOK).await;
		// A file that is being rotated may be missing for a moment.
		let Ok(data) = tokio::fs::metadata(path).await else {
			continue;
		};
		if data.len() < rows.from.stream_position().await.in_file(path)? {
			rows = Rows::new(path, opened().await?, indoor_centi_c);
		}
	}
}

/// Complete lines of CSV, as they arrive.
struct Rows<'a, From> {
	path: &'a Path,
	from: BufReader<From>,
	indoor_centi_c: Option<i16>,
	header: Option<StringRecord>,
	/// The beginning of a line that is not complete yet.
	begun: Vec<u8>,
	line: u64,
}

impl<'a, From: AsyncRead + Unpin> Rows<'a, From> {
	fn new(path: &'a Path, from: From, indoor_centi_c: Option<i16>) -> Self {
		Self {
			path,
			from: BufReader::new(from),
			indoor_centi_c,
			header: None,
			begun: Vec::new(),
			line: 0,
		}
	}

	/// Delivers all complete lines. If `is_end`, a last line without a newline is complete.
	async fn read(&mut self, to: &mpsc::Sender<Arrival>, is_end: bool) -> Result<(), Fault> {
		loop {
			let read = self.from.read_until(b'\n', &mut self.begun).await;
			let read = read.in_file(self.path)?;
			let is_whole = self.begun.ends_with(b"\n");
			let is_line = is_whole || is_end && read == 0;
			if !is_line {
				if read == 0 {
					return Ok(());
				}
				continue;
			}
			if !self.begun.is_empty() {
				let line = std::mem::take(&mut self.begun);
				if let Some(arrival) = self.line(&line)? {
					if to.send(arrival).await.is_err() {
						return Ok(());
					}
				}
			}
			if read == 0 {
				return Ok(());
			}
		}
	}

	fn line(&mut self, line: &[u8]) -> Result<Option<Arrival>, Fault> {
		self.line += 1;
		let place = Location {
			path: self.path,
			line: self.line,
		};
		let mut reader = csv::ReaderBuilder::new()
			.has_headers(false)
			.trim(csv::Trim::All)
			.from_reader(line);
		let record = match reader.records().next() {
			None => return Ok(None),
			Some(Ok(record)) => record,
			Some(Err(error)) => return Ok(Some(Arrival::Bad(place.fault("any", error)))),
		};
		let Some(header) = &self.header else {
			for name in super::row::REQUIRED {
				if !record.iter().any(|there| there == name) {
					return Err(place.fault(name, "the header has no such column"));
				}
			}
			self.header = Some(record);
			return Ok(None);
		};
		let field = |name: &str| {
			let column = header.iter().position(|there| there == name)?;
			record.get(column)
		};
		Ok(Some(match Row::read(&place, field, self.indoor_centi_c) {
			Ok(row) => Arrival::Row(row, None),
			Err(fault) => Arrival::Bad(fault),
		}))
	}
}

/// `mqtt://[USER@]HOST[:PORT]/TOPIC`
fn broker(url: &str, meter: &AccountId32) -> Result<Broker, Fault> {
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
	let topic = parsed.path().trim_start_matches('/').to_owned();
	if topic.is_empty() {
		return Err(wrong(
			"the URL names no topic; an example with one is mqtt://127.0.0.1/homes/7/meter",
		));
	}
	// Always the same name, so that the broker keeps messages for it; and a unique one, so that no other client is
	// disconnected.
	let client = format!("commonwatt-{}", &subxt::utils::to_hex(&meter.0[..8])[2..]);
	let mut options = MqttOptions::new(client, host, port);
	options
		.set_clean_session(false)
		.set_manual_acks(true)
		.set_keep_alive(Duration::from_secs(30))
		.set_max_packet_size(LONGEST, LONGEST);
	if !parsed.username().is_empty() {
		let password = std::env::var(PASSWORD)
			.map_err(|_| wrong(&format!("the URL names a user, but {PASSWORD} is not set")))?;
		options.set_credentials(parsed.username(), password);
	}
	if is_tls {
		let tls = tls().map_err(|error| wrong(&error))?;
		options.set_transport(Transport::tls_with_config(tls));
	}
	let name = format!("{host}:{port}");
	Ok(Broker { options, topic, name })
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
/// the broker refuses the subscription.
async fn mqtt(broker: Broker, indoor_centi_c: Option<i16>, to: &mpsc::Sender<Arrival>) -> Result<(), Fault> {
	let Broker { options, topic, name } = broker;
	let (client, mut events) = AsyncClient::new(options, 16);
	let mut count = 0;
	let mut trouble = None;
	while !to.is_closed() {
		match events.poll().await {
			Ok(Event::Incoming(Packet::ConnAck(_))) => {
				trouble = None;
				// Subscribe after every connection: the broker may have lost the session.
				let asked = client.try_subscribe(&topic, QoS::AtLeastOnce);
				asked.map_err(|error| Fault::Input(format!("--mqtt: {topic}: {error}")))?;
			}
			Ok(Event::Incoming(Packet::SubAck(answer))) => {
				if answer
					.return_codes
					.contains(&rumqttc::SubscribeReasonCode::Failure)
				{
					let what = format!("the broker at {name} refuses the subscription to {topic}");
					return Err(Fault::Input(what));
				}
				note(to, format!("listening to {topic} at the broker {name}")).await;
			}
			Ok(Event::Incoming(Packet::Publish(message))) => {
				count += 1;
				let place = Location {
					path: message.topic.as_ref(),
					line: count,
				};
				match Row::from_json(&place, &message.payload, indoor_centi_c) {
					Ok(row) => {
						let (kept, is_kept) = oneshot::channel();
						if to.send(Arrival::Row(row, Some(kept))).await.is_err() || is_kept.await.is_err() {
							return Ok(());
						}
					}
					Err(fault) => {
						let _ = to.send(Arrival::Bad(fault)).await;
					}
				}
				// A message that is not acknowledged comes again with the next connection.
				let _ = client.try_ack(&message);
			}
			Ok(_) => (),
			Err(error) => {
				let text = error.to_string();
				if trouble.as_ref() != Some(&text) {
					note(
						to,
						format!("no connection to the broker at {name}: {text}; trying again"),
					)
					.await;
					trouble = Some(text);
				}
				tokio::time::sleep(AGAIN).await;
			}
		}
	}
	Ok(())
}

async fn note(to: &mpsc::Sender<Arrival>, text: String) {
	// An error here means that the receiver is gone.
	let _ = to.send(Arrival::Note(text)).await;
}
