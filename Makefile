# `make demo` and `make test` do everything on a machine with Python 3.11 to 3.13.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DEMO = runs/digits_study

.PHONY: install demo test lint test-slow test-gpu docs clean

install: $(VENV)/installed

# Made anew when the dependencies change; a broken install leaves no mark.
$(VENV)/installed: pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and 'Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test]"
	touch $@

demo: install
	$(BIN)/python -m gaug_jax.study --config=digits_study --workdir=$(DEMO)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

test: lint
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m "not slow and not gpu"

# Kills runs at random moments, and other things that take long.
test-slow: install
	$(BIN)/python -m pytest -q -n auto --dist load -m "slow and not gpu"

# On a machine with an NVIDIA GPU: the tests that want one, and the speed beside PyTorch's.
test-gpu: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[cuda,test,bench]"
	$(BIN)/python -m pytest -q -m gpu
	$(BIN)/python -m benchmarks.on_gpu --output=runs/gpu

# Pages of the functions, from their docstrings.
docs: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[docs]"
	$(BIN)/pdoc --docformat google gaug_jax -o build/api

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache
