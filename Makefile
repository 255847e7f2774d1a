# Two commands are enough: `make triage` shows the program at work, `make test` runs every gate.
#
# Needed beforehand: make, and Python 3.11 or newer. What is missing from the system is installed
# with apt (as root or through sudo), everything else goes into .venv. `make clean` removes it again.
# Where there is a C compiler the twin of the reading path is compiled; `make triage` does without.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# The capture that `make triage` looks at.
FILE ?= samples/twousers-post.pcap

# Debian packages that the tests compare with, or whose parser reads what is written; and Chromium.
# The replay has peers: SIPp, Kamailio, and a real client, whose driver is built against libpurple.
# A package counts as there when dpkg says so or when a command of its name is on the path.
SYSTEM_PACKAGES := tshark plantuml sip-tester kamailio \
	pidgin-sipe libpurple-dev pkg-config gcc make libc6-dev

# Least coverage in per cent, lines and branches together. The aim is 95 over all and 100 for
# dissectors/: raise these when the figures have gone up, never the other way.
MIN_COVERAGE := 95
MIN_COVERAGE_DISSECTORS := 99.3

# The tests run in as many processes.
JOBS ?= 2

# Seconds of `make fuzz` for the compiled twin.
FUZZ ?= 60

# Options of `make bench`: bytes of the dense capture (the others follow from it), rounds, and more
# for bench/run.py, for instance BENCH='--slow-size 500M --only dense'.
SIZE ?= 50M
ROUNDS ?= 3
BENCH ?=

