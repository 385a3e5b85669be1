# Two commands: `make up` shows a model made, judged, sealed and served on real data; `make test` proves it.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
# A lock names every package, so nothing is left to resolve: a release of today cannot change what is installed.
INSTALL := $(PIP) install --quiet --require-hashes --no-deps --only-binary :all:

.PHONY: help up demo test attack check bench bench-serving docs lock oracles clean

help:
	@echo "make up     set everything up, run the main job on real data, and serve the model (Ctrl-C ends it)"
	@echo "make test   set everything up and run every test"
	@echo "make attack  run the tests that attack us (ATTACK='T-07 T-43' for some), against processes started for them"
	@echo "make check  formatting, lint, types, import walls, lock files, what we depend on, rules over our source, attacks without tests"
	@echo "make bench  measure, and write docs/reference/benchmarks.md"
	@echo "make bench-serving  measure our server beside others (BENCH='--quick' for less), and write docs/reference/serving-benchmark.md; needs wrk"
	@echo "make oracles  tools of others that tests compare with (make test sets them up, too)"
	@echo "make docs   regenerate the generated pages of docs/reference, and docs/security/coverage.md"

up: $(VENV)/.for-up
	@$(BIN)/python examples/up.py

demo: $(VENV)/.for-up
	@$(BIN)/python examples/up.py --no-wait

# A file's tests stay together, and files go out in the order of tests/conftest.py: the longest first. What Python
# compiles is kept: hundreds of commands are started, and the asserts of the tests would be rewritten in every run.
test: $(VENV)/.for-dev $(VENV)/.for-torch .oracles/.for-test
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST)

attack: $(VENV)/.for-dev $(VENV)/.for-torch .oracles/.for-test
	OMP_NUM_THREADS=1 $(BIN)/python tools/run_attacks.py $(ATTACK)

check: $(VENV)/.for-dev .oracles/.for-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_lock.py
	$(BIN)/python tools/check_supply.py
	$(BIN)/python tools/check_source.py
	$(BIN)/python tools/make_coverage.py --check

bench: $(VENV)/.for-dev
	$(BIN)/python benchmarks/run.py

# Other servers get environments of their own below .bench, from benchmarks/serving/locks.
bench-serving: $(VENV)/.for-dev
	$(BIN)/python benchmarks/serving/run.py $(BENCH)

docs: $(VENV)/.for-dev
	$(BIN)/python tools/make_reference.py
	$(BIN)/python tools/make_coverage.py

# New pins: needs uv and an index. Review the diff before you commit it.
lock:
	for set in base build dev; do \
	  extra=$$( [ $$set = base ] || echo "--extra $$set --extra source" ); \
	  uv pip compile pyproject.toml $$extra --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-strip-extras --no-annotate --no-header --quiet --output-file locks/$$set.lock || exit 1; \
	done
	uv pip compile locks/oracles.in --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-strip-extras --no-annotate --no-header --quiet --output-file locks/oracles.lock
	grep -E '^[a-z0-9.-]+==' locks/dev.lock | sed 's/ \\$$//' > locks/dev.pins
	for peer in benchmarks/serving/locks/*.in; do \
	  uv pip compile $$peer --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-strip-extras --no-annotate --no-header --quiet --output-file $${peer%.in}.txt || exit 1; \
	done
	uv pip compile locks/torch.in --constraint locks/dev.pins --no-deps --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-strip-extras --no-annotate --no-header --quiet --output-file locks/torch.lock; rm locks/dev.pins

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Sealwright needs Python 3.11 to 3.13. Point at one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.for-up: locks/build.lock pyproject.toml | $(VENV)/bin/python
	@echo "Setting up $(VENV) from locks/build.lock (once; every package is checked against its hash)"
	@test -e $(VENV)/.for-dev || $(INSTALL) -r locks/build.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(PIP) check >/dev/null || { $(PIP) check; exit 1; }
	@touch $@

$(VENV)/.for-dev: locks/dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "Setting up $(VENV) from locks/dev.lock (once; every package is checked against its hash)"
	@$(INSTALL) -r locks/dev.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(PIP) check >/dev/null || { $(PIP) check; exit 1; }
	@touch $@

# PyTorch is optional: where it cannot be had, the tests that need it say so and are skipped.
$(VENV)/.for-torch: locks/torch.lock $(VENV)/.for-dev
	@echo "Adding PyTorch (CPU) and Opacus to $(VENV)"
	@if $(PIP) install --quiet --no-deps --only-binary :all: torch==2.13.0; then $(INSTALL) -r locks/torch.lock; \
	  else echo "PyTorch 2.13.0 cannot be had here; tests that need it are skipped"; fi
	@touch $@

# Great Expectations and mlcroissant, whose verdicts ours must equal; bandit and semgrep, which read our source; tritonclient, a stock
# client of the Open Inference Protocol. Apart, since
# they ask for other releases of what we use.
oracles: .oracles/.for-test

.oracles/.for-test: locks/oracles.lock
	@echo "Setting up .oracles from locks/oracles.lock (once; the tools of others that tests compare with)"
	@$(PYTHON) -m venv .oracles
	@.oracles/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --no-deps --only-binary :all: --no-binary jsonpath-rw -r locks/oracles.lock
	@touch $@

clean:
	rm -rf .demo dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
