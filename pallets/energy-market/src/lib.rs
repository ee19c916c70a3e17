//! # Energy market pallet
//!
//! Households with rooftop PV trade energy inside their community, era by era; the chain itself computes who trades
//! what, and settles it.
//!
//! ## Overview
//!
//! While era `e` runs, households submit strategies for era `e + 1` ([`Pallet::submit_strategies`]) or leave a
//! standing preference to speak for them ([`Pallet::set_preference`]), and meters submit readings for the era before
//! ([`Pallet::submit_reading`]). When the next era begins, each community's game is solved to a Nash equilibrium in
//! fixed point by [`commonwatt_market::game`]; the result becomes the households' contracts, with funds on hold, and the era
//! whose readings are in is settled: energy and money sum to zero over the community, to the last unit.
//!
//! The model is that of Ouyang, Yan and Zhu, "Research on new energy trading system based on blockchain", ACM TURC
//! 2021, doi 10.1145/3472634.3474065.
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for calls, events, errors and storage, and [`runtime_api`] for what a runtime answers.
//!
//! ## Low level
//!
//! - The timestamp is not known in `on_initialize` and `on_finalize` is not metered. So `on_finalize` of the first
//!   block of a new era only latches what is due, in constant time; in each block after it `on_initialize` plans the
//!   steps that fit in [`Config::MaxClearingWeight`] and returns their weight, and `on_finalize` takes them. A step is
//!   one community's game or one community's settlement.
//! - A new era is latched only when the round of the one before is through. An era that nobody saw begin, because
//!   the chain stood still or clearing took too long, is missed: it has no contracts, and an event says so.
//! - State is bounded: contracts, statements and era records live in rings of [`Config::RetainedEras`] slots, one item
//!   for each community and era; of a household's submissions and readings the newest two are kept.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod books;
mod clock;
mod community;
mod configuration;
mod gate;
mod invariants;
mod membership;
pub mod migrations;
#[cfg(test)]
mod mock;
mod queue;
mod readings;
pub mod runtime_api;
mod settlement;
mod strategies;
#[cfg(test)]
mod tests;
mod types;
mod views;
pub mod weights;

