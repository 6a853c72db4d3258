// The system's C library under one name on every system: whoever imports Platform has it.
#if canImport(Glibc)
    @_exported public import Glibc
#else
    @_exported public import Darwin
#endif
