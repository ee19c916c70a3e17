//! A small runtime, and helpers for the pallet's tests.

use crate::{self as pallet_energy_market, *};
use commonwatt_market::{
	game::{Comfort, Kind, Preference, Strategy},
	paper,
};
use frame_support::{
	assert_ok, derive_impl, parameter_types,
	traits::{ConstU128, ConstU32, ConstU64, Hooks},
	weights::Weight,
	PalletId,
};
use frame_system::EnsureRoot;
use sp_runtime::{BuildStorage, DispatchError, DispatchResult};

/// 128 bits, so that the derived accounts of different pools differ.
pub type AccountId = u128;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Timestamp: pallet_timestamp,
		Balances: pallet_balances,
		EnergyMarket: pallet_energy_market,
	}
);

pub const OPERATOR: AccountId = 100;
pub const UTILITY: AccountId = 200;
pub const STRANGER: AccountId = 300;
pub const CONCENTRATOR: AccountId = 400;
/// The community of the genesis.
pub const VILLAGE: CommunityId = CommunityId(0);
pub const ERA_MS: u64 = 60_000;
pub const BLOCK_MS: u64 = 6_000;
pub const EXISTENTIAL_DEPOSIT: Balance = 10;
pub const ENDOWMENT: Balance = 1_000_000;
/// The running era at the start of most tests.
pub const FIRST_ERA: EraIndex = 1_000;
pub const RETAINED_ERAS: u32 = 6;
pub const TERMS_NOTICE: u32 = 3;
pub const MAX_HOUSEHOLDS: u32 = 8;
pub const MAX_STRATEGIES: u32 = 6;
pub const OFFER_DEPOSIT: Balance = 5_000;
pub const OFFER_LIFETIME: EraIndex = 3;
/// What owners agree to, unless a test is about it.
pub const MAX_DEBIT: Balance = Balance::MAX;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlock<Test>;
	type AccountId = AccountId;
	type Lookup = sp_runtime::traits::IdentityLookup<AccountId>;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type Balance = Balance;
	type ExistentialDeposit = frame_support::traits::ConstU128<EXISTENTIAL_DEPOSIT>;
}

#[derive_impl(pallet_timestamp::config_preludes::TestDefaultConfig)]
impl pallet_timestamp::Config for Test {
	type MinimumPeriod = ConstU64<1>;
}

/// Calls with the test weight 1.
macro_rules! weigh_one {
	($($call:ident)+) => {
		$(fn $call() -> Weight {
			Weight::from_parts(1, 0)
		})+
	};
}

/// Test weights. With [`MaxClearingWeight`], a block has room for one step of a full community, or for two steps of a
/// community of four.
pub struct TestWeights;
impl WeightInfo for TestWeights {
	weigh_one! {
		create_community set_suspended leave remove_household offer_membership accept_membership
		confirm_meter withdraw_offer set_max_debit propose_change accept_change offer_household
		accept_household write_off_arrears
		set_terms set_terms_bounds set_utility close_community set_operator set_concentrator set_paused set_comfort set_preference
		withdraw_strategies submit_reading submit_late_reading repay_arrears latch
	}
	fn submit_strategies(s: u32) -> Weight {
		Weight::from_parts(u64::from(s), 0)
	}
	fn submit_readings(n: u32) -> Weight {
		Weight::from_parts(u64::from(n), 0)
	}
	fn solve(h: u32) -> Weight {
		Weight::from_parts(u64::from(h) * 10, 0)
	}
	fn evaluate(_: u32) -> Weight {
		Weight::zero()
	}
	fn settle(h: u32) -> Weight {
		Weight::from_parts(u64::from(h) * 10, 0)
	}
}

parameter_types! {
	pub const MarketPalletId: PalletId = PalletId(crate::market::accounts::PALLET_ID);
	pub const MaxClearingWeight: Weight = Weight::from_parts(81, 0);
}

impl Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Time = Timestamp;
	type GovernanceOrigin = EnsureRoot<AccountId>;
	type PalletId = MarketPalletId;
	type MaxHouseholds = ConstU32<MAX_HOUSEHOLDS>;
	type MaxStrategies = ConstU32<MAX_STRATEGIES>;
	type MaxSteps = ConstU32<4>;
	type RetainedEras = ConstU32<RETAINED_ERAS>;
	type MaxClearingWeight = MaxClearingWeight;
	type MaxSweeps = ConstU32<128>;
	type MaxStarts = ConstU32<32>;
	type MaxEvaluations = ConstU32<65_536>;
	type MaxEvaluationsPerHousehold = ConstU32<1_024>;
	type OfferDeposit = ConstU128<OFFER_DEPOSIT>;
	type OfferLifetime = ConstU32<OFFER_LIFETIME>;
	type WeightInfo = TestWeights;
}

/// The household with this number. The functions below take the number as well.
pub const fn home(number: u32) -> HouseholdId {
	HouseholdId(number)
}

pub fn owner(household: impl Into<HouseholdId>) -> AccountId {
	1 + AccountId::from(household.into().0)
}

