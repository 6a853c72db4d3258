#if os(Linux)
    import CLinux
#endif

/// Gives memory that the heap keeps, though nobody uses it, back to the system: all arenas, free pages in their middle too.
/// Takes milliseconds; not on the cooperative pool.
package func returnFreeHeapMemory() {
    #if os(Linux)
        clinux_return_free_memory()
    #else
        malloc_zone_pressure_relief(nil, 0)
    #endif
}
