//! A community's market events in one block, and whether money moved as they say.

use super::{
	balances::BalancesEvent,
	types::{Balance, CommunityId, Household, HouseholdId, MarketEvent, Statement},
	At, Node,
};
use crate::fault::{Fault, OrFault};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use subxt::{config::substrate::H256, events::Phase, ext::scale_decode::DecodeAsType, utils::AccountId32};

/// A block, as far as one community is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockLog {
	/// Its number.
	pub number: u64,
	/// Its hash.
	pub hash: H256,
	/// The community's events in it, in their order.
	pub events: Vec<MarketEvent>,
	/// `spec_version` of the runtime that executed the block, if the block clears or settles an era of the community.
	/// `None` in other blocks, and if it is unknown.
	#[serde(default)]
	pub spec_version: Option<u32>,
	/// Contradictions between the balances' events and the market's; empty if money moved as it should.
	pub money_faults: Vec<String>,
}

/// An event of the market or of the balances.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub enum RuntimeEvent {
	/// Of the market.
	EnergyMarket(Box<MarketEvent>),
	/// Of the balances.
	Balances(BalancesEvent),
}

/// All events of the market in a block, in their order.
pub async fn of_market(at: &At) -> Result<Vec<MarketEvent>, Fault> {
	let mut found = Vec::new();
	for event in at.events().fetch().await.or_fault()?.iter() {
		let event = event.or_fault()?;
		if event.pallet_name() != "EnergyMarket" {
			continue;
		}
		if let RuntimeEvent::EnergyMarket(event) = event.decode_as().or_fault()? {
			found.push(*event);
		}
	}
	Ok(found)
}

/// The balances' events that contracts and settlements emit.
const MONEY_EVENTS: [&str; 3] = ["Transfer", "TransferOnHold", "Held"];

/// Reads blocks for one community.
pub struct Scanner {
	community: CommunityId,
	members: BTreeSet<HouseholdId>,
	/// Owners and community of households, and accounts of communities. These are of all communities, because several
	/// may clear in one block.
	households: BTreeMap<HouseholdId, Household>,
	accounts: BTreeMap<CommunityId, Accounts>,
}

#[derive(Clone, Copy)]
struct Accounts {
	pool: AccountId32,
	pot: AccountId32,
	operator: AccountId32,
	utility: AccountId32,
}

/// Net change of each account, positive = received. Smallest unit.
#[derive(Default)]
struct Flows(BTreeMap<AccountId32, i128>);

impl Flows {
	fn pay(&mut self, from: &AccountId32, to: &AccountId32, amount: Balance) {
		let amount = i128::try_from(amount).unwrap_or(i128::MAX);
		*self.0.entry(*from).or_default() -= amount;
		*self.0.entry(*to).or_default() += amount;
	}

	fn add(&mut self, to: &AccountId32, amount: Balance) {
		*self.0.entry(*to).or_default() += i128::try_from(amount).unwrap_or(i128::MAX);
	}

	/// Adds the payments of one statement.
	fn settle(&mut self, owner: &AccountId32, accounts: &Accounts, statement: &Statement) {
		let amounts = &statement.amounts;
		self.pay(owner, &accounts.pool, amounts.paid_to_pool);
		self.pay(&accounts.pool, owner, amounts.received_from_pool);
		self.pay(owner, &accounts.operator, amounts.grid_fee);
		self.pay(&accounts.pot, owner, amounts.reward);
		self.pay(owner, &accounts.utility, amounts.paid_to_utility);
		self.pay(&accounts.utility, owner, amounts.received_from_utility);
	}

	/// Describes the accounts whose change differs from the expected one.
	fn differences(&self, expected: &Self) -> Vec<String> {
		let accounts: BTreeSet<_> = self.0.keys().chain(expected.0.keys()).collect();
		let of = |flows: &Self, account| flows.0.get(account).copied().unwrap_or(0);
		accounts
			.into_iter()
			.map(|account| (account, of(self, account), of(expected, account)))
			.filter(|(_, moved, expected)| moved != expected)
			.map(|(account, moved, expected)| {
				format!("account {account} changed by {moved}, but the market's events say {expected}")
			})
			.collect()
	}
}

