//! What a runtime answers about its market, for wallets, operators and auditors: in Polkadot.js Apps under "Runtime
//! calls".

use crate::{
	entry, game_of, pallet::*, Balance, Community, CommunityId, Contract, Debt, EraIndex, EraRecord,
	Household, HouseholdId, Phase, RoundState, Statement, Terms, Totals,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use commonwatt_game::{
	explain, solve, verify, Certificate, Game, Household as Player, Log2, Rules, Solution, SolverConfig,
};
use frame_support::traits::{fungible::Inspect, Get, UnixTime};
use scale_info::TypeInfo;

/// Where the chain stands in time, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct EraView {
	/// The era that is running.
	pub current: EraIndex,
	/// When it began, ms since the Unix epoch, UTC.
	pub started_ms: u64,
	/// When it ends, ms since the Unix epoch, UTC: gate closure for the next era.
	pub ends_ms: u64,
	/// Chain time, ms since the Unix epoch, UTC.
	pub now_ms: u64,
	/// Strategies are taken for this era.
	pub strategies_for: EraIndex,
	/// Readings are taken of this era.
	pub readings_of: Option<EraIndex>,
	/// Clearing under way.
	pub round: Option<RoundState>,
}

/// A community at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Overview<AccountId> {
	/// The community, with what is announced for later.
	pub community: Community<AccountId>,
	/// The terms of the running era.
	pub terms: Terms,
	/// How many households it has.
	pub households: u32,
	/// Of them, how many are suspended.
	pub suspended: u32,
	/// Of them, how many are leaving.
	pub leaving: u32,
	/// What they owe the utility.
	pub arrears: Balance,
	/// What the utility owes them.
	pub credit: Balance,
	/// The account that buyers pay into and sellers are paid from.
	pub pool: AccountId,
	/// The account of the incentive pot.
	pub pot: AccountId,
	/// What the pot has.
	pub pot_balance: Balance,
	/// The newest gate closure.
	pub cleared: Option<EraRecord>,
	/// The newest settlement.
	pub settled: Option<EraRecord>,
}

/// Clearing that is still to be done.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct QueueView {
	/// What is being done; `None` where nothing is.
	pub phase: Option<Phase>,
	/// The era that is being solved.
	pub solving: Option<EraIndex>,
	/// The era that is being settled, or will be when all games are solved.
	pub settling: Option<EraIndex>,
	/// The community that is next.
	pub next: Option<CommunityId>,
	/// Steps that are left: games and settlements.
	pub steps: u32,
	/// Computation that is left, in picoseconds of the reference machine.
	pub ref_time: u64,
	/// Blocks that it will take.
	pub blocks: u32,
}

/// A community's result for an era, beside what could have been traded in it. The fields of [`EraRecord`] come first, in
/// its order, so that whoever reads an `EraRecord` reads this too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct RecordView {
	/// The era of delivery.
	pub era: EraIndex,
	/// The terms that hold for it.
	pub terms: Terms,
	/// Households with a contract.
	pub players: u32,
	/// The solver's claim; its `traded_wh` is at most `tradable_wh`.
	pub certificate: Certificate,
	/// Best-response sweeps that the solver made, over all starts.
	pub sweeps: u32,
	/// Starts that the solver made.
	pub starts: u32,
	/// Price of community energy per kWh.
	pub price_per_kwh: Balance,
	/// Sums of the settlement; `None` until settled.
	pub settled: Option<Totals>,
	/// The most that could be traded at the consumption that the game chose, Wh: the smaller of all households' surplus
	/// and all households' deficit, those that chose the main grid included. `None` where a contract is missing.
	pub tradable_wh: Option<u64>,
}

/// Every strategy of one household's contract, with what it would have been worth against the others' equilibrium.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Explanation {
	/// The strategy that the equilibrium has, counted from 0.
	pub chosen: u8,
	/// Base-2 logarithm of each strategy's payoff, in units of 2^-32.
	pub payoffs_log2: Vec<Log2>,
}

