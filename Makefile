# Everything runs in .venv, made here from the Python that PYTHON names (3.11 or newer).
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: notebooks demo test test-browser trust mutants screenshots gallery lab bench bench-full docs lint clean

demo: $(VENV)/.demo
	$(BIN)/segkit demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -q -n auto
	$(BIN)/python -m pytest -q -o addopts= --nbval --nbval-sanitize-with notebooks/sanitize.cfg notebooks

test-browser: $(VENV)/.browser
	$(BIN)/python -m pytest -q tests/browser

trust: $(VENV)/.browser
	$(BIN)/python tests/trust.py full

mutants: $(VENV)/.mutants
	$(BIN)/python tests/mutants.py --write

screenshots: $(VENV)/.browser
	$(BIN)/python tests/browser/screenshots.py

gallery: $(VENV)/.demo
	$(BIN)/python tests/gallery.py

lab: $(VENV)/.lab
	$(BIN)/jupyter lab notebooks

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/run.py

bench-full: $(VENV)/.bench
	$(BIN)/python benchmarks/run.py author import sizes overlap measures history edits --full --rounds 3 --markdown

notebooks: $(VENV)/.browser
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.store_widget_state=False --ExecutePreprocessor.record_timing=False --NotebookExporter.preprocessors=nbconvert.preprocessors.CoalesceStreamsPreprocessor notebooks/*.ipynb

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --config-file docs/site/mkdocs.yml

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) demo_output site

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "segkit needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.demo: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[charts,cli]"
	@touch $@

$(VENV)/.test: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[test]"
	@touch $@

$(VENV)/.browser: $(VENV)/.test
	$(BIN)/python -m pip install --quiet -e ".[test,browser]"
	@touch $@

$(VENV)/.mutants: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[mutants]"
	@touch $@

$(VENV)/.lab: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[notebooks]"
	@touch $@

$(VENV)/.bench: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[bench]"
	@touch $@

$(VENV)/.docs: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[docs]"
	@touch $@

$(VENV)/.lint: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[lint]"
	@touch $@
