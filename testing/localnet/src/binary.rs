//! The node's program, as far as it makes files rather than blocks.

use crate::Fault;
use std::{
	path::{Path, PathBuf},
	process::{Command, Stdio},
};

/// The program `commonwatt-node`.
#[derive(Clone, Debug)]
pub struct Binary(PathBuf);

impl Binary {
	/// The one that lies beside the program that runs, as those of one build do.
	pub fn beside_this() -> Result<Self, Fault> {
		let this = std::env::current_exe().map_err(|error| Fault::Failed(error.to_string()))?;
		Self::in_folder(this.parent().unwrap_or(Path::new(".")))
	}

	/// The one in a folder.
	pub fn in_folder(folder: &Path) -> Result<Self, Fault> {
		let path = folder.join("commonwatt-node");
		if path.exists() {
			return Ok(Self(path));
		}
		Err(Fault::Input(format!(
			"{} is missing: build it with `cargo build --workspace --bins` in the same profile",
			path.display()
		)))
	}

	/// A command of it.
	pub fn command(&self) -> Command {
		let mut command = Command::new(&self.0);
		command.stdin(Stdio::null());
		command
	}

	/// Runs it to its end and returns what it printed.
	pub fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Result<Vec<u8>, Fault> {
		let arguments: Vec<_> = arguments.into_iter().collect();
		let output = self.command().args(&arguments).output();
		let output = output.map_err(|error| Fault::file(&self.0, error))?;
		if output.status.success() {
			return Ok(output.stdout);
		}
		Err(Fault::Failed(format!(
			"commonwatt-node {}: {}",
			arguments.join(" "),
			String::from_utf8_lossy(&output.stderr).trim()
		)))
	}
}
