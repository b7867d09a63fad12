"""Forty come home on one flight, entered from one sheet: what is not known stays unknown, what is wrong is told line by line, nobody is lost and nobody is there twice."""

import datetime as dt

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import users
from engine.casework import charters, projections
from tests.stories.test_one_person_two_cards import FOREIGN, end

HEADING = "Nom\tPrénom\tSexe\tDate de naissance\tGouvernorat\tTéléphone\tBesoin"


def head(world, **said):
    day = world.today().strftime("%d/%m/%Y")
    return {"signalement.source": "frontiere", "retour.date_prevue": day, "retour.type": "force_charter", "retour.pays": "IT", "signalement.vulnerable": {"status": "inconnu"},
            "signalement.consent_obtenu": {"status": "inconnu"}} | said  # fmt: skip


def sheet():
    lines = [f"Nom{place:02d}\tAli\tM\t{1980 + place % 20}\tMédenine\t\tAucun" for place in range(36)]
    lines[3] = "العياري\tمنير\tذكر\t02/05/1994\tصفاقس\t22510077\tإيواء"
    lines[7] = "Nom07\tAli\tM\t31/02/1990\tMédenine\t\tAucun"  # no such day
    lines[20] = "Nom20\tAli\tM\t1990\tAtlantide\t12\tAucun"  # no such place, no such phone
    return "\n".join([HEADING, *lines, "?\t\t\t\t\t\t", "\tinconnu\t\t\t\t\t", "Trabelsi\t\tF\t\t\t\t", "غير معروف\t\t\t\t\t\t", ""])


def send(world, written, key="k", username="attache", apart=(), **said):
    actor = world.agent("OTE", "TUN", "attache_social") if username == "attache" else world.staff[username]
    with world.database.unit_of_work(actor) as session:
        found = charters.receive(session, actor, head(world, **said), written, key, apart)
    world.settle()
    return found


def awaited(world):
    """Those who are awaited, each by a signal of their own."""
    with world.database.reading(users.system()) as session:
        return session.execute(text("""SELECT i.instance_id, i.branch, i.person_id, (SELECT value #>> '{}' FROM fact f WHERE f.root_id = i.instance_id AND f.field IN ('person.nom_fr', 'person.nom_ar')
            AND f.is_current LIMIT 1) AS name FROM instance i WHERE i.process = 'signalement' AND EXISTS (SELECT FROM wait w JOIN instance c USING (instance_id)
            WHERE c.root_id = i.instance_id AND w.name = 'signalement.arrivee')""")).all()  # fmt: skip


def test_forty_lines_two_of_them_wrong(world):
    found = send(world, sheet())
    assert (found.taken, found.before, [one.number for one in found.left]) == (38, 0, [9, 22])
    assert [[(what.where, what.code.partition(".")[0]) for what in one.findings] for one in found.left] == [[("naissance", "date")], [("gouvernorat", "choice"), ("tel", "phone")]]
    assert found.rest.splitlines() == [HEADING, sheet().splitlines()[8], sheet().splitlines()[21]], "as they were typed"
    there = awaited(world)
    assert len(there) == 38 == len({one.person_id for one in there})
    assert {one.branch for one in there if one.name == "العياري"} == {"SFX"} and sum(one.name is None for one in there) == 3, "nothing is made up"
    # The whole sheet again, by a colleague who knows nothing of it: nobody twice.
    again = send(world, sheet(), key="k")
    assert (again.taken, again.before, len(again.left)) == (0, 38, 2) and len(awaited(world)) == 38
    # The two corrected, as the page gives them back.
    mended = found.rest.replace("31/02/1990", "28/02/1990").replace("Atlantide\t12", "\t")
    last = send(world, mended)
    assert (last.taken, last.before, last.left) == (2, 0, ()) and len(awaited(world)) == 40
    assert world.look_for("Nom07")[0].is_expected
    assert world.incidents() == []


def test_a_head_that_will_not_do_takes_nothing(world):
    actor = world.agent("OTE", "TUN", "attache_social")
    with pytest.raises(errors.Invalid) as refused, world.database.unit_of_work(actor) as session:
        charters.receive(session, actor, head(world, **{"retour.pays": "XX"}), sheet(), "k")
    assert [one.where for one in refused.value.findings][0] == "/retour.pays"
    assert awaited(world) == []
    assert send(world, sheet()).taken == 38, "nothing of the refused one was remembered"


@pytest.mark.parametrize(("written", "code"), [("\n \n", "charter.empty"), (HEADING, "charter.empty"), ("\n".join(f"N{place};A" for place in range(61)), "charter.too_many")])
def test_what_is_no_sheet_is_said_so(world, written, code):
    with pytest.raises(errors.Invalid) as refused:
        send(world, written)
    assert refused.value.code == code


def test_unknown_people_of_two_sheets_are_not_the_same(world):
    assert send(world, "?\n?\n", key="one").taken == 2
    assert send(world, "?\n", key="two").taken == 1 and send(world, "?\n", key="two").before == 1
    with pytest.raises(errors.Forbidden):
        send(world, "?\n", username="karim")


