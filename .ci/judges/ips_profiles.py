#!/usr/bin/env python3
"""Checks International Patient Summary bundles against the profiles of hl7.fhir.uv.ips.

usage: ips_profiles.py PROFILES BUNDLE.json...
       ips_profiles.py PROFILES --self-test

PROFILES is a folder of StructureDefinitions with snapshots (hl7.fhir.uv.ips 1.1.0). Walked over
the bundle are: min, max, fixed[x], pattern[x], slices (value, pattern, type, profile and exists
discriminators, `resolve()` included), types and forms of primitives, elements that no definition
has, and references, all of which must resolve within the bundle. The profile of an entry is the
one that the slice of its Composition section names; profiles that elements and references ask for
are followed from there. Bindings, invariants and meta.profile are not looked at: what passes is
structurally checked, not HL7-validated.

Slices by profile are open in this guide: a resource that is of another kind (another fixed or
pattern value, another form of a choice) belongs to no slice, and is noted. One that lacks what the
profile requires is a failure.

Only the standard library. Prints each failure with file and path; exits 1 when there is any.
"""

import copy
import json
import pathlib
import re
import sys

ANY = {"Resource", "DomainResource", "Element", "BackboneElement"}
PRIMITIVES = {
    "boolean": (bool, None),
    "integer": (int, None),
    "positiveInt": (int, None),
    "unsignedInt": (int, None),
    "decimal": ((int, float), None),
    "string": (str, r"[\s\S]*\S[\s\S]*"),
    "markdown": (str, r"[\s\S]*\S[\s\S]*"),
    "code": (str, r"[^\s]+(\s[^\s]+)*"),
    "id": (str, r"[A-Za-z0-9\-\.]{1,64}"),
    "uri": (str, r"\S+"),
    "url": (str, r"\S+"),
    "canonical": (str, r"\S+"),
    "oid": (str, r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+"),
    "uuid": (str, r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "date": (str, r"\d{4}(-\d\d(-\d\d)?)?"),
    "dateTime": (str, r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?"),
    "instant": (str, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
    "time": (str, r"\d\d:\d\d:\d\d(\.\d+)?"),
    "base64Binary": (str, r"[A-Za-z0-9+/=\s]+"),
    "xhtml": (str, r"<div[\s\S]*</div>"),
}


def prefixed(element, prefix):
    """The fixed[x] or pattern[x] of an element."""
    for name, value in element.items():
        if name.startswith(prefix):
            return value
    return None


def contains(value, pattern):
    """Whether a value has everything that a pattern has (FHIR R4, ElementDefinition.pattern)."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and contains(value[name], wanted) for name, wanted in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(
            any(contains(item, wanted) for item in value) for wanted in pattern
        )
    return value == pattern


class Definition:
    """An element of a snapshot, with its children and slices."""

    def __init__(self, element):
        self.element = element
        self.name = element["path"].split(".")[-1]
        self.children = []
        self.slices = []

    @property
    def types(self):
        return self.element.get("type", [])

    def child(self, name):
        return next((child for child in self.children if child.name == name), None)


class Profile:
    """A StructureDefinition as a tree."""

    def __init__(self, structure):
        self.url = structure["url"]
        self.type = structure["type"]
        by_id = {}
        for element in structure["snapshot"]["element"]:
            definition = Definition(element)
            by_id[element["id"]] = definition
            parent, _, last = element["id"].rpartition(".")
            if not parent:
                self.root = definition
            elif ":" in last:
                by_id[f"{parent}.{last.split(':')[0]}"].slices.append(definition)
            else:
                by_id[parent].children.append(definition)


class Value:
    """A value of an element with the object that its `_` twin holds, and the type of a choice."""

    def __init__(self, value, twin=None, kind=None):
        self.value = value
        self.twin = twin
        self.kind = kind


def values(node, definition):
    """The values of an element in an object."""
    name = definition.name
    if name.endswith("[x]"):
        stem = name[:-3]
        found = []
        for member in dict.fromkeys(key.lstrip("_") for key in node):
            suffix = member[len(stem):]
            if member.startswith(stem) and suffix[:1].isupper():
                kind = suffix if suffix in COMPLEX else suffix[0].lower() + suffix[1:]
                found.append(Value(node.get(member), node.get("_" + member), kind))
        return found
    value, twin = node.get(name), node.get("_" + name)
    if isinstance(value, list) or isinstance(twin, list):
        value, twin = [one if isinstance(one, list) else [one] for one in (value or [], twin or [])]
        both = range(max(len(value), len(twin)))
        pick = lambda items, n: items[n] if n < len(items) else None
        return [Value(pick(value, n), pick(twin, n)) for n in both]
    return [] if value is None and twin is None else [Value(value, twin)]


COMPLEX = {
    "Address", "Age", "Annotation", "Attachment", "CodeableConcept", "Coding", "ContactPoint",
    "Count", "Distance", "Dosage", "Duration", "Expression", "HumanName", "Identifier", "Meta",
    "Money", "Period", "Quantity", "Range", "Ratio", "Reference", "SampledData", "Signature",
    "Timing", "UsageContext",
}


class Failure:
    """Something that a definition does not allow. `other` where it means another kind of thing."""

    def __init__(self, path, what, other=False):
        self.path, self.what, self.other = path, what, other

    def __str__(self):
        return f"{self.path}: {self.what}"


class Judge:
    """Checks one bundle."""

    def __init__(self, profiles, bundle):
        self.profiles = profiles
        self.bundle = bundle
        self.notes = []
        self.done = {}
        self.entries = {}
        for entry in bundle.get("entry", []):
            resource = entry.get("resource", {})
            self.entries[entry.get("fullUrl")] = resource

    def run(self):
        by_url = lambda name: self.profiles[f"http://hl7.org/fhir/uv/ips/StructureDefinition/{name}"]
        failures = self.walk(self.bundle, by_url("Bundle-uv-ips"), "Bundle")
        failures += self.first_entry()
        failures += self.references(self.bundle, "Bundle", None)
        urls = [entry.get("fullUrl") for entry in self.bundle.get("entry", [])]
        for url in {url for url in urls if urls.count(url) > 1}:
            failures.append(Failure("Bundle.entry.fullUrl", f"{url} stands more than once"))
        return failures

    def first_entry(self):
        entries = self.bundle.get("entry", [])
        kinds = [entry.get("resource", {}).get("resourceType") for entry in entries]
        if kinds[:1] != ["Composition"]:
            return [Failure("Bundle.entry[0]", "the Composition is not the first entry")]
        return []

    # References

    def resolve(self, reference, holder):
        text = reference.get("reference") if isinstance(reference, dict) else None
        if text is None:
            return None
        if text.startswith("#"):
            inside = (holder or {}).get("contained", [])
            return next((one for one in inside if one.get("id") == text[1:]), None)
        if text in self.entries:
            return self.entries[text]
        for url, resource in self.entries.items():
            if url and not url.startswith("urn:") and url.endswith("/" + text):
                return resource
        return None

    def references(self, value, path, holder):
        failures = []
        if isinstance(value, list):
            for n, item in enumerate(value):
                failures += self.references(item, f"{path}[{n}]", holder)
        elif isinstance(value, dict):
            kind = value.get("resourceType")
            if kind and not path.rpartition(".")[2].startswith("contained"):
                holder = value
                path = f"{path}({kind})"
            text = value.get("reference")
            if isinstance(text, str) and text != "#" and self.resolve(value, holder) is None:
                failures.append(Failure(path, f"the reference {text!r} leads to nothing"))
            for name, member in value.items():
                failures += self.references(member, f"{path}.{name}", holder)
        return failures

    # Structure

    def walk(self, node, profile, path):
        """A resource or datatype against the root of a profile."""
        holder = node if isinstance(node, dict) and "resourceType" in node else None
        return self.members(node, profile.root, path, holder, True)

    def members(self, node, definition, path, holder, closed):
        if not isinstance(node, dict):
            return [Failure(path, "is not an object")]
        failures = self.unknown(node, definition, path) if closed else []
        for child in definition.children:
            found = values(node, child)
            place = f"{path}.{child.name}"
            failures += self.count(found, child, place)
            failures += self.cardinality_form(node, child, place)
            for n, value in enumerate(found):
                many = child.element.get("base", {}).get("max") != "1"
                at = f"{place}[{n}]" if many else place
                failures += self.one(value, child, at, holder)
            if child.slices:
                failures += self.sliced(found, child, place, holder)
        return failures

    def unknown(self, node, definition, path):
        known = {child.name for child in definition.children}
        stems = [name[:-3] for name in known if name.endswith("[x]")]
        extra = []
        for member in node:
            name = member.lstrip("_")
            choice = any(name.startswith(stem) and name[len(stem):][:1].isupper() for stem in stems)
            if name not in known and not choice and name not in ("resourceType", "fhir_comments"):
                extra.append(Failure(f"{path}.{member}", "no definition has this element"))
        return extra

    def count(self, found, definition, path, what=""):
        least, most = definition.element.get("min", 0), definition.element.get("max", "*")
        failures = []
        if len(found) < least:
            failures.append(Failure(path, f"{what}{len(found)} of at least {least}"))
        if most != "*" and len(found) > int(most):
            failures.append(Failure(path, f"{what}{len(found)} of at most {most}"))
        return failures

    def cardinality_form(self, node, definition, path):
        value = node.get(definition.name)
        many = definition.element.get("base", {}).get("max") != "1"
        if value is not None and isinstance(value, list) != many:
            return [Failure(path, "is a list" if isinstance(value, list) else "is not a list")]
        return []

    def one(self, value, definition, path, holder):
        """A value against a definition and the types that it allows."""
        failures = []
        fixed = prefixed(definition.element, "fixed")
        pattern = prefixed(definition.element, "pattern")
        if fixed is not None and value.value is not None and value.value != fixed:
            failures.append(Failure(path, f"is {value.value!r}, not {fixed!r}", other=True))
        if pattern is not None and not contains(value.value, pattern):
            failures.append(Failure(path, f"does not have {json.dumps(pattern)}", other=True))
        if value.value is None:
            if not (isinstance(value.twin, dict) and value.twin.get("extension")):
                failures.append(Failure(path, "has neither a value nor an extension"))
            return failures
        failures += self.kind(value, definition, path)
        if definition.children and isinstance(value.value, (dict, list)):
            # Of a datatype a snapshot may list only what the profile speaks of.
            closed = {kind["code"] for kind in definition.types} <= ANY
            failures += self.members(value.value, definition, path, holder, closed)
        failures += self.profiled(value, definition, path, holder)
        return failures

    def kind(self, value, definition, path):
        codes = [kind["code"].split("/")[-1].split(".")[-1] for kind in definition.types]
        if value.kind is not None:
            if value.kind not in codes:
                return [Failure(path, f"{value.kind} is none of {codes}")]
            codes = [value.kind]
        if len(codes) != 1:
            return []
        code = "string" if codes[0] == "String" else codes[0]
        if code not in PRIMITIVES:
            known = isinstance(value.value, dict)
            return [] if known else [Failure(path, f"{value.value!r} is no {code}")]
        kind, form = PRIMITIVES[code]
        fits = isinstance(value.value, kind) and (kind is bool or not isinstance(value.value, bool))
        if not fits or (form and not re.fullmatch(form, value.value)):
            return [Failure(path, f"{str(value.value)[:60]!r} is no {code}")]
        return []

    def profiled(self, value, definition, path, holder):
        """The profiles that a type asks for: of a datatype, of a resource, of a reference."""
        failures = []
        for kind in definition.types:
            code = kind["code"]
            if value.kind not in (None, code):
                continue
            if code == "Reference":
                failures += self.target(value.value, kind.get("targetProfile", []), path, holder)
            wanted = [self.profiles[url] for url in kind.get("profile", []) if url in self.profiles]
            if code != "Extension" and code != "Reference" and wanted:
                failures += self.any_of(value.value, wanted, path)
        return failures

    def any_of(self, node, wanted, path):
        attempts = [self.against(node, profile, path) for profile in wanted]
        return [] if any(not failures for failures in attempts) else attempts[0]

    def against(self, node, profile, path):
        key = (id(node), profile.url)
        if key not in self.done:
            self.done[key] = []
            self.done[key] = self.walk(node, profile, path)
        return self.done[key]

    def target(self, reference, targets, path, holder):
        """What a reference leads to, against the profiles that it may lead to."""
        resource = self.resolve(reference, holder)
        if resource is None or not targets:
            return []
        kind = resource.get("resourceType")
        mine = [url for url in targets if self.type_of(url) in (kind, *ANY)]
        if not mine:
            names = [url.split("/")[-1] for url in targets]
            return [Failure(path, f"leads to a {kind}, not to one of {names}")]
        wanted = [self.profiles[url] for url in mine if url in self.profiles]
        if len(wanted) < len(mine):
            return []
        where = f"{path}->{kind}"
        return self.any_of(resource, wanted, where)

    def type_of(self, url):
        if url in self.profiles:
            return self.profiles[url].type
        name = url.split("/")[-1]
        return "Observation" if name == "vitalsigns" else name

    # Slices

    def sliced(self, found, definition, path, holder):
        slicing = definition.element.get("slicing") or {}
        discriminators = slicing.get("discriminator", [])
        failures = []
        matched = {one.element["sliceName"]: [] for one in definition.slices}
        for n, value in enumerate(found):
            at = f"{path}[{n}]"
            homes, near = [], []
            for one in definition.slices:
                misses = self.misses(value, one, discriminators, at, holder)
                if not misses:
                    homes.append(one)
                elif misses is not NO_MATCH:
                    near.append((one, misses))
            for one in homes:
                matched[one.element["sliceName"]].append(value)
                failures += self.one(value, one, at, holder)
            if definition.element["path"] == "Bundle.entry":
                # The profile of the others is the one that their section asks for.
                near = [(one, misses) for one, misses in near if one.element.get("min")]
                failures += [miss for _, misses in near for miss in misses]
            elif not homes:
                failures += self.homeless(slicing, near, at)
        for one in definition.slices:
            name = one.element["sliceName"]
            failures += self.count(matched[name], one, path, f"slice {name}: ")
        return failures

    def homeless(self, slicing, near, path):
        """A value in no slice: a failure when it only lacks something of the slice it means."""
        lacking = [
            (one, [miss for miss in misses if not miss.other])
            for one, misses in near
            if not any(miss.other for miss in misses)
        ]
        if lacking:
            name = lacking[0][0].element["sliceName"]
            return [Failure(miss.path, f"{miss.what} (for slice {name})") for miss in lacking[0][1]]
        if slicing.get("rules") == "closed":
            return [Failure(path, "belongs to no slice, and others are not allowed")]
        for one, misses in near:
            self.notes.append(f"{path}: not in slice {one.element['sliceName']}: {misses[0]}")
        return []

    def misses(self, value, one, discriminators, path, holder):
        """Why a value is not in a slice: nothing when it is, NO_MATCH when it is quite another."""
        misses = []
        for discriminator in discriminators:
            kind, where = discriminator["type"], discriminator["path"]
            if kind == "profile":
                misses += self.misses_profile(value, one, where, path, holder) or []
            elif not self.matches(value, one, kind, where, holder):
                return NO_MATCH
        if any(miss is None for miss in misses):
            return NO_MATCH
        return misses

    def matches(self, value, one, kind, where, holder):
        if kind == "type":
            return self.matches_type(value, one, where, holder)
        definition, found = self.at(one, value, where)
        if kind == "exists":
            wanted = definition is not None and definition.element.get("min", 0) > 0
            return bool(found) == wanted
        if definition is None:
            return where == "url" and self.is_extension(value, one)
        fixed = prefixed(definition.element, "fixed")
        pattern = prefixed(definition.element, "pattern")
        if fixed is None and pattern is None:
            return where == "url" and self.is_extension(value, one)
        wanted = fixed if fixed is not None else pattern
        same = (lambda a, b: a == b) if fixed is not None else contains
        return any(same(item, wanted) for item in found)

    def is_extension(self, value, one):
        urls = [url for kind in one.types for url in kind.get("profile", [])]
        return isinstance(value.value, dict) and value.value.get("url") in urls

    def at(self, one, value, where):
        """The definition and the values at a discriminator's path."""
        definition, found = one, [value.value]
        for name in [] if where == "$this" else where.split("."):
            definition = definition and definition.child(name)
            found = [item.get(name) for item in found if isinstance(item, dict)]
            found = [item for item in found if item is not None]
        return definition, found

    def matches_type(self, value, one, where, holder):
        if where == "resolve()":
            resource = self.resolve(value.value, holder)
            kinds = [url for kind in one.types for url in kind.get("targetProfile", [])]
            kind = (resource or {}).get("resourceType")
            return kind in [self.type_of(url) for url in kinds]
        if where == "resource":
            wanted = [kind["code"] for kind in one.child("resource").types]
            return (value.value or {}).get("resource", {}).get("resourceType") in wanted
        if where == "$this":
            return value.kind in [kind["code"] for kind in one.types]
        child = one.child(where + "[x]")
        found = values(value.value, child) if child else []
        return any(item.kind in [kind["code"] for kind in child.types] for item in found)

    def misses_profile(self, value, one, where, path, holder):
        if where == "resolve()":
            resource = self.resolve(value.value, holder)
            urls = [url for kind in one.types for url in kind.get("targetProfile", [])]
        else:
            resource = (value.value or {}).get("resource")
            types = one.child("resource").types
            urls = [url for kind in types for url in kind.get("profile", [])]
        if not isinstance(resource, dict):
            return [None]
        mine = [url for url in urls if self.type_of(url) == resource.get("resourceType")]
        if not mine:
            return [None]
        wanted = [self.profiles[url] for url in mine if url in self.profiles]
        if len(wanted) < len(mine):
            return []
        where = f"{path}->{resource.get('resourceType')}"
        attempts = [self.against(resource, profile, where) for profile in wanted]
        return min(attempts, key=len)


NO_MATCH = object()


def load(folder):
    profiles = {}
    for path in sorted(pathlib.Path(folder).glob("StructureDefinition-*.json")):
        structure = json.loads(path.read_text(encoding="utf-8"))
        profiles[structure["url"]] = Profile(structure)
    if not profiles:
        sys.exit(f"no StructureDefinition is in {folder}")
    return profiles


def judge(profiles, bundle):
    judge = Judge(profiles, bundle)
    return sorted({str(failure) for failure in judge.run()}), judge.notes


# The self-test: a bundle that passes, broken in one way after another.


def concept(system, code):
    return {"coding": [{"system": system, "code": code}]}


LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"


def sample():
    div = '<div xmlns="http://www.w3.org/1999/xhtml">text</div>'
    text = {"status": "generated", "div": div}
    person = {"reference": "urn:uuid:2"}
    section = lambda title, code, *entries: {
        "title": title,
        "code": concept(LOINC, code),
        "text": text,
        "entry": [{"reference": entry} for entry in entries],
    }
    clinical = lambda of: concept(f"http://terminology.hl7.org/CodeSystem/{of}", "active")
    tobacco = {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(LOINC, "72166-2"),
        "subject": person,
        "effectiveDateTime": "2020",
        "valueCodeableConcept": {"text": "never"},
    }
    alcohol = dict(tobacco, code=concept(LOINC, "74013-4"))
    del alcohol["valueCodeableConcept"]
    ucum = "http://unitsofmeasure.org"
    alcohol["valueQuantity"] = {"value": 2, "system": ucum, "code": "{wine}/d"}
    resources = [
        {
            "resourceType": "Composition",
            "status": "final",
            "type": concept(LOINC, "60591-5"),
            "subject": person,
            "date": "2026-01-31T09:30:00Z",
            "author": [{"reference": "urn:uuid:3"}],
            "title": "Patient summary",
            "section": [
                section("Allergies", "48765-2", "urn:uuid:4"),
                section("Medicines", "10160-0", "urn:uuid:5"),
                section("Problems", "11450-4", "urn:uuid:6"),
                section("Social history", "29762-2", "urn:uuid:7", "urn:uuid:8"),
                section("Results", "30954-2", "urn:uuid:9"),
            ],
        },
        {"resourceType": "Patient", "name": [{"family": "Sample"}], "birthDate": "1950"},
        {"resourceType": "Organization", "name": "Riverside Surgery"},
        {
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": clinical("allergyintolerance-clinical"),
            "code": concept(SNOMED, "373270004"),
            "patient": person,
            "reaction": [{"manifestation": [{"text": "rash"}]}],
        },
        {
            "resourceType": "MedicationStatement",
            "status": "active",
            "medicationCodeableConcept": {"text": "warfarin"},
            "subject": person,
            "effectivePeriod": {"start": "2019"},
        },
        {
            "resourceType": "Condition",
            "clinicalStatus": clinical("condition-clinical"),
            "code": {"text": "asthma"},
            "subject": person,
        },
        tobacco,
        alcohol,
        {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "category": [{"text": "laboratory"}],
            "code": {"text": "blood"},
            "subject": person,
            "effectiveDateTime": "2020-02-03",
        },
    ]
    entries = [
        {"fullUrl": f"urn:uuid:{n}", "resource": resource}
        for n, resource in enumerate(resources, 1)
    ]
    return {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:example", "value": "1"},
        "type": "document",
        "timestamp": "2026-01-31T09:30:00Z",
        "entry": entries,
    }


def breakages():
    """What to break and a part of what must then be said."""

    def resource(bundle, n):
        return bundle["entry"][n]["resource"]

    def sections(bundle):
        return resource(bundle, 0)["section"]

    def drop(n, name):
        return lambda bundle: resource(bundle, n).pop(name)

    def put(n, name, value):
        return lambda bundle: resource(bundle, n).__setitem__(name, value)

    def repeat_habit(bundle):
        bundle["entry"].append(
            {"fullUrl": "urn:uuid:10", "resource": copy.deepcopy(resource(bundle, 6))}
        )
        sections(bundle)[3]["entry"].append({"reference": "urn:uuid:10"})

    def second_patient(bundle):
        other = {"resourceType": "Patient", "name": [{"family": "B"}], "birthDate": "1951"}
        bundle["entry"].append({"fullUrl": "urn:uuid:11", "resource": other})

    def absent_name(bundle):
        resource(bundle, 1)["name"] = []

    return [
        ("a missing element", lambda b: b.pop("timestamp"), "Bundle.timestamp: 0 of at least 1"),
        ("a forbidden element", lambda b: b.update(link=[{"relation": "a", "url": "b"}]),
         "Bundle.link: 1 of at most 0"),
        ("a fixed value", lambda b: b.update(type="collection"), "not 'document'"),
        ("a pattern", put(0, "type", concept(LOINC, "1")), "Composition.type: does not have"),
        ("a missing section", lambda b: sections(b).pop(0), "slice sectionAllergies: 0"),
        ("a section twice", lambda b: sections(b).append(sections(b)[1]),
         "slice sectionMedications: 2 of at most 1"),
        ("an empty section", lambda b: sections(b)[0].pop("entry"), "entry: 0 of at least 1"),
        ("an emptyReason", lambda b: sections(b)[0].update(emptyReason={"text": "x"}),
         "emptyReason: 1 of at most 0"),
        ("a section without text", lambda b: sections(b)[2].pop("text"), "text: 0 of at least 1"),
        ("a slice by profile", drop(3, "patient"), "patient: 0 of at least 1 (for slice"),
        ("a nested minimum", put(3, "reaction", [{"description": "x"}]), "manifestation: 0 of"),
        ("a missing status", drop(5, "clinicalStatus"), "clinicalStatus: 0 of at least 1"),
        ("a missing choice", drop(4, "effectivePeriod"), "effective[x]: 0 of at least 1"),
        ("a wrong choice", put(4, "effectiveTiming", {"code": {"text": "x"}}), "effective[x]"),
        ("a missing name", absent_name, "Patient.name: 0 of at least 1"),
        ("a second patient", second_patient, "slice patient: 2 of at most 1"),
        ("a wrong type in a section",
         lambda b: sections(b)[0]["entry"].append({"reference": "urn:uuid:6"}),
         "leads to a Condition"),
        ("a habit twice", repeat_habit, "slice smokingTobaccoUse: 2 of at most 1"),
        ("a quantity without its system", lambda b: resource(b, 7)["valueQuantity"].pop("system"),
         "system: 0 of at least 1"),
        ("a dangling reference", put(8, "performer", [{"reference": "urn:uuid:99"}]),
         "'urn:uuid:99' leads to nothing"),
        ("an unknown element", put(5, "colour", "blue"), "colour: no definition"),
        ("a malformed date", put(1, "birthDate", "1.2.1950"), "is no date"),
        ("a value that is no list", put(1, "name", {"family": "x"}), "is not a list"),
        ("an order", lambda b: b["entry"].reverse(), "the Composition is not the first"),
        ("a name twice", lambda b: b["entry"].append(b["entry"][5]), "stands more than once"),
        ("a null", put(1, "birthDate", None), "birthDate: 0 of at least 1"),
    ]


def self_test(profiles):
    wrong = judge(profiles, sample())[0]
    for failure in wrong:
        print(f"the sample should pass: {failure}")
    for name, break_it, said in breakages():
        bundle = sample()
        break_it(bundle)
        failures = judge(profiles, bundle)[0]
        if not any(said in failure for failure in failures):
            wrong.append(name)
            print(f"not found: {name} (looked for {said!r} in {failures})")
    print(f"self-test: {len(breakages())} breakages, {len(wrong)} wrong", file=sys.stderr)
    return 1 if wrong else 0


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    profiles = load(arguments[0])
    if arguments[1] == "--self-test":
        return self_test(profiles)
    count = notes = 0
    for path in arguments[1:]:
        bundle = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        failures, said = judge(profiles, bundle)
        count += len(failures)
        notes += len(said)
        for failure in failures:
            print(f"{path}: {failure}")
    files = len(arguments) - 1
    print(f"{files} files, {count} failures, {notes} notes", file=sys.stderr)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
