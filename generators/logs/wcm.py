"""WCM.log: how WSUS is given its configuration."""

from __future__ import annotations

from typing import ClassVar, Final

from generators.categories import subscription_xml
from generators.log import Writes
from generators.site_component import CLIENT_WRITES, WsusClientLog
from simulator.estate import Site
from simulator.events import (
    AssembliesChecked,
    ComponentWaiting,
    WcmCategoriesRefreshed,
    WcmConfigurationFailed,
    WcmConfigurationRefused,
    WcmSiteControlRead,
    WcmSourceVerified,
    WcmStateSet,
    WcmSubscriptionSet,
    WcmWokeUp,
)
from simulator.failures import ConfigurationRefused
from simulator.journal import Entry

E_FAIL: Final = -2147467259
"""0x80004005 as WCM prints it: signed."""


class WcmLog(WsusClientLog):
    messages = ("wcm", "wsus_connection", "statmsg")
    component = "SMS_WSUS_CONFIGURATION_MANAGER"
    file = "WCM.log"
    _timed_out = False
    """The wait is over, but its second line comes with the version check, ten seconds later [D]."""
    _new_sups: tuple[str, ...] = ()
    """The list of active SUPs changed; told after the state is set to pending [P]."""

    @classmethod
    def hosts(cls, site: Site) -> tuple[str, ...]:
        return (site.server,)

    def woke_up(self, entry: Entry) -> None:
        event: WcmWokeUp = entry.event
        say = self.say()
        match event.cause:
            case "timeout":
                say.wait_timed_out(entry.at, event.waited_min)
                self._timed_out = True
            case "site control change":
                say.trigger_ended(entry.at)
                say.scf_triggered(entry.at)

    def site_control_read(self, entry: Entry) -> None:
        event: WcmSiteControlRead = entry.event
        self.say().populating_config(entry.at)
        self._new_sups = (event.sup, *event.further) if event.changed_sups else ()

    def assemblies_checked(self, entry: Entry) -> None:
        event: AssembliesChecked = entry.event
        if self._timed_out and event.component == self.component:
            self._timed_out = False
            self.say().timed_out(entry.at)
        super().assemblies_checked(entry)

    def source_verified(self, entry: Entry) -> None:
        event: WcmSourceVerified = entry.event
        say = self.say()
        say.verifying_source(entry.at)
        if event.changed:
            say.source_updated(entry.at)
        else:
            say.source_unchanged(entry.at, event.source)
        if not event.account:
            say.no_account(entry.at, event.server)

    def subscription_set(self, entry: Entry) -> None:
        event: WcmSubscriptionSet = entry.event
        say = self.say()
        say.subscribed(entry.at, subscription_xml(event.products, event.classifications))
        say.configuration_successful(entry.at)

    def categories_refreshed(self, entry: Entry) -> None:
        self.say().categories_refreshed(entry.at)

    def configuration_refused(self, entry: Entry) -> None:
        event: WcmConfigurationRefused = entry.event
        if isinstance(event.reason, ConfigurationRefused):
            self.say().subscriptions_failed(entry.at, E_FAIL, self.run.reasons.unspecified_error)
        else:
            self.say().connection_exception(entry.at, self.run.reasons.exception(event.reason))

    def configuration_failed(self, entry: Entry) -> None:
        self.say().configuration_failed(entry.at)

    def state_set(self, entry: Entry) -> None:
        event: WcmStateSet = entry.event
        at, say = entry.at, self.say()
        match event.state:
            case 0:
                say.state_none(at)
            case 1:
                say.state_pending(at)
            case 2:
                say.state_success(at)
            case 3:
                say.state_failed(at)
            case 4:
                say.state_subscription_pending(at)
        if self._new_sups:
            say.sup_list_changed(at)
            for number, sup in enumerate(self._new_sups):
                say.sup_list_row(at, number, sup)
            say.updating_groups(at)
            self._new_sups = ()

    def waiting(self, entry: Entry) -> None:
        event: ComponentWaiting = entry.event
        if event.component == self.component:
            self.say().waiting(entry.at, event.wait_min)

    writes: ClassVar[Writes] = {
        **CLIENT_WRITES,
        WcmWokeUp: woke_up,
        WcmSiteControlRead: site_control_read,
        AssembliesChecked: assemblies_checked,
        WcmSourceVerified: source_verified,
        WcmCategoriesRefreshed: categories_refreshed,
        WcmConfigurationRefused: configuration_refused,
        WcmConfigurationFailed: configuration_failed,
        WcmSubscriptionSet: subscription_set,
        WcmStateSet: state_set,
        ComponentWaiting: waiting,
    }
