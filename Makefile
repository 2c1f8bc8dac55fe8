# One verb per task, the same here and in continuous integration. Python 3.11 or newer is all that must be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help serve test format check docs bench lock clean

help:  ## show what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

serve: $(READY)  ## build the graph when there is none, then serve it on http://127.0.0.1:8000
	$(BIN)/payergraph serve

test: $(READY) check  ## lint, format, types and all tests
	$(BIN)/python -m pytest -n auto

check: $(READY)  ## lint, format and types, of code and of data
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m payergraph.formatting --check

format: $(READY)  ## put code and data into their one form
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .
	$(BIN)/python -m payergraph.formatting

docs: $(READY)  ## make the generated pages of docs/ anew
	$(BIN)/python docs/generate.py

bench: $(READY)  ## measure against rdflib and oxigraph, side by side; takes some minutes
	$(BIN)/python benchmarks/run.py

lock: $(READY)  ## solve the dependencies anew
	$(BIN)/python -m uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" --output-file requirements.lock

clean:  ## remove what was built
	rm -rf $(VENV) .store .mypy_cache .ruff_cache .hypothesis build dist
