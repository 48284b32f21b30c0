"""Faults on the way through the proxy."""

from __future__ import annotations

from scenarios.fault import Scene, deny, fault
from scenarios.text import Text


@fault(
    "S12",
    Text("Proxy needed but not configured on the SUP", "Proxyserver am SUP nicht konfiguriert"),
    Text(
        "The software update point's properties no longer name the proxy; WSUSCtrl takes it out of WSUS within the hour, "
        "and Internet names are unknown inside.",
        "In den Eigenschaften des Softwareupdatepunkts steht kein Proxy mehr; WSUSCtrl entfernt ihn binnen einer Stunde aus WSUS, "
        "und Internetnamen sind intern unbekannt.",
    ),
    entity="{site}/SUP",
    setting="proxy_host",
    healthy="the proxy",
    faulty="none",
    estate="contoso-proxy",
    repairs=("R29", "R35", "R10"),
    looks=("L20", "L07", "L51", "L70", "L74"),
    level=1,
    needs=("proxy",),
)
def proxy_not_configured(scene: Scene) -> None:
    if scene.broken:
        scene.site.save_sup(scene.because, proxy_host="", proxy_port=0)
    else:
        healthy = scene.sup.healthy
        scene.site.save_sup(scene.because, proxy_host=healthy["proxy_host"], proxy_port=healthy["proxy_port"])


@fault(
    "S13",
    Text("Proxy account missing", "Proxykonto fehlt"),
    Text(
        "The proxy asks for credentials, but the software update point's properties name no account.",
        "Der Proxy verlangt Anmeldeinformationen, in den Eigenschaften des Softwareupdatepunkts steht aber kein Konto.",
    ),
    entity="{site}/SUP",
    setting="proxy_account",
    healthy="the proxy server account",
    faulty="none",
    estate="contoso-proxy",
    repairs=("R30", "R35", "R10"),
    looks=("L52", "L74", "L07"),
    level=1,
    needs=("proxy",),
)
def proxy_account_missing(scene: Scene) -> None:
    account = "" if scene.broken else scene.sup.healthy["proxy_account"]
    scene.site.save_sup(scene.because, proxy_account=account)


@fault(
    "S14",
    Text("WSUS's proxy settings differ from ConfigMgr's", "Proxyeinstellungen in WSUS weichen von ConfigMgr ab"),
    Text(
        "WSUS still holds a proxy that is long gone, and WSUSCtrl cannot write the right one: the SUP's own computer account may "
        "not use the WSUS API.",
        "WSUS hält noch einen längst abgebauten Proxy, und WSUSCtrl kann den richtigen nicht eintragen: Das Computerkonto des SUP "
        "darf die WSUS-API nicht benutzen.",
    ),
    entity="{sup}/WSUS",
    setting="proxy_host",
    healthy="the proxy of the SUP's properties",
    faulty="an old proxy, and ApiRemoting30 denies the SUP's account",
    estate="contoso-proxy",
    repairs=("R22", "R35", "R10"),
    looks=("L51", "L07", "L02", "L30"),
    level=3,
    needs=("proxy", "remote"),
)
def stale_proxy_in_wsus(scene: Scene) -> None:
    settings, directory = scene.wsus.settings, scene.iis.directories["ApiRemoting30"]
    deny(scene, directory, scene.wsus.server.computer_account)
    if scene.broken:
        settings.change(scene.because, proxy_host=f"oldproxy.{scene.world.estate.domain}", proxy_port=3128)
    else:
        sup = scene.sup
        settings.change(scene.because, proxy_host=sup.proxy_host, proxy_port=sup.proxy_port, proxy_account=sup.proxy_account)


@fault(
    "M01",
    Text("Password of the proxy account expired", "Kennwort des Proxykontos abgelaufen"),
    Text(
        "The password of the proxy server account has expired in the directory; the proxy refuses it with 407.",
        "Das Kennwort des Proxyserverkontos ist im Verzeichnis abgelaufen; der Proxy lehnt es mit 407 ab.",
    ),
    entity="proxy account",
    setting="password",
    healthy="current",
    faulty="expired",
    estate="contoso-proxy",
    repairs=("R31", "R10"),
    looks=("L74", "L95", "L52"),
    level=1,
    needs=("proxy",),
)
def proxy_password_expired(scene: Scene) -> None:
    proxy = scene.world.proxy
    assert proxy is not None
    scene.world.accounts[proxy.settings.account].change(scene.because, password_current=not scene.broken)
