/// A bounded queue that serves clients in turn, by bytes: a client with large bodies, or many, delays others by one element
/// at most.
///
/// Start-time fair queueing: an element's turn comes at a virtual time. A client's time advances by the size of each element
/// taken; a new client begins at the time of the element taken last. A client's own elements stay in order.
struct FairQueue<Element> {
    /// Names an element until it leaves the queue.
    typealias Ticket = UInt64

    private struct Entry {
        var ticket: Ticket
        /// In virtual time; never 0, so that many small elements are not free.
        var cost: UInt64
        var element: Element
    }

    private struct Client {
        /// Oldest first.
        var entries: [Entry] = []
        /// The turn of the first entry; of the next one to come, if there is none.
        var turn: UInt64

        mutating func append(_ entry: Entry, now: UInt64) {
            if entries.isEmpty { turn = max(turn, now) }
            entries.append(entry)
        }
    }

    enum Arrival {
        case queued
        /// The queue was full: the newest element of the client with the most made room.
        case displaced(Element)
        /// The queue is full, and no client has more in it.
        case refused(Element)
    }

    /// What an element costs beside its bytes.
    private static var baseCost: UInt64 { 1024 }
    /// Clients remembered although nothing of theirs waits.
    private static var mostAbsent: Int { 1024 }

    private let capacity: Int
    private var clients: [String: Client] = [:]
    private(set) var count = 0
    /// The turn of what was taken last.
    private var now: UInt64 = 0

    init(capacity: Int) { self.capacity = max(1, capacity) }

    /// - Parameter ticket: unique among those in the queue; later ones are greater.
    mutating func push(_ element: Element, ticket: Ticket, client name: String, bytes: Int) -> Arrival {
        var displaced: Element?
        if count >= capacity {
            guard let loser = longest, loser.count > clients[name, default: Client(turn: 0)].entries.count + 1,
                let entry = clients[loser.name]?.entries.popLast()
            else { return .refused(element) }
            count -= 1
            displaced = entry.element
        }
        let cost = UInt64(max(0, bytes)) + Self.baseCost
        clients[name, default: Client(turn: now)].append(Entry(ticket: ticket, cost: cost, element: element), now: now)
        count += 1
        return displaced.map { .displaced($0) } ?? .queued
    }

    /// The element whose turn it is; of several at one time the oldest.
    mutating func pop() -> Element? {
        var best: (turn: UInt64, ticket: Ticket, name: String)?
        for (name, client) in clients {
            guard let first = client.entries.first else { continue }
            if let best, (best.turn, best.ticket) < (client.turn, first.ticket) { continue }
            best = (client.turn, first.ticket, name)
        }
        guard let best, let entry = clients[best.name]?.entries.removeFirst() else {
            // No client waits, so none has had more than its share.
            clients = [:]
            now = 0
            return nil
        }
        count -= 1
        now = best.turn
        clients[best.name]?.turn = best.turn + entry.cost
        forgetAbsent()
        return entry.element
    }

    /// Takes an element out, if it is still there, at no cost for its client.
    mutating func remove(_ ticket: Ticket, client name: String) -> Element? {
        guard let index = clients[name]?.entries.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        count -= 1
        return clients[name]?.entries.remove(at: index).element
    }

    private var longest: (name: String, count: Int)? {
        clients.max { ($0.value.entries.count, $0.key) < ($1.value.entries.count, $1.key) }
            .map { ($0.key, $0.value.entries.count) }
    }

    /// A client without elements has to be remembered only while it has had more than its share.
    private mutating func forgetAbsent() {
        guard clients.count > count + Self.mostAbsent else { return }
        clients = clients.filter { !$0.value.entries.isEmpty }
    }
}
