# citytwin in a container. `docker compose up` builds and runs it with Kafka, Redis and MongoDB (docker-compose.yml).

FROM node:22-bookworm-slim AS node

FROM rust:1.95-bookworm AS build
# build.rs builds the web client with Node and puts it into the binary.
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
WORKDIR /src
COPY . .
# The caches make the second build short; the binary leaves them, because a cache is no part of the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked \
 && install -D target/release/citytwin /out/citytwin

FROM debian:bookworm-slim
# wget for the health check; the certificates for Kafka over TLS, which reads the system's.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates wget \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/citytwin --create-home citytwin
COPY --from=build /out/citytwin /usr/local/bin/citytwin
COPY LICENSE /usr/share/doc/citytwin/LICENSE
USER citytwin
WORKDIR /var/lib/citytwin
# Port 80 inside: other containers reach it as http://state-manager/. Container engines let any user bind it; where one does not,
# set the sysctl of docker-compose.yml or another HTTP_ADDR.
ENV HTTP_ADDR=0.0.0.0:80 \
    DATA_DIR=/var/lib/citytwin
EXPOSE 80
VOLUME /var/lib/citytwin
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD wget -q -O /dev/null "http://127.0.0.1:${HTTP_ADDR##*:}/healthz" || exit 1
# SIGTERM flushes, gives the lease back and closes the sockets within ten seconds.
STOPSIGNAL SIGTERM
ENTRYPOINT ["citytwin"]
CMD ["serve"]
