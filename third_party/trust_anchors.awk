# What `brssl ta` and `brssl chain` say of the same certificates -> the roots as one array of bytes (trust_anchors.c, and with -v HEADER=1 trust_anchors.h), which
# src/net/tls/roots.c unpacks. brssl's own table would cost 64 bytes and four relocations for each root, in a
# position-independent program another 96. Roots that have ended by NOW (seconds since 1970) are left out. Numbers of two
# bytes have the higher one first. For each root:
#   1      0: an RSA key; else the elliptic curve
#   2      days since 1970 until the end of its validity; a root that ends within a day is trusted until that day begins
#   2      n: bytes of the name (RFC 5280, a DER SEQUENCE) without its head; 0: one of an unusual form, see below
#   ...    for each attribute: type (2.5.4.type; 128 added for UTF8String, not for PrintableString), length, text
#   RSA    2 bytes length, modulus; 1 byte length, exponent (length 0: 65537, as all have)
#   EC     1 byte length, point
# A name that these rules do not cover: 2 bytes length and its DER, head and all.
# An output in another shape (another brssl) must not pass silently: at the end the counts have to agree.

function number(hex,  i, n) {
	for (i = 1; i <= length(hex); i++)
		n = n * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
	return n + 0
}

function byte(s, at) { return number(substr(s, 2 * at + 1, 2)) }

# The attributes of a name, shortened; "" when one is of another form.
function shorten(der, at,  out, type, string, len) {
	while (at < length(der) / 2) {
		len = byte(der, at + 10)
		type = byte(der, at + 8)
		string = byte(der, at + 9)
		if (substr(der, 2 * at + 1, 2) != "31" || byte(der, at + 1) != len + 9 || byte(der, at + 2) != 48 ||
		    byte(der, at + 3) != len + 7 || substr(der, 2 * at + 9, 8) != "06035504" || len > 100 ||
		    type > 127 || (string != 12 && string != 19))
			return ""
		out = out sprintf("%02x%02x", type + (string == 12 ? 128 : 0), len) substr(der, 2 * at + 23, 2 * len)
		at += len + 11
	}
	return out
}

function name(der,  head, content, short) {
	head = substr(der, 3, 2) == "82" ? 4 : substr(der, 3, 2) == "81" ? 3 : 2
	content = length(der) / 2 - head
	short = shorten(der, head)
	if (length(der) / 2 > longest)
		longest = length(der) / 2
	if (short == "")
		return sprintf("0000%04x", length(der) / 2) der
	return sprintf("%04x", content) short
}

# Enters the element of DER at this byte: sets start and end, of what is in it.
function enter(der, at,  n, len) {
	len = byte(der, at + 1)
	start = at + 2
	if (len > 127) {
		n = len - 128
		len = number(substr(der, 2 * start + 1, 2 * n))
		start += n
	}
	end = start + len
}

function skip(der, at) { enter(der, at); return end }

# The n decimal digits from this byte on, which is moved past them.
function digits(der, n,  v) {
	for (; n > 0; n--)
		v = v * 10 + byte(der, start++) - 48
	return v
}

# Seconds since 1970 until which the certificate is valid (RFC 5280 section 4.1).
function validity_end(der,  at, y, m, d, h, min) {
	enter(der, 0)
	enter(der, start)
	at = start
	if (byte(der, at) == 160) # version
		at = skip(der, at)
	at = skip(der, skip(der, skip(der, at))) # serial number, algorithm, issuer
	enter(der, at)
	at = skip(der, start)
	enter(der, at)
	y = digits(der, byte(der, at) == 23 ? 2 : 4)
	if (byte(der, at) == 23)
		y += y < 50 ? 2000 : 1900
	m = digits(der, 2)
	d = digits(der, 2)
	h = digits(der, 2)
	min = digits(der, 2)
	# The year begins in March: its leap day is its last.
	if (m < 3) {
		y--
		m += 12
	}
	d += 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * m - 457) / 5) - 719469
	return d * 86400 + h * 3600 + min * 60 + digits(der, 2)
}

function lines(hex,  i, out) {
	for (i = 1; i < length(hex); i += 2)
		out = out "0x" substr(hex, i, 2) "," (i % 32 == 31 ? "\n" : " ")
	return out "\n"
}

function root(ta, end_days,  n, e, days) {
	days = sprintf("%04x", end_days < 65535 ? end_days : 65535)
	if (curve[ta] != "")
		return curve[ta] ",\n" lines(days name(bytes[ta "_DN"]) sprintf("%02x", length(bytes[ta "_EC_Q"]) / 2) bytes[ta "_EC_Q"])
	n = bytes[ta "_RSA_N"]
	e = bytes[ta "_RSA_E"]
	if (e == "010001")
		e = ""
	return "0,\n" lines(days name(bytes[ta "_DN"]) sprintf("%04x", length(n) / 2) n sprintf("%02x", length(e) / 2) e)
}

/^static const unsigned char (TA[0-9]+_|CERT[0-9]+\[)/ { certs += /CERT/; array = $5; sub(/\[.*/, "", array); in_array = 1; next }
in_array && /^};/ { in_array = 0; next }
in_array { gsub(/0x|[, \t]/, ""); bytes[array] = bytes[array] tolower($0); next }

/BR_X509_TA_CA/ { ta = "TA" anchors++ }
/BR_EC_/ { curve[ta] = $1; sub(/,/, "", curve[ta]) }
/^#define TAs_NUM/ { declared = $3 }

END {
	for (i = 0; i < anchors; i++) {
		ta = "TA" i
		if (bytes[ta "_DN"] == "" || (bytes[ta "_RSA_N"] == "") == (bytes[ta "_EC_Q"] == ""))
			exit 1
		until = validity_end(bytes["CERT" i])
		if (until <= NOW)
			continue
		kept++
		body = body root(ta, int((until + 1) / 86400))
	}
	if (!kept || anchors != declared || anchors != certs)
		exit 1
	print "/* Generated by third_party/trust_anchors.sh: the root certificates built into the program. */"
	if (HEADER) {
		print "#ifndef TRUST_ANCHORS_H\n#define TRUST_ANCHORS_H\n"
		print "#define TRUST_ANCHORS_N " kept
		print "#define TRUST_ANCHORS_NAME_MAX " longest " /* bytes of the longest name when whole */"
		print "#define TRUST_ANCHORS_SIZE " gsub(/,/, ",", body) " /* bytes of them all */"
		print "#define TRUST_ANCHORS_BUILT_SEC " NOW " /* since 1970: what had ended then was left out */\n"
		print "extern const unsigned char trust_anchors[];\n\n#endif"
	} else {
		print "#include \"trust_anchors.h\"\n\n#include <bearssl.h>\n"
		print "const unsigned char trust_anchors[] = {\n" body "};"
	}
}
