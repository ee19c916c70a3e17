//! The households of a game that somebody asks the runtime to solve.

use crate::Config;
use alloc::vec::Vec;
use codec::{Compact, Decode, Encode, EncodeLike, Error, Input, Output};
use commonwatt_market::game::Household as Player;
use core::marker::PhantomData;
use frame_support::traits::Get;
use scale_info::{Type, TypeInfo};

/// Bytes that are skipped at a time.
const CHUNK: usize = 1_024;

/// The players of a game that need not be on the chain, or `None` if there are more than `MaxHouseholds`.
///
/// It is encoded as a plain list. A list that is too long is skipped, not decoded: anybody may send one, and its values
/// would take seven times the memory of its bytes. It must be the last argument, because all that follows it is skipped.
pub struct Players<T>(pub Option<Vec<Player>>, PhantomData<T>);

impl<T: Config> Decode for Players<T> {
	fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
		let Compact(count) = Compact::<u32>::decode(input)?;
		if count > T::MaxHouseholds::get() {
			skip(input)?;
			return Ok(Self(None, PhantomData));
		}
		let players: Result<Vec<_>, _> = (0..count).map(|_| Player::decode(input)).collect();
		Ok(Self(Some(players?), PhantomData))
	}
}

/// Reads the input to its end, and keeps nothing of it.
fn skip<I: Input>(input: &mut I) -> Result<(), Error> {
	let mut chunk = [0; CHUNK];
	while let Some(left) = input.remaining_len()?.filter(|left| *left > 0) {
		let (part, _) = chunk.split_at_mut(left.min(CHUNK));
		input.read(part)?;
	}
	Ok(())
}

impl<T> Encode for Players<T> {
	fn encode_to<O: Output + ?Sized>(&self, output: &mut O) {
		self.0.as_deref().unwrap_or_default().encode_to(output);
	}
}

impl<T> EncodeLike for Players<T> {}

impl<T: 'static> TypeInfo for Players<T> {
	type Identity = Vec<Player>;

	fn type_info() -> Type {
		Vec::<Player>::type_info()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::mock::Test;
	use codec::DecodeAll;

	fn most() -> u32 {
		<Test as Config>::MaxHouseholds::get()
	}

	fn player() -> Player {
		Player {
			generation_wh: 1,
			comfort: None,
			strategies: Vec::new(),
		}
	}

	#[test]
	fn list_within_the_limit_is_decoded() {
		for count in [0, 1, most()] {
			let list = alloc::vec![player(); count as usize];
			let players = Players::<Test>::decode_all(&mut list.encode().as_slice()).unwrap();
			assert_eq!(players.encode(), list.encode());
			assert_eq!(players.0, Some(list));
		}
	}

	/// No decoder of households gets through these bytes, so the list is not decoded.
	#[test]
	fn longer_list_is_skipped() {
		for (count, bytes) in [(most() + 1, 0), (most() + 1, 5), (u32::MAX, 10 * CHUNK + 1)] {
			let list = [Compact(count).encode(), alloc::vec![0xFF; bytes]].concat();
			assert!(Vec::<Player>::decode(&mut list.as_slice()).is_err());
			let players = Players::<Test>::decode_all(&mut list.as_slice()).unwrap();
			assert_eq!(players.0, None);
		}
	}

	#[test]
	fn incomplete_list_is_an_error() {
		let list = alloc::vec![player(); 2].encode();
		assert!(Players::<Test>::decode_all(&mut &list[..list.len() - 1]).is_err());
	}
}
