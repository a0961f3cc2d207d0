"""Makes an object of one's own, signs in, and keeps the document that the server then serves.

The folder that is named gets `openapi.json`, and `fuzzed.json`, which lacks the typed paths of most objects: they are one code.
Prints the secret of a session.
"""

import json
import os
import pathlib
import sys

import requests

URL = os.environ["RAPPORT_URL"]
KEY = {"Authorization": f"Bearer {os.environ['RAPPORT_API_KEY']}"}
FUZZED = ("contact", "service_contract")


def label(text):
    return {"en": text, "zh": text}


def field(name, kind, **more):
    return {"name": name, "label": label(name), "kind": kind, **more}


LEVEL = {"type": "choice", "options": [{"value": value, "label": label(value)} for value in ("gold", "silver")]}
OBJECT = {
    "name": "service_contract",
    "label": label("Service contract"),
    "plural": label("Service contracts"),
    "title": "name",
    "fields": [
        field("name", {"type": "text"}, required=True),
        field("seats", {"type": "number"}),
        field("level", LEVEL),
        field("signed", {"type": "date"}),
        field("price", {"type": "money"}),
        field("customer", {"type": "relation", "object": "contact"}),
        field("twice", {"type": "formula", "expression": "seats * 2"}),
    ],
}

folder = pathlib.Path(sys.argv[1])
requests.put(f"{URL}/api/v1/objects/service_contract", json=OBJECT, headers=KEY).raise_for_status()
answer = requests.get(f"{URL}/api/v1/openapi.json", headers=KEY)
answer.raise_for_status()
document = answer.json()
(folder / "openapi.json").write_text(json.dumps(document))
for path, item in list(document["paths"].items()):
    tags = {tag for operation in item.values() for tag in operation["tags"]}
    parts = path.split("/")
    if path.startswith("/api/v1/objects/") and parts[4] in tags and parts[4] not in FUZZED:
        del document["paths"][path]
(folder / "fuzzed.json").write_text(json.dumps(document))
signed_in = requests.post(
    f"{URL}/v1/session", json={"token": os.environ["RAPPORT_TOKEN"]}, headers={"X-Rapport-Request": "1"}
)
signed_in.raise_for_status()
print(signed_in.cookies["rapport_session"])
