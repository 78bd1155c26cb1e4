# dnsbuddy's build. `make help` lists the targets; what each takes from where is said beside it.
#
#   make            build/dnsbuddy, static, stripped; build/dnsbuddy.debug beside it
#   make V=1        shows the commands;  WERROR=1 (or CI=true) makes warnings errors
#   make BUILD=dir  builds in another folder (two makes at once must not share one)
#   make ARCH=arm64 builds build/arm64/dnsbuddy, for another architecture: amd64 arm64 armhf i386; make cross: all of them
#
# Settings from the environment: CC CFLAGS LDFLAGS PREFIX DESTDIR, LTO=0, DNSBUDDY_CACHE (where downloads are kept),
# BEARSSL_TARBALL, JSMN_H, CA_BUNDLE, CONSUL_BIN; third_party/README.md describes them.

SHELL := /bin/sh
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
# All cores, unless told otherwise. A sub-make inherits its parent's choice.
ifeq ($(filter -j% --jobs%,$(MAKEFLAGS))$(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif

BUILD ?= build
# A name with a space in it is two for make.
ifneq ($(words $(CURDIR)) $(words $(BUILD)),1 1)
$(error make can build neither in a folder nor in a BUILD whose name is empty or has a space in it: '$(CURDIR)', BUILD='$(BUILD)')
endif
PREFIX ?= /usr/local
DESTDIR ?=
export BUILD

# ---- Architectures, by Debian's names --------------------------------------------------------------------------------

ARCHES := amd64 arm64 armhf i386
# of each: GNU's name, musl's; the processor, as compilers name it
NAMES_amd64 := x86_64-linux-gnu x86_64-linux-musl x86_64
NAMES_arm64 := aarch64-linux-gnu aarch64-linux-musl aarch64
NAMES_armhf := arm-linux-gnueabihf arm-linux-musleabihf arm%
NAMES_i386 := i686-linux-gnu i386-linux-musl i%86

ARCH ?=
ifneq ($(ARCH),$(filter $(ARCHES),$(firstword $(ARCH))))
$(error ARCH=$(ARCH): there is $(ARCHES))
endif
# What is built for an architecture by name; without a name for this machine's. Sources and what is generated are shared.
OUT := $(BUILD)$(addprefix /,$(ARCH))
FOREIGN := $(if $(ARCH),$(filter-out $(shell dpkg --print-architecture 2>/dev/null),$(ARCH)))

# Another architecture's compiler is Debian's, for glibc: it is told where musl is (third_party/musl.sh), which has to be
# there first. Who names another CC has one that knows; but it has to be one for that architecture, and by its name the tools
# beside it are known.
MUSL :=
PREPARED :=
TOOLS :=
ifneq ($(FOREIGN),)
TOOLS := $(if $(filter default,$(origin CC)),$(word 1,$(NAMES_$(ARCH)))-,$(patsubst %gcc,%,$(filter %-gcc,$(CC))))
endif
ifneq ($(filter default,$(origin CC))$(and $(FOREIGN),$(filter $(word 1,$(NAMES_$(ARCH)))-gcc,$(CC))),)
ifneq ($(FOREIGN),)
CC := $(TOOLS)gcc
MUSL := $(BUILD)/third_party/musl/$(ARCH)
PREPARED := $(MUSL)/version
else
CC := musl-gcc
endif
else ifneq ($(ARCH),)
CC_MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null)
ifneq ($(filter-out $(word 3,$(NAMES_$(ARCH))),$(firstword $(subst -, ,$(CC_MACHINE)))),)
$(error ARCH=$(ARCH): CC=$(CC) compiles for $(CC_MACHINE))
endif
endif
HOSTCC ?= gcc
IS_X86 := $(filter x86_64% i%86%,$(if $(ARCH),$(firstword $(NAMES_$(ARCH))),$(shell $(HOSTCC) -dumpmachine 2>/dev/null)))
AR := $(TOOLS)gcc-ar
STRIP ?= $(TOOLS)strip
OBJCOPY ?= $(TOOLS)objcopy
# Debian's own Python: the modules the tests need are Debian packages, and another python3 on PATH has none of them.
PYTHON := /usr/bin/python3

V ?= 0
Q := $(if $(filter 1,$(V)),,@)
say = @printf '  %-7s %s\n'

VERSION := $(shell cat VERSION)

# ---- Sources ---------------------------------------------------------------------------------------------------------

SRC := $(sort $(wildcard src/*/*.c src/*/*/*.c))
MAIN := src/main.c
# What the static program has before main.
START := src/start.c
# Unit tests lie in folders as in src/: a file test_*.c is a program, the others help them.
UNIT_SRC := $(sort $(wildcard tests/unit/*.c tests/unit/*/*.c tests/unit/*/*/*.c))
UNIT := $(foreach f,$(UNIT_SRC),$(if $(filter test_%,$(notdir $f)),$f))
UNIT_HELPERS := $(filter-out $(UNIT),$(UNIT_SRC))
UNIT_PROGRAMS = $(patsubst tests/unit/%.c,$(OUT)/asan/unit/%,$(UNIT))
GEN := $(BUILD)/gen
JSMN := $(BUILD)/third_party/jsmn
GEN_HEADERS := $(GEN)/version.h $(GEN)/trust_anchors.h $(JSMN)/jsmn.h

BEARSSL := $(BUILD)/third_party/bearssl

# The list of BearSSL's files exists once it is unpacked: make fetches it, then starts over. Not for targets that compile
# nothing.
DEPS := deps-build deps-demo deps-test deps-bench deps-lint deps-fuzz deps-man deps-dist deps-test-dist deps-qemu deps-cross $(ARCHES:%=deps-cross-%)
NO_SOURCES := help clean distclean deps $(DEPS) consul image fmt man readme dist test-dist
ifneq ($(filter-out $(NO_SOURCES),$(or $(MAKECMDGOALS),all)),)
include $(BUILD)/third_party/bearssl.mk
endif
include third_party/bearssl.mk

comma := ,

# ---- Flags -----------------------------------------------------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes -Wcast-qual -Wformat=2 -Wvla -Wundef
ifneq ($(filter 1 true yes,$(WERROR) $(CI)),)
WARN += -Werror
endif

# Plain POSIX, and what every libc adds to it (explicit_bzero, timegm).
CPP := -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Isrc -I$(GEN) -isystem $(BEARSSL)/inc -isystem $(JSMN)
# No path of this machine and no folder name in the binary or its debug information.
MAP := -ffile-prefix-map=$(abspath $(BUILD))=build -ffile-prefix-map=$(CURDIR)=.

CFLAGS ?= -Oz -g
LTO ?= 1
# One partition: functions of one kind are folded across all of it.
LTO_FLAGS := $(if $(filter 1,$(LTO)),-flto=auto -flto-partition=one -fno-fat-lto-objects)
# No unwind tables: nothing unwinds at run time, and the debugger reads .debug_frame. A canary in every function with an
# array of characters: -strong, with one wherever an address of a local is taken, would be 13 kB more.
HARDEN := -fPIE -fstack-protector
# Without what costs room rather than winning it, found by trying: 4 kB.
SMALLER := -fno-move-loop-invariants -fno-tree-dominator-opts -fno-tree-loop-im -fno-caller-saves -fno-thread-jumps \
	-fno-optimize-sibling-calls -fno-ipa-sra -fno-jump-tables
SMALL := $(SMALLER) -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-ident \
	$(if $(IS_X86),-malign-data=abi)
# Asked once, and not before the compiler is there.
GCC_INCLUDE = $(eval GCC_INCLUDE := $$(shell $(CC) -print-file-name=include))$(GCC_INCLUDE)
MUSL_CC = $(CC)$(if $(MUSL), -nostdinc -isystem $(MUSL)/usr/include/$(word 2,$(NAMES_$(ARCH))) -isystem $(GCC_INCLUDE))
release_CC = $(MUSL_CC)
release_FLAGS := $(CFLAGS) -DNDEBUG $(HARDEN) $(SMALL) $(LTO_FLAGS) $(MAP)

# AddressSanitizer and UndefinedBehaviorSanitizer need glibc: the host's compiler.
asan_CC := $(HOSTCC)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
asan_FLAGS := -O1 -g -fno-omit-frame-pointer $(SANITIZE) $(MAP)
cover_CC := $(HOSTCC)
cover_FLAGS := -O0 -g --coverage

# musl-gcc's specs know -static and shared programs only. A static-pie needs rcrt1.o, which relocates the program itself
# before main: so the compiler behind musl-gcc links, with musl's start files named one by one. gcc's own are for C++.
LINK_FLAGS := -Wl,-z,norelro,-z,now,-z,noexecstack,-z,separate-code -Wl,--gc-sections -Wl,--build-id=sha1 -Wl,--as-needed
ifneq ($(if $(FOREIGN),,$(findstring musl-gcc,$(CC)))$(MUSL),)
ifneq ($(MUSL),)
REALGCC := $(CC)
MUSL_LIB := $(MUSL)/usr/lib/$(word 2,$(NAMES_$(ARCH)))
else
REALGCC ?= gcc
MUSL_LIB ?= /usr/lib/$(patsubst %-gnu,%-musl,$(shell $(REALGCC) -print-multiarch))
endif
# Where what lies in memory and in the file: scripts/dense.ld says it. Its relocations take a bit each where the linker can
# pack them; src/start.c unpacks them, and closes what nobody writes to any more (full RELRO).
LINK_SCRIPT := $(OUT)/release/dense.ld
# There are machines of ARM whose pages are of 64 kB, and some NAS of 32 bit among them; of arm64 the linker knows.
PAGES := $(if $(filter armhf,$(or $(ARCH),$(shell dpkg --print-architecture 2>/dev/null))),-Wl$(comma)-z$(comma)max-page-size=0x10000)
DENSE_FLAGS := -Wl,--wrap=__libc_start_main -Wl,--spare-dynamic-tags=0 -Wl,--no-eh-frame-hdr \
	$(if $(IS_X86),-Wl$(comma)-z$(comma)pack-relative-relocs) $(PAGES)
# Of ARM, libgcc's division names what unwinds the stack, which nobody does.
NO_UNWINDING := -Wl,--defsym=__aeabi_unwind_cpp_pr0=0
# By their names, the functions that who is at rest does not need lie together: the kernel brings in code by 64 kB.
SELDOM := $(foreach f,br_ xm_ sha2 api_ c255_ point_ mul cert_ der_ tls_ verify_ config_ values_ reading_ containerbuddy_ template_ command_ \
	reconcile_ round_ zone_ report_ watch_ services_ service_watch_ service_reader_ places_ catalog_ discover claim tag_ tags_ leader_ worker_ plan_ cf_ \
	observe_ apply_ drain_ authority_ print_ help_ managed_ render_html,.text.$(f)*)
release_LINK = $(REALGCC) -static-pie -nostdlib $(release_FLAGS) $(LINK_FLAGS) $(DENSE_FLAGS) $(NO_UNWINDING) -Wl,-T,$(LINK_SCRIPT) $(LDFLAGS) \
	$(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o $(1) -L$(MUSL_LIB) -Wl,--start-group -lc -lgcc -Wl,--end-group $(MUSL_LIB)/crtn.o
release_START = $(call objects,release,$(START))
else
release_LINK = $(CC) -static-pie $(release_FLAGS) $(LINK_FLAGS) $(LDFLAGS) $(1)
endif

# ---- Variants: release, asan, cover; each its own tree of objects ----------------------------------------------------

# $(call objects,VARIANT,SOURCES)
objects = $(patsubst %.c,$(OUT)/$(1)/obj/%.o,$(2))

WORLD_WRAPS := $(addprefix -Wl$(comma)--wrap=,clock_now_ms clock_cpu_us driver_random poll memory_reserve http_start http_step http_is_busy http_wants http_close)

# Not of BearSSL, which wraps by intent.
WRAP_SANITIZE := -fsanitize=undefined,unsigned-integer-overflow,implicit-conversion

define variant
$(1)_OBJ := $(call objects,$(1),$(SRC)) $(OUT)/$(1)/obj/gen/trust_anchors.o
$(1)_LIB := $(OUT)/$(1)/libbearssl.a

$(OUT)/$(1)/obj/src/%.o: src/%.c $(OUT)/$(1)/flags | $(GEN_HEADERS)
	@mkdir -p $$(@D)
	$$(say) CC $$<
	$$(Q)$$($(1)_CC) $$(CPP) $$(WARN) $$($(1)_FLAGS) -MMD -MP -c -o $$@ $$<

$(OUT)/$(1)/obj/tests/unit/%.o: tests/unit/%.c $(OUT)/$(1)/flags | $(GEN_HEADERS)
	@mkdir -p $$(@D)
	$$(say) CC $$<
	$$(Q)$$($(1)_CC) $$(CPP) -Itests/unit $$(WARN) $$($(1)_FLAGS) -MMD -MP -c -o $$@ $$<

$(OUT)/$(1)/obj/gen/%.o: $(GEN)/%.c $(OUT)/$(1)/flags
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_CC) $$(CPP) $$($(1)_FLAGS) -w -c -o $$@ $$<

# A third party's code at its own warnings.
$(OUT)/$(1)/obj/bearssl/%.o: $(BEARSSL)/%.c $(OUT)/$(1)/flags
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_CC) -w $$(BEARSSL_DEFS) $$($(1)_BEARSSL_DEFS) -I$(BEARSSL)/inc -I$(BEARSSL)/src \
		$$(filter-out --coverage $$(WRAP_SANITIZE),$$($(1)_FLAGS)) -c -o $$@ $$<

