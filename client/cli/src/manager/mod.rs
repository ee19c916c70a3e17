//! The home energy manager: a household's strategies for the next era, and what its meter reads when it keeps its
//! contract.
//!
//! The manager splits a household's load in the file into what its heating or cooling device needs to hold the
//! setpoint, by the model of the home ([`thermal`]), and the other load. The device may take less or more as long as
//! the home stays within its comfort range, and physics gives that back: a home that was cooled ahead needs less later.
//! A share of the other load may be put off or run early. Load that is put off is owed (the backlog). The backlog is
//! bounded, and it is 0 at the end of each stretch of periods, so nothing is saved by forgetting it. Load that is put
//! off waits for periods in which the community expects to generate more than it consumes. If the stretch has no such
//! period left, nothing is put off, so that the peak of the evening does not grow.
//!
//! Nothing here keeps state: a household's state is computed again from its contracts.

pub mod homes;
pub mod thermal;

use crate::{
	chain::types::{Kind, Strategy},
	data::{Dataset, Measured},
	fault::Fault,
	replay::journal,
};
use commonwatt_market::game::MAX_ENERGY_WH;
use homes::{Home, Homes};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use subxt::config::substrate::H256;
use thermal::Span;

/// Number of levels of consumption from the minimum to the maximum, both included.
const STEPS: u32 = 6;
/// Maximum number of levels: each may give two strategies, and a household has at most 16.
const MOST_LEVELS: usize = 8;
/// Distance that the manager keeps from the ends of the comfort range, degrees.
const MARGIN_C: f64 = 0.05;

/// A household's state at the beginning of a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
	pub indoor_c: f64,
	/// Load that was put off and is still to come, Wh; negative if it ran early.
	pub backlog_wh: i64,
}

/// What a household did in a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lived {
	/// State at the period's end.
	pub state: State,
	/// What the meter saw.
	pub metered: Measured,
	/// The device's part of the consumption, Wh.
	pub device_wh: f64,
	/// Whether the reading reaches the chain.
	pub is_read: bool,
}

/// A household's loads, as the file has them.
struct Household {
	home: Home,
	/// One for each period.
	periods: Vec<Planned>,
	/// Maximum of the other load that may come back, or run early, in a period, Wh: the average of what may be put off.
	step_wh: i64,
	/// Cap on consumption in a period, Wh. Exceeded only where it cannot be kept.
	cap_wh: i64,
}

/// A period as it would be without the game.
#[derive(Clone, Copy)]
struct Planned {
	measured: Measured,
	outdoor_c: f64,
	/// Load besides the device, Wh.
	other_wh: i64,
	/// The part of it that may be put off, Wh.
	shiftable_wh: i64,
	/// Whether the community expects to generate more than it consumes.
	has_surplus: bool,
	/// Indoor temperature at the period's end if the device holds the setpoint as far as the file's load allows.
	indoor_c: f64,
	/// Forecast errors of generation and of the other load, as fractions.
	error: (f64, f64),
	is_read: bool,
}

/// The limits of what a household can do in a period.
struct Room {
	span: Span,
	/// The other load as forecast, Wh.
	other_wh: i64,
	/// The device: what holds the setpoint, minimum and maximum, Wh.
	device_wh: (i64, i64, i64),
	/// Change of the other load: minimum and maximum, Wh.
	shift_wh: (i64, i64),
	/// Cap on consumption, Wh. Exceeded only where it cannot be kept.
	cap_wh: i64,
}

/// The managers of a file's households.
pub struct Manager {
	/// Hash of everything that the homes' file says.
	pub fingerprint: H256,
	hours: f64,
	households: Vec<Household>,
}

impl Manager {
	/// Prepares all periods of the households in `dataset`.
	pub fn new(homes: &Homes, dataset: &Dataset) -> Self {
		let hours = f64::from(dataset.period_minutes) / 60.0;
		let households = dataset.households.iter().enumerate();
		let households = households
			.map(|(index, name)| Household::new(homes, dataset, (index, name), hours))
			.collect();
		Self {
			fingerprint: journal::hash(format!("{homes:?}").as_bytes()),
			hours,
			households,
		}
	}

	/// Refuses a homes' file that describes a household that is not in the data: its name is probably misspelt.
	pub fn check_names(homes: &Homes, dataset: &Dataset) -> Result<(), Fault> {
		let mut names = homes.household.keys();
		match names.find(|name| !dataset.households.contains(name)) {
			Some(name) => Err(Fault::Input(format!(
				"household.{name}: {} has no household of that name; correct the name or remove the entry",
				dataset.path.display()
			))),
			None => Ok(()),
		}
	}

	/// Maximum consumption of a household in a period, Wh.
	pub fn most_wh(&self, household: usize) -> u32 {
		let household = &self.households[household];
		let other = household.periods.iter().map(|planned| planned.other_wh).max();
		let most = other.unwrap_or(0) as f64 * (1.0 + MOST_ERROR)
			+ household.step_wh as f64
			+ household.home.most_wh(self.hours);
		most.clamp(0.0, f64::from(MAX_ENERGY_WH)) as u32
	}

	/// Maximum energy of a household's device in a period, Wh.
	pub fn most_device_wh(&self, household: usize) -> u32 {
		self.households[household].home.most_wh(self.hours) as u32
	}

	/// A household's state before the first period.
	pub fn beginning(&self, household: usize) -> State {
		State {
			indoor_c: self.households[household].home.setpoint_c,
			backlog_wh: 0,
		}
	}

	/// The indoor temperature at the end of a period without the game.
	pub fn indoor_c_without(&self, household: usize, period: usize) -> f64 {
		self.households[household].periods[period].indoor_c
	}

	/// The comfort range that a household's manager keeps to.
	pub fn comfort_c(&self, household: usize) -> (f64, f64) {
		self.households[household].home.comfort_c
	}

	/// What the file's load took for heating or cooling in a period, Wh.
	pub fn device_wh_without(&self, household: usize, period: usize) -> i64 {
		let planned = &self.households[household].periods[period];
		i64::from(planned.measured.consumption_wh) - planned.other_wh
	}

	/// Energy of the device that would bring an indoor temperature back to the setpoint, Wh.
	pub fn stored_wh(&self, household: usize, indoor_c: f64) -> f64 {
		let home = &self.households[household].home;
		let away = (indoor_c - home.setpoint_c).abs();
		away * home.capacity_kwh_per_k / home.cop * 1_000.0
	}

	/// The generation that a household forecasts for a period, Wh, and its strategies. The first strategy is what it
	/// would do without the game.
	pub fn strategies(
		&self,
		household: usize,
		period: usize,
		state: &State,
		resolution_wh: u32,
	) -> (u32, Vec<Strategy>) {
		let household = &self.households[household];
		let planned = &household.periods[period];
		let generation_wh = with_error(planned.measured.generation_wh, planned.error.0);
		let room = household.room(self.hours, period, state);
		let mut levels = vec![room.usual_wh()];
		let (least, most) = room.range_wh();
		levels.extend([least, most]);
		// A household that consumes exactly what it generates earns omega, so this level is offered where it is
		// possible.
		levels.push(i64::from(generation_wh).clamp(least, most));
		levels.extend(
			(1..STEPS - 1).map(|step| least + (most - least) * i64::from(step) / i64::from(STEPS - 1)),
		);
		let mut strategies = Vec::new();
		let mut seen = Vec::new();
		for level in levels {
			if seen.contains(&level) || seen.len() == MOST_LEVELS {
				continue;
			}
			seen.push(level);
			let (_, device_wh) = room.split(level);
			let indoor_c = household.home.after(&room.span, device_wh as f64);
			let consumption_wh = level.clamp(0, i64::from(MAX_ENERGY_WH)) as u32;
			for kind in kinds(generation_wh, consumption_wh, resolution_wh) {
				strategies.push(Strategy {
					kind: *kind,
					consumption_wh,
					temperature_centi_c: centi(indoor_c),
				});
			}
		}
		(generation_wh, strategies)
	}

