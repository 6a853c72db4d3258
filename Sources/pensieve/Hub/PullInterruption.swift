import Foundation

/// What a signal does to a pull: the program ends at once, as it would without this, but says that nothing is lost.
enum PullInterruption {
    private static let numbers = [SIGINT, SIGTERM]

    static func begin() { numbers.forEach { signal($0, endByPullInterruption) } }

    /// Gives the signals back to the system.
    static func end() { numbers.forEach { signal($0, SIG_DFL) } }
}

/// A handler of the system's own kind, as nothing is to be ended in order: what has come is in the cache already. It only
/// calls `write` and `_exit`, since a handler may call little else.
private func endByPullInterruption(_ number: Int32) {
    let message: StaticString =
        "\npensieve: interrupted; what has come is kept, and the same command goes on from there\n"
    _ = write(STDERR_FILENO, message.utf8Start, message.utf8CodeUnitCount)
    _exit(128 + number)
}
