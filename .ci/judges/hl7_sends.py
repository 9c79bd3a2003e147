"""Another HL7 library (PyPI `hl7`) sends every message of a folder to a node, and another converter's
FHIR is compared with ours.

Usage: hl7_sends.py KITH FOLDER [--table docs/hl7v2.md] [--differences]

FOLDER is that of the test data (hl7v2). Each message has to get the acknowledgement of the table of
the design, after it is on the disk; all of them sent once more file nothing; one changed value under
the same number is filed and flagged. For the pairs with expected FHIR, who, what, when, codes, values
and units are compared: what differs is listed, and what is not explained in EXPLAINED fails.
With --table, the table of message types in the document has to say what happened.
"""

import collections
import datetime
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import hl7
from hl7.client import MLLPClient

# Why a fact of one side is not one of the other: pair, kind, whose fact, what it is, the reason. What
# fits none of these fails. docs/hl7v2.md has the reasons in order.
OTHER, OURS = "only the other", "only kith"
EXPLAINED = [
    (r"ORM-O01-0[46]", r".*", OTHER, r".*", "an order of a medicine or a diet (RXO, ODS) waits for a person, with all that is in it"),
    (r"ADT-A40-01", r"Patient .*", OURS, r".*", "the other says two numbers and no patient; kith files who the patient is and proposes the link"),
    (r".*", r"Patient name", OTHER, r".*'Addsm'.*", "a name by which somebody is called (XPN-15) is no given name"),
    (r".*", r"Patient name", OURS, r".*'EVERYMAN', \('ADAM', 'A'\).*", "a name by which somebody is called (XPN-15) is no given name"),
    (r".*", r"Patient number", OTHER, r".*", "a number of a licence (PID-20), a disability (DB1), an insurance or a guarantor (IN1, IN2, GT1) is none by which kith knows a patient"),
    (r"ADT-.*", r"Observation( part)?", OTHER, r".*(death-certificate|autopsy|coroner|injury-incident|ADI|AJRI|PNI).*", "accidents and deaths (ACC, PDA) stand in the message"),
    (r"ADT-.*", r"Procedure", OTHER, r".*(autopsy-performed|death-certification).*", "accidents and deaths (ACC, PDA) stand in the message"),
    (r"ADT-.*", r"Condition", OTHER, r".*'I21'.*", "accidents and deaths (ACC, PDA) stand in the message"),
    (r"ADT-.*", r"(Condition|Procedure)", OTHER, r"\(None.*", "the other makes an empty resource for a number of a parent"),
    (r"ADT-.*", r"ServiceRequest", OTHER, r"\(None.*", "a referral inside of an admission (RF1) stands in the message"),
    (r"ADT-A04-01", r"Encounter period", r".*", r".*", "the day on which somebody is expected to leave (PV2-9) is not the end of a visit"),
    (r"(LAB-ORU-2|ORU-R01-RMGEAD|MDM-.*)", r"ServiceRequest", OTHER, r".*", "a report or document refers to its order and makes none"),
    (r"ORU-R01-RMGEAD", r"Observation", r".*", r".*182.*", "an OBX without a time has that of its OBR"),
    (r"(MDM|ORM|OML)-.*", r"DiagnosticReport", OTHER, r".*", "an order or document is no report; its results stand with the order"),
    (r"MDM-T02-01", r"DocumentReference", r".*", r".*", "a document that was authenticated (AU) is final"),
    (r"MDM-T02-01", r"Observation", r".*", r".*113014.*", "kith has the value of the OBX, the other leaves it out"),
    (r"MDM-T02-03", r"Observation", OTHER, r"\('obs-id'.*", "the text of a document stands in the document"),
    (r"MDM-T02-03", r"Encounter .*", OTHER, r".*", "a visit without a number in a message that is not about visits makes no visit"),
    (r"MDHHS-OML-O21-1", r".*", OURS, r".*", "the expected file of the other has none of the order's parts"),
    (r"OML-O21-0[13]", r"ServiceRequest", r".*", r".*", "numbers of a group (ORC-4) stand as requisition, those of a parent and of earlier results stand in the message"),
    (r"OML-O21-01", r"Procedure", OTHER, r".*", "codes of charges (FT1, OBR-44) are no procedures"),
    (r"OML-O21-03", r"Encounter class", OTHER, r".*", "the visit of an earlier result that stands in an order is not that of the order"),
]


