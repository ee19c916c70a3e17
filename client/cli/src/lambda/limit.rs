//! The largest lambda at which every buyer prefers a pool that serves it in full to the main grid.
//!
//! A buyer of x kWh earns u = -x log2(lambda) + log2(omega) from a pool that serves it in full, and
//! u = log2(C) - log2(x) from the main grid (the paper's eq. (1); omega is 1 kWh / meter resolution). The main grid is
//! worth most at comfort C = 1, and then the buyer prefers the pool, or is indifferent, exactly if
//!
//!     x log2(lambda) - log2(x) <= log2(omega), that is lambda <= (omega x)^(1/x).
//!
//! The limit on the right is not monotone in x: its logarithm ln(omega x) / x has the derivative
//! (1 - ln(omega x)) / x^2, so it rises until omega x = e and falls after that. Hence every deficit is checked, not
//! only the largest one.
//!
//! At omega x = 1, a deficit of exactly the meter resolution, the limit is 1: the main grid already gives omega, the
//! most that a buyer can earn, so no lambda above 1 makes the pool as good. Such deficits cannot guide the choice of
//! lambda; they are counted and left out.

use super::Setting;
use crate::data::{Dataset, Measured};
use commonwatt_market::game::{Kind, Strategy, MAX_LAMBDA};
use serde::Serialize;

/// A deficit and the largest lambda that it allows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Position {
	/// The largest lambda at which the buyer does not prefer the main grid to full service; at most [`MAX_LAMBDA`].
	pub largest_lambda: f64,
	pub period_start: String,
	pub generation_wh: u32,
	/// The consumption in the file, or a flexible share less or more.
	pub consumption_wh: u32,
	pub deficit_wh: u32,
}

/// The limit of one household and the deficits behind it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HouseholdLimit {
	pub household: String,
	/// Deficits above the meter resolution, over all periods and levels of consumption.
	pub deficits: u32,
	/// Deficits of exactly the meter resolution, which no lambda can satisfy.
	pub deficits_of_the_resolution: u32,
	/// The largest deficit, Wh; 0 without any.
	pub largest_deficit_wh: u32,
	/// The deficit with the smallest limit, over all levels of consumption.
	pub binding: Option<Position>,
	/// The deficit with the smallest limit, at the consumption in the file.
	pub binding_as_metered: Option<Position>,
}

/// (omega x)^(1/x), at most [`MAX_LAMBDA`]: the largest lambda at which a buyer of x does not prefer the main grid.
pub fn largest_lambda(deficit_wh: u32, resolution_wh: u32) -> f64 {
	let omega_x = f64::from(deficit_wh) / f64::from(resolution_wh);
	omega_x
		.powf(1_000.0 / f64::from(deficit_wh))
		.min(f64::from(MAX_LAMBDA))
}

/// The payoff of a strategy to a buyer, log2, if the pool serves it in full. Minus infinity for a strategy that does
/// not buy and where C = 0.
fn best_case(strategy: &Strategy, measured: &Measured, setting: &Setting, log2_lambda: f64) -> f64 {
	let comfort = setting.comfort_of(strategy);
	if comfort == 0.0 {
		return f64::NEG_INFINITY;
	}
	let x_kwh = f64::from(deficit_wh(strategy, measured)) / 1_000.0;
	match strategy.kind {
		Kind::BuyFromCommunity => (1_000.0 / f64::from(setting.resolution_wh)).log2() - x_kwh * log2_lambda,
		Kind::BuyFromMain => comfort.log2() - x_kwh.log2(),
		Kind::SellToCommunity | Kind::Neutral | Kind::SellToMain => f64::NEG_INFINITY,
	}
}

/// Whether a household, at the best level of consumption for either, prefers the main grid to a pool that serves it in
/// full. False for one that could not buy.
pub fn prefers_main_grid(
	strategies: &[Strategy],
	measured: &Measured,
	setting: &Setting,
	lambda: f64,
) -> bool {
	let best = |kind: Kind| {
		let of_kind = strategies.iter().filter(|strategy| strategy.kind == kind);
		of_kind
			.map(|strategy| best_case(strategy, measured, setting, lambda.log2()))
			.fold(f64::NEG_INFINITY, f64::max)
	};
	best(Kind::BuyFromMain) > best(Kind::BuyFromCommunity)
}

fn deficit_wh(strategy: &Strategy, measured: &Measured) -> u32 {
	// Zero for a seller is right: it has no deficit.
	strategy.consumption_wh.saturating_sub(measured.generation_wh)
}

/// The limits of all households, in the file's order.
pub fn limits(dataset: &Dataset, setting: &Setting) -> Vec<HouseholdLimit> {
	let households = dataset.households.iter().enumerate();
	households
		.map(|(index, name)| household_limit(dataset, setting, index, name))
		.collect()
}

