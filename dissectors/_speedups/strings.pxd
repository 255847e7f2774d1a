# Strings kept once, by number; number 0 is None. The twin of ``analyzer.rows.Interned``.

from libc.stdint cimport uint8_t, uint32_t, uint64_t


cdef struct Span:
    const uint8_t *data
    Py_ssize_t size


# A slot of the hash table; free where ``number`` is 0.
cdef struct Slot:
    uint32_t hash
    uint32_t number


cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define xccos_fetch(place) __builtin_prefetch(place)
    #else
    #define xccos_fetch(place) ((void)(place))
    #endif
    """
    void xccos_fetch(const void *place) noexcept nogil


# The same for equal bytes, as long as the process runs.
cdef uint32_t hash_of(const uint8_t *data, size_t size) noexcept nogil


cdef class Strings:
    cdef Slot *slots
    cdef size_t mask  # slots less one; their number is a power of two
    cdef const uint8_t **entries  # by number: where its length and then its bytes lie
    cdef size_t room  # entries allocated
    cdef size_t count  # entries used; number 0 is one
    cdef uint8_t **blocks
    cdef size_t block_count
    cdef uint8_t *free  # what is left of the last block
    cdef size_t left
    cdef list decoded  # the values that were asked for, by number

    # The number of a string given as UTF-8; gives it one when it is new. 0 with an exception:
    # memory.
    cdef uint32_t id_of(self, const uint8_t *data, Py_ssize_t size) except 0

    # The same in four steps, for who has several strings at once: each needs memory that the one
    # before it had fetched. The first gives the hash.
    cdef uint32_t ask_slot(self, const uint8_t *data, Py_ssize_t size) noexcept nogil
    cdef void ask_entry(self, uint32_t hash) noexcept nogil
    cdef void ask_bytes(self, uint32_t hash) noexcept nogil
    cdef uint32_t id_with(self, const uint8_t *data, Py_ssize_t size, uint32_t hash) except 0

    # The number of a string; 0 where it has none.
    cdef uint32_t number_of(self, const uint8_t *data, Py_ssize_t size) noexcept nogil

    # The bytes of a string; data is NULL for number 0. Good as long as the table.
    cdef Span span(self, uint32_t number) noexcept nogil

    # How a value is written, and read again.
    cdef bytes spell(self, object value)
    cdef object read(self, Span span)

    cdef uint32_t add(self, const uint8_t *data, size_t size, uint32_t hash) except 0
    cdef uint8_t *take(self, size_t size) except NULL
    cdef int widen_entries(self) except -1
    cdef int widen_slots(self) except -1


cdef class CSeqs(Strings):
    cdef dict methods  # each method once: the pairs share it
