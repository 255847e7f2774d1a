class Stream:
    found: int
