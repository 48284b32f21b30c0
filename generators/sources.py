"""How failures name the method that they are blamed on."""

from __future__ import annotations

from typing import Final

from generators.compile import compile_texts
from simulator.events import Source
from simulator.versions import Version

_MESSAGES: Final = {
    "DoSync": "source_do_sync",
    "CreateUpdateServer": "source_create_update_server",
    "GetWebResponse": "source_get_web_response",
    "SyncWSUS": "source_sync_wsus",
    "DefineUpdate": "source_define_update",
}


def source_text(source: Source, version: Version) -> str:
    """ISTR0 of status message 6703, and the end of ``Sync failed``."""
    return compile_texts("dotnet", version, "en")[_MESSAGES[source.method]]()
