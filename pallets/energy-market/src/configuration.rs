//! What a runtime's constants must satisfy.

use crate::{pallet::*, weights::WeightInfo, Phase};
use commonwatt_market::game;
use frame_support::traits::Get;

impl<T: Config> Pallet<T> {
	/// What `integrity_test` checks: run on the real parameters of a runtime whenever it is tested.
	pub(crate) fn check_configuration() {
		let strategies = T::MaxStrategies::get();
		assert!(
			strategies >= game::MAX_PREFERENCE_STRATEGIES,
			"MaxStrategies: too few for a standing preference"
		);
		assert!(
			strategies as usize <= game::MAX_STRATEGIES,
			"MaxStrategies: a choice is one byte"
		);
		assert!(
			T::MaxHouseholds::get() as usize <= game::MAX_HOUSEHOLDS,
			"MaxHouseholds: more than a game can have"
		);
		assert!(
			T::MaxHouseholds::get() > 0 && T::MaxSteps::get() > 0,
			"MaxHouseholds, MaxSteps: nothing can clear"
		);
		assert!(
			T::MaxSweeps::get() > 0 && T::MaxStarts::get() > 0,
			"MaxSweeps, MaxStarts: nothing can be solved"
		);
		// A certificate takes one evaluation for each household and each of its strategies.
		assert!(
			T::MaxEvaluationsPerHousehold::get() > 2 * (1 + strategies),
			"MaxEvaluationsPerHousehold: too few for a certificate and a sweep"
		);
		assert!(
			T::RetainedEras::get() >= 4,
			"RetainedEras: contracts must outlive their settlement"
		);
		for phase in [Phase::Solve, Phase::Settle] {
			let weight =
				T::WeightInfo::latch().saturating_add(Self::step_weight(phase, T::MaxHouseholds::get()));
			assert!(
				weight.all_lte(T::MaxClearingWeight::get()),
				"MaxClearingWeight: {phase:?} of MaxHouseholds households weighs {weight:?}"
			);
		}
	}
}
