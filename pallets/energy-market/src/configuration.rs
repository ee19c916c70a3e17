//! The conditions that a runtime's constants must satisfy.

use crate::{pallet::*, weights::WeightInfo, Phase};
use commonwatt_market::game;
use frame_support::traits::Get;

impl<T: Config> Pallet<T> {
	/// Checks the constants of [`Config`]. `integrity_test` calls it, so every runtime's tests check its real
	/// parameters. Panics with the name of the constant that is wrong.
	pub(crate) fn check_configuration() {
		let strategies = T::MaxStrategies::get();
		assert!(
			strategies >= game::MAX_PREFERENCE_STRATEGIES,
			"MaxStrategies is smaller than the number of strategies that a standing preference can give"
		);
		assert!(
			strategies as usize <= game::MAX_STRATEGIES,
			"MaxStrategies is larger than a game allows: the chosen strategy's index is one byte"
		);
		assert!(
			T::MaxHouseholds::get() as usize <= game::MAX_HOUSEHOLDS,
			"MaxHouseholds is larger than a game allows"
		);
		assert!(
			T::MaxHouseholds::get() > 0 && T::MaxSteps::get() > 0,
			"MaxHouseholds and MaxSteps must be above 0, or nothing can be cleared"
		);
		assert!(
			T::MaxSweeps::get() > 0 && T::MaxStarts::get() > 0,
			"MaxSweeps and MaxStarts must be above 0, or no game can be solved"
		);
		// A certificate takes one evaluation for each household and one for each of its strategies.
		assert!(
			T::MaxEvaluationsPerHousehold::get() > 2 * (1 + strategies),
			"MaxEvaluationsPerHousehold is too small for a certificate and a sweep"
		);
		assert!(
			T::RetainedEras::get() >= 4,
			"RetainedEras must be at least 4, so that a contract stays until it is settled"
		);
		for phase in [Phase::Solve, Phase::Settle] {
			let weight =
				T::WeightInfo::latch().saturating_add(Self::step_weight(phase, T::MaxHouseholds::get()));
			assert!(
				weight.all_lte(T::MaxClearingWeight::get()),
				"MaxClearingWeight is too small: the {phase:?} step of MaxHouseholds households weighs {weight:?}"
			);
		}
	}
}
