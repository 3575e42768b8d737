"""Adding classes to a campaign, and renaming one: its settings, its labels and what was written down of them."""

import re
import tomllib
from collections.abc import Mapping, Sequence

import tomli_w

from pickwell import tasks
from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.config import Settings
from pickwell.errors import SettingsError, unknown
from pickwell.files import replacing

_LIST = re.compile(r"^classes\s*=\s*\[.*?\]\n(renamed\s*=[^\n]*\n)?", re.MULTILINE | re.DOTALL)


def add(campaign: OpenCampaign, names: Sequence[str]) -> None:
    """Adds classes at the end of the list; those that are in it already stay as they are."""
    new = [name for name in names if name.strip() not in _classes(campaign)]
    aliases = {known: name for known, name in campaign.settings.task.renamed.items() if known not in new}
    _change(campaign, {"task.classes": [*_classes(campaign), *new], "task.renamed": aliases})


def rename(campaign: OpenCampaign, old: str, new: str) -> None:
    """Calls a class otherwise, in every label of it too; what images come with under the old name means the new one."""
    classes, task = _classes(campaign), campaign.settings.task
    before = task.renamed
    unfinished = before.get(old) == new  # stopped before its labels were renamed
    if old not in classes and not unfinished:
        raise SettingsError(unknown("class", old, classes))
    if new in classes and not unfinished:
        raise SettingsError(f"there is a class '{new}' already; two cannot be made one: label those images anew")
    aliases = {known: new if name == old else name for known, name in before.items()} | {old: new}
    changes = {
        "task.classes": [new if name == old else name for name in classes],
        "task.renamed": {known: name for known, name in aliases.items() if known != name},
        "task.mask_values": {value: new if name == old else name for value, name in task.mask_values.items()},
    }
    _change(campaign, changes, None if campaign.task.fixed_classes else (old, new))
    if question := campaign.store.current():
        campaign.hints.rename(question.number, old, new)


def _classes(campaign: OpenCampaign) -> tuple[str, ...]:
    if not campaign.task.classes:
        raise SettingsError(f"a campaign of {campaign.task.kind} has no classes, so there is none to change")
    return campaign.task.classes


def _change(campaign: OpenCampaign, changes: Mapping[str, object], renamed: tuple[str, str] | None = None) -> None:
    with campaign.directory.exclusive("classes"):
        path = campaign.directory.settings
        settings = Settings.read(path).changed(changes, where=str(path))
        tasks.of(settings, campaign.directory.root)  # called for its error
        text = path.read_text(encoding="utf-8-sig")
        # The file first: from then on a page that people label at takes the new list, and refuses the old name.
        with replacing(path) as new:
            new.write_text(_edited(text, settings), encoding="utf-8")
        campaign.store.change_classes(settings.dump(), renamed)
        for pool in filter(None, (campaign.pool, campaign.test)):
            pool.allow(len(settings.task.classes))
        campaign.refresh()


def _edited(text: str, settings: Settings) -> str:
    """The text of campaign.toml with the new class list; what else people wrote there stays, where that can be."""
    task = settings.dump()["task"]
    aliases = ", ".join(tomli_w.dumps({known: name}).strip() for known, name in settings.task.renamed.items())
    lines = tomli_w.dumps({"classes": task["classes"]}) + (f"renamed = {{ {aliases} }}\n" if aliases else "")
    edited = _LIST.sub(lambda _: lines, text, count=1)
    try:
        return edited if tomllib.loads(edited)["task"] == tomllib.loads(text)["task"] | task else settings.toml()
    except tomllib.TOMLDecodeError:
        return settings.toml()
