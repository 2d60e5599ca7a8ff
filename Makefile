# What habit expects; everything else is `webhook-buffer --help`.
# Everything is installed below this folder: .venv for Python, node_modules for Node.

PYTHON ?= python3
# From the command line only: a POSIX shell sets ENV for itself.
ENV := $(or $(WEBHOOK_BUFFER_ENV),local)
BIN := .venv/bin
RUN := $(BIN)/webhook-buffer
# A variable of the command line can't be reassigned, so the option has a name of its own.
CONFIRMED := $(if $(filter 1 yes true,$(YES)),--yes)
# Images of containers often set it; compiling the CDK again takes each process many seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-fast check templates lint types docs drills bench soak synth diff deploy destroy first-deployment lock outdated clean
.DEFAULT_GOAL := help

help: ## This list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

setup: .venv/.ready node_modules/.ready ## Install everything below this folder

demo: setup ## Show the whole story on this laptop: deploy, send, break, alarm, recover (KEEP=1: keep it)
	@$(RUN) demo $(if $(KEEP),--keep)

# More processes than the budget's two cores: what tests servers, drills and the laptop waits most of its time.
test: setup ## Run every test
	@$(BIN)/pytest -n 4 --dist loadscope -q

test-fast: setup ## Run the tests that need no emulator, but for the few marked slow
	@HYPOTHESIS_EXAMPLES=$(or $(HYPOTHESIS_EXAMPLES),25) $(BIN)/pytest -n 3 --dist loadscope -q -m "not emulator and not slow"

check: setup lint types test ## What CI runs: format, lint, types, every test

templates: setup .build/checkov/.ready ## Check many settings' templates with cdk-nag, cfn-lint and checkov
	@$(BIN)/pytest -q tests/audit_templates.py

lint: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: setup
	@$(BIN)/mypy

docs: setup ## Regenerate everything that is generated in docs/ and README.md
	@$(BIN)/python -m webhook_buffer.cli.make_docs

drills: setup ## Run every fire drill on what `up` started, PACE=3s a minute; goes on where it was stopped
	@$(RUN) drill all --pace $(or $(PACE),3s) --json .build/drills-$(or $(PACE),3s).json --resume

bench: setup ## Measure start-up, linting, cold starts, publishing, alarms, the console, tracing, Datadog, fairness
	@$(BIN)/python -m tests.bench_startup
	@$(BIN)/python -m tests.bench_synth
	@$(BIN)/python -m tests.bench_cold_start
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench_warm_path
	@$(BIN)/python -m tests.bench_evaluator
	@$(BIN)/python -m tests.bench_lint
	@$(BIN)/python -m tests.bench_live
	@$(BIN)/python -m tests.bench_console
	@$(BIN)/python -m tests.bench_datadog
	@$(BIN)/python -m tests.bench_fairness
	@$(BIN)/python -m tests.lambdas.sources.mutations

soak: setup ## 100,000 webhooks (RESUME=1: go on), 2,000 examples of each property, mutations, kills
	@$(BIN)/python -m tests.soak $(if $(RESUME),--resume)
	@HYPOTHESIS_EXAMPLES=$(or $(HYPOTHESIS_EXAMPLES),2000) $(BIN)/pytest -q -n 2 -m "hypothesis and not emulator"
	@$(BIN)/python -m tests.lambdas.parking_mutations
	@$(BIN)/python -m tests.killed_programs

synth: setup ## Synthesize ENV's stacks
	@$(RUN) synth --env $(ENV)

diff: setup ## Show what a deployment of ENV would change
	@$(RUN) diff --env $(ENV)

deploy: setup ## Show the changes to ENV, ask for confirmation (YES=1: do not), deploy, smoke-test
	@$(RUN) deploy --env $(ENV) $(CONFIRMED)

destroy: setup ## Delete ENV's stacks and list what is kept
	@$(RUN) destroy --env $(ENV) $(CONFIRMED)

first-deployment: setup ## Try in a throw-away ENV what is unproven on AWS, report it, delete it all
	@$(BIN)/python -m tests.first_deployment $(ENV) $(CONFIRMED)

lock: setup ## Update and pin all dependencies, with hashes
	@echo 'uv==0.13.9' | $(COMPILE) --universal --python-version 3.11 --no-annotate -o requirements-uv.txt -
	@$(COMPILE) --universal --python-version 3.11 pyproject.toml --extra dev -o requirements.txt
	@echo checkov | $(COMPILE) --universal --python-version 3.11 --no-annotate -o requirements-checkov.txt -
	@$(COMPILE) --python-version 3.14 --no-annotate lambdas/requirements.in -c requirements.txt \
		-o lambdas/requirements.txt
	@$(COMPILE) --python-version 3.14 --no-annotate lambdas/requirements-cryptography.in \
		-c requirements.txt -o lambdas/requirements-cryptography.txt

outdated: setup ## List dependencies of which the registry has a newer release; make lock updates them
	@$(BIN)/uv pip list --python $(BIN)/python --outdated

COMPILE := $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"

clean: ## Remove build output and caches; what is running stays (stop it: webhook-buffer down)
	@rm -rf .build cdk.out .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/.ready: requirements.txt requirements-uv.txt pyproject.toml packages/alarmproof/pyproject.toml \
		packages/checkout/refusing_backend.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or later is needed; '$(PYTHON)' is older or missing. Run: make PYTHON=python3.13 ..."; exit 1; }
	@echo "Installing Python packages into .venv"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e packages/alarmproof -e .
	@touch $@

# Apart from .venv, for it pins releases of boto3 and others that are older than ours.
.build/checkov/.ready: .venv/.ready requirements-checkov.txt
	@echo "Installing checkov into .build/checkov"
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(BIN)/uv pip sync --quiet --python $(@D)/bin/python --require-hashes requirements-checkov.txt
	@touch $@

node_modules/.ready: package.json package-lock.json
	@command -v npm >/dev/null || { echo "Node.js is not installed; the AWS CDK runs on it. Install Node 22 or 24."; exit 1; }
	@echo "Installing Node packages into node_modules"
	@npm ci --silent
	@touch $@
