"""Faults of TLS: bindings and certificates."""

from __future__ import annotations

from scenarios.fault import Scene, fault
from scenarios.text import Text
from simulator.components.iis import SSL_DIRECTORIES


@fault(
    "S08",
    Text("SUP uses SSL but the WSUS web site is not configured for it", "WSUS-Website nicht für SSL konfiguriert"),
    Text(
        "The software update point requires SSL (2007: native mode), but the WSUS web site has no HTTPS binding.",
        "Der Softwareupdatepunkt verlangt SSL (2007: einheitlicher Modus), die WSUS-Website hat aber keine HTTPS-Bindung.",
    ),
    entity="{sup}/https binding",
    setting="present",
    healthy="bound, with a certificate",
    faulty="not bound",
    estate="contoso-ssl",
    repairs=("R16", "R08", "R10"),
    looks=("L21", "L60", "L62", "L71"),
    needs=("ssl", "remote"),
)
def site_without_ssl(scene: Scene) -> None:
    on = not scene.broken
    scene.iis.https.change(scene.because, present=on)
    for name in SSL_DIRECTORIES:
        scene.iis.directories[name].change(scene.because, require_ssl=on)
    scene.wsus.settings.change(scene.because, using_ssl=on)


@fault(
    "M14",
    Text("Certificate of the WSUS web site expired", "Zertifikat der WSUS-Website abgelaufen"),
    Text(
        "The certificate of the WSUS web site has expired; no caller trusts the connection any more.",
        "Das Zertifikat der WSUS-Website ist abgelaufen; kein Aufrufer vertraut der Verbindung mehr.",
    ),
    entity="{sup}/certificate",
    setting="not_after",
    healthy="in the future",
    faulty="past",
    estate="contoso-ssl",
    repairs=("R17", "R08", "R10"),
    looks=("L80", "L21"),
    needs=("ssl",),
)
def certificate_expired(scene: Scene) -> None:
    certificate = scene.iis.https.certificate
    assert certificate is not None
    not_after = scene.at if scene.broken else certificate.healthy["not_after"]
    certificate.change(scene.because, not_after=not_after)
