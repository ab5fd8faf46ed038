"""What the edge rests on holds whatever a user's own Streamlit configuration says."""

import json
import os
import subprocess
import sys
from pathlib import Path

HOSTILE = """
[server]
trustedUserHeaders = {X-User = "email"}
enableCORS = false
corsAllowedOrigins = ["https://evil.example"]
allowedHosts = ["evil.example"]
enableXsrfProtection = false
xsrfCookieSameSite = "none"
scriptHealthCheckEnabled = true
enableAgentApi = true
fileWatcherType = "poll"
folderWatchList = ["/"]
runOnSave = true
allowRunOnSave = true
maxUploadSize = 2000
[client]
showErrorDetails = "full"
toolbarMode = "developer"
allowedOrigins = ["https://evil.example"]
[browser]
gatherUsageStats = true
[global]
developmentMode = true
e2eTest = true
[runner]
magicEnabled = true
"""
EXPECTED = {
    "server.trustedUserHeaders": {},
    "server.enableCORS": True,
    "server.corsAllowedOrigins": [],
    "server.allowedHosts": [],
    "server.enableXsrfProtection": True,
    "server.xsrfCookieSameSite": "lax",
    "server.scriptHealthCheckEnabled": False,
    "server.enableAgentApi": False,
    "server.unsafeMetricsUserAttributes": [],
    "server.fileWatcherType": "none",
    "server.folderWatchList": [],
    "server.runOnSave": False,
    "server.allowRunOnSave": False,
    "server.maxUploadSize": 1,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "client.allowedOrigins": [],
    "browser.gatherUsageStats": False,
    "global.developmentMode": False,
    "global.e2eTest": False,
    "runner.magicEnabled": False,
}
READ_BACK = """
import json, sys
import app
from streamlit import config
print(json.dumps({name: config.get_option(name) for name in json.loads(sys.argv[1])}))
"""


def test_every_option_that_the_edge_rests_on_is_ours_beside_a_hostile_configuration(tmp_path: Path) -> None:
    for folder in (tmp_path / "home", tmp_path / "here"):
        (folder / ".streamlit").mkdir(parents=True)
        (folder / ".streamlit" / "config.toml").write_text(HOSTILE)
    environment = os.environ | {
        "HOME": str(tmp_path / "home"),
        "STREAMLIT_SERVER_TRUSTED_USER_HEADERS": '{"X-User": "email"}',
        "STREAMLIT_SERVER_ENABLE_CORS": "false",
        "TRAINWATCH_DATABASE__URL": f"sqlite:///{tmp_path / 'x.db'}",
    }
    command = [sys.executable, "-c", READ_BACK, json.dumps(list(EXPECTED))]
    done = subprocess.run(command, cwd=tmp_path / "here", env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == EXPECTED
