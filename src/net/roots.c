#include "net/roots.h"

#include "trust_anchors.h"

const br_x509_trust_anchor *roots_anchors(void)
{
	return trust_anchors;
}

size_t roots_n(void)
{
	return trust_anchors_n;
}
