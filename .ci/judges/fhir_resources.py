#!/usr/bin/env python3
"""Validates FHIR files with the `fhir.resources` package (R4B: the nearest to R4 that it has).

usage: fhir_resources.py FILE...

Needs `fhir.resources` 8.3 and installs nothing. Prints every failure with its file and place,
exits 1 when there is any, 2 when the package is missing.
"""

import json
import sys

try:
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError
except ImportError as error:
    sys.exit(f"fhir.resources is not installed: {error}")


def judge(path):
    with open(path, encoding="utf-8") as file:
        value = json.load(file)
    try:
        get_fhir_model_class(value["resourceType"]).model_validate(value)
    except ValidationError as error:
        return [
            f"{path}: {'.'.join(map(str, failure['loc']))}: {failure['msg']}"
            for failure in error.errors()
        ]
    return []


def main(paths):
    if not paths:
        sys.exit(__doc__)
    failures = 0
    for path in paths:
        for failure in judge(path):
            failures += 1
            print(failure)
    print(f"{len(paths)} files, {failures} failures", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
