//! Strategies, comfort models and the rules of a community.

use crate::{
	fault::{ComfortFault, RulesFault, StrategyFault},
	limits::{MAX_ENERGY_WH, MAX_LAMBDA, MAX_RESOLUTION_WH},
};

crate::stored_types! {
	/// The five kinds of strategy, in the paper's order.
	#[derive(Copy, PartialOrd, Ord, Hash)]
	pub enum Kind {
		/// Offer the surplus to the community pool. What the pool does not take goes to the main grid.
		SellToCommunity = 0,
		/// Request the deficit from the community pool. What the pool does not provide comes from the main grid.
		BuyFromCommunity = 1,
		/// Consume what is generated, with a difference below the meter resolution.
		Neutral = 2,
		/// Buy the deficit from the main grid.
		BuyFromMain = 3,
		/// Sell the surplus to the main grid.
		SellToMain = 4,
	}

	/// An exact non-negative fraction, not necessarily in lowest terms.
	#[derive(Copy)]
	pub struct Ratio {
		/// Any value.
		pub numerator: u32,
		/// Must not be zero: every check of a ratio refuses that.
		pub denominator: u32,
	}
}

/// An exact non-negative fraction of wide integers, not necessarily in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fraction<T> {
	pub numerator: T,
	pub denominator: T,
}

crate::stored_types! {
	/// Comfort model: comfort C as a function of the indoor temperature T, the paper's eq. (2). C = -a (T - min)(T - max)
	/// inside the open range (min, max), and 0 outside.
	#[derive(Copy)]
	pub struct Comfort {
		/// Lower end of the range, at which comfort is 0. Hundredths of a degree Celsius.
		pub min_centi_c: i16,
		/// Upper end of the range, at which comfort is 0. Hundredths of a degree Celsius.
		pub max_centi_c: i16,
		/// Sensitivity per square degree, above 0 and at most 4 / (max - min)^2, so that C is at most 1.
		pub a: Ratio,
	}
}

impl Comfort {
	/// Accepts a model if its range is not empty and 0 < C <= 1 everywhere inside. All comparisons are exact.
	pub fn check(&self) -> Result<(), ComfortFault> {
		if self.min_centi_c >= self.max_centi_c {
			return Err(ComfortFault::EmptyRange);
		}
		if self.a.denominator == 0 {
			return Err(ComfortFault::ZeroDenominator);
		}
		if self.a.numerator == 0 {
			return Err(ComfortFault::NotPositive);
		}
		// a (width / 100)^2 <= 4, with both denominators multiplied out. The width is below 2^16.
		let width = u128::from(self.max_centi_c.abs_diff(self.min_centi_c));
		let top = u128::from(self.a.numerator) * width * width;
		if top > u128::from(self.a.denominator) * 40_000 {
			return Err(ComfortFault::CouldExceedOne);
		}
		Ok(())
	}

	/// Comfort at a temperature, see [`Self::at`]. Without a model it is 1.
	pub(crate) fn of(model: Option<&Self>, temperature_centi_c: i16) -> Fraction<u64> {
		let one = Fraction {
			numerator: 1,
			denominator: 1,
		};
		model.map_or(one, |comfort| comfort.at(temperature_centi_c))
	}

	/// Comfort at a temperature. For a checked model, the numerator is below 2^62 and the denominator below 2^46.
	fn at(&self, temperature_centi_c: i16) -> Fraction<u64> {
		let above = i64::from(temperature_centi_c) - i64::from(self.min_centi_c);
		let below = i64::from(self.max_centi_c) - i64::from(temperature_centi_c);
		let denominator = u64::from(self.a.denominator) * 10_000;
		let numerator = if above <= 0 || below <= 0 {
			0
		} else {
			// above + below < 2^16, so their product is below 2^30.
			u64::from(self.a.numerator) * above.unsigned_abs() * below.unsigned_abs()
		};
		Fraction {
			numerator,
			denominator,
		}
	}
}

crate::stored_types! {
	/// One of the things that a household may do in an era.
	#[derive(Copy)]
	pub struct Strategy {
		/// Whether the net position goes to the community pool, to the main grid, or is zero.
		pub kind: Kind,
		/// Consumption in the era in Wh, at most [`MAX_ENERGY_WH`].
		pub consumption_wh: u32,
		/// The indoor temperature that this consumption leads to, in hundredths of a degree Celsius.
		pub temperature_centi_c: i16,
	}
}

impl Strategy {
	/// Net position: generation minus consumption in Wh, positive for a surplus.
	pub fn net_wh(&self, generation_wh: u32) -> i64 {
		i64::from(generation_wh) - i64::from(self.consumption_wh)
	}

	/// Accepts a strategy whose energies are in range and whose kind fits the net position: above zero for sellers,
	/// below zero for buyers, and closer to zero than the meter resolution for `Neutral`.
	pub fn check(&self, generation_wh: u32, resolution_wh: u32) -> Result<(), StrategyFault> {
		if self.consumption_wh > MAX_ENERGY_WH || generation_wh > MAX_ENERGY_WH {
			return Err(StrategyFault::OverRange);
		}
		let net = self.net_wh(generation_wh);
		let fits = match self.kind {
			Kind::SellToCommunity | Kind::SellToMain => net > 0,
			Kind::BuyFromCommunity | Kind::BuyFromMain => net < 0,
			Kind::Neutral => net.unsigned_abs() < u64::from(resolution_wh),
		};
		if fits {
			Ok(())
		} else {
			Err(StrategyFault::KindContradictsNetPosition)
		}
	}
}

crate::stored_types! {
	/// The rules that apply to every household of a community.
	#[derive(Copy)]
	pub struct Rules {
		/// The paper's lambda: the payoff has the factor lambda^E_in, with E_in in kWh. Above 1, at most [`MAX_LAMBDA`].
		pub lambda: Ratio,
		/// Meter resolution in Wh, 1 to [`MAX_RESOLUTION_WH`]. An exchange with the main grid below it counts as zero. The
		/// paper's omega is 1 kWh divided by it.
		pub resolution_wh: u32,
	}
}

impl Rules {
	/// Accepts rules within the limits up to which the arithmetic is proved.
	pub fn check(&self) -> Result<(), RulesFault> {
		if self.lambda.denominator == 0 {
			return Err(RulesFault::ZeroDenominator);
		}
		if self.lambda.numerator <= self.lambda.denominator {
			return Err(RulesFault::LambdaNotAboveOne);
		}
		if u64::from(self.lambda.numerator) > u64::from(MAX_LAMBDA) * u64::from(self.lambda.denominator) {
			return Err(RulesFault::LambdaTooLarge);
		}
		if self.resolution_wh == 0 || self.resolution_wh > MAX_RESOLUTION_WH {
			return Err(RulesFault::ResolutionOutOfRange);
		}
		Ok(())
	}
}
