"""lnav on one file, with the formats of lnav_format.json: a JSON object for each message, in the order of the file.

wsyncsim suite run --cmd 'python lnav_reader.py {file}' --fields lnav.toml
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVER = ";SELECT log_body, log_level, log_time AS local, component, thread FROM configmgr_server_log ORDER BY log_line"
WSUS = ";SELECT log_body, log_level, replace(log_time, ' ', 'T') || 'Z' AS utc, process AS component, thread FROM wsus_log"


def main() -> int:
    with tempfile.TemporaryDirectory() as home:
        formats = Path(home) / ".config" / "lnav" / "formats" / "installed"
        formats.mkdir(parents=True)
        (formats / "configmgr.json").write_bytes((HERE / "lnav_format.json").read_bytes())
        command = ["lnav", "-n"]
        for query in (SERVER, f"{WSUS} ORDER BY log_line"):
            command += ["-c", query, "-c", ":write-jsonlines-to -"]
        environment = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": f"{home}/.config", "TZ": "UTC"}
        done = subprocess.run(  # noqa: S603 - lnav and a file
            [*command, sys.argv[1]], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
        )
    for line in done.stdout.splitlines(keepends=True):
        if line.startswith(b"{"):
            sys.stdout.buffer.write(line)
    return 0 if done.returncode in (0, 1) else done.returncode


sys.exit(main())
