import EngineContract

/// Sessions that wait to run: first those that ran before and were preempted, then the oldest session of the client that
/// was served longest ago. A preempted session gives precedence to one whose client has fewer running sessions.
///
/// A seat is the right to run; `SchedulerConfiguration.maxRunningSessions` says how many there are.
struct WaitingQueue {
    private struct Client {
        /// Oldest first; none has run.
        var sessions: [Session] = []
        /// The turn at which it was last served. A new client counts as served when it comes: however many new clients come,
        /// those that wait have their turns.
        var lastServed: Int
    }

    /// Sessions that have run before and were preempted, oldest first.
    private(set) var preempted: [Session] = []
    private var clients: [String: Client] = [:]
    private var turn = 0
    /// How many sessions wait that have not run.
    private(set) var newCount = 0

    var count: Int { preempted.count + newCount }

    /// How many sessions of a client wait that have not run.
    func count(of client: String) -> Int { clients[client]?.sessions.count ?? 0 }

    /// How many sessions that have not run the client with the most of them has, and the newest of these.
    var longest: (count: Int, newest: Session)? {
        clients.values.compactMap { client in client.sessions.last.map { (client.sessions.count, $0) } }
            .max { ($0.0, $0.1.id) < ($1.0, $1.1.id) }
    }

    mutating func append(_ session: Session) {
        if session.hasRun {
            let index = preempted.firstIndex { $0.id > session.id } ?? preempted.endIndex
            preempted.insert(session, at: index)
        } else {
            clients[session.client, default: Client(lastServed: turn)].sessions.append(session)
            newCount += 1
        }
    }

    /// The session to run next, except those in `skipped` and those whose readers lag.
    /// - Parameter seats: running sessions by client.
    func next(besides skipped: [Session], seats: [String: Int]) -> Session? {
        let new = nextNew(besides: skipped)
        func count(_ session: Session) -> Int { seats[session.client, default: 0] }
        let session = preempted.lazy.filter { $0.pause == nil }.min { (count($0), $0.id) < (count($1), $1.id) }
        guard let session else { return new }
        guard let new, count(new) < count(session) else { return session }
        return new
    }

    /// The first session that has not claimed a seat yet, of a client with fewer than `limit` seats.
    func claimant(seats: [String: Int], below limit: Int) -> Session? {
        clients.filter { seats[$0.key, default: 0] < limit }
            .compactMap { client in
                client.value.sessions.first { !$0.hasClaimedSeat }.map { (client.value.lastServed, $0) }
            }
            .min { ($0.0, $0.1.id) < ($1.0, $1.1.id) }?.1
    }

    private func nextNew(besides skipped: [Session]) -> Session? {
        var best: (lastServed: Int, session: Session)?
        for client in clients.values {
            guard let session = client.sessions.first(where: { new in !skipped.contains { $0 === new } }) else {
                continue
            }
            if let best, (best.lastServed, best.session.id) < (client.lastServed, session.id) { continue }
            best = (client.lastServed, session)
        }
        return best?.session
    }

    /// Takes a session out because it runs now.
    mutating func serve(_ session: Session) {
        remove(session)
        guard !session.hasRun else { return }
        turn += 1
        clients[session.client]?.lastServed = turn
        // Clients without waiting sessions are dropped now and then, so that the table stays small.
        if clients.count > 4 * newCount + 64 { clients = clients.filter { !$0.value.sessions.isEmpty } }
    }

    mutating func remove(_ session: Session) {
        if session.hasRun {
            preempted.removeAll { $0 === session }
        } else if let index = clients[session.client]?.sessions.firstIndex(where: { $0 === session }) {
            clients[session.client]?.sessions.remove(at: index)
            newCount -= 1
        }
    }
}
