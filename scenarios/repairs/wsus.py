"""Repairs in the WSUS console, and on the WSUS server."""

from __future__ import annotations

from scenarios.action import Hand, repair


@repair("R27", "Add the accounts to WSUS Administrators", "Konten zu WSUS-Administratoren hinzufügen")
def add_to_administrators(hand: Hand) -> None:
    group, site = hand.site.wsus.administrators, hand.site
    wanted = (site.server.computer_account, site.wsus.server.computer_account, site.sup.connection_account)
    missing = tuple(account for account in wanted if account and account not in group.members)
    members = group.healthy.get("members", group.members) if missing else group.members
    group.change(hand.note(group, ", ".join(missing) or "unchanged", "members"), members=members)


@repair("R37", "Clear the replica option", "Replikat-Option deaktivieren")
def clear_replica(hand: Hand) -> None:
    settings = hand.site.wsus.settings
    because = hand.in_wsus_console(settings, "replica=False", "replica")
    if because is not None:
        settings.change(because, replica=False)


@repair("R38", "Set WSUS's update source as the site means it", "Updatequelle von WSUS so einstellen, wie der Standort sie meint")
def set_update_source(hand: Hand) -> None:
    settings, parent = hand.site.wsus.settings, hand.site.parent
    keys = ("upstream", "upstream_port", "upstream_ssl")
    because = hand.in_wsus_console(settings, parent.sup.fqdn if parent else "Microsoft Update", *keys)
    if because is None:
        return
    if parent is None:
        settings.change(because, upstream="", upstream_port=0, upstream_ssl=False)
    else:
        settings.change(because, upstream=parent.sup.fqdn, upstream_port=parent.sup.port, upstream_ssl=parent.sup.use_ssl)


@repair("R44", "Cancel the running synchronization in the WSUS console", "Laufende Synchronisierung in der WSUS-Konsole abbrechen")
def cancel_synchronization(hand: Hand) -> None:
    wsus = hand.site.wsus
    because = hand.in_wsus_console(wsus.settings, "synchronization canceled" if wsus.phase != "idle" else "nothing was running")
    if because is not None:
        wsus.cancel(hand.at, because)


@repair("R46", "Set WSUS's own schedule to manual", "Zeitplan von WSUS auf manuell stellen")
def manual_schedule(hand: Hand) -> None:
    settings = hand.site.wsus.settings
    because = hand.in_wsus_console(settings, "automatic=False", "automatic")
    if because is not None:
        settings.change(because, automatic=False)


@repair("R60", "Rebuild WSUS with an empty SUSDB", "WSUS mit leerer SUSDB neu aufbauen")
def rebuild_wsus(hand: Hand) -> None:
    wsus = hand.site.wsus
    because = hand.note(wsus.susdb, "new and empty", "installed_at")
    wsus.cancel(hand.at, because)
    wsus.susdb.empty(hand.at, because)


@repair("R67", "Decline unwanted updates in the WSUS console", "Unerwünschte Updates in der WSUS-Konsole ablehnen")
def decline_unwanted(hand: Hand) -> None:
    susdb, wanted = hand.site.wsus.susdb, hand.site.top.sup.subscription
    unwanted = tuple(portion for portion in susdb.portions if not portion.subscription.within(wanted))
    because = hand.in_wsus_console(susdb, f"{len(unwanted)} portions declined", "installed_at")
    if because is not None:
        susdb.change(because, declined=unwanted)
