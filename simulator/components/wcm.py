"""SMS_WSUS_CONFIGURATION_MANAGER: pushes the site's settings into WSUS every hour, and thereby opens or closes the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from simulator.components.actor import Steps, StepsToBool
from simulator.components.api import Api
from simulator.components.site import MICROSOFT_UPDATE, NO_SOURCE, Site, ThreadedActor
from simulator.events import (
    ApiConnectionFailed,
    AssembliesChecked,
    ComponentWaiting,
    StatusReported,
    WcmCategoriesRefreshed,
    WcmConfigurationFailed,
    WcmConfigurationRefused,
    WcmSiteControlRead,
    WcmSourceVerified,
    WcmStateSet,
    WcmSubscriptionSet,
    WcmWokeUp,
)
from simulator.failures import Failure
from simulator.journal import Entry
from simulator.state import State, first
from simulator.units import HOUR, MINUTE, MS, SECOND

if TYPE_CHECKING:
    from simulator.components.sup import SoftwareUpdatePoint
    from simulator.world import World

CYCLE_US = HOUR
"""WCM connects to WSUS once an hour [S]."""
NOTICE_US = 5 * SECOND
"""From a change of site control to WCM's notice of it [D]."""
LONGEST_US = 15 * SECOND
"""No cycle in which all is well takes longer, for one software update point."""
SETTLE_US = 10 * SECOND
"""From the end of the wait to the version check [D]."""

NONE: Final = 0
PENDING: Final = 1
SUCCESS: Final = 2
FAILED: Final = 3
E_FAIL = 0x80004005

FOUND: Final = AssembliesChecked("SMS_WSUS_CONFIGURATION_MANAGER", True)
NOT_FOUND: Final = AssembliesChecked("SMS_WSUS_CONFIGURATION_MANAGER", False)

Cause = Literal["timeout", "site control change", "start"]


@dataclass(slots=True, eq=False, kw_only=True)
class ConfigurationState(State):
    """The registry value ConfigurationState: the synchronization starts only at 2 (success) [L]."""

    value: Literal[0, 1, 2, 3, 4] = 2

    @property
    def success(self) -> bool:
        return self.value == SUCCESS


class CycleFailed(Exception):
    """A cycle broke off: the failure, and the status message that will tell of it."""

    def __init__(self, message_id: int, because: Entry) -> None:
        super().__init__(message_id)
        self.message_id = message_id
        self.because = because


class Client:
    """One software update point as WCM has it."""

    def __init__(self, owner: ConfigurationManager, point: SoftwareUpdatePoint) -> None:
        self.api = Api(owner, "wcm", point, on_sup=False)
        self.point = point
        self.settled: WcmSourceVerified
        self.refreshed: WcmCategoriesRefreshed
        self.settled_changes = -1
        self.content_changes = -1
        """``State.changes`` when the last cycle left this software update point with nothing to set or to complain of."""


