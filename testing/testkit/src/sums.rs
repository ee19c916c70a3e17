//! Checks of energy and money. They compute the expected figures from contracts, statements and balances, independently
//! of the market's own arithmetic.

use commonwatt_runtime::{AccountId, Balance, Balances, EnergyMarket, Runtime, RuntimeHoldReason};
use frame_support::traits::fungible::InspectHold;
use pallet_energy_market::{
	Communities, CommunityId, Contracts, EraIndex, HoldReason, HouseholdId, Households, Quality, Statement,
	Terms, Totals,
};
use std::collections::BTreeMap;

/// Every account's balance, free and on hold.
pub fn balances() -> BTreeMap<AccountId, Balance> {
	frame_system::Account::<Runtime>::iter()
		.map(|(who, account)| (who, account.data.free + account.data.reserved))
		.collect()
}

/// The funds that an account has on hold for contracts.
pub fn held(who: impl Into<AccountId>) -> Balance {
	Balances::balance_on_hold(
		&RuntimeHoldReason::EnergyMarket(HoldReason::Contract),
		&who.into(),
	)
}

/// Panics unless every owner has on hold what the contracts of all its households say. [`Chain`](crate::Chain) checks
/// this after every block.
pub fn assert_holds() {
	let households: BTreeMap<_, _> = Households::<Runtime>::iter().collect();
	let mut expected: BTreeMap<_, Balance> = households.values().map(|known| (&known.owner, 0)).collect();
	for (id, contract) in Contracts::<Runtime>::iter().flat_map(|(_, _, book)| book) {
		match households.get(&id) {
			Some(known) => *expected.entry(known.owner_in(contract.era)).or_default() += contract.held,
			None => assert_eq!(
				contract.held, 0,
				"household {id} does not exist, but its contract has funds on hold: {contract:?}"
			),
		}
	}
	for (owner, expected) in expected {
		assert_eq!(
			held(owner.clone()),
			expected,
			"funds on hold for the contracts of {owner} (left) and by the contracts (right)"
		);
	}
}

/// Panics unless, in a settled era of a community, community energy sums to zero in contracts and in statements, the
/// energy of every statement is what the meter saw, every amount is energy times price, sellers received their shares
/// of what buyers paid in or are owed them, and the record's totals are the sums of the statements.
/// [`Chain`](crate::Chain) checks this for every era, in the block that settles it.
pub fn assert_sums(community: impl Into<CommunityId>, era: EraIndex) {
	let community = community.into();
	let at = format!("community {community}, era {era}");
	let contracts = EnergyMarket::view_contracts(community, era);
	let contracted: i64 = contracts.iter().map(|(_, c)| c.energy.community_wh()).sum();
	assert_eq!(
		contracted, 0,
		"{at}: contracted community energy does not sum to zero"
	);
	let statements = EnergyMarket::view_statements(community, era);
	assert!(!statements.is_empty(), "{at} is not settled");
	let settled: i64 = statements.iter().map(|(_, s)| s.energy.community_wh()).sum();
	assert_eq!(settled, 0, "{at}: settled community energy does not sum to zero");
	let mut matched = 0;
	for (household, statement) in &statements {
		let Statement { energy, reading, .. } = statement;
		let metered = i64::from(reading.generation_wh) - i64::from(reading.consumption_wh);
		let long = i64::from(statement.matched_long_wh) + i64::from(statement.imbalance_export_wh);
		let short = i64::from(statement.matched_short_wh) + i64::from(statement.imbalance_import_wh);
		assert_eq!(
			energy.community_wh() + energy.main_wh() + long - short,
			metered,
			"{at}: the energy of the statement is not what the meter saw: {statement:?}"
		);
		matched += i64::from(statement.matched_long_wh) - i64::from(statement.matched_short_wh);
		let contract = contracts.iter().find(|(id, _)| id == household);
		if let Some((_, contract)) = contract.filter(|(_, contract)| !contract.main_grid_only) {
			assert_eq!(
				*energy, contract.energy,
				"{at}, household {household}: settled energy (left) and contracted energy (right)"
			);
		} else {
			assert_eq!(
				(energy.community_wh(), long, short),
				(0, 0, 0),
				"{at}, household {household}: a deviation without a contract"
			);
		}
	}
	assert_eq!(matched, 0, "{at}: matched deviations do not sum to zero");
	for ((household, statement), share) in statements.iter().zip(pool_shares(&statements)) {
		assert_paid(statement, share, &format!("{at}, household {household}"));
	}
	if let Some(record) = EnergyMarket::view_record(community, era) {
		for (household, statement) in &statements {
			assert_priced(&record.terms, statement, &format!("{at}, household {household}"));
		}
		let settled = record.settled.unwrap_or_else(|| panic!("{at} is not settled"));
		assert_eq!(
			settled,
			totals(&statements, settled.missing_readings, settled.to_pot),
			"{at}: totals in the record (left) and summed from statements (right)"
		);
		let estimated = statements
			.iter()
			.filter(|(_, s)| s.reading.quality == Quality::Estimated);
		// A meter may submit an estimate, too: there can be more estimates than silent meters.
		assert!(
			settled.missing_readings as usize <= estimated.count(),
			"{at}: more missing readings than estimates: {settled:?}"
		);
	}
}

/// Asserts that a seller received its share of what buyers paid in, or that the utility owes it: an account that is
/// gone may not be able to receive it.
fn assert_paid(statement: &Statement, share: Balance, at: &str) {
	let amounts = &statement.amounts;
	let kept = kept(statement, share, at);
	assert!(
		kept == 0 || amounts.credit + amounts.received_from_utility + amounts.utility_cost() >= kept,
		"{at}: {kept} from the pool is neither paid nor owed, {amounts:?}"
	);
}

