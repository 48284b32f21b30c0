"""Requests to an application that are all under way at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from typing import Any

import anyio
import httpx2


class Waiting:
    """A page that is not there before ``go`` is set; ``most`` counts how many have waited for it at once."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.go = Event()
        self.here = 0
        self.most = 0

    def __call__(self, visit: Any) -> Any:
        self.here += 1
        self.most = max(self.most, self.here)
        self.go.wait(20)
        self.here -= 1
        return self.answer(visit)


def statuses(app: Any, cookies: Sequence[str], page: Waiting, first: int) -> list[int]:
    """What each of these browsers gets for ``/``, all at once; ``page`` goes on when ``first`` of them have been answered."""
    found = [0] * len(cookies)

    async def ask(client: httpx2.AsyncClient, at: int) -> None:
        found[at] = (await client.get("/", headers={"cookie": cookies[at]})).status_code

    async def run() -> None:
        transport = httpx2.ASGITransport(app)
        async with (
            httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
            anyio.create_task_group() as group,
        ):
            for at in range(len(cookies)):
                group.start_soon(ask, client, at)
            try:
                with anyio.fail_after(15):
                    while sum(map(bool, found)) < first:
                        await anyio.sleep(0.01)
                    while page.here < 2 and not all(found):
                        await anyio.sleep(0.01)
                await anyio.sleep(0.1)  # whoever else would come in
            finally:
                page.go.set()

    anyio.run(run)
    return found
