PYTHON ?= python3
BUNDLE ?= bundles/demo
PORT ?= 8501
BIN := .venv/bin
SCENES := .work/scenes
PLANTED := .work/planted
STUDY ?= bundles/study
NEED_IMAGES = @test -n "$(IMAGES)" || { echo "Say where the images are: make $@ IMAGES=/path/to/images"; exit 1; }
VERIFY := POOL TEXTSPAN LABELS SEGMENTATION CLASSES MODEL CHECKPOINT LIMIT DEVICE JSON
# The last two hold the format and method versions.
DEMO_NEEDS := $(wildcard precompute/demo/weights/*.safetensors) $(wildcard precompute/texts/demo*.tsv) \
	db/layout.py precompute/runtime/method_versions.py
HEADLIGHT := $(BIN)/headlight
SUMMARY := See what every attention head of a CLIP model looks at

# Tests start programs by the dozen: what one has compiled serves the next.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo app demo-model test test-slow test-all check bench validation docs planted study verify-paper package clean

help:  ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/installed  ## the virtual environment with everything the product needs

demo: bundles/demo/manifest.json  ## build the demo bundle once, then serve the dashboard over it
	$(HEADLIGHT) view bundles/demo --port $(PORT)

app: .venv/installed  ## serve the dashboard over BUNDLE=path
	$(HEADLIGHT) view $(BUNDLE) --port $(PORT)

test: .venv/tested-with  ## the fast tests
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

test-slow: .venv/tested-with  ## the slow tests that continuous integration runs too
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "slow and not very_slow"

test-all: .venv/tested-with-ray  ## every test, the slow ones too
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

check: .venv/tested-with  ## format, lint, import contracts, types
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/lint-imports && $(BIN)/mypy

bench: .venv/installed  ## speed, as ratios measured in one run
	$(BIN)/python -m bench

docs: .venv/installed  ## docs/schema.md from the schema, docs/api.md from the docstrings
	$(BIN)/python -m db.schema_docs > docs/schema.md
	$(BIN)/python -m headlight.api_docs > docs/api.md

validation: bundles/demo/manifest.json  ## docs/validation.md: the demo bundle scored against what is known of its pictures
	$(BIN)/python -m dashboard.report bundles/demo --write docs/validation.md

planted: bundles/planted/manifest.json  ## a model with hand-set weights and known results (docs/planted.md)
	@echo "open it with: make app BUNDLE=bundles/planted    its known answers: $(PLANTED)/answers.json"

verify-paper: .venv/installed  ## check real weights against the papers: IMAGES=folder [POOL= TEXTSPAN= LABELS= SEGMENTATION= ...]
	$(NEED_IMAGES)
	$(HEADLIGHT) verify-paper --images "$(IMAGES)" $(foreach one,$(VERIFY),$(if $($(one)),--$(shell echo $(one) | tr A-Z a-z) "$($(one))"))

study: .venv/installed  ## the six models of the paper: IMAGES=folder [MODELS="A/x B/y" LIMIT=2000 DEVICE=cuda OPTIONS=...]
	$(NEED_IMAGES)
	$(HEADLIGHT) run $(addprefix --model ,$(or $(MODELS),study)) --images "$(IMAGES)" --bundle $(STUDY) \
		$(if $(LIMIT),--limit $(LIMIT)) $(if $(DEVICE),--device $(DEVICE)) $(OPTIONS)

demo-model: .venv/installed  ## train the demo models again (resumable), then score them
	$(BIN)/python -m precompute.demo train
	$(BIN)/python -m precompute.demo score

package: .venv/installed  ## dist/: a wheel and a source distribution
	$(BIN)/pip install --disable-pip-version-check -q build
	$(BIN)/python -m build --outdir dist .

clean:  ## remove what can be made again; your own bundles stay
	rm -rf .venv .work build dist *.egg-info bundles/demo bundles/.demo.* bundles/planted bundles/.planted.*

.venv/installed: requirements-app.txt requirements.txt requirements-demo.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Headlight needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11")'
	@echo "Installing into .venv (torch is large: a few minutes the first time)"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check -q -r requirements.txt
	$(BIN)/pip install --disable-pip-version-check -q --no-deps -r requirements-demo.txt
	@# Before the project was called headlight-clip: only ours goes, known by its summary.
	@if $(BIN)/pip show headlight 2>/dev/null | grep -q "^Summary: $(SUMMARY)"; then $(BIN)/pip uninstall -q -y headlight; fi
	$(BIN)/pip install --disable-pip-version-check -q --no-deps -e .
	@touch $@

.venv/tested-with: .venv/installed requirements-dev.txt
	@echo "Installing what the tests need"
	$(BIN)/pip install --disable-pip-version-check -q -r requirements-dev.txt
	@touch $@

# 80 MB to fetch, 260 MB on disk: for the slow tests alone.
.venv/tested-with-ray: .venv/tested-with requirements-ray.txt
	@echo "Installing Ray, for the test on two nodes"
	$(BIN)/pip install --disable-pip-version-check -q -r requirements-ray.txt
	@touch $@

# Rebuilt when weights change (typed texts need the same weights), and when pool, format or method change.
bundles/demo/manifest.json: $(DEMO_NEEDS) headlight/demo.py | .venv/installed
	$(HEADLIGHT) demo --no-view --bundle bundles/demo --scenes $(SCENES) --replace

bundles/planted/manifest.json: $(PLANTED)/answers.json | .venv/installed
	$(HEADLIGHT) run --model ViT-planted-3/by-hand --checkpoint $(PLANTED)/model.safetensors \
		--config $(PLANTED)/model.json --bpe $(PLANTED)/vocabulary.bpe.gz --activation gelu \
		--mean 0.4,0.4,0.4 --std 0.2,0.2,0.2 --interpolation bicubic --layers 2 --images $(PLANTED)/images \
		--metadata $(PLANTED)/images/attributes.csv --texts $(PLANTED)/texts.tsv --license CC0-1.0 \
		--prompts $(PLANTED)/prompts.tsv --validation --bundle bundles/planted --replace

$(PLANTED)/answers.json: $(wildcard precompute/demo/planted/*.py) | .venv/installed
	$(BIN)/python -m precompute.demo planted --out $(PLANTED)
