"""What one may do is written once, in the policy: the code asks for nothing else, all of it is asked for, and the page of roles words it, no more and no less."""

import re

import pytest

from engine import i18n
from engine.actors import authority, users
from engine.actors.roles import ROLES
from tests.house.test_the_repository import ROOT

OF_PERSONS = {act for role in ROLES for act in authority.acts_of(role)}
SOURCES = [path.read_text("utf-8") for room in ("engine", "api", "web") for path in (ROOT / room).rglob("*.py") if path.name != "authority.py"]
ASKED = re.compile(r'\b(?:may|require)\(\w[\w.]*, "([a-z_]+\.[a-z_]+)"')


def test_the_code_asks_for_acts_of_the_policy_only():
    asked = {act for source in SOURCES for act in ASKED.findall(source)}
    nobodys = {act for act in asked - OF_PERSONS if not any(authority.may(who, act) for who in (users.system(), users.VISITOR))}
    assert len(asked) > 50 and nobodys == set()


def test_no_act_of_the_policy_is_left_that_nothing_asks_for():
    assert sorted(act for act in OF_PERSONS if not any(f'"{act}"' in source for source in SOURCES)) == []


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_each_act_is_worded_for_whoever_reads_what_a_role_may_do(language):
    worded = {code.partition("admin.act.")[2] for code in i18n.catalogue(language) if "admin.act." in code}
    assert worded == OF_PERSONS
