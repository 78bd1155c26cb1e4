/*
 * The simulated Cloudflare: zones, records, batches as one transaction, error codes, paging without
 * a snapshot, a window of calls, other writers, and an API that fails in every way it can. It knows
 * no clock and no chance but what it is given, and nobody who asks but by number: the same calls
 * have the same answers. What a name wants is none of its business: who gave it committed() sees
 * each transaction, with whose it was, and judges.
 *
 * One call goes like this: cloud_begin() when the client starts it; cloud_serve() at x->arrive_ms,
 * whether or not the client is still there; cloud_progress() whenever the client looks; and
 * cloud_end() when the client's exchange is over, however. Then cloud_free().
 */
#ifndef SIM_CLOUDFLARE_H
#define SIM_CLOUDFLARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOUD_ZONES 4
#define CLOUD_RECORDS 4096 /* versions of all records of all zones */
#define CLOUD_CALLERS 8
#define CLOUD_TOUCHES 64
#define CLOUD_LOST 128
#define CLOUD_NAMES 64  /* that the callers rule over */
#define CLOUD_OTHERS -1 /* who writes: somebody at the dashboard */
#define CLOUD_WINDOW_MS 300000
#define CLOUD_WINDOW_CALLS 1200
#define CLOUD_LAG_MAX_MS 10000
#define CLOUD_PER_MILLION 1000000

enum cloud_type { CLOUD_A, CLOUD_AAAA, CLOUD_CNAME, CLOUD_TXT, CLOUD_TYPES };

struct cloud_exchange;

/* One version of a record: it is there since from_ms and until until_ms. */
struct cloud_record {
	uint64_t id;
	int zone;
	enum cloud_type type;
	bool is_proxied;
	bool is_others; /* made by CLOUD_OTHERS */
	uint32_t ttl;
	int64_t from_ms, until_ms; /* CLOCK_NEVER: it is there now */
	char name[128], content[128], comment[128];
};

/* Of one transaction: what was before, what is after; NULL: nothing. */
struct cloud_change {
	const struct cloud_record *before, *after;
};

struct cloud_zone {
	char name[64];
	uint64_t id;
	const char *status;
	int64_t gone_until_ms;    /* it is in no account; CLOCK_NEVER: for good */
	int64_t refused_until_ms; /* the token has lost it */
	unsigned quota;           /* records that it may have */
};

/* What goes wrong, each in so many of a million calls. */
struct cloud_rates {
	unsigned lost_before; /* the connection breaks before the API has the request */
	unsigned lost_after;  /* after it was carried out, before the answer */
	unsigned silent;      /* carried out, and never answered */
	unsigned late;        /* it arrives up to late_ms later */
	unsigned cut;         /* the connection breaks within the answer's body */
	unsigned slow;        /* the body comes in pieces over a second */
	unsigned error_html;  /* 5xx by the edge, not carried out */
	unsigned error_after; /* 5xx by the edge after it was carried out */
	unsigned error_json;  /* 500 with the API's envelope */
	unsigned forbidden;   /* 403, in HTML, for nothing */
	unsigned limited;     /* 429: others have used up the window; for a while */
	unsigned echo;        /* of refusals: the message holds the token */
	unsigned shifted;     /* somebody writes between two pages */
	unsigned raced;       /* somebody writes between the listing and the write */
	int64_t late_ms;
};

