//! What the households of the simulation generate and consume, and what they are willing to do.

use commonwatt_testkit::{AccountId, UNIT};
use pallet_energy_market::{
	game::{Kind, Strategy},
	EraIndex,
};
use rand::Rng;

/// Households of the community.
pub(crate) const HOUSEHOLDS: u32 = 17;
/// What an owner starts with.
pub(crate) const POCKET: u128 = 100 * UNIT;
/// Half hours of a day.
pub(crate) const DAY: EraIndex = 48;
/// Most that any household of the simulation generates or consumes in an era, Wh.
const MOST_WH: u32 = 6_000;

/// How an owner goes about the market.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
	/// Submits strategies for most eras.
	Submits,
	/// Leaves it to a standing preference, with few exceptions.
	LeavesPreference,
	/// Does nothing.
	StaysAway,
}

/// A house, as its inhabitants know it.
pub(crate) struct Home {
	pub owner: AccountId,
	pub meter: AccountId,
	pub habit: Habit,
	/// Generation at noon in midsummer, Wh an era.
	peak_wh: u32,
	/// Consumption on average, Wh an era.
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

	/// Generation and consumption that it expects of an era, Wh, under a sky of that much sunshine.
	pub fn expects(&self, rng: &mut impl Rng, era: EraIndex, sky_percent: u32) -> (u32, u32) {
		let generation = self.peak_wh * sunshine_percent(era) / 100 * sky_percent / 100;
		let habits = [60, 50, 120, 80, 90, 170][(era % DAY / 8) as usize];
		let car = if rng.gen_bool(0.03) { 3_000 } else { 0 };
		let consumption = self.base_wh * habits / 100 * rng.gen_range(60..140) / 100 + car;
		(generation, consumption.min(MOST_WH))
	}
}

/// Sunshine in percent of that at noon in midsummer: from 8 hours of 40 percent in midwinter to 16 hours.
fn sunshine_percent(era: EraIndex) -> u32 {
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

/// So many strategies around an expected era, community and main grid in turn.
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
