//! The market's types as this program reads and writes them.
//!
//! They are matched by field and variant name against the metadata of the chain that is connected, so they need not
//! be generated and nothing binary lies beside them. Fields that nobody reads here are left out.

// `DecodeAsType` imports what a struct may not need; inside a macro of this crate that counts as written here.
#![allow(unused_imports)]

use serde::{Deserialize, Serialize};
use subxt::{
	ext::{scale_decode::DecodeAsType, scale_encode::EncodeAsType},
	utils::AccountId32,
};

/// Money in the smallest unit.
pub type Balance = u128;

/// Money in JSON is a string: most readers of JSON keep 53 bits of a number, and an amount needs more. So is a
/// difference of amounts.
pub mod money {
	use serde::{de::Error, Deserialize, Deserializer, Serializer};
	use std::{fmt::Display, str::FromStr};

	pub fn serialize<M: Display, S: Serializer>(money: &M, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(money)
	}

	pub fn deserialize<'de, M, D>(deserializer: D) -> Result<M, D::Error>
	where
		M: FromStr<Err: Display>,
		D: Deserializer<'de>,
	{
		String::deserialize(deserializer)?
			.parse()
			.map_err(D::Error::custom)
	}
}

/// A type that comes from the chain and may be kept in the journal.
macro_rules! from_chain {
	($(#[$meta:meta])* $vis:vis struct $name:ident $body:tt) => {
		$(#[$meta])*
		#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType, Serialize, Deserialize)]
		#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
		$vis struct $name $body
	};
	($(#[$meta:meta])* $vis:vis enum $name:ident $body:tt) => {
		$(#[$meta])*
		#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType, Serialize, Deserialize)]
		#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
		$vis enum $name $body
	};
}

/// A type that goes to the chain as well.
macro_rules! both_ways {
	($(#[$meta:meta])* $vis:vis struct $name:ident $body:tt) => {
		from_chain! {
			$(#[$meta])*
			#[derive(Copy, EncodeAsType)]
			#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
			$vis struct $name $body
		}
	};
	($(#[$meta:meta])* $vis:vis enum $name:ident $body:tt) => {
		from_chain! {
			$(#[$meta])*
			#[derive(Copy, EncodeAsType)]
			#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
			$vis enum $name $body
		}
	};
}

both_ways! {
	pub struct Ratio {
		pub numerator: u32,
		pub denominator: u32,
	}
}

both_ways! {
	pub struct Rules {
		pub lambda: Ratio,
		pub resolution_wh: u32,
	}
}

both_ways! {
	pub struct Tariffs {
		#[serde(with = "money")]
		pub retail_per_kwh: Balance,
		#[serde(with = "money")]
		pub feed_in_per_kwh: Balance,
		#[serde(with = "money")]
		pub imbalance_import_per_kwh: Balance,
		#[serde(with = "money")]
		pub imbalance_export_per_kwh: Balance,
		#[serde(with = "money")]
		pub grid_fee_per_kwh: Balance,
	}
}

both_ways! {
	pub enum PriceRule {
		MidMarket,
		SupplyDemandRatio,
	}
}

both_ways! {
	pub struct Terms {
		pub rules: Rules,
		pub tariffs: Tariffs,
		pub price_rule: PriceRule,
		#[serde(with = "money")]
		pub incentive_per_era: Balance,
		pub comfort_bounds: Option<ComfortBounds>,
	}
}

/// Terms for tests: round numbers, nothing optional.
#[cfg(test)]
pub const TEST_TERMS: Terms = Terms {
	rules: Rules {
		lambda: Ratio {
			numerator: 4,
			denominator: 1,
		},
		resolution_wh: 10,
	},
	tariffs: Tariffs {
		retail_per_kwh: 300,
		feed_in_per_kwh: 80,
		imbalance_import_per_kwh: 360,
		imbalance_export_per_kwh: 40,
		grid_fee_per_kwh: 10,
	},
	price_rule: PriceRule::MidMarket,
	incentive_per_era: 0,
	comfort_bounds: None,
};

both_ways! {
	/// What every comfort range of a community lies within.
	pub struct ComfortBounds {
		pub min_centi_c: i16,
		pub max_centi_c: i16,
	}
}

both_ways! {
	pub struct Comfort {
		pub min_centi_c: i16,
		pub max_centi_c: i16,
		pub a: Ratio,
	}
}

both_ways! {
	pub enum Kind {
		SellToCommunity,
		BuyFromCommunity,
		Neutral,
		BuyFromMain,
		SellToMain,
	}
}

both_ways! {
	pub struct Strategy {
		pub kind: Kind,
		pub consumption_wh: u32,
		pub temperature_centi_c: i16,
	}
}

both_ways! {
	pub enum Quality {
		Measured,
		Estimated,
		Corrected,
	}
}

both_ways! {
	pub struct Reading {
		pub generation_wh: u32,
		pub consumption_wh: u32,
		pub indoor_centi_c: i16,
		pub quality: Quality,
	}
}

from_chain! {
	#[derive(Copy)]
	pub struct Channels {
		pub sold_to_community_wh: u32,
		pub bought_from_community_wh: u32,
		pub sold_to_main_wh: u32,
		pub bought_from_main_wh: u32,
	}
}

from_chain! {
	#[derive(Copy)]
	pub enum Status {
		Equilibrium,
		Approximate,
	}
}

from_chain! {
	#[derive(Copy)]
	pub struct Certificate {
		pub status: Status,
		pub offered_wh: u64,
		pub requested_wh: u64,
		pub traded_wh: u64,
		/// Base-2 logarithm in units of 2^-32.
		pub max_gain: i64,
	}
}

from_chain! {
	#[derive(Copy)]
	pub struct EraRecord {
		pub era: u32,
		pub terms: Terms,
		pub players: u32,
		pub certificate: Certificate,
		pub sweeps: u32,
		pub starts: u32,
		#[serde(with = "money")]
		pub price_per_kwh: Balance,
		pub settled: Option<Totals>,
	}
}

from_chain! {
	/// A contract as the state has it.
	pub struct Contract {
		pub generation_wh: u32,
		/// Comfort that the game reckoned with.
		pub comfort: Option<Comfort>,
		pub strategies: Vec<Strategy>,
		pub chosen: u8,
		pub main_grid_only: bool,
		pub energy: Channels,
		#[serde(with = "money")]
		pub held: Balance,
	}
}

from_chain! {
	#[derive(Copy, Default)]
	pub struct Amounts {
		#[serde(with = "money")]
		pub paid_to_pool: Balance,
		#[serde(with = "money")]
		pub received_from_pool: Balance,
		#[serde(with = "money")]
		pub grid_fee: Balance,
		/// Received from the incentive pot.
		#[serde(with = "money")]
		pub reward: Balance,
		#[serde(with = "money")]
		pub paid_to_utility: Balance,
		#[serde(with = "money")]
		pub received_from_utility: Balance,
		#[serde(with = "money")]
		pub main_cost: Balance,
		#[serde(with = "money")]
		pub main_revenue: Balance,
		/// What the same metered energy would have cost with the main grid alone.
		#[serde(with = "money")]
		pub alone_cost: Balance,
		/// What the same metered energy would have earned with the main grid alone.
		#[serde(with = "money")]
		pub alone_revenue: Balance,
		#[serde(with = "money")]
		pub arrears: Balance,
		#[serde(with = "money")]
		pub credit: Balance,
	}
}

impl Amounts {
	/// By how much the era was cheaper than the same metered energy with the main grid alone; negative where dearer.
	pub fn savings(&self) -> i128 {
		let net = |costs: &[Balance], revenues: &[Balance]| {
			costs.iter().sum::<Balance>() as i128 - revenues.iter().sum::<Balance>() as i128
		};
		net(&[self.alone_cost], &[self.alone_revenue])
			- net(
				&[self.paid_to_pool, self.grid_fee, self.main_cost],
				&[self.received_from_pool, self.main_revenue],
			)
	}
}

from_chain! {
	/// What was delivered, as the game values it.
	#[derive(Copy)]
	pub struct Delivered {
		pub comfort_ppm: u32,
		/// Base-2 logarithm in units of 2^-32.
		pub payoff: i64,
	}
}

from_chain! {
	#[derive(Copy)]
	pub struct Statement {
		pub era: u32,
		pub reading: Reading,
		pub energy: Channels,
		pub imbalance_import_wh: u32,
		pub imbalance_export_wh: u32,
		#[serde(with = "money")]
		pub price_per_kwh: Balance,
		/// Nothing without a contract, or without a reading.
		pub delivered: Option<Delivered>,
		pub amounts: Amounts,
	}
}

from_chain! {
	#[derive(Copy, Default)]
	pub struct Totals {
		pub households: u32,
		pub missing_readings: u32,
		pub community_wh: u64,
		pub bought_from_main_wh: u64,
		pub sold_to_main_wh: u64,
		#[serde(with = "money")]
		pub through_pool: Balance,
		#[serde(with = "money")]
		pub grid_fees: Balance,
		#[serde(with = "money")]
		pub rewards: Balance,
		#[serde(with = "money")]
		pub to_utility: Balance,
		#[serde(with = "money")]
		pub from_utility: Balance,
	}
}

from_chain! {
	pub struct Community {
		pub name: Vec<u8>,
		pub operator: AccountId32,
		pub utility: AccountId32,
		pub terms: Terms,
	}
}

from_chain! {
	pub struct Household {
		pub community: u32,
		pub owner: AccountId32,
		pub meter: AccountId32,
		pub connection_limit_wh: u32,
		pub comfort: Option<Comfort>,
	}
}

from_chain! {
	/// What a household and the utility owe each other.
	#[derive(Copy, Default)]
	pub struct Debt {
		#[serde(with = "money")]
		pub arrears: Balance,
		#[serde(with = "money")]
		pub credit: Balance,
	}
}

from_chain! {
	/// The newest two readings of a household, of different eras.
	pub struct Metered {
		pub era: u32,
		pub reading: Reading,
		pub before: Option<(u32, Reading)>,
	}
}

impl Metered {
	/// The reading of an era.
	pub fn of(&self, era: u32) -> Option<Reading> {
		self.newest_first()
			.find(|(of, _)| *of == era)
			.map(|(_, reading)| reading)
	}

	/// The newest reading of an era or of one before it.
	pub fn until(&self, era: u32) -> Option<Reading> {
		self.newest_first()
			.find(|(of, _)| *of <= era)
			.map(|(_, reading)| reading)
	}

	fn newest_first(&self) -> impl Iterator<Item = (u32, Reading)> {
		[Some((self.era, self.reading)), self.before]
			.into_iter()
			.flatten()
	}
}

from_chain! {
	/// What the retained eras came to for one household.
	pub struct Bill {
		pub first_era: u32,
		pub last_era: u32,
		pub eras: u32,
		/// By channel, in the order of [`Channels`].
		pub energy_wh: [u64; 4],
		#[serde(with = "money")]
		pub reward: Balance,
		#[serde(with = "money")]
		pub cost: Balance,
		#[serde(with = "money")]
		pub revenue: Balance,
		#[serde(with = "money")]
		pub alone_cost: Balance,
		#[serde(with = "money")]
		pub alone_revenue: Balance,
		#[serde(with = "money")]
		pub savings: i128,
	}
}

from_chain! {
	/// The code that the state was last made fit for: that of the runtime that executed the block.
	pub struct LastRuntimeUpgrade {
		pub spec_version: u32,
	}
}

from_chain! {
	/// Clearing under way; only that it is matters here.
	pub struct RoundState {
		pub solve_era: u32,
	}
}

from_chain! {
	pub struct EraView {
		pub current: u32,
		pub started_ms: u64,
		pub ends_ms: u64,
		pub now_ms: u64,
		pub readings_of: Option<u32>,
		pub round: Option<RoundState>,
	}
}

from_chain! {
	/// What happened in the market; the names are the pallet's.
	pub enum MarketEvent {
		CommunityCreated { community: u32 },
		HouseholdRegistered { community: u32, household: u32, comfort: Option<Comfort> },
		TermsChanged { community: u32 },
		ComfortChanged { household: u32, comfort: Option<Comfort> },
		PreferenceChanged { household: u32 },
		StrategiesSubmitted { household: u32, era: u32, generation_wh: u32, strategies: Vec<Strategy> },
		ReadingSubmitted { household: u32, era: u32, reading: Reading },
		EraStarted { era: u32, readings_of: Option<u32>, settling: Option<u32> },
		ErasMissed { first: u32, last: u32 },
		ContractMade {
			community: u32,
			era: u32,
			household: u32,
			generation_wh: u32,
			strategy: Strategy,
			chosen: u8,
			main_grid_only: bool,
			energy: Channels,
			#[serde(with = "money")]
			held: Balance,
		},
		EraCleared { community: u32, record: EraRecord },
		ClearingFailed { community: u32, era: u32 },
		HouseholdSettled { community: u32, household: u32, statement: Statement },
		EraSettled { community: u32, era: u32, totals: Totals },
		ArrearsRepaid {
			household: u32,
			#[serde(with = "money")]
			paid: Balance,
			#[serde(with = "money")]
			arrears: Balance,
		},
		OperatorChanged { community: u32 },
		ConcentratorChanged { community: u32 },
		CommunityPaused { community: u32 },
		HouseholdSuspended { household: u32 },
		MeterReplaced { household: u32 },
		StrategiesWithdrawn { household: u32, era: u32 },
		ReadingRefused { household: u32 },
		HouseholdLeaving { household: u32, last_era: u32 },
		HouseholdLeft { community: u32, household: u32 },
		CreditPaid {
			household: u32,
			#[serde(with = "money")]
			paid: Balance,
			#[serde(with = "money")]
			credit: Balance,
		},
	}
}

/// Calls, by pallet; what a batch or Sudo carries has this shape too.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub enum RuntimeCall {
	EnergyMarket(MarketCall),
	Balances(BalancesCall),
}

/// Calls of the market.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
#[allow(non_camel_case_types)]
pub enum MarketCall {
	create_community {
		name: Vec<u8>,
		operator: AccountId32,
		utility: AccountId32,
		terms: Terms,
	},
	register_household {
		community: u32,
		owner: AccountId32,
		meter: AccountId32,
		connection_limit_wh: u32,
		comfort: Option<Comfort>,
	},
}

/// Calls of the balances.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
#[allow(non_camel_case_types)]
pub enum BalancesCall {
	transfer_keep_alive { dest: Address, value: Balance },
}

/// How a call names an account.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub enum Address {
	Id(AccountId32),
}

/// Arguments of `submit_strategies`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct SubmitStrategies {
	pub household: u32,
	pub era: u32,
	pub generation_wh: u32,
	pub strategies: Vec<Strategy>,
}

/// Arguments of `submit_reading`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct SubmitReading {
	pub era: u32,
	pub reading: Reading,
}

/// Arguments of `Utility.batch_all`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct Batch {
	pub calls: Vec<RuntimeCall>,
}

/// Arguments of `Sudo.sudo`.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
pub struct Sudo {
	pub call: RuntimeCall,
}

impl Channels {
	/// From net positions, positive when sold.
	pub fn from_net(community_wh: i64, main_wh: i64) -> Self {
		let sold = |wh: i64| u32::try_from(wh.max(0)).unwrap_or(u32::MAX);
		Self {
			sold_to_community_wh: sold(community_wh),
			bought_from_community_wh: sold(-community_wh),
			sold_to_main_wh: sold(main_wh),
			bought_from_main_wh: sold(-main_wh),
		}
	}

	/// Net exchange with the community, positive when sold.
	pub fn community_wh(&self) -> i64 {
		i64::from(self.sold_to_community_wh) - i64::from(self.bought_from_community_wh)
	}

	/// Net exchange with the main grid, positive when sold.
	pub fn main_wh(&self) -> i64 {
		i64::from(self.sold_to_main_wh) - i64::from(self.bought_from_main_wh)
	}

	/// All four, in the order of the fields.
	pub fn all_wh(&self) -> [u64; 4] {
		[
			self.sold_to_community_wh,
			self.bought_from_community_wh,
			self.sold_to_main_wh,
			self.bought_from_main_wh,
		]
		.map(u64::from)
	}
}
