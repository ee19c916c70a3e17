//! The community and the people around it: what they do, what they remember, and what they check in each block.

use crate::{
	homes::{Home, DAY, POCKET},
	operator::opening_terms,
	tally::Tally,
	twins::Twins,
};
use commonwatt_testkit::{
	account, dispatch, events, now, runtime::Executive, signed, sums, AccountId, Balance, Balances,
	CommunityId, EnergyMarket, EraIndex, GenesisCommunity, HouseholdId, MarketCall, MarketError, MarketEvent,
	Quality, Reading, Runtime, RuntimeCall, RuntimeEvent, Signed, Statement, Status, System, Terms, UNIT,
};
use frame_support::traits::{
	fungible::Inspect,
	tokens::{Fortitude, Preservation},
	GetCallMetadata,
};
use pallet_energy_market::{Communities, Community, Debts, Household, Households, Members, Readings, Totals};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sp_runtime::{
	transaction_validity::{InvalidTransaction, TransactionValidityError},
	DispatchError, DispatchResult, StateVersion,
};
use std::collections::{BTreeMap, BTreeSet};

/// The community that the people of this module live in. Others are the [`Twins`]'.
pub(crate) const COMMUNITY: CommunityId = CommunityId(0);

/// What happens now and then, and the mean number of eras in between. Each is due for the first time within the first
/// four days.
const RARE: [(&str, u32); 28] = [
	("outage of minutes", 40),
	("outage of eras", 250),
	("outage longer than the rings", 4_000),
	("outage in the middle of a clearing", 400),
	("other terms", 200),
	("pause", 300),
	("suspension", 120),
	("another meter", 80),
	("another operator", 1_500),
	("data concentrator", 120),
	("departure", 120),
	("removal", 300),
	("admission", 12),
	("owner spends all", 70),
	("owner spends all and leaves", 400),
	("utility spends all", 400),
	("operator spends all", 500),
	("money for the pot", 60),
	("other comfort", 50),
	("other preference", 40),
	("batch of a stranger", 60),
	("membership that nobody asked for", 40),
	("seat", 300),
	("validator comes", 60),
	("validator goes", 60),
	("motion that too few want", 200),
	("pause of a call", 250),
	("upgrade that is stopped", 400),
];

/// An action in a later era.
pub(crate) type Later = Box<dyn FnOnce(&mut World)>;

/// The community and the people around it.
pub(crate) struct World {
	pub rng: ChaCha8Rng,
	pub first_era: EraIndex,
	pub homes: BTreeMap<HouseholdId, Home>,
	/// Owners and meters of households that left.
	pub spare: Vec<(AccountId, AccountId)>,
	/// Counter for the numbers of new owners and meters.
	pub names: u32,
	/// Sunshine of the current era, in percent of a clear sky.
	pub sky_percent: u32,
	/// Everybody takes part to the maximum, and nothing else happens.
	pub full: bool,
	/// No meter reports in time.
	pub silent: bool,
	/// Scheduled actions are carried out, and nothing new begins.
	pub restore: bool,
	/// Scheduled actions, by era.
	pub later: BTreeMap<EraIndex, Vec<Later>>,
	/// Accounts of owners and of the utility that are to stay without money for now.
	pub broke: BTreeSet<AccountId>,
	/// Announced terms and the first era for which they hold.
	pub announced: Vec<(EraIndex, Terms)>,
	pub tally: Tally,
	pub twins: Twins,
	/// Readings that the chain accepted, kept until their era is settled.
	reported: BTreeMap<(EraIndex, HouseholdId), Reading>,
	/// When each entry of [`RARE`] happens next, in eras since the first one.
	due: BTreeMap<&'static str, u32>,
}

impl World {
	pub fn new(seed: u64, community: &GenesisCommunity<AccountId>) -> Self {
		let mut rng = ChaCha8Rng::seed_from_u64(seed);
		let homes = (0..)
			.map(HouseholdId)
			.zip(&community.households)
			.map(|(id, h)| (id, Home::new(&mut rng, h.owner.clone(), h.meter.clone())))
			.collect();
		let due = RARE.map(|(what, _)| (what, DAY + 8 + rng.gen_range(0..120)));
		Self {
			rng,
			first_era: now().current,
			homes,
			spare: Vec::new(),
			names: community.households.len() as u32,
			sky_percent: 100,
			full: false,
			silent: false,
			restore: false,
			later: BTreeMap::new(),
			broke: BTreeSet::new(),
			announced: vec![(0, opening_terms())],
			tally: Tally::default(),
			twins: Twins::new(
				seed,
				CommunityId(COMMUNITY.0 + 1),
				HouseholdId(community.households.len() as u32),
			),
			reported: BTreeMap::new(),
			due: due.into(),
		}
	}

	/// Whether an entry of [`RARE`] is due. If so, this also sets its next time.
	pub fn is_due(&mut self, what: &'static str) -> bool {
		let (_, mean) = RARE
			.into_iter()
			.find(|(name, _)| *name == what)
			.unwrap_or_else(|| panic!("{what} is not in RARE"));
		let passed = now().current - self.first_era;
		if self.full || self.restore || passed < self.due[what] {
			return false;
		}
		let next = passed + self.rng.gen_range(mean / 2..mean * 3 / 2) + 1;
		self.due.insert(what, next);
		true
	}

