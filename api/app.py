"""The API of Masar as one ASGI application, mounted at `/api/v1`: the engine's verbs for programs. It wires; it decides nothing."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import administration, aids, appointments, audit, cases, checks, colleagues, consents, dated, demo, documents, drafts, editions, examples, exceptions, exports, log, me, messages, moves, notices, pieces, problems, rehearsal, repairs, search, sittings, steering, tasks, token, worklist
from api.dependencies import Guard
from engine import logs
from engine.database import Database
from engine.settings import Settings

VERSION = "1.0.0"
DESCRIPTION = """The same verbs as the pages of Masar, for programs.

1. `POST /token` with a user name and a password gives a bearer token.
2. `GET /worklist` says which tasks wait; `GET /tasks/{task_id}` gives what one asks, as a JSON Schema (2020-12), and what is known already.
3. `POST /tasks/{task_id}/claim`, then `POST /tasks/{task_id}/complete` with the answers, the `version` that was read, and an `Idempotency-Key`.
4. `GET /cases/{case_id}` says what a case waits for; `POST /messages` sends what comes from outside.
5. Coordinators: `POST /drafts` begins the next edition, `PUT /drafts/{draft_id}/files/{path}` saves a file from the version that was read, `…/submit` asks for
   publication, and another person's `…/approve` publishes. `GET /incidents` lists the cases that broke; `POST /instances/{instance_id}/repair` moves one on.
6. Administrators: accounts, access reviews, branches, programmes, parameters and holidays under `/admin`, each change with its reason; what gives the right to
   decide or to pay waits for a second one (`/admin/proposals`). Auditors read all of it.
7. The agent's day: consents, papers and appointments of a case (`/cases/{case_id}/consent`, `…/pieces`, `…/appointments`), notes, notices, leaves, several tasks at once
   (`POST /worklist/selection`), sittings of a committee and the money of aids. A file of a sitting is studied, voted on and decided by its own task.
8. Whoever checks: `GET /log/checkpoint` and `GET /log/consistency` need no token; `GET /cases/{case_id}/entries/{seq}` proves a line of a case.

Every refusal is a problem detail (RFC 9457) whose `detail` is a sentence in the language of `Accept-Language` (`fr`, `ar` or `en`), by default that
of the account. What does not exist and what is not yours to know look the same: 404."""


def create_app(settings: Settings, database: Database, printer: cases.Printer | None = None, calendar: appointments.Calendar | None = None) -> FastAPI:
    """The API on a database. The demo's clock is there in a demo only. `printer` makes the PDF of a letter, `calendar` what a calendar reads of appointments: how they look is the pages' to say."""
    logs.configure()
    app = FastAPI(
        title="Masar", version=VERSION, description=DESCRIPTION, docs_url=None, redoc_url=None, root_path_in_servers=False, generate_unique_id_function=_name
    )
    app.state.settings, app.state.database, app.state.printer, app.state.calendar = settings, database, printer, calendar
    app.add_middleware(Guard)
    problems.install(app)
    for noun in (tasks, worklist, cases, token, me, documents, messages, editions, rehearsal, drafts, moves, checks, repairs, administration, dated, log, exports, audit, search, exceptions, steering,
                 consents, pieces, appointments, colleagues, notices, sittings, aids):
        app.include_router(noun.router)
    if settings.is_demo:
        app.include_router(demo.router)
    app.openapi = lambda: _document(app)
    return app


def _name(route: Any) -> str:
    """`cases.open_case`: what generated clients call it."""
    return f"{route.endpoint.__module__.rpartition('.')[2]}.{route.name}"


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: each route with an example, and every trouble of one shape."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes, servers=[{"url": "/api/v1"}])
    schemas = made["components"]["schemas"]
    problem = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem | {"example": examples.PROBLEM}}
    for path, methods in made["paths"].items():
        for method, route in methods.items():
            # FastAPI's own 422, where only the path could be wrong: a malformed id is a 404 here.
            if "application/json" in route["responses"].get("422", {}).get("content", {}):
                del route["responses"]["422"]
            route["summary"] = route["description"].partition(". ")[0].partition(".\n")[0].rstrip(".")
            route["responses"]["default"] = problems.described(500)[500]
            done = next(answer for status, answer in route["responses"].items() if status.startswith("2"))
            if "application/json" in done["content"]:
                done["content"]["application/json"]["example"] = examples.EXAMPLES[method, path]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    app.openapi_schema = made
    return made