VENV := .venv
BIN := $(VENV)/bin
BUILD := build
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
INSTALLED_BENCH := $(VENV)/.installed-bench
INSTALLED_DASHBOARD := $(VENV)/.installed-dashboard
TWIN := $(wildcard */_speedups/*.pyx */_speedups/*.pxd)
CORPUS := $(or $(XCCOS_CORPUS),../shared)

# The interpreter of .venv: PYTHON when it is set, otherwise the first of these that will do.
CANDIDATES := $(or $(PYTHON),python3.14 python3.13 python3.12 python3.11 python3)

define FUNCTIONS
step() { printf '== %s\n' "$$*"; }
stop() { printf 'make: %s\n' "$$*" >&2; exit 1; }
quietly() { # NAME COMMAND...: the output goes to a log, which is shown when the command fails
	local log="$(BUILD)/$$1.log"; shift
	mkdir -p "$(BUILD)"
	"$$@" >>"$$log" 2>&1 </dev/null || { tail -n 30 "$$log" >&2; stop "failed: $$* (see $$log)"; }
}
apt_install() { # PACKAGE...
	local root=()
	command -v apt-get >/dev/null || stop "please install $$* (there is no apt-get here to do it)"
	if [ "$$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || stop "please run as root: apt-get install $$*"
		root=(sudo); sudo -v || stop "please run as root: apt-get install $$*"
	fi
	step "installing $$* with apt"
	root+=(env DEBIAN_FRONTEND=noninteractive)
	local lock=(-o DPkg::Lock::Timeout=300)
	# Only who captures needs the setuid helper; without an answer apt would stop and ask.
	echo 'wireshark-common wireshark-common/install-setuid boolean false' |
		"$${root[@]}" debconf-set-selections 2>/dev/null || true
	# One source of several that does not answer is no reason to stop: the installation will tell.
	mkdir -p "$(BUILD)"
	"$${root[@]}" apt-get "$${lock[@]}" -qq update >"$(BUILD)/apt.log" 2>&1 </dev/null || true
	"$${root[@]}" mkdir -p /usr/share/man/man1 # without it the JRE of a slim image cannot be set up
	# What is installed for tests is no service: nothing is started, nor at the next boot (Kamailio).
	local policy=/usr/sbin/policy-rc.d mine=
	if [ ! -e "$$policy" ]; then
		mine=1
		printf '#!/bin/sh\nexit 101\n' | "$${root[@]}" tee "$$policy" >/dev/null
		"$${root[@]}" chmod 755 "$$policy"
	fi
	local done=
	"$${root[@]}" apt-get "$${lock[@]}" -qq -y --no-install-recommends install "$$@" \
		>>"$(BUILD)/apt.log" 2>&1 </dev/null && done=1
	[ -z "$$mine" ] || "$${root[@]}" rm -f "$$policy"
	if [ -z "$$done" ]; then
		tail -n 30 "$(BUILD)/apt.log" >&2
		stop "apt-get could not install $$* (see $(BUILD)/apt.log)"
	fi
	case " $$* " in *' kamailio '*)
		! command -v systemctl >/dev/null || "$${root[@]}" systemctl --quiet disable kamailio 2>/dev/null || true
	esac
}
corpus() { # say so when the captures for the tests are not there
	[ ! -d "$(CORPUS)" ] || return 0
	step 'no corpus at $(CORPUS): THE TESTS THAT NEED IT ARE SKIPPED'
	export XCCOS_NO_CORPUS=1
}
endef

.PHONY: help triage dashboard test lint types cover cover-replay twin speedups compiler system bench bench-readme fuzz rule-pages clean

help: ## show this list
	@echo 'usage: make TARGET'
	sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

triage: $(INSTALLED) ## install what is needed, then triage a sample (FILE=capture for another)
	@echo '$$ xccos triage $(FILE)' >&2
	$(BIN)/xccos triage "$(FILE)"

# A twin that cannot be built is an error here.
dashboard: $(INSTALLED_DASHBOARD) ## look at captures in a browser (FILE=capture opens one)
	@$(BIN)/xccos dashboard $(if $(filter command line environment,$(origin FILE)),"$(FILE)")

# The compiler comes first: what is installed is compiled, and must be.
test: export XCCOS_BUILD := compiled
test: compiler system speedups lint types cover twin ## run every gate: lint, types, coverage, both paths

lint: $(INSTALLED_DEV) ## ruff check and ruff format --check
	@$(FUNCTIONS)
	step 'ruff check'
	$(BIN)/python -m ruff check --quiet .
	step 'ruff format --check'
	$(BIN)/python -m ruff format --quiet --check . || stop 'not formatted: $(BIN)/ruff format'

types: $(INSTALLED_DEV) ## mypy --strict over the whole tree
	@$(FUNCTIONS)
	step 'mypy'
	$(BIN)/python -m mypy --no-error-summary

# Without the twin its own tests would compare the reference with itself: `twin` runs them.
COMPARED := tests/analyzer/export/test_lines.py

# Bytecode is kept whatever the environment says: without it each worker of each run compiles all tests
# anew, with pytest's asserts in them, which takes as long as a tenth of the tests.
cover: $(INSTALLED_DEV) ## all tests on the pure Python path, with their coverage (but for plays)
	@$(FUNCTIONS)
	corpus
	step 'pytest on the pure Python path ($(JOBS) processes)'
	export HYPOTHESIS_PROFILE="$${HYPOTHESIS_PROFILE:-ci}" XCCOS_PURE=1
	unset PYTHONDONTWRITEBYTECODE
	rm -f .coverage .coverage.*
	$(BIN)/python -m coverage run -m pytest -q -n $(JOBS) --dist loadgroup -k 'not twin' \
		--ignore=tests/replay --ignore=tests/analyzer/replay $(COMPARED:%=--ignore=%) $(LIVE:%=--ignore=%)
	$(BIN)/python -m coverage combine --quiet
	mkdir -p "$(BUILD)"
	$(BIN)/python -m coverage report --show-missing >"$(BUILD)/coverage.txt"
	floor() { # NAME MINIMUM [OPTION...]
		local name="$$1" least="$$2" found; shift 2
		found=$$($(BIN)/python -m coverage report --format=total --precision=1 "$$@")
		step "coverage of $$name: $$found % (at least $$least)"
		awk "BEGIN { exit !($$found >= $$least) }" ||
			stop "coverage of $$name fell below $$least %; $(BUILD)/coverage.txt has the lines"
	}
	floor 'everything but plays and what is live' $(MIN_COVERAGE) \
		--omit='analyzer/replay/*,analyzer/live/*,analyzer/cli/live*,analyzer/cli/listen.py,analyzer/sources/live.py'
	floor 'dissectors' $(MIN_COVERAGE_DISSECTORS) --include='dissectors/*'

# What is drawn, told, compared, checked or played starts from an analysis, which is the same on both paths; tests of
# that, and of dissectors that do not concern the twin, would only do again what `cover` has done. Scripts
# and plays are run here alone, where no tracing slows them down; `make cover-replay` has their coverage.
# So it is with what is live: it has processes and sockets of its own, and waits for them. What opens inputs
# (keys, archives, traces) does so before either path begins, and is tested once, by `cover`.
# Of the dissectors it is the tests of the twin alone.
DRAWN := ladder report compare checks wireshark diagnostics narrative causes sources flows inputs filters topology chatrooms dashboard
PLAYED := ladder report diff check wireshark replay script shrink export several tls
LIVE := tests/analyzer/live tests/analyzer/cli/test_live.py tests/analyzer/cli/test_listen.py

twin: speedups ## all tests that read, on the compiled path
	@$(FUNCTIONS)
	corpus
	step 'pytest on the compiled path ($(JOBS) processes)'
	export HYPOTHESIS_PROFILE="$${HYPOTHESIS_PROFILE:-ci}" XCCOS_REQUIRE_TWIN=1
	unset XCCOS_PURE PYTHONDONTWRITEBYTECODE
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadgroup -k 'twin or not dissectors' \
		tests/analyzer tests/truth tests/replay tests/dissectors \
		$(DRAWN:%=--ignore=tests/analyzer/%) $(PLAYED:%=--ignore-glob=tests/analyzer/cli/test_%*.py)

cover-replay: $(INSTALLED_DEV) ## the tests of scripts and plays, with their coverage
	@$(FUNCTIONS)
	corpus
	export COVERAGE_FILE=.coverage.replay
	$(BIN)/python -m coverage run --source=analyzer/replay -m pytest -q -n $(JOBS) --dist loadgroup \
		tests/analyzer/replay tests/analyzer/cli
	$(BIN)/python -m coverage combine --quiet --append .coverage.replay.* 2>/dev/null || true
	$(BIN)/python -m coverage report --fail-under=$(MIN_COVERAGE) | tail -n 1

speedups: compiler $(INSTALLED_DEV) ## compile the twin in place, where it has changed
	@$(FUNCTIONS)
	step 'the compiled twin'
	$(BIN)/python hatch_build.py

compiler: | $(BIN)/python # a C compiler and the headers of Python; silent when they are there
	@$(FUNCTIONS)
	works() { $(BIN)/python hatch_build.py --check; }
	if ! works 2>/dev/null; then
		missing=(gcc libc6-dev)
		prefix=$$($(BIN)/python -c 'import sys; print(sys.base_prefix)')
		[ "$$prefix" != /usr ] ||
			missing+=("$$($(BIN)/python -c 'import sys; print("python%d.%d-dev" % sys.version_info[:2])')")
		apt_install "$${missing[@]}"
		works || stop 'the twin cannot be compiled here (everything but its tests works without it)'
	fi

# Ubuntu has Chromium as a snap only, which runs in no container: there it is Playwright's own.
system: $(INSTALLED_DEV) # what the tests need of the system; silent when it is there
	@$(FUNCTIONS)
	there() { # PACKAGE: by a command of its name, or by dpkg
		command -v "$$1" >/dev/null ||
			dpkg-query -W -f '$${Status}' "$$1" 2>/dev/null | grep -q ' installed$$'
	}
	missing=()
	for package in $(SYSTEM_PACKAGES); do
		there "$$package" || missing+=("$$package")
	done
	if ! $(BIN)/python -m tests.support.browser; then
		if grep -qs '^ID=ubuntu' /etc/os-release; then
			step 'installing Chromium with Playwright'
			quietly chromium $(BIN)/python -m playwright install --with-deps chromium
		else
			missing+=(chromium)
		fi
	fi
	[ $${#missing[@]} = 0 ] || apt_install "$${missing[@]}"

bench: system $(INSTALLED) $(INSTALLED_BENCH) ## speed and memory beside others (SIZE=50M ROUNDS=3)
	@$(BIN)/python -m bench.run --size "$(SIZE)" --rounds "$(ROUNDS)" $(BENCH)

bench-readme: # what the last `make bench` measured, into README.md and docs/bench.svg
	@$(BIN)/python -m bench.readme

# The table names what is missing, so that no other program or library is a reason to stop.
$(INSTALLED_BENCH): pyproject.toml | $(INSTALLED)
	@$(FUNCTIONS)
	step 'installing what the program is compared with, and what draws the chart'
	command -v sngrep >/dev/null || (apt_install sngrep) || step 'going on without sngrep'
	extra='import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["bench"], sep="\n")'
	mapfile -t wanted < <($(BIN)/python -c "$$extra")
	mkdir -p "$(BUILD)"
	$(BIN)/python -m pip install "$${wanted[@]}" >"$(BUILD)/pip-bench.log" 2>&1 </dev/null ||
		step 'going on without pyshark or matplotlib (see $(BUILD)/pip-bench.log)'
	touch $@

fuzz: compiler $(INSTALLED_DEV) ## the compiled twin under sanitizers (FUZZ=60 seconds), then all properties at length
	@$(FUNCTIONS)
	step 'the twin with AddressSanitizer and UndefinedBehaviorSanitizer, beside the reference'
	quietly sanitize $(BIN)/python hatch_build.py --sanitize
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so)" PYTHONMALLOC=malloc \
		ASAN_OPTIONS=detect_leaks=0 PYTHONPATH="$(BUILD)/sanitized:." \
		$(BIN)/python -P -m tests.fuzz_twin --seconds $(FUZZ) --seed $$RANDOM
	step 'pytest -m hypothesis, profile nightly'
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -q -n $(JOBS) --dist loadgroup -m hypothesis

rule-pages: $(INSTALLED) ## write docs/rules anew from the table of rules
	$(BIN)/python -m analyzer.diagnostics.pages docs/rules

clean: ## remove .venv and everything else that make has made
	@rm -rf $(VENV) $(BUILD) dist htmlcov bench/out .coverage .coverage.* \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis \
		*/_speedups/*.so */_speedups/built.txt
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An interpreter without ensurepip cannot make an environment: Debian has that in a package apart.
$(BIN)/python:
	@$(FUNCTIONS)
	chosen= ; incomplete=
	for python in $(CANDIDATES); do
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
		if "$$python" -c 'import ensurepip, venv' 2>/dev/null; then chosen=$$python; break; fi
		incomplete=$${incomplete:-$$python}
	done
	if [ -z "$$chosen" ]; then
		[ -n "$$incomplete" ] ||
			stop 'Python 3.11 or newer is needed, tried: $(CANDIDATES) (choose with PYTHON=...)'
		chosen=$$incomplete
		apt_install "$$("$$chosen" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
		"$$chosen" -c 'import ensurepip' || stop "$$chosen cannot make a virtual environment"
	fi
	step "$(VENV) with $$("$$chosen" --version)"
	quietly venv "$$chosen" -m venv --clear $(VENV)

# Again when the dependencies, the version or the sources of the twin change. The bytecode is made
# here: where the environment forbids Python to keep it, every start would take twice as long.
$(INSTALLED): pyproject.toml analyzer/__init__.py hatch_build.py $(TWIN) | $(BIN)/python
	@$(FUNCTIONS)
	step 'installing the project, compiled where there is a C compiler'
	quietly pip $(BIN)/python -m pip install --editable .
	quietly pip $(BIN)/python -m compileall -q analyzer dissectors
	touch $@

$(INSTALLED_DASHBOARD): pyproject.toml | $(INSTALLED)
	@$(FUNCTIONS)
	step 'installing what the dashboard needs'
	quietly pip $(BIN)/python -m pip install --editable '.[dashboard]'
	touch $@

$(INSTALLED_DEV): pyproject.toml analyzer/__init__.py | $(BIN)/python
	@$(FUNCTIONS)
	step 'installing the project and what the gates need'
	quietly pip $(BIN)/python -m pip install --editable '.[dev]'
	quietly pip $(BIN)/python -m compileall -q analyzer dissectors
	touch $@ $(INSTALLED)
