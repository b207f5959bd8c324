# Albumen: `make` lists what can be done.
#
# Everything lives in .venv: locked packages with hashes, then the package itself, editable, whose build hook also builds
# the web client. Stamps make every target quick when nothing has changed.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run test soak check fmt bench wheel mobile lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
TESTS ?= tests
JOBS ?= 4
CLIENT := src/albumen/web/client
CLIENT_SOURCES := hatch_build.py $(shell find clients/web -type f -not -path '*/node_modules/*' -not -name '.*.lock')

MOBILE := clients/mobile/src/albumen_mobile/web
MOBILE_SOURCES := $(shell find clients/mobile/bundler clients/mobile/src -type f -not -path '*/web/*' -not -name '*.pyc')

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# A tool or a test started from here must not load packages of another place.
unexport PYTHONPATH PYTHONHOME

# pyvips comes as source and compiles a module against a libvips of the machine when pkg-config shows one. Hide it:
# the libvips of the locked pyvips-binary is the one that is tested, and no compiler is needed.
PIP_INSTALL := PKG_CONFIG_LIBDIR=/nonexistent PKG_CONFIG_PATH= $(BIN)/python -m pip install -qq --no-build-isolation
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-config \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(ARGS)

help: ## Print this list
	@echo 'make TARGET [NAME=value …]'
	@sed -nE 's/^([a-z]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

install: $(VENV)/.run $(CLIENT)/.sources ## Make .venv with the locked packages and the command albumen

run: install ## Serve on 127.0.0.1:5000 with the data in ./albumen-data (ARGS= further flags)
	@exec $(BIN)/albumen serve --host 127.0.0.1 --port 5000 --data ./albumen-data $(ARGS)

test: $(VENV)/.dev $(CLIENT)/.sources $(MOBILE)/sources.txt ## Run the tests (TESTS= which, JOBS= processes, ARGS= further pytest flags)
	@exec $(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(TESTS) $(ARGS)

soak: $(VENV)/.dev $(CLIENT)/.sources ## Run the long tests of faults: kills by the hundred, a power cut at every moment
	@exec $(BIN)/python -m pytest -m soak tests/faults $(ARGS)

check: $(VENV)/.dev $(CLIENT)/.sources ## Check format, lint, types and layers; change nothing
	@$(BIN)/ruff format --quiet --check . || { $(BIN)/ruff format --check .; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python hatch_build.py check

fmt: $(VENV)/.dev ## Format the code and repair what the linter can repair
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev $(CLIENT)/.sources ## Measure against the limits of this machine (ARGS= scenarios, --quick)
	@PYTHONPATH=tests $(BIN)/python bench $(ARGS)

wheel: $(VENV)/.run ## Build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

mobile: $(VENV)/.dev $(MOBILE)/sources.txt ## Build the mobile client for the web, its wheel into dist/, and install it into .venv
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist clients/mobile
	@$(PIP_INSTALL) --no-deps -e clients/mobile

lock: $(VENV)/.lock ## Compile the lock files again (ARGS=--upgrade for newer versions)
	@$(LOCK) requirements/lock.in -o requirements/lock.txt
	@$(LOCK) pyproject.toml -o requirements/run.txt
	@$(LOCK) requirements/build.in -c requirements/run.txt -o requirements/build.txt
	@for peer in bench/peers/*.in; do $(LOCK) "$$peer" -o "$${peer%.in}.txt"; done
	@$(LOCK) requirements/node.in -o requirements/node.txt
	@$(LOCK) pyproject.toml --group dev -c requirements/run.txt -o requirements/dev.txt
	@$(LOCK) --no-deps -c requirements/dev.txt requirements/mobile.in -o requirements/mobile.txt

clean: ## Remove .venv, caches and built files; never the data
	@rm -rf $(VENV) dist build $(CLIENT) $(CLIENT).new $(CLIENT).old $(MOBILE) clients/web/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { echo 'Albumen needs Python 3.11 or newer: $(PYTHON) is not there.' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Albumen needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); \
		echo 'No virtual environment could be made. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	@touch $@

$(VENV)/.run: requirements/build.txt requirements/node.txt requirements/run.txt pyproject.toml | $(VENV)/.made
	@echo 'Installing the locked packages into $(VENV) …'
	@$(PIP_INSTALL) --require-hashes -r requirements/build.txt
	@$(PIP_INSTALL) --require-hashes -r requirements/run.txt
	@$(BIN)/python hatch_build.py node || $(PIP_INSTALL) --require-hashes -r requirements/node.txt
	@$(PIP_INSTALL) --no-deps -e .
	@touch $@

# The hook of the installation builds the client, too; this is for sources that have changed since.
$(CLIENT)/.sources: $(CLIENT_SOURCES) | $(VENV)/.run
	@$(BIN)/python hatch_build.py
	@touch $@

$(MOBILE)/sources.txt: $(MOBILE_SOURCES) | $(VENV)/.dev
	@$(BIN)/python clients/mobile/bundler
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt requirements/mobile.txt
	@echo 'Installing the tools for development …'
	@$(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@$(PIP_INSTALL) --require-hashes --no-deps -r requirements/mobile.txt
	@touch $@

$(VENV)/.lock: requirements/lock.txt | $(VENV)/.made
	@$(PIP_INSTALL) --require-hashes -r requirements/lock.txt
	@touch $@
