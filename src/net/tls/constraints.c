#include "net/tls/constraints.h"

static bool is_host_below(struct der name, struct der base)
{
	size_t before = name.n - base.n;

	if (name.n < base.n || !der_equals_nocase(base, name.p + before, base.n))
		return false;
	return !base.n || !before || base.p[0] == '.' || name.p[before - 1] == '.';
}

/* base: an address and its mask */
static bool is_address_within(struct der name, struct der base)
{
	if (base.n != name.n * 2)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if ((name.p[i] ^ base.p[i]) & base.p[name.n + i])
			return false;
	return true;
}

/* Whether one of the subtrees fits; *has_any: whether one is of the name's kind. */
static bool fits_one(struct der list, unsigned tag, struct der name, bool *has_any)
{
	struct der tree, base;
	unsigned kind;

	while (der_take(&list, DER_SEQUENCE, &tree)) {
		if (!der_next(&tree, &kind, &base) || kind != tag)
			continue;
		*has_any = true;
		if (tag == DER_DNS_NAME ? is_host_below(name, base) : is_address_within(name, base))
			return true;
	}
	return false;
}

bool constraints_permit(const struct cert *c, unsigned tag, struct der name)
{
	struct der rest = c->constraints, list;
	bool has_any = false;

	if (tag != DER_DNS_NAME && tag != DER_IP_ADDRESS)
		return true;
	if (rest.p && der_take(&rest, DER_PERMITTED, &list) &&
	    !fits_one(list, tag, name, &has_any) && has_any)
		return false;
	return !rest.p || !der_take(&rest, DER_EXCLUDED, &list) ||
	       !fits_one(list, tag, name, &has_any);
}

bool constraints_permit_all(const struct cert *c, const struct cert *below, unsigned *tag,
			    struct der *name)
{
	struct der list = below->names;

	while (list.p && der_next(&list, tag, name))
		if (!constraints_permit(c, *tag, *name))
			return false;
	return true;
}
