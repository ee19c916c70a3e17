//! # Energy market pallet
//!
//! Households with rooftop PV trade energy inside their community, one era at a time. The chain itself computes who
//! trades what, and settles it.
//!
//! ## Overview
//!
//! While era `e` runs, owners submit strategies for era `e + 1` ([`Pallet::submit_strategies`]) or rely on a standing
//! preference ([`Pallet::set_preference`]), and meters submit readings of the era before ([`Pallet::submit_reading`]).
//! When the next era begins, the chain opens a round:
//!
//! - Clearing: the solver of [`commonwatt_market::game`] looks for a Nash equilibrium of each community's game, in
//!   fixed-point arithmetic. The result becomes the households' contracts, with funds on hold.
//! - Settlement: contracts and readings of the era whose readings are in become statements and payments. Contracts are
//!   firm; deviations from them match inside the community or cost imbalance prices. Community energy and its money sum
//!   to zero over the community, to the last unit.
//!
//! The model is that of Ouyang, Yan and Zhu, "Research on new energy trading system based on blockchain", ACM TURC
//! 2021, doi 10.1145/3472634.3474065.
//!
//! ## Pallet API
//!
//! The [`pallet`] module has the calls, events, errors and storage; [`runtime_api`] has the queries that a runtime
//! answers.
//!
//! ## Low level
//!
//! - The timestamp is not known in `on_initialize`, and `on_finalize` is not metered. So `on_finalize` of the first
//!   block of a new era only notes that a round is due, in constant time. In each later block `on_initialize` plans the
//!   steps that fit into [`Config::MaxClearingWeight`] and returns their weight, and `on_finalize` takes them. A step
//!   is one community's game or one community's settlement.
//! - The chain notes a new era only after the previous round is complete. An era that begins and ends in between is
//!   missed: it has no contracts, and [`Event::ErasMissed`] names it.
//! - State is bounded. Contracts, statements and era records lie in rings of [`Config::RetainedEras`] slots, with one
//!   item for each community and era. Of a household's submissions and readings the newest two are kept.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod books;
mod clock;
mod community;
mod configuration;
mod consent;
mod gate;
mod invariants;
mod late;
mod membership;
pub mod migrations;
#[cfg(test)]
mod mock;
mod players;
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
pub use players::Players;
pub use types::*;
pub use weights::WeightInfo;

