/// Declares types that the chain stores or reports, with the encodings that the crate's features ask for.
macro_rules! market_types {
	($($(#[$meta:meta])* $vis:vis $kind:ident $name:ident $(<$($param:ident),+>)? { $($body:tt)* })+) => {
		$(
			$(#[$meta])*
			#[derive(Clone, Debug, PartialEq, Eq)]
			#[cfg_attr(feature = "scale", derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking))]
			#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
			#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
			#[cfg_attr(feature = "client", derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType))]
			$vis $kind $name $(<$($param),+>)? { $($body)* }
		)+
	};
}
