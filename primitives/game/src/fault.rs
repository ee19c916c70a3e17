//! The errors that checks of the input return.

use crate::limits::{MAX_ENERGY_WH, MAX_HOUSEHOLDS, MAX_LAMBDA, MAX_RESOLUTION_WH, MAX_STRATEGIES};

crate::stored_types! {
	/// Why a [`crate::Comfort`] is refused.
	#[derive(Copy)]
	pub enum ComfortFault {
		/// `min_centi_c` is not below `max_centi_c`.
		#[cfg_attr(feature = "scale", codec(index = 0))]
		EmptyRange,
		/// The denominator of `a` is zero.
		#[cfg_attr(feature = "scale", codec(index = 1))]
		ZeroDenominator,
		/// `a` is zero, so comfort would be 0 at every temperature.
		#[cfg_attr(feature = "scale", codec(index = 2))]
		NotPositive,
		/// `a` is above 4 / (max - min)^2, so comfort would exceed 1 in the middle of the range.
		#[cfg_attr(feature = "scale", codec(index = 3))]
		CouldExceedOne,
	}

	/// Why a [`crate::Strategy`] is refused.
	#[derive(Copy)]
	pub enum StrategyFault {
		/// A selling kind without a surplus, a buying kind without a deficit, or `Neutral` with a net position of at least
		/// the meter resolution.
		#[cfg_attr(feature = "scale", codec(index = 0))]
		KindContradictsNetPosition,
		/// Consumption, or the household's generation, is above [`MAX_ENERGY_WH`].
		#[cfg_attr(feature = "scale", codec(index = 1))]
		OverRange,
	}

	/// Why [`crate::Rules`] are refused.
	#[derive(Copy)]
	pub enum RulesFault {
		/// Lambda is 1 or less. The paper requires lambda > 1, so that selling to the community raises the payoff.
		#[cfg_attr(feature = "scale", codec(index = 0))]
		LambdaNotAboveOne,
		/// Lambda is above [`MAX_LAMBDA`], up to which the error bound of payoffs is proved.
		#[cfg_attr(feature = "scale", codec(index = 1))]
		LambdaTooLarge,
		/// The denominator of lambda is zero.
		#[cfg_attr(feature = "scale", codec(index = 2))]
		ZeroDenominator,
		/// The meter resolution is outside 1 to [`MAX_RESOLUTION_WH`] Wh.
		#[cfg_attr(feature = "scale", codec(index = 3))]
		ResolutionOutOfRange,
	}

	/// Why a [`crate::Household`] is refused.
	#[derive(Copy)]
	pub enum HouseholdFault {
		/// Generation is above [`MAX_ENERGY_WH`].
		#[cfg_attr(feature = "scale", codec(index = 0))]
		GenerationOverRange,
		/// The comfort model is refused.
		#[cfg_attr(feature = "scale", codec(index = 1))]
		Comfort(ComfortFault),
		/// The household has no strategy to choose from.
		#[cfg_attr(feature = "scale", codec(index = 2))]
		NoStrategies,
		/// The household has more than [`MAX_STRATEGIES`] strategies.
		#[cfg_attr(feature = "scale", codec(index = 3))]
		TooManyStrategies,
		/// One strategy is refused.
		#[cfg_attr(feature = "scale", codec(index = 4))]
		Strategy {
			/// Index of the strategy in the household's set.
			strategy: u8,
			/// What is wrong with it.
			fault: StrategyFault,
		},
	}

	/// Why a [`crate::Game`] is refused.
	#[derive(Copy)]
	pub enum GameFault {
		/// The rules of the community are refused.
		#[cfg_attr(feature = "scale", codec(index = 0))]
		Rules(RulesFault),
		/// The game has more than [`MAX_HOUSEHOLDS`] households.
		#[cfg_attr(feature = "scale", codec(index = 1))]
		TooManyHouseholds,
		/// One household is refused.
		#[cfg_attr(feature = "scale", codec(index = 2))]
		Household {
			/// Index of the household in the game.
			household: u32,
			/// What is wrong with it.
			fault: HouseholdFault,
		},
	}

	/// Why a profile does not fit a game.
	#[derive(Copy)]
	pub enum ProfileFault {
		/// The number of entries differs from the number of households.
		#[cfg_attr(feature = "scale", codec(index = 0))]
		WrongLength,
		/// An entry is not the index of a strategy of its household.
		#[cfg_attr(feature = "scale", codec(index = 1))]
		UnknownStrategy {
			/// Index of the household.
			household: u32,
		},
		/// The game has no household with the requested index.
		#[cfg_attr(feature = "scale", codec(index = 2))]
		UnknownHousehold,
	}

	/// Why a [`crate::Preference`] is refused.
	#[derive(Copy)]
	pub enum PreferenceFault {
		/// `flexible_down_percent` is above 100.
		#[cfg_attr(feature = "scale", codec(index = 0))]
		DownOverHundred,
		/// `flexible_up_percent` is above 100.
		#[cfg_attr(feature = "scale", codec(index = 1))]
		UpOverHundred,
	}
}

