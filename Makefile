# The study's commands. `make help` lists them; PYTHON=python3.12 chooses another interpreter for a new .venv.
PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin/python

.PHONY: help run read test lab lint choose seeds reproduce readme screenshot lock install install-dev browser
.DEFAULT_GOAL := help

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: install ## execute the notebook in place: model, metrics, figures
	@$(RUN) tools/study.py run

read: install ## read pictures of digits: make read IMAGES="a.png b.jpg", FORMAT=json for JSON
	@$(RUN) tools/study.py --format $(or $(FORMAT),table) read $(IMAGES)

test: install-dev browser ## check everything, in about 10 minutes
	@$(RUN) -m pytest tests

lab: install ## open the notebook in JupyterLab
	@$(RUN) -m jupyter lab mnist_model.ipynb

choose: install ## compare variants of the recipe on validation data: choices.json
	@$(RUN) tools/study.py choose

seeds: install ## repeat all trainings for five seeds, one after another: seeds.json
	@$(RUN) tools/study.py seeds

reproduce: install ## execute the whole study in a scratch folder and compare it with metrics.json
	@$(RUN) tools/study.py reproduce

readme: install ## set the README's marked numbers from metrics.json
	@$(RUN) tools/study.py readme

screenshot: install-dev browser ## draw in the page and keep the picture that the README shows
	@$(RUN) tools/screenshot.py

lint: install-dev ## check style and formatting of notebook, tools and tests
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check .

lock: install-dev ## compile requirements*.in into requirements*.txt
	@for name in requirements requirements-dev; do $(RUN) -m uv pip compile --quiet --upgrade \
		--universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
		--custom-compile-command "make lock" -o $$name.txt $$name.in; done

# The virtual environment keeps a copy of the lock it was made from; where the two are equal nothing is installed.
$(RUN):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "This study needs Python 3.11, 3.12 or 3.13, but $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Install one of them and say, for example: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

install: $(RUN)
	@cmp -s requirements.txt $(VENV)/requirements.txt || { echo "Installing the locked requirements ..." && \
		$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt && \
		cp requirements.txt $(VENV)/; }

install-dev: install
	@cmp -s requirements-dev.txt $(VENV)/requirements-dev.txt || { echo "Installing the test tools ..." && \
		$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt && \
		cp requirements-dev.txt $(VENV)/; }

# The tests of the page need a browser: one that is here already, Debian's, or the one that Playwright downloads.
browser: install-dev
	@$(RUN) tools/browser.py || \
		{ [ "$$(id -u)" = 0 ] && grep -q '^ID=debian' /etc/os-release && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || \
		$(RUN) -m playwright install --with-deps chromium
