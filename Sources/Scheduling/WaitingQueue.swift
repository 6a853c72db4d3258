import EngineContract

/// Sessions that wait for a seat: the oldest of the client that was served longest ago comes next.
struct WaitingQueue {
    private var sessions: [Session] = []
    private var lastServed: [String: Int] = [:]
    private var turn = 0

    var count: Int { sessions.count }

    /// Keeps the order of arrival, also for a session that comes back.
    mutating func append(_ session: Session) {
        let index = sessions.firstIndex { $0.id > session.id } ?? sessions.endIndex
        sessions.insert(session, at: index)
    }

    func next() -> Session? {
        // Whoever has been running before goes on first.
        if let returning = sessions.first(where: { $0.sampled > 0 }) { return returning }
        return sessions.min { lastServed[$0.request.client, default: 0] < lastServed[$1.request.client, default: 0] }
    }

    mutating func remove(_ session: Session) {
        guard let index = sessions.firstIndex(where: { $0 === session }) else { return }
        sessions.remove(at: index)
        turn += 1
        lastServed[session.request.client] = turn
        // Clients that have nothing waiting are forgotten now and then, so that the table stays small.
        if lastServed.count > 4 * sessions.count + 64 {
            let waiting = Set(sessions.map(\.request.client))
            lastServed = lastServed.filter { waiting.contains($0.key) }
        }
    }
}
