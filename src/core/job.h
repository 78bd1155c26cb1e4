/*
 * One name to keep in step with one service: the checked settings of one record, as plain values.
 * A job is copied by '=' and holds nothing of anybody's. A text that is not set is "".
 */
#ifndef CORE_JOB_H
#define CORE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/name.h"
#include "core/record.h"

#define JOB_TEXT_CAP 256    /* bytes of a service's, a tag's, a datacenter's name, with its NUL */
#define JOB_OWNER_CAP 65    /* of an owner's */
#define JOB_COMMENT_CAP 101 /* of a record's; every plan takes a comment of 100 */
#define JOB_ADDRESSES_MAX 4 /* sources that are tried in order */

enum proxied { PROXIED_KEEP, PROXIED_OFF, PROXIED_ON };

/* What happens when no instance is wanted. */
enum on_empty {
	ON_EMPTY_KEEP,
	ON_EMPTY_REMOVE,
	ON_EMPTY_FALLBACK /* the job's fallback is wanted in their place */
};

/* What happens to the records when the configuration drops the job. */
enum on_drop { ON_DROP_KEEP, ON_DROP_REMOVE };

/* Where an instance's address is taken from. */
enum address_source {
	ADDRESS_SERVICE, /* Service.Address */
	ADDRESS_NODE,    /* Node.Address */
	ADDRESS_WAN,     /* Service.TaggedAddresses: wan, else by family wan_ipv4, wan_ipv6 */
	ADDRESS_LAN,     /* the same with lan */
	ADDRESS_SOURCES
};

/*
 * The types that a job rules over. Not all that can be read: an SPF record would be "not wanted".
 */
#define JOB_TYPES (RECORD_BIT(RECORD_A) | RECORD_BIT(RECORD_AAAA) | RECORD_BIT(RECORD_CNAME))

struct address_list {
	enum address_source of[JOB_ADDRESSES_MAX];
	size_t n;
};

/* cppcheck does not find a macro whose name was just put together, but within a macro. */
#define JOB_EXPAND(...) __VA_ARGS__
#define JOB_FIELD_TEXT(field, cap, reader) char field[cap];
#define JOB_FIELD_VALUE(type, field, reader) type field;
#define JOB_FIELD_CHOICE(type, field) enum type field;
#define JOB_FIELD_NUMBER(field, min, max) uint32_t field;
#define JOB_FIELD_SECONDS(field, min, max) int64_t field;

struct job {
#define JOB_SETTING(id, groups, role, type, ...) JOB_EXPAND(JOB_FIELD_##type)
#include "core/job.def"

	/* Not settings: */
	unsigned types; /* RECORD_BITs: it rules over these; records of others are not its own */
	char fallback[TARGET_TEXT_CAP]; /* of on_empty; target_parse() takes it */
	bool is_dropped;                /* nothing is wanted any more, and that needs no evidence */
	bool has_token;                 /* one goes with every read of Consul */
};

/* They ask Consul for the same: one read serves both. */
bool job_is_same_query(const struct job *a, const struct job *b);

/* There may be records that both rule over: of one name, and of one owner or of any. */
bool job_overlaps(const struct job *a, const struct job *b);

/*
 * Write the comment that marks a job's records: "managed by dnsbuddy", and " owner=NAME" after it
 * with an owner. It fits in JOB_COMMENT_CAP.
 */
void job_comment(struct buf *b, const struct job *job);

#endif
