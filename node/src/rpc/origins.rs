//! Which web pages may use the RPC: the option `--rpc-cors`.

use http::header::{HeaderMap, ORIGIN};
use std::sync::Arc;

/// The origins that may use the RPC if the command line names none: pages of this machine, and Polkadot.js Apps.
pub const DEFAULT_ORIGINS: [&str; 7] = [
	"http://localhost:*",
	"http://127.0.0.1:*",
	"http://[::1]:*",
	"https://localhost:*",
	"https://127.0.0.1:*",
	"https://[::1]:*",
	"https://polkadot.js.org",
];

/// The origins of pages that may use the RPC.
///
/// A browser sends a page's origin with each request that the page's scripts make to another server, and with each
/// handshake of a WebSocket. CORS makes browsers withhold the answers to HTTP requests of other pages. It does not
/// cover WebSockets: a browser opens them for any page, and leaves it to the server to refuse.
#[derive(Clone, Debug)]
pub struct Origins(Option<Arc<[String]>>);

impl Origins {
	/// `None` for all origins. An entry that ends in `:*` stands for every port of that host, the default one included.
	pub fn new(allowed: Option<Vec<String>>) -> Self {
		Self(allowed.map(Arc::from))
	}

	/// Whether a request with these headers may be answered. A program that is no browser sends no origin.
	pub fn allow(&self, headers: &HeaderMap) -> bool {
		let Some(allowed) = &self.0 else {
			return true;
		};
		headers.get_all(ORIGIN).iter().all(|origin| {
			let origin = origin.to_str();
			origin.is_ok_and(|origin| allowed.iter().any(|entry| covers(entry, origin)))
		})
	}
}

/// Whether an entry of the list covers an origin. Browsers write origins in lower case, and leave default ports out.
fn covers(entry: &str, origin: &str) -> bool {
	match entry.strip_suffix(":*").map(|host| origin.strip_prefix(host)) {
		Some(Some("")) => true,
		Some(Some(port)) => port
			.strip_prefix(':')
			.is_some_and(|port| port.parse::<u16>().is_ok()),
		Some(None) => false,
		None => entry == origin,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use http::HeaderValue;

	fn allows(origins: &Origins, sent: &[&str]) -> bool {
		let mut headers = HeaderMap::new();
		for origin in sent {
			headers.append(ORIGIN, HeaderValue::from_str(origin).unwrap());
		}
		origins.allow(&headers)
	}

	fn default_origins() -> Origins {
		Origins::new(Some(DEFAULT_ORIGINS.map(String::from).to_vec()))
	}

	#[test]
	fn pages_of_this_machine_and_the_apps_are_allowed() {
		for origin in [
			"http://localhost",
			"http://localhost:3000",
			"https://127.0.0.1:8443",
			"http://[::1]:5173",
			"https://polkadot.js.org",
		] {
			assert!(allows(&default_origins(), &[origin]), "{origin}");
		}
	}

	#[test]
	fn other_pages_are_refused() {
		for origin in [
			"https://evil.example",
			"http://localhost.evil.example",
			"http://localhost:80.evil.example",
			"http://127.0.0.1.evil.example:80",
			"http://polkadot.js.org",
			"https://polkadot.js.org:8443",
			"https://polkadot.js.org.evil.example",
			"null",
			"",
		] {
			assert!(!allows(&default_origins(), &[origin]), "{origin}");
		}
	}

	#[test]
	fn programs_without_an_origin_are_allowed() {
		assert!(allows(&default_origins(), &[]));
		assert!(allows(&Origins::new(Some(vec![])), &[]));
	}

	#[test]
	fn every_origin_of_a_request_must_be_allowed() {
		assert!(!allows(
			&default_origins(),
			&["http://localhost", "https://evil.example"]
		));
	}

	#[test]
	fn all_means_all() {
		assert!(allows(&Origins::new(None), &["https://evil.example"]));
	}
}