fn household_limit(dataset: &Dataset, setting: &Setting, index: usize, name: &str) -> HouseholdLimit {
	let mut limit = HouseholdLimit {
		household: name.into(),
		..HouseholdLimit::default()
	};
	for period in &dataset.periods {
		let Some(Some(measured)) = period.measured.get(index) else {
			continue;
		};
		// Every level of consumption with a deficit has this kind once; at comfort 0 it earns nothing anywhere.
		let buys =
			|strategy: &&Strategy| strategy.kind == Kind::BuyFromMain && setting.comfort_of(strategy) > 0.0;
		for strategy in setting.strategies(measured).iter().filter(buys) {
			limit.add(&period.start, measured, strategy, setting.resolution_wh);
		}
	}
	limit
}

impl HouseholdLimit {
	fn add(&mut self, period_start: &str, measured: &Measured, strategy: &Strategy, resolution_wh: u32) {
		let deficit_wh = deficit_wh(strategy, measured);
		self.largest_deficit_wh = self.largest_deficit_wh.max(deficit_wh);
		if deficit_wh <= resolution_wh {
			self.deficits_of_the_resolution += 1;
			return;
		}
		self.deficits += 1;
		let position = Position {
			largest_lambda: largest_lambda(deficit_wh, resolution_wh),
			period_start: period_start.into(),
			generation_wh: measured.generation_wh,
			consumption_wh: strategy.consumption_wh,
			deficit_wh,
		};
		let keep = |binding: &mut Option<Position>| match binding {
			Some(binding) if binding.largest_lambda <= position.largest_lambda => {}
			_ => *binding = Some(position.clone()),
		};
		if strategy.consumption_wh == measured.consumption_wh {
			keep(&mut self.binding_as_metered);
		}
		keep(&mut self.binding);
	}
}

