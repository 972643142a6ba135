# Everything runs from .venv, which needs nothing but git, make and python3 (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
# npm writes this last.
DRAWING_READY := docs/screenshot/node_modules/.package-lock.json
SCRIPT_READY := bench/script/node_modules/.package-lock.json
BENCH_READY := .venv/bench
CONTRACT_READY := tests/contract/node_modules/.package-lock.json
# All that tests and sandbox said to each other, complete once this file is there.
EXCHANGES := .exchanges/complete
WORKERS := --numprocesses=auto --dist=worksteal
PYTEST := $(BIN)/python -m pytest $(WORKERS)
# Needs npm's packages.
OCTOKIT := tests/contract/test_octokit.py
# What has parts that cog writes.
GENERATED := README.md ARCHITECTURE.md docs/how-it-decides.md docs/own-server.md composite/action.yml .github/workflows/redeliver.yml
# Milliseconds that GitHub in miniature takes for an answer.
LATENCY ?= 50

.PHONY: help demo test contract versions soak bench e2e lint check docs screenshot lock clean

# Two runs of the tests would write to the same directory.
.NOTPARALLEL:

help: ## Show what there is to make
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: $(READY) ## See deliveries fail and come back, without GitHub
	@$(BIN)/python -m demo

test: $(READY) ## Run the tests, with branch coverage
	$(run_and_record)
	@echo "test: tests/exhaustive"
	@$(PYTEST) tests/exhaustive

contract: $(READY) $(CONTRACT_READY) $(EXCHANGES) ## Compare the tests' requests and answers with GitHub's OpenAPI descriptions (needs Node)
	@echo "contract: other people's clients on the sandbox, then what was said in the tests"
	@$(BIN)/python -m pytest --quiet $(OCTOKIT)
	@$(BIN)/python -m tests.contract tests/contract/node_modules/@octokit/openapi/generated $(dir $(EXCHANGES))

versions: $(READY) ## Run the tests on each Python, with the oldest and the newest PyGithub (TESTS=… for some)
	@$(BIN)/nox --noxfile noxfile.py -- $(TESTS)

soak: $(READY) ## Try at random forty times as much as the tests do
	@SOAK=40 $(PYTEST) --ignore=tests/exhaustive/test_interruption.py tests/exhaustive

bench: $(SCRIPT_READY) $(BENCH_READY) ## Measure it beside the docs' script, half an hour long (needs Node; Docker for the image)
	@$(BIN)/python -m bench $(LATENCY)

e2e: $(READY) $(DRAWING_READY) ## Run the Docker action in real workflows, draw its summary (needs a Docker engine and registry, Node, Chromium)
	@docker info >/dev/null 2>&1 || { echo "e2e: no Docker engine answers ('docker info' fails): start one, then run this again" >&2; exit 1; }
	@command -v docker-registry >/dev/null || { echo "e2e: no docker-registry: install it (Debian: apt-get install docker-registry)" >&2; exit 1; }
	@echo "e2e: workflows under act, in a Docker engine, against the sandbox"
	@$(BIN)/python -m pytest tests/e2e

lint: $(READY) ## Check style, imports, types, Dockerfile, workflows and generated text
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 src/redeliver/action.py composite/environment.py
	$(BIN)/hadolint Dockerfile
	$(BIN)/actionlint -shellcheck $(BIN)/shellcheck examples/*.yml .github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet --config .github/zizmor.yml action.yml composite/action.yml examples/*.yml .github
	$(BIN)/cog --check -P -I docs $(GENERATED)

check: test contract lint e2e ## All checks of one Python and the newest PyGithub

docs: $(READY) ## Write what is generated: tables, copies of examples, the composite action, the summary of the picture
	$(BIN)/cog -r -P -I docs $(GENERATED)
	$(BIN)/python -m docs.example_summary > docs/summary.md

screenshot: $(DRAWING_READY) ## Draw docs/summary.md as GitHub shows it (needs Node, Chromium)
	@node docs/screenshot/screenshot.js docs/summary.md docs/summary.png >/dev/null
	@if command -v pngquant >/dev/null; then pngquant --force --output docs/summary.png docs/summary.png; else echo "screenshot: with pngquant installed, docs/summary.png were less than half as large" >&2; fi

lock: $(READY) ## Pin the newest versions of all dependencies in requirements/
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header pyproject.toml -o requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --group dev -c requirements/runtime.txt pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --group bench -c requirements/dev.txt pyproject.toml -o requirements/bench.txt

clean: ## Remove what the above made
	rm -rf .venv .nox .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis docs/screenshot/node_modules bench/script/node_modules tests/contract/node_modules $(dir $(EXCHANGES))

# All but the exhaustive tests, which take twice as long with coverage and reach nothing new. What they and the sandbox said to each other is for `make contract`.
define run_and_record
@echo "test: the tests of each folder but tests/exhaustive and tests/e2e, with branch coverage"
@rm -rf $(dir $(EXCHANGES)); mkdir $(dir $(EXCHANGES))
@$(BIN)/coverage erase
@GITHUB_SANDBOX_EXCHANGES=$(CURDIR)/$(dir $(EXCHANGES)) $(BIN)/coverage run -m pytest $(WORKERS) --ignore=tests/e2e --ignore=tests/exhaustive --ignore=$(OCTOKIT)
@$(BIN)/coverage combine -q
@$(BIN)/coverage report
@touch $(EXCHANGES)
endef

$(EXCHANGES): pyproject.toml requirements/dev.txt $(filter-out tests/contract/% tests/e2e/%,$(shell find src tests -name "*.py")) | $(READY)
	$(run_and_record)

$(READY): requirements/dev.txt
	@$(PYTHON) -c 'import sys, venv; sys.exit("redeliver needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@echo "Making .venv with the pinned tools (once, from PyPI)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip --quiet --quiet --disable-pip-version-check install --require-hashes -r requirements/dev.txt
	@$(BIN)/pip --quiet --quiet --disable-pip-version-check install --no-deps --no-build-isolation --editable .
	@touch $@

# What each is for says its directory, and bench/script is for bench.
%/node_modules/.package-lock.json: %/package-lock.json
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "$(notdir $(*:/script=)): no Node: install Node 20 or newer, with npm" >&2; exit 1; }
	@echo "Making $*/node_modules with the pinned packages (once, from npm)"
	@npm ci --prefix $* --loglevel=error >/dev/null
	@touch $@

$(BENCH_READY): requirements/bench.txt $(READY)
	@echo "Adding to .venv what draws (once, from PyPI)"
	@$(BIN)/pip --quiet --quiet --disable-pip-version-check install --require-hashes -r requirements/bench.txt
	@touch $@
