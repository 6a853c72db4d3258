import Platform
import Synchronization

/// The open connections, and the choice of one to evict when there is no room for a new one.
final class ConnectionRegistry: Sendable {
    typealias State = ConnectionTable<Socket>.State

    private let table = Mutex(ConnectionTable<Socket>())

    /// All open connections, evicted ones included.
    var count: Int { table.withLock { $0.count } }

    /// Open connections that have not been evicted.
    var retainedCount: Int { table.withLock { $0.count - $0.evictedCount } }

    func add(_ socket: Socket, client: String) -> Entry {
        Entry(registry: self, index: table.withLock { $0.add(socket, client: client, at: .now) })
    }

    /// Shuts down a connection without a request in progress to make room for another; false if there is none.
    func evictOne() -> Bool {
        guard let socket = table.withLock({ $0.evict(at: .now) }) else { return false }
        // The connection's task sees end of file and ends; until then the connection counts in `count`.
        shutdown(socket.descriptor, Int32(SHUT_RDWR))
        return true
    }

    /// One connection's entry.
    struct Entry: Sendable {
        fileprivate let registry: ConnectionRegistry
        fileprivate let index: Int

        /// Sets the connection's state. False if it has been evicted.
        @discardableResult
        func setState(_ state: State) -> Bool {
            registry.table.withLock { $0.setState(of: index, to: state, at: .now) }
        }

        func remove() { registry.table.withLock { $0.remove(index) } }
    }
}

/// The connections with their states, and the eviction policy, as a plain value.
///
/// A connection whose request is in progress is never evicted. Of the client with the most evictable connections, the
/// one that has been in its state for longest is evicted: so no client shuts out others by holding connections open.
/// Each client has one queue for each state, a list linked through the entries, so that a change takes constant time.
struct ConnectionTable<Connection: Sendable>: Sendable {
    /// What a connection is doing, in the order of eviction: those of the first state are evicted first.
    enum State: Int, CaseIterable, Sendable {
        /// The last response was sent; the client may still read it.
        case lingering
        /// Waits for a request.
        case idle
        /// Receives a head, or the body of a client that the handler does not identify.
        case receiving
        /// Answers a client that the handler does not identify.
        case answering
        /// Receives the body of an identified client.
        case uploading
        /// Answers an identified client.
        case active

        /// How long a connection may be in this state before it can be evicted: as much as an honest client needs.
        fileprivate var gracePeriod: Duration {
            switch self {
            case .idle: .zero
            case .lingering, .receiving, .answering: .seconds(1)
            case .uploading, .active: .seconds(10)
            }
        }

        fileprivate var isEvictable: Bool { self != .active }
    }

    private struct Entry: Sendable {
        var connection: Connection?
        var client: String
        /// Nil after eviction.
        var state: State?
        var since: ContinuousClock.Instant
        var previous: Int?
        var next: Int?
    }

    private struct Queue: Sendable {
        var first: Int?
        var last: Int?
    }

    private struct Client: Sendable {
        var connections = 0
        /// Connections in a state that allows eviction.
        var evictable = 0
        var queues = [Queue](repeating: Queue(), count: State.allCases.count)
    }

    private var entries: [Entry] = []
    private var free: [Int] = []
    private var clients: [String: Client] = [:]
    /// All connections, evicted ones included.
    private(set) var count = 0
    /// Connections that were evicted and not yet removed.
    private(set) var evictedCount = 0

    /// Adds an idle connection; returns the index of its entry.
    mutating func add(_ connection: Connection, client: String, at now: ContinuousClock.Instant) -> Int {
        let entry = Entry(connection: connection, client: client, since: now)
        let index = free.popLast() ?? entries.count
        if index == entries.count { entries.append(entry) } else { entries[index] = entry }
        clients[client, default: Client()].connections += 1
        count += 1
        append(index, to: .idle)
        return index
    }

    /// Sets a connection's state; setting the same state again does not restart its grace period. False if the
    /// connection has been evicted.
    mutating func setState(of index: Int, to state: State, at now: ContinuousClock.Instant) -> Bool {
        guard let current = entries[index].state else { return false }
        guard current != state else { return true }
        unlink(index, from: current)
        entries[index].since = now
        append(index, to: state)
        return true
    }

    mutating func remove(_ index: Int) {
        if let state = entries[index].state { unlink(index, from: state) } else { evictedCount -= 1 }
        let client = entries[index].client
        clients[client]?.connections -= 1
        if clients[client]?.connections == 0 { clients[client] = nil }
        entries[index].connection = nil
        entries[index].state = nil
        free.append(index)
        count -= 1
    }

    /// Evicts one connection and returns it; nil if none can be evicted now.
    mutating func evict(at now: ContinuousClock.Instant) -> Connection? {
        var chosen: (index: Int, evictable: Int)?
        for client in clients.values where client.evictable > 0 {
            guard let index = victim(of: client, at: now) else { continue }
            guard let best = chosen else {
                chosen = (index, client.evictable)
                continue
            }
            let isOlder = entries[index].since < entries[best.index].since
            if client.evictable > best.evictable || client.evictable == best.evictable && isOlder {
                chosen = (index, client.evictable)
            }
        }
        guard let index = chosen?.index, let state = entries[index].state else { return nil }
        unlink(index, from: state)
        entries[index].state = nil
        evictedCount += 1
        return entries[index].connection
    }

    private func victim(of client: Client, at now: ContinuousClock.Instant) -> Int? {
        for state in State.allCases where state.isEvictable {
            guard let first = client.queues[state.rawValue].first else { continue }
            if entries[first].since + state.gracePeriod <= now { return first }
        }
        return nil
    }

    // MARK: Queues

    private mutating func append(_ index: Int, to state: State) {
        entries[index].state = state
        withQueue(of: index, state, evictable: 1) { queue, entries in
            entries[index].previous = queue.last
            entries[index].next = nil
            if let last = queue.last { entries[last].next = index } else { queue.first = index }
            queue.last = index
        }
    }

    private mutating func unlink(_ index: Int, from state: State) {
        withQueue(of: index, state, evictable: -1) { queue, entries in
            let (previous, next) = (entries[index].previous, entries[index].next)
            if let previous { entries[previous].next = next } else { queue.first = next }
            if let next { entries[next].previous = previous } else { queue.last = previous }
        }
    }

    /// Gives `body` a client's queue, and adds `evictable` to its count if the state allows eviction.
    private mutating func withQueue(
        of index: Int,
        _ state: State,
        evictable: Int,
        _ body: (inout Queue, inout [Entry]) -> Void
    ) {
        let client = entries[index].client
        if state.isEvictable { clients[client, default: Client()].evictable += evictable }
        body(&clients[client, default: Client()].queues[state.rawValue], &entries)
    }
}
