//! `commonwatt dashboard`: serves the household's page to a browser on this machine.

use crate::{chain::light, cli::DashboardArgs, fault::Fault};
use axum::{
	http::{header, HeaderValue},
	routing::get,
	Router,
};
use std::{
	env, fs,
	io::ErrorKind,
	net::Ipv4Addr,
	path::{Path, PathBuf},
};
use tokio::net::TcpListener;
use tower_http::{
	compression::{CompressionLayer, CompressionLevel},
	services::ServeDir,
	set_header::SetResponseHeaderLayer,
};
use url::Url;

/// The page asks for the chain specification beside its own files.
const SPECIFICATION: &str = "/chain.json";
/// The folder of the built page, beside this program.
const FOLDER: &str = "dashboard";

pub async fn run(args: DashboardArgs) -> Result<(), Fault> {
	let files = files(args.files)?;
	let specification = args.chain.as_deref().map(read).transpose()?;
	let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await;
	let listener = listener.map_err(|error| match error.kind() {
		ErrorKind::AddrInUse => Fault::Input(format!(
			"--port {}: another program listens at this port; choose another one, or 0 for any that is free",
			args.port
		)),
		_ => Fault::Input(format!("--port {}: {error}", args.port)),
	})?;
	let port = listener
		.local_addr()
		.map_err(|error| Fault::Input(error.to_string()))?
		.port();
	let mut address = page(port)?;
	if specification.is_none() {
		address.query_pairs_mut().append_pair("rpc", &args.url);
	}
	let how = match &args.chain {
		Some(chain) => format!("joins the network of {} as a light client", chain.display()),
		None => format!(
			"believes the node at {}; with --chain it proves everything instead",
			args.url
		),
	};
	// In one write, for a program that reads only the first line and closes the pipe.
	let text = format!("The page: {address}\nIt {how}.\nCtrl-C ends it.\n");
	print!("{text}");
	let served = axum::serve(listener, router(&files, specification)).with_graceful_shutdown(interrupted());
	served.await.map_err(|error| Fault::Input(error.to_string()))
}

fn page(port: u16) -> Result<Url, Fault> {
	let text = format!("http://{}:{port}/", Ipv4Addr::LOCALHOST);
	Url::parse(&text).map_err(|error| Fault::Input(format!("{text}: {error}")))
}

async fn interrupted() {
	// If the signal cannot be caught, it ends the program as it is.
	let _ = tokio::signal::ctrl_c().await;
}

fn router(files: &Path, specification: Option<String>) -> Router {
	let router = Router::new().fallback_service(ServeDir::new(files).precompressed_br());
	let router = match specification {
		Some(text) => router.route(
			SPECIFICATION,
			get(move || async { ([(header::CONTENT_TYPE, "application/json")], text) }),
		),
		None => router,
	};
	// So that a browser does not show the page of before an update.
	let fresh =
		SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
	// The page's files are there in brotli as well. The specification is not.
	let small = CompressionLayer::new().quality(CompressionLevel::Best);
	router.layer(fresh).layer(small)
}

/// The folder of the built page.
fn files(wanted: Option<PathBuf>) -> Result<PathBuf, Fault> {
	let files = match wanted {
		Some(files) => files,
		None => {
			let program =
				env::current_exe().map_err(|error| Fault::Input(format!("this program: {error}")))?;
			program.with_file_name(FOLDER)
		}
	};
	if files.join("index.html").is_file() {
		return Ok(files);
	}
	Err(Fault::Input(format!(
		"{} has no index.html; give the folder of the built page with --files (docs/dashboard.md says how to build it)",
		files.display()
	)))
}

/// The text of a chain specification that a light client can join.
fn read(path: &Path) -> Result<String, Fault> {
	let text = fs::read_to_string(path).map_err(|error| Fault::file(path, error))?;
	light::specification(&text).map_err(|reason| Fault::file(path, reason))?;
	Ok(text)
}