	/// A random household, if an entry of [`RARE`] that concerns one household is due.
	pub fn due_household(&mut self, what: &'static str) -> Option<(HouseholdId, Household<AccountId>)> {
		self.is_due(what).then(|| self.somebody()).flatten()
	}

	/// Chooses the weather of an era and forgets the readings of settled eras.
	pub fn begin_day(&mut self) {
		self.sky_percent = self.rng.gen_range(20..=100);
		let now = now();
		let settling = now.round.and_then(|round| round.settle_era);
		let settled_next = settling.or(now.readings_of).unwrap_or(0);
		self.reported.retain(|(era, _), _| *era >= settled_next);
	}

	/// Makes a call, signed or dispatched, asserts that its result is the expected one, and counts it.
	pub fn act(&mut self, call: Signed, expected: DispatchResult) {
		let name = call.1.get_call_metadata().function_name;
		let outcome = match self.signs(&call, expected.is_ok()) {
			true => self.sign(call.clone(), expected),
			false if expected.is_err() && self.rng.gen_ratio(1, 20) => self.dispatch_in_vain(call.clone()),
			false => dispatch(call.clone()),
		};
		assert_eq!(outcome, expected, "{call:?}");
		let calls = self.tally.calls.entry(name).or_default();
		match outcome {
			Ok(()) => calls.accepted += 1,
			Err(_) => calls.refused += 1,
		}
	}

	/// Whether to sign this call: one in 15 of those that allow it. A call that must succeed allows it if its account
	/// can pay the fee, or if it is the first reading of an era, which is free.
	fn signs(&mut self, (who, call): &Signed, succeeds: bool) -> bool {
		let is_first_reading = matches!(
			call,
			RuntimeCall::EnergyMarket(MarketCall::submit_reading { reading, .. })
				if reading.quality != Quality::Corrected
		) || matches!(
			call,
			RuntimeCall::EnergyMarket(MarketCall::submit_late_reading { .. })
		);
		let possible = !succeeds || is_first_reading || spendable(who) > UNIT;
		self.rng.gen_ratio(1, 15) && possible
	}

	fn sign(&mut self, (who, call): Signed, expected: DispatchResult) -> DispatchResult {
		self.tally.signed += 1;
		let cannot_pay = TransactionValidityError::Invalid(InvalidTransaction::Payment);
		let poor = spendable(&who) < UNIT;
		match Executive::apply_extrinsic(signed(System::account_nonce(&who), (who, call))) {
			Ok(outcome) => outcome,
			Err(invalid) => {
				assert!(poor && expected.is_err() && invalid == cannot_pay, "{invalid:?}");
				self.tally.unpaid += 1;
				expected
			}
		}
	}

	/// Dispatches a call that must be refused, and asserts that it leaves the state root unchanged.
	fn dispatch_in_vain(&mut self, call: Signed) -> DispatchResult {
		let before = sp_io::storage::root(StateVersion::V1);
		let outcome = dispatch(call);
		assert_eq!(
			sp_io::storage::root(StateVersion::V1),
			before,
			"a refused call changed the state"
		);
		self.tally.roots_unchanged += 1;
		outcome
	}

	/// Asserts that the chain has accepted a reading, and remembers it for the settlement.
	pub fn remember(&mut self, era: EraIndex, household: HouseholdId, reading: Reading) {
		let taken = Readings::<Runtime>::get(household).and_then(|metered| metered.of(era));
		assert_eq!(
			taken.map(|taken| taken.reading),
			Some(reading),
			"the reading of household {household}"
		);
		self.reported.insert((era, household), reading);
	}

	/// The terms of an era according to the announcements.
	fn terms_in(&self, era: EraIndex) -> Terms {
		let so_far = self.announced.iter().rfind(|(from_era, _)| *from_era <= era);
		so_far.expect("the first terms hold from the beginning").1
	}

	/// Checks and counts the events of the block.
	pub fn observe(&mut self) {
		self.tally.blocks += 1;
		for event in events() {
			if let RuntimeEvent::EnergyMarket(event) = event {
				self.hear(event);
			}
		}
	}

