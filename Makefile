# Each target is enough by itself on a fresh machine with Python ≥ 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := work_dirs/demo
BENCH := work_dirs/bench

.PHONY: help setup demo bench test test-slow lint

help:
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*##/\t/'

setup: $(READY)  ## make .venv with everything pinned

$(READY): setup.py $(wildcard requirements/*.txt)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint requirements/constraints.txt --editable '.[all]'
	touch $@

demo: $(READY)  ## train on drawn pedestrians for some minutes, test, and draw the results
	rm -rf $(DEMO)
	$(BIN)/python tools/train.py configs/cc_r18_synthetic.py --work-dir $(DEMO)
	$(BIN)/python tools/test.py configs/cc_r18_synthetic.py $(DEMO)/best_*.pth --work-dir $(DEMO)
	$(BIN)/python tools/visualization/draw_rank_lists.py configs/cc_r18_synthetic.py $(DEMO)/best_*.pth --out $(DEMO)/rank_lists.png
	$(BIN)/python tools/visualization/plot_curves.py $(DEMO) --out $(DEMO)/curves.png

bench: $(READY)  ## measure clustering, ranking and memory beside textbook versions
	$(BIN)/python tools/analysis_tools/benchmark_clustering.py --json $(BENCH)/clustering.json
	$(BIN)/python tools/analysis_tools/benchmark_evaluation.py --json $(BENCH)/ranking.json
	$(BIN)/python tools/analysis_tools/benchmark_evaluation.py --rerank --json $(BENCH)/re_ranking.json
	$(BIN)/python tools/analysis_tools/benchmark_memory.py --repeats 50 --json $(BENCH)/memory.json

test: $(READY)  ## run the tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m 'not slow' -n 2 --dist loadscope

test-slow: $(READY)  ## run the tests that take longer than a minute
	$(BIN)/python -m pytest -m slow

lint: $(READY)  ## check style, types and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
