//! Files that the commands read and write.

use crate::fault::Fault;
use serde::Serialize;
use std::{
	fmt::Display,
	fs::{self, File},
	path::{Path, PathBuf},
};

/// Names the file in an error about it.
pub trait InFile<T> {
	/// The value, or the error as [`Fault::Input`] with the file's path.
	fn in_file(self, path: &Path) -> Result<T, Fault>;
}

impl<T, E: Display> InFile<T> for Result<T, E> {
	fn in_file(self, path: &Path) -> Result<T, Fault> {
		self.map_err(|error| Fault::file(path, error))
	}
}

/// Checks before the work whether files can be written. Creates those that are missing.
pub fn probe<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<(), Fault> {
	for path in paths {
		let opened = File::options().create(true).append(true).open(path);
		opened.in_file(path)?;
	}
	Ok(())
}

/// Writes a value as JSON for other programs, if a file is named.
pub fn write_json(path: &Option<PathBuf>, value: &impl Serialize) -> Result<(), Fault> {
	let Some(path) = path else { return Ok(()) };
	let text = serde_json::to_string_pretty(value).in_file(path)?;
	fs::write(path, text + "\n").in_file(path)
}

/// A row of a table: its values with the names of their columns.
pub type Row = Vec<(&'static str, String)>;

/// Writes a table as CSV. The names in the first row are the header.
pub fn write_csv(path: &Path, rows: impl IntoIterator<Item = Row>) -> Result<(), Fault> {
	let mut writer = csv::Writer::from_path(path).in_file(path)?;
	for (number, row) in rows.into_iter().enumerate() {
		let (names, values): (Vec<_>, Vec<_>) = row.into_iter().unzip();
		if number == 0 {
			writer.write_record(&names).in_file(path)?;
		}
		writer.write_record(&values).in_file(path)?;
	}
	writer.flush().in_file(path)
}
