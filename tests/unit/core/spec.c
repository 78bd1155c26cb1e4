#include "core/spec.h"

#include "base/buf.h"
#include "support.h"

static enum record_type type_of(const char *content)
{
	if (strchr(content, ':'))
		return RECORD_AAAA;
	return content[strspn(content, "0123456789.")] ? RECORD_CNAME : RECORD_A;
}

static void set_target(struct target *t, const char *content, struct target_hosts *hosts)
{
	struct err e = {0};

	if (target_from_content(t, type_of(content), content, hosts, &e))
		fail_msg("bad spec: %s", e.text);
}

size_t spec_targets(const char *text, struct target *out, struct target_hosts *hosts)
{
	char copy[4096], *save = NULL;
	size_t n = 0;

	(void)snprintf(copy, sizeof copy, "%s", text);
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save))
		set_target(&out[n++], p, hosts);
	return n;
}

static void set_flags(struct record *r, const char *flags)
{
	for (; *flags; flags++) {
		switch (*flags) {
		case 'p': r->proxied = true; break;
		case 'u': r->is_unmarked = true; __attribute__((fallthrough));
		case 'f': r->is_ours = false; break;
		case 'm': r->state = INSTANCE_MAINTENANCE; break;
		case 'v': r->state = INSTANCE_VANISHED; break;
		case 'c': r->state = INSTANCE_CRITICAL; break;
		case 'w': r->state = INSTANCE_WARNING; break;
		case 'g': r->state = INSTANCE_PASSING; break;
		default: fail_msg("bad flag %c", *flags);
		}
	}
}

size_t spec_records(const char *text, struct record *out, struct target_hosts *hosts)
{
	char copy[4096], *save = NULL;
	size_t n = 0;

	(void)snprintf(copy, sizeof copy, "%s", text);
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		char *content = strchr(p, '='), *ttl = strchr(p, '/'), *flags;
		struct record *r = &out[n++];

		assert_true(content && ttl);
		*content++ = '\0';
		*ttl++ = '\0';
		*r = (struct record){.is_ours = true, .state = INSTANCE_VANISHED};
		(void)snprintf(r->id, sizeof r->id, "%s", p);
		set_target(&r->target, content, hosts);
		r->ttl = (uint32_t)strtoul(ttl, &flags, 10);
		set_flags(r, *flags ? flags + 1 : flags);
	}
	return n;
}

void spec_plan(const struct plan *p, char *out, size_t cap)
{
	struct buf b;

	buf_init(&b, out, cap);
	if (p->is_swap)
		buf_str(&b, "swap");
	for (size_t i = 0; i < p->ops_n; i++) {
		const struct op *op = &p->ops[i];
		char content[TARGET_TEXT_CAP] = "";

		if (b.len)
			buf_str(&b, " ");
		if (op->kind == OP_CREATE || op->kind == OP_UPDATE)
			target_format(op->target, content);
		switch (op->kind) {
		case OP_CREATE: buf_str(&b, "+"); break;
		case OP_UPDATE: buf_fmt(&b, "~%s=", op->record->id); break;
		case OP_DELETE: buf_fmt(&b, "-%s", op->record->id); break;
		case OP_HOLD:
		default: buf_fmt(&b, "!%s", op->record->id); break;
		}
		if (content[0])
			buf_fmt(&b, "%s/%u%s", content, (unsigned)op->ttl, op->proxied ? "p" : "");
	}
	assert_true(buf_ok(&b));
}
