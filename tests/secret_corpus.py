"""Invented secrets in every form we know, each around a marker of its own: what must reach no database, page, file, log or message.

Every secret is put together here from parts, so that no scanner takes this file for a leak.
"""

import base64
import random
import string
from collections.abc import Iterator
from typing import NamedTuple

HEX = "0123456789abcdef"
ALNUM = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
_random = random.Random(20261128)  # noqa: S311 - invented ones, and the same in every run

NAMES = (
    "password passwd pass db_pass passphrase pw pwd jwt cookie bearer secret client_secret api_key apiKey "
    "access_key otp secret_access_key private_key auth_token AccountKey SharedAccessKey DB_PASSWORD "
    "PGPASSWORD HF_TOKEN WANDB_API_KEY credentials signing_key connection_string master_key "
    "encryption_key"
)


class Planted(NamedTuple):
    """A text that holds a secret, and the part of it that must not be seen anywhere."""

    name: str
    text: str
    secret: str


def any_of(alphabet: str, length: int) -> str:
    """Random characters, a letter and a digit among them; the same in every run."""
    while True:
        text = "".join(_random.choices(alphabet, k=length))
        if any(map(str.isalpha, text)) and any(map(str.isdigit, text)):
            return text


def _tokens() -> Iterator[tuple[str, str]]:
    """Tokens by the form that their provider gives them."""
    for prefix in ("AKIA", "ASIA", "ABIA", "ACCA"):
        yield f"aws {prefix}", prefix + any_of(UPPER, 16)
    yield "aws session token", "IQoJb3JpZ2lu" + any_of(ALNUM, 80)
    yield "google api key", "AI" + "za" + any_of(ALNUM, 35)
    yield "google client secret", "GOC" + "SPX-" + any_of(ALNUM, 28)
    yield "google access token", "ya29" + "." + any_of(ALNUM, 60)
    yield "google refresh token", "1/" + "/0" + any_of(ALNUM, 42)
    yield "azure client secret", any_of(ALNUM, 3) + "8Q~" + any_of(ALNUM, 34)
    yield "azure storage key", any_of(ALNUM, 86) + "=="
    for prefix, alphabet, length in (
        ("hf_", ALNUM, 34),
        ("api_org_", ALNUM, 34),
        ("sk-proj-", ALNUM, 48),
        ("sk-ant-api03-", ALNUM, 90),
        ("sk-or-v1-", HEX, 64),
        ("sk-", ALNUM, 48),
        ("gsk_", ALNUM, 52),
        ("pplx-", ALNUM, 48),
        ("xai-", ALNUM, 80),
        ("nvapi-", ALNUM, 64),
        ("r8_", ALNUM, 37),
        ("pcsk_", ALNUM, 60),
        ("tvly-", ALNUM, 32),
        ("jina_", ALNUM, 60),
        ("KGAT_", HEX, 32),
        ("ghp_", ALNUM, 36),
        ("gho_", ALNUM, 36),
        ("ghu_", ALNUM, 36),
        ("ghs_", ALNUM, 36),
        ("ghr_", ALNUM, 36),
        ("github_pat_", ALNUM, 82),
        ("glpat-", ALNUM, 20),
        ("gldt-", ALNUM, 20),
        ("glrt-", ALNUM, 20),
        ("glcbt-", ALNUM, 24),
        ("glptt-", HEX, 40),
        ("glsoat-", ALNUM, 20),
        ("glagent-", ALNUM, 50),
        ("GR1348941", ALNUM, 20),
        ("ATBB", ALNUM, 32),
        ("ATATT3xFfGF0", ALNUM, 180),
        ("npm_", ALNUM, 36),
        ("pypi-AgEIcHlwaS5vcmc", ALNUM, 100),
        ("rubygems_", HEX, 48),
        ("dckr_pat_", ALNUM, 27),
        ("dckr_oat_", ALNUM, 32),
        ("CLOJARS_", HEX, 60),
        ("AKCp", ALNUM, 69),
        ("cmVmdGtu", ALNUM, 56),
        ("CCIPAT_", ALNUM, 42),
        ("bkua_", HEX, 40),
        ("squ_", HEX, 40),
        ("sqp_", HEX, 40),
        ("xoxb-2305843009-2305843010-", ALNUM, 24),
        ("xoxp-2305843009-2305843010-", ALNUM, 32),
        ("xoxe.xoxb-1-", ALNUM, 60),
        ("xapp-1-A012-", HEX, 64),
        ("SK", HEX, 32),
        ("key-", HEX, 32),
        ("dapi", HEX, 32),
        ("dop_v1_", HEX, 64),
        ("doo_v1_", HEX, 64),
        ("HRKU-", ALNUM, 58),
        ("nfp_", ALNUM, 36),
        ("rnd_", ALNUM, 32),
        ("sbp_", HEX, 40),
        ("sb_secret_", ALNUM, 31),
        ("pscale_tkn_", ALNUM, 43),
        ("pscale_pw_", ALNUM, 43),
        ("dp.pt.", ALNUM, 43),
        ("dp.st.dev.", ALNUM, 43),
        ("hvs.", ALNUM, 90),
        ("hvb.", ALNUM, 120),
        ("pul-", HEX, 40),
        ("tskey-auth-", ALNUM, 34),
        ("AGE-SECRET-KEY-1", UPPER, 58),
        ("pnu_", ALNUM, 36),
        ("glsa_", ALNUM, 32),
        ("glc_", ALNUM, 60),
        ("NRAK-", UPPER, 27),
        ("NRJS-", HEX, 32),
        ("sntryu_", HEX, 64),
        ("sntrys_", ALNUM, 100),
        ("CFPAT-", ALNUM, 43),
        ("lin_api_", ALNUM, 40),
        ("secret_", ALNUM, 43),
        ("ntn_", ALNUM, 46),
        ("shpat_", HEX, 32),
        ("shpss_", HEX, 32),
        ("sq0csp-", ALNUM, 43),
        ("sq0atp-", ALNUM, 22),
        ("sk_live_", ALNUM, 24),
        ("rk_live_", ALNUM, 24),
        ("sk_test_", ALNUM, 24),
        ("whsec_", ALNUM, 32),
        ("lsv2_pt_", HEX, 32),
        ("PMAK-", HEX, 24),
        ("access-production-", HEX, 8),
        ("shippo_live_", HEX, 40),
    ):
        token = prefix + any_of(alphabet, length)
        token += {
            "glsa_": "_" + any_of(HEX, 8),
            "lsv2_pt_": "_" + any_of(HEX, 10),
            "PMAK-": "-" + any_of(HEX, 34),
            "access-production-": "-1111-4222-8333-" + any_of(HEX, 12),
        }.get(prefix, "")
        yield prefix, token
    yield "sendgrid", "SG" + "." + any_of(ALNUM, 22) + "." + any_of(ALNUM, 43)
    yield "mailchimp", any_of(HEX, 32) + "-us" + "12"
    yield "telegram", "1234567890:AA" + any_of(ALNUM, 33)
    yield "discord bot", "M" + any_of(ALNUM, 25) + "." + any_of(ALNUM, 6) + "." + any_of(ALNUM, 38)
    yield "terraform", any_of(ALNUM, 14) + ".atlasv1." + any_of(ALNUM, 67)
    yield "airtable", "pat" + any_of(ALNUM, 14) + "." + any_of(HEX, 64)
    yield "dynatrace", "dt0c01." + any_of(UPPER, 24) + "." + any_of(UPPER, 64)
    yield "jwt", "eyJ" + any_of(ALNUM, 30) + ".eyJ" + any_of(ALNUM, 60) + "." + any_of(ALNUM, 43)
    yield "aws secret key under an innocent name", any_of(ALNUM + "+", 20) + "/K7MDENG/" + any_of(ALNUM, 11)


