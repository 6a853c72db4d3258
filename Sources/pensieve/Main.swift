import Foundation

@main
struct Main {
    static func main() async {
        let status = await Command.run(Array(CommandLine.arguments.dropFirst()))
        exit(status)
    }
}
