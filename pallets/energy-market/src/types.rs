//! What the market stores, signs and reports. Energies are in Wh per direction, never negative; temperatures in
//! hundredths of a degree Celsius; money in the smallest unit of the runtime's balance; prices per kWh.

use crate::Config;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use commonwatt_game::{Certificate, Comfort, Delivered, Preference, Rules, Strategy};
use frame_support::{
	pallet_prelude::ConstU32, BoundedVec, CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound,
};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Number of an era: `floor(now / era length)` since the Unix epoch, UTC.
pub type EraIndex = u32;
/// Number of a community, counted from 0 in the order of creation.
pub type CommunityId = u32;
/// Number of a household, counted from 0 over all communities in the order of registration.
pub type HouseholdId = u32;
/// Money in the smallest unit.
pub type Balance = u128;
/// A community's name: UTF-8 for people, nothing the chain looks at.
pub type Name = BoundedVec<u8, ConstU32<32>>;

/// Highest tariff that the arithmetic is proved for, per kWh: with it, a whole community's bill at the largest
/// energies stays below 2^122.
pub const MAX_TARIFF_PER_KWH: Balance = 1_000_000_000_000_000_000_000_000;

/// What energy costs, in the smallest unit of money per kWh.
///
/// `imbalance_export <= feed_in <= retail <= imbalance_import`, each at most [`MAX_TARIFF_PER_KWH`]: keeping to a
/// contract never costs more than breaking it.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub struct Tariffs {
	/// The main grid sells at this price.
	pub retail_per_kwh: Balance,
	/// The main grid buys at this price.
	pub feed_in_per_kwh: Balance,
	/// The main grid sells what a household takes beyond its contract at this price.
	pub imbalance_import_per_kwh: Balance,
	/// The main grid buys what a household feeds in beyond its contract at this price.
	pub imbalance_export_per_kwh: Balance,
	/// Buyers of community energy pay this to the operator on top of the community's price.
	pub grid_fee_per_kwh: Balance,
}

/// How the price inside a community is found. It always lies between feed-in and retail.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub enum PriceRule {
	/// The mean of feed-in tariff and retail tariff.
	#[codec(index = 0)]
	MidMarket,
	/// Falls from retail to feed-in as supply grows to meet demand (Liu et al., IEEE Transactions on Power Systems 32
	/// (5), 2017, doi 10.1109/TPWRS.2017.2649558).
	#[codec(index = 1)]
	SupplyDemandRatio,
}

/// Everything that a community's game and prices depend on.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub struct Terms {
	/// Lambda and meter resolution of the game.
	pub rules: Rules,
	/// What energy costs.
	pub tariffs: Tariffs,
	/// How the price inside the community is found.
	pub price_rule: PriceRule,
	/// What the community's incentive pot pays out for an era, if it has so much: shared in proportion to delivered
	/// payoffs.
	pub incentive_per_era: Balance,
	/// What the comfort ranges of the households must lie within; `None` lets them be any.
	pub comfort_bounds: Option<ComfortBounds>,
}

/// What every comfort range of a community lies within, hundredths of a degree Celsius; the lower end below the upper.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub struct ComfortBounds {
	/// The lowest that a range may begin at.
	pub min_centi_c: i16,
	/// The highest that a range may end at.
	pub max_centi_c: i16,
}

impl ComfortBounds {
	/// Whether a comfort range lies within.
	pub fn allow(&self, comfort: &Comfort) -> bool {
		self.min_centi_c <= comfort.min_centi_c && comfort.max_centi_c <= self.max_centi_c
	}

	/// What of a comfort range lies within, at the same sensitivity: a narrower range allows a higher one, so the model
	/// stays valid. `None` if nothing does.
	pub fn narrow(&self, comfort: Comfort) -> Option<Comfort> {
		let narrowed = Comfort {
			min_centi_c: comfort.min_centi_c.max(self.min_centi_c),
			max_centi_c: comfort.max_centi_c.min(self.max_centi_c),
			..comfort
		};
		(narrowed.min_centi_c < narrowed.max_centi_c).then_some(narrowed)
	}
}

