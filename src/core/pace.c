#include "core/pace.h"

#define BUSY_MS 300000    /* a limit that does not say for how long: Cloudflare's five minutes */
#define HINT_MS 60000     /* no other hint is believed beyond this; that of a limit up to BUSY_MS */
#define DOUBT_MS 2000     /* refused credentials have a second try after that */
#define DOUBT_TRIES 3     /* and if they have served, they are as what failed so often before */
#define REFUSED_DOUBLED 2 /* times that the pause after a refusal is doubled */
#define SECRETS_MS 60000  /* credentials are read again at most that often */

/* Of a delay, so much is chance. */
enum jitter { JITTER_HALF, JITTER_NONE, JITTER_AROUND };

static const struct row {
	int32_t base_ms, cap_ms; /* doubled after each failure */
	enum jitter jitter;
	int32_t busy_ms;    /* when it says it is busy and not for how long; 0: as else */
	int32_t refused_ms; /* after what does not pass by itself; 0: not again */
} rows[] = {
	[PACE_SYNC] = {.base_ms = 500, .cap_ms = 15000},
	[PACE_WATCH] = {.base_ms = 500, .cap_ms = 60000, .busy_ms = BUSY_MS, .refused_ms = 60000},
	[PACE_SERVICE] = {.base_ms = 250, .cap_ms = 60000},
	[PACE_FOLLOWER] = {.base_ms = 1000, .cap_ms = 15000},
	[PACE_CANDIDATE] = {.base_ms = 1000, .cap_ms = 1000, .jitter = JITTER_AROUND},
	[PACE_LEADER] = {.base_ms = 1000, .cap_ms = 1000, .jitter = JITTER_NONE},
	[PACE_REGISTRATION] = {.base_ms = 1000, .cap_ms = 5000, .jitter = JITTER_NONE},
	[PACE_HANDLER] = {.base_ms = 1000, .cap_ms = 60000},
};
_Static_assert(sizeof rows / sizeof rows[0] == PACES, "a row for each");

int64_t pace_delay_ms(enum pace who, unsigned tries, uint32_t random)
{
	const struct row *row = &rows[who];
	int64_t full = row->base_ms;

	while (tries-- && full < row->cap_ms)
		full = full > row->cap_ms / 2 ? row->cap_ms : full * 2;
	switch (row->jitter) {
	case JITTER_NONE: return full;
	case JITTER_AROUND: return full / 2 + (int64_t)(random % (uint64_t)full);
	case JITTER_HALF:
	default: return full / 2 + (int64_t)(random % (uint64_t)(full - full / 2 + 1));
	}
}

int64_t pace_believe(struct pace_hint *hint, bool is_busy, int64_t sec)
{
	const int64_t cap_sec = (is_busy ? BUSY_MS : HINT_MS) / 1000;

	if (sec <= cap_sec)
		return sec;
	hint->told_sec = sec;
	return cap_sec;
}

/* When the other side wants to be asked again. Retry-After is not always set. */
static bool hint_ms(const struct pace_hint *hint, bool is_busy, int64_t *ms)
{
	*ms = (hint->has_retry_after ? hint->retry_after_sec : hint->reset_sec) * 1000;
	return hint->has_retry_after || (is_busy && hint->has_left && !hint->left_n);
}

static int64_t passing_ms(enum pace who, const struct pace_failure *f, uint32_t random)
{
	const struct row *row = &rows[who];
	bool is_busy = f->kind == ERR_BUSY;
	int64_t ms, own_ms = pace_delay_ms(who, f->tries, random);

	/* A 429, and now and then a 503, says when to come again. */
	if (f->hint && (is_busy || f->kind == ERR_RETRY) && hint_ms(f->hint, is_busy, &ms)) {
		ms += random % (uint32_t)row->base_ms;
		ms = ms > own_ms ? ms : own_ms;
		/* Only a limit has to be waited out: what else is down may be up earlier. */
		if (is_busy || ms <= f->left_ms)
			return ms;
	}
	return is_busy && row->busy_ms ? row->busy_ms : own_ms;
}

bool pace_retry(enum pace who, const struct pace_failure *f, uint32_t random, int64_t *delay_ms)
{
	const struct row *row = &rows[who];

	switch (f->kind) {
	case ERR_RETRY:
	case ERR_BUSY:
	case ERR_PROTO:
	case ERR_LIMIT: /* somebody on the way put his own page there */
		*delay_ms = passing_ms(who, f, random);
		break;
	case ERR_AUTH: /* a token is not known everywhere at once */
		*delay_ms = pace_delay_ms(who, f->tries + DOUBT_TRIES, random);
		if (f->trust.has_served && *delay_ms <= f->left_ms)
			break;
		if (!f->trust.was_refused) {
			*delay_ms = DOUBT_MS; /* a verdict takes two looks, late or not */
			return true;
		}
		/* fall through */
	default:
		if (!row->refused_ms)
			return false;
		*delay_ms = row->refused_ms;
		if (f->kind == ERR_REFUSED)
			*delay_ms <<= f->tries < REFUSED_DOUBLED ? f->tries : REFUSED_DOUBLED;
	}
	return *delay_ms <= f->left_ms;
}

int64_t pace_block_ms(bool is_busy, const struct pace_hint *hint)
{
	int64_t ms;

	if (is_busy)
		return hint_ms(hint, true, &ms) ? ms : BUSY_MS;
	return hint->has_left && !hint->left_n ? hint->reset_sec * 1000 : 0;
}

bool pace_wants_secrets(enum err_kind kind)
{
	return kind == ERR_AUTH;
}

int64_t pace_secrets_ms(bool was_read, int64_t read_ms)
{
	return was_read ? read_ms + SECRETS_MS : 0;
}
