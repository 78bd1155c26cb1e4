#include "config/settings.h"

const struct setting_info settings[SETTINGS] = {
	[SET_SERVICE] =
		{
			.flag = "service",
			.key = "service",
			.env = {"SERVICE"},
			.help = "NAME   service in Consul (required)",
		},
	[SET_RECORD] =
		{
			.flag = "record",
			.key = "record",
			.env = {"RECORD"},
			.help = "NAME   whole DNS name; @ is the zone's apex; *.NAME allowed "
				"(required)",
		},
	[SET_TTL] =
		{
			.flag = "ttl",
			.key = "ttl",
			.env = {"TTL"},
			.initial = "60",
			.help = "SECONDS   1 (automatic) or 30 to 86400",
		},
	[SET_ZONE] =
		{
			.flag = "zone",
			.key = "zone",
			.env = {"CF_ROOT_DOMAIN"},
			.help = "NAME   zone at Cloudflare; default: the longest that holds the "
				"record",
		},
	[SET_ZONE_ID] =
		{
			.flag = "zone-id",
			.key = "zone_id",
			.env = {"CF_ZONE_ID"},
			.help = "ID   32 hexadecimal digits; saves the look-up",
		},
	[SET_PROXIED] =
		{
			.flag = "proxied",
			.key = "proxied",
			.env = {"PROXIED"},
			.help = "true|false   default: existing records stay as they are, new ones "
				"are not",
		},
	[SET_OWNER] =
		{
			.flag = "owner",
			.key = "owner",
			.env = {"OWNER"},
			.is_guard = true,
			.help = "NAME   touch only records whose comment names this owner",
		},
	[SET_ON_EMPTY] =
		{
			.flag = "on-empty",
			.key = "on_empty",
			.env = {"ON_EMPTY"},
			.initial = "keep",
			.help = "keep|remove|fallback=ADDRESS   when no instance is wanted",
		},
	[SET_MIN_RECORDS] =
		{
			.flag = "min-records",
			.key = "min_records",
			.env = {"MIN_RECORDS"},
			.initial = "1",
			.is_guard = true,
			.help = "N   never go below so many records",
		},
	[SET_TAG] =
		{
			.flag = "tag",
			.key = "tag",
			.env = {"SERVICE_TAG"},
			.is_guard = true,
			.help = "TAG   only instances with this tag",
		},
	[SET_ADDRESS] =
		{
			.flag = "address",
			.key = "address",
			.env = {"ADDRESS"},
			.initial = "service",
			.help = "LIST   of service, node, wan, lan: tried in this order",
		},
	[SET_INCLUDE_WARNING] =
		{
			.flag = "include-warning",
			.key = "include_warning",
			.env = {"INCLUDE_WARNING"},
			.initial = "false",
			.is_switch = true,
			.help = "   instances in state warning are wanted too",
		},
	[SET_GRACE] =
		{
			.flag = "grace",
			.key = "grace",
			.env = {"GRACE"},
			.initial = "1",
			.help = "SECONDS   watch: a critical or vanished instance stays so long",
		},
	[SET_ON_DROP] =
		{
			.key = "on_drop",
			.env = {"ON_DROP"},
			.initial = "keep",
			.help = "   keep|remove: watch: the records of an entry that a new "
				"--config lacks",
		},
	[SET_DATACENTER] =
		{
			.flag = "datacenter",
			.key = "datacenter",
			.env = {"CONSUL_DATACENTER"},
			.help = "NAME   of Consul; default: the agent's own",
		},
	[SET_NAMESPACE] =
		{
			.key = "namespace",
			.env = {"CONSUL_NAMESPACE"},
			.help = "   of Consul Enterprise",
		},
	[SET_PARTITION] =
		{
			.key = "partition",
			.env = {"CONSUL_PARTITION"},
			.help = "   of Consul Enterprise",
		},
	[SET_API_TOKEN] =
		{
			.key = "api_token",
			.env = {"CLOUDFLARE_API_TOKEN", "CF_API_TOKEN"},
			.is_secret = true,
			.help = "   Cloudflare API token, with Zone:Read and DNS:Edit on the zone",
		},
	[SET_API_KEY] =
		{
			.key = "api_key",
			.env = {"CF_API_KEY", "CLOUDFLARE_API_KEY"},
			.is_secret = true,
			.help = "   in its place: the Global API Key",
		},
	[SET_API_EMAIL] =
		{
			.key = "api_email",
			.env = {"CF_AUTH_EMAIL", "CLOUDFLARE_EMAIL", "CF_API_EMAIL"},
			.is_secret = true,
			.help = "   with the key: the account's e-mail",
		},
	[SET_CF_API_URL] =
		{
			.flag = "cf-api-url",
			.key = "cf_api_url",
			.env = {"CF_API_URL"},
			.initial = "https://api.cloudflare.com/client/v4",
			.help = "URL   https only",
		},
	[SET_CA_FILE] =
		{
			.flag = "ca-file",
			.key = "ca_file",
			.env = {"SSL_CERT_FILE"},
			.help = "FILE   PEM roots for Cloudflare; default: those built in",
		},
	[SET_CONSUL] =
		{
			.flag = "consul",
			.key = "consul",
			.env = {"CONSUL_HTTP_ADDR", "CONSUL"},
			.fallback_env = "CONSUL_PORT_8500_TCP_ADDR",
			.initial = "127.0.0.1:8500",
			.help = "ADDRESS   host, host:port, http://, https:// or unix:///path",
		},
	[SET_CONSUL_TOKEN] =
		{
			.key = "consul_token",
			.env = {"CONSUL_HTTP_TOKEN"},
			.is_secret = true,
			.help = "   ACL token: service:read and node:read",
		},
	[SET_CONSUL_AUTH] =
		{
			.key = "consul_http_auth",
			.env = {"CONSUL_HTTP_AUTH"},
			.is_secret = true,
			.help = "   USER:PASSWORD for a proxy before Consul",
		},
	[SET_CONSUL_SSL] =
		{
			.key = "consul_http_ssl",
			.env = {"CONSUL_HTTP_SSL"},
			.initial = "false",
			.help = "   true: https where the address names no scheme",
		},
	[SET_CONSUL_SSL_VERIFY] =
		{
			.key = "consul_http_ssl_verify",
			.env = {"CONSUL_HTTP_SSL_VERIFY"},
			.initial = "true",
			.help = "   false: any certificate will do",
		},
	[SET_CONSUL_CACERT] =
		{
			.key = "consul_cacert",
			.env = {"CONSUL_CACERT"},
			.help = "   PEM file with the roots for Consul; default: those built in",
		},
	[SET_CONSUL_CLIENT_CERT] =
		{
			.key = "consul_client_cert",
			.env = {"CONSUL_CLIENT_CERT"},
			.help = "   PEM file with our certificate for Consul",
		},
	[SET_CONSUL_CLIENT_KEY] =
		{
			.key = "consul_client_key",
			.env = {"CONSUL_CLIENT_KEY"},
			.help = "   PEM file with its key",
		},
	[SET_CONSUL_SERVER_NAME] =
		{
			.key = "consul_tls_server_name",
			.env = {"CONSUL_TLS_SERVER_NAME"},
			.help = "   the name Consul's certificate must have",
		},
	[SET_HTTPS_PROXY] =
		{
			.key = "https_proxy",
			.env = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"},
			.help = "   http://[USER:PASSWORD@]HOST:PORT for https connections",
		},
	[SET_NO_PROXY] =
		{
			.key = "no_proxy",
			.env = {"no_proxy", "NO_PROXY"},
			.help = "   hosts and domains to reach without it",
		},
	[SET_RESYNC] =
		{
			.flag = "resync",
			.key = "resync",
			.env = {"RESYNC"},
			.initial = "300",
			.help = "SECONDS   watch: list all records anew so often, a tenth more or "
				"less",
		},
	[SET_LOCK] =
		{
			.flag = "lock",
			.key = "lock",
			.env = {"LOCK"},
			.initial = "false",
			.is_switch = true,
			.help = "[=KEY]   watch: only the copy that holds this lock in Consul "
				"writes",
		},
	[SET_REGISTER_AS] =
		{
			.flag = "register-as",
			.key = "register_as",
			.env = {"REGISTER_AS"},
			.initial = "cloudflare",
			.help = "NAME   watch: its own service in Consul; none: not registered",
		},
	[SET_UNHEALTHY_AFTER] =
		{
			.flag = "unhealthy-after",
			.key = "unhealthy_after",
			.env = {"UNHEALTHY_AFTER"},
			.initial = "60",
			.help = "SECONDS   watch: so long a record may be other than wanted",
		},
	[SET_LISTEN] =
		{
			.flag = "listen",
			.key = "listen",
			.env = {"LISTEN"},
			.help = "ADDR:PORT   watch: serve /health, /metrics and a page; health: "
				"ask there",
		},
	[SET_RETRY_FOR] =
		{
			.flag = "retry-for",
			.key = "retry_for",
			.env = {"RETRY_FOR"},
			.initial = "60",
			.help = "SECONDS   start no new try after this; 0: one try",
		},
	[SET_TIMEOUT] =
		{
			.flag = "timeout",
			.key = "timeout",
			.env = {"DNSBUDDY_TIMEOUT"},
			.initial = "10",
			.help = "SECONDS   for one exchange, connect to last byte",
		},
	[SET_LOG_FORMAT] =
		{
			.flag = "log-format",
			.key = "log_format",
			.env = {"LOG_FORMAT"},
			.initial = "auto",
			.help = "text|logfmt|json   default: text on a terminal, else logfmt",
		},
	[SET_LOG_LEVEL] =
		{
			.flag = "log-level",
			.key = "log_level",
			.env = {"LOG_LEVEL"},
			.initial = "info",
			.help = "debug|info|warn|error   what is logged",
		},
	[SET_CONFIG] =
		{
			.flag = "config",
			.env = {"DNSBUDDY_CONFIG"},
			.help = "JSON   file, file:// path, or a JSON object itself",
		},
};
