#include "net/tls/chain.h"

#include <string.h>

void chain_start(struct chain *c)
{
	c->n = c->used = c->begun = 0;
	c->is_cut = c->is_unreadable = false;
}

void chain_start_cert(struct chain *c)
{
	c->begun = c->used;
	c->is_cut |= c->n == CHAIN_MAX;
}

void chain_append(struct chain *c, const unsigned char *p, size_t n)
{
	c->is_cut |= n > sizeof c->bytes - c->used;
	if (c->is_cut)
		return;
	memcpy(c->bytes + c->used, p, n);
	c->used += n;
}

static bool is_there(const struct chain *c, struct der d)
{
	for (size_t i = 0; i < c->n; i++)
		if (der_equals(c->whole[i], d.p, d.n))
			return true;
	return false;
}

void chain_end_cert(struct chain *c)
{
	struct der d = {.p = c->bytes + c->begun, .n = c->used - c->begun};

	if (c->is_cut || c->is_unreadable)
		return;
	if (is_there(c, d) || !cert_read(&c->certs[c->n], d.p, d.n)) {
		c->is_unreadable = !c->n;
		c->used = c->begun;
		return;
	}
	c->whole[c->n++] = d;
}

static bool may_follow(const struct chain *c, const struct chain_path *p, size_t i)
{
	struct der issuer = c->certs[p->at[p->n - 1]].issuer;

	for (size_t k = 0; k < p->n; k++)
		if (p->at[k] == i)
			return false;
	return der_equals(c->certs[i].subject, issuer.p, issuer.n);
}

bool chain_next_path(const struct chain *c, struct chain_path *p)
{
	size_t i = 1;

	if (!p->n) {
		p->n = c->n > 0;
		return c->n > 0;
	}
	for (;;) {
		for (; i < c->n; i++) {
			if (may_follow(c, p, i)) {
				p->at[p->n++] = i;
				return true;
			}
		}
		/* The last one leads nowhere else: the next in its place. */
		if (p->n == 1)
			return false;
		i = p->at[--p->n] + 1;
	}
}
