/// The limit on open files of this process; each connection is one.
package enum DescriptorLimit {
    #if os(Linux)
        private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let resource = RLIMIT_NOFILE
    #endif

    /// The limit that holds now; nil if the system does not say.
    package static var current: Int? { read().map { Int(clamping: $0.rlim_cur) } }

    /// Raises the limit as far as the system allows without privileges.
    /// - Returns: the limit that holds then; nil if the system does not say.
    @discardableResult
    package static func raise() -> Int? {
        guard let limit = read() else { return nil }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        // Darwin takes no more than this, whatever the hard limit says.
        #if !os(Linux)
            raised.rlim_cur = min(raised.rlim_cur, rlim_t(OPEN_MAX))
        #endif
        guard raised.rlim_cur > limit.rlim_cur, setrlimit(resource, &raised) == 0 else {
            return Int(clamping: limit.rlim_cur)
        }
        return Int(clamping: raised.rlim_cur)
    }

    private static func read() -> rlimit? {
        var limit = rlimit()
        return getrlimit(resource, &limit) == 0 ? limit : nil
    }
}
