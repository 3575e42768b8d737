.PHONY: demo test test-slow test-e2e test-load test-encoders test-cluster benchmarks check fuzz
PYTHON ?= python3
BIN := .venv/bin

demo: .venv/installed
	$(BIN)/pickwell demo --out demo

test: check
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist worksteal

test-slow: .venv/tested
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -m slow

test-e2e: .venv/tested
	$(BIN)/pytest -q -m e2e -s tests/e2e

test-load: .venv/tested
	$(BIN)/pytest -q -m load -s tests/load

# torchvision needs torch's CUDA build: 6 GB, an environment of its own.
test-encoders: .venv-encoders/installed
	.venv-encoders/bin/pytest -q -m slow tests/encoders/test_libraries.py

# Ray is 400 MB.
test-cluster: .venv-cluster/installed
	OMP_NUM_THREADS=1 .venv-cluster/bin/pytest -q -m cluster tests/executors

# Goes on where it was ended; FUZZ says how many inputs in all, what is found is kept in fuzz/.
fuzz: .venv/tested
	$(BIN)/python -m tests.fuzz --inputs $(or $(FUZZ),1000000)

check: .venv/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

benchmarks: .venv/tested
	$(BIN)/python -m benchmarks

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt -e .
	touch $@

.venv/tested: .venv/installed
	$(BIN)/pip install -q -c constraints.txt -e '.[test]'
	touch $@

.venv-encoders/installed: pyproject.toml
	$(PYTHON) -m venv .venv-encoders
	.venv-encoders/bin/pip install -q -e '.[test,timm,torchvision,transformers,open-clip]'
	touch $@

.venv-cluster/installed: pyproject.toml
	$(PYTHON) -m venv .venv-cluster
	.venv-cluster/bin/pip install -q -c constraints.txt -e '.[test,ray]'
	touch $@
