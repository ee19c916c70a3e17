//! What meters report.

use crate::{Contract, EraIndex, Household, HouseholdId};
use commonwatt_game::Strategy;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// A standing preference speaks only with a reading of one of this many newest eras whose readings are complete.
pub const PREFERENCE_ERAS: EraIndex = 4;

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

	/// A reading that the chain took.
	#[derive(Copy)]
	pub struct Reported {
		/// The era that was measured.
		pub era: EraIndex,
		/// The reading.
		pub reading: Reading,
		/// Whether the meter itself signed it; false if a data concentrator did.
		pub by_meter: bool,
	}

	/// Who reported the reading that a statement settles.
	#[derive(Copy)]
	pub enum ReportedBy {
		/// The household's meter: nothing stands over its word.
		#[cfg_attr(feature = "scale", codec(index = 0))]
		Meter,
		/// The community's data concentrator: the meter can still correct it with a late reading.
		#[cfg_attr(feature = "scale", codec(index = 1))]
		Concentrator,
		/// Nobody, so the chain estimated it: the meter can still correct it with a late reading.
		#[cfg_attr(feature = "scale", codec(index = 2))]
		Nobody,
	}

	/// The newest two readings of a household, of different eras, and its highest consumption. The market needs no more:
	/// it takes readings of one era while it settles the era before.
	#[derive(Copy)]
	pub struct Metered {
		/// The newest reading.
		pub newest: Reported,
		/// The reading before it.
		pub before: Option<Reported>,
		/// Highest consumption on the last days with a reading, without the newest reading, which may still be corrected.
		pub peaks: Peaks,
	}

	/// Highest consumption in an era, on the last two days with a reading. Days are counted from the Unix epoch, UTC.
	#[derive(Copy, Default)]
	pub struct Peaks {
		/// The newest day with a reading.
		pub day: u32,
		/// Highest consumption on that day, Wh.
		pub highest_wh: u32,
		/// Highest consumption on the day with readings before it, Wh; 0 if there is none.
		pub before_wh: u32,
	}
}

impl Reading {
	/// Generation less consumption, Wh; positive is a surplus.
	pub fn net_wh(&self) -> i64 {
		i64::from(self.generation_wh) - i64::from(self.consumption_wh)
	}

	/// What the chain assumes for a silent meter. Silence must not pay, so the estimate is high: no generation, and as
	/// consumption the larger of
	///
	/// - the contracted consumption, and
	/// - 1.25 times the highest consumption on the last days with a reading, or 1.25 times a hundredth of the connection
	///   limit if that is more (what a home takes on standby). It doubles for each full day since the last reading, or
	///   since the household joined if it never reported.
	///
	/// The second is at most the connection limit. `metered` are the readings at the settlement of `era`.
	pub fn estimate<AccountId, Strategies: AsRef<[Strategy]>>(
		household: &Household<AccountId>,
		contract: Option<&Contract<Strategies>>,
		metered: Option<&Metered>,
		era: EraIndex,
		calendar: &Calendar,
	) -> Self {
		let chosen = contract.and_then(Contract::chosen_strategy);
		let last = metered.and_then(|metered| metered.last_before(era));
		let joined = household.member_since.max(calendar.first_era);
		let silent_since = last.map_or(joined, |last| last.era);
		let silent_days = calendar.days(era.saturating_sub(silent_since));
		let limit_wh = household.connection_limit_in(era);
		let standby_wh = limit_wh / 100;
		let last_wh = last.map_or(0, |last| last.reading.consumption_wh);
		let peak_wh = metered.map_or(0, |metered| metered.peaks.highest()).max(last_wh);
		let usual_wh = u64::from(peak_wh.max(standby_wh));
		let assumed_wh = usual_wh
			.saturating_mul(5)
			.div_ceil(4)
			.saturating_mul(1u64.checked_shl(silent_days).unwrap_or(u64::MAX))
			.min(limit_wh.into());
		let contracted_wh = chosen.map_or(0, |chosen| chosen.consumption_wh);
		Self {
			generation_wh: 0,
			// At most the connection limit, which is 32 bits wide.
			consumption_wh: contracted_wh.max(u32::try_from(assumed_wh).unwrap_or(limit_wh)),
			indoor_centi_c: chosen
				.map(|chosen| chosen.temperature_centi_c)
				.or(last.map(|last| last.reading.indoor_centi_c))
				.unwrap_or(0),
			quality: Quality::Estimated,
		}
	}
}