/// Target of the pallet's log lines.
pub(crate) const LOG_TARGET: &str = "runtime::energy-market";

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::{format, string::String, vec::Vec};
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

	/// Version of the storage layout in this code. [`migrations`] says what must accompany a change.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The currency of all payments. It must support holds, which cover contracts.
		type Currency: Inspect<Self::AccountId, Balance = Balance>
			+ Mutate<Self::AccountId>
			+ InspectHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
			+ MutateHold<Self::AccountId>;

		/// The runtime's hold reasons, among them [`HoldReason`].
		type RuntimeHoldReason: From<HoldReason>;

		/// The block's timestamp.
		type Time: UnixTime;

		/// The origin that may create communities and name their operators.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// The accounts of every community's pool and incentive pot are derived from this identifier.
		#[pallet::constant]
		type PalletId: Get<PalletId>;

		/// Maximum number of households in a community.
		#[pallet::constant]
		type MaxHouseholds: Get<u32>;

		/// Maximum number of strategies of a household in one era. At least 6, which a standing preference can give; at
		/// most 255.
		#[pallet::constant]
		type MaxStrategies: Get<u32>;

		/// Maximum number of steps in one block.
		#[pallet::constant]
		type MaxSteps: Get<u32>;

		/// Number of eras whose contracts, statements and records are kept in state; at least 4.
		#[pallet::constant]
		type RetainedEras: Get<u32>;

		/// Maximum weight of the steps of one block. The largest step must fit, which `integrity_test` checks.
		#[pallet::constant]
		type MaxClearingWeight: Get<Weight>;

		/// Maximum number of best-response sweeps for each start of the solver.
		#[pallet::constant]
		type MaxSweeps: Get<u32>;

		/// Maximum number of starts of the solver.
		#[pallet::constant]
		type MaxStarts: Get<u32>;

		/// Payoff evaluations that the solver may make for one game, whatever its size; see
		/// [`commonwatt_market::game::SolverConfig::max_evaluations`].
		#[pallet::constant]
		type MaxEvaluations: Get<u32>;

		/// Additional payoff evaluations for each household of the game.
		#[pallet::constant]
		type MaxEvaluationsPerHousehold: Get<u32>;

		/// What an open offer of membership puts on hold of the operator's funds.
		#[pallet::constant]
		type OfferDeposit: Get<Balance>;

		/// Number of eras after the one of its making for which an offer of membership holds.
		#[pallet::constant]
		type OfferLifetime: Get<EraIndex>;

		/// Measured weights of the calls and the steps.
		type WeightInfo: WeightInfo;
	}

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Reasons for which the pallet puts funds on hold.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Covers what keeping to a purchase costs, or what breaking a sale costs, until the era is settled.
		#[codec(index = 0)]
		Contract,
		/// The operator's deposit for an offer of membership, until it is complete or withdrawn.
		#[codec(index = 1)]
		Offer,
	}

	/// Length of an era in ms, fixed at genesis.
	#[pallet::storage]
	pub type EraLengthMs<T> = StorageValue<_, u64, ValueQuery, DefaultEraLengthMs>;

	/// The default length of an era: half an hour, in ms.
	#[pallet::type_value]
	pub fn DefaultEraLengthMs() -> u64 {
		30 * 60 * 1_000
	}

	/// Eras from an announcement of terms to the first era under them, at least 2; fixed at genesis.
	#[pallet::storage]
	pub type TermsNotice<T> = StorageValue<_, EraIndex, ValueQuery, DefaultTermsNotice>;

	/// The default notice of new terms: a day of half hours.
	#[pallet::type_value]
	pub fn DefaultTermsNotice() -> EraIndex {
		48
	}

	/// The first era that the chain saw.
	#[pallet::storage]
	pub type FirstEra<T> = StorageValue<_, EraIndex, ValueQuery>;

	/// The running era and the one before it. Empty until the first block with a timestamp ends.
	#[pallet::storage]
	pub type Clock<T> = StorageValue<_, ClockState>;

	/// The round in progress. Empty when all clearings and settlements are done.
	#[pallet::storage]
	pub type Round<T> = StorageValue<_, RoundState>;

	/// The steps that this block takes in `on_finalize`. Empty between blocks.
	#[pallet::storage]
	pub type Planned<T: Config> = StorageValue<_, BoundedVec<PlannedStep, T::MaxSteps>, ValueQuery>;

	/// Number of the next community. Numbers are never reused.
	#[pallet::storage]
	pub type CommunityCount<T> = StorageValue<_, u32, ValueQuery>;

	/// Communities by number.
	// Hasher: numbers are assigned in order, and only governance adds a community, so nobody can skew the trie.
	#[pallet::storage]
	pub type Communities<T: Config> = StorageMap<_, Twox64Concat, CommunityId, Community<T::AccountId>>;

	/// The households of a community in ascending order of their numbers, which is also the order of its game.
	#[pallet::storage]
	pub type Members<T: Config> =
		StorageMap<_, Twox64Concat, CommunityId, BoundedVec<HouseholdId, T::MaxHouseholds>, ValueQuery>;

	/// Number of the next household. Numbers are never reused.
	#[pallet::storage]
	pub type NextHousehold<T> = StorageValue<_, HouseholdId, ValueQuery>;

	/// Households by number.
	#[pallet::storage]
	pub type Households<T: Config> = StorageMap<_, Twox64Concat, HouseholdId, Household<T::AccountId>>;

	/// Open offers of membership, by the number that the household will have. Offers and members of a community are
	/// together at most [`Config::MaxHouseholds`].
	#[pallet::storage]
	pub type Offers<T: Config> = StorageMap<_, Twox64Concat, HouseholdId, MembershipOffer<T::AccountId>>;

	/// Number of a community's open offers.
	#[pallet::storage]
	pub type OpenOffers<T> = StorageMap<_, Twox64Concat, CommunityId, u32, ValueQuery>;

	/// Changes that operators propose, at most one for each household.
	#[pallet::storage]
	pub type Proposals<T: Config> = StorageMap<_, Twox64Concat, HouseholdId, Proposal<T::AccountId>>;

	/// Accounts to which owners offer their households.
	#[pallet::storage]
	pub type Handovers<T: Config> = StorageMap<_, Twox64Concat, HouseholdId, T::AccountId>;

	/// The household that each meter has confirmed: a member, or one whose membership or change is not complete.
	// Hasher: whoever makes a meter's key chooses it, so the key is hashed cryptographically.
	#[pallet::storage]
	pub type MeterOf<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, HouseholdId>;

	/// Submissions by household and slot (`era % 2`). Two slots, because owners submit for the next era while the games
	/// of the era that has begun are still being solved. A used submission stays in its slot until the slot is reused.
	#[pallet::storage]
	pub type Submissions<T: Config> =
		StorageDoubleMap<_, Twox64Concat, HouseholdId, Twox64Concat, u32, Submission<T>>;

	/// The newest two readings of each household. They are stored apart from the household, so that submitting one
	/// writes little.
	#[pallet::storage]
	pub type Readings<T: Config> = StorageMap<_, Twox64Concat, HouseholdId, Metered>;

	/// Contracts by community and ring slot (`era % RetainedEras`). All contracts of a community and era are one item,
	/// so that a clearing writes once and not once for each household.
	#[pallet::storage]
	pub type Contracts<T: Config> =
		StorageDoubleMap<_, Twox64Concat, CommunityId, Twox64Concat, u32, ContractBook<T>, ValueQuery>;

	/// Statements by community and ring slot (`era % RetainedEras`).
	#[pallet::storage]
	pub type Statements<T: Config> =
		StorageDoubleMap<_, Twox64Concat, CommunityId, Twox64Concat, u32, StatementBook<T>, ValueQuery>;

	/// Statements worked out again with late readings, of retained eras, by household and in ascending order of eras. The
	/// community's books keep the statements as they were settled.
	#[pallet::storage]
	pub type LateStatements<T: Config> =
		StorageMap<_, Twox64Concat, HouseholdId, BoundedVec<Statement, T::RetainedEras>, ValueQuery>;

	/// Debts between the utility and the households of a community, in both directions. They are one item for the
	/// community, usually empty, so that a settlement need not write any household.
	#[pallet::storage]
	pub type Debts<T: Config> = StorageMap<_, Twox64Concat, CommunityId, DebtBook<T>, ValueQuery>;

	/// Results of clearings and settlements, by community and ring slot (`era % RetainedEras`).
	#[pallet::storage]
	pub type Records<T: Config> =
		StorageDoubleMap<_, Twox64Concat, CommunityId, Twox64Concat, u32, EraRecord>;

	/// A community of the genesis.
	#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
	#[serde(bound = "")]
	pub struct GenesisCommunity<AccountId: serde::Serialize + for<'a> serde::Deserialize<'a>> {
		/// Its name: UTF-8, at most 32 bytes.
		pub name: String,
		/// The operator's account. It must hold twice the minimum balance, because it pays the pool account's minimum
		/// balance.
		pub operator: AccountId,
		/// The utility's account.
		pub utility: AccountId,
		/// Rules, tariffs and fees.
		pub terms: Terms,
		/// What governance allows the terms.
		pub bounds: TermsBounds,
		/// Its households, in the order of registration.
		pub households: Vec<GenesisHousehold<AccountId>>,
	}

	/// A household of the genesis.
	#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
	#[serde(bound = "")]
	pub struct GenesisHousehold<AccountId: serde::Serialize + for<'a> serde::Deserialize<'a>> {
		/// The owner's account.
		pub owner: AccountId,
		/// The meter's account. It needs no funds.
		pub meter: AccountId,
		/// The most that may leave the owner's free balance for one era.
		#[serde(with = "commonwatt_market::money::serialized")]
		pub max_debit_per_era: Balance,
		/// Largest difference between generation and consumption in one era, Wh: 1 to 10^9.
		pub connection_limit_wh: u32,
		/// Its comfort model; `None` if the household is comfortable at any temperature.
		pub comfort: Option<Comfort>,
		/// Its standing preference, if any.
		pub preference: Option<Preference>,
	}

	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Length of an era in ms, at least 1,000; 0 means the default of half an hour.
		pub era_length_ms: u64,
		/// Eras from an announcement of terms to the first era under them, at least 2; 0 means the default of 48.
		pub terms_notice: EraIndex,
		/// Communities, numbered from 0 in this order.
		pub communities: Vec<GenesisCommunity<T::AccountId>>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			self.try_build().unwrap_or_else(|error| panic!("{error}"));
		}
	}

	impl<T: Config> GenesisConfig<T> {
		/// Builds the genesis; the balances must have theirs already. An error says in words what is wrong. The framework's
		/// `build` can only panic.
		pub fn try_build(&self) -> Result<(), String> {
			if self.era_length_ms != 0 {
				if self.era_length_ms < 1_000 {
					return Err(format!(
						"genesis: era_length_ms is {}, but must be at least 1,000, or 0 for the default",
						self.era_length_ms
					));
				}
				EraLengthMs::<T>::put(self.era_length_ms);
			}
			if self.terms_notice != 0 {
				if self.terms_notice < market::scheduled::NOTICE {
					return Err(format!(
						"genesis: terms_notice is {}, but must be at least 2, or 0 for the default",
						self.terms_notice
					));
				}
				TermsNotice::<T>::put(self.terms_notice);
			}
			for community in &self.communities {
				Pallet::<T>::build_community(community).map_err(|(part, error)| {
					let error: &'static str = error.into();
					format!("genesis: {part} is invalid: {error}")
				})?;
			}
			Ok(())
		}
	}

	/// Events of the market. Together, the events of an era contain all of its numbers. Amounts of money are in the
	/// smallest unit of the balance.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A community was created.
		#[codec(index = 0)]
		CommunityCreated {
			/// Its number.
			community: CommunityId,
			/// Its name, UTF-8.
			name: Name,
			/// The operator's account.
			operator: T::AccountId,
			/// The utility's account.
			utility: T::AccountId,
			/// The pool's account: buyers pay into it, and sellers are paid from it.
			pool: T::AccountId,
			/// The account of the incentive pot: rewards are paid from it. Anybody may pay into it.
			pot: T::AccountId,
			/// Rules, tariffs and fees.
			terms: Terms,
			/// What governance allows the terms.
			bounds: TermsBounds,
		},
		/// A household joined a community: the owner has accepted the membership, and the meter has confirmed it.
		#[codec(index = 1)]
		HouseholdJoined {
			/// The community.
			community: CommunityId,
			/// Its number.
			household: HouseholdId,
			/// The owner's account.
			owner: T::AccountId,
			/// The meter's account.
			meter: T::AccountId,
			/// Largest difference between generation and consumption in one era, Wh.
			connection_limit_wh: u32,
			/// The most that may leave the owner's free balance for one era.
			max_debit_per_era: Balance,
			/// Its comfort model; `None` if it is comfortable at any temperature.
			comfort: Option<Comfort>,
		},
		/// The operator announced new terms.
		#[codec(index = 2)]
		TermsChanged {
			/// The community.
			community: CommunityId,
			/// The new terms.
			terms: Terms,
			/// The first era for which they hold.
			from_era: EraIndex,
		},
		/// An owner changed a household's comfort model.
		#[codec(index = 3)]
		ComfortChanged {
			/// The household.
			household: HouseholdId,
			/// The new model; `None` if the household is comfortable at any temperature.
			comfort: Option<Comfort>,
		},
		/// An owner changed a household's standing preference.
		#[codec(index = 4)]
		PreferenceChanged {
			/// The household.
			household: HouseholdId,
			/// The new preference; `None` if the owner removed it.
			preference: Option<Preference>,
		},
		/// An owner submitted strategies. They replace the household's earlier submission for that era.
		#[codec(index = 5)]
		StrategiesSubmitted {
			/// The household.
			household: HouseholdId,
			/// The era that they are for.
			era: EraIndex,
			/// Expected generation in that era, Wh.
			generation_wh: u32,
			/// The strategies, from which the game chooses one.
			strategies: Vec<Strategy>,
		},
		/// A meter or a data concentrator submitted a reading.
		#[codec(index = 6)]
		ReadingSubmitted {
			/// The household.
			household: HouseholdId,
			/// The era that was measured.
			era: EraIndex,
			/// The reading.
			reading: Reading,
		},
		/// An era began.
		#[codec(index = 7)]
		EraStarted {
			/// The era that began.
			era: EraIndex,
			/// The era whose readings are taken from now on.
			readings_of: Option<EraIndex>,
			/// The era that this round settles.
			settling: Option<EraIndex>,
		},
		/// Eras have no contracts, because the chain did not see them begin: it had no block, or an earlier round
		/// outlasted them. After a gap about as long as the rings, or longer, the range also contains the era that just
		/// began, if its ring slot still holds contracts that are not settled.
		#[codec(index = 8)]
		ErasMissed {
			/// The first of these eras.
			first: EraIndex,
			/// The last of these eras.
			last: EraIndex,
		},
		/// A clearing made a contract for a household.
		#[codec(index = 9)]
		ContractMade {
			/// Its community.
			community: CommunityId,
			/// The era of delivery.
			era: EraIndex,
			/// The household.
			household: HouseholdId,
			/// Expected generation in the game, Wh.
			generation_wh: u32,
			/// The strategy that the game chose.
			strategy: Strategy,
			/// Index of this strategy in the household's set, counted from 0.
			chosen: u8,
			/// True if the household was limited to the main grid, because its owner could not cover the worst case or
			/// because it was in arrears. It is settled like a household without a contract.
			main_grid_only: bool,
			/// Contracted energy, Wh, with the community and with the main grid.
			energy: Channels,
			/// Funds put on hold for the contract.
			held: Balance,
		},
		/// The clearing of a community is complete.
		#[codec(index = 10)]
		EraCleared {
			/// The community.
			community: CommunityId,
			/// Terms, price and certificate of the era.
			record: EraRecord,
		},
		/// The game of a community could not be set up or solved, so the community has no contracts for this era. By
		/// design this cannot happen; if it does, the chain goes on.
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
			/// Energy, prices and amounts of the era.
			statement: Statement,
		},
		/// A community's era is settled.
		#[codec(index = 13)]
		EraSettled {
			/// The community.
			community: CommunityId,
			/// The era that was settled.
			era: EraIndex,
			/// Sums over the households' statements.
			totals: Totals,
		},
		/// A household repaid arrears by `repay_arrears`.
		#[codec(index = 14)]
		ArrearsRepaid {
			/// The household.
			household: HouseholdId,
			/// Amount paid to the utility.
			paid: Balance,
			/// Amount still owed.
			arrears: Balance,
		},
		/// Governance named another operator of a community.
		#[codec(index = 15)]
		OperatorChanged {
			/// The community.
			community: CommunityId,
			/// The new operator's account.
			operator: T::AccountId,
		},
		/// The operator named another data concentrator, or none.
		#[codec(index = 16)]
		ConcentratorChanged {
			/// The community.
			community: CommunityId,
			/// The new data concentrator's account. `None` means that the community has no concentrator any more.
			concentrator: Option<T::AccountId>,
			/// The first era in which it reports.
			from_era: EraIndex,
		},
		/// The operator paused or resumed a community.
		#[codec(index = 17)]
		CommunityPaused {
			/// The community.
			community: CommunityId,
			/// True if paused, false if resumed.
			paused: bool,
			/// The first era that it holds for.
			from_era: EraIndex,
		},
		/// The operator suspended or reinstated a household.
		#[codec(index = 18)]
		HouseholdSuspended {
			/// The household.
			household: HouseholdId,
			/// True if suspended, false if reinstated.
			suspended: bool,
			/// The first era that it holds for.
			from_era: EraIndex,
		},
		/// A household's meter or connection limit changes: operator and owner agree, and a new meter has confirmed.
		#[codec(index = 19)]
		HouseholdChanged {
			/// The household.
			household: HouseholdId,
			/// What changes.
			change: Change<T::AccountId>,
			/// The first era for which it holds.
			from_era: EraIndex,
		},
		/// An owner withdrew the strategies for an era. If there is a standing preference, the chain derives strategies
		/// from it.
		#[codec(index = 20)]
		StrategiesWithdrawn {
			/// The household.
			household: HouseholdId,
			/// The era that they were for.
			era: EraIndex,
		},
		/// An item of a batch of readings was skipped; the other items count.
		#[codec(index = 21)]
		ReadingRefused {
			/// Position of the item in the batch, counted from 0.
			index: u32,
			/// The household that the item named.
			household: HouseholdId,
			/// The reason.
			error: DispatchError,
		},
		/// A household began to leave its community. It takes part in no further game.
		#[codec(index = 22)]
		HouseholdLeaving {
			/// The household.
			household: HouseholdId,
			/// The last era that it takes part in.
			last_era: EraIndex,
		},
		/// A household left its community: its eras are settled, neither side owes anything, and its meters are free.
		#[codec(index = 23)]
		HouseholdLeft {
			/// The community.
			community: CommunityId,
			/// Its number, which is never reused.
			household: HouseholdId,
		},
		/// The utility paid credit to a household that has left the game, in a settlement.
		#[codec(index = 24)]
		CreditPaid {
			/// The household.
			household: HouseholdId,
			/// Amount paid to the owner.
			paid: Balance,
			/// Amount still owed.
			credit: Balance,
		},
		/// The operator offered a membership. Nobody is bound by it yet.
		#[codec(index = 25)]
		MembershipOffered {
			/// The community.
			community: CommunityId,
			/// The number that the household will have.
			household: HouseholdId,
			/// Who may accept.
			owner: T::AccountId,
			/// Which meter may confirm.
			meter: T::AccountId,
			/// Largest difference between generation and consumption in one era, Wh.
			connection_limit_wh: u32,
			/// The last era in which it can be accepted and confirmed.
			expires: EraIndex,
		},
		/// The owner accepted a membership, which waits for the meter's confirmation unless `HouseholdJoined` follows.
		#[codec(index = 26)]
		MembershipAccepted {
			/// The household.
			household: HouseholdId,
			/// The most that may leave the owner's free balance for one era.
			max_debit_per_era: Balance,
		},
		/// A meter confirmed that it measures a household, which waits for the owner's acceptance unless
		/// `HouseholdJoined` or `HouseholdChanged` follows.
		#[codec(index = 27)]
		MeterConfirmed {
			/// The household.
			household: HouseholdId,
			/// The meter's account.
			meter: T::AccountId,
		},
		/// An offer of membership was withdrawn, declined, or removed after its time.
		#[codec(index = 28)]
		OfferWithdrawn {
			/// The community.
			community: CommunityId,
			/// The number that the household would have had. It is not used again.
			household: HouseholdId,
		},
		/// An owner changed how much may leave its free balance for one era.
		#[codec(index = 29)]
		MaxDebitChanged {
			/// The household.
			household: HouseholdId,
			/// The new amount.
			max_debit_per_era: Balance,
		},
		/// The operator proposed a change of a household, or withdrew its proposal.
		#[codec(index = 30)]
		ChangeProposed {
			/// The household.
			household: HouseholdId,
			/// The change; `None` if the operator withdrew its proposal.
			change: Option<Change<T::AccountId>>,
		},
		/// The owner accepted a change, which waits for the new meter's confirmation unless `HouseholdChanged` follows.
		#[codec(index = 31)]
		ChangeAccepted {
			/// The household.
			household: HouseholdId,
			/// The change.
			change: Change<T::AccountId>,
		},
		/// The owner offered its household to another account, or withdrew its offer.
		#[codec(index = 32)]
		HouseholdOffered {
			/// The household.
			household: HouseholdId,
			/// Who may accept it; `None` if the owner withdrew its offer.
			new_owner: Option<T::AccountId>,
		},
		/// Another account accepted a household.
		#[codec(index = 33)]
		OwnerChanged {
			/// The household.
			household: HouseholdId,
			/// The new owner's account.
			owner: T::AccountId,
			/// The most that may leave the new owner's free balance for one era.
			max_debit_per_era: Balance,
			/// The first era whose strategies the new owner submits and whose bill it pays.
			from_era: EraIndex,
		},
		/// The utility wrote off what a household owed.
		#[codec(index = 34)]
		ArrearsWrittenOff {
			/// The household.
			household: HouseholdId,
			/// The amount that is no longer owed.
			arrears: Balance,
		},
		/// Governance changed what it allows the terms of a community.
		#[codec(index = 35)]
		TermsBoundsChanged {
			/// The community.
			community: CommunityId,
			/// The new bounds.
			bounds: TermsBounds,
		},
		/// Governance named another utility of a community.
		#[codec(index = 36)]
		UtilityChanged {
			/// The community.
			community: CommunityId,
			/// The new utility's account.
			utility: T::AccountId,
		},
		/// Governance closed a community without members.
		#[codec(index = 37)]
		CommunityClosed {
			/// The community. Its number is never reused.
			community: CommunityId,
			/// Received what the incentive pot had.
			beneficiary: T::AccountId,
			/// Amount from the pot.
			from_pot: Balance,
		},
		/// A meter reported an era after its settlement, or one that the chain missed. The household's bill of that era is
		/// worked out again.
		#[codec(index = 55)]
		LateReadingSettled {
			/// The community.
			community: CommunityId,
			/// The household.
			household: HouseholdId,
			/// The statement that takes the place of the earlier one.
			statement: Statement,
			/// What the household paid to the utility for the difference.
			paid: Balance,
			/// What the household received from the utility for the difference.
			received: Balance,
		},
	}

	/// Reasons for which a call fails. A failed call costs its fee and changes nothing else.
	#[pallet::error]
	pub enum Error<T> {
		/// No community has this number.
		#[codec(index = 0)]
		UnknownCommunity,
		/// No household has this number.
		#[codec(index = 1)]
		UnknownHousehold,
		/// Only the community's operator may do this.
		#[codec(index = 2)]
		NotOperator,
		/// Only the household's owner may do this, or a proxy of the owner.
		#[codec(index = 3)]
		NotOwner,
		/// The signing account is not a meter that has confirmed a household.
		#[codec(index = 4)]
		UnknownMeter,
		/// The meter has confirmed this household already, or another one.
		#[codec(index = 5)]
		MeterAlreadyRegistered,
		/// The community's households and open offers are as many as it may have (`MaxHouseholds`).
		#[codec(index = 6)]
		CommunityFull,
		/// The era clock has not started; retry in the next block.
		#[codec(index = 7)]
		ClockNotStarted,
		/// Only readings of one era are taken: the one that the chain saw before the running era.
		#[codec(index = 8)]
		ReadingForWrongEra,
		/// Strategies are taken only for the era after the running one.
		#[codec(index = 9)]
		StrategiesForWrongEra,
		/// The household already has a reading of this era; only one of quality `Corrected` can replace it.
		#[codec(index = 10)]
		ReadingAlreadySubmitted,
		/// The household was not a member of the community in this era.
		#[codec(index = 11)]
		NotMemberInEra,
		/// The difference between generation and consumption exceeds the household's connection limit.
		#[codec(index = 12)]
		OverConnectionLimit,
		/// A connection limit must be 1 Wh to the highest that governance allows in the community, at most 1 GWh, for each
		/// era.
		#[codec(index = 13)]
		ConnectionLimitOutOfRange,
		/// Generation and consumption are at most 1 GWh in an era.
		#[codec(index = 14)]
		EnergyOutOfRange,
		/// A submission needs at least one strategy.
		#[codec(index = 15)]
		NoStrategies,
		/// A submission has at most `MaxStrategies` strategies.
		#[codec(index = 16)]
		TooManyStrategies,
		/// A strategy's kind contradicts its net position: selling needs a surplus, buying a deficit, and neutral a
		/// difference below the meter resolution.
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
		/// The percentages of a preference must be 0 to 100.
		#[codec(index = 21)]
		PreferenceOutOfRange,
		/// Lambda must be a fraction above 1 and at most 65,536.
		#[codec(index = 22)]
		LambdaOutOfRange,
		/// The meter resolution must be 1 to 1,000 Wh.
		#[codec(index = 23)]
		ResolutionOutOfRange,
		/// Tariffs must satisfy imbalance export <= feed-in <= retail <= imbalance import.
		#[codec(index = 24)]
		TariffsOutOfOrder,
		/// A tariff or the grid fee is above 10^24 for each kWh.
		#[codec(index = 25)]
		TariffTooHigh,
		/// A name has at most 32 bytes.
		#[codec(index = 26)]
		NameTooLong,
		/// The household has no arrears.
		#[codec(index = 27)]
		NoArrears,
		/// The owner's account has no free funds above the minimum balance.
		#[codec(index = 28)]
		NothingToPayWith,
		/// No number is left for another community, household or era.
		#[codec(index = 29)]
		IdsExhausted,
		/// New terms need a notice: they begin at least `TermsNotice` eras after the running one.
		#[codec(index = 30)]
		NoticeTooShort,
		/// Nothing to change: this is the current value.
		#[codec(index = 31)]
		NothingToChange,
		/// The operator has suspended the household.
		#[codec(index = 32)]
		HouseholdSuspended,
		/// The operator has paused the community.
		#[codec(index = 33)]
		CommunityPaused,
		/// The household has no submission for the next era.
		#[codec(index = 34)]
		NothingSubmitted,
		/// The household has no reading of this era that could be corrected.
		#[codec(index = 35)]
		NothingToCorrect,
		/// Another meter measured the household in this era.
		#[codec(index = 36)]
		MeterNotActiveInEra,
		/// The meter before the last replacement could still report an era; retry when its eras are no longer kept.
		#[codec(index = 37)]
		MeterBeingReplaced,
		/// The signing account is not the data concentrator of the household's community.
		#[codec(index = 38)]
		NotConcentrator,
		/// The comfort range exceeds the community's comfort bounds.
		#[codec(index = 39)]
		ComfortOutOfBounds,
		/// Comfort bounds are empty: their lower end must be below their upper end.
		#[codec(index = 40)]
		ComfortBoundsEmpty,
		/// The household is leaving the community.
		#[codec(index = 41)]
		HouseholdLeaving,
		/// No offer of membership has this number.
		#[codec(index = 42)]
		UnknownOffer,
		/// The offer's time is over.
		#[codec(index = 43)]
		OfferExpired,
		/// The signing account is not the meter that the offer or the proposal names.
		#[codec(index = 44)]
		NotMeter,
		/// Nothing is proposed or offered that could be accepted.
		#[codec(index = 45)]
		NothingProposed,
		/// The operator now proposes another change than the one that was accepted.
		#[codec(index = 46)]
		ProposalDiffers,
		/// The owner has accepted this change already.
		#[codec(index = 47)]
		AlreadyAccepted,
		/// An era under the connection limit before the last one could still be reported; retry when it is no longer kept.
		#[codec(index = 48)]
		LimitBeingChanged,
		/// Only the community's utility may do this.
		#[codec(index = 49)]
		NotUtility,
		/// The household is in arrears.
		#[codec(index = 50)]
		HouseholdInArrears,
		/// The last handover is less than a day ago: its former owner's eras can still be settled. Retry later.
		#[codec(index = 51)]
		OwnerBeingChanged,
		/// The terms lie outside the bounds that governance set for the community.
		#[codec(index = 55)]
		OutsideBounds,
		/// The running era has ended, so the strategies of the next one are fixed; retry in some blocks.
		#[codec(index = 56)]
		GateClosed,
		/// The meter itself has reported this era, and only the meter corrects its own reading.
		#[codec(index = 57)]
		MeterHasReported,
		/// A community that is to be closed must have no members.
		#[codec(index = 58)]
		CommunityNotEmpty,
		/// Clearings and settlements are under way; retry in some blocks.
		#[codec(index = 59)]
		RoundUnderWay,
		/// The chain no longer knows the terms of this era: too many others have come into force since.
		#[codec(index = 60)]
		TermsForgotten,
		/// The household had another owner in this era, whose bills are final.
		#[codec(index = 61)]
		EraOfFormerOwner,
		/// The lowest price of the community and the grid fee together exceed retail.
		#[codec(index = 70)]
		GridFeeTooHigh,
		/// Two rewards at the cap exceed the grid fee, so energy passed in a circle could earn money.
		#[codec(index = 71)]
		RewardCapTooHigh,
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
		/// Create a community. The operator's account pays the minimum balance of the pool's account. The terms hold at
		/// once and must lie within `bounds`, as all later terms. The community takes part from the next round on.
		///
		/// Origin: governance.
		///
		/// Errors: `NameTooLong`, `LambdaOutOfRange`, `ResolutionOutOfRange`, `TariffsOutOfOrder`, `TariffTooHigh`,
		/// `GridFeeTooHigh`, `RewardCapTooHigh`, `ComfortBoundsEmpty`, `OutsideBounds`, `IdsExhausted`, or a token error
		/// if the operator cannot pay the minimum balance. Event: `CommunityCreated`.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::create_community())]
		pub fn create_community(
			origin: OriginFor<T>,
			name: Vec<u8>,
			operator: T::AccountId,
			utility: T::AccountId,
			terms: Terms,
			bounds: TermsBounds,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_create_community(name, operator, utility, terms, bounds)?;
			Ok(())
		}

		/// Announce new terms, which hold from `from_era` on, at least `TermsNotice` eras after the running one: rules,
		/// tariffs, grid fee, price rule, comfort bounds, incentive and reward cap, within the community's bounds. They
		/// replace an announcement that has not begun. Contracts keep the terms that they were made under. The game cuts
		/// a household's comfort range to the part within the comfort bounds; a household without such a
		/// part takes no part in the game.
		///
		/// Origin: the community's operator, signed.
		///
		/// Errors: `UnknownCommunity`, `NotOperator`, `LambdaOutOfRange`, `ResolutionOutOfRange`, `TariffsOutOfOrder`,
		/// `TariffTooHigh`, `GridFeeTooHigh`, `RewardCapTooHigh`, `ComfortBoundsEmpty`, `OutsideBounds`, `NoticeTooShort`.
		/// Event: `TermsChanged`.
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

		/// Change a household's comfort model: how it values its indoor temperature. `None` means comfortable at any
		/// temperature. Takes effect at the next gate closure.
		///
		/// Origin: the household's owner, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOwner`, `ComfortRangeEmpty`, `ComfortSensitivityNotPositive`,
		/// `ComfortCouldExceedOne`, `ComfortOutOfBounds`, `GateClosed`. Event: `ComfortChanged`.
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

		/// Set a household's standing preference, or remove it with `None`. For an era without submitted strategies,
		/// the chain derives them from the household's last reading by this preference, as long as one of the last four
		/// eras has a reading. Takes effect at the next gate closure.
		///
		/// Origin: the household's owner, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOwner`, `PreferenceOutOfRange`, `GateClosed`. Event: `PreferenceChanged`.
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

		/// Submit a household's strategies for the next era, with the expected generation in Wh. The game chooses one
		/// of them. Until gate closure another submission for the same era replaces this one.
		///
		/// Origin: the household's owner, signed. The fee grows with the number of strategies.
		///
		/// Errors: `UnknownHousehold`, `NotOwner`, `ClockNotStarted`, `GateClosed`, `StrategiesForWrongEra`,
		/// `NoStrategies`, `EnergyOutOfRange`, `HouseholdSuspended`, `HouseholdLeaving`, `CommunityPaused`, `TooManyStrategies`,
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

		/// Submit a meter's reading of the era that the chain saw before the running one. A meter reports an era once.
		/// Until the running era ends, a reading of quality `Corrected` replaces the meter's earlier one. The meter's
		/// reading takes the place of a data concentrator's.
		///
		/// Origin: the meter, signed. The first valid reading of an era costs no fee; everything else costs the
		/// ordinary fee.
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

		/// Pay as much of a household's arrears as the owner's free funds above the minimum balance allow. Every
		/// settlement does the same; this call does it at once.
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

		/// Name another operator of a community, with immediate effect. What the old one announced and has not begun is
		/// dropped: terms, a pause, a data concentrator.
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

		/// Name the community's data concentrator: an account that may report the readings of silent meters. `None` takes
		/// the right from the present one. Takes effect in the era after next.
		///
		/// Origin: the community's operator, signed.
		///
		/// Errors: `UnknownCommunity`, `NotOperator`, `NothingToChange`. Event: `ConcentratorChanged`.
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

		/// Pause or resume a community, with effect from the era after next. A paused community plays no game and takes
		/// no strategies. Contracts that are already made are settled; all further energy is traded with the main grid.
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

		/// Suspend or reinstate a household, with effect from the era after next. A suspended household plays no game and
		/// submits no strategies. Contracts that are already made are settled; all further energy is
		/// traded with the main grid.
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

		/// Withdraw the strategies for the next era. If there is a standing preference, the chain derives strategies
		/// from it instead.
		///
		/// Origin: the household's owner, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOwner`, `ClockNotStarted`, `GateClosed`, `NothingSubmitted`, `IdsExhausted`. Event:
		/// `StrategiesWithdrawn`.
		#[pallet::call_index(13)]
		#[pallet::weight(T::WeightInfo::withdraw_strategies())]
		pub fn withdraw_strategies(origin: OriginFor<T>, household: HouseholdId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_withdraw_strategies(who, household)
		}

		/// Submit readings of many households at once, by the rules of `submit_reading`. An invalid item is skipped,
		/// and an event names its position and the reason; the other items count.
		///
		/// Origin: the data concentrator, signed. The call costs a fee for each item, and succeeds even if every item
		/// is skipped, except for these errors.
		///
		/// Errors, with which no item counts: `NotConcentrator` if the signer is not the data concentrator of the first
		/// known household's community, `UnknownHousehold` if no household is known.
		///
		/// Events: `ReadingSubmitted` for each item that counts; `ReadingRefused` for each other one, with an error of
		/// `submit_reading`, `UnknownHousehold`, `NotConcentrator` or `MeterHasReported`.
		#[pallet::call_index(14)]
		#[pallet::weight(T::WeightInfo::submit_readings(items.len() as u32))]
		pub fn submit_readings(
			origin: OriginFor<T>,
			items: BoundedVec<ReadingItem, T::MaxHouseholds>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_submit_readings(who, items)
		}

		/// Leave the community after the running era. The household takes part in no further game; its contracts are
		/// delivered, read and settled. The settlement of its last era removes it and frees its meters if neither side
		/// owes anything. Later settlements still pay what the utility owes, but collect nothing from the owner: arrears
		/// stay on record until `repay_arrears` or `write_off_arrears`. One settlement removes at most 4 households.
		///
		/// Origin: the household's owner, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOwner`, `ClockNotStarted`, `HouseholdLeaving`. Events: `HouseholdLeaving`,
		/// and `HouseholdLeft` when it is removed.
		#[pallet::call_index(15)]
		#[pallet::weight(T::WeightInfo::leave())]
		pub fn leave(origin: OriginFor<T>, household: HouseholdId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			// By the block's time: the household takes part in an era that has begun.
			let last_era = Self::running_era();
			Self::as_owner(&who, household, |h| Self::start_leaving(household, h, last_era))
		}

		/// Remove a household from the community after the next era, by the rules of `leave`.
		///
		/// Origin: the community's operator, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOperator`, `ClockNotStarted`, `HouseholdLeaving`. Events:
		/// `HouseholdLeaving`, and `HouseholdLeft` when it is removed.
		#[pallet::call_index(16)]
		#[pallet::weight(T::WeightInfo::remove_household())]
		pub fn remove_household(origin: OriginFor<T>, household: HouseholdId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			// As with a suspension, the next game may have strategies already.
			let last_era = Self::running_era().saturating_add(1);
			Self::as_operator_of(&who, household, |h| Self::start_leaving(household, h, last_era))
		}

		/// Change what governance allows the operator of a community. Terms in force, announced terms and connection limits
		/// that were offered, proposed or agreed stay as they are.
		///
		/// Origin: governance.
		///
		/// Errors: `UnknownCommunity`. Event: `TermsBoundsChanged`.
		#[pallet::call_index(30)]
		#[pallet::weight(T::WeightInfo::set_terms_bounds())]
		pub fn set_terms_bounds(
			origin: OriginFor<T>,
			community: CommunityId,
			bounds: TermsBounds,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_set_terms_bounds(community, bounds)
		}

		/// Name another utility of a community, with immediate effect: it settles every era that is not settled yet, and
		/// takes over arrears and credits.
		///
		/// Origin: governance.
		///
		/// Errors: `UnknownCommunity`. Event: `UtilityChanged`.
		#[pallet::call_index(31)]
		#[pallet::weight(T::WeightInfo::set_utility())]
		pub fn set_utility(
			origin: OriginFor<T>,
			community: CommunityId,
			utility: T::AccountId,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_set_utility(community, utility)
		}

		/// Close a community without members, while no round is under way. What the incentive pot has goes to
		/// `beneficiary`, and the pool's minimum balance back to the operator. The community's contracts, statements and
		/// records are removed.
		///
		/// Origin: governance.
		///
		/// Errors: `UnknownCommunity`, `CommunityNotEmpty`, `RoundUnderWay`, or a token error. Event: `CommunityClosed`.
		#[pallet::call_index(32)]
		#[pallet::weight(T::WeightInfo::close_community())]
		pub fn close_community(
			origin: OriginFor<T>,
			community: CommunityId,
			beneficiary: T::AccountId,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_close_community(community, beneficiary)
		}

		/// Submit a meter's reading of an era that was settled without it (with an estimate, or with the word of a data
		/// concentrator) or that the chain missed, for as long as the era is retained. The household's bill of that era is
		/// worked out again and the difference moves between the household and the utility. Nothing new matches: what did
		/// not match before is at the imbalance prices. Contracts and other households' bills stay. A meter reports an era
		/// once.
		///
		/// Origin: the meter, signed. A valid late reading costs no fee.
		///
		/// Errors: `UnknownMeter`, `ClockNotStarted`, `ReadingForWrongEra`, `NotMemberInEra`, `MeterNotActiveInEra`,
		/// `NothingToCorrect`, `EnergyOutOfRange`, `OverConnectionLimit`, `RoundUnderWay`,
		/// `ReadingAlreadySubmitted`, `TermsForgotten`, `EraOfFormerOwner`. Event: `LateReadingSettled`.
		#[pallet::call_index(33)]
		#[pallet::weight(T::WeightInfo::submit_late_reading())]
		#[pallet::feeless_if(|origin: &OriginFor<T>, era: &EraIndex, reading: &Reading| -> bool {
			ensure_signed(origin.clone()).is_ok_and(|meter| Pallet::<T>::check_late(&meter, *era, reading).is_ok())
		})]
		pub fn submit_late_reading(origin: OriginFor<T>, era: EraIndex, reading: Reading) -> DispatchResult {
			let meter = ensure_signed(origin)?;
			Self::do_submit_late_reading(meter, era, reading)
		}

		/// Offer a membership to an owner and a meter. It binds nobody, and the offer's number becomes the household's
		/// when the owner has accepted and the meter has confirmed. `connection_limit_wh` is 1 Wh to the highest that
		/// governance allows. The offer puts `OfferDeposit` on hold until it is complete or withdrawn, and holds for
		/// `OfferLifetime` further eras. It keeps the meter's account alive, so the meter needs no funds.
		///
		/// Origin: the community's operator, signed.
		///
		/// Errors: `UnknownCommunity`, `NotOperator`, `ClockNotStarted`, `ConnectionLimitOutOfRange`, `CommunityFull`,
		/// `IdsExhausted`, or a token error if the operator cannot pay the deposit. Event: `MembershipOffered`.
		#[pallet::call_index(17)]
		#[pallet::weight(T::WeightInfo::offer_membership())]
		pub fn offer_membership(
			origin: OriginFor<T>,
			community: CommunityId,
			owner: T::AccountId,
			meter: T::AccountId,
			connection_limit_wh: u32,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_offer_membership(who, community, owner, meter, connection_limit_wh)
		}

		/// Accept a membership. At most `max_debit_per_era` leaves the owner's free balance for one era, whatever the
		/// meter reports; what is owed beyond it becomes arrears. Once the meter has confirmed as well, the household is a
		/// member: it may submit strategies for the next era at once, and its first reading is the one of the running
		/// era, which is due when that era has ended. Until then a further acceptance replaces this one.
		///
		/// Origin: the owner that the offer names, signed.
		///
		/// Errors: `UnknownOffer`, `NotOwner`, `OfferExpired`, `ComfortRangeEmpty`, `ComfortSensitivityNotPositive`,
		/// `ComfortCouldExceedOne`, `ComfortOutOfBounds`. Events: `MembershipAccepted`, and `HouseholdJoined` with the last
		/// consent.
		#[pallet::call_index(18)]
		#[pallet::weight(T::WeightInfo::accept_membership())]
		pub fn accept_membership(
			origin: OriginFor<T>,
			household: HouseholdId,
			max_debit_per_era: Balance,
			comfort: Option<Comfort>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_accept_membership(
				who,
				household,
				Acceptance {
					max_debit_per_era,
					comfort,
				},
			)
		}

		/// Confirm that the signing meter measures a household: one that is offered a membership, or one for which the
		/// operator proposes this meter. A meter measures one household.
		///
		/// Origin: the meter, signed. A valid confirmation costs no fee.
		///
		/// Errors: `UnknownOffer`, `NotMeter`, `OfferExpired`, `MeterAlreadyRegistered`, `MeterBeingReplaced`. Events:
		/// `MeterConfirmed`, and `HouseholdJoined` or `HouseholdChanged` with the last consent.
		#[pallet::call_index(19)]
		#[pallet::weight(T::WeightInfo::confirm_meter())]
		#[pallet::feeless_if(|origin: &OriginFor<T>, household: &HouseholdId| -> bool {
			ensure_signed(origin.clone()).is_ok_and(|meter| Pallet::<T>::is_confirmation(&meter, *household))
		})]
		pub fn confirm_meter(origin: OriginFor<T>, household: HouseholdId) -> DispatchResult {
			let meter = ensure_signed(origin)?;
			Self::do_confirm_meter(meter, household)
		}

		/// Withdraw an offer of membership that is not complete, or decline it. The deposit goes back to the account
		/// that paid it.
		///
		/// Origin: the community's operator, or the owner that the offer names, signed; anybody, signed, when its time
		/// is over.
		///
		/// Errors: `UnknownOffer`, `NotOperator`. Event: `OfferWithdrawn`.
		#[pallet::call_index(20)]
		#[pallet::weight(T::WeightInfo::withdraw_offer())]
		pub fn withdraw_offer(origin: OriginFor<T>, household: HouseholdId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_withdraw_offer(who, household)
		}

		/// Change how much may leave the owner's free balance for one era. Takes effect at once.
		///
		/// Origin: the household's owner, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOwner`. Event: `MaxDebitChanged`.
		#[pallet::call_index(21)]
		#[pallet::weight(T::WeightInfo::set_max_debit())]
		pub fn set_max_debit(
			origin: OriginFor<T>,
			household: HouseholdId,
			max_debit_per_era: Balance,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_max_debit(who, household, max_debit_per_era)
		}

		/// Propose another meter or another connection limit for a household. It holds from the era after the one in
		/// which the owner has accepted it and, if it is a meter, the meter has confirmed it. Until then the old one
		/// counts, and the old meter still reports the eras that it measured. The call replaces an earlier proposal;
		/// `None` withdraws it.
		///
		/// Origin: the community's operator, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOperator`, `ConnectionLimitOutOfRange`, `MeterAlreadyRegistered` if it is a
		/// meter of this household, `NothingToChange`. Event: `ChangeProposed`.
		#[pallet::call_index(22)]
		#[pallet::weight(T::WeightInfo::propose_change())]
		pub fn propose_change(
			origin: OriginFor<T>,
			household: HouseholdId,
			change: Option<Change<T::AccountId>>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_propose_change(who, household, change)
		}

		/// Accept the change that the operator proposes. The owner repeats it, so that it cannot accept another one than
		/// it has seen. A connection limit then holds from the next era on; a meter does so when it has confirmed as
		/// well.
		///
		/// Origin: the household's owner, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOwner`, `ClockNotStarted`, `NothingProposed`, `ProposalDiffers`,
		/// `AlreadyAccepted`, `MeterBeingReplaced`, `LimitBeingChanged`, `IdsExhausted`. Events: `ChangeAccepted`, and
		/// `HouseholdChanged` with the last consent.
		#[pallet::call_index(23)]
		#[pallet::weight(T::WeightInfo::accept_change())]
		pub fn accept_change(
			origin: OriginFor<T>,
			household: HouseholdId,
			change: Change<T::AccountId>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_accept_change(who, household, change)
		}

		/// Offer the household to another owner, who may accept it. The call replaces an earlier offer; `None` withdraws
		/// it.
		///
		/// Origin: the household's owner, signed.
		///
		/// Errors: `UnknownHousehold`, `NotOwner`, `HouseholdLeaving`. Event: `HouseholdOffered`.
		#[pallet::call_index(24)]
		#[pallet::weight(T::WeightInfo::offer_household())]
		pub fn offer_household(
			origin: OriginFor<T>,
			household: HouseholdId,
			new_owner: Option<T::AccountId>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_offer_household(who, household, new_owner)
		}

		/// Accept a household from its owner, from the next era but one on: the contracts and bills of earlier eras stay
		/// with the owner before. At most `max_debit_per_era` leaves the new owner's free balance for one era. The
		/// standing preference of the owner before ends at once.
		///
		/// Origin: the account to which the owner offered it, signed.
		///
		/// Errors: `UnknownHousehold`, `NothingProposed`, `HouseholdLeaving`, `HouseholdInArrears`, `ClockNotStarted`,
		/// `OwnerBeingChanged`, `IdsExhausted`. Event: `OwnerChanged`.
		#[pallet::call_index(25)]
		#[pallet::weight(T::WeightInfo::accept_household())]
		pub fn accept_household(
			origin: OriginFor<T>,
			household: HouseholdId,
			max_debit_per_era: Balance,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_accept_household(who, household, max_debit_per_era)
		}

		/// Write off what a household owes to the utility.
		///
		/// Origin: the community's utility, signed.
		///
		/// Errors: `UnknownHousehold`, `UnknownCommunity`, `NotUtility`, `NoArrears`. Event: `ArrearsWrittenOff`.
		#[pallet::call_index(26)]
		#[pallet::weight(T::WeightInfo::write_off_arrears())]
		pub fn write_off_arrears(origin: OriginFor<T>, household: HouseholdId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_write_off_arrears(who, household)
		}
	}
}
