import Dispatch

#if os(Linux)
    import CLinux
#endif

/// Starts a detached thread for work that blocks, which the cooperative pool must never do.
/// - Parameter name: as the system's tools show it; Linux keeps 15 bytes.
/// - Returns: whether the thread could be made; if not, `body` will not run.
package func startThread(named name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
    let start = Unmanaged.passRetained(ThreadStart(name: name, body: body))
    #if os(Linux)
        var thread = pthread_t()
    #else
        var thread: pthread_t?
    #endif
    // The thread takes over the one reference that `passRetained` made.
    let status = pthread_create(&thread, nil, runThread, start.toOpaque())
    guard status == 0 else {
        start.release()
        return false
    }
    #if os(Linux)
        pthread_detach(thread)
    #else
        if let thread { pthread_detach(thread) }
    #endif
    return true
}

/// Runs `body`, which may block, on a thread of its own, and suspends until it has returned. Where no thread can be made,
/// Dispatch runs it on one of its own.
/// - Throws: what `body` throws.
package func onThread<Value: Sendable, Failure: Error>(
    named name: String,
    _ body: @escaping @Sendable () throws(Failure) -> Value
) async throws(Failure) -> Value {
    let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
        let run = { @Sendable in continuation.resume(returning: Result(catching: body)) }
        if !startThread(named: name, run) { DispatchQueue.global().async(execute: run) }
    }
    return try result.get()
}

/// Makes the calling thread leave the cores to others. Only Linux has a niceness for each thread; elsewhere nothing happens.
package func lowerThreadPriority(to niceness: Int32) {
    #if os(Linux)
        clinux_lower_priority(niceness)
    #endif
}

private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }

    func run() {
        #if os(Linux)
            clinux_name_thread(name)
        #else
            pthread_setname_np(name)
        #endif
        body()
    }
}

#if os(Linux)
    private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let argument { Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
    }
#else
    private func runThread(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().run()
        return nil
    }
#endif
