//! What the simulated households generate and consume, and the strategies they submit.

use commonwatt_testkit::{AccountId, UNIT};
use pallet_energy_market::{
	game::{Kind, Strategy},
	EraIndex,
};
use rand::Rng;

/// Maximum number of households in the community, and their number at the start.
pub(crate) const HOUSEHOLDS: u32 = 17;
/// An owner's balance at the start, and the amount of every later payment to an owner or the operator.
pub(crate) const POCKET: u128 = 100 * UNIT;
/// Eras of a day.
pub(crate) const DAY: EraIndex = 48;
/// Maximum consumption that a household expects for an era, Wh.
const MOST_WH: u32 = 6_000;

/// How an owner takes part in the market.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
	/// Submits strategies for most eras.
	Submits,
	/// Relies on a standing preference and rarely submits strategies.
	LeavesPreference,
	/// Never submits strategies.
	StaysAway,
}

/// A household's accounts, habit and size.
pub(crate) struct Home {
	pub owner: AccountId,
	pub meter: AccountId,
	pub habit: Habit,
	/// Generation per era at noon in midsummer, Wh.
	peak_wh: u32,
	/// Typical consumption per era, Wh.
	base_wh: u32,
}

impl Home {
	pub fn new(rng: &mut impl Rng, owner: AccountId, meter: AccountId) -> Self {
		let habit = match rng.gen_range(0..10) {
			0 => Habit::StaysAway,
			1..=3 => Habit::LeavesPreference,
			_ => Habit::Submits,
		};
		Self {
			owner,
			meter,
			habit,
			peak_wh: if rng.gen_bool(0.7) {
				rng.gen_range(800..4_500)
			} else {
				0
			},
			base_wh: rng.gen_range(150..700),
		}
	}

	/// The generation and consumption that the household expects for an era, Wh. `sky_percent` is the sunshine in
	/// percent of a clear sky.
	pub fn expects(&self, rng: &mut impl Rng, era: EraIndex, sky_percent: u32) -> (u32, u32) {
		let generation = self.peak_wh * sunshine_percent(era) / 100 * sky_percent / 100;
		let car = if rng.gen_bool(0.03) { 3_000 } else { 0 };
		let consumption = self.base_wh * habit_percent(era) / 100 * rng.gen_range(60..140) / 100 + car;
		(generation, consumption.min(MOST_WH))
	}
}

/// Consumption at the time of day of an era, in percent of the mean.
pub(crate) fn habit_percent(era: EraIndex) -> u32 {
	[60, 50, 120, 80, 90, 170][(era % DAY / 8) as usize]
}

/// Sunshine in percent of that at noon in midsummer. The sun shines for 8 hours in midwinter, with 40 percent at noon,
/// and for 16 hours in midsummer.
pub(crate) fn sunshine_percent(era: EraIndex) -> u32 {
	let day = era / DAY % 365;
	let summer = day.min(365 - day).min(182);
	let half_day = 8 + 8 * summer / 182;
	let from_noon = (era % DAY).abs_diff(DAY / 2);
	match half_day * half_day {
		whole if from_noon < half_day => {
			let at_noon = 40 + 60 * summer / 182;
			at_noon * (whole - from_noon * from_noon) / whole
		}
		_ => 0,
	}
}

/// Makes `count` strategies around the expected generation and consumption, alternately for the community and for the
/// main grid.
pub(crate) fn strategy_set(
	rng: &mut impl Rng,
	(generation_wh, consumption_wh): (u32, u32),
	count: u32,
) -> Vec<Strategy> {
	(0..count)
		.map(|index| {
			let level = consumption_wh * (100 + 5 * (index / 2)) / 100;
			let consumption_wh = match index / 2 % 2 {
				0 => level,
				_ => consumption_wh * 2 - level,
			};
			let kind = match generation_wh.cmp(&consumption_wh) {
				std::cmp::Ordering::Equal => Kind::Neutral,
				std::cmp::Ordering::Greater if index % 2 == 0 => Kind::SellToCommunity,
				std::cmp::Ordering::Greater => Kind::SellToMain,
				std::cmp::Ordering::Less if index % 2 == 0 => Kind::BuyFromCommunity,
				std::cmp::Ordering::Less => Kind::BuyFromMain,
			};
			Strategy {
				kind,
				consumption_wh,
				temperature_centi_c: rng.gen_range(1_600..2_600),
			}
		})
		.collect()
}
