//! The clock and the clearing queue: the only place that the hooks call.
//!
//! A new era opens a round: every community's game first, since its households deliver already, then every
//! community's settlement. `on_initialize` plans the steps that fit into the block and returns their weight;
//! `on_finalize` takes just these.

use crate::{
	entry, game_of, pallet::*, settlement::Settlement, weights::WeightInfo, Balance, Channels, ClockState,
	CommunityId, Contract, ContractBook, Debt, EraIndex, EraRecord, HouseholdId, Phase, PlannedStep,
	PriceRule, RoundState, Terms, LOG_TARGET,
};
use alloc::{collections::BTreeMap, vec::Vec};
use commonwatt_game as game;
use frame_support::{
	traits::{
		fungible::{Inspect, MutateHold},
		tokens::{Fortitude, Preservation},
		Get, UnixTime,
	},
	weights::Weight,
	BoundedVec,
};
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};

/// A household on its way into a game.
struct Player<T: Config> {
	id: HouseholdId,
	owner: T::AccountId,
	main_grid_only: bool,
	contract: Contract<T>,
}

impl<T: Config> Pallet<T> {
	/// Where in the rings an era's contracts, statements and records lie.
	pub(crate) fn slot(era: EraIndex) -> u32 {
		era.checked_rem(T::RetainedEras::get()).unwrap_or(0)
	}

	/// The weight of one step for so many members of a community, all of whom may be in the game, which may take all of
	/// the solver's budget.
	pub(crate) fn step_weight(phase: Phase, households: u32) -> Weight {
		match phase {
			Phase::Solve => T::WeightInfo::solve(households)
				.saturating_add(T::WeightInfo::evaluate(Self::max_evaluations(households))),
			Phase::Settle => T::WeightInfo::settle(households),
		}
	}

	/// Plans what this block's `on_finalize` does, and returns the weight of it.
	pub(crate) fn plan_steps() -> Weight {
		let Some(round) = Round::<T>::get() else {
			return T::WeightInfo::latch();
		};
		let (planned, weight, _) = Self::fitting_steps(round);
		Planned::<T>::put(planned);
		weight
	}

	/// The steps from here on that fit into one block, with the weight of that block's clearing and what is left after
	/// it.
	pub(crate) fn fitting_steps(
		from: RoundState,
	) -> (BoundedVec<PlannedStep, T::MaxSteps>, Weight, Option<RoundState>) {
		let mut weight = T::WeightInfo::latch();
		let mut steps = BoundedVec::<PlannedStep, T::MaxSteps>::new();
		let mut cursor = Some(from);
		// At most `MaxSteps` turns: each one adds a step or ends the loop.
		while let Some(round) = cursor {
			let households = Members::<T>::decode_len(round.next).unwrap_or(0) as u32;
			let step = PlannedStep {
				phase: round.phase,
				community: round.next,
				households,
			};
			let next_weight = weight.saturating_add(Self::step_weight(step.phase, households));
			// The first step always goes ahead: `integrity_test` proves that the largest fits, and a queue that
			// stands still would be worse than a full block.
			let fits = steps.is_empty() || next_weight.all_lte(T::MaxClearingWeight::get());
			if !fits || steps.try_push(step).is_err() {
				break;
			}
			weight = next_weight;
			cursor = Self::after(round);
		}
		(steps, weight, cursor)
	}

	/// The round once its next step is taken; `None` at its end.
	fn after(round: RoundState) -> Option<RoundState> {
		let next = round.next.saturating_add(1);
		if next < round.communities {
			return Some(RoundState { next, ..round });
		}
		match (round.phase, round.settle_era) {
			(Phase::Solve, Some(_)) => Some(RoundState {
				phase: Phase::Settle,
				next: 0,
				..round
			}),
			_ => None,
		}
	}

	/// Takes the planned steps.
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

	/// Notes that a new era has begun, if one has: constant work, whatever is due.
	pub(crate) fn latch_era() {
		if Round::<T>::exists() {
			// The last round is not through: the new era waits, and may be missed.
			return;
		}
		let now = T::Time::now().as_millis();
		let length = u128::from(EraLengthMs::<T>::get());
		let Some(era) = now
			.checked_div(length)
			.and_then(|era| EraIndex::try_from(era).ok())
		else {
			return;
		};
		// Time 0 is a chain whose clock was never set.
		if now > 0 {
			Self::begin(era);
		}
	}

