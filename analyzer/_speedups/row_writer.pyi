from analyzer.reading import Reading

class RowWriter:
    reading: Reading
