"""Masar without its ledger and its reasons, for the bench alone: what it still writes are the rows, and nothing asks for lines.

Left out: what a line says and seals, its hash, commitments and seal; what a step was told; why a turn was taken (conditions are still evaluated); `ledger_line`, `ledger_sealed` and what
is derived of lines by their triggers (rules fired, passages); the guards of other tables that ask for a line.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from sqlalchemy import text

from engine.casework.instances import Change
from engine.database import Database
from engine.dossier import facts
from engine.pathway import bpmn
from engine.pathway.spiff import elements, gateways

_NOTHING = """CREATE OR REPLACE FUNCTION masar_append(of_instance uuid, of_person uuid, lines jsonb) RETURNS void LANGUAGE plpgsql AS $$ BEGIN END $$"""
_GUARDS = text("""SELECT format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                   WHERE NOT t.tgisinternal AND p.prosrc ~ 'is_line_written|ledger_line' AND t.tgrelid::regclass::text NOT LIKE 'log\\_%'""")


def unguard(database: Database) -> int:
    """Takes the guards that ask for lines out of a database; says how many there were."""
    with database.owner() as connection:
        dropped = connection.execute(_GUARDS).scalars().all()
        for statement in (_NOTHING, *dropped):
            connection.exec_driver_sql(statement)
    return len(dropped)


@contextmanager
def ledger() -> Iterator[None]:
    """While it lasts, no line is made and no reason kept, in this process."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(Change, "_append", _append))
        stack.enter_context(patch.object(bpmn, "told", lambda known, _read: known))
        for module in (elements, gateways):
            stack.enter_context(patch.object(module, "weigh", _weigh))
        yield


def _append(self: Change, kind: str, body: Mapping[str, Any], new_facts: Sequence[facts.NewFact], happenings: Sequence[Any], stimulus: Any, reason: str,
            proposed: Sequence[facts.NewFact] = (), kept: Mapping[str, Any] = MappingProxyType({})) -> None:  # fmt: skip
    """The rows of `Change._append`, and the number that ids derive from."""
    held = self.held
    self.unsaid.clear()
    held.seq += 1
    self.said += [facts.row(fact, self._home_of(fact), held.seq) for fact in new_facts]
    self.touched = True


def _weigh(flows: list[Any], sight: Mapping[str, Any], first_only: bool = False) -> tuple[list[dict[str, Any]], list[Any]]:
    held = []
    for flow in flows:
        if elements.holds(flow.condition, sight):
            held.append(flow)
            if first_only:
                break
    return [], held
