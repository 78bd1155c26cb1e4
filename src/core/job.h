/*
 * One name to keep in step with one service: the checked settings of one record, as plain values.
 * A job is copied by '=' and holds nothing of anybody's. A text that is not set is "".
 */
#ifndef CORE_JOB_H
#define CORE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/name.h"
#include "core/record.h"

#define JOB_TEXT_CAP 256    /* bytes of a service's, a tag's, a datacenter's name, with its NUL */
#define JOB_OWNER_CAP 65    /* of an owner's */
#define JOB_ADDRESSES_MAX 4 /* sources that are tried in order */

enum proxied { PROXIED_KEEP, PROXIED_OFF, PROXIED_ON };

/* What happens when no instance is wanted. */
enum on_empty {
	ON_EMPTY_KEEP,
	ON_EMPTY_REMOVE,
	ON_EMPTY_FALLBACK /* the job's fallback is wanted in their place */
};

/* Where an instance's address is taken from. */
enum address_source {
	ADDRESS_SERVICE, /* Service.Address */
	ADDRESS_NODE,    /* Node.Address */
	ADDRESS_WAN,     /* Service.TaggedAddresses: wan_ipv4 and wan_ipv6, or wan */
	ADDRESS_LAN      /* the same with lan */
};

/*
 * The types that a job rules over. Not all that can be read: an SPF record would be "not wanted".
 */
#define JOB_TYPES (RECORD_BIT(RECORD_A) | RECORD_BIT(RECORD_AAAA) | RECORD_BIT(RECORD_CNAME))

struct job {
	char service[JOB_TEXT_CAP];
	char name[NAME_CAP];         /* of the records, normal form */
	uint32_t ttl;                /* seconds, of unproxied records; 1 is automatic */
	char zone[NAME_CAP];         /* normal form; "": the longest zone that holds name */
	char zone_id[RECORD_ID_CAP]; /* "": looked up */
	enum proxied proxied;
	char owner[JOB_OWNER_CAP]; /* "": every record at name of the job's types is ours */
	enum on_empty on_empty;
	char fallback[TARGET_TEXT_CAP]; /* an address or host name that target_parse() takes */
	size_t min_records;             /* the name never has fewer, unless on_empty empties it */
	char tag[JOB_TEXT_CAP];
	enum address_source addresses[JOB_ADDRESSES_MAX];
	size_t addresses_n;
	bool include_warning; /* instances in state warning are wanted too */
	int64_t grace_ms;     /* watch: an unwanted record stays so long, maintenance apart */
	bool removes_on_drop; /* when the configuration drops it, its records go too */
	char datacenter[JOB_TEXT_CAP];
	char ns[JOB_TEXT_CAP];
	char partition[JOB_TEXT_CAP];

	/* No settings: */
	unsigned types;  /* RECORD_BITs: it rules over these; records of others are not its own */
	bool is_dropped; /* nothing is wanted any more, and that needs no evidence */
	bool has_token;  /* one goes with every read of Consul */
};

/* They ask Consul for the same: one read serves both. */
bool job_is_same_query(const struct job *a, const struct job *b);

/* They rule over the same records. */
bool job_is_same_name(const struct job *a, const struct job *b);

#endif
