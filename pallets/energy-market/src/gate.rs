//! Clearing of one community: its game, its contracts and its holds.

use crate::{
	books::entry, pallet::*, Balance, Channels, CommunityId, Contract, ContractBook, Debt, EraIndex,
	EraRecord, HouseholdId, Submission, Terms, LOG_TARGET,
};
use alloc::{collections::BTreeMap, vec::Vec};
use commonwatt_market::{
	contract::{game_of, on_main_grid, SolverLimits},
	game,
	prices::{contract_cost, price, worst_cost},
};
use frame_support::traits::{
	fungible::{Inspect, MutateHold},
	tokens::{Fortitude, Preservation},
	Get,
};

/// A household with the contract that is being made for it.
struct Player<T: Config> {
	id: HouseholdId,
	owner: T::AccountId,
	contract: Contract<T>,
}

impl<T: Config> Pallet<T> {
	/// Clears a community for `era`. Only its first `households` members take part, which is the number that the step's
	/// weight was planned for. `settle_era` is the newest era whose readings count. If the game cannot be set up or
	/// solved, the community has no contracts for the era (`ClearingFailed`).
	pub(crate) fn solve_step(
		community: CommunityId,
		era: EraIndex,
		settle_era: Option<EraIndex>,
		households: u32,
	) {
		let Some(terms) = Communities::<T>::get(community)
			.filter(|c| !c.paused.in_era(era))
			.map(|c| c.terms_in(era))
		else {
			return;
		};
		let mut players = Self::players(community, era, settle_era, households, &terms);
		let game = match game_of(terms.rules, players.iter().map(|p| &p.contract)) {
			Ok(game) => game,
			Err(fault) => {
				log::error!(
					target: LOG_TARGET,
					"community {community}, era {era}: no contracts, since the game is invalid: {fault:?}"
				);
				Self::deposit_event(Event::ClearingFailed { community, era });
				return;
			}
		};
		let solution = game::solve(&game, &Self::solver_limits().config(&game), None);
		let Ok(allocations) = game::allocate(&game, &solution.profile) else {
			log::error!(
				target: LOG_TARGET,
				"community {community}, era {era}: no contracts, since the solver chose an unknown strategy"
			);
			Self::deposit_event(Event::ClearingFailed { community, era });
			return;
		};
		let certificate = solution.certificate;
		let price_per_kwh = price(&terms, certificate.offered_wh, certificate.requested_wh);
		for ((player, chosen), allocation) in players.iter_mut().zip(&solution.profile).zip(&allocations) {
			player.contract.chosen = *chosen;
			player.contract.energy = Channels::from_net(allocation.community_wh, allocation.main_wh);
			Self::make_contract(community, &terms, price_per_kwh, player);
		}
		let slot = Self::slot(era);
		let book: Vec<_> = players
			.into_iter()
			.map(|player| (player.id, player.contract))
			.collect();
		let record = EraRecord {
			era,
			terms,
			players: book.len() as u32,
			certificate,
			sweeps: solution.sweeps,
			starts: solution.starts,
			price_per_kwh,
			settled: None,
		};
		// No truncation: players are members, of whom there are at most `MaxHouseholds`.
		Contracts::<T>::insert(community, slot, ContractBook::<T>::truncate_from(book));
		Records::<T>::insert(community, slot, record);
		Self::deposit_event(Event::EraCleared { community, record });
	}

