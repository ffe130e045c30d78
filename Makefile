# make run [PORT=8000] · make test [ARGS="-k timer"] · make check · make proof · make telephony · make bench · make profile · make help
PORT ?= 8000
PYTHON ?= python3
ARGS ?=
WORKERS ?= 3
VENV_PYTHON := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test check proof telephony bench profile messages runtime development

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

run: runtime ## the site and its worker with a demo organisation (PORT=8000)
	@$(VENV_PYTHON) -m callmanager.run --port $(PORT)

test: development ## the whole test suite, in a browser too (ARGS="-k timer" for a part)
	@sh scripts/browser.sh
	@$(VENV_PYTHON) manage.py collectstatic --noinput -v0
	@$(VENV_PYTHON) -m pytest -p tests.support.worker -n $(WORKERS) $(ARGS)

check: development ## all that CI checks: format, lint, types, migrations, languages, both engines
	@$(VENV_PYTHON) scripts/check.py

proof: ## deep proofs that take an hour: stress, fuzzing, softphones, kills, every page, mutations
	@$(PYTHON) scripts/prepare.py --proof
	@$(VENV_PYTHON) scripts/proof.py

telephony: development ## real calls through a real SIP server, measured by the caller and its records
	@REQUIRE_TELEPHONY=1 $(VENV_PYTHON) -m pytest -p tests.support.worker -s -m telephony tests/proof $(ARGS)

bench: development ## benchmarks beside other servers, judged by targets (ARGS="--only pairs,log")
	@$(VENV_PYTHON) -m bench $(ARGS)

profile: development ## where the time of a start+end pair goes, and its statements (ARGS="--route log")
	@$(VENV_PYTHON) -m bench.profile $(ARGS)

messages: development ## collects the texts to translate and compiles the translations
	@$(VENV_PYTHON) scripts/messages.py

runtime:
	@$(PYTHON) scripts/prepare.py

development:
	@$(PYTHON) scripts/prepare.py --dev