	fn hear(&mut self, event: MarketEvent) {
		let tally = &mut self.tally;
		match event {
			MarketEvent::ErasMissed { first, last } => tally.missed += u64::from(last - first + 1),
			MarketEvent::ClearingFailed { era, .. } => panic!("era {era} could not be cleared"),
			MarketEvent::ContractMade { main_grid_only, .. } => {
				tally.main_grid_only += u64::from(main_grid_only)
			}
			MarketEvent::EraCleared { community, record } => {
				let again = EnergyMarket::view_verify(community, record.era);
				assert_eq!(
					again,
					Some(record.certificate),
					"the certificate of era {}",
					record.era
				);
				match record.certificate.status {
					Status::Equilibrium => tally.equilibria += 1,
					Status::Approximate => tally.approximate += 1,
				}
			}
			// The twins' bills are compared at the end.
			MarketEvent::HouseholdSettled { community, .. } | MarketEvent::EraSettled { community, .. }
				if community != COMMUNITY => {}
			MarketEvent::HouseholdSettled {
				household, statement, ..
			} => self.settled(household, &statement),
			MarketEvent::EraSettled { era, totals, .. } => self.era_settled(era, &totals),
			MarketEvent::ReadingRefused { .. } => tally.batch_items[1] += 1,
			MarketEvent::ArrearsRepaid { .. } => tally.debts_paid[0] += 1,
			MarketEvent::CreditPaid { .. } => tally.debts_paid[1] += 1,
			MarketEvent::HouseholdLeft { household, .. } => {
				tally.left += 1;
				let home = self
					.homes
					.remove(&household)
					.expect("a household that leaves was registered");
				self.spare.push((home.owner, home.meter));
			}
			_ => (),
		}
	}

	fn settled(&mut self, id: HouseholdId, statement: &Statement) {
		let (era, reading, amounts) = (statement.era, statement.reading, &statement.amounts);
		let at = format!("household {id}, era {era}");
		let reported = self.reported.get(&(era, id));
		match reported {
			Some(reported) => assert_eq!(
				reading, *reported,
				"{at}: the settled reading is not the reported one"
			),
			None => assert_eq!(
				reading.quality,
				Quality::Estimated,
				"{at}: no reading was reported, but it was not estimated"
			),
		}
		sums::assert_priced(&self.terms_in(era), statement, &at);
		let tally = &mut self.tally;
		tally.statements += 1;
		tally.estimated += u64::from(reported.is_none());
		tally.corrected += u64::from(reading.quality == Quality::Corrected);
		tally.with_arrears += u64::from(amounts.arrears > 0);
		tally.with_credit += u64::from(amounts.credit > 0);
		let [arrears, credit] = &mut tally.most_owed;
		*arrears = amounts.arrears.max(*arrears);
		*credit = amounts.credit.max(*credit);
	}

	fn era_settled(&mut self, era: EraIndex, totals: &Totals) {
		let incentive = self.terms_in(era).incentive_per_era;
		let record = EnergyMarket::view_record(COMMUNITY, era);
		let statements = EnergyMarket::view_statements(COMMUNITY, era);
		let shares = sums::pool_shares(&statements);
		let kept = statements
			.iter()
			.zip(shares)
			.filter(|((_, s), share)| s.amounts.received_from_pool != *share);
		let tally = &mut self.tally;
		tally.earnings_kept += kept.count() as u64;
		tally.settled += 1;
		tally.settled_without_game += u64::from(record.is_none());
		tally.traded_wh += totals.community_wh;
		tally.through_pool += totals.through_pool;
		tally.rewards.0 += totals.rewards;
		tally.rewards.1 += u64::from(totals.rewards > 0);
		tally.pot_ran_empty += u64::from(record.is_some() && totals.rewards < incentive);
	}

	/// Asserts that the account that the operator tried to enlist has what it had at the start.
	pub fn assert_bystander_untouched(&self) {
		let left = Balances::total_balance(&bystander());
		assert_eq!(left, POCKET, "money of somebody who agreed to nothing");
	}

	/// Asserts that nobody owes anything and that the pool holds only the minimum balance that it started with.
	pub fn assert_nothing_owed(&self) {
		let books = Debts::<Runtime>::iter().filter(|(_, book)| !book.is_empty());
		let debts: Vec<_> = books.collect();
		assert!(debts.is_empty(), "there are debts at the end: {debts:?}");
		let pool = EnergyMarket::pool_account(COMMUNITY);
		let minimum = <Balances as Inspect<AccountId>>::minimum_balance();
		assert_eq!(
			Balances::balance(&pool),
			minimum,
			"the pool holds money at the end"
		);
	}
}

/// Somebody who accepts no membership.
pub(crate) fn bystander() -> AccountId {
	account("//bystander")
}

/// The households, in the order of their registration.
pub(crate) fn members() -> Vec<(HouseholdId, Household<AccountId>)> {
	let household = |id| Households::<Runtime>::get(id).expect("members are households");
	let ids = Members::<Runtime>::get(COMMUNITY).into_iter();
	ids.map(|id| (id, household(id))).collect()
}

/// The community.
pub(crate) fn the_community() -> Community<AccountId> {
	Communities::<Runtime>::get(COMMUNITY).expect("genesis made it")
}

/// The amount that an account can spend and stay alive.
pub(crate) fn spendable(who: &AccountId) -> Balance {
	Balances::reducible_balance(who, Preservation::Preserve, Fortitude::Polite)
}

/// The result of a call that the market refuses with `error`.
pub(crate) fn refused(error: MarketError) -> DispatchResult {
	Err(DispatchError::from(error))
}

/// The result of a call that the market refuses with `error` under a condition, and otherwise accepts.
pub(crate) fn refused_if(condition: bool, error: MarketError) -> DispatchResult {
	match condition {
		true => refused(error),
		false => Ok(()),
	}
}