/// The households behind one feeder.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Community<AccountId> {
	/// For people.
	pub name: Name,
	/// Admits households, sets the terms and earns the grid fee.
	pub operator: AccountId,
	/// The main grid's account: it is paid for what it sells and pays for what it buys.
	pub utility: AccountId,
	/// May report the readings of every household, many in one call.
	pub concentrator: Option<AccountId>,
	/// While paused, no game is played: all energy goes to and from the main grid.
	pub paused: bool,
	/// In force before `terms` were, the oldest first: eras that are still to be settled may lie in their time.
	pub ended_terms: BoundedVec<EndedTerms, ConstU32<2>>,
	/// In force until `next_terms` are.
	pub terms: Terms,
	/// Announced for a later era.
	pub next_terms: Option<NextTerms>,
}

impl<AccountId> Community<AccountId> {
	/// The terms that hold in an era.
	pub fn terms_in(&self, era: EraIndex) -> Terms {
		match self.next_terms {
			Some(next) if next.from_era <= era => next.terms,
			_ => {
				let ended = self.ended_terms.iter().find(|ended| era < ended.before_era);
				ended.map_or(self.terms, |ended| ended.terms)
			}
		}
	}

	/// Announces terms. What was announced before counts if it has begun. So it can once in each era, and no more than
	/// two eras before the running one wait for settlement: two terms that have ended are enough.
	pub(crate) fn announce(&mut self, current: EraIndex, next: NextTerms) {
		if let Some(begun) = self.next_terms.filter(|begun| begun.from_era <= current) {
			if self.ended_terms.is_full() {
				self.ended_terms.remove(0);
			}
			self.ended_terms.force_push(EndedTerms {
				before_era: begun.from_era,
				terms: self.terms,
			});
			self.terms = begun.terms;
		}
		self.next_terms = Some(next);
	}
}

/// Terms that held until an era.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct EndedTerms {
	/// The first era that they no longer held in.
	pub before_era: EraIndex,
	/// The terms.
	pub terms: Terms,
}

/// Terms that hold from a later era on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct NextTerms {
	/// The first era under these terms.
	pub from_era: EraIndex,
	/// The terms.
	pub terms: Terms,
}

/// A meter that measures from a later era on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct NextMeter<AccountId> {
	/// The first era that it measures.
	pub from_era: EraIndex,
	/// Its account.
	pub meter: AccountId,
}

/// A player: one connection to the community grid.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Household<AccountId> {
	/// The community that it belongs to.
	pub community: CommunityId,
	/// Signs strategies, pays and is paid.
	pub owner: AccountId,
	/// The metering device's own account; signs readings.
	pub meter: AccountId,
	/// Takes the meter's place in a later era.
	pub next_meter: Option<NextMeter<AccountId>>,
	/// Largest net exchange with the community grid in one era, Wh.
	pub connection_limit_wh: u32,
	/// The first era that it takes part in.
	pub member_since: EraIndex,
	/// The last era that it takes part in, once it is leaving. It goes when that era is settled and nothing is owed
	/// either way.
	pub member_until: Option<EraIndex>,
	/// While suspended it plays no game: all its energy goes to and from the main grid.
	pub suspended: bool,
	/// How indoor temperature is valued; `None` is always comfortable.
	pub comfort: Option<Comfort>,
	/// Speaks for the household in eras for which it submits nothing; `None` stays out of the game.
	pub preference: Option<Preference>,
}

impl<AccountId> Household<AccountId> {
	/// The meter that measures an era.
	pub fn meter_in(&self, era: EraIndex) -> &AccountId {
		match &self.next_meter {
			Some(next) if next.from_era <= era => &next.meter,
			_ => &self.meter,
		}
	}

	/// Whether it is a member in an era.
	pub fn is_member_in(&self, era: EraIndex) -> bool {
		self.member_since <= era && self.member_until.is_none_or(|last| era <= last)
	}
}

/// What a household and the utility owe each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Debt {
	/// What the household owes. While it owes anything it trades with the main grid only.
	pub arrears: Balance,
	/// What the utility owes.
	pub credit: Balance,
}