pub fn meter(household: impl Into<HouseholdId>) -> AccountId {
	1_001 + AccountId::from(household.into().0)
}

pub fn tariffs() -> Tariffs {
	Tariffs {
		retail_per_kwh: 300,
		feed_in_per_kwh: 80,
		imbalance_import_per_kwh: 360,
		imbalance_export_per_kwh: 40,
		grid_fee_per_kwh: 10,
	}
}

/// The paper's terms, with tariffs in the smallest unit.
pub fn terms() -> Terms {
	Terms {
		tariffs: tariffs(),
		reward_cap_per_kwh: 5,
		..paper::TERMS
	}
}

/// Bounds that leave the terms of the tests some room.
pub fn bounds() -> TermsBounds {
	TermsBounds {
		highest_retail_per_kwh: MAX_TARIFF_PER_KWH,
		lowest_feed_in_per_kwh: 0,
		highest_imbalance_import_per_kwh: MAX_TARIFF_PER_KWH,
		lowest_imbalance_export_per_kwh: 0,
		highest_grid_fee_per_kwh: MAX_TARIFF_PER_KWH,
		highest_incentive_per_era: Balance::MAX,
		highest_connection_limit_wh: commonwatt_market::game::MAX_ENERGY_WH,
	}
}

/// Puts terms in force at once, without the notice that an announcement needs.
pub fn put_terms(terms: Terms) {
	Communities::<Test>::mutate(VILLAGE, |community| {
		community.as_mut().expect("it exists").terms = terms
	});
}

pub fn comfort() -> Comfort {
	paper::COMFORT
}

pub fn strategy(kind: Kind, consumption_wh: u32) -> Strategy {
	Strategy {
		kind,
		consumption_wh,
		temperature_centi_c: 2_100,
	}
}

pub fn reading(generation_wh: u32, consumption_wh: u32) -> Reading {
	Reading {
		generation_wh,
		consumption_wh,
		indoor_centi_c: 2_100,
		quality: Quality::Measured,
	}
}

pub fn preference() -> Preference {
	Preference {
		flexible_down_percent: 20,
		flexible_up_percent: 20,
		response_centi_c_per_kwh: 50,
		trade_with_community: true,
	}
}

/// Builds the state that a test starts from, and checks the invariants at its end.
pub struct ExtBuilder {
	households: u32,
}

impl Default for ExtBuilder {
	fn default() -> Self {
		Self { households: 4 }
	}
}

impl ExtBuilder {
	/// Sets the number of households of community 0. [`owner`] and [`meter`] give their accounts.
	pub fn households(mut self, households: u32) -> Self {
		self.households = households;
		self
	}

	pub fn build(self) -> sp_io::TestExternalities {
		let mut storage = frame_system::GenesisConfig::<Test>::default()
			.build_storage()
			.unwrap();
		let mut balances: Vec<_> = (0..MAX_HOUSEHOLDS).map(|h| (owner(h), ENDOWMENT)).collect();
		balances.extend([(OPERATOR, ENDOWMENT), (UTILITY, ENDOWMENT), (STRANGER, ENDOWMENT)]);
		pallet_balances::GenesisConfig::<Test> {
			balances,
			..Default::default()
		}
		.assimilate_storage(&mut storage)
		.unwrap();
		let community = GenesisCommunity {
			name: "village".into(),
			operator: OPERATOR,
			utility: UTILITY,
			terms: terms(),
			bounds: bounds(),
			households: (0..self.households)
				.map(|h| GenesisHousehold {
					owner: owner(h),
					meter: meter(h),
					max_debit_per_era: MAX_DEBIT,
					connection_limit_wh: 10_000,
					comfort: None,
					preference: None,
				})
				.collect(),
		};
		GenesisConfig::<Test> {
			era_length_ms: ERA_MS,
			terms_notice: TERMS_NOTICE,
			communities: vec![community],
		}
		.assimilate_storage(&mut storage)
		.unwrap();
		storage.into()
	}

	/// Runs `test`, and checks that every invariant holds after it and that the total issuance is unchanged.
	pub fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			let issued = Balances::total_issuance();
			System::set_block_number(1);
			test();
			assert_ok!(EnergyMarket::do_try_state());
			assert_eq!(Balances::total_issuance(), issued);
		});
	}

	/// Like [`Self::build_and_execute`], but starts in the first block of [`FIRST_ERA`] with one era before it, so that
	/// both readings and strategies are taken.
	pub fn build_in_first_era(self, test: impl FnOnce()) {
		self.build_and_execute(|| {
			enter_era(FIRST_ERA - 1);
			enter_era(FIRST_ERA);
			test();
		});
	}
}

/// Makes a block with the given timestamp and no transactions.
pub fn block_at(now_ms: u64) {
	let number = System::block_number() + 1;
	System::set_block_number(number);
	EnergyMarket::on_initialize(number);
	pallet_timestamp::Now::<Test>::put(now_ms);
	EnergyMarket::on_finalize(number);
}

/// Makes the next block, one block time later.
pub fn next_block() {
	block_at(Timestamp::get() + BLOCK_MS);
}

