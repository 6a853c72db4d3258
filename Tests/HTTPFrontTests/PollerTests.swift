import Platform
import Testing

@testable import HTTPFront

@Suite("The poller", .serialized, .timeLimit(.minutes(3))) struct PollerTests {
    /// Two connected sockets.
    private func pair(_ poller: Poller) throws -> (Socket, Socket) {
        var descriptors: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &descriptors) == 0)
        return (Socket(adopting: descriptors[0], poller: poller), Socket(adopting: descriptors[1], poller: poller))
    }

    @Test("ends every wait that is cancelled, at whatever moment")
    func cancellationRaces() async throws {
        let poller = try Poller()
        defer { poller.stop() }
        let sockets = try (0..<50).map { _ in try pair(poller) }
        for round in 0..<20 {
            let waits = sockets.map { socket, _ in
                Task { await poller.wait(socket.descriptor, for: .readable, until: nil) }
            }
            for _ in 0..<round { await Task.yield() }
            for wait in waits { wait.cancel() }
            for wait in waits { #expect(await wait.value == .cancelled) }
        }
    }

    @Test("wakes the waiter for an event, and leaves the others waiting")
    func wakesTheRightOne() async throws {
        let poller = try Poller()
        defer { poller.stop() }
        let (near, far) = try pair(poller)
        let hangup = Task { await poller.wait(near.descriptor, for: .hangup, until: nil) }
        let broken = Task { await poller.wait(near.descriptor, for: .broken, until: nil) }
        for _ in 0..<3 {
            async let readable = poller.wait(near.descriptor, for: .readable, until: .now + .seconds(120))
            try await far.send([1], stallLimit: .seconds(1))
            #expect(await readable == .ready)
            var byte: [UInt8] = [0]
            #expect(byte.withUnsafeMutableBytes { near.receive(into: $0) } == .bytes(1))
        }
        #expect(await poller.wait(near.descriptor, for: .writable, until: nil) == .ready)
        #expect(await poller.wait(near.descriptor, for: .readable, until: .now + .milliseconds(30)) == .timedOut)
        shutdown(far.descriptor, Int32(SHUT_WR))
        #expect(await hangup.value == .ready)
        // The other direction is still open.
        #expect(await poller.wait(near.descriptor, for: .writable, until: nil) == .ready)
        shutdown(near.descriptor, Int32(SHUT_WR))
        #expect(await broken.value == .ready)
    }

    @Test("meets a deadline that is set while it sleeps until a later one")
    func deadlines() async throws {
        let poller = try Poller()
        defer { poller.stop() }
        let sockets = try (0..<4).map { _ in try pair(poller) }
        let start = ContinuousClock.now
        let long = Task { await poller.wait(sockets[0].0.descriptor, for: .readable, until: start + .seconds(600)) }
        let waits = [100, 60, 30].enumerated().map { index, milliseconds in
            Task {
                let descriptor = sockets[index + 1].0.descriptor
                let deadline = start + .milliseconds(milliseconds)
                let outcome = await poller.wait(descriptor, for: .readable, until: deadline)
                return outcome == .timedOut && ContinuousClock.now >= deadline
            }
        }
        for wait in waits { #expect(await wait.value) }
        long.cancel()
        #expect(await long.value == .cancelled)
    }

    @Test("ends waits for new requests when it drains, and all when it stops")
    func draining() async throws {
        let poller = try Poller()
        let (near, far) = try pair(poller)
        let idle = Task { await poller.wait(near.descriptor, for: .readable, until: nil, endsOnDrain: true) }
        let busy = Task { await poller.wait(far.descriptor, for: .readable, until: nil) }
        poller.drain()
        #expect(await idle.value == .interrupted)
        #expect(await poller.wait(near.descriptor, for: .readable, until: nil, endsOnDrain: true) == .interrupted)
        poller.stop()
        #expect(await busy.value == .closed)
        #expect(await poller.wait(near.descriptor, for: .readable, until: nil) == .closed)
    }
}
