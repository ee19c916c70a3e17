//! Sums that always hold, computed here from contracts, statements and balances, not asked of the market.

use commonwatt_runtime::{AccountId, Balance, Balances, EnergyMarket, Runtime, RuntimeHoldReason};
use frame_support::traits::fungible::InspectHold;
use pallet_energy_market::{
	Communities, CommunityId, Contracts, EraIndex, HoldReason, HouseholdId, Households, Statement,
};
use std::collections::{BTreeMap, BTreeSet};

/// What every account has, free and on hold.
pub fn balances() -> BTreeMap<AccountId, Balance> {
	frame_system::Account::<Runtime>::iter()
		.map(|(who, account)| (who, account.data.free + account.data.reserved))
		.collect()
}

/// What an account has on hold for contracts.
pub fn held(who: impl Into<AccountId>) -> Balance {
	Balances::balance_on_hold(
		&RuntimeHoldReason::EnergyMarket(HoldReason::Contract),
		&who.into(),
	)
}

/// Every owner has on hold what the contracts of all its households say. Checked after every block.
pub fn assert_holds() {
	let mut expected = BTreeMap::<AccountId, Balance>::new();
	let households: BTreeMap<_, _> = Households::<Runtime>::iter().collect();
	for household in households.values() {
		expected.entry(household.owner.clone()).or_default();
	}
	for (id, _, contract) in Contracts::<Runtime>::iter() {
		match households.get(&id) {
			Some(household) => *expected.entry(household.owner.clone()).or_default() += contract.held,
			None => assert_eq!(contract.held, 0, "{contract:?} holds money of nobody"),
		}
	}
	for (owner, expected) in expected {
		assert_eq!(
			held(owner.clone()),
			expected,
			"on hold for the contracts of {owner}"
		);
	}
}

/// Energy and money of a settled era sum to zero over the community, as its contracts and statements tell them. Checked
/// for each era that [`Chain::next_era`](crate::Chain::next_era) settles.
pub fn assert_sums(community: CommunityId, era: EraIndex) {
	let contracts = EnergyMarket::view_contracts(community, era);
	let contracted: i64 = contracts
		.iter()
		.map(|(_, contract)| contract.energy.community_wh())
		.sum();
	assert_eq!(
		contracted, 0,
		"community {community}, era {era}: community energy contracted"
	);
	let statements = EnergyMarket::view_statements(community, era);
	assert!(
		!statements.is_empty(),
		"community {community}, era {era} is not settled"
	);
	let delivered: i64 = statements.iter().map(|(_, s)| s.energy.community_wh()).sum();
	assert_eq!(
		delivered, 0,
		"community {community}, era {era}: community energy delivered"
	);
	for (_, statement) in &statements {
		let metered =
			i64::from(statement.reading.generation_wh) - i64::from(statement.reading.consumption_wh);
		assert_eq!(
			statement.energy.community_wh() + statement.energy.main_wh(),
			metered,
			"{statement:?}"
		);
	}
	let (paid, received) = through_pool(&statements);
	// The earnings of an account that could not take them are the utility's to pay later.
	let kept = statements
		.iter()
		.any(|(_, s)| s.energy.sold_to_community_wh > 0 && s.amounts.received_from_pool == 0);
	assert!(
		paid == received || (kept && received < paid),
		"community {community}, era {era}: {paid} into the pool, {received} out of it"
	);
}

/// What the world was before an era was settled.
pub(crate) struct Before {
	balances: BTreeMap<AccountId, Balance>,
	owners: BTreeMap<HouseholdId, AccountId>,
}

impl Before {
	pub(crate) fn now() -> Self {
		Self {
			balances: balances(),
			owners: Households::<Runtime>::iter()
				.map(|(id, household)| (id, household.owner))
				.collect(),
		}
	}

	/// The eras' statements tell of every unit that moved since, on every account.
	pub(crate) fn assert_settled(&self, eras: &BTreeSet<EraIndex>) {
		let mut moved = BTreeMap::<AccountId, i128>::new();
		let mut pay = |from: &AccountId, to: &AccountId, amount: Balance| {
			*moved.entry(from.clone()).or_default() -= signed(amount);
			*moved.entry(to.clone()).or_default() += signed(amount);
		};
		for (id, community) in Communities::<Runtime>::iter() {
			let pool = EnergyMarket::pool_account(id);
			for statements in eras.iter().map(|era| EnergyMarket::view_statements(id, *era)) {
				if let Some((_, statement)) = statements.first() {
					assert_sums(id, statement.era);
				}
				for (household, Statement { amounts, .. }) in &statements {
					let owner = &self.owners[household];
					pay(owner, &pool, amounts.paid_to_pool);
					pay(&pool, owner, amounts.received_from_pool);
					pay(owner, &community.operator, amounts.grid_fee);
					pay(owner, &community.utility, amounts.paid_to_utility);
					pay(&community.utility, owner, amounts.received_from_utility);
				}
				let (paid, received) = through_pool(&statements);
				pay(&pool, &community.utility, paid - received);
			}
		}
		let after = balances();
		for who in self.balances.keys().chain(after.keys()) {
			let of = |balances: &BTreeMap<_, _>| signed(balances.get(who).copied().unwrap_or(0));
			assert_eq!(
				of(&after) - of(&self.balances),
				moved.get(who).copied().unwrap_or(0),
				"what {who} has more than before {eras:?} was settled"
			);
		}
	}
}

fn signed(amount: Balance) -> i128 {
	i128::try_from(amount).expect("balances are below 2^127")
}

/// What buyers paid into the pool and sellers received out of it.
fn through_pool(statements: &[(HouseholdId, Statement)]) -> (Balance, Balance) {
	statements
		.iter()
		.fold((0, 0), |(paid, received), (_, statement)| {
			let amounts = &statement.amounts;
			(paid + amounts.paid_to_pool, received + amounts.received_from_pool)
		})
}
