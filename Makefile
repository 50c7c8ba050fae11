# Two commands do everything on a machine with Python >= 3.11:  make run   and   make test
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
KERNEL ?= kernels/8wave.yaml

# The versions in constraints.txt, for wavesim and for what builds it; "make lock" renews them.
INSTALL = PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST = -m pytest -n auto --dist loadfile

.PHONY: run test test-latest fuzz corpus isa golden wheel test-wheels reorders lint format bench docs lock clean

run: $(VENV)/.installed $(VENV)/.isa
	$(BIN)/wavesim run $(KERNEL)

test: $(VENV)/.installed-dev $(VENV)/.isa
	$(BIN)/python $(PYTEST)

# For a schedule: the newest of everything, in an environment of its own
test-latest:
	$(PYTHON) -m venv --clear .venv-latest
	.venv-latest/bin/python -m pip install --quiet --disable-pip-version-check --upgrade -e '.[dev]'
	.venv-latest/bin/python $(PYTEST)

# For the night: 20,000 spoilt inputs instead of the tests' 2,000
fuzz: $(VENV)/.installed-dev
	WAVESIM_FUZZ_CASES=20000 $(BIN)/python $(PYTEST) tests/fuzz

# Every line of LLVM 22's assembler tests, which Debian's source package has (200 MB, once)
corpus: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/llvm_corpus.py --download

# Checks a changed file of isa/ once, so that no start has to read it as YAML
isa: $(VENV)/.installed $(VENV)/.isa

# The pictures of the timing rules, after a change of the model: look at what changed
golden: $(VENV)/.installed-dev
	$(BIN)/python tests/update_golden.py

# The source archive and the wheels of all platforms, into dist/
wheel: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check build ziglang
	$(BIN)/python release/wheels.py

# The engine for every platform of a release, some minutes
test-wheels: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check ziglang
	$(BIN)/python -m pytest -q release

# 1,000 random legal reorders of loops, each executed and checked: half an hour
reorders: $(VENV)/.installed-dev
	WAVESIM_REORDERS=63 $(BIN)/python $(PYTEST) tests/tuning/test_tuning_reorders.py

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wavesim needs Python 3.11 or newer; say: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing wavesim into $(VENV): a minute or two, once"
	$(INSTALL) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.isa: $(shell find isa -type f)
	$(BIN)/python -m wavesim.isa.build
	@touch $@

docs: $(VENV)/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lock: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev --extra gpu \
		--custom-compile-command "make lock" --output-file constraints.txt pyproject.toml

clean:
	rm -rf $(VENV) .venv-latest build .pytest_cache .mypy_cache .ruff_cache .hypothesis
