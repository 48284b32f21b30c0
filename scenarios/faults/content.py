"""Faults that break nothing: what is synchronized is not what was wanted."""

from __future__ import annotations

from scenarios.fault import Scene, fault
from scenarios.text import Text
from simulator.components.upstream import CHUNK, LANGUAGES, Portion
from simulator.units import DAY

UNEXPECTED = "unexpected updates"
FORMER_USE = 12 * CHUNK
"""Up to which revision the reused server had been synchronized with other filters."""


@fault(
    "S24",
    Text(
        "Existing WSUS with other filters was made the SUP: unexpected updates appear",
        "Vorhandener WSUS mit anderen Filtern als SUP verwendet: unerwartete Softwareupdates",
    ),
    Text(
        "The WSUS server was in use before, with other products: what it holds of them flows into the site database.",
        "Der WSUS-Server war früher mit anderen Produkten in Gebrauch: Was er davon hält, fließt in die Standortdatenbank.",
    ),
    entity="{sup}/SUSDB",
    setting="content",
    healthy="what the site asked for",
    faulty="updates of other products, from former use",
    repairs=("R67", "R11"),
    looks=("L11", "L54", "L08", "L53"),
    needs=("database",),
    complaint=UNEXPECTED,
)
def reused_wsus(scene: Scene) -> None:
    if not scene.broken:
        return  # what is in the databases stays there
    catalogue, subscription = scene.world.catalogue, scene.sup.subscription
    other = next(product for product in reversed(catalogue.products) if product not in subscription.products)
    former = Portion(0, FORMER_USE, subscription._replace(products=(other,))).chunks()
    arrived = [catalogue.published_at(portion.to) + DAY for portion in former]
    scene.wsus.susdb.reuse(scene.because, former, arrived)
    scene.site.wsyncmgr.server_moved(scene.because)


@fault(
    "S25",
    Text("Filters changed in WSUS and synchronized there", "Filter direkt in WSUS geändert und dort synchronisiert"),
    Text(
        "Somebody selected a further product in the WSUS console and synchronized there; WCM takes the product back within the "
        "hour, what was fetched stays.",
        "Jemand hat in der WSUS-Konsole ein weiteres Produkt gewählt und dort synchronisiert; WCM nimmt das Produkt binnen einer "
        "Stunde zurück, das Geholte bleibt.",
    ),
    entity="{sup}/WSUS",
    setting="products",
    healthy="as the site subscribes",
    faulty="one more",
    repairs=("R09", "R67", "R11"),
    looks=("L32", "L34", "L54", "L11", "L53", "L08"),
    needs=("database",),
    complaint=UNEXPECTED,
    before_min=12,
)
def filters_changed_in_wsus(scene: Scene) -> None:
    wsus, wanted = scene.wsus, scene.sup.subscription
    account = scene.world.wsus_console.account.name
    if not scene.broken:
        wsus.subscribe(scene.at, wanted, account, scene.because)
        return
    other = next(product for product in scene.world.catalogue.products if product not in wanted.products)
    wsus.subscribe(scene.at, wanted._replace(products=(*wanted.products, other)), account, scene.because)
    if wsus.service.running and wsus.phase == "idle":
        wsus.synchronize(scene.at, None, account, scene.because)


@fault(
    "S29",
    Text("Updates lack summary details in a language that was added later", "Übersichtsdetails nicht in allen Sprachen"),
    Text(
        "A language was added after the first synchronization: only updates that are new or revised since then are told in it.",
        "Eine Sprache kam nach der ersten Synchronisierung hinzu: Nur seither neue oder geänderte Updates sind in ihr beschrieben.",
    ),
    entity="{site}/SUP",
    setting="languages",
    healthy="those of the first synchronization",
    faulty="one more",
    repairs=("R45", "R10"),
    looks=("L08", "L11"),
    level=3,
    needs=("top",),
    complaint="summary details missing",
    curable=False,
)
def language_added(scene: Scene) -> None:
    first = scene.sup.healthy.get("languages", scene.sup.languages)
    added = next((language for language in LANGUAGES if language not in first), first[0])
    scene.site.save_sup(scene.because, languages=(*first, added) if scene.broken else first)


@fault(
    "S32",
    Text(
        "No metadata in the console: the first synchronization is still running",
        "Metadaten noch nicht sichtbar: erste Synchronisierung läuft",
    ),
    Text(
        "WSUS and the site database are new: the first synchronization takes hours, and the console shows nothing until then.",
        "WSUS und Standortdatenbank sind neu: Die erste Synchronisierung dauert Stunden, und so lange zeigt die Konsole nichts.",
    ),
    entity="{sup}/SUSDB",
    setting="installed_at",
    healthy="long ago, and synchronized since",
    faulty="just now, and empty",
    repairs=("R45",),
    looks=("L52", "L20", "L11"),
    level=1,
    needs=("top",),
    complaint="no metadata",
    try_min=60,
    repair_min=70,
)
def first_synchronization(scene: Scene) -> None:
    if scene.broken:
        scene.wsus.susdb.empty(scene.at, scene.because)
        scene.site.database.empty()
        scene.site.wsyncmgr.server_moved(scene.because)