impl Debt {
	/// Whether nothing is owed either way.
	pub fn is_settled(&self) -> bool {
		*self == Self::default()
	}
}

/// How a reading came about.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Quality {
	/// Read off the meter.
	#[codec(index = 0)]
	Measured,
	/// Estimated, by the metering device or, where it stayed silent, by the chain.
	#[codec(index = 1)]
	Estimated,
	/// Takes the place of the reading that was in before.
	#[codec(index = 2)]
	Corrected,
}

/// What a meter saw in one era.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Reading {
	/// Energy generated, Wh.
	pub generation_wh: u32,
	/// Energy consumed, Wh.
	pub consumption_wh: u32,
	/// Indoor temperature at the end of the era, hundredths of a degree Celsius.
	pub indoor_centi_c: i16,
	/// How the reading came about.
	pub quality: Quality,
}

/// One item of a data concentrator's batch.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ReadingItem {
	/// The household.
	pub household: HouseholdId,
	/// The era that the reading is of.
	pub era: EraIndex,
	/// The reading.
	pub reading: Reading,
}

/// The newest two readings of a household, of different eras. That is what the market needs: readings are taken of one
/// era while the era before it is being settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Metered {
	/// The era of the newest reading.
	pub era: EraIndex,
	/// The newest reading.
	pub reading: Reading,
	/// The one of the era reported before.
	pub before: Option<(EraIndex, Reading)>,
}

impl Metered {
	/// The reading of an era.
	pub fn of(&self, era: EraIndex) -> Option<Reading> {
		self.until(era)
			.and_then(|(of, reading)| (of == era).then_some(reading))
	}

	/// The newest reading of an era or of one before it.
	pub fn until(&self, era: EraIndex) -> Option<(EraIndex, Reading)> {
		[Some((self.era, self.reading)), self.before]
			.into_iter()
			.flatten()
			.find(|(of, _)| *of <= era)
	}

	/// With a reading of an era that is no earlier than the newest one's.
	pub(crate) fn with(newest: Option<Self>, era: EraIndex, reading: Reading) -> Self {
		let before = newest.and_then(|newest| match newest.era == era {
			true => newest.before,
			false => Some((newest.era, newest.reading)),
		});
		Self { era, reading, before }
	}
}

/// What a household hands in for one era.
#[derive(
	CloneNoBound, DebugNoBound, PartialEqNoBound, EqNoBound, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
#[scale_info(skip_type_params(T))]
#[codec(mel_bound())]
pub struct Submission<T: Config> {
	/// The era that it is meant for.
	pub era: EraIndex,
	/// Generation that the household expects, Wh.
	pub generation_wh: u32,
	/// What the household would do, one of which the game chooses.
	pub strategies: BoundedVec<Strategy, T::MaxStrategies>,
}

/// Energy by channel, Wh. At most one of the two directions of a channel is not zero.
#[derive(
	Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Channels {
	/// Sold to the community.
	pub sold_to_community_wh: u32,
	/// Bought from the community.
	pub bought_from_community_wh: u32,
	/// Sold to the main grid.
	pub sold_to_main_wh: u32,
	/// Bought from the main grid.
	pub bought_from_main_wh: u32,
}

/// What a household undertook at gate closure, with the inputs that led to it, so that anyone can check it.
#[derive(
	CloneNoBound, DebugNoBound, PartialEqNoBound, EqNoBound, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
#[scale_info(skip_type_params(T))]
#[codec(mel_bound())]
pub struct Contract<T: Config> {
	/// The era of delivery.
	pub era: EraIndex,
	/// Generation that the game reckoned with, Wh.
	pub generation_wh: u32,
	/// Comfort that the game reckoned with.
	pub comfort: Option<Comfort>,
	/// The strategies that the game chose from.
	pub strategies: BoundedVec<Strategy, T::MaxStrategies>,
	/// Which of them the equilibrium has, counted from 0.
	pub chosen: u8,
	/// True where the household could not cover its strategies and was kept to the main grid.
	pub main_grid_only: bool,
	/// Energy to deliver and take, by channel.
	pub energy: Channels,
	/// Funds on hold for it; 0 once settled.
	pub held: Balance,
}

