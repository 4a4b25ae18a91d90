"""BigQuery's language, executed: Google's own analyzer and reference evaluator of GoogleSQL, behind a connection.

The package `zetasql` brings both as one WebAssembly module, which takes half a minute of processor time to compile;
wasmtime keeps the machine code in the user's cache folder, so that a machine pays for it once. Tables are handed over as
values of GoogleSQL's own types, and the session is in New York's zone.
"""

from __future__ import annotations

import ctypes
import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import cache
from typing import Any

import wasmtime
from google.protobuf import empty_pb2
from zetasql.core import ServerError, wasm_client
from zetasql.wasi import get_wasm_path
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service
from zetasql.wasi._pb2.zetasql.proto import options_pb2, simple_catalog_pb2
from zetasql.wasi._pb2.zetasql.public import type_pb2
from zetasql.wasi._pb2.zetasql.public.options_pb2 import PRODUCT_EXTERNAL
from zetasql.wasi._pb2.zetasql.public.value_pb2 import ValueProto

ZONE = "America/New_York"
TYPES = {
    "STRING": type_pb2.TYPE_STRING,
    "INTEGER": type_pb2.TYPE_INT64,
    "FLOAT": type_pb2.TYPE_DOUBLE,
    "NUMERIC": type_pb2.TYPE_NUMERIC,
    "BOOLEAN": type_pb2.TYPE_BOOL,
    "DATE": type_pb2.TYPE_DATE,
    "DATETIME": type_pb2.TYPE_DATETIME,
    "TIMESTAMP": type_pb2.TYPE_TIMESTAMP,
    "JSON": type_pb2.TYPE_JSON,
}
"""The types of columns, as BigQuery's own driver names them."""
paramstyle = "pyformat"
Error = ServerError


class Connection:
    """A connection of the DB-API to tables that are given by name: the types of their columns, and their rows."""

    def __init__(self, tables: Mapping[str, tuple[Mapping[str, str], Sequence[Sequence[Any]]]]) -> None:
        catalog = simple_catalog_pb2.SimpleCatalogProto(name="tests")
        catalog.builtin_function_options.language_options.CopyFrom(_options().language_options)
        request = service.RegisterCatalogRequest(simple_catalog=catalog)
        for table, (columns, rows) in tables.items():
            described = request.simple_catalog.table.add(name=table)
            for name, kind in columns.items():
                described.column.add(name=name).type.type_kind = TYPES[kind]
            data = request.table_content[table].table_data
            data.SetInParent()  # also of a table without rows
            for row in rows:
                data.row.add(cell=[_written(value, kind) for value, kind in zip(row, columns.values(), strict=True)])
        self.catalog = _called("RegisterCatalog", request, service.RegisterResponse).registered_id

    def cursor(self) -> Cursor:
        return Cursor(self)

    def close(self) -> None:
        request = service.UnregisterRequest(registered_id=self.catalog)
        _called("UnregisterCatalog", request, empty_pb2.Empty)


class Cursor:
    """A cursor over an answer as a whole."""

    description: list[tuple[Any, ...]] = []

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, sql: str) -> None:
        request = service.EvaluateQueryRequest(sql=sql, registered_catalog_id=self._connection.catalog, options=_options())
        answer = _called("EvaluateQuery", request, service.EvaluateQueryResponse)
        names = {number: name for name, number in TYPES.items()}
        self.description = [(column.name, names.get(column.type.type_kind), *[None] * 5) for column in answer.prepared.columns]
        self._rows = [tuple(map(_read, row.cell)) for row in answer.content.table_data.row]

    def fetchmany(self, number: int) -> list[tuple[Any, ...]]:
        found, self._rows = self._rows[:number], self._rows[number:]
        return found

    def close(self) -> None:
        pass


# ---------------------------------------------------------------- the evaluator


class _Module(wasm_client.WasmClient):
    """The module, its memory read and written in one piece and not byte by byte."""

    def write_bytes(self, ptr: int, data: bytes) -> None:
        ctypes.memmove(self._address(ptr), data, len(data))

    def read_bytes(self, ptr: int, size: int) -> bytes:
        return ctypes.string_at(self._address(ptr), size)

    def _address(self, ptr: int) -> int:
        return ctypes.addressof(self.memory.data_ptr().contents) + ptr


@cache
def _module() -> _Module:
    wasm_client.Config = _config
    return _Module(get_wasm_path())


def _config() -> wasmtime.Config:
    config = wasmtime.Config()
    with suppress(wasmtime.WasmtimeError):  # there may be no folder to write to
        config.cache = True
    return config


@cache
def _options() -> Any:
    """All of the language that is ready, in the form that BigQuery's users have, in a session that is not in UTC."""
    request = service.LanguageOptionsRequest(maximum_features=True)
    language = _called("GetLanguageOptions", request, options_pb2.LanguageOptionsProto)
    language.product_mode = PRODUCT_EXTERNAL
    return options_pb2.AnalyzerOptionsProto(language_options=language, default_timezone=ZONE)


def _called(function: str, request: Any, response: Any) -> Any:
    return _module().call_grpc_func(f"ZetaSqlLocalService_{function}", request, response)


# ---------------------------------------------------------------- values

_EPOCH = dt.date(1970, 1, 1)


def _written(value: Any, kind: str) -> ValueProto:
    if value is None:
        return ValueProto()
    match kind:
        case "STRING":
            return ValueProto(string_value=value)
        case "JSON":
            return ValueProto(json_value=value)
        case "BOOLEAN":
            return ValueProto(bool_value=value)
        case "INTEGER":
            return ValueProto(int64_value=value)
        case "FLOAT":
            return ValueProto(double_value=value)
        case "NUMERIC":
            billionths = int(Decimal(value).scaleb(9))
            return ValueProto(numeric_value=billionths.to_bytes(billionths.bit_length() // 8 + 1, "little", signed=True))
        case "DATE":
            return ValueProto(date_value=(value - _EPOCH).days)
        case "DATETIME":
            return _datetime(value)
        case "TIMESTAMP":
            proto = ValueProto()
            proto.timestamp_value.FromDatetime(value)
            return proto
    raise AssertionError(kind)


def _datetime(at: dt.datetime) -> ValueProto:
    """A year, then a month in 4 bits, a day in 5, an hour in 5, a minute in 6 and a second in 6; and nanoseconds."""
    date = (at.year << 4 | at.month) << 5 | at.day
    seconds = ((date << 5 | at.hour) << 6 | at.minute) << 6 | at.second
    return ValueProto(datetime_value={"bit_field_datetime_seconds": seconds, "nanos": at.microsecond * 1000})


def _read(cell: ValueProto) -> Any:
    """A value as Python's own."""
    form = cell.WhichOneof("value")
    value = None if form is None else getattr(cell, form)
    match form:
        case "date_value":
            return _EPOCH + dt.timedelta(days=value)
        case "datetime_value":
            return _date_and_time(value)
        case "timestamp_value":
            return value.ToDatetime(dt.UTC)
        case "numeric_value":
            return Decimal(int.from_bytes(value, "little", signed=True)).scaleb(-9)
        case _:
            return value


def _date_and_time(value: Any) -> dt.datetime:
    """What `_datetime` has written."""
    bits = value.bit_field_datetime_seconds
    date, clock = bits >> 17, bits & 0x1FFFF
    return dt.datetime(date >> 9, date >> 5 & 0xF, date & 0x1F, clock >> 12, clock >> 6 & 0x3F, clock & 0x3F, value.nanos // 1000)
