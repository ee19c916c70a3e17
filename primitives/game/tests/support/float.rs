//! The payoff in floating point, written independently of the crate: it uses nothing of it but the input types and
//! `net_wh`.

use commonwatt_game::*;

/// A game prepared for payoffs in f64.
pub struct FloatGame {
	pub log2_lambda_per_wh: f64,
	pub log2_omega: f64,
	pub resolution_wh: f64,
	/// The strategies of each household.
	pub strategies: Vec<Vec<FloatStrategy>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FloatSide {
	Offers,
	Requests,
	Outside,
}

#[derive(Clone, Copy, Debug)]
pub struct FloatStrategy {
	pub side: FloatSide,
	/// |x| in Wh.
	pub x: f64,
	pub log2_comfort: f64,
}

/// S and B in Wh.
#[derive(Clone, Copy, Debug, Default)]
pub struct FloatPool {
	pub offered: f64,
	pub requested: f64,
}

impl FloatStrategy {
	fn new(household: &Household, strategy: &Strategy) -> Self {
		let side = match strategy.kind {
			Kind::SellToCommunity => FloatSide::Offers,
			Kind::BuyFromCommunity => FloatSide::Requests,
			_ => FloatSide::Outside,
		};
		let comfort = household.comfort.map_or(1.0, |comfort| {
			let t = f64::from(strategy.temperature_centi_c) / 100.0;
			let low = f64::from(comfort.min_centi_c) / 100.0;
			let high = f64::from(comfort.max_centi_c) / 100.0;
			let a = f64::from(comfort.a.numerator) / f64::from(comfort.a.denominator);
			if t <= low || t >= high {
				0.0
			} else {
				-a * (t - low) * (t - high)
			}
		});
		Self {
			side,
			x: strategy.net_wh(household.generation_wh).abs() as f64,
			log2_comfort: comfort.log2(),
		}
	}

	/// The position as a pool with nothing else in it.
	pub fn position(&self) -> FloatPool {
		let mut pool = FloatPool::default();
		match self.side {
			FloatSide::Offers => pool.offered = self.x,
			FloatSide::Requests => pool.requested = self.x,
			FloatSide::Outside => {}
		}
		pool
	}
}

impl FloatGame {
	pub fn new(game: &Game) -> Self {
		let rules = game.rules();
		let lambda = f64::from(rules.lambda.numerator) / f64::from(rules.lambda.denominator);
		let strategies = game.households().iter().map(|household| {
			let strategies = household.strategies.iter();
			strategies
				.map(|strategy| FloatStrategy::new(household, strategy))
				.collect()
		});
		Self {
			log2_lambda_per_wh: lambda.log2() / 1000.0,
			log2_omega: (1000.0 / f64::from(rules.resolution_wh)).log2(),
			resolution_wh: f64::from(rules.resolution_wh),
			strategies: strategies.collect(),
		}
	}

	pub fn pool(&self, profile: &[u8]) -> FloatPool {
		let mut pool = FloatPool::default();
		for (household, choice) in self.strategies.iter().zip(profile) {
			let position = household[usize::from(*choice)].position();
			pool.offered += position.offered;
			pool.requested += position.requested;
		}
		pool
	}

	/// The payoff of a strategy against the other households' pool.
	pub fn payoff(&self, strategy: FloatStrategy, others: FloatPool) -> f64 {
		let FloatStrategy {
			side,
			x,
			log2_comfort,
		} = strategy;
		if log2_comfort == f64::NEG_INFINITY {
			return log2_comfort;
		}
		let (own, opposite) = match side {
			FloatSide::Outside => (x, 0.0),
			FloatSide::Offers => (others.offered + x, others.requested),
			FloatSide::Requests => (others.requested + x, others.offered),
		};
		let volume = f64::min(own, opposite);
		// |E_main| = numerator / own.
		let (ein, numerator) = match side {
			FloatSide::Outside => (0.0, x * own),
			FloatSide::Offers => (x * volume / own, x * (own - volume)),
			FloatSide::Requests => (-x * volume / own, x * (own - volume)),
		};
		if own == 0.0 || numerator < self.resolution_wh * own {
			return ein * self.log2_lambda_per_wh + self.log2_omega;
		}
		ein * self.log2_lambda_per_wh + log2_comfort - (numerator / own / 1000.0).log2()
	}

	/// The largest gain of a household by changing alone. `pool` includes its current choice.
	pub fn gain(&self, household: usize, choice: u8, pool: FloatPool) -> f64 {
		let strategies = &self.strategies[household];
		let current = strategies[usize::from(choice)];
		let position = current.position();
		let others = FloatPool {
			offered: pool.offered - position.offered,
			requested: pool.requested - position.requested,
		};
		let now = self.payoff(current, others);
		let best = strategies
			.iter()
			.map(|other| self.payoff(*other, others))
			.fold(f64::NEG_INFINITY, f64::max);
		// Two equal infinities have no difference.
		if best == now {
			0.0
		} else {
			best - now
		}
	}
}
