# Two commands on a fresh machine: `make demo` and `make test`. Both do all of their own set-up, again and again if need be.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help setup demo test test-long check lint types bench clean

help: ## What can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.product ## The command, at .venv/bin/trainwatch

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; name one with: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.product: $(BIN)/python requirements.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --config-settings editable_mode=compat -e .
	@touch $@

$(VENV)/.development: $(VENV)/.product requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

demo: $(VENV)/.product ## A simulated account, its collectors and the dashboard on http://localhost:8501
	$(BIN)/trainwatch demo

test: check ## Linters, types, imports, tests: about six minutes
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-long: check ## All tests, properties with many times the examples: an hour
	TRAINWATCH_TESTS=long $(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/.development lint types ## Linters, types and import directions alone

lint: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.development
	$(BIN)/mypy

bench: $(VENV)/.development ## Speed and size, as a table of ratios measured in one run
	$(BIN)/python -m tests.bench

clean: ## Remove what make made
	rm -rf $(VENV) var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