/// What several eras came to for one household.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Bill {
	/// The household.
	pub household: HouseholdId,
	/// The first settled era in it.
	pub first_era: EraIndex,
	/// The last settled era in it.
	pub last_era: EraIndex,
	/// So many eras are in it; those before the retained ones are not.
	pub eras: u32,
	/// Energy by channel, Wh, in the order of [`crate::Channels`]: sold to and bought from the community, sold to and
	/// bought from the main grid.
	pub energy_wh: [u64; 4],
	/// What the incentive pot gave; not part of `revenue` and `savings`.
	pub reward: Balance,
	/// What the household had to pay: community energy, grid fee and main-grid energy.
	pub cost: Balance,
	/// What the household earned: community energy and main-grid energy.
	pub revenue: Balance,
	/// What the same metered energy would have cost with the main grid alone.
	pub alone_cost: Balance,
	/// What the same metered energy would have earned with the main grid alone.
	pub alone_revenue: Balance,
	/// By how much the community made it cheaper; negative where imbalances made it dearer.
	pub savings: i128,
}

/// Energy from one seller to one buyer. The market knows no such pairs: buyers pay into the pool and sellers are paid
/// from it. For an auditor who needs them, the sellers are matched with the buyers in the order of registration.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Trade {
	/// Sold.
	pub seller: HouseholdId,
	/// Bought.
	pub buyer: HouseholdId,
	/// So much.
	pub energy_wh: u64,
}

sp_api::decl_runtime_apis! {
	/// Questions to the energy market. Contracts, statements and records are answered for the retained eras; those of
	/// households that have left, by `contracts` and `statements`.
	///
	/// Version 2: `record` tells what could have been traded.
	#[api_version(2)]
	pub trait EnergyMarketApi<AccountId, OpaqueContract>
	where
		AccountId: codec::Codec,
		OpaqueContract: codec::Codec,
	{
		/// The era that runs, and what is taken in it; nothing before the first block.
		fn current_era() -> Option<EraView>;
		/// Clearing that is still to be done.
		fn queue() -> QueueView;
		/// A community at a glance.
		fn overview(community: CommunityId) -> Option<Overview<AccountId>>;
		/// A community.
		fn community(community: CommunityId) -> Option<Community<AccountId>>;
		/// The account of a community's pool: buyers pay into it, sellers are paid from it.
		fn pool_account(community: CommunityId) -> AccountId;
		/// The account of a community's incentive pot: rewards are paid from it.
		fn pot_account(community: CommunityId) -> AccountId;
		/// The numbers of a community's households, in the order of its game.
		fn members(community: CommunityId) -> Vec<HouseholdId>;
		/// A household.
		fn household(household: HouseholdId) -> Option<Household<AccountId>>;
		/// What a household and the utility owe each other.
		fn debt(household: HouseholdId) -> Option<Debt>;
		/// The numbers of all households of an owner.
		fn households_of(owner: AccountId) -> Vec<HouseholdId>;
		/// A household's contract for an era.
		fn contract(household: HouseholdId, era: EraIndex) -> Option<OpaqueContract>;
		/// All contracts of a community for an era, in the order of its game.
		fn contracts(community: CommunityId, era: EraIndex) -> Vec<(HouseholdId, OpaqueContract)>;
		/// All statements of a community of an era, in the same order.
		fn statements(community: CommunityId, era: EraIndex) -> Vec<(HouseholdId, Statement)>;
		/// A household's statement of an era.
		fn statement(household: HouseholdId, era: EraIndex) -> Option<Statement>;
		/// A community's result for an era, with its certificate and with what could have been traded.
		fn record(community: CommunityId, era: EraIndex) -> Option<RecordView>;
		/// A community's result for an era, with its certificate.
		#[changed_in(2)]
		fn record(community: CommunityId, era: EraIndex) -> Option<EraRecord>;
		/// The certificate of an era, computed again from the contracts on chain by the rules of the runtime that answers.
		/// An era that a runtime with other rules cleared has another certificate. Bounded by the contracts of one
		/// community: one evaluation of a payoff for each household and each of its strategies, at most `MaxHouseholds`
		/// times `MaxStrategies` + 1.
		fn verify(community: CommunityId, era: EraIndex) -> Option<Certificate>;
		/// Why a household has the strategy that it has: the payoff of each of its strategies, at most `MaxStrategies`.
		fn explain(household: HouseholdId, era: EraIndex) -> Option<Explanation>;
		/// A household's settled eras from the first to the last, as far as they are retained; nothing if there is none.
		fn bill(household: HouseholdId, first_era: EraIndex, last_era: EraIndex) -> Option<Bill>;
		/// Who may be said to have sold to whom in an era: delivered energy once it is settled, contracted before.
		fn trades(community: CommunityId, era: EraIndex) -> Vec<Trade>;
		/// What the chain's solver makes of a game that need not be on the chain: "what if". Nothing for a game against
		/// the rules, or with more than `MaxHouseholds` households or `MaxStrategies` strategies for one of them. The work is
		/// bounded as it is in a block: `MaxEvaluations` evaluations of a payoff, and `MaxEvaluationsPerHousehold` more for
		/// each household.
		fn solve(rules: Rules, households: Vec<Player>) -> Option<Solution>;
	}
}

