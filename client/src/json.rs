//! Files that programs read.

use crate::fault::Fault;
use serde::Serialize;
use std::{
	fs::{self, File},
	path::Path,
};

/// Whether the file can be written: better known before the work than after it.
pub fn probe(path: &Path) -> Result<(), Fault> {
	let opened = File::options().create(true).append(true).open(path);
	opened.map(drop).map_err(|error| Fault::file(path, error))
}

/// Writes the file.
pub fn write(path: &Path, report: &impl Serialize) -> Result<(), Fault> {
	let text = serde_json::to_string_pretty(report).map_err(|error| Fault::file(path, error))?;
	fs::write(path, text + "\n").map_err(|error| Fault::file(path, error))
}
