"""The reading core against captures whose messages are known."""