impl<T: Config> Pallet<T> {
	/// See [`EnergyMarketApi`].
	pub fn view_current_era() -> Option<EraView> {
		let clock = Clock::<T>::get()?;
		let length = EraLengthMs::<T>::get();
		let started_ms = u64::from(clock.current).checked_mul(length)?;
		Some(EraView {
			current: clock.current,
			started_ms,
			ends_ms: started_ms.checked_add(length)?,
			now_ms: u64::try_from(T::Time::now().as_millis()).ok()?,
			strategies_for: clock.current.checked_add(1)?,
			readings_of: clock.previous,
			round: Round::<T>::get(),
		})
	}

	/// See [`EnergyMarketApi`].
	pub fn view_households_of(owner: T::AccountId) -> Vec<HouseholdId> {
		// Off chain, so a walk over the map is fine.
		let mut all: Vec<_> = Households::<T>::iter()
			.filter(|(_, h)| h.owner == owner)
			.map(|(id, _)| id)
			.collect();
		all.sort_unstable();
		all
	}

	/// See [`EnergyMarketApi`].
	pub fn view_queue() -> QueueView {
		let round = Round::<T>::get();
		let mut view = QueueView {
			phase: round.map(|round| round.phase),
			solving: round.filter(|r| r.phase == Phase::Solve).map(|r| r.solve_era),
			settling: round.and_then(|round| round.settle_era),
			next: round.map(|round| round.next),
			steps: 0,
			ref_time: 0,
			blocks: 0,
		};
		// Off chain, so that all blocks may be planned at once.
		let mut cursor = round;
		while let Some(from) = cursor {
			let (steps, weight, after) = Self::fitting_steps(from);
			view.steps = view.steps.saturating_add(steps.len() as u32);
			view.ref_time = view.ref_time.saturating_add(weight.ref_time());
			view.blocks = view.blocks.saturating_add(1);
			// Nothing fits where nothing is allowed to: `integrity_test` sees to that.
			cursor = after.filter(|_| !steps.is_empty());
		}
		view
	}

	/// See [`EnergyMarketApi`].
	pub fn view_overview(id: CommunityId) -> Option<Overview<T::AccountId>> {
		let community = Communities::<T>::get(id)?;
		let clock = Clock::<T>::get();
		let mut records: Vec<_> = (0..T::RetainedEras::get())
			.filter_map(|slot| Records::<T>::get(id, slot))
			.collect();
		records.sort_unstable_by_key(|record| record.era);
		let pot = Self::pot_account(id);
		let mut view = Overview {
			terms: community.terms_in(clock.map_or(0, |clock| clock.current)),
			households: 0,
			suspended: 0,
			leaving: 0,
			arrears: 0,
			credit: 0,
			pool: Self::pool_account(id),
			pot_balance: T::Currency::balance(&pot),
			pot,
			cleared: records.last().copied(),
			settled: records.iter().rfind(|record| record.settled.is_some()).copied(),
			community,
		};
		for (_, debt) in Debts::<T>::get(id) {
			view.arrears = view.arrears.saturating_add(debt.arrears);
			view.credit = view.credit.saturating_add(debt.credit);
		}
		for household in Members::<T>::get(id).into_iter().filter_map(Households::<T>::get) {
			view.households = view.households.saturating_add(1);
			view.suspended = view.suspended.saturating_add(household.suspended.into());
			view.leaving = view
				.leaving
				.saturating_add(household.member_until.is_some().into());
		}
		Some(view)
	}

	/// See [`EnergyMarketApi`].
	pub fn view_debt(household: HouseholdId) -> Option<Debt> {
		let community = Households::<T>::get(household)?.community;
		Some(
			entry(&Debts::<T>::get(community), household)
				.copied()
				.unwrap_or_default(),
		)
	}

