# make demo: set up, synthesise a kit, train a few minutes, make sounds.   make test: everything.
PYTHON ?= python3
BIN := .venv/bin
MINUTES ?= 5

.PHONY: demo test quick check clean

$(BIN)/bowerbird: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	touch $@

demo: $(BIN)/bowerbird
	test -d demo/kit || (rm -rf demo/kit.partial && $(BIN)/bowerbird kit -o demo/kit.partial && mv demo/kit.partial demo/kit)
	test -f demo/dataset/dataset.json || $(BIN)/bowerbird prepare demo/kit -o demo/dataset --licence CC0-1.0
	$(BIN)/bowerbird train demo/dataset -o demo/run --preset quick --minutes $(MINUTES)
	$(BIN)/bowerbird make demo/run -n 4 --each-label -o demo/sounds
	@echo "listen: demo/sounds (WAV files in a folder per class)   look: demo/sounds/contact_sheet.png"

test: $(BIN)/bowerbird
	$(BIN)/python -m pytest --durations=10

quick: $(BIN)/bowerbird
	$(BIN)/python -m pytest -m "not slow"

check: $(BIN)/bowerbird
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf .venv demo
