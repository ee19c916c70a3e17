//! Readings from a CSV file, which may grow and be replaced, and from standard input.

use super::{note, Arrival};
use crate::{
	data::format::{column, Format},
	fault::{Fault, Location},
	files::InFile,
	meter::row::{required, Reads, Row},
};
use csv::StringRecord;
use std::{
	hash::{DefaultHasher, Hasher},
	os::unix::fs::MetadataExt,
	path::Path,
	time::Duration,
};
use tokio::{
	fs::File,
	io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
	sync::mpsc,
};

/// Interval at which a growing file is polled.
const LOOK: Duration = Duration::from_secs(1);

/// Reads standard input, or what else ends by itself.
pub async fn read_all(name: &Path, how: (Format, Reads), to: &mpsc::Sender<Arrival>) -> Result<(), Fault> {
	Lines::new(name, tokio::io::stdin(), how).read(to, true).await
}

/// Reads a file, and then what is added to it. Goes on with the new file if another one takes its name, and starts at
/// the beginning if what was read before has changed. Readings that come twice are known, so nothing is lost or doubled.
pub async fn follow(
	path: &Path,
	once: bool,
	how: (Format, Reads),
	to: &mpsc::Sender<Arrival>,
) -> Result<(), Fault> {
	let mut file = Followed::open(path, how).await?;
	loop {
		file.lines.read(to, once).await?;
		if once || to.is_closed() {
			return Ok(());
		}
		tokio::time::sleep(LOOK).await;
		let Some(what) = file.changed().await? else {
			continue;
		};
		// The end of the file that had the name before.
		if what == Changed::Replaced {
			file.lines.read(to, true).await?;
		}
		// It may be missing for a moment again.
		let Ok(opened) = Followed::open(path, how).await else {
			continue;
		};
		file = opened;
		let name = path.display();
		note(
			to,
			format!("{name} was {}: reading it from its beginning", what.word()),
		)
		.await;
	}
}

/// Why a file must be read from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Changed {
	/// Another file has its name.
	Replaced,
	/// It is shorter than what was read of it.
	Truncated,
	/// What was read of it is different now.
	Rewritten,
}

impl Changed {
	fn word(self) -> &'static str {
		match self {
			Self::Replaced => "replaced",
			Self::Truncated => "truncated",
			Self::Rewritten => "rewritten",
		}
	}
}

/// What tells whether a file may have changed: device, file number, length, and time of the last change.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
	identity: (u64, u64),
	length: u64,
	changed: (i64, i64),
}

impl Seen {
	fn of(data: &std::fs::Metadata) -> Self {
		Self {
			identity: (data.dev(), data.ino()),
			length: data.len(),
			changed: (data.mtime(), data.mtime_nsec()),
		}
	}
}

/// A file that is followed.
struct Followed<'a> {
	path: &'a Path,
	lines: Lines<'a, File>,
	seen: Seen,
}

impl<'a> Followed<'a> {
	async fn open(path: &'a Path, how: (Format, Reads)) -> Result<Self, Fault> {
		let file = File::open(path).await.in_file(path)?;
		let seen = Seen::of(&file.metadata().await.in_file(path)?);
		Ok(Self {
			path,
			lines: Lines::new(path, file, how),
			seen,
		})
	}

	/// Whether what was read is no longer the beginning of the file with this name.
	async fn changed(&mut self) -> Result<Option<Changed>, Fault> {
		// A file that is being replaced may be missing for a moment.
		let Ok(data) = tokio::fs::metadata(self.path).await else {
			return Ok(None);
		};
		let seen = Seen::of(&data);
		if seen == self.seen {
			return Ok(None);
		}
		if seen.identity != self.seen.identity {
			return Ok(Some(Changed::Replaced));
		}
		self.seen = seen;
		let read = self.lines.count;
		if seen.length < read {
			return Ok(Some(Changed::Truncated));
		}
		let mut again = File::open(self.path).await.in_file(self.path)?.take(read);
		let mut hash = DefaultHasher::new();
		let mut part = vec![0; 64 * 1024];
		loop {
			match again.read(&mut part).await.in_file(self.path)? {
				0 => break,
				count => hash.write(part.get(..count).unwrap_or_default()),
			}
		}
		let is_same = hash.finish() == self.lines.hash.finish();
		Ok((!is_same).then_some(Changed::Rewritten))
	}
}

/// Complete lines of CSV, as they arrive.
struct Lines<'a, From> {
	path: &'a Path,
	from: BufReader<From>,
	format: Format,
	reads: Reads,
	header: Option<StringRecord>,
	/// The beginning of a line that is not complete yet.
	begun: Vec<u8>,
	line: u64,
	/// Number and hash of the bytes that were read. Only this process compares hashes.
	count: u64,
	hash: DefaultHasher,
}

impl<'a, From: AsyncRead + Unpin> Lines<'a, From> {
	fn new(path: &'a Path, from: From, (format, reads): (Format, Reads)) -> Self {
		Self {
			path,
			from: BufReader::new(from),
			format,
			reads,
			header: None,
			begun: Vec::new(),
			line: 0,
			count: 0,
			hash: DefaultHasher::new(),
		}
	}

