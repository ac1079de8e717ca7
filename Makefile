# The two commands are `make run-stage STAGE=1` and `make test`; `make help` lists the rest.
STAGE ?= 1
FROM ?= 1
TO ?= 2
SIZE ?= small
NLU_ENGINE ?= light
PYTHON ?= python3

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--require-hashes -r
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.10 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header

export PYTHONPATH := $(CURDIR):$(PYTHONPATH)

# What must be installed for the chosen engine.
ENGINE := $(VENV)/$(if $(filter strong,$(NLU_ENGINE)),strong,run)

# What a stage needs: the one chosen for its engine, or for the local AWS.
NEEDED := $(VENV)/$(if $(filter 3 4,$(STAGE)),aws,$(notdir $(ENGINE)))

# The deployment to work on. Only the command line names it: a shell has an ENV of its own.
NAMED := $(if $(filter command,$(firstword $(origin ENV))),$(ENV))
DEPLOYMENT = $(BIN)/python -m deployment $(1) --stage $(STAGE) --env $(or $(NAMED),$(2))

# An option of a command, if its variable is set.
given = $(if $($(1)),--$(2) "$($(1))")

# How many guests use a stage, for how long, and how.
GUESTS = $(call given,STAGE,stage) $(call given,RUN,run) $(call given,USERS,users) \
	$(call given,SECONDS,seconds) $(call given,THINK,think) \
	$(call given,SIGN_UP,sign-up) $(call given,PROCESSES,processes)

STAGES := 1 2 3 4
# Two at a time where this make can keep their outputs apart: they mostly wait.
TOGETHER := $(if $(filter output-sync,$(.FEATURES)),-j2 --output-sync=target)

# Nothing but a command's own output on standard output, so that it can be piped.
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help run-stage restart redeploy logs deploy destroy estimate queues redrive \
	pause resume order folder sdk rotate-keys test test-service lint format types chat \
	understand intents nlu-bench strong drill bench load load-ui spike compare model \
	failures experiments experiment bill bill-plot limits diff carry exercise grade \
	docs reference lock clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run-stage: $(NEEDED) ## Start every part of STAGE (1 by default); Ctrl-C stops it
	@$(BIN)/python -m sandbox.runner run $(STAGE)

restart: $(VENV)/run ## Replace one SERVICE of a running STAGE by what its files say now
	@$(BIN)/python -m sandbox.runner restart $(STAGE) "$(SERVICE)"

redeploy: $(VENV)/aws ## Deploy one SERVICE of a running STAGE=3 or 4 again, the others stay
	@$(call DEPLOYMENT,redeploy,local) --service "$(SERVICE)"

logs: $(VENV)/aws ## Follow the functions' logs of a running STAGE=3 or 4; SERVICE=nlu for one
	@$(call DEPLOYMENT,logs,local) --follow --service "$(SERVICE)"

deploy: $(VENV)/aws ## Deploy STAGE=3 or 4 to AWS as ENV (dev), which is not tried yet; SERVICE=nlu for one
	@$(call DEPLOYMENT,$(if $(SERVICE),redeploy --service $(SERVICE),up),dev)

destroy: $(VENV)/aws ## Remove ENV (dev) of STAGE=3 or 4 from AWS, not tried yet; fails if anything is left
	@$(call DEPLOYMENT,down,dev)

estimate: $(VENV)/aws ## Print what a month of STAGE=3 or 4 would cost on AWS; REQUESTS=100000
	@$(call DEPLOYMENT,estimate,dev)

queues: $(VENV)/aws ## Show what waits in the queues of a running STAGE=4, and the dead letters
	@$(call DEPLOYMENT,queues,local)

redrive: $(VENV)/aws ## Send the dead letters of QUEUE=charge-order of STAGE=4 to it again
	@$(call DEPLOYMENT,redrive,local) --queue "$(QUEUE)"

pause: $(VENV)/aws ## Let the messages of QUEUE=charge-order of STAGE=4 wait
	@$(call DEPLOYMENT,pause,local) --queue "$(QUEUE)"

