# Everything one can do here; `make help` lists it. Each target makes its own .venv when it is needed.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PLAY ?= lobby
MINUTES ?= 1
SEEDS ?= 1000
SEED ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help venv run-broker run-client demo record party test check format share test-install bench bench-peers bench-growth bench-guard bench-docs bench-terminal dashboard fuzz simulate mutants torture torture-bots catalogues clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

venv: $(VENV)/.programs ## what the programs need, in .venv

$(VENV)/.programs: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.tests: requirements-dev.txt requirements-metrics.txt $(VENV)/.programs
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

run-broker: venv ## start the broker: make run-broker ARGS="-p 9000"
	@exec $(RUN) broker.py $(ARGS)

run-client: venv ## start a client: make run-client ARGS="alice -"
	@exec $(RUN) client.py $(ARGS)

demo: venv ## a play with a real broker and real clients: make demo PLAY=away
	@exec $(RUN) demos/play.py $(PLAY)

record: $(VENV)/.tests ## the README's pictures, from a real run
	@exec $(RUN) demos/record.py docs

party: venv ## a broker and four clients to type into, in tmux panes
	@exec $(RUN) demos/party.py

test: $(VENV)/.tests ## all tests: make test ARGS="-k outbox"
	$(RUN) -m pytest --numprocesses auto --dist loadfile $(ARGS)

check: $(VENV)/.tests ## format, lint, types, and which module may import which
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

format: $(VENV)/.tests ## put the code into its form
	$(RUN) -m ruff format .
	$(RUN) -m ruff check --fix .

share: venv ## manual pages and what shells complete, from the programs' own options
	@exec $(RUN) -m install

test-install: $(VENV)/.tests ## install into an empty environment under every Python that is found, and talk
	$(RUN) -m pytest tests/install --every-python -rs $(ARGS)

bench: venv ## how fast it is, on this machine, and what a message costs
	@exec $(RUN) -m benchmarks.bench $(ARGS)

bench-peers: venv ## the same beside others (benchmarks/install-peers installs them)
	@exec $(RUN) -m benchmarks.bench_peers $(ARGS)

bench-growth: venv ## what a message costs when there is more of everything else
	@exec $(RUN) -m benchmarks.growth $(ARGS)

bench-guard: venv ## whether a message has become dearer: instructions, counted by valgrind
	@exec $(RUN) -m benchmarks.guard $(ARGS)

bench-docs: venv ## the tables and pictures of the last runs, into README.md and docs/
	@exec $(RUN) -m benchmarks.figures

bench-terminal: venv ## how soon a key is seen while messages arrive
	@exec $(RUN) -m benchmarks.terminal $(ARGS)

dashboard: $(VENV)/.tests ## the picture of the dashboard in docs/, from a real run
	@exec $(RUN) -m benchmarks.watched docs

$(VENV)/.fuzz: requirements-fuzz.txt $(VENV)/.programs
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-fuzz.txt
	@touch $@

fuzz: $(VENV)/.fuzz ## bytes and frames that nobody thought of: make fuzz MINUTES=10
	@for each in decode broker; do \
		$(RUN) tests/fuzz/fuzz_$$each.py -max_total_time=$$(($(MINUTES) * 30)) -max_len=4096 -len_control=0 \
			-artifact_prefix=$(VENV)/fuzz- || exit 1; \
	done

simulate: venv ## many seeded stories against the laws, or one with its trace: make simulate SEEDS=10000, SEED=7
	@exec $(RUN) -m tests.simulation --seeds $(SEEDS) $(if $(SEED),--seed $(SEED))

mutants: venv ## deliberate mistakes, each of which the simulation must find
	@exec $(RUN) -m tests.simulation.mutants

torture-bots: venv ## kill a supervised broker while three bots work: make torture-bots MINUTES=5
	@exec $(RUN) -m tests.torture.supervised --minutes $(MINUTES)

torture: venv ## kill, stop and cut real programs, then count: make torture MINUTES=20 SEED=7
	@exec $(RUN) -m tests.torture --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

catalogues: $(VENV)/.tests ## take new sentences into the languages' catalogues, and old ones out
	@exec $(RUN) -m tests.languages

clean: ## remove what these targets made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