	/// What a household did in a period with this contracted consumption. Without a contract it does the same as
	/// without the game.
	pub fn follow(
		&self,
		household: usize,
		period: usize,
		state: &State,
		contracted_wh: Option<u32>,
	) -> Lived {
		let household = &self.households[household];
		let planned = &household.periods[period];
		let room = household.room(self.hours, period, state);
		let level = contracted_wh.map_or(room.usual_wh(), i64::from);
		let (shift_wh, device_wh) = room.split(level);
		// Load that the forecast missed is consumed anyway.
		let consumption = planned.other_wh + shift_wh + device_wh;
		Lived {
			state: State {
				indoor_c: household.home.after(&room.span, device_wh as f64),
				backlog_wh: state.backlog_wh - shift_wh,
			},
			metered: Measured {
				generation_wh: planned.measured.generation_wh,
				consumption_wh: consumption.clamp(0, i64::from(MAX_ENERGY_WH)) as u32,
			},
			device_wh: device_wh as f64,
			is_read: planned.is_read,
		}
	}
}

/// Maximum forecast error, as a fraction.
const MOST_ERROR: f64 = 1.0;

fn with_error(wh: u32, error: f64) -> u32 {
	let forecast = f64::from(wh) * (1.0 + error);
	forecast.round().clamp(0.0, f64::from(MAX_ENERGY_WH)) as u32
}

/// Converts degrees into hundredths of a degree, rounded.
pub fn centi(degrees: f64) -> i16 {
	(degrees * 100.0).round() as i16
}

/// The kinds of strategy that a net position allows: the community first, then the main grid.
fn kinds(generation_wh: u32, consumption_wh: u32, resolution_wh: u32) -> &'static [Kind] {
	if generation_wh.abs_diff(consumption_wh) < resolution_wh {
		&[Kind::Neutral]
	} else if generation_wh > consumption_wh {
		&[Kind::SellToCommunity, Kind::SellToMain]
	} else {
		&[Kind::BuyFromCommunity, Kind::BuyFromMain]
	}
}

impl Household {
	fn new(homes: &Homes, dataset: &Dataset, (index, name): (usize, &String), hours: f64) -> Self {
		let home = homes.of(name);
		let mut periods: Vec<Planned> = Vec::with_capacity(dataset.periods.len());
		let mut indoor_c = home.setpoint_c;
		for (number, period) in dataset.periods.iter().enumerate() {
			let outdoor_c = period.outdoor_centi_c.map_or_else(
				|| homes.outdoor_c(period.hour()),
				|centi| f64::from(centi) / 100.0,
			);
			let span = Span {
				hours,
				outdoor_c,
				indoor_c,
			};
			let wanted = home.device_wh_for(&span, home.setpoint_c).floor();
			let known = period.measured[index];
			// Nobody knows the load of a period without a reading. The device holds the setpoint in it.
			let measured = known.unwrap_or(Measured {
				generation_wh: 0,
				consumption_wh: wanted.max(0.0) as u32,
			});
			let device_wh = wanted.min(f64::from(measured.consumption_wh));
			indoor_c = home.after(&span, device_wh);
			let other_wh = i64::from(measured.consumption_wh) - device_wh as i64;
			let all = |pick: fn(&Measured) -> u32| -> u64 { period.known().map(pick).map(u64::from).sum() };
			let mut chance = chance(homes.seed, index, number);
			let mut error = || {
				let most = homes.forecast_error_percent / 100.0;
				chance.gen_range(-1.0..=1.0) * most
			};
			let error = (error(), error());
			let is_lost = chance.gen_range(0.0..100.0) < homes.missing_readings_percent;
			periods.push(Planned {
				measured,
				outdoor_c,
				other_wh,
				shiftable_wh: (other_wh as f64 * home.shiftable_percent / 100.0) as i64,
				has_surplus: all(|m| m.generation_wh) > all(|m| m.consumption_wh),
				indoor_c,
				error,
				is_read: known.is_some() && !is_lost,
			});
		}
		let shiftable: i64 = periods.iter().map(|planned| planned.shiftable_wh).sum();
		let peak_wh = dataset.largest(index).consumption_wh;
		Self {
			cap_wh: (f64::from(peak_wh) * home.peak_percent / 100.0) as i64,
			home,
			step_wh: shiftable / periods.len().max(1) as i64,
			periods,
		}
	}

