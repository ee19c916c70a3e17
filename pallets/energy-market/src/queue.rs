//! The queue of a round: plans steps and takes them. The hooks call nothing else but the clock.
//!
//! A new era opens a round. All clearings come first, because the households are delivering already; then all
//! settlements. `on_initialize` plans the steps that fit into the block and returns their weight; `on_finalize` takes
//! exactly these.

use crate::{
	pallet::*, settlement::Settlement, weights::WeightInfo, CommunityId, Phase, PlannedStep, RoundState,
};
use frame_support::{traits::Get, weights::Weight, BoundedVec};

impl<T: Config> Pallet<T> {
	/// The weight of one step for a community of `households` members, at its worst: all of them are in the game, and
	/// the solver uses its whole budget.
	pub(crate) fn step_weight(phase: Phase, households: u32) -> Weight {
		match phase {
			Phase::Solve => T::WeightInfo::solve(households).saturating_add(T::WeightInfo::evaluate(
				Self::solver_limits().evaluations(households),
			)),
			Phase::Settle => T::WeightInfo::settle(households),
		}
	}

	/// Plans the steps that this block's `on_finalize` takes, and returns their weight.
	pub(crate) fn plan_steps() -> Weight {
		let Some(round) = Round::<T>::get() else {
			return T::WeightInfo::latch();
		};
		let (planned, weight, _) = Self::fitting_steps(round);
		Planned::<T>::put(planned);
		weight
	}

	/// The steps from `from` on that fit into one block, the weight of that block's clearing, and the rest of the round
	/// after it (`None` if nothing is left).
	pub(crate) fn fitting_steps(
		from: RoundState,
	) -> (BoundedVec<PlannedStep, T::MaxSteps>, Weight, Option<RoundState>) {
		let mut weight = T::WeightInfo::latch();
		let mut steps = BoundedVec::<PlannedStep, T::MaxSteps>::new();
		let mut cursor = Some(from);
		// At most `MaxSteps` iterations: each one adds a step or ends the loop.
		while let Some(round) = cursor {
			let members = Members::<T>::decode_len(round.next).unwrap_or(0) as u32;
			// A membership that becomes complete in this block may stand before others in the list, and must not push
			// the last of them out of the step. With the open offers, the sum is at most `MaxHouseholds`.
			let households = members.saturating_add(OpenOffers::<T>::get(round.next));
			let step = PlannedStep {
				phase: round.phase,
				community: round.next,
				households,
			};
			let next_weight = weight.saturating_add(Self::step_weight(step.phase, households));
			// The first step is always taken: `integrity_test` shows that the largest step fits, and a queue that never
			// advances would be worse than an overfull block.
			let fits = steps.is_empty() || next_weight.all_lte(T::MaxClearingWeight::get());
			if !fits || steps.try_push(step).is_err() {
				break;
			}
			weight = next_weight;
			cursor = Self::after(round);
		}
		(steps, weight, cursor)
	}

	/// The round after its next step; `None` at its end.
	fn after(round: RoundState) -> Option<RoundState> {
		let next = CommunityId(round.next.0.saturating_add(1));
		if next.0 < round.communities {
			return Some(RoundState { next, ..round });
		}
		match (round.phase, round.settle_era) {
			(Phase::Solve, Some(_)) => Some(RoundState {
				phase: Phase::Settle,
				next: CommunityId(0),
				..round
			}),
			_ => None,
		}
	}

	/// Takes the steps that [`Self::plan_steps`] planned for this block.
	pub(crate) fn take_steps() {
		for step in Planned::<T>::take() {
			let Some(round) = Round::<T>::get() else { return };
			match (step.phase, round.settle_era) {
				(Phase::Solve, _) => {
					Self::solve_step(step.community, round.solve_era, round.settle_era, step.households)
				}
				(Phase::Settle, Some(era)) => Settlement::<T>::run(step.community, era, step.households),
				(Phase::Settle, None) => (),
			}
			Round::<T>::set(Self::after(round));
		}
	}
}