/// The part of a seller's share that it did not receive from the pool: nothing or all of it. Panics if it received a
/// part.
pub fn kept(statement: &Statement, share: Balance, at: &str) -> Balance {
	let received = statement.amounts.received_from_pool;
	assert!(
		received == share || received == 0,
		"{at}: received {received} from the pool, but the share is {share}"
	);
	share - received
}

/// Panics unless the amounts of a statement follow from its energy, its price and the terms. Costs are rounded up,
/// revenues down.
pub fn assert_priced(terms: &Terms, statement: &Statement, at: &str) {
	let cost = |wh: u32, per_kwh: Balance| (Balance::from(wh) * per_kwh).div_ceil(1_000);
	let revenue = |wh: u32, per_kwh: Balance| Balance::from(wh) * per_kwh / 1_000;
	let Statement {
		energy,
		amounts,
		price_per_kwh,
		..
	} = statement;
	let tariffs = &terms.tariffs;
	let bought = energy.bought_from_community_wh;
	assert_eq!(
		amounts.paid_to_pool,
		cost(bought, *price_per_kwh),
		"{at}: paid to the pool"
	);
	let fee = cost(bought, tariffs.grid_fee_per_kwh);
	// An operator whose account is gone may not be able to receive it.
	assert!(
		amounts.grid_fee == fee || amounts.grid_fee == 0,
		"{at}: grid fee of {fee}, {amounts:?}"
	);
	assert_eq!(
		[amounts.main_cost, amounts.matched_cost, amounts.imbalance_cost],
		[
			cost(energy.bought_from_main_wh, tariffs.retail_per_kwh),
			cost(statement.matched_short_wh, tariffs.retail_per_kwh),
			cost(statement.imbalance_import_wh, tariffs.imbalance_import_per_kwh),
		],
		"{at}: cost of {statement:?}"
	);
	assert_eq!(
		[
			amounts.main_revenue,
			amounts.matched_revenue,
			amounts.imbalance_revenue
		],
		[
			revenue(energy.sold_to_main_wh, tariffs.feed_in_per_kwh),
			revenue(statement.matched_long_wh, tariffs.feed_in_per_kwh),
			revenue(statement.imbalance_export_wh, tariffs.imbalance_export_per_kwh),
		],
		"{at}: revenue of {statement:?}"
	);
}

/// Each household's share of what buyers paid into the pool, in proportion to the energy sold. Shares are differences
/// of running sums that are rounded down, so together they are exactly what was paid.
pub fn pool_shares(statements: &[(HouseholdId, Statement)]) -> Vec<Balance> {
	let sold = |statement: &Statement| Balance::from(statement.energy.sold_to_community_wh);
	let all_sold: Balance = statements.iter().map(|(_, s)| sold(s)).sum();
	let paid: Balance = statements.iter().map(|(_, s)| s.amounts.paid_to_pool).sum();
	let until = |so_far: Balance| (paid * so_far).checked_div(all_sold).unwrap_or(0);
	let shares = statements.iter().scan(0, |so_far, (_, statement)| {
		let before = until(*so_far);
		*so_far += sold(statement);
		Some(until(*so_far) - before)
	});
	shares.collect()
}

/// The totals of statements. What went to the pot is no sum over households.
pub fn totals(statements: &[(HouseholdId, Statement)], missing_readings: u32, to_pot: Balance) -> Totals {
	let energy =
		|of: fn(&Statement) -> u32| -> u64 { statements.iter().map(|(_, s)| u64::from(of(s))).sum() };
	let metered: i64 = statements
		.iter()
		.map(|(_, s)| i64::from(s.reading.generation_wh) - i64::from(s.reading.consumption_wh))
		.sum();
	let money = |of: fn(&Statement) -> Balance| statements.iter().map(|(_, s)| of(s)).sum();
	Totals {
		households: statements.len() as u32,
		missing_readings,
		community_wh: energy(|s| s.energy.sold_to_community_wh),
		matched_wh: energy(|s| s.matched_long_wh),
		bought_from_main_wh: energy(|s| s.energy.bought_from_main_wh) + energy(|s| s.imbalance_import_wh),
		sold_to_main_wh: energy(|s| s.energy.sold_to_main_wh) + energy(|s| s.imbalance_export_wh),
		feeder_import_wh: metered.min(0).unsigned_abs(),
		feeder_export_wh: metered.max(0).unsigned_abs(),
		through_pool: money(|s| s.amounts.paid_to_pool),
		grid_fees: money(|s| s.amounts.grid_fee),
		rewards: money(|s| s.amounts.reward),
		to_utility: money(|s| s.amounts.paid_to_utility),
		from_utility: money(|s| s.amounts.received_from_utility),
		to_pot,
	}
}

/// The accounts of a community, besides its owners', that receive or pay money.
pub(crate) struct Purses {
	pub operator: AccountId,
	pub utility: AccountId,
	pub pool: AccountId,
	pub pot: AccountId,
}

impl Purses {
	pub fn of(community: CommunityId) -> Self {
		let accounts = Communities::<Runtime>::get(community).expect("events name communities that exist");
		Self {
			operator: accounts.operator,
			utility: accounts.utility,
			pool: EnergyMarket::pool_account(community),
			pot: EnergyMarket::pot_account(community),
		}
	}
}
