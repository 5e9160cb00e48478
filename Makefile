# Everything a person does with this project. Needs make and Python 3.11 to 3.14; brings the rest.

PORT ?= 8000
DEMO ?= small
STAGE ?= dev

# Tried in this order; name your own with PYTHON=/path/to/python
PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11

.DEFAULT_GOAL := help
.PHONY: help run reset train test check check-customers check-ledger check-privacy audit-ledger format simulate bench bench-quality openapi package \
        deploy test-clients test-browser test-spark clean lock environment-local environment-dev environment-emulator environment-spark \
        environment-bench wheels

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

# --- the service on this machine

run: export PORT := $(PORT)
run: export DEMO := $(DEMO)
run: environment-local environment-emulator ## Run the whole service here: PORT=8000 DEMO=small|full|0
	@exec .venv/bin/python -m local

reset: environment-local ## Forget everything the local run has stored
	@exec .venv/bin/python -m local reset

train: environment-local ## Train the recommendations of the local run again
	@exec .venv/bin/python -m local train

audit-ledger: environment-local environment-emulator ## Rebuild every account of the local run, or of LEDGER_TABLE
	@exec .venv/bin/python -m tools.audit_ledger

# --- checks

# Segment's browser SDK, which test-browser brings along where npm is
browser_sdk = .cache/browser-sdk/segment-analytics-next-1.84.3.tgz

# Segment's client for Node, which test-clients brings along where npm is; what it stands on is pinned too
node_sdk = .cache/node-sdk/3.1.0
node_packages = @segment/analytics-node@3.1.0 @segment/analytics-core@1.8.3 @segment/analytics-generic-utils@1.2.0 \
	@lukeed/uuid@2.0.1 @lukeed/csprng@1.1.0 base64-js@1.5.1 buffer@6.0.3 dset@3.1.4 ieee754@1.2.1 jose@5.10.0 tslib@2.9.1

typed = $(wildcard app.py) $(sort $(dir $(wildcard $(addsuffix /*.py,benchmarks chalicelib infrastructure local tools training))))

check: environment-dev ## Format, lint, types and imports, in under a minute
	@failed=; \
	.venv/bin/ruff format --check --quiet --output-format concise . || failed="$$failed format"; \
	.venv/bin/ruff check . || failed="$$failed lint"; \
	.venv/bin/mypy $(typed) || failed="$$failed types"; \
	.venv/bin/lint-imports --no-logo --cache-dir .cache/import-linter || failed="$$failed imports"; \
	if [ -n "$$failed" ]; then echo "Not right yet:$$failed. (make format puts format and simple lint right.)" >&2; exit 1; fi

format: environment-dev ## Put the format and what lint can mend right
	.venv/bin/ruff check --fix --exit-zero --quiet .
	.venv/bin/ruff format .

test: environment-dev environment-emulator wheels ## Every test that needs Python only, in under ten minutes
	@mkdir -p .cache; echo 'Two halves at once, one a core; what the first says is shown when the second is done.'; \
	( $(call pytest,unit contract,--ignore=tests/unit/loyalty) ) >.cache/test-units.log 2>&1 & units=$$!; \
	( $(call pytest,http consumers simulation security infrastructure unit/loyalty) ); rest=$$?; \
	wait $$units; result=$$?; cat .cache/test-units.log; \
	if [ $$rest -ne 0 ] || [ $$result -ne 0 ]; then echo 'Some tests failed: see above.' >&2; exit 1; fi

check-privacy: environment-dev ## Erasure, export, consent: checks F1 to F8 with their figures
	@KOKYAKU_SIMULATE=long exec .venv/bin/python -m pytest -q -m privacy --timeout=0 tests/unit/privacy

check-customers: environment-dev ## What is promised of customers, check by check, with figures
	@exec .venv/bin/python -m tests.support.checks

check-ledger: environment-dev environment-emulator ## What is promised of points, checks A1 to A14 at full size, with figures
	@KOKYAKU_CHECK=full exec .venv/bin/python -m tests.support.checks ledger

simulate: environment-dev environment-emulator ## The simulation tests with far more examples
	@KOKYAKU_SIMULATE=long; export KOKYAKU_SIMULATE; $(call pytest,simulation,--timeout=0)

bench: environment-dev environment-emulator ## Capacity units, CPU and cold start as ratios
	@exec .venv/bin/python -m benchmarks

bench-quality: environment-bench ## How good recommendations are, beside the textbook methods; minutes
	@exec nice -n 15 .venv-bench/bin/python -m benchmarks.quality table

test-clients: environment-dev environment-emulator $(node_sdk) ## Segment's real clients against the running service
	@$(call pytest,clients,--timeout=600)

test-browser: environment-dev environment-emulator $(browser_sdk) ## The pages in a headless Chromium
	@$(call has_tests,browser) || { $(call none_yet,browser); exit 0; }; \
	command -v chromium || command -v chromium-browser || command -v google-chrome || { \
	echo 'These tests need Chromium, which is not here (on Debian: apt-get install chromium).' >&2; exit 1; }; \
	$(call pytest,browser,--timeout=600)

test-spark: ## Training at scale on Spark, in an environment of its own (Java needed)
	@$(call has_tests,spark) || { $(call none_yet,spark); exit 0; }; \
	command -v java >/dev/null || { \
	echo 'These tests need Java 17 or newer, which is not here (on Debian: apt-get install default-jre-headless).' >&2; \
	exit 1; }; \
	$(MAKE) --no-print-directory environment-spark && $(call pytest,spark,--timeout=600,.venv-spark)

# --- deployment

openapi: environment-dev ## Write docs/openapi.json again
	@.venv/bin/python -m tools.openapi

package: environment-local ## Build the deployment zip and the final template
	@exec .venv/bin/python -m infrastructure package

deploy: environment-local ## Deploy to your AWS account: STAGE=dev
	@exec .venv/bin/python -m infrastructure deploy --stage '$(STAGE)'

# --- housekeeping

clean: ## Remove environments, caches and products; keep what the local run has stored
	rm -rf .venv .venv-* .cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: ## Write the requirements files from the groups in pyproject.toml
	@$(find_python); "$$python" -m tools.lock $(UPGRADE)

$(browser_sdk):
	@mkdir -p $(@D); \
	if command -v npm >/dev/null; then npm pack --silent --pack-destination $(@D) @segment/analytics-next@1.84.3 >/dev/null; \
	else echo "npm is not here (on Debian: apt-get install npm): Segment's browser SDK is not tried." >&2; fi

$(node_sdk):
	@if command -v npm >/dev/null; then rm -rf $@.part && mkdir -p $@.part && npm install --silent --no-audit --no-fund \
	--ignore-scripts --save-exact --prefix $@.part $(node_packages) >/dev/null && mv $@.part $@; \
	else echo "npm is not here (on Debian: apt-get install npm): Segment's Node client is not tried." >&2; fi

# --- environments: each call looks for itself whether there is anything to do

environment-local:
	@$(find_python); "$$python" -m tools.environment install .venv requirements-local.txt

environment-dev:
	@$(find_python); "$$python" -m tools.environment install .venv requirements-dev.txt

environment-emulator:
	@$(find_python); "$$python" -m tools.environment install .venv-emulator requirements-emulator.txt

environment-spark:
	@$(find_python); "$$python" -m tools.environment install .venv-spark requirements-spark.txt

environment-bench:
	@$(find_python); "$$python" -m tools.environment install .venv-bench requirements-bench.txt

wheels: environment-dev
	@.venv/bin/python -m tools.environment wheels .cache/wheels requirements.txt

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
