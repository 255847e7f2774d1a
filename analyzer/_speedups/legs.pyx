"""Legs, compiled: the twin of ``LegFinder`` in ``analyzer.legs``, statement by statement.

The rule: what the reference does, in its order, on the same columns; only requests within a dialog
come in bundles (``exchanges.in_dialogs``), all of a leg at a time. The reference says why.
"""

from libc.stdint cimport int64_t, uint32_t

from analyzer._speedups.exchanges import in_dialogs

ctypedef const uint32_t[::1] Numbers
ctypedef const int64_t[::1] Signed

cdef frozenset OUTSIDE = frozenset(("OPTIONS", "SERVICE", "MESSAGE", "PUBLISH"))
cdef frozenset CREATING = frozenset(("INVITE", "SUBSCRIBE", "REFER"))
cdef frozenset EARLY = frozenset(("PRACK", "UPDATE"))

# As in ``analyzer.legs``, which imports this module: it cannot be imported here.
cdef enum:
    TRYING = 100
    FINAL = 200
    FAILURE = 300
    FAILED = 400


cdef class Leg:
    """A dialog on one connection while it is collected; strings by their numbers in the rows."""

    cdef public object begun, call, callee, callee_tag, caller, caller_tag, confirmed, connection
    cdef public list creating, notable, rows, transactions
    cdef public object group, method

    def __init__(self, connection, call, caller, callee, caller_tag, callee_tag):
        self.connection = connection
        self.call = call
        self.caller, self.callee = caller, callee
        self.caller_tag, self.callee_tag = caller_tag, callee_tag
        self.creating, self.transactions, self.notable, self.rows = [], [], [], []
        self.method = ""
        self.begun = self.confirmed = False
        self.group = -1

    def turn(self):
        """Exchange caller and callee."""
        self.caller, self.callee = self.callee, self.caller
        self.caller_tag, self.callee_tag = self.callee_tag, self.caller_tag

    def tags(self):
        """Return both tags, in no order."""
        return frozenset((self.caller_tag, self.callee_tag))


