# The XCCOS items of messages; of ``lines``.

from libc.stdint cimport uint32_t, uint64_t

from analyzer._speedups.batches cimport BatchWriter


cdef class ItemWriter(BatchWriter):
    cdef dict utf8  # by content type: chat texts are UTF-8

    cdef int put_json_items(self, Py_ssize_t row) except -1
    cdef int put_csv_items(self, Py_ssize_t row) except -1
    cdef int put_csv_item(self, Py_ssize_t row, uint64_t k) except -1
    cdef int put_command(self, uint32_t seqid, uint32_t envid) except -1
    cdef int put_plain_chat(self, Py_ssize_t row) except -1
    cdef object chat_texts(self, Py_ssize_t row)
