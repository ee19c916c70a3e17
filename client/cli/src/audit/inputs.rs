//! The inputs of a community's clearing and settlement, from the state of a block.

use super::proof::Evidence;
use crate::{
	chain::{
		balances::{AccountInfo, BalancesEvent},
		events::RuntimeEvent,
		types::{
			Balance, Community, CommunityId, Debt, Household, HouseholdId, LastRuntimeUpgrade, MarketEvent,
			Metered, RoundState, Submission,
		},
	},
	fault::{Fault, OrFault},
};
use commonwatt_market::Calendar;
use std::collections::BTreeMap;
use subxt::{events::Phase, ext::scale_decode::DecodeAsType, utils::AccountId32};

const MARKET: &str = "EnergyMarket";
/// The default length of an era, ms, which a chain does not store.
const HALF_HOUR_MS: u64 = 30 * 60 * 1_000;

/// The events of a block, as far as the audit of one community needs them.
#[derive(Default)]
pub struct Happened {
	/// The market's events of the block's end, of all communities.
	pub market: Vec<MarketEvent>,
	/// Change of each account's free balance in the block before the community's step, smallest unit.
	gained: BTreeMap<AccountId32, i128>,
	/// What transactions of the block did to debts, in their order.
	debts: Vec<(HouseholdId, DebtChange)>,
}

/// A household's debts after a transaction; `None` where it left them as they were.
struct DebtChange {
	arrears: Option<Balance>,
	credit: Option<Balance>,
}

impl Happened {
	/// Reads the events of a block. `begins` returns true for the first market event of the community's step.
	pub async fn read(evidence: &mut Evidence, begins: impl Fn(&MarketEvent) -> bool) -> Result<Self, Fault> {
		let mut happened = Self::default();
		// The balances' events come before the market's event that explains them. They wait here until that event shows
		// whether they belong to the community's step.
		let mut pending = Vec::new();
		let mut open = true;
		for event in evidence.events().await?.iter() {
			let event = event.or_fault()?;
			if !["EnergyMarket", "Balances"].contains(&event.pallet_name()) {
				continue;
			}
			let at_end = event.phase() == Phase::Finalization;
			match event.decode_as::<RuntimeEvent>().or_fault()? {
				RuntimeEvent::Balances(event) => pending.push(event),
				RuntimeEvent::EnergyMarket(event) if at_end => {
					open &= !begins(&event);
					if open {
						pending.drain(..).for_each(|event| happened.gain(event));
					}
					happened.market.push(*event);
				}
				RuntimeEvent::EnergyMarket(event) => {
					happened.change_debt(&event);
				}
			}
			if !at_end {
				pending.drain(..).for_each(|event| happened.gain(event));
			}
		}
		Ok(happened)
	}

	/// Notes what a transaction's event says about debts.
	fn change_debt(&mut self, event: &MarketEvent) {
		let (household, arrears, credit) = match event {
			MarketEvent::ArrearsRepaid {
				household, arrears, ..
			} => (household, Some(*arrears), None),
			MarketEvent::ArrearsWrittenOff { household, .. } => (household, Some(0), None),
			MarketEvent::LateReadingSettled {
				household, statement, ..
			} => {
				let amounts = &statement.amounts;
				(household, Some(amounts.arrears), Some(amounts.credit))
			}
			_ => return,
		};
		let change = DebtChange { arrears, credit };
		self.debts.push((*household, change));
	}

	/// Adds an event's changes of free balances to `gained`.
	fn gain(&mut self, event: BalancesEvent) {
		use BalancesEvent::*;
		let mut add = |who: AccountId32, amount: Balance, sign: i128| {
			*self.gained.entry(who).or_default() += sign * i128::try_from(amount).unwrap_or(i128::MAX);
		};
		match event {
			Transfer { from, to, amount } => {
				add(from, amount, -1);
				add(to, amount, 1);
			}
			Deposit { who, amount }
			| Minted { who, amount }
			| Restored { who, amount }
			| Unreserved { who, amount }
			| Released { who, amount, .. } => add(who, amount, 1),
			Withdraw { who, amount }
			| Burned { who, amount }
			| Suspended { who, amount }
			| Reserved { who, amount }
			| DustLost { account: who, amount }
			| Held { who, amount, .. } => add(who, amount, -1),
			TransferOnHold { dest, amount, .. } => add(dest, amount, 1),
			TransferAndHold {
				source, transferred, ..
			} => add(source, transferred, -1),
			_ => (),
		}
	}
}

/// The state before a block, the state after it, and the block's events.
pub struct Inputs {
	/// The parent's state.
	pub before: Evidence,
	/// The block's state.
	pub after: Evidence,
	/// The block's events.
	pub happened: Happened,
	/// The community's number.
	pub community: CommunityId,
}