/// The household with the smallest limit, and its deficit; of equal ones the first in the file.
pub fn of_community(households: &[HouseholdLimit]) -> Option<(String, Position)> {
	let bindings = households.iter().filter_map(|limit| {
		let binding = limit.binding.clone()?;
		Some((limit.household.clone(), binding))
	});
	bindings.min_by(|(_, a), (_, b)| a.largest_lambda.total_cmp(&b.largest_lambda))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::lambda::tests::{dataset, setting};

	/// (omega x)^(1/x), worked out by hand: each is the root of a whole number.
	#[test]
	fn limit_of_a_deficit_is_the_root_of_its_size_in_meter_resolutions() {
		for (deficit_wh, resolution_wh, limit) in [
			(1_000, 10, 100.0),
			(2_000, 10, 200_f64.sqrt()),
			(4_000, 10, 400_f64.sqrt().sqrt()),
			(500, 250, 4.0),
			(2_000, 125, 4.0),
			(10, 10, 1.0),
			// e meter resolutions allow the most: 1.5 kWh at 1 kWh, 1.5^(2/3), less than 3 kWh, 3^(1/3).
			(1_500, 1_000, 2.25_f64.cbrt()),
			(3_000, 1_000, 3_f64.cbrt()),
			(27_000, 1_000, 27_f64.powf(1.0 / 27.0)),
			// 11 Wh: 1.1^(1000/11) = 5,793.9.
			(11, 10, 5_793.9),
		] {
			let found = largest_lambda(deficit_wh, resolution_wh);
			assert!(
				(found / limit - 1.0).abs() < 1e-4,
				"{deficit_wh} Wh at {resolution_wh} Wh: {found} in place of {limit}"
			);
		}
		assert_eq!(
			largest_lambda(12, 10),
			65_536.0 /* 1.2^(1000/12) is 4 million */
		);
	}

	/// The largest whole Wh that a pool must serve at 10 Wh, from x log2(lambda) = log2(100 x) solved with 40 digits.
	#[test]
	fn largest_deficit_that_each_lambda_suits() {
		for (lambda, largest_wh) in [
			(1.25, 36_794),
			(1.5, 18_562),
			(2.0, 9_960),
			(4.0, 4_388),
			(10.0, 2_375),
		] {
			assert!(largest_lambda(largest_wh, 10) >= lambda, "{lambda}");
			assert!(largest_lambda(largest_wh + 1, 10) < lambda, "{lambda}");
		}
	}

	#[test]
	fn smallest_deficit_decides_where_the_resolution_is_coarse() {
		// At 100 Wh: 110 Wh allow 1.1^(1/0.11) = 2.378, 1 kWh allows 10, 2 kWh the root of 20.
		let data = dataset(&[&[(0, 1_000)], &[(0, 110)], &[(0, 2_000)]]);
		let [limit] = &limits(&data, &setting(0, 100))[..] else {
			panic!("one household");
		};
		let binding = limit.binding.as_ref().unwrap();
		assert_eq!((binding.deficit_wh, binding.period_start.as_str()), (110, "1"));
		assert!((binding.largest_lambda - 2.378).abs() < 0.001, "{binding:?}");
		assert_eq!((limit.deficits, limit.largest_deficit_wh), (3, 2_000));
	}

	#[test]
	fn flexible_levels_count_separately_from_metered_consumption() {
		// Consumes 5 kWh, generates 1 kWh: 4 kWh as metered, 5 kWh at a fifth more, 3 kWh at a fifth less.
		let data = dataset(&[&[(1_000, 5_000)]]);
		let [limit] = &limits(&data, &setting(20, 10))[..] else {
			panic!("one household");
		};
		let (binding, metered) = (
			limit.binding.as_ref().unwrap(),
			limit.binding_as_metered.as_ref().unwrap(),
		);
		assert_eq!((metered.deficit_wh, binding.deficit_wh), (4_000, 5_000));
		assert_eq!((binding.generation_wh, binding.consumption_wh), (1_000, 6_000));
		// 400^(1/4) = 4.4721 and 500^(1/5) = 3.4657.
		assert!((metered.largest_lambda - 4.4721).abs() < 1e-4);
		assert!((binding.largest_lambda - 3.4657).abs() < 1e-4);
		assert_eq!(limit.deficits, 3);
	}

	#[test]
	fn household_with_the_smallest_limit_decides_for_the_community() {
		let data = dataset(&[
			&[(0, 1_000), (0, 3_000), (9_000, 0)],
			&[(0, 4_000), (0, 2_000), (5, 0)],
		]);
		let households = limits(&data, &setting(0, 10));
		let (name, position) = of_community(&households).unwrap();
		assert_eq!((name.as_str(), position.deficit_wh), ("home-0", 4_000));
		assert_eq!(households[2].binding, None);
		assert_eq!(of_community(&households[2..]), None);
	}

	#[test]
	fn surplus_neutral_positions_and_those_of_the_resolution_set_no_limit() {
		let data = dataset(&[&[(20, 29)], &[(0, 10)], &[(50, 0)]]);
		let [limit] = &limits(&data, &setting(0, 10))[..] else {
			panic!("one household");
		};
		assert_eq!(
			(limit.deficits, limit.deficits_of_the_resolution, &limit.binding),
			(0, 1, &None)
		);
	}

	#[test]
	fn level_outside_the_comfort_range_sets_no_limit() {
		// 20 kWh more or less change the indoor temperature by 10 degrees: from 21 to 31 or 11, outside 15 to 27.
		let data = dataset(&[&[(0, 20_000)]]);
		let [limit] = &limits(&data, &setting(100, 10))[..] else {
			panic!("one household");
		};
		assert_eq!((limit.deficits, limit.largest_deficit_wh), (1, 20_000));
	}

	#[test]
	fn household_prefers_the_main_grid_above_its_limit_only() {
		let measured = Measured {
			generation_wh: 0,
			consumption_wh: 5_000,
		};
		// Market specification: 5 kWh at lambda 4 are worth -3.356 from the pool and -2.322 from the main grid.
		let fixed = setting(0, 10);
		let prefers = |setting: &Setting, lambda: f64| {
			prefers_main_grid(&setting.strategies(&measured), &measured, setting, lambda)
		};
		assert!(prefers(&fixed, 4.0));
		// 500^(1/5) = 3.4657.
		assert!(prefers(&fixed, 3.47));
		assert!(!prefers(&fixed, 3.46));
		// It may consume 4 kWh, and then its limit is 4.4721.
		let flexible = setting(20, 10);
		assert!(!prefers(&flexible, 4.0));
		assert!(prefers(&flexible, 4.48));
	}

	#[test]
	fn indifferent_household_does_not_prefer_the_main_grid() {
		// 500 Wh at 250 Wh: both are worth 2^1 at lambda 4.
		let measured = Measured {
			generation_wh: 0,
			consumption_wh: 500,
		};
		let setting = setting(0, 250);
		let strategies = setting.strategies(&measured);
		assert!(!prefers_main_grid(&strategies, &measured, &setting, 4.0));
		assert!(prefers_main_grid(&strategies, &measured, &setting, 4.001));
	}

	#[test]
	fn seller_does_not_prefer_the_main_grid() {
		let measured = Measured {
			generation_wh: 5_000,
			consumption_wh: 0,
		};
		let setting = setting(0, 10);
		assert!(!prefers_main_grid(
			&setting.strategies(&measured),
			&measured,
			&setting,
			1_000.0
		));
	}
}
