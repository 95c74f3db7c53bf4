# Everything here works on a machine with nothing but Python >= 3.10 and make, but for the
# frontend targets, which build the viewer and need Node >= 20.
# CI calls these same targets (.ci/run).

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PY     := $(BIN)/python
PYTEST ?= $(PY) -m pytest

# uv where it is at hand, because it is many times faster; else the environment's own pip.
INSTALL = if uv --version >/dev/null 2>&1; \
	then set -- uv pip install --quiet --python $(PY); \
	else set -- $(PY) -m pip install --quiet --disable-pip-version-check; fi; "$$@"

.DEFAULT_GOAL := help
.PHONY: help demo test lint format types docs serve-docs bench bench-smoke metrics wheel clean \
	frontend frontend-types frontend-test

help: ## Say what there is
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Draw two networks and record a training, all into demo/
	@$(PY) docs/demo.py

test: $(VENV)/.test ## Run the tests
	$(PYTEST) $(ARGS)

lint: $(VENV)/.dev ## Check style and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Bring the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.dev ## Check types, pyright strict
	$(BIN)/pyright --pythonpath $(PY)

docs: $(VENV)/.dev ## Build the documentation into site/
	$(BIN)/mkdocs build --strict --quiet

serve-docs: $(VENV)/.dev ## Show the documentation at http://127.0.0.1:8000
	$(BIN)/mkdocs serve

bench: $(VENV)/.dev ## Measure everything, and write docs/benchmarks.md
	$(PY) -m benchmarks.report

bench-smoke: $(VENV)/.dev ## Run each benchmark once, to see that it works
	$(PYTEST) benchmarks --benchmark-disable

metrics: $(VENV)/.dev ## Print the table of visuai metrics
	$(BIN)/visuai metrics

wheel: $(VENV)/.dev ## Build the wheel, and try it in an empty environment
	$(PY) tests/check_wheel.py

frontend: frontend/node_modules/.made ## Build the viewer into visuai/static/
	cd frontend && npm run --silent build

frontend-types: $(VENV)/.test ## Write the viewer's types from the Python ones
	$(PY) frontend/wire_types.py

frontend-test: frontend/node_modules/.made ## Check the viewer: types, style, tests
	cd frontend && npm run --silent types && npm run --silent lint && npm test --silent

clean: ## Remove what the targets made
	rm -rf frontend/node_modules $(VENV) demo site dist .pytest_cache .ruff_cache .hypothesis .benchmarks

# As the lock file says, and anew when it changes.
frontend/node_modules/.made: frontend/package.json frontend/package-lock.json
	@node -e 'if (parseInt(process.versions.node) < 20) throw "The viewer needs Node >= 20"'
	cd frontend && npm ci --no-fund --no-audit --loglevel=error
	@touch $@

# Stamps: an environment is made and filled once, and again when pyproject.toml changes.
$(VENV)/.made:
	@echo "Making the environment $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Visuai needs Python >= 3.10")'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo $(VENV)/.test $(VENV)/.dev: $(VENV)/.made pyproject.toml
	@echo "Installing visuai and what \`$(@F:.%=%)\` needs (torch is large: some minutes the first time)"
	@$(INSTALL) --editable '.[$(@F:.%=%)]'
	@touch $@