	/// The limits of what the household can do in a period.
	fn room(&self, hours: f64, period: usize, state: &State) -> Room {
		let planned = &self.periods[period];
		let span = Span {
			hours,
			outdoor_c: planned.outdoor_c,
			indoor_c: state.indoor_c,
		};
		let (low, high) = self.home.comfort_c;
		let range = self.home.range_wh(&span, (low + MARGIN_C, high - MARGIN_C));
		// Rounded inwards; the setpoint lies within the range.
		let (least, most) = (range.0.ceil() as i64, range.1.floor() as i64);
		let most = most.max(least);
		let hold = self.home.device_wh_for(&span, self.home.setpoint_c) as i64;
		let (owed, ahead) = self.bounds_wh(period);
		// The backlog after the period must lie between `-ahead` and `owed`.
		let least_shift = (state.backlog_wh - owed).max(-planned.shiftable_wh);
		let most_shift = (state.backlog_wh + ahead).min(self.step_wh).max(least_shift);
		let other_wh = planned.other_wh + (planned.other_wh as f64 * planned.error.1).round() as i64;
		Room {
			span,
			other_wh,
			device_wh: (hold.clamp(least, most), least, most),
			shift_wh: (least_shift, most_shift),
			cap_wh: self.cap_wh,
		}
	}

	/// Maximum load that may be put off, and maximum that may have run early, after a period, Wh. Until the end of the
	/// stretch, what is put off must be able to come back in periods with a surplus and under the cap, and what ran
	/// early must be able to be left out.
	fn bounds_wh(&self, period: usize) -> (i64, i64) {
		let most = (self.home.shift_kwh * 1_000.0) as i64;
		let stretch = self.home.shift_periods;
		let end = ((period / stretch + 1) * stretch).min(self.periods.len());
		let rest = &self.periods[(period + 1).min(end)..end];
		let room = |planned: &Planned| self.cap_wh - i64::from(planned.measured.consumption_wh);
		let surplus = rest.iter().filter(|planned| planned.has_surplus);
		let owed = surplus.map(|planned| room(planned).clamp(0, self.step_wh)).sum();
		let ahead = rest.iter().map(|planned| planned.shiftable_wh).sum();
		(most.min(owed), most.min(ahead))
	}
}

impl Room {
	/// What a household would consume without the game, Wh.
	fn usual_wh(&self) -> i64 {
		let (least, most) = self.range_wh();
		let usual = self.other_wh + 0i64.clamp(self.shift_wh.0, self.shift_wh.1) + self.device_wh.0;
		usual.clamp(least, most)
	}

	/// Minimum and maximum consumption, Wh.
	fn range_wh(&self) -> (i64, i64) {
		let (_, least, most) = self.device_wh;
		let least = self.other_wh + self.shift_wh.0 + least;
		let most = self.other_wh + self.shift_wh.1 + most;
		(least, most.min(self.cap_wh).max(least))
	}

	/// Splits a level of consumption: other load is shifted first, since that costs no comfort, and the device does the
	/// rest. Returns the change of the other load and the device's energy, Wh.
	fn split(&self, level_wh: i64) -> (i64, i64) {
		let (hold, least, most) = self.device_wh;
		let change = level_wh - self.other_wh - hold;
		let shift = change.clamp(self.shift_wh.0, self.shift_wh.1);
		let device = (level_wh - self.other_wh - shift).clamp(least, most);
		(level_wh - self.other_wh - device, device)
	}
}

/// Random numbers of a household in a period, independent of all others that were drawn before.
fn chance(seed: u64, household: usize, period: usize) -> ChaCha8Rng {
	let mut chance = ChaCha8Rng::seed_from_u64(seed);
	chance.set_stream(household as u64);
	chance.set_word_pos(64 * period as u128);
	chance
}

#[cfg(test)]
mod tests;
