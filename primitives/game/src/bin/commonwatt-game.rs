//! The command `commonwatt-game`: solves, verifies and explains games as JSON. `docs/game.md` describes the formats.

use clap::{Parser, Subcommand};
use commonwatt_game::{
	explain,
	json::{CertificateJson, ComfortJson, GameJson, HouseholdJson, PayoffJson, SolutionJson, StrategyJson},
	solve, verify, Game, Log2, ProfileFault, SolverConfig, Status,
};
use serde_json::Value;
use std::{io::Read, path::PathBuf, process::ExitCode};

const EXIT_STATUS: &str =
	"Exit status: 0 for an equilibrium (and any explanation), 1 for an approximation, 2 for invalid input.";

/// Finds or verifies an equilibrium of the energy community game. Input and output are JSON.
#[derive(Parser)]
#[command(name = "commonwatt-game", version, after_help = EXIT_STATUS)]
struct Arguments {
	#[command(subcommand)]
	command: Command,
}

#[derive(Subcommand)]
enum Command {
	/// Solves a game: reads it from standard input and writes its solution.
	Solve {
		#[command(flatten)]
		limits: Limits,
	},
	/// Verifies a solution: writes the certificate of its profile.
	///
	/// Reads {"game": .., "solution": ..} from standard input. With --solution, reads the solution from a file and only
	/// the game from standard input.
	Verify {
		/// File with the solution; standard input is then only the game.
		#[arg(long, value_name = "FILE")]
		solution: Option<PathBuf>,
		/// Epsilon: largest gain that an equilibrium may leave a household, in units of 2^-32.
		#[arg(long, default_value_t = SolverConfig::default().epsilon.0)]
		epsilon_units: i64,
	},
	/// Explains one household's choice: writes the payoff of each of its strategies against the others' choices.
	///
	/// Reads the same input as verify.
	Explain {
		/// File with the solution; standard input is then only the game.
		#[arg(long, value_name = "FILE")]
		solution: Option<PathBuf>,
		/// Index of the household, counted from 0.
		#[arg(long)]
		household: usize,
	},
}

#[derive(clap::Args)]
struct Limits {
	/// Epsilon: largest gain that an equilibrium may leave a household, in units of 2^-32.
	#[arg(long, default_value_t = SolverConfig::default().epsilon.0)]
	epsilon_units: i64,
	/// Maximum number of sweeps from one start.
	#[arg(long, default_value_t = SolverConfig::default().max_sweeps)]
	max_sweeps: u32,
	/// Maximum number of starts; the first one is always made.
	#[arg(long, default_value_t = SolverConfig::default().max_starts)]
	max_starts: u32,
	/// Maximum number of payoffs evaluated in the whole solve; the certificate is always made.
	#[arg(long, default_value_t = SolverConfig::default().max_evaluations)]
	max_evaluations: u64,
}

