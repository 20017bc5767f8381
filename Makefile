# Everything a newcomer needs: `make up` runs Keel, `make test` proves it.
# PYTHON= chooses another interpreter for the first step; PORT=, LIVE_PORT= and HOST= move the servers.
PYTHON ?= python3
SIZE ?= small
ARGS ?=
BIN = .venv/bin

export PORT LIVE_PORT HOST

.PHONY: help up test soak bench lint format types imports messages

help:
	@echo "make up                  run Keel at http://127.0.0.1:8000/"
	@echo "make test [ARGS=...]     the whole suite; ARGS go to pytest"
	@echo "make soak                the long forms of the long tests"
	@echo "make bench SIZE=small    measure (small, medium, large)"
	@echo "make lint format types imports messages"

up:
	@exec $(PYTHON) -m crm.launch up

test:
	@exec $(PYTHON) -m crm.launch test $(ARGS)

soak:
	@exec $(PYTHON) -m crm.launch soak $(ARGS)

bench:
	@exec $(PYTHON) -m crm.launch bench --size $(SIZE) $(ARGS)

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format:
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports --no-cache

messages:
	$(BIN)/pybabel --quiet extract --mapping babel.cfg --output locale/keel.pot --no-location --sort-output --omit-header .