def told(found):
    return [(one.number, [what.code for what in one.findings], one.is_apart) for one in found.left]


def test_who_is_on_a_list_already_is_told_so_whatever_else_is_said_of_her_now(world):
    first = send(world, "Nom;Prénom;Naissance\nKefi;Adel;1990\nKefi;Hédi;1992\nTrabelsi;?;\n?;;\n?;;\n")
    assert (first.taken, first.left) == (5, ())
    later = (world.today() + dt.timedelta(days=1)).strftime("%d/%m/%Y")
    again = send(world, "Nom;Prénom;Naissance\nKefi;Adel;1990\nKEFI;Hedi;1992\nTrabelsi;?;\n?;;\n?;;\nRiahi;Sami;1991", **{"retour.date_prevue": later})
    assert told(again) == [(number, ["charter.elsewhere"], False) for number in range(2, 7)] and again.taken == 1, "the same sheet under another date"
    assert again.left[0].findings[0].details["number"] == first.case_number and len(awaited(world)) == 6
    mended = send(world, "Adel;Kefi;;05/03/1990", key="another page")
    assert told(mended) == [(1, ["charter.elsewhere"], False)] and mended.taken == 0, "corrected, its columns changed over"
    with world.database.reading(users.system()) as session:
        kept = b"".join(row.digest + row.who for row in session.execute(text("SELECT digest, who FROM charter_line"))).decode("latin-1").casefold()
    assert "kefi" not in kept and "trabelsi" not in kept


def test_two_who_bear_one_name_are_two_once_a_human_says_so(world):
    twice = "Nom;Prénom;Naissance\nKefi;Adel;1990\nKefi;Adel;1990\nKefi;Adel;1990-13-45\n"
    found = send(world, twice)
    assert found.taken == 1 and told(found) == [(3, ["charter.twice"], False), (4, ["charter.twice"], False)] and found.left[0].findings[0].details == {"line": 2}
    assert found.rest.splitlines() == [twice.splitlines()[number] for number in (0, 2, 3)]
    both = [one.apart for one in found.left]
    second = send(world, found.rest, apart=both)
    assert second.taken == 1 and [(line, is_apart) for line, _, is_apart in told(second)] == [(3, True)] and second.left[0].findings[0].where == "naissance", "what was said of it is kept"
    assert send(world, found.rest, apart=both).taken == 0 and len(awaited(world)) == 2, "clicked twice"
    third = send(world, second.rest.replace("1990-13-45", "1990"), apart=[second.left[0].apart])
    assert (third.taken, third.left) == (1, ()) and len(awaited(world)) == 3
    assert told(send(world, "Kefi;Adel;1991\nJaziri;Ali;", apart=both)) == [(1, ["charter.elsewhere"], False)], "what was said of one line is said of no other"


def test_columns_are_known_by_their_names_in_any_order_and_language():
    heading, lines = charters.read("\ufeffاللقب;الاسم;تاريخ الولادة\nالعياري;منير;1994\n\nx;;\n")
    assert [dict(one.cells) for one in lines] == [{"nom": "العياري", "prenom": "منير", "naissance": "1994"}, {"nom": "x", "prenom": "", "naissance": ""}] and heading.startswith("\ufeff") is False
    assert [one.number for one in lines] == [2, 4]
    assert [dict(one.cells) for one in charters.read('"Ben, Ali",Sami')[1]] == [{"nom": "Ben, Ali", "prenom": "Sami"}]


def test_a_list_goes_with_whoever_of_it_is_erased_and_the_others_are_still_awaited(world):
    found = send(world, "Nom;Prénom;Naissance\nKefi;Adel;1990\nRiahi;Sami;1991\n")
    world.settle()
    hers = next(one for one in awaited(world) if one.name == "Kefi")
    case = world.receive(world.somebody("emploi", 3) | FOREIGN | {"person.nom_fr": "Kefi", "person.prenom_fr": "Adel"}, branch=hers.branch, expected=hers.instance_id)
    world.does(case, "T101")
    end(world, case)
    world.forgets(case)
    with world.database.reading(users.system()) as session:
        for left in ("SELECT count(*) FROM charter_line", "SELECT count(*) FROM fact WHERE value::text LIKE '%Kefi%'", "SELECT count(*) FROM fact WHERE root_id = :list"):
            assert session.execute(text(left), {"list": found.case_id}).scalar() == 0, left
        whose = session.execute(text("SELECT person_id FROM instance WHERE instance_id = :list"), {"list": found.case_id}).scalar()
        assert session.info["keys"].find(whose) is None, "what its lines sealed opens no more"
        assert [one.code for one in projections.differences(session, found.case_id)] == []
    assert [one.name for one in awaited(world)] == ["Riahi"]
    world.passes(days=95)
    assert world.incidents() == [] and world.stands(found.case_id).status == "ended"
