//! Random cases of one household against the others, over the whole range of the input.

use super::{oracle, support::Random};
use crate::{
	payoff::Pool,
	types::{Comfort, Kind, Ratio, Rules, Strategy},
	Household, MAX_ENERGY_WH, MAX_HOUSEHOLDS,
};
use num_bigint::BigInt;
use std::vec;

const LAMBDAS: [Ratio; 9] = [
	ratio(4, 1),
	ratio(2, 1),
	ratio(3, 2),
	ratio(11, 10),
	ratio(65_536, 1),
	ratio(u32::MAX, 65_536),
	ratio(u32::MAX, u32::MAX - 1),
	ratio(1_000_001, 1_000_000),
	ratio(65_535, 1),
];

const fn ratio(numerator: u32, denominator: u32) -> Ratio {
	Ratio {
		numerator,
		denominator,
	}
}

/// Lambda 4, resolution 10 Wh.
pub const RULES: Rules = Rules {
	lambda: ratio(4, 1),
	resolution_wh: 10,
};

/// A household with one strategy, and the pool of the others.
pub struct Case {
	pub rules: Rules,
	pub household: Household,
	pub others: Pool,
}

impl Case {
	/// A case from the whole range of the input, with energies of all magnitudes. Every second one is close to the
	/// border between the two branches of the payoff.
	pub fn random(random: &mut Random) -> Self {
		let rules = Rules {
			lambda: random.of(&LAMBDAS),
			resolution_wh: random.of(&[1, 10, 999, 1_000]),
		};
		let magnitude = random.within(0, 29);
		let x = (random.within(1, 1 << 30) >> magnitude).clamp(1, MAX_ENERGY_WH.into()) as u32;
		let mut others = random_pool(random, &rules, x);
		let sells = random.within(0, 1) == 0;
		if !sells {
			core::mem::swap(&mut others.offered_wh, &mut others.requested_wh);
		}
		let (pool_kind, main_kind) = if sells {
			(Kind::SellToCommunity, Kind::SellToMain)
		} else {
			(Kind::BuyFromCommunity, Kind::BuyFromMain)
		};
		let kind = if random.within(0, 9) == 0 {
			main_kind
		} else {
			pool_kind
		};
		let comfort = random_comfort(random);
		let temperature_centi_c = random.of(&[1501, 2000, 2100, 2699, -29_999, 31_999]);
		let (generation_wh, consumption_wh) = if sells { (x, 0) } else { (0, x) };
		let strategy = Strategy {
			kind,
			consumption_wh,
			temperature_centi_c,
		};
		let household = Household {
			generation_wh,
			comfort,
			strategies: vec![strategy],
		};
		Self {
			rules,
			household,
			others,
		}
	}

	pub fn strategy(&self) -> Strategy {
		self.household.strategies[0]
	}

	/// The exact payoff in units of 2^-96.
	pub fn exact_payoff(&self) -> BigInt {
		exact_payoff(&self.rules, &self.household, &self.strategy(), self.others)
	}

	/// Whether |E_main| is below the meter resolution.
	pub fn is_balanced(&self) -> bool {
		let strategy = self.strategy();
		let net = strategy.net_wh(self.household.generation_wh);
		let pool = self.others.with(strategy.kind, net);
		let (own, opposite) = match strategy.kind {
			Kind::SellToCommunity => (pool.offered_wh, pool.requested_wh),
			Kind::BuyFromCommunity => (pool.requested_wh, pool.offered_wh),
			_ => (1, 0),
		};
		let main = u128::from(net.unsigned_abs()) * u128::from(own.saturating_sub(opposite));
		main < u128::from(self.rules.resolution_wh) * u128::from(own)
	}
}

/// The pool of the others for a seller of `x` Wh.
fn random_pool(random: &mut Random, rules: &Rules, x: u32) -> Pool {
	let largest = (MAX_HOUSEHOLDS as i64 - 1) * i64::from(MAX_ENERGY_WH);
	let side = |random: &mut Random| random.within(0, largest) as u64 >> random.within(0, 46);
	let (offered_wh, mut requested_wh) = (side(random), side(random));
	// Every second case is close to balance, where the branch changes.
	if random.within(0, 1) == 0 {
		let long = offered_wh + u64::from(x);
		requested_wh = (long - (long * u64::from(rules.resolution_wh) / u64::from(x)).min(long))
			.saturating_add_signed(random.within(-2, 2))
			.min(largest as u64);
	}
	Pool {
		offered_wh,
		requested_wh,
	}
}

fn random_comfort(random: &mut Random) -> Option<Comfort> {
	let model = |min_centi_c, max_centi_c, numerator, denominator| {
		Some(Comfort {
			min_centi_c,
			max_centi_c,
			a: Ratio {
				numerator,
				denominator,
			},
		})
	};
	random.of(&[
		None,
		model(1500, 2700, 1, 36),
		model(1500, 2700, 1, u32::MAX),
		model(-30_000, 32_000, 1, 100_000),
		model(2000, 2001, 40_000, 1),
	])
}

/// The exact payoff of a strategy with C > 0, in units of 2^-96.
pub fn exact_payoff(rules: &Rules, household: &Household, strategy: &Strategy, others: Pool) -> BigInt {
	let net = strategy.net_wh(household.generation_wh);
	let pool = others.with(strategy.kind, net);
	let traded_wh = pool.offered_wh.min(pool.requested_wh);
	let own_wh = match strategy.kind {
		Kind::SellToCommunity => Some(pool.offered_wh),
		Kind::BuyFromCommunity => Some(pool.requested_wh),
		_ => None,
	};
	let payoff = oracle::Payoff {
		lambda: rules.lambda,
		resolution_wh: rules.resolution_wh,
		comfort: household.comfort_of(strategy),
		x: net.unsigned_abs(),
		buys: strategy.kind == Kind::BuyFromCommunity,
		rationed: own_wh.map(|own_wh| oracle::Rationed { traded_wh, own_wh }),
	};
	payoff.exact()
}
