//! Where readings come from: a CSV file that grows, standard input, or MQTT.

mod csv;
mod mqtt;

use super::{
	map::Map,
	registers::Registers,
	row::{Reads, Row},
};
use crate::{cli::MeterRunArgs, data::format::Format, fault::Fault, files::InFile};
use mqtt::Broker;
use std::path::{Path, PathBuf};
use subxt::utils::AccountId32;
use tokio::sync::{mpsc, oneshot};

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
	Mqtt(Box<Broker>, Box<Mapping>),
}

/// How a message becomes readings.
pub struct Mapping {
	/// `None` if messages have the fields of a reading.
	map: Option<Map>,
	/// If the map is of registers.
	registers: Option<Registers>,
}

impl Mapping {
	/// What the options say. `queue` is the file beside which the registers are kept.
	fn new(args: &MeterRunArgs, queue: &Path) -> Result<Self, Fault> {
		let map = args.map.as_deref().map(Map::parse).transpose();
		let map = map.map_err(|error| Fault::Input(format!("--map: {error}")))?;
		let era_ms = u64::from(args.era_minutes) * 60_000;
		let registers = match map.as_ref().is_some_and(Map::has_registers) {
			true => {
				let mut file = queue.to_path_buf().into_os_string();
				file.push(".registers");
				Some(Registers::open(file.into(), era_ms)?)
			}
			false => None,
		};
		Ok(Self { map, registers })
	}
}

impl Source {
	/// The source that the options name. `meter` gives the MQTT client its name; the state of a source is kept beside
	/// `queue`.
	pub fn new(args: &MeterRunArgs, meter: &AccountId32, queue: &Path) -> Result<Self, Fault> {
		match (&args.csv, &args.mqtt) {
			(Some(file), _) => {
				// Fail before the work if the file cannot be read.
				std::fs::File::open(file).in_file(file)?;
				Ok(Self::Csv {
					file: file.clone(),
					once: args.once,
				})
			}
			(None, Some(url)) => Ok(Self::Mqtt(
				Box::new(Broker::of(url, meter)?),
				Box::new(Mapping::new(args, queue)?),
			)),
			(None, None) => Ok(Self::Stdin),
		}
	}

	/// Delivers what arrives until the source ends or the receiver is gone.
	pub async fn feed(self, format: Format, indoor_centi_c: Option<i16>, to: mpsc::Sender<Arrival>) {
		let reads = Reads {
			numbers: format.numbers,
			indoor_centi_c,
		};
		let fed = match self {
			Self::Csv { file, once } => csv::follow(&file, once, (format, reads), &to).await,
			Self::Stdin => csv::read_all("standard input".as_ref(), (format, reads), &to).await,
			Self::Mqtt(broker, mapping) => mqtt::listen(*broker, *mapping, reads, &to).await,
		};
		if let Err(fault) = fed {
			// An error here means that the receiver is gone.
			let _ = to.send(Arrival::End(fault)).await;
		}
	}
}

async fn note(to: &mpsc::Sender<Arrival>, text: String) {
	// An error here means that the receiver is gone.
	let _ = to.send(Arrival::Note(text)).await;
}
