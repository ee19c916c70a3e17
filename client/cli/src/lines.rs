//! Files with one JSON value on each line, to which a program only ever adds, so that it can resume after a crash. An
//! incomplete last line does not count, so a crash cannot damage the lines before it.

use crate::{fault::Fault, files::InFile};
use serde::{de::DeserializeOwned, Serialize};
use std::{
	fs::{self, File, TryLockError},
	io::Write,
	path::{Path, PathBuf},
};

/// A line of such a file.
pub struct Line<Record> {
	/// What it says, or its number and what is wrong with it.
	pub record: Result<Record, String>,
	/// The offset at which it ends.
	pub end: usize,
}

/// Such a file, open for appending and locked for this process.
pub struct Lines {
	file: File,
	path: PathBuf,
}

impl Lines {
	/// Opens the file, or creates it. `busy` is the error message if another process has locked it.
	pub fn open(path: &Path, busy: &str) -> Result<Self, Fault> {
		let opened = File::options().create(true).append(true).open(path);
		let file = opened.in_file(path)?;
		match file.try_lock() {
			Ok(()) => Ok(Self {
				file,
				path: path.into(),
			}),
			Err(TryLockError::WouldBlock) => Err(Fault::file(path, busy)),
			Err(TryLockError::Error(error)) => Err(Fault::file(path, error)),
		}
	}

	/// Reads the lines. An incomplete last line is left out.
	pub fn read<Record: DeserializeOwned>(path: &Path) -> Result<Vec<Line<Record>>, Fault> {
		let text = fs::read(path).in_file(path)?;
		let mut lines = Vec::new();
		let mut end = 0;
		for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
			if !line.ends_with(b"\n") {
				break;
			}
			end += line.len();
			let parsed = serde_json::from_slice(line);
			let damaged = |error| format!("row {}: {error}", index + 1);
			lines.push(Line {
				record: parsed.map_err(damaged),
				end,
			});
		}
		Ok(lines)
	}

	/// Truncates the file at an offset.
	pub fn cut(&mut self, end: usize) -> Result<(), Fault> {
		self.file.set_len(end as u64).in_file(&self.path)
	}

	/// Appends a line and waits until it is on disk.
	pub fn append(&mut self, line: &impl Serialize) -> Result<(), Fault> {
		let mut text = serde_json::to_vec(line).in_file(&self.path)?;
		text.push(b'\n');
		let written = self.file.write_all(&text).and_then(|()| self.file.sync_data());
		written.in_file(&self.path)
	}
}

/// The folder for such files if the user names none; created if it is missing. `option` is the option that names a
/// file, for the error message.
pub fn state_folder(option: &str) -> Result<PathBuf, Fault> {
	let folder = std::env::var_os("XDG_STATE_HOME")
		.map(PathBuf::from)
		.or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))
		.ok_or_else(|| Fault::Input(format!("no state folder was found: name a file with {option}")))?
		.join("commonwatt");
	fs::create_dir_all(&folder).in_file(&folder)?;
	Ok(folder)
}
