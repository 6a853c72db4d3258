import APIClient
import Console
import Foundation

/// `pensieve status`: shows the status of a running server.
enum StatusCommand {
    static let standardAddress = "http://127.0.0.1:7777"

    static func run(_ raw: [String]) async throws -> Int32 {
        var arguments = try Arguments(raw, of: "status", valued: ["url"], toggles: ["json"])
        if arguments.wantsHelp {
            Terminal.print(ChatHelp.status)
            return 0
        }
        let wantsJSON = try arguments.takeToggle("json")
        guard arguments.positional.isEmpty else {
            throw ConfigurationError("which server? pensieve status --url \(standardAddress)")
        }
        let target = try ServerConnection.target(arguments.take("url") ?? standardAddress)
        signal(SIGPIPE, SIG_IGN)
        let status = try await ask(ServerConnection(target, key: nil, silenceSeconds: 10))
        if wantsJSON {
            Terminal.print(try prettyJSON(status, inSnakeCase: true))
        } else {
            Terminal.print(status.text)
        }
        return 0
    }

    private static func ask(_ server: ServerConnection) async throws -> ServerStatus {
        let answer: (status: Int, body: [UInt8])
        do {
            answer = try await server.get("/health")
        } catch let failure as SocketFailure where failure.isTimeout {
            throw ChatError("\(server.address) does not answer: \(failure)")
        } catch let failure as SocketFailure {
            throw ChatError("there is no server at \(server.address): \(failure); pensieve start starts one")
        } catch let violation as ProtocolViolation {
            throw ChatError("what answers at \(server.address) is no Pensieve server: \(violation)")
        }
        guard var status = ServerStatus(address: server.address, health: answer.body) else {
            throw ChatError("what answers at \(server.address) is no Pensieve server (status \(answer.status))")
        }
        // A proxy in front of the server may not forward /metrics.
        if let metrics = try? await server.get("/metrics"), metrics.status == 200 { status.add(metrics: metrics.body) }
        return status
    }
}
