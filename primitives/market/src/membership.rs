//! Communities and their households.

use crate::{money::Balance, CommunityId, EndedTerms, EraIndex, NextTerms, Scheduled, Terms, TermsBounds};
use commonwatt_game::{Comfort, Preference};

commonwatt_game::stored_types! {
	/// The households behind one feeder. `Name` is a list of bytes and `Ended` a list of [`EndedTerms`]: bounded ones on
	/// the chain, vectors elsewhere.
	pub struct Community<AccountId, Name, Ended> {
		/// UTF-8 for people; the chain does not read it.
		pub name: Name,
		/// Admits households, sets the terms and earns the grid fee.
		pub operator: AccountId,
		/// The main grid's account: it is paid for what it sells and pays for what it buys.
		pub utility: AccountId,
		/// May report the readings of silent meters, many in one call. The one of the running era counts.
		pub concentrator: Scheduled<Option<AccountId>>,
		/// While paused, no game is played: all energy goes to and from the main grid.
		pub paused: Scheduled<bool>,
		/// What governance allows the operator.
		pub bounds: TermsBounds,
		/// Terms that held before `terms`, the oldest first: eras of their time may still wait for settlement.
		pub ended_terms: Ended,
		/// In force until `next_terms` are.
		pub terms: Terms,
		/// Announced for a later era.
		pub next_terms: Option<NextTerms>,
	}

	/// A meter that measures from a later era on.
	pub struct NextMeter<AccountId> {
		/// The first era that it measures.
		pub from_era: EraIndex,
		/// Its account.
		pub meter: AccountId,
	}

	/// A connection limit that holds from a later era on.
	#[derive(Copy)]
	pub struct NextLimit {
		/// The first era for which it holds.
		pub from_era: EraIndex,
		/// The limit, Wh.
		pub connection_limit_wh: u32,
	}

	/// An owner from a later era on. The contracts of earlier eras stay with the owner before.
	pub struct NextOwner<AccountId> {
		/// The first era whose strategies it submits and whose bill it pays.
		pub from_era: EraIndex,
		/// Its account.
		pub owner: AccountId,
		/// The most that may leave its free balance for one era.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub max_debit_per_era: Balance,
	}

	/// What an owner agrees to when it accepts a membership.
	#[derive(Copy)]
	pub struct Acceptance {
		/// The most that may leave its free balance for one era.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub max_debit_per_era: Balance,
		/// How indoor temperature is valued; `None` is always comfortable.
		pub comfort: Option<Comfort>,
	}

	/// A membership that the operator offers. It becomes a household when the owner has accepted it and the meter has
	/// confirmed that it measures it, in either order. Until then nobody is measured or billed.
	pub struct MembershipOffer<AccountId> {
		/// The community.
		pub community: CommunityId,
		/// Who may accept.
		pub owner: AccountId,
		/// Which meter may confirm.
		pub meter: AccountId,
		/// Largest net exchange with the community grid in one era, Wh.
		pub connection_limit_wh: u32,
		/// The last era in which it can be accepted and confirmed.
		pub expires: EraIndex,
		/// Who paid the deposit, and gets it back.
		pub depositor: AccountId,
		/// The deposit on hold.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub deposit: Balance,
		/// What the owner agreed to; `None` until it has.
		pub accepted: Option<Acceptance>,
		/// Whether the meter has confirmed.
		pub meter_confirmed: bool,
	}

	/// A change of a household to which operator and owner must agree.
	pub enum Change<AccountId> {
		/// Another meter, which must confirm as well.
		#[cfg_attr(feature = "scale", codec(index = 0))]
		Meter(AccountId),
		/// Another connection limit, Wh.
		#[cfg_attr(feature = "scale", codec(index = 1))]
		ConnectionLimit(u32),
	}

	/// A change that the operator proposes. What holds now holds until everybody has agreed.
	pub struct Proposal<AccountId> {
		/// The change.
		pub change: Change<AccountId>,
		/// Whether the owner has accepted it.
		pub accepted: bool,
		/// Whether the new meter has confirmed it.
		pub meter_confirmed: bool,
	}

	/// One connection to the community grid: a player of the game.
	pub struct Household<AccountId> {
		/// The community that it belongs to.
		pub community: CommunityId,
		/// Signs strategies, pays and is paid.
		pub owner: AccountId,
		/// The metering device's own account; signs readings.
		pub meter: AccountId,
		/// Takes the meter's place in a later era.
		pub next_meter: Option<NextMeter<AccountId>>,
		/// Takes the owner's place in a later era.
		pub next_owner: Option<NextOwner<AccountId>>,
		/// The most that may leave the owner's free balance for one era. What is owed beyond it becomes arrears.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub max_debit_per_era: Balance,
		/// Largest net exchange with the community grid in one era, Wh.
		pub connection_limit_wh: u32,
		/// Takes the connection limit's place in a later era.
		pub next_limit: Option<NextLimit>,
		/// The first era that it takes part in.
		pub member_since: EraIndex,
		/// The last era that it takes part in, once it is leaving. The chain forgets the household when that era is
		/// settled and neither side owes anything.
		pub member_until: Option<EraIndex>,
		/// While suspended it plays no game: all its energy goes to and from the main grid.
		pub suspended: Scheduled<bool>,
		/// How indoor temperature is valued; `None` is always comfortable.
		pub comfort: Option<Comfort>,
		/// Speaks for the household in eras for which it submits nothing; `None` stays out of the game.
		pub preference: Option<Preference>,
	}

	/// What a household and the utility owe each other.
	#[derive(Copy, Default)]
	pub struct Debt {
		/// What the household owes. A household in arrears trades with the main grid only.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub arrears: Balance,
		/// What the utility owes.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub credit: Balance,
	}
}

