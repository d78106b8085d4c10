# Two commands are enough: `make run` and `make test`. `make help` lists the rest.
# Everything is installed into .venv (the layer and its tools) and .local (the backend and its rows).

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

HOST ?= 127.0.0.1
WORKERS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
# A thread holds one page from its first byte to its last, and mostly waits for backends. See docs/deploying.md.
THREADS ?= 128
# How long an instance goes on after SIGTERM, while /readyz says that it stops.
DRAIN ?= 5s
ARGS ?=

# Where Debian keeps nginx, which not everybody's PATH has.
export PATH := $(PATH):/usr/sbin

python := .venv/bin/python
# Without byte code each of the many processes would compile the engine anew.
pytest := env -u PYTHONDONTWRITEBYTECODE $(python) -m pytest
# More of them than there are cores, since many tests wait; more than four get in each other's way.
processes := $(or $(PYTEST_XDIST_AUTO_NUM_WORKERS),$(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$((n < 2 ? 3 : 4))))
# The tests of one file share servers, so they stay together; what takes longest begins first (tests/conftest.py).
parallel := -n $(processes) --dist loadfile --no-loadscope-reorder
# Where only some tests are asked for, there may be none among these: pytest ends with 5 then.
or_none = $(if $(ARGS),|| test $$? -eq 5)
# --only-binary: a source distribution would run code of its own while installing, which no hash of ours is for.
verified := --require-hashes --only-binary=:all:
pip := -m pip --disable-pip-version-check --quiet install $(verified)
ready := .venv/.ready
ready_dev := .venv/.ready-dev
ready_backend := .local/backend-venv/.ready
ready_browser := .local/browser/.ready
ready_docs := .local/docs-venv/.ready
ready_hosts := .local/hosts-venv/.ready
ready_host_tools := .local/hosts/.ready

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:[^#]*## /\t/' | \
	  while IFS="$$(printf '\t')" read -r name text; do printf '  make %-16s %s\n' "$$name" "$$text"; done

.PHONY: run
run: $(ready) $(ready_backend) ## start the backend and the layer, with rows in .local (PORT, POCKETBASE_PORT)
	@$(python) -m clients.local

.PHONY: backend
backend: $(ready) $(ready_backend) ## start the backend alone, for `make serve` in another terminal
	@$(python) -m clients.local --backend-only

.PHONY: serve
serve: $(ready) ## serve as in production: one worker per core (HOST, PORT, WORKERS, THREADS, DRAIN)
	@exec $(python) -m bff serve --host $(HOST) --port $(or $(PORT),8000) \
	  --workers $(WORKERS) --threads $(THREADS) --drain $(DRAIN)

.PHONY: test
test: $(ready_dev) try-backend try-browser try-hosts ## the tests, in five minutes on two cores (ARGS="-k home", ARGS="-n 0 --pdb")
	@$(pytest) $(parallel) -m "not full" $(ARGS)

.PHONY: t
# Nothing is installed for it but the tools: a test whose backend, browser or host is missing says so.
t: | $(ready_dev) ## some tests (T=tests/http/test_retry.py, ARGS="-k home -x")
	@$(pytest) $(or $(T),$(error T=path says which tests)) $(ARGS)

.PHONY: test-more test-looks test-instances test-pages test-hosts test-differ test-load
test-more: test-looks test-instances test-pages test-hosts test-differ test-load ## what `make test` leaves out: looks, hosts, misbehaviour, load
# Browser tests run for each size and language once, those about colours in all eight looks. Of what people do most, `make test` has the first;
# two more are seen through two instances, and through a process for each page.
look_of_instances := 390-zh-light
look_of_pages := 1280-zh-dark
test-looks: $(ready_dev) try-backend try-browser
	@$(pytest) $(parallel) -m full -k "not $(look_of_instances) and not $(look_of_pages)" tests/browser $(ARGS) $(or_none)
test-instances: $(ready_dev) try-backend try-browser
	@BROWSER_INSTANCES=2 $(pytest) $(parallel) -m full -k $(look_of_instances) tests/browser $(ARGS) $(or_none)
# Each of the two has a process for every page.
test-pages: $(ready_dev) try-backend try-browser
	@BROWSER_PAGES=1 $(pytest) -n 2 --dist loadfile -m full -k $(look_of_pages) tests/browser $(ARGS) $(or_none)
test-hosts: $(ready_dev) try-backend try-hosts try-host-tools
	@$(pytest) $(parallel) -m full tests/deploy $(ARGS) $(or_none)
# Every misbehaviour of a backend with every kind of step; a test is one kind, and who has ended takes the next.
test-differ: $(ready_dev)
	@$(pytest) -n $(processes) --maxschedchunk 1 -m full tests/differ $(ARGS) $(or_none)
test-load: $(ready_dev) try-backend
	@$(pytest) -m full --ignore tests/browser --ignore tests/deploy --ignore tests/differ $(ARGS) $(or_none)

.PHONY: test-all
test-all: export ALL_EXAMPLES := 1
test-all: test test-more ## every test, and of properties every example

.PHONY: overload
overload: $(ready_dev) ## what a page takes while a backend hangs, and with ten times too many users
	@$(python) benchmarks/run.py --only overload

.PHONY: soak
soak: $(ready_dev) install-backend ## 200 visitors for 5 minutes while parts are killed (SOAK_VISITORS, SOAK_SECONDS, SOAK_SEED)
	@$(python) -m tests.soak

.PHONY: check
check: $(ready_dev) ## lint, format, types and the recipes
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy
	@$(python) -m bff check

.PHONY: docs
docs: $(ready_docs) ## a site of docs/ in .local/site, its links checked, with an llms.txt
	@.local/docs-venv/bin/python -m sphinx --quiet --fail-on-warning --keep-going --fresh-env -b html docs .local/site
	@echo 'open .local/site/index.html'

.PHONY: fuzz
fuzz: $(ready_dev) ## throw bytes at what reads replies, for FUZZ_SECONDS (300)
	@$(python) $(pip) -r requirements-fuzz.txt || \
	  echo 'atheris could not be installed: hypothesis tries instead.' >&2
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),300) $(python) tests/fuzz/replies.py $(ARGS)

