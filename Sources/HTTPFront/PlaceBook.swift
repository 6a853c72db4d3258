/// Who has a place at the server and what each is doing, as a plain value: it says who gives way when all places are
/// taken.
///
/// A place whose request is under way is never taken. Of the others the one that has waited longest gives way, and of
/// several clients the one that has most of them: so nobody shuts out the rest by holding connections open. Every client
/// has a queue for each stage, linked through the places, so that a change costs the same however many there are.
struct PlaceBook<Occupant: Sendable>: Sendable {
    /// What a connection is doing; those that are earlier here give way first.
    enum Stage: Int, CaseIterable, Sendable {
        /// It was answered for the last time, and may read that.
        case leaving
        /// There is no request.
        case idle
        /// A head, or the body of a client that nobody knows, is on its way.
        case receiving
        /// A client that nobody knows is answered.
        case answering
        /// A client that was let in sends the body of its request.
        case uploading
        /// Its request is under way.
        case occupied

        /// How long a connection may be at it in any case: as long as an honest client needs.
        fileprivate var respite: Duration {
            switch self {
            case .idle: .zero
            case .leaving, .receiving, .answering: .seconds(1)
            case .uploading, .occupied: .seconds(10)
            }
        }

        fileprivate var givesWay: Bool { self != .occupied }
    }

    private struct Place: Sendable {
        var occupant: Occupant?
        var client: String
        /// Nil once it had to give way.
        var stage: Stage?
        var since: ContinuousClock.Instant
        var previous: Int?
        var next: Int?
    }

    private struct Queue: Sendable {
        var first: Int?
        var last: Int?
    }

    private struct Client: Sendable {
        var places = 0
        /// Places that may have to give way.
        var waiting = 0
        var queues = [Queue](repeating: Queue(), count: Stage.allCases.count)
    }

    private var places: [Place] = []
    private var free: [Int] = []
    private var clients: [String: Client] = [:]
    /// All places that are taken.
    private(set) var count = 0
    /// Those of them that had to give way and are about to be left.
    private(set) var dismissed = 0

    /// Takes a place for an idle connection; returns its number.
    mutating func enter(_ occupant: Occupant, client: String, at now: ContinuousClock.Instant) -> Int {
        let place = Place(occupant: occupant, client: client, since: now)
        let number = free.popLast() ?? places.count
        if number == places.count { places.append(place) } else { places[number] = place }
        clients[client, default: Client()].places += 1
        count += 1
        append(number, to: .idle)
        return number
    }

    /// Notes what the connection at a place does from now on. False if it has had to give way.
    mutating func change(_ number: Int, to stage: Stage, at now: ContinuousClock.Instant) -> Bool {
        guard let current = places[number].stage else { return false }
        guard current != stage else { return true }
        unlink(number, from: current)
        places[number].since = now
        append(number, to: stage)
        return true
    }

    /// Frees a place.
    mutating func leave(_ number: Int) {
        if let stage = places[number].stage { unlink(number, from: stage) } else { dismissed -= 1 }
        let client = places[number].client
        clients[client]?.places -= 1
        if clients[client]?.places == 0 { clients[client] = nil }
        places[number].occupant = nil
        places[number].stage = nil
        free.append(number)
        count -= 1
    }

    /// Chooses who gives way; nil if nobody can be asked to.
    mutating func dismiss(at now: ContinuousClock.Instant) -> Occupant? {
        var chosen: (number: Int, waiting: Int)?
        for client in clients.values where client.waiting > 0 {
            guard let number = oldest(of: client, at: now) else { continue }
            guard let best = chosen else {
                chosen = (number, client.waiting)
                continue
            }
            let isOlder = places[number].since < places[best.number].since
            if client.waiting > best.waiting || client.waiting == best.waiting && isOlder {
                chosen = (number, client.waiting)
            }
        }
        guard let number = chosen?.number, let stage = places[number].stage else { return nil }
        unlink(number, from: stage)
        places[number].stage = nil
        dismissed += 1
        return places[number].occupant
    }

    private func oldest(of client: Client, at now: ContinuousClock.Instant) -> Int? {
        for stage in Stage.allCases where stage.givesWay {
            guard let first = client.queues[stage.rawValue].first else { continue }
            if places[first].since + stage.respite <= now { return first }
        }
        return nil
    }

    // MARK: Queues

    private mutating func append(_ number: Int, to stage: Stage) {
        places[number].stage = stage
        withQueue(of: number, stage, waiting: 1) { queue, places in
            places[number].previous = queue.last
            places[number].next = nil
            if let last = queue.last { places[last].next = number } else { queue.first = number }
            queue.last = number
        }
    }

    private mutating func unlink(_ number: Int, from stage: Stage) {
        withQueue(of: number, stage, waiting: -1) { queue, places in
            let (previous, next) = (places[number].previous, places[number].next)
            if let previous { places[previous].next = next } else { queue.first = next }
            if let next { places[next].previous = previous } else { queue.last = previous }
        }
    }

    private mutating func withQueue(
        of number: Int,
        _ stage: Stage,
        waiting: Int,
        _ body: (inout Queue, inout [Place]) -> Void
    ) {
        let name = places[number].client
        if stage.givesWay { clients[name, default: Client()].waiting += waiting }
        body(&clients[name, default: Client()].queues[stage.rawValue], &places)
    }
}
