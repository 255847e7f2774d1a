class Link:
    """What is known of a connection; see the declarations for what other modules use of it."""

class Side: ...