def _in_addresses() -> Iterator[Planted]:
    for scheme in (
        "https",
        "http",
        "postgresql",
        "mysql+pymysql",
        "redis",
        "rediss",
        "mongodb+srv",
        "amqp",
        "ftp",
        "git+https",
        "sftp",
        "ldap",
    ):
        secret = any_of(ALNUM, 12)
        yield Planted(f"{scheme} with user and password", f"{scheme}://user:{secret}@db.internal:5432/x", secret)
    for scheme in ("https", "redis", "ssh"):
        secret = any_of(ALNUM, 18)
        yield Planted(f"{scheme} with a token alone", f"{scheme}://{secret}@git.internal/x.git", secret)
    secret = any_of(ALNUM, 10)
    yield Planted("redis without a user", f"redis://:{secret}@h:6379/0", secret)
    secret = any_of(ALNUM, 5) + "/" + any_of(ALNUM, 5)
    yield Planted("a password with a slash", f"postgresql://u:{secret}@h/db", secret)
    signed = any_of(HEX, 64)
    yield Planted(
        "a presigned address of S3",
        f"https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=60&X-Amz-Signature={signed}",
        signed,
    )
    token = any_of(ALNUM, 60)
    yield Planted("a session token of a presigned address", f"https://b.s3.amazonaws.com/k?X-Amz-Security-Token={token}&x=1", token)
    signed = any_of(ALNUM, 43)
    yield Planted("a shared access signature", f"https://a.blob.core.windows.net/c?sv=2022-11-02&sig={signed}%3D&se=2027", signed)
    signed = any_of(HEX, 64)
    yield Planted("a signed address of Google", f"https://storage.googleapis.com/b/o?X-Goog-Signature={signed}", signed)
    for name in ("token", "access_token", "api_key", "apikey", "key", "password", "auth", "client_secret", "sig"):
        secret = any_of(ALNUM, 20)
        yield Planted(f"a query with {name}", f"https://api.internal/v1?user=x&{name}={secret}&y=2", secret)
    hook = any_of(ALNUM, 24)
    yield Planted("a hook of Slack", f"https://hooks.slack.com/services/T012/B345/{hook}", hook)
    hook = any_of(ALNUM, 60)
    yield Planted("a hook of Discord", f"https://discord.com/api/webhooks/123456789/{hook}", hook)


