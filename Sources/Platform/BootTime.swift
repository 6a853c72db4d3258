/// Seconds since the machine was started, sleep included; nil where the system does not say.
package func secondsSinceBoot() -> Double? {
    #if os(Linux)
        // Not /proc/uptime, which some containers have of their own, while /proc/self/stat counts from the host's start.
        var time = timespec()
        guard clock_gettime(CLOCK_BOOTTIME, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    #else
        return nil
    #endif
}
