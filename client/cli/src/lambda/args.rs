//! The options of `lambda`.

use crate::{cli::Flexibility, data::FileArgs};
use clap::Args;
use std::path::PathBuf;

const LAMBDA_HELP: &str = "\
Lambda weighs the energy that a household trades in the community. Above a limit that depends on its deficit, a buyer \
prefers the main grid even to a pool that serves it in full. The command computes this limit for every household, from \
its deficits in the file and at the flexible levels of its consumption. It then solves every period of the file as one \
game, at lambda 1.25, 1.5, 2 and 4, at those that you name, and at the one that it recommends. The strategies are \
those that replay submits without --homes.

docs/lambda.md explains every column.

Exit codes: 0 done; 2 the file or an option is wrong.";

/// Options of `lambda`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = LAMBDA_HELP)]
pub struct LambdaArgs {
	/// CSV file with meter data, as for replay
	#[arg(long, value_name = "FILE.csv")]
	pub data: PathBuf,

	/// How the file is read.
	#[command(flatten)]
	pub file: FileArgs,

	/// How flexible the households are.
	#[command(flatten)]
	pub flexibility: Flexibility,

	/// Meter resolution of the community, Wh
	#[arg(long, value_name = "WH", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
	pub resolution: u32,

	/// Also solve the games at this lambda, a decimal number above 1; may be repeated
	#[arg(
		long = "lambda",
		value_name = "LAMBDA",
		allow_negative_numbers = true,
		value_parser = crate::lambda::value::parse
	)]
	pub lambdas: Vec<commonwatt_market::game::Ratio>,

	/// Write every number to this file as JSON
	#[arg(long, value_name = "FILE")]
	pub json: Option<PathBuf>,
}
