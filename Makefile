.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIPENV := VIRTUAL_ENV=$(CURDIR)/$(VENV) PIPENV_VERBOSITY=-1 PIPENV_IGNORE_VIRTUALENVS=0 $(VENV)/pipenv/bin/pipenv
SOURCES := talelio_backend migrations tests

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-28s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- Installation -----------------------------------------------------------------------------------------------------

$(VENV)/pipenv/bin/pipenv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 …"; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) && $(PYTHON) -m venv $(VENV)/pipenv
	@$(VENV)/pipenv/bin/python -m pip install --quiet --disable-pip-version-check "pipenv>=2026.0"

$(VENV)/.synced: Pipfile.lock | $(VENV)/pipenv/bin/pipenv
	@echo "Installing the packages of Pipfile.lock into $(VENV)"
	@$(PIPENV) sync --dev --quiet
	@touch $@

.PHONY: install
install: $(VENV)/.synced ## install what the project needs into .venv

.PHONY: lock
lock: | $(VENV)/pipenv/bin/pipenv ## renew Pipfile.lock from Pipfile
	@echo "Resolving the packages of Pipfile"
	@$(PIPENV) lock
	@# Which index serves the packages is each machine's own setting (pip's), never the project's.
	@$(PYTHON) .ci/strip_lock_sources.py Pipfile.lock
