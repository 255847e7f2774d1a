from dissectors._speedups.heads import HeadScanner
from dissectors._speedups.held import Stream

def begun(scanner: HeadScanner, whole: bool) -> Stream: ...