	/// Opens the round of an era that is later than the one that runs.
	pub(crate) fn begin(era: EraIndex) {
		let clock = Clock::<T>::get();
		if clock.is_some_and(|clock| era <= clock.current) {
			return;
		}
		let ended = clock.map(|clock| clock.current);
		let settling = clock.and_then(|clock| clock.previous);
		// After a gap as long as the rings, the era's slot may hold contracts that are still to be settled: then it has
		// no games either.
		let open = [ended, settling].into_iter().flatten();
		let has_games = open.into_iter().all(|open| Self::slot(open) != Self::slot(era));
		let first = ended.map_or(era, |ended| ended.saturating_add(1));
		let last = if has_games { era.saturating_sub(1) } else { era };
		if first <= last {
			Self::deposit_event(Event::ErasMissed { first, last });
		}
		Clock::<T>::put(ClockState {
			current: era,
			previous: ended,
		});
		let communities = CommunityCount::<T>::get();
		if communities > 0 && (has_games || settling.is_some()) {
			Round::<T>::put(RoundState {
				solve_era: era,
				settle_era: settling,
				communities,
				phase: if has_games { Phase::Solve } else { Phase::Settle },
				next: 0,
			});
		}
		Self::deposit_event(Event::EraStarted {
			era,
			readings_of: ended,
			settling,
		});
	}

	/// One community's gate closure: its game, its contracts, its holds.
	pub(crate) fn solve_step(
		community: CommunityId,
		era: EraIndex,
		settle_era: Option<EraIndex>,
		households: u32,
	) {
		let Some(terms) = Communities::<T>::get(community)
			.filter(|c| !c.paused)
			.map(|c| c.terms_in(era))
		else {
			return;
		};
		let mut players = Self::players(community, era, settle_era, households, &terms);
		let game = match game_of(terms.rules, players.iter().map(|p| &p.contract)) {
			Ok(game) => game,
			Err(fault) => {
				log::error!(target: LOG_TARGET, "community {community}, era {era}: {fault:?}");
				Self::deposit_event(Event::ClearingFailed { community, era });
				return;
			}
		};
		let solution = game::solve(&game, &Self::solver_config(&game), None);
		let Ok(allocations) = game::allocate(&game, &solution.profile) else {
			log::error!(target: LOG_TARGET, "community {community}, era {era}: the solver left its game");
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
		// The players are members, of whom there are at most so many.
		Contracts::<T>::insert(community, slot, ContractBook::<T>::truncate_from(book));
		Records::<T>::insert(community, slot, record);
		Self::deposit_event(Event::EraCleared { community, record });
	}

	/// The bounds that a game is solved within. They depend on the game and on the runtime's constants alone, so that an
	/// auditor can solve it again.
	pub(crate) fn solver_config(game: &game::Game) -> game::SolverConfig {
		// A game has at most 65,535 households.
		let households = game.households().len() as u32;
		game::SolverConfig {
			max_sweeps: T::MaxSweeps::get(),
			max_starts: T::MaxStarts::get(),
			max_evaluations: Self::max_evaluations(households).into(),
			..Default::default()
		}
	}

	/// Evaluations of a payoff that a game of so many households may take.
	fn max_evaluations(households: u32) -> u32 {
		let for_households = T::MaxEvaluationsPerHousehold::get().saturating_mul(households);
		T::MaxEvaluations::get().saturating_add(for_households)
	}

	/// The households that have anything to bring to the game of `era`, in the order of their registration.
	fn players(
		community: CommunityId,
		era: EraIndex,
		settle_era: Option<EraIndex>,
		households: u32,
		terms: &Terms,
	) -> Vec<Player<T>> {
		// What each owner can still cover; one owner may have several households.
		let mut budgets = BTreeMap::<T::AccountId, Balance>::new();
		let mut players = Vec::new();
		let debts = Debts::<T>::get(community);
		for id in Members::<T>::get(community).into_iter().take(households as usize) {
			let Some(household) = Households::<T>::get(id).filter(|h| !h.suspended && h.is_member_in(era))
			else {
				continue;
			};
			let comfort = match (household.comfort, terms.comfort_bounds) {
				(Some(comfort), Some(bounds)) => match bounds.narrow(comfort) {
					Some(narrowed) => Some(narrowed),
					None => continue,
				},
				(comfort, _) => comfort,
			};
			// Readings of the era that has just ended are still coming in, and do not count yet.
			let last_reading = || Some(Readings::<T>::get(id)?.until(settle_era?)?.1);
			let Some((generation_wh, mut strategies)) =
				Self::strategies_for(era, id, &household, last_reading, &terms.rules)
			else {
				continue;
			};
			let worst = strategies
				.iter()
				.map(|s| worst_cost(terms, s.net_wh(generation_wh)))
				.max()
				.unwrap_or(0);
			let main_grid_only =
				owes(&debts, id) || worst > 0 && !Self::spend(&mut budgets, &household.owner, worst);
			if main_grid_only {
				strategies.iter_mut().for_each(keep_to_main_grid);
			}
			let contract = Contract {
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
				owner: household.owner,
				main_grid_only,
				contract,
			});
		}
		players
	}

	/// Takes an amount from what an owner can still cover; false, and nothing taken, where that is not enough.
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

