PYTHON ?= python3
.PHONY: run test setup bench random lock

setup:
	@command -v $(PYTHON) >/dev/null || { echo "masar: $(PYTHON) is not installed. On Debian: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) bootstrap.py

run: setup
	@exec .venv/bin/python -m engine.cli run

test: setup
	@.venv/bin/python -m pytest -n auto --dist loadfile

bench: setup
	@.venv/bin/python -m tests.bench

random: setup  ## 10,000 random processes against the oracle
	@.venv/bin/python -m tests.properties.random_processes 10000

lock: setup  ## pins requirements.txt again from pyproject.toml
	@.tools/bin/uv lock --quiet --upgrade && .tools/bin/uv export --quiet --no-emit-project --all-groups --format requirements-txt --no-header -o requirements.txt && rm -f uv.lock
