#include "net/tls/pem.h"

#include <bearssl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/errno_text.h"
#include "base/str.h"

struct reader {
	br_pem_decoder_context decoder;
	const struct pem_sink *sink;
	bool in_object;
	bool too_long;
	size_t mark_n; /* bytes of a byte order mark that the line began with */
	char label[64];
	size_t n;
	unsigned char object[PEM_OBJECT_MAX];
};

static void take_decoded(void *ctx, const void *p, size_t n)
{
	struct reader *r = ctx;

	if (n > sizeof r->object - r->n) {
		r->too_long = true;
		return;
	}
	memcpy(r->object + r->n, p, n);
	r->n += n;
}

static int begin_object(struct reader *r, struct err *e)
{
	r->n = 0;
	r->too_long = false;
	r->in_object = true;
	if (str_copy(r->label, sizeof r->label, br_pem_decoder_name(&r->decoder)))
		return err_set(e, ERR_CONFIG, "a PEM label is too long");
	br_pem_decoder_setdest(&r->decoder, take_decoded, r);
	return 0;
}

static int end_object(struct reader *r, struct err *e)
{
	r->in_object = false;
	if (r->too_long)
		return err_set(e, ERR_CONFIG, "a %s is longer than %d bytes", r->label,
			       PEM_OBJECT_MAX);
	return r->sink->object(r->sink->ctx, r->label, r->object, r->n, e);
}

static int feed(struct reader *r, const char *p, size_t n, struct err *e)
{
	while (n) {
		size_t used = br_pem_decoder_push(&r->decoder, p, n);

		p += used;
		n -= used;
		switch (br_pem_decoder_event(&r->decoder)) {
		case BR_PEM_BEGIN_OBJ:
			if (begin_object(r, e))
				return -1;
			break;
		case BR_PEM_END_OBJ:
			if (end_object(r, e))
				return -1;
			break;
		case BR_PEM_ERROR:
			/* Headers, as those of an encrypted key of old, end here too. */
			return err_set(e, ERR_CONFIG,
				       "a %s is damaged, or encrypted with a passphrase", r->label);
		default: break;
		}
	}
	return 0;
}

/*
 * Files from Windows: BearSSL would take CR as a part of the label, and a byte order mark, which
 * also begins a line when such a file was put behind another one, as what hides it. Returns what
 * is left.
 */
static size_t drop_foreign(struct reader *r, char *p, size_t n)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\r')
			continue;
		if (mark[r->mark_n] && p[i] == mark[r->mark_n]) {
			r->mark_n++;
			continue;
		}
		r->mark_n = p[i] == '\n' ? 0 : sizeof mark - 1;
		p[kept++] = p[i];
	}
	return kept;
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
		failed = feed(r, block, drop_foreign(r, block, (size_t)n), e);
	}
	explicit_bzero(block, sizeof block);
	/* The last line may lack its end. */
	if (!failed)
		failed = feed(r, "\n", 1, e);
	if (!failed && r->in_object)
		return err_set(e, ERR_CONFIG, "the last %s has no end", r->label);
	return failed;
}

int pem_read_file(const char *path, const struct pem_sink *sink, struct err *e)
{
	struct reader r;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int failed;

	if (fd < 0) {
		(void)err_set(e, ERR_CONFIG, "%s", errno_text(errno));
		return err_wrap(e, "%s", path);
	}
	memset(&r, 0, offsetof(struct reader, object));
	br_pem_decoder_init(&r.decoder);
	r.sink = sink;
	failed = read_all(&r, fd, e);
	explicit_bzero(&r, sizeof r);
	(void)close(fd);
	return failed ? err_wrap(e, "%s", path) : 0;
}
