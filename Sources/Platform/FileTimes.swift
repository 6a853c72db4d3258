extension stat {
    /// When the file's content was last changed.
    package var modificationTime: timespec {
        #if os(Linux)
            st_mtim
        #else
            st_mtimespec
        #endif
    }
}
