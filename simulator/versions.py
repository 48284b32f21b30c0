"""Product generations as data: a version is its parent plus what changed.

Behaviour asks a trait by name and never compares versions. Evidence tags ([S] seed page, [L] Microsoft Learn, [P] third
party, [D] read from product metadata, [I] inference, [U] unconfirmed) are explained in ``docs/model.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from simulator.errors import EstateError


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Everything in which one generation of ConfigMgr, with the WSUS, IIS and Windows of its time, differs from another."""

    generation: str
    title: str
    message_generations: tuple[str, ...]
    """Generations whose message texts apply, newest first (a message without a text for the newest falls back)."""

    # --- site server logs
    stamp_form: Literal["zone name", "bias"] = "zone name"
    """How a log line states its time zone: SMS 2.0 style name [U], or bias in minutes [D]."""
    log_encoding: str = "cp1252"
    log_bom: bool = False
    system_name: Literal["netbios", "fqdn"] = "netbios"
    """How SYS= and status messages name a computer [S][L]."""
    worker_threads: bool = False
    """WSUS and SMS phases run on short-lived worker threads; only the control lines are the main thread's [D]."""
    logs_folder: str = "Program Files (x86)/Microsoft Configuration Manager/Logs"
    role_logs_folder: str = "SMS/Logs"
    """Where a remote site system keeps its logs."""

    # --- behaviour
    child_writes_site_database: bool = True
    """A child primary site synchronizes its own site database from its WSUS (2007), instead of by replication [L][I]."""
    local_api: bool = False
    """On the SUP itself the API takes port and SSL from the registry, whatever the SUP's properties say [P]."""
    reverts_update_source: bool = False
    """WCM rewrites an update source that was changed at the top site [S: 2007 does not][L: 2012+ does]."""
    names_missing_permission: bool = False
    """Who is no WSUS administrator is told so by WSUS itself, in an answer 200 [P: 2403]; before, with HTTP 401 [S][C]."""
    reports_hresult: bool = False
    """STATMSG lines end with LE=0X<hresult> [D, 2403+]."""
    any_source: bool = False
    """The top-level site may also synchronize from another WSUS server instead of Microsoft Update [L]."""
    own_polling_clock: bool = False
    """The hourly look into the inbox has a clock of its own, instead of following the last run [P]."""
    scheduled_sync_is_full: bool = True
    """A scheduled run reads all updates again (2007), instead of what arrived since the last one [L]."""
    categories: int = 160
    """Update categories in the catalogue of the time [I for 2007; D]."""
    products: tuple[str, ...] = (
        "Windows XP",
        "Windows Server 2003",
        "Windows Vista",
        "Microsoft Office 2003",
        "Windows XP x64 Edition",
    )
    """Products of the time that a site subscribes to unless told otherwise, as titles name them [C]."""
    other_products: tuple[str, ...] = (
        "Windows 2000",
        "Microsoft Office XP",
        "SQL Server 2005",
        "Exchange Server 2003",
        "Windows Server 2003, Datacenter Edition",
        "Visual Studio 2005",
    )
    """Products that it publishes as well, and that sites do not subscribe to unless told so [C]."""
    first_article: int = 937_000
    """About the first knowledge base number of the time."""
    settle_s: int = 120
    """Pause between the WSUS and the database phase, seconds [L]."""

    # --- hierarchy
    primaries_nest: bool = True
    """A primary site may lie below another primary site [L]; from 2012 on, only below a central one [L]."""
    max_child_primaries: int = 25
    """Primary sites below one site: supported number [L; 2007 U]."""
    max_secondaries: int = 500
    """Secondary sites below one primary site: supported number [L; 2007 U]."""
    max_sups: int = 2
    """Software update points of one site: 2007 has an active and an active Internet-based one [L], later ones up to eight [U]."""

    # --- WSUS
    upstream_host: str = "www.update.microsoft.com"
    assembly_version: str = "3.1.6001.1"
    assembly_file_version: str = "3.2.7600.226"
    runtimes: tuple[str, ...] = ("v2.0.50727",)
    """.NET runtimes that the version check tries, in order; the assembly is found for the last one."""
    susdb_service: str = "MSSQL$MICROSOFT##SSEE"
    """Windows service of the internal database that holds SUSDB [W]."""
    clr: str = "2.0.50727.1433"
    """Common language runtime in the SOAP client's user agent."""
    default_http_port: int = 80
    default_https_port: int = 443

    # --- IIS and Windows
    iis: Literal[6, 8, 10] = 6
    w3svc_needs_iisadmin: bool = True
    """IIS 6: the web service depends on the IIS Admin Service [S]; later versions depend on WAS only."""
    anonymous_account: str = "IUSR_{host}"
    anonymous_is_guest: bool = True
    """The anonymous account is a local one, a member of Guests [S]; from IIS 7 on it is built in."""
    iis_log_folder: str = "WINDOWS/system32/LogFiles"
    httperr_folder: str = "WINDOWS/system32/LogFiles/HTTPERR"
    event_log_folder: str = "EventLogs"
    http_api: str = "1.0"


