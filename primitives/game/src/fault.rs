//! Every way in which input can be wrong, by name.

/// Why a [`crate::Comfort`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ComfortFault {
	/// `min_centi_c` is not below `max_centi_c`.
	#[cfg_attr(feature = "scale", codec(index = 0))]
	EmptyRange,
	/// The denominator of `a` is zero.
	#[cfg_attr(feature = "scale", codec(index = 1))]
	ZeroDenominator,
	/// `a` is zero, so that every temperature would earn nothing.
	#[cfg_attr(feature = "scale", codec(index = 2))]
	NotPositive,
	/// `a` is above 4 / (max - min)^2, so that comfort would exceed 1 in the middle of the range.
	#[cfg_attr(feature = "scale", codec(index = 3))]
	CouldExceedOne,
}

/// Why a [`crate::Strategy`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum StrategyFault {
	/// A seller that has nothing to sell, a buyer that needs nothing, or `Neutral` with a net position of at least
	/// the meter resolution.
	#[cfg_attr(feature = "scale", codec(index = 0))]
	KindContradictsNetPosition,
	/// Consumption (or the generation it is judged against) is above [`crate::MAX_ENERGY_WH`].
	#[cfg_attr(feature = "scale", codec(index = 1))]
	OverRange,
}

/// Why [`crate::Rules`] are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum RulesFault {
	/// The paper requires lambda > 1: community energy must be worth more than none.
	#[cfg_attr(feature = "scale", codec(index = 0))]
	LambdaNotAboveOne,
	/// Lambda is above [`crate::MAX_LAMBDA`], up to which the error bound is proved.
	#[cfg_attr(feature = "scale", codec(index = 1))]
	LambdaTooLarge,
	/// The denominator of lambda is zero.
	#[cfg_attr(feature = "scale", codec(index = 2))]
	ZeroDenominator,
	/// The meter resolution is outside 1 to [`crate::MAX_RESOLUTION_WH`] Wh.
	#[cfg_attr(feature = "scale", codec(index = 3))]
	ResolutionOutOfRange,
}

/// Why a [`crate::Household`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum HouseholdFault {
	/// Generation is above [`crate::MAX_ENERGY_WH`].
	#[cfg_attr(feature = "scale", codec(index = 0))]
	GenerationOverRange,
	/// The comfort model is not one.
	#[cfg_attr(feature = "scale", codec(index = 1))]
	Comfort(ComfortFault),
	/// A player without a strategy cannot play.
	#[cfg_attr(feature = "scale", codec(index = 2))]
	NoStrategies,
	/// More than [`crate::MAX_STRATEGIES`] strategies.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum GameFault {
	/// The rules of the community are refused.
	#[cfg_attr(feature = "scale", codec(index = 0))]
	Rules(RulesFault),
	/// More than [`crate::MAX_HOUSEHOLDS`] households.
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

/// Why a profile does not belong to a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ProfileFault {
	/// The profile has another number of entries than the game has households.
	#[cfg_attr(feature = "scale", codec(index = 0))]
	WrongLength,
	/// A household's entry names no strategy of its set.
	#[cfg_attr(feature = "scale", codec(index = 1))]
	UnknownStrategy {
		/// Index of the household.
		household: u32,
	},
	/// The household asked about is not in the game.
	#[cfg_attr(feature = "scale", codec(index = 2))]
	UnknownHousehold,
}

/// Why a [`crate::Preference`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum PreferenceFault {
	/// `flexible_down_percent` is above 100.
	#[cfg_attr(feature = "scale", codec(index = 0))]
	DownOverHundred,
	/// `flexible_up_percent` is above 100.
	#[cfg_attr(feature = "scale", codec(index = 1))]
	UpOverHundred,
}

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
	Self::EmptyRange => ("comfort.min_centi_c is not below comfort.max_centi_c"),
	Self::ZeroDenominator => ("comfort.a has a zero denominator"),
	Self::NotPositive => ("comfort.a is zero"),
	Self::CouldExceedOne => ("comfort.a is above 4 / (max - min)^2, comfort could exceed 1"),
);
describe!(StrategyFault:
	Self::KindContradictsNetPosition => ("kind contradicts generation_wh - consumption_wh"),
	Self::OverRange => ("consumption_wh is out of range"),
);
describe!(RulesFault:
	Self::LambdaNotAboveOne => ("lambda is not above 1"),
	Self::LambdaTooLarge => ("lambda is above {}", crate::MAX_LAMBDA),
	Self::ZeroDenominator => ("lambda has a zero denominator"),
	Self::ResolutionOutOfRange => ("resolution_wh is outside 1 to {}", crate::MAX_RESOLUTION_WH),
);
describe!(HouseholdFault:
	Self::GenerationOverRange => ("generation_wh is out of range"),
	Self::Comfort(fault) => ("{fault}"),
	Self::NoStrategies => ("strategies is empty"),
	Self::TooManyStrategies => ("strategies has more than {} entries", crate::MAX_STRATEGIES),
	Self::Strategy { strategy, fault } => ("strategy {strategy}: {fault}"),
);
describe!(GameFault:
	Self::Rules(fault) => ("{fault}"),
	Self::TooManyHouseholds => ("households has more than {} entries", crate::MAX_HOUSEHOLDS),
	Self::Household { household, fault } => ("household {household}: {fault}"),
);
describe!(ProfileFault:
	Self::WrongLength => ("profile has another length than households"),
	Self::UnknownStrategy { household } => ("household {household}: profile names no strategy of its set"),
	Self::UnknownHousehold => ("no such household"),
);
describe!(PreferenceFault:
	Self::DownOverHundred => ("flexible_down_percent is above 100"),
	Self::UpOverHundred => ("flexible_up_percent is above 100"),
);
