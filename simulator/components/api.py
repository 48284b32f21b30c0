"""The client side of the WSUS API (ApiRemoting30), as WCM, WSyncMgr and WSUSCtrl use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulator.components.iis import Caller, Route, request
from simulator.components.site import ThreadedActor
from simulator.events import ApiConnected
from simulator.failures import Failure
from simulator.journal import Entry, new_tuple
from simulator.state import State, first
from simulator.units import MS

if TYPE_CHECKING:
    from simulator.components.sup import SoftwareUpdatePoint

DIRECTORY = "ApiRemoting30"
REFUSAL_US = 2_000 * MS
"""What a refused connection costs: the seed's run ends after 3 s [S]."""


class Address(NamedTuple):
    """Where a component looks for the WSUS API."""

    server: str
    port: int
    ssl: bool
    local: bool
    account: str
    """``DOMAIN\\user`` of a connection account, empty for the computer account."""


class Api:
    """One component's connection to the WSUS server of a software update point."""

    def __init__(self, owner: ThreadedActor, role: str, point: SoftwareUpdatePoint, *, on_sup: bool) -> None:
        self._owner = owner
        self.point = point
        self._on_sup = on_sup
        self._changes = -1
        self._route: Route | None = None
        self._address: Address
        self._caller = Caller(owner.world.journal, owner.server, role, owner.computer_account, owner.dice)

    def connected(self, took_us: int) -> ApiConnected:
        """The event of a connection to the present address."""
        server, port, ssl, local, account = self.address
        return new_tuple(ApiConnected, (self._owner.component, server, port, ssl, local, account, took_us))

    @property
    def address(self) -> Address:
        """Where to connect now: on the SUP itself as the registry says, otherwise as the SUP's properties say."""
        self._refresh()
        return self._address

    def _refresh(self) -> None:
        if self._changes != State.changes:
            self._address = self._find()
            self._changes = State.changes

    def _find(self) -> Address:
        point = self.point
        settings = point.wsus.settings
        if self._on_sup or point.local:
            iis = point.server.iis
            assert iis is not None
            port = iis.https.port if settings.using_ssl else iis.http.port
            return Address(point.server.fqdn, port, settings.using_ssl, True, "")
        sup = point.properties
        return Address(sup.fqdn, sup.port, sup.use_ssl, point.on_site_server, sup.connection_account)

    @property
    def because_address(self) -> Entry | None:
        """Why the address is not the right one, if it is not."""
        address, server = self.address, self.point.server
        assert server.iis is not None
        binding = server.iis.https if address.ssl else server.iis.http
        if address.local or (address.server == server.fqdn and address.port == binding.port):
            return None
        return self.point.properties.because_address

    def settled_way(self, until: int) -> Route | None:
        """The way of the last call, if a call before instant ``until`` is sure to be answered as that one was."""
        route = self._route
        if route is not None and route.changes == State.changes and until < route.valid_until:
            return route
        return None

    def call(self, at: int, *, took_us: int = 15 * MS, connect: bool = False) -> int:
        """One call of the API at instant ``at``: the time it took, microseconds.

        Raises ``Failure`` when it does not arrive, or is refused.
        """
        owner, changes = self._owner, State.changes
        route = self._route
        if route is not None and route.changes == changes and at < route.valid_until:
            return route.ask(at, took_us, owner.pen.run, fresh=connect)
        address, caller = self.address, self._caller
        ssl_because = first(self.point.wsus.settings.because("using_ssl"), self.point.properties.because("use_ssl"))
        caller.run = owner.pen.run
        caller.account = account = owner.world.accounts[address.account or owner.server.computer_account]
        try:
            request(
                owner.world.network,
                caller,
                address.server,
                address.port,
                DIRECTORY,
                ssl=address.ssl,
                at=at,
                took_us=took_us,
                fresh=connect,
                refusal_us=REFUSAL_US,
                because=self.because_address,
                otherwise=ssl_because,
            )
        except Failure as failure:
            cause = first(failure.because, None if address.local else self.point.properties.because_address, ssl_because)
            raise Failure(failure.reason, cause, failure.took_us) from None
        self._route = caller.routes.get((address.server, address.port, DIRECTORY, address.ssl, account.name))
        return took_us
