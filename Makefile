# The study's commands: `make help` lists them. PYTHON=python3.12 chooses another interpreter for a new .venv.
PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin/python
# Settings that a shell may have for other Pythons, and that would break this one.
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONWARNINGS
# What these are given is text: no dollar, apostrophe or blank in it means anything to make or to the shell.
GIVEN = IMAGES LAB ONLY REAL RECORD SCHEDULER FORMAT MNIST_C
$(foreach name,$(GIVEN),$(eval override $(name) := $$(value $(name))))
export $(GIVEN)
# A program for python -c that fails where the study does not take this Python.
FITS = 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
# uv's environments have no pip and take Python's own; Debian's Python has none before python3-venv is installed.
PIP_READY = { $(RUN) -m pip --version >/dev/null 2>&1 || $(RUN) -m ensurepip >/dev/null 2>&1 || { \
	echo "$(VENV) has no pip: remove $(VENV), on Debian install python3-venv, then make again." >&2; exit 1; }; }
COMPILE = $(RUN) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --custom-compile-command "make lock"
.PHONY: help run experiments trainings exercises reproduce report reader rates mnist-c read test proof portability html pdf lab lint audit lock animation install install-dev browser
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
run: ## execute the notebook in place: model, record, figures
experiments: $(if $(SCHEDULER),install-dev) ## train what results/ lacks (ONLY='cnn*', DRY=1), here or with SCHEDULER=tcp://… on several machines
experiments: STUDY_OPTIONS = $(if $(SCHEDULER),--scheduler "$$SCHEDULER") $(if $(ONLY),--only "$$ONLY") $(if $(DRY),--dry-run)
trainings: ## list the trainings: recorded, missing, or stale and why (ONLY='cnn*', FORMAT=json or csv)
trainings: STUDY_OPTIONS = $(if $(ONLY),--only "$$ONLY") $(if $(FORMAT),--format "$$FORMAT")
reproduce: ## run the study in a scratch folder and compare; RECORD=cnn-seed1: one training
reproduce: STUDY_OPTIONS = $(if $(RECORD),--record "$$RECORD")
report: ## write the recorded numbers into the texts: notebook, README, docs
reader: ## train the digit recogniser anew, measure it, build its page
rates: ## measure the digit recogniser on each kind of picture (REAL=FOLDER: on real ones, too), build its page
rates: STUDY_OPTIONS = $(if $(REAL),--real "$$REAL")
html: ## write the executed notebook to handout/ as one HTML file
pdf: browser ## write the executed notebook to handout/ as PDF
run experiments trainings reproduce report reader rates html pdf: install
	@$(RUN) -m mnist_study $@ $(STUDY_OPTIONS)
mnist-c: install ## evaluate the saved model on MNIST-C's published arrays (MNIST_C=FOLDER)
	@$(if $(MNIST_C),,$(error Say where the published arrays are: make mnist-c MNIST_C=FOLDER))
	@$(RUN) -m mnist_study mnist_c --arrays "$$MNIST_C"
read: install ## recognise digits in pictures: make read IMAGES="a.png b.jpg", FORMAT=json for JSON
	@$(if $(IMAGES),,$(error Say which pictures to read: make read IMAGES="a.png b.jpg"))
	@$(RUN) -m tools.call IMAGES digit_reader --format "$${FORMAT:-table}"
lab: install ## open the notebook in JupyterLab (LAB="--allow-root --ip=0.0.0.0" in a container)
	@[ "$$(id -u)" != 0 ] || case "$$LAB" in *--allow-root*) ;; *) \
		echo 'JupyterLab serves root only when asked to, as in a container: make lab LAB="--allow-root --ip=0.0.0.0"' >&2; exit 1;; esac
	@$(RUN) -m tools.call LAB jupyterlab mnist_model.ipynb
test: install-dev browser ## check that it works and that what it says is true; lists the lines that no test runs
	@$(RUN) -m pytest -n 2 --dist loadfile --cov --cov-report=term:skip-covered tests
lint: install-dev ## check style, formatting, types, and the notebook's metadata and order of execution
	@said=$$(LC_ALL=C git rev-parse 2>&1) || { case "$$said" in \
		*"not a git repository (or"*) said="git init, then git add --all, then make lint.";; \
		*"not found"*) said="install git, then make lint.";; esac; \
		echo "make lint asks git for the project's files: $$said" >&2; exit 1; }
	@VENV=$(VENV) $(RUN) -m pre_commit run --all-files
proof: install-dev browser ## try every fault, control and setting, the slow ones too; write docs/PROOF.md
	@$(RUN) -m pytest -n 2 --dist loadfile -m "proof or fault or control or load or setting" --tables tests
exercises: install ## work the notebook's exercises out; their answers stand in results/exercises.json
portability: install-dev ## train with other threads, instructions, libraries and Pythons; write their table
animation: browser ## draw in the page and save the animation that README shows
exercises portability animation:
	@PYTHONPATH=tests $(RUN) -m tools.$@
audit: install-dev ## look the locked packages up among known vulnerabilities (asks the package index)
	@$(RUN) -m uv tool run --quiet pip-audit --requirement tests/requirements.txt --disable-pip --strict
lock: install-dev ## compile pyproject.toml into requirements.txt and tests/requirements.txt
	@$(COMPILE) --extra study -o requirements.txt pyproject.toml
	@$(COMPILE) --extra study --extra dev --extra cluster -c requirements.txt -o tests/requirements.txt pyproject.toml
# The virtual environment holds a copy of each lock installed in it; where the two are equal nothing is installed.
# make -B calls for a new Python, too, but one that works stays.
$(RUN):
	@[ -x $@ ] || [ ! -e $(VENV)/pyvenv.cfg ] || { \
		echo "$(VENV) has no Python that is still there: remove $(VENV), then make again." >&2; exit 1; }
	@[ -x $@ ] || $(PYTHON) -c $(FITS) || { \
		echo "This study needs Python 3.11, 3.12 or 3.13, but $(PYTHON) is $$($(PYTHON) --version 2>&1):" \
		"install one of them and say, for example, make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@[ -x $@ ] || $(PYTHON) -m venv $(VENV)
install: $(RUN)
	@$(RUN) -c $(FITS) || { \
		echo "$(VENV) has $$($(RUN) --version 2>&1), which this study does not take: remove $(VENV), then make again." >&2; exit 1; }
	@cmp -s requirements.txt $(VENV)/requirements.txt || { $(PIP_READY) && \
		$(RUN) -m tools.install requirements.txt && cp requirements.txt $(VENV)/; }
install-dev: install ## install what tests and clusters need, too
	@cmp -s tests/requirements.txt $(VENV)/tests-requirements.txt || { $(PIP_READY) && \
		$(RUN) -m tools.install tests/requirements.txt && cp tests/requirements.txt $(VENV)/tests-requirements.txt; }
# The tests of the page need a browser: one that is here already, Debian's, or the one that Playwright downloads.
browser: install-dev
	@$(RUN) -m tools.browser || { [ "$$(id -u)" = 0 ] && grep -q '^ID=debian' /etc/os-release && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || \
		$(RUN) -m playwright install --with-deps chromium
