# make            build the release executable build/release/run_sae_analysis
# make demo       build, fetch the demo model, run both analyses on it, show the results
# make test       build and run every test
# make wheel      the Python wheel, which needs none of this on the machines it runs on: build/wheel/dist (Debian 12)
# make test-arm   cross-build for aarch64 and run the unit tests of most folders under qemu
# make bench      operators' benchmarks, then whole runs against PyTorch (hours; BENCH=small: minutes; see CONTRIBUTING.md)
# make lint       clang-format and clang-tidy, warnings are errors
# make lint-deep  the same over the tests too, with the static analyser
# make sanitize   unit tests and whole runs under ASan and UBSan, what runs on several threads under TSan (SANITIZE=quick: no whole runs)
# make fuzz       run every fuzz target for SECONDS (20)
# make screenshot the README's picture of the report, from the demo's
# make format     let clang-format rewrite the sources
# make goldens    make the tests' goldens again from the Python stack (see CONTRIBUTING.md)

PRESET ?= release
BUILD := build/$(PRESET)
DEMO_MODEL = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/saescope/demo/SmolLM2-135M-Instruct.Q4_1.gguf
PYTHON ?= python3
BENCH ?= full
BENCH_FLAGS ?=
ISA ?= native
SECONDS ?= 20
JOBS ?= 1
EXECUTABLE := $(BUILD)/run_sae_analysis

# The folders whose unit tests run under an emulator; cross_test has those of sae, and the goldens of tiny models.
ARM_TESTS := $(addsuffix _test,base tensor formats text ops model analysis) cross_test

.PHONY: build demo test wheel test-arm bench sanitize fuzz test-data lint lint-deep format screenshot goldens packages packages-dev clean

build: packages
	@cmake --preset $(PRESET) > /dev/null || { cmake --preset $(PRESET); exit 1; }
	@cmake --build --preset $(PRESET) --target run_sae_analysis

packages:
	@tools/install_packages.sh build

packages-dev:
	@tools/install_packages.sh build develop

demo: build
	@tools/install_packages.sh demo
	@tools/demo.sh $(EXECUTABLE)

# What the tests read besides the repository. Without a network the tests that need it are skipped, loudly.
test-data: packages-dev
	@tools/fetch_demo_model.sh || echo "warning: without the demo model its tests are skipped" >&2
	@tools/fetch_gemma3.sh || echo "warning: without Gemma 3 270M its test is skipped" >&2
	@tools/fetch_tokenizers.sh || echo "warning: without the real tokenizers their tests are skipped" >&2
	@tools/fetch_browser_tests.sh $(BUILD)/browser_tests || echo "warning: without playwright-core the page's tests are skipped" >&2
	@tools/fetch_uv.sh build/tools || echo "warning: without uv its test is skipped" >&2

test: build test-data
	@cmake --build --preset $(PRESET)
	@ctest --preset $(PRESET) -j 2

wheel:
	@tools/install_packages.sh build wheel
	@tools/make_wheel.sh build/wheel/dist

test-arm:
	@tools/install_packages.sh build arm
	@tools/make_sysroot.sh arm64 build/sysroot/arm64
	@cmake --preset aarch64 > /dev/null
	@cmake --build --preset aarch64 --target $(ARM_TESTS)
	@tools/run_emulated.sh build/aarch64 build/sysroot/arm64 $(filter-out cross_test,$(ARM_TESTS))

bench: build packages-dev
	@tools/fetch_demo_model.sh && tools/fetch_tokenizers.sh
	@cmake --preset $(PRESET) -DSAESCOPE_BENCH=ON > /dev/null
	@cmake --build --preset $(PRESET) --target ops_bench text_bench
	@$(BUILD)/bench/ops_bench $(if $(filter smoke,$(BENCH)),--benchmark_min_time=0.01)
	@$(BUILD)/bench/text_bench $(if $(filter smoke,$(BENCH)),--benchmark_min_time=0.01)
	@$$(PYTHON=$(PYTHON) tools/bench_python.sh) bench/gemm.py --ops-bench $(BUILD)/bench/ops_bench \
	  $(if $(filter smoke,$(BENCH)),--smoke) --isa $(ISA)
	@$$(PYTHON=$(PYTHON) tools/bench_python.sh) bench/end_to_end.py --isa $(ISA) --executable $(EXECUTABLE) \
	  --ops-bench $(BUILD)/bench/ops_bench $(if $(filter smoke,$(BENCH)),--smoke,--size $(BENCH)) $(BENCH_FLAGS)

lint lint-deep: packages-dev
	@tools/lint.sh $(if $(filter lint-deep,$@),deep)

sanitize: packages-dev
	@tools/sanitize.sh $(SANITIZE)

fuzz: packages-dev
	@JOBS=$(JOBS) tools/fuzz.sh $(SECONDS)

format: packages-dev
	@git ls-files '*.h' '*.cc' | xargs clang-format -i

screenshot: demo test-data
	@SAESCOPE_PLAYWRIGHT=$(BUILD)/browser_tests node tests/page/readme_picture.mjs results/demo/report.html docs/report.png

goldens:
	@tools/oracle/regenerate.sh "$(DEMO_MODEL)" "$(PYTHON)"

clean:
	@rm -rf build
