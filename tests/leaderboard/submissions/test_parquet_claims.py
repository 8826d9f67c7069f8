"""The metadata of parquet files, edited field by field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthbench.errors import SubmissionError
from synthbench.leaderboard.submissions.files import read_trajectories
from synthbench.leaderboard.submissions.parquet_claims import footer_of, read_claims, unpacked_bytes
from synthbench.leaderboard.submissions.thrift import Kind, Struct, read_struct
from tests.leaderboard.submissions.parquet_bombs import encode, packed, with_footer, zeros

ROWS, MOST = 50, 400


def group(file: Struct) -> Struct:
    return file[4][1][0]


def chunk(file: Struct) -> Struct:
    """Of the first column."""
    return group(file)[1][1][0]


def claims(file: Struct) -> Struct:
    return chunk(file)[3][1]


CHANGES: dict[str, tuple[Callable[[Struct], object], str]] = {
    "a column in another file": (
        lambda f: chunk(f).update({1: (Kind.BINARY, b"/etc/passwd")}),
        "is not a readable parquet file",
    ),
    "fewer values than rows": (
        lambda f: claims(f).update({5: (Kind.LONG, ROWS - 1)}),
        "a column that is not one value a row",
    ),
    "more values than rows": (
        lambda f: claims(f).update({5: (Kind.LONG, 2**62)}),
        "a column that is not one value a row",
    ),
    "a column less": (lambda f: group(f)[1][1].pop(), "a row group without some of the columns"),
    "no columns": (lambda f: group(f)[1][1].clear(), "a row group without some of the columns"),
    "no groups": (lambda f: f[4][1].clear(), "claims 50 rows"),
    "a group more": (lambda f: f[4][1].append(group(f)), "claims 50 rows"),
    "a group of no rows": (
        lambda f: f[4][1].append({**group(f), 3: (Kind.LONG, 0)}),
        "a column that is not one value a row",
    ),
    "groups that cancel": (
        lambda f: f[4][1].extend(
            [{**group(f), 3: (Kind.LONG, 10**9)}, {**group(f), 3: (Kind.LONG, -(10**9))}]
        ),
        "claims 1,000,000,000 rows",
    ),
    "negative rows": (lambda f: f.update({3: (Kind.LONG, -ROWS)}), "claims"),
    "rows of another type": (lambda f: f.update({3: (Kind.INT, ROWS)}), "is not a readable"),
    "rows lost": (lambda f: f.pop(3), "is not a readable"),
    "an offset of another type": (
        lambda f: claims(f).update({11: (Kind.INT, claims(f)[11][1])}),
        "is not a readable",
    ),
    "an offset beyond the end": (
        lambda f: claims(f).update({9: (Kind.LONG, 2**40), 11: (Kind.LONG, 2**40)}),
        "is not a readable",
    ),
    "a negative offset": (
        lambda f: claims(f).update({9: (Kind.LONG, -4)}),
        "is not a readable",
    ),
    "a negative length": (
        lambda f: claims(f).update({7: (Kind.LONG, -1)}),
        "is not a readable",
    ),
    "a length too short": (
        lambda f: claims(f).update({7: (Kind.LONG, claims(f)[7][1] - 1)}),
        "is not a readable",
    ),
    "a struct for a list": (lambda f: f.update({4: (Kind.STRUCT, {})}), "is not a readable"),
    "a list of numbers": (lambda f: f.update({4: (Kind.LIST, [1])}), "is not a readable"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_edited_metadata_are_refused(kind: str, tmp_path: Path) -> None:
    change, reason = CHANGES[kind]
    path = tmp_path / "trajectories.parquet"
    path.write_bytes(with_footer(packed(zeros(ROWS)), change))
    with pytest.raises(SubmissionError) as caught:
        read_trajectories(path, MOST)
    assert reason in str(caught.value)


def test_unchanged_metadata_are_read_as_pyarrow_reads_them(tmp_path: Path) -> None:
    content = packed(zeros(ROWS), row_group_size=20)
    again = with_footer(content, lambda file: None)
    path = tmp_path / "trajectories.parquet"
    path.write_bytes(again)
    assert read_trajectories(path, MOST).table.equals(zeros(ROWS))
    found, known = (
        read_claims(footer_of(memoryview(content))),
        pq.read_metadata(pa.BufferReader(content)),
    )
    assert (found.rows, len(found.groups)) == (known.num_rows, known.num_row_groups) == (ROWS, 3)
    for index, (rows, columns) in enumerate(found.groups):
        theirs = known.row_group(index)
        assert (rows, len(columns)) == (theirs.num_rows, theirs.num_columns)
        for number, column in enumerate(columns):
            other = theirs.column(number)
            start = min(other.dictionary_page_offset, other.data_page_offset)
            assert (column.start, column.length, column.values) == (
                start,
                other.total_compressed_size,
                other.num_values,
            )
            pages = memoryview(content)[start : start + column.length]
            # pyarrow counts the headers too, at their packed length.
            assert 0 < unpacked_bytes(pages) < other.total_uncompressed_size


def page(unpacked: int, packed: int) -> bytes:
    return encode({1: (Kind.INT, 0), 2: (Kind.INT, unpacked), 3: (Kind.INT, packed)})


def test_pages_are_counted_and_nothing_else_may_lie_between() -> None:
    content = page(10, 3) + b"abc" + page(7, 0)
    assert unpacked_bytes(memoryview(content)) == 17
    assert unpacked_bytes(memoryview(b"")) == 0
    for wrong, reason in [
        (page(-1, 0), "negative size"),
        (page(0, -len(page(0, -9))), "negative size"),
        (page(10, 4) + b"abc", "goes on after its column"),
        (content + b"\x15", "cut off"),
        (content[1:], "missing"),
        (encode({2: (Kind.INT, 1)}), "missing"),
        (encode({2: (Kind.INT, 1), 3: (Kind.LONG, 1)}), "unexpected type"),
        (encode({2: (Kind.INT, 2**31), 3: (Kind.INT, 0)}), "too many bits"),
    ]:
        with pytest.raises(ValueError, match=reason):
            unpacked_bytes(memoryview(wrong))


@pytest.mark.parametrize(("content", "reason"), [
    (b"", "cut off"), (b"\x15", "cut off"),
    (b"\x15" + b"\x80" * 11 + b"\x00", "too many bytes"),
    (b"\x15\x00\x05\x02\x00\x00", "twice"),
    (b"\x18\x05abc", "cut off"), (b"\x1d\x00", "not a valid Kind"),
    (b"\x19\xfc\xff\xff\xff\x0f\x00", "cut off"), (b"\x1c" * 20, "too deep"),
    (b"\x19\x1c" + b"\x19\x1c" * 20, "too deep"),
])  # fmt: skip
def test_what_is_no_struct_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_struct(memoryview(content))
