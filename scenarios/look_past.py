"""What has been seen of a run so far, as far as looks need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from simulator.events import ActionTaken, ReplicaSynced, StatusReported, SyncFailed, SyncSucceeded

if TYPE_CHECKING:
    from simulator.components.sup import SoftwareUpdatePoint
    from simulator.journal import Entry
    from simulator.world import World

SUCCESS, REPLICA_STARTED, OUT_OF_SYNC = 6702, 6706, 6707
_STATES = range(6701, 6709)


class SupState(NamedTuple):
    """What WSyncMgr reported last of a software update point."""

    state: int
    """Id of the status message, 6701 to 6708."""
    error: int
    """Error code of a failure; 0 otherwise."""
    at: int


@dataclass(frozen=True, slots=True)
class Past:
    """What has been seen of the run so far."""

    actions: tuple[Entry, ...]
    """What people did (``ActionTaken``), oldest first."""
    outcomes: Mapping[str, Entry]
    """Site code -> how its last synchronization ended (``SyncSucceeded`` or ``SyncFailed``)."""
    states: Mapping[str, SupState]
    """Name of a software update point's server -> its state."""


class Memory:
    """Reads entries as they come, and remembers."""

    def __init__(self, world: World) -> None:
        self._sites = {site.server.name: site for site in world.sites.values()}
        self._at_work: dict[str, int] = {}
        """Site server -> which of the site's software update points is being synchronized."""
        self._actions: list[Entry] = []
        self._outcomes: dict[str, Entry] = {}
        self._states = {
            point.server.name: SupState(SUCCESS, 0, world.synced_at) for site in world.sites.values() for point in site.points
        }

    @property
    def past(self) -> Past:
        """All that is remembered, up to now."""
        return Past(tuple(self._actions), dict(self._outcomes), dict(self._states))

    def read(self, entry: Entry) -> None:
        """Remember what matters of an entry."""
        event = entry.event
        if isinstance(event, ActionTaken):
            self._actions.append(entry)
        elif isinstance(event, SyncSucceeded | SyncFailed):
            self._outcomes[(entry.run or "").split("-")[0]] = entry
        elif isinstance(event, ReplicaSynced):
            self._states[self._point(entry.host).server.name] = SupState(SUCCESS, 0, entry.at)
        elif isinstance(event, StatusReported) and event.message_id in _STATES:
            self._read_status(entry, event)

    def _read_status(self, entry: Entry, event: StatusReported) -> None:
        if event.message_id == REPLICA_STARTED:
            self._at_work[entry.host] = self._at_work.get(entry.host, 0) + 1
        elif event.message_id == _STATES[0]:
            self._at_work[entry.host] = 0
        point = self._point(entry.host)
        if event.message_id == OUT_OF_SYNC:
            points = self._sites[entry.host].points
            point = next((each for each in points if each.properties.fqdn == event.strings[0]), point)
        name = point.server.name
        # that it holds too little does not say why: the error of a failure before stays
        error = self._states[name].error if event.message_id == OUT_OF_SYNC else event.os_error
        self._states[name] = SupState(event.message_id, error, entry.at)

    def _point(self, host: str) -> SoftwareUpdatePoint:
        return self._sites[host].points[self._at_work.get(host, 0)]
