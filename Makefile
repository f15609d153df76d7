.DEFAULT_GOAL := help
SHELL := /bin/bash
# Python keeps what it has compiled, whatever the machine's setting. Each of the many processes of the tests would compile
# all that it imports, which takes three times as long as the import.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIPENV := VIRTUAL_ENV=$(CURDIR)/$(VENV) PIPENV_VERBOSITY=-1 PIPENV_IGNORE_VIRTUALENVS=0 $(VENV)/pipenv/bin/pipenv
SOURCES := talelio_backend migrations tests $(wildcard .ci/*.py .aws/*.py)
# Passed on to pytest, such as PYTEST_ARGS=-x.
PYTEST_ARGS ?=
# One for each core, and two at least, since tests mostly wait for servers.
TEST_PROCESSES ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 2 ? 2 : cores > 8 ? 8 : cores)))
# The tests of a file share its servers, so they stay in one process. pytest-xdist has other ways, such as worksteal.
TEST_DISTRIBUTION ?= loadfile
# Measurements need a quiet machine, so they have a target of their own: test-limits.
# TEST_FORK_SERVERS forks the served APIs where their imports have been done, which saves a second of each start.
# In the folders' order, the quick files of tests/unit come last, so that no process ends long before another. pytest-xdist's
# own order, by the number of tests, would keep the slowest files for the end.
ALL_SUITES = TEST_FORK_SERVERS=1 $(BIN)/pytest --numprocesses=$(TEST_PROCESSES) --dist=$(TEST_DISTRIBUTION) --no-loadscope-reorder \
	--ignore=tests/limits tests $(PYTEST_ARGS)

.PHONY: help
help: ## [run] list the commands
	@for group in 'first:Start here' run:Run check:Check test:Test measure:Measure release:Release; do \
		echo "$${group#*:}"; \
		awk -F ':.*## \\[|\\] ' -v group="$${group%%:*}" '/^[a-z0-9-]+:.*## \[/ && $$2 == group { \
			printf "  make %-28s%s\n", $$1, $$3 }' $(MAKEFILE_LIST); \
	done

# --- Installation -----------------------------------------------------------------------------------------------------

# Where packages come from is each machine's own setting of pip; their hashes are those of Pipfile.lock.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:
# Python compiles what it imports. To compile the rest, too, would take half as long again.
INSTALL_SECTIONS = $(BIN)/python .ci/locked_requirements.py Pipfile.lock $(1) >$@.txt && \
	$(PIP_INSTALL) --no-deps --no-compile --requirement $@.txt

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 …"; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.serving: Pipfile.lock | $(BIN)/pip
	@echo "Installing the packages that serving needs into $(VENV)"
	@$(call INSTALL_SECTIONS,embedded-database)
	@touch $@

$(VENV)/.installed: $(VENV)/.serving
	@echo "Installing the packages that checks and tests need into $(VENV)"
	@$(call INSTALL_SECTIONS,embedded-database develop tracing)
	@touch $@

.PHONY: install
install: $(VENV)/.installed ## [run] install everything for development into .venv

$(VENV)/pipenv/bin/pipenv: | $(BIN)/pip
	@$(PYTHON) -m venv $(VENV)/pipenv
	@$(VENV)/pipenv/bin/python -m pip install --quiet --disable-pip-version-check "pipenv>=2026.0"

.PHONY: lock
lock: | $(VENV)/pipenv/bin/pipenv ## [release] update Pipfile.lock from Pipfile
	@echo "Resolving the packages of Pipfile"
	@$(PIPENV) lock
	@# Which index serves the packages is each machine's own setting (pip's), never the project's.
	@$(PYTHON) .ci/strip_lock_sources.py Pipfile.lock

# --- Running ----------------------------------------------------------------------------------------------------------

.PHONY: serve-api
serve-api: $(VENV)/.serving $(if $(OTEL_EXPORTER_OTLP_ENDPOINT),install) ## [first] run the API with its own PostgreSQL on http://127.0.0.1:5000
	@echo "Starting the API (database, migrations, server)"
	@$(BIN)/gunicorn --config python:talelio_backend.gunicorn_config

DEVELOPMENT_DATABASE_URL := postgresql://talelio:development@127.0.0.1:5432/talelio
HAS_DOCKER := docker compose version >/dev/null 2>&1 && docker info >/dev/null 2>&1 || { \
	echo "This needs a running Docker; without one, make serve-api brings a PostgreSQL of its own."; exit 1; }

.PHONY: start-postgres-development
start-postgres-development: $(VENV)/.serving ## [run] run PostgreSQL in Docker instead of the embedded one
	@$(HAS_DOCKER)
	@echo "Starting PostgreSQL in Docker and waiting until it is healthy"
	@docker compose up --detach --wait postgres-development
	@echo "Migrating it"
	@DATABASE_URL=$(DEVELOPMENT_DATABASE_URL) $(BIN)/alembic upgrade head
	@echo "Use it with: DATABASE_URL=$(DEVELOPMENT_DATABASE_URL) make serve-api"

.PHONY: stop-postgres-development
stop-postgres-development: ## [run] stop the PostgreSQL in Docker and keep its data
	@$(HAS_DOCKER)
	@docker compose stop postgres-development

# --- Checks -----------------------------------------------------------------------------------------------------------

.PHONY: fix
fix: install ## [first] format the code
	@$(BIN)/isort --quiet $(SOURCES)
	@$(BIN)/yapf --in-place --recursive --parallel $(SOURCES)

.PHONY: lint
lint: install ## [first] check import order, format, layers and code smells
	@echo "Import order";    $(BIN)/isort --check-only --diff $(SOURCES)
	@echo "Format";          $(BIN)/yapf --diff --recursive --parallel $(SOURCES)
	@echo "Layers";          $(BIN)/lint-imports
	@echo "Code smells";     $(BIN)/pylint $(SOURCES)

.PHONY: type-check
type-check: install ## [first] check types (mypy --strict)
	@$(BIN)/mypy $(SOURCES)

.PHONY: check-infra
check-infra: install ## [check] lint pipelines, container files, the cloud template and shell scripts
	@.ci/check-infra

.PHONY: settings-docs
settings-docs: install ## [check] write .env.example and configuration.md from the settings
	@PYTHONPATH=. $(BIN)/python .ci/write_settings_docs.py

.PHONY: licences
licences: install ## [check] list the licences of run-time packages; fail at one outside the allow-list
	@.ci/licences

.PHONY: audit
audit: install ## [check] look for known vulnerabilities in all locked packages
	@$(BIN)/python .ci/audit.py

.PHONY: test
test: install ## [first] run all test suites except the measurements
	@$(ALL_SUITES)

.PHONY: coverage
coverage: install ## [test] run the same suites as test, and write coverage.xml
	@$(ALL_SUITES) --cov --cov-report=term --cov-report=xml

.PHONY: test-unit
test-unit: install ## [first] run the tests that need only Python
	@$(BIN)/pytest $(PYTEST_ARGS) tests/unit

.PHONY: test-integration
test-integration: install ## [first] run the tests of each adapter against its real counterpart
	@$(BIN)/pytest $(PYTEST_ARGS) tests/integration

.PHONY: test-e2e
test-e2e: install ## [first] run the tests of the served API
	@$(BIN)/pytest $(PYTEST_ARGS) tests/e2e

.PHONY: test-limits
test-limits: install ## [measure] measure times, memory and fairness relative to the same run
	@$(BIN)/pytest $(PYTEST_ARGS) tests/limits

.PHONY: test-faults
test-faults: install ## [test] break each part during use; writes the table in RELIABILITY.md
	@$(BIN)/python -m tests.faults $(PYTEST_ARGS)

.PHONY: test-cluster
test-cluster: install ## [test] lose servers, pooler and primary of a cluster; writes the table in RELIABILITY.md
	@$(BIN)/python -m tests.cluster --write

# Of `kill -9`.
ROUNDS ?= 100
SEED ?= 1
.PHONY: test-durability
test-durability: install ## [test] kill processes under load ROUNDS=100 times, and look for losses
	@$(BIN)/python -m tests.faults.durability --rounds $(ROUNDS) --seed $(SEED) --write

# Only a run of the full length is written into .github.
SOAK_MINUTES ?= 30
.PHONY: soak
soak: install var/matplotlib/.installed ## [measure] load the service for SOAK_MINUTES=30 with restarts and a login flood
	@$(BIN)/python -m tests.soak --minutes $(SOAK_MINUTES) $(if $(filter 30,$(SOAK_MINUTES)),--write)

var/matplotlib/.installed: tests/soak/requirements.txt | install
	@rm -rf $(@D)
	@$(PIP_INSTALL) --no-deps --target $(@D) --requirement $<
	@touch $@

.PHONY: image-trial
image-trial: install ## [release] build the image without Docker and test it (root, buildah, debootstrap)
	@.ci/try-image $(PYTEST_ARGS)

.PHONY: box-trial
box-trial: install ## [release] run the box in Docker, and the main flow against it (ports 80 and 443)
	@$(BIN)/python -m tests.box

# Cases of an operation, and seconds of each search.
FUZZ_EXAMPLES ?= 1000
FUZZ_SECONDS ?= 120
.PHONY: fuzz
fuzz: install var/atheris/.installed ## [test] send generated requests and search for breaking inputs (FUZZ_EXAMPLES, FUZZ_SECONDS)
	@$(BIN)/python -m tests.fuzz --examples $(FUZZ_EXAMPLES) --seconds $(FUZZ_SECONDS) $(FUZZ_ARGS)

.PHONY: fuzz-atheris
fuzz-atheris: FUZZ_ARGS := --only searches
fuzz-atheris: fuzz ## [test] run only the coverage-guided searches (Linux on x86-64)

var/atheris/.installed: tests/fuzz/requirements.txt | install
	@rm -rf $(@D)
	@$(PIP_INSTALL) --target $(@D) --requirement $<
	@touch $@

# Such as: make test-mutation MUTANTS='talelio_backend.app_account.business.*'; setup.cfg says what there is to choose from.
MUTANTS ?= talelio_backend.app_account.data.*_tokens.* talelio_backend.app_account.data.jwt.* talelio_backend.shared.presentation.requests.bearer_token.*
# mutmut comes last on the path, so that pytest and the rest are those that are locked.
MUTMUT := $(BIN)/python -c 'import sys; sys.path.append("var/mutmut"); from mutmut.__main__ import cli; cli()'
.PHONY: test-mutation
test-mutation: install var/mutmut/.installed ## [test] show which mutations of MUTANTS no unit test notices
	@$(MUTMUT) run --max-children 2 $(foreach each,$(MUTANTS),'$(each)')
	@$(MUTMUT) results

var/mutmut/.installed: | install
	@rm -rf $(@D)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --target $(@D) mutmut==3.8.1
	@touch $@

.PHONY: client
client: install ## [first] build the typed TypeScript client in var/client (needs npm)
	@PYTHON=$(abspath $(BIN)/python) .ci/build-client var/client
	@echo "$$(ls var/client/*.tgz) is ready for npm install"

# The release that serves while this checkout's migrations run; by default the newest tag, or else where this branch left
# origin/main.
PREVIOUS ?=
.PHONY: test-previous-release
test-previous-release: install ## [release] run the previous release against the schema of this checkout
	@PYTHONPATH=. $(BIN)/python .ci/test_previous_release.py "$(PREVIOUS)" $(PYTEST_ARGS)

# Such as: make bench BENCH_ARGS='repeated first --rounds 3 --markdown'
BENCH_ARGS ?=
.PHONY: bench
bench: install ## [measure] compare the service with the least code that could do the same (BENCH_ARGS=--help)
	@$(BIN)/python -m tests.benchmarks $(BENCH_ARGS)

.PHONY: bench-profile
bench-profile: install ## [measure] draw a flame graph of reading a list, var/bench/list.svg
	@$(BIN)/python -m tests.benchmarks --profile var/bench/list.svg

.PHONY: set-githooks
set-githooks: ## [first] check each commit with a git hook
	@git config core.hooksPath .githooks
	@echo "git now runs .githooks/pre-commit before each commit"