/* What others may do at our names; a set. */
enum cloud_deed {
	CLOUD_DO_PAD = 1,          /* records of other names come and go */
	CLOUD_DO_TXT = 2,          /* a TXT record at ours */
	CLOUD_DO_DELETE = 4,       /* one of ours is deleted */
	CLOUD_DO_TTL = 8,          /* its ttl is changed */
	CLOUD_DO_CONTENT = 16,     /* its address is changed, its comment stays */
	CLOUD_DO_ADD = 32,         /* an A record of another address, with no comment */
	CLOUD_DO_FOREIGN = 64,     /* with the comment of another owner */
	CLOUD_DO_IN_THE_WAY = 128, /* a CNAME takes the place of all; until cloud_calm() */
	CLOUD_DO_ZONE = 256,       /* a zone vanishes for a while, or for good and comes back anew */
	CLOUD_DO_TOKEN = 512,      /* the token loses a zone for a while */
	CLOUD_DO_QUOTA = 1024,     /* a zone is full for a while */
	CLOUD_DO_PAGES = 2048,     /* another page size is granted */
	CLOUD_DO_REFUSE = 4096,    /* one address is refused: for a while, or for a day, at rest too */
	CLOUD_DEEDS = 13
};

struct cloud_setup {
	/* A number below n >= 1; and whether this happens, with words for the record. */
	uint32_t (*below)(uint32_t n);
	bool (*chance)(const char *what, unsigned per_million);
	/*
	 * A transaction was carried out: by whom, by which exchange (NULL: CLOUD_OTHERS), what. The
	 * versions live until the next call of this module. Called after the records are changed.
	 */
	void (*committed)(int who, const struct cloud_exchange *x, const struct cloud_change *changes, size_t n);
	/* A caller broke a rule: the invariant's name ("I3", "budget"...), and how. */
	void (*broken)(const char *invariant, const char *how);
	const char *token;              /* what has to come as Authorization: Bearer */
	const char *secrets[4];         /* of others: they may be in no request here */
	const char *names[CLOUD_NAMES]; /* that the callers rule over */
	size_t names_n;
	unsigned deeds; /* of enum cloud_deed */
	struct cloud_rates rates;
	int64_t latency_ms;   /* of one way */
	int64_t lag_ms;       /* a listing is so old; at most CLOUD_LAG_MAX_MS */
	unsigned per_page;    /* most that is granted */
	bool has_ratelimit;   /* with a Ratelimit header in each answer */
	bool has_retry_after; /* a 429 says for how long */
	bool has_total_pages;
};

enum cloud_fate {
	CLOUD_FATE_GOOD,
	CLOUD_FATE_LOST_BEFORE,
	CLOUD_FATE_LOST_AFTER,
	CLOUD_FATE_SILENT,
	CLOUD_FATE_LATE,
	CLOUD_FATE_CUT,
	CLOUD_FATE_SLOW,
	CLOUD_FATE_HTML,
	CLOUD_FATE_HTML_AFTER,
	CLOUD_FATE_JSON,
	CLOUD_FATE_FORBIDDEN,
	CLOUD_FATE_LIMITED
};

enum cloud_kind { CLOUD_ZONES_LIST, CLOUD_ZONE_GET, CLOUD_LIST, CLOUD_BATCH, CLOUD_SINGLE, CLOUD_OTHER };

/* One call on its way. The fields are the module's, read only for others. */
struct cloud_exchange {
	int who;
	unsigned life; /* of the caller's, as cloud_restart() counts them */
	enum cloud_kind kind;
	char method[8];
	char *target, *body; /* copies */
	size_t body_len;
	enum cloud_fate fate;
	bool is_refused_token;
	/* Its way. */
	int64_t begun_ms, arrive_ms; /* CLOCK_NEVER: it never does */
	int64_t answer_ms;           /* the head is there; CLOCK_NEVER: it never comes */
	int64_t break_ms;            /* the connection breaks; CLOCK_NEVER: it does not */
	size_t cut_len;              /* ...once so many bytes of the body came; SIZE_MAX: it does not */
	size_t piece_len;            /* bytes of the body that come at once */
	int64_t piece_ms;            /* ...and so long after the ones before */
	/* The answer: once it is served. */
	bool is_served, is_done; /* done: something was written */
	bool has_last_page;      /* of a listing */
	int status;
	char headers[512]; /* "Name: value\n"... */
	char *answer;
	size_t answer_len;
	int64_t limited_ms; /* 429: told to wait so long */
	unsigned page;      /* of a listing */
	uint64_t serial;    /* among its caller's calls */
	struct cloud_touch {
		uint32_t name, mark; /* digests of a record's name, and of whose it is */
	} touches[CLOUD_TOUCHES];    /* what a write is about, or the name that is listed */
	size_t touches_n;
	bool is_whole; /* the whole zone is listed */
};