	/// Puts the funds that a contract can cost on hold, and announces it.
	fn make_contract(community: CommunityId, terms: &Terms, price_per_kwh: Balance, player: &mut Player<T>) {
		let contract = &mut player.contract;
		if !player.main_grid_only {
			let cost = contract_cost(terms, price_per_kwh, &contract.energy);
			match T::Currency::hold(&HoldReason::Contract.into(), &player.owner, cost) {
				Ok(()) => contract.held = cost,
				// The budget was checked just before. Without the hold, settlement lets this buyer take nothing from
				// the pool, so its sellers lose a buyer and no money.
				Err(error) => log::error!(
					target: LOG_TARGET,
					"household {}: {cost} could not be held: {error:?}", player.id
				),
			}
		}
		let chosen = usize::from(contract.chosen);
		if let Some(strategy) = contract.strategies.get(chosen).copied() {
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

/// Price of community energy per kWh, between feed-in and retail.
///
/// Mid-market: the mean of both, rounded down. Supply-demand ratio: with R = min(1, S / B),
/// `retail * feed_in / ((retail - feed_in) * R + feed_in)`, rounded down (Liu et al. 2017, eq. (10); a buyer that the
/// pool cannot serve pays retail for the rest, which gives their average buying price).
pub fn price(terms: &Terms, offered_wh: u64, requested_wh: u64) -> Balance {
	let tariffs = &terms.tariffs;
	let (retail, feed_in) = (tariffs.retail_per_kwh, tariffs.feed_in_per_kwh);
	match terms.price_rule {
		PriceRule::MidMarket => retail.saturating_add(feed_in) / 2,
		PriceRule::SupplyDemandRatio => {
			if offered_wh == 0 {
				return retail;
			}
			if offered_wh >= requested_wh {
				return feed_in;
			}
			let (offered, requested) = (Balance::from(offered_wh), Balance::from(requested_wh));
			// Tariffs are below 2^80 and the sums below 2^46: nothing here reaches 2^128.
			let weighted = feed_in.saturating_mul(requested);
			let denominator = retail
				.saturating_sub(feed_in)
				.saturating_mul(offered)
				.saturating_add(weighted);
			multiply_by_rational_with_rounding(retail, weighted, denominator, Rounding::Down)
				.unwrap_or(feed_in)
				.clamp(feed_in, retail)
		}
	}
}

/// What so much energy costs, rounded up: the payer's rounding.
pub fn cost(energy_wh: u32, per_kwh: Balance) -> Balance {
	// A tariff is below 2^80.
	Balance::from(energy_wh).saturating_mul(per_kwh).div_ceil(1_000)
}

/// What so much energy earns, rounded down: the payee's rounding.
pub fn revenue(energy_wh: u32, per_kwh: Balance) -> Balance {
	Balance::from(energy_wh).saturating_mul(per_kwh) / 1_000
}

/// Most that a contract can cost a household that keeps to it: its community energy at the pool's price with the grid
/// fee, or at retail should the pool fail, and its main-grid energy at retail.
pub fn contract_cost(terms: &Terms, price_per_kwh: Balance, energy: &Channels) -> Balance {
	let tariffs = &terms.tariffs;
	let bought = energy.bought_from_community_wh;
	let from_pool = cost(bought, price_per_kwh).saturating_add(cost(bought, tariffs.grid_fee_per_kwh));
	// Community and main-grid energy are rounded up one by one, and a part of the community's may come from the main
	// grid: one unit for each seam.
	let from_main = cost(bought, tariffs.retail_per_kwh);
	let seams = if bought > 0 { 2 } else { 0 };
	from_pool
		.max(from_main)
		.saturating_add(seams)
		.saturating_add(cost(energy.bought_from_main_wh, tariffs.retail_per_kwh))
}

/// Most that a strategy of this net position can cost, whatever the pool's price and volume.
fn worst_cost(terms: &Terms, net_wh: i64) -> Balance {
	let bought = if net_wh < 0 {
		u32::try_from(net_wh.unsigned_abs()).unwrap_or(u32::MAX)
	} else {
		0
	};
	let tariffs = &terms.tariffs;
	let seams = if bought > 0 { 3 } else { 0 };
	cost(bought, tariffs.retail_per_kwh)
		.saturating_add(cost(bought, tariffs.grid_fee_per_kwh))
		.saturating_add(seams)
}

/// Whether a household is in arrears.
fn owes(debts: &[(HouseholdId, Debt)], id: HouseholdId) -> bool {
	entry(debts, id).is_some_and(|debt| debt.arrears > 0)
}

/// The same strategy with the main grid in place of the community.
fn keep_to_main_grid(strategy: &mut game::Strategy) {
	strategy.kind = match strategy.kind {
		game::Kind::SellToCommunity => game::Kind::SellToMain,
		game::Kind::BuyFromCommunity => game::Kind::BuyFromMain,
		other => other,
	};
}
