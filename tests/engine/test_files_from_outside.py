"""What reaches an installation as files: a new version of Masar at start-up, an archive at a terminal. Each becomes a draft, none an edition."""

import shutil

import pytest

from engine import errors, installation
from engine.actors import users
from engine.casework import archives, drafts, editions
from engine.settings import Settings
from tests.world import FORMS, PROCESSES, World, furnish

FORM = "forms/tasks/f11.toml"


@pytest.fixture
def installed(make_database, tmp_path):
    """The real pathway, its folders copied so that a new version can be put in their place."""
    database = make_database(furnish)
    settings = Settings(processes=shutil.copytree(PROCESSES, tmp_path / "processes"), forms=shutil.copytree(FORMS, tmp_path / "forms"))
    return World(database), settings


def listed(world):
    with world.database.reading(world.staff["coordination"]) as session:
        return [drafts.show(session, world.staff["coordination"], one.draft_id) for one in drafts.listed(session, world.staff["coordination"])]


def test_a_new_version_of_masar_waits_as_a_draft_and_cases_go_on_as_before(installed):
    world, settings = installed
    assert installation.deliver(world.database, settings) is False and listed(world) == []
    changed = settings.forms / "tasks" / "f11.toml"
    changed.write_bytes(changed.read_bytes() + b"# 2\n")
    assert [installation.deliver(world.database, settings) for _ in range(2)] == [True, False], "once"
    (found,) = listed(world)
    assert [one.path for one in drafts.changes(found)] == [FORM] and found.draft.opened_by == "Masar"
    with world.database.reading(users.system()) as session:
        assert editions.current(session).number == 1


def test_an_edition_leaves_and_comes_in_at_a_terminal(installed, tmp_path):
    world, _ = installed
    content = installation.export(world.database, 1)
    assert content == installation.export(world.database, None) and archives.unpack(content) == editions.files_of(PROCESSES, FORMS)
    with pytest.raises(errors.NotFound, match="edition.not_found"):
        installation.export(world.database, 7)
    archive, form = tmp_path / "edition.zip", tmp_path / "f11.toml"
    archive.write_bytes(content)
    form.write_bytes((FORMS / "tasks" / "f11.toml").read_bytes() + b"# typed\n")
    installation.bring_in(world.database, [archive], "Tout")
    installation.bring_in(world.database, [form], "")
    one, whole = listed(world)
    assert (whole.draft.title, drafts.changes(whole)) == ("Tout", ()) and [found.path for found in drafts.changes(one)] == [FORM]
    with pytest.raises(OSError):
        installation.bring_in(world.database, [tmp_path / "absent.zip"], "")
