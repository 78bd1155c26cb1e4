"""I1 to I6 of src/README.md, checked over the record sets that a journal holds.

They speak of what the world saw: sets of (type, content) at one name, one after the other.
"""

import ipaddress

OURS = ("A", "AAAA", "CNAME")


def pairs(wanted):
    """{(type, content)} of addresses and host names written in any form."""
    out = set()
    for item in wanted:
        if isinstance(item, tuple):
            out.add(item)
            continue
        try:
            address = ipaddress.ip_address(item)
            out.add(("A" if address.version == 4 else "AAAA", str(address)))
        except ValueError:
            out.add(("CNAME", item.lower().removesuffix(".")))
    return out


def check(snapshots, name, wanted=None, *, floor=1, final=True, swap=False, owner=None,
          also=(), quiet=False):
    """Every breach found, as a list of texts.

    snapshots  the record sets from the start of the run on; the first is the state before it
    wanted     addresses (or host names, or (type, content)) that Consul lists; a callable gets the
               snapshot a write led to and says what was wanted then; None: I1, I3, I4, I5 are out
    floor      I2: never fewer records at the name than this, once there were as many
    final      I5: the last record set has to be the wanted one
    swap       a batch may add and remove together (A -> CNAME)
    owner      I6: records without `owner=NAME` in their comment are foreign, too
    also       I6: other names that the run is in charge of
    quiet      I4: nothing may have been written at all
    """
    breaches = []
    want_of = wanted if callable(wanted) else lambda snapshot: wanted
    for before, after in zip(snapshots, snapshots[1:]):
        if after.call is None:
            continue  # the test's own doing
        want = want_of(after)
        step = _Step(name.lower(), before, after, owner, also)
        where = f"{after.call!r}, records {step.had} -> {step.has}"
        found = step.foreign() + step.dark(floor)
        if quiet:
            found.append("I4: something was written")
        if want is not None:
            found += step.order(pairs(want), swap)
        breaches += [f"{text} ({where})" for text in found]
    if final and wanted is not None and snapshots:
        has = _held(snapshots[-1], name.lower(), owner)
        want = pairs(want_of(snapshots[-1]))
        if has != sorted(want):
            breaches.append(f"I5: ended with {has}, wanted {sorted(want)}")
    return breaches


def _held(snapshot, name, owner):
    """Sorted, duplicates kept: a stale twin of a wanted record counts."""
    return sorted((r.type, r.content) for r in snapshot.records if _is_ours(r, name, owner))


def _is_ours(record, name, owner):
    if record.name != name or record.type not in OURS:
        return False
    return owner is None or f"owner={owner}" in (record.comment or "").split()


class _Step:
    """One write of the client."""

    def __init__(self, name, before, after, owner, also):
        self.before, self.after = before.records, after.records
        self.had, self.has = _held(before, name, owner), _held(after, name, owner)
        self.name, self.owner, self.also = name, owner, also

    def foreign(self):
        def others(records):
            return {r for r in records if r.name not in self.also
                    and not _is_ours(r, self.name, self.owner)}

        touched = others(self.before) ^ others(self.after)
        return sorted({f"I6: foreign {r.type} {r.name} {r.content} was touched" for r in touched})

    def dark(self, floor):
        if len(self.has) < min(floor, len(self.had)):
            return [f"I2: {len(self.has)} records left, at least {floor} are to stay"]
        return []

    def order(self, want, swap):
        out = []
        gone = set(self.had) - set(self.has)
        fewer = len(self.has) < len(self.had) or gone
        missing = want - set(self.has if swap else self.had)
        if fewer and missing:
            out.append(f"I1: removed {sorted(gone)} while {sorted(missing)} was missing")
        if gone & want:
            out.append(f"I3: removed wanted {sorted(gone & want)}")
        if self.had == sorted(want) and self.has != self.had:
            out.append("I4: changed a name that was as wanted")
        return out
