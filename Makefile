# The two commands of a newcomer are `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/pip --disable-pip-version-check --quiet

.PHONY: run test bench torture lock docs pictures clean

run: $(VENV)/.run ## install, set up when empty, serve on http://127.0.0.1:8000
	$(VENV)/bin/muhafiz start

test: $(VENV)/.test ## lint, types, floors and the whole suite, on SQLite and on PostgreSQL
	sh tools/debian-packages.sh tools/debian-packages.txt
	$(VENV)/bin/python tools/check.py

bench: $(VENV)/.test ## measure; results go to docs/benchmarks.md
	$(VENV)/bin/python benchmarks/run.py

torture: $(VENV)/.test ## 1,000 kills instead of 200; properties with new examples
	TORTURE_KILLS=1000 $(VENV)/bin/python tools/check.py torture

docs: $(VENV)/.test ## write the generated pages again
	$(VENV)/bin/python tools/reference.py

pictures: $(VENV)/.test ## take the docs' pictures of the main screens from a demonstration
	$(VENV)/bin/python tools/pictures.py

lock: $(VENV)/.test ## lock what pyproject.toml asks for (newest versions: make lock LOCK_WITH=--upgrade)
	$(VENV)/bin/uv pip compile $(LOCK) pyproject.toml requirements/build.in -o requirements/run.lock
	$(VENV)/bin/uv pip compile $(LOCK) --extra test -c requirements/run.lock pyproject.toml requirements/build.in -o requirements/test.lock

LOCK := -q $(LOCK_WITH) --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --custom-compile-command "make lock"

$(VENV)/bin/pip:
	sh tools/venv.sh $(PYTHON) $(VENV)

$(VENV)/.run: $(VENV)/bin/pip requirements/run.lock pyproject.toml
	$(PIP) install --require-hashes -r requirements/run.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: $(VENV)/bin/pip requirements/test.lock pyproject.toml
	$(PIP) install --require-hashes -r requirements/run.lock
	$(PIP) install --require-hashes --no-build-isolation -r requirements/test.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run

clean: ## remove what was built; var/ stays
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis
