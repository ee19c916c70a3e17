//! Calls of motions, in words that a member can judge.

use subxt::{
	dynamic::Value,
	ext::scale_value::{Composite, Primitive, ValueDef},
	utils::{to_hex, AccountId32},
};

/// Letters and bytes of a text that are shown: a motion must not hide one call behind a long text of another.
const MOST_SHOWN: usize = 64;

/// A call as `Pallet.call(field: value, …)`. Accounts are addresses, texts are texts, other bytes are hexadecimal.
pub fn call(value: &Value) -> String {
	let ValueDef::Variant(pallet) = &value.value else {
		return argument("", value);
	};
	let inner = match &pallet.values {
		Composite::Unnamed(values) => values.first(),
		Composite::Named(_) => None,
	};
	match inner.map(|value| &value.value) {
		Some(ValueDef::Variant(inner)) => {
			format!("{}.{}({})", pallet.name, inner.name, fields(&inner.values))
		}
		_ => argument("", value),
	}
}

fn fields(values: &Composite<()>) -> String {
	let shown: Vec<_> = match values {
		Composite::Named(named) => named
			.iter()
			.map(|(name, value)| format!("{name}: {}", argument(name, value)))
			.collect(),
		Composite::Unnamed(values) => values.iter().map(|value| argument("", value)).collect(),
	};
	shown.join(", ")
}

/// A value of a field with this name.
fn argument(name: &str, value: &Value) -> String {
	match &value.value {
		ValueDef::Primitive(primitive) => match primitive {
			Primitive::Bool(yes) => yes.to_string(),
			Primitive::Char(letter) => letter.to_string(),
			Primitive::String(text) => text.clone(),
			Primitive::U128(number) => number.to_string(),
			Primitive::I128(number) => number.to_string(),
			Primitive::U256(bytes) | Primitive::I256(bytes) => to_hex(bytes),
		},
		ValueDef::BitSequence(bits) => format!("{bits:?}"),
		ValueDef::Variant(variant) => {
			// Such as `MultiAddress::Id`, which only wraps an account.
			if let ("Id", Composite::Unnamed(values)) = (variant.name.as_str(), &variant.values) {
				if let [account] = values.as_slice() {
					return argument(name, account);
				}
			}
			// A call inside a call.
			if let Composite::Unnamed(values) = &variant.values {
				if let [Value {
					value: ValueDef::Variant(_),
					..
				}] = values.as_slice()
				{
					return call(value);
				}
			}
			match fields(&variant.values) {
				inside if inside.is_empty() => variant.name.clone(),
				inside => format!("{}({inside})", variant.name),
			}
		}
		ValueDef::Composite(composite) => match bytes(value) {
			Some(bytes) => text(name, &bytes),
			None => match composite {
				Composite::Unnamed(values) if values.len() == 1 => argument(name, &values[0]),
				Composite::Unnamed(_) => format!("[{}]", fields(composite)),
				Composite::Named(_) => format!("{{{}}}", fields(composite)),
			},
		},
	}
}

/// The bytes of a list of them, also inside types of one field. A single number is no list.
fn bytes(value: &Value) -> Option<Vec<u8>> {
	let ValueDef::Composite(Composite::Unnamed(values)) = &value.value else {
		return None;
	};
	let numbers: Option<Vec<u8>> = values
		.iter()
		.map(|value| u8::try_from(value.as_u128()?).ok())
		.collect();
	match (numbers, values.as_slice()) {
		(Some(numbers), [_, _, ..]) => Some(numbers),
		(_, [one]) => bytes(one),
		_ => None,
	}
}

/// Bytes as people read them. A field of 32 bytes is a hash if its name says so, else an account.
fn text(name: &str, bytes: &[u8]) -> String {
	if let (Ok(account), false) = (<[u8; 32]>::try_from(bytes), name.contains("hash")) {
		return AccountId32(account).to_string();
	}
	match std::str::from_utf8(bytes) {
		Ok(text) if text.chars().all(|letter| !letter.is_control()) => {
			let shown: String = text.chars().take(MOST_SHOWN).collect();
			let more = if shown.len() < text.len() { "…" } else { "" };
			// Escapes letters that would reverse or hide what follows.
			format!("\"{}{more}\"", shown.escape_debug())
		}
		_ if bytes.len() > MOST_SHOWN => format!("{}… ({} bytes)", to_hex(&bytes[..MOST_SHOWN]), bytes.len()),
		_ => to_hex(bytes),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use subxt::dynamic::value;

	#[test]
	fn calls_are_shown_with_addresses_texts_and_hashes() {
		let alice = subxt_signer::sr25519::dev::alice().public_key().to_account_id();
		let account = Value::from_bytes(alice.0);
		let admit = value!(Validators(admit {
			validator: account.clone()
		}));
		assert_eq!(
			call(&admit),
			"Validators.admit(validator: 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY)"
		);
		let add = value!(CouncilMembership(add_member { who: Id(account) }));
		assert_eq!(
			call(&add),
			"CouncilMembership.add_member(who: 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY)"
		);
		let decide = value!(Upgrades(decide {
			code_hash: Value::from_bytes([0xab; 32])
		}));
		assert_eq!(
			call(&decide),
			format!("Upgrades.decide(code_hash: 0x{})", "ab".repeat(32))
		);
		let name = (Value::from_bytes(b"Balances"), Value::from_bytes(b"transfer_all"));
		let pause = value!(TxPause(pause {
			full_name: (name.0, name.1)
		}));
		assert_eq!(
			call(&pause),
			"TxPause.pause(full_name: [\"Balances\", \"transfer_all\"])"
		);
	}

	#[test]
	fn long_and_hostile_texts_hide_nothing() {
		let remark = |text: &str| {
			call(&value!(System(remark {
				remark: Value::from_bytes(text)
			})))
		};
		let long = remark(&" ".repeat(5_000));
		assert!(long.len() < 120, "{long}");
		assert!(
			remark("\u{202e}live").contains("\\u{202e}live"),
			"{}",
			remark("\u{202e}live")
		);
		let bytes = call(&value!(System(remark {
			remark: Value::from_bytes(vec![0; 500])
		})));
		assert!(bytes.ends_with("… (500 bytes))"), "{bytes}");
	}

	#[test]
	fn calls_inside_a_batch_are_shown_as_calls() {
		let batch = value!(Utility(batch_all {
			calls: (System(remark {
				remark: Value::from_bytes([1, 2])
			}))
		}));
		let shown = call(&batch);
		assert!(shown.contains("System.remark(remark: 0x0102)"), "{shown}");
	}
}
