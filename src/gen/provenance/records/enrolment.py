"""A person's request to be enrolled: their public key, and proof that they hold its private half.

Without the proof somebody could have another person's key enrolled under their own name.
"""

from __future__ import annotations

from gen.errors import SettingError
from gen.provenance.signing.canonical import canonical
from gen.provenance.signing.dsse import Signature, is_signed_by, sign
from gen.provenance.signing.keys import PrivateKey, key_id, parse_public

REQUEST_TYPE = "application/vnd.music-house.enrolment+json"
_PUBLIC_DIGITS, _SIGNATURE_DIGITS = 64, 128


def _payload(house: str, owner: str, public: bytes) -> bytes:
    return canonical({"format": 1, "house": house, "owner": owner, "public": public.hex()})


def request_of(key: PrivateKey, house: str, owner: str) -> str:
    """What a person gives to the root key's holder: 192 hex digits, key and signature."""
    signature = sign(REQUEST_TYPE, _payload(house, owner, key.public), key)
    return key.public.hex() + signature.value.hex()


def parse_request(text: str, house: str, owner: str) -> bytes:
    """The public key in a request.

    Args:
        text: as `request_of` made it.
        house: whose people the key is to be among.
        owner: a person's id, or `root`.

    Raises:
        SettingError: no request, or not signed by this key for this house and this id.
    """
    cleaned = "".join(text.split()).lower()
    public = parse_public(cleaned[:_PUBLIC_DIGITS])
    mend = f"ask for what `house.py key {owner} --name {house}` prints on that person's computer"
    if len(cleaned) != _PUBLIC_DIGITS + _SIGNATURE_DIGITS:
        raise SettingError(f"nothing shows that {owner} holds the key {cleaned[:16]}…", mend=mend)
    try:
        value = bytes.fromhex(cleaned[_PUBLIC_DIGITS:])
    except ValueError as error:
        raise SettingError(f"{cleaned[:16]}… is no request", mend=mend) from error
    signature = Signature(key_id(public), value)
    if not is_signed_by(signature, public, REQUEST_TYPE, _payload(house, owner, public)):
        raise SettingError(
            f"the request was not made for {owner} of {house} by who holds this key", mend=mend
        )
    return public
