/*
 * The three pages, each rendered from a status: /health for probes, as JSON; /metrics in
 * Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/);
 * / for people, complete in itself, without a script. There a state is shown by its word and its
 * sign, not by its colour alone.
 */
#ifndef PAGES_RENDER_H
#define PAGES_RENDER_H

#include "base/buf.h"
#include "pages/status.h"

#define HEALTH_REASONS_MAX 20  /* reasons that /health gives */
#define HEALTH_RECORDS_MAX 256 /* names that /health lists */
#define METRICS_ZONES_MAX 64   /* zones of /metrics; the names of more are in "other" */
#define HTML_LIST_MAX 50       /* instances, and records, that / shows of one name */
#define HTML_MATCH_MAX 1000 /* records of one name up to which instances are compared with them */
#define HTML_OPEN_MAX 12    /* names up to which all are shown in full */
#define HTML_TROUBLE_MAX 10 /* of more, names in trouble of one zone, unless it is asked for */
#define HTML_LINES_MAX 250  /* of more, lines on a page */
#define HTML_REFRESH_SEC 15 /* until / loads itself again */

void render_health(const struct status *s, struct buf *b);
void render_metrics(const struct status *s, struct buf *b);
void render_html(const struct status *s, const char *query, struct buf *b);

#endif
