# Everything a person does with this project. Needs make and Python 3.11 to 3.14; brings the rest.

PORT ?= 8000
DEMO ?= small
STAGE ?= dev

# Tried in this order; name your own with PYTHON=/path/to/python
PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11

.DEFAULT_GOAL := help
.PHONY: help run reset train test check simulate bench package deploy test-clients test-browser test-spark \
        clean lock environment-local environment-dev environment-emulator environment-spark wheels

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

# --- the service on this machine

run: export PORT := $(PORT)
run: export DEMO := $(DEMO)
run: environment-local environment-emulator ## Run the whole service here: PORT=8000 DEMO=small|full|0
	@exec .venv/bin/python -m local

reset: environment-local ## Forget everything the local run has stored
	@exec .venv/bin/python -m local reset

train: environment-local ## Train the recommendations of the local run again
	@exec .venv/bin/python -m local train

# --- checks

check: environment-dev ## Format, lint, types and imports, in under a minute
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy $(wildcard chalicelib app.py infrastructure local)
	.venv/bin/lint-imports --no-logo --cache-dir .cache/import-linter

test: environment-dev environment-emulator wheels ## Every test that needs Python only, in under ten minutes
	@$(call pytest,unit http consumers contract simulation security infrastructure)

simulate: environment-dev environment-emulator ## The simulation tests with far more examples
	@KOKYAKU_SIMULATE=long; export KOKYAKU_SIMULATE; $(call pytest,simulation,--timeout=0)

bench: environment-dev environment-emulator ## Capacity units, CPU and cold start as ratios
	@exec .venv/bin/python -m benchmarks

test-clients: environment-dev environment-emulator ## The real Segment client against the running service
	@$(call pytest,clients,--timeout=600)

test-browser: environment-dev environment-emulator ## The pages in a headless Chromium
	@$(call has_tests,browser) || { $(call none_yet,browser); exit 0; }; \
	command -v chromium || command -v chromium-browser || command -v google-chrome || { \
	echo 'These tests need Chromium, which is not here (on Debian: apt-get install chromium).' >&2; exit 1; }; \
	$(call pytest,browser,--timeout=600)

test-spark: ## Training at scale on Spark, in an environment of its own (Java needed)
	@$(call has_tests,spark) || { $(call none_yet,spark); exit 0; }; \
	command -v java || { \
	echo 'These tests need Java 17 or newer, which is not here (on Debian: apt-get install default-jre-headless).' >&2; \
	exit 1; }; \
	$(MAKE) --no-print-directory environment-spark && $(call pytest,spark,--timeout=600,.venv-spark)

# --- deployment

package: environment-dev ## Build the deployment zip and the final template
	@exec .venv/bin/python -m infrastructure package

deploy: environment-dev ## Deploy to your AWS account: STAGE=dev
	@exec .venv/bin/python -m infrastructure deploy --stage '$(STAGE)'

# --- housekeeping

clean: ## Remove environments, caches and products; keep what the local run has stored
	rm -rf .venv .venv-* .cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: ## Write the requirements files from the groups in pyproject.toml
	@$(find_python); "$$python" tools/lock.py $(UPGRADE)

# --- environments: each call looks for itself whether there is anything to do

environment-local:
	@$(find_python); "$$python" tools/environment.py install .venv requirements-local.txt

environment-dev:
	@$(find_python); "$$python" tools/environment.py install .venv requirements-dev.txt

environment-emulator:
	@$(find_python); "$$python" tools/environment.py install .venv-emulator requirements-emulator.txt

environment-spark:
	@$(find_python); "$$python" tools/environment.py install .venv-spark requirements-spark.txt

wheels: environment-dev
	@.venv/bin/python tools/environment.py wheels .cache/wheels requirements.txt

define find_python
python=; for candidate in $(PYTHON); do \
	if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' >/dev/null 2>&1; \
	then python=$$candidate; break; fi; done; \
	if [ -z "$$python" ]; then \
	echo 'Kokyaku needs Python 3.11, 3.12, 3.13 or 3.14; none was found as: $(PYTHON).' \
	'Install one, or name it: make PYTHON=/path/to/python' >&2; exit 1; fi
endef

# $(call has_tests,folder): whether tests/folder holds any
has_tests = find 'tests/$(1)' -name 'test_*.py' 2>/dev/null | grep -q .
none_yet = echo 'tests/$(1) holds no tests yet: nothing was run.'

# $(call pytest,folders,options,environment): run those of the folders that hold tests, and name the others
define pytest
folders=; for name in $(1); do \
	if find "tests/$$name" -name 'test_*.py' 2>/dev/null | grep -q .; then folders="$$folders tests/$$name"; \
	else echo "tests/$$name holds no tests yet."; fi; done; \
	if [ -z "$$folders" ]; then echo 'Nothing was run.'; exit 0; fi; \
	exec $(or $(3),.venv)/bin/python -m pytest $(2) $$folders
endef
