"""The edge of the server as it is really started, asked over sockets: who is answered, and what every answer carries."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.databases import migrated
from tests.e2e.conftest import _wait

TOKEN = "a-token-of-the-monitoring"
SETTINGS = """
[database]
url = "{url}"
[notify]
base_url = "https://trainwatch.acme.example"
[access]
hosts = ["dash.acme.example"]
metrics_token = "{token}"
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server on an empty database."""
    folder = tmp_path_factory.mktemp("served")
    url = f"sqlite:///{folder / 'x.db'}"
    migrated(url).dispose()
    (folder / "trainwatch.toml").write_text(SETTINGS.format(url=url, token=TOKEN))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = os.environ | {"TRAINWATCH_CONFIG": str(folder / "trainwatch.toml")}
    process = subprocess.Popen([sys.executable, "-m", "app", "--port", str(port)], cwd=folder, env=environment)
    try:
        _wait(f"http://127.0.0.1:{port}/healthz")
        yield port
    finally:
        process.terminate()
        process.wait(20)


def ask(port: int, path: str, method: str = "GET", **headers: str) -> httpx2.Response:
    """What the server answers; `Host` and `Origin` are headers like others."""
    return httpx2.request(method, f"http://127.0.0.1:{port}{path}", headers=headers, trust_env=False)


def handshake(port: int, host: str, *origins: str, path: str = "/_stcore/stream") -> int:
    """The status of the answer to a WebSocket's handshake."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: streamlit", *(f"Origin: {one}" for one in origins)]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(connection.recv(4096).split()[1])


def test_pages_of_this_server_open_a_websocket(port: int) -> None:
    assert handshake(port, f"localhost:{port}", f"http://localhost:{port}") == 101
    assert handshake(port, f"127.0.0.1:{port}", f"http://127.0.0.1:{port}") == 101
    assert handshake(port, "trainwatch.acme.example", "https://trainwatch.acme.example") == 101
    assert handshake(port, f"127.0.0.1:{port}", "https://trainwatch.acme.example") == 101
    assert handshake(port, "dash.acme.example", "https://dash.acme.example") == 101


@pytest.mark.parametrize(
    "origins",
    [
        (),
        ("http://localhost:3000",),
        ("http://localhost",),
        ("https://evil.example",),
        ("null",),
    ],
)
def test_pages_of_anything_else_do_not(port: int, origins: tuple[str, ...]) -> None:
    assert handshake(port, f"localhost:{port}", *(origin.format(port=port) for origin in origins)) == 403


def test_a_page_that_names_two_origins_does_not(port: int) -> None:
    assert handshake(port, f"localhost:{port}", f"http://localhost:{port}", "https://evil.example") in (400, 403)


def test_a_name_that_was_made_to_lead_here_sees_nothing(port: int) -> None:
    assert handshake(port, f"evil.example:{port}", f"http://evil.example:{port}") == 403
    for path in ("/", "/team-cost", "/_stcore/host-config", "/app/static/mark.svg", "/metrics"):
        assert ask(port, path, Host=f"evil.example:{port}").status_code == 421, path


def test_health_is_told_under_any_name(port: int) -> None:
    for path in ("/healthz", "/_stcore/health"):
        assert ask(port, path, Host="10.9.8.7:8501").status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/_stcore/host-config", "/nothing/here.js", "/auth/logout"])
def test_every_answer_forbids_frames_and_guesses(port: int, path: str) -> None:
    headers = ask(port, path).headers
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "server" not in headers


def test_refusals_carry_them_too(port: int) -> None:
    assert ask(port, "/", Host="evil.example").headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_whatever_is_more_than_a_plain_get_names_its_page(port: int, method: str) -> None:
    assert ask(port, "/_stcore/upload_file/x/y", method).status_code == 403
    assert ask(port, "/_stcore/upload_file/x/y", method, Origin="http://localhost:3000").status_code == 403
    assert ask(port, "/_stcore/upload_file/x/y", method, Origin=f"http://127.0.0.1:{port}").status_code != 200


def test_a_plain_get_of_another_page_is_refused(port: int) -> None:
    answer = ask(port, "/_stcore/host-config", Origin="http://localhost:3000")
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/auth/login",
        "//evil.example/oauth2callback?error=x",
        "//evil.example/auth/logout",
        "//evil.example/",
        "/%5Cevil.example/auth/login",
        "/%2Fevil.example/auth/login",
        "/auth/login?provider=//evil.example",
        "/healthz/",
        "//evil.example/healthz/",
    ],
)
def test_no_answer_leads_to_another_site(port: int, path: str) -> None:
    location = ask(port, path).headers.get("location", "/")
    assert location.startswith((f"http://127.0.0.1:{port}/", "/")), location
    assert not location.startswith(("//", "/\\")), location


@pytest.mark.parametrize("path", ["/metrics", "/_stcore/metrics"])
def test_metrics_are_for_this_machine_and_for_the_token(port: int, path: str) -> None:
    assert ask(port, path).status_code == 200
    assert ask(port, path, **{"X-Forwarded-For": "203.0.113.7"}).status_code == 403
    assert ask(port, path, Host="dash.acme.example").status_code == 403
    assert ask(port, path, Host="dash.acme.example", Authorization="Bearer wrong-token-of-somebody").status_code == 403
    assert ask(port, path, Host="dash.acme.example", Authorization=f"Bearer {TOKEN}").status_code == 200


def test_static_files_come_compressed_and_are_the_same(port: int) -> None:
    page = ask(port, "/").text
    scripts = sorted(set(re.findall(r"static/[\w./\-]+\.(?:js|css)", page)))
    assert scripts
    for script in scripts:
        plain = ask(port, f"/{script}", **{"Accept-Encoding": "identity"})
        packed = ask(port, f"/{script}", **{"Accept-Encoding": "gzip"})
        assert plain.status_code == packed.status_code == 200
        assert packed.content == plain.content  # unpacked by the client
        if len(plain.content) > 10_000:
            assert packed.headers["content-encoding"] == "gzip"
            assert int(packed.headers["content-length"]) < len(plain.content) / 2
            assert "Accept-Encoding" in packed.headers["vary"]
        part = ask(port, f"/{script}", **{"Accept-Encoding": "gzip", "Range": "bytes=0-9"})
        assert "content-encoding" not in part.headers


def test_why_it_is_not_well_is_for_them_too(tmp_path: Path, port: int) -> None:
    assert ask(port, "/healthz").text == "ok\n"
    broken = tmp_path / "broken"
    broken.mkdir()
    script = (
        "import httpx2, asyncio, app\n"
        "async def get(**headers):\n"
        "    transport = httpx2.ASGITransport(app.app, client=('10.0.0.9', 1))\n"
        "    async with httpx2.AsyncClient(transport=transport, base_url='http://10.0.0.1') as client:\n"
        "        answer = await client.get('/healthz', headers=headers)\n"
        "        print(answer.status_code, answer.text.strip())\n"
        f"asyncio.run(get())\nasyncio.run(get(authorization='Bearer {TOKEN}'))\n"
    )
    environment = os.environ | {
        "TRAINWATCH_DATABASE__URL": "postgresql+psycopg://somebody@127.0.0.1:9/nothing",
        "TRAINWATCH_ACCESS__METRICS_TOKEN": TOKEN,
    }
    done = subprocess.run([sys.executable, "-c", script], cwd=broken, env=environment, capture_output=True, text=True, check=True)
    silent, told = done.stdout.splitlines()
    assert silent == "503 unavailable"
    assert told.startswith("503 the database")
