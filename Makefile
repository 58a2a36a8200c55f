PYTHON ?= python3
BUNDLE ?= bundles/demo
PORT ?= 8501
BIN := .venv/bin
SCENES := .work/scenes
DEMO_MODEL := ViT-demo-12/scenes_v1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo app demo-model test test-all check bench docs clean

help:  ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/installed  ## the virtual environment with everything the product needs

demo: bundles/demo/manifest.json  ## build the demo bundle once, then serve the dashboard over it
	$(BIN)/python -m dashboard --bundle bundles/demo --port $(PORT)

app: .venv/installed  ## serve the dashboard over BUNDLE=path
	$(BIN)/python -m dashboard --bundle $(BUNDLE) --port $(PORT)

test: .venv/tested-with  ## the fast tests
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

test-all: .venv/tested-with  ## every test, the slow ones too
	$(BIN)/python -m pytest -q -n 2

check: .venv/tested-with  ## format, lint, import contracts, types
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/lint-imports && $(BIN)/mypy

bench: .venv/installed  ## speed, as ratios measured in one run
	$(BIN)/python -m bench

docs: .venv/installed  ## docs/schema.md from the schema itself
	$(BIN)/python -m db.schema_docs > docs/schema.md

demo-model: .venv/installed  ## train the demo model anew (resumable)
	$(BIN)/python -m precompute.demo train

clean:  ## remove what can be made again; your own bundles stay
	rm -rf .venv .work build *.egg-info bundles/demo bundles/.demo.*

.venv/installed: requirements-app.txt requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Headlight needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11")'
	@echo "Installing into .venv (torch is large: a few minutes the first time)"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check -q -r requirements.txt
	$(BIN)/pip install --disable-pip-version-check -q --no-deps -e .
	@touch $@

.venv/tested-with: .venv/installed requirements-dev.txt
	@echo "Installing what the tests need"
	$(BIN)/pip install --disable-pip-version-check -q -r requirements-dev.txt
	@touch $@

# Made anew when weights or pool change: the live door refuses a bundle of other weights.
bundles/demo/manifest.json: $(wildcard precompute/demo/*.safetensors) precompute/texts/demo.tsv | .venv/installed $(SCENES)/attributes.csv
	$(BIN)/python -m precompute run --model $(DEMO_MODEL) --images $(SCENES) --metadata $(SCENES)/attributes.csv \
		--texts precompute/texts/demo.tsv --gallery-images 240 --license CC0-1.0 --bundle bundles/demo --replace

$(SCENES)/attributes.csv: | .venv/installed
	$(BIN)/python -m precompute.demo scenes --out $(SCENES) --count 2000 --seed 3
