"""A reading as the payload of an index, and back.

Columns, strings and connections are Arrow IPC streams, one a section; what is small is JSON. What
is read here was vouched for (see ``head``): it is our own, and taken as it is.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.ipc as ipc

from analyzer.flow import Flow
from analyzer.library.strings import SavedValues
from analyzer.others import Beginning, Head
from analyzer.reading import Reading, TlsConnection
from analyzer.rows import Rows
from dissectors.dns import NameQuery, Target
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.columns import Columns

_TABLES = ("messages", "pieces", "items")
_TYPES = {"B": pa.uint8(), "I": pa.uint32(), "Q": pa.uint64(), "q": pa.int64()}
_BATCH = 1 << 16
"""Rows of a batch: what is unpacked at a time stays in the processor's cache."""
_EVENT = ("stream", "frame", "bytes")
_PLAIN = ("counters", "stream_counters", "services", "ignored", "frames", "first_time",
          "last_time", "digits", "damaged", "notes")  # fmt: skip
_COUNTERS = ("counters", "stream_counters", "services")


def sections_of(reading: Reading) -> dict[str, bytes]:
    """Return the parts of the payload by name.

    Raises:
        ValueError, OverflowError: a number does not fit, as only hostile captures have them.
    """
    rows = reading.rows
    found = {
        name: _stream(_columns(table)) for name, table in zip(_TABLES, rows.tables, strict=True)
    }
    found["strings"] = _stream(_strings(rows.strings.values))
    numbers = [pair or (0, "") for pair in rows.cseqs.values]
    cseqs = {
        "number": pa.array((number for number, _ in numbers), pa.int64()),
        "method": _text([method for _, method in numbers]),
    }
    found["cseqs"] = _stream(cseqs)
    found["connections"] = _stream(_connections(reading))
    found["others"] = _stream(_others(reading.others))
    found["queries"] = json.dumps([_query(one) for one in reading.queries]).encode()
    found["holes"] = _stream(_events(reading.holes))
    found["conflicts"] = _stream(_events(reading.conflicts))
    found["summary"] = json.dumps(_summary(reading)).encode()
    return found


def reading_of(sections: dict[str, memoryview]) -> Reading:
    """Return the reading that the parts were made of."""
    rows = Rows()
    for name, table in zip(_TABLES, rows.tables, strict=True):
        _fill(table, sections[name])
    strings = _lists(sections["strings"])["value"]
    if strings and isinstance(strings[0], bytes):
        strings = [value.decode("utf-8", "surrogatepass") for value in strings]
    rows.strings = SavedValues([None, *strings])
    cseqs = _lists(sections["cseqs"])
    pairs: list[Any] = list(zip(cseqs["number"], cseqs["method"], strict=True))
    rows.cseqs = SavedValues([None, *pairs[1:]])
    reading = Reading(rows=rows)
    _take_summary(reading, json.loads(bytes(sections["summary"])))
    _take_connections(reading, _lists(sections["connections"]))
    _take_others(reading, _lists(sections["others"]))
    reading.queries = [_query_of(one) for one in json.loads(bytes(sections["queries"]))]
    reading.holes = _tuples(sections["holes"])
    reading.conflicts = _tuples(sections["conflicts"])
    return reading


# to Arrow


def _stream(columns: dict[str, pa.Array]) -> bytes:
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    options = ipc.IpcWriteOptions(compression="lz4")
    with ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=_BATCH)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _columns(table: Columns) -> dict[str, pa.Array]:
    return {
        name: pa.Array.from_buffers(
            _TYPES[column.typecode], len(column), [None, pa.py_buffer(column)]
        )
        for name, column in table.columns.items()
    }


def _strings(values: Sequence[str | None]) -> dict[str, pa.Array]:
    return {"value": _text([value or "" for value in values[1:]])}


def _text(values: list[str]) -> pa.Array:
    try:
        return pa.array(values, pa.large_string())
    except UnicodeEncodeError:  # lone surrogates
        data = [value.encode("utf-8", "surrogatepass") for value in values]
        return pa.array(data, pa.large_binary())


def _events(events: Sequence[tuple[int, int, int]]) -> dict[str, pa.Array]:
    return {
        name: pa.array([event[k] for event in events], pa.int64()) for k, name in enumerate(_EVENT)
    }


