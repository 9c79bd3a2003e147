"""Another Automerge build (PyPI `automerge`) opens our saved documents.

Usage: automerge_opens.py FOLDER, after
`cargo run -p kith-crdt --example judge_documents FOLDER`.
Compares every unit of every resource with the JSON file beside the document.
"""

import json
import pathlib
import sys

from automerge import Doc


def units(resource):
    """The units of a resource, without the members that kith writes itself."""
    return {name: value for name, value in resource.items() if not name.startswith("$")}


def judge(saved):
    expected = json.loads(saved.with_suffix(".json").read_text(encoding="utf-8"))
    opened = json.loads(Doc(saved.read_bytes()).json())
    found = {name: units(resource) for name, resource in opened.items()}
    if not expected or found != expected:
        sys.exit(f"{saved.name}: what it opens to is not what we wrote")
    print(f"{saved.name}: {len(found)} resources, equal")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    documents = sorted(pathlib.Path(sys.argv[1]).glob("*.automerge"))
    if not documents:
        sys.exit("no documents in this folder")
    for saved in documents:
        judge(saved)


if __name__ == "__main__":
    main()
