#include "net/tls/errors.h"

#include <bearssl.h>

/* Alerts that BearSSL's header does not name: RFC 6066, RFC 8446. */
enum { ALERT_UNRECOGNIZED_NAME = 112, ALERT_CERTIFICATE_REQUIRED = 116 };

static int refused_our_certificate(bool has_identity, struct err *e)
{
	if (has_identity)
		return err_set(e, ERR_TLS, "the server refuses our client certificate");
	return err_set(e, ERR_TLS, "the server wants a client certificate");
}

static int received_alert(int alert, bool in_handshake, bool has_identity, struct err *e)
{
	switch (alert) {
	case BR_ALERT_PROTOCOL_VERSION:
		return err_set(e, ERR_PROTO, "the server offers no TLS 1.2");
	case BR_ALERT_HANDSHAKE_FAILURE:
	case BR_ALERT_INSUFFICIENT_SECURITY:
		if (!in_handshake)
			return refused_our_certificate(has_identity, e);
		return err_set(e, ERR_PROTO,
			       "the server refuses the handshake: it offers no TLS 1.2 with a "
			       "cipher suite of ours, or wants %s client certificate",
			       has_identity ? "another" : "a");
	case BR_ALERT_BAD_CERTIFICATE:
	case BR_ALERT_UNSUPPORTED_CERTIFICATE:
	case BR_ALERT_CERTIFICATE_REVOKED:
	case BR_ALERT_CERTIFICATE_EXPIRED:
	case BR_ALERT_CERTIFICATE_UNKNOWN:
	case BR_ALERT_UNKNOWN_CA:
	case BR_ALERT_ACCESS_DENIED:
	case ALERT_CERTIFICATE_REQUIRED: return refused_our_certificate(has_identity, e);
	case ALERT_UNRECOGNIZED_NAME: return err_set(e, ERR_TLS, "the server knows no such name");
	case BR_ALERT_INTERNAL_ERROR:
	case BR_ALERT_USER_CANCELED:
		return err_set(e, ERR_RETRY, "the server gave up (alert %d)", alert);
	default: return err_set(e, ERR_PROTO, "the server sent alert %d", alert);
	}
}

int tls_explain(int code, bool in_handshake, bool has_identity, struct err *e)
{
	if (code >= BR_ERR_SEND_FATAL_ALERT)
		code -= BR_ERR_SEND_FATAL_ALERT;
	if (code >= BR_ERR_RECV_FATAL_ALERT)
		return received_alert(code - BR_ERR_RECV_FATAL_ALERT, in_handshake, has_identity,
				      e);
	switch (code) {
	case BR_ERR_UNSUPPORTED_VERSION:
	case BR_ERR_BAD_VERSION: return err_set(e, ERR_PROTO, "the server offers no TLS 1.2");
	case BR_ERR_BAD_SIGNATURE:
		return err_set(e, ERR_TLS, "the server does not own its certificate's key");
	case BR_ERR_BAD_FINISHED:
	case BR_ERR_BAD_MAC:
		return err_set(e, in_handshake ? ERR_TLS : ERR_PROTO,
			       "a record was forged or damaged");
	case BR_ERR_WRONG_KEY_USAGE:
		return err_set(e, ERR_TLS, "certificate does not fit the cipher suite");
	case BR_ERR_TOO_LARGE:
	case BR_ERR_BAD_LENGTH: return err_set(e, ERR_PROTO, "a record is too long");
	case BR_ERR_NO_RANDOM: return err_set(e, ERR_SYS, "no source of random numbers");
	default: return err_set(e, ERR_PROTO, "the server breaks the protocol (code %d)", code);
	}
}