fn main() -> ExitCode {
	match run(Arguments::parse().command) {
		Ok((document, status)) => {
			println!("{document}");
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

/// Returns the document to write, and the status that decides the exit status.
fn run(command: Command) -> Result<(String, Status), String> {
	let mut input = String::new();
	std::io::stdin()
		.read_to_string(&mut input)
		.map_err(|fault| format!("cannot read standard input: {fault}"))?;
	match command {
		Command::Solve { limits } => {
			let game = read_game(parse("standard input", &input)?)?;
			let config = SolverConfig {
				epsilon: Log2(limits.epsilon_units),
				max_sweeps: limits.max_sweeps,
				max_starts: limits.max_starts,
				max_evaluations: limits.max_evaluations,
			};
			let solution = solve(&game, &config, None);
			let json = SolutionJson::new(&game, &solution).map_err(|fault| fault.to_string())?;
			respond(&json, solution.certificate.status)
		}
		Command::Verify {
			solution,
			epsilon_units,
		} => {
			let (game, profile) = read_game_and_profile(&input, solution)?;
			let certificate =
				verify(&game, &profile, Log2(epsilon_units)).map_err(|fault| format!("solution: {fault}"))?;
			respond(&CertificateJson::from(certificate), certificate.status)
		}
		Command::Explain { solution, household } => {
			let (game, profile) = read_game_and_profile(&input, solution)?;
			let payoffs = explain(&game, &profile, household).map_err(|fault| match fault {
				ProfileFault::UnknownHousehold => format!("--household {household}: {fault}"),
				_ => format!("solution: {fault}"),
			})?;
			let choice = profile.get(household).map(|choice| usize::from(*choice));
			let rows = payoffs.iter().enumerate();
			let rows: Vec<PayoffJson> = rows
				.map(|(strategy, payoff)| PayoffJson {
					strategy,
					chosen: choice == Some(strategy),
					payoff_log2: payoff.to_string(),
				})
				.collect();
			respond(&rows, Status::Equilibrium)
		}
	}
}

/// `source` names the text in the error message.
fn parse(source: &str, text: &str) -> Result<Value, String> {
	serde_json::from_str(text).map_err(|fault| format!("{source} is not valid JSON: {fault}"))
}

fn respond(document: &impl serde::Serialize, status: Status) -> Result<(String, Status), String> {
	let document = serde_json::to_string(document).map_err(|fault| fault.to_string())?;
	Ok((document, status))
}

/// Converts the households one by one, so that an error names the household.
fn read_game(mut value: Value) -> Result<Game, String> {
	let households = match value.get_mut("households").map(Value::take) {
		Some(Value::Array(households)) => households,
		Some(_) => return Err("game: households must be a list".into()),
		None => return Err("game: missing field `households`".into()),
	};
	if let Some(fields) = value.as_object_mut() {
		fields.insert("households".into(), Value::Array(Vec::new()));
	}
	let mut json: GameJson = serde_json::from_value(value).map_err(|fault| format!("game: {fault}"))?;
	for (index, household) in households.into_iter().enumerate() {
		json.households.push(read_household(index, household)?);
	}
	json.into_game()
}

fn read_household(index: usize, mut value: Value) -> Result<HouseholdJson, String> {
	let name = format!("household {index}");
	// Each part is converted on its own first: the error of the whole household does not say which part is wrong.
	if let Some(strategies) = value.get("strategies").and_then(Value::as_array) {
		for (at, strategy) in strategies.iter().enumerate() {
			check_integers(
				strategy,
				&format!("{name}: strategy {at}"),
				&["consumption_wh", "temperature_centi_c"],
			)?;
			serde_json::from_value::<StrategyJson>(strategy.clone())
				.map_err(|fault| format!("{name}: strategy {at}: {fault}"))?;
		}
	}
	if let Some(comfort) = value.get("comfort").filter(|comfort| !comfort.is_null()) {
		check_integers(
			comfort,
			&format!("{name}: comfort"),
			&["min_centi_c", "max_centi_c"],
		)?;
		serde_json::from_value::<ComfortJson>(comfort.clone())
			.map_err(|fault| format!("{name}: comfort: {fault}"))?;
	}
	check_integers(&value, &name, &["generation_wh"])?;
	serde_json::from_value(value.take()).map_err(|fault| format!("{name}: {fault}"))
}

/// Checks that the named fields, if present, are integers in the range of their type. `place` names the object in the
/// error message.
fn check_integers(value: &Value, place: &str, names: &[&str]) -> Result<(), String> {
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
				"{place}: {name}: {field} must be an integer from {low} to {high}"
			));
		}
	}
	Ok(())
}

/// Reads the game and the profile of its solution from `input`, or the solution from the file `solution_path`.
fn read_game_and_profile(input: &str, solution_path: Option<PathBuf>) -> Result<(Game, Vec<u8>), String> {
	let mut value = parse("standard input", input)?;
	let (game, solution) = match solution_path {
		Some(path) => {
			let name = path.display().to_string();
			let text =
				std::fs::read_to_string(&path).map_err(|fault| format!("cannot read {name}: {fault}"))?;
			(value, parse(&name, &text)?)
		}
		None => {
			let mut part = |name: &str| {
				value.get_mut(name).map(Value::take).ok_or_else(|| {
					format!("standard input: missing field `{name}` (required without --solution)")
				})
			};
			(part("game")?, part("solution")?)
		}
	};
	let game = read_game(game)?;
	let profile = solution
		.get("profile")
		.cloned()
		.ok_or("solution: missing field `profile`")?;
	let profile = serde_json::from_value(profile).map_err(|fault| format!("solution: profile: {fault}"))?;
	Ok((game, profile))
}
