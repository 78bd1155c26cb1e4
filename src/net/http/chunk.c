#include "net/http/chunk.h"

#include "base/str.h"

enum state {
	SIZE_FIRST, /* at the first digit of a size line */
	SIZE,       /* after a digit */
	SIZE_SPACE, /* white space before an extension */
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_FIRST, /* at the start of a trailer line or the last CR LF */
	TRAILER,
	TRAILER_LF,
	LAST_LF,
	END
};

void chunk_init(struct chunk *c)
{
	*c = (struct chunk){.state = SIZE_FIRST};
}

static int bad(struct err *e, const char *what)
{
	return err_set(e, ERR_PROTO, "chunked body: %s", what);
}

static int too_many(struct err *e, int max, const char *what)
{
	return err_set(e, ERR_LIMIT, "chunked body: more than %d bytes of %s", max, what);
}

static int take_digit(struct chunk *c, int digit, struct err *e)
{
	if (c->left >> 32)
		return err_set(e, ERR_LIMIT, "chunked body: a chunk of 64 GiB or more");
	c->left = c->left << 4 | (uint64_t)digit;
	c->state = SIZE;
	return 0;
}

/* A byte of the size line after its last digit. */
static int size_byte(struct chunk *c, unsigned char b, struct err *e)
{
	if (b == '\r')
		c->state = SIZE_LF;
	else if (b == ';')
		c->state = EXTENSION;
	else if (b == ' ' || b == '\t')
		c->state = SIZE_SPACE;
	else
		return bad(e, "not a chunk size");
	return 0;
}

static int extension_byte(struct chunk *c, unsigned char b, struct err *e)
{
	if (b == '\r') {
		c->state = SIZE_LF;
		return 0;
	}
	if ((b < 0x20 && b != '\t') || b == 0x7f)
		return bad(e, "control byte in a chunk extension");
	if (++c->ext_len > CHUNK_EXT_MAX)
		return too_many(e, CHUNK_EXT_MAX, "extensions");
	return 0;
}

static int trailer_byte(struct chunk *c, unsigned char b, struct err *e)
{
	if (b == '\r') {
		c->state = c->state == TRAILER_FIRST ? LAST_LF : TRAILER_LF;
		return 0;
	}
	if ((b < 0x20 && b != '\t') || b == 0x7f)
		return bad(e, "control byte in a trailer");
	if (++c->trailer_len > CHUNK_TRAILER_MAX)
		return too_many(e, CHUNK_TRAILER_MAX, "trailers");
	c->state = TRAILER;
	return 0;
}

static int expect(struct chunk *c, unsigned char b, unsigned char want, enum state next,
		  struct err *e)
{
	if (b != want)
		return bad(e, want == '\n' ? "CR without LF" : "no CR LF after a chunk");
	c->state = (int)next;
	return 0;
}

static int end_size_line(struct chunk *c, unsigned char b, struct err *e)
{
	if (expect(c, b, '\n', c->left ? DATA : TRAILER_FIRST, e))
		return -1;
	c->line_len = 0;
	return 0;
}

static int line_byte(struct chunk *c, unsigned char b, struct err *e)
{
	int digit = str_hex_digit((char)b);

	if (++c->line_len > CHUNK_LINE_MAX)
		return too_many(e, CHUNK_LINE_MAX, "one size line");
	switch ((enum state)c->state) {
	case SIZE_FIRST: return digit < 0 ? bad(e, "no chunk size") : take_digit(c, digit, e);
	case SIZE: return digit < 0 ? size_byte(c, b, e) : take_digit(c, digit, e);
	case SIZE_SPACE:
		if (b != ' ' && b != '\t' && b != ';')
			return bad(e, "white space after a chunk size");
		return size_byte(c, b, e);
	case EXTENSION: return extension_byte(c, b, e);
	default: return end_size_line(c, b, e);
	}
}

/* One byte that is not data. */
static int take_byte(struct chunk *c, unsigned char b, struct err *e)
{
	switch ((enum state)c->state) {
	case DATA_CR: return expect(c, b, '\r', DATA_LF, e);
	case DATA_LF: return expect(c, b, '\n', SIZE_FIRST, e);
	case TRAILER_FIRST:
	case TRAILER: return trailer_byte(c, b, e);
	case TRAILER_LF: return expect(c, b, '\n', TRAILER_FIRST, e);
	case LAST_LF: return expect(c, b, '\n', END, e);
	default: return line_byte(c, b, e);
	}
}

enum chunk_result chunk_feed(struct chunk *c, const char *p, size_t n, size_t *used,
			     struct chunk_data *data, struct err *e)
{
	size_t i = 0;

	*data = (struct chunk_data){.p = p};
	*used = 0;
	while (i < n && c->state != DATA && c->state != END)
		if (take_byte(c, (unsigned char)p[i++], e))
			return CHUNK_BAD;
	if (c->state == DATA && i < n) {
		data->p = p + i;
		data->n = n - i < c->left ? n - i : (size_t)c->left;
		c->left -= data->n;
		i += data->n;
		if (!c->left)
			c->state = DATA_CR;
	}
	*used = i;
	return c->state == END ? CHUNK_DONE : CHUNK_MORE;
}
