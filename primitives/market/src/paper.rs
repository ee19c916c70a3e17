//! The numbers of the seed paper's experiment (Ouyang, Yan and Zhu, ACM TURC 2021, section 3), which presets, examples
//! and tests share.

use crate::{
	money::{MILLI, UNIT},
	PriceRule, Tariffs, Terms, TermsBounds,
};
use commonwatt_game::{Comfort, Ratio, Rules};

/// The paper's rules: lambda 4; omega 100 stands for a meter resolution of 10 Wh.
pub const RULES: Rules = Rules {
	lambda: Ratio {
		numerator: 4,
		denominator: 1,
	},
	resolution_wh: 10,
};

/// The paper's comfort: 15 to 27 degrees Celsius, a = 1/36.
pub const COMFORT: Comfort = Comfort {
	min_centi_c: 1_500,
	max_centi_c: 2_700,
	a: Ratio {
		numerator: 1,
		denominator: 36,
	},
};

/// The paper's rules with tariffs of our own, since the paper gives none: 0.30 tokens for each kWh bought, 0.08 for each
/// kWh sold.
pub const TERMS: Terms = Terms {
	rules: RULES,
	tariffs: Tariffs {
		retail_per_kwh: 300 * MILLI,
		feed_in_per_kwh: 80 * MILLI,
		imbalance_import_per_kwh: 360 * MILLI,
		imbalance_export_per_kwh: 40 * MILLI,
		grid_fee_per_kwh: 10 * MILLI,
	},
	price_rule: PriceRule::MidMarket,
	incentive_per_era: 0,
	comfort_bounds: None,
	reward_cap_per_kwh: 5 * MILLI,
};

/// Bounds of our own around [`TERMS`], since the paper has none: retail up to twice as dear, feed-in down to half, a grid
/// fee up to 0.05 tokens for each kWh, up to 100 tokens of incentive in an era, and connections of up to 100 kWh in an era
/// (200 kW for half an hour).
pub const BOUNDS: TermsBounds = TermsBounds {
	highest_retail_per_kwh: 600 * MILLI,
	lowest_feed_in_per_kwh: 40 * MILLI,
	highest_imbalance_import_per_kwh: 720 * MILLI,
	lowest_imbalance_export_per_kwh: 0,
	highest_grid_fee_per_kwh: 50 * MILLI,
	highest_incentive_per_era: 100 * UNIT,
	highest_connection_limit_wh: 100_000,
};
