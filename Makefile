# Each target is enough by itself on a fresh machine with Python ≥ 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# uv installs in a third of the time of pip, and does not read where pip looks.
INDEX = $(or $(PIP_INDEX_URL),$(shell $(BIN)/python -m pip config get global.index-url 2>/dev/null),https://pypi.org/simple)
# Without bytecode every start of Python takes ten seconds more where
# PYTHONDONTWRITEBYTECODE is set, as in many containers.
INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python --default-index $(INDEX)
# In alphabetical order, the longest file is not the last one to start. Both processes
# would rewrite all tests, and every tool compile the package, without bytecode. Each
# process has a core: threads that wait for one another would only spin.
ONE_THREAD := OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1
FAST_TESTS := PYTHONDONTWRITEBYTECODE= $(ONE_THREAD) $(BIN)/python -m pytest -m 'not slow' -n 2 --dist loadscope --no-loadscope-reorder
DEMO := work_dirs/demo
DEMO_VIDEO := work_dirs/demo_video
SCENE := data/scene
BENCH := work_dirs/bench
CLASSIC := .classic
CLASSIC_BUILDS := mmengine==0.10.7 mmcv-lite==2.2.0 mmpretrain==1.2.0 setuptools==80.10.2
# The colour jitter of mmcv-lite needs NumPy 1, and newer pandas and pyarrow need NumPy 2.
CLASSIC_BUILDS += numpy==1.26.4 pandas==2.2.3 pytz==2026.6 pyarrow==21.0.0
# The tests that use these builds. All tests pass on them, but CI would take too long.
CLASSIC_TESTS := tests/test_apis/test_inferencer.py tests/test_datasets tests/test_engine \
    tests/test_evaluation/test_reid_metric.py tests/test_evaluation/test_cluster_metric.py \
    tests/test_models tests/test_reliability tests/test_visualization/test_report.py \
    tests/test_registry.py tests/test_configs.py tests/test_backbone_configs.py \
    tests/test_source_configs.py tests/test_tools/test_model_converters \
    tests/test_tools/test_train_and_test.py::test_train_resume_and_test \
    --ignore tests/test_engine/test_processes.py --ignore tests/test_datasets/test_video

.PHONY: help setup demo demo-video bench check-gpu docs browser test test-classic test-slow lint dist

help:
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*##/\t/'

setup: $(READY)  ## create .venv with pinned versions

$(READY): setup.py $(wildcard requirements/*.txt)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint requirements/constraints.txt uv
	$(INSTALL) --compile-bytecode --constraint requirements/constraints.txt --editable '.[all]'
	touch $@

demo: $(READY)  ## train on drawn pedestrians for some minutes, test, and write a report
	rm -rf $(DEMO)
	$(BIN)/python tools/train.py configs/cc_r18_synthetic.py --work-dir $(DEMO)
	$(BIN)/python tools/visualization/report.py $(DEMO) --out $(DEMO)/report.html

demo-video: $(READY)  ## draw videos, cut crops by tracks, train on them, and sort them by person
	rm -rf $(DEMO_VIDEO) $(SCENE)
	$(BIN)/python tools/train.py configs/cc_r18_tracks_synthetic.py --work-dir $(DEMO_VIDEO)
	$(BIN)/python tools/test.py configs/cc_r18_tracks_synthetic.py $(DEMO_VIDEO)/best_*.pth --work-dir $(DEMO_VIDEO)
	$(BIN)/python tools/cluster_folder.py configs/cc_r18_tracks_synthetic.py $(DEMO_VIDEO)/best_*.pth $(SCENE)/tracks/crops.csv --clusterer config --out $(DEMO_VIDEO)/people
	$(BIN)/python tools/visualization/plot_curves.py $(DEMO_VIDEO) --out $(DEMO_VIDEO)/curves.png
	$(BIN)/python tools/visualization/report.py $(DEMO_VIDEO) --out $(DEMO_VIDEO)/report.html

bench: $(READY)  ## compare whole runs, clustering, ranking and memory with textbook versions
	$(BIN)/python tools/analysis_tools/benchmark_clustering.py --json $(BENCH)/clustering.json
	$(BIN)/python tools/analysis_tools/benchmark_evaluation.py --json $(BENCH)/ranking.json
	$(BIN)/python tools/analysis_tools/benchmark_evaluation.py --rerank --json $(BENCH)/re_ranking.json
	$(BIN)/python tools/analysis_tools/benchmark_memory.py --repeats 50 --json $(BENCH)/memory.json
	$(BIN)/python tools/analysis_tools/benchmark_run.py --json $(BENCH)/run.json

check-gpu: $(READY)  ## check and measure everything on a GPU, in 8 minutes
	$(BIN)/python tools/analysis_tools/check_gpu.py --json work_dirs/check_gpu.json

docs: $(READY)  ## build the documentation into docs/_build
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build

browser:  ## install Chromium, which the tests of pages open (Debian, as root)
	command -v chromium || { apt-get update -qq && apt-get install -y -qq chromium; } || echo 'No Chromium: the tests of pages are skipped.'

test: $(READY) browser  ## run the tests
	$(FAST_TESTS)

test-classic: $(READY) $(CLASSIC)/.ready browser  ## run most of the tests on the classic builds
	PYTHONPATH=$(CURDIR)/$(CLASSIC) $(FAST_TESTS) $(CLASSIC_TESTS)

$(CLASSIC)/.ready: Makefile | $(READY)
	rm -rf $(CLASSIC)
	$(INSTALL) --compile-bytecode --no-deps --target $(CLASSIC) $(CLASSIC_BUILDS)
	touch $@

test-slow: $(READY)  ## run the tests that take more than a minute
	$(BIN)/python -m pytest -m slow

lint: $(READY)  ## check style, types, spelling and schemas
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell -D - -D .ci/words.txt
	.ci/schemas $(BIN)

dist: $(READY)  ## build sdist and wheel, check them, and use the wheel in a fresh environment
	rm -rf dist
	$(INSTALL) --constraint requirements/constraints.txt --requirement requirements/release.txt
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	$(BIN)/python .ci/check_dist.py dist
