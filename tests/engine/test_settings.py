"""What the environment may say, and the sentence for what it may not."""

from pathlib import Path

import pytest

from engine import settings


def test_without_a_word_masar_serves_this_machine_from_its_own_folder():
    found = settings.read({})
    assert (found.host, found.port, found.database_url, found.is_demo, found.is_tls) == ("127.0.0.1", 8000, "", True, False)
    assert found.var == settings.ROOT / "var" and found.keys == found.var / "keys"


def test_the_usual_ways_of_writing_an_address_are_understood():
    for written in ("postgres://u:p%40x@h:5433/d", "postgresql://u:p%40x@h:5433/d", "postgresql+psycopg://u:p%40x@h:5433/d"):
        assert settings.read({"MASAR_DATABASE_URL": written}).database_url == "postgresql+psycopg://u:p%40x@h:5433/d"


def test_a_folder_of_its_own_takes_keys_and_documents_along(tmp_path: Path):
    found = settings.read({"MASAR_VAR": str(tmp_path)})
    assert found.keys == tmp_path / "keys" and found.documents == tmp_path / "documents"


@pytest.mark.parametrize(
    ("name", "value"),
    [("MASAR_PORT", "http"), ("MASAR_PORT", "0"), ("MASAR_PORT", "70000"), ("MASAR_PORT", "-1"), ("MASAR_DEMO", "maybe"), ("MASAR_TLS", "2"),
     ("MASAR_DATABASE_URL", "mysql://h/d"), ("MASAR_DATABASE_URL", "no address"), ("MASAR_APP_DATABASE_URL", "sqlite:///x"), ("MASAR_PROCESSES", "/nowhere")],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence_that_names_the_variable(name: str, value: str):
    with pytest.raises(settings.Misconfigured) as refused:
        settings.read({name: value})
    assert name in str(refused.value) and str(refused.value).endswith(".")