.PHONY: bench bench-smoke
bench: $(ready_dev) try-backend ## a page of this layer beside what one would write instead (ARGS="--only expressions")
	@$(python) benchmarks/run.py $(ARGS)
bench-smoke: $(ready_dev) try-backend ## whether the benchmark works and all its peers answer the same, in a minute
	@$(python) benchmarks/run.py --smoke $(ARGS)

.PHONY: install install-backend install-browser install-hosts install-host-tools
.PHONY: try-backend try-browser try-hosts try-host-tools
install: $(ready_dev) $(ready_backend) try-browser try-hosts ## install everything without starting anything
install-backend: $(ready_backend)
install-browser: $(ready_browser)
install-hosts: $(ready_hosts)
install-host-tools: $(ready_host_tools)
try-backend:
	@$(MAKE) --no-print-directory install-backend || \
	  echo 'The backend could not be installed: the tests that need it are skipped.' >&2
try-browser:
	@$(MAKE) --no-print-directory install-browser || \
	  echo 'npm could not install axe-core and Vite: the browser tests that need them are skipped.' >&2

try-hosts:
	@$(MAKE) --no-print-directory install-hosts || \
	  echo 'The runtimes of function hosts could not be installed: the tests that need them are skipped.' >&2
try-host-tools:
	@$(MAKE) --no-print-directory install-host-tools || \
	  echo 'npm could not install the tools of function hosts: the tests that need them are skipped.' >&2

$(ready): requirements.txt | $(python)
	$(python) $(pip) -r requirements.txt
	@touch $@

$(ready_dev): requirements-dev.txt $(ready)
	$(python) $(pip) -r requirements-dev.txt
	@touch $@

# In an environment of its own, so that nothing of it can reach the layer.
$(ready_backend): requirements-local.txt | $(python)
	@mkdir -p .local
	$(python) -m venv --clear .local/backend-venv
	.local/backend-venv/bin/python $(pip) -r requirements-local.txt
	@touch $@

# What the browser tests load into the page, and the Vite that they run; it stands in .local, where no tool takes it for ours.
$(ready_browser): tests/browser/package.json tests/browser/package-lock.json
	@mkdir -p .local/browser
	@cp $^ .local/browser/
	cd .local/browser && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# What the tests run built functions with: runtimes and an emulator of function hosts, in an environment of its own.
hosts := tests/deploy
$(ready_hosts): $(hosts)/requirements.txt $(hosts)/emulator.txt | $(python)
	$(python) -m venv --clear .local/hosts-venv
	.local/hosts-venv/bin/python $(pip) -r $(hosts)/requirements.txt
	@mkdir -p .local/hosts && rm -rf .local/hosts/sam
	$(python) -m pip --disable-pip-version-check --quiet download --no-deps $(verified) \
	  --dest .local/hosts/sam -r $(hosts)/emulator.txt
	@$(python) -m zipfile -e .local/hosts/sam/*.whl .local/hosts/sam
	@mv .local/hosts/sam/samcli/local/rapid/aws-lambda-rie-* .local/hosts/
	@chmod +x .local/hosts/aws-lambda-rie-* && rm -rf .local/hosts/sam
	@touch $@

$(ready_docs): requirements-docs.txt | $(python)
	$(python) -m venv --clear .local/docs-venv
	.local/docs-venv/bin/python $(pip) -r requirements-docs.txt
	@touch $@

# What only the tests under `full` need: Serverless Framework and Devs, schemas of Knative.
$(ready_host_tools): $(hosts)/package.json $(hosts)/package-lock.json
	@mkdir -p .local/hosts
	@cp $^ .local/hosts/
	cd .local/hosts && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(python):
	@for candidate in "$(PYTHON)" python3 python3.13 python3.12 python3.11; do \
	  if [ -n "$$candidate" ] && \
	    "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    if "$$candidate" -c 'import ensurepip, venv' 2>/dev/null; then \
	      echo "$$candidate -m venv --clear .venv"; exec "$$candidate" -m venv --clear .venv; \
	    fi; \
	    without_venv=$$candidate; \
	  fi; \
	done; \
	if [ -n "$$without_venv" ]; then \
	  echo "$$without_venv cannot make virtual environments: on Debian, apt-get install python3-venv" >&2; \
	else \
	  echo 'Python 3.11 or newer is needed: install it, or name it, as in PYTHON=/opt/python3.12 make run' >&2; \
	fi; exit 1
