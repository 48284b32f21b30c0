"""SMS_WSUS_CONTROL_MANAGER: watches WSUS on the software update point itself, and gives it its proxy settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from simulator.components.actor import Steps, StepsToBool
from simulator.components.api import Api
from simulator.components.site import Site, ThreadedActor
from simulator.events import (
    ApiConnectionFailed,
    AssembliesChecked,
    ComponentWaiting,
    CtrlDatabaseChecked,
    CtrlHealthChecked,
    CtrlProxyVerified,
    CtrlWokeUp,
    StatusReported,
)
from simulator.failures import Failure
from simulator.journal import Entry
from simulator.state import State, first
from simulator.units import HOUR, MINUTE, MS, SECOND

if TYPE_CHECKING:
    from simulator.components.sup import SoftwareUpdatePoint
    from simulator.world import World

CYCLE_US = HOUR
"""About an hour [D: 57 minutes of waiting between cycles]."""
E_FAIL = 0x80004005
LONGEST_US = 2 * SECOND
"""No cycle in which all is well takes longer."""
FOUND: Final = AssembliesChecked("SMS_WSUS_CONTROL_MANAGER", True)
WOKEN: Final = CtrlWokeUp("timeout")


class ControlManager(ThreadedActor):
    """WSUSCtrl of one software update point."""

    component = "SMS_WSUS_CONTROL_MANAGER"

    def __init__(self, world: World, site: Site, point: SoftwareUpdatePoint) -> None:
        super().__init__(world, point.server, "wsusctrl", site)
        self.point = point
        self.api = Api(self, "wsusctrl", point, on_sup=True)
        self._all_healthy = CtrlHealthChecked(self.server.fqdn, ())
        self._database_reached = CtrlDatabaseChecked(self.server.fqdn)
        self._proxy_settled: CtrlProxyVerified
        self._settled_changes = -1
        self._complained: tuple[tuple[str, ...], int] = (), 0
        self._calm = False
        """All was well in the last cycle."""
        self._calm_changes = -1
        """``State.changes`` during the last cycle, if all was well in it and nothing had to be set."""

    def live(self, *, resumed: bool) -> Steps:
        if resumed:
            next_at = hourly_at = self.now + self.dice.between(0, CYCLE_US)
        else:
            self.now += self.dice.about(4 * SECOND)
            yield from self.catch_up()
            hourly_at = self.now + CYCLE_US
            well = yield from self._cycle("start", self.started_because)
            next_at = self._wait(hourly_at, well=well)
        while True:
            yield from self.skip_to(next_at)
            if self._calm_changes == State.changes and next_at == hourly_at:
                repeated_until = self._repeat(hourly_at)
                if repeated_until > hourly_at:
                    next_at = hourly_at = repeated_until
                    continue
            if next_at >= hourly_at:
                hourly_at += CYCLE_US
            changes, self._calm = State.changes, False
            well = yield from self._cycle("timeout", None)
            self._calm_changes = changes if self._calm and self._settled_changes == changes else -1
            next_at = self._wait(hourly_at, well=well)

    def _repeat(self, hourly_at: int) -> int:
        """Make all cycles that are sure to go by like the last one; returns when the next one is due.

        What ``_cycle`` does step by step, without giving way: before the world is disturbed, nobody can come between.
        """
        until = self.world.undisturbed_until - LONGEST_US
        way = self.api.settled_way(self.world.undisturbed_until)
        health = self.point.wsus.health
        if self.world.stepwise or way is None:
            return hourly_at
        report, about = self.pen.report, self.dice.about
        connected = self.api.connected
        while hourly_at < until:
            now = max(self.now, hourly_at)
            if health.unhealthy(now + LONGEST_US)[0]:
                break
            hourly_at += CYCLE_US
            report(now, WOKEN)
            report(now, FOUND)
            now += about(48 * MS)
            now += way.ask(now, took_us := about(25 * MS), None, fresh=True)
            report(now, connected(took_us))
            now += about(63 * MS)
            report(now, self._proxy_settled)
            now += way.ask(now, took_us := about(25 * MS), None, fresh=True)
            report(now, connected(took_us))
            now += about(120 * MS)
            report(now, self._all_healthy)
            now += about(40 * MS)
            report(now, self._database_reached)
            self.now = now
            self._wait(hourly_at, well=True)
        return hourly_at

    def _wait(self, hourly_at: int, *, well: bool) -> int:
        """Say how long it will sleep, and return until when: while WSUS is unwell, a minute."""
        until = hourly_at if well else min(hourly_at, self.now + MINUTE)
        self.report(ComponentWaiting(self.component, max(-(-(until - self.now) // MINUTE), 1)))
        return until

    def _cycle(self, cause: Literal["timeout", "start"], because: Entry | None) -> StepsToBool:
        """One round of checks; returns whether WSUS is well, or could not be asked."""
        self.report(CtrlWokeUp(cause), because)
        server = self.server.fqdn
        self.report(FOUND)
        self.now += self.dice.about(48 * MS)
        connected = yield from self._connect(server, 7000)
        if not connected:
            return True
        self.now += self.dice.about(63 * MS)
        yield from self.heed_deeds(settled=self._settled_changes == State.changes)
        self._push_proxy(server)
        connected = yield from self._connect(server, 7003)
        if not connected:
            return True
        self.now += self.dice.about(120 * MS)
        yield from self.heed_deeds()
        well = self._check_health(server)
        self.now += self.dice.about(40 * MS)
        yield from self.heed_deeds()
        self.report(self._database_reached)
        return well

    def _connect(self, server: str, message_id: int) -> StepsToBool:
        """Connect through the local API; on failure complain with that status message. Returns whether it worked."""
        yield from self.heed_deeds()
        address = self.api.address
        try:
            self.now += self.api.call(self.now, took_us=(took_us := self.dice.about(25 * MS)), connect=True)
        except Failure as failure:
            self.now += failure.took_us
            yield from self.heed_deeds()
            entry = self.report(ApiConnectionFailed(self.component, *address, failure.took_us, failure.reason), failure.because)
            self.report(StatusReported(self.component, message_id, (server,), E_FAIL), entry)
            return False
        self.report(self.api.connected(took_us))
        return True

    def _push_proxy(self, server: str) -> None:
        """Write the SUP's proxy settings into WSUS if those deviate."""
        if self._settled_changes == State.changes:
            self.report(self._proxy_settled)
            return
        sup, settings = self.point.properties, self.point.wsus.settings
        wanted = (sup.proxy_host, sup.proxy_port, sup.proxy_account)
        changed = wanted != (settings.proxy_host, settings.proxy_port, settings.proxy_account)
        because = sup.because("proxy_host", "proxy_port")
        if changed:
            keys = ("proxy_host", "proxy_port", "proxy_account")
            because = first(because, sup.because("proxy_account"), settings.because(*keys))
        verified = CtrlProxyVerified(server, sup.proxy_host, sup.proxy_port, changed)
        entry = self.report(verified, because)
        if changed:
            settings.change(
                entry if because is not None else None,
                proxy_host=sup.proxy_host,
                proxy_port=sup.proxy_port,
                proxy_account=sup.proxy_account,
            )
        elif because is None:
            self._proxy_settled, self._settled_changes = verified, State.changes
            self.point.wsus.proxy_verified_changes = State.changes

    def _check_health(self, server: str) -> bool:
        """Ask for unhealthy components; complain of them when they change, and once an hour. Returns whether there are none."""
        unhealthy, because = self.point.wsus.health.unhealthy(self.now)
        service = self.point.wsus.service
        if not unhealthy and service.running:
            self.report(self._all_healthy)
            self._complained = (), 0
            self._calm = True
            return True
        names: tuple[str, ...] = unhealthy if service.running else (*unhealthy, service.name)
        entry = self.report(CtrlHealthChecked(server, names), service.because("running") or because)
        if names != self._complained[0] or self.now - self._complained[1] >= CYCLE_US:
            self._complained = names, self.now
            self.report(StatusReported(self.component, 7001, (server, ", ".join(names)), E_FAIL), entry)
        return False
