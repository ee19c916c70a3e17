//! Finds free TCP ports on the loopback interface.

use crate::Fault;
use std::{
	net::{Ipv4Addr, TcpListener},
	ops::Range,
	sync::atomic::{AtomicU16, Ordering},
};

/// Below the ports that systems assign to outgoing connections: otherwise a connection could take a node's port while
/// the node is down.
const RANGE: Range<u16> = 20_000..32_000;

/// How many ports this process has tried. Each process starts at a different port.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// Finds `count` ports on which nobody listens.
pub fn free(count: usize) -> Result<Vec<u16>, Fault> {
	let length = RANGE.end - RANGE.start;
	let begin = (std::process::id().wrapping_mul(97) % u32::from(length)) as u16;
	let next = |_| RANGE.start + (begin + NEXT.fetch_add(1, Ordering::Relaxed) % length) % length;
	let ports = (0..length).map(next).filter(|port| is_free(*port));
	let found: Vec<_> = ports.take(count).collect();
	if found.len() == count {
		return Ok(found);
	}
	Err(Fault::Failed(format!(
		"the loopback interface does not have {count} free ports in {RANGE:?}"
	)))
}

/// Whether nobody listens on a port of the loopback interface.
pub fn is_free(port: u16) -> bool {
	TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The `count` ports from `first` on. Fails if one of them is taken.
pub fn from(first: u16, count: usize) -> Result<Vec<u16>, Fault> {
	let ports: Vec<u16> = (first..=u16::MAX).take(count).collect();
	if ports.len() < count {
		return Err(Fault::Input(format!(
			"--rpc-port {first}: {count} ports from there on go beyond {}; choose a lower one",
			u16::MAX
		)));
	}
	match ports.iter().find(|port| !is_free(**port)) {
		Some(taken) => Err(Fault::Input(format!(
			"port {taken} is in use: choose other ports with --rpc-port"
		))),
		None => Ok(ports),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn free_ports_are_in_range_and_different() {
		let mut ports = free(40).unwrap();
		ports.extend(free(40).unwrap());
		assert!(ports.iter().all(|port| RANGE.contains(port)));
		ports.sort();
		ports.dedup();
		assert_eq!(ports.len(), 80);
	}

	#[test]
	fn port_in_use_is_named() {
		let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
		let port = listener.local_addr().unwrap().port();
		let fault = from(port, 1).unwrap_err().to_string();
		assert!(fault.contains(&port.to_string()), "{fault}");
		assert!(from(u16::MAX, 2).unwrap_err().to_string().contains("beyond"));
	}
}