# By .SECONDARY an object that is not there yet makes no archive old: what chooses them does.
$$($(1)_LIB): $(patsubst %.c,$(OUT)/$(1)/obj/bearssl/%.o,$(BEARSSL_USED)) third_party/bearssl.mk
	$$(say) AR $$@
	@rm -f $$@
	$$(Q)$$(AR) rcsD $$@ $$(filter %.o,$$^)

# Unit tests: one program per file, with everything but main.
$(OUT)/$(1)/unit/%: $(OUT)/$(1)/obj/tests/unit/%.o $(call objects,$(1),$(UNIT_HELPERS)) $$($(1)_OBJ) $$($(1)_LIB)
	@mkdir -p $$(@D)
	$$(say) LINK $$@
	$$(Q)$$(or $$($(1)_UNIT_LINK),$$($(1)_CC) $$($(1)_FLAGS) $$(WRAPS) -o $$@ $$^ -lcmocka)

# A watch in its scripted world (tests/unit/watch/world.h): these come from there.
$(addprefix $(OUT)/$(1)/unit/watch/,test_watch test_watch_life test_watch_lock test_worker test_discovery test_services test_places): WRAPS := $(WORLD_WRAPS)

# Other flags than last time: everything of this variant is compiled again. Warnings do not change what is built.
$(OUT)/$(1)/flags: FORCE | $(PREPARED)
	@mkdir -p $$(@D)
	@printf '%s\n' '$$($(1)_CC) $$(CPP) $$($(1)_FLAGS) $$(BEARSSL_DEFS) $$($(1)_BEARSSL_DEFS)' | cmp -s - $$@ || \
		printf '%s\n' '$$($(1)_CC) $$(CPP) $$($(1)_FLAGS) $$(BEARSSL_DEFS) $$($(1)_BEARSSL_DEFS)' >$$@

