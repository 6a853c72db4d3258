import EngineContract

/// Sessions that wait for a seat: those that had one go first, then the oldest of the client that was served longest ago.
/// Those that had one let sessions go before whose clients have fewer seats.
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
    /// Sessions that have not run.
    private(set) var newCount = 0

    var count: Int { returning.count + newCount }

    /// How many sessions of a client wait that have not run.
    func count(of client: String) -> Int { clients[client]?.sessions.count ?? 0 }

    /// How many such sessions the client with the most of them has, and the newest of these.
    var longest: (count: Int, newest: Session)? {
        clients.values.compactMap { client in client.sessions.last.map { (client.sessions.count, $0) } }
            .max { ($0.0, $0.1.id) < ($1.0, $1.1.id) }
    }

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
    /// - Parameter seats: running sessions by client.
    func next(besides passed: [Session], seats: [String: Int]) -> Session? {
        let new = nextNew(besides: passed)
        func count(_ session: Session) -> Int { seats[session.request.client, default: 0] }
        let session = returning.lazy.filter { $0.pause == nil }.min { (count($0), $0.id) < (count($1), $1.id) }
        guard let session else { return new }
        guard let new, count(new) < count(session) else { return session }
        return new
    }

    /// The first session that has not claimed a seat yet, of a client with fewer seats than `most`.
    func claimant(seats: [String: Int], below most: Int) -> Session? {
        clients.filter { seats[$0.key, default: 0] < most }
            .compactMap { client in
                client.value.sessions.first { !$0.hasClaimed }.map { (client.value.lastServed, $0) }
            }
            .min { ($0.0, $0.1.id) < ($1.0, $1.1.id) }?.1
    }

    private func nextNew(besides passed: [Session]) -> Session? {
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