/// Amounts of one household's settlement. Each is what moved; what could not move is in the household's `arrears` or
/// `credit`.
#[derive(
	Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Amounts {
	/// Paid to the pool for community energy.
	pub paid_to_pool: Balance,
	/// Received from the pool for community energy.
	pub received_from_pool: Balance,
	/// Paid to the operator.
	pub grid_fee: Balance,
	/// Received from the incentive pot.
	pub reward: Balance,
	/// Paid to the utility, repaid arrears included.
	pub paid_to_utility: Balance,
	/// Received from the utility, repaid credit included.
	pub received_from_utility: Balance,
	/// What this era's main-grid purchases cost.
	pub main_cost: Balance,
	/// What this era's main-grid sales earned.
	pub main_revenue: Balance,
	/// What the same metered energy would have cost with the main grid alone.
	pub alone_cost: Balance,
	/// What the same metered energy would have earned with the main grid alone.
	pub alone_revenue: Balance,
	/// What the household owes the utility afterwards.
	pub arrears: Balance,
	/// What the utility owes the household afterwards.
	pub credit: Balance,
}

/// What one era came to for one household.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Statement {
	/// The era of delivery.
	pub era: EraIndex,
	/// The reading that was settled; `Estimated` by the chain where the meter stayed silent.
	pub reading: Reading,
	/// Energy by channel; the main grid's includes the deviation.
	pub energy: Channels,
	/// Part of `bought_from_main_wh` that no contract covered and the imbalance price applied to.
	pub imbalance_import_wh: u32,
	/// Part of `sold_to_main_wh` that no contract covered and the imbalance price applied to.
	pub imbalance_export_wh: u32,
	/// Price of community energy per kWh.
	pub price_per_kwh: Balance,
	/// Comfort and payoff of what was delivered; `None` without a contract, since there was no game.
	pub delivered: Option<Delivered>,
	/// What moved.
	pub amounts: Amounts,
}

/// Sums over a community of one settled era. Community energy sold equals community energy bought.
#[derive(
	Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Totals {
	/// Households settled.
	pub households: u32,
	/// Of them, those whose reading was estimated by the chain.
	pub missing_readings: u32,
	/// Energy that changed hands inside the community, Wh.
	pub community_wh: u64,
	/// Energy bought from the main grid, Wh.
	pub bought_from_main_wh: u64,
	/// Energy sold to the main grid, Wh.
	pub sold_to_main_wh: u64,
	/// Money from buyers to sellers through the pool.
	pub through_pool: Balance,
	/// Grid fees to the operator.
	pub grid_fees: Balance,
	/// Rewards from the incentive pot.
	pub rewards: Balance,
	/// Money from households to the utility.
	pub to_utility: Balance,
	/// Money from the utility to households.
	pub from_utility: Balance,
}

/// What a community's gate closure came to.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct EraRecord {
	/// The era of delivery.
	pub era: EraIndex,
	/// The terms that hold for it.
	pub terms: Terms,
	/// Households with a contract.
	pub players: u32,
	/// The solver's claim, which `verify` of the runtime API checks.
	pub certificate: Certificate,
	/// Best-response sweeps that the solver made, over all starts.
	pub sweeps: u32,
	/// Starts that the solver made.
	pub starts: u32,
	/// Price of community energy per kWh.
	pub price_per_kwh: Balance,
	/// Sums of the settlement; `None` until settled.
	pub settled: Option<Totals>,
}

/// A community's contracts for one era, in the order of registration, which is that of their numbers.
pub type ContractBook<T> = BoundedVec<(HouseholdId, Contract<T>), <T as Config>::MaxHouseholds>;
/// A community's statements of one era, in the same order.
pub type StatementBook<T> = BoundedVec<(HouseholdId, Statement), <T as Config>::MaxHouseholds>;

/// What is owed in a community, by those households that owe or are owed anything, in the same order.
pub type DebtBook<T> = BoundedVec<(HouseholdId, Debt), <T as Config>::MaxHouseholds>;

