"""The small installation with a few cases on it: open, past, with and without a roof tonight; and drafts of its coordinator."""

import random

import pytest

from engine.casework import drafts
from engine.demo import people
from tests import world as worlds
from tests.web.small.installation import furnish

DIAGRAM = "processes/parcours.bpmn"


class Town(worlds.World):
    """`cases`: two that needed a shelter and are over, one that did not and is, one that waits to be oriented."""

    def __init__(self, database) -> None:
        super().__init__(database)
        self.meriem = self.staff["meriem"]
        self.cases = [self._case(number, roof, to) for number, (roof, to) in enumerate([(True, 3), (True, 3), (False, 2), (False, 1)])]

    def _case(self, number, has_no_roof, acts):
        person = people.draw(random.Random(number), number, "MED", self.today(), "emploi")
        case = self.receive(person.truth | {"depistage.sans_abri_ce_soir": has_no_roof, "foyer.membres": []})
        for node in ("accueillir", "orienter", "visiter")[:acts]:
            self.does(case, node)
            self.passes(days=1)
        return case

    def draft(self, *edits, path=DIAGRAM):
        """A draft with words of a file replaced."""
        with self.database.unit_of_work(self.meriem) as session:
            draft_id = drafts.open_draft(session, self.meriem, "essai")
        self.edit(draft_id, *edits, path=path)
        return draft_id

    def edit(self, draft_id, *edits, path=DIAGRAM):
        with self.database.unit_of_work(self.meriem) as session:
            found = drafts.read(session, self.meriem, draft_id, path)
            content = found.content.decode()
            for old, new in edits:
                assert old in content, old
                content = content.replace(old, new)
            drafts.save(session, self.meriem, draft_id, path, content.encode(), found.version)


@pytest.fixture(scope="module")
def town(make_database):
    database = make_database(furnish)
    return Town(database)