	/// See [`EnergyMarketApi`].
	pub fn view_contract(household: HouseholdId, era: EraIndex) -> Option<Contract<T>> {
		let community = Households::<T>::get(household)?.community;
		let book = Contracts::<T>::get(community, Self::slot(era));
		entry(&book, household)
			.filter(|contract| contract.era == era)
			.cloned()
	}

	/// See [`EnergyMarketApi`].
	pub fn view_statement(household: HouseholdId, era: EraIndex) -> Option<Statement> {
		let community = Households::<T>::get(household)?.community;
		let book = Statements::<T>::get(community, Self::slot(era));
		entry(&book, household)
			.filter(|statement| statement.era == era)
			.copied()
	}

	/// See [`EnergyMarketApi`].
	pub fn view_contracts(community: CommunityId, era: EraIndex) -> Vec<(HouseholdId, Contract<T>)> {
		let book = Contracts::<T>::get(community, Self::slot(era)).into_iter();
		book.filter(|(_, contract)| contract.era == era).collect()
	}

	/// See [`EnergyMarketApi`].
	pub fn view_statements(community: CommunityId, era: EraIndex) -> Vec<(HouseholdId, Statement)> {
		let book = Statements::<T>::get(community, Self::slot(era)).into_iter();
		book.filter(|(_, statement)| statement.era == era).collect()
	}

	/// See [`EnergyMarketApi`].
	pub fn view_record(community: CommunityId, era: EraIndex) -> Option<EraRecord> {
		Records::<T>::get(community, Self::slot(era)).filter(|record| record.era == era)
	}

	/// See [`EnergyMarketApi`].
	pub fn view_record_with_tradable(community: CommunityId, era: EraIndex) -> Option<RecordView> {
		let record = Self::view_record(community, era)?;
		let contracts = Self::view_contracts(community, era);
		let is_whole = contracts.len() == record.players as usize;
		let tradable_wh = is_whole.then(|| tradable_wh(contracts.iter().map(|(_, contract)| contract)));
		Some(RecordView {
			era: record.era,
			terms: record.terms,
			players: record.players,
			certificate: record.certificate,
			sweeps: record.sweeps,
			starts: record.starts,
			price_per_kwh: record.price_per_kwh,
			settled: record.settled,
			tradable_wh: tradable_wh.flatten(),
		})
	}

	/// See [`EnergyMarketApi`].
	pub fn view_verify(community: CommunityId, era: EraIndex) -> Option<Certificate> {
		let (_, game, profile) = Self::solved_game(community, era)?;
		verify(&game, &profile, SolverConfig::default().epsilon).ok()
	}

	/// See [`EnergyMarketApi`].
	pub fn view_explain(household: HouseholdId, era: EraIndex) -> Option<Explanation> {
		let community = Households::<T>::get(household)?.community;
		let (players, game, profile) = Self::solved_game(community, era)?;
		let index = players.iter().position(|id| *id == household)?;
		Some(Explanation {
			chosen: *profile.get(index)?,
			payoffs_log2: explain(&game, &profile, index).ok()?,
		})
	}

	/// See [`EnergyMarketApi`].
	pub fn view_bill(household: HouseholdId, first_era: EraIndex, last_era: EraIndex) -> Option<Bill> {
		let community = Households::<T>::get(household)?.community;
		let mut statements: Vec<_> = (0..T::RetainedEras::get())
			.filter_map(|slot| entry(&Statements::<T>::get(community, slot), household).copied())
			.filter(|statement| (first_era..=last_era).contains(&statement.era))
			.collect();
		statements.sort_unstable_by_key(|statement| statement.era);
		let mut bill = Bill {
			household,
			first_era: statements.first()?.era,
			last_era: statements.last()?.era,
			eras: statements.len() as u32,
			energy_wh: [0; 4],
			reward: 0,
			cost: 0,
			revenue: 0,
			alone_cost: 0,
			alone_revenue: 0,
			savings: 0,
		};
		// Sums of as many eras as are retained, each far below its type's end.
		for Statement { energy, amounts, .. } in &statements {
			let channels = [
				energy.sold_to_community_wh,
				energy.bought_from_community_wh,
				energy.sold_to_main_wh,
				energy.bought_from_main_wh,
			];
			for (sum, wh) in bill.energy_wh.iter_mut().zip(channels) {
				*sum = sum.saturating_add(wh.into());
			}
			bill.reward = bill.reward.saturating_add(amounts.reward);
			let cost = amounts.paid_to_pool.saturating_add(amounts.grid_fee);
			bill.cost = bill.cost.saturating_add(cost).saturating_add(amounts.main_cost);
			bill.revenue = bill
				.revenue
				.saturating_add(amounts.received_from_pool)
				.saturating_add(amounts.main_revenue);
			bill.alone_cost = bill.alone_cost.saturating_add(amounts.alone_cost);
			bill.alone_revenue = bill.alone_revenue.saturating_add(amounts.alone_revenue);
		}
		let net = |cost: Balance, revenue: Balance| (cost as i128).saturating_sub(revenue as i128);
		bill.savings = net(bill.alone_cost, bill.alone_revenue).saturating_sub(net(bill.cost, bill.revenue));
		Some(bill)
	}

