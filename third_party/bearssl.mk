# How BearSSL is compiled. Included by the Makefile; build/third_party/bearssl.mk lists its sources once it is unpacked.
#
# The host's own brssl is built once, to turn root certificates into trust anchors.

# BR_RDRAND=0: with it, 0.6 would seed from the processor's generator alone and never ask the kernel.
BEARSSL_DEFS := -DBR_RDRAND=0

BRSSL := $(BUILD)/host/brssl

$(BUILD)/third_party/bearssl.mk: third_party/bearssl.sh | deps-build
	$(Q)BUILD='$(BUILD)' third_party/bearssl.sh
	$(Q)touch $@

# -O0: it runs once, for a tenth of a second.
BRSSL_OBJ := $(patsubst %.c,$(BUILD)/host/obj/%.o,$(BEARSSL_SRC) $(BRSSL_SRC))

$(BUILD)/host/obj/%.o: $(BEARSSL)/%.c
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -O0 -w -I$(BEARSSL)/inc -I$(BEARSSL)/src -c -o $@ $<

$(BRSSL): $(BRSSL_OBJ)
	$(say) LINK $@
	$(Q)$(HOSTCC) -o $@ $^
