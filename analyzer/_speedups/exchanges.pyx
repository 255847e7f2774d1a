"""The plain part of the second pass: a request with its one answer, and the dialog that it is in.

The twin of the loops in ``analyzer.transactions``, ``analyzer.legs``, ``analyzer.contents`` and
``analyzer.hops``. It takes a request that is alone under its key, with at most one answer, final and
later; ACK, INVITE (RFC 3261 section 17.1.1.3) and everything else are left to ``Matcher``, row after
row. Keys are numbers of the rows, never bytes of the capture; they are mixed with a seed of this
process, since who writes a capture can choose their order.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

import os

cdef uint64_t SEED = int.from_bytes(os.urandom(8), "little") | 1

ctypedef const uint32_t[::1] Numbers
ctypedef const int64_t[::1] Signed


cdef inline uint64_t mixed(uint64_t hash, uint64_t value) noexcept nogil:
    """Take one more value into a hash: multiply and fold, as wyhash does in 64 bits."""
    hash = (hash ^ value) * <uint64_t>0x9E3779B97F4A7C15
    return hash ^ (hash >> 29)


cdef class Table:
    """Numbers of keys by their hash: open addressing; who asks compares the keys."""

    cdef int32_t *slots
    cdef uint32_t *hashes
    cdef uint64_t mask

    def __cinit__(self, Py_ssize_t keys):
        cdef uint64_t size = 16
        while size < <uint64_t>keys * 2:
            size *= 2
        self.mask = size - 1
        self.slots = <int32_t *>calloc(size, sizeof(int32_t))
        self.hashes = <uint32_t *>malloc(size * sizeof(uint32_t))
        if self.slots == NULL or self.hashes == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.slots)
        free(self.hashes)


cdef class Exchanges:
    """Requests with their answers, of the rows that need no decision."""

    cdef readonly list rest
    """Rows that do, ascending."""
    cdef Py_ssize_t count, entries
    cdef int32_t *entry_of
    cdef int32_t *request
    cdef int32_t *final
    cdef char *plain

    def __cinit__(self, rows, uint32_t quoted, int64_t least_final):
        self.count = len(rows)
        cdef size_t room = self.count + 1
        self.entry_of = <int32_t *>malloc(room * sizeof(int32_t))
        self.request = <int32_t *>malloc(room * sizeof(int32_t))
        self.final = <int32_t *>malloc(room * sizeof(int32_t))
        self.plain = <char *>malloc(room)
        if not (self.entry_of and self.request and self.final and self.plain):
            raise MemoryError
        self._pair(rows, quoted, least_final, _invites(rows))
        self.rest = [
            row
            for row in range(self.count)
            if self.entry_of[row] >= 0 and not self.plain[self.entry_of[row]]
        ]

    def __dealloc__(self):
        free(self.entry_of)
        free(self.request)
        free(self.final)
        free(self.plain)

    cdef void _pair(self, rows, uint32_t quoted, int64_t least_final, const unsigned char[::1] invites):
        cdef Signed status = rows.status
        cdef Numbers stream = rows.stream, call = rows.call_id, cseq = rows.cseq
        cdef Numbers tag = rows.from_tag, user = rows.from_uri, notes = rows.notes
        cdef Numbers method = rows.method
        cdef int64_t ack = rows.strings.find("ACK") or -1
        cdef Table table = Table(self.count)
        cdef int32_t row, entry, known
        cdef uint32_t direction, first_direction, short
        cdef uint64_t hash, slot
        self.entries = 0
        for row in range(<int32_t>self.count):
            self.entry_of[row] = -1
            if not call[row] or not cseq[row] or notes[row] & quoted:
                continue
            direction = stream[row] if status[row] < 0 else stream[row] ^ 1
            hash = mixed(SEED, <uint64_t>direction << 32 | call[row])
            hash = mixed(hash, <uint64_t>cseq[row] << 32 | tag[row])
            hash = mixed(hash, user[row])
            hash ^= hash >> 32
            short, slot, entry = <uint32_t>hash, hash & table.mask, -1
            while table.slots[slot]:
                if table.hashes[slot] == short:
                    known = self.request[table.slots[slot] - 1]
                    first_direction = stream[known] if status[known] < 0 else stream[known] ^ 1
                    if (
                        call[known] == call[row] and cseq[known] == cseq[row]
                        and tag[known] == tag[row] and user[known] == user[row]
                        and first_direction == direction
                    ):
                        entry = table.slots[slot] - 1
                        break
                slot = (slot + 1) & table.mask
            if entry < 0:
                entry = <int32_t>self.entries
                self.entries += 1
                table.slots[slot], table.hashes[slot] = entry + 1, short
                self.request[entry], self.final[entry] = row, -1
                self.plain[entry] = status[row] < 0 and method[row] != ack and not invites[cseq[row]]
            elif status[row] < least_final or self.final[entry] >= 0:
                self.plain[entry] = 0
            else:
                self.final[entry] = row
            self.entry_of[row] = entry

    def merged(self, list begun, list other_request, list other_final, dict other_more, list other_of):
        """Return the columns of all transactions, with those that ``Matcher`` made of the rest."""
        cdef Py_ssize_t other, others = len(begun), number = 0
        cdef int32_t row, entry
        cdef list request = [], final = [], of = [-1] * self.count
        cdef list place = [0] * others
        cdef int32_t *numbers = <int32_t *>malloc((self.entries + 1) * sizeof(int32_t))
        if numbers == NULL:
            raise MemoryError
        other = 0
        cdef Py_ssize_t next_begun = begun[0] if others else -1
        for row in range(<int32_t>self.count):
            entry = self.entry_of[row]
            if entry < 0:
                continue
            if not self.plain[entry]:
                if row == next_begun:
                    place[other] = number
                    request.append(other_request[other])
                    final.append(other_final[other])
                    number += 1
                    other += 1
                    next_begun = begun[other] if other < others else -1
                if other_of[row] >= 0:
                    of[row] = place[other_of[row]]
                continue
            if self.request[entry] == row:
                numbers[entry] = <int32_t>number
                request.append(row)
                final.append(self.final[entry])
                number += 1
            of[row] = numbers[entry]
        free(numbers)
        more = {place[index]: found for index, found in other_more.items()}
        return request, final, more, of


cdef bytearray _invites(rows):
    """Return 1 for the numbers of those CSeq whose method is INVITE."""
    cdef list values = rows.cseqs.values
    cdef bytearray found = bytearray(len(values))
    cdef Py_ssize_t number
    for number in range(1, len(values)):
        if values[number][1] == "INVITE":
            found[number] = 1
    return found


def in_dialogs(rows, list request, list final, dict more, methods):
    """Put requests with a To tag into bundles, one for each dialog on one connection.

    ``methods`` is what ``LegFinder`` knows of methods. Return the bundles in order of their first
    transaction (first transaction, transactions, messages, notable ones, whether one confirms the
    dialog), and the transactions that are in none.
    """
    cdef Numbers stream = rows.stream, call = rows.call_id, method = rows.method
    cdef Numbers from_tag = rows.from_tag, to_tag = rows.to_tag
    cdef Signed status = rows.status
    cdef Py_ssize_t count = len(request), index, bundle, bundles = 0
    cdef bytearray marks = _marks(rows, more, count, methods)
    cdef const unsigned char[::1] mark = marks
    cdef bytearray extra_bytes = bytearray(count + 1)
    for index in more:
        extra_bytes[index] = 1
    cdef const unsigned char[::1] extra = extra_bytes
    cdef Table table = Table(count)
    cdef int32_t *first = <int32_t *>malloc((count + 1) * sizeof(int32_t))
    if first == NULL:
        raise MemoryError
    cdef list rest = [], members = [], messages = [], notable = [], begins = []
    cdef bytearray confirmed = bytearray()
    cdef int64_t row, answer, known
    cdef uint32_t low, high
    cdef uint64_t hash, slot
    cdef unsigned char kind
    for index in range(count):
        row, answer = request[index], final[index]
        if row < 0 or extra[index] or not to_tag[row] or mark[method[row]] & REGISTERS:
            rest.append(index)
            continue
        low, high = from_tag[row], to_tag[row]
        if low > high:
            low, high = high, low
        hash = mixed(mixed(SEED, <uint64_t>(stream[row] >> 1) << 32 | call[row]), <uint64_t>low << 32 | high)
        hash ^= hash >> 32
        slot, bundle = hash & table.mask, -1
        while table.slots[slot]:
            if table.hashes[slot] == <uint32_t>hash:
                known = first[table.slots[slot] - 1]
                if (
                    call[known] == call[row] and stream[known] >> 1 == stream[row] >> 1
                    and (
                        (from_tag[known] == low and to_tag[known] == high)
                        or (from_tag[known] == high and to_tag[known] == low)
                    )
                ):
                    bundle = table.slots[slot] - 1
                    break
            slot = (slot + 1) & table.mask
        if bundle < 0:
            bundle = bundles
            bundles += 1
            table.slots[slot], table.hashes[slot] = <int32_t>bundle + 1, <uint32_t>hash
            first[bundle] = <int32_t>row
            begins.append(index)
            members.append([])
            messages.append([])
            notable.append([])
            confirmed.append(0)
        kind = mark[method[row]]
        (<list>members[bundle]).append(index)
        (<list>messages[bundle]).append(row)
        if not kind & EARLY:
            confirmed[bundle] = 1
        if answer >= 0:
            (<list>messages[bundle]).append(answer)
            if kind & NOTABLE or status[answer] >= FAILED:
                (<list>notable[bundle]).append(index)
        elif kind & NOTABLE or not kind & SILENT:
            (<list>notable[bundle]).append(index)
    free(first)
    return list(zip(begins, members, messages, notable, map(bool, confirmed))), rest


cdef enum:
    REGISTERS = 1
    EARLY = 2
    SILENT = 4
    NOTABLE = 8
    FAILED = 400


cdef bytearray _marks(rows, dict more, Py_ssize_t count, methods):
    """Return what ``methods`` says, for each number of a string."""
    cdef bytearray marks = bytearray(len(rows.strings.values))
    register, early, silent, notable = methods
    if register > 0:
        marks[register] |= REGISTERS
    for bit, numbers in ((EARLY, early), (SILENT, silent), (NOTABLE, notable)):
        for number in numbers:
            marks[number] |= bit
    return marks


def on_several_connections(rows):
    """Return the Call-IDs that were seen on more than one connection."""
    cdef Numbers stream = rows.stream, call = rows.call_id
    cdef Py_ssize_t size = len(rows.strings.values), row
    cdef uint32_t *seen = <uint32_t *>calloc(size + 1, sizeof(uint32_t))
    if seen == NULL:
        raise MemoryError
    cdef set found = set()
    cdef uint32_t connection
    for row in range(call.shape[0]):
        connection = (stream[row] >> 1) + 1
        if not call[row] or seen[call[row]] == connection:
            continue
        if seen[call[row]]:
            found.add(call[row])
        else:
            seen[call[row]] = connection
    free(seen)
    return found


def spread(list numbers, list rows, object number):
    """Give all rows of a leg the number of its dialog."""
    for row in rows:
        numbers[<Py_ssize_t>row] = number


def elements_by_group(rows, list group_of, set left_out, list row_of):
    """Return the elements of each group, in order; fill in the message of each element."""
    cdef const uint64_t[::1] first = rows.item
    cdef Numbers counts = rows.items
    cdef Py_ssize_t row, size = len(row_of), element, end
    cdef bint some = bool(left_out)
    cdef dict found = {}
    cdef list here
    for row in range(counts.shape[0]):
        if not counts[row] or (some and row in left_out):
            continue
        element = <Py_ssize_t>first[row]
        end = element + counts[row]
        if element < 0 or end > size:
            raise IndexError("an element that the rows do not have")
        group = group_of[row]
        here = <list>found.get(group)
        if here is None:
            here = found[group] = []
        number = row
        while element < end:
            here.append(element)
            row_of[element] = number
            element += 1
    return found
