//! How a file writes its values, as the command's options say. What an option would cure, a message names.

use crate::{
	fault::{Fault, Location},
	values::Numbers,
};
use clap::{Args, ValueEnum};
use csv::StringRecord;
use serde::{Deserialize, Serialize};

/// How a CSV file writes its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args, Serialize, Deserialize)]
#[command(next_help_heading = "How the file writes its values")]
pub struct Format {
	/// Character between the columns, or `tab`
	#[arg(long, value_name = "CHARACTER", default_value_t, value_parser = Delimiter::parse)]
	pub delimiter: Delimiter,

	/// How energies are written.
	#[command(flatten)]
	pub numbers: Numbers,
}

/// The character between the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delimiter(pub u8);

impl Default for Delimiter {
	fn default() -> Self {
		Self(b',')
	}
}

impl std::fmt::Display for Delimiter {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self.0 {
			b'\t' => f.write_str("tab"),
			other => write!(f, "{}", char::from(other)),
		}
	}
}

impl Delimiter {
	fn parse(text: &str) -> Result<Self, String> {
		match text.as_bytes() {
			b"tab" => Ok(Self(b'\t')),
			[one] if one.is_ascii_punctuation() && *one != b'"' || *one == b'\t' => Ok(Self(*one)),
			_ => Err("is neither one punctuation character nor 'tab'".into()),
		}
	}
}

/// Which moment of a period its row names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum Label {
	/// When it begins
	#[default]
	Start,
	/// When it ends; 24:00 is allowed
	End,
}

impl Label {
	/// Names of the column, the preferred one first. Files that name the end often call the column a start.
	pub fn columns(self) -> &'static [&'static str] {
		match self {
			Self::Start => &["period_start"],
			Self::End => &["period_end", "period_start"],
		}
	}
}

/// The position of the first of these columns that the header has, and its name.
///
/// Without one, the fault names the option that would take the header, if there is one.
pub fn column(
	place: &Location,
	headers: &StringRecord,
	names: &'static [&'static str],
	format: &Format,
) -> Result<(usize, &'static str), Fault> {
	let find = |name: &str| headers.iter().position(|header| header == name);
	let found = names.iter().find_map(|name| Some((find(name)?, *name)));
	found.ok_or_else(|| {
		let name = names.first().copied().unwrap_or_default();
		let only = headers.get(0).filter(|_| headers.len() == 1).unwrap_or_default();
		let separator = [b';', b'\t', b'|', b',']
			.into_iter()
			.find(|other| *other != format.delimiter.0 && only.contains(char::from(*other)));
		let other_unit = name.replace("_wh", "_kwh");
		let what = if let Some(separator) = separator {
			format!(
				"the columns are not separated by '{}': add --delimiter '{}'",
				format.delimiter,
				Delimiter(separator)
			)
		} else if other_unit != name && find(&other_unit).is_some() {
			format!("the header has {other_unit} instead: add --unit kwh")
		} else if name == "period_start" && find("period_end").is_some() {
			"the header has period_end instead: add --label end".into()
		} else {
			let there: Vec<&str> = headers.iter().collect();
			format!("the header has no such column; it has {}", there.join(", "))
		};
		place.fault(name, what)
	})
}