enum cloud_progress { CLOUD_WAITING, CLOUD_PART, CLOUD_WHOLE, CLOUD_BROKEN };

struct cloud {
	struct cloud_setup setup;
	int64_t now_ms;
	struct cloud_zone zones[CLOUD_ZONES];
	size_t zones_n;
	struct cloud_record records[CLOUD_RECORDS];
	size_t records_n;
	uint64_t next_id;
	bool is_calm;
	char refused_content[64]; /* "": none */
	int64_t refused_until_ms, full_until_ms, limited_until_ms;
	int64_t window_ms; /* when the window of calls began */
	unsigned window_calls;
	/* What each caller knows. */
	struct cloud_caller {
		unsigned life;
		int64_t told_ms; /* not to call before */
		uint64_t calls;
		int64_t window_ms;
		unsigned window_calls;
		/* Writes whose outcome it cannot know, until it lists their name again. */
		struct cloud_lost {
			struct cloud_touch of;
			uint64_t serial;
		} lost[CLOUD_LOST];
		size_t lost_n;
	} callers[CLOUD_CALLERS];
	struct {
		uint64_t calls, zone_calls, lists, more_pages, writes, refused, limited, lost; /* lists: their first pages */
	} counts;
};

extern struct cloud cloud;

/* A Cloudflare without zones. setup is copied, what it points to is not. */
void cloud_init(const struct cloud_setup *setup, int64_t now_ms);

/* Another zone; its index. */
int cloud_add_zone(const char *name);

/* A record that was there before; NULL: there is no room. */
const struct cloud_record *cloud_add_record(int zone, enum cloud_type type, const char *name, const char *content, uint32_t ttl,
					    bool is_proxied, const char *comment);

/* The zone that holds a name; -1: none. */
int cloud_zone_of(const char *name);

/* It is there now. For loops over cloud.records[0..cloud.records_n). */
bool cloud_is_live(const struct cloud_record *r);

/* The API will not have this content now, whatever else is right. */
bool cloud_is_refused(const char *content, int64_t now_ms);

/* The caller died and is started anew: it knows nothing any more. */
void cloud_restart(int who);

/* Somebody does one of setup.deeds. What, for a schedule; NULL: nothing. */
const char *cloud_stir(int64_t now_ms);

/*
 * From now on nothing goes wrong: what was for a while is over, nobody else writes, what they put
 * in the way is gone. After that the callers have to come to rest.
 */
void cloud_calm(int64_t now_ms);

/* A call begins: its way is decided. x is filled, and freed by cloud_free(). */
void cloud_begin(struct cloud_exchange *x, int who, int64_t now_ms, const char *method, const char *target, const char *headers,
		 const char *body, size_t body_len);

/* It comes so much later, if it is not there yet. */
void cloud_delay(struct cloud_exchange *x, int64_t ms);

/* The request is there (x->arrive_ms has come): it is carried out, and the answer made. Once. */
void cloud_serve(struct cloud_exchange *x, int64_t now_ms);

/*
 * What has come of the answer by now: with CLOUD_PART and CLOUD_WHOLE the head and *len bytes of the
 * body. CLOUD_BROKEN: the connection; *len bytes came before (and the head, if x->answer_ms has).
 *   next_ms  set to when that changes; CLOCK_NEVER
 */
enum cloud_progress cloud_progress(const struct cloud_exchange *x, int64_t now_ms, size_t *len, int64_t *next_ms);

/* The client's exchange is over: is_answered when it took a whole answer. It may yet be served. */
void cloud_end(struct cloud_exchange *x, int64_t now_ms, bool is_answered);

void cloud_free(struct cloud_exchange *x);

#endif
