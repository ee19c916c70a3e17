//! Solves, verifies and explains games as JSON. `docs/game.md` holds the formats.

use clap::{Parser, Subcommand};
use commonwatt_game::{
	explain,
	json::{CertificateJson, GameJson, PayoffJson, SolutionJson},
	solve, verify, Game, Log2, SolverConfig, Status,
};
use serde_json::Value;
use std::{io::Read, path::PathBuf, process::ExitCode};

const AFTER: &str = "Exit status: 0 an equilibrium, 1 an approximation, 2 bad input.";

/// The energy community game: find an equilibrium, or check one.
#[derive(Parser)]
#[command(name = "commonwatt-game", version, after_help = AFTER)]
struct Arguments {
	#[command(subcommand)]
	command: Command,
}

#[derive(Subcommand)]
enum Command {
	/// Reads a game from standard input and writes its solution.
	Solve {
		#[command(flatten)]
		limits: Limits,
	},
	/// Reads {"game": .., "solution": ..} from standard input (or the solution from a file and the game alone) and
	/// writes the certificate of the solution's profile.
	Verify {
		/// File with the solution; then standard input is the game alone.
		#[arg(long, value_name = "FILE")]
		solution: Option<PathBuf>,
		/// Largest gain that an equilibrium may leave, in units of 2^-32.
		#[arg(long, default_value_t = SolverConfig::default().epsilon.0)]
		epsilon_units: i64,
	},
	/// Like verify, but writes the payoff of each strategy of one household against the others' choices.
	Explain {
		/// File with the solution; then standard input is the game alone.
		#[arg(long, value_name = "FILE")]
		solution: Option<PathBuf>,
		/// Index of the household.
		#[arg(long)]
		household: usize,
	},
}

#[derive(clap::Args)]
struct Limits {
	/// Largest gain that an equilibrium may leave, in units of 2^-32.
	#[arg(long, default_value_t = SolverConfig::default().epsilon.0)]
	epsilon_units: i64,
	/// Most sweeps from one start.
	#[arg(long, default_value_t = SolverConfig::default().max_sweeps)]
	max_sweeps: u32,
	/// Most starts.
	#[arg(long, default_value_t = SolverConfig::default().max_starts)]
	max_starts: u32,
	/// Most evaluations of a payoff in the whole solve; the certificate is always made.
	#[arg(long, default_value_t = SolverConfig::default().max_evaluations)]
	max_evaluations: u64,
}

fn main() -> ExitCode {
	match run(Arguments::parse().command) {
		Ok((output, status)) => {
			println!("{output}");
			match status {
				Status::Equilibrium => ExitCode::SUCCESS,
				Status::Approximate => ExitCode::from(1),
			}
		}
		Err(fault) => {
			eprintln!("error: {fault}");
			ExitCode::from(2)
		}
	}
}

fn run(command: Command) -> Result<(String, Status), String> {
	let mut input = String::new();
	std::io::stdin()
		.read_to_string(&mut input)
		.map_err(|fault| format!("standard input: {fault}"))?;
	match command {
		Command::Solve { limits } => {
			let game = game(parse(&input)?)?;
			let config = SolverConfig {
				epsilon: Log2(limits.epsilon_units),
				max_sweeps: limits.max_sweeps,
				max_starts: limits.max_starts,
				max_evaluations: limits.max_evaluations,
			};
			let solution = solve(&game, &config, None);
			let json = SolutionJson::new(&game, &solution).map_err(|fault| fault.to_string())?;
			Ok((write(&json)?, solution.certificate.status))
		}
		Command::Verify {
			solution,
			epsilon_units,
		} => {
			let (game, profile) = both(&input, solution)?;
			let certificate =
				verify(&game, &profile, Log2(epsilon_units)).map_err(|fault| format!("solution: {fault}"))?;
			Ok((write(&CertificateJson::from(certificate))?, certificate.status))
		}
		Command::Explain { solution, household } => {
			let (game, profile) = both(&input, solution)?;
			let payoffs =
				explain(&game, &profile, household).map_err(|fault| format!("solution: {fault}"))?;
			let choice = profile.get(household).map(|choice| usize::from(*choice));
			let line = |(strategy, payoff): (usize, &Log2)| PayoffJson {
				strategy,
				chosen: choice == Some(strategy),
				payoff_log2: payoff.to_string(),
			};
			let lines: Vec<PayoffJson> = payoffs.iter().enumerate().map(line).collect();
			Ok((write(&lines)?, Status::Equilibrium))
		}
	}
}

