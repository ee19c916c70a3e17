//! What meters report.

use crate::{Contract, EraIndex, HouseholdId};
use commonwatt_game::Strategy;

commonwatt_game::stored_types! {
	/// How a reading came about.
	#[derive(Copy)]
	pub enum Quality {
		/// Read off the meter.
		#[cfg_attr(feature = "scale", codec(index = 0))]
		Measured,
		/// Estimated by the metering device or, where the meter stayed silent, by the chain.
		#[cfg_attr(feature = "scale", codec(index = 1))]
		Estimated,
		/// Replaces an earlier reading of the same era.
		#[cfg_attr(feature = "scale", codec(index = 2))]
		Corrected,
	}

	/// What a meter saw in one era.
	#[derive(Copy)]
	pub struct Reading {
		/// Energy generated, Wh.
		pub generation_wh: u32,
		/// Energy consumed, Wh.
		pub consumption_wh: u32,
		/// Indoor temperature at the end of the era, hundredths of a degree Celsius.
		pub indoor_centi_c: i16,
		/// How the reading came about.
		pub quality: Quality,
	}

	/// One item of a data concentrator's batch.
	#[derive(Copy)]
	pub struct ReadingItem {
		/// The household.
		pub household: HouseholdId,
		/// The era of the reading.
		pub era: EraIndex,
		/// The reading.
		pub reading: Reading,
	}

	/// The newest two readings of a household, of different eras. The market needs no more: it takes readings of one era
	/// while it settles the era before.
	#[derive(Copy)]
	pub struct Metered {
		/// The era of the newest reading.
		pub era: EraIndex,
		/// The newest reading.
		pub reading: Reading,
		/// The reading before it, with its era.
		pub before: Option<(EraIndex, Reading)>,
	}
}

impl Reading {
	/// Generation less consumption, Wh; positive is a surplus.
	pub fn net_wh(&self) -> i64 {
		i64::from(self.generation_wh) - i64::from(self.consumption_wh)
	}

	/// What the chain takes a silent meter to have seen. It never helps the owner: a seller delivered nothing, a buyer
	/// consumed what its contract says; without a contract, consumption as last read, at most the connection's limit, and
	/// no generation.
	pub fn estimate<Strategies: AsRef<[Strategy]>>(
		connection_limit_wh: u32,
		contract: Option<&Contract<Strategies>>,
		last_reading: Option<Reading>,
	) -> Self {
		let chosen =
			contract.and_then(|contract| Some((contract.generation_wh, contract.chosen_strategy()?)));
		let (generation_wh, consumption_wh, indoor_centi_c) = match (chosen, last_reading) {
			(Some((generation_wh, chosen)), _) => (
				generation_wh.min(chosen.consumption_wh),
				chosen.consumption_wh,
				chosen.temperature_centi_c,
			),
			(None, Some(last)) => (
				0,
				last.consumption_wh.min(connection_limit_wh),
				last.indoor_centi_c,
			),
			(None, None) => (0, 0, 0),
		};
		Self {
			generation_wh,
			consumption_wh,
			indoor_centi_c,
			quality: Quality::Estimated,
		}
	}
}

impl Metered {
	/// The reading of an era.
	pub fn of(&self, era: EraIndex) -> Option<Reading> {
		let mut readings = self.newest_first();
		readings.find(|(of, _)| *of == era).map(|(_, reading)| reading)
	}

	/// The newest reading of an era or of an earlier one.
	pub fn until(&self, era: EraIndex) -> Option<Reading> {
		let mut readings = self.newest_first();
		readings.find(|(of, _)| *of <= era).map(|(_, reading)| reading)
	}

	fn newest_first(&self) -> impl Iterator<Item = (EraIndex, Reading)> {
		[Some((self.era, self.reading)), self.before]
			.into_iter()
			.flatten()
	}

	/// Adds a reading of an era that is no earlier than that of the newest one. A reading of the same era replaces it.
	pub fn with(newest: Option<Self>, era: EraIndex, reading: Reading) -> Self {
		let before = newest.and_then(|newest| {
			if newest.era == era {
				newest.before
			} else {
				Some((newest.era, newest.reading))
			}
		});
		Self { era, reading, before }
	}
}