/// Implements `Display` and `Error` with one message for each variant.
macro_rules! describe {
	($name:ident: $($pattern:pat => ($($text:tt)+)),+ $(,)?) => {
		impl core::fmt::Display for $name {
			fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
				match self { $($pattern => write!(f, $($text)+)),+ }
			}
		}
		impl core::error::Error for $name {}
	};
}

describe!(ComfortFault:
	Self::EmptyRange => ("comfort.min_centi_c must be below comfort.max_centi_c"),
	Self::ZeroDenominator => ("comfort.a has the denominator 0; it must be at least 1"),
	Self::NotPositive => ("comfort.a is 0; it must be above 0"),
	Self::CouldExceedOne => ("comfort.a must be at most 4 / (max - min)^2, with max and min in degrees"),
);
describe!(StrategyFault:
	Self::KindContradictsNetPosition => (
		"kind does not fit generation_wh - consumption_wh: to sell, it must be above 0; to buy, below 0; for Neutral, \
		 closer to 0 than resolution_wh"
	),
	Self::OverRange => ("consumption_wh or generation_wh is above {MAX_ENERGY_WH}"),
);
describe!(RulesFault:
	Self::LambdaNotAboveOne => ("lambda must be above 1"),
	Self::LambdaTooLarge => ("lambda must be at most {MAX_LAMBDA}"),
	Self::ZeroDenominator => ("lambda has the denominator 0; it must be at least 1"),
	Self::ResolutionOutOfRange => ("resolution_wh must be from 1 to {MAX_RESOLUTION_WH}"),
);
describe!(HouseholdFault:
	Self::GenerationOverRange => ("generation_wh must be at most {MAX_ENERGY_WH}"),
	Self::Comfort(fault) => ("{fault}"),
	Self::NoStrategies => ("strategies is empty; it must have at least one entry"),
	Self::TooManyStrategies => ("strategies has more than {MAX_STRATEGIES} entries"),
	Self::Strategy { strategy, fault } => ("strategy {strategy}: {fault}"),
);
describe!(GameFault:
	Self::Rules(fault) => ("{fault}"),
	Self::TooManyHouseholds => ("households has more than {MAX_HOUSEHOLDS} entries"),
	Self::Household { household, fault } => ("household {household}: {fault}"),
);
describe!(ProfileFault:
	Self::WrongLength => ("profile must have one entry for each household"),
	Self::UnknownStrategy { household } => (
		"household {household}: its entry of profile is not the index of one of its strategies"
	),
	Self::UnknownHousehold => ("the game has no household with this index"),
);
describe!(PreferenceFault:
	Self::DownOverHundred => ("flexible_down_percent must be at most 100"),
	Self::UpOverHundred => ("flexible_up_percent must be at most 100"),
);
