# tinyhil: every target sets up what it needs itself (.venv, the Arm compiler, QEMU) and says what it does.

VENV ?= .venv
BIN = $(VENV)/bin
WORKERS ?= 2
DEMO_BOARDS = --board mps2-an386 --board mps2-an500 --board mps3-an547

.PHONY: help demo test test-long lint bench figures wheel clean

help:
	@echo "make demo       install, validate the example models on emulated Cortex-M4, M7 and M55, print the report"
	@echo "make test       install and run the tests (WORKERS=$(WORKERS))"
	@echo "make test-long  the same with every long suite in full, and PyTorch and Keras (1.3 GB and more) in $(VENV)/frameworks"
	@echo "make lint       ruff and mypy --strict"
	@echo "make bench      instructions and modelled cycles against TFLM, kernels, cost models, limits, link speed, start-up times"
	@echo "make figures    remake the tables of docs/kernels.md and README.md from measurements"
	@echo "make wheel      build the wheel into dist/"
	@echo "make clean      remove what these targets made"

demo:
	@sh scripts/setup.sh demo $(VENV)
	@echo "==> Validating the models in fixtures/ on three emulated boards"
	$(BIN)/tinyhil validate fixtures $(DEMO_BOARDS) --report reports/demo

test:
	@sh scripts/setup.sh test $(VENV)
	$(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_ARGS)

test-long:
	@sh scripts/setup.sh test $(VENV)
	@sh scripts/setup.sh frameworks $(VENV)
	TINYHIL_LONG=1 $(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_ARGS)

lint:
	@sh scripts/setup.sh lint $(VENV)
	$(BIN)/ruff check .
	$(BIN)/mypy

bench:
	@sh scripts/setup.sh test $(VENV)
	$(BIN)/python -m tests.bench $(BENCH_ARGS)

figures:
	@sh scripts/setup.sh test $(VENV)
	$(BIN)/python -m tests.bench figures $(FIGURES_ARGS)

wheel:
	@sh scripts/setup.sh lint $(VENV)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) build dist reports .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
