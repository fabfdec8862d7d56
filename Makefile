# burl: one Makefile. `make help` lists the targets.
#
# Objects live under build/<variant>/; variants are release, debug, asan and cov:
#   make VARIANT=debug        CC=clang works too (objects then under build/<variant>-clang)

VERSION := $(shell sed -n 's/^\#define BURL_VERSION "\(.*\)"/\1/p' include/burl/base.h)
VARIANT ?= release
PREFIX ?= /usr/local
DESTDIR ?=
ifeq ($(origin CC),default)
CC := gcc
endif
COMPILER := $(if $(findstring clang,$(CC)),clang,gcc)
B := build/$(VARIANT)$(if $(filter clang,$(COMPILER)),-clang)

WERROR ?=
WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
  -Wcast-qual -Wformat=2 -Wvla -Wundef -Wpointer-arith -Wwrite-strings -Wdouble-promotion $(WERROR)
# -ffp-contract=off: the same bytes on every machine and at every optimisation level;
# -fno-math-errno, -fno-trapping-math: nobody reads errno after sqrtf or the flags of exceptions, and
# without these loops that take roots or choose between values do not become vectors
BASE_CFLAGS := -std=c17 -D_POSIX_C_SOURCE=200809L -fvisibility=hidden -fPIC -ffp-contract=off \
  -fno-math-errno -fno-trapping-math \
  -pthread $(WARNINGS)
CFLAGS_release := -O3 -g -DNDEBUG
CFLAGS_debug := -O0 -g
CFLAGS_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS_cov := -O0 -g --coverage
LDFLAGS_asan := -fsanitize=address,undefined
LDFLAGS_cov := --coverage
ALL_CFLAGS := $(BASE_CFLAGS) $(CFLAGS_$(VARIANT)) $(CFLAGS) -Iinclude
ALL_LDFLAGS := -pthread $(LDFLAGS_$(VARIANT)) $(LDFLAGS)
LIBS := -llapacke -lopenblas -lkissfft-float -lpng -ljpeg -ljansson -lz -lm

MODULES := base num image dataset encode transport prototype flow heat model shape detect synth \
  select evaluate report
