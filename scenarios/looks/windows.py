"""Looks at a server's Windows: services, programs, clock, accounts and groups."""

from __future__ import annotations

import re

from generators.compile import compile_texts
from scenarios.look import EVERY_SERVER, WSUS_SERVERS, LookError, Observer, Page, look
from simulator.components.windows import ADMINISTRATORS, WindowsService

_LOGON = {
    "WsusService": "NT AUTHORITY\\NETWORK SERVICE",
    "MSSQL$MICROSOFT##SSEE": "NT AUTHORITY\\NETWORK SERVICE",
    "MSSQL$MICROSOFT##WID": "NT SERVICE\\MSSQL$MICROSOFT##WID",
}
"""What services log on as; the others as LocalSystem [W]."""


def service_name(see: Observer, service: WindowsService) -> str:
    """A service's display name in the language of who looks."""
    say = compile_texts("services", see.world.version, see.language)
    slug = re.sub(r"\W", "_", service.name)
    name: str = say[slug]() if slug in say else service.name
    return name


@look("L45", minutes=1, hosts=EVERY_SERVER)
def services(see: Observer, page: Page) -> None:
    for name, service in sorted(see.server.services.items()):
        state = "running" if service.running else "stopped"
        account = _LOGON.get(name, "LocalSystem")
        page.fact(f"service.{name}.state", state)
        page.say("service_row", name=service_name(see, service), short=name, state=page.word(state), account=account)


@look("L26", minutes=2, hosts=("ss",))
def installed_console(see: Observer, page: Page) -> None:
    installed = see.server.programs.wsus_console
    page.fact("wsus_console.installed", installed)
    if installed:
        page.say("console_installed", version=see.world.version.assembly_file_version)
    else:
        page.say("console_missing")


@look("L48", minutes=1, hosts=EVERY_SERVER)
def clock(see: Observer, page: Page) -> None:
    page.fact("clock.skew_s", 0)
    page.say("clock_row", local=see.clock(see.at), zone=see.server.zone.name, bias_min=see.server.zone.bias_min(see.at))


@look("L95", minutes=2, hosts=("dc", "ss", "sup"), takes_target=True)
def directory_account(see: Observer, page: Page) -> None:
    world = see.world
    names = [name for name in world.accounts if not name.endswith("$")]
    if see.target is not None:
        wanted = see.target.lower()
        names = [name for name in world.accounts if wanted in (name.lower(), name.split("\\")[-1].lower())]
        if not names:
            raise LookError(f"there is no account {see.target!r}", hint=f"The directory has: {', '.join(world.accounts)}")
    for name in sorted(names):
        account = world.accounts[name]
        page.fact(f"account.{name}.enabled", account.enabled)
        page.fact(f"account.{name}.password_current", account.password_current)
        enabled = page.word("enabled" if account.enabled else "disabled")
        password = page.word("current" if account.password_current else "expired")
        page.say("account_row", name=name, enabled=enabled, password=password)


@look("L96", minutes=1, hosts=WSUS_SERVERS)
def wsus_administrators(see: Observer, page: Page) -> None:
    """WSUS Administrators, and who was made a local administrator besides Domain Admins."""
    members = see.wsus.administrators.members
    page.say("group_members", count=len(members))
    page.fact_set("member", members)
    page.lines += [f"  {member}" for member in sorted(members)]
    local = see.server.groups[ADMINISTRATORS].members
    page.say("local_administrators", members=", ".join(sorted(local)) or page.word("nobody"))
    page.fact_set("administrators.member", local)