/// How eras and days of a chain go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
	/// The first era that the chain saw.
	pub first_era: EraIndex,
	/// Number of eras in a day, at least 1.
	pub eras_per_day: EraIndex,
}

impl Calendar {
	/// The calendar of a chain by its first era and by the length of an era in ms.
	pub fn new(first_era: EraIndex, era_length_ms: u64) -> Self {
		let eras = DAY_MS.checked_div(era_length_ms).unwrap_or(1).max(1);
		Self {
			first_era,
			eras_per_day: EraIndex::try_from(eras).unwrap_or(EraIndex::MAX),
		}
	}

	/// Number of full days in a number of eras; the day of an era, counted from the Unix epoch.
	pub fn days(&self, eras: EraIndex) -> u32 {
		eras.checked_div(self.eras_per_day).unwrap_or(0)
	}
}

impl Peaks {
	/// Adds a consumption. `day` is no earlier than the newest one.
	#[must_use]
	pub fn with(self, day: u32, consumption_wh: u32) -> Self {
		if self.day == day {
			return Self {
				highest_wh: self.highest_wh.max(consumption_wh),
				..self
			};
		}
		Self {
			day,
			highest_wh: consumption_wh,
			before_wh: self.highest_wh,
		}
	}

	/// The highest consumption on both days, Wh.
	pub fn highest(&self) -> u32 {
		self.highest_wh.max(self.before_wh)
	}
}

impl Reported {
	/// A reading that the household's meter signed.
	pub fn from_meter(era: EraIndex, reading: Reading) -> Self {
		Self {
			era,
			reading,
			by_meter: true,
		}
	}
}

impl ReportedBy {
	/// Who reported a household's reading of an era, by the reading that the chain took.
	pub fn of(reported: Option<&Reported>) -> Self {
		match reported {
			Some(reported) if reported.by_meter => Self::Meter,
			Some(_) => Self::Concentrator,
			None => Self::Nobody,
		}
	}
}

impl Metered {
	/// The reading of an era.
	pub fn of(&self, era: EraIndex) -> Option<Reported> {
		self.newest_first().find(|reported| reported.era == era)
	}

	/// The newest reading before an era.
	pub fn last_before(&self, era: EraIndex) -> Option<Reported> {
		self.newest_first().find(|reported| reported.era < era)
	}

	/// What a standing preference may derive strategies from: the newest reading of `complete` or of one of the eras
	/// before it, [`PREFERENCE_ERAS`] in all. `complete` is the newest era whose readings are complete.
	pub fn recent(&self, complete: EraIndex) -> Option<Reading> {
		let last = self.newest_first().find(|reported| reported.era <= complete)?;
		(complete.saturating_sub(last.era) < PREFERENCE_ERAS).then_some(last.reading)
	}

	/// The readings, the newest one first.
	pub fn newest_first(&self) -> impl Iterator<Item = Reported> {
		[Some(self.newest), self.before].into_iter().flatten()
	}

	/// Adds a reading of an era that is no earlier than that of the newest one. A reading of the same era replaces it.
	#[must_use]
	pub fn with(metered: Option<Self>, newest: Reported, calendar: &Calendar) -> Self {
		let (before, peaks) = match metered {
			None => (None, Peaks::default()),
			Some(metered) if metered.newest.era == newest.era => (metered.before, metered.peaks),
			Some(metered) => {
				let last = metered.newest;
				let peaks = metered
					.peaks
					.with(calendar.days(last.era), last.reading.consumption_wh);
				(Some(last), peaks)
			}
		};
		Self {
			newest,
			before,
			peaks,
		}
	}
}