impl Inputs {
	/// `spec_version` of the runtime that executed the block. It is proved like every other input, so that a node
	/// cannot have a false certificate excused by naming an old version.
	pub async fn executed_by(&mut self) -> Result<Option<u32>, Fault> {
		let last: Option<LastRuntimeUpgrade> = self.after.fetch(("System", "LastRuntimeUpgrade"), ()).await?;
		Ok(last.map(|last| last.spec_version))
	}

	/// The round that is under way before the block.
	pub async fn round(&mut self) -> Result<Option<RoundState>, Fault> {
		self.before.fetch((MARKET, "Round"), ()).await
	}

	/// How eras and days of the chain go together.
	pub async fn calendar(&mut self) -> Result<Calendar, Fault> {
		let first_era: Option<u32> = self.after.fetch((MARKET, "FirstEra"), ()).await?;
		let era_length_ms: Option<u64> = self.after.fetch((MARKET, "EraLengthMs"), ()).await?;
		Ok(Calendar::new(
			first_era.unwrap_or(0),
			era_length_ms.unwrap_or(HALF_HOUR_MS),
		))
	}

	/// The community at the block's end, including changes by transactions of the block.
	pub async fn community(&mut self) -> Result<Option<Community>, Fault> {
		let key = (self.community,);
		self.after.fetch((MARKET, "Communities"), key).await
	}

	/// The community's households before the block. The block's step works on these.
	pub async fn members(&mut self) -> Result<Vec<HouseholdId>, Fault> {
		let key = (self.community,);
		let members = self.before.fetch((MARKET, "Members"), key).await?;
		Ok(members.unwrap_or_default())
	}

	/// A household. If the block removed it, it is read from the state before.
	pub async fn household(&mut self, id: HouseholdId) -> Result<Option<Household>, Fault> {
		let after = self.after.fetch((MARKET, "Households"), (id,)).await?;
		match after {
			Some(household) => Ok(Some(household)),
			None => self.before.fetch((MARKET, "Households"), (id,)).await,
		}
	}

	/// A household's submission for an era.
	pub async fn submission(&mut self, id: HouseholdId, era: u32) -> Result<Option<Submission>, Fault> {
		let key = (id, era % 2);
		let found: Option<Submission> = self.after.fetch((MARKET, "Submissions"), key).await?;
		Ok(found.filter(|submission| submission.era == era))
	}

	/// The newest two readings of a household.
	pub async fn metered(&mut self, id: HouseholdId) -> Result<Option<Metered>, Fault> {
		let after = self.after.fetch((MARKET, "Readings"), (id,)).await?;
		match after {
			Some(metered) => Ok(Some(metered)),
			None => self.before.fetch((MARKET, "Readings"), (id,)).await,
		}
	}

	/// The debts before the block's end: those before the block, as changed by transactions of the block.
	pub async fn debts(&mut self) -> Result<BTreeMap<HouseholdId, Debt>, Fault> {
		let key = (self.community,);
		let book: Option<Vec<(HouseholdId, Debt)>> = self.before.fetch((MARKET, "Debts"), key).await?;
		let mut debts: BTreeMap<_, _> = book.unwrap_or_default().into_iter().collect();
		for (household, change) in &self.happened.debts {
			let debt = debts.entry(*household).or_default();
			debt.arrears = change.arrears.unwrap_or(debt.arrears);
			debt.credit = change.credit.unwrap_or(debt.credit);
		}
		Ok(debts)
	}

	/// What an account could spend before the community's step and still exist, smallest unit: its free balance less
	/// the larger of the minimum balance and the frozen funds that holds and reserves do not cover.
	pub async fn reducible(&mut self, account: AccountId32, minimum: Balance) -> Result<Balance, Fault> {
		let found: Option<AccountInfo> = self.before.fetch(("System", "Account"), (account.0,)).await?;
		let Some(AccountInfo { data, .. }) = found else {
			return Ok(0);
		};
		let gained = self.happened.gained.get(&account).copied().unwrap_or(0);
		let free = data.free.saturating_add_signed(gained);
		Ok(free.saturating_sub(minimum.max(data.frozen.saturating_sub(data.reserved))))
	}

	/// An entry of the community for an era, in the state after the block. `retained` is the length of the ring.
	pub async fn of_era<Value: DecodeAsType>(
		&mut self,
		item: &'static str,
		era: u32,
		retained: u32,
	) -> Result<Option<Value>, Fault> {
		let key = (self.community, era.checked_rem(retained).unwrap_or(0));
		self.after.fetch((MARKET, item), key).await
	}
}
