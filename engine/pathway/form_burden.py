"""What forms ask along a way: questions, documents of the person, signatures; each datum once, but for answers good for one act only."""

from collections import Counter
from dataclasses import dataclass, field

from forms.definitions import FormDefinition
from forms.dictionary import Field

_ONE_ACT = "P0D"
_ONCE = frozenset({"person", "return", "case"})  # subjects of which a case has one: other subjects are asked about anew, each


@dataclass(slots=True)
class Asked:
    """`fields`: how many times each would be asked if nothing were kept. `fresh`: questions about further measures, aids, visits."""

    fields: Counter[str] = field(default_factory=Counter)
    specs: dict[str, Field] = field(default_factory=dict)
    fresh: int = 0

    def add(self, other: "Asked", *, is_another: bool = False) -> None:
        """What another part of the way asks; `is_another`: about another measure, aid or visit than what was counted."""
        self.fields.update(other.fields)
        self.specs.update(other.specs)
        self.fresh += other.fresh
        if is_another:
            self.fresh += sum(1 for one in other._questions() if one.subject not in _ONCE and one.validity != _ONE_ACT)

    def _questions(self) -> list[Field]:
        return [one for one in self.specs.values() if one.type not in ("doc", "signature")]

    @property
    def questions(self) -> int:
        """Questions to answer: each once, those good for one act only each time."""
        return self.fresh + sum(self.fields[one.id] if one.validity == _ONE_ACT else 1 for one in self._questions())

    @property
    def again(self) -> int:
        """How many questions more than one act asks (B1)."""
        return sum(1 for one in self._questions() if one.validity == _ONE_ACT and self.fields[one.id] > 1)

    @property
    def pieces(self) -> frozenset[str]:
        """Documents asked of the person: not those that an agency makes, nor pictures that agents take."""
        return frozenset(one.piece for one in self.specs.values() if one.type == "doc" and one.piece and not one.produced_by)

    @property
    def held(self) -> frozenset[str]:
        """Of these, the documents that an administration holds already."""
        return frozenset(one.piece for one in self.specs.values() if one.type == "doc" and one.piece and not one.produced_by and one.held_by)

    @property
    def signatures(self) -> int:
        return sum(self.fields[one.id] if one.validity == _ONE_ACT else 1 for one in self.specs.values() if one.type == "signature")


def asked_by(form: FormDefinition | None, path: str) -> Asked:
    """What a form asks on a way (see `burden`): a list counts as one question."""
    found = Asked()
    for section in form.sections if form else ():
        for ask in section.ask:
            if path == "longest" or (ask.when is None and (path == "typical" or ask.required)):
                assert form is not None
                found.fields[ask.field] += 1
                found.specs[ask.field] = form.dictionary.fields[ask.field]
    return found
