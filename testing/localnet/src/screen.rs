//! Shows a network with one line for each node: on a terminal, or as plain lines where the output is a file or a pipe.

use commonwatt_localnet::{in_words, Node, Status};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::{
	io::IsTerminal,
	time::{Duration, Instant},
};

/// Time between two prints of the lines where they cannot be replaced.
const LINES_EVERY: Duration = Duration::from_secs(10);

/// Shows the state of nodes.
pub struct Screen {
	/// Lines that are replaced. Empty if there is no terminal.
	bars: Vec<ProgressBar>,
	lines: MultiProgress,
	printed: Option<Instant>,
}

impl Screen {
	/// A screen for this number of nodes.
	pub fn new(nodes: usize) -> Self {
		let lines = MultiProgress::new();
		let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
		let mut bars = Vec::new();
		if std::io::stderr().is_terminal() {
			let bar = || lines.add(ProgressBar::new(1).with_style(style.clone()));
			bars.extend((0..=nodes).map(|_| bar()));
		}
		Self {
			bars,
			lines,
			printed: None,
		}
	}

	/// Prints a line that stays.
	pub fn say(&self, text: &str) {
		self.lines.suspend(|| println!("{text}"));
	}

	/// Shows a line for each node.
	pub fn show(&mut self, rows: &[String]) {
		if !self.bars.is_empty() {
			let all = std::iter::once(heading()).chain(rows.iter().cloned());
			self.bars
				.iter()
				.zip(all)
				.for_each(|(bar, row)| bar.set_message(row));
			return;
		}
		if self.printed.is_none_or(|at| at.elapsed() >= LINES_EVERY) {
			self.printed = Some(Instant::now());
			println!("{}", heading());
			rows.iter().for_each(|row| println!("{row}"));
		}
	}

	/// Leaves the last lines on the terminal.
	pub fn finish(&self) {
		self.bars.iter().for_each(ProgressBar::abandon);
	}
}

fn heading() -> String {
	format!(
		"{:<13} {:>6} {:>6} {:>8} {:>10} {:>10}  state",
		"node", "rpc", "peers", "best", "finalized", "era"
	)
}

/// The line of a node.
pub async fn row(node: &mut Node) -> String {
	let (name, port) = (node.name.clone(), node.ports.rpc);
	let empty = |state: &str| {
		format!(
			"{name:<13} {port:>6} {:>6} {:>8} {:>10} {:>10}  {state}",
			"-", "-", "-", "-"
		)
	};
	if let Some(status) = node.ended() {
		return empty(&format!("ended ({}): {}", in_words(status), node.last_log_line()));
	}
	match node.status().await {
		Ok(status) => filled(&name, port, &status),
		Err(_) => empty("starting"),
	}
}

fn filled(name: &str, port: u16, status: &Status) -> String {
	let state = if status.is_syncing { "syncing" } else { "running" };
	let era = status.era.map_or("-".into(), |era| era.to_string());
	format!(
		"{name:<13} {port:>6} {:>6} {:>8} {:>10} {era:>10}  {state}",
		status.peers, status.best, status.finalized
	)
}