LIB_SRC := $(sort $(wildcard $(MODULES:%=src/%/*.c)))
CLI_SRC := $(sort $(wildcard src/cli/*.c))
REF_SRC := $(sort $(wildcard tests/reference/*.c))
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
BENCH_SRC := $(sort $(wildcard tests/bench/bench_*.c))
LONG_SRC := $(sort $(wildcard tests/long/long_*.c))
EXAMPLE_SRC := $(sort $(wildcard docs/examples/*.c))

LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(B)/%.o)
REF_OBJ := $(REF_SRC:%.c=$(B)/%.o)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%)
BENCH_BIN := $(BENCH_SRC:tests/bench/%.c=$(B)/bench/%)
LONG_BIN := $(LONG_SRC:tests/long/%.c=$(B)/long/%)
EXAMPLE_BIN := $(EXAMPLE_SRC:docs/examples/%.c=$(B)/examples/%)

# `make V=1` shows the commands
Q := $(if $(V),,@)
STATIC := $(B)/libburl.a
SHARED := $(B)/libburl.so.$(VERSION)
SONAME := libburl.so.$(firstword $(subst ., ,$(VERSION)))
TOOL := $(B)/burl

.PHONY: all bench-heads bench-quality bench-prints bench-features bench-ablation bench-contamination bench-update benchmarks help demo \
  check check-all check-unit check-asan check-fuzz check-cli check-headers check-structure \
  check-examples check-long check-clang check-browser bench format metrics install uninstall clean setup lib tool
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

all: lib tool $(B)/burl.pc ## build the library and the tool (default)
lib: $(STATIC) $(SHARED)
tool: $(TOOL)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 22

setup: ## install missing Debian packages (needs root or sudo)
	@scripts/setup.sh

$(B)/src/cli/%.o: src/cli/%.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(B)/src/%.o: src/%.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -Isrc -MMD -MP -c -o $@ $<
$(B)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -Isrc -Itests -MMD -MP -c -o $@ $<
$(B)/docs/%.o: docs/%.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(STATIC): $(LIB_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^
$(SHARED): $(LIB_OBJ)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--no-undefined -o $@ $^ $(LIBS)
	$(Q)ln -sf $(notdir $@) $(B)/$(SONAME)
	$(Q)ln -sf $(notdir $@) $(B)/libburl.so
$(TOOL): $(CLI_OBJ) $(STATIC)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
$(B)/burl.pc: scripts/burl.pc.in Makefile include/burl/base.h
	@mkdir -p $(@D)
	$(Q)sed -e 's|@VERSION@|$(VERSION)|' $< > $@

# Unit tests see failing allocations through wrapped allocators (tests/unit/failing.h).
WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc
$(B)/unit/%: $(B)/tests/unit/%.o $(B)/tests/unit/failing.o $(REF_OBJ) $(STATIC)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) $(WRAP) -o $@ $^ -lcmocka $(LIBS)
$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/replay.o $(STATIC)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
$(B)/fuzz/fuzz_options: $(B)/src/cli/cli_options.o $(B)/src/cli/cli_table.o
$(B)/bench/%: $(B)/tests/bench/%.o $(B)/tests/bench/timing.o $(REF_OBJ) $(STATIC)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
$(B)/long/%: $(B)/tests/long/%.o $(STATIC)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
$(B)/examples/%: $(B)/docs/examples/%.o $(STATIC)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

demo: ## from nothing to a report: sample cloth, fit, score, evaluate
	@scripts/setup.sh build
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@scripts/demo.sh $(TOOL) build/demo

check: ## build everything and run all tests
	@scripts/setup.sh check
	@$(MAKE) --no-print-directory WERROR=-Werror -j$$(nproc) check-all

check-all: check-unit check-asan check-fuzz check-cli check-headers check-structure check-examples
	@echo "all checks passed"

check-unit: $(UNIT_BIN) ## unit tests of the current variant
	@scripts/run-tests.sh $(UNIT_BIN)
check-asan: ## unit tests and fuzz corpus under AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory VARIANT=asan check-unit check-fuzz
check-fuzz: $(FUZZ_BIN) ## replay the fuzz corpus
	@for f in $(FUZZ_BIN); do $$f tests/fuzz/corpus/$$(basename $$f) || exit 1; done
check-cli: all ## command-line tests with exact output
	@tests/cli/run.sh $(TOOL)
check-headers: ## every public header compiles alone, as C17 and C++17
	@scripts/check-headers.sh
check-structure: ## who may include whom, sizes, unique names
	@scripts/check-structure.sh
check-examples: $(EXAMPLE_BIN) ## build and run the documented examples
	@for e in $(EXAMPLE_BIN); do $$e > /dev/null || { echo "example $$e failed"; exit 1; }; done
check-long: $(LONG_BIN) ## simulations that take minutes: how often intervals hold the truth
	@for t in $(LONG_BIN); do $$t || exit 1; done
check-browser: ## open a report in headless Chromium; leaves screenshots in build/browser
	@scripts/setup.sh browser
	@$(MAKE) --no-print-directory all
	@PYTHONDONTWRITEBYTECODE=1 tests/browser/check.py $(TOOL) build/browser
check-clang: ## build everything with clang, without warnings
	@$(MAKE) --no-print-directory CC=clang VARIANT=release all $(UNIT_SRC:tests/unit/%.c=build/release-clang/unit/%)

bench: $(BENCH_SRC:tests/bench/bench_%.c=bench-%) ## all benchmarks, to build/bench/NAME.jsonl
bench-%: $(B)/bench/bench_% $(TOOL)
	@mkdir -p build/bench
	@scripts/bench.sh $* $<

# DATA="SET..." [PEER=SCRIPT] [WEIGHTS=FILE, of a ResNet-18]
SEEDS ?= 1,2,3
bench-quality: $(TOOL) $(B)/bench/bench_machine ## detection quality on data sets of your own, beside a peer
	@mkdir -p build/bench
	scripts/bench-quality.py $(TOOL) $(B)/bench/bench_machine $(DATA) $(if $(PEER),--peer $(PEER)) $(if $(WEIGHTS),--weights $(WEIGHTS)) \
	  --seeds $(SEEDS) > build/bench/quality.jsonl.part
	@mv build/bench/quality.jsonl.part build/bench/quality.jsonl
# DATA="SET..." [SEEDS=1,2,3] [OUT=FILE]; of bench-features also PEER=SCRIPT: its help says what that must hold
PYTHON ?= /usr/bin/python3
bench-features: $(B)/bench/bank_npy ## prototype learners on a network's features
	$(PYTHON) scripts/bench-features.py $(PEER) $< $(DATA) --seeds $(SEEDS) $(if $(OUT),--out $(OUT))
bench-ablation: $(TOOL) ## what each setting of the prototypes is worth, on data sets of your own
	scripts/bench-ablation.py $(TOOL) $(DATA) --seeds $(SEEDS) $(if $(OUT),--out $(OUT))
bench-contamination: $(TOOL) ## what defective images among the training images cost
	scripts/bench-contamination.py $(TOOL) $(DATA) --seeds $(SEEDS) $(if $(OUT),--out $(OUT))
bench-prints: $(TOOL) ## positions on printed cloth: none, grid, periodic, auto
	@mkdir -p build/bench
	scripts/bench-prints.py $(TOOL) --seeds $(SEEDS) > build/bench/prints.jsonl.part
	@mv build/bench/prints.jsonl.part build/bench/prints.jsonl
# DATA="SET..." [LOTS="OLD NEW"]
bench-update: $(TOOL) ## what an update keeps and gains, on data sets of your own
	@mkdir -p build/bench
	scripts/bench-update.py $(TOOL) $(DATA) $(if $(LOTS),--lots $(LOTS)) --seeds $(SEEDS) \
	  > build/bench/update.jsonl.part
	@mv build/bench/update.jsonl.part build/bench/update.jsonl
# DATA="SET..." [WEIGHTS=FILE, of a ResNet-18] [SEEDS=1,2,3]
bench-heads: $(TOOL) ## what matched heads are worth, on data sets of your own
	scripts/bench-heads.py $(TOOL) $(DATA) --seeds $(SEEDS) $(if $(WEIGHTS),--weights $(WEIGHTS))
benchmarks: ## write docs/benchmarks.md from build/bench/*.jsonl
	@scripts/benchmarks.py

format: ## reformat all sources with clang-format
	clang-format -i $$(git ls-files '*.c' '*.h')
metrics: ## functions above 60 lines, files above 600, headers above 200
	@scripts/metrics.sh

install: all ## install tool, library, headers, man pages (DESTDIR, PREFIX)
	@scripts/install.sh install "$(DESTDIR)$(PREFIX)" $(B) $(VERSION)
uninstall: ## remove what install put there
	@scripts/install.sh uninstall "$(DESTDIR)$(PREFIX)" $(B) $(VERSION)

clean: ## remove build/
	rm -rf build

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(wildcard $(B)/tests/*/*.d)