	/// The households that bring strategies to the game of `era`, in the order of registration. Those in arrears, or
	/// whose worst case exceeds the owner's funds or debit limit, bring main-grid strategies only.
	fn players(
		community: CommunityId,
		era: EraIndex,
		settle_era: Option<EraIndex>,
		households: u32,
		terms: &Terms,
	) -> Vec<Player<T>> {
		// What each owner can still cover: an owner may have several households.
		let mut budgets = BTreeMap::<T::AccountId, Balance>::new();
		let mut players = Vec::new();
		let debts = Debts::<T>::get(community);
		for id in Members::<T>::get(community).into_iter().take(households as usize) {
			let Some(household) =
				Households::<T>::get(id).filter(|h| !h.suspended.in_era(era) && h.is_member_in(era))
			else {
				continue;
			};
			let Ok(comfort) = terms.narrow(household.comfort) else {
				continue;
			};
			// Readings of the era that has just ended are still being submitted, so they do not count yet.
			let last_reading = || Readings::<T>::get(id)?.recent(settle_era?);
			let Some(Submission::<T> {
				generation_wh,
				mut strategies,
				..
			}) = Self::strategies_for(era, id, &household, last_reading, &terms.rules)
			else {
				continue;
			};
			let costs = strategies
				.iter()
				.map(|strategy| worst_cost(terms, strategy, generation_wh));
			let worst = costs.max().unwrap_or(0);
			let main_grid_only = owes(&debts, id)
				|| worst > household.max_debit_in(era)
				|| worst > 0 && !Self::spend(&mut budgets, household.owner_in(era), worst);
			if main_grid_only {
				strategies
					.iter_mut()
					.for_each(|strategy| *strategy = on_main_grid(*strategy));
			}
			let contract = Contract::<T> {
				era,
				generation_wh,
				comfort,
				strategies,
				chosen: 0,
				main_grid_only,
				energy: Channels::default(),
				held: 0,
			};
			players.push(Player {
				id,
				owner: household.owner_in(era).clone(),
				contract,
			});
		}
		players
	}

	/// Deducts `amount` from what the owner can still cover. Returns false, and deducts nothing, if that is not enough.
	fn spend(budgets: &mut BTreeMap<T::AccountId, Balance>, owner: &T::AccountId, amount: Balance) -> bool {
		let budget = budgets.entry(owner.clone()).or_insert_with(|| {
			T::Currency::reducible_balance(owner, Preservation::Preserve, Fortitude::Polite)
		});
		match budget.checked_sub(amount) {
			Some(left) => {
				*budget = left;
				true
			}
			None => false,
		}
	}

	/// Puts on hold what the contract can cost, and emits `ContractMade`.
	fn make_contract(community: CommunityId, terms: &Terms, price_per_kwh: Balance, player: &mut Player<T>) {
		let contract = &mut player.contract;
		let cost = contract_cost(terms, price_per_kwh, &contract.energy);
		if !contract.main_grid_only && cost > 0 {
			match T::Currency::hold(&HoldReason::Contract.into(), &player.owner, cost) {
				Ok(()) => contract.held = cost,
				// The budget was checked just before, so this cannot happen. Without the hold this buyer would pay the
				// pool nothing, and the sellers would share what the other buyers pay.
				Err(error) => log::error!(
					target: LOG_TARGET,
					"household {}: could not put {cost} on hold: {error:?}", player.id
				),
			}
		}
		if let Some(strategy) = contract.chosen_strategy().copied() {
			Self::deposit_event(Event::ContractMade {
				community,
				era: contract.era,
				household: player.id,
				generation_wh: contract.generation_wh,
				strategy,
				chosen: contract.chosen,
				main_grid_only: contract.main_grid_only,
				energy: contract.energy,
				held: contract.held,
			});
		}
	}

	/// The solver's budget for one game. It depends only on the runtime's constants, so that an auditor can solve a
	/// game again with the same result.
	pub(crate) fn solver_limits() -> SolverLimits {
		SolverLimits {
			max_sweeps: T::MaxSweeps::get(),
			max_starts: T::MaxStarts::get(),
			max_evaluations: T::MaxEvaluations::get(),
			max_evaluations_per_household: T::MaxEvaluationsPerHousehold::get(),
		}
	}
}

/// Whether a household is in arrears.
fn owes(debts: &[(HouseholdId, Debt)], id: HouseholdId) -> bool {
	entry(debts, id).is_some_and(|debt| debt.arrears > 0)
}
