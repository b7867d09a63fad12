"""Examples of the log's routes, made with keys of their own."""

from typing import Any

_NAME = "masar/5f2b1c9a7e04"
_KEY = f"{_NAME}+8c1f0a52+AQ4mYq6n0dY2m8mQJm0mGm6rXG1q3c7b0i3mJ1C8X0cE"
_NOTE = f"{_NAME}\n128\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— {_NAME} jB8KUm3p0kq…\n"
_HASH = "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="
_CASE = "01999f3a-6a51-7c05-9d3e-0f6b3a1c2d4e"
_WITNESS = {"key": "cps.tn+1b2c3d4e+BGx5b0rC0m3pZ4y0c8c1WmVd2n7Zr1J0v3sXq8m1b2c3", "agency": "CPS"}
_CHECKPOINT = {"size": 128, "root": "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", "note": _NOTE, "keys": [{"key": _KEY, "word": ""}], "witnesses": [_WITNESS]}

EXAMPLES: dict[tuple[str, str], Any] = {
    ("get", "/log/checkpoint"): _CHECKPOINT,
    ("get", "/log/checkpoints/{size}"): _CHECKPOINT,
    ("get", "/log/consistency"): {"old": 120, "new": 128, "proof": [_HASH]},
    ("post", "/log/checkpoints/{size}/cosignatures"): _WITNESS,
    ("get", "/log/receipts/{code}"): {
        "format": "masar-receipt/1", "code": "K7MX2QTA", "line": '{"actor":{"agency":"OTE",…}}', "opening": {"name": "code", "salt": "9f0c…", "value": "K7MX2QTA"},
        "log": {"index": 41, "proof": [_HASH], "checkpoint": _NOTE}, "keys": [{"key": _KEY, "word": ""}], "witnesses": [_WITNESS],
    },
    ("get", "/cases/{case_id}/entries/{seq}"): {"index": 41, "instance_id": _CASE, "seq": 3, "hash": "6e340b9cffb37a98…", "proof": [_HASH], "checkpoint": _NOTE},
}  # fmt: skip
