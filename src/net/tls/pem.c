#include "net/tls/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/errno_text.h"

#define LINE_MAX 255 /* as line_n: the line is none of ours */

static const char mark[] = "\xef\xbb\xbf"; /* of the byte order */
static const char begin[] = "-----BEGIN ";
static const char end[] = "-----END ";

enum place {
	PLACE_TEXT,  /* around objects */
	PLACE_LABEL, /* behind BEGIN, to the end of its line */
	PLACE_DATA,
	PLACE_END /* the last line of an object */
};

struct reader {
	const struct pem_sink *sink;
	enum place place;
	bool too_long;
	unsigned char mark_n;           /* bytes of a mark that the line began with */
	unsigned char line_n;           /* bytes of the line that are of begin, or of end */
	unsigned char digits_n, pads_n; /* of four in bits; the = among them */
	uint32_t bits;
	char label[64];
	size_t n;
	unsigned char *object; /* PEM_OBJECT_MAX bytes */
};

static unsigned char to_upper(unsigned char c)
{
	return c >= 'a' && c <= 'z' ? (unsigned char)(c - 32) : c;
}

/* Whether the line still is as these words begin. */
static bool is_like(struct reader *r, const char *words, unsigned char c)
{
	if (r->line_n == LINE_MAX || to_upper(c) != (unsigned char)words[r->line_n])
		return false;
	r->line_n++;
	return true;
}

static int fail_damaged(const struct reader *r, struct err *e)
{
	/* Headers, as those of an encrypted key of old, end here too. */
	return err_set(e, ERR_CONFIG, "a %s is damaged, or encrypted with a passphrase", r->label);
}

static int take_label(struct reader *r, unsigned char c, struct err *e)
{
	if (c != '\n') {
		if (r->n == sizeof r->label - 1)
			return err_set(e, ERR_CONFIG, "a PEM label is too long");
		r->label[r->n++] = (char)to_upper(c);
		return 0;
	}
	while (r->n && r->label[r->n - 1] == '-')
		r->n--;
	r->label[r->n] = '\0';
	r->n = 0;
	r->line_n = r->digits_n = r->pads_n = 0;
	r->too_long = false;
	r->place = PLACE_DATA;
	return 0;
}

/* What a digit of base64 is worth, found without a table, as keys are read here. 64: none is. */
static uint32_t value_of(uint32_t c)
{
	return c - 'A' < 26   ? c - 'A'
	       : c - 'a' < 26 ? c - 'a' + 26
	       : c - '0' < 10 ? c - '0' + 52
	       : c == '+'     ? 62
	       : c == '/'     ? 63
			      : 64;
}

/* RFC 4648 section 4; what the padding cuts off has to be zeros. */
static int take_digit(struct reader *r, unsigned char c, struct err *e)
{
	uint32_t value = c == '=' ? 0 : value_of(c);

	if (c == '=' ? r->digits_n < 2 : r->pads_n || value > 63)
		return fail_damaged(r, e);
	if (c == '=')
		r->pads_n++;
	r->bits = r->bits << 6 | value;
	if (++r->digits_n < 4)
		return 0;
	r->digits_n = 0;
	if (r->bits & ((1U << 8 * r->pads_n) - 1))
		return fail_damaged(r, e);
	for (unsigned shift = 24; shift > 8U * r->pads_n; shift -= 8) {
		if (r->n < PEM_OBJECT_MAX)
			r->object[r->n++] = (unsigned char)(r->bits >> (shift - 8));
		else
			r->too_long = true;
	}
	return 0;
}

static int take_data(struct reader *r, unsigned char c, struct err *e)
{
	if (c == '-' && !r->line_n && !r->digits_n)
		r->place = PLACE_END;
	if (c == '\n')
		r->line_n = 0;
	else if (c > ' ')
		r->line_n = 1;
	return c <= ' ' || r->place == PLACE_END ? 0 : take_digit(r, c, e);
}

static int take_end(struct reader *r, unsigned char c, struct err *e)
{
	if (r->line_n < sizeof end - 1)
		return is_like(r, end, c) ? 0 : fail_damaged(r, e);
	if (c != '\n')
		return 0;
	r->place = PLACE_TEXT;
	r->line_n = 0;
	if (r->too_long)
		return err_set(e, ERR_CONFIG, "a %s is longer than %d bytes", r->label,
			       PEM_OBJECT_MAX);
	return r->sink->object(r->sink->ctx, r->label, r->object, r->n, e);
}

static void take_text(struct reader *r, unsigned char c)
{
	if (c == '\n')
		r->line_n = 0;
	else if (!is_like(r, begin, c))
		r->line_n = LINE_MAX;
	else if (!begin[r->line_n]) {
		r->place = PLACE_LABEL;
		r->n = 0;
	}
}

static int take(struct reader *r, unsigned char c, struct err *e)
{
	switch (r->place) {
	case PLACE_LABEL: return take_label(r, c, e);
	case PLACE_DATA: return take_data(r, c, e);
	case PLACE_END: return take_end(r, c, e);
	default: take_text(r, c); return 0;
	}
}

/*
 * Files from Windows end their lines with CR, too, and may have a byte order mark, which also
 * begins a line when such a file was put behind another one.
 */
static int feed(struct reader *r, const char *p, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\r')
			continue;
		if (mark[r->mark_n] && p[i] == mark[r->mark_n]) {
			r->mark_n++;
			continue;
		}
		r->mark_n = p[i] == '\n' ? 0 : sizeof mark - 1;
		if (take(r, (unsigned char)p[i], e))
			return -1;
	}
	return 0;
}

static int read_all(struct reader *r, int fd, struct err *e)
{
	char block[4096];
	size_t total = 0;
	ssize_t n;
	int failed = 0;

	while (!failed && (n = read(fd, block, sizeof block)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, ERR_CONFIG, "%s", errno_text(errno));
		total += (size_t)n;
		if (total > PEM_FILE_MAX)
			return err_set(e, ERR_CONFIG, "longer than %d bytes", PEM_FILE_MAX);
		failed = feed(r, block, (size_t)n, e);
	}
	explicit_bzero(block, sizeof block);
	/* The last line may lack its end. */
	if (!failed)
		failed = feed(r, "\n", 1, e);
	if (!failed && r->place)
		return err_set(e, ERR_CONFIG, "the last %s has no end", r->label);
	return failed;
}

int pem_read_file(const char *path, const struct pem_sink *sink, struct err *e)
{
	unsigned char object[PEM_OBJECT_MAX];
	struct reader r = {.sink = sink, .object = object};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int failed;

	if (fd < 0) {
		(void)err_set(e, ERR_CONFIG, "%s", errno_text(errno));
		return err_wrap(e, "%s", path);
	}
	failed = read_all(&r, fd, e);
	explicit_bzero(object, sizeof object);
	explicit_bzero(&r, sizeof r);
	(void)close(fd);
	return failed ? err_wrap(e, "%s", path) : 0;
}
