import EngineContract

/// Clients' shares of seats and memory: one with many long sessions must not keep the others waiting for their ends.
///
/// A session gives way to one of another client only where its client has at least two seats more, so that each change
/// brings them closer, and the oldest session never does: it is not the youngest of several.
extension Scheduler {
    /// Lets sessions in that wait for their first seat, those of clients with few seats, in place of the youngest ones of
    /// the client with the most. Each may ask once: whoever does not fit even then waits for memory as others do.
    func shareSeats() {
        while waiting.newCount > 0, let most = seats.values.max(), most > 1,
            let session = waiting.claimant(seats: seats, below: most - 1)
        {
            session.hasClaimed = true
            let client = session.request.client
            while !hasRoom(for: session), let giver = youngestOfMost(besides: client) { preempt(giver) }
            if hasRoom(for: session) { seat(session) }
        }
    }

    /// Running sessions by client.
    var seats: [String: Int] { running.reduce(into: [:]) { $0[$1.request.client, default: 0] += 1 } }

    /// The youngest session of the client with the most, if that has at least two more than another.
    func youngestOfMost(besides client: String) -> Session? {
        let seats = seats
        guard let most = seats.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }),
            most.value > seats[client, default: 0] + 1
        else { return nil }
        return running.last { $0.request.client == most.key }
    }
}
