"""Parquet files that claim, hide or unpack to more than they should."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthbench.errors import SubmissionError
from synthbench.leaderboard.submissions.files import read_trajectories
from tests.leaderboard.submissions.attacks import (
    RECORD,
    SMALL,
    TABLE,
    edit_table,
    expected,
    read,
    refusal,
    seal,
    seal_records,
)
from tests.leaderboard.submissions.parquet_bombs import (
    footer,
    modest,
    one_page,
    packed,
    rewritten,
    shared,
    varint,
    zeros,
)

ROWS = 50
MANY = 400_000


def renamed(old: str, new: str) -> bytes:
    table = zeros(ROWS)
    return packed(table.rename_columns([new if n == old else n for n in table.column_names]))


def retyped(name: str, column: pa.Array) -> bytes:
    table = zeros(ROWS)
    return packed(table.set_column(table.column_names.index(name), name, column))


def plain(rows: int, **options: object) -> bytes:
    return packed(zeros(rows), use_dictionary=False, data_page_size=2**30, **options)


ints, floats = [0] * ROWS, [0.0] * ROWS
CLAIMS = {
    "many rows": (lambda: packed(zeros(MANY)), "claims 400,000 rows, the protocol allows 1 to"),
    "many rows, hidden": (lambda: claim_few_rows(packed(zeros(MANY))), "claims 400,000 rows"),
    "no rows": (lambda: packed(zeros(0)), "claims 0 rows"),
    "hidden in pages": (lambda: modest(plain(MANY), ROWS), "unpacks to more than"),
    "hidden in pages, snappy": (
        lambda: modest(plain(MANY, compression="snappy"), ROWS),
        "unpacks to",
    ),
    "version 2 pages": (lambda: modest(plain(MANY, data_page_version="2.0"), ROWS), "unpacks to"),
    "many groups": (lambda: packed(zeros(300), row_group_size=2), "150 row groups, at most 100"),
    "many columns": (
        lambda: packed(pa.table({f"c{i}": ints for i in range(250)})),
        "250 columns, at",
    ),
    "10,000 columns": (
        lambda: packed(pa.table({f"c{i}": [0] for i in range(10_000)})),
        "metadata of more",
    ),
    "huge metadata": (
        lambda: packed(zeros(ROWS).replace_schema_metadata({"a": "b" * 10**6})),
        "metadata of more than 262,144 bytes",
    ),
    "metadata": (
        lambda: packed(zeros(ROWS).replace_schema_metadata({"pandas": "{}"})),
        "metadata beside the columns",
    ),
    "shared data": (lambda: shared(100, ROWS), "columns that share their data"),
    # pyarrow ends the process where Python asks it for such metadata.
    "no such codec": (
        lambda: rewritten(packed(zeros(ROWS)), b"\x15\x0c\x16", b"\x15\x1c\x16"),
        "is not a readable parquet file",
    ),
    "contradictory statistics": (
        lambda: rewritten(packed(zeros(ROWS)), b"\x19\x26\x00\x64", b"\x19\x16\x64"),
        "is not a readable parquet file",
    ),
    "one name twice": (lambda: renamed("loss", "accuracy"), "two columns of one name"),
    "column lost": (
        lambda: packed(zeros(ROWS).drop_columns(["step"])),
        "must have the columns replica,",
    ),
    "float steps": (
        lambda: retyped("step", pa.array(floats)),
        "column 'step' must be int64, is double",
    ),
    "small integers": (
        lambda: retyped("step", pa.array(ints, pa.int32())),
        "must be int64, is int32",
    ),
    "texts": (lambda: retyped("loss", pa.array(["<script>"] * ROWS)), "must be double, is string"),
    "binary": (lambda: retyped("loss", pa.array([b"\xff"] * ROWS)), "must be double, is binary"),
    "float32": (
        lambda: retyped("loss", pa.array(floats, pa.float32())),
        "must be double, is float",
    ),
    "lists": (
        lambda: retyped("loss", pa.array([[0.0]] * ROWS)),
        "column 'loss' must be double, is list",
    ),
    "structs": (
        lambda: retyped("loss", pa.array([{"a": 1.0}] * ROWS)),
        "column 'loss' must be double",
    ),
    "dictionary": (
        lambda: retyped("loss", pa.array(["a"] * ROWS).dictionary_encode()),
        "column 'loss'",
    ),
    "decimal": (
        lambda: retyped("loss", pa.array(ints, pa.decimal128(9))),
        "column 'loss' must be double",
    ),
    "time": (
        lambda: retyped("step", pa.array(ints, pa.timestamp("ns"))),
        "column 'step' must be int64",
    ),
    "extension": (
        lambda: retyped("loss", pa.array([b"0" * 16] * ROWS, pa.uuid())),
        "must be double",
    ),
    "null": (lambda: retyped("loss", pa.nulls(ROWS)), "column 'loss' must be double, is null"),
    "gaps in steps": (
        lambda: retyped("step", pa.array([None] * ROWS, pa.int64())),
        "step has gaps",
    ),
    "invisible name": (
        lambda: renamed("loss", "lo\u202ess"),
        "a column's name must not contain the",
    ),
    "endless name": (lambda: renamed("loss", "l" * 5000), "column's name: text of more than 1000"),
    "markup": (lambda: renamed("loss", "<script>"), "'<script>' is not one"),
    "path": (lambda: renamed("loss", "../../x"), "'../../x' is not one"),
    "not a parquet file": (lambda: b"PAR1" * 100, "is not a readable parquet file"),
    "empty": (lambda: b"", "is not a readable parquet file"),
    "short": (lambda: b"PAR1PAR1", "is not a readable parquet file"),
    "no footer": (lambda: b"PAR1" + bytes(4) + b"PAR1", "is not a readable parquet file"),
    "pickle": (
        lambda: b"\x80\x04cos\nsystem\n(X\x02\x00\x00\x00idtR.",
        "is not a readable parquet",
    ),
    "truncated": (lambda: packed(zeros(ROWS))[:-20], "is not a readable parquet file"),
    "encrypted footer": (lambda: packed(zeros(ROWS))[:-4] + b"PARE", "is not a readable parquet"),
    "page claims too much": (
        lambda: one_page(plain(MANY, max_rows_per_page=MANY), 2**27 - 1),
        "unpacks to more than",
    ),
    "page claims too little": (lambda: one_page(plain(9000), 10), "is not a readable parquet file"),
    "page of negative size": (lambda: negative_page(plain(9000)), "is not a readable parquet file"),
}


def claim_few_rows(content: bytes) -> bytes:
    """Only the count of the whole file lies: it comes first, the row group's own stays."""
    start, was = footer(content), varint(MANY)
    return content[:start] + content[start:].replace(was, varint(ROWS, len(was)), 1)


