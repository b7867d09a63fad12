"""The pages of Masar as one ASGI application, with the API mounted beside them. It wires; it decides nothing."""

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api import app as api
from engine import logs
from engine.database import Database
from engine.settings import Settings
from web import calendars, printing, rendering
from web.dependencies import posted
from web.pages import account, admin, admin_accounts, admin_dated, admin_reviews, aid, appointments, audit, case, casefile, cases, charter, colleagues, consent, demo, desk, documents, draft, draft_letters, drawing, editions, erasures, exceptions, exports, fields, findings, form_editor, holder, incidents, inferred, intake, letters, moves, notices, persons, readers, receipt, rehearsal, repairs, replay, request, scenarios, selection, signin, simulation, sittings, steering, tables, task, trial, trouble, why
from web.security import Hardening

_FOREVER = "public, max-age=31536000, immutable"


class Assets(StaticFiles):
    """Files named after their content: kept by the browser for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        if answer.status_code == 200:
            answer.headers["cache-control"] = _FOREVER
        return answer


def create_app(settings: Settings, database: Database) -> FastAPI:
    """The pages on a database, with the API at `/api/v1`."""
    logs.configure()
    app = FastAPI(title="Masar", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(posted)])
    app.state.settings, app.state.database = settings, database
    app.add_middleware(GZipMiddleware, minimum_size=800, compresslevel=5)
    app.add_middleware(Hardening, settings=settings)
    trouble.install(app)
    app.mount("/api/v1", api.create_app(settings, database, printing.pdf, lambda entries, language: calendars.calendar(entries, rendering.words(language))), name="api")
    app.mount("/assets", Assets(directory=rendering.ASSETS), name="assets")
    for page in (signin, desk, task, case, cases, intake, documents, letters, account, incidents, repairs, editions, draft, moves, drawing, rehearsal, trial, scenarios, simulation, inferred, receipt, demo, form_editor, tables, fields, draft_letters, admin, admin_accounts, admin_reviews, admin_dated, request, replay, readers, exports, why, audit, findings, erasures, casefile, persons, charter, exceptions, appointments, holder, steering, sittings, aid, consent, selection, notices, colleagues):
        app.include_router(page.router)

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> Response:
        """Alive: says nothing of anybody."""
        return PlainTextResponse("ok")

    return app