impl Scanner {
	/// A scanner for a community with these households.
	pub fn new(community: CommunityId, members: impl IntoIterator<Item = HouseholdId>) -> Self {
		Self {
			community,
			members: members.into_iter().collect(),
			households: BTreeMap::new(),
			accounts: BTreeMap::new(),
		}
	}

	/// Reads a block.
	pub async fn read(&mut self, node: &Node, number: u64) -> Result<BlockLog, Fault> {
		let at = &node.at(number).await?;
		// The first `transactions` of the market's events precede the block's end, the others belong to it.
		let (mut market, mut transactions, mut balances) = (Vec::new(), 0, Vec::new());
		for event in at.events().fetch().await.or_fault()?.iter() {
			let event = event.or_fault()?;
			let at_end = event.phase() == Phase::Finalization;
			match event.pallet_name() {
				"EnergyMarket" => (),
				"Balances" if at_end && MONEY_EVENTS.contains(&event.event_name()) => (),
				_ => continue,
			}
			match event.decode_as::<RuntimeEvent>().or_fault()? {
				RuntimeEvent::EnergyMarket(event) => market.push(*event),
				RuntimeEvent::Balances(event) => balances.push(event),
			}
			if !at_end {
				transactions = market.len();
			}
		}
		for event in &market {
			match event {
				MarketEvent::OperatorChanged { community } | MarketEvent::UtilityChanged { community } => {
					self.accounts.remove(community);
				}
				MarketEvent::HouseholdJoined {
					community, household, ..
				} if *community == self.community => {
					self.members.insert(*household);
				}
				MarketEvent::OwnerChanged { household } => {
					self.households.remove(household);
				}
				_ => (),
			}
		}
		let money_faults = self
			.check_money((node, at), &market[transactions..], &balances)
			.await?;
		market.retain(|event| self.concerns(event));
		let clears = |event: &MarketEvent| {
			matches!(
				event,
				MarketEvent::EraCleared { .. } | MarketEvent::EraSettled { .. }
			)
		};
		let spec_version = match market.iter().any(clears) {
			true => super::executed_by(at).await?,
			false => None,
		};
		Ok(BlockLog {
			number: at.block_number(),
			hash: at.block_hash(),
			events: market,
			spec_version,
			money_faults,
		})
	}

	fn concerns(&self, event: &MarketEvent) -> bool {
		use MarketEvent::*;
		match event {
			EraStarted { .. } | ErasMissed { .. } => true,
			StrategiesSubmitted { household, .. }
			| ReadingSubmitted { household, .. }
			| ComfortChanged { household, .. }
			| PreferenceChanged { household }
			| HouseholdSuspended { household }
			| HouseholdChanged { household }
			| MembershipAccepted { household }
			| MeterConfirmed { household }
			| MaxDebitChanged { household }
			| ChangeProposed { household }
			| ChangeAccepted { household }
			| HouseholdOffered { household }
			| OwnerChanged { household }
			| ArrearsWrittenOff { household, .. }
			| StrategiesWithdrawn { household, .. }
			| ReadingRefused { household }
			| HouseholdLeaving { household, .. }
			| CreditPaid { household, .. }
			| ArrearsRepaid { household, .. } => self.members.contains(household),
			CommunityCreated { community }
			| TermsChanged { community }
			| OperatorChanged { community }
			| ConcentratorChanged { community }
			| CommunityPaused { community }
			| TermsBoundsChanged { community }
			| UtilityChanged { community }
			| CommunityClosed { community }
			| LateReadingSettled { community, .. }
			| HouseholdJoined { community, .. }
			| MembershipOffered { community }
			| OfferWithdrawn { community }
			| HouseholdLeft { community, .. }
			| ContractMade { community, .. }
			| EraCleared { community, .. }
			| ClearingFailed { community, .. }
			| HouseholdSettled { community, .. }
			| EraSettled { community, .. } => *community == self.community,
		}
	}