def _assigned() -> Iterator[Planted]:
    names = NAMES.split()
    for name in names:
        for form, pattern in (
            ("=", "{name}={secret}"),
            ("in a connection", "Server=tcp:db;Database=x;{name}={secret};Encrypt=true"),
            ("in JSON", '{{"rate": 1, "{name}": "{secret}", "n": 2}}'),
            ("in escaped JSON", '"{{\\"rate\\": 1, \\"{name}\\": \\"{secret}\\"}}"'),
            ("as an option", "train.py --lr 0.1 --{name} {secret} --epochs 3"),
            ("as an option with =", "train.py --{name}={secret}"),
            ("in YAML", "rate: 1\n{name}: {secret}\nn: 2"),
        ):
            secret = any_of(ALNUM, 14)
            yield Planted(f"{name} {form}", pattern.format(name=name, secret=secret), secret)


def _headers() -> Iterator[Planted]:
    for scheme in ("Bearer", "bearer", "Basic", "Token", "ApiKey"):
        secret = any_of(ALNUM, 24)
        yield Planted(f"Authorization {scheme}", f"curl -H 'Authorization: {scheme} {secret}' https://x.internal", secret)
    secret = any_of(ALNUM, 24)
    yield Planted("Bearer alone", f"401 for Bearer {secret}", secret)
    secret = base64.b64encode(f"user:{any_of(ALNUM, 9)}".encode()).decode()
    yield Planted("Basic alone", f"401 for Basic {secret}", secret)
    for header in ("X-Api-Key", "X-Auth-Token", "PRIVATE-TOKEN", "Cookie", "Set-Cookie"):
        secret = any_of(ALNUM, 20)
        yield Planted(header, f"{header}: {'sid=' if 'ookie' in header else ''}{secret}", secret)


def _keys() -> Iterator[Planted]:
    for kind in ("RSA ", "EC ", "OPENSSH ", "DSA ", "ENCRYPTED ", ""):
        secret = any_of(ALNUM, 64)
        yield Planted(f"{kind}private key", f"-----BEGIN {kind}PRIVATE KEY-----\n{secret}\n-----END {kind}PRIVATE KEY-----", secret)
    secret = any_of(ALNUM, 64)
    yield Planted("a private key that is cut", f"-----BEGIN PRIVATE KEY-----\\n{secret}", secret)


def corpus() -> list[Planted]:
    """Every form, a token twice: by itself and inside of a sentence."""
    planted = [Planted(f"{name} alone", token, token) for name, token in _tokens()]
    planted += [Planted(f"{name} in a sentence", f"could not use {token}, try again", token) for name, token in _tokens()]
    planted += [*_in_addresses(), *_assigned(), *_headers(), *_keys()]
    return planted
