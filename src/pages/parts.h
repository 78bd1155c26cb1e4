/*
 * What the three pages share: record by record, text of others made harmless, time in words.
 */
#ifndef PAGES_PARTS_H
#define PAGES_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "pages/status.h"

#define PAGES_END_CAP 1024 /* bytes kept free for what closes a page */

enum pages_escape { PAGES_HTML, PAGES_JSON, PAGES_LABEL };

/*
 * Append s so that it stands for itself in an HTML text or quoted attribute, in a JSON string, or
 * in a label's value, quotes not included. Control bytes and what is not UTF-8 become '?'.
 */
void pages_text(struct buf *b, const char *s, enum pages_escape as);

/* The i-th record; what its maker leaves alone is zero. */
struct status_record pages_record(const struct status *s, size_t i);

/* "in sync", "held"... */
const char *pages_state_name(enum status_state state);

/* What is not as it should be, in one line without the name; "" when nothing is. */
void pages_reason(struct buf *b, const struct status_record *r, enum pages_escape as);

/* Records at Cloudflare of this name that are ours to write. */
size_t pages_actual_n(const struct status_record *r);

/*
 * Take back what was appended since b->len was mark if it leaves less than PAGES_END_CAP bytes
 * free, and forget the overflow. Returns whether it stays.
 */
bool pages_keep(struct buf *b, size_t mark);

/* "3 s", "5 min", "2 h 5 min", "4 d 3 h": the two largest units. */
void pages_span(struct buf *b, int64_t sec);

/* Milliseconds as seconds with three digits. */
void pages_seconds(struct buf *b, int64_t ms);

/* <time datetime="2026-11-23T08:07:19Z">2026-11-23 08:07:19 UTC</time> */
void pages_time(struct buf *b, int64_t sec);

void pages_health(const struct status *s, struct buf *b);
void pages_metrics(const struct status *s, struct buf *b);
void pages_html(const struct status *s, struct buf *b);

#endif