_2007 = Version(generation="2007", title="Configuration Manager 2007 SP2", message_generations=("2007",))

_2012 = replace(
    _2007,
    generation="2012",
    title="System Center 2012 R2 Configuration Manager",
    message_generations=("2012",),
    stamp_form="bias",
    log_encoding="utf-8",
    log_bom=True,
    system_name="fqdn",
    logs_folder="Program Files/Microsoft Configuration Manager/Logs",
    child_writes_site_database=False,
    local_api=True,
    own_polling_clock=True,
    scheduled_sync_is_full=False,
    primaries_nest=False,
    max_secondaries=250,
    max_sups=8,
    categories=223,
    products=(
        "Windows 7 for x64-based Systems",
        "Windows 8.1 for x64-based Systems",
        "Windows Server 2008 R2 x64 Edition",
        "Windows Server 2012 R2",
        "Microsoft Office 2010 32-Bit Edition",
    ),
    other_products=(
        "Windows Vista",
        "Microsoft Office 2007",
        "SQL Server 2012",
        "Exchange Server 2010",
        "Microsoft Lync 2010",
        "Visual Studio 2010",
    ),
    first_article=2_900_000,
    reverts_update_source=True,
    any_source=True,
    upstream_host="fe2.update.microsoft.com",
    assembly_version="4.0.0.0",
    assembly_file_version="6.2.9200.16384",
    runtimes=("v2.0.50727", "v4.0.30319"),
    susdb_service="MSSQL$MICROSOFT##WID",
    clr="4.0.30319.42000",
    default_http_port=8530,
    default_https_port=8531,
    iis=8,
    w3svc_needs_iisadmin=False,
    anonymous_account="IUSR",
    anonymous_is_guest=False,
    iis_log_folder="inetpub/logs/LogFiles",
    httperr_folder="Windows/System32/LogFiles/HTTPERR",
    http_api="2.0",
)

_CB = replace(
    _2012,
    generation="cb",
    title="Configuration Manager current branch",
    message_generations=("cb", "2012"),
    worker_threads=True,
    categories=431,
    products=(
        "Windows 10 Version 22H2 for x64-based Systems",
        "Windows 11 Version 24H2 for x64-based Systems",
        "Windows Server 2019 for x64-based Systems",
        "Windows Server 2022 for x64-based Systems",
        "Microsoft Office 2016 32-Bit Edition",
    ),
    other_products=(
        "Windows Server 2012 R2",
        "Microsoft Office 2013",
        "SQL Server 2019",
        "Exchange Server 2019",
        "Microsoft Edge",
        "Visual Studio 2022",
    ),
    first_article=5_000_000,
    names_missing_permission=True,
    reports_hresult=True,
    upstream_host="sws.update.microsoft.com",
    assembly_file_version="10.0.17763.1",
    iis=10,
)

VERSIONS: MappingProxyType[str, Version] = MappingProxyType({v.generation: v for v in (_2007, _2012, _CB)})
"""All generations by name: ``2007``, ``2012``, ``cb``."""


def version(generation: str) -> Version:
    """The version of that name.

    Raises ``EstateError`` for an unknown one.
    """
    try:
        return VERSIONS[generation]
    except KeyError:
        raise EstateError(f"there is no product generation {generation!r}", hint=f"Choose one of: {', '.join(VERSIONS)}") from None
