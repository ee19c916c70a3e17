//! The rules by which an era was cleared.

/// The first `spec_version` of the runtime whose payoffs are those of this program's game crate. Earlier runtimes
/// valued energy bought from the community as if it had been sold to it.
pub const GAME_RULES_SINCE: u32 = 101;

/// Names a runtime's rules for payoffs if this program cannot judge by them, else `None`. `spec_version` identifies the
/// runtime; `None` means that it is unknown. Runtimes newer than this program are judged by the rules that it has, so a
/// difference in the rules shows.
pub fn other_rules(spec_version: Option<u32>) -> Option<String> {
	match spec_version {
		Some(GAME_RULES_SINCE..) => None,
		Some(version) => Some(format!("other rules (runtime version {version})")),
		None => {
			Some("unknown rules (the node no longer has the block that tells the runtime version)".into())
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn versions_below_101_have_other_rules() {
		let named = |version| other_rules(version).unwrap_or_default();
		assert_eq!(named(Some(100)), "other rules (runtime version 100)");
		assert_eq!(named(Some(0)), "other rules (runtime version 0)");
		assert!(named(None).starts_with("unknown rules"));
		for version in [101, 102, u32::MAX] {
			assert_eq!(other_rules(Some(version)), None);
		}
	}
}