-include $(patsubst %.o,%.d,$(call objects,$(1),$(SRC) $(MAIN) $(START) $(UNIT) $(UNIT_HELPERS)))
endef

$(foreach v,release asan cover ubsan wrap,$(eval $(call variant,$(v))))

# BearSSL reads words at odd addresses where the machine allows it; the C standard does not.
asan_BEARSSL_DEFS := -DBR_LE_UNALIGNED=0 -DBR_BE_UNALIGNED=0

# UndefinedBehaviorSanitizer where no glibc is: on musl, of any architecture, what it finds ends the program by a trap. So
# does cmocka as far as the unit tests use it (tests/cross/cmocka.h), since Debian's needs glibc.
ubsan_CC = $(MUSL_CC)
ubsan_FLAGS := -O1 -g -fPIE -fsanitize=undefined -fsanitize-undefined-trap-on-error -Itests/cross $(MAP)
ubsan_BEARSSL_DEFS := $(asan_BEARSSL_DEFS)
ubsan_UNIT_LINK = $(REALGCC) -static-pie -nostdlib -Wl,--no-dynamic-linker $(NO_UNWINDING) $(ubsan_FLAGS) $(WRAPS) -o $@ $(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o $^ \
	-L$(MUSL_LIB) -Wl,--start-group -lc -lgcc -Wl,--end-group $(MUSL_LIB)/crtn.o
UBSAN_PROGRAMS := $(addprefix $(OUT)/ubsan/unit/,$(or $(UNITS),$(patsubst tests/unit/%.c,%,$(UNIT))))
$(UBSAN_PROGRAMS): $(OUT)/ubsan/obj/tests/cross/cmocka.o

$(OUT)/ubsan/obj/tests/cross/%.o: tests/cross/%.c $(OUT)/ubsan/flags
	@mkdir -p $(@D)
	$(Q)$(ubsan_CC) $(CPP) $(WARN) $(ubsan_FLAGS) -c -o $@ $<

# Clang's sees unsigned numbers that wrap and values that a conversion cuts off, too: tests/cross/wrap.c tells of them.
wrap_CC = clang --target=$(word 1,$(NAMES_$(ARCH))) -nostdinc -isystem $(MUSL)/usr/include/$(word 2,$(NAMES_$(ARCH))) \
	-isystem $(CLANG_INCLUDE)
CLANG_INCLUDE = $(eval CLANG_INCLUDE := $$(shell clang -print-resource-dir)/include)$(CLANG_INCLUDE)
wrap_FLAGS := -O1 -g -fPIE $(WRAP_SANITIZE) -Itests/cross $(MAP)
wrap_BEARSSL_DEFS := $(asan_BEARSSL_DEFS)
wrap_UNIT_LINK = $(subst $(ubsan_FLAGS),,$(ubsan_UNIT_LINK))
WRAP_PROGRAMS := $(addprefix $(OUT)/wrap/unit/,$(or $(UNITS),$(patsubst tests/unit/%.c,%,$(UNIT))))
$(WRAP_PROGRAMS): $(call objects,wrap,tests/cross/cmocka.c tests/cross/wrap.c)

$(OUT)/wrap/obj/tests/cross/%.o: tests/cross/%.c $(OUT)/wrap/flags
	@mkdir -p $(@D)
	$(Q)$(wrap_CC) $(CPP) $(filter-out $(WRAP_SANITIZE),$(wrap_FLAGS)) -c -o $@ $<

# ---- Fuzzers: a fourth variant, by clang, with one program per target; and the targets in a unit test ----------------

FUZZ_TARGETS := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SRC := tests/fuzz/fuzz.c $(FUZZ_TARGETS)
FUZZERS := $(patsubst tests/fuzz/%.c,$(OUT)/fuzz/%,$(FUZZ_TARGETS))

fuzz_CC := clang
fuzz_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link $(SANITIZE) $(MAP)
fuzz_BEARSSL_DEFS := $(asan_BEARSSL_DEFS)
$(eval $(call variant,fuzz))

define fuzz_objects
$(OUT)/$(1)/obj/tests/fuzz/%.o: tests/fuzz/%.c $(OUT)/$(1)/flags | $(GEN_HEADERS)
	@mkdir -p $$(@D)
	$$(say) CC $$<
	$$(Q)$$($(1)_CC) $$(CPP) -Itests/fuzz $$(WARN) $$($(1)_FLAGS) -MMD -MP -c -o $$@ $$<

# The unit test that gives every file of the corpus to its target.
$(OUT)/$(1)/obj/tests/unit/test_corpus.o: CPP += -Itests/fuzz
$(OUT)/$(1)/unit/test_corpus: $(call objects,$(1),$(FUZZ_SRC))

-include $(patsubst %.o,%.d,$(call objects,$(1),$(FUZZ_SRC)))
endef

$(foreach v,asan cover fuzz ubsan wrap,$(eval $(call fuzz_objects,$(v))))

$(FUZZERS): $(OUT)/fuzz/%: tests/fuzz/entry.c $(call objects,fuzz,tests/fuzz/fuzz.c) \
		$(OUT)/fuzz/obj/tests/fuzz/%.o $(fuzz_OBJ) $(fuzz_LIB)
	$(say) LINK $@
	$(Q)$(fuzz_CC) $(CPP) -Itests/fuzz -DFUZZ_TARGET=$* $(fuzz_FLAGS) -fsanitize=fuzzer -o $@ $^

# ---- The simulated world: a fifth variant, fast; and once under the sanitizers ----------------------------------------

SIM_SRC := $(sort $(wildcard tests/sim/*.c))
SIM_WRAPS := $(WORLD_WRAPS) $(addprefix -Wl$(comma)--wrap=,clock_wall_sec clock_entropy memory_release write getpid)

sim_CC := $(HOSTCC)
sim_FLAGS := -O2 -g $(MAP)
$(eval $(call variant,sim))

define sim_objects
$(OUT)/$(1)/obj/tests/sim/%.o: tests/sim/%.c $(OUT)/$(1)/flags | $(GEN_HEADERS)
	@mkdir -p $$(@D)
	$$(say) CC $$<
	$$(Q)$$($(1)_CC) $$(CPP) -Itests $$(WARN) $$($(1)_FLAGS) -MMD -MP -c -o $$@ $$<

$(OUT)/$(1)/sim: $(call objects,$(1),$(SIM_SRC)) $$($(1)_OBJ) $$($(1)_LIB)
	$$(say) LINK $$@
	$$(Q)$$($(1)_CC) $$($(1)_FLAGS) $(SIM_WRAPS) -o $$@ $$^

-include $(patsubst %.o,%.d,$(call objects,$(1),$(SIM_SRC)))
endef

$(foreach v,asan sim,$(eval $(call sim_objects,$(v))))

# ---- What is generated -----------------------------------------------------------------------------------------------

$(GEN)/version.h: VERSION
	@mkdir -p $(@D)
	$(Q)printf '#define DNSBUDDY_VERSION "%s"\n' '$(VERSION)' >$@

$(JSMN)/jsmn.h: third_party/jsmn.sh | deps-build
	$(Q)third_party/jsmn.sh
	$(Q)touch $@

$(GEN)/trust_anchors.c $(GEN)/trust_anchors.h &: $(BRSSL) third_party/trust_anchors.sh third_party/trust_anchors.awk
	@mkdir -p $(@D)
	$(Q)third_party/trust_anchors.sh $(abspath $(BRSSL)) $(abspath $(GEN))/trust_anchors.c $(abspath $(GEN))/trust_anchors.h

$(OUT)/release/dense.ld: scripts/dense.ld Makefile
	@mkdir -p $(@D)
	$(Q)sed 's/@SELDOM@/$(SELDOM)/' $< >$@

ifneq ($(PREPARED),)
$(PREPARED): third_party/musl.sh | deps-build
	$(Q)third_party/musl.sh $(ARCH)
	$(Q)touch $@
endif

# ---- The program -----------------------------------------------------------------------------------------------------

# Linked with its debug information, then split: what is shipped names the file its symbols are in.
$(OUT)/release/dnsbuddy: $(release_START) $(call objects,release,$(MAIN)) $(release_OBJ) $(release_LIB) $(LINK_SCRIPT)
	$(say) LINK $@
	$(Q)$(call release_LINK,$(filter-out %.ld,$^)) -Wl,-Map=$@.map -o $@
	$(if $(LINK_SCRIPT),$(Q)scripts/relro.sh $@)

$(OUT)/dnsbuddy: $(OUT)/release/dnsbuddy
	$(say) STRIP $@
	$(Q)$(OBJCOPY) --only-keep-debug --compress-debug-sections=zlib $< $@.debug
	$(Q)chmod -x $@.debug
	$(Q)$(STRIP) --strip-all -R .comment -o $@.new $<
	$(Q)cd $(@D) && $(OBJCOPY) --add-gnu-debuglink=dnsbuddy.debug dnsbuddy.new && mv dnsbuddy.new dnsbuddy

$(OUT)/asan/dnsbuddy: $(call objects,asan,$(MAIN)) $(asan_OBJ) $(asan_LIB)
	$(say) LINK $@
	$(Q)$(asan_CC) $(asan_FLAGS) -o $@ $^

.PHONY: FORCE
FORCE:

# ---- The manual and completions, from the tables that the program is made of -----------------------------------------

MAN := $(addprefix $(BUILD)/,man/dnsbuddy.1 man/dnsbuddy.json.5 completions/dnsbuddy.bash completions/_dnsbuddy completions/dnsbuddy.fish)
MANUAL = PYTHONDONTWRITEBYTECODE=1 $(PYTHON) scripts/manual/make.py

$(MAN) &: $(wildcard scripts/manual/*.py docs/man/*.in src/*/*.def) src/config/values.h src/core/record.h VERSION | deps-man
	$(say) MAN $(BUILD)/man
	$(Q)$(MANUAL) $(BUILD)

# ---- Targets ---------------------------------------------------------------------------------------------------------

.PHONY: all debug asan gen cross $(ARCHES:%=cross-%) ubsan wrap wrap-programs test-cross unit check test demo pictures bench lint fmt cover sim sim-bugs fuzz size reproducible image test-image test-example test-rolling install clean \
	distclean help deps $(DEPS) consul

all: $(OUT)/dnsbuddy ## build build/dnsbuddy, the static program (the default); ARCH=arm64: build/arm64/dnsbuddy

cross: $(ARCHES:%=cross-%) ## build it for amd64, arm64, armhf and i386: build/ARCH/dnsbuddy
	$(Q)stat -c '%8s  %n' $(ARCHES:%=$(BUILD)/%/dnsbuddy)

# What they share is there before they begin.
$(ARCHES:%=cross-%): cross-%: | gen deps-cross
	$(Q)$(MAKE) --no-print-directory ARCH=$* all

# The unit tests of one architecture, for test-cross; UNITS: some.
ubsan: $(UBSAN_PROGRAMS)

# See tests/cross/README.md.
wrap:
	$(if $(ARCH),,$(error wrap: for which of ARCH=$(ARCHES)?))
	$(Q)scripts/deps.sh lint qemu cross-$(ARCH)
	$(Q)$(MAKE) --no-print-directory wrap-programs
	$(Q)scripts/wrap.sh $(OUT) $(WRAP_PROGRAMS)

wrap-programs: $(WRAP_PROGRAMS)

test-cross: ## run the tests of each architecture, by qemu-user (QUICK=1: a few of them; ARCH: one)
	$(Q)scripts/deps.sh build test cross qemu
	$(Q)PYTHON=$(PYTHON) QUICK=$(QUICK) scripts/test-cross.sh $(ARCH)

asan: $(OUT)/asan/dnsbuddy ## build build/asan/dnsbuddy, the program under AddressSanitizer and UBSan

gen: $(GEN_HEADERS) ## fetch the third-party parts and generate headers only

check: deps-test ## quick: unit tests only, under the sanitizers
	$(Q)$(MAKE) --no-print-directory unit
	$(Q)scripts/test.sh unit $(UNIT_PROGRAMS)

test: deps-test ## every test: unit, then end to end with a real Consul
	$(Q)$(MAKE) --no-print-directory all asan unit $(OUT)/asan/sim $(OUT)/sim/sim
	$(Q)PYTHON=$(PYTHON) scripts/test.sh all $(UNIT_PROGRAMS)

unit: $(UNIT_PROGRAMS)

demo: all deps-demo ## watch it work: Consul, a Cloudflare stand-in and DNS on this machine
	$(Q)DNSBUDDY="$${DNSBUDDY:-$(abspath $(OUT))/dnsbuddy}" scripts/demo.sh

pictures: all deps-test ## make README's pictures (docs/pictures) anew, from the running program
	$(Q)CONSUL_BIN="$$(scripts/consul.sh)" DNSBUDDY='$(abspath $(OUT))/dnsbuddy' $(PYTHON) tests/pictures/make.py

bench: all deps-bench ## measure against a bash+curl+jq handler and an earlier commit (QUICK=1: roughly); writes build/bench.json
	$(Q)scripts/before.sh
	$(Q)CONSUL_BIN="$$(scripts/consul.sh)" DNSBUDDY='$(abspath $(OUT))/dnsbuddy' $(PYTHON) tests/bench/run.py $(if $(QUICK),--quick)

lint: deps-lint ## warnings, include rules, clang-tidy, cppcheck, shellcheck, house limits
	$(Q)$(MAKE) --no-print-directory gen
	$(Q)CPP='$(CPP)' WARN='$(filter-out -Werror,$(WARN))' PYTHON=$(PYTHON) scripts/lint.sh

fmt: deps-lint ## check the layout of the C sources with clang-format (FIX=1 rewrites them)
	$(Q)find src tests -name '*.[ch]' | sort | xargs clang-format $(if $(FIX),-i,--dry-run -Werror)

cover: deps-test deps-lint ## line and branch coverage of the unit tests
	$(Q)$(MAKE) --no-print-directory $(patsubst tests/unit/%.c,$(OUT)/cover/unit/%,$(UNIT))
	$(Q)find $(OUT)/cover -name '*.gcda' -delete
	$(Q)for t in $(patsubst tests/unit/%.c,$(OUT)/cover/unit/%,$(UNIT)); do $$t >/dev/null 2>&1 || echo "failed: $$t"; done
	$(Q)gcovr --root . --filter src/ --object-directory $(OUT)/cover --print-summary --txt $(OUT)/cover/summary.txt \
		--html-details $(OUT)/cover/index.html
	$(Q)cat $(OUT)/cover/summary.txt

sim: deps-test ## simulated days of watch, Consul and Cloudflare, by seed (SIM_DAYS, default 10000; SIM_SEED, default 1)
	$(Q)$(MAKE) --no-print-directory $(OUT)/sim/sim
	$(Q)$(OUT)/sim/sim --seed $(or $(SIM_SEED),1) --days $(or $(SIM_DAYS),10000) --jobs $(or $(SIM_JOBS),$(shell nproc))

sim-bugs: deps-test ## the simulated world has to find each bug of tests/sim/bugs (BUGS: some); writes the table of docs/simulation.md
	$(Q)$(MAKE) --no-print-directory $(OUT)/sim/sim
	$(Q)SIM_COMPILE='$(sim_CC) $(CPP) $(sim_FLAGS)' SIM_LINK='$(sim_CC) $(sim_FLAGS) $(SIM_WRAPS)' \
		SIM_OBJECTS='$(call objects,sim,$(SIM_SRC)) $(sim_OBJ) $(sim_LIB)' \
		$(PYTHON) tests/sim/bugs.py $(or $(BUGS),--table docs/simulation.md)

fuzz: deps-fuzz ## run the fuzzers of tests/fuzz for FUZZ_SECONDS each (default 20)
	$(Q)$(MAKE) --no-print-directory $(FUZZERS)
	$(Q)tests/fuzz/run.sh $(FUZZERS)

size: all ## how large the program is, and what in it
	$(Q)NM=$(TOOLS)nm SIZE=$(TOOLS)size scripts/size.sh $(OUT)

reproducible: deps-build ## build twice in two folders and compare the bytes (ARCH: for another architecture)
	$(Q)ARCH=$(ARCH) scripts/reproducible.sh

image: ## build the container image (needs a Docker engine)
	$(Q)scripts/image.sh

test-image: deps-build ## build the image where no engine runs, and test it
	$(Q)scripts/test-image.sh

.PHONY: dist test-dist image-index
dist: deps-dist ## what is released, for four architectures, in build/dist (DIST_ARCHS: some of them; ARCH: one)
	$(Q)PYTHON=$(PYTHON) DIST_ARCHS='$(or $(DIST_ARCHS),$(ARCH))' scripts/dist.sh

test-dist: deps-test-dist ## make all of that twice, compare it, and look at it as those who get it will; as root also install it
	$(Q)PYTHON=$(PYTHON) DIST_ARCHS='$(or $(DIST_ARCHS),$(ARCH))' scripts/test-dist.sh

image-index: deps-dist ## one image index for the four architectures, in build/oci, and each image run once
	$(Q)SOURCE_DATE_EPOCH=$$(packaging/epoch.sh) $(MAKE) --no-print-directory cross
	$(Q)PYTHON=$(PYTHON) scripts/image-index.sh '$(abspath $(BUILD))/oci' \
		$(foreach a,$(ARCHES),$(a)='$(abspath $(BUILD))/$(a)/dnsbuddy')

test-example: all ## type the example's commands, and see what comes of them, in an engine of its own
	$(Q)DNSBUDDY='$(abspath $(OUT))/dnsbuddy' tests/rolling/with-engine.sh tests/rolling/example.sh

test-rolling: all ## replace every container under load, in an engine of its own; writes build/rolling/
	$(Q)DNSBUDDY='$(abspath $(OUT))/dnsbuddy' tests/rolling/with-engine.sh $(PYTHON) tests/rolling/rolling.py $(ROLLING_ARGS)

.PHONY: man readme
man: $(MAN) ## make the manual pages and the completions of shells: build/man, build/completions

readme: deps-man ## write README.md's table of settings anew
	$(Q)$(MANUAL) --readme

install: all man ## install under $(DESTDIR)$(PREFIX): the program, its manual, completions
	install -D -m 755 $(OUT)/dnsbuddy '$(DESTDIR)$(PREFIX)/bin/dnsbuddy'
	install -D -m 644 $(BUILD)/man/dnsbuddy.1 '$(DESTDIR)$(PREFIX)/share/man/man1/dnsbuddy.1'
	install -D -m 644 $(BUILD)/man/dnsbuddy.json.5 '$(DESTDIR)$(PREFIX)/share/man/man5/dnsbuddy.json.5'
	install -D -m 644 $(BUILD)/completions/dnsbuddy.bash '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/dnsbuddy'
	install -D -m 644 $(BUILD)/completions/_dnsbuddy '$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_dnsbuddy'
	install -D -m 644 $(BUILD)/completions/dnsbuddy.fish '$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/dnsbuddy.fish'

consul: ## print the path of a real Consul, fetching one if there is none
	$(Q)scripts/consul.sh

deps: ## install what building, testing, measuring and linting need (Debian)
	$(Q)scripts/deps.sh build test bench lint

# Another architecture's compiler is asked for with the rest, and what the targets named will ask for later, too: one line to
# type for who cannot install.
LATER := $(foreach pair,install:man cross:cross check:test test:test demo:demo pictures:test bench:bench lint:lint cover:test cover:lint sim:test \
	sim-bugs:test fuzz:fuzz image-index:dist test-cross:test test-cross:cross test-cross:qemu test-image:test test-image:image test-example:rolling \
	test-rolling:rolling,$(if $(filter $(firstword $(subst :, ,$(pair))),$(MAKECMDGOALS)),$(lastword $(subst :, ,$(pair)))))
$(DEPS): deps-%:
	$(Q)scripts/deps.sh build $(sort $(filter-out build,$* $(LATER)) $(if $(PREPARED),cross-$(ARCH)))

clean: ## remove everything built (downloads stay)
	$(Q)find $(BUILD) -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} + 2>/dev/null || :

distclean: ## remove the downloads too
	$(Q)rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'
