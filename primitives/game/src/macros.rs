//! The derives of public data types, for this crate and for `commonwatt-market`.

/// Declares types with the encodings that the features of the declaring crate ask for: `scale` and `serde`.
#[macro_export]
macro_rules! encoded_types {
	($($item:item)+) => {
		$(
			#[derive(Clone, Debug, PartialEq, Eq)]
			#[cfg_attr(feature = "scale", derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking))]
			#[cfg_attr(feature = "scale", derive(scale_info::TypeInfo))]
			#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
			$item
		)+
	};
}

/// [`encoded_types`] that a chain reports: with feature `client` also encoded by the metadata of the chain that a
/// program is connected to.
#[macro_export]
macro_rules! view_types {
	($($item:item)+) => {
		$crate::encoded_types! {
			$(
				#[cfg_attr(feature = "client", derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType))]
				$item
			)+
		}
	};
}

/// [`view_types`] that a chain also stores, so that their encoded size is bounded.
#[macro_export]
macro_rules! stored_types {
	($($item:item)+) => {
		$crate::view_types! {
			$(
				#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen))]
				$item
			)+
		}
	};
}
