//! Money: wages, accounts that spend everything, the incentive pot.

use crate::{
	homes::POCKET,
	operator::NOTICE,
	world::{spendable, the_community, Later, World, COMMUNITY},
};
use commonwatt_testkit::{by, now, AccountId, EnergyMarket, Sr25519Keyring, MILLI, UNIT};
use rand::Rng;
use std::ops::Range;

/// The amount that the utility gets when it has little left.
const UTILITY_FUNDS: u128 = 20_000 * UNIT;

/// The account that all payments come from and all spent money goes to.
fn treasury() -> AccountId {
	Sr25519Keyring::Alice.to_account_id()
}

impl World {
	pub fn put_off(&mut self, eras: Range<u32>, what: impl FnOnce(&mut World) + 'static) {
		let era = now().current + self.rng.gen_range(eras);
		self.later.entry(era).or_default().push(Box::new(what));
	}

	pub fn do_what_was_put_off(&mut self) {
		let still_later = self.later.split_off(&(now().current + 1));
		let due = std::mem::replace(&mut self.later, still_later);
		due.into_values().flatten().for_each(|act| act(self));
	}

	/// Makes every owner owe something, terms end and switches turn in the first eras, so that the state has all that it
	/// can have before its size is first measured.
	pub fn leave_traces(&mut self) {
		let owners = self.homes.values().map(|home| home.owner.clone());
		let spend = owners.map(|owner| Box::new(move |world: &mut World| world.spend_all(&owner)) as Later);
		self.later.insert(self.first_era + 1, spend.collect());
		// An announcement replaces one that has not begun, so each waits for the last.
		for era in (1..6).step_by(NOTICE as usize) {
			let later = self.later.entry(self.first_era + era).or_default();
			later.push(Box::new(World::announce_opening_terms));
		}
		// What changes with a notice keeps up to two changes.
		for (era, on) in [(5, true), (6, false)] {
			let later = self.later.entry(self.first_era + era).or_default();
			later.push(Box::new(move |world: &mut World| world.switch_everything(on)));
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

	/// Fills the utility's account in some eras, but not before a statement has left a credit: an outage or the night may
	/// leave it with nothing to pay.
	fn fill_utility_once_it_owed(&mut self, credits_before: u64) {
		self.put_off(30..60, move |world| {
			match world.tally.with_credit > credits_before {
				true => world.fill_utility(),
				false => world.fill_utility_once_it_owed(credits_before),
			}
		});
	}

	fn fill_utility(&mut self) {
		let utility = the_community().utility;
		self.broke.remove(&utility);
		self.give(utility, UTILITY_FUNDS);
	}

	pub fn give(&mut self, to: AccountId, value: u128) {
		let transfer = pallet_balances::Call::transfer_keep_alive {
			dest: to.into(),
			value,
		};
		self.act(by(treasury(), transfer), Ok(()));
	}

	/// Empties accounts and fills the incentive pot, each when it is due.
	pub fn spend(&mut self) {
		if let Some((_, household)) = self.due_household("owner spends all") {
			self.spend_all(&household.owner);
			self.put_off(5..60, move |world| world.top_up(&household.owner));
		}
		let utility = the_community().utility;
		if self.is_due("utility spends all") {
			self.broke.insert(utility.clone());
			self.fill_utility_once_it_owed(self.tally.with_credit);
		}
		if self.broke.contains(&utility) {
			// Its account must stay alive: the chain leaves with it what a seller without an account could not receive.
			self.transfer_all(&utility, true);
		}
		if self.is_due("operator spends all") {
			self.transfer_all(&the_community().operator, false);
			self.put_off(2..30, |world| world.give(the_community().operator, POCKET));
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
