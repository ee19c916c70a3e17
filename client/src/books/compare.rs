//! Two accounts of the same thing, compared number by number.

use super::state::State;
use crate::fault::Fault;
use serde_json::{Map, Value};

/// Every number of the books that is another one in the chain's state, or in one of the two only.
pub fn differences(books: &State, chain: &State) -> Result<Vec<String>, Fault> {
	let value = |state: &State| {
		serde_json::to_value(state)
			.map_err(|error| Fault::Chain(format!("books cannot be compared: {error}")))
	};
	let mut found = Vec::new();
	compare("", &value(books)?, &value(chain)?, &mut found);
	Ok(found)
}

fn compare(place: &str, books: &Value, chain: &Value, found: &mut Vec<String>) {
	match (books, chain) {
		(Value::Object(books), Value::Object(chain)) => compare_fields(place, books, chain, found),
		_ if books != chain => found.push(format!("{place}: {books} in the books, {chain} in the state")),
		_ => (),
	}
}

fn compare_fields(
	place: &str,
	books: &Map<String, Value>,
	chain: &Map<String, Value>,
	found: &mut Vec<String>,
) {
	let inside = |name: &String| match place {
		"" => name.clone(),
		_ => format!("{place} {name}"),
	};
	for (name, value) in books {
		match chain.get(name) {
			Some(other) => compare(&inside(name), value, other, found),
			None => found.push(format!(
				"{}: not in the state, {value} in the books",
				inside(name)
			)),
		}
	}
	for (name, value) in chain {
		if !books.contains_key(name) {
			found.push(format!(
				"{}: not in the books, {value} in the state",
				inside(name)
			));
		}
	}
}