fn parse(text: &str) -> Result<Value, String> {
	serde_json::from_str(text).map_err(|fault| format!("not JSON: {fault}"))
}

fn write(value: &impl serde::Serialize) -> Result<String, String> {
	serde_json::to_string(value).map_err(|fault| fault.to_string())
}

/// Reads the households one by one, so that a wrong type is reported with the household it is in.
fn game(mut value: Value) -> Result<Game, String> {
	let households = match value.get_mut("households").map(Value::take) {
		Some(Value::Array(households)) => households,
		Some(_) => return Err("households: not a list".into()),
		None => return Err("missing field `households`".into()),
	};
	if let Some(fields) = value.as_object_mut() {
		fields.insert("households".into(), Value::Array(Vec::new()));
	}
	let mut json: GameJson = serde_json::from_value(value).map_err(|fault| format!("game: {fault}"))?;
	for (index, household) in households.into_iter().enumerate() {
		json.households.push(self::household(index, household)?);
	}
	json.into_game()
}

fn household(index: usize, mut value: Value) -> Result<commonwatt_game::json::HouseholdJson, String> {
	let name = format!("household {index}");
	// Each field on its own first: the messages of the whole do not say which one is wrong.
	if let Some(strategies) = value.get("strategies").and_then(Value::as_array) {
		for (at, strategy) in strategies.iter().enumerate() {
			fields(
				strategy,
				&format!("{name}: strategy {at}"),
				&["consumption_wh", "temperature_centi_c"],
			)?;
			serde_json::from_value::<commonwatt_game::json::StrategyJson>(strategy.clone())
				.map_err(|fault| format!("{name}: strategy {at}: {fault}"))?;
		}
	}
	if let Some(comfort) = value.get("comfort").filter(|comfort| !comfort.is_null()) {
		fields(
			comfort,
			&format!("{name}: comfort"),
			&["min_centi_c", "max_centi_c"],
		)?;
		serde_json::from_value::<commonwatt_game::json::ComfortJson>(comfort.clone())
			.map_err(|fault| format!("{name}: comfort: {fault}"))?;
	}
	fields(&value, &name, &["generation_wh"])?;
	serde_json::from_value(value.take()).map_err(|fault| format!("{name}: {fault}"))
}

/// Whole numbers where whole numbers belong, by name.
fn fields(value: &Value, place: &str, names: &[&str]) -> Result<(), String> {
	for name in names {
		let Some(field) = value.get(name) else { continue };
		let range = if name.ends_with("_centi_c") {
			i64::from(i16::MIN)..=i64::from(i16::MAX)
		} else {
			0..=i64::from(u32::MAX)
		};
		if !field.as_i64().is_some_and(|number| range.contains(&number)) {
			let (low, high) = range.into_inner();
			return Err(format!(
				"{place}: {name}: {field} is no whole number from {low} to {high}"
			));
		}
	}
	Ok(())
}

/// The game and the profile, from one document or two.
fn both(input: &str, solution: Option<PathBuf>) -> Result<(Game, Vec<u8>), String> {
	let mut value = parse(input)?;
	let (game_value, solution) = match solution {
		Some(path) => {
			let text =
				std::fs::read_to_string(&path).map_err(|fault| format!("{}: {fault}", path.display()))?;
			(value, parse(&text).map_err(|fault| format!("solution: {fault}"))?)
		}
		None => {
			let mut part = |name: &str| {
				value
					.get_mut(name)
					.map(Value::take)
					.ok_or_else(|| format!("missing field `{name}`"))
			};
			(part("game")?, part("solution")?)
		}
	};
	let game = game(game_value)?;
	let profile = solution
		.get("profile")
		.cloned()
		.ok_or("solution: missing field `profile`")?;
	let profile = serde_json::from_value(profile).map_err(|fault| format!("solution: profile: {fault}"))?;
	Ok((game, profile))
}
