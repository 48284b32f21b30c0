"""Looks at the site server's registry and inboxes, and at what people know."""

from __future__ import annotations

from scenarios.look import Observer, Page, look
from scenarios.repairs import REPAIRS
from simulator.events import ActionTaken, SyncSucceeded


@look("L24", minutes=1, hosts=("ss",))
def configuration_state(see: Observer, page: Page) -> None:
    value = see.site.wcm.state.value
    page.fact("ConfigurationState", value)
    page.say("configuration_state", value=value, meaning=page.text(f"state_{value}"))


@look("L25", minutes=1, hosts=("ss",))
def inbox(see: Observer, page: Page) -> None:
    files = see.site.wsyncmgr.inbox
    for file in files:
        page.fact("inbox.file", file)
        page.lines.append(f"  {file}")
    if not files:
        page.say("inbox_empty")


@look("L23", minutes=5, hosts=("ss",))
def outbox(see: Observer, page: Page) -> None:
    """What waits for the senders of this site; a file that is merely under way is not stuck."""
    stuck = False
    for (parent, child), link in see.world.replication.links.items():
        sender = link.sender
        overdue = [file for file in link.backlog if not sender.up or see.at - file.since > sender.delay_us[1]]
        if parent != see.site.code or not overdue:
            continue
        stuck = True
        page.fact(f"sender.{child}", "waits for its hours" if sender.up else "cannot connect")
        if sender.up:
            page.say("waits_for_hours", child=child)
        else:
            page.say("sender_fails", child=child)
        for file in overdue:
            page.fact(f"outbox.{child}", file.what)
            page.say("outbox_row", file=file.what, since=see.clock(file.since))
    if not stuck:
        page.fact("outbox", None)
        page.say("outbox_empty")


@look("L98", minutes=5, hosts=("ss",), site_wide=True)
def change_calendar(see: Observer, page: Page) -> None:
    """What people did, wherever; what broke by itself is in no calendar."""
    for entry in see.past.actions:
        event: ActionTaken = entry.event
        page.fact("action", f"{event.action} {event.site}")
        title = REPAIRS[event.action].title.in_(see.language) if event.action in REPAIRS else event.detail
        page.say("action_row", when=see.clock(entry.at), site=event.site, title=title)
    if not see.past.actions:
        page.say("no_actions")


@look("L99", minutes=3, hosts=("ss",), site_wide=True)
def other_sites(see: Observer, page: Page) -> None:
    for code in see.world.sites:
        last = see.past.outcomes.get(code)
        result = "none" if last is None else "succeeded" if isinstance(last.event, SyncSucceeded) else "failed"
        page.fact(f"site.{code}.last_sync", result)
        if last is None:
            page.say("site_never_synced", site=code)
        else:
            page.say("site_last_sync", site=code, result=page.word(result), when=see.clock(last.at))
    page.fact("microsoft_update.status", "available")
    page.say("public_status")
