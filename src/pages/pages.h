/*
 * What a watch shows of itself over HTTP, from a struct status alone: /health for probes,
 * /metrics for Prometheus (text format 0.0.4), / for people. Bounded: what does not fit the
 * buffer is left out as a whole, what is wrong last, and the page says how much it was.
 */
#ifndef PAGES_PAGES_H
#define PAGES_PAGES_H

#include "base/buf.h"
#include "pages/status.h"

#define PAGES_CAP_MIN 16384
#define PAGES_LIST_MAX 50    /* instances, and records, that / shows of one name */
#define PAGES_MATCH_MAX 1000 /* records up to which / tells which instance is not among them */
#define PAGES_REASONS_MAX 20 /* reasons that /health gives */
#define PAGES_OPEN_MAX 12    /* names up to which / unfolds those that are well too */
#define PAGES_REFRESH_SEC 15 /* until / loads itself again */

/*
 * The page at path into out.
 *   out           empty; PAGES_CAP_MIN bytes at least, 512 KiB show 256 names whole
 *   content_type  set when there is such a page
 * Returns 200, 404 with out untouched, or for /health 503 when it is not healthy.
 */
int pages_answer(const struct status *s, const char *path, struct buf *out,
		 const char **content_type);

#endif
