//! Numbers, moments and progress on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

/// Wh as kWh, with three decimal places.
pub fn kwh(wh: impl Into<i128>) -> String {
	format!("{:.3}", wh.into() as f64 / 1_000.0)
}

/// `part` as a percentage of `whole`, with one decimal place; "-" if `whole` is 0.
pub fn percent(part: impl Into<i128>, whole: impl Into<i128>) -> String {
	match whole.into() {
		0 => "-".into(),
		whole => format!("{:.1}", part.into() as f64 * 100.0 / whole as f64),
	}
}

/// Formats ms since the Unix epoch as ISO 8601 in UTC.
pub fn moment(ms: u64) -> String {
	let at = i64::try_from(ms)
		.ok()
		.and_then(|ms| Timestamp::from_millisecond(ms).ok());
	at.map_or_else(|| format!("{ms} ms"), |at| at.to_string())
}

/// A progress bar on standard error, if that is a terminal. `done` names what is counted, such as "blocks read".
pub fn progress(length: u64, done: &str) -> ProgressBar {
	let bar = ProgressBar::new(length);
	let template = format!("{{elapsed_precise}} {{wide_bar}} {{pos}} of {{len}} {done}");
	let style = ProgressStyle::with_template(&template);
	bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
	bar
}
