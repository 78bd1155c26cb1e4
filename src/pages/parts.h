/*
 * What the pages share: escaping what others wrote, times in words, room in the buffer, and what
 * more than one of them shows of a record.
 */
#ifndef PAGES_PARTS_H
#define PAGES_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "pages/status.h"

#define PARTS_END_CAP 1024 /* bytes kept free for the end of a page */

enum parts_escape { PARTS_HTML, PARTS_JSON, PARTS_LABEL };

/*
 * Append s so that it stands for itself in an HTML text or quoted attribute, in a JSON string, or
 * in a label's value, quotes not included. What is harmful to show (base/utf8.h) becomes '?'.
 */
void parts_text(struct buf *b, const char *s, enum parts_escape as);

/*
 * Append fmt with the texts in place of its first '%', second and third, as parts_text() has it; of
 * NULL nothing.
 */
void parts_put(struct buf *b, enum parts_escape as, const char *fmt, const char *first,
	       const char *second, const char *third);

/* What is wrong with a record, in one line without its name; "" when nothing is. */
void parts_reason(struct buf *b, const struct status_record *r, enum parts_escape as);

/* Why the lock is to nobody's use, in one line: "no leader known: ... (for 5 min)". */
void parts_lock_reason(struct buf *b, const struct status *s, enum parts_escape as);

/* A fact's value as a metric and /health write it. */
void parts_number(struct buf *b, enum fact fact, const struct status_record *r);

/* "3 s", "5 min", "2 h 5 min", "4 d 3 h": the two largest units. */
void parts_span(struct buf *b, int64_t sec);

/* Milliseconds as seconds with three digits. */
void parts_seconds(struct buf *b, int64_t ms);

/* <time datetime="2026-11-23T08:07:19Z">2026-11-23 08:07:19 UTC</time> */
void parts_time(struct buf *b, int64_t sec);

/* For JSON: "true" or "false"; and a member with its comma behind: "key":"text", */
const char *parts_word(bool yes);
void parts_member(struct buf *b, const char *key, const char *text);

/*
 * For /metrics; names are without "dnsbuddy_", and a counter's ends with "_total". The lines
 * before a family's samples; a family of one sample; those that every program of ours has: its
 * version, since when it runs, its health.
 */
void parts_family(struct buf *b, const char *name, const char *help);
void parts_single(struct buf *b, const char *name, const char *help, uint64_t value);
void parts_program(struct buf *b, const char *version, int64_t uptime_ms, bool is_healthy);

/*
 * Take back what was appended since b->len was mark if it leaves less than PARTS_END_CAP bytes
 * free, and forget the overflow. Returns whether it stays.
 */
bool parts_keep(struct buf *b, size_t mark);

#endif