class Node:
    """A node in a folder of its own that listens for messages."""

    def __init__(self, kith):
        self.kith = kith
        self.folder = tempfile.TemporaryDirectory()
        self.home = pathlib.Path(self.folder.name) / "home"
        self.run("setup", "--name", "Judge", "--kind", "hospital")
        self.running = None

    def run(self, *words, ok=(0,)):
        ran = subprocess.run(
            [self.kith, "--home", self.home, "--no-input", "--json", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode not in ok:
            sys.exit(f"kith {' '.join(map(str, words))} ended with {ran.returncode}: {ran.stderr}")
        lines = ran.stdout.splitlines()
        return json.loads(lines[0]) if len(lines) == 1 else ran.stdout

    def listen(self):
        self.run("connect", "hl7", "--listen", "127.0.0.1:0")
        self.running = subprocess.Popen(
            [self.kith, "--home", self.home, "--no-input", "--json", "run", "--listen", "127.0.0.1:0", "--no-pages"],
            stdout=subprocess.PIPE,
            text=True,
        )
        ready = json.loads(self.running.stdout.readline())
        host, port = ready["hl7"].rsplit(":", 1)
        return host, int(port)

    def inbox(self):
        """Every message, once none waits for the node."""
        while True:
            shown = self.run("inbox", "--all")
            if shown["wait"] == 0:
                return shown["messages"]

    def close(self):
        if self.running:
            self.running.terminate()
            self.running.wait()
        self.folder.cleanup()


def messages(folder):
    """Each file's bytes, and its type."""
    for path in sorted(folder.glob("*/*.hl7")):
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig").replace("\r\n", "\r").replace("\n", "\r")
        header = text.lstrip().split("\r")[0]
        separator = header[3]
        kind = header.split(separator)[8].split("^")
        yield path, raw, "^".join(kind[:2]), header.split(separator)[9]


def sends(client, raw):
    """Sends bytes as they are, and takes the answer apart with the other library."""
    answer = client.send_message(raw)
    parsed = hl7.parse(answer.strip(b"\x0b\x1c\r").decode("utf-8"))
    msa = parsed.segment("MSA")
    return str(msa[1]), str(msa[2]), parsed


def judge_sending(kith, folder, table):
    node = Node(kith)
    host, port = node.listen()
    all_messages = list(messages(folder))
    if not all_messages:
        sys.exit(f"there are no messages in {folder}")
    for again in (False, True):
        with MLLPClient(host, port) as client:
            for path, raw, _, control_id in all_messages:
                code, answered, _ = sends(client, raw)
                # Some files ask for enhanced mode, and one for no answer at all but an error.
                if (code not in ("AA", "CA")) or answered != control_id:
                    sys.exit(f"{path.name}: {code} for {answered!r}")
        before = node.inbox() if not again else before
        after = node.inbox()
        if again and [(m["number"], m["state"]) for m in before] != [(m["number"], m["state"]) for m in after]:
            sys.exit("what was sent twice is there twice")
    # One changed value under the same number.
    path, raw, _, _ = next(m for m in all_messages if m[0].name == "ADT01-23.hl7")
    with MLLPClient(host, port) as client:
        code, _, _ = sends(client, raw.replace(b"DUCK^DONALD^D", b"DUCK^DONALD^E"))
    changed = node.inbox()
    new = [m for m in changed if m["number"] not in {m["number"] for m in before}]
    if code != "AA" or len(new) != 1 or new[0]["state"] != "filed" or not any(
        "used this number before" in note for note in new[0]["notes"]
    ):
        sys.exit(f"a changed value under the same number: {code}, {new}")
    node.close()
    by_kind = collections.defaultdict(lambda: [0, 0, set()])
    for message in before:
        line = by_kind[message["kind"]]
        line[0 if message["state"] == "filed" else 1] += 1
        if message.get("reason"):
            line[2].add(message["reason"])
    lines = {kind: ("filed" if not waits else "inbox" if not filed else "both") for kind, (filed, waits, _) in by_kind.items()}
    for kind, (filed, waits, reasons) in sorted(by_kind.items()):
        print(f"{kind}: filed {filed}, inbox {waits} {'; '.join(sorted(reasons))}")
    if table:
        said = dict(re.findall(r"^\| `([A-Z]{3}\^[A-Z0-9]{3})` \|[^|]*\| (filed|inbox|both) \|", table.read_text(encoding="utf-8"), re.M))
        wrong = {kind: what for kind, what in lines.items() if said.get(kind) != what}
        if wrong:
            sys.exit(f"{table} says something else of {wrong}")
    print(f"{len(all_messages)} messages sent twice: acknowledged, filed once")


def moment(text):
    """A FHIR date or time as something that compares whatever its zone; the day where there is no time."""
    if text is None:
        return None
    if "T" not in text:
        return text
    text = text.replace("Z", "+00:00")
    return datetime.datetime.fromisoformat(text).astimezone(datetime.timezone.utc).isoformat()


def code_of(concept):
    coding = (concept or {}).get("coding") or [{}]
    return coding[0].get("code") or (concept or {}).get("text")


def number(value):
    return None if value is None else float(value)


def value_of(resource):
    quantity = resource.get("valueQuantity")
    if quantity:
        return (number(quantity.get("value")), quantity.get("unit") or quantity.get("code"))
    if "valueCodeableConcept" in resource:
        return code_of(resource["valueCodeableConcept"])
    for name in ("valueString", "valueDateTime"):
        if name in resource:
            return moment(resource[name]) if name == "valueDateTime" else resource[name].strip()
    return None


def facts(resources):
    """What resources say, as sets of small tuples by kind."""
    said = collections.defaultdict(set)
    for resource in resources:
        kind = resource.get("resourceType")
        if kind == "Patient":
            name = (resource.get("name") or [{}])[0]
            said["Patient name"].add((name.get("family"), tuple(name.get("given") or ())))
            said["Patient birth date"].add((resource.get("birthDate"),))
            said["Patient gender"].add((resource.get("gender"),))
            for identifier in resource.get("identifier") or ():
                said["Patient number"].add((identifier.get("value"),))
        elif kind == "Encounter":
            if (resource.get("extension") or [{}])[0].get("url") == "urn:kith:hl7v2:stay":
                continue
            said["Encounter class"].add((resource.get("class", {}).get("code"),))
            period = resource.get("period", {})
            said["Encounter period"].add((moment(period.get("start")), moment(period.get("end"))))
        elif kind == "Observation":
            value = value_of(resource)
            said["Observation"].add((code_of(resource.get("code")), value, moment(resource.get("effectiveDateTime"))))
            if resource.get("component"):
                for part in resource["component"]:
                    said["Observation part"].add((code_of(part.get("code")), value_of(part)))
        elif kind in ("AllergyIntolerance", "Condition", "DiagnosticReport"):
            said[kind].add((code_of(resource.get("code")),))
        elif kind == "Procedure":
            said[kind].add((code_of(resource.get("code")), moment(resource.get("performedDateTime"))))
        elif kind == "ServiceRequest":
            numbers = tuple(sorted(one.get("value") or "" for one in resource.get("identifier") or ()))
            said[kind].add((code_of(resource.get("code")), numbers))
        elif kind == "DocumentReference" and "masterIdentifier" in resource:
            said[kind].add((resource["masterIdentifier"].get("value"), resource.get("docStatus")))
    return said


def judge_fhir(kith, folder, report):
    """Compares the clinical content of each pair; the differences that are not explained."""
    lines = []
    pairs = same = 0
    unexplained = []
    for expected in sorted((folder / "microsoft-expected-fhir").glob("*-expected.json")):
        name = expected.name.removesuffix("-expected.json")
        path = folder / "microsoft" / f"{name}.hl7"
        node = Node(kith)
        imported = node.run("import", path, ok=(0, 3, 4))
        theirs = facts(entry["resource"] for entry in json.loads(expected.read_text(encoding="utf-8-sig"))["entry"])
        ours = collections.defaultdict(set)
        if imported and "record" in imported:
            text = node.run("export", imported["record"], "--as", "ndjson")
            resources = [text] if isinstance(text, dict) else [json.loads(line) for line in text.splitlines()]
            ours = facts(resources)
        node.close()
        pairs += 1
        for kind in sorted(set(theirs) | set(ours)):
            missing, more = theirs[kind] - ours[kind], ours[kind] - theirs[kind]
            same += len(theirs[kind] & ours[kind])
            for fact in sorted(missing, key=repr):
                lines.append((name, kind, "only the other", fact))
            for fact in sorted(more, key=repr):
                lines.append((name, kind, "only kith", fact))
    for line in lines:
        name, kind, who, fact = line
        why = explained(name, kind, who, fact)
        if why is None:
            unexplained.append(line)
        if report:
            print(f"{name}: {kind}: {who}: {fact}: {why or 'NOT EXPLAINED'}")
    print(f"{pairs} pairs: {same} facts agree, {len(lines)} differ, of which {len(unexplained)} are not explained")
    return unexplained


def explained(name, kind, who, fact):
    """Why a fact differs; nothing where nobody has said so."""
    for of_pair, of_kind, whose, what, why in EXPLAINED:
        fits = [(of_pair, name), (of_kind, kind), (whose, who), (what, repr(fact))]
        if all(re.fullmatch(pattern, text, re.S) for pattern, text in fits):
            return why
    return None


def main():
    words = sys.argv[1:]
    report = "--differences" in words
    table = None
    if "--table" in words:
        table = pathlib.Path(words[words.index("--table") + 1])
    if len(words) < 2:
        sys.exit(__doc__)
    kith, folder = pathlib.Path(words[0]).resolve(), pathlib.Path(words[1])
    judge_sending(kith, folder, table)
    unexplained = judge_fhir(kith, folder, report)
    if unexplained:
        sys.exit(f"{len(unexplained)} differences are not explained, such as {unexplained[0]}")


if __name__ == "__main__":
    main()
