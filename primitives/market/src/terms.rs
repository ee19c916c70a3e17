//! What a community's game and prices depend on.

use crate::{money::Balance, prices::lowest_price, EraIndex};
use commonwatt_game::{Comfort, Rules};

/// Highest tariff for each kWh. With it, the bill of a whole community at the largest energies stays below 2^122.
pub const MAX_TARIFF_PER_KWH: Balance = 1_000_000_000_000_000_000_000_000;

commonwatt_game::stored_types! {
	/// What energy costs, in the smallest unit of money for each kWh.
	///
	/// `imbalance_export <= feed_in <= retail <= imbalance_import`, each at most [`MAX_TARIFF_PER_KWH`]: keeping to a
	/// contract never costs more than breaking it. The grid fee fits between the price of the community and retail, see
	/// [`Terms::has_room_for_fee`].
	#[derive(Copy)]
	pub struct Tariffs {
		/// The main grid sells at this price.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub retail_per_kwh: Balance,
		/// The main grid buys at this price.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub feed_in_per_kwh: Balance,
		/// The main grid sells what a household takes beyond its contract at this price.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub imbalance_import_per_kwh: Balance,
		/// The main grid buys what a household feeds in beyond its contract at this price.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub imbalance_export_per_kwh: Balance,
		/// Buyers of community energy pay this to the operator on top of the community's price.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub grid_fee_per_kwh: Balance,
	}

	/// How the price inside a community is found. The price is at least feed-in, and with the grid fee at most retail.
	#[derive(Copy)]
	pub enum PriceRule {
		/// The mean of feed-in tariff and retail tariff.
		#[cfg_attr(feature = "scale", codec(index = 0))]
		MidMarket,
		/// Falls from retail to feed-in as supply grows to meet demand (Liu et al., IEEE Transactions on Power Systems
		/// 32 (5), 2017, doi 10.1109/TPWRS.2017.2649558).
		#[cfg_attr(feature = "scale", codec(index = 1))]
		SupplyDemandRatio,
	}

	/// Everything that a community's game and prices depend on.
	#[derive(Copy)]
	pub struct Terms {
		/// Lambda and meter resolution of the game.
		pub rules: Rules,
		/// What energy costs.
		pub tariffs: Tariffs,
		/// How the price inside the community is found.
		pub price_rule: PriceRule,
		/// What the community's incentive pot pays out for an era, at most what it has: shared in proportion to
		/// delivered payoffs, up to `reward_cap_per_kwh`.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub incentive_per_era: Balance,
		/// What the comfort ranges of the households must lie within; `None` allows any.
		pub comfort_bounds: Option<ComfortBounds>,
		/// Maximum reward for each kWh of contracted community energy that a household delivered or took. Seller and buyer
		/// together earn at most twice this, so it is at most half the grid fee: energy that one owner passes in a circle
		/// costs at least what it brings.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub reward_cap_per_kwh: Balance,
	}

	/// What governance allows a community's operator. Prices are in the smallest unit of money for each kWh. The operator
	/// earns the grid fee and chooses the other terms, so the bounds limit what it can take from its households.
	#[derive(Copy)]
	pub struct TermsBounds {
		/// Highest retail tariff.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub highest_retail_per_kwh: Balance,
		/// Lowest feed-in tariff.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub lowest_feed_in_per_kwh: Balance,
		/// Highest price of what a household takes beyond its contract.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub highest_imbalance_import_per_kwh: Balance,
		/// Lowest price of what a household feeds in beyond its contract.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub lowest_imbalance_export_per_kwh: Balance,
		/// Highest grid fee.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub highest_grid_fee_per_kwh: Balance,
		/// Highest incentive for an era, in the smallest unit of money.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub highest_incentive_per_era: Balance,
		/// Highest connection limit of a household, Wh in one era. The utility pays for what meters report, up to this: an
		/// operator could otherwise admit a household of its own whose meter reports a power station.
		pub highest_connection_limit_wh: u32,
	}

	/// What every comfort range of a community lies within, hundredths of a degree Celsius. The lower end is below the
	/// upper end.
	#[derive(Copy)]
	pub struct ComfortBounds {
		/// The lowest temperature that a range may begin at.
		pub min_centi_c: i16,
		/// The highest temperature that a range may end at.
		pub max_centi_c: i16,
	}

	/// Terms that held until an era.
	#[derive(Copy)]
	pub struct EndedTerms {
		/// The first era that these terms no longer hold in.
		pub before_era: EraIndex,
		/// The terms.
		pub terms: Terms,
	}

	/// Terms that hold from a later era on.
	#[derive(Copy)]
	pub struct NextTerms {
		/// The first era under these terms.
		pub from_era: EraIndex,
		/// The terms.
		pub terms: Terms,
	}
}