	/// Compares, account by account, the movements and holds at a block's end that the market reports with those that
	/// the balances report.
	async fn check_money(
		&mut self,
		chain: (&Node, &At),
		market: &[MarketEvent],
		balances: &[BalancesEvent],
	) -> Result<Vec<String>, Fault> {
		let (mut moved, mut held) = (Flows::default(), Flows::default());
		for event in balances {
			match event {
				BalancesEvent::Transfer { from, to, amount } => moved.pay(from, to, *amount),
				BalancesEvent::TransferOnHold {
					source, dest, amount, ..
				} => moved.pay(source, dest, *amount),
				BalancesEvent::Held { who, amount, .. } => held.add(who, *amount),
				_ => (),
			}
		}
		let (expected, expected_held) = self.expected(chain, market).await?;
		let mut faults = moved.differences(&expected);
		let held = held.differences(&expected_held).into_iter();
		faults.extend(held.map(|fault| format!("holds: {fault}")));
		Ok(faults)
	}

	/// The movements and holds that the market's events report.
	async fn expected(
		&mut self,
		(node, at): (&Node, &At),
		market: &[MarketEvent],
	) -> Result<(Flows, Flows), Fault> {
		let (mut moved, mut held) = (Flows::default(), Flows::default());
		let mut in_pools = BTreeMap::<CommunityId, i128>::new();
		for event in market {
			if let MarketEvent::EraSettled {
				community, totals, ..
			} = event
			{
				let accounts = self.accounts(at, *community).await?;
				moved.pay(&accounts.utility, &accounts.pot, totals.to_pot);
			}
			let (MarketEvent::ContractMade { household, .. }
			| MarketEvent::HouseholdSettled { household, .. }
			| MarketEvent::CreditPaid { household, .. }
			| MarketEvent::ArrearsRepaid { household, .. }) = event
			else {
				continue;
			};
			let household = self.household((node, at), *household).await?;
			let community = household.community;
			// Money of an era is the owner's of that era.
			let era = match event {
				MarketEvent::ContractMade { era, .. } => *era,
				MarketEvent::HouseholdSettled { statement, .. } => statement.era,
				_ => household.member_until.unwrap_or(u32::MAX),
			};
			let owner = *household.owner_in(era);
			let accounts = self.accounts(at, community).await?;
			match event {
				MarketEvent::ContractMade { held: amount, .. } => held.add(&owner, *amount),
				MarketEvent::HouseholdSettled { statement, .. } => {
					moved.settle(&owner, &accounts, statement);
					let amounts = &statement.amounts;
					*in_pools.entry(community).or_default() +=
						amounts.paid_to_pool as i128 - amounts.received_from_pool as i128;
				}
				// Old debts of a household that is leaving, in either direction.
				MarketEvent::CreditPaid { paid, .. } => moved.pay(&accounts.utility, &owner, *paid),
				MarketEvent::ArrearsRepaid { paid, .. } => moved.pay(&owner, &accounts.utility, *paid),
				_ => (),
			}
		}
		for (community, left) in in_pools {
			// Earnings that a seller's account could not take go to the utility, and are added to the seller's credit.
			let accounts = self.accounts(at, community).await?;
			let left = u128::try_from(left).unwrap_or(0);
			moved.pay(&accounts.pool, &accounts.utility, left);
		}
		Ok((moved, held))
	}

	/// A household.
	async fn household(
		&mut self,
		(node, at): (&Node, &At),
		household: HouseholdId,
	) -> Result<Household, Fault> {
		if let Some(known) = self.households.get(&household) {
			return Ok(known.clone());
		}
		let mut known = super::household(at, household).await?;
		if known.is_none() {
			// The household left in this block.
			let before = node.at(at.block_number().saturating_sub(1)).await?;
			known = super::household(&before, household).await?;
		}
		let known = known.ok_or_else(|| Fault::Chain(format!("the chain has no household {household}")))?;
		// Only what does not change is kept: `OwnerChanged` removes it.
		if known.member_until.is_none() {
			self.households.insert(household, known.clone());
		}
		Ok(known)
	}

	async fn accounts(&mut self, at: &At, community: CommunityId) -> Result<Accounts, Fault> {
		if let Some(accounts) = self.accounts.get(&community) {
			return Ok(*accounts);
		}
		let known = super::community(at, community).await?;
		let known = known.ok_or_else(|| Fault::Chain(format!("the chain has no community {community}")))?;
		let accounts = Accounts {
			pool: super::pool_account(at, community).await?,
			pot: super::pot_account(at, community).await?,
			operator: known.operator,
			utility: known.utility,
		};
		self.accounts.insert(community, accounts);
		Ok(accounts)
	}
}