resume: $(VENV)/aws ## Let the messages of QUEUE=charge-order of STAGE=4 be taken again
	@$(call DEPLOYMENT,resume,local) --queue "$(QUEUE)"

order: $(VENV)/aws ## Tell the story of an order of a running STAGE=4: ID=ord_...
	@$(call DEPLOYMENT,order,local) --id "$(ID)"

folder: $(VENV)/aws ## Copy one SERVICE of a deployed STAGE=3 to where plain `chalice deploy` works; ENV=dev
	@$(call DEPLOYMENT,folder,local) --service "$(SERVICE)"

sdk: $(VENV)/aws $(VENV)/sdk ## Make a Python and a JavaScript client of STAGE=3 in .run/sdk; npm for the second
	@$(BIN)/python -m deployment.sdk --stage $(STAGE:1=3)

rotate-keys: $(VENV)/run ## Give identity of a running STAGE=2 a new key to sign tokens with
	@$(BIN)/python -m sandbox.runner.task $(STAGE) identity identity.rotate

# What is installed below would let shorter jobs begin before the longest.
test: $(VENV)/test lint types $(if $(filter full,$(SIZE)),docs $(VENV)/sdk $(VENV)/strong) ## Run every test layer; SIZE=full is what CI runs
	@echo "Testing stages $(STAGES), and the rest once; each prints when it ends."
	@$(MAKE) $(TOGETHER) test-once $(addprefix test-stage-,$(STAGES))

# The longest comes first. Some of it asks stage 1, too: on ports beside the next one's.
test-once: $(VENV)/test $(if $(filter full,$(SIZE)),$(VENV)/sdk $(VENV)/strong) ## Run what is tested once for all stages
	@SIZE=$(SIZE) TEST_PORT_BASE=8151 $(BIN)/python -m pytest \
		tests/integration tests/meta tests/unit

test-stage-1: $(VENV)/test
	@SIZE=$(SIZE) $(BIN)/python -m pytest tests/contract tests/drill tests/e2e

# What was written for every stage; the rest is tested once: the page's signatures
# against botocore's, which need no stage, with the first.
test-stage-%: $(VENV)/test
	@SIZE=$(SIZE) STAGE=$* $(BIN)/python -m pytest tests/contract \
		$(if $(filter full,$(SIZE)),tests/e2e --ignore tests/e2e/test_sigv4.py)

test-service: $(VENV)/test ## Run the tests of one SERVICE of STAGE, without the others: SERVICE=catalog
	@test -f "tests/integration/test_stage$(STAGE)_$(SERVICE).py" || { \
		echo "Say which: make test-service STAGE=2 SERVICE=catalog"; exit 1; }
	@$(BIN)/python -m pytest "tests/integration/test_stage$(STAGE)_$(SERVICE).py" \
		tests/integration/test_stage2_alone.py tests/meta/test_services_alone.py \
		-k "$(SERVICE)"