	/// Delivers all complete lines. If `is_end`, a last line without a newline is complete.
	async fn read(&mut self, to: &mpsc::Sender<Arrival>, is_end: bool) -> Result<(), Fault> {
		loop {
			let before = self.begun.len();
			let read = self.from.read_until(b'\n', &mut self.begun).await;
			let read = read.in_file(self.path)?;
			self.count += read as u64;
			self.hash.write(self.begun.get(before..).unwrap_or_default());
			let is_whole = self.begun.ends_with(b"\n");
			let is_line = is_whole || is_end && read == 0;
			if !is_line {
				if read == 0 {
					return Ok(());
				}
				continue;
			}
			if !self.begun.is_empty() {
				let line = std::mem::take(&mut self.begun);
				if let Some(arrival) = self.line(&line)? {
					if to.send(arrival).await.is_err() {
						return Ok(());
					}
				}
			}
			if read == 0 {
				return Ok(());
			}
		}
	}

	fn line(&mut self, line: &[u8]) -> Result<Option<Arrival>, Fault> {
		self.line += 1;
		let place = Location {
			path: self.path,
			line: self.line,
		};
		let mut reader = csv::ReaderBuilder::new()
			.delimiter(self.format.delimiter.0)
			.has_headers(false)
			.trim(csv::Trim::All)
			.from_reader(line);
		let record = match reader.records().next() {
			None => return Ok(None),
			Some(Ok(record)) => record,
			Some(Err(error)) => return Ok(Some(Arrival::Bad(place.fault("any", error)))),
		};
		let Some(header) = &self.header else {
			for names in required(self.reads.numbers.unit) {
				column(&place, &record, names, &self.format)?;
			}
			self.header = Some(record);
			return Ok(None);
		};
		let field = |name: &str| {
			let column = header.iter().position(|there| there == name)?;
			record.get(column)
		};
		Ok(Some(match Row::read(&place, field, self.reads) {
			Ok(row) => Arrival::Row(row, None),
			Err(fault) => Arrival::Bad(fault),
		}))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{fs, path::PathBuf};

	const HEADER: &str = "period_start,generation_wh,consumption_wh,indoor_c\n";

	/// A followed file, and what arrives from it.
	struct Following {
		path: PathBuf,
		arrivals: mpsc::Receiver<Arrival>,
		_folder: tempfile::TempDir,
	}

	impl Following {
		fn begin(text: &str) -> Self {
			let folder = tempfile::tempdir().unwrap();
			let path = folder.path().join("meter.csv");
			fs::write(&path, text).unwrap();
			let (to, arrivals) = mpsc::channel(64);
			let followed = path.clone();
			tokio::spawn(async move {
				let how = (Format::default(), Reads::default());
				if let Err(fault) = follow(&followed, false, how, &to).await {
					let _ = to.send(Arrival::End(fault)).await;
				}
			});
			Self {
				path,
				arrivals,
				_folder: folder,
			}
		}

		/// The next arrivals: the generation of readings, and the words of notes.
		async fn next(&mut self, count: usize) -> Vec<String> {
			let mut said = Vec::new();
			for _ in 0..count {
				let arrival = tokio::time::timeout(Duration::from_secs(60), self.arrivals.recv()).await;
				said.push(match arrival.expect("it arrives").expect("the source goes on") {
					Arrival::Row(row, _) => row.reading.generation_wh.to_string(),
					Arrival::Note(text) => text,
					Arrival::Bad(fault) | Arrival::End(fault) => panic!("{fault}"),
				});
			}
			said
		}

		fn is_now(&self, what: &str) -> String {
			format!(
				"{} was {what}: reading it from its beginning",
				self.path.display()
			)
		}
	}

	fn row(half_hour: u32, generation_wh: u32) -> String {
		format!(
			"2026-08-01T{:02}:{:02}:00Z,{generation_wh},0,20\n",
			half_hour / 2,
			half_hour % 2 * 30
		)
	}

	#[tokio::test]
	async fn lines_that_are_added_are_read() {
		let mut file = Following::begin(&format!("{HEADER}{}", row(0, 1)));
		assert_eq!(file.next(1).await, ["1"]);
		let mut more = fs::File::options().append(true).open(&file.path).unwrap();
		std::io::Write::write_all(&mut more, row(1, 2).as_bytes()).unwrap();
		assert_eq!(file.next(1).await, ["2"]);
	}

	#[tokio::test]
	async fn file_that_is_renamed_over_is_read_to_its_end_and_then_the_new_one() {
		let mut file = Following::begin(&format!("{HEADER}{}", row(0, 1)));
		assert_eq!(file.next(1).await, ["1"]);
		let new = file.path.with_extension("new");
		// The old file gets a row, without a newline, just before the new one takes its name.
		let mut old = fs::File::options().append(true).open(&file.path).unwrap();
		std::io::Write::write_all(&mut old, row(1, 2).trim_end().as_bytes()).unwrap();
		fs::write(&new, format!("{HEADER}{}", row(2, 3))).unwrap();
		fs::rename(&new, &file.path).unwrap();
		assert_eq!(
			file.next(3).await,
			["2".into(), file.is_now("replaced"), "3".into()]
		);
	}

	#[tokio::test]
	async fn file_that_is_rewritten_to_the_same_length_is_read_again() {
		let mut file = Following::begin(&format!("{HEADER}{}", row(0, 1)));
		assert_eq!(file.next(1).await, ["1"]);
		fs::write(&file.path, format!("{HEADER}{}", row(1, 7))).unwrap();
		assert_eq!(file.next(2).await, [file.is_now("rewritten"), "7".into()]);
		// A longer one as well.
		fs::write(&file.path, format!("{HEADER}{}{}", row(2, 8), row(3, 9))).unwrap();
		assert_eq!(
			file.next(3).await,
			[file.is_now("rewritten"), "8".into(), "9".into()]
		);
		fs::write(&file.path, HEADER).unwrap();
		assert_eq!(file.next(1).await, [file.is_now("truncated")]);
	}
}
