//! Standing preferences: how a household's strategy set is made in an era for which its owner submits none.

use crate::{
	fault::PreferenceFault,
	limits::MAX_ENERGY_WH,
	types::{Kind, Strategy},
};
use alloc::vec::Vec;

/// Most strategies that a preference gives: three levels of consumption with two kinds each.
pub const MAX_PREFERENCE_STRATEGIES: u32 = 6;

crate::stored_types! {
	/// What a household is willing to do in every era.
	#[derive(Copy)]
	pub struct Preference {
		/// How much less the household may consume than expected, 0 to 100 percent of its consumption.
		pub flexible_down_percent: u8,
		/// How much more the household may consume than expected, 0 to 100 percent of its consumption.
		pub flexible_up_percent: u8,
		/// Change of the indoor temperature for each kWh consumed above the expected consumption, in hundredths of a degree
		/// Celsius: positive for heating, negative for cooling, zero if the flexible load does not affect the temperature.
		pub response_centi_c_per_kwh: i16,
		/// Whether to trade with the community pool.
		pub trade_with_community: bool,
	}
}

impl Preference {
	/// Accepts a preference whose percentages are at most 100.
	pub fn check(&self) -> Result<(), PreferenceFault> {
		if self.flexible_down_percent > 100 {
			return Err(PreferenceFault::DownOverHundred);
		}
		if self.flexible_up_percent > 100 {
			return Err(PreferenceFault::UpOverHundred);
		}
		Ok(())
	}

	/// The strategies for an expected generation and consumption in Wh and an expected indoor temperature in hundredths
	/// of a degree Celsius.
	///
	/// The expected consumption comes first, then the lower level, then the higher one. A level that equals the
	/// expected consumption is left out. Each level gives `Neutral` if its net position is below the meter resolution;
	/// otherwise the community kind (if `trade_with_community`), followed by the main-grid kind.
	///
	/// Changes of consumption are rounded down to whole Wh, and temperatures toward the expected one. Percentages above
	/// 100 count as 100, and other values out of range as the nearest value in range. So the result has 1 to
	/// [`MAX_PREFERENCE_STRATEGIES`] entries, which pass [`Strategy::check`] for any generation up to
	/// [`MAX_ENERGY_WH`].
	pub fn strategies(
		&self,
		resolution_wh: u32,
		generation_wh: u32,
		consumption_wh: u32,
		indoor_centi_c: i16,
	) -> Vec<Strategy> {
		let expected = consumption_wh.min(MAX_ENERGY_WH);
		let share = |percent: u8| {
			let part = u64::from(expected) * u64::from(percent.min(100)) / 100;
			// At most `expected`, which fits a u32.
			part as u32
		};
		let down = expected.saturating_sub(share(self.flexible_down_percent));
		// Both terms are at most 10^9, so the sum fits a u32.
		let up = (expected + share(self.flexible_up_percent)).min(MAX_ENERGY_WH);
		let mut strategies = Vec::with_capacity(MAX_PREFERENCE_STRATEGIES as usize);
		let mut push_level = |level: u32| {
			let temperature_centi_c = self.temperature(indoor_centi_c, expected, level);
			let mut push = |kind| {
				strategies.push(Strategy {
					kind,
					consumption_wh: level,
					temperature_centi_c,
				});
			};
			let net = i64::from(generation_wh) - i64::from(level);
			let (community, main) = match net {
				_ if net.unsigned_abs() < u64::from(resolution_wh.max(1)) => return push(Kind::Neutral),
				1.. => (Kind::SellToCommunity, Kind::SellToMain),
				_ => (Kind::BuyFromCommunity, Kind::BuyFromMain),
			};
			if self.trade_with_community {
				push(community);
			}
			push(main);
		};
		push_level(expected);
		if down != expected {
			push_level(down);
		}
		if up != expected {
			push_level(up);
		}
		strategies
	}

	/// The indoor temperature if the household consumes `level` instead of `expected`.
	fn temperature(&self, indoor_centi_c: i16, expected: u32, level: u32) -> i16 {
		let more_wh = i64::from(level) - i64::from(expected);
		let change = more_wh * i64::from(self.response_centi_c_per_kwh) / 1_000;
		let temperature = i64::from(indoor_centi_c) + change;
		// The clamped value fits an i16.
		temperature.clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16
	}
}