impl TermsBounds {
	/// The bounds that allow these terms and nothing dearer, and connections up to a limit.
	pub fn around(terms: &Terms, highest_connection_limit_wh: u32) -> Self {
		let tariffs = &terms.tariffs;
		Self {
			highest_retail_per_kwh: tariffs.retail_per_kwh,
			lowest_feed_in_per_kwh: tariffs.feed_in_per_kwh,
			highest_imbalance_import_per_kwh: tariffs.imbalance_import_per_kwh,
			lowest_imbalance_export_per_kwh: tariffs.imbalance_export_per_kwh,
			highest_grid_fee_per_kwh: tariffs.grid_fee_per_kwh,
			highest_incentive_per_era: terms.incentive_per_era,
			highest_connection_limit_wh,
		}
	}

	/// Whether terms lie within the bounds.
	pub fn allow(&self, terms: &Terms) -> bool {
		let tariffs = &terms.tariffs;
		tariffs.retail_per_kwh <= self.highest_retail_per_kwh
			&& self.lowest_feed_in_per_kwh <= tariffs.feed_in_per_kwh
			&& tariffs.imbalance_import_per_kwh <= self.highest_imbalance_import_per_kwh
			&& self.lowest_imbalance_export_per_kwh <= tariffs.imbalance_export_per_kwh
			&& tariffs.grid_fee_per_kwh <= self.highest_grid_fee_per_kwh
			&& terms.incentive_per_era <= self.highest_incentive_per_era
	}
}

impl ComfortBounds {
	/// Whether a comfort range lies within the bounds.
	pub fn allow(&self, comfort: &Comfort) -> bool {
		self.min_centi_c <= comfort.min_centi_c && comfort.max_centi_c <= self.max_centi_c
	}

	/// The part of a comfort range that lies within the bounds, at the same sensitivity; `None` if it is empty. The
	/// narrowed model stays valid, since a narrower range allows a higher sensitivity.
	pub fn narrow(&self, comfort: Comfort) -> Option<Comfort> {
		let narrowed = Comfort {
			min_centi_c: comfort.min_centi_c.max(self.min_centi_c),
			max_centi_c: comfort.max_centi_c.min(self.max_centi_c),
			..comfort
		};
		(narrowed.min_centi_c < narrowed.max_centi_c).then_some(narrowed)
	}
}

/// What keeps a household out of a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComfortOutOfBounds;

impl Terms {
	/// Whether the lowest price of the community and the grid fee together are at most retail, so that no buyer pays more
	/// in the community than to the utility. Assumes tariffs in order.
	pub fn has_room_for_fee(&self) -> bool {
		let tariffs = &self.tariffs;
		let dearest = lowest_price(self).saturating_add(tariffs.grid_fee_per_kwh);
		dearest <= tariffs.retail_per_kwh
	}

	/// Whether two rewards at the cap are at most the grid fee.
	pub fn rewards_stay_below_fee(&self) -> bool {
		self.reward_cap_per_kwh.saturating_mul(2) <= self.tariffs.grid_fee_per_kwh
	}

	/// The comfort model that a household plays with: its own, narrowed to the community's bounds. An error where nothing
	/// of its range lies within the bounds, which keeps the household out of the game.
	pub fn narrow(&self, comfort: Option<Comfort>) -> Result<Option<Comfort>, ComfortOutOfBounds> {
		match (comfort, &self.comfort_bounds) {
			(Some(comfort), Some(bounds)) => bounds.narrow(comfort).map(Some).ok_or(ComfortOutOfBounds),
			(comfort, _) => Ok(comfort),
		}
	}
}
