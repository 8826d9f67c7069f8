"""Hostile texts, JSON and files: refused in one line, and nothing is written.

By default every kind of text and of number is tried in a few places, and a few kinds in every
place; `pytest -m slow` crosses them all.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from synthbench.errors import SubmissionError
from synthbench.hashing import content_hash
from synthbench.leaderboard.submissions.reading import suite_of
from tests.leaderboard.submissions.attacks import (
    MANIFEST,
    RECORD,
    SMALL,
    TABLE,
    edit_manifest,
    edit_record,
    make_tuned,
    read,
    refusal,
    seal,
    seal_records,
    set_at,
    trial,
)

slow = pytest.mark.slow
INVISIBLE = {
    "escape": "\x1b[2J\x1b[31m",
    "null": "a\x00b",
    "bell": "\a",
    "right to left": "safe\u202e\u2066",
    "zero width": "mlp\u200b",
    "tag": "a\U000e0041",
    "line separator": "a\u2028b",
    "newline": "a\nb: accepted",
    "return": "a\rb",
    "byte order mark": "\ufeffa",
    "filler": "\u3164",
    "selector": "a\ufe0f",
    "surrogate": "\ud800",
}
LONG = {"long": "a" * 5000, "very long": "a" * 10**6}
MARKUP = {
    "script": "<script>alert(1)</script>",
    "path": "../../../etc/passwd",
    "absolute path": "/etc/passwd",
    "drive": "c:\\windows",
    "format": "{0.__class__}%s%n$(id)`id`",
    "empty": "",
    "twin": "hone\u0301st",
    "fullwidth": "\uff48\uff4f\uff4e\uff45\uff53\uff54",
    "capital": "Honest",
    "dot": ".",
    "device": "nul",
}
FOREIGN = {"name": "foreign", "version": 1, "width": 3, "recipe": {"batch_size": 32}}

Place = Callable[[Path, str], object]


def in_manifest(*path: object) -> Place:
    return lambda folder, text: edit_manifest(folder, set_at(*path, text))


def in_record(*path: object) -> Place:
    return lambda folder, text: edit_record(folder, set_at(*path, text))


def in_trial(folder: Path, text: str) -> None:
    make_tuned(folder, [trial(), trial(model=text)])


def key_in(*path: object) -> Place:
    return lambda folder, text: edit_record(folder, set_at(*path, text, 1))


def in_foreign_model(change: Callable[[dict, str], object]) -> Place:
    """Within the configuration of a model that is not installed here."""

    def attack(folder: Path, text: str) -> None:
        model = json.loads(json.dumps(FOREIGN))
        change(model, text)
        edit_record(
            folder, lambda r: r.update(model=model["name"], plan=r["plan"] | {"model": model})
        )

    return attack


FREE = {
    "title": in_manifest("title"),
    "author": in_manifest("authors", 0),
    "trial": in_trial,
    "device": in_record("environment", "device_name"),
    "platform": in_record("environment", "platform"),
    "plugin": in_record("environment", "plugins", 0, "distribution"),
    "loop reason": in_record("compute", "looped"),
    "value of a foreign model": in_foreign_model(lambda m, text: m.update(width=text)),
    "deep in a foreign model": in_foreign_model(lambda m, text: m.update(width=[{"a": [text]}])),
    "key of a foreign model": in_foreign_model(lambda m, text: m.update({text: 1})),
    "key deep in a foreign model": in_foreign_model(lambda m, text: m["recipe"].update({text: 1})),
}
"""Texts that may say anything visible: they are shown, never obeyed."""
NAMES = {
    "name": in_manifest("name"),
    "track": in_manifest("track"),
    "date": in_manifest("created"),
    "suite": in_manifest("suite", "name"),
    "suite's hash": in_manifest("suite", "hash"),
    "hash": in_manifest("records", 0),
    "key": lambda folder, text: edit_manifest(folder, set_at(text, 1)),
    "suite of the record": in_record("suite", "name"),
    "task": in_record("task"),
    "model": in_record("model"),
    "date of the record": in_record("created"),
    "score": in_record("summary", "score"),
    "outcome": in_record("replicas", 0, "outcome"),
    "data": in_record("replicas", 0, "data"),
    "seed": key_in("replicas", 0, "seeds"),
    "reference": key_in("replicas", 0, "references", "optimal"),
    "file": key_in("files"),
    "key of the record": key_in(),
    "task's name": in_record("plan", "task", "name"),
    "model's name": in_record("plan", "model", "name"),
    "foreign model's name": in_foreign_model(lambda m, text: m.update(name=text)),
    "key of the model": key_in("plan", "model"),
    "key of the plan": key_in("plan"),
    "probe": in_record("plan", "probes", 0, "name"),
}
"""Texts that must be one of a few."""
TEXTS = [(place, kind) for place in FREE for kind in INVISIBLE | LONG]
TEXTS += [(place, kind) for place in NAMES for kind in INVISIBLE | LONG | MARKUP]
# A model may be called so: it is never a path.
TEXTS.remove(("foreign model's name", "device"))


FEW_PLACES = {"title", "value of a foreign model", "device", "name", "model", "key of the record"}
FEW_KINDS = {"escape", "surrogate", "newline", "long", "script", "empty"}


def crossed(pairs: list[tuple[Any, str]], places: Container, kinds: set[str]) -> list[ParameterSet]:
    """Pairs of a place and a kind; those that are slow have neither a place nor a kind of these."""
    return [
        pytest.param(place, kind, marks=() if place in places or kind in kinds else slow)
        for place, kind in pairs
    ]


@pytest.mark.parametrize(("place", "kind"), crossed(TEXTS, FEW_PLACES, FEW_KINDS))
def test_a_hostile_text_is_refused(place: str, kind: str, small: Path) -> None:
    text = (INVISIBLE | LONG | MARKUP)[kind]
    (FREE | NAMES)[place](small, text)
    reason = refusal(small, SMALL)
    if kind == "surrogate":
        assert reason.endswith(".json is not valid JSON")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("synthbench.leaderboard.submissions.reading.installed", _NoSuites)
        try:
            suite_of(small)
        except (SubmissionError, LookupError) as error:
            assert str(error).isprintable()


class _NoSuites:
    def suite(self, name: str) -> None:
        raise LookupError(name)


@pytest.mark.parametrize("link", [
    "http://a.org", "javascript:alert(1)", "https://a.org/\"onclick='x", "https://a.org/<b>",
    "https://a.org@evil.org/", "https://a.org/\n", "https://a.org/\u202e", "https://", "//a.org",
    "https://a.org/" + "a" * 400, "https://\u0430pple.com", "data:text/html,x",
])  # fmt: skip
def test_a_hostile_link_is_refused(link: str, small: Path) -> None:
    edit_manifest(small, set_at("link", link))
    assert "submission.json: link: " in refusal(small, SMALL)


def test_a_description_may_have_lines_and_nothing_else(small: Path) -> None:
    edit_manifest(small, set_at("description", "One line.\n\nAnother: <b>é</b> \U0001f600 \u4f60."))
    assert read(small, SMALL).submission.description.count("\n") == 2
    edit_manifest(small, set_at("description", "\u202e"))
    assert "must not contain the invisible character U+202E" in refusal(small, SMALL)
    edit_manifest(small, set_at("description", "a" * 4001))
    assert "description: string should have at most 4000" in refusal(small, SMALL)


@pytest.mark.parametrize(
    "date", ["2026-02-30", "0000-01-01", "\u0662\u0660\u0662\u0666-01-01", "2026-1-1", "20260101"]
)
def test_a_date_is_one(date: str, small: Path) -> None:
    edit_manifest(small, set_at("created", date))
    assert "submission.json: created: " in refusal(small, SMALL)


def test_a_model_that_is_not_installed_is_accepted_under_its_own_name(small: Path) -> None:
    in_foreign_model(lambda model, text: None)(small, "")
    assert read(small, SMALL).cells[0].record.model == "foreign"
    for label in ("mlp width=16", " ", "", "foreigner", "foreign\n", "=foreign"):
        edit_record(small, set_at("model", label))
        assert "model" in refusal(small, SMALL)
    edit_record(small, set_at("model", "foreign width=3 <b>"))
    assert read(small, SMALL).cells[0].record.model == "foreign width=3 <b>"


NUMBERS = {
    "NaN": "NaN", "infinity": "Infinity", "minus infinity": "-Infinity", "overflow": "1e999",
    "text": '"3"', "true": "true", "float": "3.0", "null": "null", "list": "[3]", "object": "{}",
    "digits": "1" + "0" * 5000, "30 digits": "1" + "0" * 30, "exponent": "3e0",
    "negative": "-3", "nested": "[" * 150 + "]" * 150,
}  # fmt: skip
INTEGERS = [
    (MANIFEST, "suite", "version"),
    (MANIFEST, "schema_version"),
    (MANIFEST, "trials", 0, "samples"),
    (MANIFEST, "trials", 0, "first_seed"),
    (MANIFEST, "trials", 0, "cell"),
    (RECORD, "schema_version"),
    (RECORD, "compute", "parameters"),
    (RECORD, "compute", "step_flops"),
    (RECORD, "summary", "replicas"),
    (RECORD, "replicas", 2, "replica"),
    (RECORD, "replicas", 2, "seeds", "init"),
    (RECORD, "environment", "threads"),
    (RECORD, "plan", "protocol", "seeds"),
    (RECORD, "plan", "model", "width"),
    (RECORD, "plan", "model", "recipe", "batch_size"),
]


NUMBERED = [
    pytest.param(
        *each.values, marks=each.marks, id="-".join(map(str, (*each.values[0], each.values[1])))
    )
    for each in crossed(
        [(place, kind) for place in INTEGERS for kind in NUMBERS],
        [INTEGERS[0], INTEGERS[2], INTEGERS[6], INTEGERS[11], INTEGERS[14]],
        {"NaN", "text", "true", "float", "negative"},
    )
]


@pytest.mark.parametrize(("place", "kind"), NUMBERED)
def test_what_is_not_the_right_number_is_refused(place: tuple, kind: str, small: Path) -> None:
    file, *path = place
    mark = "@ here @"
    make_tuned(small)
    if file == MANIFEST:
        edit_manifest(small, set_at(*path, mark))
    else:
        edit_record(small, set_at(*path, mark))
    target = small / MANIFEST if file == MANIFEST else small / "cell-01" / RECORD
    target.write_text(target.read_text().replace(f'"{mark}"', NUMBERS[kind]))
    if file == RECORD:
        seal_text(small, place)
    reason = refusal(small, SMALL)
    if kind in ("NaN", "infinity", "minus infinity", "overflow", "digits"):
        assert f"{file}: a number that is not finite or far too long" in reason


def seal_text(folder: Path, place: tuple) -> None:
    """Hash the record as it is; where its plan still reads, its plan too."""
    path = folder / "cell-01" / RECORD
    text = path.read_text()
    if "plan" in place:
        try:
            content = json.loads(text)
            text = text.replace(content["plan_hash"], content_hash(content["plan"]))
        except ValueError:
            pass
    path.write_text(text)
    seal_records(folder)


CONTENTS = {
    "empty": (b"", "is not valid JSON"),
    "a blank": (b" ", "is not valid JSON"),
    "a number": (b"1", ""),
    "an array": (b"[]", ""),
    "null": (b"null", ""),
    "truncated": (b'{"schema_version": 2, "plan', "is not valid JSON"),
    "two values": (b"{} {}", "is not valid JSON"),
    "a comment": (b"{} // x", "is not valid JSON"),
    "single quotes": (b"{'a': 1}", "is not valid JSON"),
    "byte order mark": (b"\xef\xbb\xbf{}", "is not valid JSON"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "is not valid JSON"),
    "Latin-1": ('{"é": 1}'.encode("latin-1"), "is not valid JSON"),
    "overlong UTF-8": (b'{"\xc0\xaf": 1}', "is not valid JSON"),
    "null bytes": (b"\x00" * 100, "is not valid JSON"),
    "pickle": (b"\x80\x04cos\nsystem\n(X\x02\x00\x00\x00idtR.", "is not valid JSON"),
    "deep arrays": (b"[" * 100_000, "is not valid JSON"),
    "deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "is not valid JSON"),
    "deep, closed": (b"[" * 900 + b"]" * 900, ""),
    "many arrays": (b"[" + b"[]," * 10**6 + b"[]]", "more than 200,000 values"),
    "many objects": (b"[" + b'{"a":1},' * 500_000 + b"{}]", "more than 200,000 values"),
    "a key twice": (b'{"name": 1, "name": 1}', "'name' is given twice"),
    "a key twice, escaped": (b'{"name": 1, "n\\u0061me": 1}', "'name' is given twice"),
    "a deep key twice": (b'{"a": [{"b": 1, "b": 2}]}', "'b' is given twice"),
}


@pytest.mark.parametrize("file", [MANIFEST, RECORD])
@pytest.mark.parametrize("kind", CONTENTS)
def test_what_is_not_the_right_json_is_refused(file: str, kind: str, small: Path) -> None:
    content, reason = CONTENTS[kind]
    (small / MANIFEST if file == MANIFEST else small / "cell-01" / RECORD).write_bytes(content)
    if file == RECORD:
        seal_records(small)
    assert reason in refusal(small, SMALL) and file in refusal(small, SMALL)


@pytest.mark.parametrize("key", ["replica_steps", "width", "outcome", "plan_hash"])
def test_a_record_with_a_key_twice_is_refused(key: str, small: Path) -> None:
    """Readers that keep the first and readers that keep the last would see two records."""
    path = small / "cell-01" / RECORD
    seal(small)
    path.write_text(path.read_text().replace(f'"{key}":', f'"{key}": 1, "{key}":', 1))
    seal_records(small)
    assert f"cell 1: record.json: '{key}' is given twice" in refusal(small, SMALL)


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes, no /dev/zero")
@pytest.mark.parametrize("file", [MANIFEST, f"cell-01/{RECORD}", f"cell-01/{TABLE}"])
def test_what_is_not_an_ordinary_file_is_not_opened(file: str, small: Path) -> None:
    path = small / file
    path.unlink()
    path.mkdir()
    assert f"{file} is not an ordinary file" in refusal(small, SMALL)
    path.rmdir()
    os.mkfifo(path)
    assert f"{file} is not an ordinary file" in refusal(small, SMALL)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert f"{file} is not an ordinary file" in refusal(small, SMALL)
    path.unlink()
    path.symlink_to(small / "nowhere")
    assert f"{file} is not an ordinary file" in refusal(small, SMALL)
    path.unlink()
    with path.open("wb") as sparse:
        sparse.truncate(2**30)
    assert f"{file} has 1,073,741,824 bytes, at most" in refusal(small, SMALL)


@pytest.mark.parametrize("name", [
    "cell-01/Record.json", "cell-01/RECORD.JSON", "CELL-01", "cell-1", "cell-001", "cell-02",
    "cell-01 ", "cell-\uff10\uff11", "submission.json.", "Submission.json", "a\nb", "\x1b[31m",
    "\u202egpj.exe", "<script>", "x" * 255, b"\xff\xfe", "cell-01/trajectories.parquet:stream",
])  # fmt: skip
def test_twins_and_other_names_beside_the_files_are_refused(name: str | bytes, small: Path) -> None:
    path = os.fsencode(small) + b"/" + (name if isinstance(name, bytes) else name.encode())
    Path(os.fsdecode(path)).touch()
    assert "unexpected file " in refusal(small, SMALL)


@pytest.mark.parametrize("name", ["Honest", "hon\u0435st", "a b", "a\nb", "\u202eab", "-a", "nul"])
def test_a_folder_with_another_kind_of_name_is_refused(name: str, small: Path) -> None:
    folder = small.rename(small.with_name(name))
    edit_manifest(folder, set_at("name", name))
    assert "submission.json: name: " in refusal(folder, SMALL)
    (folder / "more").touch()
    assert "unexpected file 'more'" in refusal(folder, SMALL)
