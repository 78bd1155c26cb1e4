/*
 * What a watch shows of itself over HTTP, from a struct status alone: /health for probes,
 * /metrics for Prometheus, / for people. Bounded: a record that does not fit the buffer is left
 * out as a whole, unhealthy ones last, and the page says how many were.
 */
#ifndef PAGES_PAGES_H
#define PAGES_PAGES_H

#include "base/buf.h"
#include "pages/status.h"

#define PAGES_CAP_MIN 262144

/*
 * The page at path into out.
 *   query         what follows its '?', as sent; "": nothing
 *   out           empty; PAGES_CAP_MIN bytes at least
 *   content_type  set when there is such a page
 * Returns 200, 404 with out untouched, or for /health 503 when it is not healthy.
 */
int pages_answer(const struct status *s, const char *path, const char *query, struct buf *out,
		 const char **content_type);

#endif
