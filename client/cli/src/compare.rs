//! Compares two versions of a value, number by number, in the form of their JSON.

use crate::fault::Fault;
use serde::Serialize;
use serde_json::{Map, Value};

/// Where the two versions are from, in words.
struct Sides<'a>(&'a str, &'a str);

/// Every number that differs between the two versions, or that only one of them has. Each version comes with words for
/// where it is from, such as "in the books".
pub fn differences(
	(one, one_side): (&str, &impl Serialize),
	(other, other_side): (&str, &impl Serialize),
) -> Result<Vec<String>, Fault> {
	let fault = |error| Fault::Chain(format!("{one} and {other}: cannot be compared: {error}"));
	let one_side = serde_json::to_value(one_side).map_err(fault)?;
	let other_side = serde_json::to_value(other_side).map_err(fault)?;
	let mut found = Vec::new();
	compare("", &Sides(one, other), (&one_side, &other_side), &mut found);
	Ok(found)
}

fn compare(place: &str, sides: &Sides, (one, other): (&Value, &Value), found: &mut Vec<String>) {
	match (one, other) {
		(Value::Object(one), Value::Object(other)) => fields(place, sides, (one, other), found),
		_ if one != other => found.push(format!("{place}: {one} {}, {other} {}", sides.0, sides.1)),
		_ => (),
	}
}

fn fields(
	place: &str,
	sides: &Sides,
	(one, other): (&Map<String, Value>, &Map<String, Value>),
	found: &mut Vec<String>,
) {
	let inside = |name: &String| match place {
		"" => name.clone(),
		_ => format!("{place} {name}"),
	};
	for (name, value) in one {
		match other.get(name) {
			Some(other) => compare(&inside(name), sides, (value, other), found),
			None => found.push(format!("{}: not {}, {value} {}", inside(name), sides.1, sides.0)),
		}
	}
	for (name, value) in other {
		if !one.contains_key(name) {
			found.push(format!("{}: not {}, {value} {}", inside(name), sides.0, sides.1));
		}
	}
}
