"""The naive application that everybody writes first: FastAPI and SpiffWorkflow, a case being one JSON blob: load, complete, save."""

import json
import os
import uuid
from pathlib import Path

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.serializer.workflow import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState
from sqlalchemy import create_engine, text
from sqlmodel import Session

SCHEMA = """
CREATE TABLE IF NOT EXISTS token (digest text PRIMARY KEY, user_id int NOT NULL);
CREATE TABLE IF NOT EXISTS blob (case_id uuid PRIMARY KEY, content text NOT NULL);
CREATE TABLE IF NOT EXISTS open_task (task_id uuid PRIMARY KEY, case_id uuid NOT NULL, node text NOT NULL, lane text NOT NULL);
CREATE INDEX IF NOT EXISTS open_task_of_case ON open_task (case_id);
CREATE TABLE IF NOT EXISTS history (history_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, case_id uuid NOT NULL, node text NOT NULL, user_id int NOT NULL, at timestamptz NOT NULL DEFAULT now());
INSERT INTO token VALUES ('bench', 1) ON CONFLICT DO NOTHING;
"""
engine = create_engine(os.environ["BENCH_DATABASE"], pool_size=16, connect_args={"prepare_threshold": 3})
app = FastAPI()
serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())


def _spec():
    source = (Path(__file__).with_name("small") / "petit.bpmn").read_text("utf-8").replace("essai.emploi = true", "emploi == True").replace("essai.membres", "membres")
    parser = BpmnParser()
    parser.add_bpmn_str(source.encode())
    return parser.get_spec("petit")


SPEC = _spec()
_TOKEN = text("SELECT user_id FROM token WHERE digest = :digest")


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


def _save(opened: Session, case_id: uuid.UUID, workflow: BpmnWorkflow, *, is_new: bool) -> list[dict]:
    content = serializer.serialize_json(workflow)
    statement = "INSERT INTO blob VALUES (:case, :content)" if is_new else "UPDATE blob SET content = :content WHERE case_id = :case"
    opened.execute(text(statement), {"case": case_id, "content": content})
    opened.execute(text("DELETE FROM open_task WHERE case_id = :case"), {"case": case_id})
    ready = [task for task in workflow.get_tasks(state=TaskState.READY, manual=True)]
    rows = [{"task": task.id, "case": case_id, "node": task.task_spec.name, "lane": task.task_spec.lane or ""} for task in ready]
    if rows:
        opened.execute(text("INSERT INTO open_task VALUES (:task, :case, :node, :lane)"), rows)
    return [{"task_id": str(row["task"]), "node": row["node"]} for row in rows]


@app.post("/cases")
def begin(opened: Session = Depends(session, scope="function"), who: int = Depends(user, scope="function")) -> dict:
    workflow = BpmnWorkflow(SPEC)
    workflow.do_engine_steps()
    return {"tasks": _save(opened, uuid.uuid4(), workflow, is_new=True)}


@app.post("/tasks/{task_id}/complete")
def complete(task_id: uuid.UUID, said: Answers, opened: Session = Depends(session, scope="function"), who: int = Depends(user, scope="function")) -> dict:
    row = opened.execute(text("SELECT t.case_id, t.node, b.content FROM open_task t JOIN blob b USING (case_id) WHERE t.task_id = :task FOR UPDATE OF b"), {"task": task_id}).one_or_none()
    if row is None:
        raise HTTPException(404)
    workflow = serializer.deserialize_json(row.content)
    task = workflow.get_task_from_id(task_id)
    task.data.update(said.answers)
    task.run()
    workflow.do_engine_steps()
    opened.execute(text("INSERT INTO history (case_id, node, user_id) VALUES (:case, :node, :user)"), {"case": row.case_id, "node": row.node, "user": who})
    return {"tasks": _save(opened, row.case_id, workflow, is_new=False), "answers": json.dumps(said.answers)}