/// The entry of one household in a book.
pub(crate) fn entry<E>(book: &[(HouseholdId, E)], household: HouseholdId) -> Option<&E> {
	let place = book.binary_search_by_key(&household, |(id, _)| *id).ok()?;
	book.get(place).map(|(_, entry)| entry)
}

/// Where the chain stands in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct ClockState {
	/// The era that is running: deliveries for it are under way, strategies for the next are taken.
	pub current: EraIndex,
	/// The era that the chain saw before: readings for it are taken.
	pub previous: Option<EraIndex>,
}

/// The two things to do for each community at an era's start.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Phase {
	/// Solve the game of the era that began.
	#[codec(index = 0)]
	Solve,
	/// Settle the era whose readings are in.
	#[codec(index = 1)]
	Settle,
}

/// Clearing under way: first every community's game, then every community's settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct RoundState {
	/// The era to solve.
	pub solve_era: EraIndex,
	/// The era to settle, if one is open.
	pub settle_era: Option<EraIndex>,
	/// Communities there were when the round began; later ones wait for the next.
	pub communities: u32,
	/// What is being done.
	pub phase: Phase,
	/// The community that is next.
	pub next: CommunityId,
}

/// One step that the current block has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct PlannedStep {
	/// What to do.
	pub phase: Phase,
	/// For whom.
	pub community: CommunityId,
	/// For how many of its households, the weight having been returned for so many.
	pub households: u32,
}

impl Channels {
	/// From net positions, positive = sold. Energies of one household are below 2^32 Wh by the limits on readings and
	/// strategies.
	pub fn from_net(community_wh: i64, main_wh: i64) -> Self {
		let sold = |wh: i64| u32::try_from(wh.max(0)).unwrap_or(u32::MAX);
		Self {
			sold_to_community_wh: sold(community_wh),
			bought_from_community_wh: sold(community_wh.saturating_neg()),
			sold_to_main_wh: sold(main_wh),
			bought_from_main_wh: sold(main_wh.saturating_neg()),
		}
	}

	/// Net exchange with the community, positive = sold.
	pub fn community_wh(&self) -> i64 {
		i64::from(self.sold_to_community_wh) - i64::from(self.bought_from_community_wh)
	}

	/// Net exchange with the main grid, positive = sold.
	pub fn main_wh(&self) -> i64 {
		i64::from(self.sold_to_main_wh) - i64::from(self.bought_from_main_wh)
	}
}

impl Totals {
	/// Adds one household's statement. Sums of at most 2^16 households stay far below the types' ends.
	pub(crate) fn add(&mut self, statement: &Statement, missing: bool) {
		let (energy, amounts) = (&statement.energy, &statement.amounts);
		self.households = self.households.saturating_add(1);
		self.missing_readings = self.missing_readings.saturating_add(missing.into());
		self.community_wh = self
			.community_wh
			.saturating_add(energy.sold_to_community_wh.into());
		self.bought_from_main_wh = self
			.bought_from_main_wh
			.saturating_add(energy.bought_from_main_wh.into());
		self.sold_to_main_wh = self.sold_to_main_wh.saturating_add(energy.sold_to_main_wh.into());
		self.through_pool = self.through_pool.saturating_add(amounts.paid_to_pool);
		self.grid_fees = self.grid_fees.saturating_add(amounts.grid_fee);
		self.rewards = self.rewards.saturating_add(amounts.reward);
		self.to_utility = self.to_utility.saturating_add(amounts.paid_to_utility);
		self.from_utility = self.from_utility.saturating_add(amounts.received_from_utility);
	}
}

/// The game that contracts came from.
pub fn game_of<'a, T: Config>(
	rules: Rules,
	contracts: impl Iterator<Item = &'a Contract<T>>,
) -> Result<commonwatt_game::Game, commonwatt_game::GameFault> {
	let households = contracts
		.map(|contract| commonwatt_game::Household {
			generation_wh: contract.generation_wh,
			comfort: contract.comfort,
			strategies: contract.strategies.to_vec(),
		})
		.collect();
	commonwatt_game::Game::new(rules, households)
}
