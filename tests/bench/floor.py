"""The floor: an authenticated handler that does one indexed read, one update, two inserts and one commit, through the same access layer as Masar.

Nothing that knows who did what, on which right, and cannot be left half done, can cost less than this.
"""

import os
import uuid

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel
from sqlalchemy import create_engine, text
from sqlmodel import Session

SCHEMA = """
CREATE TABLE IF NOT EXISTS token (digest text PRIMARY KEY, user_id int NOT NULL);
CREATE TABLE IF NOT EXISTS task (task_id uuid PRIMARY KEY, case_id uuid NOT NULL, state text NOT NULL, answers jsonb);
CREATE TABLE IF NOT EXISTS history (history_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, task_id uuid NOT NULL, user_id int NOT NULL, at timestamptz NOT NULL DEFAULT now());
INSERT INTO token VALUES ('bench', 1) ON CONFLICT DO NOTHING;
"""
engine = create_engine(os.environ["BENCH_DATABASE"], pool_size=16, connect_args={"prepare_threshold": 3})
app = FastAPI()
_TOKEN = text("SELECT user_id FROM token WHERE digest = :digest")
_READ = text("SELECT case_id FROM task WHERE task_id = :task AND state = 'open'")
_CLOSE = text("UPDATE task SET state = 'done', answers = CAST(:answers AS jsonb) WHERE task_id = :task")
_NEXT = text("INSERT INTO task VALUES (:task, :case, 'open', NULL)")
_TOLD = text("INSERT INTO history (task_id, user_id) VALUES (:task, :user)")


class Answers(BaseModel):
    answers: dict[str, str | int | bool]


def session():
    with Session(engine) as opened:
        yield opened
        opened.commit()


def user(request: Request, opened: Session = Depends(session, scope="function")) -> int:
    found = opened.execute(_TOKEN, {"digest": request.headers.get("authorization", "").removeprefix("Bearer ")}).scalar()
    if found is None:
        raise HTTPException(401)
    return found


@app.post("/tasks")
def begin(opened: Session = Depends(session, scope="function"), who: int = Depends(user, scope="function")) -> dict:
    task, case = uuid.uuid4(), uuid.uuid4()
    opened.execute(_NEXT, {"task": task, "case": case})
    return {"task_id": str(task)}


@app.post("/tasks/{task_id}/complete")
def complete(task_id: uuid.UUID, said: Answers, opened: Session = Depends(session, scope="function"), who: int = Depends(user, scope="function")) -> dict:
    case = opened.execute(_READ, {"task": task_id}).scalar()
    if case is None:
        raise HTTPException(404)
    following = uuid.uuid4()
    opened.execute(_CLOSE, {"task": task_id, "answers": said.model_dump_json()})
    opened.execute(_NEXT, {"task": following, "case": case})
    opened.execute(_TOLD, {"task": task_id, "user": who})
    return {"task_id": str(following)}