cdef class LegFinder:
    """Puts the transactions of a capture into legs."""

    cdef Numbers stream, call, method, from_tag, to_tag, from_uri, to_uri, cseq
    cdef Signed status
    cdef object found, rows, rows_of_all
    cdef list request, final, first, names
    cdef dict more, by_tags, by_tag, halves, registrations
    cdef list legs
    cdef tuple methods
    cdef frozenset challenges
    cdef Py_ssize_t count

    def __init__(self, rows, transactions, tuple methods, challenges):
        self.rows, self.found, self.methods = rows, transactions, methods
        self.challenges = frozenset(challenges)
        self.rows_of_all = transactions.all_rows
        self.request, self.final = transactions.request, transactions.final
        self.first, self.more = transactions.first, transactions.more
        self.names = rows.strings.values
        self.stream, self.call, self.method, self.cseq = rows.stream, rows.call_id, rows.method, rows.cseq
        self.from_tag, self.to_tag = rows.from_tag, rows.to_tag
        self.from_uri, self.to_uri, self.status = rows.from_uri, rows.to_uri, rows.status
        self.by_tags, self.by_tag, self.halves, self.registrations = {}, {}, {}, {}
        self.legs = []
        self.count = len(rows)
        if not (
            self.count == self.stream.shape[0] == self.call.shape[0] == self.method.shape[0]
            == self.cseq.shape[0] == self.from_tag.shape[0] == self.to_tag.shape[0]
            == self.from_uri.shape[0] == self.to_uri.shape[0] == self.status.shape[0]
        ):
            raise ValueError("columns of different lengths")
        if not len(self.request) == len(self.final) == len(self.first):
            raise ValueError("transactions of different lengths")

    def run(self):
        """Return the legs in order of their first row, each with its rows in order."""
        bundles, others = in_dialogs(self.rows, self.request, self.final, self.more, self.methods)
        self.take_bundles(bundles, others)
        for key, waiting in self.halves.items():
            self.settle(<tuple>key, <list>waiting)
        cdef Leg leg
        cdef list kept = []
        for leg in self.legs:
            leg.rows.sort()
            leg.transactions.sort()
            leg.notable.sort()
            if leg.rows:
                kept.append(leg)
        kept.sort(key=_first_row)
        return kept

    cdef Py_ssize_t place(self, object row) except -1:
        """Return a row as a number that lies in the columns."""
        cdef Py_ssize_t at = row
        if at < 0 or at >= self.count:
            raise IndexError("a row that the capture does not have")
        return at

    cdef object status_of(self, Py_ssize_t index):
        """Return the status of the first final response, None without one."""
        final = self.final[index]
        return None if final < 0 else self.status[self.place(final)]

    cdef object method_of(self, Py_ssize_t index):
        cdef Py_ssize_t number = self.method[self.place(self.first[index])]
        if number >= len(self.names):
            raise IndexError("a string that the rows do not have")
        return self.names[number] or ""

    cdef void take_bundles(self, list bundles, list others) except *:
        cdef Py_ssize_t at = 0, end = len(others)
        cdef Py_ssize_t begin
        cdef Leg leg
        for bundle in bundles:
            begin = bundle[0]
            while at < end and <Py_ssize_t>others[at] < begin:
                self.take_other(others[at])
                at += 1
            leg = self.leg(self.place(bundle[2][0]))
            leg.confirmed = leg.confirmed or bundle[4]
            leg.transactions += <list>bundle[1]
            leg.rows += <list>bundle[2]
            leg.notable += <list>bundle[3]
        while at < end:
            self.take_other(others[at])
            at += 1

    cdef void take_other(self, Py_ssize_t index) except *:
        """Take in what no bundle has: requests of several messages too, one by one."""
        cdef Py_ssize_t row = self.place(self.first[index])
        cdef bint asked = self.request[index] >= 0
        cdef Leg leg
        register, early, silent, notable = self.methods
        if asked and self.to_tag[row] and self.method[row] != register:
            self.take_within(index, row, early, silent, notable)
            return
        method = self.method_of(index)
        if method == "REGISTER":
            self.register(index, row)
        elif self.to_tag[row] and not asked and method not in CREATING:
            if method not in OUTSIDE:
                leg = self.leg(row)
                leg.confirmed = leg.confirmed or method not in EARLY
                self.add(leg, index)
        elif method not in OUTSIDE:
            self.half(index, row, method)

    cdef void take_within(self, Py_ssize_t index, Py_ssize_t row, set early, set silent, set notable) except *:
        cdef object answer = self.final[index], method = self.method[row]
        cdef Leg leg = self.leg(row)
        if method not in early:
            leg.confirmed = True
        leg.transactions.append(index)
        leg.rows.append(row)
        if answer >= 0:
            leg.rows.append(answer)
        if method in notable or (
            self.status[self.place(answer)] >= FAILED if answer >= 0 else method not in silent
        ):
            leg.notable.append(index)
        if index in self.more:
            leg.rows += self.rows_of_all(index)[1 + (answer >= 0) :]

    cdef void add(self, Leg leg, Py_ssize_t index) except *:
        leg.transactions.append(index)
        leg.notable.append(index)
        if index in self.more:
            leg.rows += self.rows_of_all(index)
            return
        for row in (self.request[index], self.final[index]):
            if row >= 0:
                leg.rows.append(row)

    cdef void register(self, Py_ssize_t index, Py_ssize_t row) except *:
        cdef tuple key = (self.stream[row] >> 1, self.call[row], self.from_uri[row], 0)
        cdef Leg leg = self.registrations.get(key)
        if leg is None:
            leg = Leg(key[0], key[1], key[2], self.to_uri[row], self.from_tag[row], 0)
            leg.method = "REGISTER"
            self.registrations[key] = leg
            self.legs.append(leg)
        leg.creating.append(index)
        self.add(leg, index)
        leg.begun = leg.begun or self.request[index] >= 0
        status = self.status_of(index)
        leg.confirmed = leg.confirmed or (status is not None and FINAL <= status < FAILURE)

    cdef Leg leg(self, Py_ssize_t row):
        """Return the leg of a message with both tags, a new one where it is the first."""
        connection, call = self.stream[row] >> 1, self.call[row]
        a, b = self.from_tag[row], self.to_tag[row]
        cdef tuple key = (connection, call, a, b) if a < b else (connection, call, b, a)
        cdef Leg leg = self.by_tags.get(key)
        if leg is None:
            leg = Leg(connection, call, self.from_uri[row], self.to_uri[row], a, b)
            self.by_tags[key] = leg
            self.legs.append(leg)
            for tag in (a, b):
                self.by_tag.setdefault((connection, call, tag), []).append(leg)
        return leg

    cdef void half(self, Py_ssize_t index, Py_ssize_t row, object method) except *:
        """Keep a transaction whose request has no To tag; make the legs that its answers begin."""
        cdef tuple key = (self.stream[row] >> 1, self.call[row], self.from_tag[row], self.from_uri[row])
        cdef Py_ssize_t answer
        cdef Leg leg
        self.halves.setdefault(key, []).append(index)
        if method not in CREATING:
            return
        for one in self.found.answers(index):
            answer = self.place(one)
            if self.to_tag[answer] and TRYING < self.status[answer] < FAILURE:
                leg = self.leg(answer)
                leg.confirmed = leg.confirmed or self.status[answer] >= FINAL
                leg.method = method
                leg.begun = leg.begun or self.request[index] >= 0
                leg.caller, leg.callee = self.from_uri[answer], self.to_uri[answer]
                leg.caller_tag, leg.callee_tag = self.from_tag[answer], self.to_tag[answer]

    cdef void settle(self, tuple key, list waiting) except *:
        """Give the transactions without To tag to the leg that they began."""
        cdef Leg leg, target = None
        cdef list legs = []
        cdef Py_ssize_t index
        cdef object known = self.by_tag.get(key[:3], ())
        for leg in known:
            if not leg.method and (leg.callee_tag, leg.callee) == key[2:]:
                leg.turn()  # its answer was not captured, and its callee spoke first
        for leg in known:
            if (leg.caller_tag, leg.caller) == key[2:]:
                legs.append(leg)
                if target is None and leg.confirmed:
                    target = leg
        if not legs:
            self.unanswered_leg(waiting)
            return
        if target is None:
            target = legs[0]
        cdef set winners = set()
        for index in waiting:
            status = self.status_of(index)
            if status is None or status < FAILURE:
                winners.add(self.cseq[self.place(self.first[index])])
        for index in waiting:
            status, method = self.status_of(index), self.method_of(index)
            if status is not None and status >= FAILURE and status not in self.challenges:
                if self.cseq[self.place(self.first[index])] in winners:
                    self.unanswered_leg([index])
                    continue
            target.transactions.append(index)
            target.notable.append(index)
            if method in CREATING:
                target.creating.append(index)
                target.method = target.method or method
                target.begun = target.begun or self.request[index] >= 0
            for row in self.rows_of_all(index):
                leg = self.early_leg(self.place(row), target)
                leg.rows.append(row)

    cdef Leg early_leg(self, Py_ssize_t row, Leg target):
        """Return the leg of an answer whose To tag is not the one that was confirmed."""
        tag = self.to_tag[row]
        if self.status[row] < 0 or not tag or tag == target.callee_tag:
            return target
        a, b = sorted((self.from_tag[row], tag))
        return self.by_tags.get((target.connection, target.call, a, b), target)

    cdef void unanswered_leg(self, list waiting) except *:
        """Make the leg of requests that began no dialog: refused, cancelled, not answered."""
        cdef Py_ssize_t row = self.place(self.first[waiting[0]])
        final = self.final[waiting[len(waiting) - 1]]
        tag = 0 if final < 0 else self.to_tag[self.place(final)]
        cdef Leg leg = Leg(
            self.stream[row] >> 1, self.call[row], self.from_uri[row], self.to_uri[row],
            self.from_tag[row], tag,
        )
        for index in waiting:
            self.add(leg, index)
            method = self.method_of(index)
            if method in CREATING:
                leg.creating.append(index)
                leg.method = method
                leg.begun = leg.begun or self.request[index] >= 0
        self.legs.append(leg)


def _first_row(Leg leg):
    return leg.rows[0]
