//! Money: wages, accounts that spend everything, the incentive pot.

use crate::{
	homes::POCKET,
	later::Later,
	world::{spendable, the_community, World, COMMUNITY},
};
use commonwatt_testkit::{by, now, AccountId, EnergyMarket, MarketCall, Sr25519Keyring, MILLI, UNIT};
use pallet_energy_market::Households;
use rand::Rng;
use std::ops::Range;

/// The amount that the utility gets when it has little left.
const UTILITY_FUNDS: u128 = 20_000 * UNIT;

/// The account that all payments come from and all spent money goes to.
fn treasury() -> AccountId {
	Sr25519Keyring::Alice.to_account_id()
}

impl World {
	pub fn put_off(&mut self, eras: Range<u32>, what: Later) {
		let era = now().current + self.rng.gen_range(eras);
		self.later.entry(era).or_default().push(what);
	}

	pub fn do_what_was_put_off(&mut self) {
		let still_later = self.later.split_off(&(now().current + 1));
		for what in std::mem::replace(&mut self.later, still_later)
			.into_values()
			.flatten()
		{
			match what {
				Later::Resume => {
					if the_community().paused {
						self.as_operator(
							MarketCall::set_paused {
								community: COMMUNITY,
								paused: false,
							},
							Ok(()),
						);
					}
				}
				Later::Unsuspend(household) => {
					if Households::<commonwatt_testkit::Runtime>::get(household).is_some_and(|h| h.suspended)
					{
						let resume = MarketCall::set_suspended {
							household,
							suspended: false,
						};
						self.as_operator(resume, Ok(()));
					}
				}
				Later::OtherTerms => self.announce_other_terms(),
				Later::OpeningTerms => self.announce_opening_terms(),
				Later::SpendAll(owner) => self.spend_all(&owner),
				Later::TopUp(owner) => self.top_up(&owner),
				Later::FillUtility => self.fill_utility(),
				Later::FillOperator => self.give(the_community().operator, POCKET),
			}
		}
	}

	/// Makes every owner owe something and terms end in the first eras, so that the storage entries for debts and ended
	/// terms exist before the size of the state is first measured.
	pub fn leave_traces(&mut self) {
		let owners = self
			.homes
			.values()
			.map(|home| Later::SpendAll(home.owner.clone()));
		self.later.insert(self.first_era + 1, owners.collect());
		for era in 1..6 {
			let later = self.later.entry(self.first_era + era).or_default();
			later.push(Later::OpeningTerms);
		}
	}

	/// Gives money to everybody who has little.
	pub fn fill_all(&mut self) {
		let poor: Vec<_> = self.homes.values().map(|home| home.owner.clone()).collect();
		for owner in poor {
			if self.broke.contains(&owner) || spendable(&owner) < POCKET / 4 {
				self.top_up(&owner);
			}
		}
		let community = the_community();
		if spendable(&community.utility) < UTILITY_FUNDS / 4 {
			self.fill_utility();
		}
		if spendable(&community.operator) < POCKET / 4 {
			self.give(community.operator, POCKET);
		}
	}

	/// Gives money to owners who have little, except to those who are broke on purpose.
	pub fn pay_wages(&mut self) {
		let owners: Vec<_> = self.homes.values().map(|home| home.owner.clone()).collect();
		for owner in owners {
			if !self.broke.contains(&owner) && spendable(&owner) < POCKET / 4 {
				self.give(owner, POCKET);
			}
		}
	}

	pub fn top_up(&mut self, owner: &AccountId) {
		self.broke.remove(owner);
		self.give(owner.clone(), POCKET);
	}

	fn fill_utility(&mut self) {
		let utility = the_community().utility;
		self.broke.remove(&utility);
		self.give(utility, UTILITY_FUNDS);
	}

	fn give(&mut self, to: AccountId, value: u128) {
		let transfer = pallet_balances::Call::transfer_keep_alive {
			dest: to.into(),
			value,
		};
		self.act(by(treasury(), transfer), Ok(()));
	}

	/// Empties accounts and fills the incentive pot, each when it is due.
	pub fn spend(&mut self) {
		if self.is_due("owner spends all") {
			if let Some((_, household)) = self.somebody() {
				self.spend_all(&household.owner);
				self.put_off(5..60, Later::TopUp(household.owner));
			}
		}
		let utility = the_community().utility;
		if self.is_due("utility spends all") {
			self.broke.insert(utility.clone());
			self.put_off(30..60, Later::FillUtility);
		}
		if self.broke.contains(&utility) {
			// Its account must stay alive: the chain leaves with it what a seller without an account could not receive.
			self.transfer_all(&utility, true);
		}
		if self.is_due("operator spends all") {
			self.transfer_all(&the_community().operator, false);
			self.put_off(2..30, Later::FillOperator);
		}
		if self.is_due("money for the pot") {
			let value = self.rng.gen_range(10 * MILLI..3 * UNIT);
			self.give(EnergyMarket::pot_account(COMMUNITY), value);
		}
	}

	/// Takes everything from an owner, who gets no wages until the next top-up. The chain may remove the account.
	pub fn spend_all(&mut self, owner: &AccountId) {
		self.broke.insert(owner.clone());
		self.transfer_all(owner, false);
	}

	fn transfer_all(&mut self, from: &AccountId, keep_alive: bool) {
		if spendable(from) == 0 {
			return;
		}
		let transfer = pallet_balances::Call::transfer_all {
			dest: treasury().into(),
			keep_alive,
		};
		self.act(by(from.clone(), transfer), Ok(()));
	}
}
