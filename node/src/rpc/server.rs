//! Serves the RPC over HTTP and WebSockets.
//!
//! `sc-service` starts the server of `sc-rpc-server`, which answers a WebSocket's handshake whatever its origin, and
//! offers no place for a check. So the methods are served from here instead, with the same parts and options, and with
//! [`Origins`] in front. The other server cannot be left out, so it gets an endpoint that admits no connection.

use super::origins::Origins;
use forwarded_header_value::ForwardedHeaderValue;
use http::{HeaderMap, StatusCode};
use hyper::body::Incoming;
use jsonrpsee::{
	server::{
		middleware::http::HostFilterLayer, serve_with_graceful_shutdown, stop_channel, ws,
		BatchRequestConfig, HttpBody, HttpRequest, HttpResponse, PingConfig, RandomStringIdProvider,
		RpcServiceBuilder, ServerBuilder, StopHandle, TowerServiceBuilder,
	},
	Methods, RpcModule,
};
use sc_rpc_server::{
	create_rpc_runtime, utils::deny_unsafe, Metrics, MiddlewareLayer, NodeHealthProxyLayer, RpcEndpoint,
	RpcMethods, RpcMetrics, Server,
};
use sc_service::{config::RpcConfiguration, error::Error as ServiceError};
use std::{
	io,
	net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
	num::NonZeroU32,
	time::{Duration, Instant},
};
use substrate_prometheus_endpoint::Registry;
use tokio::runtime::Handle;
use tower::{layer::util::Identity, Service};
use tower_http::cors::CorsLayer;

const MEGABYTE: u32 = 1024 * 1024;

/// What the RPC is served with. Taken from the configuration before `sc-service` sees it.
pub struct Plan {
	endpoints: Vec<RpcEndpoint>,
	max_connections: u32,
	request_logger_limit: u32,
}

impl Plan {
	/// Takes the endpoints out of the configuration, and leaves one that admits no connection.
	pub fn take(config: &mut RpcConfiguration) -> Self {
		Self {
			endpoints: config.addr.replace(vec![closed()]).unwrap_or_default(),
			max_connections: config.max_connections,
			request_logger_limit: config.request_logger_limit,
		}
	}

	/// Serves the module's methods until the returned server is dropped.
	///
	/// An error if an address is in use. The server never chooses another port: clients would talk to whatever program
	/// has the wanted one, probably another node.
	pub fn serve(self, module: RpcModule<()>, registry: Option<&Registry>) -> Result<Server, ServiceError> {
		let module = with_list_of_methods(module)?;
		let known: Vec<_> = module.method_names().collect();
		let metrics = RpcMetrics::new(registry)?.map(|metrics| metrics.with_known_methods(known));
		let mut listeners = Vec::new();
		for endpoint in self.endpoints {
			match listen(endpoint.listen_addr) {
				Ok((listener, address)) => listeners.push((listener, address, endpoint)),
				Err(error) if endpoint.is_optional => {
					log::debug!("The RPC is not served on {}: {error}", endpoint.listen_addr)
				}
				Err(error) => {
					let address = endpoint.listen_addr;
					return Err(format!("the RPC cannot be served on {address}: {error}").into());
				}
			}
		}
		// Methods that block get threads of their own, as many as there may be connections. Nothing may fail from here
		// on: a runtime must not be dropped here, within another one.
		let runtime = create_rpc_runtime(self.max_connections)?;
		let (stop_handle, server_handle) = stop_channel();
		let addresses: Vec<_> = listeners.iter().map(|(_, address, _)| *address).collect();
		for (listener, address, endpoint) in listeners {
			let shared = Shared {
				origins: Origins::new(endpoint.cors.clone()),
				methods: module.clone().into(),
				metrics: metrics.clone(),
				request_logger_limit: self.request_logger_limit,
				stop_handle: stop_handle.clone(),
				endpoint,
			};
			runtime.spawn(async move {
				match tokio::net::TcpListener::from_std(listener) {
					Ok(listener) => shared.accept(listener, address).await,
					Err(error) => log::error!("The RPC is not served on {address}: {error}"),
				}
			});
		}
		let list: Vec<_> = addresses.iter().map(SocketAddr::to_string).collect();
		// Scripts read the port from this line, so it is the one of other Substrate nodes.
		log::info!("Running JSON-RPC server: addr={}", list.join(","));
		Ok(Server::new(server_handle, addresses, runtime))
	}
}

