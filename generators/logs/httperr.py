"""httperr1.log: requests that HTTP.sys refused before any web site saw them."""

from __future__ import annotations

from typing import ClassVar

from generators.compile import compile_texts
from generators.escape import w3c
from generators.layouts import W3C, Stamp
from generators.log import Log, Writes
from generators.utc import utc_seconds
from simulator.estate import Site
from simulator.events import RequestsRejected
from simulator.journal import Entry


class HttpErrLog(Log):
    messages = ("httperr",)
    layout = W3C
    component = "HTTP"
    _began = False

    @classmethod
    def hosts(cls, site: Site) -> tuple[str, ...]:
        return site.wsus_servers

    def path(self) -> str:
        return f"{self.run.version.httperr_folder}/httperr1.log"

    def stamp(self) -> Stamp:
        return utc_seconds()

    def header(self, at: int) -> str:
        version = self.run.version
        text: str = compile_texts("httperr", version, "en")["header"](version.http_api, utc_seconds()(at))
        return text.replace("\n", self.layout.eol)

    def rejected(self, entry: Entry) -> None:
        at, event = entry.at, entry.event
        if not self._began:  # the header dates from the first line
            self._began = True
            self._begin(self.path(), self.header(at))
        write = self.lines.browse_rejected if event.agent == "browser" else self.lines.rejected
        for path in event.paths:
            write(
                at,
                event.client_ip,
                event.client_port,
                event.server_ip,
                event.port,
                w3c(path),
                event.web_site,
                event.reason,
                w3c(event.pool),
            )

    writes: ClassVar[Writes] = {RequestsRejected: rejected}
