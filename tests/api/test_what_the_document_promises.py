"""Requests made up from the document itself, well formed and not: every answer is one that the document describes, every refusal a problem in the language asked for."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from sqlalchemy import text

from api import problems
from engine import i18n
from tests.api.conftest import Program
from tests.house.test_openapi_is_pinned import document

# Who asks: the reception of a branch, the coordinator (who may send messages and move the clock), nobody.
WHO = ("salma", "meriem", "")
# Nothing to send that could be wrong.
TAKES_NOTHING = {("get", path) for path in ("/me", "/editions", "/drafts", "/incidents", "/repairs", "/exports/xes", "/exports/ocel", "/audit/rules", "/audit/samples", "/log/checkpoint", "/worklist/views", "/leaves", "/caseloads", "/sittings", "/funds", *(f"/admin/{noun}" for noun in ("reviews", "branches", "agencies", "programmes", "parameters")))} | {("post", "/notices/read")}
ASKED = [
    (mode, method, path)
    for path, methods in document()["paths"].items()
    for method in methods
    for mode in GenerationMode
    if mode.is_positive or (method, path) not in TAKES_NOTHING
]
COUNTED = text("SELECT (SELECT count(*) FROM instance), (SELECT count(*) FROM ledger_line), (SELECT count(*) FROM message), (SELECT count(*) FROM document), (SELECT count(*) FROM fact)")


@pytest.fixture(scope="module")
def tokens(app):
    made = {"": ""}
    for name in WHO[:-1]:
        program = Program(app)
        assert program.sign_in(name).status_code == 200
        made[name] = program.client.headers["authorization"]
    return made


@pytest.fixture(scope="module")
def described(app):
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    schema.config.update(base_url="http://masar.test")
    return schema


@pytest.fixture(scope="module")
def kept(furnished):
    """How much is kept: cases, ledger lines, messages, documents, facts."""
    with furnished.owner() as connection:
        yield lambda: tuple(connection.execute(COUNTED).one())


@pytest.mark.parametrize(("mode", "method", "path"), ASKED)
def test_an_answer_is_one_of_those_described_and_a_refusal_leaves_nothing_behind(described, kept, tokens, mode, method, path):
    @settings(max_examples=8, deadline=None, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=described[path][method].as_strategy(generation_mode=mode), who=some.sampled_from(WHO), language=some.sampled_from(i18n.LANGUAGES))
    def ask(case, who, language):
        before = kept()
        answer = case.call(headers={"accept-language": language} | ({"authorization": tokens[who]} if who else {}))
        case.validate_response(answer, excluded_checks=[positive_data_acceptance])
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == [problems.MEDIA_TYPE] and answer.headers["content-language"] == [language]
            found = answer.json()
            assert found["detail"] and found["title"] and not found["detail"].startswith("[")
            assert all(one["detail"] and (one.get("pointer") or one.get("parameter")) for one in found.get("errors", ()))
            assert kept() == before

    ask()
