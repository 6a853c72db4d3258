import CKernels
import Platform
import Synchronization

/// Runs an actor's jobs, one after another, on a thread of its own, so that long computations never occupy the
/// cooperative pool. The thread ends when the executor goes.
final class ThreadExecutor: SerialExecutor {
    private let queue = JobQueue()

    /// - Parameter name: as the kernel shows it, 15 bytes at most.
    init(name: String) throws(ThreadError) {
        // The thread must not hold the executor, or neither would ever end.
        let started = startThread(named: name) { [queue] in
            ck_receive_faults()
            while let item = queue.pop() {
                // `item` keeps the executor alive until its job has returned.
                item.job.runSynchronously(on: item.executor.asUnownedSerialExecutor())
            }
        }
        guard started else { throw ThreadError() }
    }

    deinit { queue.close() }

    func enqueue(_ job: consuming ExecutorJob) {
        queue.push(JobQueue.Item(job: UnownedJob(job), executor: self))
    }
}

struct ThreadError: Error {}

/// Jobs on their way to the thread.
///
/// `@unchecked Sendable`: `semaphore` points to memory of this object alone, initialised before and destroyed after
/// every use, and its operations are made for many threads; the rest is behind a lock.
private final class JobQueue: @unchecked Sendable {
    struct Item {
        let job: UnownedJob
        let executor: ThreadExecutor
    }

    private struct State {
        var items: [Item] = []
        var taken = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    /// As many units as there are items, and one more once closed.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func push(_ item: Item) {
        state.withLock { $0.items.append(item) }
        sem_post(semaphore)
    }

    func close() {
        state.withLock { $0.isClosed = true }
        sem_post(semaphore)
    }

    /// Waits for the next job; nil once closed.
    func pop() -> Item? {
        while true {
            while sem_wait(semaphore) != 0 {}
            let (item, isClosed) = state.withLock { state -> (Item?, Bool) in
                guard state.taken < state.items.count else { return (nil, state.isClosed) }
                let item = state.items[state.taken]
                state.taken += 1
                if state.taken == state.items.count {
                    state.items.removeAll(keepingCapacity: true)
                    state.taken = 0
                }
                return (item, false)
            }
            if let item { return item }
            if isClosed { return nil }
        }
    }
}
