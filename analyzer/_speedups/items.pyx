"""The XCCOS items of messages, as they stand in JSON lines and in CSV; of ``lines``.

The rule: what needs a decision (a chat text in an unusual shape, several items in one cell) is
asked of the reference.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp

from analyzer._speedups.batches cimport Batch, BatchWriter
from analyzer._speedups.fulltext cimport is_utf8, put_chat
from analyzer._speedups.spelling cimport Out, put, put_bytes
from analyzer._speedups.spelt cimport put_cell, spelt
from dissectors._speedups.strings cimport Span

from analyzer.export.cells import XCCOS_COLUMNS, commandid_text, text_cell, xccos_cells
from analyzer.export.chats import chat_texts, is_utf8 as text_is_utf8
from analyzer.export.records import to_json
from analyzer.views.messages import with_chat_texts, xccos_record

COMMAS = b"," * (len(XCCOS_COLUMNS) - 1)


cdef class ItemWriter(BatchWriter):
    """Writes the items of a row."""

    cdef int take(self, object rows) except -1:
        if rows.strings is not self.strings:
            self.utf8 = {}
        return BatchWriter.take(self, rows)

    cdef int put_json_items(self, Py_ssize_t row) except -1:
        cdef const Batch *batch = &self.batch
        cdef Out *out = &self.out
        cdef uint64_t first = batch.item[row], k
        cdef uint32_t count = batch.items[row]
        cdef const Span *element
        if count and (
            first > <uint64_t>batch.all_items or count > <uint64_t>batch.all_items - first
        ):
            raise IndexError(first)
        texts = None
        put(out, b"[", 1)
        for k in range(first, first + count):
            put(out, b',{"element":' if k > first else b'{"element":', 12 if k > first else 11)
            element = spelt(self.texts, batch.element[k])
            put(out, element.data, element.size)
            put(out, b',"id":', 6)
            self.put_string(batch.id[k])
            put(out, b',"seqid":', 9)
            self.put_string(batch.seqid[k])
            put(out, b',"envid":', 9)
            self.put_string(batch.envid[k])
            if batch.has_command[k]:
                put(out, b',"commandid":{"seqid":', 22)
                self.put_string(batch.command_seqid[k])
                put(out, b',"envid":', 9)
                self.put_string(batch.command_envid[k])
                put(out, b'},"code":', 9)
            else:
                put(out, b',"commandid":null,"code":', 25)
            self.put_string(batch.code[k])
            put(out, b',"text":', 8)
            if not is_chat(spelt(self.texts, batch.element[k]), b'"grpchat"', 9):
                self.put_string(batch.text[k])
            elif count > 1 or not self.put_plain_chat(row):
                texts = self.chat_texts(row) if texts is None else texts
                text = texts[k - first] if k - first < <uint64_t>len(texts) else None
                put_bytes(out, to_json(text).encode())
            put(out, b"}", 1)
        return put(out, b"]", 1)

    cdef int put_csv_items(self, Py_ssize_t row) except -1:
        cdef const Batch *batch = &self.batch
        cdef uint64_t first = batch.item[row]
        cdef uint32_t count = batch.items[row]
        if not count:
            return put_bytes(&self.out, COMMAS)
        if first > <uint64_t>batch.all_items or count > <uint64_t>batch.all_items - first:
            raise IndexError(first)
        if count == 1:
            return self.put_csv_item(row, first)
        items = self.rows.xccos(row)
        if any([item.element == "grpchat" for item in items]):
            items = with_chat_texts(items, self.chat_texts(row))
        cells = xccos_cells([xccos_record(item) for item in items])
        return put_bytes(&self.out, ",".join(cells).encode())

    cdef int put_csv_item(self, Py_ssize_t row, uint64_t k) except -1:
        """Write the cells of an item that is alone: each is the spelling of one string."""
        cdef const Batch *batch = &self.batch
        cdef Out *out = &self.out
        cdef const Span *element
        self.put_string(batch.id[k] if spelt(self.texts, batch.id[k]).size else batch.element[k])
        put(out, b",", 1)
        self.put_string(batch.seqid[k])
        put(out, b",", 1)
        self.put_string(batch.envid[k])
        put(out, b",", 1)
        if batch.has_command[k]:
            self.put_command(batch.command_seqid[k], batch.command_envid[k])
        put(out, b",", 1)
        self.put_string(batch.code[k])
        put(out, b",", 1)
        element = spelt(self.texts, batch.element[k])
        if not is_chat(element, b"grpchat", 7):
            return self.put_string(batch.text[k])
        if self.put_plain_chat(row):
            return 0
        return put_bytes(out, text_cell(next(iter(self.chat_texts(row)), None)).encode())

    cdef int put_command(self, uint32_t seqid, uint32_t envid) except -1:
        """Write the numbers of the command that a reply answers as one cell."""
        cdef const Span *first = spelt(self.texts, seqid)
        cdef const Span *second = spelt(self.texts, envid)
        cdef Py_ssize_t k
        # Digits are written as they stand, and need no other cell around them.
        for k in range(first.size):
            if first.data[k] < 48 or first.data[k] > 57:
                break
        else:
            for k in range(second.size):
                if second.data[k] < 48 or second.data[k] > 57:
                    break
            else:
                put_or_dot(&self.out, first)
                put(&self.out, b"/", 1)
                return put_or_dot(&self.out, second)
        value = self.strings.value
        return put_bytes(&self.out, text_cell(commandid_text(value(seqid), value(envid))).encode())

    cdef int put_plain_chat(self, Py_ssize_t row) except -1:
        """Write the text of a chat message in the plainest shape; return 0 for any other one."""
        cdef const Batch *batch = &self.batch
        cdef uint32_t number = batch.content_type[row]
        cdef Py_ssize_t before = self.out.used
        if batch.notes[row]:
            return 0
        utf8 = self.utf8.get(number)
        if utf8 is None:
            utf8 = self.utf8[number] = text_is_utf8(self.strings.value(number))
        if not utf8:
            return 0
        self.read_back(row)
        if self.json:
            if put_chat(&self.out, &self.message, batch.content_length[row], True):
                return 1
            self.out.used = before
            return 0
        self.scratch.used = 0
        if not put_chat(&self.scratch, &self.message, batch.content_length[row], False):
            return 0
        if put_cell(&self.out, <const uint8_t *>self.scratch.data, self.scratch.used):
            return 1
        if not is_utf8(<const uint8_t *>self.scratch.data, self.scratch.used):
            return 0
        put_bytes(&self.out, text_cell(self.scratch.data[: self.scratch.used].decode()).encode())
        return 1

    cdef object chat_texts(self, Py_ssize_t row):
        cdef const Batch *batch = &self.batch
        return chat_texts(
            self.raw(row),
            self.strings.value(batch.content_type[row]),
            noted=batch.notes[row] != 0,
            stream=not self.stream_texts(batch.stream[row]).datagrams,
        )


cdef inline int put_or_dot(Out *out, const Span *text) except -1:
    """Write a text; what is absent is a dot, as ``analyzer.export.cells`` has it."""
    return put(out, text.data, text.size) if text.size else put(out, b".", 1)


cdef inline bint is_chat(const Span *text, const char *chat, Py_ssize_t size) noexcept nogil:
    return text.size == size and memcmp(text.data, chat, <size_t>size) == 0
