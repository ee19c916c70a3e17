//! `commonwatt meter` and a real MQTT broker.

mod common;

use common::{
	free_port,
	meter::{connect, next_era, sent, time, Device, Meter, ERA_MS, STILL},
	Folder, Node, PATIENCE,
};
use rumqttc::{AsyncClient, Event, MqttOptions, Outgoing, QoS};
use std::{
	fs,
	path::Path,
	process::{Child, Command, Stdio},
	thread,
	time::{Duration, Instant},
};

/// A broker of its own. It is killed on drop.
struct Broker(Child);

impl Broker {
	/// Starts a broker for everybody, at a free port.
	fn open(place: &Folder) -> (Self, u16) {
		let (port, config) = (free_port(), place.folder("mosquitto.conf"));
		let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n");
		fs::write(&config, text).unwrap();
		(Self::start(&config, port), port)
	}

	fn start(config: &Path, port: u16) -> Self {
		let child = Command::new("mosquitto")
			.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap()))
			.arg("-c")
			.arg(config)
			.stdout(Stdio::null())
			.stderr(Stdio::null())
			.spawn()
			.expect("mosquitto is installed: scripts/setup.sh does it");
		let begun = Instant::now();
		while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
			assert!(begun.elapsed() < PATIENCE, "mosquitto does not listen");
			thread::sleep(Duration::from_millis(50));
		}
		Self(child)
	}
}

impl Drop for Broker {
	fn drop(&mut self) {
		let _ = self.0.kill();
		let _ = self.0.wait();
	}
}

/// Publishes one message, and waits until the broker acknowledges it.
async fn publish(port: u16, topic: &str, payload: String) {
	let mut options = MqttOptions::new("a-meter", "127.0.0.1", port);
	options.set_max_packet_size(10_000, 4_000_000);
	let (client, mut events) = AsyncClient::new(options, 8);
	client
		.publish(topic, QoS::AtLeastOnce, false, payload)
		.await
		.unwrap();
	loop {
		match events.poll().await.expect("the broker is there") {
			Event::Incoming(rumqttc::Packet::PubAck(_)) => break,
			Event::Outgoing(Outgoing::Disconnect) => panic!("not acknowledged"),
			_ => (),
		}
	}
}

fn message(era: u64, generation_wh: u32) -> String {
	serde_json::json!({
		"period_start": time(era * ERA_MS),
		"generation_wh": generation_wh,
		"consumption_wh": 300,
		"indoor_c": 21.5,
	})
	.to_string()
}

/// Messages that are published while the program is not running arrive later, and the program finds a broker that was
/// away.
#[tokio::test(flavor = "multi_thread")]
async fn no_reading_over_mqtt_is_lost_while_program_or_broker_is_away() {
	let place = Folder::new();
	let node = Node::start_with(&place.folder("chain"), &STILL);
	let rpc = connect(&node.url).await;
	let device = Device::alice(&place, &node.url);
	let (broker, port) = Broker::open(&place);
	let topic = "homes/alice/meter";
	let url = format!("mqtt://127.0.0.1:{port}/{topic}");
	let listen = || device.command(&["--mqtt", &url]);

	let first = next_era(&rpc).await;
	let mut meter = Meter::start(listen());
	meter.wait_for(&["listening to homes/alice/meter"]);
	publish(port, topic, "{\"period_start\":3}".into()).await;
	publish(port, "homes/bob/meter", message(first, 7)).await;
	publish(port, topic, message(first, 1_000)).await;
	meter.wait_for(&["homes/alice/meter: row 1, column period_start: '3' is not a time"]);
	meter.wait_for(&["1000 Wh generated", "final"]);
	meter.kill();

	publish(port, topic, message(first + 1, 1_001)).await;
	assert_eq!(next_era(&rpc).await, first + 1);
	let mut meter = Meter::start(listen());
	meter.wait_for(&["1001 Wh generated", "final"]);

	drop(broker);
	meter.wait_for(&["no connection to the broker"]);
	let _broker = Broker::start(&place.folder("mosquitto.conf"), port);
	meter.wait_for(&["listening to homes/alice/meter"]);
	publish(port, topic, message(first + 2, 1_002)).await;
	assert_eq!(next_era(&rpc).await, first + 2);
	meter.wait_for(&["1002 Wh generated", "final"]);
	assert_eq!(device.log().len(), 3);
	assert_eq!(sent(&node.url).await, 3);
}

