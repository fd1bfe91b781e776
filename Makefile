# What is done here, one command each; `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# As many processes as cores; the tests of one file stay together, since they share what they grade.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadscope

.DEFAULT_GOAL := help
.PHONY: help course test test-all lint mutants survivors bundle notebooks site clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

course: $(READY) ## build a small course with made-up students, grade it and say where to look
	@$(BIN)/python -m labkit course

test: lint ## run the linters and the quick tests
	@$(PYTEST) -m "not slow"

test-all: test ## run the linters and all tests
	@$(PYTEST) -m slow

lint: $(READY) ## check format, style, types, the direction of imports and what they need
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry labkit
	@$(BIN)/deptry tests tools benchmarks --ignore DEP002,DEP004

mutants: $(READY) ## say which check of the labs' tests kills how many mutants
	@$(BIN)/python tools/kills.py

survivors: $(VENV)/mutation ## change the reference solutions in small ways, and list what loses no mark
	@$(BIN)/python tools/generated_mutants.py

bundle: $(READY) ## pack what students get into bundle/
	@$(BIN)/python -m labkit bundle

notebooks: $(READY) ## run the walkthroughs again and keep their pictures
	@$(BIN)/python tools/execute_notebooks.py notebooks/*.ipynb

site: $(VENV)/docs ## build the pages and notebooks as a site in build/site
	@mkdir -p build/pages
	@$(BIN)/sphinx-build -q -W --keep-going -c tools/site -d build/doctrees build/pages build/site
	@echo "Open build/site/index.html"

clean: ## remove .venv, the bundle and caches, never submitted work or marks
	rm -rf $(VENV) bundle build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# Two stamps: a problem that the doctor finds is mended without installing everything again.
$(VENV)/installed: pyproject.toml constraints.txt
	@.ci/check-python "$(PYTHON)"
	@echo "Installing into $(VENV): a few minutes, and about 6 GB on Linux, where torch brings CUDA."
	@"$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[test,imagenet,cluster,similarity]"
	@touch $@

$(READY): $(VENV)/installed
	@$(BIN)/python -m labkit doctor
	@touch $@

$(VENV)/mutation: $(VENV)/installed
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[mutation]"
	@touch $@

$(VENV)/docs: $(VENV)/installed
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[docs]"
	@touch $@
