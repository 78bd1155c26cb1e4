"""Every knob of the stand-in, with the value that Cloudflare's Free plan (or a test) would have."""

from dataclasses import dataclass, fields


@dataclass
class Settings:
    # -- what the account allows
    record_quota: int = 3500  # records per zone; past it 81045
    batch_limit: int = 200  # operations in one batch, the four lists together
    min_ttl: int = 60  # 30 for Enterprise zones
    comment_max: int = 100  # bytes
    tag_quota: int = 0  # tags per record: none on Free
    content_total: int = 8192  # bytes of content per name and type; 0 switches the check off

    # -- how lists answer
    max_per_page: int = 5000  # a larger per_page is cut to this
    zones_max_per_page: int = 50
    omit_total_pages: bool = False  # as older answers had it
    batch_omit_empty: bool = False  # leave lists that were not asked for out of a batch's answer
    old_shape: bool = False  # records with zone_id, zone_name and locked, as until 2024
    identical_code: int = 81058  # or 81057, its older form

    # -- how the edge answers
    chunk_size: int = 0  # bytes per chunk; 0 varies from answer to answer
    segment_size: int = 0  # bytes per send(); 0 sends an answer at once
    idle_timeout_sec: float = 60.0  # an idle connection is closed after this
    requests_per_connection: int = 0  # 0: no limit; else closed after so many, unannounced

    # -- rate limit: counted always, enforced only on request
    rate_limit: int = 1200
    rate_window_sec: float = 300.0
    rate_enforce: bool = False
    rate_headers: bool = True  # Ratelimit and Ratelimit-Policy on each answer
    rate_retry_after: bool = True  # Retry-After on a 429

    # -- what is demanded of the client, see validate.py
    strict: bool = True  # our own schema and header rules
    user_agent: str = r"dnsbuddy/"  # regular expression at the start; empty: any

    def change(self, **values):
        """Set several knobs; an unknown name or a wrong kind of value is an error."""
        kinds = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        for name, value in values.items():
            if name not in kinds:
                raise KeyError(f"no setting {name!r}; there are {', '.join(sorted(kinds))}")
            kind = kinds[name]
            if kind is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if type(value) is not kind:
                raise TypeError(f"setting {name} wants {kind.__name__}, not {value!r}")
            setattr(self, name, value)