def negative_page(content: bytes) -> bytes:
    """The lowest bit of a number in zigzag form is its sign."""
    start = content.index(b"\x15\x00\x15") + 3
    return content[:start] + bytes([content[start] | 1]) + content[start + 1 :]


@pytest.mark.parametrize("kind", CLAIMS)
def test_a_hostile_parquet_file_is_refused(kind: str, small: Path) -> None:
    make, reason = CLAIMS[kind]
    if kind in ("page claims too much", "page claims too little", "page of negative size"):
        # Longer than the small cell's: read with the rows that it truly has.
        path = small / "cell-01" / TABLE
        path.write_bytes(make())
        with pytest.raises(SubmissionError) as caught:
            read_trajectories(path, MANY)
        assert reason in str(caught.value)
        return
    (small / "cell-01" / TABLE).write_bytes(make())
    seal(small)
    assert reason in refusal(small, SMALL)


@pytest.mark.parametrize("options", [
    {"compression": "none"}, {"compression": "snappy"}, {"compression": "gzip"},
    {"data_page_version": "2.0"},
    {"use_dictionary": False}, {"row_group_size": 20}, {"write_page_checksum": True},
    {"data_page_size": 64}, {"use_byte_stream_split": True, "use_dictionary": False},
    {"write_statistics": False}, {"store_schema": False}, {"version": "1.0"},
    {"column_encoding": "DELTA_BINARY_PACKED", "use_dictionary": False},
])  # fmt: skip
def test_files_of_other_writers_are_read(options: dict, small: Path) -> None:
    path = small / "cell-01" / TABLE
    table = pq.read_table(path)
    if "column_encoding" in options:
        options = options | {"column_encoding": {"step": options["column_encoding"]}}
    path.write_bytes(packed(table, **options))
    seal(small)
    assert read(small, SMALL).cells[0].trajectories.table.equals(table)


