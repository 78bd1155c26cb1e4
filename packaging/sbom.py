#!/usr/bin/python3
"""sbom.py [FILE...]: the list of dnsbuddy's parts as CycloneDX 1.5 JSON, on stdout; the files named are the programs it is for.

SOURCE_DATE_EPOCH is its time. The serial number is a sum of all the rest: the same parts, the same bytes.
"""
import json
import os
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path

import parts

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "pkg:generic/dnsbuddy")


def hashes(value):
    return [{"alg": "SHA-256", "content": value}]


def licences(licence):
    return [{"expression": licence}] if " " in licence else [{"license": {"id": licence}}]


def component(part):
    out = {"type": part.kind, "bom-ref": part.purl, "supplier": {"name": part.supplier}, "name": part.name,
           "version": part.version, "description": part.description}
    if part.sha256:
        out["hashes"] = hashes(part.sha256)
    out["licenses"] = licences(part.licence)
    if part.holders:
        out["copyright"] = "\n".join(f"Copyright {holder}" for holder in part.holders)
    out["purl"] = part.purl
    if part.origins:
        out["externalReferences"] = [{"type": "distribution", "url": url, "hashes": hashes(sum_)} for url, sum_ in part.origins]
    if part.properties:
        out["properties"] = [{"name": name, "value": value} for name, value in part.properties]
    return out


def bom(files):
    project, contained = parts.project(), parts.parts()
    main = component(project)
    if files:
        main["components"] = [{"type": "file", "bom-ref": f"file:{file.name}", "name": file.name, "hashes": hashes(parts.sha256(file))}
                              for file in sorted(files, key=lambda file: file.name)]
    when = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc)
    out = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": "",
        "version": 1,
        "metadata": {
            "timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [{"type": "application", "name": "dnsbuddy packaging/sbom.py", "version": project.version}]},
            "component": main,
            "supplier": {"name": project.supplier},
        },
        "components": [component(part) for part in contained],
        "dependencies": [{"ref": project.purl, "dependsOn": [part.purl for part in contained]}]
                        + [{"ref": part.purl} for part in contained],
        "compositions": [{"aggregate": "complete", "dependencies": [project.purl]}],
    }
    out["serialNumber"] = uuid.uuid5(NAMESPACE, json.dumps(out, sort_keys=True)).urn
    return out


if __name__ == "__main__":
    json.dump(bom([Path(name) for name in sys.argv[1:]]), sys.stdout, indent=2, ensure_ascii=False)
    print()
