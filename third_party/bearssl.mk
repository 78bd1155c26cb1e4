# How BearSSL is compiled. Included by the Makefile; build/third_party/bearssl.mk lists its sources once it is unpacked.
#
# The host's own brssl is built once, to turn root certificates into trust anchors.

# BR_RDRAND=0: with it, 0.6 would seed from the processor's generator alone and never ask the kernel.
BEARSSL_DEFS := -DBR_RDRAND=0

# What nothing here calls is not compiled: half of it. (brssl has it all.) What is missing after all, the linker says.
BEARSSL_OTHER := settings.c aead/% kdf/% hash/ghash_pwr8.c ec/ec_default.c ec/ecdsa_default% int/i15% int/i62% \
	ec/%_i15.c ec/ecdsa_i15% ec/%_m15.c rsa/rsa_default% rsa/rsa_i15% rsa/rsa_i32% rsa/rsa_i62% rsa/rsa_i31_keygen% \
	rsa/rsa_i31_oaep% rsa/rsa_oaep% ssl/ssl_server% ssl/ssl_scert% ssl/ssl_hs_server.c ssl/ssl_lru.c ssl/ssl_io.c ssl/ssl_rec_cbc.c ssl/ssl_rec_ccm.c \
	ssl/ssl_engine_default% ssl/ssl_client_default% ssl/ssl_client_full.c symcipher/aes_big% symcipher/aes_small% \
	symcipher/aes_pwr8% symcipher/des% symcipher/poly1305_ctmulq.c symcipher/poly1305_i15.c symcipher/chacha20_sse2.c \
	symcipher/%_cbcdec.c symcipher/%_cbcenc.c symcipher/%_ctrcbc.c x509/encode% x509/asn1enc.c x509/x509_minimal_full.c
BEARSSL_USED := $(filter-out $(BEARSSL_OTHER:%=src/%),$(BEARSSL_SRC))

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
