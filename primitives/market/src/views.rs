//! What a runtime answers about its market, for wallets, operators and auditors.

use crate::{money::Balance, CommunityId, EraIndex, EraRecord, Phase, RoundState, Terms, Totals};
use alloc::vec::Vec;
use commonwatt_game::{Certificate, Log2};

commonwatt_game::view_types! {
	/// Where the chain stands in time, and what it takes.
	pub struct EraView {
		/// The running era.
		pub current: EraIndex,
		/// When it began, ms since the Unix epoch, UTC.
		pub started_ms: u64,
		/// When it ends, ms since the Unix epoch, UTC: gate closure for the next era.
		pub ends_ms: u64,
		/// Chain time, ms since the Unix epoch, UTC.
		pub now_ms: u64,
		/// The era that strategies are taken for.
		pub strategies_for: EraIndex,
		/// The era that readings are taken of.
		pub readings_of: Option<EraIndex>,
		/// The round under way.
		pub round: Option<RoundState>,
	}

	/// A community at a glance. `Community` is [`crate::Community`] with the chain's lists.
	pub struct Overview<Community, AccountId> {
		/// The community, with what is announced for later.
		pub community: Community,
		/// The terms of the running era.
		pub terms: Terms,
		/// Number of households.
		pub households: u32,
		/// Number of suspended households.
		pub suspended: u32,
		/// Number of households that are leaving.
		pub leaving: u32,
		/// What the households owe the utility.
		pub arrears: Balance,
		/// What the utility owes the households.
		pub credit: Balance,
		/// The account that buyers pay into and that pays sellers.
		pub pool: AccountId,
		/// The account of the incentive pot.
		pub pot: AccountId,
		/// The balance of the pot.
		pub pot_balance: Balance,
		/// The newest clearing.
		pub cleared: Option<EraRecord>,
		/// The newest settlement.
		pub settled: Option<EraRecord>,
	}

	/// The steps that are still to be taken.
	pub struct QueueView {
		/// The present phase; `None` where no round is under way.
		pub phase: Option<Phase>,
		/// The era that is being solved.
		pub solving: Option<EraIndex>,
		/// The era that is being settled, or will be when all games are solved.
		pub settling: Option<EraIndex>,
		/// The community whose step is next.
		pub next: Option<CommunityId>,
		/// Number of steps left: games and settlements.
		pub steps: u32,
		/// Computation left, in picoseconds of the reference machine.
		pub ref_time: u64,
		/// Number of blocks that it will take.
		pub blocks: u32,
	}

	/// A community's result for an era, beside what could have been traded in it. The fields of [`EraRecord`] come first,
	/// in its order, so that whoever reads an `EraRecord` can read this too.
	#[derive(Copy)]
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
		/// Price of community energy for each kWh.
		pub price_per_kwh: Balance,
		/// Sums of the settlement; `None` until settled.
		pub settled: Option<Totals>,
		/// The most that could be traded at the consumption that the game chose, Wh: the smaller of all households' surplus
		/// and all households' deficit, those that chose the main grid included. `None` where a contract is missing.
		pub tradable_wh: Option<u64>,
	}

	/// Every strategy of one household's contract, with what it would have been worth against the others' equilibrium.
	pub struct Explanation {
		/// The strategy that the game chose, counted from 0.
		pub chosen: u8,
		/// Base-2 logarithm of each strategy's payoff, in units of 2^-32.
		pub payoffs_log2: Vec<Log2>,
	}
}
