# make demo     set everything up and run the main job on real faces and on the mini data
# make test     set everything up and run all tests        make test-fast   the quick ones
# make lint     ruff, import-linter and mypy                make bench       speed, as ratios; writes docs/performance.md
# make bench-gpu  networks on a GPU, by precision, batch and compiled or not; under 8 minutes
# make app      the leaderboard page                        make clean     remove what make made
# make records  run what is missing or stale of the records that ship (submissions/rows.toml)
# make readme   the tables of README and docs/results.md from these records, and docs/commands.md
# make docs     the documentation as a site, in site/
# make campaign fuzzing, killing and faults at length, and every network of ptlflow
# make check    scores and speed ratios on mini data against ci/baseline.json

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# In the environment, so that pip's isolated builds see the bounds too.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_BUILD_CONSTRAINT := $(PIP_CONSTRAINT)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests run in a process for each core, up to four; `make test PARALLEL=` takes one. A file stays in one process.
PARALLEL ?= -n auto --maxprocesses 4 --dist loadfile

.PHONY: demo test test-fast campaign lint check bench bench-gpu app docs records thumbnails readme clean

demo: $(VENV)/.installed
	@echo "== DIS and DecFlow on real faces: two clips, reference points from a face mesh network (pseudo reference)"
	$(BIN)/ffbench eval --method dis --protocol clip_landmarks -o version=1.0 -o stride=20
	$(BIN)/ffbench eval --method decflow --protocol clip_landmarks -o version=1.0 -o stride=20
	@echo "== the same methods on the mini CK+: synthetic faces with exact landmarks"
	$(BIN)/ffbench eval --method dis --protocol ck_landmarks
	$(BIN)/ffbench eval --method decflow --protocol ck_landmarks
	@echo "== what DecFlow is for: expression flow on the mini FacialFlowNet, exact at every pixel"
	$(BIN)/ffbench eval --method decflow --protocol ffn_expression
	@echo "== who is ahead: position by value, 95 % rank sets, marks where two methods cannot be told apart; real and synthetic apart"
	$(BIN)/ffbench leaderboard runs
	@echo "== a picture of two frames: facial, head and expression flow of both methods"
	@clip=$$($(BIN)/ffbench assets pull clip_single_face) && \
		$(BIN)/ffbench show "$$clip:20" "$$clip:40" --method decflow --method dis --out runs/flows.png
	@echo "== all boards in a browser: make app"

test: $(VENV)/.installed-dev
	$(BIN)/pytest --doctest-modules ffbench/metrics
	$(BIN)/pytest $(PARALLEL) $(COVERAGE)

test-fast: $(VENV)/.installed-dev
	$(BIN)/pytest $(PARALLEL) -m "not slow and not assets and not campaign"

campaign: $(VENV)/.installed-dev
	$(BIN)/pytest -m campaign --timeout 7200 tests/fuzz tests/faults tests/methods

# mypy does not follow the package-dir mapping of pyproject.toml, hence one call a tree.
lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy ffbench
	$(BIN)/mypy methods
	$(BIN)/mypy protocols
	$(BIN)/mypy leaderboard
	$(BIN)/mypy tests

check: $(VENV)/.installed-dev
	$(BIN)/ffbench check --baseline ci/baseline.json

bench: $(VENV)/.installed-dev
	mkdir -p build
	$(BIN)/pytest tests/benchmarks --benchmark-only --benchmark-columns=min,median,rounds --benchmark-json=build/benchmarks.json \
		--benchmark-autosave --benchmark-compare
	$(BIN)/ffbench bench dis zero dis_fine decflow-c decflow-s gma raft ptlflow/rapidflow ptlflow/neuflow2 --json > build/methods.json
	$(BIN)/python ci/performance.py build/benchmarks.json build/methods.json

bench-gpu: $(VENV)/.installed-dev
	mkdir -p build
	$(BIN)/python ci/gpu.py cuda > build/gpu.json

app: $(VENV)/.installed-dev
	$(BIN)/ffbench app

records: $(VENV)/.installed-dev
	$(BIN)/ffbench records

thumbnails: $(VENV)/.installed-dev
	$(BIN)/python -m ffbench.leaderboard.thumbnails.making

readme: $(VENV)/.installed-dev
	$(BIN)/python ci/readme.py
	$(BIN)/python ci/commands.py

docs: $(VENV)/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14) and "ffbench needs Python 3.10 to 3.13")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip "setuptools<81" wheel
	@echo "installing torch, ptlflow and what they need: about 2 GB, a few minutes"
	$(BIN)/python -m pip install --quiet torch
	$(BIN)/python -m pip install --quiet --editable ".[networks]"
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable ".[dev,docs,leaderboard,mmflow,onnx,ray,scikit-image,train,video]"
	touch $@

clean:
	rm -rf $(VENV) build dist runs site
