"""Another COSE library verifies what kith signed, and refuses a flipped copy of each.

    pip install 'pycose==1.1.0' 'cbor2<6'
    cargo run -p kith-protocol --example judge_signatures > messages.json
    python .ci/judges/cose_verifies.py messages.json

The file is a list of objects with a name, the signer's Ed25519 key, the external AAD and the
COSE_Sign1 (RFC 9052), the last three in hexadecimal. Exit 1 when one message is not verified, or
one that was changed is. (pycose 1.1.0 takes arrays for lists, which cbor2 gives below version 6.)
"""

import json
import sys

from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import CoseMessage, Sign1Message


def verifies(message: bytes, signer: bytes, aad: bytes) -> bool:
    """Whether pycose takes the message; it raises where it cannot read it."""
    cose = CoseMessage.decode(message)
    if not isinstance(cose, Sign1Message):
        raise TypeError(f"a {type(cose).__name__} where a Sign1Message is expected")
    cose.external_aad = aad
    cose.key = OKPKey(crv=Ed25519, x=signer)
    return bool(cose.verify_signature())


def is_taken(message: bytes, signer: bytes, aad: bytes) -> bool:
    """Whether pycose takes a message that it should not; what it cannot read, it does not take."""
    try:
        return verifies(message, signer, aad)
    except Exception:
        return False


def flips(message: bytes):
    """The message with one bit flipped: in each byte another bit."""
    for at in range(len(message)):
        flipped = bytearray(message)
        flipped[at] ^= 1 << (at % 8)
        yield at, bytes(flipped)


def faults(entry: dict):
    message, signer, aad = (bytes.fromhex(entry[key]) for key in ("message", "signer", "aad"))
    if not verifies(message, signer, aad):
        yield "is not verified"
    if is_taken(message, signer, aad + b"x"):
        yield "is verified in another domain"
    other = bytes([signer[0] ^ 1]) + signer[1:]
    if is_taken(message, other, aad):
        yield "is verified with another key"
    for at, flipped in flips(message):
        if is_taken(flipped, signer, aad):
            yield f"is verified with byte {at} changed"


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        entries = json.load(file)
    found = 0
    for entry in entries:
        for fault in faults(entry):
            print(f"{entry['name']} {fault}")
            found += 1
    flipped = sum(len(entry["message"]) // 2 for entry in entries)
    print(f"{len(entries)} messages, {flipped} changed copies, {found} faults")
    return 1 if found or not entries else 0


if __name__ == "__main__":
    sys.exit(main())