	/// See [`EnergyMarketApi`].
	pub fn view_trades(community: CommunityId, era: EraIndex) -> Vec<Trade> {
		let settled = Self::view_record(community, era).is_some_and(|record| record.settled.is_some());
		let energies: Vec<_> = if settled {
			let statements = Self::view_statements(community, era).into_iter();
			statements.map(|(id, statement)| (id, statement.energy)).collect()
		} else {
			let contracts = Self::view_contracts(community, era).into_iter();
			contracts.map(|(id, contract)| (id, contract.energy)).collect()
		};
		let (mut sold, mut bought) = (Vec::new(), Vec::new());
		for (id, energy) in energies {
			sold.push((id, u64::from(energy.sold_to_community_wh)));
			bought.push((id, u64::from(energy.bought_from_community_wh)));
		}
		let mut trades = Vec::new();
		let mut buyers = bought.into_iter();
		let mut buyer = buyers.next();
		for (seller, mut left) in sold {
			while let Some((id, wanted)) = buyer.as_mut().filter(|_| left > 0) {
				let energy_wh = left.min(*wanted);
				if energy_wh > 0 {
					trades.push(Trade {
						seller,
						buyer: *id,
						energy_wh,
					});
				}
				left = left.saturating_sub(energy_wh);
				*wanted = wanted.saturating_sub(energy_wh);
				if *wanted == 0 {
					buyer = buyers.next();
				}
			}
		}
		trades
	}

	/// See [`EnergyMarketApi`].
	pub fn view_solve(rules: Rules, households: Vec<Player>) -> Option<Solution> {
		let within = households.len() <= T::MaxHouseholds::get() as usize
			&& households
				.iter()
				.all(|h| h.strategies.len() <= T::MaxStrategies::get() as usize);
		let game = within.then(|| Game::new(rules, households).ok()).flatten()?;
		Some(solve(&game, &Self::solver_config(&game), None))
	}

	/// An era's game and the profile that was chosen, as the contracts on chain tell them.
	fn solved_game(community: CommunityId, era: EraIndex) -> Option<(Vec<HouseholdId>, Game, Vec<u8>)> {
		let record = Self::view_record(community, era)?;
		let (players, contracts): (Vec<_>, Vec<_>) = Self::view_contracts(community, era).into_iter().unzip();
		let profile = contracts.iter().map(|contract| contract.chosen).collect();
		Some((
			players,
			game_of(record.terms.rules, contracts.iter()).ok()?,
			profile,
		))
	}
}

/// The smaller of all surplus and all deficit at the consumption that the contracts chose, Wh; `None` where a contract
/// has no such strategy.
fn tradable_wh<'a, T: Config>(contracts: impl Iterator<Item = &'a Contract<T>>) -> Option<u64> {
	let (mut surplus, mut deficit) = (0u64, 0u64);
	for contract in contracts {
		let chosen = contract.strategies.get(usize::from(contract.chosen))?;
		let net_wh = chosen.net_wh(contract.generation_wh);
		let side = if net_wh > 0 { &mut surplus } else { &mut deficit };
		// At most `MaxHouseholds` times 2^32: far below the end of the type.
		*side = side.saturating_add(net_wh.unsigned_abs());
	}
	Some(surplus.min(deficit))
}
