import EngineContract

/// Sessions that wait for a seat: those that had one go first, then the oldest of the client that was served longest ago.
struct WaitingQueue {
    private struct Client {
        /// Oldest first; none has run.
        var sessions: [Session] = []
        /// The turn at which it was last served. One that comes anew counts as served just then: however many new clients
        /// come, whoever waits has its turn.
        var lastServed: Int
    }

    /// Sessions that have run before, oldest first.
    private(set) var returning: [Session] = []
    private var clients: [String: Client] = [:]
    private var turn = 0
    private var newCount = 0

    var count: Int { returning.count + newCount }

    mutating func append(_ session: Session) {
        if session.hasRun {
            let index = returning.firstIndex { $0.id > session.id } ?? returning.endIndex
            returning.insert(session, at: index)
        } else {
            clients[session.request.client, default: Client(lastServed: turn)].sessions.append(session)
            newCount += 1
        }
    }

    /// The session whose turn it is, leaving out those that have been passed and those whose readers lag.
    func next(besides passed: [Session]) -> Session? {
        if let session = returning.first(where: { $0.pause == nil }) { return session }
        var best: (lastServed: Int, session: Session)?
        for client in clients.values {
            guard let session = client.sessions.first(where: { new in !passed.contains { $0 === new } }) else {
                continue
            }
            if let best, (best.lastServed, best.session.id) < (client.lastServed, session.id) { continue }
            best = (client.lastServed, session)
        }
        return best?.session
    }

    /// Takes a session out because it is served now.
    mutating func serve(_ session: Session) {
        remove(session)
        guard !session.hasRun else { return }
        turn += 1
        clients[session.request.client]?.lastServed = turn
        // Clients that have nothing waiting are forgotten now and then, so that the table stays small.
        if clients.count > 4 * newCount + 64 { clients = clients.filter { !$0.value.sessions.isEmpty } }
    }

    mutating func remove(_ session: Session) {
        if session.hasRun {
            returning.removeAll { $0 === session }
        } else if let index = clients[session.request.client]?.sessions.firstIndex(where: { $0 === session }) {
            clients[session.request.client]?.sessions.remove(at: index)
            newCount -= 1
        }
    }
}
