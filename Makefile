# What a person types. Each target does its own set-up: see scripts/setup.

# Where rustup and Go's own installer put their programs, for shells that were opened before the installation.
export PATH := $(PATH):$(HOME)/.cargo/bin:/usr/local/go/bin

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench schema services-up services-down clean-services

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

demo: ## a living city in one process: http://127.0.0.1:8080 (ARGS="--demo-rate 1000" is handed on)
	@scripts/setup demo
	cargo run --release -- demo $(ARGS)

test: ## everything, against real servers on free ports
	@scripts/setup test
	@scripts/services-deps
	@scripts/test

lint: ## formatting, clippy, shell syntax, licences
	@scripts/lint

bench: ## the figures of docs/performance.md (ARGS=--markdown writes them there, ARGS="catch-up large" is only those)
	@scripts/setup test
	@scripts/services-deps
	@scripts/bench $(ARGS)

schema: ## write schema.graphql
	@scripts/setup demo
	cargo run --quiet -- schema > schema.graphql.new && mv schema.graphql.new schema.graphql

services-up: ## Kafka, Redis and mongod on fixed local ports, for development; prints the settings to use
	@scripts/setup test >&2
	@scripts/services-deps >&2
	@scripts/services up

services-down: ## stop them; what they hold stays under .services/data
	@scripts/services down

clean-services: services-down ## stop them and forget what they held
	rm -rf .services/data