class ConfigurationManager(ThreadedActor):
    """WCM of one site."""

    component = "SMS_WSUS_CONFIGURATION_MANAGER"

    def __init__(self, world: World, site: Site) -> None:
        super().__init__(world, site.server, "wcm", site)
        self.state = ConfigurationState(entity=f"{site.code}/ConfigurationState")
        self._first, *self._further = (Client(self, point) for point in site.points)
        self._changed: tuple[Entry | None] | None = None
        self._pushed_sups = self._sups()
        self._calm_changes = -1
        """``State.changes`` during the last cycle, if that went by without anything to set or to complain of."""

    def _sups(self) -> tuple[str, ...]:
        return tuple(point.properties.fqdn for point in self.site.points)

    def site_control_changed(self, because: Entry | None) -> None:
        """Take notice of saved SUP properties."""
        self._changed = (because,)
        self.ring()

    def live(self, *, resumed: bool) -> Steps:
        if resumed:
            next_at = self.now + self.dice.between(0, CYCLE_US)
        else:
            self.now += self.dice.about(3 * SECOND)
            yield from self._cycle("start", self.started_because, 0)
            next_at = self._wait(self.now + CYCLE_US)
        while True:
            began = self.now
            if self._changed is None:
                yield from self._sleep_until(next_at)
            if self._changed is None and self._calm_changes == State.changes:
                repeated_until = self._repeat(began, next_at)
                if repeated_until > next_at:
                    next_at = repeated_until
                    continue
            if self._changed is not None:
                (because,) = self._changed
                self._changed = None
                self.now += self.dice.about(NOTICE_US, 10)
                yield from self.catch_up()
                yield from self._cycle("site control change", because, 0)
                next_at = self._wait(self.now + CYCLE_US)
            else:
                waited_min = -(-(self.now - began) // MINUTE)
                changes = State.changes
                ok = yield from self._cycle("timeout", None, waited_min)
                self._calm_changes = changes if ok and self._is_calm(changes) else -1
                next_at = self._wait(next_at + CYCLE_US if ok else self.now + CYCLE_US)

    def _is_calm(self, changes: int) -> bool:
        """Whether a cycle that succeeded, begun at that count of ``State.changes``, would go by just so again."""
        return self.site.sup.active and all(
            client.content_changes == changes and client.api.because_address is None for client in (self._first, *self._further)
        )

    def _repeat(self, slept_from: int, next_at: int) -> int:
        """Make all cycles that are sure to go by like the last one; returns when the next one is due.

        What ``_cycle`` does step by step, without giving way: before the world is disturbed, nobody can come between.
        """
        clients = (self._first, *self._further)
        until = self.world.undisturbed_until - LONGEST_US * len(clients)
        ways = [way for client in clients if (way := client.api.settled_way(self.world.undisturbed_until)) is not None]
        if self.world.stepwise or len(ways) < len(clients):
            return next_at
        report, about = self.pen.report, self.dice.about
        now = self.now
        while next_at < until:
            now = max(now, next_at)
            report(now, WcmWokeUp("timeout", -(-(now - slept_from) // MINUTE)))
            now += about(SETTLE_US, 1)
            report(now, FOUND)
            now += ways[0].ask(now, took_us := about(31 * MS), None, fresh=True)
            report(now, self._first.api.connected(took_us))
            now += about(700 * MS, 5)
            for client, way in zip(clients, ways, strict=True):
                if client is not self._first:
                    now += about(60 * MS)
                now += way.ask(now, took_us := about(31 * MS), None, fresh=True)
                report(now, client.api.connected(took_us))
                now += way.ask(now, 15 * MS, None, fresh=False)
                report(now, client.settled)
                now += way.ask(now, about(60 * MS), None, fresh=False)
                now += way.ask(now, about(250 * MS), None, fresh=False)
                report(now, client.refreshed)
                now += about(900 * MS)
            self.now = slept_from = now
            next_at = self._wait(next_at + CYCLE_US)
        return next_at

    def _sleep_until(self, at: int) -> Steps:
        """Sleep until instant ``at``, or until site control changes: only deeds do that."""
        if at >= self.world.undisturbed_until or self.world.stepwise:
            yield from self.wait_for_bell(at)
        else:
            self.now = max(self.now, at)

    def _wait(self, until: int) -> int:
        """Say for how many minutes it will sleep; return until when."""
        if self._changed is None:
            self.report(ComponentWaiting(self.component, -(-(until - self.now) // MINUTE)))
        return until

    def _set_state(self, value: Literal[0, 1, 2, 3, 4], because: Entry | None) -> None:
        entry = self.report(WcmStateSet(value), because)
        self.state.change(entry if because is not None else None, value=value)

    def _cycle(self, cause: Cause, because: Entry | None, waited_min: int) -> StepsToBool:
        """One round of configuration; returns whether it succeeded."""
        self.report(WcmWokeUp(cause, waited_min), because)
        sup = self.site.sup
        if cause != "timeout":
            yield from self.catch_up()
            sups = self._sups()
            moved = first(*(point.properties.because("fqdn") for point in self.site.points))
            self.report(WcmSiteControlRead(sups[0], sups != self._pushed_sups, sups[1:]), moved)
            self._pushed_sups = sups
            if not sup.active:
                self._set_state(NONE, sup.because("active"))
                return True
            self._set_state(PENDING, because)
            self.now += 500 * MS
        else:
            self.now += self.dice.about(SETTLE_US, 1)
            yield from self.heed_deeds()
            if not sup.active:
                return True
        try:
            yield from self._configure()
        except CycleFailed as failed:
            yield from self.catch_up()
            self._set_state(FAILED, self._fail(self._first, failed))
            return False
        yield from self.heed_deeds()
        if not self.state.success:
            yield from self.meet()
            self._set_state(SUCCESS, None)
            self.site.wsyncmgr.gate_opened()
        for client in self._further:
            yield from self._configure_further(client)
        return True

    def _configure_further(self, client: Client) -> Steps:
        """Configure a further software update point: what fails there is told, and leaves the gate as it is [I]."""
        try:
            self.now += self.dice.about(60 * MS)
            yield from self._connect(client.api)
            yield from self._push(client)
        except CycleFailed as failed:
            yield from self.catch_up()
            self._fail(client, failed)

    def _fail(self, client: Client, failed: CycleFailed) -> Entry:
        client.content_changes = client.point.wsus.content_changes = -1
        server = client.api.address.server
        entry = self.report(WcmConfigurationFailed(server), failed.because)
        self.report(StatusReported(self.component, failed.message_id, (server,), E_FAIL), entry)
        return entry

    def _configure(self) -> Steps:
        """Version check, connection, settings; raises ``CycleFailed``."""
        yield from self.heed_deeds()
        found = self.server.programs.wsus_console
        missing = self.server.programs.because("wsus_console")
        entry = self.report(FOUND if found else NOT_FOUND, missing)
        if not found:
            raise CycleFailed(6607, entry)
        yield from self._connect(self._first.api)
        self.now += self.dice.about(700 * MS, 5)
        yield from self._connect(self._first.api)
        yield from self._push(self._first)

    def _connect(self, api: Api) -> Steps:
        yield from self.heed_deeds()
        address = api.address
        wrong = api.because_address
        try:
            self.now += api.call(self.now, took_us=(took_us := self.dice.about(31 * MS)), connect=True)
        except Failure as failure:
            self.now += failure.took_us
            yield from self.catch_up()
            entry = self.report(ApiConnectionFailed(self.component, *address, failure.took_us, failure.reason), failure.because)
            raise CycleFailed(6600, entry) from None
        self.report(api.connected(took_us), wrong)

    def _push(self, client: Client) -> Steps:
        """Write upstream server and subscription, read the categories."""
        api, wsus, address = client.api, client.point.wsus, client.api.address
        yield from self.heed_deeds(settled=client.settled_changes == State.changes)
        try:
            self.now += api.call(self.now)
            self._verify_source(client)
            self.now += api.call(self.now, took_us=self.dice.about(60 * MS))
            wsus.configure(replica=client.point.replica)
            if wsus.settings.automatic:
                wsus.settings.change(None, automatic=False)
            self._verify_subscription(client)
            self.now += api.call(self.now, took_us=self.dice.about(250 * MS))
        except Failure as failure:
            self.now += failure.took_us
            yield from self.catch_up()
            entry = self.report(WcmConfigurationRefused(address.server, failure.reason), failure.because)
            raise CycleFailed(6603, entry) from None
        client.refreshed = WcmCategoriesRefreshed(address.server)
        self.report(client.refreshed)
        if client.settled_changes == State.changes:
            client.content_changes = wsus.content_changes = State.changes
        self.now += self.dice.about(900 * MS)

    def _verify_subscription(self, client: Client) -> None:
        """Have WSUS ask for what the top-level site is to ask for."""
        wsus, sup = client.point.wsus, self.site.top.sup
        if wsus.settings.subscription == sup.subscription:
            return
        keys = ("products", "classifications", "languages")
        because = first(wsus.settings.because(*keys), sup.because(*keys))
        user = client.api.address.account or self.server.computer_account
        wsus.subscribe(self.now, sup.subscription, user, sup.because(*keys))
        self.report(WcmSubscriptionSet(sup.products, sup.classifications), because)

    def _verify_source(self, client: Client) -> None:
        """Point WSUS at its right upstream server; 2007 leaves the top site's alone once it is set [S]."""
        if client.settled_changes == State.changes:
            self.report(client.settled)
            return
        point, settings = client.point, client.point.wsus.settings
        upstream = point.upstream
        if upstream is None:
            source = point.properties.source
            other = "" if source in (MICROSOFT_UPDATE, NO_SOURCE) else source
            wanted = (other, settings.upstream_port, settings.upstream_ssl)
            keep = not self.world.version.reverts_update_source
        else:
            wanted, keep = (upstream.fqdn, upstream.port, upstream.use_ssl), False
        is_now = (settings.upstream, settings.upstream_port, settings.upstream_ssl)
        made_replica = point.replica and not settings.replica
        changed = (not keep and is_now != wanted) or made_replica
        because = settings.because("upstream")  # what is as it was is told by its name alone
        if changed:
            because = because or settings.because("upstream_port", "upstream_ssl", *(("replica",) if point.replica else ()))
            if upstream is not None:
                because = upstream.because_address or because
            settings.change(because, upstream=wanted[0], upstream_port=wanted[1], upstream_ssl=wanted[2])
            if made_replica:
                settings.change(because, replica=True)
        told = settings.upstream or MICROSOFT_UPDATE
        verified = WcmSourceVerified(told, changed, client.api.address.server, client.api.address.account)
        self.report(verified, because)
        if because is None and not changed:
            client.settled, client.settled_changes = verified, State.changes
