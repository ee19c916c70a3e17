//! Numbers that name things.

use core::{
	fmt::{self, Display, Formatter},
	num::ParseIntError,
	str::FromStr,
};

/// Number of an era: `floor(now / era length)` since the Unix epoch, UTC. It is a plain number, because it is a point in
/// time: one adds to it, subtracts from it and takes it modulo the length of a ring. Communities and households have
/// types of their own, so none of the three can be mistaken for another.
pub type EraIndex = u32;

/// Declares types of ids: encoded and printed like the number alone.
///
/// They do not use `stored_types!`, because a derived `DecodeAsType` would refuse the plain number that the metadata of
/// runtime version 100 has in their place.
macro_rules! ids {
	($($(#[$doc:meta])+ pub struct $id:ident(pub u32);)+) => {
		$(
			commonwatt_game::encoded_types! {
				$(#[$doc])+
				#[derive(Copy, Default, PartialOrd, Ord, Hash)]
				#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen))]
				#[cfg_attr(feature = "client", derive(scale_encode::EncodeAsType))]
				pub struct $id(pub u32);
			}

			impl Display for $id {
				fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
					self.0.fmt(f)
				}
			}

			impl FromStr for $id {
				type Err = ParseIntError;

				fn from_str(number: &str) -> Result<Self, ParseIntError> {
					number.parse().map(Self)
				}
			}

			impl From<u32> for $id {
				fn from(number: u32) -> Self {
					Self(number)
				}
			}

			#[cfg(feature = "client")]
			impl scale_decode::IntoVisitor for $id {
				type AnyVisitor<R: scale_decode::TypeResolver> = client::IdVisitor<Self, R>;

				fn into_visitor<R: scale_decode::TypeResolver>() -> Self::AnyVisitor<R> {
					client::IdVisitor::default()
				}
			}
		)+
	};
}

ids! {
	/// Number of a community, counted from 0 in the order of creation.
	pub struct CommunityId(pub u32);
	/// Number of a household, counted from 0 over all communities in the order of registration.
	pub struct HouseholdId(pub u32);
}

/// Decoding by the metadata of a chain.
#[cfg(feature = "client")]
mod client {
	use core::marker::PhantomData;
	use scale_decode::{
		visitor::{DecodeAsTypeResult, TypeIdFor},
		DecodeAsType, Error, TypeResolver, Visitor,
	};

	/// Takes a number, by itself or as the only field of something, for an id.
	pub struct IdVisitor<Id, R>(PhantomData<(Id, R)>);

	impl<Id, R> Default for IdVisitor<Id, R> {
		fn default() -> Self {
			Self(PhantomData)
		}
	}

	impl<Id: From<u32>, R: TypeResolver> Visitor for IdVisitor<Id, R> {
		type Value<'scale, 'resolver> = Id;
		type Error = Error;
		type TypeResolver = R;

		fn unchecked_decode_as_type(
			self,
			input: &mut &[u8],
			type_id: TypeIdFor<Self>,
			types: &R,
		) -> DecodeAsTypeResult<Self, Result<Id, Error>> {
			DecodeAsTypeResult::Decoded(u32::decode_as_type(input, type_id, types).map(Id::from))
		}
	}
}