def _connections(reading: Reading) -> dict[str, pa.Array]:
    """Return those with SIP, by number, and those with TLS, as the capture has them."""
    tls = {id(connection.flow): connection.hello for connection in reading.tls}
    flows = [*reading.flows, *(one.flow for one in reading.tls)]
    columns: dict[str, tuple[pa.DataType, Iterable[Any]]] = {
        "key": (pa.binary(), (flow.key for flow in flows)),
        "transport": (pa.string(), (flow.transport for flow in flows)),
        "number": (pa.int64(), (flow.number for flow in flows)),
        "open": (pa.int64(), (flow.open for flow in flows)),
        "syn": (pa.bool_(), (flow.syn for flow in flows)),
        "first_frame": (pa.int64(), (flow.first for flow in flows)),
        "last_frame": (pa.int64(), (flow.last for flow in flows)),
        "first_time": (pa.int64(), (flow.times[0] for flow in flows)),
        "last_time": (pa.int64(), (flow.times[1] for flow in flows)),
        "service": (pa.string(), (flow.service for flow in flows)),
        "sent": (pa.int64(), (flow.messages[0] for flow in flows)),
        "received": (pa.int64(), (flow.messages[1] for flow in flows)),
        "end_from": (pa.string(), (flow.ends[0] for flow in flows)),
        "end_to": (pa.string(), (flow.ends[1] for flow in flows)),
        "holes": (pa.int64(), (flow.holes for flow in flows)),
        "hello": (pa.binary(), (tls.get(id(flow)) for flow in flows)),
    }
    return {name: pa.array(list(values), kind) for name, (kind, values) in columns.items()}


def _others(others: Sequence[Beginning]) -> dict[str, pa.Array]:
    """Return how the connections with something else than SIP begin: a row for each head."""
    heads = [(number, one, head) for number, one in enumerate(others) for head in one.heads]
    return {
        "number": pa.array([number for number, _, _ in heads], pa.int64()),
        "key": pa.array([one.key for _, one, _ in heads], pa.binary()),
        "service": pa.array([one.service for _, one, _ in heads], pa.string()),
        "side": pa.array([head.side for _, _, head in heads], pa.int64()),
        "frame": pa.array([head.frame for _, _, head in heads], pa.int64()),
        "time": pa.array([head.time_ns for _, _, head in heads], pa.int64()),
        "data": pa.array([head.data for _, _, head in heads], pa.binary()),
    }


def _summary(reading: Reading) -> dict[str, Any]:
    summary = {name: getattr(reading, name) for name in _PLAIN}
    summary["links"] = sorted(reading.links)
    summary["secrets"] = [secret.hex() for secret in reading.secrets]
    summary["problems"] = [
        (one.layer, one.reason, one.frame, one.offset, one.raw.hex()) for one in reading.problems
    ]
    return summary


# from Arrow


def _reader(data: memoryview) -> Any:  # noqa: ANN401  (pyarrow has no types)
    # Threads would stay when the reading falls back to processes, which are forked.
    return ipc.open_stream(pa.py_buffer(data), options=ipc.IpcReadOptions(use_threads=False))


def _fill(table: Columns, data: memoryview) -> None:
    columns = table.columns
    with _reader(data) as reader:
        for batch in reader:
            for name, values in zip(batch.schema.names, batch.columns, strict=True):
                column, (_, buffer) = columns[name], values.buffers()
                column.frombytes(memoryview(buffer)[: column.itemsize * batch.num_rows])


def _lists(data: memoryview) -> dict[str, list[Any]]:
    with _reader(data) as reader:
        found: dict[str, list[Any]] = {name: [] for name in reader.schema.names}
        for batch in reader:
            for values, batch_values in zip(found.values(), batch.columns, strict=True):
                values += batch_values.to_pylist()
    return found


def _tuples(data: memoryview) -> list[tuple[int, int, int]]:
    columns = _lists(data)
    return list(zip(*(columns[name] for name in _EVENT), strict=True))


def _take_summary(reading: Reading, summary: dict[str, Any]) -> None:
    for name in _PLAIN:
        value = summary[name]
        setattr(reading, name, Counter(value) if name in _COUNTERS else value)
    reading.links = set(summary["links"])
    reading.secrets = [bytes.fromhex(secret) for secret in summary["secrets"]]
    reading.problems = [
        Malformed(layer, reason, frame, offset, bytes.fromhex(raw))
        for layer, reason, frame, offset, raw in summary["problems"]
    ]


def _take_connections(reading: Reading, columns: dict[str, list[Any]]) -> None:
    for (
        key, transport, number, open_, syn, first, last, first_time, last_time, service, sent,
        received, end_from, end_to, holes, hello,
    ) in zip(*columns.values(), strict=True):  # fmt: skip
        flow = Flow(key, transport, syn=syn, frame=first, time_ns=first_time)
        flow.number, flow.open, flow.last, flow.times[1] = number, open_, last, last_time
        flow.service, flow.holes = service, holes
        flow.messages[:] = sent, received
        flow.ends[:] = end_from, end_to
        if hello is None:
            reading.flows.append(flow)
        else:
            reading.tls.append(TlsConnection(flow, hello))


def _take_others(reading: Reading, columns: dict[str, list[Any]]) -> None:
    others = reading.others
    for number, key, service, *head in zip(*columns.values(), strict=True):
        if number == len(others):
            others.append(Beginning(key, service))
        others[number].heads.append(Head(*head))


def _query(query: NameQuery) -> dict[str, Any]:
    return {**query._asdict(), "key": query.key.hex()}


def _query_of(saved: dict[str, Any]) -> NameQuery:
    targets = tuple(Target(*one) for one in saved["targets"])
    return NameQuery(**{**saved, "key": bytes.fromhex(saved["key"]), "targets": targets})
