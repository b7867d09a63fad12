"""Masar's API as the bench serves it: the application itself, on the database that the bench made."""

import os
from pathlib import Path

from api import app as api
from engine.database import Database
from engine.ledger.keys import KeyStore
from engine.settings import Settings

KEYS, DOCUMENTS = Path(os.environ["BENCH_FOLDER"]) / "keys", Path(os.environ["BENCH_FOLDER"]) / "documents"
app = api.create_app(Settings(is_demo=True), Database(os.environ["BENCH_DATABASE"], keys=KeyStore(KEYS), documents=DOCUMENTS))