pub use commonwatt_market::{self as market, game};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// Where the pallet's log lines go.
pub(crate) const LOG_TARGET: &str = "runtime::energy-market";

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::{string::String, vec::Vec};
	use commonwatt_market::game::{Comfort, Preference, Strategy};
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{Inspect, InspectHold, Mutate, MutateHold},
			UnixTime,
		},
		PalletId,
	};
	use frame_system::pallet_prelude::*;

	/// The in-code storage version.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// Money, with funds on hold for contracts.
		type Currency: Inspect<Self::AccountId, Balance = Balance>
			+ Mutate<Self::AccountId>
			+ InspectHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
			+ MutateHold<Self::AccountId>;

		/// The overarching hold reason.
		type RuntimeHoldReason: From<HoldReason>;

		/// Chain time.
		type Time: UnixTime;

		/// Who creates communities.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// The pools' accounts derive from it, one for each community.
		#[pallet::constant]
		type PalletId: Get<PalletId>;

		/// Most households of one community.
		#[pallet::constant]
		type MaxHouseholds: Get<u32>;

		/// Most strategies of one household in one era; at least 6, what a standing preference gives, at most 255.
		#[pallet::constant]
		type MaxStrategies: Get<u32>;

		/// Most clearing steps in one block.
		#[pallet::constant]
		type MaxSteps: Get<u32>;

		/// Eras for which contracts, statements and records are kept in state; at least 4.
		#[pallet::constant]
		type RetainedEras: Get<u32>;

		/// Share of a block that clearing may take. The largest step must fit, which `integrity_test` checks.
		#[pallet::constant]
		type MaxClearingWeight: Get<Weight>;

		/// Most best-response sweeps for each start of the solver.
		#[pallet::constant]
		type MaxSweeps: Get<u32>;

		/// Most starts of the solver.
		#[pallet::constant]
		type MaxStarts: Get<u32>;

		/// Evaluations of a payoff that the solver may make for one game, whatever its size; see
		/// [`commonwatt_market::game::SolverConfig::max_evaluations`].
		#[pallet::constant]
		type MaxEvaluations: Get<u32>;

		/// As many more for each household of the game.
		#[pallet::constant]
		type MaxEvaluationsPerHousehold: Get<u32>;

		/// Weights, measured.
		type WeightInfo: WeightInfo;
	}

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Why funds are on hold.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// They cover what a contract can cost.
		#[codec(index = 0)]
		Contract,
	}

	/// Length of an era in ms, set at genesis for good.
	#[pallet::storage]
	pub type EraLengthMs<T> = StorageValue<_, u64, ValueQuery, DefaultEraLengthMs>;

	/// Half an hour.
	#[pallet::type_value]
	pub fn DefaultEraLengthMs() -> u64 {
		30 * 60 * 1_000
	}

	/// Where the chain stands in time; empty until the first block with a timestamp.
	#[pallet::storage]
	pub type Clock<T> = StorageValue<_, ClockState>;

	/// Clearing under way.
	#[pallet::storage]
	pub type Round<T> = StorageValue<_, RoundState>;

	/// Steps that this block takes in `on_finalize`; empty between blocks.
	#[pallet::storage]
	pub type Planned<T: Config> = StorageValue<_, BoundedVec<PlannedStep, T::MaxSteps>, ValueQuery>;

	/// How many communities there are, and the number of the next.
	#[pallet::storage]
	pub type CommunityCount<T> = StorageValue<_, u32, ValueQuery>;

	/// The communities.
	// Hasher: numbers count up and only governance adds one, so nobody can skew the trie.
	#[pallet::storage]
	pub type Communities<T: Config> = StorageMap<_, Twox64Concat, CommunityId, Community<T::AccountId>>;

	/// The households of a community, in the order of registration, which is the order of its game.
	#[pallet::storage]
	pub type Members<T: Config> =
		StorageMap<_, Twox64Concat, CommunityId, BoundedVec<HouseholdId, T::MaxHouseholds>, ValueQuery>;

	/// The number of the next household; numbers are not used again.
	#[pallet::storage]
	pub type NextHousehold<T> = StorageValue<_, u32, ValueQuery>;

	/// The households.
	#[pallet::storage]
	pub type Households<T: Config> = StorageMap<_, Twox64Concat, HouseholdId, Household<T::AccountId>>;

	/// The household that a meter measures.
	// Hasher: meters choose their keys, so the key is hashed cryptographically.
	#[pallet::storage]
	pub type MeterOf<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, HouseholdId>;

	/// What a household handed in, by slot (`era % 2`): while the games of the era that began are still being solved,
	/// strategies for the next one are taken already. What was used lies there until it is replaced.
	#[pallet::storage]
	pub type Submissions<T: Config> =
		StorageDoubleMap<_, Twox64Concat, HouseholdId, Twox64Concat, u32, Submission<T>>;

	/// The newest two readings of a household. Apart from the household, so that a reading writes little.
	#[pallet::storage]
	pub type Readings<T: Config> = StorageMap<_, Twox64Concat, HouseholdId, Metered>;

	/// Contracts by community and ring slot (`era % RetainedEras`): one item for all, so that clearing writes once and
	/// not once for each household.
	#[pallet::storage]
	pub type Contracts<T: Config> =
		StorageDoubleMap<_, Twox64Concat, CommunityId, Twox64Concat, u32, ContractBook<T>, ValueQuery>;

	/// Statements by community and ring slot (`era % RetainedEras`).
	#[pallet::storage]
	pub type Statements<T: Config> =
		StorageDoubleMap<_, Twox64Concat, CommunityId, Twox64Concat, u32, StatementBook<T>, ValueQuery>;

	/// What households and utilities owe each other: one item for all of a community, which is empty as a rule, so that a
	/// settlement writes no household.
	#[pallet::storage]
	pub type Debts<T: Config> = StorageMap<_, Twox64Concat, CommunityId, DebtBook<T>, ValueQuery>;

	/// Results of gate closures and settlements by community and ring slot (`era % RetainedEras`).
	#[pallet::storage]
	pub type Records<T: Config> =
		StorageDoubleMap<_, Twox64Concat, CommunityId, Twox64Concat, u32, EraRecord>;

	/// A community to start with.
	#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
	#[serde(bound = "")]
	pub struct GenesisCommunity<AccountId: serde::Serialize + for<'a> serde::Deserialize<'a>> {
		/// Its name, UTF-8 and at most 32 bytes.
		pub name: String,
		/// Its operator; must hold twice the minimum balance, one of which starts the pool's account.
		pub operator: AccountId,
		/// The main grid's account.
		pub utility: AccountId,
		/// Rules and prices.
		pub terms: Terms,
		/// Its households, in order.
		pub households: Vec<GenesisHousehold<AccountId>>,
	}

	/// A household to start with.
	#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
	#[serde(bound = "")]
	pub struct GenesisHousehold<AccountId: serde::Serialize + for<'a> serde::Deserialize<'a>> {
		/// Its owner.
		pub owner: AccountId,
		/// Its meter.
		pub meter: AccountId,
		/// Largest net exchange in one era, Wh.
		pub connection_limit_wh: u32,
		/// Its comfort model.
		pub comfort: Option<Comfort>,
		/// Its standing preference.
		pub preference: Option<Preference>,
	}

	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Length of an era in ms, at least one second; 0 stands for half an hour.
		pub era_length_ms: u64,
		/// Communities to start with.
		pub communities: Vec<GenesisCommunity<T::AccountId>>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			if self.era_length_ms != 0 {
				assert!(self.era_length_ms >= 1_000, "an era is at least one second long");
				EraLengthMs::<T>::put(self.era_length_ms);
			}
			for community in &self.communities {
				Pallet::<T>::build_community(community)
					.unwrap_or_else(|e| panic!("genesis community '{}': {e:?}", community.name));
			}
		}
	}

	/// What happened. Together the events of an era hold every number of it.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A community exists.
		#[codec(index = 0)]
		CommunityCreated {
			/// Its number.
			community: CommunityId,
			/// Its name.
			name: Name,
			/// Its operator.
			operator: T::AccountId,
			/// The main grid's account.
			utility: T::AccountId,
			/// The account that buyers pay into and sellers are paid from.
			pool: T::AccountId,
			/// The account that rewards are paid from; whoever wants to may fund it.
			pot: T::AccountId,
			/// Rules and prices.
			terms: Terms,
		},
		/// A household joined.
		#[codec(index = 1)]
		HouseholdRegistered {
			/// Its community.
			community: CommunityId,
			/// Its number.
			household: HouseholdId,
			/// Its owner.
			owner: T::AccountId,
			/// Its meter.
			meter: T::AccountId,
			/// Largest net exchange in one era, Wh.
			connection_limit_wh: u32,
			/// Its comfort model.
			comfort: Option<Comfort>,
		},
		/// The operator announced other terms.
		#[codec(index = 2)]
		TermsChanged {
			/// The community.
			community: CommunityId,
			/// The new terms.
			terms: Terms,
			/// The first era that they hold for.
			from_era: EraIndex,
		},
		/// An owner changed a comfort model.
		#[codec(index = 3)]
		ComfortChanged {
			/// The household.
			household: HouseholdId,
			/// The new model.
			comfort: Option<Comfort>,
		},
		/// An owner changed a standing preference.
		#[codec(index = 4)]
		PreferenceChanged {
			/// The household.
			household: HouseholdId,
			/// The new preference.
			preference: Option<Preference>,
		},
		/// Strategies are in; they replace what was in for that era.
		#[codec(index = 5)]
		StrategiesSubmitted {
			/// The household.
			household: HouseholdId,
			/// The era that they are for.
			era: EraIndex,
			/// Expected generation, Wh.
			generation_wh: u32,
			/// The strategies.
			strategies: Vec<Strategy>,
		},
		/// A reading is in.
		#[codec(index = 6)]
		ReadingSubmitted {
			/// The household.
			household: HouseholdId,
			/// The era that it is of.
			era: EraIndex,
			/// The reading.
			reading: Reading,
		},
		/// An era began.
		#[codec(index = 7)]
		EraStarted {
			/// The era that began.
			era: EraIndex,
			/// The era that ended; readings of it are taken now.
			readings_of: Option<EraIndex>,
			/// The era that is settled now.
			settling: Option<EraIndex>,
		},
		/// Nobody saw these eras begin, or, after a gap as long as the rings, an open era still has the last one's slot;
		/// they have no contracts.
		#[codec(index = 8)]
		ErasMissed {
			/// The first.
			first: EraIndex,
			/// The last.
			last: EraIndex,
		},
		/// A household has a contract.
		#[codec(index = 9)]
		ContractMade {
			/// Its community.
			community: CommunityId,
			/// The era of delivery.
			era: EraIndex,
			/// The household.
			household: HouseholdId,
			/// Generation that the game reckoned with, Wh.
			generation_wh: u32,
			/// The strategy that the equilibrium has.
			strategy: Strategy,
			/// Its number in the household's set, counted from 0.
			chosen: u8,
			/// True where the household could not cover its strategies and was kept to the main grid.
			main_grid_only: bool,
			/// Energy by channel.
			energy: Channels,
			/// Funds put on hold.
			held: Balance,
		},
		/// A community's gate closure is through.
		#[codec(index = 10)]
		EraCleared {
			/// The community.
			community: CommunityId,
			/// The result.
			record: EraRecord,
		},
		/// A community's game could not be set up; it has no contracts for this era. Cannot happen, by design; if it
		/// does, the chain goes on.
		#[codec(index = 11)]
		ClearingFailed {
			/// The community.
			community: CommunityId,
			/// The era without contracts.
			era: EraIndex,
		},
		/// A household's era is settled.
		#[codec(index = 12)]
		HouseholdSettled {
			/// Its community.
			community: CommunityId,
			/// The household.
			household: HouseholdId,
			/// What the era came to.
			statement: Statement,
		},
		/// A community's era is settled.
		#[codec(index = 13)]
		EraSettled {
			/// The community.
			community: CommunityId,
			/// The era.
			era: EraIndex,
			/// Sums over its households.
			totals: Totals,
		},
		/// An owner paid debts.
		#[codec(index = 14)]
		ArrearsRepaid {
			/// The household.
			household: HouseholdId,
			/// What was paid to the utility.
			paid: Balance,
			/// What is still owed.
			arrears: Balance,
		},
		/// A community has another operator.
		#[codec(index = 15)]
		OperatorChanged {
			/// The community.
			community: CommunityId,
			/// The new operator.
			operator: T::AccountId,
		},
		/// A community has another data concentrator.
		#[codec(index = 16)]
		ConcentratorChanged {
			/// The community.
			community: CommunityId,
			/// The new one.
			concentrator: Option<T::AccountId>,
		},
		/// The operator paused the community, or took that back. Holds from the next gate closure on.
		#[codec(index = 17)]
		CommunityPaused {
			/// The community.
			community: CommunityId,
			/// True where it was paused.
			paused: bool,
		},
		/// The operator suspended a household, or took that back. Holds from the next gate closure on.
		#[codec(index = 18)]
		HouseholdSuspended {
			/// The household.
			household: HouseholdId,
			/// True where it was suspended.
			suspended: bool,
		},
		/// Another meter measures a household from an era on.
		#[codec(index = 19)]
		MeterReplaced {
			/// The household.
			household: HouseholdId,
			/// The new meter.
			meter: T::AccountId,
			/// The first era that it measures.
			from_era: EraIndex,
		},
		/// An owner took strategies back; the standing preference speaks again.
		#[codec(index = 20)]
		StrategiesWithdrawn {
			/// The household.
			household: HouseholdId,
			/// The era that they were for.
			era: EraIndex,
		},
		/// One reading of a batch was refused; the others are not affected.
		#[codec(index = 21)]
		ReadingRefused {
			/// Its place in the batch, counted from 0.
			index: u32,
			/// The household that it named.
			household: HouseholdId,
			/// Why.
			error: DispatchError,
		},
		/// A household is leaving; it takes part in no further game.
		#[codec(index = 22)]
		HouseholdLeaving {
			/// The household.
			household: HouseholdId,
			/// The last era that it takes part in.
			last_era: EraIndex,
		},
		/// A household has left: its eras are settled, nothing is owed either way, its meters are free.
		#[codec(index = 23)]
		HouseholdLeft {
			/// Its community.
			community: CommunityId,
			/// Its number, which is not used again.
			household: HouseholdId,
		},
		/// The utility paid what it owed a household that is leaving.
		#[codec(index = 24)]
		CreditPaid {
			/// The household.
			household: HouseholdId,
			/// What was paid.
			paid: Balance,
			/// What is still owed.
			credit: Balance,
		},
	}

	/// Why a call was refused. Nothing changes then.
	#[pallet::error]
	pub enum Error<T> {
		/// There is no community of that number.
		#[codec(index = 0)]
		UnknownCommunity,
		/// There is no household of that number.
		#[codec(index = 1)]
		UnknownHousehold,
		/// Only the community's operator may do this.
		#[codec(index = 2)]
		NotOperator,
		/// Only the household's owner may do this, or a proxy of it.
		#[codec(index = 3)]
		NotOwner,
		/// The account that signed is not the meter of any household.
		#[codec(index = 4)]
		UnknownMeter,
		/// That meter measures another household already.
		#[codec(index = 5)]
		MeterAlreadyRegistered,
		/// The community has as many households as it can have.
		#[codec(index = 6)]
		CommunityFull,
		/// The chain has not seen an era yet; wait for the next block.
		#[codec(index = 7)]
		ClockNotStarted,
		/// Readings are taken of the era before the current one only.
		#[codec(index = 8)]
		ReadingForWrongEra,
		/// Strategies are taken for the era after the current one only.
		#[codec(index = 9)]
		StrategiesForWrongEra,
		/// The meter has reported this era already.
		#[codec(index = 10)]
		ReadingAlreadySubmitted,
		/// The household was not a member in that era.
		#[codec(index = 11)]
		NotMemberInEra,
		/// Generation less consumption is more than the connection can carry in an era.
		#[codec(index = 12)]
		OverConnectionLimit,
		/// A connection limit is 1 Wh to 1 GWh for each era.
		#[codec(index = 13)]
		ConnectionLimitOutOfRange,
		/// Generation and consumption are at most 1 GWh in an era.
		#[codec(index = 14)]
		EnergyOutOfRange,
		/// A strategy set has at least one strategy.
		#[codec(index = 15)]
		NoStrategies,
		/// A strategy set has at most `MaxStrategies` strategies.
		#[codec(index = 16)]
		TooManyStrategies,
		/// Selling needs a surplus, buying a deficit, neutral a balance closer than the meter resolution.
		#[codec(index = 17)]
		KindContradictsNetPosition,
		/// The comfort range is empty: its lower end must be below its upper end.
		#[codec(index = 18)]
		ComfortRangeEmpty,
		/// The comfort sensitivity must be a fraction above zero.
		#[codec(index = 19)]
		ComfortSensitivityNotPositive,
		/// The comfort sensitivity is above 4 / (max - min)^2, so comfort could exceed 1.
		#[codec(index = 20)]
		ComfortCouldExceedOne,
		/// Shares of a preference are 0 to 100 percent.
		#[codec(index = 21)]
		PreferenceOutOfRange,
		/// Lambda must be a fraction above 1 and at most 65,536.
		#[codec(index = 22)]
		LambdaOutOfRange,
		/// The meter resolution is 1 to 1,000 Wh.
		#[codec(index = 23)]
		ResolutionOutOfRange,
		/// Tariffs must satisfy imbalance export <= feed-in <= retail <= imbalance import.
		#[codec(index = 24)]
		TariffsOutOfOrder,
		/// A tariff is above 10^24 for each kWh.
		#[codec(index = 25)]
		TariffTooHigh,
		/// A name has at most 32 bytes.
		#[codec(index = 26)]
		NameTooLong,
		/// The household owes nothing.
		#[codec(index = 27)]
		NoArrears,
		/// The account has nothing to pay with.
		#[codec(index = 28)]
		NothingToPayWith,
		/// There can be no further communities or households: their numbers are used up.
		#[codec(index = 29)]
		IdsExhausted,
		/// Terms hold from a later era than the current one.
		#[codec(index = 30)]
		EraNotLater,
		/// It is so already.
		#[codec(index = 31)]
		NothingToChange,
		/// The operator has suspended the household.
		#[codec(index = 32)]
		HouseholdSuspended,
		/// The operator has paused the community.
		#[codec(index = 33)]
		CommunityPaused,
		/// The household has no strategies in for the next era.
		#[codec(index = 34)]
		NothingSubmitted,
		/// There is no reading of that era that could be corrected.
		#[codec(index = 35)]
		NothingToCorrect,
		/// Another meter measured the household in that era.
		#[codec(index = 36)]
		MeterNotActiveInEra,
		/// The meter before has readings to report still; replace it again in the next era.
		#[codec(index = 37)]
		MeterBeingReplaced,
		/// The account that signed is not the data concentrator of the household's community.
		#[codec(index = 38)]
		NotConcentrator,
		/// The comfort range goes beyond the community's comfort bounds.
		#[codec(index = 39)]
		ComfortOutOfBounds,
		/// Comfort bounds are empty: their lower end must be below their upper end.
		#[codec(index = 40)]
		ComfortBoundsEmpty,
		/// The household is leaving.
		#[codec(index = 41)]
		HouseholdLeaving,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_now: BlockNumberFor<T>) -> Weight {
			Self::plan_steps()
		}

		fn on_finalize(_now: BlockNumberFor<T>) {
			Self::take_steps();
			Self::latch_era();
		}

		fn integrity_test() {
			Self::check_configuration();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Create a community.
		///
		/// Origin: governance. The operator's account gives the pool's account its minimum balance. The terms hold
		/// from the next gate closure on.
		///
		/// Errors: `NameTooLong`, `LambdaOutOfRange`, `ResolutionOutOfRange`, `TariffsOutOfOrder`, `TariffTooHigh`,
		/// `ComfortBoundsEmpty`, `IdsExhausted`, or a token error where the operator cannot give the minimum balance. Event:
		/// `CommunityCreated`.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::create_community())]
		pub fn create_community(
			origin: OriginFor<T>,
			name: Vec<u8>,
			operator: T::AccountId,
			utility: T::AccountId,
			terms: Terms,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_create_community(name, operator, utility, terms)?;
			Ok(())
		}

		/// Admit a household to a community. It takes part from the current era on: strategies for the next era and
		/// readings of the current one are its first.
		///
		/// Origin: the community's operator, signed.
		///
		/// Errors: `UnknownCommunity`, `NotOperator`, `CommunityFull`, `MeterAlreadyRegistered`,
		/// `ConnectionLimitOutOfRange`, `ComfortRangeEmpty`, `ComfortSensitivityNotPositive`,
		/// `ComfortCouldExceedOne`, `ComfortOutOfBounds`, `IdsExhausted`. Event: `HouseholdRegistered`.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::register_household())]
		pub fn register_household(
			origin: OriginFor<T>,
			community: CommunityId,
			owner: T::AccountId,
			meter: T::AccountId,
			connection_limit_wh: u32,
			comfort: Option<Comfort>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::ensure_operator(community, &who)?;
			Self::do_register_household(community, owner, meter, connection_limit_wh, comfort)?;
			Ok(())
		}

		/// Announce other rules, prices, comfort bounds and incentives, which hold from a later era on. What was announced
		/// before and has not begun is dropped. Contracts already made keep the terms that they were made under. A comfort
		/// range that goes beyond new bounds counts as far as it lies within them; a household of whose range nothing
		/// does stays out of the game.
		///
		/// Origin: the community's operator, signed.
		///
		/// Errors: `UnknownCommunity`, `NotOperator`, `LambdaOutOfRange`, `ResolutionOutOfRange`,
		/// `TariffsOutOfOrder`, `TariffTooHigh`, `ComfortBoundsEmpty`, `EraNotLater`. Event: `TermsChanged`.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::set_terms())]
		pub fn set_terms(
			origin: OriginFor<T>,
			community: CommunityId,
			terms: Terms,
			from_era: EraIndex,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_terms(who, community, terms, from_era)
		}

		/// Change how a household values its indoor temperature; `None` is always comfortable. Holds from the next
		/// gate closure on.
		///
		/// Origin: the household's owner, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOwner`, `ComfortRangeEmpty`, `ComfortSensitivityNotPositive`,
		/// `ComfortCouldExceedOne`, `ComfortOutOfBounds`. Event: `ComfortChanged`.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::set_comfort())]
		pub fn set_comfort(
			origin: OriginFor<T>,
			household: HouseholdId,
			comfort: Option<Comfort>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_comfort(who, household, comfort)
		}

		/// Leave a standing preference, or take it back. In an era for which the household submits no strategies, the
		/// chain derives them from the last reading by this preference.
		///
		/// Origin: the household's owner, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOwner`, `PreferenceOutOfRange`. Event: `PreferenceChanged`.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::set_preference())]
		pub fn set_preference(
			origin: OriginFor<T>,
			household: HouseholdId,
			preference: Option<Preference>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_preference(who, household, preference)
		}

		/// Submit the strategies from which the game for the next era may choose, with the generation expected for it
		/// in Wh. Until the current era ends they may be submitted again, which replaces them.
		///
		/// Origin: the household's owner, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOwner`, `ClockNotStarted`, `StrategiesForWrongEra`, `NoStrategies`,
		/// `EnergyOutOfRange`, `HouseholdSuspended`, `HouseholdLeaving`, `CommunityPaused`, `TooManyStrategies`,
		/// `KindContradictsNetPosition`, `OverConnectionLimit`. Event: `StrategiesSubmitted`.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::submit_strategies(strategies.len() as u32))]
		pub fn submit_strategies(
			origin: OriginFor<T>,
			household: HouseholdId,
			era: EraIndex,
			generation_wh: u32,
			strategies: Vec<Strategy>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_submit_strategies(who, household, era, generation_wh, strategies)
		}

		/// Submit what the meter saw in the era before the current one. An era is reported once; until the current era
		/// ends, a reading of quality `Corrected` takes the place of the one that is in.
		///
		/// Origin: the meter, signed. A valid first reading of an era costs no fee.
		///
		/// Errors: `UnknownMeter`, `ClockNotStarted`, `ReadingForWrongEra`, `NotMemberInEra`, `MeterNotActiveInEra`,
		/// `ReadingAlreadySubmitted`, `NothingToCorrect`, `EnergyOutOfRange`, `OverConnectionLimit`. Event:
		/// `ReadingSubmitted`.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::submit_reading())]
		#[pallet::feeless_if(|origin: &OriginFor<T>, era: &EraIndex, reading: &Reading| -> bool {
			ensure_signed(origin.clone()).is_ok_and(|meter| Pallet::<T>::is_feeless(&meter, *era, reading))
		})]
		pub fn submit_reading(origin: OriginFor<T>, era: EraIndex, reading: Reading) -> DispatchResult {
			let meter = ensure_signed(origin)?;
			Self::do_submit_reading(meter, era, reading)
		}

		/// Pay as much of a household's debts as the owner's account can. Settlement does the same every era; this is
		/// for those who will not wait.
		///
		/// Origin: the household's owner, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOwner`, `NoArrears`, `NothingToPayWith`. Event: `ArrearsRepaid`.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::repay_arrears())]
		pub fn repay_arrears(origin: OriginFor<T>, household: HouseholdId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_repay_arrears(who, household)
		}

		/// Name another operator of a community.
		///
		/// Origin: governance.
		///
		/// Errors: `UnknownCommunity`. Event: `OperatorChanged`.
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::set_operator())]
		pub fn set_operator(
			origin: OriginFor<T>,
			community: CommunityId,
			operator: T::AccountId,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_set_operator(community, operator)
		}

		/// Name the account that may report readings of all the community's households, or none.
		///
		/// Origin: the community's operator, signed.
		///
		/// Errors: `UnknownCommunity`, `NotOperator`. Event: `ConcentratorChanged`.
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::set_concentrator())]
		pub fn set_concentrator(
			origin: OriginFor<T>,
			community: CommunityId,
			concentrator: Option<T::AccountId>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_concentrator(who, community, concentrator)
		}

		/// Pause a community, or let it go on. While it is paused no game is played and no strategies are taken;
		/// contracts already made are settled, and all further energy is billed as the main grid's.
		///
		/// Origin: the community's operator, signed.
		///
		/// Errors: `UnknownCommunity`, `NotOperator`, `NothingToChange`. Event: `CommunityPaused`.
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::set_paused())]
		pub fn set_paused(origin: OriginFor<T>, community: CommunityId, paused: bool) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_paused(who, community, paused)
		}

		/// Suspend a household, or let it take part again. While suspended it plays no game; its contracts are settled
		/// and all its further energy is billed as the main grid's.
		///
		/// Origin: the community's operator, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOperator`, `NothingToChange`. Event: `HouseholdSuspended`.
		#[pallet::call_index(11)]
		#[pallet::weight(T::WeightInfo::set_suspended())]
		pub fn set_suspended(
			origin: OriginFor<T>,
			household: HouseholdId,
			suspended: bool,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_suspended(who, household, suspended)
		}

		/// Replace a household's meter from the next era on. The old one still reports the eras that it measured. A
		/// replacement that has not begun is called off by another.
		///
		/// Origin: the community's operator, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOperator`, `ClockNotStarted`, `MeterAlreadyRegistered`,
		/// `MeterBeingReplaced`. Event: `MeterReplaced`.
		#[pallet::call_index(12)]
		#[pallet::weight(T::WeightInfo::replace_meter())]
		pub fn replace_meter(
			origin: OriginFor<T>,
			household: HouseholdId,
			meter: T::AccountId,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_replace_meter(who, household, meter)
		}

		/// Take back the strategies for the next era; the standing preference speaks then.
		///
		/// Origin: the household's owner, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOwner`, `ClockNotStarted`, `NothingSubmitted`. Event:
		/// `StrategiesWithdrawn`.
		#[pallet::call_index(13)]
		#[pallet::weight(T::WeightInfo::withdraw_strategies())]
		pub fn withdraw_strategies(origin: OriginFor<T>, household: HouseholdId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_withdraw_strategies(who, household)
		}

		/// Submit readings of many households at once, by the rules of `submit_reading`. An item that breaks them is
		/// left out and named by an event; the others count.
		///
		/// Origin: the data concentrator, signed.
		///
		/// Events: `ReadingSubmitted` for each item that counts, `ReadingRefused` for each other with one of the errors
		/// of `submit_reading`, `UnknownHousehold` or `NotConcentrator`.
		#[pallet::call_index(14)]
		#[pallet::weight(T::WeightInfo::submit_readings(items.len() as u32))]
		pub fn submit_readings(
			origin: OriginFor<T>,
			items: BoundedVec<ReadingItem, T::MaxHouseholds>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_submit_readings(who, items)
		}

		/// Leave the community after the current era. The household takes part in no further game; what it has
		/// undertaken is delivered, read and settled, and once nothing is owed either way it is gone and its meters are
		/// free. What is still owed is asked for in every era, or paid at once by `repay_arrears`.
		///
		/// Origin: the household's owner, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOwner`, `ClockNotStarted`, `HouseholdLeaving`. Events: `HouseholdLeaving`, and
		/// `HouseholdLeft` when it is gone.
		#[pallet::call_index(15)]
		#[pallet::weight(T::WeightInfo::leave())]
		pub fn leave(origin: OriginFor<T>, household: HouseholdId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::as_owner(&who, household, |h| Self::start_leaving(household, h))
		}

		/// Have a household leave the community after the current era, by the rules of `leave`.
		///
		/// Origin: the community's operator, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOperator`, `ClockNotStarted`, `HouseholdLeaving`. Events: `HouseholdLeaving`,
		/// and `HouseholdLeft` when it is gone.
		#[pallet::call_index(16)]
		#[pallet::weight(T::WeightInfo::remove_household())]
		pub fn remove_household(origin: OriginFor<T>, household: HouseholdId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::as_operator_of(&who, household, |h| Self::start_leaving(household, h))
		}
	}
}