/// An endpoint that nobody can use: no connection is below its limit.
fn closed() -> RpcEndpoint {
	RpcEndpoint {
		listen_addr: (Ipv4Addr::LOCALHOST, 0).into(),
		batch_config: BatchRequestConfig::Disabled,
		max_connections: 0,
		max_payload_in_mb: 1,
		max_payload_out_mb: 1,
		max_subscriptions_per_connection: 0,
		max_buffer_capacity_per_connection: 1,
		rate_limit: None,
		rate_limit_trust_proxy_headers: false,
		rate_limit_whitelisted_ips: Vec::new(),
		cors: Some(Vec::new()),
		rpc_methods: RpcMethods::Safe,
		is_optional: false,
		retry_random_port: false,
	}
}

/// Takes an address. The listener is ready for an asynchronous runtime.
fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
	let listener = TcpListener::bind(address)?;
	listener.set_nonblocking(true)?;
	let address = listener.local_addr()?;
	Ok((listener, address))
}

/// Adds the method `rpc_methods`, which names all methods, itself included.
fn with_list_of_methods(mut module: RpcModule<()>) -> Result<RpcModule<()>, ServiceError> {
	const NAME: &str = "rpc_methods";
	let mut methods: Vec<_> = module.method_names().chain([NAME]).collect();
	methods.sort_unstable();
	module
		.register_method(NAME, move |_, _, _| serde_json::json!({ "methods": methods }))
		.map_err(|error| ServiceError::Application(Box::new(error)))?;
	Ok(module)
}

/// What all connections of an endpoint share.
struct Shared {
	endpoint: RpcEndpoint,
	origins: Origins,
	methods: Methods,
	metrics: Option<RpcMetrics>,
	request_logger_limit: u32,
	stop_handle: StopHandle,
}

impl Shared {
	/// Serves the connections to an address until the server stops.
	async fn accept(self, listener: tokio::net::TcpListener, address: SocketAddr) {
		let Self {
			endpoint,
			origins,
			methods,
			metrics,
			request_logger_limit,
			stop_handle,
		} = self;
		let http_middleware = tower::ServiceBuilder::new()
			.option_layer(host_filter(&endpoint))
			// Answers `GET /health` and `GET /health/readiness`.
			.layer(NodeHealthProxyLayer)
			// Only allowed origins get this far, and a browser needs these headers to use the answers.
			.layer(CorsLayer::permissive());
		let builder = builder(&endpoint).set_http_middleware(http_middleware);
		let deny_unsafe = deny_unsafe(&address, &endpoint.rpc_methods);

		loop {
			let (socket, peer) = tokio::select! {
				accepted = listener.accept() => match accepted {
					Ok(accepted) => accepted,
					Err(error) => {
						log::debug!("A connection to the RPC failed: {error}");
						continue;
					}
				},
				() = stop_handle.clone().shutdown() => return,
			};
			let (builder, endpoint, origins) = (builder.clone(), endpoint.clone(), origins.clone());
			let (methods, metrics, stop) = (methods.clone(), metrics.clone(), stop_handle.clone());
			let service = tower::service_fn(move |mut request: HttpRequest<Incoming>| {
				let refused = (!origins.allow(request.headers())).then(forbidden);
				request.extensions_mut().insert(deny_unsafe);
				let is_websocket = ws::is_upgrade_request(&request);
				let limit = rate_limit(&endpoint, peer.ip(), request.headers());
				let middleware = middleware(limit, metrics.clone(), is_websocket);
				let rpc_middleware = RpcServiceBuilder::new()
					.rpc_logger(request_logger_limit)
					.option_layer(middleware.clone());
				let mut service = builder
					.clone()
					.set_rpc_middleware(rpc_middleware)
					.build(methods.clone(), stop.clone());
				async move {
					if let Some(refused) = refused {
						return Ok(refused);
					}
					if let Some(middleware) = middleware.filter(|_| is_websocket) {
						let closed = service.on_session_closed();
						tokio::spawn(async move {
							let opened = Instant::now();
							middleware.ws_connect();
							closed.await;
							middleware.ws_disconnect(opened);
						});
					}
					service.call(request).await
				}
			});
			tokio::spawn(serve_with_graceful_shutdown(
				socket,
				service,
				stop_handle.clone().shutdown(),
			));
		}
	}
}

