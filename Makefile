# Everything runs from .venv. To make it, you need git, make and python3 (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
PIP := $(BIN)/pip --quiet --quiet --disable-pip-version-check
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python
# Have uv trust the certificates that this machine trusts, as pip does.
export UV_SYSTEM_CERTS := true
# npm writes this file last, so it shows that npm finished.
NPM_READY := node_modules/.package-lock.json
# The directory of this file has all requests that the tests sent to the sandbox, and its responses.
# The file exists once they are complete.
EXCHANGES := .exchanges/complete
# One more process than there are cores, because tests wait for the sandbox a part of the time.
WORKERS := --numprocesses=$(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --dist=worksteal
PYTEST := $(BIN)/python -m pytest $(WORKERS)
# This test needs the packages from npm.
OCTOKIT := tests/contract/test_octokit.py
# These tests need only PyPI, and can run at the same time.
WITHOUT_DOCKER := tests/e2e/without_docker
# `make versions` runs these tests with each of these Pythons and PyGithubs: the oldest that
# pyproject.toml allows, and the newest.
PYTHONS ?= 3.11 3.12 3.13 3.14 3.15
PYGITHUBS ?= oldest newest
TESTS ?= --ignore=tests/e2e --ignore=$(OCTOKIT)
# uv looks for Pythons here, too. pyenv's own commands run only the selected Pythons.
PYENV := $(HOME)/.pyenv/versions/3.*/bin
# The files with parts that cog writes.
GENERATED := README.md ARCHITECTURE.md docs/how-it-decides.md docs/own-server.md docs/kubernetes.md docs/receivers.md docs/scale.md composite/action.yml image/action.yml .github/workflows/redeliver.yml
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header pyproject.toml
# Where `make dist` writes the packages. Their files have the time of the commit, so that another build
# of it makes the same packages: PyPI accepts a file again only if it is the same.
DIST ?= dist
# After how many milliseconds the simulated GitHub of `make bench` responds.
LATENCY ?= 50 300

.PHONY: help demo test long contract versions soak mutants bench e2e lint dist check docs screenshot lock upgrade clean

# Never in parallel: two runs of the tests would write to the same directory.
.NOTPARALLEL:

help: ## List these commands
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: $(READY) ## Watch failed deliveries being redelivered, on a simulated GitHub
	@$(BIN)/python -m demo

test: $(READY) ## Run the tests that need only Python, with branch coverage
	$(run_and_record)
	@echo "test: tests/exhaustive"
	@$(PYTEST) tests/exhaustive

long: $(READY) ## Run the tests that take minutes: days and weeks of runs, and a thousand runs of a loop
	@$(PYTEST) tests/long

contract: $(READY) $(NPM_READY) $(EXCHANGES) ## Compare the requests and responses of the tests, and our event names, with GitHub's descriptions (needs Node; DESCRIPTIONS=… adds those of github/rest-api-description)
	@echo "contract: test the sandbox with Octokit, then check the requests and responses of the tests, and our event names"
	@$(BIN)/python -m pytest --quiet $(OCTOKIT)
	@$(BIN)/python -m tests.contract node_modules/@octokit/openapi/generated $(dir $(EXCHANGES)) $(DESCRIPTIONS)
	@$(INSTALL) --no-deps --require-hashes --target .venv/event-names -r requirements/event-names.txt
	@$(BIN)/python -m tests.contract.event_names .venv/event-names

versions: $(READY) ## Run the tests on each supported Python, with the oldest and the newest PyGithub (PYTHONS=…, PYGITHUBS=…, TESTS=… select some)
	$(foreach python,$(PYTHONS),$(call find_python,$(python)))
	$(foreach python,$(PYTHONS),$(foreach pygithub,$(PYGITHUBS),$(call run_with,$(python),$(pygithub),.venv/versions/$(python)-$(pygithub))))

soak: $(READY) ## Run the random tests with forty times as many examples
	@$(PYTEST) --hypothesis-profile=soak --ignore=tests/exhaustive/test_interruption.py tests/exhaustive

mutants: $(READY) ## Change the code in many small ways, and list the changes that no test notices, for an hour (MUTANTS='redeliver.core.plan*' selects some)
	@$(INSTALL) --require-hashes -r requirements/mutants.txt
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/mutmut run $(MUTANTS)
	@$(BIN)/mutmut results | grep -v ": not checked" || true

bench: $(READY) $(NPM_READY) ## Compare redeliver with the script in GitHub's documentation, for half an hour (needs Docker, Node)
	@$(BIN)/python -m bench $(LATENCY)

e2e: $(READY) $(NPM_READY) ## Run the Docker action in real workflows and draw its summary (needs Docker, docker-registry, promtool, Node, Chromium)
	@docker info >/dev/null 2>&1 || { echo "e2e: 'docker info' fails: start Docker, then run this again" >&2; exit 1; }
	@command -v docker-registry >/dev/null || { echo "e2e: docker-registry is not installed: install it (Debian: apt-get install docker-registry)" >&2; exit 1; }
	@command -v promtool >/dev/null && command -v prometheus-node-exporter >/dev/null || { echo "e2e: promtool or prometheus-node-exporter is not installed: install both (Debian: apt-get install prometheus prometheus-node-exporter)" >&2; exit 1; }
	@echo "e2e: run workflows with act and Docker, against the sandbox"
	@$(BIN)/python -m pytest --ignore=$(WITHOUT_DOCKER) tests/e2e
	@echo "e2e: start the action without Docker on runners with other directories and settings of pip"
	@$(PYTEST) $(WITHOUT_DOCKER)

lint: $(READY) ## Check style, imports, types, shell scripts, Dockerfiles, workflows and generated text
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 src/redeliver/action.py composite/environment.py
	$(BIN)/shellcheck .ci/run .ci/packages
	$(BIN)/hadolint Dockerfile examples/kubernetes/Dockerfile
	$(BIN)/actionlint -shellcheck $(BIN)/shellcheck examples/*.yml .github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet --persona pedantic --config .github/zizmor.yml action.yml */action.yml examples/*.yml .github
	$(BIN)/cog --check -P -I docs $(GENERATED)

dist: $(READY) ## Build the packages for PyPI in dist/, and check them
	@rm -rf $(DIST)
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python --out-dir $(DIST)
	@$(BIN)/twine --no-color check --strict $(DIST)/*.tar.gz $(DIST)/*.whl

check: lint test long contract e2e ## Run lint, test, long, contract and e2e

docs: $(READY) ## Write generated text: tables, copies of examples, the other action.yml files, docs/summary.md
	$(BIN)/cog -r -P -I docs $(GENERATED)
	$(BIN)/python -m docs.example_summary > docs/summary.md

screenshot: $(NPM_READY) ## Draw docs/summary.png from docs/summary.md (needs Node, Chromium)
	@node docs/screenshot.js docs/summary.md docs/summary.png >/dev/null
	@if command -v pngquant >/dev/null; then pngquant --force --output docs/summary.png docs/summary.png; else echo "screenshot: docs/summary.png is not compressed: install pngquant to make it less than half as large" >&2; fi

# A pin stays if pyproject.toml still allows it, so `make lock` only adds and removes packages.
lock: $(READY) ## Pin new dependencies of pyproject.toml in requirements/, and keep the other pins
	$(COMPILE) -o requirements/runtime.txt
	$(COMPILE) -o requirements/command.txt --extra cli -c requirements/runtime.txt
	$(COMPILE) -o requirements/dev.txt --group dev -c requirements/command.txt
	$(COMPILE) -o requirements/mutants.txt --group mutants -c requirements/dev.txt
	$(filter-out pyproject.toml,$(COMPILE)) --no-deps --group event-names -o requirements/event-names.txt

upgrade: COMPILE += $(or $(PACKAGES:%=--upgrade-package=%),--upgrade)
upgrade: lock ## Pin the newest versions of all dependencies (PACKAGES=… selects some)

clean: ## Remove .venv, node_modules, caches and recordings
	rm -rf .venv .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis node_modules mutants dist $(dir $(EXCHANGES))

# Run the tests with coverage, and record requests and responses for `make contract`. The exhaustive
# tests are left out, because with coverage they take twice as long and cover no other lines.
define run_and_record
@echo "test: all tests except tests/exhaustive, tests/long and tests/e2e, with branch coverage"
@rm -rf $(dir $(EXCHANGES)); mkdir $(dir $(EXCHANGES))
@$(BIN)/coverage erase
@GITHUB_SANDBOX_EXCHANGES=$(CURDIR)/$(dir $(EXCHANGES)) $(BIN)/coverage run -m pytest $(WORKERS) --ignore=tests/e2e --ignore=tests/exhaustive --ignore=tests/long --ignore=$(OCTOKIT)
@$(BIN)/coverage combine -q
@$(BIN)/coverage report
@touch $(EXCHANGES)
endef

UV_WITH_PYENV := PATH="$$(printf '%s:' $(PYENV))$$PATH" $(BIN)/uv

# Argument: a Python.
define find_python
@$(UV_WITH_PYENV) python find --quiet --no-python-downloads $(1) >/dev/null 2>&1 || { echo "versions: Python $(1) is not installed: install it, for example with '$(BIN)/uv python install $(1)', or select others, for example with 'make versions PYTHONS=\"3.11 3.13\"'" >&2; exit 1; }

endef

# Arguments: a Python, `oldest` or `newest`, and the directory for an environment with both.
define run_with
@$(UV_WITH_PYENV) venv --quiet --clear --no-python-downloads --python $(1) $(3)
@$(BIN)/uv pip install --quiet --python $(3) --require-hashes -r requirements/dev.txt
@$(BIN)/uv pip install --quiet --python $(3) --no-deps --no-build-isolation --editable .
@$(BIN)/uv pip install --quiet --python $(3) --resolution $(RESOLUTION_$(2)) --upgrade-package PyGithub -r pyproject.toml
@$(3)/bin/python -c 'from importlib.metadata import version; from platform import python_version; print("versions: Python", python_version(), "and PyGithub", version("PyGithub"))'
@$(3)/bin/python -m pytest $(WORKERS) $(TESTS)

endef
RESOLUTION_oldest := lowest-direct
RESOLUTION_newest := highest

$(EXCHANGES): pyproject.toml requirements/dev.txt $(filter-out tests/contract/% tests/e2e/% tests/long/%,$(shell find src tests -name "*.py")) | $(READY)
	$(run_and_record)

# pip installs only uv. uv installs the rest, because it is several times as fast as pip.
$(READY): requirements/dev.txt
	@$(PYTHON) -c 'import sys, venv; sys.exit("redeliver needs Python 3.11 or newer, but this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@echo "Making .venv with pinned packages from PyPI (only once)"
	@$(PYTHON) -m venv --clear .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements/dev.txt > .venv/uv.txt
	@$(PIP) install --require-hashes -r .venv/uv.txt
	@$(INSTALL) --require-hashes -r requirements/dev.txt || { echo "uv could not install the packages. It does not read pip's settings: if this machine uses a mirror of PyPI, set UV_DEFAULT_INDEX to its URL" >&2; exit 1; }
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(NPM_READY): package-lock.json
	@command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || { echo "Node 20 or newer, with npm, is not installed: install it" >&2; exit 1; }
	@echo "Making node_modules with pinned packages from npm (only once)"
	@npm ci --loglevel=error >/dev/null
	@touch $@
