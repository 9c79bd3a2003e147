#!/usr/bin/env python3
"""Two FHIR clients by others read a record from a running node, and a third library reads every answer.

usage: fhir_clients.py KITH FILE...

KITH is the program, each FILE what is imported: about one person each. For each of them

- `fhirclient` is launched (SMART App Launch: authorize, the person's answer in the pages, the code,
  the token), and reads the patient and searches;
- `fhirpy` reads, searches over all pages and creates with a token;
- every type that the CapabilityStatement states is crawled, page by page and read by read, with
  operations and refusals, and `fhir.resources` (R4B) parses each answer;
- the app is stopped, and the next read is refused with an OperationOutcome.

Prints what failed, exits 1 when anything did.
"""

import html
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile

import requests
from fhir.resources.R4B import get_fhir_model_class
from fhirclient import client as smart_client
from fhirclient.models import condition, observation, patient
from fhirpy import SyncFHIRClient
from pydantic import ValidationError

BACK = "http://127.0.0.1:9/callback"


class Judge:
    def __init__(self):
        self.parsed = 0
        self.failures = []

    def fails(self, what):
        self.failures.append(what)
        print(what)

    def expect(self, is_so, what):
        if not is_so:
            self.fails(what)

    def parse(self, where, value):
        """R4B is the nearest to R4 that the package has."""
        self.parsed += 1
        try:
            get_fhir_model_class(value["resourceType"]).model_validate(value)
        except ValidationError as error:
            for failure in error.errors():
                place = ".".join(map(str, failure["loc"]))
                self.fails(f"{where}: {place}: {failure['msg']}")


class Node:
    """A node in a folder of its own, that runs with pages at a known port."""

    def __init__(self, program, folder):
        self.program, self.home = program, os.path.join(folder, "home")
        self.running = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.site = f"http://127.0.0.1:{free.getsockname()[1]}"

    def kith(self, *words):
        command = [self.program, "--home", self.home, "--no-input", "--json", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 3):
            sys.exit(f"kith {' '.join(words)}: {done.stderr}")
        return json.loads(done.stdout)

    def run(self):
        pages = self.site.removeprefix("http://")
        command = [self.program, "--home", self.home, "--no-input", "--json"]
        command += ["run", "--listen", "127.0.0.1:0", "--pages", pages]
        self.running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.running.stdout.readline()

    def stop(self):
        if self.running:
            self.running.send_signal(signal.SIGTERM)
            self.running.wait()

    def browser(self):
        """Somebody at the machine: the cookie of a session."""
        link = self.kith("ui", "--no-open")["link"]
        secret = link.rsplit("/", 1)[1]
        answer = requests.post(
            f"{self.site}/enter",
            data={"link": secret},
            headers={"Origin": self.site, "Sec-Fetch-Site": "same-origin"},
            allow_redirects=False,
            timeout=60,
        )
        return answer.headers["Set-Cookie"].split(";")[0]


def fields(page):
    """The inputs of a page's form, as they stand."""
    found = []
    for tag in re.findall(r"<input[^>]*>", page):
        own = {n: html.unescape(v) for n, v in re.findall(r'(\w+)="([^"]*)"', tag)}
        is_chosen = " checked" in tag
        if own.get("type") in ("radio", "checkbox") and not is_chosen:
            continue
        if "name" in own:
            found.append((own["name"], own.get("value", "")))
    return found


def says_yes(node, cookie, url):
    """What a person does with the address to which an app sends their browser."""
    first = requests.get(
        url, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, timeout=60
    )
    on = html.unescape(re.search(r'href="(/apps/ask\?[^"]*)"', first.text).group(1))
    question = requests.get(node.site + on, headers={"Cookie": cookie}, timeout=60).text
    form = re.search(r'<form class="panel"[^>]*action="([^"]*)"[^>]*>(.*?)</form>', question, re.S)
    action = html.unescape(form.group(1))
    answer = requests.post(
        node.site + action,
        data=[*fields(form.group(2)), ("answer", "yes")],
        headers={
            "Cookie": cookie,
            "Origin": node.site,
            "Sec-Fetch-Site": "same-origin",
        },
        allow_redirects=False,
        timeout=60,
    )
    return answer.headers["Location"]


