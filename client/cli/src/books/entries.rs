//! Bookkeeping: one rule for each kind of event.

use super::state::{signed, Account, State};
use crate::chain::{
	balances::{BalancesEvent, HoldReason, Status},
	types::{Balance, CommunityId, Debt, HouseholdId, MarketEvent, Statement, Totals},
};
use serde::Serialize;
use std::collections::BTreeMap;
use subxt::{ext::scale_decode::DecodeAsType, utils::AccountId32};

/// An event that the books have a rule for.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub enum Entry {
	Balances(BalancesEvent),
	EnergyMarket(Box<MarketEvent>),
	System(SystemEvent),
	TransactionPayment(PaymentEvent),
}

/// Creation and removal of accounts.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub enum SystemEvent {
	NewAccount { account: AccountId32 },
	KilledAccount { account: AccountId32 },
}

/// The fee of a transaction. Its withdrawal, and the refund of what was too much, are events of the balances.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub enum PaymentEvent {
	TransactionFeePaid { actual_fee: Balance },
}

/// Whether the books have a rule for an event, by the names of its pallet and its own.
pub fn is_entered(pallet: &str, event: &str) -> bool {
	match pallet {
		"Balances" | "EnergyMarket" | "TransactionPayment" => true,
		"System" => ["NewAccount", "KilledAccount"].contains(&event),
		_ => false,
	}
}

/// Energy of a household over all eras that were settled while the books were kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Energy {
	pub eras: u32,
	pub sold_to_community_wh: u64,
	pub bought_from_community_wh: u64,
	pub sold_to_main_wh: u64,
	pub bought_from_main_wh: u64,
}

impl Energy {
	/// Adds the energies of a number of eras, by channel.
	pub fn add(&mut self, eras: u32, [sold, bought, to_main, from_main]: [u64; 4]) {
		self.eras += eras;
		self.sold_to_community_wh += sold;
		self.bought_from_community_wh += bought;
		self.sold_to_main_wh += to_main;
		self.bought_from_main_wh += from_main;
	}

	/// The energies by channel, in the order of the fields.
	pub fn all_wh(&self) -> [u64; 4] {
		[
			self.sold_to_community_wh,
			self.bought_from_community_wh,
			self.sold_to_main_wh,
			self.bought_from_main_wh,
		]
	}
}

/// The books: what events say about accounts, debts, statements and energy.
pub struct Books {
	pub state: State,
	/// By household, including those that have left.
	pub energy: BTreeMap<HouseholdId, Energy>,
	/// Sum of all transaction fees, smallest unit.
	pub fees: Balance,
	/// Contradictions between events, and events that do not say what they moved.
	pub faults: Vec<String>,
	/// Number of eras that the chain retains.
	retained: u32,
	/// By community: statements of the era that is being settled.
	settling: BTreeMap<CommunityId, BTreeMap<HouseholdId, Statement>>,
}

impl Books {
	/// Opens the books with the state after a block.
	pub fn open(state: State, retained: u32) -> Self {
		Self {
			state,
			energy: BTreeMap::new(),
			fees: 0,
			faults: Vec::new(),
			retained,
			settling: BTreeMap::new(),
		}
	}

	/// Enters an event.
	pub fn enter(&mut self, block: u64, entry: Entry) {
		match entry {
			Entry::Balances(event) => self.enter_money(block, event),
			Entry::EnergyMarket(event) => self.enter_market(block, *event),
			Entry::System(SystemEvent::NewAccount { account }) => self.account(account).exists = true,
			Entry::System(SystemEvent::KilledAccount { account }) => self.account(account).exists = false,
			Entry::TransactionPayment(PaymentEvent::TransactionFeePaid { actual_fee }) => {
				self.fees += actual_fee
			}
		}
	}

	/// Closes the books after the last event: removes empty accounts, computes the bills, and compares the sum of all
	/// accounts with the total issuance.
	pub fn close(&mut self) {
		for account in self.state.accounts.values_mut() {
			account.held.retain(|_, amount| *amount != 0);
		}
		// The event that removes an account comes before the one that takes its last funds, so empty accounts go only
		// now.
		self.state
			.accounts
			.retain(|_, account| *account != Account::default());
		self.state.make_bills();
		let owned: i128 = self.state.accounts.values().map(Account::total).sum();
		if owned != self.state.issuance {
			self.faults.push(format!(
				"the accounts have {owned} in total, but the total issuance is {}",
				self.state.issuance
			));
		}
	}

	fn account(&mut self, account: AccountId32) -> &mut Account {
		self.state.accounts.entry(account).or_default()
	}

	fn free(&mut self, account: AccountId32) -> &mut i128 {
		&mut self.account(account).free
	}

	fn held(&mut self, account: AccountId32, reason: HoldReason) -> &mut i128 {
		self.account(account)
			.held
			.entry(format!("{reason:?}"))
			.or_default()
	}

