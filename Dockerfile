# The node as an image; docs/operators/run-a-node.md says how to build and run it.

# As in rust-toolchain.toml: scripts/lint.sh compares the two.
ARG RUST=1.95.0

FROM rust:${RUST}-slim-bookworm AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /commonwatt
# Packages and toolchain, in a layer of their own because they rarely change.
COPY rust-toolchain.toml ./
COPY scripts/env.sh scripts/setup.sh scripts/
RUN scripts/setup.sh --for-run
COPY . .
# The commit that `commonwatt-node --version` shows. The build has no history to read it from.
ARG COMMIT=00000000000
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,id=commonwatt,target=/target \
	export CARGO_TARGET_DIR=/target SUBSTRATE_CLI_GIT_COMMIT_HASH="$COMMIT" \
	&& . scripts/env.sh \
	&& cargo build --release --locked -p commonwatt-node \
	&& cp /target/release/commonwatt-node /usr/local/bin/

FROM debian:bookworm-slim
# Debian keeps one version of each package, which has the security updates, so there is none to pin.
# hadolint ignore=DL3008
RUN apt-get update \
	&& apt-get install -y --no-install-recommends ca-certificates libssl3 \
	&& rm -rf /var/lib/apt/lists/* \
	&& useradd --system --uid 10001 --home-dir /data --create-home commonwatt
COPY --from=build /usr/local/bin/commonwatt-node /usr/local/bin/
USER 10001
# Without --base-path the node keeps its state in this folder.
ENV XDG_DATA_HOME=/data
VOLUME /data
# Peers, RPC, metrics.
EXPOSE 30333 9944 9615
ENTRYPOINT ["commonwatt-node"]
