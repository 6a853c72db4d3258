import CLinux
import Glibc

/// Starts a detached thread for work that blocks, which the cooperative pool must never do.
/// - Returns: whether the thread could be made; if not, `body` will not run.
package func startThread(named name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
    let start = Unmanaged.passRetained(ThreadStart(name: name, body: body))
    var thread = pthread_t()
    // The thread takes over the one reference that `passRetained` made.
    let status = pthread_create(&thread, nil, runThread, start.toOpaque())
    guard status == 0 else {
        start.release()
        return false
    }
    pthread_detach(thread)
    return true
}

private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    clinux_name_thread(start.name)
    start.body()
    return nil
}
