# Two commands matter: `make demo` and `make test`. All paths are relative: the folder's name may hold a space.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
PY := .venv/bin/python
COMPILE := .venv-lock/bin/pip-compile --quiet --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	--allow-unsafe --strip-extras

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo manage test test-models bench bench-marks lint format types lock install install-dev chromium

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed -e 's/:.*## /|/' | while IFS='|' read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

demo: install ## start the whole house on this machine; Ctrl-C stops it, var/ keeps its data
	@exec $(PY) -m embedded.demo --end-with-parent $(DEMO)

manage: install ## one of Django's commands beside the running demo: make manage CMD="verify_audit"
	@$(PY) -m embedded.manage $(CMD)

test: install-dev chromium ## everything that must pass: format, lint, types, imports, all tests on real services
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pytest --numprocesses 2 --dist loadgroup $(PYTEST)

test-models: install-dev ## every family of checkpoints, tiny and with random weights
	$(PY) -m pytest -m "" tests/contracts/test_families.py tests/unit/engine/test_lora.py \
		tests/unit/engine/test_rendering.py $(PYTEST)

bench: install-dev ## print figures: throughput, CPU time, beside their twins
	$(PY) -m tests.bench

bench-marks: install-dev ## the forensic mark through everything that is done to clips; ARGS=--full takes hours and may be stopped
	@$(PY) -m tests.bench.marks $(ARGS)

lint: install-dev ## format check, lint and import contracts, without tests
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	.venv/bin/lint-imports

types: install-dev ## mypy alone
	$(PY) -m mypy

format: install-dev ## put the code into its format and fix what can be fixed
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

install:
	@test -n "$(PYTHON)" || { echo "No Python found. Install Python 3.11, or: make demo PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -I platform/embedded/install.py requirements.txt

install-dev:
	@test -n "$(PYTHON)" || { echo "No Python found. Install Python 3.11, or: make test PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -I platform/embedded/install.py requirements.txt requirements-dev.txt

chromium:
	@$(PY) -m tests.rig.chromium

# A build of torch for one kind of processor (2.13.0+cpu) satisfies its plain version; the list names the plain one.
lock: ## compile the lists of exact versions anew from pyproject.toml
	@test -x .venv-lock/bin/pip-compile || { "$(PYTHON)" -m venv .venv-lock && \
		.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check pip-tools==7.6.2; }
	$(COMPILE) --extra render --extra embedded --output-file requirements.txt pyproject.toml
	sed -E 's/^(torch==[0-9.]+)[+].*$$/\1/' requirements.txt > requirements.txt.new && mv requirements.txt.new requirements.txt
	$(COMPILE) --extra render --extra embedded --extra dev --constraint requirements.txt \
		--output-file requirements-dev.txt pyproject.toml
	sed -E 's/^(torch==[0-9.]+)[+].*$$/\1/' requirements-dev.txt > requirements-dev.txt.new && mv requirements-dev.txt.new requirements-dev.txt