	/// Enters events that change accounts, but not the total issuance. A fee is withdrawn before the transaction, and
	/// the part that was too much is deposited after it; the rest is burned as a debt that belongs to no account.
	fn enter_money(&mut self, block: u64, event: BalancesEvent) {
		use BalancesEvent::*;
		match event {
			Transfer { from, to, amount } => {
				*self.free(from) -= signed(amount);
				*self.free(to) += signed(amount);
			}
			Deposit { who, amount } => *self.free(who) += signed(amount),
			Withdraw { who, amount } | DustLost { account: who, amount } => *self.free(who) -= signed(amount),
			BalanceSet { who, free } => *self.free(who) = signed(free),
			Reserved { who, amount } => self.reserve(who, signed(amount)),
			Unreserved { who, amount } => self.reserve(who, -signed(amount)),
			ReserveRepatriated {
				from,
				to,
				amount,
				destination_status,
			} => {
				self.account(from).reserved -= signed(amount);
				match destination_status {
					Status::Free => *self.free(to) += signed(amount),
					Status::Reserved => self.account(to).reserved += signed(amount),
				}
			}
			Held { reason, who, amount } => self.hold(reason, who, signed(amount)),
			Released { reason, who, amount } => self.hold(reason, who, -signed(amount)),
			// The event does not say whether the receiver gets the amount free or on hold. The market always makes it
			// free.
			TransferOnHold {
				reason,
				source,
				dest,
				amount,
			} => {
				*self.held(source, reason) -= signed(amount);
				*self.free(dest) += signed(amount);
			}
			TransferAndHold {
				reason,
				source,
				dest,
				transferred,
			} => {
				*self.free(source) -= signed(transferred);
				*self.held(dest, reason) += signed(transferred);
			}
			other => self.enter_issuance(block, other),
		}
	}

	/// Enters events that change the total issuance, or nothing. Events that do not say what they moved become faults.
	fn enter_issuance(&mut self, block: u64, event: BalancesEvent) {
		use BalancesEvent::*;
		match event {
			Minted { who, amount } | Restored { who, amount } => {
				*self.free(who) += signed(amount);
				self.state.issuance += signed(amount);
			}
			Burned { who, amount } | Suspended { who, amount } => {
				*self.free(who) -= signed(amount);
				self.state.issuance -= signed(amount);
			}
			BurnedHeld { reason, who, amount } => {
				*self.held(who, reason) -= signed(amount);
				self.state.issuance -= signed(amount);
			}
			MintedCredit { amount } | Issued { amount } => self.state.issuance += signed(amount),
			BurnedDebt { amount } | Rescinded { amount } => self.state.issuance -= signed(amount),
			TotalIssuanceForced { new } => self.state.issuance = signed(new),
			// `Endowed` comes with the event of the payment that created the account; the others move nothing.
			Endowed {} | Upgraded {} | Locked {} | Unlocked {} | Frozen {} | Thawed {} => (),
			other => self.faults.push(format!(
				"block {block}: this event does not say what it moved: {other:?}"
			)),
		}
	}

	/// Moves from free to reserved, or back if negative.
	fn reserve(&mut self, who: AccountId32, amount: i128) {
		let account = self.account(who);
		account.free -= amount;
		account.reserved += amount;
	}

	/// Moves from free to on hold, or back if negative.
	fn hold(&mut self, reason: HoldReason, who: AccountId32, amount: i128) {
		*self.free(who) -= amount;
		*self.held(who, reason) += amount;
	}

	fn debts(&mut self, household: HouseholdId) -> &mut Debt {
		self.state.households.entry(household).or_default()
	}

	fn enter_market(&mut self, block: u64, event: MarketEvent) {
		match event {
			MarketEvent::HouseholdJoined { household, .. } => {
				self.debts(household);
			}
			MarketEvent::HouseholdLeft { household, .. } => {
				self.state.households.remove(&household);
			}
			MarketEvent::ArrearsRepaid {
				household, arrears, ..
			} => self.debts(household).arrears = arrears,
			MarketEvent::ArrearsWrittenOff { household, .. } => self.debts(household).arrears = 0,
			// The books of an era keep the statements as they were settled.
			MarketEvent::LateReadingSettled {
				household, statement, ..
			} => {
				let (arrears, credit) = (statement.amounts.arrears, statement.amounts.credit);
				*self.debts(household) = Debt { arrears, credit };
			}
			MarketEvent::CreditPaid {
				household, credit, ..
			} => self.debts(household).credit = credit,
			MarketEvent::HouseholdSettled {
				community,
				household,
				statement,
			} => {
				let amounts = &statement.amounts;
				let (arrears, credit) = (amounts.arrears, amounts.credit);
				*self.debts(household) = Debt { arrears, credit };
				let energy = self.energy.entry(household).or_default();
				energy.add(1, statement.billed_wh());
				self.settling
					.entry(community)
					.or_default()
					.insert(household, statement);
			}
			MarketEvent::EraSettled {
				community,
				era,
				totals,
			} => self.enter_settlement(block, community, era, &totals),
			// The other events move neither money nor energy.
			_ => (),
		}
	}

	/// Enters the settlement of a community's era. Its statements replace those of the era `retained` eras before it.
	fn enter_settlement(&mut self, block: u64, community: CommunityId, era: u32, totals: &Totals) {
		let statements = self.settling.remove(&community).unwrap_or_default();
		let mut sum = Energy::default();
		for statement in statements.values() {
			sum.add(1, statement.billed_wh());
		}
		let told = [
			totals.community_wh,
			totals.community_wh,
			totals.sold_to_main_wh,
			totals.bought_from_main_wh,
		];
		if (sum.eras, sum.all_wh()) != (totals.households, told) {
			self.faults.push(format!(
				"block {block}: era {era} of community {community} has {} statements and {:?} Wh by channel, but \
				 its totals are {totals:?}",
				sum.eras,
				sum.all_wh()
			));
		}
		let (eras, retained) = (self.state.statements.entry(community).or_default(), self.retained);
		eras.retain(|older, _| older.checked_rem(retained) != era.checked_rem(retained));
		if !statements.is_empty() {
			eras.insert(era, statements);
		} else if eras.is_empty() {
			// As in the state, which has no entry of a community without statements.
			self.state.statements.remove(&community);
		}
	}
}
