#include "pages/pages.h"

#include <string.h>

#include "pages/render.h"

int pages_answer(const struct status *s, const char *path, const char *query, struct buf *out,
		 const char **content_type)
{
	if (strcmp(path, "/health") == 0) {
		*content_type = "application/json";
		render_health(s, out);
		return s->is_healthy ? 200 : 503;
	}
	if (strcmp(path, "/metrics") == 0) {
		*content_type = "text/plain; version=0.0.4; charset=utf-8";
		render_metrics(s, out);
		return 200;
	}
	if (strcmp(path, "/") == 0) {
		*content_type = "text/html; charset=utf-8";
		render_html(s, query, out);
		return 200;
	}
	return 404;
}
