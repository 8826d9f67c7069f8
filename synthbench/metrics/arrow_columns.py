"""Numbers between numpy and arrow tables, without pandas.

`pa.array` and `to_numpy` import it, which takes longer than reading a cell.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def arrow_column(values: NDArray[Any]) -> pa.Array:
    """A numpy array (n,) of numbers as it is."""
    values = np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def nullable_column(values: NDArray[Any]) -> pa.Array:
    """The same with null for NaN, so that equal tables compare equal.

    An array (n, T) becomes a column of lists of T numbers, each of which may be null.
    """
    if values.ndim > 1:
        return pa.FixedSizeListArray.from_arrays(nullable_column(values.ravel()), values.shape[1])
    column = arrow_column(values)
    if values.dtype.kind != "f":
        return column
    return pc.if_else(pc.is_nan(column), pa.nulls(1, column.type)[0], column)


def numpy_column(column: pa.ChunkedArray) -> NDArray[Any]:
    """A column (n,) of numbers as a numpy array of its own, with NaN for null.

    A column of lists of T numbers becomes an array (n, T).
    """
    if is_curve(column.type):
        return _curves(column)
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        return np.asarray(column.to_numpy())
    if column.null_count:
        # A whole number cannot be NaN.
        column = column if pa.types.is_floating(column.type) else column.cast(pa.float64())
        dtype = column.type.to_pandas_dtype()
        column = pc.coalesce(column, arrow_column(np.array([np.nan], dtype))[0])
    return np.array(np.from_dlpack(column.combine_chunks()))


def is_curve(kind: pa.DataType) -> bool:
    """Whether a column holds a list of numbers, all of one length, in every row."""
    return bool(pa.types.is_fixed_size_list(kind))


def _curves(column: pa.ChunkedArray) -> NDArray[Any]:
    lists, length = column.combine_chunks(), column.type.list_size
    # What backs a slice of an array begins before it.
    flat = lists.values.slice(lists.offset * length, len(lists) * length)
    values = numpy_column(pa.chunked_array([flat])).reshape(len(lists), length)
    if column.null_count:
        values[numpy_column(pa.chunked_array([pc.is_null(lists).cast(pa.int8())])) > 0] = np.nan
    return values