lint: $(VENV)/test ## Check style and formatting with ruff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/test ## Rewrite the sources in the project's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/test ## Type-check the product and the sandbox with mypy
	@$(BIN)/mypy
	@for service in $(dir $(wildcard stage[34]_*/*/app.py)); do \
		printf '%s: ' "$$service"; (cd $$service && MYPYPATH=. $(CURDIR)/$(BIN)/mypy \
		--config-file $(CURDIR)/pyproject.toml --cache-dir $(CURDIR)/.mypy_cache/$$service \
		app.py chalicelib) || exit 1; done

chat: $(ENGINE) ## Talk to the concierge in the terminal; NLU_ENGINE chooses the engine
	@PYTHONPATH=stage1_monolith $(BIN)/python -m concierge.chat --engine $(NLU_ENGINE)

understand: $(ENGINE) ## Read lines, print what each means as JSON; NLU_ENGINE chooses the engine
	@PYTHONPATH=stage1_monolith $(BIN)/python -m concierge.understand --engine $(NLU_ENGINE)

intents: $(VENV)/run ## List what the concierge understands
	@PYTHONPATH=stage1_monolith $(BIN)/python -m concierge.intents

nlu-bench: $(VENV)/strong ## Measure each engine on DATA, a folder with train.csv and test.csv
	@PYTHONPATH=stage1_monolith:$$PYTHONPATH $(BIN)/python -m load_tests.nlu_bench "$(DATA)"

strong: $(VENV)/strong ## Install what NLU_ENGINE=strong needs

drill: $(VENV)/test ## Kill, starve and sabotage STAGE, and check that every order is right
	@$(BIN)/python -m tests.drill --stage $(STAGE) --size drill

bench: $(VENV)/test ## Measure stage 1 against bare views, 2 against 1, 3 against 2 and its functions
	@$(BIN)/python -m load_tests.bench --stage $(STAGE)

load: $(VENV)/test ## Let USERS guests (20) use a running STAGE for SECONDS (60); SHAPE=spike
	@$(BIN)/python -m load_tests.journeys $(GUESTS) $(call given,SHAPE,shape)

load-ui: $(VENV)/test ## Do so from Locust's own page, on loopback, until Ctrl-C
	@$(BIN)/python -m load_tests.journeys --page $(GUESTS)

spike: $(VENV)/test ## Send RATE purchases a second (20) at a running STAGE, in an open loop
	@$(BIN)/python -m load_tests.open_loop $(call given,STAGE,stage) \
		$(call given,RUN,run) $(call given,RATE,rate) $(call given,SECONDS,seconds) \
		$(call given,ARRIVALS,arrivals) $(call given,SEED,seed) \
		$(call given,CONNECTIONS,connections)

compare: $(VENV)/test ## Compare all stages: throughput, latency, CPU, memory; QUICK=1, SAVE=yes
	@$(BIN)/python -m load_tests.compare $(if $(QUICK),--quick) $(if $(SAVE),--save) $(if $(REDRAW),--redraw) \
		$(call given,ROUNDS,rounds) $(call given,SECONDS,seconds) \
		$(call given,USERS,guests) $(call given,AGAINST,against)

model: $(VENV)/test ## Predict throughput from other loads, and measure it; QUICK=1, SAVE=yes
	@$(BIN)/python -m load_tests.model $(if $(QUICK),--quick) $(if $(SAVE),--save) $(if $(REDRAW),--redraw) \
		$(call given,ROUNDS,rounds) $(call given,SECONDS,seconds)

failures: $(VENV)/test ## Stop, kill, hang and slow each service of STAGE=2, and see what it costs; SAVE=yes
	@$(BIN)/python -m load_tests.failures --stage $(STAGE:1=2) $(if $(SAVE),--save)
	@$(BIN)/python -m load_tests.failures.crowd $(if $(SAVE),--save)

experiments: $(VENV)/test ## List the experiments: a claim of the lecture, how long, which stages
	@$(BIN)/python -m load_tests.experiments --list

experiment: $(VENV)/test ## Try one claim, with a plot and a paragraph: NAME=idle-cost SAVE=yes
	@$(BIN)/python -m load_tests.experiments "$(NAME)" $(call given,OFFSET,offset) \
		$(if $(SAVE),--save) $(if $(REDRAW),--redraw)

# How the concierge is used, if it is told: make bill USERS=5000 PEAK=20 VISITS=4
USED = $(foreach name,USERS VISITS PRODUCTS CHATS CHECKOUTS ORDERS PEAK,$(if \
	$($(name)),--$(shell echo $(name) | tr A-Z a-z) "$($(name))"))
TERMS = $(if $(COGNITO),--cognito "$(COGNITO)") $(if $(FREE),--free-tier) \
	$(if $(METRICS),--detailed-metrics) \
	$(if $(filter strong,$(NLU_ENGINE)),--engine strong)

bill: $(VENV)/run ## Reckon a month of all stages on AWS for USERS (10000); PEAK=50, FREE=yes
	@$(BIN)/python -m load_tests.costs $(USED) $(TERMS)

bill-plot: $(VENV)/test ## Draw the bills over users into .run/bill.png, or FILE
	@$(BIN)/python -m load_tests.costs $(USED) $(TERMS) --plot "$(or $(FILE),.run/bill.png)"

limits: $(VENV)/run ## Say what of each stage breaks first for USERS (10000) and their PEAK
	@$(BIN)/python -m load_tests.limits $(USED) $(if $(STRIPE_MS),--stripe-ms "$(STRIPE_MS)")

diff: $(VENV)/bin/python ## Show how stage FROM became stage TO; ONLY=nlu, ALL=yes
	@$(BIN)/python -m tests.meta.diff $(FROM) $(TO) $(if $(ONLY),--only $(ONLY)) \
		$(if $(ALL),--all)

carry: $(VENV)/bin/python ## Copy what is carried over from the first stage that has it
	@$(BIN)/python -m tests.meta.carry

exercise: $(VENV)/bin/python ## Begin one EXERCISE of docs/exercises: EXERCISE=1
	@$(BIN)/python -m course.exercises begin "$(EXERCISE)"

grade: $(VENV)/test ## Run the checks of one EXERCISE that you began: EXERCISE=1
	@$(BIN)/python -m course.exercises grade "$(EXERCISE)"

docs: $(VENV)/docs ## Make the course's site in .run/site, to be opened in a browser
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "The course is in .run/site/index.html: open it, or serve that folder."

reference: $(VENV)/run ## Write the pages of docs/reference that are made from sources
	@PYTHONPATH=stage1_monolith:stage2_split_services:$$PYTHONPATH \
		$(BIN)/python -m course.reference

lock: $(VENV)/test ## Resolve the dependencies again and write the locks
	@$(BIN)/python -m pip install --quiet uv
	@cd requirements && ../$(LOCK) run.in -o run.lock && \
		../$(LOCK) strong.in -o strong.lock && \
		../$(LOCK) aws.in -o aws.lock && ../$(LOCK) test.in -o test.lock && \
		../$(LOCK) docs.in -o docs.lock && ../$(LOCK) sdk.in -o sdk.lock

clean: ## Remove local state (.run) and caches; keep the virtual environment
	rm -rf .run .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "Python 3.10 or newer is needed: set PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Could not make $(VENV). On Debian: apt install python3-venv"; exit 1; }

$(VENV)/run: requirements/run.lock | $(VENV)/bin/python
	@echo "Installing the packages of requirements/run.lock into $(VENV) ..." >&2
	@$(PIP_INSTALL) requirements/run.lock >&2
	@touch $@

$(VENV)/strong: requirements/strong.lock $(VENV)/run
	@echo "Installing the packages of requirements/strong.lock into $(VENV) ..." >&2
	@$(PIP_INSTALL) requirements/strong.lock >&2
	@touch $@

$(VENV)/aws: requirements/aws.lock $(VENV)/run
	@echo "Installing the packages of requirements/aws.lock into $(VENV) ..." >&2
	@$(PIP_INSTALL) requirements/aws.lock >&2
	@touch $@

$(VENV)/sdk: requirements/sdk.lock $(VENV)/run
	@echo "Installing the packages of requirements/sdk.lock into $(VENV) ..." >&2
	@$(PIP_INSTALL) requirements/sdk.lock >&2
	@touch $@

$(VENV)/test: requirements/test.lock $(VENV)/run
	@echo "Installing the packages of requirements/test.lock into $(VENV) ..."
	@$(PIP_INSTALL) requirements/test.lock
	@touch $@

$(VENV)/docs: requirements/docs.lock | $(VENV)/bin/python
	@echo "Installing the packages of requirements/docs.lock into $(VENV) ..."
	@$(PIP_INSTALL) requirements/docs.lock
	@touch $@
