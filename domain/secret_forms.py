"""Secrets by their form: what providers' tokens look like, each with a text that stands in every one of them.

Sources: the token formats that the providers publish (GitHub, GitLab, Slack, Stripe, Google, Azure, Databricks, Hugging Face and others),
held against the detectors of detect-secrets in tests/unit/domain/test_secret_forms.py.
"""

import re
from math import log2
from typing import NamedTuple


class Form(NamedTuple):
    """A token's form. `marker` stands in each, so that most texts are passed over without the pattern."""

    marker: str
    pattern: re.Pattern[str]


_GITLAB = ("pat", "dt", "ft", "soat", "rt", "rtr", "cbt", "imt", "ptt", "agent", "oas", "ffct")
_START = r"(?<![A-Za-z0-9])"
_FORMS: tuple[tuple[str, str], ...] = (
    # Amazon Web Services
    ("AKIA", r"AKIA[A-Z0-9]{16}"),
    ("ASIA", r"ASIA[A-Z0-9]{16}"),
    ("ABIA", r"ABIA[A-Z0-9]{16}"),
    ("ACCA", r"ACCA[A-Z0-9]{16}"),
    ("A3T", r"A3T[A-Z0-9]{17}"),
    ("ABSK", r"ABSK[A-Za-z0-9+/=]{80,}"),
    ("bedrock-api-key-", r"bedrock-api-key-[A-Za-z0-9+/=]{40,}"),
    ("IQoJb3JpZ2lu", r"IQoJb3JpZ2lu[A-Za-z0-9+/=]{20,}"),
    ("FwoGZXIvYXdz", r"FwoGZXIvYXdz[A-Za-z0-9+/=]{20,}"),
    ("FQoGZXIvYXdz", r"FQoGZXIvYXdz[A-Za-z0-9+/=]{20,}"),
    # Google
    ("AIza", r"AIza[\w\-]{35}"),
    ("GOCSPX-", r"GOCSPX-[\w\-]{20,}"),
    ("ya29.", r"ya29\.[\w\-]{20,}"),
    ("1//0", r"1//0[\w\-]{30,}"),
    ("GOOG", r"GOOG[A-Z0-9]{20,}"),
    # Azure
    ("Q~", r"[\w~.\-]{3}\dQ~[\w~.\-]{31,34}"),
    ("AZDO", r"[A-Za-z0-9]{52,}AZDO[A-Za-z0-9]{4}"),
    ("JQQJ99", r"[A-Za-z0-9]*JQQJ99[A-Za-z0-9]{40,}"),
    ("==", r"[A-Za-z0-9+/]{86}=="),
    # Hugging Face, and models by others
    ("hf_", r"hf_[A-Za-z0-9]{20,}"),
    ("api_org_", r"api_org_[A-Za-z0-9]{20,}"),
    ("sk-", r"sk-(?:(?:ant|proj|svcacct|admin|or|lf|None)-[\w\-]{16,}|(?=[A-Za-z]*\d)[A-Za-z0-9]{20,}[\w\-]*)"),
    ("T3BlbkFJ", r"sk-[\w\-]*T3BlbkFJ[A-Za-z0-9]{10,}"),
    ("sk_", r"sk_[0-9a-f]{40,}"),
    ("gsk_", r"gsk_[A-Za-z0-9]{20,}"),
    ("pplx-", r"pplx-[A-Za-z0-9]{32,}"),
    ("xai-", r"xai-[A-Za-z0-9]{32,}"),
    ("nvapi-", r"nvapi-[\w\-]{40,}"),
    ("r8_", r"r8_[A-Za-z0-9]{32,}"),
    ("lsv2_", r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    ("pcsk_", r"pcsk_[A-Za-z0-9_]{40,}"),
    ("tvly-", r"tvly-[\w\-]{24,}"),
    ("jina_", r"jina_[A-Za-z0-9_\-]{40,}"),
    ("KGAT_", r"KGAT_[A-Za-z0-9]{24,}"),
    ("wandb_v1_", r"wandb_v1_[\w\-]{40,}"),
    ("tgp_v1_", r"tgp_v1_[\w\-]{30,}"),
    ("rpa_", r"rpa_[A-Z0-9]{30,}\w*"),
    # Code and packages
    ("ghp_", r"ghp_[A-Za-z0-9_]{20,}"),
    ("gho_", r"gho_[A-Za-z0-9_]{20,}"),
    ("ghu_", r"ghu_[A-Za-z0-9_]{20,}"),
    ("ghs_", r"ghs_[A-Za-z0-9_]{20,}"),
    ("ghr_", r"ghr_[A-Za-z0-9_]{20,}"),
    ("github_pat_", r"github_pat_\w{20,}"),
    *((f"gl{kind}-", rf"gl{kind}-[\w\-]{{20,}}(?:\.[\w\-]+)*") for kind in _GITLAB),
    ("GR1348941", r"GR1348941[\w\-]{20,}"),
    ("ATBB", r"ATBB[A-Za-z0-9_\-=]{20,}"),
    ("ATATT3", r"ATATT3[\w\-=]{50,}"),
    ("ATCTT3", r"ATCTT3[\w\-=]{50,}"),
    ("npm_", r"npm_[A-Za-z0-9]{36}"),
    ("pypi-", r"pypi-A[\w\-]{50,}"),
    ("rubygems_", r"rubygems_[0-9a-f]{48}"),
    ("oy2", r"oy2[a-z0-9]{43}"),
    ("cio", r"cio[A-Za-z0-9]{32}"),
    ("dckr_", r"dckr_(?:pat|oat)_[\w\-]{20,}"),
    ("CLOJARS_", r"CLOJARS_[A-Za-z0-9]{60}"),
    ("AKC", r"AKC[a-zA-Z0-9]{20,}"),
    ("cmVmdGtu", r"cmVmdGtu[A-Za-z0-9]{40,}"),
    ("CCIPAT_", r"CCIPAT_[\w\-]{30,}"),
    ("CCIPRJ_", r"CCIPRJ_[\w\-]{30,}"),
    ("bkua_", r"bkua_[0-9a-f]{40}"),
    ("squ_", r"squ_[A-Za-z0-9]{40}"),
    ("sqp_", r"sqp_[A-Za-z0-9]{40}"),
    ("sqa_", r"sqa_[A-Za-z0-9]{40}"),
    ("PMAK-", r"PMAK-[0-9a-fA-F]{24}-[0-9a-fA-F]{34}"),
    # Talk and mail
    ("xox", r"xox[abceoprs](?:[.\-])[\w.\-]{10,}"),
    ("xapp-", r"xapp-\d-[\w\-]{10,}"),
    ("hooks.slack.com/", r"(?<=hooks\.slack\.com/)[\w/\-]{10,}"),
    ("/api/webhooks/", r"(?<=/api/webhooks/)\d+/[\w\-]{10,}"),
    ("webhook.office.com/", r"(?<=webhook\.office\.com/)[\w/@\-]{10,}"),
    (":AA", r"\d{8,10}:AA[\w\-]{33}"),
    ("SK", r"SK[0-9a-f]{32}"),
    ("SG.", r"SG\.[\w\-]{16,32}\.[\w\-]{16,64}"),
    ("key-", r"(?:pub)?key-[0-9a-f]{32}"),
    *((f"-us{digit}", r"[0-9a-z]{32}-us\d{1,2}(?![0-9A-Za-z\-])") for digit in range(1, 10)),
    ("xkeysib-", r"xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    ("xsmtpsib-", r"xsmtpsib-[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    ("AAAA", r"AAAA[\w\-]{7}:[\w\-]{100,}"),
    # Data and infrastructure
    ("dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    ("dose", r"dose[0-9a-f]{32}(?:-\d)?"),
    ("_v1_", r"do[oprt]_v1_[0-9a-f]{64}"),
    ("HRKU-", r"HRKU-[\w\-]{36,}"),
    ("v1.0-", r"v1\.0-[0-9a-f]{24}-[0-9a-f]{100,}"),
    ("fo1_", r"fo1_[\w\-]{40,}"),
    ("fm1", r"fm1[ar]?_[A-Za-z0-9+/=]{60,}"),
    ("fm2", r"fm2_[A-Za-z0-9+/=]{60,}"),
    ("nfp_", r"nfp_[A-Za-z0-9]{36}"),
    ("rnd_", r"rnd_[A-Za-z0-9]{28,}"),
    ("sbp_", r"sbp_[0-9a-f]{40}"),
    ("sb_secret_", r"sb_secret_[\w\-]{20,}"),
    ("pscale_", r"pscale_(?:tkn|pw|oauth|otp)_[\w\-.]{30,}"),
    ("napi_", r"napi_[a-z0-9]{40,}"),
    ("dp.", r"dp\.(?:pt|st|ct|scim|audit|sa)\.[\w.\-]{40,}"),
    *((f"hv{kind}.", rf"hv{kind}\.[\w\-]{{24,}}") for kind in "bsr"),
    (".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[\w\-=]{60,}"),
    ("pul-", r"pul-[0-9a-f]{40}"),
    ("tskey-", r"tskey-[\w\-]{12,}"),
    ("AGE-SECRET-KEY-", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    ("ops_eyJ", r"ops_eyJ[\w\-=]{50,}"),
    ("pnu_", r"pnu_[A-Za-z0-9]{36}"),
    ("pnb_", r"pnb_[A-Za-z0-9]{36}"),
    ("dt0", r"dt0[a-zA-Z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    # Monitoring
    ("glsa_", r"glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}"),
    ("glc_", r"glc_[A-Za-z0-9+/=]{32,}"),
    *((f"NR{kind}-", rf"NR{kind}-[\w\-]{{20,}}") for kind in ("AK", "II", "JS", "AA", "RA", "IQ", "SP")),
    ("sntry", r"sntry[su]_[\w\-=+/]{40,}"),
    ("hcaik_", r"hcaik_[a-z0-9_]{40,}"),
    ("CFPAT-", r"CFPAT-[\w\-]{40,}"),
    # Work and trade
    ("lin_api_", r"lin_api_[A-Za-z0-9]{30,}"),
    ("secret_", r"secret_[A-Za-z0-9]{40,}"),
    ("ntn_", r"ntn_[A-Za-z0-9]{40,}"),
    ("pat", r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),  # "pat" is a hint of its own
    ("shp", r"shp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{32}"),
    ("sq0", r"sq0(?:atp|csp|idp)-[\w\\\-]{22,}"),
    ("EAAA", r"EAAA[\w\-]{56,}"),
    ("k_live_", r"[rsp]k_live_[A-Za-z0-9]{10,}"),
    ("k_test_", r"[rsp]k_test_[A-Za-z0-9]{10,}"),
    ("whsec_", r"whsec_[A-Za-z0-9+/=]{20,}"),
    ("access_token$", r"access_token\$production\$[a-z0-9]{16}\$[0-9a-f]{32}"),
    ("access-", r"access-(?:sandbox|development|production)-[0-9a-f\-]{36}"),
    ("shippo_", r"shippo_(?:live|test)_[0-9a-fA-F]{40}"),
    ("sdk-", r"sdk-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ("tfp_", r"tfp_[\w.\-=]{50,}"),
    ("rdme_", r"rdme_[a-z0-9]{60,}"),
    # Whatever says of itself what it is
    ("eyJ", r"eyJ[\w\-]{8,}={0,2}\.(?:eyJ)?[\w\-]{8,}={0,2}(?:\.[\w\-]*)*"),
    ("eyJ", r"eyJ[A-Za-z0-9+/\-_]{60,}={0,2}"),
)
FORMS: tuple[Form, ...] = tuple(Form(marker, re.compile(_START + pattern)) for marker, pattern in _FORMS)
MARKERS: tuple[str, ...] = tuple(dict.fromkeys(form.marker for form in FORMS))
# A bot's token of Discord has no text of its own: three parts between dots, each of a fixed length.
DOTTED = re.compile(r"(?<![\w\-])[MNO][\w\-]{23,27}\.[\w\-]{6}\.[\w\-]{27,}")

# An AWS secret access key is 40 characters of base64 and nothing else that says so. Source: IAM, access keys.
SECRET_KEY = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])")
_LEAST_ENTROPY = 4.1  # bits a character; forty random ones have 4.4 to 4.9, and paths in mixed case below 4
_WORDS = re.compile(r"[a-z]{9}|/[a-z]+/")


def looks_random(text: str) -> bool:
    """Whether forty characters have the mixture of a secret key, and not that of a path, a name or a number."""
    kinds = (str.isupper, str.islower, str.isdigit)
    if not all(any(kind(character) for character in text) for kind in kinds) or _WORDS.search(text):
        return False
    shares = [text.count(character) / len(text) for character in set(text)]
    return -sum(share * log2(share) for share in shares) >= _LEAST_ENTROPY
