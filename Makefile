# Tocsin's commands. `make` alone lists them.

PYTHON ?= python3.14 python3.13 python3.12 python3.11 python3 python
PYTEST_ARGS ?= -n 2 --dist loadfile --no-loadscope-reorder
UV_VERSION = 0.13.9
BIN = .venv/bin

export PIP_DISABLE_PIP_VERSION_CHECK = 1

# In .venv, path says where it was made, since a moved environment runs the old place's code;
# run.txt, dev.txt and pyproject.toml are copies of what was last installed from.
VENV_IS_GOOD = [ -x $(BIN)/python ] && [ "`cat .venv/path 2>/dev/null`" = "$(CURDIR)" ]
INSTALL = $(BIN)/python -m pip install -qq

.PHONY: help run test check bench format lock clean venv install install-dev

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: export TOCSIN_SANDBOX = 1
run: install ## start Tocsin with the sandbox on http://127.0.0.1:9655
	@$(BIN)/tocsin serve

test: install-dev ## run the tests; PYTEST_ARGS="..." chooses which and how
	@tools/install-programs prometheus=prometheus chromium=chromium \
		prometheus-alertmanager=prometheus-alertmanager
	@$(BIN)/pytest $(PYTEST_ARGS)

check: install-dev ## lint, types, layers, runbooks and their schema, severity tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy -n 2
	$(BIN)/lint-imports
	$(BIN)/tocsin runbook lint
	$(BIN)/tocsin runbook schema --check
	$(BIN)/tocsin severity test

bench: install-dev ## measure throughput and latency
	@$(BIN)/python -m bench

format: install-dev ## format the code and sort its imports
	@$(BIN)/ruff check --select I --fix
	@$(BIN)/ruff format

lock: venv ## lock the dependencies; LOCK_ARGS=--upgrade takes the newest
	@$(BIN)/python -m venv .venv-lock
	@.venv-lock/bin/pip install -qq uv==$(UV_VERSION)
	@for name in "run pyproject.toml" dev; do set -- $$name; \
		.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
			--generate-hashes --custom-compile-command "make lock" $(LOCK_ARGS) \
			--output-file requirements/$$1.txt requirements/$$1.in $$2 || exit 1; \
	done

clean: ## remove what make made; Tocsin's data in var/ stays
	@rm -rf .venv .venv-lock .mypy_cache .pytest_cache .ruff_cache .hypothesis \
		.import_linter_cache dist
	@find bot bench tests -name __pycache__ -prune -exec rm -rf {} +

venv:
	@$(VENV_IS_GOOD) || { \
		for python in $(PYTHON); do \
			if $$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' \
				2>/dev/null; \
			then $$python -m venv --clear .venv && echo "$(CURDIR)" >.venv/path && exit; fi; \
		done; \
		echo "Tocsin needs Python 3.11 or newer with its venv module (on Debian:" \
			"apt-get install python3-venv), and found none as $(PYTHON)." >&2; \
		exit 1; \
	}

install: venv
	@cmp -s requirements/run.txt .venv/run.txt || { \
		echo "Installing Tocsin's dependencies, which takes about a minute, once"; \
		$(INSTALL) --require-hashes -r requirements/run.txt && \
		cp requirements/run.txt .venv/run.txt; \
	}
	@cmp -s pyproject.toml .venv/pyproject.toml || { \
		$(INSTALL) --no-deps --no-build-isolation --editable . && \
		cp pyproject.toml .venv/pyproject.toml; \
	}

install-dev: install
	@cmp -s requirements/dev.txt .venv/dev.txt || { \
		echo "Installing what the checks and tests need, once"; \
		$(INSTALL) --require-hashes -r requirements/dev.txt && \
		cp requirements/dev.txt .venv/dev.txt; \
	}