/// A persistent session keeps the subscriptions of earlier runs.
#[tokio::test(flavor = "multi_thread")]
async fn neighbours_messages_of_an_earlier_subscription_are_not_signed() {
	let place = Folder::new();
	// No node: the readings stay queued.
	let device = Device::alice(&place, "ws://127.0.0.1:9");
	let (_broker, port) = Broker::open(&place);
	let start =
		|topic: &str| Meter::start(device.command(&["--mqtt", &format!("mqtt://127.0.0.1:{port}/{topic}")]));
	let listen = |topic: &str| {
		let mut meter = start(topic);
		meter.wait_for(&[&format!("listening to {topic}")]);
		meter
	};
	listen("homes/8/meter").kill();
	publish(port, "homes/8/meter", message(50, 8_888)).await;
	let mut meter = listen("homes/7/meter");
	publish(port, "homes/7/meter", message(50, 7)).await;
	meter.wait_for(&["7 Wh generated", "queued"]);
	let said = meter.interrupt().stderr;
	assert!(
		said.contains("messages of the topic homes/8/meter are ignored"),
		"{said}"
	);
	// The old subscription is gone.
	publish(port, "homes/8/meter", message(51, 8_889)).await;
	publish(port, "homes/7/meter", message(52, 9)).await;
	let mut meter = start("homes/7/meter");
	meter.wait_for(&["9 Wh generated", "queued"]);
	meter.kill();
	let log = device.log();
	assert_eq!(log.len(), 2, "{log:?}");
	assert!(!log.concat().contains("888"), "{log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn message_that_is_no_reading_blocks_no_later_one() {
	let place = Folder::new();
	let device = Device::alice(&place, "ws://127.0.0.1:9");
	let (_broker, port) = Broker::open(&place);
	let url = format!("mqtt://127.0.0.1:{port}/homes/alice");
	let mut meter = Meter::start(device.command(&["--mqtt", &url]));
	meter.wait_for(&["listening to homes/alice"]);
	let long = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
	// One that the program names, one that it asked the broker not to send, and one that is not JSON.
	publish(port, "homes/alice", long(100_000)).await;
	publish(port, "homes/alice", long(2_000_000)).await;
	publish(port, "homes/alice", "ON".into()).await;
	publish(port, "homes/alice", message(50, 1)).await;
	meter.wait_for(&["1 Wh generated", "queued"]);
	let said = meter.interrupt().expect_code(2).stderr;
	for words in [
		"homes/alice: row 1: a message of 100002 bytes is no reading: skipped",
		"homes/alice: row 2: is not a JSON object",
		"1 new reading(s), 0 duplicate(s), 2 row(s) rejected",
	] {
		assert!(said.contains(words), "{said}");
	}
	// They do not come again.
	publish(port, "homes/alice", message(51, 2)).await;
	let mut meter = Meter::start(device.command(&["--mqtt", &url]));
	meter.wait_for(&["2 Wh generated", "queued"]);
	let outcome = meter.interrupt();
	assert!(
		outcome
			.stderr
			.contains("1 new reading(s), 0 duplicate(s), 0 row(s) rejected"),
		"{}",
		outcome.stderr
	);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_gateways_with_one_key_ends() {
	let (place, elsewhere) = (Folder::new(), Folder::new());
	let (_broker, port) = Broker::open(&place);
	let url = format!("mqtt://127.0.0.1:{port}/homes/alice");
	// On two machines, each with a queue of its own.
	let mut gateways = [&place, &elsewhere].map(|place| {
		let device = Device::alice(place, "ws://127.0.0.1:9");
		let mut meter = Meter::start(device.command(&["--mqtt", &url]));
		meter.wait_for(&["listening to homes/alice"]);
		meter
	});
	let begun = Instant::now();
	while !gateways.iter_mut().any(Meter::has_ended) {
		assert!(begun.elapsed() < PATIENCE, "both go on");
		thread::sleep(Duration::from_millis(100));
	}
	let [one, mut other] = gateways;
	let (ended, mut left) = match other.has_ended() {
		true => (other, one),
		false => (one, other),
	};
	let outcome = ended.finish().expect_code(2);
	assert!(
		outcome
			.stderr
			.contains("another program takes the place of this one at the broker"),
		"{}",
		outcome.stderr
	);
	publish(port, "homes/alice", message(50, 1)).await;
	left.wait_for(&["1 Wh generated", "queued"]);
}

/// Registers as a reading head sends them, with a restart in the middle of an era.
#[tokio::test(flavor = "multi_thread")]
async fn registers_become_readings_of_eras() {
	let place = Folder::new();
	let device = Device::alice(&place, "ws://127.0.0.1:9");
	let (_broker, port) = Broker::open(&place);
	let topic = "tele/meter/SENSOR";
	let url = format!("mqtt://127.0.0.1:{port}/{topic}");
	let map = "time=$.Time,generation-register=$.SML.Total_out,consumption-register=$.SML.Total_in";
	let options = ["--mqtt", &url, "--map", map, "--unit", "kwh", "--indoor-c", "20"];
	let sensor = |time: &str, out: f64, used: f64| {
		serde_json::json!({"Time": time, "SML": {"Total_out": out, "Total_in": used}}).to_string()
	};
	let mut meter = Meter::start(device.command(&options));
	meter.wait_for(&[&format!("listening to {topic}")]);
	publish(port, topic, sensor("2026-08-01T12:25:00", 10.0, 200.0)).await;
	publish(port, topic, sensor("2026-08-01T12:35:00", 10.1, 200.2)).await;
	publish(port, topic, sensor("2026-08-01T12:55:00", 10.5, 200.3)).await;
	publish(port, topic, "offline".into()).await;
	meter.wait_for(&["tele/meter/SENSOR: row 4: is not JSON"]);
	meter.kill();
	// 12:30 was at 10.05 and 200.1 kWh, 13:00 is at 10.75 and 200.55 kWh.
	publish(port, topic, sensor("2026-08-01T13:05:00", 11.0, 200.8)).await;
	let mut meter = Meter::start(device.command(&options));
	meter.wait_for(&[
		"2026-08-01T12:30:00Z",
		"700 Wh generated, 450 Wh consumed",
		"queued",
	]);
}

/// Runs a command, and asserts that it succeeds.
fn run_successfully(command: &mut Command) {
	let output = command
		.output()
		.expect("it is installed: scripts/setup.sh does it");
	assert!(
		output.status.success(),
		"{}",
		String::from_utf8_lossy(&output.stderr)
	);
}

/// Paths of a broker's certificate and key, and of the certificate of the authority that signed it.
struct Certificates {
	ca: String,
	server: String,
	server_key: String,
}

impl Certificates {
	/// Makes an authority, and a certificate of it for this machine.
	fn make(place: &Folder) -> Self {
		let files = [
			"ca.pem",
			"ca.key",
			"server.csr",
			"server.pem",
			"server.key",
			"names",
		]
		.map(|name| place.path(name));
		let [ca, ca_key, csr, server, server_key, names] = &files;
		let ec = [
			"-newkey",
			"ec",
			"-pkeyopt",
			"ec_paramgen_curve:prime256v1",
			"-nodes",
		];
		run_successfully(
			Command::new("openssl")
				.args(["req", "-x509", "-subj", "/CN=Test", "-days", "2"])
				.args(["-keyout", ca_key, "-out", ca])
				.args(ec),
		);
		run_successfully(
			Command::new("openssl")
				.args(["req", "-subj", "/CN=localhost"])
				.args(["-keyout", server_key, "-out", csr])
				.args(ec),
		);
		fs::write(names, "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
		run_successfully(
			Command::new("openssl")
				.args(["x509", "-req", "-in", csr, "-CA", ca, "-CAkey", ca_key])
				.args(["-CAcreateserial", "-days", "2"])
				.args(["-extfile", names, "-out", server]),
		);
		Self {
			ca: ca.clone(),
			server: server.clone(),
			server_key: server_key.clone(),
		}
	}
}

/// Starts a broker that only Alice can use, over TLS and with the password "sunshine".
fn start_tls_broker(place: &Folder, certificates: &Certificates, port: u16) -> Broker {
	let passwords = place.path("passwords");
	run_successfully(Command::new("mosquitto_passwd").args(["-c", "-b", &passwords, "alice", "sunshine"]));
	let config = place.folder("mosquitto.conf");
	let Certificates {
		server, server_key, ..
	} = certificates;
	fs::write(
		&config,
		format!(
			"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\ncertfile {server}\n\
			 keyfile {server_key}\nuser root\n"
		),
	)
	.unwrap();
	Broker::start(&config, port)
}

/// TLS, a user and a password. A wrong password and an untrusted certificate are refused.
#[tokio::test(flavor = "multi_thread")]
async fn broker_is_reached_over_tls_with_a_password() {
	let place = Folder::new();
	let device = Device::alice(&place, "ws://127.0.0.1:9");
	let certificates = Certificates::make(&place);
	let ca = &certificates.ca;
	let port = free_port();
	let _broker = start_tls_broker(&place, &certificates, port);
	let listen = |user: &str, password: &str, trusted: &str| {
		let mut command = device.command(&["--mqtt", &format!("mqtts://{user}127.0.0.1:{port}/homes/alice")]);
		command
			.env("SSL_CERT_FILE", trusted)
			.env("COMMONWATT_MQTT_PASSWORD", password);
		Meter::start(command)
	};
	listen("alice@", "sunshine", ca).wait_for(&["listening to homes/alice"]);
	// As it is written in a URL.
	listen("%61lice@", "sunshine", ca).wait_for(&["listening to homes/alice"]);
	listen("alice@", "moonshine", ca).wait_for(&["no connection to the broker", "NotAuthorized"]);
	listen("alice@", "sunshine", "/etc/ssl/certs/ca-certificates.crt").wait_for(&[
		"no connection to the broker",
		"UnknownIssuer",
		"name the issuer's certificate with the variable SSL_CERT_FILE",
	]);
	// A certificate that is its own authority, as it is easily made and not accepted.
	let own = Certificates {
		server: certificates.ca.clone(),
		server_key: certificates.ca.replace("ca.pem", "ca.key"),
		ca: certificates.ca.clone(),
	};
	let elsewhere = Folder::new();
	let own_port = free_port();
	let _own_broker = start_tls_broker(&elsewhere, &own, own_port);
	let mut command = device.command(&["--mqtt", &format!("mqtts://127.0.0.1:{own_port}/homes/alice")]);
	command.env("SSL_CERT_FILE", ca);
	Meter::start(command).wait_for(&[
		"no connection to the broker",
		"CaUsedAsEndEntity",
		"give it one of its own that the authority has signed",
	]);
	let with_password = format!("mqtts://alice:sunshine@127.0.0.1:{port}/homes/alice");
	let outcome = Meter::start(device.command(&["--mqtt", &with_password]))
		.finish()
		.expect_code(2);
	assert!(
		outcome.stderr.contains("contains a password"),
		"{}",
		outcome.stderr
	);
	assert!(!outcome.stderr.contains("sunshine"), "{}", outcome.stderr);
}
