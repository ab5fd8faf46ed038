"""Names that say their value is a secret: by whole words, so that `author` is none and `db_pass` is one."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Literal

# What a name says of its value: `strong` is a secret whatever it looks like; `weak` may also be the key of a table or of an object.
Suspicion = Literal["strong", "weak"]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _pairs(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(pair.split("+")) for pair in text.split())


_SECRET = _words(
    "accesskey accesstoken accountkey apikey apitoken auth authkey authorization authtoken bearer connectionstring "
    "connstr cookie cookies cred credential credentials creds dsn jwt otp pass passcode passphrase passwd password "
    "passwords passwort pat pgpassword privatekey psw pswd pw pwd pword sas secret secretkey secrets sessionid "
    "sharedaccesskey sharedaccesssignature sig signature"
)
_SECRET_PAIRS = _pairs(
    "access+key account+key api+key app+key auth+key client+key conn+str conn+string connection+str "
    "connection+string connection+uri connection+url database+url db+url encryption+key encryption+passphrase "
    "license+key master+key private+key private+pem service+key session+id shared+key signing+key slack+webhook "
    "ssh+key storage+key wandb+key webhook+url"
)
# Pairs in which a word of secrets means none.
_PLAIN_PAIRS = _pairs(
    "auth+method auth+mode auth+type backward+pass band+pass by+pass credential+provider credentials+provider "
    "forward+pass high+pass low+pass max+pass multi+pass num+pass one+pass pass+through password+length secret+arn "
    "secret+id secret+name sig+level signature+def signature+key signature+name signature+version single+pass "
    "two+pass"
)
# Before "token" and "key": what models and tables call so.
_PLAIN_TOKENS = _words(
    "audio begin blank bos class classifier cls decoder end eos extra first image img last mask max min new next no "
    "num pad padding patch prompt reg register sep speaker special start stop text tool unk unknown video vision "
    "word"
)
_PLAIN_KEYS = _words(
    "attention batch bucket cache checkpoint class column cost data dataset dict feature file foreign group hash "
    "image index input item join label lookup meta metric model object out output partition pretrained primary "
    "query s s3 sample schema segment shard sort split state such surrogate table target text time timestamp train "
    "unique user value video"
)


@lru_cache(maxsize=4096)
def suspicion(name: str) -> Suspicion | None:
    """What a name says of its value; None where it says nothing."""
    words = tuple(word.lower() for word in _WORD.findall(name[:200]))
    pairs: set[tuple[str, ...]] = set(pairwise(words))
    plain = {word for pair in pairs & _PLAIN_PAIRS for word in pair}
    if pairs & _SECRET_PAIRS or (_SECRET & set(words)) - plain:
        return "strong"
    if not words:
        return None
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "token" or (before == "token" and last in ("value", "key")):
        return None if before in _PLAIN_TOKENS else "strong"
    if last == "key":
        return None if before in _PLAIN_KEYS else "weak"
    return None
