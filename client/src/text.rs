//! How numbers and progress look on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// Wh as kWh.
pub fn kwh(wh: impl Into<i128>) -> String {
	format!("{:.3}", wh.into() as f64 / 1_000.0)
}

/// A bar on standard error, if that is a terminal, for so many things that are to be `done`, as "blocks read".
pub fn progress(length: u64, done: &str) -> ProgressBar {
	let bar = ProgressBar::new(length);
	let template = format!("{{elapsed_precise}} {{wide_bar}} {{pos}} of {{len}} {done}");
	let style = ProgressStyle::with_template(&template);
	bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
	bar
}
