/*
 * What the parts of the simulated Cloudflare share: its records (cloud_records.c), what it answers
 * (cloud_answers.c), what others do (cloud_others.c); the way of a call is cloudflare.c's.
 */
#ifndef SIM_CLOUD_PARTS_H
#define SIM_CLOUD_PARTS_H

#include "sim/cloudflare.h"

#define CLOUD_ID_LEN 32
#define CLOUD_CHANGES 1024 /* of one transaction */
#define CLOUD_MARK "managed by dnsbuddy"

struct text {
	char *p;
	size_t len, cap;
};

struct cloud_refusal {
	int status;
	unsigned code, chained; /* 0: no chain */
	const char *message;
};

/* The transaction under way: what it changed so far. */
extern struct cloud_transaction {
	struct cloud_change changes[CLOUD_CHANGES];
	size_t n, records_n;
} cloud_transaction;

/* ---- cloud_records.c ---- */

/* The program ends: a limit of the simulation is too low. */
_Noreturn void cloud_no_room(const char *what);

/* A number below n; and whether this happens, which it does not once all is calm. */
uint32_t cloud_draw(uint32_t n);
bool cloud_happens(const char *what, unsigned per_million);

/* Ids are in no order of time; as text they have CLOUD_ID_LEN digits. */
uint64_t cloud_new_id(void);
void cloud_format_id(char out[CLOUD_ID_LEN + 1], uint64_t id);
int cloud_parse_id(const char *s, uint64_t *id);

/* The record of this id as it is now; NULL. */
struct cloud_record *cloud_find(int zone, uint64_t id);

/* A transaction begins; each change is noted; then it is undone, or in force. */
void cloud_start(int64_t now_ms);
void cloud_note(struct cloud_record *before, struct cloud_record *after);
void cloud_roll_back(void);
void cloud_commit(int who, const struct cloud_exchange *x);

/* A version for r, which is what it shall be; before is what it was, or NULL. */
struct cloud_record *cloud_put(const struct cloud_record *r, struct cloud_record *before);

/* The zone is in no account now. */
bool cloud_is_gone(const struct cloud_zone *z);
bool cloud_is_within(const char *name, const char *zone);
bool cloud_is_address(const struct cloud_record *r);
bool cloud_is_private(const struct cloud_record *r);

/* What the API has against r in the place of before (NULL: a new one): true, and f says it. */
bool cloud_would_refuse(const struct cloud_record *r, const struct cloud_record *before, struct cloud_refusal *f);
bool cloud_refuse(struct cloud_refusal *f, unsigned code, unsigned chained, const char *message);

/* ---- cloud_answers.c ---- */

/* Append to a text that grows; whoever has it frees p. */
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_string(struct text *t, const char *s);

/* The value of a parameter, decoded; -1: it is not there. */
int cloud_parameter(const char *target, const char *name, char *out, size_t cap);
unsigned cloud_number_parameter(const char *target, const char *name, unsigned otherwise);

/* The answer is this refusal. */
void cloud_say_refused(struct cloud_exchange *x, struct text *t, const struct cloud_refusal *f);

/* Carry it out, and make the answer. The zone is there. */
void cloud_serve_batch(struct cloud_exchange *x, int zone, struct text *t);
void cloud_serve_single(struct cloud_exchange *x, int zone, const char *id, struct text *t);
void cloud_serve_list(struct cloud_exchange *x, int zone, struct text *t);
void cloud_serve_zones(struct cloud_exchange *x, struct text *t);
void cloud_serve_zone(struct cloud_exchange *x, const struct cloud_zone *z, struct text *t);

/* ---- cloud_others.c ---- */

/* Somebody adds a record of a page that was read, or deletes one. */
void cloud_shift_pages(const struct cloud_exchange *x, int zone);

/* Somebody has just deleted what a write is about, or added what it adds: whether that could be. */
bool cloud_forestall(const struct cloud_exchange *x, int zone);

/* Somebody does one of these; in words, or NULL: nothing. */
const char *cloud_do_some(unsigned deeds);

#endif
