"""Repairs of servers: services, installed programs, SQL Server."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from scenarios.action import Hand, repair
from simulator.units import SECOND

if TYPE_CHECKING:
    from simulator.components.site import Site
    from simulator.journal import Entry
    from simulator.world import World

SQL_RESTART_US = 60 * SECOND
"""Stopping and starting SQL Server; the site stalls for one to five minutes [S][C]."""


@repair("R01", "Start Update Services", "Update Services starten")
def start_update_services(hand: Hand) -> None:
    hand.site.wsus.start(hand.at, hand.note(hand.site.wsus.service, "running", "running"))


@repair(
    "R02",
    "Start IIS Admin Service and World Wide Web Publishing Service",
    "IIS-Administratordienst und WWW-Publishingdienst starten",
)
def start_iis(hand: Hand) -> None:
    because = hand.note(hand.iis.w3svc, "running", "running")
    hand.iis.start_iisadmin(hand.at, because)
    hand.iis.start_w3svc(hand.at, because)


@repair("R03", "Restart SMS_EXECUTIVE on the site server", "SMS_EXECUTIVE auf dem Standortserver neu starten")
def restart_executive(hand: Hand) -> None:
    executive = hand.site.executive
    executive.restart(hand.note(executive.service, "restarted"))


@repair("R04", "Start the database service of SUSDB", "Datenbankdienst der SUSDB starten")
def start_susdb(hand: Hand) -> None:
    database = hand.site.wsus.database
    because = hand.note(database, "running", "running")
    hand.site.wsus.server.set_service(hand.at, database.name, running=True, because=because)


@repair("R35", "Restart SMS_EXECUTIVE on the SUP", "SMS_EXECUTIVE auf dem SUP neu starten")
def restart_sup_executive(hand: Hand) -> None:
    executive = hand.site.sup_executive
    executive.restart(hand.note(executive.service, "restarted"))


@repair(
    "R36",
    "Install the WSUS administration console on the site server",
    "WSUS-Verwaltungskonsole auf dem Standortserver installieren",
)
def install_console(hand: Hand) -> None:
    programs = hand.site.server.programs
    programs.change(hand.note(programs, "installed", "wsus_console"), wsus_console=True)


@repair("R47", "Restart SQL Server of the site database", "SQL Server der Standortdatenbank neu starten")
def restart_sql_server(hand: Hand) -> None:
    database = hand.site.database
    because = hand.note(database, "restarted", "schema_valid")
    hand.site.server.set_service(hand.at, database.service.name, running=False, because=because)
    hand.world.plan(hand.at + SQL_RESTART_US, partial(start_sql_server, site=hand.site, because=because))


def start_sql_server(world: World, *, site: Site, because: Entry) -> None:
    """SQL Server starts, and is in order again."""
    site.server.set_service(world.now, site.database.service.name, running=True, because=because)
    site.database.change(because, schema_valid=True)
