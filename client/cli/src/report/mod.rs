//! `commonwatt report`: plays meter data on a chain, with home energy managers, and reports what the community got out
//! of it.

mod days;
mod figures;
mod page;
mod paper;
mod plots;
mod tables;

use crate::{
	cli::ReportArgs,
	data::Dataset,
	fault::Fault,
	files::{self, InFile},
	manager::{homes::Homes, Manager},
	replay,
};
use days::Ways;
use figures::{Figure, Figures};
use std::{fs, path::Path};

/// Runs the subcommand.
pub async fn run(args: ReportArgs) -> Result<(), Fault> {
	let replay_args = args.replay();
	let dataset = Dataset::read(&args.data, &args.play.data)?;
	let mut homes = match &args.homes {
		Some(path) => Homes::read(path)?,
		None => Homes::default(),
	};
	homes.seed = args.seed.unwrap_or(homes.seed);
	Manager::check_names(&homes, &dataset)?;
	fs::create_dir_all(&args.out).in_file(&args.out)?;
	let page = args.out.join("report.html");
	files::probe([&page])?;
	let manager = Manager::new(&homes, &dataset);
	let report = replay::replay(&replay_args, &dataset, Some(&manager)).await?;
	let ways = Ways::new(&dataset, &manager, &report);
	// The comfort with which new households are registered, and also the paper's.
	let model = commonwatt_market::paper::COMFORT;
	let figures = Figures::new(&dataset, &manager, &report, &ways, &model);
	let in_folder = |name: &str| args.out.join(name);
	tables::summary(&in_folder("summary.csv"), &figures)?;
	tables::periods(&in_folder("periods.csv"), &dataset, &report, &ways)?;
	tables::households(&in_folder("households.csv"), &dataset, &manager, &ways, &model)?;
	let html = page::html(&dataset, &report, &ways, &figures, args.paper)?;
	fs::write(&page, html).in_file(&page)?;
	print!("{}", text(&figures, &page));
	match figures.faults() {
		faults if !faults.is_empty() => Err(Fault::Check(faults)),
		_ => report.judged(),
	}
}

/// The headlines for the terminal.
fn text(figures: &Figures, page: &Path) -> String {
	let mut text = format!("\n{:<60}alone       pool     alone*       game\n", "");
	for Figure { name, ways } in &figures.figures {
		let [alone, pool, alone_as_game, game] = ways;
		text += &format!("  {name:<52} {alone:>10} {pool:>10} {alone_as_game:>10} {game:>10}\n");
	}
	text += "  * each alone with the main grid, consuming as in the game\n\n";
	for check in &figures.checks {
		let word = if check.holds { "holds" } else { "FAILS" };
		text += &format!("  {word}  {}: {}\n", check.what, check.detail);
	}
	text += &format!("\n  report: {}\n", page.display());
	text
}
