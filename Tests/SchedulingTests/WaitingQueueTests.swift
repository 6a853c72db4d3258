import EngineContract
import Testing

@testable import Scheduling

extension Session {
    static func make(_ id: UInt64, client: String = "c", hasRun: Bool = false) -> Session {
        let session = Session(
            id: SessionID(id),
            request: .make([1, 2, 3], 9, client: client),
            channel: TokenChannel(window: 8, resumeScheduling: {}, endSession: { _ in }),
            room: 100,
            blockSize: 16
        )
        if hasRun { session.cachedTokens = 0 }
        return session
    }
}

@Suite struct WaitingQueueTests {
    private func queue(_ sessions: [Session]) -> WaitingQueue {
        var queue = WaitingQueue()
        for session in sessions { queue.append(session) }
        return queue
    }

    /// Serves all sessions that can go next.
    private func order(_ queue: inout WaitingQueue, seats: [String: Int] = [:]) -> [UInt64] {
        var order: [UInt64] = []
        while let session = queue.next(besides: [], seats: seats) {
            queue.serve(session)
            order.append(session.id.rawValue)
        }
        return order
    }

    @Test("Clients take turns, each in its own order, and a new one waits for those that are there")
    func turns() {
        var queue = queue([.make(1, client: "a"), .make(2, client: "a"), .make(3, client: "a"), .make(4, client: "b")])
        #expect(queue.count == 4 && queue.newCount == 4 && queue.count(of: "a") == 3 && queue.count(of: "x") == 0)
        let first = queue.next(besides: [], seats: [:])
        #expect(first?.id.rawValue == 1)
        if let first { queue.serve(first) }
        queue.append(.make(5, client: "new"))
        #expect(order(&queue) == [4, 2, 5, 3])
        #expect(queue.count == 0 && queue.next(besides: [], seats: [:]) == nil)
    }

    @Test("Preempted sessions go first, the oldest of them, except those whose readers lag")
    func preempted() {
        let lagging = Session.make(2, hasRun: true)
        lagging.pause = Session.Pause(since: .now, unread: 8)
        var queue = queue([.make(9), .make(5, hasRun: true), lagging, .make(3, hasRun: true)])
        #expect(queue.preempted.map(\.id.rawValue) == [2, 3, 5] && queue.newCount == 1 && queue.count == 4)
        #expect(order(&queue) == [3, 5, 9])
        #expect(queue.preempted.map(\.id.rawValue) == [2])
        queue.remove(lagging)
        #expect(queue.count == 0)
    }

    @Test("A preempted session gives precedence to one whose client has fewer seats")
    func seats() {
        let queue = queue([
            .make(1, client: "a", hasRun: true), .make(2, client: "b", hasRun: true), .make(3, client: "c"),
        ])
        func next(_ seats: [String: Int]) -> UInt64? { queue.next(besides: [], seats: seats)?.id.rawValue }
        #expect(next([:]) == 1)
        #expect(next(["a": 1]) == 2)
        #expect(next(["a": 2, "b": 1]) == 3)
        #expect(next(["a": 1, "b": 1, "c": 1]) == 1)
    }

    @Test("Sessions to be skipped leave their client's turn to the next of it")
    func skipping() {
        let sessions = [Session.make(1, client: "a"), .make(2, client: "b"), .make(3, client: "a")]
        let queue = queue(sessions)
        func next(_ skipped: [Session]) -> UInt64? { queue.next(besides: skipped, seats: [:])?.id.rawValue }
        #expect(next([sessions[0]]) == 2)
        #expect(next([sessions[0], sessions[1]]) == 3)
        #expect(next(sessions) == nil)
    }

    @Test("The client with the most sessions is known, and the newest of them")
    func longest() {
        let (own, last) = (Session.make(3, client: "b"), Session.make(4, client: "b"))
        var queue = queue([.make(1, client: "a"), .make(2, client: "a"), own, .make(9, hasRun: true)])
        #expect(queue.longest?.count == 2 && queue.longest?.newest.id.rawValue == 2)
        queue.append(last)
        // Of two clients with as many, the one with the newest session.
        #expect(queue.longest?.count == 2 && queue.longest?.newest === last)
        queue.remove(last)
        queue.remove(own)
        #expect(queue.longest?.newest.id.rawValue == 2 && queue.newCount == 2)
        queue.remove(own)
        #expect(queue.newCount == 2)
        #expect(WaitingQueue().longest == nil)
    }

    @Test("A seat is claimed once by each session, of clients below the limit only")
    func claims() {
        let sessions = [Session.make(1, client: "a"), .make(2, client: "b"), .make(3, client: "b")]
        let queue = queue(sessions)
        func claimant(_ seats: [String: Int], below limit: Int) -> UInt64? {
            queue.claimant(seats: seats, below: limit)?.id.rawValue
        }
        #expect(claimant([:], below: 1) == 1 && claimant([:], below: 0) == nil)
        #expect(claimant(["a": 2, "b": 1], below: 2) == 2 && claimant(["a": 2, "b": 2], below: 2) == nil)
        sessions[0].hasClaimedSeat = true
        #expect(claimant([:], below: 1) == 2)
        sessions[1].hasClaimedSeat = true
        #expect(claimant([:], below: 1) == 3)
    }
}
