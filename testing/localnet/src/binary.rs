//! Finds the program `commonwatt-node` and runs its commands.

use crate::Fault;
use std::{
	path::{Path, PathBuf},
	process::{Command, Stdio},
};

/// The program `commonwatt-node`.
#[derive(Clone, Debug)]
pub struct Binary(PathBuf);

impl Binary {
	/// Finds it in the folder of the running program, where cargo puts all programs of a build.
	pub fn beside_this() -> Result<Self, Fault> {
		let this = std::env::current_exe().map_err(|error| Fault::Failed(error.to_string()))?;
		Self::in_folder(this.parent().unwrap_or(Path::new(".")))
	}

	/// Finds it in a folder.
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

	/// A command that starts it, without arguments and without standard input.
	pub fn command(&self) -> Command {
		let mut command = Command::new(&self.0);
		command.stdin(Stdio::null());
		command
	}

	/// Runs it with arguments, waits for its end and returns its standard output. An exit code other than 0 is an
	/// error.
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
