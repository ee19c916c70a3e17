//! `commonwatt lambda`: finds the lambda that suits the homes of a community. Solves the games itself, without a node.

pub mod args;
mod limit;
mod play;
mod screen;
pub mod value;

use crate::{
	data::{Dataset, Measured},
	fault::Fault,
	files, text,
};
use args::LambdaArgs;
use commonwatt_market::{
	game::{Comfort, Preference, Ratio, Rules, Strategy},
	paper,
};
use limit::{HouseholdLimit, Position};
use play::Row;
use serde::Serialize;

/// The lambdas that are always played.
const ALWAYS: [Ratio; 4] = [
	value::decimal(125, 100),
	value::decimal(15, 10),
	value::decimal(2, 1),
	value::decimal(4, 1),
];

/// How the households of a file play: the same as in `replay` without a home energy manager.
struct Setting {
	preference: Preference,
	comfort: Comfort,
	resolution_wh: u32,
}

impl Setting {
	/// The strategies of a household with this reading.
	fn strategies(&self, measured: &Measured) -> Vec<Strategy> {
		// The temperature of the greatest comfort, the same as in a replay.
		let indoor_centi_c = self.comfort.min_centi_c.midpoint(self.comfort.max_centi_c);
		let (generation_wh, consumption_wh) = (measured.generation_wh, measured.consumption_wh);
		let preference = &self.preference;
		preference.strategies(self.resolution_wh, generation_wh, consumption_wh, indoor_centi_c)
	}

	/// C of the paper's eq. (2), 0 outside the comfort range.
	fn comfort_of(&self, strategy: &Strategy) -> f64 {
		let Comfort {
			min_centi_c,
			max_centi_c,
			a,
		} = self.comfort;
		let above = f64::from(strategy.temperature_centi_c) - f64::from(min_centi_c);
		let below = f64::from(max_centi_c) - f64::from(strategy.temperature_centi_c);
		if above <= 0.0 || below <= 0.0 {
			return 0.0;
		}
		// The denominator turns square hundredths of a degree into square degrees.
		f64::from(a.numerator) * above * below / (f64::from(a.denominator) * 10_000.0)
	}

	/// The rules of a community with this lambda.
	fn rules(&self, lambda: Ratio) -> Rules {
		Rules {
			lambda,
			resolution_wh: self.resolution_wh,
		}
	}
}

/// The command's results, in the form of its JSON.
#[derive(Serialize)]
struct LambdaReport {
	file: String,
	periods: usize,
	flexible_percent: u8,
	response_centi_c_per_kwh: i16,
	resolution_wh: u32,
	/// One entry for each household, in the file's order.
	households: Vec<HouseholdLimit>,
	/// The household that decides the community's limit and its deficit, if any household has a deficit.
	limit: Option<(String, Position)>,
	recommended_lambda: f64,
	/// One entry for each lambda, in ascending order.
	lambdas: Vec<Row>,
}

/// Runs the subcommand.
pub fn run(args: &LambdaArgs) -> Result<(), Fault> {
	let dataset = Dataset::read(&args.data, &args.file)?;
	dataset
		.gaps()
		.iter()
		.for_each(|gap| eprintln!("commonwatt: {gap}"));
	files::probe(&args.json)?;
	let setting = Setting {
		preference: Preference {
			flexible_down_percent: args.flexibility.flexible,
			flexible_up_percent: args.flexibility.flexible,
			response_centi_c_per_kwh: args.flexibility.response,
			trade_with_community: true,
		},
		comfort: paper::COMFORT,
		resolution_wh: args.resolution,
	};
	let report = examine(&dataset, &setting, args)?;
	files::write_json(&args.json, &report)?;
	print!("{}", screen::shown(&report));
	Ok(())
}

/// Computes the limits first, because the recommended lambda is played as well.
fn examine(dataset: &Dataset, setting: &Setting, args: &LambdaArgs) -> Result<LambdaReport, Fault> {
	let households = limit::limits(dataset, setting);
	let limit = limit::of_community(&households);
	let recommended = value::recommend(limit.as_ref().map(|(_, position)| position.largest_lambda));
	let mut lambdas = ALWAYS.to_vec();
	lambdas.extend(&args.lambdas);
	lambdas.push(recommended);
	lambdas.sort_by(|a, b| value::number(*a).total_cmp(&value::number(*b)));
	lambdas.dedup_by_key(|lambda| value::number(*lambda));

	let games = dataset.periods.len() * lambdas.len();
	let bar = text::progress(games as u64, "games solved");
	let mut rows = Vec::with_capacity(lambdas.len());
	for lambda in lambdas {
		rows.push(play::play(dataset, setting, lambda, &bar)?);
	}
	bar.finish_and_clear();
	Ok(LambdaReport {
		file: dataset.path.display().to_string(),
		periods: dataset.periods.len(),
		flexible_percent: args.flexibility.flexible,
		response_centi_c_per_kwh: args.flexibility.response,
		resolution_wh: args.resolution,
		households,
		limit,
		recommended_lambda: value::number(recommended),
		lambdas: rows,
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::data::Period;

	/// Periods 0, 1, .. of the households home-0, home-1, ..: generation and consumption of each, Wh.
	pub fn dataset(periods: &[&[(u32, u32)]]) -> Dataset {
		let households = periods.first().map_or(0, |period| period.len());
		let measured = |(generation_wh, consumption_wh): &(u32, u32)| Measured {
			generation_wh: *generation_wh,
			consumption_wh: *consumption_wh,
		};
		let period = |(number, period): (usize, &&[(u32, u32)])| Period {
			start: number.to_string(),
			outdoor_centi_c: None,
			measured: period.iter().map(measured).map(Some).collect(),
		};
		Dataset {
			path: "test.csv".into(),
			households: (0..households).map(|index| format!("home-{index}")).collect(),
			periods: periods.iter().enumerate().map(period).collect(),
			period_minutes: 30,
		}
	}

	/// The seed paper's comfort, and half a degree for each kWh.
	pub fn setting(flexible_percent: u8, resolution_wh: u32) -> Setting {
		Setting {
			preference: Preference {
				flexible_down_percent: flexible_percent,
				flexible_up_percent: flexible_percent,
				response_centi_c_per_kwh: 50,
				trade_with_community: true,
			},
			comfort: paper::COMFORT,
			resolution_wh,
		}
	}

	#[test]
	fn comfort_follows_the_papers_equation_2() {
		let at = |temperature_centi_c| {
			setting(0, 10).comfort_of(&Strategy {
				kind: commonwatt_market::game::Kind::BuyFromMain,
				consumption_wh: 0,
				temperature_centi_c,
			})
		};
		// 6 x 6 / 36, 1 x 11 / 36, and the ends of the range.
		assert_eq!(at(2_100), 1.0);
		assert!((at(1_600) - 11.0 / 36.0).abs() < 1e-12);
		assert_eq!((at(1_500), at(2_700), at(1_400), at(3_000)), (0.0, 0.0, 0.0, 0.0));
	}
}
