# Two commands on a fresh machine: `make demo` and `make test`. Both do all of their own set-up, again and again if need be.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests start hundreds of processes: what each compiles is kept for the next.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-long check lint types bench lock sbom clean

help: ## What can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.product ## The command, at .venv/bin/trainwatch

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; name one with: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Every release is pinned and hashed, what builds our own package too.
OURS := $(PIP) --no-deps --no-build-isolation --config-settings editable_mode=compat -e .

$(VENV)/.product: $(BIN)/python requirements.txt requirements-build.txt pyproject.toml
	$(PIP) --require-hashes -r requirements-build.txt
	$(PIP) --require-hashes -r requirements.txt
	$(OURS)
	@touch $@

$(VENV)/.demo: $(VENV)/.product requirements-demo.txt
	$(PIP) --require-hashes -r requirements-demo.txt
	@touch $@

$(VENV)/.development: $(VENV)/.product requirements-dev.txt
	$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

demo: $(VENV)/.demo ## A simulated account, its collectors and the dashboard on http://localhost:8501
	$(BIN)/trainwatch demo

test: check ## Linters, types, imports, tests
	$(BIN)/python -m pytest -n 3 --dist worksteal

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

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" pyproject.toml

lock: $(VENV)/.development ## The requirements files anew, from the ranges in pyproject.toml (UPGRADE=--upgrade for newer releases)
	$(LOCK) $(UPGRADE) -o requirements.txt
	$(LOCK) -c requirements.txt --extra demo -o requirements-demo.txt
	$(LOCK) $(UPGRADE) -c requirements-demo.txt --extra demo --group dev --group build -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" \
		-c requirements-dev.txt --group build -o requirements-build.txt

sbom: $(VENV)/.development ## What the product is made of, as CycloneDX: build/sbom.json
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements.txt --output-format JSON --output-file build/sbom.json

clean: ## Remove what make made
	rm -rf $(VENV) var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
