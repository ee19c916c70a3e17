//! Money and energy of a chain, in one type for the chain's state and for the books.

use crate::{
	chain::{
		self,
		balances::{AccountInfo, Hold},
		types::{money, Balance, Bill, CommunityId, Debt, Household, HouseholdId, Statement},
		At,
	},
	fault::Fault,
};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use subxt::utils::AccountId32;

/// An account. Amounts are signed, so that faulty books can show a negative balance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Account {
	/// Whether the account exists. An account without money exists if something else keeps it, as a meter's
	/// registration does.
	pub exists: bool,
	/// Free balance, smallest unit.
	#[serde(with = "money")]
	pub free: i128,
	/// Reserved without a reason, such as the deposit for a proxy.
	#[serde(with = "money")]
	pub reserved: i128,
	/// On hold, by reason.
	#[serde(serialize_with = "texts")]
	pub held: BTreeMap<String, i128>,
}

fn texts<S: Serializer>(amounts: &BTreeMap<String, i128>, serializer: S) -> Result<S::Ok, S::Error> {
	serializer.collect_map(
		amounts
			.iter()
			.map(|(reason, amount)| (reason, amount.to_string())),
	)
}

impl Account {
	/// Free, reserved and held funds together.
	pub fn total(&self) -> i128 {
		self.free + self.reserved + self.held.values().sum::<i128>()
	}
}

/// Statements of a community, by era and household.
pub type Statements = BTreeMap<u32, BTreeMap<HouseholdId, Statement>>;

/// Money and energy of a chain after a block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct State {
	#[serde(with = "money")]
	pub issuance: i128,
	pub accounts: BTreeMap<AccountId32, Account>,
	pub households: BTreeMap<HouseholdId, Debt>,
	/// Of the retained eras, by community.
	pub statements: BTreeMap<CommunityId, Statements>,
	/// Of the retained eras, by household.
	pub bills: BTreeMap<HouseholdId, Bill>,
}

/// An amount as a signed number.
pub fn signed(amount: Balance) -> i128 {
	i128::try_from(amount).unwrap_or(i128::MAX)
}

impl State {
	/// Reads the chain's state.
	pub async fn read(at: &At) -> Result<Self, Fault> {
		let issuance = chain::value(at, "Balances", "TotalIssuance").await?;
		let mut state = Self {
			issuance: signed(issuance.unwrap_or(0)),
			..Self::default()
		};
		state.read_accounts(at).await?;
		let households =
			chain::entries::<(HouseholdId,), Household>(at, "EnergyMarket", "Households").await?;
		for ((id,), _) in households {
			state.households.insert(id, Debt::default());
			if let Some(bill) = chain::bill(at, id, (0, u32::MAX)).await? {
				state.bills.insert(id, bill);
			}
		}
		let retained: u32 = chain::constant(at, "EnergyMarket", "RetainedEras")?;
		for community in (0..chain::community_count(at).await?).map(CommunityId) {
			state.households.extend(chain::debts(at, community).await?);
			// One era at a time: a community of 1,000 has 250 kB of statements in each, and a node's answer has at most
			// 15 MB.
			for slot in 0..retained {
				for (household, statement) in chain::statements_in_slot(at, community, slot).await? {
					let eras = state.statements.entry(community).or_default();
					eras.entry(statement.era)
						.or_default()
						.insert(household, statement);
				}
			}
		}
		Ok(state)
	}

	async fn read_accounts(&mut self, at: &At) -> Result<(), Fault> {
		for ((account,), info) in chain::entries::<([u8; 32],), AccountInfo>(at, "System", "Account").await? {
			let account = self.accounts.entry(AccountId32(account)).or_default();
			account.exists = true;
			account.free = signed(info.data.free);
			account.reserved = signed(info.data.reserved);
		}
		for ((account,), holds) in chain::entries::<([u8; 32],), Vec<Hold>>(at, "Balances", "Holds").await? {
			let account = self.accounts.entry(AccountId32(account)).or_default();
			for Hold { id, amount } in holds {
				// The account's `reserved` includes what is on hold.
				account.reserved -= signed(amount);
				account.held.insert(format!("{id:?}"), signed(amount));
			}
		}
		Ok(())
	}

	/// Computes the bills of the retained statements, for the registered households.
	pub fn make_bills(&mut self) {
		let mut bills = BTreeMap::<HouseholdId, Bill>::new();
		for (era, statements) in self.statements.values().flatten() {
			for (household, statement) in statements {
				if self.households.contains_key(household) {
					bills
						.entry(*household)
						.or_insert_with(|| Bill::empty(*household, *era))
						.add(statement);
				}
			}
		}
		self.bills = bills;
	}
}
