"""The files of an edition, read: diagrams and tables, dictionary, forms, letters. Each is read once, when it is asked for.

Reading refuses what cannot be understood (`errors.Invalid`, `FormError`); what is understood and wrong is `judgement`'s to find.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from engine.errors import Finding
from engine.pathway import bpmn, scenario_files
from forms import dictionary as dictionaries
from forms import form as form_definitions
from forms import letter as letter_definitions
from forms import letter_files


@dataclass(frozen=True)
class Sources:
    """`files` maps a path (`processes/parcours.bpmn`) to its content."""

    files: Mapping[str, bytes] = field(repr=False)

    def again(self, files: Mapping[str, bytes]) -> "Sources":
        """Other files, of which nothing is read that these, read already, say in the same words: the dictionary, and then the forms, and the letters.
        (Diagrams and tables are remembered by `bpmn` itself.)"""
        made = Sources(files)
        if "dictionary" in self.__dict__ and self._in("forms/dictionary/") == made._in("forms/dictionary/"):
            made.__dict__["dictionary"] = self.dictionary
            for name, folder in (("forms", "forms/tasks/"), ("_letters", "forms/letters/")):
                if name in self.__dict__ and self._in(folder) == made._in(folder):
                    made.__dict__[name] = self.__dict__[name]
        return made

    def _in(self, folder: str) -> dict[str, bytes]:
        return {path: content for path, content in self.files.items() if path.startswith(folder)}

    @cached_property
    def definitions(self) -> bpmn.Definitions:
        diagrams = {Path(path).name: content for path, content in self.files.items() if path.endswith(".bpmn")}
        decisions = {Path(path).name: content for path, content in self.files.items() if path.endswith(".dmn")}
        return bpmn.parse(diagrams, decisions)

    @cached_property
    def dictionary(self) -> dictionaries.Dictionary:
        return dictionaries.read({Path(path).name: content for path, content in self.files.items() if path.startswith("forms/dictionary/")})

    @cached_property
    def forms(self) -> Mapping[str, form_definitions.FormDefinition]:
        return form_definitions.read({Path(path).name: content for path, content in self.files.items() if path.startswith("forms/tasks/")}, self.dictionary)

    @cached_property
    def _letters(self) -> tuple[Mapping[str, letter_definitions.LetterDefinition], letter_definitions.Letterhead | None]:
        return letter_files.read({Path(path).name: content for path, content in self.files.items() if path.startswith("forms/letters/")}, self.dictionary)

    @property
    def letters(self) -> Mapping[str, letter_definitions.LetterDefinition]:
        return self._letters[0]

    @property
    def letterhead(self) -> letter_definitions.Letterhead | None:
        return self._letters[1]

    @cached_property
    def _scenarios(self) -> tuple[Mapping[str, scenario_files.Scenario], list[Finding]]:
        return scenario_files.read_all(self.files)

    @property
    def scenarios(self) -> Mapping[str, scenario_files.Scenario]:
        """Those that can be read, by path; what is wrong with the others is `unreadable_scenarios`."""
        return self._scenarios[0]

    @property
    def unreadable_scenarios(self) -> list[Finding]:
        return self._scenarios[1]
