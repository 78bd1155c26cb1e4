#include "consul/lock.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "consul/place.h"
#include "net/http/url.h"

void consul_session_create_target(struct buf *b, const struct job *place)
{
	buf_str(b, "/v1/session/create");
	consul_place_add(b, place);
}

void consul_session_create_body(struct buf *b, const char *name, unsigned ttl_sec,
				unsigned lock_delay_sec)
{
	buf_str(b, "{\"Name\":");
	buf_json_string(b, name);
	buf_fmt(b, ",\"TTL\":\"%us\",\"LockDelay\":\"%us\",\"Behavior\":\"release\"}", ttl_sec,
		lock_delay_sec);
}

int consul_session_create_read(const struct consul_answer *a, char id[CONSUL_SESSION_CAP],
			       struct err *e)
{
	if (json_parse(a->body, a->len, e))
		return -1;
	if (json_string(json_get(0, "ID"), id, CONSUL_SESSION_CAP) || !id[0] || url_has_dots(id))
		return err_set(e, ERR_PROTO, "a session without ID");
	return 0;
}

void consul_session_renew_target(struct buf *b, const char *id, const struct job *place)
{
	buf_str(b, "/v1/session/renew/");
	buf_url_part(b, id);
	consul_place_add(b, place);
}

void consul_session_destroy_target(struct buf *b, const char *id, const struct job *place)
{
	buf_str(b, "/v1/session/destroy/");
	buf_url_part(b, id);
	consul_place_add(b, place);
}

/* Whole seconds out of Go's notation: "30s", "1m0s", "1h2m3s". */
static int parse_duration(const char *s, unsigned *sec)
{
	unsigned total = 0;

	while (*s) {
		uint64_t n;
		char digits[12];
		size_t len = strspn(s, "0123456789");

		if (!len || str_copy_n(digits, sizeof digits, s, len) ||
		    str_u64(digits, 100000, &n))
			return -1;
		switch (s[len]) {
		case 'h': n *= 3600; break;
		case 'm': n *= 60; break;
		case 's': break;
		default: return -1;
		}
		total += (unsigned)n;
		s += len + 1;
	}
	*sec = total;
	return 0;
}

int consul_session_renew_read(const struct consul_answer *a, unsigned *ttl_sec, struct err *e)
{
	char ttl[32];

	if (json_parse(a->body, a->len, e))
		return -1;
	if (json_string(json_get(json_first(0), "TTL"), ttl, sizeof ttl) ||
	    parse_duration(ttl, ttl_sec))
		return err_set(e, ERR_PROTO, "a renewed session without TTL");
	return 0;
}

static void lock_target(struct buf *b, const char *key)
{
	buf_str(b, "/v1/kv/");
	/* The slashes of a key are its structure, not to be encoded. */
	for (const char *part = key;; part++) {
		char text[256];
		size_t len = strcspn(part, "/");

		if (str_copy_n(text, sizeof text, part, len))
			b->overflow = true;
		else
			buf_url_part(b, text);
		part += len;
		if (!*part)
			return;
		buf_str(b, "/");
	}
}

void consul_lock_acquire_target(struct buf *b, const char *key, const char *session,
				const struct job *place)
{
	lock_target(b, key);
	buf_fmt(b, "?flags=%llu", (unsigned long long)CONSUL_KEY_FLAGS);
	consul_parameter_add(b, "acquire", session);
	consul_place_add(b, place);
}

void consul_lock_release_target(struct buf *b, const char *key, const char *session,
				const struct job *place)
{
	lock_target(b, key);
	buf_fmt(b, "?flags=%llu", (unsigned long long)CONSUL_KEY_FLAGS);
	consul_parameter_add(b, "release", session);
	consul_place_add(b, place);
}

/* The whole body is one word; only an agent in -dev mode ends it with a line feed. */
static bool is_word(const struct consul_answer *a, const char *word)
{
	const size_t len = strlen(word);

	return strncmp(a->body, word, len) == 0 &&
	       a->body[len + strspn(a->body + len, " \t\r\n")] == '\0';
}

int consul_lock_read(const struct consul_answer *a, bool *is_ours, struct err *e)
{
	*is_ours = is_word(a, "true");
	if (!*is_ours && !is_word(a, "false"))
		return err_set(e, ERR_PROTO, "neither true nor false");
	return 0;
}

void consul_lock_watch_target(struct buf *b, const char *key, uint64_t index, unsigned wait_sec,
			      const struct job *place)
{
	lock_target(b, key);
	buf_str(b, "?consistent");
	if (index)
		buf_fmt(b, "&index=%llu&wait=%us", (unsigned long long)index, wait_sec);
	consul_place_add(b, place);
}

/*
 * Values come in base64: this is how one that begins with CONSUL_LOCK_WORD does. Who releases or
 * acquires by hand leaves a lock with an empty one, and there is nothing in it to be lost.
 */
static bool is_ours(int entry)
{
	static const char word[] = "ZG5zYnVkZHk";
	char value[CONSUL_BODY_MAX] = "";
	int64_t flags = 0, locks_n = 0;

	(void)json_integer(json_get(entry, "Flags"), &flags);
	(void)json_integer(json_get(entry, "LockIndex"), &locks_n);
	if (json_string(json_get(entry, "Value"), value, sizeof value) || !value[0])
		return locks_n > 0;
	return flags == CONSUL_KEY_FLAGS && strncmp(value, word, sizeof word - 1) == 0;
}

int consul_lock_watch_read(const struct consul_answer *a, char session[CONSUL_SESSION_CAP],
			   struct err *e)
{
	int entry, holder;

	session[0] = '\0';
	if (consul_meaning(a->status) == CONSUL_MISSING)
		return 0;
	if (json_parse(a->body, a->len, e))
		return -1;
	entry = json_first(0);
	if (!json_is_object(entry))
		return err_set(e, ERR_PROTO, "a key without its entry");
	if (!is_ours(entry))
		return err_set(
			e, ERR_REFUSED,
			"it is not a lock of ours (other flags or value) and stays as it is");
	holder = json_get(entry, "Session");
	if (holder != JSON_NONE && json_string(holder, session, CONSUL_SESSION_CAP))
		return err_set(e, ERR_PROTO, "a key with a Session that is none");
	return 0;
}