def launched(judge, node, cookie):
    """`fhirclient` through a whole launch."""
    app = node.kith("connect", "app", "--name", "fhirclient", "--redirect", BACK)
    smart = smart_client.FHIRClient(
        settings={
            "app_id": app["client_id"],
            "api_base": app["base"],
            "redirect_uri": BACK,
            "scope": "patient/*.rs launch/patient",
        }
    )
    url = smart.authorize_url
    judge.expect("code_challenge_method=S256" in url, "fhirclient asked without PKCE")
    smart.handle_callback(says_yes(node, cookie, url))
    judge.expect(smart.ready, "fhirclient is not ready after the launch")
    person = smart.patient
    judge.expect(person and person.id == smart.patient_id, "fhirclient read another patient")
    again = patient.Patient.read(smart.patient_id, smart.server)
    judge.expect(again.as_json() == person.as_json(), "a patient read twice differs")
    read = 0
    for model in (observation.Observation, condition.Condition):
        search = model.where({"patient": smart.patient_id, "_count": "20"})
        found = list(search.perform_resources_iter(smart.server))
        found = [one for one in found if isinstance(one, model)]
        total = search.perform(smart.server).total
        judge.expect(len(found) == total, f"fhirclient found {len(found)} of {total}")
        read += len(found)
    node.kith("connect", "stop", "fhirclient")
    try:
        patient.Patient.read(smart.patient_id, smart.server)
        judge.fails("fhirclient read after the share was stopped")
    except Exception as error:  # its own errors have no class in common
        judge.expect("401" in str(error) or "nauthor" in repr(error), f"another end: {error!r}")
    return read


def by_token(judge, node, record):
    """`fhirpy` with a token that may add results."""
    rights = ["--see", "all", "--add", "results", "--until", "2099-12-31"]
    token = node.kith("connect", "fhir", record, "--name", "fhirpy", *rights)
    client = SyncFHIRClient(token["base"], authorization=f"Bearer {token['token']}")
    person = client.reference("Patient", token["patient"]).to_resource()
    judge.expect(person.id == token["patient"], "fhirpy read another patient")
    search = client.resources("Observation").search(patient=token["patient"]).limit(20)
    found = search.fetch_all()
    judge.expect(len(found) == search.count(), f"fhirpy found {len(found)} of {search.count()}")
    reading = client.resource(
        "Observation",
        status="final",
        code={"text": "Judged"},
        subject={"reference": f"Patient/{token['patient']}"},
        valueQuantity={"value": 36.6, "unit": "Cel"},
    )
    reading.save()
    judge.expect(reading.id, "fhirpy created nothing")
    after = client.resources("Observation").search(patient=token["patient"])
    judge.expect(after.count() == len(found) + 1, "what fhirpy created is not found")
    return token, len(found)


def crawl(judge, token):
    """Every type, every page, every read, with operations and refusals."""
    base, headers = token["base"], {"Authorization": f"Bearer {token['token']}"}

    def get(path, status=200):
        url = path if path.startswith("http") else f"{base}/{path}"
        answer = requests.get(url, headers=headers, timeout=120)
        judge.expect(answer.status_code == status, f"{path}: {answer.status_code}")
        value = answer.json()
        judge.parse(path, value)
        return value

    resources = 0
    for stated in get("metadata")["rest"][0]["resource"]:
        path = f"{stated['type']}?_count=50"
        while path:
            bundle = get(path)
            for entry in bundle.get("entry", []):
                if entry["search"]["mode"] == "match":
                    resources += 1
                    if resources % 5 == 0:
                        get(entry["fullUrl"])
            nexts = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
            path = nexts[0] if nexts else None
    person = token["patient"]
    for path in ("Patient/$summary", "Patient/$everything?_count=30"):
        get(path)
    get(f"DocumentReference/$docref?patient={person}")
    get("Nothing", 404)
    get("Patient/nothing", 404)
    get("Observation?date=soon", 400)
    return resources


def main(program, files):
    judge = Judge()
    for file in files:
        with tempfile.TemporaryDirectory() as folder:
            node = Node(os.path.abspath(program), folder)
            node.kith("setup", "--name", "Judge", "--kind", "person")
            record = node.kith("import", file)["record"]
            node.run()
            try:
                read = launched(judge, node, node.browser())
                token, found = by_token(judge, node, record)
                resources = crawl(judge, token)
                node.kith("connect", "stop", "fhirpy")
                refused = requests.get(
                    f"{token['base']}/Patient/{token['patient']}",
                    headers={"Authorization": f"Bearer {token['token']}"},
                    timeout=60,
                )
                judge.expect(refused.status_code == 401, "a token outlives its share")
                judge.parse("after the stop", refused.json())
            finally:
                node.stop()
        print(
            f"{os.path.basename(file)}: fhirclient read {read}, fhirpy {found}, {resources} crawled",
            file=sys.stderr,
        )
    print(f"{judge.parsed} answers parsed, {len(judge.failures)} failures", file=sys.stderr)
    return 1 if judge.failures else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
