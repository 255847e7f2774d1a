class RowBuffer:
    """Rows while a capture is read; see the declarations for what other modules use of it."""
