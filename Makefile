# A newcomer needs three of these, which set everything up first: make demo, make test, make rebuild.
# Needs GNU make and Python 3.11, 3.12 or 3.13; another than python3: make PYTHON=python3.13 setup

ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN := .venv/Scripts/
else
PYTHON ?= python3
BIN := .venv/bin/
endif

# A Python that is asked for by name also decides about a .venv of another version.
SETUP := $(PYTHON) scripts/setup_venv.py $(if $(filter file,$(origin PYTHON)),,--this-python)
ARGS ?=

# Modules stay compiled, so that all the processes that a target starts begin sooner.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-composer demo studio rebuild visit test thorough coverage check format benchmark lock

help: ## Show what can be made
	@$(PYTHON) scripts/make_help.py $(firstword $(MAKEFILE_LIST))

setup: ## Set up .venv from the lock files: everything (at once if it is there)
	@$(SETUP)

setup-composer: ## Set up .venv with what composers and curators need: no torch
	@$(SETUP) --composer

demo: setup ## Verify the house corpus, train for minutes, write new pieces to out/demo/
	@$(BIN)python scripts/demo.py $(ARGS)

studio: setup ## Open the studio in the browser: create, contribute, curate
	@$(BIN)python scripts/studio.py $(ARGS)

REBUILDABLE := data/house_model/rebuildable/last.safetensors
rebuild: setup ## Train the first steps of the shipped model again, compare every bit; all: make rebuild ARGS=
	@$(BIN)python scripts/house.py rebuild $(REBUILDABLE) $(if $(findstring command,$(origin ARGS)),$(ARGS),--segment 1)

visit: setup ## Show a visitor what holds and what cannot be shown, and leave a page; quick: ARGS="--segments 0"
	@$(BIN)python scripts/visit.py $(ARGS)

# Torch keeps to one thread in each test process: the processes share the cores.
test thorough coverage: export OMP_NUM_THREADS := 1
PYTEST := $(BIN)python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

test: setup ## Run the test suite; some of it: make test ARGS="tests/smf -k bomb"
	@$(PYTEST) $(ARGS)

thorough: setup ## The same, with the tests that tests/thorough.txt leaves to changes
	@$(PYTEST) -m "not slow" $(ARGS)

coverage: setup ## Run the test suite and show which lines of src/ it misses
	@$(PYTEST) --cov=gen --cov-report=term-missing:skip-covered $(ARGS)

check: setup ## Lint, formatting, types, and which room may import which
	@$(BIN)ruff check
	@$(BIN)ruff format --check
	@$(BIN)mypy
	@$(BIN)lint-imports --no-cache

format: setup ## Format the code and mend what the linter can
	@$(BIN)ruff check --fix
	@$(BIN)ruff format

benchmark: setup ## Measure speed and size, and write what was measured
	@$(BIN)python scripts/benchmark.py $(ARGS)

lock: setup ## Write requirements/*.lock from pyproject.toml (needs uv); newest: ARGS=--upgrade
	@$(BIN)python scripts/lock.py $(ARGS)
