"""Our forms held against those of a kept source: whatever a detector of detect-secrets (Yelp, Apache-2.0) recognises is masked."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import detect_secrets.plugins
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.secret_text import masked_text
from tests.effort import examples

# What these find only identifies, or is found by the name before it, which is ours to tell (see test_secret_text).
LEFT_OUT = {
    "IPPublicDetector": "an address identifies",
    "CloudantDetector": "by its name",
    "IbmCloudIamDetector": "by its name",
    "IbmCosHmacDetector": "by its name",
    "SoftlayerDetector": "by its name",
}
# Patterns of which most matches are no secrets: what of them is one is asked for more exactly.
EXACTER = {
    r"""aws.{0,20}?(?:key|pwd|pw|password|pass|token).{0,20}?[\'\"]([0-9a-zA-Z/+]{40})[\'\"]""": "forty zeros are no key",
    r"\d{8,10}:[0-9A-Za-z_-]{35}": "tokens of Telegram begin with AA",
    r"[0-9a-z]{32}-us[0-9]{1,2}": "there is no us0",
    r"""(?:\s|=|:|"|^)AP[\dABCDEF][a-zA-Z0-9]{8,}(?:\s|"|$)""": "an encrypted password of Artifactory looks like any word that begins so",
    r"""(?:\s|=|:|"|^)AKC[a-zA-Z0-9]{10,}(?:\s|"|$)""": "keys of Artifactory are 73 characters long",
    r"AC[a-z0-9]{32}": "an account of Twilio, which identifies",
    r"SK[a-z0-9]{32}": "keys of Twilio are hexadecimal",
    r"""eyJ[A-Za-z0-9-_=]+\.[A-Za-z0-9-_=]+\.?[A-Za-z0-9-_.+/=]*?""": "no token has parts of one character",
    r"xox(?:a|b|p|o|s|r)-(?:\d+-)+[a-z0-9]+": "no token has parts of one character",
    r"\/\/.+\/:_authToken=\s*((npm_.+)|([A-Fa-f0-9-]{36})).*": "after npm_ anything",
}


def _patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in pkgutil.iter_modules(detect_secrets.plugins.__path__):
        for name, detector in vars(importlib.import_module(f"detect_secrets.plugins.{module.name}")).items():
            patterns = getattr(detector, "denylist", None)
            if isinstance(patterns, list | tuple) and name not in LEFT_OUT:
                yield from ((name, pattern) for pattern in patterns if pattern.pattern not in EXACTER)


PATTERNS = list(dict.fromkeys(_patterns()))


def test_there_are_detectors_to_hold_ours_against() -> None:
    assert len({name for name, _ in PATTERNS}) >= 12


@settings(max_examples=examples(3000))
@given(st.data())
def test_whatever_a_detector_recognises_is_masked(data: st.DataObject) -> None:
    name, pattern = data.draw(st.sampled_from(PATTERNS))
    as_in_tokens = st.characters(codec="ascii", categories=("Lu", "Ll", "Nd"), include_characters="-_.:/@=+\\ ")
    text = data.draw(st.from_regex(pattern.pattern, fullmatch=True, alphabet=as_in_tokens))
    assert masked_text(f"note {text} end") != f"note {text} end", (name, text)
