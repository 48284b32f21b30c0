"""Faults on the ConfigMgr side: the site server, and the software update point's properties."""

from __future__ import annotations

from scenarios.fault import Scene, fault
from scenarios.text import Text
from simulator.components.site import MICROSOFT_UPDATE, NO_SOURCE

MISTAKEN_PORTS = (80, 8530, 8350)
"""Ports that are entered by mistake: WSUS's other usual one, or its own with two digits swapped."""


@fault(
    "S01",
    Text("WSUS administration console not installed on the site server", "WSUS-Verwaltungskonsole fehlt auf dem Standortserver"),
    Text(
        "The site server has lost the WSUS administration console, so WCM finds no WSUS API and never tries to connect.",
        "Auf dem Standortserver fehlt die WSUS-Verwaltungskonsole; WCM findet die WSUS-API nicht und versucht keine Verbindung.",
    ),
    entity="{server}/programs",
    setting="wsus_console",
    healthy="installed",
    faulty="missing",
    repairs=("R36", "R03", "R10"),
    looks=("L21", "L26", "L30"),
    needs=("remote",),
)
def console_missing(scene: Scene) -> None:
    scene.site.server.programs.change(scene.because, wsus_console=not scene.broken)


@fault(
    "S04",
    Text("SUP port differs from the WSUS web site's: nothing listens there", "SUP-Port ungleich WSUS-Websiteport (kein Listener)"),
    Text(
        "The HTTP port in the software update point's properties is not the one that the WSUS web site is bound to.",
        "Der HTTP-Port in den Eigenschaften des Softwareupdatepunkts ist nicht der, an den die WSUS-Website gebunden ist.",
    ),
    entity="{site}/SUP",
    setting="http_port",
    healthy="the port of the web site's HTTP binding",
    faulty="another port, on which nothing listens",
    repairs=("R12", "R08", "R10"),
    looks=("L21", "L05", "L60", "L71"),
    needs=("remote", "plain"),
)
def wrong_port(scene: Scene) -> None:
    closed = next(port for port in MISTAKEN_PORTS if scene.iis.site_at(port) is None and scene.iis.http.port != port)
    scene.site.save_sup(scene.because, http_port=closed if scene.broken else scene.iis.http.port)


@fault(
    "S05",
    Text("SUP port belongs to another web site (404)", "SUP-Port gehört zu einer anderen Website (404)"),
    Text(
        "The HTTP port in the software update point's properties is that of another web site on the same server, which does not "
        "know WSUS's virtual directories.",
        "Der HTTP-Port in den Eigenschaften des Softwareupdatepunkts ist der einer anderen Website desselben Servers, "
        "die die virtuellen Verzeichnisse von WSUS nicht kennt.",
    ),
    entity="{site}/SUP",
    setting="http_port",
    healthy="the port of the web site's HTTP binding",
    faulty="the port of another web site",
    repairs=("R12", "R08", "R10"),
    looks=("L21", "L05", "L60", "L38"),
    needs=("remote", "plain"),
)
def port_of_another_site(scene: Scene) -> None:
    (binding,) = scene.iis.other_site.bindings
    scene.site.save_sup(scene.because, http_port=binding.port if scene.broken else scene.iis.http.port)


@fault(
    "S06",
    Text("FQDN of the SUP's site system is wrong", "FQDN des SUP-Standortsystems falsch (nicht auflösbar)"),
    Text(
        "The site system's FQDN carries an old domain suffix that DNS does not know.",
        "Der FQDN des Standortsystems trägt ein altes Domänensuffix, das DNS nicht kennt.",
    ),
    entity="{site}/SUP",
    setting="fqdn",
    healthy="the WSUS server's FQDN",
    faulty="a name with an old domain suffix",
    repairs=("R13", "R08", "R10"),
    looks=("L21", "L06", "L70"),
    level=1,
    needs=("remote",),
)
def wrong_fqdn(scene: Scene) -> None:
    server = scene.wsus.server
    old = f"{server.name}.OLD.{scene.world.estate.domain}".upper()
    scene.site.save_sup(scene.because, fqdn=old if scene.broken else server.fqdn)


@fault(
    "S09",
    Text("SUP uses SSL although WSUS is plain HTTP (mixed mode)", "SSL am SUP aktiviert, WSUS ohne SSL (gemischter Modus)"),
    Text(
        "SSL was ticked in the software update point's properties, but WSUS has neither an HTTPS binding nor a certificate.",
        "In den Eigenschaften des Softwareupdatepunkts wurde SSL aktiviert; WSUS hat aber weder HTTPS-Bindung noch Zertifikat.",
    ),
    entity="{site}/SUP",
    setting="use_ssl",
    healthy="off, as in WSUS",
    faulty="on",
    repairs=("R15", "R08", "R10"),
    looks=("L21", "L05", "L60", "L50"),
    needs=("remote", "bare"),
)
def ssl_ticked(scene: Scene) -> None:
    scene.site.save_sup(scene.because, use_ssl=scene.broken)


UNAVAILABLE = "Run Synchronization unavailable"


@fault(
    "S26",
    Text(
        "Run Synchronization missing: the console is on a child site",
        "„Synchronisierung ausführen“ fehlt: untergeordneter Standort",
    ),
    Text(
        "The console is connected to a child site; a synchronization can be started by hand at the top-level site only.",
        "Die Konsole ist mit einem untergeordneten Standort verbunden; von Hand synchronisiert man am obersten.",
    ),
    entity="console",
    setting="site",
    healthy="the top-level site",
    faulty="a child site",
    estate="contoso-child",
    repairs=("R68", "R10"),
    looks=("L10",),
    level=1,
    needs=("children",),
    complaint=UNAVAILABLE,
)
def console_on_child_site(scene: Scene) -> None:
    top = scene.site.top
    scene.world.console.change(scene.because, site=top.children[0].code if scene.broken else top.code)


@fault(
    "S27",
    Text("Run Synchronization missing: no active SUP at the top-level site", "Kein aktiver SUP am zentralen Standort"),
    Text(
        "The top-level site has no active software update point, so there is nothing to synchronize, by hand or by schedule.",
        "Der oberste Standort hat keinen aktiven Softwareupdatepunkt: Nichts wird synchronisiert, auch nicht nach Zeitplan.",
    ),
    entity="{site}/SUP",
    setting="active",
    healthy="one",
    faulty="none",
    repairs=("R40", "R10"),
    looks=("L04", "L10"),
    level=1,
    needs=("top",),
    complaint=UNAVAILABLE,
)
def no_active_sup(scene: Scene) -> None:
    scene.site.save_sup(scene.because, active=not scene.broken)


@fault(
    "S28",
    Text(
        "Run Synchronization missing: SUP not set to Microsoft Update",
        "SUP nicht für die Synchronisierung mit Microsoft Update konfiguriert",
    ),
    Text(
        "The component of the software update point is set not to synchronize from Microsoft Update.",
        "Die Komponente des Softwareupdatepunkts ist so eingestellt, dass sie nicht mit Microsoft Update synchronisiert.",
    ),
    entity="{site}/SUP",
    setting="source",
    healthy="Microsoft Update",
    faulty="none",
    generations=("2007",),
    repairs=("R39", "R10"),
    looks=("L04", "L10"),
    needs=("top",),
    complaint=UNAVAILABLE,
)
def source_is_none(scene: Scene) -> None:
    scene.site.save_sup(scene.because, source=NO_SOURCE if scene.broken else MICROSOFT_UPDATE)
