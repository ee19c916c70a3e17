//! JSON files for other programs.

use crate::fault::Fault;
use serde::Serialize;
use std::{
	fs::{self, File},
	path::Path,
};

/// Checks before the work whether the file can be written. Creates it if it is missing.
pub fn probe(path: &Path) -> Result<(), Fault> {
	let opened = File::options().create(true).append(true).open(path);
	opened.map(drop).map_err(|error| Fault::file(path, error))
}

/// Writes a value as JSON.
pub fn write(path: &Path, report: &impl Serialize) -> Result<(), Fault> {
	let text = serde_json::to_string_pretty(report).map_err(|error| Fault::file(path, error))?;
	fs::write(path, text + "\n").map_err(|error| Fault::file(path, error))
}
