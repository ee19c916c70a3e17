//! Files of one JSON value a line, to which a program adds as it goes, so that it can go on after a sudden end: lines are
//! only ever added, and a line that was left unfinished does not count, so what is on disk is always whole.

use crate::fault::Fault;
use serde::{de::DeserializeOwned, Serialize};
use std::{
	fs::{self, File, TryLockError},
	io::Write,
	path::{Path, PathBuf},
};

/// Such a file, open for adding to it, for this process alone.
pub struct Lines {
	file: File,
	path: PathBuf,
}

impl Lines {
	/// Opens the file, or makes it; `busy` is what to say if another process has it.
	pub fn open(path: &Path, busy: &str) -> Result<Self, Fault> {
		let opened = File::options().create(true).append(true).open(path);
		let file = opened.map_err(|error| Fault::file(path, error))?;
		match file.try_lock() {
			Ok(()) => Ok(Self {
				file,
				path: path.into(),
			}),
			Err(TryLockError::WouldBlock) => Err(Fault::file(path, busy)),
			Err(TryLockError::Error(error)) => Err(Fault::file(path, error)),
		}
	}

	/// The lines with the offsets at which they end, but for a last one that has no end.
	pub fn read<Record: DeserializeOwned>(path: &Path) -> Result<Vec<(Record, usize)>, Fault> {
		let text = fs::read(path).map_err(|error| Fault::file(path, error))?;
		let mut lines = Vec::new();
		let mut end = 0;
		for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
			if !line.ends_with(b"\n") {
				break;
			}
			end += line.len();
			let parsed = serde_json::from_slice(line);
			let unknown = |error| Fault::file(path, format_args!("row {}: {error}", index + 1));
			lines.push((parsed.map_err(unknown)?, end));
		}
		Ok(lines)
	}

	/// Drops all that comes after an offset.
	pub fn cut(&mut self, end: usize) -> Result<(), Fault> {
		let cut = self.file.set_len(end as u64);
		cut.map_err(|error| Fault::file(&self.path, error))
	}

	/// Adds a line, and sees it on disk.
	pub fn append(&mut self, line: &impl Serialize) -> Result<(), Fault> {
		let mut text = serde_json::to_vec(line).map_err(|error| Fault::file(&self.path, error))?;
		text.push(b'\n');
		let written = self.file.write_all(&text).and_then(|()| self.file.sync_data());
		written.map_err(|error| Fault::file(&self.path, error))
	}
}

/// The folder in which such files lie if the user names no place. `option` is what would name one.
pub fn state_folder(option: &str) -> Result<PathBuf, Fault> {
	let folder = std::env::var_os("XDG_STATE_HOME")
		.map(PathBuf::from)
		.or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))
		.ok_or_else(|| Fault::Input(format!("there is no state folder: name a file with {option}")))?
		.join("commonwatt");
	fs::create_dir_all(&folder).map_err(|error| Fault::file(&folder, error))?;
	Ok(folder)
}
