import Foundation

/// Dispatches to the program's commands, and maps their outcomes to exit statuses: 0 success, 1 failure, 2 misuse.
enum Command {
    static let version = "0.1.0"
    static let names = [
        "start", "chat", "status", "generate", "bench", "pull", "models", "inspect", "remove", "validate", "help",
    ]

    static func run(_ arguments: [String]) async -> Int32 {
        do {
            return try await dispatch(arguments)
        } catch let error as ConfigurationError {
            Terminal.error("pensieve: \(error)")
            return 2
        } catch {
            Terminal.error("pensieve: \(error)")
            return 1
        }
    }

    private static func dispatch(_ arguments: [String]) async throws -> Int32 {
        guard let first = arguments.first else {
            Terminal.error(Help.overview)
            return 2
        }
        let rest = Array(arguments.dropFirst())
        switch first {
        case "start": return try await StartCommand.run(rest)
        case "chat": return try await ChatCommand.run(rest)
        case "status": return try await StatusCommand.run(rest)
        case "validate": return try ValidateCommand.run(rest)
        case "generate": return try await GenerateCommand.run(rest)
        case "bench": return try await BenchCommand.run(rest)
        case "pull": return try await PullCommand.run(rest)
        case "models": return try ModelsCommand.run(rest)
        case "inspect": return try await InspectCommand.run(rest)
        case "remove": return try await RemoveCommand.run(rest)
        case "--version", "-V", "version":
            Terminal.print("pensieve \(version)")
            return 0
        case "--help", "-h", "help":
            Terminal.print(try Help.page(for: rest.first))
            return 0
        default:
            throw ConfigurationError.unknownCommand(first)
        }
    }
}

@main
struct Main {
    static func main() async {
        let status = await Command.run(Array(CommandLine.arguments.dropFirst()))
        exit(status)
    }
}