impl<AccountId, Name, Ended: AsRef<[EndedTerms]>> Community<AccountId, Name, Ended> {
	/// The terms that hold in an era.
	pub fn terms_in(&self, era: EraIndex) -> Terms {
		match &self.next_terms {
			Some(next) if next.from_era <= era => next.terms,
			_ => {
				let mut ended = self.ended_terms.as_ref().iter();
				ended
					.find(|ended| era < ended.before_era)
					.map_or(self.terms, |ended| ended.terms)
			}
		}
	}
}

impl<AccountId> Household<AccountId> {
	/// The meter that measures an era.
	pub fn meter_in(&self, era: EraIndex) -> &AccountId {
		match &self.next_meter {
			Some(next) if next.from_era <= era => &next.meter,
			_ => &self.meter,
		}
	}

	/// The owner in an era: it submits the strategies of this era, and pays and is paid for it.
	pub fn owner_in(&self, era: EraIndex) -> &AccountId {
		match &self.next_owner {
			Some(next) if next.from_era <= era => &next.owner,
			_ => &self.owner,
		}
	}

	/// The most that may leave the free balance of the era's owner for this era.
	pub fn max_debit_in(&self, era: EraIndex) -> Balance {
		match &self.next_owner {
			Some(next) if next.from_era <= era => next.max_debit_per_era,
			_ => self.max_debit_per_era,
		}
	}

	/// The connection limit that holds in an era, Wh.
	pub fn connection_limit_in(&self, era: EraIndex) -> u32 {
		match &self.next_limit {
			Some(next) if next.from_era <= era => next.connection_limit_wh,
			_ => self.connection_limit_wh,
		}
	}

	/// Whether the household is a member in an era.
	pub fn is_member_in(&self, era: EraIndex) -> bool {
		self.member_since <= era && self.member_until.is_none_or(|last| era <= last)
	}
}

impl Debt {
	/// Whether neither side owes anything.
	pub fn is_settled(&self) -> bool {
		*self == Self::default()
	}
}