/// Makes the first block of an era, and further blocks until the round is complete. Before it, the meters of households
/// without a contract report that nothing happened in the era whose readings are taken, unless they have reported it.
pub fn enter_era(era: EraIndex) {
	report_idle_homes();
	enter_era_silently(era);
}

fn report_idle_homes() {
	let Some(previous) = Clock::<Test>::get().and_then(|clock| clock.previous) else {
		return;
	};
	for (id, household) in Households::<Test>::iter().collect::<Vec<_>>() {
		if EnergyMarket::view_contract(id, previous).is_none() {
			let meter = RuntimeOrigin::signed(*household.meter_in(previous));
			// Refused if the meter has reported, or was not a member.
			let _ = EnergyMarket::submit_reading(meter, previous, reading(0, 0));
		}
	}
}

/// Like [`enter_era`], but meters that have not reported stay silent.
pub fn enter_era_silently(era: EraIndex) {
	block_at(u64::from(era) * ERA_MS);
	for _ in 0..9 {
		if Round::<Test>::get().is_none() {
			return;
		}
		next_block();
	}
	panic!("the round takes longer than an era");
}

/// Offers a membership of [`VILLAGE`]; returns the number of the household.
pub fn offer(owner: AccountId, meter: AccountId, connection_limit_wh: u32) -> HouseholdId {
	let id = NextHousehold::<Test>::get();
	let by = RuntimeOrigin::signed(OPERATOR);
	assert_ok!(EnergyMarket::offer_membership(
		by,
		VILLAGE,
		owner,
		meter,
		connection_limit_wh
	));
	id
}

/// Has a household join [`VILLAGE`] by the three calls.
pub fn join(
	owner: AccountId,
	meter: AccountId,
	connection_limit_wh: u32,
	comfort: Option<Comfort>,
) -> HouseholdId {
	let id = offer(owner, meter, connection_limit_wh);
	assert_ok!(EnergyMarket::accept_membership(
		RuntimeOrigin::signed(owner),
		id,
		MAX_DEBIT,
		comfort
	));
	assert_ok!(EnergyMarket::confirm_meter(RuntimeOrigin::signed(meter), id));
	id
}

/// Replaces a household's meter from the next era on, with everybody's consent.
pub fn replace_meter(household: HouseholdId, meter: AccountId) -> DispatchResult {
	let change = Change::Meter(meter);
	let owner = Households::<Test>::get(household).expect("it exists").owner;
	EnergyMarket::propose_change(RuntimeOrigin::signed(OPERATOR), household, Some(change.clone()))?;
	EnergyMarket::accept_change(RuntimeOrigin::signed(owner), household, change)?;
	EnergyMarket::confirm_meter(RuntimeOrigin::signed(meter), household)
}

pub fn submit(household: impl Into<HouseholdId>, era: EraIndex, generation_wh: u32, strategies: &[Strategy]) {
	let household = household.into();
	assert_ok!(EnergyMarket::submit_strategies(
		RuntimeOrigin::signed(owner(household)),
		household,
		era,
		generation_wh,
		strategies.to_vec()
	));
}

pub fn report(household: impl Into<HouseholdId>, era: EraIndex, generation_wh: u32, consumption_wh: u32) {
	assert_ok!(EnergyMarket::submit_reading(
		RuntimeOrigin::signed(meter(household)),
		era,
		reading(generation_wh, consumption_wh)
	));
}

/// A data concentrator submits one reading; returns the error if the reading is refused.
pub fn concentrate(who: AccountId, era: EraIndex, household: u32, reading: Reading) -> Option<DispatchError> {
	let item = ReadingItem {
		household: home(household),
		era,
		reading,
	};
	take_events();
	let items = vec![item].try_into().expect("one item is a batch");
	if let Err(error) = EnergyMarket::submit_readings(RuntimeOrigin::signed(who), items) {
		return Some(error);
	}
	take_events().into_iter().find_map(|event| match event {
		Event::ReadingRefused { error, .. } => Some(error),
		_ => None,
	})
}

/// The reading of an era that a household's meter has submitted.
pub fn reported(household: impl Into<HouseholdId>, era: EraIndex) -> Option<Reading> {
	let metered = Readings::<Test>::get(household.into())?;
	metered.of(era).map(|reported| reported.reading)
}

pub fn debt(household: impl Into<HouseholdId>) -> Debt {
	EnergyMarket::view_debt(household.into()).expect("the household exists")
}

pub fn contract(household: impl Into<HouseholdId>, era: EraIndex) -> Contract<Test> {
	EnergyMarket::view_contract(household.into(), era).expect("the contract exists")
}

pub fn statement(household: impl Into<HouseholdId>, era: EraIndex) -> Statement {
	EnergyMarket::view_statement(household.into(), era).expect("the statement exists")
}

pub fn record(era: EraIndex) -> EraRecord {
	EnergyMarket::view_record(VILLAGE, era).expect("the record exists")
}

/// The pallet's events, oldest first. Clears the event list.
pub fn take_events() -> Vec<Event<Test>> {
	let events = System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::EnergyMarket(event) => Some(event),
			_ => None,
		})
		.collect();
	System::reset_events();
	events
}
