//! Everything that can go wrong, in words.

use std::{fmt, path::Path};

/// Why a network does not do what was asked of it.
#[derive(Debug)]
pub enum Fault {
	/// An option is wrong, or a file that was given; nothing was started.
	Input(String),
	/// A node did not do its part.
	Node {
		/// Its name.
		name: String,
		/// What is wrong with it.
		reason: String,
	},
	/// Something else failed.
	Failed(String),
}

impl Fault {
	/// The process's exit code.
	pub fn code(&self) -> u8 {
		match self {
			Self::Input(_) => 2,
			Self::Node { .. } | Self::Failed(_) => 1,
		}
	}

	/// A file or folder that cannot be read or written.
	pub fn file(path: &Path, error: impl fmt::Display) -> Self {
		Self::Failed(format!("{}: {error}", path.display()))
	}
}

impl fmt::Display for Fault {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Input(reason) | Self::Failed(reason) => f.write_str(reason),
			Self::Node { name, reason } => write!(f, "{name}: {reason}"),
		}
	}
}

impl std::error::Error for Fault {}
