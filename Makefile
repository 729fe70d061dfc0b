# The study's commands. `make help` lists them; PYTHON=python3.12 chooses another interpreter for a new .venv.
PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin/python
# What a shell may have set for other Pythons, and would break this one.
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONWARNINGS
# A program for python -c that fails where the study does not take this Python.
FITS = 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
# The locks name every package: pip has nothing to find out, and an old one (before 23.3) would look for the newest
# release of a package that is asked for with an extra, and refuse it as not locked.
INSTALL = $(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps
# An environment of uv's has no pip, and takes Python's own; Debian's Python has none before python3-venv is there.
PIP_READY = { $(RUN) -m pip --version >/dev/null 2>&1 || $(RUN) -m ensurepip >/dev/null 2>&1 || { \
	echo "$(VENV) has no pip: remove $(VENV), on Debian install python3-venv, then make again." >&2; exit 1; }; }
COMPILE = $(RUN) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --custom-compile-command "make lock"

.PHONY: help run experiments trainings exercises reproduce report reader rates read test proof portability html pdf lab lint audit lock animation install install-dev browser
.DEFAULT_GOAL := help

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: install ## execute the notebook in place: model, record, figures
	@$(RUN) -m mnist_study run

experiments: $(if $(SCHEDULER),install-dev,install) ## train what results/ lacks (ONLY='cnn*', DRY=1), here or with SCHEDULER=tcp://… on several machines
	@$(RUN) -m mnist_study experiments $(if $(SCHEDULER),--scheduler $(SCHEDULER)) $(if $(ONLY),--only '$(ONLY)') $(if $(DRY),--dry-run)

trainings: install ## list the trainings: kept, missing, or stale and why (ONLY='cnn*', FORMAT=json or csv)
	@$(RUN) -m mnist_study trainings $(if $(ONLY),--only '$(ONLY)') $(if $(FORMAT),--format $(FORMAT))

exercises: install ## work the notebook's exercises out; their answers stand in results/exercises.json
	@$(RUN) -m mnist_study exercises

reproduce: install ## run the study in a scratch folder and compare; RECORD=cnn-seed4: one training
	@$(RUN) -m mnist_study reproduce $(if $(RECORD),--record $(RECORD))

report: install ## write README's table and docs/MODEL_CARD.md from results/
	@$(RUN) -m mnist_study report

reader: install ## train the digit reader anew, measure it, build its page
	@$(RUN) -m mnist_study reader

rates: install ## measure the digit reader on each kind of picture (REAL=FOLDER: on real ones, too), build its page
	@$(RUN) -m mnist_study rates $(if $(REAL),--real "$(REAL)")

export IMAGES_GIVEN = $(value IMAGES)
read: install ## read pictures of digits: make read IMAGES="a.png b.jpg", FORMAT=json for JSON
	@$(if $(IMAGES),,$(error Say which pictures to read: make read IMAGES="a.png b.jpg"))
	@printf '%s' "$$IMAGES_GIVEN" | xargs $(RUN) -m digit_reader --format $(or $(FORMAT),table)

test: install-dev browser ## check that it works and that what it says is true; says which lines were run
	@$(RUN) -m pytest -n 2 --dist loadfile --cov --cov-report=term:skip-covered tests

proof: install-dev browser ## try every fault and control, the slow ones too; write their tables
	@$(RUN) -m pytest -n 2 --dist loadfile -m "proof or fault or control or load or setting" --tables tests

portability: install-dev ## train under other threads, instructions, libraries, Pythons; write the table
	@PYTHONPATH=.:tests $(RUN) tests/support/portability.py

html: install ## write the executed notebook to handout/ as one HTML file
	@$(RUN) -m mnist_study html

pdf: install-dev browser ## write the executed notebook to handout/ as PDF
	@$(RUN) -m mnist_study pdf

lab: install ## open the notebook in JupyterLab (LAB="--allow-root --ip=0.0.0.0" in a container)
	@[ "$$(id -u)" != 0 ] || case "$(LAB)" in *--allow-root*) ;; *) \
		echo 'JupyterLab serves root only when told to, as in a container: make lab LAB="--allow-root --ip=0.0.0.0"' >&2; exit 1;; esac
	@$(RUN) -m jupyterlab $(LAB) mnist_model.ipynb

lint: install-dev ## check style, formatting, types, and the notebook's metadata and order of execution
	@git rev-parse 2>/dev/null || { \
		echo "make lint asks git for the project's files: git init, then git add --all, then make lint." >&2; exit 1; }
	@VENV=$(VENV) $(RUN) -m pre_commit run --all-files

audit: install-dev ## look the locked packages up among known vulnerabilities (asks the package index)
	@$(RUN) -m uv tool run --quiet pip-audit --requirement tests/requirements.txt --disable-pip --strict

lock: install-dev ## compile pyproject.toml into requirements.txt and tests/requirements.txt
	@$(COMPILE) --extra study -o requirements.txt pyproject.toml
	@$(COMPILE) --extra study --extra dev --extra cluster -c requirements.txt -o tests/requirements.txt pyproject.toml

animation: install-dev browser ## draw in the page and keep the moving picture that the README shows
	@PYTHONPATH=.:tests $(RUN) tests/support/browser.py animation

# The virtual environment keeps a copy of each lock installed in it; where the two are equal nothing is installed.
$(RUN):
	@[ ! -e $(VENV)/pyvenv.cfg ] || { \
		echo "$(VENV) has no Python that is still there: remove $(VENV), then make again." >&2; exit 1; }
	@$(PYTHON) -c $(FITS) || { \
		echo "This study needs Python 3.11, 3.12 or 3.13, but $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Install one of them and say, for example: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

install: $(RUN)
	@$(RUN) -c $(FITS) || { \
		echo "$(VENV) has $$($(RUN) --version 2>&1), which this study does not take: remove $(VENV), then make again." >&2; exit 1; }
	@cmp -s requirements.txt $(VENV)/requirements.txt || { $(PIP_READY) && echo "Installing the locked requirements ..." && \
		$(INSTALL) -r requirements.txt && cp requirements.txt $(VENV)/; }

install-dev: install ## install what tests and clusters need, too
	@cmp -s tests/requirements.txt $(VENV)/tests-requirements.txt || { $(PIP_READY) && echo "Installing the test tools ..." && \
		$(INSTALL) -r tests/requirements.txt && cp tests/requirements.txt $(VENV)/tests-requirements.txt; }

# The tests of the page need a browser: one that is here already, Debian's, or the one that Playwright downloads.
browser: install-dev
	@PYTHONPATH=.:tests $(RUN) tests/support/browser.py || \
		{ [ "$$(id -u)" = 0 ] && grep -q '^ID=debian' /etc/os-release && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || \
		$(RUN) -m playwright install --with-deps chromium
