#include "consul/lock.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "consul/place.h"
#include "net/http/url.h"

void consul_session_target(struct buf *b, const char *what, const char *id, const struct job *place)
{
	buf_fmt(b, "/v1/session/%s", what);
	buf_url_part(b, id);
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

int consul_session_read(const struct consul_answer *a, char id[CONSUL_SESSION_CAP], struct err *e)
{
	if (json_parse(a->body, a->len, e))
		return -1;
	if (json_get_string(json_is_array(0) ? json_first(0) : 0, "ID", id, CONSUL_SESSION_CAP) ||
	    !id[0] || url_has_dots(id))
		return err_set(e, ERR_PROTO, "a session without ID");
	return 0;
}

static void key_target(struct buf *b, const char *key)
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

void consul_lock_target(struct buf *b, const char *what, const char *key, const char *session,
			const struct job *place)
{
	key_target(b, key);
	buf_fmt(b, "?flags=%llu", (unsigned long long)CONSUL_KEY_FLAGS);
	consul_parameter_add(b, what, session);
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
	key_target(b, key);
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
	int64_t flags = -1, locks_n = 0;

	(void)json_get_integer(entry, "Flags", &flags);
	(void)json_get_integer(entry, "LockIndex", &locks_n);
	if (json_get_string(entry, "Value", value, sizeof value) || !value[0])
		return locks_n > 0 && (!flags || flags == CONSUL_KEY_FLAGS);
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