/// A server with the endpoint's limits. Connections run on the runtime that calls this.
fn builder(endpoint: &RpcEndpoint) -> TowerServiceBuilder<Identity, Identity> {
	ServerBuilder::new()
		.max_request_body_size(endpoint.max_payload_in_mb.saturating_mul(MEGABYTE))
		.max_response_body_size(endpoint.max_payload_out_mb.saturating_mul(MEGABYTE))
		.max_connections(endpoint.max_connections)
		.max_subscriptions_per_connection(endpoint.max_subscriptions_per_connection)
		.enable_ws_ping(
			PingConfig::new()
				.ping_interval(Duration::from_secs(30))
				.inactive_limit(Duration::from_secs(60))
				.max_failures(3),
		)
		.set_message_buffer_capacity(endpoint.max_buffer_capacity_per_connection)
		.set_batch_request_config(endpoint.batch_config)
		.set_id_provider(RandomStringIdProvider::new(16))
		.custom_tokio_runtime(Handle::current())
		.to_service_builder()
}

/// The answer to a page whose origin is not allowed.
fn forbidden() -> HttpResponse {
	let mut answer = HttpResponse::new(HttpBody::from(
		"This page's origin may not use the RPC; see the node's option --rpc-cors.\n",
	));
	*answer.status_mut() = StatusCode::FORBIDDEN;
	answer
}

/// Refuses requests that call this machine by another name, unless all origins are allowed: the name may be a page's, which
/// its owner has pointed at this machine. The port does not matter, since a tunnel may have another one.
fn host_filter(endpoint: &RpcEndpoint) -> Option<HostFilterLayer> {
	let hosts = ["localhost:*", "127.0.0.1:*", "[::1]:*"];
	endpoint
		.cors
		.as_ref()
		.and_then(|_| HostFilterLayer::new(hosts).ok())
}

/// The calls that a client may make in a minute, if they are limited.
fn rate_limit(endpoint: &RpcEndpoint, peer: IpAddr, headers: &HeaderMap) -> Option<NonZeroU32> {
	let trusted = endpoint.rate_limit_trust_proxy_headers;
	let client = trusted.then(|| proxied(headers)).flatten().unwrap_or(peer);
	let exempt = &endpoint.rate_limit_whitelisted_ips;
	endpoint
		.rate_limit
		.filter(|_| !exempt.iter().any(|network| network.contains(client)))
}

/// The client for which a proxy passes a request on.
fn proxied(headers: &HeaderMap) -> Option<IpAddr> {
	let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
	let remotest = |value: ForwardedHeaderValue| value.remotest_forwarded_for_ip();
	let forwarded = || ForwardedHeaderValue::from_forwarded(text("forwarded")?).ok();
	let x_forwarded = || ForwardedHeaderValue::from_x_forwarded_for(text("x-forwarded-for")?).ok();
	forwarded()
		.and_then(remotest)
		.or_else(|| x_forwarded().and_then(remotest))
		.or_else(|| text("x-real-ip")?.parse().ok())
}

/// Counts and limits the calls of a connection.
fn middleware(
	limit: Option<NonZeroU32>,
	metrics: Option<RpcMetrics>,
	is_websocket: bool,
) -> Option<MiddlewareLayer> {
	if limit.is_none() && metrics.is_none() {
		return None;
	}
	let mut layer = MiddlewareLayer::new();
	if let Some(metrics) = metrics {
		let transport = if is_websocket { "ws" } else { "http" };
		layer = layer.with_metrics(Metrics::new(metrics, transport));
	}
	if let Some(limit) = limit {
		layer = layer.with_rate_limit_per_minute(limit);
	}
	Some(layer)
}
