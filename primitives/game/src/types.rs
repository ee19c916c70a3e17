//! What a household may do, and the rules of a community.

use crate::fault::{ComfortFault, RulesFault, StrategyFault};

/// Largest generation or consumption of one household in one era, in Wh (1 GWh). The error bounds of [`crate::log2`]
/// and the absence of overflow are proved up to here.
pub const MAX_ENERGY_WH: u32 = 1_000_000_000;
/// Most strategies of one household; a choice is one byte.
pub const MAX_STRATEGIES: usize = 255;
/// Most households of one game. Their energies sum to less than 2^46 Wh.
pub const MAX_HOUSEHOLDS: usize = 65_535;
/// Largest lambda; its base-2 logarithm is 16.
pub const MAX_LAMBDA: u32 = 1 << 16;
/// Coarsest meter resolution in Wh.
pub const MAX_RESOLUTION_WH: u32 = 1_000;

/// The five kinds of the paper, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "client", derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType))]
pub enum Kind {
	/// Offer the surplus to the community pool; whatever the pool does not take goes to the main grid.
	#[cfg_attr(feature = "scale", codec(index = 0))]
	SellToCommunity = 0,
	/// Ask the community pool for the deficit; whatever it does not give comes from the main grid.
	#[cfg_attr(feature = "scale", codec(index = 1))]
	BuyFromCommunity = 1,
	/// Consume what is generated, to within the meter resolution.
	#[cfg_attr(feature = "scale", codec(index = 2))]
	Neutral = 2,
	/// Buy the deficit from the main grid.
	#[cfg_attr(feature = "scale", codec(index = 3))]
	BuyFromMain = 3,
	/// Sell the surplus to the main grid.
	#[cfg_attr(feature = "scale", codec(index = 4))]
	SellToMain = 4,
}

/// An exact non-negative fraction. It need not be in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "client", derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType))]
pub struct Ratio {
	/// The part above the line.
	pub numerator: u32,
	/// The part below the line; zero is refused wherever a ratio is checked.
	pub denominator: u32,
}

/// Comfort as a function of the indoor temperature, the paper's eq. (2): C = -a (T - min)(T - max) inside the open
/// range (min, max) and 0 outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "client", derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType))]
pub struct Comfort {
	/// Lower end, hundredths of a degree Celsius; comfort is 0 here.
	pub min_centi_c: i16,
	/// Upper end, hundredths of a degree Celsius; comfort is 0 here.
	pub max_centi_c: i16,
	/// Sensitivity per square degree, above 0 and at most 4 / (max - min)^2.
	pub a: Ratio,
}

impl Comfort {
	/// Accepts exactly the models with 0 < C <= 1 inside a range that is not empty. All comparisons are exact.
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
		// The width is below 2^16 hundredths; a (width / 100)^2 <= 4 with the denominators multiplied out.
		let width = u128::from(self.max_centi_c.abs_diff(self.min_centi_c));
		let top = u128::from(self.a.numerator) * width * width;
		if top > u128::from(self.a.denominator) * 40_000 {
			return Err(ComfortFault::CouldExceedOne);
		}
		Ok(())
	}

	/// Comfort at a temperature as an exact fraction, see [`Self::at`]; 1 without a model.
	pub(crate) fn of(model: Option<&Self>, temperature_centi_c: i16) -> (u64, u64) {
		model.map_or((1, 1), |comfort| comfort.at(temperature_centi_c))
	}

	/// Comfort at a temperature as an exact fraction (numerator, denominator); the numerator is 0 outside the range.
	/// For a checked model the numerator is below 2^62 and the denominator below 2^46.
	fn at(&self, temperature_centi_c: i16) -> (u64, u64) {
		let above = i64::from(temperature_centi_c) - i64::from(self.min_centi_c);
		let below = i64::from(self.max_centi_c) - i64::from(temperature_centi_c);
		let denominator = u64::from(self.a.denominator) * 10_000;
		if above <= 0 || below <= 0 {
			return (0, denominator);
		}
		// above + below < 2^16, so their product is below 2^30.
		(
			u64::from(self.a.numerator) * above.unsigned_abs() * below.unsigned_abs(),
			denominator,
		)
	}
}

/// One thing that a household may do in an era.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "client", derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType))]
pub struct Strategy {
	/// Where the net position goes.
	pub kind: Kind,
	/// Consumption in the era, Wh, at most [`MAX_ENERGY_WH`].
	pub consumption_wh: u32,
	/// The indoor temperature that this consumption leads to, hundredths of a degree Celsius.
	pub temperature_centi_c: i16,
}

impl Strategy {
	/// Generation less consumption in Wh; positive is a surplus.
	pub fn net_wh(&self, generation_wh: u32) -> i64 {
		i64::from(generation_wh) - i64::from(self.consumption_wh)
	}

	/// Accepts a strategy whose energies are in range and whose kind fits the sign of the net position: sellers above
	/// zero, buyers below, `Neutral` closer to zero than the meter resolution.
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

/// What is the same for every household of a community.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "client", derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType))]
pub struct Rules {
	/// The paper's lambda, the worth of community energy per kWh: above 1, at most [`MAX_LAMBDA`].
	pub lambda: Ratio,
	/// Meter resolution in Wh, 1 to [`MAX_RESOLUTION_WH`]. Below it an exchange with the main grid counts as none. The
	/// paper's omega is 1 kWh divided by it.
	pub resolution_wh: u32,
}

impl Rules {
	/// Accepts rules inside the bounds for which the arithmetic is proved.
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
