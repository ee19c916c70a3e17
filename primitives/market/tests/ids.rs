//! Ids have types of their own, but on the chain, in JSON and on a screen they are numbers.

use commonwatt_market::{CommunityId, HouseholdId};

const NUMBERS: [u32; 4] = [0, 7, 65_536, u32::MAX];

#[test]
fn ids_are_printed_and_parsed_as_numbers() {
	assert_eq!(format!("{}, {:>3}", CommunityId(7), HouseholdId(8)), "7,   8");
	for number in NUMBERS {
		let text = number.to_string();
		assert_eq!(text.parse(), Ok(CommunityId(number)));
		assert_eq!(text.parse(), Ok(HouseholdId(number)));
	}
	for wrong in ["", "-1", "paper", "4294967296"] {
		assert!(wrong.parse::<CommunityId>().is_err(), "{wrong}");
		assert!(wrong.parse::<HouseholdId>().is_err(), "{wrong}");
	}
}

#[cfg(feature = "scale")]
#[test]
fn ids_are_encoded_like_their_numbers() {
	use codec::{Decode, Encode, MaxEncodedLen};
	for number in NUMBERS {
		let bytes = number.encode();
		assert_eq!(CommunityId(number).encode(), bytes);
		assert_eq!(HouseholdId(number).encode(), bytes);
		assert_eq!(CommunityId::decode(&mut &bytes[..]), Ok(CommunityId(number)));
		assert_eq!(HouseholdId::decode(&mut &bytes[..]), Ok(HouseholdId(number)));
	}
	assert_eq!(CommunityId::max_encoded_len(), u32::max_encoded_len());
	assert_eq!(HouseholdId::max_encoded_len(), u32::max_encoded_len());
}

#[cfg(feature = "serde")]
#[test]
fn ids_are_numbers_in_json_and_as_keys_of_maps() {
	use std::collections::BTreeMap;
	let ids = BTreeMap::from([
		(HouseholdId(7), CommunityId(0)),
		(HouseholdId(10), CommunityId(1)),
	]);
	let text = serde_json::to_string(&ids).expect("a map is JSON");
	assert_eq!(text, r#"{"7":0,"10":1}"#);
	assert_eq!(serde_json::from_str(&text).ok(), Some(ids.clone()));
	let value = serde_json::to_value(&ids).expect("a map is JSON");
	assert_eq!(value, serde_json::json!({ "7": 0, "10": 1 }));
	assert_eq!(serde_json::from_value(value).ok(), Some(ids));
}

/// A chain of an earlier version has numbers in its metadata where a later one has ids.
#[cfg(all(feature = "scale", feature = "client"))]
#[test]
fn ids_are_read_and_written_by_metadata_with_and_without_their_types() {
	use codec::Encode;
	use scale_decode::DecodeAsType;
	use scale_encode::EncodeAsType;
	use scale_info::{MetaType, PortableRegistry, Registry, TypeInfo};
	fn check<Id: From<u32> + DecodeAsType + EncodeAsType + PartialEq, InMetadata: TypeInfo + 'static>() {
		let mut types = Registry::new();
		let of_type = types.register_type(&MetaType::new::<InMetadata>()).id;
		let types = PortableRegistry::from(types);
		for number in NUMBERS {
			let (id, bytes) = (Id::from(number), number.encode());
			assert_eq!(id.encode_as_type(of_type, &types).expect("it fits"), bytes);
			let mut rest = &bytes[..];
			assert!(Id::decode_as_type(&mut rest, of_type, &types).expect("it fits") == id);
			assert!(rest.is_empty());
		}
	}
	check::<CommunityId, u32>();
	check::<CommunityId, CommunityId>();
	check::<HouseholdId, u32>();
	check::<HouseholdId, HouseholdId>();
}
