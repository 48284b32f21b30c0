"""Plaso's parsers text/sccm and text/winiis on one file: a JSON object for each entry, in the order of the file.

Runs with a Python that has plaso (pip install plaso); about three seconds for a file:

    wsyncsim suite run --cmd 'plaso-venv/bin/python plaso_reader.py {file}' --fields plaso.toml --timeout 60
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from plaso.storage import factory

W3C = {
    "s-ip": "dest_ip",
    "s-port": "dest_port",
    "c-ip": "source_ip",
    "cs-method": "http_method",
    "cs-uri-stem": "requested_uri_stem",
    "cs-uri-query": "cs_uri_query",
    "cs-username": "cs_username",
    "cs(User-Agent)": "user_agent",
    "cs(Referer)": "cs_referrer",
    "sc-status": "http_status",
    "sc-substatus": "sc_substatus",
    "sc-win32-status": "sc_win32_status",
    "time-taken": "time_taken",
}
"""Plaso's names of the fields of IIS."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        storage = Path(folder) / "events.plaso"
        command = [str(Path(sys.executable).with_name("log2timeline")), "--unattended", "--quiet", "--status_view", "none"]
        command += ["--parsers", "text/sccm,text/winiis", "--logfile", str(Path(folder) / "log.gz"), "--storage_file", str(storage)]
        file = str(Path(sys.argv[1]).absolute())
        subprocess.run([*command, file], cwd=folder, capture_output=True, check=True)  # noqa: S603 - plaso and a file
        reader = factory.StorageFactory.CreateStorageReaderForFile(str(storage))
        events = reader.GetAttributeContainers("event")
        times = {event.GetEventDataIdentifier().CopyToString(): event.timestamp for event in events}
        for data in reader.GetAttributeContainers("event_data"):
            print_entry(data, times.get(data.GetIdentifier().CopyToString()))
        reader.Close()


def print_entry(data, timestamp) -> None:
    if data.data_type == "sccm_log:entry":
        entry = {"component": data.component, "text": data.text, "local": data.written_time.CopyToDateTimeString()}
    elif data.data_type == "iis:log:line":
        entry = {"fields": {name: getattr(data, theirs, None) for name, theirs in W3C.items()}}
    else:
        return
    print(json.dumps({**entry, "timestamp": timestamp}))


main()