def test_values_that_no_float_holds_are_refused(small: Path) -> None:
    for name in ("accuracy", "loss", "train_loss", "weight-movement/l2"):
        for value in (2e39, -1e300, np.inf, -np.inf):
            original = (small / "cell-01" / TABLE).read_bytes()
            edit_table(small, lambda t, n=name, v=value: t.assign(**{n: t[n].where(t.step < 9, v)}))
            assert f"{name} is larger than a float holds" in refusal(small, SMALL)
            (small / "cell-01" / TABLE).write_bytes(original)


def page_bomb() -> bytes:
    """A page of 128 MiB in a few kilobytes, which the metadata do not mention."""
    column = pa.table({"replica": pa.array(np.zeros(2**24, np.int64))})
    options = {"use_dictionary": False, "data_page_size": 2**30, "row_group_size": 2**24}
    return modest(packed(column, max_rows_per_page=2**24, **options), ROWS)


BOMBS = {
    "a footer": (TABLE, lambda: b"PAR1" + bytes(2**25) + (2**25).to_bytes(4, "little") + b"PAR1"),
    "nesting": (RECORD, lambda: b'{"a":' * 700_000),
    "arrays": (RECORD, lambda: b"[" + b"[]," * 2**20 + b"[]]"),
    "values": (RECORD, lambda: b'{"plan": [' + b'{"a":1},' * 66_000 + b"1]}"),
    "digits": (RECORD, lambda: b"1" * (4 * 10**6)),
    "text": (RECORD, lambda: b'{"schema_version": 2, "plan": "' + b"a" * (4 * 10**6) + b'"}'),
    "a page": (TABLE, page_bomb),
}
READER = """
import os, pickle, sys, tracemalloc
from pathlib import Path
import pyarrow as pa
from synthbench.errors import SubmissionError
from synthbench.leaderboard.submissions import files
from synthbench.leaderboard.submissions.reading import read_submission

suite, expected = pickle.load(sys.stdin.buffer)

def read(folder):
    return read_submission(folder, suite, expected)

def peak(folder):
    tracemalloc.start()
    try:
        read(folder)
        sys.exit("accepted")
    except SubmissionError:
        python = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return max(python, pa.default_memory_pool().max_memory()) >> 20

read(Path(sys.argv[1]))
print(*(peak(Path(folder)) for folder in sys.argv[2:]))
files.unpacked_bytes = lambda chunk: 0
print(peak(Path(sys.argv[-1])), flush=True)
os._exit(0)
"""


def test_bombs_take_little_memory(
    small: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Peaks of Python and of Arrow in a new process, in MiB.

    Without the look at the pages' own headers the last bomb goes off: the peaks are real.
    """
    folders = []
    for number, (file, make) in enumerate(BOMBS.values()):
        folder = shutil.copytree(small, tmp_path / str(number) / "honest")
        (folder / "cell-01" / file).write_bytes(make())
        (seal if file == TABLE else seal_records)(folder)
        folders.append(str(folder))
    assert (tmp_path / "6" / "honest" / "cell-01" / TABLE).stat().st_size < 5000
    done = subprocess.run(
        [sys.executable, "-c", READER, str(small), *folders],
        cwd=request.config.rootpath,
        input=pickle.dumps((SMALL, expected(SMALL))),
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr.decode()
    guarded, unguarded = done.stdout.decode().splitlines()
    assert [int(peak) < 64 for peak in guarded.split()] == [True] * len(BOMBS), guarded
    assert int(unguarded) >= 128
