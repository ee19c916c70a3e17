//! Everything that can end a run, with its exit code and message.

use std::{fmt, path::Path};

/// Maximum number of parts that are listed as not judged: a year of eras would fill screens.
const MOST_SHOWN: usize = 20;

/// Why a run failed.
#[derive(Debug)]
pub enum Fault {
	/// A file or an option is wrong.
	Input(String),
	/// The node cannot be reached, or was lost.
	Lost {
		/// The node's address.
		url: String,
		/// The connection's error.
		reason: String,
	},
	/// A light client cannot join the network.
	NoNetwork {
		/// The network's name.
		name: String,
		/// What is missing.
		reason: String,
	},
	/// The chain's sums do not add up, or another check failed.
	Check(Vec<String>),
	/// The chain's state differs from what its events say.
	Differs(Vec<String>),
	/// An audit's result differs from the chain's claim.
	Disagrees(String),
	/// Everything that can be judged is right, but the chain computed these parts by rules that this program does not
	/// have.
	NotJudged(Vec<String>),
	/// The chain refused something, or gave an unexpected answer.
	Chain(String),
}

impl Fault {
	/// The process's exit code.
	pub fn code(&self) -> u8 {
		match self {
			Self::Chain(_) | Self::Differs(_) | Self::Disagrees(_) => 1,
			Self::Input(_) => 2,
			Self::Lost { .. } | Self::NoNetwork { .. } => 3,
			Self::Check(_) => 4,
			Self::NotJudged(_) => 5,
		}
	}

	/// The fault with other words, if it is what the chain answered.
	pub fn because(self, words: impl FnOnce(String) -> String) -> Self {
		match self {
			Self::Chain(reason) => Self::Chain(words(reason)),
			other => other,
		}
	}

	/// A file that could not be read or written.
	pub fn file(path: &Path, error: impl fmt::Display) -> Self {
		Self::Input(format!("{}: {error}", path.display()))
	}
}

impl fmt::Display for Fault {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Input(message) | Self::Chain(message) => f.write_str(message),
			Self::Disagrees(difference) => write!(f, "differs: {difference}"),
			Self::Lost { url, reason } => write!(f, "no connection to the node at {url}: {reason}"),
			Self::NoNetwork { name, reason } => write!(f, "no connection to the network {name}: {reason}"),
			Self::Check(faults) => {
				write!(f, "{} check(s) failed:", faults.len())?;
				faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
			}
			Self::NotJudged(parts) => {
				write!(
					f,
					"everything that can be judged is right, but {} part(s) cannot be judged:",
					parts.len()
				)?;
				let mut shown = parts.iter().take(MOST_SHOWN);
				shown.try_for_each(|part| write!(f, "\n  {part}"))?;
				match parts.len().saturating_sub(MOST_SHOWN) {
					0 => Ok(()),
					more => write!(f, "\n  and {more} more"),
				}
			}
			Self::Differs(differences) => {
				f.write_str("the books and the chain's state differ:")?;
				differences.iter().try_for_each(|one| write!(f, "\n  {one}"))
			}
		}
	}
}

/// Converts errors of the client library.
pub trait OrFault<T> {
	/// The value, or the library's error as [`Fault::Chain`]. Only where the run ends, [`crate::chain::Node::diagnose`]
	/// finds out whether the connection failed.
	fn or_fault(self) -> Result<T, Fault>;
}

impl<T, E: Into<subxt::Error>> OrFault<T> for Result<T, E> {
	fn or_fault(self) -> Result<T, Fault> {
		self.map_err(|error| {
			let error: subxt::Error = error.into();
			let mut message = error.to_string();
			let mut source = std::error::Error::source(&error);
			while let Some(cause) = source {
				let cause_text = cause.to_string();
				// Many layers repeat the message of the layer below.
				if !message.contains(&cause_text) {
					message = format!("{message}: {cause_text}");
				}
				source = cause.source();
			}
			Fault::Chain(message)
		})
	}
}

/// Where in the input a mistake is.
pub struct Location<'a> {
	/// The file, or what stands for one.
	pub path: &'a Path,
	/// The line, or what counts as one.
	pub line: u64,
}

impl Location<'_> {
	/// A mistake there.
	pub fn fault(&self, column: &str, what: impl fmt::Display) -> Fault {
		Fault::Input(format!(
			"{}: row {}, column {column}: {what}",
			self.path.display(),
			self.line
		))
	}
}
