//! The errors of this crate.

use std::{fmt, path::Path};

/// Why an operation on a network failed.
#[derive(Debug)]
pub enum Fault {
	/// An option or an input file is wrong. Nothing was started.
	Input(String),
	/// A node failed.
	Node {
		/// The node's name.
		name: String,
		/// What went wrong.
		reason: String,
	},
	/// Something else failed.
	Failed(String),
}

impl Fault {
	/// The exit code for this error: 2 for [`Fault::Input`], otherwise 1.
	pub fn code(&self) -> u8 {
		match self {
			Self::Input(_) => 2,
			Self::Node { .. } | Self::Failed(_) => 1,
		}
	}

	/// The error for a file or folder that cannot be read or written.
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

impl From<commonwatt_client::fault::Fault> for Fault {
	fn from(fault: commonwatt_client::fault::Fault) -> Self {
		match fault {
			commonwatt_client::fault::Fault::Input(reason) => Self::Input(reason),
			other => Self::Failed(other.to_string()),
		}
	}
}
